"""A node's registration and the operations that wait for it (engine/store/registry.cpp), and its
clean-up after others (cleaner.cpp)."""

import cluster
import reconciler
import signaling
from world import node_of


def send(node, *command):
    """What cannot be sent fails: the caller has seen to that."""
    if node.link:
        node.commands += (command,)


def ask(world, node):
    node.phase = "asking"
    if world.protocol.token_per_registration or node.number == 0:
        node.number += 1
    send(node, "register", node.number)


def on_lost(world, node):
    if node.phase == "registered":
        ask(world, node)


def on_register(world, node, command, reply):
    if node.phase != "asking":
        return
    if reply == "registered" and world.protocol.cluster:
        send(node, "raise_fence", command[1])
        return
    node.phase = "out"
    if reply == "registered":
        on_registered(world, node)
    elif reply[0] == "yours":
        clean_after(node, node.name, reply[1])


def on_registered(world, node):
    node.phase = "registered"
    node.answered = node.number
    reconciler.check(node)
    answer_waiting(world, node)


def on_beat(world, node, command, reply):
    if node.phase != "registered":
        return
    if reply == "lost":
        on_lost(world, node)
    else:
        for dead, number in reply:
            clean_after(node, dead, number)


# --- operations that need a registration

def operate(world, node, operation, socket):
    """`operation` is "join" or "leave"."""
    if world.protocol.cluster:
        cluster.take_turn(world, node, operation, socket)
    elif not when_registered(world, node, operation, socket) and operation == "join":
        signaling.fail_join(world, node, socket)


def when_registered(world, node, operation, socket, again=False):
    """False when Redis is away: it fails."""
    if not node.link:
        return False
    node.waiting += ((operation, socket, again),)
    if node.phase == "registered":
        answer_waiting(world, node)
    return True


def answer_waiting(world, node):
    waiting, node.waiting = node.waiting, ()
    for operation, socket, again in waiting:
        if world.protocol.cluster:
            cluster.send_operation(world, node, operation, socket, again)
            continue
        doubt = (socket in node.doubtful,) if operation == "join" else ()
        send(node, operation, socket, node.number, *doubt, again)


def on_leave(world, node, command, reply):
    _, socket, _, again = command
    if reply == "lost":
        on_lost(world, node)
        if not again:
            when_registered(world, node, "leave", socket, True)
        return
    after_leave(world, node, socket, reply)


def after_leave(world, node, socket, reply):
    if reply == "left" and node_of(socket) != node.name and \
            not world.protocol.evictor_hears_of_it:
        signaling.remove_elsewhere(world, node, socket)


# --- the cleaner

CLEANERS = ("set_aside", "renew", "page", "clean")  # in a cluster clean is exit and hdel


def clean_after(node, dead, number):
    """`number`: of the registration that is over; only a cluster needs it."""
    if dead in dict(node.cleaning):
        return
    node.cleaning += ((dead, number),)
    if len(node.cleaning) == 1:
        renew(node, "set_aside")


def set_aside(node):
    send(node, "set_aside", *node.cleaning[0], True)


def renew(node, then):
    send(node, "renew", node.cleaning[0][0], then, True)


def give_up(node):
    node.cleaning = ()
    reconciler.forget_run(node, CLEANERS)


def next_node(node):
    reconciler.forget_run(node, CLEANERS)
    node.cleaning = node.cleaning[1:]
    if node.cleaning:
        renew(node, "set_aside")  # the claim may have been lost while others came first


def on_set_aside(world, node, command, reply):
    if not command[-1]:
        return
    if reply == "refused":
        next_node(node)
    elif reply == 0:
        send(node, "release", node.cleaning[0][0])
        next_node(node)
    else:
        renew(node, "page")


def on_renew(world, node, command, reply):
    if not command[-1]:
        return
    if not reply:
        next_node(node)
    elif command[2] == "page":
        send(node, "page", node.cleaning[0][0], True)
    else:
        set_aside(node)


def on_page(world, node, command, reply):
    if not command[-1]:
        return
    node.cleans = (len(reply), False)
    for socket in sorted(reply):
        if world.protocol.cluster:
            send(node, "exit", socket, node.cleaning[0][1], "clean", True)
        else:
            send(node, "clean", socket, True)
    if not reply:
        set_aside(node)


def on_clean(world, node, command, reply):
    if not command[-1]:
        return
    due, lost = node.cleans
    node.cleans = (due - 1, lost or reply == "lost")
    if node.cleans == (0, True):
        next_node(node)
    elif node.cleans == (0, False):
        set_aside(node)


HANDLERS = {
    "register": on_register,
    "beat": on_beat,
    "leave": on_leave,
    "set_aside": on_set_aside,
    "renew": on_renew,
    "page": on_page,
    "clean": on_clean,
}
