"""Suppliers brought in as a file: one row a supplier of a store's own, or at the network's node one it buys from.

Rules
-----
1. A supplier is known by its name: a row of a known one changes what its columns say, and leaves the rest.
2. Days in a cell stand apart by blanks, commas or semicolons: weekdays as mon thu, closed days as 2026-12-25.
3. An empty cell changes nothing; no hour, and no closed day, is written as none.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.ids import NETWORK, new_id
from config.nodes.journal import Actor
from config.nodes.publication import EVERYONE
from store_app.files import network
from store_app.files.cells import Cell, in_minor, price, text, whole
from supply.orders import suppliers
from supply.orders.suppliers import Contact, Supplier

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NONE = "none"


def _weekdays(cell: str) -> tuple[int, ...]:
    named = [day.casefold()[:3] for day in _apart(cell)]
    if not named or not set(named) <= set(WEEKDAYS):
        raise ValueError(_("weekdays such as mon thu"))
    return tuple(sorted({WEEKDAYS.index(day) for day in named}))


def _closed(cell: str) -> tuple[str, ...]:
    try:
        return () if cell == NONE else tuple(sorted({dt.date.fromisoformat(day).isoformat() for day in _apart(cell)}))
    except ValueError:
        raise ValueError(_("days such as 2026-12-25 2026-12-26, or none")) from None


def _hour(cell: str) -> int | None:
    if cell == NONE:
        return None
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(:00)?", cell, re.ASCII)
    if found is None:
        raise ValueError(_("a time such as 14:00, or none"))
    return int(found[1]) * 60 + int(found[2])


def _apart(cell: str) -> Sequence[str]:
    return re.findall(r"[^\s,;]+", cell)


CELLS: tuple[dict[str, Cell], dict[str, Cell]] = (
    {"name": text(suppliers.LONGEST["name"])},
    {
        "lead_days": whole(0, suppliers.LONGEST_LEAD_DAYS), "order_days": _weekdays, "order_by": _hour,
        "closed_days": _closed, "minimum": price, "email": text(suppliers.LONGEST["email"]),
        "customer_no": text(suppliers.LONGEST["customer_no"]),
    },
)  # fmt: skip


def write(session: Session, row: dict[str, Any], owner_id: str, actor: Actor, at: dt.datetime) -> None:
    """Add or change a supplier (rules 1, 3). owner_id: the store; '*' at the network's node."""
    whose = NETWORK if owner_id == EVERYONE else owner_id
    known = session.scalars(sa.select(Supplier).where(Supplier.owner_id == whose).order_by(Supplier.id)).all()
    found = next((one for one in known if one.name.casefold() == row["name"].casefold()), None)
    values: dict[str, Any] = {"name": row["name"], "lead_time_days": 1, "order_weekdays": tuple(range(7))}
    if found is not None:
        values = {name: getattr(found, name) for name in Contact.__dataclass_fields__} | {"name": found.name}
        values |= {name: tuple(values[name] or ()) for name in ("order_weekdays", "closed_days")}
    reported = {"lead_days": "lead_time_days", "order_days": "order_weekdays", "order_by": "cut_off_minute"}
    values |= {reported.get(column, column): value for column, value in row.items() if column != "name"}
    if "minimum" in values:
        currency, _day = network.money_and_day(session, owner_id, at)
        values["minimum_minor"] = in_minor(values.pop("minimum"), currency)
    if "email" in row:
        values["send_by"] = "email"
    supplier_id = found.id if found is not None else new_id()
    suppliers.write_contact(session, whose, supplier_id, Contact(**values), actor=actor, at=at)
