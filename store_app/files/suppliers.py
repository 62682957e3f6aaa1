"""Suppliers brought in as a file: one row a supplier of a store's own, or at the network's node one it buys from.

Rules
-----
1. A supplier is known by its name: a row of a known one changes what its columns say, and leaves the rest.
2. The columns of its calendar are the calendar's own fields (`delivery_calendar.FIELDS`).
3. An empty cell changes nothing; no hour, and no closed day, is written as none.
"""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from config.ids import NETWORK, new_id
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from store_app.files import network
from store_app.files.cells import Cell, in_minor, price, text
from supply.orders import delivery_calendar, suppliers
from supply.orders.suppliers import Contact, Supplier


def _of_calendar(field: str) -> Cell:
    def said(cell: str) -> str:
        delivery_calendar.read_field(field, cell)
        return cell

    return said


CELLS: tuple[dict[str, Cell], dict[str, Cell]] = (
    {"name": text(suppliers.LONGEST["name"])},
    {field: _of_calendar(field) for field in delivery_calendar.FIELDS}
    | {
        "minimum": price, "email": text(suppliers.LONGEST["email"]),
        "customer_no": text(suppliers.LONGEST["customer_no"]),
    },
)  # fmt: skip


def write(ctx: Context, row: dict[str, Any], owner_id: str) -> None:
    """Add or change a supplier (rules 1, 3). owner_id: the store; '*' at the network's node."""
    whose = NETWORK if owner_id == EVERYONE else owner_id
    known = ctx.session.scalars(sa.select(Supplier).where(Supplier.owner_id == whose).order_by(Supplier.id)).all()
    found = next((one for one in known if one.name.casefold() == row["name"].casefold()), None)
    contact = Contact(row["name"])
    if found is not None:
        contact = Contact(**{name: getattr(found, name) for name in Contact.__dataclass_fields__})
    values: dict[str, Any] = {name: row[name] for name in ("email", "customer_no") if name in row}
    if "minimum" in row:
        currency, _day = network.money_and_day(ctx.session, owner_id, ctx.at)
        values["minimum_minor"] = in_minor(row["minimum"], currency)
    if "email" in row:
        values["send_by"] = "email"
    contact = replace(contact, calendar=delivery_calendar.read(row, contact.calendar), **values)
    supplier_id = found.id if found is not None else new_id()
    suppliers.write_contact(ctx, whose, supplier_id, contact)
