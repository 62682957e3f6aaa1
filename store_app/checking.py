"""All invariants K1 to K19 and the journal, for the command, the nightly job and the tests."""

from typing import Any

from config import anchor
from store_app.extensions import Doors


def findings(doors: Doors) -> list[Any]:
    """Return every invariant that does not hold, the counter's before the supply's."""
    import pos.checks
    import supply.checks

    with doors.read() as session:
        found: list[Any] = [*pos.checks.findings(session)]
        found += supply.checks.findings(session)
        found += anchor.findings(session)
    return found


def chain_faults(doors: Doors) -> list[str]:
    """Return what is broken in this node's journal, and between it and the books."""
    from store_app import verifying

    return verifying.verify(doors).faults
