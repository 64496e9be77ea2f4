"""The bounded worlds that are explored."""

from dataclasses import dataclass

import steps
from world import World


@dataclass(frozen=True)
class Scenario:
    name: str
    nodes: str  # one letter each
    sockets: dict  # socket -> room
    here: tuple = ()  # sockets that have joined before it begins; the others may join any time
    leavers: tuple = ()  # sockets that may disconnect
    killable: str = ""
    evictor: str = ""  # a node that is asked, over HTTP, to take others' sockets out
    faults: tuple = ()  # (name, how often at most)
    late: bool = False  # what a lost connection had not delivered may be executed later
    deep: bool = False  # too large for every run

    def start(self, protocol):
        """The world after the first joins."""
        world = World(protocol, self)
        settle(world)
        for socket in self.here:
            steps.join(world, socket)
            settle(world)
        return world


def settle(world):
    """Takes one step after the other until nothing is under way."""
    while True:
        for _, kind, change, *arguments in steps.possible(world):
            if kind == "step":
                change(world, *arguments)
                break
        else:
            return


PAIR = {"a1": "r", "b1": "r"}
THREE = {"a1": "r", "b1": "r", "c1": "r"}
TWO_AND_ONE = {"a1": "r", "b1": "r", "b2": "r"}
BOTH = ("a1", "b1")


def faults(**counts):
    return tuple(counts.items())


SCENARIOS = [
    # No fault.
    Scenario("two join", "AB", PAIR, leavers=("a1",)),
    Scenario("two of one node join a third", "AB", TWO_AND_ONE, leavers=("a1",)),
    Scenario("one leaves, one joins", "AB", TWO_AND_ONE, here=("b1",), leavers=("a1", "b1")),
    Scenario("taken out by another node", "AB", PAIR, here=BOTH, evictor="B",
             faults=faults(evict=1)),
    # One fault.
    Scenario("a node alone is slow", "A", {"a1": "r"}, here=("a1",), leavers=("a1",),
             faults=faults(slow=1)),
    Scenario("a node dies", "AB", {"a1": "r", "a2": "r", "b1": "r"}, here=BOTH, killable="A",
             faults=faults(kill=1)),
    Scenario("a node dies, its last words come late", "AB", PAIR, here=("b1",), killable="A",
             faults=faults(kill=1), late=True),
    Scenario("a node dies, three nodes", "ABC", THREE, here=("a1", "b1", "c1"), killable="A",
             faults=faults(kill=1)),
    Scenario("a node is slow", "AB", PAIR, here=BOTH, leavers=("a1",), faults=faults(slow=1)),
    Scenario("a node is slow, others leave", "AB", PAIR, here=BOTH, leavers=("b1",),
             faults=faults(slow=1)),
    Scenario("a node is slow while one joins", "AB", PAIR, here=("b1",), leavers=("a1",),
             faults=faults(slow=1)),
    Scenario("Redis is emptied", "AB", PAIR, here=BOTH, leavers=("a1",), faults=faults(flush=1)),
    Scenario("Redis is emptied while one joins", "AB", PAIR, here=("a1",), faults=faults(flush=1)),
    Scenario("Redis is started anew", "AB", PAIR, here=BOTH, leavers=("a1",),
             faults=faults(restart=1)),
    Scenario("Redis is started anew while one joins", "AB", PAIR, here=("a1",),
             faults=faults(restart=1)),
    Scenario("Redis's clock is put back", "AB", PAIR, here=("b1",), leavers=BOTH,
             faults=faults(clock=1)),
    Scenario("Redis hangs", "AB", PAIR, here=BOTH, faults=faults(hang=1), late=True),
    Scenario("a connection breaks", "AB", PAIR, here=("b1",), leavers=("a1",),
             faults=faults(cut=1)),
    Scenario("a connection breaks, late commands", "AB", PAIR, here=("b1",), leavers=("a1",),
             faults=faults(cut=1), late=True),
    Scenario("a subscription breaks", "AB", PAIR, here=("b1",), leavers=("a1",),
             faults=faults(unsubscribe=1)),
    Scenario("a subscription breaks, two of one node", "AB", TWO_AND_ONE, here=("b1",),
             leavers=("a1",), faults=faults(unsubscribe=1), deep=True),
    Scenario("taken out by another node, a subscription breaks", "AB", PAIR, here=BOTH,
             evictor="B", faults=faults(evict=1, unsubscribe=1)),
    # Two faults.
    Scenario("Redis is emptied, a node dies", "AB", PAIR, here=BOTH, killable="A",
             faults=faults(flush=1, kill=1)),
    Scenario("the only cleaner dies", "AB", PAIR, here=BOTH, killable="B",
             faults=faults(slow=1, kill=1)),
    Scenario("two nodes die", "ABC", THREE, here=("a1", "b1", "c1"), killable="AB",
             faults=faults(kill=2)),
    Scenario("slow twice, nobody to tell", "AB", {"a1": "r"}, here=("a1",),
             faults=faults(slow=2)),
    Scenario("two breaks, nobody to tell", "A", {"a1": "r"}, faults=faults(cut=2), late=True),
    Scenario("a subscription and a connection break", "A", {"a1": "r"}, here=("a1",),
             leavers=("a1",), faults=faults(cut=1, unsubscribe=1)),
    # The same, too large for every run.
    Scenario("a subscription breaks, Redis is emptied", "AB", PAIR, here=BOTH,
             faults=faults(unsubscribe=1, flush=1), deep=True),
    Scenario("a join is cut off, Redis is emptied", "AB", PAIR, here=("a1",),
             faults=faults(cut=1, flush=1), deep=True),
    Scenario("a node is slow, two rooms", "AB", {"a1": "r", "a2": "s", "b1": "r", "b2": "s"},
             here=("a1", "a2", "b1", "b2"), faults=faults(slow=1), deep=True),
    Scenario("two cleaners", "ABC", PAIR, here=BOTH, faults=faults(slow=2), deep=True),
    Scenario("a slow cleaner of a dead node", "ABC", PAIR, here=BOTH, killable="A",
             faults=faults(kill=1, slow=1), deep=True),
    Scenario("a cleaner dies", "ABC", PAIR, here=BOTH, killable="BC",
             faults=faults(slow=1, kill=1), deep=True),
    Scenario("slow twice", "AB", PAIR, here=BOTH, faults=faults(slow=2), deep=True),
    Scenario("slow twice, leaves", "AB", PAIR, here=BOTH, leavers=BOTH, faults=faults(slow=2),
             deep=True),
    Scenario("slow and a break", "AB", PAIR, here=BOTH, leavers=("a1",),
             faults=faults(slow=1, cut=1), late=True, deep=True),
    Scenario("slow and emptied", "AB", PAIR, here=BOTH, leavers=("a1",),
             faults=faults(slow=1, flush=1), deep=True),
    Scenario("slow and a subscription", "AB", PAIR, here=BOTH, leavers=("a1",),
             faults=faults(slow=1, unsubscribe=1), deep=True),
    Scenario("slow and taken out", "AB", PAIR, here=BOTH, evictor="B",
             faults=faults(slow=1, evict=1), deep=True),
    Scenario("emptied and a subscription", "AB", PAIR, here=("b1",), leavers=("a1",),
             faults=faults(flush=1, unsubscribe=1), deep=True),
    Scenario("break and emptied", "AB", PAIR, here=BOTH, leavers=("a1",),
             faults=faults(flush=1, cut=1), late=True, deep=True),
    Scenario("break and emptied while one joins", "AB", PAIR, here=("b1",), leavers=("a1",),
             faults=faults(flush=1, cut=1), late=True, deep=True),
    Scenario("break and a kill", "AB", PAIR, here=("b1",), killable="A",
             faults=faults(kill=1, cut=1), late=True, deep=True),
    Scenario("two breaks", "AB", PAIR, here=("b1",), leavers=("a1",),
             faults=faults(cut=2), late=True, deep=True),
]
