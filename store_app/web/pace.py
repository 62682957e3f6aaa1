"""How much one caller may ask for in a minute; beyond it 429 with `Retry-After`, in the seconds until the next one.

Rules
-----
1. Counted in each process by itself, on a clock nobody can set: of several web processes each lets as much through.
2. Only who has shown a key is counted, so the book is never longer than there are keys, times the doors they open.
"""

import threading
import time
from collections.abc import Callable

from werkzeug.exceptions import TooManyRequests

MINUTE_S = 60


class Pace:
    """What each key may take in a minute: calls, or whatever a call has many of."""

    def __init__(self, a_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self.a_minute, self._now = a_minute, now
        self._lock = threading.Lock()
        self._taken: dict[str, tuple[int, int]] = {}

    def left(self, key: str) -> tuple[int, int]:
        """Return what a key may still take, and after how many seconds it has its whole minute again."""
        now = self._now()
        since, taken = self._taken.get(key, (0, 0))
        return max(0, self.a_minute - taken * (since == int(now // MINUTE_S))), MINUTE_S - int(now % MINUTE_S)

    def take(self, key: str, amount: int = 1) -> None:
        """Take from the minute of a key; refuse what it has no room for, unless it is the minute's first."""
        now = self._now()
        minute = int(now // MINUTE_S)
        with self._lock:
            since, taken = self._taken.get(key, (minute, 0))
            before = taken if since == minute else 0
            if before and before + amount > self.a_minute:
                left_s = MINUTE_S - int(now % MINUTE_S)
                raise TooManyRequests(f"That is too much in one minute. Come again in {left_s} s.", retry_after=left_s)
            self._taken[key] = minute, before + amount
