"""What the slices of the fault runs add up, and what they say of a run that proved nothing."""

from tests.benchmarks import faults
from tests.faults.day import Watched


def test_slices_add_up_keep_the_worst_figure_and_say_why_one_proved_nothing():
    first = {"tries": 1, "acknowledged": 10, "lost": 0, "doubled": 0, "broken": 0, "worst": {"drain_s": 3.0}}
    totals = faults.add_up({}, first, 0, why="")
    totals = faults.add_up(totals, {}, 2, why="A node did not answer.")
    assert (totals["runs"], totals["tries"], totals["inconclusive"], totals["why"]) == (
        2,
        1,
        1,
        "A node did not answer.",
    )
    totals = faults.add_up(totals, first | {"broken": 1, "slow": 2, "worst": {"drain_s": 2.0}}, 1, why="")
    assert "why" not in totals, "what was proved later needs no excuse"
    assert (totals["tries"], totals["broken"], totals["slow"], totals["failed"]) == (2, 1, 2, 1)
    assert totals["worst"] == {"drain_s": 3.0}


def test_a_pair_is_counted_broken_apart_from_slow_with_its_speeds():
    speeds = {f"sell p50/p99/max s {phase}": [0.01, p99, 1.0] for phase, p99 in (("before", 0.1), ("cut off", 0.11))}
    one = {
        "acked": 7, "lost": 1, "doubled_at_store": 2, "facts": speeds | {"drain_s after partition": 5.4, "kills": 20},
        "broken": ["selling p99 1.07 s > 0.3 s while before", "after partition: outbox not empty after 120 s"],
    }  # fmt: skip
    counted = faults._of_pair({"scenarios": [one]})
    assert (counted["lost"], counted["doubled"], counted["broken"], counted["slow"]) == (1, 2, 1, 1)
    assert counted["worst"]["sell p99 cut off / before"] == 1.1
    assert counted["worst"]["drain_s after partition"] == 5.4
    assert "kills" not in counted["worst"]


def test_a_run_that_proves_nothing_says_so_in_a_sentence():
    late = faults.why("x\nHARNESS ERROR: net not ready in 30.0s; see /somewhere/net.log\n")
    assert late.startswith("A node did not answer within 30 s of its start while ")
    assert late.endswith("with --resume.")
    missing = faults.why("HARNESS ERROR: libfaketimeMT.so.1 not found: apt-get install faketime")
    assert missing == "The tool could not try it: libfaketimeMT.so.1 not found: apt-get install faketime."
    assert faults.why("") == "The tool ended without a verdict: it said nothing."


def test_a_day_is_flat_where_memory_stays_once_a_program_is_warm():
    mib = 2**20
    looks = [(0.0, 10 * mib), (70.0, 100 * mib), (600.0, 130 * mib)]
    watched = Watched(lives={1: looks, 2: [(5.0, 90 * mib)]}, files=24, log_bytes=16 * mib)
    report = {"acked": 9, "minutes": 10, "lost": 0, "doubled": 0, "broken": watched.broken(), "worst": watched.worst()}
    counted = faults._of_day(report)
    assert (counted["tries"], counted["broken"]) == (10, 0)
    assert counted["worst"] == {"memory MiB": 130.0, "memory grown MiB": 30.0, "open files": 24, "log MiB": 16.0}
    looks.append((900.0, 180 * mib))
    watched.files = 200
    assert watched.broken() == ["memory grown MiB: 80.0, more than 50", "open files: 200, more than 100"]
