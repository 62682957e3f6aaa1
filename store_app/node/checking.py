"""All invariants (K), the journal and the protection of append-only rows (J), for the command and the tests."""

from typing import Any

from config.nodes import anchor, append_only
from store_app.runtime import tables
from store_app.runtime.doors import Doors


def findings(doors: Doors) -> list[Any]:
    """Return every invariant that does not hold, the counter's before the supply's."""
    import pos.sync.checks
    import supply.sync.checks

    tables.known()
    with doors.read() as session:
        found: list[Any] = [*pos.sync.checks.findings(session)]
        found += supply.sync.checks.findings(session)
        found += anchor.findings(session)
        found += append_only.findings(session)
    return found


def chain_faults(doors: Doors) -> list[str]:
    """Return what is broken in this node's journal, and between it and the books."""
    from store_app.node import verifying

    return verifying.verify(doors).faults
