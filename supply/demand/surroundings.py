"""What goes on around a shop beside the calendar, for its forecast: school holidays and weather, if they are told.

Rules
-----
1. A shop's own days count beside its region's; where both tell a day's weather, the shop's holds.
2. What nobody told is left out, and costs nothing. What it makes of a day is learnt from the shop's own past when all
   is measured (`forecast_state`), per aisle, and only as far as it is no chance
   (`forecasting.series.external_factors`); the first school holidays that are told bring nothing.
3. The network publishes a region's, whole months that hold the last EDITION_DAYS and all that is ahead; a shop takes
   them over as they are.
"""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.publication import Publication
from pos.store.store import Store
from supply.demand.school_holidays import SchoolHoliday, spells
from supply.demand.weather import WeatherDay

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.series.panel import Ahead, DemandPanel, Floats

KIND = "surroundings"
EDITION_DAYS = 800


def told(
    session: Session, store_id: str, panel: "DemandPanel", ahead: "Ahead", days: int
) -> "tuple[DemandPanel, Ahead]":
    """Return the panel and what is known of as many days ahead, both with what surrounds the shop (rules 1, 2)."""
    import numpy as np

    found = _features(session, store_id, panel.first_day, panel.n_days + days)
    if not found:
        return panel, ahead
    n = panel.n_series
    before = {name: np.broadcast_to(line[: panel.n_days], (n, panel.n_days)) for name, line in found.items()}
    later = {name: np.broadcast_to(line[panel.n_days :], (n, days)) for name, line in found.items()}
    panel = replace(panel, features=panel.features | before)
    return panel, replace(ahead, features=ahead.features | later)


# --- between nodes ---


def edition(session: Session, region_id: str, today: dt.date) -> dict[str, Any]:
    """Return what is told of a region, for its shops; {} where nothing ever was."""
    since = (today - dt.timedelta(days=EDITION_DAYS)).replace(day=1)  # it is another edition once a month, not daily
    school = [[name, first.isoformat(), last.isoformat()] for name, first, last in spells(session, region_id, since)]
    query = sa.select(WeatherDay).where(WeatherDay.scope_id == region_id, WeatherDay.day >= since)
    weather = [
        [row.day.isoformat(), row.temperature_tenths, row.rain_tenths]
        for row in session.scalars(query.order_by(WeatherDay.day))
    ]
    if not school and not weather and session.get(Publication, (KIND, region_id)) is None:
        return {}
    return {"region_id": region_id, "school": school, "weather": weather}


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take over what is told of a region: all of it, and nothing that was told before."""
    region_id = str(body["region_id"])
    session.execute(sa.delete(SchoolHoliday).where(SchoolHoliday.scope_id == region_id))
    session.execute(sa.delete(WeatherDay).where(WeatherDay.scope_id == region_id))
    for name, begins, ends in body["school"]:
        first, last = dt.date.fromisoformat(begins), dt.date.fromisoformat(ends)
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        session.add_all([SchoolHoliday(scope_id=region_id, day=day, name=name) for day in days])
    rows = [
        {"scope_id": region_id, "day": dt.date.fromisoformat(day), "temperature_tenths": warm, "rain_tenths": rain}
        for day, warm, rain in body["weather"]
    ]
    if rows:
        session.execute(sa.insert(WeatherDay), rows)
    session.flush()


# --- inside ---


def _features(session: Session, store_id: str, first: dt.date, length: int) -> "dict[str, Floats]":
    """Return name -> (length,) of what is told of the days from `first` on; without what nobody told."""
    import numpy as np

    scopes = (session.get_one(Store, store_id).region_id, store_id)  # the nearer last, for it holds
    last = first + dt.timedelta(days=length - 1)
    query = sa.select(SchoolHoliday.day).where(
        SchoolHoliday.scope_id.in_(scopes), SchoolHoliday.day.between(first, last)
    )
    off = [(day - first).days for day in session.scalars(query)]
    weather = _weather(session, scopes, first, last)
    if not off and weather is None:
        return {}
    from forecasting.series import external_factors

    found: dict[str, Floats] = {}
    if off:
        free = np.zeros((1, length))
        free[0, off] = 1.0
        found[external_factors.SCHOOL] = external_factors.school(free, first)[0]
    if weather is not None:
        warm, wet = external_factors.temperature(weather[:1])[0], external_factors.rain(weather[1:])[0]
        found |= {external_factors.TEMPERATURE: warm[-length:], external_factors.RAIN: wet[-length:]}
    return {name: line for name, line in found.items() if line.any()}


def _weather(session: Session, scopes: tuple[str, ...], first: dt.date, last: dt.date) -> "Floats | None":
    """Return (2, days) degrees and millimetres, NaN where nobody told, from the days that say what is usual on."""
    import numpy as np

    from forecasting.series.external_factors import USUAL_DAYS

    begins = first - dt.timedelta(days=2 * USUAL_DAYS)
    row = WeatherDay
    query = sa.select(row.scope_id, row.day, row.temperature_tenths, row.rain_tenths).where(
        row.scope_id.in_(scopes), row.day.between(begins, last)
    )
    rows = session.execute(query).all()
    if not rows:
        return None
    grid = np.full((2, (last - begins).days + 1), np.nan)
    for _scope, day, *tenths in sorted(rows, key=lambda one: scopes.index(one[0])):
        for at, value in enumerate(tenths):
            if value is not None:
                grid[at, (day - begins).days] = value / 10.0
    return grid
