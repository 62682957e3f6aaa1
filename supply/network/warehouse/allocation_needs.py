"""What each shop needs of goods that are shared out, as the network's own books tell it: no shop's word decides.

Rules
-----
1. A shop needs what it sells until the van after its order's (`order_days`, rule 5) with SPREAD for chance, and what
   its customers ordered online or as a group, less what it has and what is on its way to it (`outlook`). Its order says
   nothing of that.
2. Of what a shop has not sold, the network does not know its need: then it is what the shops that sell it sell on
   average, at most what the order's own proposal says. Where nobody sells it, it is what the proposals say, and all
   are taken to sell as little: packs go round in turn, fewest units first.
3. A shop that has none of what it orders needs one pack.
4. All lines of a shop for the same product are one need, on how many orders, in whatever packs and at how many
   warehouses they stand. It counts at the shop's own warehouse first (`serving`), smaller packs before larger ones:
   what is asked for there is needed nowhere else.
5. Of a pack that is not on the network's list a shop needs as many as fit into its need (and see `allocation`, rule 6).
6. A shop the warehouse supplies (`serving`) that sells the goods and has no order for them waiting takes part in
   silence, by the same reckoning, with no more than anybody may order.
7. What a store sells is its own word. It counts at most SUDDEN times what the middle other store sells that sells the
   product, more only as far as the store itself is larger than the middle one (`plausibility.sizes`), and never more
   than MOST_TIMES. Of what nobody else sells only the limits of `plausibility` hold.

Quantities in stock units.
"""

import bisect
import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.store.store import day_of
from supply.demand import plausibility
from supply.network.warehouse.allocation import Claim, fair_share
from supply.online.groups.groups import GroupOffer
from supply.online.orders import OPEN, PickupLine, PickupOrder
from supply.orders import supply_routes
from supply.orders.delivery_calendar import next_rhythm
from supply.orders.order_days import Key
from supply.orders.orders import OrderLine
from supply.orders.suppliers import MOST_PACKS, Supplier, SupplierProduct
from supply.replenishment import stockouts
from supply.replenishment.stockouts import Place

Goods = tuple[str, str]
"""(warehouse id, sku)"""
SPREAD = 1.5
"""Times the square root of the mean: enough in nine of ten cases."""
SUDDEN, MOST_TIMES = 3.0, 10.0


@dataclass(frozen=True)
class Scarcity:
    """How goods that fell short were shared, in units.

    kept_for: how many stores that order another day they are kept for (rule 6).
    """

    there_qty: int
    given_qty: int
    kept_qty: int
    kept_for: int


@dataclass(frozen=True)
class FairNeeds:
    """What the network knows when goods are shared out.

    rates: units a day; usual: of the shops that sell a product, on average; have: less what customers ordered; days:
    until the van after next of who orders later, by warehouse; reach: of each order, for how many days its goods are to
    last; packs: those on the list; silent: who has no order waiting, by goods; house_of: every shop's own warehouse.
    """

    rates: Mapping[Place, float]
    usual: Mapping[str, float]
    have: Mapping[Place, int]
    days: Mapping[str, int]
    reach: Mapping[Key, int]
    packs: Mapping[Goods, frozenset[int]]
    silent: Mapping[Goods, Sequence[str]]
    house_of: Mapping[str, str]

    def usual_qty(self, goods: Goods) -> int:
        """Return the units of the pack the list sells; 1 where it sells none."""
        return min(self.packs.get(goods, frozenset()), default=1)

    def claim(self, goods: Goods, lines: Sequence[OrderLine], got: int) -> Claim:
        """Return a shop's wish (rules 1 to 5). lines: of one shop and one pack; got: what else it asks for."""
        (_, sku), store_id, pack_qty = goods, lines[0].store_id, lines[0].pack_qty
        have = self.have.get((store_id, sku), 0) + got
        days = max(self.reach[line.store_id, line.order_id] for line in lines)
        per_day = self.rates.get((store_id, sku))
        if per_day is not None:
            need = _until(per_day, days) - have
        else:
            need = sum(max(0, _told(line)) for line in lines) - got
            per_day = self.usual.get(sku, 0.0)
            need = min(need, _until(per_day, days) - have) if per_day > 0 else need
        listed = pack_qty in self.packs.get(goods, frozenset())
        least = 1 if have <= 0 and listed else 0
        whole = -(-need // pack_qty) if listed else need // pack_qty
        packs = sum(line.packs for line in lines)
        return Claim(f"{store_id}/", packs, min(MOST_PACKS, max(least, whole)), have, per_day, pack_qty)

    def silent_claims(self, goods: Goods) -> list[Claim]:
        """Return the wishes of the shops that sell the goods and have no order for them waiting (rule 6)."""
        house, sku = goods
        days, pack_qty, found = self.days.get(house, 2), self.usual_qty(goods), []
        for store_id in self.silent.get(goods, ()):
            have, per_day = self.have.get((store_id, sku), 0), self.rates[store_id, sku]
            need = min(MOST_PACKS, max(0, -(-(_until(per_day, days) - have) // pack_qty)))
            found.append(Claim(f"{store_id}/", need, need, have, per_day, pack_qty, on_round=False))
        return found


def read(
    session: Session, goods: Collection[Goods], ordering: Collection[Place], reach: Mapping[Key, int], *,
    at: dt.datetime,
) -> FairNeeds:  # fmt: skip
    """Read what the network knows about goods that are asked for.

    ordering: what of which shops orders waiting ask; reach: as `order_days` says it of each.
    """
    skus, today = {sku for _, sku in goods}, at.astimezone(dt.UTC).date()
    if not skus:
        return FairNeeds({}, {}, {}, {}, {}, {}, {}, {})
    rates = counted(session, stockouts.rates(session, today, skus=skus, by_their_word=False))
    have = stockouts.positions(session, today, skus=skus)
    for place, qty in _ordered_by_customers(session, skus):
        have[place] = have.get(place, 0) - qty
    selling: dict[str, list[float]] = {}
    silent: dict[Goods, list[str]] = {}
    house_of = supply_routes.served(session)
    for (store_id, sku), per_day in sorted(rates.items()):
        if per_day > 0:
            selling.setdefault(sku, []).append(per_day)
            if (store_id, sku) not in ordering:
                silent.setdefault((house_of.get(store_id, ""), sku), []).append(store_id)
    usual = {sku: sum(found) / len(found) for sku, found in selling.items()}
    days, packs = _houses(session, skus, at)
    return FairNeeds(rates, usual, have, days, reach, packs, silent, house_of)


def share(
    free: Mapping[Goods, int], wanted: Mapping[Goods, Sequence[OrderLine]], needs: FairNeeds
) -> tuple[dict[tuple[str, str, str], int], dict[Goods, Scarcity]]:
    """Return the packs of every line, by shop, order and SKU, and how scarce the goods were.

    Of a shop's lines the longest waiting is served first. wanted: the longest waiting first. A silent share stays
    where it is.
    """
    alike: dict[tuple[bool, Goods, str, int], list[OrderLine]] = {}
    for goods, lines in wanted.items():
        for line in lines:
            is_foreign = needs.house_of.get(line.store_id) != goods[0]
            alike.setdefault((is_foreign, goods, line.store_id, line.pack_qty), []).append(line)
    claims: dict[Goods, list[tuple[Claim, list[OrderLine]]]] = {}
    asked: dict[Place, int] = {}
    for (_, goods, shop, pack_qty), mine in sorted(alike.items(), key=lambda one: one[0]):  # rule 4
        before = asked.get((shop, goods[1]), 0)
        claim = needs.claim(goods, mine, before)
        asked[shop, goods[1]] = before + min(claim.packs, claim.need_packs) * pack_qty
        claims.setdefault(goods, []).append((claim, mine))
    given: dict[tuple[str, str, str], int] = {}
    scarce: dict[Goods, Scarcity] = {}
    for goods, found in claims.items():
        silent = needs.silent_claims(goods)
        shares = fair_share(free.get(goods, 0), [*(claim for claim, _ in found), *silent], needs.usual_qty(goods))
        kept = [share * claim.pack_qty for claim, share in zip(silent, shares[len(found) :], strict=True) if share]
        units = sum(share * claim.pack_qty for (claim, _), share in zip(found, shares, strict=False))
        scarce[goods] = Scarcity(max(0, free.get(goods, 0)), units, sum(kept), len(kept))
        for (_, mine), left in zip(found, shares, strict=False):
            for line in mine:
                packs = min(line.packs, left)
                given[line.store_id, line.order_id, line.sku] = packs
                left -= packs
    return given, scarce


def counted(session: Session, rates: Mapping[Place, float]) -> dict[Place, float]:
    """Return what stores sell a day as far as it counts (rule 7)."""
    alike: dict[str, list[float]] = {}
    for (_, sku), per_day in sorted(rates.items(), key=lambda one: one[1]):
        if per_day > 0:
            alike.setdefault(sku, []).append(per_day)
    sizes: dict[str, float] | None = None
    found = dict(rates)
    for (store_id, sku), per_day in rates.items():
        selling = alike.get(sku, [])
        if len(selling) < 2 or per_day <= SUDDEN * selling[0]:
            continue
        at, own = (len(selling) - 2) // 2, bisect.bisect_left(selling, per_day)
        middle = selling[at if at < own else at + 1]
        if per_day > SUDDEN * middle:
            sizes = plausibility.sizes(session) if sizes is None else sizes
            times = min(MOST_TIMES, SUDDEN * max(1.0, sizes.get(store_id, 1.0)))
            found[store_id, sku] = min(per_day, times * middle)
    return found


# --- inside ---


def _until(per_day: float, days: int) -> int:
    mean = max(0.0, per_day) * days
    return math.ceil(mean + SPREAD * math.sqrt(mean))


def _told(line: OrderLine) -> int:
    """Return what a line needs by its proposal's facts, never by what a person made of it."""
    why = line.why
    if why.get("need_qty") is not None:
        return int(why["need_qty"])
    position = int(why.get("on_hand") or 0) - int(why.get("reserved") or 0) + int(why.get("on_the_way") or 0)
    return int(why["target"]) - position if why.get("target") else line.packs_proposed * line.pack_qty


def _ordered_by_customers(session: Session, skus: Collection[str]) -> Iterable[tuple[Place, int]]:
    """Return what customers wait for. What a shop took at its own counter is its word alone, and not among it."""
    order, line, group = PickupOrder, PickupLine, GroupOffer
    online = (
        sa.select(line.store_id, line.sku, sa.func.sum(line.qty))
        .join(order, sa.and_(order.store_id == line.store_id, order.id == line.order_id))
        .where(order.state.in_(OPEN), order.number > 0, line.sku.in_(skus))
        .group_by(line.store_id, line.sku)
    )
    together = (
        sa.select(group.store_id, group.sku, sa.func.sum(group.cases * group.case_qty))
        .where(group.state == "ordered", group.sku.in_(skus))
        .group_by(group.store_id, group.sku)
    )
    for query in (online, together):
        for store_id, sku, qty in session.execute(query):
            yield (store_id, sku), int(qty or 0)


def _houses(
    session: Session, skus: Collection[str], at: dt.datetime
) -> tuple[dict[str, int], dict[Goods, frozenset[int]]]:
    """Return each warehouse's days until the van after next of who orders tomorrow or later, and the packs it sells."""
    days: dict[str, int] = {}
    packs: dict[Goods, frozenset[int]] = {}
    listed = sa.select(SupplierProduct.supplier_id, SupplierProduct.sku, SupplierProduct.pack_qty)
    sold: dict[str, list[tuple[str, int]]] = {}
    for supplier_id, sku, pack_qty in session.execute(listed.where(SupplierProduct.sku.in_(skus))):
        sold.setdefault(supplier_id, []).append((sku, pack_qty))
    for supplier in session.scalars(sa.select(Supplier).where(Supplier.warehouse_id.is_not(None))):
        house = str(supplier.warehouse_id)
        today = day_of(session, house, at)
        later = next_rhythm(supplier.calendar, today + dt.timedelta(days=1)).next_delivery_day
        days[house] = max(days.get(house, 0), (later - today).days)
        for sku, pack_qty in sold.get(supplier.id, ()):
            packs[house, sku] = packs.get((house, sku), frozenset()) | {pack_qty}
    return days, packs
