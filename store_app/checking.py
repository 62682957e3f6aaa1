"""All invariants K1 to K12 and the journal's chain, for the command, the nightly job and the tests."""

from typing import Any

from config import journal
from store_app.extensions import Doors


def findings(doors: Doors) -> list[Any]:
    """Return every invariant that does not hold, the counter's before the supply's."""
    import pos.checks
    import supply.checks

    with doors.read() as session:
        found: list[Any] = [*pos.checks.findings(session)]
        found += supply.checks.findings(session)
    return found


def chain_faults(doors: Doors) -> list[str]:
    """Return what is broken in this node's journal."""
    with doors.read() as session:
        return journal.verify(session, doors.settings.node_id)
