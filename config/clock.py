"""Time: instants are aware UTC, days are business days.

Rules
-----
1. Only the edges ask a clock; everything below is told `at`.
2. A business day is the store's local date, rolling over at the store's own hour: a sale at 01:30 belongs to the
   evening before when the rollover hour is 4. It is computed once and stored.
3. The machine's clock may stand years back after a power cut with a flat battery. It is never believed to show less
   than what is known to be past, plus the time this program has run since (`hold`): prices, days and people go on.
4. The practice clock reads its offset from a file, so that several processes of a demonstration share one time.
"""

import datetime as dt
import json
import os
import threading
import time
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> dt.datetime:
        """Return the present instant, aware, in UTC."""


class SystemClock:
    """The machine's clock, and what it may not fall behind (rule 3)."""

    def __init__(self) -> None:
        self._past: tuple[dt.datetime, float] | None = None

    def now(self) -> dt.datetime:
        """Return the machine's time in UTC, or what is at least past where the machine shows less."""
        shown, least = dt.datetime.now(dt.UTC), self._least()
        return shown if least is None or shown >= least else least

    def hold(self, past: dt.datetime) -> None:
        """Never show less than `past` from now on, and never less than before; seconds run on from it."""
        least = self._least()
        if least is None or as_utc(past) > least:
            self._past = as_utc(past), time.monotonic()

    def behind_s(self) -> float:
        """Return by how many seconds at least the machine's clock is behind; 0: nothing tells that it is."""
        least = self._least()
        return max(0.0, (least - dt.datetime.now(dt.UTC)).total_seconds()) if least else 0.0

    def _least(self) -> dt.datetime | None:
        if self._past is None:
            return None
        past, since = self._past
        return past + dt.timedelta(seconds=time.monotonic() - since)


class FrozenClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: dt.datetime) -> None:
        self._at = as_utc(at)

    def now(self) -> dt.datetime:
        """Return the instant it was last set to."""
        return self._at

    def set(self, at: dt.datetime) -> None:
        """Move the clock to `at`."""
        self._at = as_utc(at)

    def advance(self, seconds: float) -> None:
        """Move the clock on by `seconds`."""
        self._at += dt.timedelta(seconds=seconds)


class PracticeClock:
    """The machine's clock moved by an offset kept in a file, shared by the processes of a practice network."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: int | None = None
        self._offset_s = 0.0
        self._lock = threading.Lock()

    def now(self) -> dt.datetime:
        """Return the machine's time plus the offset in the file (none: no offset)."""
        with self._lock:
            try:
                stamp = self._path.stat().st_mtime_ns
            except FileNotFoundError:
                stamp = None
            if stamp is not None and stamp != self._stamp:
                self._offset_s = float(json.loads(self._path.read_text(encoding="utf-8"))["offset_s"])
                self._stamp = stamp
            return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self._offset_s)

    def set(self, at: dt.datetime) -> None:
        """Move the shared clock so that it now shows `at`; readers never see half a file."""
        offset_s = (as_utc(at) - dt.datetime.now(dt.UTC)).total_seconds()
        beside = self._path.with_suffix(f".{os.getpid()}.tmp")
        beside.write_text(json.dumps({"offset_s": offset_s}), encoding="utf-8")
        beside.replace(self._path)


def as_utc(at: dt.datetime) -> dt.datetime:
    """Return `at` in UTC; refuses a time without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {at}")
    return at.astimezone(dt.UTC)


def reported_after(last: dt.datetime | None, at: dt.datetime) -> dt.datetime:
    """Return the moment a word told at `at` bears: later than the `last` one's, though the clock was set back since."""
    at = as_utc(at)
    return at if last is None or last < at else last + dt.timedelta(microseconds=1)


def is_newer_word(reported_at: dt.datetime, known_at: dt.datetime | None, at: dt.datetime) -> bool:
    """Tell whether a word told at one moment counts over the one that is known.

    A known one of a moment that has not come is of a clock gone wrong, or meant to shut out every other word: one that
    is not of the future counts over it.
    """
    if known_at is None:
        return True
    reported_at, known_at, at = as_utc(reported_at), as_utc(known_at), as_utc(at)
    return reported_at > known_at or reported_at <= at < known_at


def business_day(at: dt.datetime, tz: str, rollover_hour: int) -> dt.date:
    """Return the business day of an instant in zone `tz` (IANA name), rolling over at `rollover_hour` (0..23)."""
    return (as_utc(at).astimezone(ZoneInfo(tz)) - dt.timedelta(hours=rollover_hour)).date()


def day_start(day: dt.date, tz: str, rollover_hour: int) -> dt.datetime:
    """Return the first instant (UTC) of a business day."""
    return dt.datetime.combine(day, dt.time(rollover_hour), tzinfo=ZoneInfo(tz)).astimezone(dt.UTC)
