"""Explores every state that can be reached, breadth first: a counterexample is a shortest one."""

from collections import deque
from dataclasses import dataclass, field
import time

from invariants import quiescent_errors


@dataclass
class Result:
    states: int = 0
    transitions: int = 0
    quiescent: int = 0
    seconds: float = 0.0
    complete: bool = True
    error: str = ""
    trace: list = field(default_factory=list)


def explore(start, actions, limit=2_000_000):
    """`actions(world)` yields (text, kind, next world); kind is "step", "client" or "fault". Steps
    are what happens by itself; clients and faults may come or not. A state that no step changes is
    at rest: what must hold then is checked there."""
    result = Result()
    began = time.monotonic()
    first = start.key()
    numbers = {first: 0}
    parents = [(-1, "")]
    before = [[]]  # steps that lead to a state, for the check that rest is always reachable
    rest = []
    queue = deque([(0, start)])

    def finish(error="", at=0):
        result.states = len(parents)
        result.seconds = time.monotonic() - began
        result.error = error
        while error and at > 0:
            at, text = parents[at]
            result.trace.append(text)
        result.trace.reverse()
        return result

    while queue:
        number, world = queue.popleft()
        at_rest = True
        for text, kind, following in actions(world):
            key = following.key()
            target = numbers.get(key)
            if target == number:
                continue
            result.transitions += 1
            if kind == "step":
                at_rest = False
            if target is None:
                target = numbers[key] = len(parents)
                parents.append((number, text))
                before.append([])
                if following.errors:
                    return finish(following.errors[0], target)
                queue.append((target, following))
            if kind == "step":
                before[target].append(number)
        if at_rest:
            result.quiescent += 1
            errors = quiescent_errors(world)
            if errors:
                return finish(errors[0], number)
            rest.append(number)
        if len(parents) > limit:
            result.complete = False
            return finish()

    # Rest, which is good as we know now, must be reachable by steps alone from everywhere.
    reaches = bytearray(len(parents))
    todo = rest
    for number in todo:
        reaches[number] = 1
    while todo:
        number = todo.pop()
        for earlier in before[number]:
            if not reaches[earlier]:
                reaches[earlier] = 1
                todo.append(earlier)
    stuck = reaches.find(0)
    if stuck >= 0:
        return finish("liveness: from here there is no way to rest", stuck)
    return finish()
