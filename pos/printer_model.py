"""What a printer can do, and the library that knows its commands."""

import contextlib
import logging
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PrinterModel:
    """What the encoder must know of a printer.

    columns: 32, 42 or 48. chinese: it prints GB18030; otherwise a code page is used. profile: its python-escpos
    profile. cutter: it cuts by itself. drawer_pin: 2 or 5, 0 for no drawer; pulse_ms: how long.
    """

    columns: int = 48
    chinese: bool = True
    profile: str = "default"
    cutter: bool = True
    drawer_pin: int = 2
    pulse_ms: int = 100


@lru_cache(maxsize=1)
def load_escpos() -> Any:
    """Import python-escpos, which takes its time, only where paper is made; returns its `printer` module."""
    if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        # it reads a pickle back from there, so the folder must be this user's alone
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "cornerstore" / "escpos"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            os.environ["ESCPOS_CAPABILITIES_PICKLE_DIR"] = str(folder)
    before, level = list(logging.root.handlers), logging.root.level
    from escpos import printer

    # it sets the root logger up as it is imported; ours stays as it was
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    return printer
