"""What a hostile file could make its reader do, named where a child can load it without the tests."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress

MIB = 1 << 20


def greedy() -> Iterator[int]:
    """Take memory until there is no more, or 400 MiB; yield the most that was in use."""
    with suppress(MemoryError):
        _held = [b"x" * MIB for _piece in range(400)]
    yield resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def dies() -> list[str]:
    """End as a reader does that the system kills."""
    os.abort()
