"""What Redis does: each function is one script, atomic. `sender` names the node that sent it.

Keys, named for reading: "node X" the registration, ("token", number) or ("cleaner", node);
"lease X" whether it is valid; "index X", "left X", "room r", and "sockets", which stands for all
socket keys."""

import cluster
from world import node_of


def holds_token(world, name, number):
    return not world.protocol.fence or world.redis.get("node " + name) == ("token", number)


def holds_claim(world, name, dead):
    return not world.protocol.claim_fence or world.redis.get("node " + dead) == ("cleaner", name)


def publish(world, kind, socket, members, uninformed):
    """In the same step: carried out means told. Who does not listen just now misses it."""
    for name in sorted({node_of(member) for member in members} - {uninformed}):
        node = world.nodes[name]
        if node.up and node.subscribed:
            node.inbox += ((kind, socket, ()),)


def mark_older(world, name, question):
    """In place of stamps: what has been published of the room is older than this answer, and late
    once that has been read."""
    if world.protocol.stamps:
        node, room = world.nodes[name], world.room(question[1])
        node.inbox = tuple((*m[:2], (*m[2], question)) if world.room(m[1]) == room else m
                           for m in node.inbox)
        node.held = tuple((*h[:2], (*h[2][:2], (*h[2][2], question))) if h[0] == room else h
                          for h in node.held)


# --- nodes

def register(world, sender, number):
    redis = world.redis
    kind, value = redis.get("node " + sender, ("", 0))
    if kind == "cleaner":
        if redis["lease " + sender] or not world.protocol.clean_up_for_oneself:
            return "cleaning"
        redis["node " + sender] = ("cleaner", sender)
        redis["lease " + sender] = True
        return ("yours", redis["over " + sender])
    if kind == "token" and value > number:
        return "old"
    redis["node " + sender] = ("token", number)
    redis["lease " + sender] = True
    world.hung -= {sender}
    return "registered"


def may_judge(world):
    """Nodes whose heartbeats were executed for a node.ttl judge; by then every node that can has
    renewed."""
    return not world.protocol.judge_rule or not any(world.nodes[name].up for name in world.hung)


def beat(world, sender, number):
    """"lost", or the nodes that are claimed."""
    redis = world.redis
    if redis.get("node " + sender) != ("token", number):
        return "lost"
    redis["lease " + sender] = True
    world.hung -= {sender}
    if not may_judge(world):
        return ()
    expired = tuple(n for n in world.nodes if redis.get("lease " + n, True) is False)
    for dead in expired:
        if dead in world.hung and world.nodes[dead].up:
            world.fail(f"I3: {dead} is declared dead before it had time to renew")
        kind, number = redis["node " + dead]
        if kind == "token":
            redis["over " + dead] = number
        redis["node " + dead] = ("cleaner", sender)
        redis["lease " + dead] = True
        world.declared |= {dead}
    return tuple((dead, redis["over " + dead]) for dead in expired)


# --- rooms

def join(world, sender, socket, number, doubtful, again):
    """"lost" or ("joined", members)."""
    if not holds_token(world, sender, number):
        return "lost"
    rejoined = doubtful or socket in world.members("sockets")
    members = enter(world, sender, socket)
    publish(world, "rejoined" if rejoined else "joined", socket, members, sender)
    mark_older(world, sender, ("join", socket))
    return ("joined", members)


def enter(world, sender, socket):
    room = "room " + world.room(socket)
    for key in (room, "sockets", "index " + sender):
        world.add(key, socket)
    return world.members(room)


def bind(world, sender, socket, number, run):
    """"lost" or the members. A page has one socket here."""
    if not holds_token(world, sender, number):
        return "lost"
    known = socket in world.members("room " + world.room(socket))
    members = enter(world, sender, socket)
    if not known and world.protocol.bind_tells:
        publish(world, "joined", socket, members, sender)
    mark_older(world, sender, ("bind", socket))
    return members


def leave(world, sender, socket, number, again):
    """"lost", "left" or "stranger". Of another node's socket: it is evicted."""
    if not holds_token(world, sender, number):
        return "lost"
    owner = node_of(socket)
    if owner == sender:
        return exit_room(world, socket, "index " + owner, "left", sender)
    uninformed = None if world.protocol.evictor_hears_of_it else sender
    return exit_room(world, socket, "index " + owner, "evicted", uninformed)


def exit_room(world, socket, index, kind, uninformed):
    room = "room " + world.room(socket)
    members = world.members(room)
    removed = world.remove(room, socket)
    world.remove(index, socket)
    if not removed:
        return "stranger"
    world.remove("sockets", socket)
    publish(world, kind, socket, members, uninformed)
    return "left"


def index(world, sender, run):
    return world.members("index " + sender)


# --- clean-up

def set_aside(world, sender, dead, number, run):
    """"refused", or how many sockets are left to do."""
    if not holds_claim(world, sender, dead):
        return "refused"
    if not world.members("left " + dead):
        world.store("left " + dead, world.members("index " + dead))
        world.redis.pop("index " + dead, None)
    return len(world.members("left " + dead))


def renew(world, sender, dead, then, run):
    """Whether the claim is ours."""
    if world.redis.get("node " + dead) != ("cleaner", sender):
        return False
    world.redis["lease " + dead] = True
    return True


def page(world, sender, dead, run):
    return world.members("left " + dead)


def clean(world, sender, socket, run):
    """As leave."""
    dead = node_of(socket)
    if not holds_claim(world, sender, dead):
        return "lost"
    return exit_room(world, socket, "left " + dead, "left", dead)


def release(world, sender, dead):
    if world.redis.get("node " + dead) == ("cleaner", sender):
        world.redis.pop("node " + dead)
        world.redis.pop("lease " + dead)
        world.redis.pop("over " + dead)


def run(world, sender, command):
    if world.protocol.cluster and command[0] in cluster.SCRIPTS:
        return cluster.SCRIPTS[command[0]](world, sender, *command[1:])
    return globals()[command[0]](world, sender, *command[1:])
