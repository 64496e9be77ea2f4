"""What is different in a Redis Cluster (engine/store/split_rooms.cpp): an operation is a row of
steps, each a script in one slot, and only commands to one slot keep their order. Operations of one
socket take turns. Socket keys have slots of their own; they are advisory and not modelled.

"fence X" is the number of X's registration, beside its index; "last r X" what the room r knows of
X: (number of its last registration there, whether it is over)."""

import reconciler
import registry
import scripts
import signaling
from world import node_of


def slot(command, world, sender):
    name = command[0]
    if name in ("register", "beat", "renew", "release"):
        return "nodes"
    if name in ("enter", "exit"):
        return "room " + world.room(command[1])
    if name == "unbind":
        return "socket " + command[1]
    if name in ("set_aside", "page"):
        return "node " + command[1]
    return "node " + (command[1].split()[1] if name == "hdel" else sender)


def firsts(commands, world, sender):
    """Where the first command of each slot is."""
    slots = [slot(command, world, sender) for command in commands]
    return [at for at, each in enumerate(slots) if each not in slots[:at]]


# --- scripts

def raise_fence(world, sender, number):
    if world.redis.get("fence " + sender, 0) > number:
        return "old"
    world.redis["fence " + sender] = number
    return "raised"


def enlist(world, sender, socket, number, purpose, flag):
    if world.protocol.fence and world.redis.get("fence " + sender) != number:
        return "lost"
    world.add("index " + sender, socket)
    return "listed"


def refuses(world, room, name, number, cleans=False):
    """What comes of an earlier registration, or of one that was cleaned up, comes late."""
    last, over = world.redis.get(f"last {room} {name}", (0, False))
    return world.protocol.room_fence and (last > number or (last == number and over and not cleans))


def record(world, room, name, number, over):
    world.redis[f"last {room} {name}"] = (number, over)


def enter(world, sender, socket, number, doubtful, purpose, flag):
    """"lost" or ("joined", members, whether it was in)."""
    room = world.room(socket)
    if refuses(world, room, sender, number):
        return "lost"
    record(world, room, sender, number, False)
    known = socket in world.members("room " + room)
    world.add("room " + room, socket)
    members = world.members("room " + room)
    if not known or purpose == "join":
        kind = "rejoined" if known or doubtful else "joined"
        scripts.publish(world, kind, socket, members, sender)
    scripts.mark_older(world, sender, (purpose, socket))
    return ("joined", members, known)


def exit(world, sender, socket, number, purpose, flag):
    """"lost", "left" or "stranger". `number`: of the sender's registration, or of the one that is
    over."""
    room, owner, cleans = world.room(socket), node_of(socket), purpose == "clean"
    name = owner if cleans else sender
    if refuses(world, room, name, number, cleans):
        return "lost"
    if cleans or (world.protocol.leave_is_recorded and owner == sender):
        record(world, room, name, number, cleans)
    members = world.members("room " + room)
    if not world.remove("room " + room, socket):
        return "stranger"
    evicted = not cleans and owner != sender
    to_sender = evicted and world.protocol.evictor_hears_of_it
    uninformed = owner if cleans else None if to_sender else sender
    scripts.publish(world, "evicted" if evicted else "left", socket, members, uninformed)
    return "left"


def unbind(world, sender, socket):
    """The socket's key, which is not modelled; but it takes its time."""


def hdel(world, sender, key, socket, number):
    fence = world.redis.get("fence " + node_of(socket))
    if key.startswith("left") or not world.protocol.unlist_fence or fence == number:
        world.remove(key, socket)


def set_aside(world, sender, dead, number, run):
    """"refused", or how many sockets are left to do."""
    if world.protocol.claim_names_token and world.redis.get("fence " + dead, 0) > number:
        return "refused"
    world.redis.pop("fence " + dead, None)
    if not world.members("left " + dead):
        world.store("left " + dead, world.members("index " + dead))
        world.redis.pop("index " + dead, None)
    return len(world.members("left " + dead))


# --- turns

def take_turn(world, node, operation, socket):
    """`operation` is "join", "leave" or "bind"."""
    turns = dict(node.turns)
    turns[socket] = turns.get(socket, ()) + (operation,)
    node.turns = tuple(sorted(turns.items()))
    if len(turns[socket]) == 1:
        begin(world, node, operation, socket)


def begin(world, node, operation, socket):
    if operation in ("bind", "old bind"):
        send_enlist(node, socket, "bind", operation == "bind")
        return
    if registry.when_registered(world, node, operation, socket):
        return
    if operation == "join":
        signaling.fail_join(world, node, socket)
    over(world, node, socket)


def over(world, node, socket):
    turns = dict(node.turns)
    turns[socket] = turns[socket][1:]
    if not turns[socket]:
        del turns[socket]
    node.turns = tuple(sorted(turns.items()))
    if socket in turns:
        begin(world, node, turns[socket][0], socket)


def send_operation(world, node, operation, socket, again):
    if operation == "join":
        send_enlist(node, socket, "join", again)
    else:
        number = node.answered if world.protocol.leave_is_recorded else node.number
        registry.send(node, "exit", socket, number, "leave", True)


def send_enlist(node, socket, purpose, flag):
    registry.send(node, "enlist", socket, node.number, purpose, flag)


def forget_binds(node):
    node.turns = tuple((socket, tuple("old bind" if o == "bind" else o for o in operations))
                       for socket, operations in node.turns)


def bind(world, node, socket):
    if world.protocol.bind_takes_turns:
        take_turn(world, node, "bind", socket)
    else:
        send_enlist(node, socket, "bind", True)


# --- replies

def on_raise_fence(world, node, command, reply):
    if node.phase != "asking" or command[1] != node.number:
        return
    node.phase = "out"
    if reply == "raised":
        registry.on_registered(world, node)


def on_enlist(world, node, command, reply):
    _, socket, number, purpose, flag = command
    if reply == "listed":
        if not world.protocol.join_keeps_its_token:
            number = node.number
        doubtful = socket in node.doubtful
        registry.send(node, "enter", socket, number, doubtful, purpose, flag)
        return
    registry.on_lost(world, node)
    if purpose == "bind":
        end_bind(world, node, socket, "lost", flag)
    elif flag or not registry.when_registered(world, node, "join", socket, True):
        signaling.fail_join(world, node, socket)
        over(world, node, socket)


def on_enter(world, node, command, reply):
    socket, purpose, flag = command[1], command[-2], command[-1]
    if purpose == "bind":
        end_bind(world, node, socket, reply, flag)
        return
    current = command[2] == node.number or not world.protocol.join_keeps_its_token
    if reply != "lost" and not current and \
            registry.when_registered(world, node, "join", socket, True):
        return  # the entry of the index may have been cleaned up meanwhile
    if reply == "lost":
        registry.on_lost(world, node)
        signaling.fail_join(world, node, socket)
    else:
        signaling.joined(world, node, socket, reply[1])
    over(world, node, socket)


def end_bind(world, node, socket, reply, current):
    known = reply != "lost" and (reply[2] or not world.protocol.final_if_known)
    reconciler.bound(world, node, socket, reply if reply == "lost" else reply[1], current, known)
    if world.protocol.bind_takes_turns:
        over(world, node, socket)


def on_exit(world, node, command, reply):
    _, socket, _, purpose, current = command
    owner, cleans = node_of(socket), purpose == "clean"
    unlists = owner == node.name or cleans or not world.protocol.evictor_spares_index
    if reply == "lost":
        if not cleans:
            registry.on_lost(world, node)
    elif cleans:
        registry.send(node, "hdel", "left " + owner, socket, 0)
    elif unlists:
        registry.send(node, "unbind", socket)
    if cleans:
        registry.on_clean(world, node, command, reply)
        return
    registry.after_leave(world, node, socket, reply)
    if reply == "lost" or not unlists or not world.protocol.turn_ends_with_index:
        over(world, node, socket)


def on_unbind(world, node, command, reply):
    socket = command[1]
    registry.send(node, "hdel", "index " + node_of(socket), socket, node.number)


def on_hdel(world, node, command, reply):
    if command[1].startswith("index") and world.protocol.turn_ends_with_index:
        over(world, node, command[2])


def break_link(world, node):
    """The operations under way fail, and those that wait for their turn behind them."""
    waiting = {socket for _, socket, _ in node.waiting}
    for socket, operations in node.turns:
        if socket not in waiting:
            node.turns = tuple(turn for turn in node.turns if turn[0] != socket)
            if "join" in operations:
                world.doubted |= {socket}
                signaling.fail_join(world, node, socket)


SCRIPTS = {"raise_fence": raise_fence, "enlist": enlist, "enter": enter, "exit": exit,
           "unbind": unbind, "hdel": hdel, "set_aside": set_aside}
HANDLERS = {"raise_fence": on_raise_fence, "enlist": on_enlist, "enter": on_enter,
            "exit": on_exit, "unbind": on_unbind, "hdel": on_hdel}
