"""What must hold when nothing is under way any more. What must hold always is checked where it
happens, in World.tell() and in the scripts."""

from world import NOTHING


def quiescent_errors(world):
    live = {}  # room -> sockets that are bound on a node that lives
    for node in world.nodes.values():
        for socket in node.bound:
            live[world.room(socket)] = live.get(world.room(socket), NOTHING) | {socket}
    everyone = frozenset().union(*live.values())
    return list(in_redis(world, live, everyone)) + list(told(world, everyone))


def in_redis(world, live, everyone):
    for room in set(world.scenario.sockets.values()):
        yield from differs(world, "room " + room, live.get(room, NOTHING))
    if not world.protocol.cluster:
        yield from differs(world, "sockets", everyone)
    for name, node in world.nodes.items():
        yield from differs(world, "index " + name, node.bound)
        yield from differs(world, "left " + name, NOTHING)
        if not node.up and "lease " + name in world.redis:
            yield f"I1: the dead node {name} is still listed"
        if node.up and node.phase != "registered":
            yield f"I4: node {name} is not registered"
        if node.joining or node.waiting or node.turns or node.questions or node.held:
            yield f"I4: something on node {name} was never answered"


def differs(world, key, expected):
    found = world.members(key)
    if found != expected:
        yield f"I1: {key} has {show(found)} in Redis, {show(expected)} live"


def told(world, everyone):
    for member in sorted(everyone):
        for peer in sorted(world.clients):
            if peer == member or world.room(peer) != world.room(member):
                continue
            if peer in everyone:
                if member < peer and frozenset((member, peer)) not in world.linked:
                    yield (f"I3: {member} and {peer} do not hear of each other" +
                           " (again)" * ((member, peer) in world.views or
                                         (peer, member) in world.views))
            elif (member, peer) in world.met and world.views.get((member, peer)) != "gone":
                yield f"I2: {member} was not told that {peer} has gone"


def show(sockets):
    return "{" + ", ".join(sorted(sockets)) + "}"
