"""A node's checks (engine/store/reconciler.cpp). A command's last argument says whether it belongs
to the check that is under way; what an earlier one asked is of no interest any more."""

import cluster
import registry
import signaling


def forget_run(node, names):
    def forget(command):
        ours = command[0] in names or command[-2] in names
        return (*command[:-1], False) if ours else command
    node.commands = tuple(forget(command) for command in node.commands)
    node.replies = tuple((forget(command), reply) for command, reply in node.replies)


def check(node):
    forget_run(node, ("index", "bind"))
    cluster.forget_binds(node)
    node.check_pass, node.timer, node.todo, node.overdue = "first", "soon", (), 0


def missed(world, node):
    if world.protocol.check_after_a_gap:
        check(node)


def begin(world, node):
    """The timer has run out."""
    node.timer = ""
    node.overdue = 0
    if node.phase != "registered":
        return  # registering begins anew
    if node.check_pass == "first":
        registry.send(node, "index", True)
    else:
        begin_binding(world, node)


def may_be_bound(world, node, socket):
    return socket in node.bound or (socket in node.joining and world.protocol.spare_joins
                                    and world.clients[socket] == "here")


def on_index(world, node, command, reply):
    if not command[-1]:
        return
    if world.protocol.check_takes_out:
        for socket in sorted(reply):
            if not may_be_bound(world, node, socket):
                registry.operate(world, node, "leave", socket)
    begin_binding(world, node)


def begin_binding(world, node):
    node.todo = tuple(sorted(node.bound))
    bind_page(world, node)


def bind_page(world, node):
    while node.todo and node.todo[0] not in node.bound:
        node.todo = node.todo[1:]
    if not node.todo:
        first = node.check_pass == "first" and world.protocol.second_pass
        node.check_pass = "second" if first else ""
        if first:
            node.timer = "settle"
            node.overdue = len(node.inbox)
        return
    socket, node.todo = node.todo[0], node.todo[1:]
    node.asking = True
    signaling.expect(world, node, "bind", socket)
    if world.protocol.cluster:
        cluster.bind(world, node, socket)
    else:
        registry.send(node, "bind", socket, node.number, True)


def on_bind(world, node, command, reply):
    _, socket, _, current = command
    if reply == "lost":
        registry.on_lost(world, node)
    bound(world, node, socket, reply, current)


def bound(world, node, socket, reply, current, known=True):
    """`reply`: "lost" or the members. `known`: the socket was one of them before, as it must be if
    this is the second pass."""
    node.asking = False
    if reply != "lost" and current:
        signaling.answered(world, node, reply, "bind", socket)
        on_members(world, node, world.room(socket), reply, known)
    signaling.arrived(world, node, "bind", socket)
    if not may_be_bound(world, node, socket):
        registry.operate(world, node, "leave", socket)
    if not current:
        return
    if reply == "lost":
        node.timer = "soon"
    elif node.check_pass == "second" and not known:
        check(node)
    else:
        bind_page(world, node)


def on_members(world, node, room, members, known):
    signaling.learn(world, node, room, members, None, world.protocol.check_tells)
    if node.check_pass == "second" and known:
        gone = [s for s in node.elsewhere if world.room(s) == room and s not in members]
        for socket in sorted(gone):
            signaling.remove_elsewhere(world, node, socket)


HANDLERS = {"index": on_index, "bind": on_bind}
