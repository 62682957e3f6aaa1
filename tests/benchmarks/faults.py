"""Faults by the hundred, in slices that add up: kills, power cuts, bad lines, restores, clones, disks, clocks, races.

`python3 run bench faults --scenario NAME --resume` goes on where the last slice ended, for at most --minutes, and
writes the totals into one file (--results; `build/faults.json`). Without a scenario it says how far each has come.
The tools that do the killing are the shared ones (`../shared/tools/faults`); power cuts, full disks and clocks need
root or faketime, `_pg` a PostgreSQL beside the network. A `day` is counted in minutes. Totals keep the worst figure a
run measured, in seconds unless it says otherwise, what
was slow on a machine that had other work apart from what was broken, and why a run proved nothing.
"""

from __future__ import annotations

import argparse
import atexit
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks._node import free_port
from tests.faults.own import PARTS

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT.parent / "shared" / "tools" / "faults"
HERE = ROOT / "tests" / "faults"
RESULTS = ROOT / "build" / "faults.json"
SLICE_MINUTES = 30
MOST_INCONCLUSIVE = 3
"""Runs in a row that prove nothing, after which a scenario is left."""
Report = dict[str, Any]
Totals = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One kind of fault: its command for a run, what a run counts, and how much is wanted at level M and R."""

    name: str
    command: Callable[[int, Path], list[str]]
    count: Callable[[Report], Totals]
    level_m: int
    level_r: int


# --- the commands ---


@functools.cache
def _ready() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="cs-founded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["FAULT_FOUNDED"] = str(folder)
    return folder


@functools.cache
def founded(kind: str) -> Path:
    """Found a node once for all runs: a tool waits 30 s for a start, and founding under load takes longer."""
    folder = _ready() / kind
    subprocess.run([sys.executable, str(HERE / "founding.py"), kind, str(folder)], check=True, cwd=ROOT)
    return folder


@functools.cache
def founded_on_postgres() -> Path:
    """Found a network on a PostgreSQL of its own and stop that; returns the folder to copy."""
    folder = _ready() / "net_pg"
    folder.mkdir()
    subprocess.run(
        [str(TOOLS / "with_pg.sh"), str(free_port()), "--", sys.executable, str(HERE / "founding.py"), "postgres", "-"],
        check=True, cwd=ROOT, env={**os.environ, "FAULT_DATA_DIR": str(folder)}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    running = folder / "pg" / "data" / "postmaster.pid"
    os.kill(int(running.read_text().split()[0]), signal.SIGINT)  # it stays when the command beside it has ended
    while running.exists():
        time.sleep(0.05)
    return folder


def _beside_postgres(port: int) -> str:
    """Return what starts a command beside a PostgreSQL that has the founded network in it."""
    copied = (
        f'[ -e "$FAULT_DATA_DIR/pg" ] || {{ cp -a {founded_on_postgres()}/pg "$FAULT_DATA_DIR/"; '
        'sync -f "$FAULT_DATA_DIR"; }; chmod o+x "$(dirname "$FAULT_DATA_DIR")" "$FAULT_DATA_DIR"; '
    )
    return f"bash -c '{copied}exec \"$@\"' - {TOOLS / 'with_pg.sh'} {port} -- "


def _one(tool: str, adapter: str, *options: str) -> Callable[[int, Path], list[str]]:
    """Return the command of a tool that drives one store node."""

    def made(seed: int, report: Path) -> list[str]:
        founded("counter")
        port = free_port()
        os.environ["FAULT_PORT"] = str(port)
        seeded = ["--seed", str(seed)] if tool == "crashloop.py" else []
        return [
            sys.executable, str(TOOLS / tool), "--adapter", str(HERE / adapter), "--cmd",
            f"{sys.executable} {HERE / 'adapter.py'}", "--ready", f"http://127.0.0.1:{port}/health",
            "--report", str(report), *seeded, *options,
        ]  # fmt: skip

    return made


def _restarted(seed: int, report: Path) -> list[str]:
    """Return the command that restarts the store within each step of its clock, in one zone after the other."""
    return _one("clockjump.py", "adapter.py", "--tz", ZONES[(seed - 1) % len(ZONES)], "--restart")(seed, report)


def _net(*options: str) -> Callable[[int, Path], list[str]]:
    """Return the command that drives a network node and the PostgreSQL beside it, killed or cut off together."""

    def made(seed: int, report: Path) -> list[str]:
        port, books = free_port(), free_port()
        return [
            sys.executable, str(TOOLS / "crashloop.py"), "--adapter", str(HERE / "net.py"),
            "--cmd", f"{_beside_postgres(books)}{sys.executable} {HERE / 'net.py'} {port}",
            "--ready", f"http://127.0.0.1:{port}/health", "--report", str(report), "--seed", str(seed), *options,
        ]  # fmt: skip

    return made


def _pair(scenario: str, *options: str, postgres: bool = False, days: int = 0) -> Callable[[int, Path], list[str]]:
    """Return the command that drives a store and its network through the line that misbehaves, while days pass."""

    def made(seed: int, report: Path) -> list[str]:
        for kind in ("store",) if postgres else ("store", "net"):
            founded(kind)
        os.environ["FAULT_DAYS"] = str(days)
        store, net, clone, proxy, control, books = (free_port() for _ in range(6))
        serve = f"{sys.executable} {HERE / 'pair.py'}"
        beside = _beside_postgres(books) if postgres else ""
        return [
            sys.executable, str(TOOLS / "pair_scenarios.py"), "--adapter", str(HERE / "pair.py"),
            "--store-cmd", f"{serve} store {store}", "--store-ready", f"http://127.0.0.1:{store}/health",
            "--net-cmd", f"{beside}{serve} net {net}", "--net-ready", f"http://127.0.0.1:{net}/health",
            "--clone-cmd", f"{serve} store {clone}", "--clone-ready", f"http://127.0.0.1:{clone}/health",
            "--proxy-port", str(proxy), "--control-port", str(control), "--only", scenario, "--seed", str(seed),
            "--report", str(report), "--max-seconds", "1500", "--settle-seconds", "60", *options,
        ]  # fmt: skip

    return made


def _day(seed: int, report: Path) -> list[str]:
    """Return the command of ten minutes of a long day, on the books the last ones left."""
    folder = ROOT / "build" / "faults-day"
    if seed == 1:
        shutil.rmtree(folder, ignore_errors=True)
    for kind in ("store", "net"):
        founded(kind)
    return [sys.executable, str(HERE / "day.py"), "--folder", str(folder), "--report", str(report), "--seed", str(seed)]


def _own(name: str, *options: str) -> Callable[[int, Path], list[str]]:
    """Return the command of what needs no tool from outside."""

    def made(seed: int, report: Path) -> list[str]:
        return [sys.executable, str(HERE / "own.py"), name, "--report", str(report), "--part", str(seed - 1), *options]

    return made


def _full_disk(kind: str) -> Callable[[int, Path], list[str]]:
    """Return the command on a disk of 24 MB, or where no file may grow by more than 512 KB beyond the founded books."""

    def made(seed: int, report: Path) -> list[str]:
        largest = max(file.stat().st_size for file in founded("counter").iterdir())
        size = f"{largest // 1024 + 512}k" if kind == "rlimit" else "24"
        inner = _one("diskfull_check.py", "adapter.py")(seed, report)
        return [str(TOOLS / "diskfull.sh"), "run", kind, size, "--", *inner]

    return made


def _full_during(what: str, kind: str) -> Callable[[int, Path], list[str]]:
    """Return the command that fills the disk while a file is brought in, or the tables are brought up."""

    def made(_seed: int, report: Path) -> list[str]:
        founded("counter")
        command = [sys.executable, str(HERE / "full.py"), what, "--report", str(report)]
        return [str(TOOLS / "diskfull.sh"), "run", kind, "32", "--", *command]

    return made


# --- what a run counts ---

SPEEDS = "sell p50/p99/max"
COUNTED = ("tries", "acknowledged", "lost", "doubled", "broken")


def _crash(report: Report) -> Totals:
    return {
        "tries": report["kills"], "acknowledged": report["acked"], "lost": report["lost"],
        "doubled": report["doubled"], "broken": report["broken_invariants"],
        "worst": {"restart to ready": report["restart_to_ready_s"]["max"]},
    }  # fmt: skip


def _of_pair(report: Report) -> Totals:
    (one,) = report["scenarios"]
    facts, broken = one.get("facts", {}), one.get("broken", [])
    measured = {name: facts[name] for name in facts if name.startswith(("drain_s", "backlog gone"))}
    for name in facts:
        if name.startswith(SPEEDS):
            measured |= {name.replace("p50/p99/max", share): facts[name][i] for i, share in enumerate(("p50", "p99"))}
    if before := facts.get(f"{SPEEDS} s before"):
        measured["sell p99 cut off / before"] = round(facts[f"{SPEEDS} s cut off"][1] / before[1], 2)
    slow = [said for said in broken if said.startswith("selling p99")]
    rare = [said for said in broken if said.startswith("vacuous")]  # too few faults happened to prove anything
    return {
        "tries": 0 if rare else 1, "acknowledged": one.get("acked", 0), "lost": one.get("lost", 0),
        "doubled": one.get("doubled", 0) + one.get("doubled_at_store", 0), "slow": len(slow),
        "broken": len(broken) - len(slow) - len(rare), "worst": measured,
    }  # fmt: skip


def _of_races(report: Report) -> Totals:
    won = report["rounds_by_number_of_winners"]
    wrong = sum(count for winners, count in won.items() if winners != str(report.get("expect", 1)))
    return {
        "tries": sum(won.values()), "acknowledged": sum(int(winners) * count for winners, count in won.items()),
        "lost": 0, "doubled": wrong, "broken": len(report.get("broken", [])),
    }  # fmt: skip


def _of_one(report: Report) -> Totals:
    def number(name: str) -> int:
        found = report.get(name, 0)
        return found if isinstance(found, int) else len(found)

    return {
        "tries": 1, "acknowledged": number("acked"), "lost": number("lost"), "doubled": number("doubled"),
        "broken": number("broken"),
    }  # fmt: skip


def _of_day(report: Report) -> Totals:
    return _of_one(report) | {"tries": report["minutes"], "worst": report["worst"]}


RACES = {
    **dict.fromkeys(
        ("pay", "refund", "again", "voucher", "tab", "coupon", "last", "close", "closing", "resume", "given_up"), 1
    ),
    "unit": 16,
}
"""What is raced for -> how many of sixteen win: who holds the last `unit` in hand buys it, whatever the ledger says,
unless the store's tills stop at what the books have (`last`)."""
AT_ONCE = ("--rounds", "200", "--parallel", "16")
ZONES = ("Europe/Berlin", "Asia/Shanghai", "America/New_York")
CRASH = ("--kills", "25", "--workers", "4", "--gap", "0.3", "1.2", "--timeout", "70")
SCENARIOS = {
    one.name: one
    for one in (
        Scenario("kill", _one("crashloop.py", "adapter.py", *CRASH), _crash, 50, 1000),
        Scenario("powercut", _one("crashloop.py", "adapter.py", "--mode", "powercut", *CRASH), _crash, 50, 500),
        Scenario("kill_pg", _net("--disk-mb", "512", *CRASH), _crash, 10, 200),
        Scenario("powercut_pg", _net("--mode", "powercut", "--disk-mb", "512", *CRASH), _crash, 10, 100),
        Scenario("lossy", _pair("lossy", "--min-faults", "5"), _of_pair, 1, 20),
        Scenario("partition", _pair("partition", "--backlog", "5000", "--max-seconds", "3600", days=7), _of_pair, 1, 1),
        Scenario("partition_1000", _pair("partition", "--backlog", "1000"), _of_pair, 1, 5),
        Scenario("crash_sync", _pair("crash_sync"), _of_pair, 1, 20),
        Scenario("crash_sync_pg", _pair("crash_sync", postgres=True), _of_pair, 1, 10),
        Scenario("net_restore_pg", _pair("net_restore", postgres=True), _of_pair, 1, 10),
        Scenario("net_restore", _pair("net_restore"), _of_pair, 1, 20),
        Scenario("store_restore", _pair("store_restore"), _of_pair, 1, 20),
        Scenario("clone", _pair("clone"), _of_pair, 1, 20),
        *(Scenario(f"diskfull_{kind}", _full_disk(kind), _of_one, 1, 3) for kind in ("ext4", "tmpfs", "rlimit")),
        *(
            Scenario(f"diskfull_{what}", _full_during(what, "ext4"), _of_one, 1, 3)
            for what in ("import", "migration")
        ),
        *(
            Scenario(f"clock_{zone.rpartition('/')[2].lower()}", _one("clockjump.py", "adapter.py", "--tz", zone),
                     _of_one, 1, 3)
            for zone in ZONES
        ),
        Scenario("clock_restart", _restarted, _of_one, len(ZONES), 3 * len(ZONES)),
        *(
            Scenario(
                f"race_{case}", _one("race.py", "races.py", "--case", case, "--expect", str(winners), *AT_ONCE),
                _of_races, 200, 2000,
            )
            for case, winners in RACES.items()
        ),
        Scenario("race_online", _own("online"), _of_races, 1000, 10_000),
        Scenario("day", _day, _of_day, 10, 24 * 60),
        Scenario("schemathesis", _own("schemathesis"), _of_one, 1, PARTS),
        Scenario("hostile", _own("hostile"), _of_one, 1, PARTS),
    )
}  # fmt: skip


def main() -> None:
    """Run a slice, or say how far each scenario has come; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", choices=[*SCENARIOS, "all"])
    parser.add_argument("--resume", action="store_true", help="go on; without it the scenario's totals begin again")
    parser.add_argument("--level", choices=["m", "r"], default="r")
    parser.add_argument("--minutes", type=float, default=SLICE_MINUTES)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--quick", action="store_true", help="level M of the kills and of each restore, 30 s a scenario"
    )
    asked = parser.parse_args()
    if asked.scenario and not TOOLS.is_dir():
        sys.exit(f"The fault tools are not at hand: {TOOLS} is missing.")
    chosen = SCENARIOS if asked.scenario == "all" else [asked.scenario] if asked.scenario else []
    result = measure(
        [SCENARIOS[name] for name in chosen], asked.results, asked.minutes,
        level="m" if asked.quick else asked.level, resume=asked.resume,
    )  # fmt: skip
    if asked.json:
        print(json.dumps(result))
        return
    for name, totals in result["ours"].items():
        print(f"{name:<22} {totals}")


def measure(
    scenarios: Sequence[Scenario], results: Path, minutes: float, *, level: str = "r", resume: bool = False
) -> dict[str, Any]:
    """Run a slice of each scenario, so many minutes together; return the totals of all that ever ran."""
    ends = time.monotonic() + minutes * 60
    for scenario in scenarios:
        run_slice(scenario, results, ends, level=level, resume=resume)
    settings = {"results": results.name, "level_r": {name: one.level_r for name, one in SCENARIOS.items()}}
    return {"bench": "faults", "ours": _read(results), "reference": {}, "ratio": {}, "settings": settings}


def run_slice(scenario: Scenario, results: Path, ends: float, *, level: str, resume: bool) -> None:
    """Run a scenario again and again until its level is reached or the slice is over; every run is written down."""
    totals = _read(results).get(scenario.name, {}) if resume else {}
    wanted, in_vain = scenario.level_r if level == "r" else scenario.level_m, 0
    while totals.get("tries", 0) < wanted and time.monotonic() < ends and in_vain < MOST_INCONCLUSIVE:
        seed = totals.get("runs", 0) + 1
        with tempfile.TemporaryDirectory(prefix="cs-faults-") as folder:
            report = Path(folder) / "report.json"
            done = subprocess.run(
                scenario.command(seed, report), capture_output=True, text=True, check=False, cwd=ROOT,
                timeout=max(60.0, ends - time.monotonic() + 1800),
            )  # fmt: skip
            said = json.loads(report.read_text()) if report.exists() else None
        proved = done.returncode in (0, 1)
        counted = scenario.count(said) if said is not None and proved else {}
        totals = add_up(totals, counted, done.returncode, why="" if proved else why(done.stdout + done.stderr))
        _write(results, scenario.name, totals)
        verdict = {0: "PASS", 1: "FAIL"}.get(done.returncode, "INCONCLUSIVE")
        print(f"{scenario.name} run {seed}: {verdict} {counted}", file=sys.stderr, flush=True)
        if done.returncode:
            print(totals.get("why") or (done.stdout + done.stderr)[-1500:], file=sys.stderr, flush=True)
        in_vain = 0 if counted.get("tries") else in_vain + 1


def add_up(totals: Totals, counted: Totals, code: int, *, why: str) -> Totals:
    """Return the totals with one run more; code: the tool's, 0 passed, 1 failed, else it proved nothing and `why`."""
    worst = dict(totals.get("worst", {}))
    for name, figure in counted.get("worst", {}).items():
        worst[name] = max(figure, worst.get(name, 0))
    summed = {name: totals.get(name, 0) + counted.get(name, 0) for name in COUNTED}
    slow = totals.get("slow", 0) + counted.get("slow", 0)
    return summed | ({"slow": slow} if slow else {}) | ({"worst": worst} if worst else {}) | {
        "runs": totals.get("runs", 0) + 1,
        "failed": totals.get("failed", 0) + (code == 1),
        "inconclusive": totals.get("inconclusive", 0) + (code not in (0, 1)),
    } | ({"why": why} if why else {})  # fmt: skip


def why(output: str) -> str:
    """Say in a sentence why a run proved nothing."""
    reported = [line.partition("HARNESS ERROR: ")[2] for line in output.splitlines() if "HARNESS ERROR: " in line]
    if not reported:
        return f"The tool ended without a verdict: {output.strip()[-300:] or 'it said nothing'}."
    if "not ready in" in reported[-1]:
        busy = f"{os.getloadavg()[0]:.0f} processes wanted {os.cpu_count()} cores"
        return f"A node did not answer within 30 s of its start while {busy}: {reported[-1]}. Go on with --resume."
    return f"The tool could not try it: {reported[-1]}."


def _read(results: Path) -> dict[str, Any]:
    return json.loads(results.read_text("utf-8")) if results.exists() else {}


def _write(results: Path, name: str, totals: Totals) -> None:
    results.parent.mkdir(parents=True, exist_ok=True)
    beside = results.with_suffix(".part")
    beside.write_text(json.dumps(_read(results) | {name: totals}, indent=1), "utf-8")
    beside.replace(results)


if __name__ == "__main__":
    main()
