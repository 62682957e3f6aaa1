"""Doing it again where the database gave up one of two transactions that stood in each other's way.

Rules
-----
1. PostgreSQL ends one of two that wait for each other (40P01), and what cannot be put in an order (40001). Neither is
   anybody's fault, and nothing of it is written: the same again goes through as a rule.
2. Done again is a whole piece of work, from its first look on, and only if it has committed nothing yet, or is work
   that may be done twice by its nature (a job finds what is left to do by itself).
3. At most MOST_TRIES times, each after a wait drawn from a span that doubles, so that the two do not meet again; then
   the fault goes on to whoever asked.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
import structlog

from config.database import commits

log = structlog.get_logger()
GAVE_UP = frozenset({"40001", "40P01"})
MOST_TRIES = 5
FIRST_WAIT_S = 0.02
Answer = TypeVar("Answer")


def gave_up(fault: BaseException) -> bool:
    """Tell whether the database ended a transaction for another's sake (rule 1)."""
    return isinstance(fault, sa.exc.DBAPIError) and getattr(fault.orig, "sqlstate", None) in GAVE_UP


def until_done(
    work: Callable[[], Answer], *, may_repeat: bool = False, pause: Callable[[float], None] = time.sleep
) -> Answer:
    """Return what the work answers, done again where the database gave up on it (rules 1 to 3).

    may_repeat: the work may be done twice even where part of it is committed.
    """
    for tries in range(1, MOST_TRIES + 1):
        before = commits()
        try:
            return work()
        except sa.exc.DBAPIError as fault:
            if tries == MOST_TRIES or not gave_up(fault) or (commits() != before and not may_repeat):
                raise
            log.info("done again", tries=tries, why=str(fault.orig).partition("\n")[0])
        pause(random.uniform(0, FIRST_WAIT_S * 2**tries))
    raise AssertionError("the last try answers or raises")
