"""Where the benchmarks find what is no part of the repository, and keep what is dear to make."""

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def data() -> Path:
    """Return the folder of real sales: RETAIL_DATA, or `shared/data` beside the checkout."""
    return Path(os.environ.get("RETAIL_DATA") or _ROOT.parent / "shared" / "data")


def kept() -> Path:
    """Return the folder of what later runs use again: BENCH_FOLDER, or `.bench`."""
    return Path(os.environ.get("BENCH_FOLDER") or _ROOT / ".bench").resolve()
