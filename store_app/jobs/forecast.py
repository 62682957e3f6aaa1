"""The jobs that forecast, and replay the past by what was forecast; `jobs` has the table and the rules.

Rules
-----
1. The network forecasts some of its stores or regions in one child; where that trips, each by itself. Who trips by
   itself is left out for that night, and noted (`doors.alone`); the others are forecast.
2. A child that stopped or took too long, and books that are away, are nobody's odd row: the night waits.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from config.errors import Unreachable
from config.ids import new_id
from config.nodes.journal import Context
from config.settings import Settings
from pos.store.store import Region, Store
from store_app.jobs.desk import Desk
from store_app.runtime.doors import alone

if TYPE_CHECKING:
    from supply.demand.forecasts import Computed, Loaded

AT_ONCE = 8
Kind = Literal["store", "region"]


def forecast_store(desk: Desk, day: dt.date) -> str:
    """Forecast this store's products."""
    from supply.demand import forecast_store

    (result,) = desk.compute(_forecasts_of, (desk.doors.settings, [desk.node_id], day, "store"))
    for part in forecast_store.parts(new_id(), result, actor=desk.actor("forecast"), at=desk.doors.now()):
        with desk.doors.write() as session:
            part(session)
    return f"forecast {desk.node_id} from {day}"


def forecast_regions(desk: Desk, day: dt.date) -> str:
    """Fit every region's models on the roll-up."""
    from supply.demand import forecast_store

    done, regions = 0, _regions(desk)
    for some in _lots(regions):
        for result in _forecast(desk, "region", some, day):
            with desk.doors.write() as session:
                actor, at = desk.actor("forecast-regions"), desk.doors.now()
                forecast_store.store_region(Context(session, actor, at), result)
            done += 1
    return _reported(done, len(regions), "regions", day)


def forecast_stores(desk: Desk, day: dt.date) -> str:
    """Forecast for the stores that have no node of their own, a few at a time in one child.

    A night that broke off goes on where it stopped; one that is asked for again when it is whole is done again.
    """
    from supply.demand import forecast_store, forecasts

    with desk.doors.read() as session:
        stores = session.scalars(
            sa.select(Store.id).where(~Store.has_node, Store.left_on.is_(None)).order_by(Store.id)
        ).all()
        left = [store_id for store_id in stores if not forecasts.has_run(session, store_id, day)]
    stores = left or stores
    done = seen = 0
    for some in _lots(stores):
        for result in _forecast(desk, "store", some, day):
            with desk.doors.write() as session:
                forecast_store.store_store(Context(session, desk.actor("forecast-stores"), desk.doors.now()), result)
            done += 1
        seen += len(some)
        desk.far("forecast-stores", day, "stores")(seen, len(stores))
    return _reported(done, len(stores), "stores", day)


def replay(desk: Desk, day: dt.date) -> str:
    """Replay the store's last weeks under every way of ordering, once a week."""
    return f"{_replay(desk, 'store', desk.node_id, [desk.node_id], day)} replayed"


def replay_regions(desk: Desk, day: dt.date) -> str:
    """Replay every region's last weeks, once a week."""
    from supply.replenishment import replays

    regions = _regions(desk)
    with desk.doors.read() as session:
        stores = {region_id: replays.stores_of(session, region_id) for region_id in regions}
    done = 0
    for region_id in regions:
        with alone(desk.doors, "replay", region_id, actor=desk.actor("replay-regions")):
            done += _replay(desk, "region", region_id, stores[region_id], day) if stores[region_id] else 0
    return f"{done} replayed"


# --- inside ---


def _regions(desk: Desk) -> list[str]:
    with desk.doors.read() as session:
        return list(session.scalars(sa.select(Region.id).order_by(Region.id)))


def _lots(ids: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), AT_ONCE):
        yield list(ids[first : first + AT_ONCE])


def _reported(done: int, asked: int, what: str, day: dt.date) -> str:
    """Say how many were forecast; where it was none, nobody's row is odd, but the night is."""
    if asked and not done:
        raise RuntimeError(f"none of {asked} {what} could be forecast")
    return f"{done} {what} from {day}"


def _forecast(desk: Desk, kind: Kind, some: list[str], day: dt.date) -> "list[Computed]":
    """Forecast some stores or regions, without those that trip by themselves (rules 1, 2)."""
    found: list[Computed] = []

    def compute(ids: list[str]) -> None:
        found.extend(desk.compute(_forecasts_of, (desk.doors.settings, ids, day, kind)))

    try:
        compute(some)
    except Unreachable:
        raise
    except Exception:  # by themselves it will be seen whose rows are odd
        for scope_id in some:
            with alone(desk.doors, "forecast", scope_id, actor=desk.actor(f"forecast-{kind}s")):
                compute([scope_id])
    return found


def _forecasts_of(asked: tuple[Settings, list[str], dt.date, Kind]) -> "list[Computed]":
    """Read and forecast the demand of some stores or regions; reading a year of it takes its time too."""
    from config.database import Database, make_engine
    from supply.demand import forecasts

    settings, ids, day, kind = asked
    database = Database(make_engine(settings.database_url))
    load = forecasts.load_store if kind == "store" else forecasts.load_region

    def loaded() -> "Iterator[Loaded]":
        for scope_id in ids:
            with database.read() as session:
                one = load(session, scope_id, day, country=settings.country)
            yield one

    try:
        if kind == "region":
            return [forecasts.compute_region(one) for one in loaded()]
        return forecasts.compute_stores(loaded(), cluster=settings.forecast_cluster)
    finally:
        database.engine.dispose()


def _replay(desk: Desk, kind: Kind, scope_id: str, stores: list[str], day: dt.date) -> int:
    """Replay a scope if that is due and there is enough to replay; returns how many were."""
    from supply.replenishment import replay, replays

    with desk.doors.read() as session:
        if not replays.is_due(session, kind, scope_id, day):
            return 0
        loaded = replays.load(session, stores, day, country=desk.doors.settings.country)
    if loaded is None:
        return 0
    body: dict[str, Any] = desk.compute(replay.compute, loaded)
    with desk.doors.write() as session:
        replays.keep(session, kind, scope_id, body, last_day=day, at=desk.doors.now())
    return 1
