"""The state that is explored: Redis, the nodes with what is on the way to and from them, and what
the clients have been told. A socket's first letter names its node: socket "b2" is node B's."""

NOTHING = frozenset()


class Node:
    """One engine, its connection for commands and its subscription."""

    __slots__ = (
        "name",
        "up",  # False: killed
        # The registry.
        "phase",  # "out", "asking" or "registered"
        "number",  # of its last registration; stands for the token
        "answered",  # the number of the last registration that was answered
        "waiting",  # operations that wait for a registration, in order
        # The connection for commands.
        "link",
        "commands",  # sent, not executed yet; in order
        "replies",  # (command, reply) executed, not read yet; in order
        "late",  # commands of an older connection that Redis may still execute
        # Sockets.
        "bound",  # its sockets that are in their room, as it knows
        "joining",  # its sockets whose join is under way
        "doubtful",  # those whose last join had no answer
        "elsewhere",  # sockets of other nodes in rooms that it has sockets in
        "ahead",  # rooms with an answer of before Redis's clock was put back, and none since
        # The bus.
        "subscribed",
        "inbox",  # published to it, not delivered yet; in order
        "turns",  # cluster: (socket, its operations); the first of them is under way
        "questions",  # (room, what was asked), about members, under way; in order
        "held",  # (room, the question that it waits for, message); in order
        # The reconciler.
        "check_pass",  # "", "first" or "second"
        "timer",  # to the next pass or attempt: "", "soon" or "settle"
        "asking",  # a bind is under way, perhaps of an earlier check
        "todo",  # sockets still to be bound in this pass
        "overdue",  # messages of the inbox that are older than the pause between the passes
        # The cleaner.
        "cleaning",  # nodes; the first is being cleaned up after
        "cleans",  # (answers due, lost) of the page
    )

    def __init__(self, name):
        self.name = name
        self.up = self.link = self.subscribed = True
        self.phase = "out"
        self.number = self.answered = 0
        self.commands = self.replies = self.late = self.inbox = self.waiting = ()
        self.bound = self.joining = self.elsewhere = self.doubtful = self.ahead = NOTHING
        self.turns = self.questions = self.held = self.todo = self.cleaning = ()
        self.check_pass = self.timer = ""
        self.asking = False
        self.overdue = 0
        self.cleans = (0, False)

    def key(self):
        return tuple([getattr(self, slot) for slot in Node.__slots__])

    def clone(self):
        other = Node.__new__(Node)
        for slot in Node.__slots__:
            setattr(other, slot, getattr(self, slot))
        return other


class World:
    __slots__ = ("protocol", "scenario", "redis", "nodes", "clients", "views", "met", "linked",
                 "declared", "slow", "hung", "doubted", "faults", "errors")

    def __init__(self, protocol, scenario):
        self.protocol = protocol
        self.scenario = scenario
        self.redis = {}  # key -> value, as in Redis; sets are absent when empty
        self.nodes = {name: Node(name) for name in scenario.nodes}
        self.clients = {socket: "new" for socket in scenario.sockets}  # new, here, gone
        self.views = {}  # (member, peer) -> what member was told last: "ready" or "gone"
        self.met = NOTHING  # (member, peer): peer was there before member, or it was told of peer
        self.linked = NOTHING  # pairs of which one was told "ready", and since then none "gone"
        self.declared = NOTHING  # nodes that were ever declared dead
        self.slow = NOTHING  # nodes whose lease ended though they live
        self.hung = NOTHING  # nodes that could not renew since Redis hung
        self.doubted = NOTHING  # sockets that Redis may have or not: cut off, or taken out
        self.faults = scenario.faults  # (name, how many are left)
        self.errors = ()

    def key(self):
        return (frozenset(self.redis.items()), tuple([n.key() for n in self.nodes.values()]),
                tuple(self.clients.values()), frozenset(self.views.items()), self.met, self.linked,
                self.declared, self.slow, self.hung, self.doubted, self.faults, self.errors)

    def clone(self):
        other = World.__new__(World)
        for slot in World.__slots__:
            setattr(other, slot, getattr(self, slot))
        other.redis = self.redis.copy()
        other.nodes = {name: node.clone() for name, node in self.nodes.items()}
        other.clients = self.clients.copy()
        other.views = self.views.copy()
        return other

    def room(self, socket):
        return self.scenario.sockets[socket]

    def owner(self, socket):
        return self.nodes[node_of(socket)]

    def fail(self, text):
        self.errors += (text,)

    # Sets in Redis.
    def members(self, key):
        return self.redis.get(key, NOTHING)

    def store(self, key, members):
        if members:
            self.redis[key] = members
        else:
            self.redis.pop(key, None)

    def add(self, key, member):
        self.redis[key] = self.members(key) | {member}

    def remove(self, key, member):
        """True when it was there."""
        members = self.members(key)
        self.store(key, members - {member})
        return member in members

    # What clients are told.
    def tell(self, member, news, peer):
        pair = frozenset((member, peer))
        owner = self.owner(peer)
        if news == "ready":
            self.met |= {(member, peer)}
            if peer in owner.bound | owner.joining:  # what member now sends to it arrives
                self.linked |= {pair}
        else:
            excused = owner.name in self.declared | self.slow or peer in self.doubted
            if owner.up and peer in owner.bound and not excused:
                self.fail(f"I3: {member} is told that {peer} has gone, which has not")
            if self.views.get((member, peer)) == "gone":
                self.fail(f"I2: {member} is told twice that {peer} has gone")
            self.linked -= {pair}
        self.views[member, peer] = news

    def unlink(self, socket):
        self.linked = frozenset(pair for pair in self.linked if socket not in pair)

    def forget_client(self, member):
        """It is in no room any more; what it was told there does not matter."""
        self.views = {pair: news for pair, news in self.views.items() if pair[0] != member}
        self.met = frozenset(pair for pair in self.met if pair[0] != member)

    def fault_left(self, name):
        return dict(self.faults).get(name, 0) > 0

    def spend(self, name):
        self.faults = tuple((fault, left - (fault == name)) for fault, left in self.faults)


def node_of(socket):
    return socket[0].upper()
