"""What a printer can do, and the library that knows its commands."""

import contextlib
import logging
import os
import platform
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PrinterModel:
    """What the encoder must know of a printer.

    columns: 32, 42 or 48. chinese: it prints GB18030; otherwise a code page is used. profile: its python-escpos
    profile, or one of `label_printer`. cutter: it cuts by itself. drawer_pin: 2 or 5, 0 for no drawer; pulse_ms: how
    long.
    """

    columns: int = 48
    chinese: bool = True
    profile: str = "default"
    cutter: bool = True
    drawer_pin: int = 2
    pulse_ms: int = 100


def load_escpos() -> Any:
    """Import python-escpos, which takes its time, only where paper is made; returns its `printer` module."""
    with _ONE_AT_A_TIME:
        return _imported()


_ONE_AT_A_TIME = threading.Lock()


@lru_cache(maxsize=1)
def _imported() -> Any:
    with _parsed_profiles():
        before, level = list(logging.root.handlers), logging.root.level
        try:
            from escpos import printer
        except Exception:  # whatever half a pickle raises: the power went before it had reached the disk
            Path(os.environ[_PROFILES], _profiles_file()).unlink(missing_ok=True)
            from escpos import printer
        finally:
            # it sets the root logger up as it is imported; ours stays as it was
            logging.root.handlers[:] = before
            logging.root.setLevel(level)
    return printer


_PROFILES = "ESCPOS_CAPABILITIES_PICKLE_DIR"


def _profiles_file() -> str:
    return f"{platform.python_version()}.capabilities.pickle"


@contextlib.contextmanager
def _parsed_profiles() -> Iterator[None]:
    """Keep the library's parsed printer profiles from one start to the next, for processes that start at one instant.

    It writes its file in place and reads whatever is there, so each process gives it a folder of its own and puts the
    whole file where the next one finds it. What is read back is a pickle, so the folders are this user's alone.
    """
    if _PROFILES in os.environ:
        yield
        return
    kept = _kept_folder()
    with tempfile.TemporaryDirectory(dir=kept) as folder:
        mine = Path(folder, _profiles_file())
        os.environ[_PROFILES] = folder
        try:
            if kept is not None:
                with contextlib.suppress(OSError):
                    shutil.copy2(kept / mine.name, mine)
            yield
            if kept is not None:
                with contextlib.suppress(OSError):
                    mine.replace(kept / mine.name)
        finally:
            del os.environ[_PROFILES]


def _kept_folder() -> Path | None:
    """Return the folder of this user alone; None where there is none: the profiles are parsed at every start."""
    try:
        kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "cornerstore", "escpos")
        kept.mkdir(parents=True, exist_ok=True)
        kept.chmod(0o700)
        if hasattr(os, "getuid") and kept.stat().st_uid != os.getuid():
            return None  # root may change anybody's folder, and must not believe what lies in it
        tempfile.TemporaryDirectory(dir=kept).cleanup()
    except (OSError, RuntimeError):  # RuntimeError: nobody's home
        return None
    return kept
