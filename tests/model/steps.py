"""Everything that can happen next in a world: steps that come by themselves (a command is
executed, a reply read, a message delivered, time passes), what clients do, and faults."""

import cluster
import faults
import reconciler
import registry
import scripts
import signaling
from world import node_of

HANDLERS = {**registry.HANDLERS, **reconciler.HANDLERS, **signaling.HANDLERS,
            **cluster.HANDLERS}


def actions(world):
    """Yields (text, "step", "client" or "fault", next world)."""
    for text, kind, change, *arguments in possible(world):
        following = world.clone()
        change(following, *arguments)
        yield text, kind, following


def possible(world):
    for name, node in world.nodes.items():
        if node.late:
            late = said(node.late[0])
            yield f"Redis executes late, of {name}: {late}", "step", execute_late, name
            yield f"what was on its way from {name} is lost", "step", drop_late, name
        if node.up:
            yield from own_steps(world, name, node)
            yield from faults.of_node(world, name, node)
    for name in world.nodes:
        yield from lease_ends(world, name)
    for socket, state in world.clients.items():
        yield from client_actions(world, socket, state)
    yield from faults.of_redis(world)


def own_steps(world, name, node):
    for at in in_order(world, name, node.commands):
        yield f"Redis executes, of {name}: {said(node.commands[at])}", "step", execute, name, at
    for at in in_order(world, name, [command for command, _ in node.replies]):
        command, reply = node.replies[at]
        yield f"{name} reads: {said(command)} -> {shown(reply)}", "step", read, name, at
    if node.inbox:
        yield f"{name} gets {said(node.inbox[0])}", "step", deliver, name
    if node.waiting and not (node.link and node.phase == "asking"):
        yield f"{name} has waited long enough to register", "step", stop_waiting, name
    if node.timer == "soon" and not (node.asking and node.phase == "registered"):
        yield f"{name} begins its check", "step", begin, name
    if node.timer == "settle" and (not world.protocol.grace or settled(world, name)):
        yield f"{name} begins its second pass", "step", begin, name
    if not node.subscribed:
        yield f"{name} subscribes again", "step", subscribe, name
    if not node.link:
        yield f"{name} reconnects", "step", reconnect, name
    elif node.phase == "out" and not being_cleaned(world, name):
        yield f"{name} registers", "step", register, name
    elif node.phase == "registered" and heartbeat_matters(world, name, node):
        yield f"{name} sends a heartbeat", "step", send_beat, name


def in_order(world, name, commands):
    """Those that can be next: in a cluster, of each slot the first."""
    return cluster.firsts(commands, world, name) if world.protocol.cluster else commands and [0]


def client_actions(world, socket, state):
    owner = world.owner(socket)
    if not owner.up:
        return
    if state == "new" and owner.link:
        yield f"{socket} joins", "client", join, socket
    if state == "here" and socket in world.scenario.leavers:
        yield f"{socket} disconnects", "client", disconnect, socket
    evictor = world.nodes.get(world.scenario.evictor)
    if world.fault_left("evict") and socket in owner.bound and evictor not in (None, owner):
        if evictor.up and evictor.link:
            yield f"{evictor.name} is asked to take {socket} out", "client", evict, socket


def being_cleaned(world, name):
    """Asking would not help, yet."""
    kind, _ = world.redis.get("node " + name, ("", 0))
    return kind == "cleaner" and (world.redis["lease " + name] or
                                  not world.protocol.clean_up_for_oneself)


def lease_ends(world, name):
    if not world.redis.get("lease " + name, False):
        return
    kind, holder = world.redis["node " + name]
    if kind == "token":
        if not world.nodes[name].up:
            yield f"the lease of {name} ends", "step", faults.end_lease, name
        elif world.fault_left("slow"):
            yield f"FAULT: {name} is slow, its lease ends", "fault", faults.be_slow, name
        return
    claimant = world.nodes[holder]
    if claimant.up and (name in dict(claimant.cleaning) or claimed_unread(claimant, name)):
        if world.fault_left("slow"):
            yield f"FAULT: {holder} cleans up slowly, its claim on {name} ends", "fault", \
                faults.be_slow, name
    else:
        yield f"the claim of {holder} on {name} ends", "step", faults.end_lease, name


def claimed_unread(claimant, dead):
    """It is about to begin, or to release the claim."""
    return ("release", dead) in claimant.commands or any(
        command[0] == "register" and reply[0] == "yours" or
        command[0] == "beat" and reply != "lost" and dead in dict(reply)
        for command, reply in claimant.replies)


def heartbeat_matters(world, name, node):
    """A heartbeat that would change nothing is left out."""
    under_way = node.commands + tuple(command for command, _ in node.replies)
    if any(command[0] == "beat" for command in under_way):
        return False
    if world.redis.get("node " + name) != ("token", node.number) or name in world.hung:
        return True
    if not world.redis["lease " + name]:
        return True
    if node.cleaning or not scripts.may_judge(world):
        return False
    return any(world.redis.get("lease " + other) is False for other in world.nodes)


def settled(world, name):
    """The pause between the passes is over: every other node that is not slow has had time to
    register and for its first pass, and what was published before it has arrived."""
    for other, node in world.nodes.items():
        if world.protocol.cluster and node.joining:
            return False  # its commands do not overtake the bind's there
        if other == name or not node.up or other in world.slow:
            continue
        if world.redis.get("node " + other) != ("token", node.number):
            return False
        if node.phase != "registered" or node.check_pass == "first":
            return False
    return world.nodes[name].overdue == 0


# --- steps

def execute(world, name, at):
    node = world.nodes[name]
    command = node.commands[at]
    node.commands = node.commands[:at] + node.commands[at + 1:]
    reply = scripts.run(world, name, command)
    if command[0] != "release" and not (command[0] == "hdel" and (
            command[1].startswith("left") or not world.protocol.turn_ends_with_index)):
        node.replies += ((command, reply),)


def execute_late(world, name):
    node = world.nodes[name]
    command, node.late = node.late[0], node.late[1:]
    scripts.run(world, name, command)


def drop_late(world, name):
    world.nodes[name].late = ()


def read(world, name, at):
    node = world.nodes[name]
    command, reply = node.replies[at]
    node.replies = node.replies[:at] + node.replies[at + 1:]
    HANDLERS[command[0]](world, node, command, reply)


def deliver(world, name):
    node = world.nodes[name]
    message, node.inbox = node.inbox[0], node.inbox[1:]
    node.overdue = max(node.overdue - 1, 0)
    signaling.on_message(world, node, message)


def stop_waiting(world, name):
    node = world.nodes[name]
    if node.link:
        registry.answer_waiting(world, node)
        return
    waiting, node.waiting = node.waiting, ()
    for operation, socket, _ in waiting:
        if operation == "join":
            signaling.fail_join(world, node, socket)
        if world.protocol.cluster:
            cluster.over(world, node, socket)


def begin(world, name):
    reconciler.begin(world, world.nodes[name])


def register(world, name):
    registry.ask(world, world.nodes[name])


def reconnect(world, name):
    world.nodes[name].link = True
    registry.ask(world, world.nodes[name])


def subscribe(world, name):
    world.nodes[name].subscribed = True
    reconciler.missed(world, world.nodes[name])


def send_beat(world, name):
    node = world.nodes[name]
    registry.send(node, "beat", node.number)


# --- clients

def join(world, socket):
    signaling.join(world, world.owner(socket), socket)


def disconnect(world, socket):
    signaling.disconnect(world, world.owner(socket), socket)


def evict(world, socket):
    world.spend("evict")
    world.doubted |= {socket}
    registry.operate(world, world.nodes[world.scenario.evictor], "leave", socket)


# --- how a trace reads

def said(command):
    return command[0] + "(" + ", ".join(shown(argument) for argument in command[1:]) + ")"


def shown(value):
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(shown(item) for item in value)) + "}"
    if isinstance(value, tuple):
        return said(value) if value and isinstance(value[0], str) else str(value)
    return str(value)
