"""Nothing acknowledged is lost and nothing is doubled, however a store's node dies and however often Pay is pressed.

The shared fault tools drive `cornerstore serve --no-work` through `adapter.py`; each says PASS only when the run was
worth something (kills inside requests, sales acknowledged) and every invariant held after every start.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks._node import free_port

ADAPTER = Path(__file__).with_name("adapter.py")
pytestmark = [pytest.mark.faults, pytest.mark.slow]


def run(shared_folder: Path, tmp_path: Path, tool: str, *options: str, adapter: Path = ADAPTER) -> dict[str, Any]:
    """Run a fault tool against a fresh store node and return its report."""
    program, report, port = shared_folder / "tools" / "faults" / tool, tmp_path / "report.json", free_port()
    if not program.is_file():
        pytest.skip(f"the fault tool {tool} is not among the shared tools")
    command = [
        sys.executable, str(program), "--adapter", str(adapter), "--cmd", f"{sys.executable} {ADAPTER}",
        "--ready", f"http://127.0.0.1:{port}/health", "--report", str(report), *options,
    ]  # fmt: skip
    ended = subprocess.run(
        command, env=os.environ | {"FAULT_PORT": str(port)}, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return found


def test_a_node_killed_under_four_cashiers_loses_and_doubles_nothing(shared_folder: Path, tmp_path: Path):
    found = run(shared_folder, tmp_path, "crashloop.py", "--kills", "15", "--workers", "4", "--gap", "0.3", "1.2")
    assert (found["lost"], found["doubled"], found["broken_invariants"]) == (0, 0, 0)
    assert found["acked"] >= 2 * found["kills"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="cutting the power needs root and a loop mount")
def test_a_power_cut_loses_and_doubles_nothing(shared_folder: Path, tmp_path: Path):
    found = run(
        shared_folder,
        tmp_path,
        "crashloop.py",
        "--mode",
        "powercut",
        "--kills",
        "10",
        "--workers",
        "4",
        "--gap",
        "0.3",
        "1",
    )
    assert (found["lost"], found["doubled"], found["broken_invariants"]) == (0, 0, 0)


def test_a_kill_at_any_line_of_a_sale_leaves_all_of_it_or_nothing(shared_folder: Path, tmp_path: Path):
    lines = ("--files", "*/pos/sale/draft.py,*/pos/sold.py,*/config/nodes/outbox.py", "--stride", "30")
    found = run(shared_folder, tmp_path, "killsweep.py", *lines)
    assert found["broken"] == 0
    assert found["ran_to_completion"]


@pytest.mark.parametrize(
    ("case", "winners"),
    [("pay", 1), ("refund", 1), ("again", 1), ("voucher", 1), ("tab", 1), ("coupon", 1), ("unit", 8), ("last", 1),
     ("close", 1), ("closing", 1), ("resume", 1), ("given_up", 1)],
)  # fmt: skip
def test_of_eight_at_one_instant_as_many_win_as_there_is_for(
    shared_folder: Path, tmp_path: Path, case: str, winners: int
):
    asked = ("--case", case, "--rounds", "50", "--parallel", "8", "--expect", str(winners))
    found = run(shared_folder, tmp_path, "race.py", *asked, adapter=ADAPTER.with_name("races.py"))
    assert found["rounds_by_number_of_winners"] == {str(winners): 50}
