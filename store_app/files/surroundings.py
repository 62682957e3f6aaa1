"""School holidays and weather brought in as files: of the store, or at the network's node of its regions.

Rules
-----
1. At the network a row is of the region it names, by id or name; without one, of the region that was chosen, else of
   every region. A store's file names no region.
2. Degrees are Celsius, rain is millimetres; a decimal comma is read, and at most one place is kept.
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.store.store import Region
from store_app.files.cells import Cell, day, text
from store_app.words.refusals import sentence_of
from supply.demand import surroundings

SCHOOL, WEATHER = "school-holidays", "weather"
Row = dict[str, Any]
Regions = Sequence[Region]


def _tenths(cell: str) -> int:
    if not re.fullmatch(r"-?\d{1,5}([.,]\d{1,20})?", cell, re.ASCII):
        raise ValueError(_("a number such as 12.5"))
    return int((Decimal(cell.replace(",", ".")) * 10).to_integral_value(ROUND_HALF_UP))


CELLS: dict[str, tuple[dict[str, Cell], dict[str, Cell]]] = {
    SCHOOL: ({"name": text(surroundings.LONGEST_NAME), "from": day, "to": day}, {"region": text(60)}),
    WEATHER: ({"day": day}, {"temperature": _tenths, "rain": _tenths, "region": text(60)}),
}
TWINS = {SCHOOL: ("name", "from", "region"), WEATHER: ("day", "region")}


def beside(
    session: Session, kind: str, rows: Sequence[Row], owner_id: str, at: dt.datetime
) -> Iterator[tuple[int, str, str]]:
    """Yield what is wrong with rows beside their cells: which row, its column, the sentence."""
    regions = _regions(session)
    for n, row in enumerate(rows):
        try:
            _scopes(regions, row, owner_id)
            if kind == WEATHER and "day" in row:
                surroundings.check_weather(row["day"], row.get("temperature"), row.get("rain"), at=at)
            elif kind == SCHOOL and {"from", "to"} <= set(row):
                surroundings.check_school_holiday(row["from"], row["to"], at=at)
        except DomainError as fault:
            yield n, str(fault.facts.get("field", "region")), sentence_of(fault)


def write(ctx: Context, kind: str, rows: Sequence[Row], owner_id: str) -> None:
    """Note what rows tell (rule 1). owner_id: a store's, a region's, or '*' for every region."""
    regions, days = _regions(ctx.session), defaultdict[str, list[surroundings.Reported]](list)
    for row in rows:
        for scope_id in _scopes(regions, row, owner_id):
            if kind == WEATHER:
                days[scope_id].append((row["day"], row.get("temperature"), row.get("rain")))
            else:
                surroundings.add_school_holiday(ctx, scope_id, row["name"], row["from"], row["to"])
    for scope_id, reported in sorted(days.items()):
        surroundings.send_weather(ctx.session, scope_id, reported, at=ctx.at)


# --- inside ---


def _regions(session: Session) -> Regions:
    return session.scalars(sa.select(Region).order_by(Region.id)).all()


def _scopes(regions: Regions, row: Row, owner_id: str) -> list[str]:
    wanted = str(row.get("region", ""))
    of_network = owner_id == EVERYONE or owner_id in {one.id for one in regions}
    if wanted and not of_network:
        raise Invalid(
            "region-of-store", "A store reports only its own data. Leave out the region column.", field="region"
        )
    if not wanted:
        every = [one.id for one in regions] if owner_id == EVERYONE else [owner_id]
        if every:
            return every
        raise NotFound("no-region", "There is no region yet. Add a store first: cornerstore store add.")
    found = [one.id for one in regions if one.is_named(wanted)]
    if not found:
        known = _(", ").join(one.name for one in regions)
        raise NotFound("unknown-region", "Region not found. Available: %(known)s.", known=known, field="region")
    return found
