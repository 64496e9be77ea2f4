"""What can go wrong. A scenario says how often at most."""

import cluster
import registry
import signaling
from world import NOTHING, Node, node_of


def of_node(world, name, node):
    if world.fault_left("kill") and name in world.scenario.killable:
        yield f"FAULT: {name} is killed", "fault", kill, name
    if world.fault_left("cut") and node.link:
        yield f"FAULT: {name} loses its connection", "fault", cut, name
    if world.fault_left("unsubscribe") and node.subscribed:
        yield f"FAULT: {name} loses its subscription", "fault", unsubscribe, name


def of_redis(world):
    if world.fault_left("flush"):
        yield "FAULT: Redis is emptied", "fault", flush
    if world.fault_left("restart"):
        yield "FAULT: Redis is started anew, empty", "fault", restart
    if world.fault_left("clock") and not any(map(lags, world.nodes.values())):
        yield "FAULT: Redis's clock is put back", "fault", put_clock_back
    if world.fault_left("hang"):
        yield "FAULT: Redis hangs until every lease has ended", "fault", hang


def end_lease(world, name):
    world.redis["lease " + name] = False


def be_slow(world, name):
    world.spend("slow")
    if world.redis["node " + name][0] == "token":
        world.slow |= {name}
    end_lease(world, name)


def kill(world, name):
    world.spend("kill")
    node = world.nodes[name]
    for socket in world.clients:
        if node_of(socket) == name:
            world.clients[socket] = "gone"
            world.forget_client(socket)
    dead = Node(name)
    dead.up = dead.link = dead.subscribed = False
    dead.late = node.late + node.commands if world.scenario.late else ()
    world.nodes[name] = dead


def cut(world, name):
    world.spend("cut")
    break_link(world, name)


def break_link(world, name):
    node = world.nodes[name]
    if world.scenario.late:
        node.late += node.commands
    failed = [command for command, _ in node.replies] + list(node.commands)
    node.commands = node.replies = ()
    node.link = False
    for command in failed:
        if command[0] == "join":
            world.doubted |= {command[1]}
            signaling.fail_join(world, node, command[1])
    cluster.break_link(world, node)
    if node.asking:
        node.asking = False
        asked = next(question for _, question in node.questions if question[0] == "bind")
        signaling.arrived(world, node, *asked)
    node.phase = "out"
    node.timer, node.todo, node.overdue = "", (), 0  # registering begins a new check
    registry.give_up(node)


def unsubscribe(world, name):
    world.spend("unsubscribe")
    lose_subscription(world.nodes[name])


def lose_subscription(node):
    node.subscribed = False
    node.inbox = ()
    node.overdue = 0


def flush(world):
    world.spend("flush")
    world.redis.clear()


def restart(world):
    world.spend("restart")
    world.redis.clear()
    for name, node in world.nodes.items():
        if node.up and node.link:
            break_link(world, name)
        node.late = ()
        lose_subscription(node)


def lags(node):
    """A stamp that is on its way when the clock is put back would seem to be new."""
    return node.inbox or node.replies or node.held


def put_clock_back(world):
    world.spend("clock")
    for node in world.nodes.values():
        node.ahead = frozenset(world.room(socket) for socket in node.bound)


def hang(world):
    world.spend("hang")
    for name, node in world.nodes.items():
        if "lease " + name in world.redis:
            end_lease(world, name)
        if node.up and node.link:
            break_link(world, name)
    world.hung = frozenset(name for name, node in world.nodes.items() if node.up) or NOTHING
