"""The forecast beside naive rules, AutoETS and LightGBM on real sales, all with the same quantile layer.

Needs the group `bench` for the last two. Rivals' forecasts are kept in .bench by data, version and origin; their speed
never is. The model was tuned on origins before the last 12 (`--skip 12` shows those), so the default window is one on
which nothing was tuned.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

from importlib import metadata

from forecasting import backtest, history
from tests.benchmarks import _retail

DATA = ("m5_tiny_dev", "bakery_dev", "completejourney")
QUICK_SERIES = {"m5_tiny_dev": 48, "bakery_dev": 46, "completejourney": 80}


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--origins", type=int, default=8)
    parser.add_argument("--skip", type=int, default=0, help="origins to leave out at the end")
    parser.add_argument("--data", default=",".join(DATA))
    asked = parser.parse_args()
    result = measure(asked.data.split(","), quick=asked.quick, origins=asked.origins, skip=asked.skip)
    if asked.json:
        print(json.dumps(result))
    else:
        show(result)


def measure(names: list[str], *, quick: bool, origins: int, skip: int) -> dict[str, Any]:
    """Run everything; what is missing is named in settings.missing."""
    ours: dict[str, Any] = {}
    reference: dict[str, Any] = {}
    ratio: dict[str, Any] = {}
    missing: list[str] = []
    for name in names:
        try:
            table = _retail.frame(name)
        except (FileNotFoundError, ImportError) as gone:
            missing.append(str(gone))
            continue
        past = history.read(_retail.sample(table, QUICK_SERIES[name] if quick else None))
        plan = backtest.Plan(14, 4 if quick else origins, _retail.COUNTRY[name], skip=skip)
        report = backtest.run(
            past, plan, remember=_retail.Kept(past, version()), progress=_progress(name), stopwatch=time.process_time
        )
        ours[name] = report["models"][backtest.OURS]
        reference[name] = {rival: report["models"][rival] for rival in report["models"] if rival != backtest.OURS}
        ratio[name] = {
            f"{key}_{rival}": value for rival, measures in report["ratios"].items() for key, value in measures.items()
        }
    absent = [name for name in ("statsforecast", "lightgbm") if not _installed(name)]
    settings = {
        "origins": 4 if quick else origins, "skip": skip, "horizon_days": 14, "missing": missing,
        "not_installed": absent, "sample": QUICK_SERIES if quick else "whole sets",
        "tuned_on": "origins 13 to 26 from the end; reported: the last 8",
    }  # fmt: skip
    return {"bench": "forecast", "ours": ours, "reference": reference, "ratio": ratio, "settings": settings}


def version() -> str:
    """Name what rivals' forecasts depend on besides the data."""
    parts = [f"{name} {metadata.version(name)}" for name in ("statsforecast", "lightgbm") if _installed(name)]
    return " ".join(["1", *parts])


def show(result: dict[str, Any]) -> None:
    """Print for people."""
    for name, ratios in result["ratio"].items():
        print(name, {key: value for key, value in result["ours"][name].items() if key != "classes"})
        for key, value in sorted(ratios.items()):
            print(f"  {key:<24} {value:.3f}")
    print(result["settings"])


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _progress(name: str) -> Any:
    def say(model: str, step: int, of: int) -> None:
        print(f"\r{name}: {model} {step + 1}/{of}        ", end="", file=sys.stderr, flush=True)

    return say


if __name__ == "__main__":
    main()
