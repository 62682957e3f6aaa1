"""`cornerstore demo --once --json` walks the road in a process of its own and ends with one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

from store_app.demo import panel
from tests.journeys.small import small_panel

KEYS = (
    "stores", "products", "history_lines", "days", "sales_rung", "sales_lines", "receipts_printed", "facts_delivered",
    "facts_stuck", "series_forecast", "forecast_seconds", "proposals", "orders_sent",
    "orders_on_credit", "deliveries_posted",
    "shelf_slots", "shelf_labels", "pushes_offered", "pushes_accepted", "pickups_collected", "brought_home",
    "claims", "transfers", "letters", "producers", "findings", "seconds",
)  # fmt: skip


def test_the_road_ends_with_one_line_that_tells_what_happened(tmp_path: Path) -> None:
    panel._write(tmp_path / "panel", small_panel())
    walked = subprocess.run(
        [sys.executable, "-m", "store_app", "demo", "--once", "--json", "--days", "1", "--state", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told = json.loads(walked.stdout.splitlines()[-1])
    assert walked.returncode == 0, walked.stderr[-2000:]
    assert tuple(told) == KEYS
    assert told["findings"] == told["facts_stuck"] == 0
    assert told["stores"] == 4
    assert told["sales_rung"] == 32
    assert told["deliveries_posted"] >= 1
    assert told["brought_home"] == 2
    assert told["orders_on_credit"] >= 1
