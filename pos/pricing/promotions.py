"""What a customer saves: the best result of all offers, whatever the order of the basket. Pure.

Rules
-----
1. A unit takes part in one offer of its product at most. Of all ways to share the units out, the one that saves most
   is taken (`packing` says how, and how far that is exact); between equal ones the one that spends no coupon.
2. Lines of the same product, price, batch and expiry day are one pot first: splitting a line changes nothing. What
   costs nothing takes no part, so that adding it changes nothing either.
3. Offers on the basket come afterwards, on what is left of their products: every stackable one (percentages before
   amounts), then the best of the others. What must be spent is counted in shelf prices, before any offer.
4. A reduced unit has a price one can print: percentages are rounded half up per unit; of weighed goods per product.
5. No line falls below zero. A group offer's saving is shared over its units in proportion to their prices.
6. One coupon is good for `most_times` uses of its offer; it is spent only if it saved something.
7. Packs and bundles count pieces; goods sold by weight take part in per-unit offers and in basket offers.
8. Of an offer that is for so many units alone (`left`), no more than these are reduced: of pieces the dearest, of
   weighed goods that share of what they cost.
9. Offers come in one order wherever they were listed: those that need no coupon first, then by id. A product counts for
   the first part of a bundle that names it.
10. A hint never promises too much: with the missing units the customer saves at least what it says, before offers on
   the basket.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from config.money import amount_for, divide_half_up, share_out
from pos.pricing.packing import Bundle, Group, Pack, Pot, Taking, share_off, solve
from pos.pricing.promises import BASKET_KINDS, BUNDLE_KINDS, PACK_KINDS, UNIT_KINDS, Offer, clean_code

MOST_HINTS = 3
HINT_MISSING = 2
UNIT, GROUP, BASKET = "unit", "group", "basket"
_SORTS = dict.fromkeys(UNIT_KINDS, UNIT) | dict.fromkeys((*PACK_KINDS, *BUNDLE_KINDS), GROUP)
_SORTS |= dict.fromkeys(BASKET_KINDS, BASKET)


@dataclass(frozen=True)
class OfferLine:
    """A priced line before offers. unit_minor per price_quantity; amount_minor is what the line costs."""

    n: int
    sku: str
    category: str
    department: str
    brand: str
    qty: int
    stock_unit: str
    unit_minor: int
    price_quantity: int
    amount_minor: int
    batch: str | None = None
    expires_on: dt.date | None = None


@dataclass(frozen=True)
class Saving:
    """What an offer takes off a line."""

    offer_id: str
    name: str
    amount_minor: int


@dataclass(frozen=True)
class Hint:
    """How little is missing for a further saving: pieces like `sku`, or money to be spent."""

    offer_id: str
    name: str
    missing_qty: int
    would_save_minor: int
    sku: str = ""
    missing_minor: int = 0


@dataclass(frozen=True)
class Applied:
    """What every line saves by its number, the coupons that did something, and what little is missing for more."""

    lines: dict[int, tuple[Saving, ...]]
    coupons_used: frozenset[str]
    hints: tuple[Hint, ...]
    units: dict[str, int] = field(default_factory=dict)
    """How many units each offer reduced that is for so many alone."""

    @property
    def saved_minor(self) -> int:
        """Return what the basket saves in all."""
        return sum(saving.amount_minor for savings in self.lines.values() for saving in savings)


Named = tuple[int, int, Offer, str, bool]
"""An offer that names a product: its place, the part that does, the offer, its sort (UNIT, GROUP or BASKET), and
whether it asks for a batch or an expiry day."""


class Offers(Sequence[Offer]):
    """Offers made ready: those of a product are found once, not at every sale. day: the business day they are for."""

    def __init__(self, offers: Iterable[Offer], day: dt.date | None = None) -> None:
        self._offers = tuple(sorted(offers, key=lambda offer: (offer.codes is not None, offer.id)))
        self.day = day
        self._known: dict[tuple[str, str, str, str], tuple[Named, ...]] = {}
        self._naming: dict[tuple[int, str], set[int]] = {}
        """(which kind of name, name) -> places of the offers that name it."""
        self._of_all: set[int] = set()
        for place, offer in enumerate(self._offers):
            for part in offer.parts:
                if part.choice.everything:
                    self._of_all.add(place)
                for kind, names in enumerate(part.choice.names):
                    for name in names:
                        self._naming.setdefault((kind, name), set()).add(place)

    @overload
    def __getitem__(self, place: int) -> Offer: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Offer]: ...
    def __getitem__(self, place: int | slice) -> Offer | Sequence[Offer]:
        return self._offers[place]

    def __len__(self) -> int:
        return len(self._offers)

    def of(self, sku: str, category: str, department: str, brand: str) -> tuple[Named, ...]:
        """Return every offer that names a product; of several parts the first."""
        key = (sku, category, department, brand)
        found = self._known.get(key)
        if found is None:
            places = self._of_all.union(*(self._naming.get(name, ()) for name in enumerate(key)))
            found = tuple(
                (place, n, offer, _SORTS[offer.kind], offer.is_bound)
                for place in sorted(places)
                if (n := _part_of(offer := self._offers[place], key)) >= 0
            )
            self._known[key] = found
        return found


def holds_at(offer: Offer, at: dt.datetime, day: dt.date) -> bool:
    """Tell whether an offer holds at a local time of a business day (rule 6)."""
    minute = at.hour * 60 + at.minute
    since, until = offer.from_minute, offer.until_minute
    if since is not None and until is not None:
        if since < until:
            if not since <= minute < until:
                return False
        elif minute < until:
            day = at.date() - dt.timedelta(days=1)
        elif minute < since:
            return False
    if (offer.from_day and day < offer.from_day) or (offer.until_day and day > offer.until_day):
        return False
    return not offer.weekdays or day.weekday() in offer.weekdays


def best(
    lines: Sequence[OfferLine],
    offers: Sequence[Offer],
    *,
    at: dt.datetime,
    member: bool,
    coupons: frozenset[str] = frozenset(),
    left: Mapping[str, int] | None = None,
) -> Applied:
    """Return the best result for the customer (rules 1-10).

    at: local wall time. offers: best an `Offers`. left: offer id -> stock units it is still for (rule 8).
    """
    if not offers:
        return Applied({line.n: () for line in lines}, frozenset(), ())
    ready = offers if isinstance(offers, Offers) else Offers(offers)
    typed = {clean_code(code): code for code in sorted(coupons)}
    table = _Table(ready, at, ready.day or at.date(), member, typed, left or {})
    basket = _pots(lines, table)
    groups, places = _groups(basket, table)
    pots = [Pot(pot.unit_minor, pot.qty, pot.alone_minor) for pot in basket]
    sales_amount = solve(pots, groups) if groups else {}
    for n, taking in sales_amount.items():
        _note_taking(basket, places[n], taking, table)
    for pot in basket:
        pot.settle_alone()
    _basket_offers(basket, table)
    hints = _hints(basket, table)
    saved: dict[int, list[Saving]] = {line.n: [] for line in lines}
    for pot in basket:
        pot.share_over_lines(saved, table)
    return Applied({n: tuple(savings) for n, savings in saved.items()}, frozenset(table.used), hints, table.units())


# --- inside ---


def _part_of(offer: Offer, product: tuple[str, str, str, str]) -> int:
    """Return the first part of an offer that holds a product; -1 for none."""
    return next((n for n, part in enumerate(offer.parts) if part.choice.holds(*product)), -1)


@dataclass(slots=True)
class _PotOfLines:
    """The lines of one product, price, batch and expiry day."""

    lines: list[OfferLine]
    pieces: bool
    """Counted one by one; otherwise weighed, and then one amount."""
    qty: int
    unit_minor: int
    amount_minor: int
    sku: str
    alone_minor: int = 0
    alone_place: int = -1
    grouped: list[tuple[int, int]] = field(default_factory=list)
    """(place, part) of the offers that may take units of it."""
    basket: list[int] = field(default_factory=list)
    loose: int = 0
    """Units no group offer claimed."""
    savings: list[tuple[int, int]] = field(default_factory=list)
    """(place, amount)"""
    rest_minor: int = 0
    """What is left to pay."""

    def save(self, place: int, amount: int) -> None:
        """Note that an offer takes an amount off."""
        if amount:
            self.savings.append((place, amount))
            self.rest_minor -= amount

    def settle_alone(self) -> None:
        """Note what the unclaimed units save by their own offer."""
        self.save(self.alone_place, self.alone_minor * self.loose)

    def share_over_lines(self, saved: dict[int, list[Saving]], table: "_Table") -> None:
        """Write the savings to the lines, never more than is left of a line (rule 5)."""
        if not self.savings:
            return
        rest = [line.amount_minor for line in self.lines]
        for place, amount in self.savings:
            offer = table.offers[place]
            if offer.codes is not None:
                table.note_use(place)
            if len(rest) == 1:
                saved[self.lines[0].n].append(Saving(offer.id, offer.name, amount))
                continue
            for n, part in enumerate(share_out(amount, rest)):
                if part:
                    rest[n] -= part
                    saved[self.lines[n].n].append(Saving(offer.id, offer.name, part))


class _Table:
    """Which offers are open at this sale, asked once each."""

    def __init__(
        self,
        offers: Offers,
        at: dt.datetime,
        day: dt.date,
        member: bool,
        typed: dict[str, str],
        left: Mapping[str, int],
    ) -> None:
        self.offers, self.day, self.left = offers, day, left
        self._at, self._member, self._typed = at, member, typed
        self.limits: dict[int, int | None] = {}
        self.times: dict[int, int] = {}
        self.weighed: dict[str, int] = {}
        """How much of weighed goods each bounded offer reduces."""
        self.used: set[str] = set()

    def limit(self, place: int) -> int | None:
        """Return how often an offer may apply now: 0 not at all, None without end."""
        if place not in self.limits:
            self.limits[place] = self._ask(self.offers[place])
        return self.limits[place]

    def _ask(self, offer: Offer) -> int | None:
        if (offer.members_only and not self._member) or not holds_at(offer, self._at, self.day):
            return 0
        if offer.id in self.left:
            return self.left[offer.id]
        if offer.codes is None:
            return offer.most_times
        given = len(offer.codes & self._typed.keys())
        return 0 if not given else offer.most_times and offer.most_times * given

    def fits(self, offer: Offer, line: OfferLine) -> bool:
        """Tell whether a line's batch and expiry day are the offer's."""
        if offer.batch is not None and line.batch != offer.batch:
            return False
        if offer.expires_on is not None and line.expires_on != offer.expires_on:
            return False
        if offer.expires_within_days is None:
            return True
        return line.expires_on is not None and 0 <= (line.expires_on - self.day).days <= offer.expires_within_days

    def reach(self, offer_id: str, qty: int) -> int:
        """Return how much of `qty` of weighed goods an offer reaches (rule 8)."""
        left = self.left.get(offer_id)
        return qty if left is None else min(qty, max(0, left - self.weighed.get(offer_id, 0)))

    def units(self) -> dict[str, int]:
        """Return how many units each bounded offer reduced (rule 8)."""
        if not self.left:
            return {}
        pieces = {self.offers[place].id: times for place, times in self.times.items()}
        return {offer_id: n for offer_id, n in (pieces | self.weighed).items() if n and offer_id in self.left}

    def note_use(self, place: int) -> None:
        """Spend as many of an offer's coupons as its uses need, in the order of their codes."""
        offer = self.offers[place]
        assert offer.codes is not None
        needed = -(-self.times.get(place, 1) // offer.most_times) if offer.most_times else 1
        self.used.update(self._typed[code] for code in sorted(offer.codes & self._typed.keys())[:needed])


def _pots(lines: Sequence[OfferLine], table: _Table) -> list[_PotOfLines]:
    """Put equal lines together, dearest unit first, and find what each pot's offers are (rule 2)."""
    together: dict[tuple[int, str, str, dt.date, bool, int, str, str, str], list[OfferLine]] = {}
    for line in lines:
        if line.amount_minor > 0 and line.qty > 0:
            pieces = (
                line.stock_unit == "each"
                and line.price_quantity == 1
                and line.amount_minor == line.qty * line.unit_minor
            )
            end = line.expires_on or dt.date.min
            product = (line.price_quantity, line.category, line.department, line.brand)
            key = (-line.unit_minor, line.sku, line.batch or "", end, pieces, *product)
            together.setdefault(key, []).append(line)
    basket = []
    for key in sorted(together):
        held = sorted(together[key], key=lambda line: line.n)
        first = held[0]
        qty = sum(line.qty for line in held)
        amount = sum(line.amount_minor for line in held)
        pieces = key[4]
        pot = _PotOfLines(held, pieces, qty, first.unit_minor, amount, first.sku)
        pot.loose, pot.rest_minor = qty if pieces else 1, amount
        _find_offers(pot, first, table)
        basket.append(pot)
    return basket


def _find_offers(pot: _PotOfLines, line: OfferLine, table: _Table) -> None:
    limits = table.limits
    for place, part, offer, sort, is_bound in table.offers.of(line.sku, line.category, line.department, line.brand):
        limit = limits[place] if place in limits else table.limit(place)
        if limit == 0 or (is_bound and not table.fits(offer, line)):
            continue
        if sort == BASKET:
            pot.basket.append(place)
        elif sort == GROUP or (limit is not None and (pot.pieces or offer.id not in table.left)):
            if pot.pieces:
                pot.grouped.append((place, part))
        else:
            saving = _unit_saving(offer, pot, line, table.reach(offer.id, pot.qty))
            if saving > pot.alone_minor:
                pot.alone_minor, pot.alone_place = saving, place
    if table.left and not pot.pieces and pot.alone_place >= 0:
        offer_id = table.offers[pot.alone_place].id
        table.weighed[offer_id] = table.weighed.get(offer_id, 0) + table.reach(offer_id, pot.qty)


def _unit_saving(offer: Offer, pot: _PotOfLines, line: OfferLine, qty: int) -> int:
    """Return what one piece, or `qty` of a weighed pot, saves by a per-unit offer."""
    whole = pot.unit_minor if pot.pieces else divide_half_up(pot.amount_minor * qty, pot.qty)
    if offer.kind == "percent":
        return share_off(whole, offer.percent_bp)
    amount = offer.amount_minor if pot.pieces else amount_for(qty, offer.amount_minor, line.price_quantity)
    return min(whole, amount) if offer.kind == "amount" else max(0, whole - amount)


def _groups(basket: Sequence[_PotOfLines], table: _Table) -> tuple[list[Group], list[int]]:
    """Return the group offers this basket can fill at least once, and their places."""
    members: dict[int, dict[int, list[int]]] = {}
    for n, pot in enumerate(basket):
        for place, part in pot.grouped:
            members.setdefault(place, {}).setdefault(part, []).append(n)
    groups: list[Group] = []
    places: list[int] = []
    for place in sorted(members):
        offer, limit = table.offers[place], table.limit(place)
        for group in _as_groups(offer, limit, members[place], basket):
            groups.append(group)
            places.append(place)
    return groups, places


def _as_groups(
    offer: Offer, limit: int | None, members: dict[int, list[int]], basket: Sequence[_PotOfLines]
) -> Iterator[Group]:
    if offer.kind in BUNDLE_KINDS:
        full = all(sum(basket[n].qty for n in members.get(one, ())) >= part.qty for one, part in enumerate(offer.parts))
        if full:
            parts = tuple((part.qty, part.off_bp) for part in offer.parts)
            price = offer.amount_minor if offer.kind == "bundle" else None
            yield Bundle(parts, tuple(tuple(members[one]) for one in range(len(parts))), price, limit)
        return
    pots = tuple(members[0])
    if offer.kind in PACK_KINDS and sum(basket[n].qty for n in pots) < offer.size:
        return
    match offer.kind:
        case "nth":
            yield Pack(offer.size, pots, offer.reduced, offer.percent_bp, None, limit)
        case "pack_price":
            yield Pack(offer.size, pots, price_minor=offer.amount_minor, limit=limit)
        case "percent":
            yield Pack(1, pots, 1, offer.percent_bp, None, limit)
        case "price":
            yield Pack(1, pots, price_minor=offer.amount_minor, limit=limit)
        case "amount":
            yield Pack(1, pots, 1, limit=limit, each_minor=offer.amount_minor)


def _note_taking(basket: Sequence[_PotOfLines], place: int, taking: Taking, table: _Table) -> None:
    """Share a group offer's saving over the pots it claimed, by what the claimed units cost (rule 5)."""
    table.times[place] = taking.times
    held = sorted(taking.units)
    for n, part in zip(
        held,
        share_out(taking.saving_minor, [taking.units[n] * basket[n].unit_minor for n in held]),
        strict=True,
    ):
        basket[n].loose -= taking.units[n]
        basket[n].save(place, part)


def _basket_offers(basket: Sequence[_PotOfLines], table: _Table) -> None:
    """Take the offers on the basket off what is left: all stackable ones, then the best of the others (rule 3)."""
    members: dict[int, list[_PotOfLines]] = {}
    for pot in basket:
        for place in pot.basket:
            members.setdefault(place, []).append(pot)
    open_ = [
        place
        for place, pots in members.items()
        if sum(pot.amount_minor for pot in pots) >= max(1, table.offers[place].minimum_minor)
    ]

    def saving(place: int) -> int:
        offer = table.offers[place]
        rest = sum(pot.rest_minor for pot in members[place])
        if offer.kind == "basket_percent":
            return share_off(rest, offer.percent_bp)
        return min(rest, offer.amount_minor)

    def take(place: int) -> None:
        pots = members[place]
        for pot, part in zip(pots, share_out(saving(place), [pot.rest_minor for pot in pots]), strict=True):
            pot.save(place, part)

    stackable = [place for place in open_ if table.offers[place].stackable]
    for place in sorted(stackable, key=lambda one: (table.offers[one].kind != "basket_percent", one)):
        take(place)
    others = sorted(place for place in open_ if not table.offers[place].stackable)
    if others:
        take(max(others, key=lambda one: (saving(one), -one)))


def _hints(basket: Sequence[_PotOfLines], table: _Table) -> tuple[Hint, ...]:
    """Return the packs that one or two more pieces would fill, those that save most first (rule 8)."""
    loose: dict[int, list[_PotOfLines]] = {}
    for pot in basket:
        for place, _part in pot.grouped if pot.loose else ():
            if table.offers[place].kind in PACK_KINDS:
                loose.setdefault(place, []).append(pot)
    hints = []
    for place, pots in loose.items():
        offer, limit = table.offers[place], table.limit(place)
        if limit is not None and table.times.get(place, 0) >= limit:
            continue
        missing = offer.size - sum(pot.loose for pot in pots)
        if 0 < missing <= min(HINT_MISSING, offer.size - 1):
            price = offer.amount_minor if offer.kind == "pack_price" else None
            pack = Pack(offer.size, (), offer.reduced, offer.percent_bp, price)
            held = [pot for pot in pots for _ in range(pot.loose)] + [pots[-1]] * missing
            worth = sum(pack.gains(pot.unit_minor)[n] for n, pot in enumerate(held))
            would_save = worth - sum(pot.alone_minor * pot.loose for pot in pots)
            if would_save > 0:
                hints.append(Hint(offer.id, offer.name, missing, would_save, sku=pots[-1].sku))
    hints.sort(key=lambda hint: (-hint.would_save_minor, hint.offer_id))
    return tuple(hints[:MOST_HINTS])
