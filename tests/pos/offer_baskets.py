"""Baskets and offers for the tests of promotions, and a slow reckoning that tries everything."""

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import combinations

from hypothesis import strategies as st

from config.money import divide_half_up
from pos.pricing.promises import Choice, Offer, Part
from pos.pricing.promotions import Applied, OfferLine, best

MONDAY = dt.datetime.fromisoformat("2026-03-02 13:00")
SKUS = ("ale", "bun", "cup", "dip")
CATEGORY = {"ale": "drinks", "bun": "bakery", "cup": "drinks", "dip": "snacks"}
BRAND = {"ale": "Elm", "bun": "Elm", "cup": "Oak", "dip": "Oak"}


def line(n: int, sku: str, qty: int = 1, price_minor: int = 100, **wishes: object) -> OfferLine:
    """Return a line of pieces."""
    given = {
        "n": n, "sku": sku, "category": CATEGORY.get(sku, ""), "department": "", "brand": BRAND.get(sku, ""),
        "qty": qty, "stock_unit": "each", "unit_minor": price_minor, "price_quantity": 1,
        "amount_minor": qty * price_minor,
    }  # fmt: skip
    return OfferLine(**given | wishes)  # type: ignore[arg-type]


def weighed(n: int, sku: str, grams: int, per_kg_minor: int) -> OfferLine:
    """Return a line of goods by weight."""
    amount = divide_half_up(grams * per_kg_minor, 1000)
    return line(
        n, sku, grams, per_kg_minor, stock_unit="gram", price_quantity=1000, amount_minor=amount, category="cheese"
    )


def lines(*rows: tuple[str, int, int]) -> list[OfferLine]:
    """Return lines of (sku, qty, price)."""
    return [line(n, sku, qty, price) for n, (sku, qty, price) in enumerate(rows)]


def of(*skus: str, category: str = "", brand: str = "") -> Choice:
    """Return a choice of products; none named: all."""
    return Choice(
        frozenset(skus),
        frozenset([category] if category else []),
        brands=frozenset([brand] if brand else []),
        everything=not (skus or category or brand),
    )


def offer(id: str, kind: str, choice: Choice | Sequence[Part], **terms: object) -> Offer:
    """Return an offer on a choice, or on parts."""
    parts = (Part(choice),) if isinstance(choice, Choice) else tuple(choice)
    return Offer(id, id.title(), kind, parts, **terms)  # type: ignore[arg-type]


def apply(basket: Sequence[OfferLine], *offers: Offer, **wishes: object) -> Applied:
    """Return the best result on a Monday at one."""
    return best(basket, offers, **{"at": MONDAY, "member": False, "coupons": frozenset()} | wishes)  # type: ignore[arg-type]


def saved(basket: Sequence[OfferLine], *offers: Offer, **wishes: object) -> int:
    """Return what the basket saves."""
    return apply(basket, *offers, **wishes).saved_minor


def try_everything(basket: Sequence[OfferLine], offers: Sequence[Offer]) -> int:
    """Return the most the offers of products save, by trying every way to share the pieces out."""
    units = [(one.sku, one.unit_minor) for one in basket for _ in range(one.qty) if one.unit_minor]
    return _try(tuple(sorted(units)), tuple(offers), tuple(one.most_times for one in offers))


def _try(units: tuple[tuple[str, int], ...], offers: Sequence[Offer], limits: tuple[int | None, ...]) -> int:
    if not units:
        return 0
    first, rest = units[0], units[1:]
    result = _try(rest, offers, limits)  # the first unit without an offer
    for n, one in enumerate(offers):
        if limits[n] == 0:
            continue
        left = tuple(limit - 1 if place == n and limit is not None else limit for place, limit in enumerate(limits))
        for others in set(combinations(rest, _needed(one) - 1)):
            saving = _saving(one, (first, *others))
            if saving is not None:
                remaining = list(rest)
                for unit in others:
                    remaining.remove(unit)
                result = max(result, saving + _try(tuple(remaining), offers, left))
    return result


def _needed(one: Offer) -> int:
    if one.kind in ("bundle", "together"):
        return sum(part.qty for part in one.parts)
    return one.size if one.kind in ("nth", "pack_price") else 1


def _part(one: Offer, sku: str) -> int | None:
    for n, part in enumerate(one.parts):
        if part.choice.holds(sku, CATEGORY[sku], "", BRAND[sku]):
            return n
    return None


def _off(price: int, rate_bp: int) -> int:
    return divide_half_up(price * rate_bp, 10_000)


def _saving(one: Offer, units: Sequence[tuple[str, int]]) -> int | None:
    parts = [_part(one, sku) for sku, _price in units]
    if None in parts:
        return None
    whole = sum(price for _sku, price in units)
    match one.kind:
        case "percent":
            return _off(whole, one.percent_bp)
        case "amount":
            return min(whole, one.amount_minor)
        case "price" | "pack_price":
            return whole - one.amount_minor
        case "nth":
            cheapest = sorted(price for _sku, price in units)[: one.reduced]
            return sum(_off(price, one.percent_bp) for price in cheapest)
    if any(parts.count(n) != part.qty for n, part in enumerate(one.parts)):
        return None
    if one.kind == "bundle":
        return whole - one.amount_minor
    return sum(_off(price, one.parts[n].off_bp) for n, (_sku, price) in zip(parts, units, strict=True) if n is not None)


# --- strategies ---

CHOICES = st.one_of(
    st.sets(st.sampled_from(SKUS), min_size=1, max_size=3).map(lambda skus: of(*sorted(skus))),
    st.sampled_from(["drinks", "bakery", "snacks"]).map(lambda name: of(category=name)),
    st.sampled_from(["Elm", "Oak"]).map(lambda name: of(brand=name)),
    st.just(of()),
)
RATES = st.sampled_from([1_000, 3_333, 5_000, 10_000])
LIMITS = st.sampled_from([None, None, 1, 2])


@st.composite
def product_offers(draw: st.DrawFn, most: int = 4) -> list[Offer]:
    """Offers on products, of every kind."""
    made = []
    for n in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(["percent", "amount", "price", "nth", "pack_price", "bundle", "together"]))
        limit = draw(LIMITS)
        name = f"offer{n}"
        amount = draw(st.integers(1, 400))
        if kind in ("bundle", "together"):
            parts = [
                Part(draw(CHOICES), draw(st.integers(1, 2)), draw(RATES) if kind == "together" else 0)
                for _ in range(draw(st.integers(1, 2)))
            ]
            made.append(offer(name, kind, parts, amount_minor=amount, most_times=limit))
            continue
        size = draw(st.integers(2, 3))
        made.append(
            offer(
                name, kind, draw(CHOICES), percent_bp=draw(RATES), amount_minor=amount, size=size,
                reduced=draw(st.integers(1, size)), most_times=limit,
            )
        )  # fmt: skip
    return made


@st.composite
def basket_offers(draw: st.DrawFn) -> list[Offer]:
    """Offers on the basket."""
    return [
        offer(
            f"whole{n}", draw(st.sampled_from(["basket_percent", "basket_amount"])), draw(CHOICES),
            percent_bp=draw(RATES), amount_minor=draw(st.integers(1, 500)), minimum_minor=draw(st.integers(0, 600)),
            stackable=draw(st.booleans()),
        )
        for n in range(draw(st.integers(0, 3)))
    ]  # fmt: skip


@st.composite
def baskets(draw: st.DrawFn, most_units: int = 60, least_price: int = 0) -> list[OfferLine]:
    """Baskets of pieces; a product has one price."""
    prices = {sku: draw(st.integers(least_price, 300)) for sku in SKUS}
    rows: list[OfferLine] = []
    units = 0
    for n in range(draw(st.integers(0, 6))):
        qty = draw(st.integers(1, max(1, most_units // 3)))
        if units + qty > most_units:
            break
        units += qty
        sku = draw(st.sampled_from(SKUS))
        rows.append(line(n, sku, qty, prices[sku]))
    return rows


def renumbered(rows: Iterable[OfferLine]) -> list[OfferLine]:
    """Number lines again, as they stand."""
    return [OfferLine(**one.__dict__ | {"n": n}) for n, one in enumerate(rows)]
