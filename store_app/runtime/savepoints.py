"""What is done for many shops or regions in transactions of their own: who trips is left out, and the others are not.

It is `supply.isolation` for work that computes or reads between its transactions, where no savepoint can stand.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from config.errors import Unreachable
from config.nodes.journal import Actor
from store_app.runtime.doors import Doors
from supply import isolation


@contextmanager
def alone(doors: Doors, work: str, scope_id: str, *, actor: Actor) -> Iterator[None]:
    """Do a shop's or region's part of some work; what fails in it is noted and goes no further.

    Books that are away, and what is outside and does not answer, are nobody's odd row: the whole work waits.
    """
    try:
        yield
    except Unreachable:
        raise
    except Exception as fault:  # whatever one's rows are, the others' work is done
        if isolation.is_away(fault):
            raise
        with doors.write() as session:
            isolation.note(session, work, scope_id, fault, actor=actor, at=doors.now())
