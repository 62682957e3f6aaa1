"""All invariants (K), the journal and the protection of append-only rows (J), for the command and the tests."""

from typing import Any

from config import anchor, append_only
from store_app import tables
from store_app.extensions import Doors


def findings(doors: Doors) -> list[Any]:
    """Return every invariant that does not hold, the counter's before the supply's."""
    import pos.checks
    import supply.checks

    tables.known()
    with doors.read() as session:
        found: list[Any] = [*pos.checks.findings(session)]
        found += supply.checks.findings(session)
        found += anchor.findings(session)
        found += append_only.findings(session)
    return found


def chain_faults(doors: Doors) -> list[str]:
    """Return what is broken in this node's journal, and between it and the books."""
    from store_app import verifying

    return verifying.verify(doors).faults
