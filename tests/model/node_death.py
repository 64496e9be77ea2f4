#!/usr/bin/python3
"""Explores the protocol between nodes and checks its invariants; see README.md.

    node_death.py [--deep] [--cluster] [--without RULE]... [SCENARIO]...
"""

import argparse
import dataclasses
import gc
import sys

from explore import explore
from protocol import ENGINE
from scenarios import SCENARIOS
from steps import actions


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deep", action="store_true", help="the large scenarios, too")
    parser.add_argument("--cluster", action="store_true", help="Redis Cluster")
    parser.add_argument("--without", action="append", default=[], metavar="RULE")
    parser.add_argument("--limit", type=int, default=2_000_000, help="states at most")
    parser.add_argument("scenario", nargs="*", help="a part of the name; all when there is none")
    arguments = parser.parse_args()

    rules = {rule: False for rule in arguments.without}
    protocol = dataclasses.replace(ENGINE, cluster=arguments.cluster, **rules)
    gc.disable()  # nothing is thrown away, and looking for it takes a third of the time
    failed = 0
    for scenario in SCENARIOS:
        if arguments.scenario and not any(part in scenario.name for part in arguments.scenario):
            continue
        if scenario.deep and not arguments.deep:
            continue
        result = explore(scenario.start(protocol), actions, arguments.limit)
        verdict = result.error or ("holds" if result.complete else "holds as far as explored")
        print(f"{scenario.name}: {verdict}; {result.states} states, {result.transitions} "
              f"transitions, {result.quiescent} at rest, {result.seconds:.1f} s", flush=True)
        for number, text in enumerate(result.trace, 1):
            print(f"  {number:2}. {text}")
        failed += bool(result.error)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
