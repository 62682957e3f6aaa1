"""The coming weeks of a store, as its own forecast lets expect them: what more or less service would cost, and bring.

Rules
-----
1. FUTURES futures of the next DAYS days are drawn for each product the store expects to sell
   (`forecasting.uncertainty.paths`), and its orders played on them at LEVELS_BP and at the store's present service
   (`futures`), within the suppliers' minimums and the week's money. Without a forecast of last night there is nothing
   to look at.
2. What is told is the mean over the futures, and between which figures eight of ten lie. What all products meet at
   once, as far as the store's past shows it, is met together on each future.
3. Stock and waste count at cost, lost sales at the price without tax. What a level brings is the margin of what is
   sold, less waste at cost and less keeping, as `policy` weighs them.
4. The best level is the leanest than which none surely brings more (in nine of ten futures), if it surely brings more
   than the present one; else the present one is.
5. The products named are those on which the present level loses most: sales and waste together.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from supply.demand import expected, forecasts
from supply.orders.delivery_calendar import DeliveryCalendar, next_cycle
from supply.replenishment import budget, service_targets
from supply.replenishment.candidates import wants_of
from supply.replenishment.open_orders import to_come
from supply.replenishment.requirements import Need, dated_lots

if TYPE_CHECKING:  # numpy is large, and the pages only need the table
    from forecasting.series.panel import Floats, Forecast
    from supply.replenishment.policy import OrderPolicy
    from supply.replenishment.scenarios import Goods, Played, Round, Week

DAYS = 28
FUTURES = 200
SEED = 1
LEVELS_BP = (8_500, 9_000, 9_500, 9_800, 9_900, 9_950)
NAMED = 8
FARTHEST_DAYS = 90
"""No forecast is told farther, however seldom a supplier comes."""
CELLS = 200_000
"""So many units of shelves times futures are reckoned with at once."""
BETWEEN = (0.1, 0.9)


class WeeksAhead(Base):
    """A store's newest look ahead. body: JSON as `compute` returns it."""

    __tablename__ = "weeks_ahead"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    first_day: Mapped[dt.date]
    made_at: Mapped[dt.datetime]
    body: Mapped[dict[str, Any]]


@dataclass(frozen=True)
class Loaded:
    """What a look ahead needs, read in one look; picklable, so that a child process can do it.

    needs: by supplier; rounds, slack: of each supplier, its lead time's variance. coming: units of each day from today
    by SKU; lots: [(days left, units)] by SKU, the oldest first; lately: what fresh products sold a day. minimums: what
    a supplier asks of an order, in minor units; week: None where money does not limit.
    """

    forecast: forecasts.Loaded
    today_left: float
    needs: dict[str, list[Need]]
    rounds: "dict[str, list[Round]]"
    slack: dict[str, float]
    coming: dict[str, dict[int, int]]
    lots: dict[str, list[tuple[int, float]]]
    lately: dict[str, float]
    present_bp: int
    minimums: dict[str, int]
    week: "Week | None"


def load(session: Session, store_id: str, *, country: str, at: dt.datetime) -> Loaded | None:
    """Read what is there, to come and expected; None without a forecast of last night, or with nobody to order of."""
    found = wants_of(session, store_id, at=at)
    basis, today = found.basis, found.basis.today
    yesterday = today - dt.timedelta(days=1)
    if basis.origin_day != yesterday or not found.offers:
        return None
    rounds = {one: _rounds(found.suppliers[one].calendar, found.days[one].order_day, today, found.leads[one].days)
              for one in found.suppliers}  # fmt: skip
    horizon = max([DAYS, *(last.next_delivery for some in rounds.values() for last in some[-1:])])
    best: dict[str, list[Need]] = {}
    for (supplier_id, sku), need in found.offers.items():
        if found.ranks[sku][0] == supplier_id:
            best.setdefault(supplier_id, []).append(need)
    coming = to_come(session, store_id, at=at).coming
    return Loaded(
        forecasts.load_store(session, store_id, yesterday, country=country, horizon_days=horizon, again=True),
        basis.today_left, best, rounds, {one: lead.variance for one, lead in found.leads.items()},
        {sku: {(day - today).days: qty for day, qty in days.items()} for sku, days in coming.items()},
        dated_lots(session, store_id, today, today + dt.timedelta(days=DAYS)),
        expected.lately(session, store_id, basis), service_targets.service_of(session, store_id),
        {one: supplier.minimum_minor for one, supplier in found.suppliers.items()}, _week(session, store_id, today),
    )  # fmt: skip


def compute(
    loaded: Loaded, *, futures: int = FUTURES, seed: int = SEED, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Play the weeks ahead at every level (rules 1 to 5); the same for a seed. No database. Returns JSON types only.

    A range is [low, mean, high]. matters: the products of rule 5. progress: told (days played, of how many).
    """
    import numpy as np

    from forecasting.uncertainty import paths
    from supply.replenishment import scenarios
    from supply.replenishment.policy import storefront_policy

    forecast = forecasts.compute_store(loaded.forecast).forecast
    assert forecast is not None
    levels = sorted({*LEVELS_BP, loaded.present_bp})
    policies, present = [storefront_policy(bp) for bp in levels], levels.index(loaded.present_bp)
    sums, named = [_Sums(futures) for _ in levels], list[dict[str, Any]]()
    parts, drawn = list(_parts(loaded, forecast, futures)), []
    for keys, goods in parts:
        units = paths.draw(keys, goods.daily[:, :DAYS], goods.spread, futures, seed=seed)
        drawn.append(units.astype(np.min_scalar_type(int(units.max(initial=0.0)))))
    every = scenarios.play([goods for _, goods in parts], drawn, policies, loaded.week, progress)
    for n, (played, policy) in enumerate(zip(every, policies, strict=True)):
        for (keys, goods), one in zip(parts, played, strict=True):
            sums[n].add(goods, one, policy)
            if n == present:
                named = _worst(named + _named(keys, goods, one))
    done = sum(len(keys) for keys, _ in parts)
    reported = [one.reported(sums[present]) | {"service_bp": bp} for bp, one in zip(levels, sums, strict=True)]
    return {
        "first_day": forecast.first_day.isoformat(), "days": DAYS, "futures": futures, "seed": seed, "products": done,
        "present_bp": loaded.present_bp, "best_bp": levels[_best(sums, present)], "levels": reported, "matters": named,
    }  # fmt: skip


def keep(session: Session, store_id: str, body: dict[str, Any], *, at: dt.datetime) -> None:
    """Keep a store's newest look ahead."""
    day = dt.date.fromisoformat(body["first_day"])
    session.merge(WeeksAhead(store_id=store_id, first_day=day, made_at=at, body=body))
    session.flush()


def newest(session: Session, store_id: str) -> WeeksAhead | None:
    """Return a store's look ahead; None where none was made yet."""
    return session.get(WeeksAhead, store_id)


# --- inside ---


class _Sums:
    """What one level comes to in each future, (m,), over all products."""

    def __init__(self, futures: int) -> None:
        import numpy as np

        self.wanted, self.lost, self.waste, self.stock, self.brings, self.a_day = np.zeros((6, futures))

    def add(self, goods: "Goods", one: "Played", policy: "OrderPolicy") -> None:
        """Add some products (rule 3)."""
        import numpy as np

        from supply.replenishment.policy import LEAST_MARGIN_BP

        cost, price = goods.cost, goods.price
        margin = np.maximum(price - cost, cost * LEAST_MARGIN_BP / 10_000)
        keeping = one.stock * cost * DAYS * policy.holding_bp_a_day / 10_000
        self.wanted += (one.wanted * price).sum(axis=0)
        self.lost += (one.lost * price).sum(axis=0)
        self.waste += (one.wasted * cost).sum(axis=0)
        self.stock += (one.stock * cost).sum(axis=0)
        self.a_day += (one.wanted * cost).sum(axis=0) / DAYS
        self.brings += (one.sold * margin - one.wasted * cost - keeping).sum(axis=0)

    def reported(self, present: "_Sums") -> dict[str, Any]:
        """Return the ranges of a level, and of what it brings beyond the present one on the same futures."""
        import numpy as np

        fill = 1 - self.lost / np.maximum(self.wanted, 1e-9)
        cover = self.stock / np.maximum(self.a_day, 1e-9)
        return {
            "fill": [round(one, 4) for one in _between(fill)], "cover_days": [round(one, 2) for one in _between(cover)],
            "stock_minor": _minor(self.stock), "lost_minor": _minor(self.lost), "waste_minor": _minor(self.waste),
            "brings_minor": _minor(self.brings - present.brings),
        }  # fmt: skip


def _best(sums: list[_Sums], present: int) -> int:
    """Return which level serves best (rule 4); sums: by rising level."""
    import numpy as np

    def surely_more(one: _Sums, other: _Sums) -> bool:
        return bool(np.quantile(one.brings - other.brings, BETWEEN[0]) > 0)

    most = max(sums, key=lambda one: float(one.brings.mean()))
    better = [n for n, one in enumerate(sums) if surely_more(one, sums[present]) and not surely_more(most, one)]
    return min(better, default=present)


def _rounds(calendar: DeliveryCalendar, first: dt.date, today: dt.date, lead_days: int) -> "list[Round]":
    """Return a supplier's rounds of the days played, counted from today."""
    from supply.replenishment.scenarios import Round

    found, day = [], first
    while (day - today).days < DAYS:
        one = next_cycle(calendar, day, lead_days)
        days = [(each - today).days for each in (one.order_day, one.delivery_day, one.next_delivery_day)]
        if days[0] >= DAYS or days[2] > FARTHEST_DAYS:
            break
        found.append(Round(*days))
        day = one.order_day + dt.timedelta(days=1)
    return found


def _week(session: Session, store_id: str, today: dt.date) -> "Week | None":
    """Return the week's money with what orders cost of it already; None where it does not limit."""
    from supply.replenishment.scenarios import Week

    week = budget.week_of(session, store_id)
    budget_left = next((one for one in budget.budgets(session, store_id, today) if one.name == budget.WEEK), None)
    if week is None or budget_left is None:
        return None
    spent = budget.week_spent(session, store_id, today)
    return Week(week.week_minor, {(day - today).days: minor for day, minor in spent.items()}, budget_left.suppliers)


def _parts(loaded: Loaded, forecast: "Forecast", futures: int) -> "Iterator[tuple[list[tuple[str, str]], Goods]]":
    """Yield the products that are expected to sell, so many of one supplier at once as fit the memory (`CELLS`)."""
    import numpy as np

    from supply.demand.lead_time_demand import lately_factor

    assert forecast.spread is not None
    daily, place = forecast.mean.copy(), {sku: row for row, (_, sku) in enumerate(forecast.keys)}
    for sku, sold in loaded.lately.items():
        if (row := place.get(sku)) is not None and forecast.level[row] > 0:
            daily[row] *= lately_factor(sold, float(forecast.level[row]))
    daily[:, 0] *= loaded.today_left
    for supplier_id, needs in sorted(loaded.needs.items()):
        sells = [need for need in needs if need.line.sku in place and daily[place[need.line.sku], :DAYS].sum() > 0]
        for mortal in (False, True):
            some = [need for need in sells if (need.line.shelf_life_days is not None) == mortal]
            size = max(1, CELLS // (futures * (1 + mortal * DAYS)))
            for start in range(0, len(some), size):
                part = some[start : start + size]
                rows = np.array([place[need.line.sku] for need in part])
                yield (
                    [forecast.keys[row] for row in rows],
                    _goods(
                        loaded, supplier_id, part, daily[rows], replace(forecast, spread=forecast.spread.select(rows))
                    ),
                )


def _goods(loaded: Loaded, supplier_id: str, needs: list[Need], daily: "Floats", reported: "Forecast") -> "Goods":
    import numpy as np

    from supply.replenishment.scenarios import Goods

    assert reported.spread is not None
    free = [max(0.0, float(need.line.position_qty - sum(need.on_the_way.values()))) for need in needs]
    lots, coming = [], dict[int, Any]()
    for row, need in enumerate(needs):
        rest = free[row]
        for days_left, units in loaded.lots.get(need.line.sku, ()):
            part = min(units, rest)
            rest -= part
            if days_left < 0:
                free[row] -= part  # over already: it is not sold any more
            elif part:
                lots.append((row, part, days_left))
        for day, qty in loaded.coming.get(need.line.sku, {}).items():
            coming.setdefault(day, np.zeros(len(needs)))[row] += qty
    return Goods(
        tuple(need.line for need in needs), loaded.rounds[supplier_id], daily, reported.spread, loaded.today_left,
        np.array(free), lots, coming, loaded.slack[supplier_id], supplier_id, loaded.minimums.get(supplier_id, 0),
    )  # fmt: skip


def _named(keys: list[tuple[str, str]], goods: "Goods", one: "Played") -> list[dict[str, Any]]:
    """Return what the present level loses on these products (rule 5)."""
    lost, waste = one.lost * goods.price, one.wasted * goods.cost
    rows = (lost.mean(axis=1) + waste.mean(axis=1)).argsort()[::-1][:NAMED]
    return [
        {
            "sku": keys[row][1], "fill": round(1 - float(one.lost[row].sum() / max(one.wanted[row].sum(), 1e-9)), 4),
            "lost_qty": [round(each) for each in _between(one.lost[row])], "lost_minor": _minor(lost[row]),
            "waste_qty": [round(each) for each in _between(one.wasted[row])], "waste_minor": _minor(waste[row]),
        }
        for row in rows
        if lost[row].any() or waste[row].any()
    ]  # fmt: skip


def _worst(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda one: (-one["lost_minor"][1] - one["waste_minor"][1], one["sku"]))[:NAMED]


def _between(figures: "Floats") -> list[float]:
    """Return between which figures eight of ten lie, and their mean between (rule 2)."""
    import numpy as np

    low, high = np.quantile(figures, BETWEEN)
    return [float(low), float(figures.mean()), float(high)]


def _minor(figures: "Floats") -> list[int]:
    return [round(one) for one in _between(figures)]
