"""What a store of its size can sell, take back and count: facts beyond that wait for a person and move nothing.

Rules
-----
1. A fact is weighed before it is written: each line, each sale, each product's day, and the day's units, money and
   number of sales. What exceeds a limit is set aside in the inbox with its figures (`config.nodes.inbox`), and counts
   nowhere: neither for demand, allocation, credit, ranking nor points.
2. A limit is MULTIPLE times the store's own good day: the GOOD-quantile of its last WINDOW_DAYS days. With fewer than
   LEAST_DAYS days of its own it is the good day of the middle other store of its region, or else of the network. Where
   nobody has a past, it is FIRST. It is never below LEAST.
3. However long a store lies, its limit never exceeds CEILING times the good day of the middle other store; of a store
   without any other beside it, CEILING_ALONE times FIRST. To raise its own good day it has to lie on a tenth of all
   days of its window.
4. Returns without a known receipt come in a day to no more than one product's limit, returns with one to no more than
   was sold. A return of a sale that waits, waits with it.
5. A person takes in what waits, which then counts on its own day like any other fact, or turns it down, with what
   depends on it. Both are journalled.
6. What a store reports of a day it wasted, expected and sold (`day_reports`) is weighed like a movement of stock.
7. A day's sums are kept as its facts arrive, so that a batch reads one row a day and asks the books for its own
   products alone. What a person took in becomes part of the store's past, but leaves the rest of its day the room it
   had.

Quantities in stock units, apart for each kind of unit; money in minor units.
"""

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, among, dialect_of, insert_into, lock_rows
from config.errors import Refused
from config.nodes import inbox, journal
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context
from config.nodes.outbox import Message
from config.words import N_
from pos.catalogue.catalogue import Product
from pos.facts import SaleCompleted, StockCounted, StockMoved
from pos.sold import OF_PRODUCT, Sale, SaleLine
from pos.store.store import Store
from supply.demand.day_reports import DayReported

WINDOW_DAYS, LEAST_DAYS = 364, 28
GOOD = 0.9
MULTIPLE, CEILING, CEILING_ALONE = 6, 60, 10
STOCK_DAYS = 30
"""A movement or a count of stock may be so many of the limits of a day's sales."""
MILLI = 1_000
"""Parts of a unit that a day's report counts in."""
SEND, WAITS_WITH = "implausible", "waits-with"
UNITS = ("each", "gram", "millilitre")
_WIDE = frozenset(UNITS[1:])
_LINE, _PRODUCT, _DAY, _BACK = (
    {unit: f"{kind}:{unit}" for unit in UNITS} for kind in ("line", "product", "day", "back")
)
Measures = dict[str, int]
"""What of a day is measured: sales, money, sale, and of each unit line:, product: and day:."""


def _by_unit(line: int, product: int, day: int) -> Measures:
    """Return the measures of every unit; a kilogram or a litre is taken for two pieces."""
    return {
        f"{name}:{unit}": qty * (1 if unit == "each" else 500)
        for unit in UNITS
        for name, qty in (("line", line), ("product", product), ("day", day))
    }


FIRST: Measures = {"sales": 3_000, "money": 10_000_000, "sale": 1_000_000, **_by_unit(1_000, 2_000, 20_000)}
LEAST: Measures = {"sales": 300, "money": 1_000_000, "sale": 200_000, **_by_unit(200, 300, 3_000)}


class PlausibleDay(Base):
    """What was taken of a store's day, in sums and highest values."""

    __tablename__ = "plausible_day"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    measures: Mapped[dict[str, Any]]
    let_in: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What a person took in of it: `ids`, and their `sums` among the measures (rule 7)."""


class PlausibleLimit(Base):
    """A store's good day and its limits, worked out at night. days: how many days of its own they stand on."""

    __tablename__ = "plausible_limit"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    good: Mapped[dict[str, Any]]
    most: Mapped[dict[str, Any]]


# --- limits ---


def limits(own: Measures | None, others: Sequence[Measures]) -> tuple[Measures, Measures]:
    """Return a store's usual and most of each measure (rules 2, 3). own: its good day, None while it has no past."""
    usual, most = {}, {}
    for name, first in FIRST.items():
        beside = _middle([one.get(name, 0) for one in others])
        usual[name] = own.get(name, 0) if own is not None else beside or 0
        limit = MULTIPLE * usual[name] if own is not None or beside is not None else first
        ceiling = CEILING_ALONE * first if beside is None else CEILING * beside
        most[name] = max(LEAST[name], min(limit, ceiling))
    return usual, most


def good_day(days: Sequence[Mapping[str, int]]) -> Measures:
    """Return the good day of a store's days, measure by measure."""
    rank = math.ceil(GOOD * len(days)) - 1
    return {name: sorted(day.get(name, 0) for day in days)[rank] for name in FIRST}


def refresh(session: Session, today: dt.date) -> int:
    """Work every store's limits out again; return how many stores there are."""
    regions = dict(session.execute(sa.select(Store.id, Store.region_id)).all())
    first = today - dt.timedelta(days=WINDOW_DAYS)
    row, days = PlausibleDay, dict[str, list[Mapping[str, int]]]()
    query = sa.select(row.store_id, row.measures).where(row.business_day >= first, row.business_day < today)
    for store_id, measures in session.execute(query):
        if measures.get("sales"):
            days.setdefault(store_id, []).append(measures)
    good = {store_id: good_day(some) for store_id, some in days.items() if len(some) >= LEAST_DAYS}
    for store_id, region_id in regions.items():
        others = _beside(store_id, region_id, good, regions)
        _keep_limit(session, store_id, len(days.get(store_id, ())), good.get(store_id), others)
    return len(regions)


def sizes(session: Session) -> dict[str, float]:
    """Return how many times the middle other store's good day each store's is, in money; of those with a past."""
    kept = sa.select(PlausibleLimit.store_id, PlausibleLimit.good).where(PlausibleLimit.days >= LEAST_DAYS)
    money = {store_id: int(good.get("money", 0)) for store_id, good in session.execute(kept)}
    ranked, found = sorted(money.values()), {}
    for store_id, own in money.items():
        others = ranked.copy()
        others.remove(own)
        if (middle := _middle(others)) is not None and middle > 0:
            found[store_id] = own / middle
    return found


# --- weighing ---


@dataclass(slots=True)
class _Weight:
    """What a fact comes to. tops: (measure, value, of what); products: SKU -> [unit, units, name]."""

    day: dt.date
    sums: Measures = field(default_factory=dict)
    tops: list[tuple[str, int, str]] = field(default_factory=list)
    products: dict[str, list[Any]] = field(default_factory=dict)
    refs: dict[tuple[str, int], list[Any]] = field(default_factory=dict)
    """(sale, line) -> [unit, units that come back, name]."""

    def add(self, name: str, value: int) -> None:
        """Add to a sum."""
        self.sums[name] = self.sums.get(name, 0) + value


class Judge:
    """Weighs what arrives of one store (rules 1, 4), each fact once and in the order it is asked about."""

    def __init__(self, store_id: str) -> None:
        self.store_id = store_id
        self._usual: Measures = {}
        self._most: Measures = {}
        self._books: dict[dt.date, Measures] = {}
        self._let_of: dict[dt.date, dict[str, Any]] = {}
        self._sold: dict[tuple[dt.date, str], int] = {}
        self._day_now: dict[dt.date, Measures] = {}
        self._sold_now: dict[tuple[dt.date, str], int] = {}
        self._left: dict[tuple[str, int], int] = {}
        self._weights: dict[str, _Weight | None] = {}
        self._verdicts: dict[str, Refused | None] = {}
        self._waiting: set[str] = set()
        self._let_in: set[str] = set()

    def read(self, session: Session, messages: Iterable[Message]) -> None:
        """Read what it takes to judge these facts, all at once."""
        fresh = [one for one in messages if one.topic in _WEIGHERS and one.id not in self._weights]
        if not fresh:
            return
        if not self._most:
            self._usual, most = _limits_of(session, self.store_id)
            self._most = {**most, **_derived(most)}
        units = _units_of(session, fresh)
        some = {message.id: weight for message in fresh if (weight := _weigh(message, units)) is not None}
        skus: dict[dt.date, set[str]] = {}
        for weight in some.values():
            skus.setdefault(weight.day, set()).update(weight.products)
        for day, (measures, let_in) in _days_of(
            session, self.store_id, sorted(skus.keys() - self._books.keys())
        ).items():
            self._books[day], self._let_of[day] = measures, let_in
            self._day_now[day] = {name: qty - let_in["sums"].get(name, 0) for name, qty in measures.items()}
        for day, wanted in skus.items():
            # of a day without sales nothing was sold: what comes first of a day asks for nothing
            unread = [sku for sku in wanted if self._books[day].get("sales") and (day, sku) not in self._sold]
            for sku, qty in _sold_on(session, self.store_id, day, unread, self._let_of[day]["ids"]).items():
                self._sold[day, sku] = self._sold_now[day, sku] = qty
        self._read_originals(session, some, fresh)
        self._weights |= {message.id: some.get(message.id) for message in fresh}

    def why(self, session: Session, message: Message) -> Refused | None:
        """Return why a fact has to wait; None for one that is plausible, or is of another topic."""
        if message.id not in self._verdicts:
            if message.id not in self._weights:
                self.read(session, [message])
            weight = self._weights.get(message.id)
            verdict = None if weight is None else self._weighed(weight)
            if verdict is not None:
                self._waiting.add(message.id)
            self._verdicts[message.id] = verdict
        return self._verdicts[message.id]

    def let_in(self, message: Message) -> None:
        """Take a fact for plausible because a person says so."""
        self._let_in.add(message.id)
        self._verdicts[message.id] = None

    def is_let_in(self, message: Message) -> bool:
        """Tell whether a person takes a fact in."""
        return message.id in self._let_in

    def is_unweighed(self, message: Message) -> bool:
        """Tell whether a fact should have been weighed and cannot be read: it is not let pass for that."""
        return message.topic in _WEIGHERS and self._weights.get(message.id, ...) is None

    def keep(self, session: Session, taken: Iterable[Message]) -> None:
        """Add what was taken to its days (rule 7)."""
        taken = list(taken)
        self.read(session, taken)
        changed = set()
        for message in taken:
            weight = self._weights.get(message.id)
            if weight is None:
                continue
            self._count(weight, message.id if self.is_let_in(message) else None)
            changed.add(weight.day)
        rows = [
            {"store_id": self.store_id, "business_day": day, "measures": self._books[day], "let_in": self._let_of[day]}
            for day in sorted(changed)
        ]
        if rows:
            insert = insert_into(PlausibleDay, dialect_of(session))
            kept = {name: insert.excluded[name] for name in ("measures", "let_in")}
            session.execute(insert.on_conflict_do_update(index_elements=["store_id", "business_day"], set_=kept), rows)

    def _count(self, weight: _Weight, let_in: str | None) -> None:
        """Add a fact to its day. let_in: its id, where a person took it in (rule 7)."""
        day, aside = self._books[weight.day], self._let_of[weight.day]
        for name, value in weight.sums.items():
            day[name] = day.get(name, 0) + value
            if let_in:
                aside["sums"][name] = aside["sums"].get(name, 0) + value
        for name, value, _of in weight.tops:
            if value > day.setdefault(name, 0):
                day[name] = value
        for sku, (unit, qty, _name) in weight.products.items():
            key, name = (weight.day, sku), _PRODUCT[unit]
            sold = self._sold.get(key, 0) + qty
            if sold > day.setdefault(name, 0):
                day[name] = sold
            if not let_in:
                self._sold[key] = sold
        if let_in:
            aside["ids"].append(let_in)

    def _weighed(self, weight: _Weight) -> Refused | None:
        """Judge one fact beside what was let pass before it, and count it if it passes, too."""
        most = self._most
        for name, value, what in weight.tops:
            if value > most[name]:
                return self._refusal(name, value, what)
        sums = weight.sums
        if weight.refs:
            sums = dict(sums)
            if (refusal := self._returned(weight, sums)) is not None:
                return refusal
        sold, on, after = self._sold_now, weight.day, {}
        for sku, (unit, qty, name) in weight.products.items():
            after[on, sku] = now = sold.get((on, sku), 0) + qty
            if now > most[_PRODUCT[unit]]:
                return self._refusal(_PRODUCT[unit], now, name)
        day = self._day_now[on]
        new = {name: day.get(name, 0) + value for name, value in sums.items()}
        for name, value in new.items():
            if sums[name] and value > most[name]:
                return self._refusal(name, value, "")
        day |= new
        sold |= after
        for key, (_unit, qty, _name) in weight.refs.items():
            if key in self._left:
                self._left[key] -= qty
        return None

    def _returned(self, weight: _Weight, sums: Measures) -> Refused | None:
        """Judge what comes back of sales (rule 4); what of an unknown sale does is added to `sums`."""
        for key, (unit, qty, name) in weight.refs.items():
            if key[0] in self._waiting:
                return Refused(WAITS_WITH, "It refunds a sale that is itself held for review.", sale=key[0])
            left = self._left.get(key)
            if left is None:
                sums[f"back:{unit}"] = sums.get(f"back:{unit}", 0) + qty
            elif qty > left:
                return Refused(
                    f"{SEND}-returned",
                    "%(value)s of %(name)s were returned, but only %(most)s from that sale can still be returned.",
                    kind="returned",
                    name=name,
                    value=qty,
                    most=left,
                    unit=unit,
                )
        return None

    def _read_originals(
        self, session: Session, weights: Mapping[str, _Weight], messages: Sequence[Message]
    ) -> None:  # fmt: skip
        """Read of the sales whose goods come back what is left to come back, and which of them wait (rule 4)."""
        asked = {sale_id for weight in weights.values() for sale_id, _n in weight.refs}
        if not asked:
            return
        line, mine = SaleLine, SaleLine.store_id == self.store_id
        lines = sa.select(line.sale_id, line.n, line.qty).where(mine, among(session, line.sale_id, asked))
        found = {(sale_id, n): int(qty) for sale_id, n, qty in session.execute(lines)}
        back = sa.select(line.returns_sale_id, line.returns_n, sa.func.sum(line.qty))
        back = back.where(mine, among(session, line.returns_sale_id, asked))
        for sale_id, n, qty in session.execute(back.group_by(line.returns_sale_id, line.returns_n)):
            key = (str(sale_id), int(n or 0))
            if key in found:
                found[key] += int(qty)
        for message in messages:  # sold and brought back in one batch
            if message.id in asked:
                sold = {(message.id, row["n"]): int(row["qty"]) for row in message.body["lines"] if row["qty"] > 0}
                found = sold | found
        self._left = found | self._left
        waiting = sa.select(InboxMessage.id).where(
            InboxMessage.from_node == self.store_id, among(session, InboxMessage.id, asked),
            InboxMessage.state.in_((inbox.PARKED, inbox.TURNED_DOWN)),
        )  # fmt: skip
        self._waiting |= set(session.scalars(waiting))

    def _refusal(self, name: str, value: int, what: str) -> Refused:
        kind, _, unit = name.partition(":")
        usual = {**self._usual, **_derived(self._usual)}.get(name, 0)
        words = N_(
            "%(value)s of %(name)s (%(of)s) is more than %(most)s, the highest plausible figure for this store. "
            "Someone at the network will check it first. Nothing is lost."
        )
        return Refused(
            f"{SEND}-{kind}", words, kind=kind, name=what or self.store_id, of=_WORDS[kind], value=value, usual=usual,
            most=self._most[name], unit=unit,
        )  # fmt: skip


# --- the operator's word ---


def record_taken_in(ctx: Context, store_id: str, ids: Collection[str]) -> None:
    """Journal that a person takes in what was set aside (rule 5)."""
    _record(ctx, "facts.taken_in", store_id, ids)


def turn_down(ctx: Context, store_id: str, ids: Collection[str]) -> list[str]:
    """Turn down what was set aside, with what depends on it (rule 5); return what changed."""
    done, more = [], list(ids)
    while more:
        done += (changed := inbox.turn_down(ctx.session, store_id, more))
        more = _depending_on(ctx.session, store_id, changed)
    _record(ctx, "facts.turned_down", store_id, done)
    return done


# --- inside ---

_WORDS = {
    "line": "in one line", "sale": "minor units in one sale", "product": "on one day", "day": "on one day in all",
    "sales": "sales on one day", "money": "minor units on one day", "back": "back on one day without a receipt",
    "stock": "in one movement of stock", "moved": "moved on one day in all",
    "wasted": "minor units wasted on one day", "expected": "expected or sold on one day",
}  # fmt: skip
_DERIVED = {"back": (1, "product"), "stock": (STOCK_DAYS, "product"), "moved": (STOCK_DAYS, "day")}
"""Kinds whose limit is so many times another's."""


def _derived(measures: Measures) -> Measures:
    """Return the measures that follow from others."""
    sold = measures.get(_DAY["each"], 0) + sum(measures.get(_DAY[unit], 0) for unit in _WIDE) // MILLI
    return {
        f"{kind}:{unit}": times * measures.get(f"{like}:{unit}", 0)
        for kind, (times, like) in _DERIVED.items()
        for unit in UNITS
    } | {"wasted": STOCK_DAYS * measures.get("money", 0), "expected": STOCK_DAYS * sold}


def _weigh_sale(body: Mapping[str, Any], units: Mapping[str, str]) -> _Weight:
    weight = _Weight(dt.date.fromisoformat(body["business_day"]))
    total, highest = abs(body["total_minor"]), dict[str, tuple[int, str]]()
    products, weight.sums = weight.products, {"sales": 1, "money": total}
    for line in body["lines"]:
        sku, qty, unit, name = _text(line["sku"]), line["qty"], line["stock_unit"], line["name"]
        if unit != "each":
            unit = units.get(sku, unit if unit in _WIDE else "each")
        if qty < 0:
            if (sale_id := line.get("returns_sale_id")) is not None:
                weight.refs.setdefault((_text(sale_id), line["returns_n"]), [unit, 0, name])[1] -= qty
            elif line.get("price_type") != "empties":
                weight.add(_BACK[unit], -qty)
            qty = -qty
        if qty > highest.get(unit, (-1, ""))[0]:
            highest[unit] = qty, name
        if (row := products.get(sku)) is None:
            products[sku] = [unit, qty, name]
        else:
            row[1] += qty
    for unit, (qty, name) in highest.items():
        weight.tops.append((_LINE[unit], qty, str(name)))
    weight.tops.append(("sale", total, ""))
    sums = weight.sums
    for unit, qty, _name in products.values():
        name = _DAY[unit]
        sums[name] = sums.get(name, 0) + qty
    return weight


def _weigh_stock(body: Mapping[str, Any], units: Mapping[str, str]) -> _Weight:
    weight = _Weight(dt.date.fromisoformat(body["business_day"]))
    moved = [(_text(sku), qty) for _key, sku, qty, _source, _target in body["movements"]]
    for sku, qty in moved:
        unit = units.get(sku, "gram")
        weight.tops.append((f"stock:{unit}", abs(qty), sku))
        weight.add(f"moved:{unit}", abs(qty))
    if "counted_qty" in body:
        sku = _text(body["sku"])
        weight.tops.append((f"stock:{units.get(sku, 'gram')}", abs(body["counted_qty"]), sku))
    return weight


def _weigh_report(body: Mapping[str, Any], _units: Mapping[str, str]) -> _Weight:
    wasted = max(body["waste_cost_minor"], body["waste_value_minor"])
    expected = max(body["forecast_milli"], body["sold_milli"]) // MILLI
    tops = [("wasted", wasted, ""), ("expected", expected, "")]
    return _Weight(dt.date.fromisoformat(body["business_day"]), tops=tops)


_WEIGHERS = {
    SaleCompleted.TOPIC: _weigh_sale, StockCounted.TOPIC: _weigh_stock, StockMoved.TOPIC: _weigh_stock,
    DayReported.TOPIC: _weigh_report,
}  # fmt: skip


def _weigh(message: Message, units: Mapping[str, str]) -> _Weight | None:
    """Return what a fact comes to; None where it cannot be read, which its applier refuses in words."""
    try:
        return _WEIGHERS[message.topic](message.body, units)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    """Return a told key that any database can be asked for; raises TypeError or ValueError."""
    if type(value) is not str or "\0" in value:
        raise TypeError
    if not value.isascii():
        value.encode()
    return value


def _units_of(session: Session, messages: Iterable[Message]) -> dict[str, str]:
    """Return the catalogue's unit of products of which a wide unit was told, or none: no store chooses its limit."""
    skus = set()
    for message in messages:
        try:
            if message.topic == SaleCompleted.TOPIC:
                reported = [line["sku"] for line in message.body["lines"] if line["stock_unit"] != "each"]
            else:
                reported = [row[1] for row in message.body["movements"]] + [message.body.get("sku", "")]
            skus |= {_text(sku) for sku in reported}
        except (AttributeError, LookupError, TypeError, ValueError):
            continue
    if not skus:
        return {}
    query = sa.select(Product.sku, Product.stock_unit).where(among(session, Product.sku, skus))
    return dict(session.execute(query).all())


def _limits_of(session: Session, store_id: str) -> tuple[Measures, Measures]:
    """Return a store's usual and most; of one that was never looked at they are worked out now."""
    row = session.get(PlausibleLimit, store_id)
    if row is None:
        regions = dict(session.execute(sa.select(Store.id, Store.region_id)).all())
        kept = sa.select(PlausibleLimit.store_id, PlausibleLimit.good).where(PlausibleLimit.days >= LEAST_DAYS)
        good = {key: dict(measures) for key, measures in session.execute(kept)}
        _keep_limit(session, store_id, 0, None, _beside(store_id, regions.get(store_id, ""), good, regions))
        row = session.get_one(PlausibleLimit, store_id)
    return row.good, row.most


def _keep_limit(session: Session, store_id: str, days: int, own: Measures | None, others: Sequence[Measures]) -> None:
    usual, most = limits(own, others)
    insert = insert_into(PlausibleLimit, dialect_of(session)).values(
        store_id=store_id, days=days if own is not None else 0, good=usual, most=most
    )
    kept = {name: insert.excluded[name] for name in ("days", "good", "most")}
    session.execute(insert.on_conflict_do_update(index_elements=["store_id"], set_=kept))


def _beside(
    store_id: str, region_id: str, good: Mapping[str, Measures], regions: Mapping[str, str]
) -> list[Measures]:  # fmt: skip
    """Return the good days of a region's other stores, or of the whole network's where it has none (rule 2)."""
    others = {key: one for key, one in good.items() if key != store_id}
    near = [one for key, one in others.items() if regions.get(key) == region_id]
    return near or list(others.values())


def _middle(values: Sequence[int]) -> int | None:
    """Return the middle value, of two middle ones the lower; None of none."""
    return sorted(values)[(len(values) - 1) // 2] if values else None


def _days_of(
    session: Session, store_id: str, days: Sequence[dt.date]
) -> dict[dt.date, tuple[Measures, dict[str, Any]]]:  # fmt: skip
    """Return days' sums and what was let in of them, rows locked; of a day without a row the sums of the books."""
    if not days:
        return {}
    row = PlausibleDay
    query = sa.select(row.business_day, row.measures, row.let_in).where(row.store_id == store_id)
    query = query.where(row.business_day.in_(days)).order_by(row.business_day)
    found = {}
    for day, measures, let_in in session.execute(lock_rows(session, query)):
        found[day] = dict(measures), {"ids": list(let_in.get("ids", ())), "sums": dict(let_in.get("sums", {}))}
    for day in days:
        if day not in found:
            found[day] = _of_books(session, store_id, day), {"ids": [], "sums": {}}
    return found


def _of_books(session: Session, store_id: str, day: dt.date) -> Measures:
    """Return a day's sums as its sales in the books have them."""
    total, mine = sa.func.abs(Sale.total_minor), (Sale.store_id == store_id, Sale.business_day == day)
    sums = sa.select(sa.func.count(), sa.func.sum(total), sa.func.max(total))
    count, money, highest = session.execute(sums.where(*mine)).one()
    if not count:
        return {}
    measures: Measures = {"sales": int(count), "money": int(money), "sale": int(highest)}
    qty = sa.func.abs(SaleLine.qty)
    lines = _lines_on(session, store_id, day, SaleLine.stock_unit, sa.func.sum(qty), sa.func.max(qty))
    for _sku, unit, sold, line in session.execute(lines.group_by(SaleLine.stock_unit)):
        unit = unit if unit in UNITS else "each"
        measures[f"day:{unit}"] = measures.get(f"day:{unit}", 0) + int(sold)
        for name, value in ((f"product:{unit}", int(sold)), (f"line:{unit}", int(line))):
            measures[name] = max(measures.get(name, 0), value)
    return measures


def _sold_on(
    session: Session, store_id: str, day: dt.date, skus: Collection[str], but: Collection[str]
) -> dict[str, int]:  # fmt: skip
    """Return what of some products was sold and came back on a day, both added up. but: sales left out."""
    if not skus:
        return {}
    query = _lines_on(session, store_id, day, sa.func.sum(sa.func.abs(SaleLine.qty)))
    if but:
        query = query.where(SaleLine.sale_id.not_in(but))
    found = dict.fromkeys(skus, 0)
    found.update({sku: int(qty) for sku, qty in session.execute(query.where(among(session, SaleLine.sku, skus)))})
    return found


def _lines_on(session: Session, store_id: str, day: dt.date, *columns: Any) -> Any:
    """Ask for the lines of a store's day by product, by the way each database finds them soonest."""
    if dialect_of(session) != "sqlite":
        query = sa.select(SaleLine.sku, *columns).where(SaleLine.store_id == store_id, SaleLine.business_day == day)
        return query.group_by(SaleLine.sku)
    of_sale = sa.and_(SaleLine.store_id == Sale.store_id, SaleLine.sale_id == Sale.id)
    query = sa.select(OF_PRODUCT, *columns).join_from(Sale, SaleLine, of_sale)
    return query.where(Sale.store_id == store_id, Sale.business_day.between(day, day)).group_by(OF_PRODUCT)


def _depending_on(session: Session, store_id: str, ids: Collection[str]) -> list[str]:
    """Return what waits of a store and tells of one of these: what came back of a sale, or points for it."""
    if not ids:
        return []
    row, about = InboxMessage, set(ids)
    waiting = session.scalars(sa.select(row).where(row.from_node == store_id, row.state == inbox.PARKED))
    return [one.id for one in waiting if about & _reported_of(inbox.inbox_message(one).body)]


def _reported_of(body: Mapping[str, Any]) -> set[str]:
    lines = body.get("lines")
    reported = (
        [line.get("returns_sale_id") for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    )
    return {one for one in [body.get("sale_id"), *reported] if isinstance(one, str)}


def _record(ctx: Context, verb: str, store_id: str, ids: Collection[str]) -> None:
    journal.record(ctx, verb=verb, subject=f"store:{store_id}", ids=sorted(ids)[:200])
