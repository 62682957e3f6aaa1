"""The faults that need no tool from outside, as a command that writes a report: `python own.py NAME --report FILE`.

`schemathesis` asks every operation of the API as each role, `hostile` sends words of the corpus to every route, form
and import: an eighth of it per part. `online` lets eight at once have the last unit, coupon, place, collection and
refund.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = 8
_PROMISES = "test_what_the_document_promises_is_kept_for_everybody_at_large"
TESTS = {
    "schemathesis": [f"tests/store_app/api/test_document.py::{_PROMISES}"],
    "hostile": ["tests/store_app/api/test_hostile.py", "tests/journeys/test_bad_input.py"],
}
CUTS_ITSELF = frozenset({"schemathesis"})
"""Whose tests ask an eighth of their questions by themselves."""


class Counting:
    """What pytest found in some of the tests, in the words of the other tools."""

    def __init__(self, some: slice) -> None:
        self.some = some
        self.passed = 0
        self.broken: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave those of this part."""
        items[:] = items[self.some]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test's call, or that it could not be set up."""
        if report.failed:
            self.broken.append(f"{report.nodeid}: {report.longreprtext[-2000:]}")
        elif report.when == "call" and report.passed:
            self.passed += 1


def ask(name: str, part: int) -> dict[str, Any]:
    """Run the tests of one kind, those for many hours too."""
    os.environ["FAULT_PART"] = f"{part % PARTS}/{PARTS}"
    os.chdir(ROOT)
    found = Counting(slice(None) if name in CUTS_ITSELF else slice(part % PARTS, None, PARTS))
    pytest.main(["-q", "-p", "no:cacheprovider", "-m", "faults or not faults", *TESTS[name]], plugins=[found])
    return {"acked": found.passed, "broken": found.broken}


def online(rounds: int) -> dict[str, Any]:
    """Run the races of the online store."""
    from tests.benchmarks import shop

    with tempfile.TemporaryDirectory(prefix="cs-races-") as folder:
        found = shop.race_all(Path(folder), rounds)
    wrong = sum(one["not_one_winner"] for one in found.values())
    won = {"1": rounds * len(found) - wrong, "0": wrong}
    return {"rounds_by_number_of_winners": {winners: count for winners, count in won.items() if count}, "expect": 1}


def main() -> int:
    """Run one and write what it found; 0 where nothing is broken, 2 where nothing was tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[*TESTS, "online"])
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=200)
    asked = parser.parse_args()
    found = online(asked.rounds) if asked.name == "online" else ask(asked.name, asked.part)
    asked.report.write_text(json.dumps(found), "utf-8")
    for fault in found.get("broken", []):
        print(fault, file=sys.stderr)
    if asked.name != "online" and not found["acked"] and not found["broken"]:
        return 2
    return int(bool(found.get("broken")) or bool(found.get("rounds_by_number_of_winners", {}).get("0")))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
