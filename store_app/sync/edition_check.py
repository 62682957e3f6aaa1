"""Checks an edition as strictly as a fact before a store takes it over: the network may be wrong, or somebody else.

Rules
-----
1. An edition with one bad row is refused whole, with the row named; what the store has stays in use (I19).
2. Texts have no control characters, none that turn the reading direction, and a length; numbers are whole where they
   count, finite, and within bounds; days lie within reach.
3. An edition neither changes nor takes over a store's own products, codes, tax classes and suppliers. A code of
   a store's own product is left to it; any other claim refuses the edition.
4. A price is above zero, unless the cashier types it or nothing is charged for such a thing. One that moves more than
   MOST_JUMP-fold needs the shopkeeper's leave for that very edition.
"""

import datetime as dt
import json
import math
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from config.errors import Invalid
from config.money import BASIS, MAX_MINOR
from config.nodes.node import this_node
from config.nodes.publication import EVERYONE, RefusedEdition
from config.words import N_
from pos.catalogue import offers
from pos.catalogue.catalogue import MOST_SEARCHED, Barcode, Price, Product, TaxClass
from pos.pricing import promises
from pos.store.store import Store, day_of
from supply.demand.surroundings import MOST_DAYS
from supply.orders import delivery_calendar
from supply.orders.suppliers import MOST_PACK_QTY, MOST_PACKS, Supplier

MOST_JUMP = 10
LONGEST, LONGEST_OF = 200, {"lessons": 60_000, "demand": 10_000, "suppliers": 2_400}
"""Letters of a text; some kinds carry longer ones."""
MOST_ROWS, MOST_NUMBER, MOST_DEPTH = 500_000, 10**14, 8
DAYS_BACK, DAYS_AHEAD = 20 * 366, 3 * 366
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES = frozenset("\n\r\t")
_FREE = ("voucher", "service")
"""Kinds of products that may cost nothing."""


def check(session: Session, kind: str, body: dict[str, Any], sha256: str = "") -> None:
    """Refuse (Invalid) an edition that must not be taken over; a row that is the store's to keep is taken out of it."""
    try:
        for place, value in _leaves(body, kind):
            _check_leaf(kind, place, value)
        shape = _SHAPES.get(kind)
        if shape is not None:
            shape.model_validate_json(json.dumps(body))
    except ValidationError as fault:
        first = fault.errors()[0]
        raise _refused("shape", kind, [*first["loc"]], why=first["msg"]) from fault
    store = session.scalar(sa.select(Store).where(Store.id == this_node(session).id))
    if store is None:
        return
    today = day_of(session, store.id, _now(session))
    _check_scope(kind, body, store)
    if kind == "catalogue":
        _check_catalogue(session, body, today, sha256)
    elif kind == "offers":
        _check_offers(body)
    elif kind == "suppliers":
        _check_suppliers(session, body)
    for place, day in _days_of(kind, body):
        if not today - dt.timedelta(days=DAYS_BACK) <= day <= today + dt.timedelta(days=DAYS_AHEAD):
            raise _refused("day", kind, place, day=day.isoformat())


# --- shapes ---


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def _iso(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError("a day is written as 2026-03-01")
    dt.date.fromisoformat(value)
    return value


def _calendar(value: dict[str, str]) -> dict[str, str]:
    try:
        delivery_calendar.read(value)
    except Invalid as fault:
        raise ValueError(fault.message) from fault
    return value


Day = Annotated[str, BeforeValidator(_iso)]
Id = Annotated[str, Field(min_length=1, max_length=80)]
Name = Annotated[str, Field(min_length=1, max_length=160)]
Names = dict[Annotated[str, Field(pattern="^[a-z]{2,3}$")], Name]
"""By language: a network may know one that this store's version does not."""
Minor = Annotated[int, Field(ge=0, le=MAX_MINOR)]
Tenths = Annotated[int, Field(ge=-900, le=30_000)]
Qty = Annotated[int, Field(ge=1, le=MOST_PACK_QTY)]


class _TaxClass(_Shape):
    id: Annotated[str, Field(min_length=1, max_length=40, pattern="^[^:]*$")]
    name: Name
    rate_bp: int = Field(ge=0, le=BASIS)
    inclusive: bool
    owner_id: Literal["*"] = "*"


class _Product(_Shape):
    sku: Annotated[str, Field(min_length=1, max_length=64)]
    name: Name
    names: Names | None
    brand: str = ""
    category: str
    department: str = ""
    pack_text: str = ""
    stock_unit: Literal["each", "gram", "millilitre"] = "each"
    price_quantity: int = Field(default=1, ge=1, le=1_000_000)
    tax_class_id: Id
    minimum_age: int | None = Field(default=None, ge=0, le=120)
    maximum_qty: int | None = Field(default=None, ge=1, le=10_000_000)
    shelf_life_days: int | None = Field(default=None, ge=0, le=10_000)
    active: bool = True
    kind: Literal["goods", "deposit", "service", "voucher"] = "goods"
    deposit_sku: str | None = None
    price_typed: bool = False
    owner_id: Literal["*"]
    search_text: str = ""


class _CategoryNames(_Shape):
    owner_id: Literal["*"]
    name: Name
    names: Names
    search_text: str = ""


def _once(key: str) -> AfterValidator:
    def check(rows: list[Any]) -> list[Any]:
        if len({getattr(row, key) for row in rows}) < len(rows):
            raise ValueError(f"one {key} is in it twice")
        return rows

    return AfterValidator(check)


class _Catalogue(_Shape):
    store_id: str
    tax_classes: list[_TaxClass]
    products: Annotated[list[_Product], _once("sku")]
    category_names: Annotated[list[_CategoryNames], _once("name")]
    barcodes: list[tuple[Annotated[str, Field(min_length=1, max_length=64)], str, Qty]]
    prices: list[tuple[str, Day, Minor]]


class _Offer(_Shape):
    id: Id
    name: Name
    kind: str
    from_day: Day | None
    until_day: Day | None
    needs_coupon: bool
    terms: dict[str, Any]
    made_by: str
    made_at: str
    ended_at: str | None
    codes: list[list[Any]]


class _Offers(_Shape):
    offers: list[_Offer] = Field(max_length=5_000)


class _Supplier(_Shape):
    id: Id
    name: Name
    kind: Literal["network"]
    calendar: Annotated[dict[str, str], AfterValidator(_calendar)]
    minimum_minor: Minor
    warehouse_id: str | None


class _Suppliers(_Shape):
    suppliers: list[_Supplier]
    products: list[tuple[str, str, Qty, Minor, Annotated[int, Field(ge=1, le=MOST_PACKS)], Day | None]]
    clocks: list[tuple[str, str]] = []
    served: list[tuple[Literal["store", "region"], str, str]] = []


class _Demand(_Shape):
    region_id: str
    first_day: Day
    open: list[Annotated[int, Field(ge=0, le=1_000_000)]] = Field(min_length=1, max_length=800)
    rows: list[tuple[str, Minor, str, str, str, str]]


class _Forecast(_Shape):
    region_id: str
    origin_day: Day
    run_id: Id
    signal: dict[str, Any]


class _Surroundings(_Shape):
    region_id: str
    school: list[tuple[Name, Day, Day]] = Field(max_length=2_000)
    weather: list[tuple[Day, Tenths | None, Tenths | None]]


class _Compare(_Shape):
    scope: str
    figures: list[tuple[str, str, int, Day]]


class _SchemeDay(_Shape):
    from_day: Day
    name: Name
    currency: str = Field(min_length=3, max_length=3)
    active: bool
    points: int = Field(ge=0, le=10_000)
    per_minor: int = Field(ge=1, le=MAX_MINOR)
    worth_minor: int = Field(ge=0, le=MAX_MINOR)
    least_points: int = Field(ge=0, le=10**9)
    expiry_months: int = Field(ge=0, le=1_200)
    lapsed_to: Literal["stores", "network"]
    notice_days: int = Field(ge=0, le=3_660)


class _Points(_Shape):
    days: list[_SchemeDay] = Field(max_length=2_000)


class _Lessons(_Shape):
    lessons: list[tuple[Id, dict[str, str], str, str]] = Field(max_length=500)


_SHAPES: dict[str, type[_Shape]] = {
    "catalogue": _Catalogue, "offers": _Offers, "suppliers": _Suppliers, "demand": _Demand, "forecast": _Forecast,
    "surroundings": _Surroundings, "compare": _Compare, "points": _Points, "lessons": _Lessons,
}  # fmt: skip


# --- inside ---


def _leaves(value: Any, kind: str, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield every text and number of a body, names of things too, with its place."""
    if len(place) > MOST_DEPTH:
        raise _refused("shape", kind, place, why="it is nested too deeply")
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*place, str(key)[:40]), key
            yield from _leaves(one, kind, (*place, str(key)[:40]))
    elif isinstance(value, list):
        if len(value) > MOST_ROWS:
            raise _refused("shape", kind, place, why=f"it has more than {MOST_ROWS:,} rows")
        for n, one in enumerate(value):
            yield from _leaves(one, kind, (*place, n))
    else:
        yield place, value


def _check_leaf(kind: str, place: tuple[str | int, ...], value: Any) -> None:
    if isinstance(value, str):
        if value.isascii() and value.isprintable():
            pass
        elif any(_is_control(letter) and not (kind == "lessons" and letter in _LINES) for letter in value):
            raise _refused("letters", kind, place)
        longest = MOST_SEARCHED if place[-1:] == ("search_text",) else LONGEST_OF.get(kind, LONGEST)
        if len(value) > longest:
            raise _refused("long", kind, place, most=longest)
    elif (isinstance(value, float) and not math.isfinite(value)) or (
        isinstance(value, int | float) and abs(value) > MOST_NUMBER
    ):
        raise _refused("number", kind, place)


def _is_control(letter: str) -> bool:
    return letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs")


def _check_scope(kind: str, body: dict[str, Any], store: Store) -> None:
    """Refuse what is another store's or region's (rule 3)."""
    for name, allowed in (
        ("store_id", (store.id,)), ("region_id", (store.region_id,)), ("scope", (store.region_id, EVERYONE)),
    ):  # fmt: skip
        if name in body and body[name] not in allowed:
            raise _refused("scope", kind, (name,))


def _check_catalogue(session: Session, body: dict[str, Any], today: dt.date, sha256: str) -> None:
    own = dict(session.execute(sa.select(Product.sku, Product.name).where(Product.owner_id != EVERYONE)).all())
    named = {row["sku"]: row for row in body["products"]}
    taxes = dict(session.execute(sa.select(TaxClass.id, TaxClass.name).where(TaxClass.owner_id != EVERYONE)).all())
    for table, key, ours in (
        ("products", "sku", own),
        ("tax_classes", "id", taxes),
        ("products", "tax_class_id", taxes),
    ):
        for n, row in enumerate(body[table]):
            if row[key] in ours:
                raise _refused("own", "catalogue", (table, n, key), name=ours[row[key]])
    known = {code: sku for code, sku in session.execute(sa.select(Barcode.code, Barcode.sku)) if sku in own}
    body["barcodes"] = [row for row in body["barcodes"] if row[0] not in known]
    for name in ("barcodes", "prices"):
        for n, row in enumerate(body[name]):
            if row[1 if name == "barcodes" else 0] not in named:
                raise _refused("own", "catalogue", (name, n), name=str(row[0]))
    present = _present_prices(session, today)
    allowed = session.get(RefusedEdition, "catalogue")
    is_allowed = allowed is not None and allowed.allowed_at is not None and allowed.sha256 == sha256
    jumps = []
    for n, (sku, _from_day, price) in enumerate(body["prices"]):
        if price == 0 and not (named[sku].get("price_typed") or named[sku].get("kind") in _FREE):
            raise _refused("free", "catalogue", ("prices", n), name=named[sku]["name"])
        before = present.get(sku, 0)
        if before and price and not before / MOST_JUMP <= price <= before * MOST_JUMP:
            jumps.append((n, sku))
    if jumps and not is_allowed:
        (n, sku), *more = jumps
        reported = {"name": named[sku]["name"], "times": MOST_JUMP, "more": len(more)}
        raise _refused("price-jump", "catalogue", ("prices", n), **reported)


def _present_prices(session: Session, today: dt.date) -> dict[str, int]:
    """Return the network's prices that hold on a day."""
    rows = sa.select(Price.sku, Price.price_minor).where(Price.scope_id == EVERYONE, Price.from_day <= today)
    return dict(session.execute(rows.order_by(Price.from_day)).all())


def _check_offers(body: dict[str, Any]) -> None:
    for n, row in enumerate(body["offers"]):
        try:
            promises.check(offers.as_offer(_standing(row)))
        except Invalid as fault:
            raise _refused("shape", "offers", ("offers", n), why=fault.message) from fault
        except (KeyError, TypeError, ValueError) as fault:
            raise _refused("shape", "offers", ("offers", n), why=type(fault).__name__) from fault


def _standing(row: dict[str, Any]) -> offers.StandingOffer:
    first, last = (dt.date.fromisoformat(row[name]) if row[name] else None for name in ("from_day", "until_day"))
    return offers.StandingOffer(
        id=row["id"], name=row["name"], kind=row["kind"], terms=row["terms"], needs_coupon=row["needs_coupon"],
        from_day=first, until_day=last,
    )  # fmt: skip


def _check_suppliers(session: Session, body: dict[str, Any]) -> None:
    own = set(session.scalars(sa.select(Supplier.id).where(Supplier.owner_id != EVERYONE)))
    for n, row in enumerate(body["suppliers"]):
        if row["id"] in own:
            raise _refused("own", "suppliers", ("suppliers", n, "id"), name=row["name"])
    named = {row["id"] for row in body["suppliers"]}
    for n, row in enumerate(body["products"]):
        if row[0] not in named:
            raise _refused("own", "suppliers", ("products", n), name=str(row[0]))
    zones = available_timezones()
    for n, (_house, tz) in enumerate(body.get("clocks", ())):
        if tz not in zones:
            raise _refused("shape", "suppliers", ("clocks", n), why=f"there is no zone {tz:.40}")


def _days_of(kind: str, body: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dt.date]]:
    """Yield the days an edition speaks of, with their places; spells of school holidays by their ends."""
    named: Iterator[tuple[tuple[str | int, ...], Any]]
    if kind == "catalogue":
        named = (((("prices", n)), row[1]) for n, row in enumerate(body["prices"]))
    elif kind == "demand":
        named = iter([(("first_day",), body["first_day"])])
    elif kind == "forecast":
        named = iter([(("origin_day",), body["origin_day"])])
    elif kind == "points":
        named = ((("days", n), row["from_day"]) for n, row in enumerate(body["days"]))
    elif kind == "surroundings":
        for n, (_name, first, last) in enumerate(body["school"]):
            begins, ends = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
            if not 0 <= (ends - begins).days < MOST_DAYS:
                raise _refused("day", kind, ("school", n), day=last)
        named = ((("school", n), row[1]) for n, row in enumerate(body["school"]))
        yield from ((("weather", n), dt.date.fromisoformat(row[0])) for n, row in enumerate(body["weather"]))
    else:
        return
    yield from ((place, dt.date.fromisoformat(day)) for place, day in named)


def _now(session: Session) -> dt.datetime:
    node = this_node(session)
    return node.last_contact_at or node.born_at


def _refused(code: str, kind: str, place: Any, **facts: Any) -> Invalid:
    """Return the refusal of an edition; the sentence names the row as a spreadsheet would, from 1."""
    where = ", ".join(f"#{part + 1}" if isinstance(part, int) else str(part) for part in place) or "–"
    return Invalid(f"edition-{code}", _WORDS[code], edition=kind, place=where, **facts)


_WORDS = {
    "letters": N_("The network's %(edition)s contains control characters (%(place)s)."),
    "long": N_("The network's %(edition)s contains a text longer than %(most)s characters (%(place)s)."),
    "number": N_("The network's %(edition)s contains an invalid number (%(place)s)."),
    "day": N_("The network's %(edition)s contains an invalid date, %(day)s (%(place)s)."),
    "shape": N_("The network's %(edition)s is invalid (%(place)s: %(why)s)."),
    "scope": N_("The network’s %(edition)s is for another store (%(place)s)."),
    "own": N_("The network's %(edition)s would overwrite your own %(name)s (%(place)s)."),
    "free": N_("The network's %(edition)s sets the price of %(name)s to zero (%(place)s)."),
    "price-jump": N_(
        "The network's %(edition)s changes the price of %(name)s by a factor of more than %(times)s "
        "(%(place)s), and %(more)s more."
    ),
}
