"""Who gets how many packs when there are not enough for all, and what each store needs of them.

Rules
-----
1. Shares are rationed on need, never on the order: ordering more than the need brings nothing while anybody's need is
   unmet.
2. First everybody with a need gets one pack, the store with the fewest days of supply first; then always the store with
   the fewest days of supply gets the next pack, until its need or its order is met. Ties go by the store's key.
3. A store that is not on today's round takes part with its need; what falls to it is kept back for it, not handed out.
4. What is left when every need is met goes to orders above it, one pack each in turn.
5. The order of packs does not depend on how many there are: with more, nobody gets less. The first pack that does not
   fit into what is left ends it.
6. Who orders in larger packs than usual waits for each until the others have been served as far, and has no first turn:
   a larger pack brings no more.
7. A store needs what it sells until the vehicle after its order's (`order_days`, rule 5) with SPREAD for chance, and
   what its customers ordered online or as a group, less what it has and what is on its way to it (`outlook`). Its order
   says nothing of that.
8. Of what a store has not sold, the network does not know its need: then it is what the stores that sell it sell on
   average, at most what the order's own proposal says. Where nobody sells it, it is what the proposals say, and all
   are taken to sell as little: packs go round in turn, fewest units first.
9. A store that has none of what it orders needs one pack.
10. All lines of a store for the same product are one need, on how many orders, in whatever packs and at how many
   warehouses they stand. It counts at the store's own warehouse first (`serving`), smaller packs before larger ones:
   what is asked for there is needed nowhere else.
11. Of a pack that is not on the network's list a store needs as many as fit into its need (and see rule 6).
12. A store the warehouse supplies (`serving`) that sells the goods and has no order for them waiting takes part in
   silence, by the same reckoning, with no more than anybody may order.
13. What a store sells is its own word. It counts at most SUDDEN times what the middle other store sells that sells the
   product, more only as far as the store itself is larger than the middle one (`plausibility.sizes`), and never more
   than MOST_TIMES. Of what nobody else sells only the limits of `plausibility` hold.

Quantities in stock units.
"""

import bisect
import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.store.store import day_of
from supply.demand import plausibility
from supply.online.groups.groups import GroupOffer
from supply.online.orders import OPEN, PickupLine, PickupOrder
from supply.orders import supply_routes
from supply.orders.delivery_calendar import next_cycle
from supply.orders.order_days import Key
from supply.orders.orders import OrderLine
from supply.orders.suppliers import MOST_PACKS, Supplier, SupplierProduct
from supply.replenishment import stockouts
from supply.replenishment.stockouts import Place

if TYPE_CHECKING:
    from forecasting.series.panel import Ints

LEAST_PER_DAY = 0.01


@dataclass(frozen=True)
class Claim:
    """What one store asks for. packs ordered, required_packs of it by forecast; have_qty is its stock position.

    per_day: units the store sells a day; 0 or less counts as hardly any. on_route: False for a store that orders on
    another day: packs is then what it is expected to order, and its share is a reserve.
    """

    key: str
    packs: int
    required_packs: int
    have_qty: int
    per_day: float
    pack_qty: int
    on_route: bool = True


Goods = tuple[str, str]
"""(warehouse id, sku)"""
SPREAD = 1.5
"""Times the square root of the mean: enough in nine of ten cases."""
SUDDEN, MOST_TIMES = 3.0, 10.0


@dataclass(frozen=True)
class Scarcity:
    """How goods that fell short were shared, in units.

    kept_for: how many stores that order another day they are kept for (rule 12).
    """

    there_qty: int
    given_qty: int
    kept_qty: int
    kept_for: int


@dataclass(frozen=True)
class AllocationRequirements:
    """What the network knows when goods are shared out.

    rates: units a day; usual: of the stores that sell a product, on average; have: less what customers ordered; days:
    until the vehicle after next of who orders later, by warehouse; reach: of each order, for how many days its goods
    are to last; packs: those on the list; silent: who has no order waiting, by goods; house_of: every store's own
    warehouse.
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
        """Return what a store asks for (rules 7 to 11). lines: of one store and one pack; got: what else it wants."""
        (_, sku), store_id, pack_qty = goods, lines[0].store_id, lines[0].pack_qty
        have = self.have.get((store_id, sku), 0) + got
        days = max(self.reach[line.store_id, line.order_id] for line in lines)
        per_day = self.rates.get((store_id, sku))
        if per_day is not None:
            need = _until(per_day, days) - have
        else:
            need = sum(max(0, _reported(line)) for line in lines) - got
            per_day = self.usual.get(sku, 0.0)
            need = min(need, _until(per_day, days) - have) if per_day > 0 else need
        listed = pack_qty in self.packs.get(goods, frozenset())
        least = 1 if have <= 0 and listed else 0
        whole = -(-need // pack_qty) if listed else need // pack_qty
        packs = sum(line.packs for line in lines)
        return Claim(f"{store_id}/", packs, min(MOST_PACKS, max(least, whole)), have, per_day, pack_qty)

    def silent_claims(self, goods: Goods) -> list[Claim]:
        """Return the claims of the stores that sell the goods and have no order for them waiting (rule 12)."""
        house, sku = goods
        days, pack_qty, found = self.days.get(house, 2), self.usual_qty(goods), []
        for store_id in self.silent.get(goods, ()):
            have, per_day = self.have.get((store_id, sku), 0), self.rates[store_id, sku]
            need = min(MOST_PACKS, max(0, -(-(_until(per_day, days) - have) // pack_qty)))
            found.append(Claim(f"{store_id}/", need, need, have, per_day, pack_qty, on_route=False))
        return found


def fair_share(available_qty: int, claims: Sequence[Claim], usual_qty: int = 1) -> list[int]:
    """Return the packs each claim gets, in the order of the claims; their units together at most available_qty.

    usual_qty: the units of a usual pack (rule 6). The share of a claim off the round is its reserve (rule 3).
    """
    # slow to load, and wanted only where goods are shared out
    import numpy as np

    left = max(0, available_qty)
    if not claims or not left:
        return [0] * len(claims)
    # one pack more than there is ends the queue (rule 5): a claim without bounds takes no more memory than that
    most = [left // claim.pack_qty + 1 for claim in claims]
    packs = np.array([min(n, max(0, claim.packs)) for n, claim in zip(most, claims, strict=True)])
    caps = np.minimum(packs, [min(n, max(0, claim.required_packs)) for n, claim in zip(most, claims, strict=True)])
    have = np.array([claim.have_qty for claim in claims], dtype=np.float64)
    per_pack = np.array([claim.pack_qty for claim in claims])
    rate = np.maximum(np.array([claim.per_day for claim in claims]), LEAST_PER_DAY)
    rank = np.argsort(np.argsort([claim.key for claim in claims], kind="stable"), kind="stable")
    needed = int((caps * per_pack).sum())
    if needed > left:
        rows, turn = np.repeat(np.arange(len(claims)), caps), _turns(caps)
        size = per_pack[rows]
        days = (have[rows] + np.maximum(turn * size, (turn + 1) * size - usual_qty)) / rate[rows]
        # first everybody's first pack, then always the fewest days of supply
        queue = rows[np.lexsort((rank[rows], days, (turn > 0) | (size > usual_qty)))]
        return [int(share) for share in np.bincount(_fit(queue, per_pack, left), minlength=len(claims))]
    rest = np.where([claim.on_route for claim in claims], packs - caps, 0)
    rows = np.repeat(np.arange(len(claims)), rest)
    queue = rows[np.lexsort((rank[rows], _turns(rest)))]
    return [int(share) for share in caps + np.bincount(_fit(queue, per_pack, left - needed), minlength=len(claims))]


def read_requirements(
    session: Session, goods: Collection[Goods], ordering: Collection[Place], reach: Mapping[Key, int], *,
    at: dt.datetime,
) -> AllocationRequirements:  # fmt: skip
    """Read what the network knows about goods that are asked for.

    ordering: what of which stores orders waiting ask; reach: as `order_days` says it of each.
    """
    skus, today = {sku for _, sku in goods}, at.astimezone(dt.UTC).date()
    if not skus:
        return AllocationRequirements({}, {}, {}, {}, {}, {}, {}, {})
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
    return AllocationRequirements(rates, usual, have, days, reach, packs, silent, house_of)


@dataclass(frozen=True)
class Share:
    """What one store gets of goods. lines: whose, the longest waiting first; none of a share that is kept (rule 12)."""

    claim: Claim
    lines: tuple[OrderLine, ...]
    packs: int

    @property
    def store_id(self) -> str:
        """Return whose share it is."""
        return self.claim.key.removesuffix("/")

    @property
    def units(self) -> int:
        """Return its units."""
        return self.packs * self.claim.pack_qty


def shares(
    free: Mapping[Goods, int], wanted: Mapping[Goods, Sequence[OrderLine]], requirements: AllocationRequirements
) -> dict[Goods, list[Share]]:
    """Return what every store gets of goods, and what is kept for the silent. wanted: the longest waiting first."""
    alike: dict[tuple[bool, Goods, str, int], list[OrderLine]] = {}
    for goods, lines in wanted.items():
        for line in lines:
            is_foreign = requirements.house_of.get(line.store_id) != goods[0]
            alike.setdefault((is_foreign, goods, line.store_id, line.pack_qty), []).append(line)
    claims: dict[Goods, list[tuple[Claim, list[OrderLine]]]] = {}
    asked: dict[Place, int] = {}
    for (_, goods, store, pack_qty), mine in sorted(alike.items(), key=lambda one: one[0]):  # rule 10
        before = asked.get((store, goods[1]), 0)
        claim = requirements.claim(goods, mine, before)
        asked[store, goods[1]] = before + min(claim.packs, claim.required_packs) * pack_qty
        claims.setdefault(goods, []).append((claim, mine))
    found: dict[Goods, list[Share]] = {}
    for goods, some in claims.items():
        everybody = [*some, *((claim, list[OrderLine]()) for claim in requirements.silent_claims(goods))]
        packs = fair_share(free.get(goods, 0), [claim for claim, _ in everybody], requirements.usual_qty(goods))
        found[goods] = [Share(claim, tuple(mine), n) for (claim, mine), n in zip(everybody, packs, strict=True)]
    return found


def share_out(
    free: Mapping[Goods, int], wanted: Mapping[Goods, Sequence[OrderLine]], requirements: AllocationRequirements
) -> tuple[dict[tuple[str, str, str], int], dict[Goods, Scarcity]]:
    """Return the packs of every line, by store, order and SKU, and how scarce the goods were.

    Of a store's lines the longest waiting is served first. wanted: the longest waiting first. A silent share stays
    where it is.
    """
    return scarcity(free, shares(free, wanted, requirements))


def scarcity(
    free: Mapping[Goods, int], found: Mapping[Goods, Sequence[Share]]
) -> tuple[dict[tuple[str, str, str], int], dict[Goods, Scarcity]]:
    """Return the packs of every line of shares, and how scarce their goods were."""
    given: dict[tuple[str, str, str], int] = {}
    scarce: dict[Goods, Scarcity] = {}
    for goods, some in found.items():
        given |= packs_of(some)
        kept = [one.units for one in some if not one.lines and one.packs]
        units = sum(one.units for one in some if one.lines)
        scarce[goods] = Scarcity(max(0, free.get(goods, 0)), units, sum(kept), len(kept))
    return given, scarce


def packs_of(found: Iterable[Share]) -> dict[tuple[str, str, str], int]:
    """Return the packs of every line of shares, by store, order and SKU."""
    given: dict[tuple[str, str, str], int] = {}
    for one in found:
        left = one.packs
        for line in one.lines:
            given[line.store_id, line.order_id, line.sku] = packs = min(line.packs, left)
            left -= packs
    return given


def counted(session: Session, rates: Mapping[Place, float]) -> dict[Place, float]:
    """Return what stores sell a day as far as it counts (rule 13)."""
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


def _fit(queue: "Ints", per_pack: "Ints", left: int) -> "Ints":
    """Return the packs of a queue that fit into what is left, up to the first that does not (rule 5)."""
    import numpy as np

    return queue[: int(np.searchsorted(np.cumsum(per_pack[queue]), left, side="right"))]


def _turns(counts: "Ints") -> "Ints":
    """Return 0, 1, ... of each count, one after the other."""
    import numpy as np

    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)


def _until(per_day: float, days: int) -> int:
    mean = max(0.0, per_day) * days
    return math.ceil(mean + SPREAD * math.sqrt(mean))


def _reported(line: OrderLine) -> int:
    """Return what a line needs by its proposal's facts, never by what a person made of it."""
    why = line.why
    if why.get("required_qty") is not None:
        return int(why["required_qty"])
    position = int(why.get("on_hand") or 0) - int(why.get("reserved") or 0) + int(why.get("on_the_way") or 0)
    return int(why["target"]) - position if why.get("target") else line.packs_proposed * line.pack_qty


def _ordered_by_customers(session: Session, skus: Collection[str]) -> Iterable[tuple[Place, int]]:
    """Return what customers wait for. What a store took at its own counter is its word alone, and not among it."""
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
            yield (store_id, sku), int(qty)


def _houses(
    session: Session, skus: Collection[str], at: dt.datetime
) -> tuple[dict[str, int], dict[Goods, frozenset[int]]]:
    """Return each warehouse's days until the vehicle after next of who orders tomorrow or later, and the packs it
    sells."""
    days: dict[str, int] = {}
    packs: dict[Goods, frozenset[int]] = {}
    listed = sa.select(SupplierProduct.supplier_id, SupplierProduct.sku, SupplierProduct.pack_qty)
    sold: dict[str, list[tuple[str, int]]] = {}
    for supplier_id, sku, pack_qty in session.execute(listed.where(SupplierProduct.sku.in_(skus))):
        sold.setdefault(supplier_id, []).append((sku, pack_qty))
    for supplier in session.scalars(sa.select(Supplier).where(Supplier.warehouse_id.is_not(None))):
        house = str(supplier.warehouse_id)
        today = day_of(session, house, at)
        later = next_cycle(supplier.calendar, today + dt.timedelta(days=1)).next_delivery_day
        days[house] = max(days.get(house, 0), (later - today).days)
        for sku, pack_qty in sold.get(supplier.id, ()):
            packs[house, sku] = packs.get((house, sku), frozenset()) | {pack_qty}
    return days, packs
