"""How a forecast gets into the books: a store's in parts, so that no till waits for thousands of rows.

Rules
-----
1. Nobody sees a run before it is published, which its last rows go before; a night that broke off leaves one that is
   called failed when the next is published.
2. A run that is published supersedes the one before; the numbers of the newest KEPT_RUNS stay, older ones keep only
   that they were.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.bulk import write_many
from config.ids import new_id
from config.nodes.journal import Actor, Context, move
from supply.demand import campaign_uplift, forecast_state, history
from supply.demand.forecasts import HORIZON_DAYS, STATES, Computed, ForecastQuantile, ForecastRun, ForecastSeries
from supply.demand.history import in_parts
from supply.demand.promotion_days import OFFER

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.series.panel import Floats, Forecast

PRODUCTS_AT_ONCE = 100
MATTERS_FROM = 0.05
"""A day moved by this much by what surrounds the store is worth a word."""
KEPT_RUNS = 3
KEPT_NOTES = 9
"""So many runs keep what they said of the week ahead."""
Part = Callable[[Session], object]
"""A transaction's worth."""


def store_region(ctx: Context, computed: Computed) -> ForecastRun:
    """Write a region's run and make it the one that is published."""
    run = _begin(ctx, new_id(), computed)
    run.signal = computed.signal
    _publish(ctx, run)
    return run


def store_store(ctx: Context, computed: Computed) -> ForecastRun:
    """Write a store's run and make it the one that is published, all in one transaction."""
    run_id = new_id()
    for part in parts(run_id, computed, actor=ctx.actor, at=ctx.at):
        part(ctx.session)
    return ctx.session.get_one(ForecastRun, run_id)


def parts(run_id: str, computed: Computed, *, actor: Actor, at: dt.datetime) -> Iterator[Part]:
    """Yield what writes a store's run, its quantiles per day and of the sum from the first day on, and publishes it.

    The rows of a part are made before it is yielded: its transaction only writes.
    """
    from forecasting.fit.state import VERSION, to_bytes

    store_id, found, gone = computed.loaded.scope_id, computed.forecast, list[str]()
    assert found is not None
    last = computed.loaded.day + dt.timedelta(days=HORIZON_DAYS)
    yield lambda session: _begin(Context(session, actor, at), run_id, computed)
    if computed.state is not None:
        body, day = to_bytes(computed.state), computed.state.measured_day
        yield lambda session: forecast_state.keep(session, store_id, day, body)
    for some in in_parts(range(len(found.keys)), PRODUCTS_AT_ONCE):
        series = _series_rows(run_id, found, some, computed)
        yield partial(_write, series=series, quantiles=_quantile_rows(run_id, found, some))

    def publish(session: Session) -> None:
        run = session.get_one(ForecastRun, run_id)
        run.region_origin_day = computed.loaded.signal_day
        run.reason = computed.reason
        run.version, run.measured_day, run.said = VERSION, computed.measured_day, computed.said
        run.effects = computed.effects
        campaign_uplift.carried(session, store_id, run_id, [sku for _, sku in found.keys], last)
        gone.extend(_publish(Context(session, actor, at), run))

    yield publish
    edges = sorted(sku for _, sku in found.keys)[::PRODUCTS_AT_ONCE]
    for start, end in zip(["", *edges], [*edges, None], strict=True):
        for old in gone:
            yield partial(_forget, run_id=old, start=start, end=end)


# --- inside ---


def _begin(ctx: Context, run_id: str, computed: Computed) -> ForecastRun:
    loaded = computed.loaded
    run = ForecastRun(
        id=run_id,
        scope_kind=loaded.scope_kind,
        scope_id=loaded.scope_id,
        state=STATES.first,
        origin_day=loaded.day,
        horizon_days=HORIZON_DAYS,
        started_at=ctx.at,
        seconds=round(computed.seconds, 3),
        series=computed.series,
    )
    ctx.session.add(run)
    ctx.session.flush()
    move(ctx, run, "running", subject=f"forecast:{run.id}")
    return run


def _publish(ctx: Context, run: ForecastRun) -> list[str]:
    """Publish a run (rules 1, 2); returns the runs whose numbers are there and no longer kept."""
    move(ctx, run, "ready", subject=f"forecast:{run.id}", series=run.series)
    before = ctx.session.scalars(
        sa.select(ForecastRun)
        .where(ForecastRun.scope_kind == run.scope_kind, ForecastRun.scope_id == run.scope_id, ForecastRun.id != run.id)
        .order_by(ForecastRun.origin_day.desc(), ForecastRun.started_at.desc())
    ).all()
    for old in before:
        if old.state == "published":
            move(ctx, old, "superseded", subject=f"forecast:{old.id}")
        elif old.state in ("running", "ready"):
            move(ctx, old, "failed", subject=f"forecast:{old.id}")
    move(ctx, run, "published", subject=f"forecast:{run.id}")
    history.forget_rates(ctx.session, [run.scope_id] if run.scope_kind == "store" else [])
    gone = [old.id for old in before[KEPT_RUNS - 1 :]]
    ctx.session.execute(sa.update(ForecastRun).where(ForecastRun.id.in_(gone)).values(signal=sa.null()))
    if silenced := [old.id for old in before[KEPT_NOTES - 1 :]]:
        ctx.session.execute(
            sa.update(ForecastRun).where(ForecastRun.id.in_(silenced)).values(said=sa.null(), effects=sa.null())
        )
    ctx.session.flush()
    has_numbers = sa.exists().where(ForecastSeries.run_id == ForecastRun.id)
    return list(ctx.session.scalars(sa.select(ForecastRun.id).where(ForecastRun.id.in_(gone), has_numbers)))


def _write(session: Session, series: list[dict[str, Any]], quantiles: list[dict[str, Any]]) -> None:
    write_many(session, ForecastSeries, series)
    write_many(session, ForecastQuantile, quantiles)


def _forget(session: Session, run_id: str, start: str, end: str | None) -> None:
    for table in (ForecastQuantile, ForecastSeries):
        here = sa.and_(table.run_id == run_id, table.sku >= start)
        session.execute(sa.delete(table).where(here if end is None else sa.and_(here, table.sku < end)))


def _series_rows(run_id: str, found: "Forecast", some: Sequence[int], computed: Computed) -> list[dict[str, Any]]:
    quiet, ahead = computed.quiet or {}, computed.loaded.ahead
    around = dict(ahead.features) if ahead is not None else {}
    if ahead is not None and ahead.on_offer is not None:
        around[OFFER] = ahead.on_offer.astype(float)
    return [
        {
            "run_id": run_id,
            "sku": sku,
            "model": found.model[row],
            "reason": found.reason[row],
            "level": float(found.level[row]),
            "regional_share": float(found.regional_share[row]),
            "weekday_profile": [round(float(factor), 3) for factor in found.weekday_profile[row]],
            "quiet_days": quiet.get(sku),
            "lately_spread": None if math.isnan(found.lately_spread[row]) else float(found.lately_spread[row]),
            "moved": _moved(found, row, around) if found.moved else None,
        }
        for row, sku in ((row, found.keys[row][1]) for row in some)
    ]


def _moved(found: "Forecast", row: int, around: "dict[str, Floats]") -> list[Any] | None:
    """Return what moves a product's days ahead and matters, as `ForecastSeries.moved` has it.

    The days of one name that are more, or less, of it than usual (of a price: that sell more, or less) stand together
    with their mean factor. An offer's always stand, so that one that is expected to bring nothing is told from one of
    which nothing is known.
    """
    reported: list[Any] = []
    for name, factors in found.moved.items():
        for more in (True, False):
            days = ((around[name][row] > 0) if name in around else factors[row] > 1.0) == more
            days &= more if name == OFFER else abs(factors[row] - 1.0) >= MATTERS_FROM
            if days.any():
                dates = [(found.first_day + dt.timedelta(days=int(n))).isoformat() for n in days.nonzero()[0]]
                reported.append([name, dates, round(float(factors[row][days].mean()), 3), more])
    return reported or None


def _quantile_rows(run_id: str, found: "Forecast", some: Sequence[int]) -> list[dict[str, Any]]:
    days = [found.first_day + dt.timedelta(days=n) for n in range(found.horizon_days)]
    sums = found.mean.cumsum(axis=1)
    rows = []
    for row in some:
        sku = found.keys[row][1]
        for n, day in enumerate(days):
            rows.append(_quantile_row(run_id, sku, day, day, found.mean[row, n], found.quantiles[row, :, n]))
            if n:  # the sum of one day is that day
                rows.append(_quantile_row(run_id, sku, days[0], day, sums[row, n], found.cumulative[row, :, n]))
    return rows


def _quantile_row(run_id: str, sku: str, first: dt.date, last: dt.date, mean: Any, levels: Any) -> dict[str, Any]:
    values = [round(float(value), 4) for value in levels]
    row = {"run_id": run_id, "sku": sku, "first_day": first, "last_day": last, "mean": round(float(mean), 5)}
    return row | dict(zip(("q50", "q75", "q90", "q95", "q99"), values, strict=True))
