"""A computation that says how far it is, and loads nothing of ours in its child."""

from collections.abc import Callable


def counted(whole: int, progress: Callable[[int, int], None]) -> int:
    progress(1, whole)
    return whole
