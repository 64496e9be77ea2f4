"""The protocol holds in every small scenario; a rule that is left out is caught by an invariant.

A test that fails prints the shortest way to the failure. `node_death.py` does the same by hand."""

import dataclasses
import gc

import pytest

from explore import explore
from protocol import ENGINE
from scenarios import SCENARIOS
from steps import actions

gc.disable()  # there is nothing to collect, and looking for it takes a third of the time

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def run(name, limit=100_000, **rules):
    scenario = BY_NAME[name]
    result = explore(scenario.start(dataclasses.replace(ENGINE, **rules)), actions, limit)
    print(f"{name}: {result.states} states, {result.quiescent} at rest")
    result.trace.insert(0, f"{result.error} ({name}, {result.states} states)")
    return result


def holds(result):
    assert result.complete and not result.error, "\n".join(result.trace)
    assert result.quiescent > 0


def fails(result, error):
    assert result.error.startswith(error), "\n".join(result.trace)


# What is known not to be right: the scenario, and what is wrong.
WEAKNESSES = [
    ("Redis is started anew while one joins", "I3: a1 and b1 do not hear"),
]
UNSOUND = {name for name, *_ in WEAKNESSES}
SOUND = [s.name for s in SCENARIOS if not s.deep and s.name not in UNSOUND]
# In a cluster these are too large for every run.
CLUSTER_LARGE = {"a node is slow while one joins", "slow twice, nobody to tell",
                 "Redis is started anew"}
CLUSTER_SOUND = [name for name in SOUND if name not in CLUSTER_LARGE]


@pytest.mark.parametrize("scenario", SOUND)
def test_the_protocol_holds(scenario):
    holds(run(scenario))


@pytest.mark.parametrize("scenario", CLUSTER_SOUND)
def test_the_protocol_holds_in_a_cluster(scenario):
    holds(run(scenario, cluster=True))


@pytest.mark.parametrize("scenario, error", WEAKNESSES)
def test_a_known_weakness(scenario, error):
    fails(run(scenario), error)


def test_a_join_in_a_cluster_that_names_a_registration_too_early():
    """The clean-up is refused then, and the node registers and registers, without end."""
    scenario = "slow twice, nobody to tell"
    assert not run(scenario, limit=20_000, cluster=True, join_keeps_its_token=False).complete
    holds(run(scenario, cluster=True))


# A rule that is left out, a scenario that shows why it is there, and what breaks.
MUTATIONS = [
    ("fence", "a node dies, its last words come late", "I1: room r"),
    ("token_per_registration", "a connection breaks, late commands", "I1: room r"),
    ("claim_fence", "slow twice, nobody to tell", "I1: index A"),
    ("clean_up_for_oneself", "the only cleaner dies", "I1: room r"),
    ("judge_rule", "Redis hangs", "I3: B is declared dead before"),
    ("hold_news", "two join", "I3: a1 and b1 do not hear of each other"),
    ("known_elsewhere", "a subscription breaks", "I2: b1 is told twice"),
    ("stamps", "one leaves, one joins", "I2: b2 was not told that a1 has gone"),
    ("late_news_checks", "Redis's clock is put back", "I3: a1 and b1 do not hear"),
    ("join_answer_tells", "two of one node join a third", "I3: a1 and b1 do not hear"),
    ("bind_tells", "the only cleaner dies", "I3: a1 and b1 do not hear"),
    ("check_after_a_gap", "a subscription breaks", "I3: a1 and b1 do not hear"),
    ("check_takes_out", "a connection breaks", "I1: room r"),
    ("spare_joins", "a connection breaks", "I1: room r"),
    ("check_tells", "a subscription breaks", "I3: a1 and b1 do not hear"),
    ("second_pass", "Redis is emptied, a node dies", "I2: b1 was not told"),
    ("grace", "Redis is emptied", "I3: a1 is told that b1 has gone"),
    ("evictor_hears_of_it", "taken out by another node", "I3: a1 and b1 do not hear"),
    ("evicted_leave", "taken out by another node, a subscription breaks", "I1: room r"),
    ("doubtful_rejoin", "a join is cut off, Redis is emptied", "I3: a1 and b1 do not hear"),
]

CLUSTER_MUTATIONS = [
    ("room_fence", "a node dies, its last words come late", "I1: room r"),
    ("claim_names_token", "slow twice, nobody to tell", "I1"),
    ("turn_ends_with_index", "taken out by another node", "I1: index A"),
    ("bind_takes_turns", "a subscription and a connection break", "I1: room r"),
    ("leave_is_recorded", "a connection breaks, late commands", "I1: room r"),
    ("evictor_spares_index", "taken out by another node", "I1: index A"),
    ("unlist_fence", "two breaks, nobody to tell", "I1: index A"),
    ("final_if_known", "a subscription breaks, Redis is emptied", "I3: a1 is told that b1"),
]


@pytest.mark.parametrize("rule, scenario, error", MUTATIONS)
def test_a_rule_left_out_is_caught(rule, scenario, error):
    fails(run(scenario, **{rule: False}), error)


@pytest.mark.parametrize("rule, scenario, error", CLUSTER_MUTATIONS)
def test_a_rule_left_out_is_caught_in_a_cluster(rule, scenario, error):
    fails(run(scenario, cluster=True, **{rule: False}), error)


def test_each_rule_has_a_mutation():
    rules = {field.name for field in dataclasses.fields(ENGINE) if field.default}
    assert rules == {rule for rule, *_ in MUTATIONS + CLUSTER_MUTATIONS} | {"join_keeps_its_token"}
