"""A shift's totals summed up from its books: what its running totals must be."""

from sqlalchemy.orm import Session

from pos.sync import shift_checks
from pos.till import totals
from pos.till.shift_book import Shift


def recount(session: Session, shift: Shift) -> totals.Totals:
    """Sum a shift's totals up from its books; what its row alone knows is kept as it is."""
    summed = shift_checks.summed_up(session, Shift.store_id == shift.store_id, Shift.id == shift.id)
    found = summed.get((shift.store_id, shift.id)) or totals.opening()
    kept = shift.totals or {}
    found |= {"events": dict(kept.get("events", {})), "holders": list(kept.get("holders", ()))}
    return found | {name: kept[name] for name in ("corrections", "typed", "orders", "beyond") if name in kept}
