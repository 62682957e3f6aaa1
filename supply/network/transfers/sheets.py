"""What a store can spare and could use, as it tells the network every night.

Rules
-----
1. A store works its sheet out by its own forecast, orders and dates, for no other node knows them; the network keeps
   the newest of each store. One that cannot be read is not taken in.
2. Only what the network's suppliers carry is on it, for only that has a cost both stores know. What is told are gains
   in money by quantity, and of what is wanted the demand a day, so that the last day of goods can be weighed.
3. Spare is what the store has beyond the days its next order covers, or what will expire unsold; not what is promised,
   not what is another's (`consigned`) or off sale (`recall`), not what has fewer than LEAST_DAYS left. Wanted is what
   it would be short of, or buy a pack of.
"""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base
from config.errors import Invalid
from config.nodes import door
from config.nodes.facts import STORE, Day, Fact, applies
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.stock import batches, consignment_stock, recall
from pos.stock.ledger import MOST_QTY
from pos.store.store import day_of, send_fact, store_of
from supply.orders.suppliers import Terms
from supply.orders.supply_routes import offered, suppliers_for
from supply.replenishment.look import look

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from supply.network.transfers.arithmetic import Lots, Sheet, Spare, Want
    from supply.replenishment.decide import Requirement

NEAR_DAYS = 30
"""So far ahead dates are looked at."""
LEAST_DAYS = 2
MOST_PRODUCTS = 300
OLDEST_DAYS = 1


class SheetReported(Fact, topic="transfer.sheet", said_by=STORE):
    """What a store can spare and could use, as `_fact` writes it."""

    store_id: str
    day: Day
    spares: list[Any]
    wants: list[Any]


class TransferSheet(Base):
    """What a store told last (rule 1)."""

    __tablename__ = "transfer_sheet"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date]
    body: Mapped[dict[str, Any]]


# --- verbs ---


def send(session: Session, store_id: str, sheet: "Sheet", *, at: dt.datetime) -> None:
    """Send a store's sheet as it was worked out."""
    send_fact(session, _fact(store_id, day_of(session, store_id, at), sheet), subject=f"store:{store_id}", at=at)


@applies(SheetReported)
def take(ctx: Context, fact: SheetReported) -> None:
    """Keep a store's sheet at the network (rule 1); an older one than is there changes nothing.

    A day that has not come yet, of a clock that is ahead, is today: the next sheet stands in its place.
    """
    store_id, body = fact.store_id, fact.to_body()
    _read(body)
    today, known = day_of(ctx.session, store_id, ctx.at), ctx.session.get(TransferSheet, store_id)
    day = min(fact.day, today)
    if known is None:
        ctx.session.add(TransferSheet(store_id=store_id, day=day, body=body))
    elif known.day <= day or known.day > today:
        known.day, known.body = day, body
    ctx.session.flush()


# --- questions ---


def work_out(session: Session, store_id: str, *, at: dt.datetime) -> "Sheet":
    """Return what a store can spare and could use (rules 2, 3)."""
    from supply.network.transfers.arithmetic import Sheet
    from supply.replenishment import decide

    store = store_of(session, store_id)
    today = business_day(at, store.tz, store.rollover_hour)
    terms: dict[str, list[Terms]] = {}
    for one in carried(session, today, store_id).values():
        terms.setdefault(one.supplier_id, []).append(one)
    if not terms:
        return Sheet()
    found = decide.requirements(look(session, store_id, terms=terms, at=at))
    requirements = [item for supplier_id in terms for item in found[supplier_id]]
    called_back = recall.off_sale(session, store_id)
    to_give = [item for item in requirements if item.line.sku not in called_back]
    lots = batches.dated(session, store_id, today, today + dt.timedelta(days=NEAR_DAYS))
    return Sheet(_spares(to_give, lots, consignment_stock.not_ours(session, store_id), today), _wants(requirements))


def sheets(session: Session, day: dt.date) -> "dict[str, Sheet]":
    """Return the sheets of the stores that told one lately; one that cannot be read is left out."""
    since = day - dt.timedelta(days=OLDEST_DAYS)
    found, query = {}, sa.select(TransferSheet.store_id, TransferSheet.body)
    for store_id, body in session.execute(query.where(TransferSheet.day >= since)):
        with contextlib.suppress(Invalid):  # kept before sheets were read at the door
            found[store_id] = _read(body)
    return found


def carried(session: Session, day: dt.date, store_id: str = EVERYONE) -> dict[str, Terms]:
    """Return what the network's suppliers sell, to all stores or to one, each product where a unit costs least."""
    best: dict[str, Terms] = {}
    ours = [one.id for one in suppliers_for(session, store_id) if one.owner_id == EVERYONE]
    listed = offered(session, store_id, day)
    for terms in (one for supplier_id in ours for one in listed.get(supplier_id, ())):
        other = best.get(terms.sku)
        if other is None or terms.pack_cost_minor * other.pack_qty < other.pack_cost_minor * terms.pack_qty:
            best[terms.sku] = terms
    return best


def step_of(stock_unit: str, price_quantity: int) -> int:
    """Return in which steps a product is handed over: single ones, or what its price is for."""
    return 1 if stock_unit == "each" else price_quantity


# --- inside ---


def _spares(
    requirements: "Sequence[Requirement]", lots: "Mapping[str, Lots]", not_ours: Mapping[str, int], today: dt.date
) -> "dict[str, Spare]":
    from supply.network.transfers.arithmetic import Spare, quantities, spare_gains, without

    rows = []
    for item in requirements:
        dated, theirs = lots.get(item.line.sku, []), not_ours.get(item.line.sku, 0)
        fresh = without([(days, units) for days, units in dated if days >= LEAST_DAYS], theirs)
        there = item.on_hand - item.reserved - round(sum(units for days, units in dated if days < LEAST_DAYS))
        beyond, there = min(there - item.line.mean, there - theirs), there - theirs
        if fresh or beyond >= 1:
            rows.append((beyond * item.line.pack_cost_minor / item.line.pack_qty, item, fresh, there))
    rows.sort(key=lambda row: (-bool(row[2]), -row[0], row[1].line.sku))
    found = {}
    for _, item, fresh, there in rows[:MOST_PRODUCTS]:
        tried = quantities(step_of(item.stock_unit, item.line.price_quantity), there)
        gains = spare_gains(item.line, fresh, _ahead(item), tried)
        if good := {qty: minor for qty, minor in gains.items() if minor >= 0}:
            found[item.line.sku] = Spare(good, _last_day(fresh, today))
    return found


def _wants(requirements: "Sequence[Requirement]") -> "dict[str, Want]":
    from supply.network.transfers.arithmetic import Want, quantities, want_gains

    short = [item for item in requirements if item.line.mean > 0 and item.line.position_qty < item.line.mean]
    short.sort(key=lambda item: (-item.line.mean * item.line.price_minor / item.line.price_quantity, item.line.sku))
    found = {}
    for item in short[:MOST_PRODUCTS]:
        line = item.line
        tried = quantities(step_of(item.stock_unit, line.price_quantity), 10**9)
        gains = want_gains(line, tried)
        if good := {qty: minor for qty, minor in gains.items() if minor > 0}:
            found[line.sku] = Want(good, line.mean / max(line.interval_days, 0.01), max(1.0, line.variance / line.mean))
    return found


def _ahead(item: "Requirement") -> list[float]:
    """Return the mean demand of each of NEAR_DAYS days, beyond the order's days at its rate."""
    rate = item.line.mean / item.line.interval_days if item.line.interval_days > 0 else 0.0
    return [*item.daily, *[rate] * max(0, NEAR_DAYS + 1 - len(item.daily))]


def _last_day(lots: "Lots", today: dt.date) -> dt.date | None:
    return today + dt.timedelta(days=min(days for days, _ in lots)) if lots else None


def _fact(store_id: str, day: dt.date, sheet: "Sheet") -> SheetReported:
    return SheetReported(
        store_id,
        day,
        spares=[
            [sku, one.last_day.isoformat() if one.last_day else None, [list(pair) for pair in one.gains.items()]]
            for sku, one in sorted(sheet.spares.items())
        ],
        wants=[
            [sku, round(1000 * one.per_day), round(1000 * one.spread), [list(pair) for pair in one.gains.items()]]
            for sku, one in sorted(sheet.wants.items())
        ],
    )


def _read(body: dict[str, Any]) -> "Sheet":
    from supply.network.transfers.arithmetic import Sheet, Spare, Want

    try:
        return Sheet(
            {str(sku): Spare(_pairs(gains), door.day(last, "last day") if last else None)
             for sku, last, gains in body["spares"]},
            {str(sku): Want(_pairs(gains), _thousandth(rate), _thousandth(spread))
             for sku, rate, spread, gains in body["wants"]},
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as fault:
        raise Invalid("bad-sheet", "A store reported its surplus in a format this node does not know.") from fault


def _pairs(gains: Sequence[Sequence[int]]) -> dict[int, int]:
    return {door.number(qty, "qty", 1, MOST_QTY): door.number(minor, "gain", -door.MOST) for qty, minor in gains}


def _thousandth(reported: Any) -> float:
    return door.number(reported, "demand", 0, 1000 * MOST_QTY) / 1000
