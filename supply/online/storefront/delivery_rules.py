"""Whether, where and when a store brings online orders home, and for how much, as the till rings it.

Rules
-----
1. A store brings home to the places it names, and to a position the customer's phone tells, within its radius: the way
   there (`distances`), not the crow's flight. An address is never guessed.
2. It brings nothing below its minimum; from `free_from_minor` on the way costs nothing. Goods count as they are
   charged, after offers.
3. Its windows are times of its day, the same on every day it is open; each takes so many orders, the first one that
   begins `lead_minutes` from now at the earliest.
4. The fee's line is a product of the store's own, a service: it has a tax class like any other and nothing of it is
   stocked.
5. It is rung at the price promised with the order; an order brought for nothing has no such line.

Units: *_minor currency minor units; places in millionths of a degree (e6); minutes of the store's day.
"""

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import Invalid, Refused
from config.nodes.journal import Context
from config.words import N_
from pos.catalogue import assortment
from pos.catalogue.catalogue import Product
from pos.store.store import store_of
from supply.online import home_delivery
from supply.online.orders import PickupOrder
from supply.online.storefront import availability, storefront
from supply.online.storefront.price import Promise, cost
from supply.online.storefront.time_slots import Hours, Window
from supply.routing.distances import Point, way_m

MOST_WINDOWS, MOST_PLACES = 8, 200
MOST_RADIUS_M, MOST_ORDERS, MOST_LEAD = 20_000, 100, 24 * 60


@dataclass(frozen=True)
class NamedPlace:
    """An estate, a street or a house the store brings to, by its name."""

    name: str
    lat_e6: int
    lon_e6: int


@dataclass(frozen=True)
class Address:
    """Where a customer wants an order brought. place: one the store names; '' with a position of the phone."""

    place: str
    street: str
    note: str = ""
    lat_e6: int | None = None
    lon_e6: int | None = None


@dataclass(frozen=True)
class DeliveryRules:
    """What the shopkeeper settled. fee_minor: the price of the line; charged_minor: with the tax that comes on top."""

    on: bool = False
    lat_e6: int | None = None
    lon_e6: int | None = None
    radius_m: int = 2_000
    fee_minor: int = 0
    charged_minor: int = 0
    free_from_minor: int | None = None
    minimum_minor: int = 0
    windows: tuple[tuple[int, int], ...] = ((11 * 60, 13 * 60), (17 * 60, 20 * 60))
    window_orders: int = 6
    lead_minutes: int = 45
    days_ahead: int = 2
    cash_at_door: bool = True
    places: tuple[NamedPlace, ...] = ()

    def __post_init__(self) -> None:
        for name, least, most in (
            ("radius_m", 100, MOST_RADIUS_M), ("window_orders", 1, MOST_ORDERS), ("lead_minutes", 0, MOST_LEAD),
            ("days_ahead", 0, 14),
        ):  # fmt: skip
            if not least <= getattr(self, name) <= most:
                words = N_("%(field)s: %(least)s to %(most)s.")
                raise Invalid("bad-rule-number", words, field=name, least=least, most=most)
        if self.on and self.at is None:
            raise Invalid("no-store-place", "Set your store's location first; routes need it.", field="lat")
        if not 1 <= len(self.windows) <= MOST_WINDOWS:
            raise Invalid("bad-windows", "Enter one to eight delivery times.", field="windows")
        crosses = any(one[1] > other[0] for one, other in itertools.pairwise(self.windows))
        if crosses or any(start >= end for start, end in self.windows):
            raise Invalid("crossing-windows", "Each time must end after it starts, without overlaps.", field="windows")

    @property
    def at(self) -> Point | None:
        """Where the store is, in degrees."""
        if self.lat_e6 is None or self.lon_e6 is None:
            return None
        return self.lat_e6 / 1e6, self.lon_e6 / 1e6

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "DeliveryRules":
        """Read the rules as they are kept and travel; what is not known is left out."""
        known = {field.name for field in fields(cls)}
        found = {name: value for name, value in kept.items() if name in known}
        if "windows" in found:
            found["windows"] = tuple((int(start), int(end)) for start, end in found["windows"])
        if "places" in found:
            found["places"] = tuple(NamedPlace(**place) for place in found["places"])
        return cls(**found)

    def to_body(self) -> dict[str, Any]:
        """Return the rules as they are kept and travel."""
        return {**asdict(self), "windows": [list(one) for one in self.windows],
                "places": [asdict(one) for one in self.places]}  # fmt: skip

    def fee_for(self, goods_minor: int) -> tuple[int, int]:
        """Return the price of bringing goods of so much, and what is charged for it (rule 2)."""
        free = self.free_from_minor is not None and goods_minor >= self.free_from_minor
        return (0, 0) if free else (self.fee_minor, self.charged_minor)


COMMAND = "home delivery"


def read_places(text: str) -> tuple[NamedPlace, ...]:
    """Read lines 'Sunrise Estate, 31.2304, 121.4737'; the first line that cannot be read is named."""
    found: dict[str, NamedPlace] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, *rest = [part.strip() for part in re.split(r"[,，\t]", line)]
        point = read_point(*rest) if len(rest) == 2 else None
        if point is None or not name or len(name) > 60:
            raise Invalid(
                "bad-place-line", "Line %(line)s: enter a name, then latitude and longitude in degrees.",
                field="places", line=number,
            )  # fmt: skip
        found[name] = NamedPlace(name, *point)
    if len(found) > MOST_PLACES:
        raise Invalid("too-many-places", "Enter up to %(most)s locations.", field="places", most=MOST_PLACES)
    return tuple(found.values())


def read_point(lat: str, lon: str) -> tuple[int, int] | None:
    """Read degrees such as '31.2304' as millionths; None for what is no place on earth."""
    if not all(re.fullmatch(r"-?\d{1,3}(\.\d{1,12})?", text.strip(), re.ASCII) for text in (lat, lon)):
        return None
    point = round(float(lat) * 1e6), round(float(lon) * 1e6)
    return point if abs(point[0]) <= 90_000_000 and abs(point[1]) <= 180_000_000 else None


def located(rules: DeliveryRules, wanted: Address, goods_minor: int) -> Address:
    """Return the address with its position, or refuse what the store does not bring there (rules 1, 2)."""
    if not rules.on or rules.at is None:
        raise Refused("no-home-delivery", "This store does not deliver now. Choose pickup instead.", field="way")
    if goods_minor < rules.minimum_minor:
        raise Refused(
            "below-delivery-minimum", "Your order is below the store's minimum for delivery.", field="way",
            minimum_minor=rules.minimum_minor,
        )  # fmt: skip
    named = next((one for one in rules.places if wanted.place and one.name == wanted.place), None)
    if named is None and (wanted.place or wanted.lat_e6 is None or wanted.lon_e6 is None):
        raise Invalid("no-address", "Choose a delivery location, or share your phone's location.", field="place")
    lat, lon = (named.lat_e6, named.lon_e6) if named else (wanted.lat_e6 or 0, wanted.lon_e6 or 0)
    if not wanted.street.strip():
        raise Invalid("no-door", "Enter your building, floor and apartment so we can find you.", field="street")
    if (far := way_m(rules.at, (lat / 1e6, lon / 1e6))) > rules.radius_m:
        raise Refused(
            "too-far", "You are %(metres)s m away; the store delivers up to %(radius_m)s m.", field="place",
            metres=far, radius_m=rules.radius_m,
        )  # fmt: skip
    return Address(wanted.place, wanted.street.strip(), wanted.note.strip(), lat, lon)


def in_reach(rules: DeliveryRules) -> list[NamedPlace]:
    """Return the named places within the radius, by name."""
    here = rules.at
    near = [one for one in rules.places if here and way_m(here, (one.lat_e6 / 1e6, one.lon_e6 / 1e6)) <= rules.radius_m]
    return sorted(near, key=lambda one: one.name)


def windows(
    rules: DeliveryRules, hours: Hours, now: dt.datetime, waiting: Sequence[dt.datetime | None]
) -> list[Window]:
    """Return the windows from now on, full ones too (rule 3). waiting: the start of every order not yet brought."""
    zone, taken = ZoneInfo(hours.tz), Counter(waiting)
    first = now + dt.timedelta(minutes=rules.lead_minutes)
    today = now.astimezone(zone).date()
    found = []
    days = [today + dt.timedelta(days=n) for n in range(rules.days_ahead + 1)]
    for day in filter(hours.on, days):
        for span in rules.windows:
            start, end = (_instant(day, minute, zone) for minute in span)
            if start >= first:
                found.append(Window(start, end, max(0, rules.window_orders - taken[start])))
    return found


def _instant(day: dt.date, minute: int, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(minute // 60, minute % 60), zone).astimezone(dt.UTC)


def settle_fee(ctx: Context, store_id: str, rules: DeliveryRules, name: str, tax_class_id: str) -> DeliveryRules:
    """Settle how the store brings orders home.

    They hold for orders placed from now on. name: of the fee on receipts.
    """
    store = store_of(ctx.session, store_id)
    details = assortment.ProductDetails(name, name, tax_class_id, kind="service")
    product = assortment.add(ctx, store_id, details, command=COMMAND)
    if (product.name, product.tax_class_id) != (name, tax_class_id):
        assortment.change(ctx, store_id, product.sku, details)
    today = business_day(ctx.at, store.tz, store.rollover_hour)
    assortment.set_price(ctx, store_id, product.sku, rules.fee_minor, today, today=today)
    ctx.session.flush()
    charged = cost(ctx.session, Promise([(product.sku, 1)], {product.sku: rules.fee_minor}, {})).total_minor
    rules = replace(rules, charged_minor=charged)
    kept = replace(availability.rules_of(ctx.session, store_id), delivery=rules.to_body())
    storefront.set_rules(ctx, store_id, kept)
    return rules


def fee_of(session: Session, order: PickupOrder) -> tuple[str, int] | None:
    """Return SKU and price of what an order's way costs, None where it costs nothing (rule 5)."""
    row = home_delivery.of_order(session, order.store_id, order.id)
    if row is None or not row.fee_minor:
        return None
    return assortment.sku_for(order.store_id, COMMAND), row.fee_minor


def fee_product(session: Session, store_id: str) -> Product | None:
    """Return the product the fee is rung as, None before it was settled."""
    return session.scalar(sa.select(Product).where(Product.sku == assortment.sku_for(store_id, COMMAND)))
