"""What a node does about its sockets and their rooms: joins (engine/signaling/joins.cpp), news of
other nodes (neighbours.cpp) and when it has to wait (held_news.cpp)."""

import reconciler
import registry
from world import NOTHING, node_of


def here(world, node, room):
    """Its own sockets in a room."""
    return sorted(s for s in node.bound if world.room(s) == room)


def tell_here(world, node, what, peer, but_for=None):
    for member in here(world, node, world.room(peer)):
        if member not in (peer, but_for):
            world.tell(member, what, peer)


# --- clients

def join(world, node, socket):
    world.clients[socket] = "here"
    node.joining |= {socket}
    expect(world, node, "join", socket)
    registry.operate(world, node, "join", socket)


def on_join(world, node, command, reply):
    socket, again = command[1], command[-1]
    if reply == "lost":
        registry.on_lost(world, node)
        if not again and registry.when_registered(world, node, "join", socket, True):
            return
        fail_join(world, node, socket)
    else:
        joined(world, node, socket, reply[1])


def joined(world, node, socket, members):
    node.joining -= {socket}
    if world.clients[socket] == "gone":
        registry.operate(world, node, "leave", socket)
    else:
        answered(world, node, members, "join", socket)
        node.doubtful -= {socket}
        node.bound |= {socket}
        tell_here(world, node, "ready", socket)
        there = {m for m in members if m in node.bound or node_of(m) != node.name} - {socket}
        world.met |= {(socket, peer) for peer in there}
        learn(world, node, world.room(socket), members, socket, world.protocol.join_answer_tells)
    arrived(world, node, "join", socket)


def fail_join(world, node, socket):
    """The client gets an error, and may try again."""
    node.joining -= {socket}
    if world.clients[socket] == "here":
        world.clients[socket] = "new"
        if world.protocol.doubtful_rejoin:
            node.doubtful |= {socket}
    world.unlink(socket)
    arrived(world, node, "join", socket)


def disconnect(world, node, socket):
    world.clients[socket] = "gone"
    world.forget_client(socket)
    node.doubtful -= {socket}
    if socket in node.joining:
        registry.operate(world, node, "leave", socket)
    elif socket in node.bound:
        unbind(world, node, socket)
        tell_here(world, node, "gone", socket)
        registry.operate(world, node, "leave", socket)


def unbind(world, node, socket):
    node.bound -= {socket}
    room = world.room(socket)
    if not here(world, node, room):
        node.elsewhere = frozenset(s for s in node.elsewhere if world.room(s) != room)
        node.ahead -= {room}


# --- who is elsewhere

def learn(world, node, room, members, but_for, tells):
    """Those whom this node has not heard of are news to its other sockets."""
    for peer in sorted(members):
        if node_of(peer) == node.name or peer in node.elsewhere or not here(world, node, room):
            continue
        node.elsewhere |= {peer}
        if tells:
            tell_here(world, node, "ready", peer, but_for)


def remove_elsewhere(world, node, peer):
    if peer in node.elsewhere or not world.protocol.known_elsewhere:
        node.elsewhere -= {peer}
        tell_here(world, node, "gone", peer)


def take(world, node, message):
    kind, socket, _ = message
    if node_of(socket) == node.name:
        if kind in ("evicted", "returned") and socket in node.bound:
            on_evicted(world, node, socket)
        return
    known = socket in node.elsewhere and world.protocol.known_elsewhere
    if world.room(socket) in node.ahead:
        kind = LATE.get(kind, kind)
    if kind == "returned":
        if known:
            tell_here(world, node, "gone", socket)
            tell_here(world, node, "ready", socket)
            doubt(world, node)
    elif kind in ("left", "evicted"):
        remove_elsewhere(world, node, socket)
    elif here(world, node, world.room(socket)):
        if kind in ("late joined", "late rejoined") and not known:
            doubt(world, node)
            return
        node.elsewhere |= {socket}
        if not known or "rejoined" in kind:
            tell_here(world, node, "ready", socket)


def doubt(world, node):
    if world.protocol.late_news_checks:
        reconciler.check(node)


def on_evicted(world, node, socket):
    """Another node has taken it out of its room over HTTP; it may join again."""
    unbind(world, node, socket)
    if world.protocol.evicted_leave:
        registry.operate(world, node, "leave", socket)
    tell_here(world, node, "gone", socket)
    world.forget_client(socket)
    world.clients[socket] = "new"


# --- news that has to wait

def expect(world, node, *question):
    node.questions += ((world.room(question[1]), question),)


LATE = {"joined": "late joined", "rejoined": "late rejoined", "left": "returned",
        "evicted": "returned"}


def answered(world, node, members, *question):
    """What was published before this answer is late; of who left only if the answer has it."""

    def read(message):
        kind, socket, answers = message
        if question not in answers:
            return message
        if "joined" in kind or socket in members:
            kind = LATE.get(kind, kind)
        return (kind, socket, tuple(each for each in answers if each != question))

    node.ahead -= {world.room(question[1])}
    node.inbox = tuple(map(read, node.inbox))
    node.held = tuple((room, asked, read(message)) for room, asked, message in node.held)


def arrived(world, node, *question):
    """Of a question's room, the news goes on that waited for it or for an earlier one."""
    asked = (world.room(question[1]), question)
    room = asked[0]
    before = node.questions[:node.questions.index(asked) + 1]
    node.questions = tuple(each for each in node.questions if each != asked)
    last = not any(each[0] == room for each in node.questions)
    due = [each for each in node.held if each[0] == room and (last or each[:2] in before)]
    node.held = tuple(each for each in node.held if each not in due)
    for _, _, message in due:
        take(world, node, message)


def on_message(world, node, message):
    room = world.room(message[1])
    asked = [question for question in node.questions if question[0] == room]
    if asked and world.protocol.hold_news:
        node.held += ((*asked[-1], message),)
    else:
        take(world, node, message)


HANDLERS = {"join": on_join}
