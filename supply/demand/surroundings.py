"""What goes on around a store beside the calendar, for its forecast: school holidays and weather, if they are told.

Rules
-----
1. A store's own days count beside its region's; where both tell a day's weather, the store's holds.
2. What nobody told is left out, and costs nothing. What it makes of a day is learnt from the store's own past when all
   is measured (`forecast_state`), per category, and only as far as it is no chance
   (`forecasting.series.external_factors`); the first school holidays that are told bring nothing.
3. The network publishes a region's, whole months that hold the last EDITION_DAYS and all that is ahead; a store takes
   them over as they are.
4. School holidays: a row a day, each with a name, so that a file can be told twice, and stretches may join, overlap and
   be taken back in part; the name told last holds. Those gone by are told too: forecasts learn from them.
5. A stretch has at most MOST_DAYS days and ends at most MOST_AHEAD days from now: more is a year mistyped.
6. A store's school holidays are its own and its region's together.
7. Weather: a day has a temperature, a rain, or both; what is told later replaces it. Of a day ahead nobody told, the
   usual is expected; of one gone by nothing is known. A forecast of a day stands until what came is told.
8. It is never needed. A store's own words come before its region's, day by day and number by number.
9. Outside LEAST_TENTHS to MOST_TENTHS it is no weather, and WEATHER_AHEAD days ahead nobody knows it.

Units: tenths of a degree Celsius, the day's mean; tenths of a millimetre.
"""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.journal import Context
from config.nodes.publication import Publication
from pos.store.store import Store

if TYPE_CHECKING:
    from forecasting.series.panel import Ahead, DemandPanel, Floats
from collections.abc import Iterable
from itertools import groupby

from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, dialect_of, insert_into, table_of
from config.errors import Invalid
from config.nodes import journal

KIND = "surroundings"
EDITION_DAYS = 800

MOST_DAYS, MOST_AHEAD, LONGEST_NAME = 120, 800, 60
_DAY = dt.timedelta(days=1)


class SchoolHoliday(Base):
    """One day without school. scope_id: a store's or a region's."""

    __tablename__ = "school_holiday"

    scope_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    name: Mapped[str]


LEAST_TENTHS, MOST_TENTHS, MOST_RAIN_TENTHS = -600, 600, 20_000
WEATHER_AHEAD = 30
NUMBERS = ("temperature_tenths", "rain_tenths")
Reported = tuple[dt.date, int | None, int | None]
"""A day, and its NUMBERS where they are known."""


class WeatherDay(Base):
    """One day's weather. scope_id: a store's or a region's."""

    __tablename__ = "weather_day"

    scope_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    temperature_tenths: Mapped[int | None]
    rain_tenths: Mapped[int | None]


def reported(
    session: Session, store_id: str, panel: "DemandPanel", ahead: "Ahead", days: int
) -> "tuple[DemandPanel, Ahead]":
    """Return the panel and what is known of as many days ahead, both with what surrounds the store (rules 1, 2)."""
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
    """Return what is told of a region, for its stores; {} where nothing ever was."""
    since = (today - dt.timedelta(days=EDITION_DAYS)).replace(day=1)  # it is another edition once a month, not daily
    school = [
        [name, first.isoformat(), last.isoformat()]
        for name, first, last in school_holiday_spells(session, region_id, since)
    ]
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


# --- verbs ---


def add_school_holiday(ctx: Context, scope_id: str, name: str, first: dt.date, last: dt.date) -> None:
    """Note school holidays from a day until another, both included (rules 4, 5)."""
    check_school_holiday(first, last, at=ctx.at)
    days = [first + n * _DAY for n in range((last - first).days + 1)]
    insert = insert_into(SchoolHoliday, dialect_of(ctx.session))
    insert = insert.on_conflict_do_update(index_elements=["scope_id", "day"], set_={"name": insert.excluded.name})
    ctx.session.execute(insert, [{"scope_id": scope_id, "day": day, "name": name} for day in days])
    _note(ctx, "school_holidays.reported", scope_id, first, last)


def check_school_holiday(first: dt.date, last: dt.date, *, at: dt.datetime) -> None:
    """Refuse days that cannot be school holidays (rule 5)."""
    if last < first:
        raise Invalid("school-backwards", "The last day of the holidays is before the first.", field="to")
    if (last - first).days >= MOST_DAYS:
        raise Invalid(
            "school-too-long", "School holidays last up to %(most)s days. Is the year right?", field="to",
            most=MOST_DAYS,
        )  # fmt: skip
    if last > at.date() + dt.timedelta(days=MOST_AHEAD):
        raise Invalid(
            "school-too-far", "School holidays can be added up to %(most)s days ahead. Is the year right?", field="to",
            most=MOST_AHEAD,
        )  # fmt: skip


def remove_school_holiday(ctx: Context, scope_id: str, first: dt.date, last: dt.date) -> int:
    """Take school holidays back between two days, both included; returns how many days there were."""
    here = (SchoolHoliday.scope_id == scope_id, SchoolHoliday.day.between(first, last))
    gone = ctx.session.scalar(sa.select(sa.func.count()).where(*here)) or 0
    if gone:
        ctx.session.execute(sa.delete(SchoolHoliday).where(*here))
        _note(ctx, "school_holidays.taken_back", scope_id, first, last)
    return gone


# --- questions ---


def school_holiday_spells(session: Session, scope_id: str, since: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    """Return a scope's holidays that have not ended before a day, in order: name, first and last day."""
    query = sa.select(SchoolHoliday.day, SchoolHoliday.name).where(SchoolHoliday.scope_id == scope_id)
    rows = session.execute(query.order_by(SchoolHoliday.day)).all()
    found = []
    for (_begins, name), run in groupby(enumerate(rows), lambda one: (one[1].day - one[0] * _DAY, one[1].name)):
        days = [row.day for _n, row in run]
        found.append((name, days[0], days[-1]))
    return [spell for spell in found if spell[2] >= since]


# --- verbs ---


def send_weather(session: Session, scope_id: str, days: Iterable[Reported], *, at: dt.datetime) -> None:
    """Note the weather of days (rules 7, 9), all at once."""
    rows = []
    for reported in days:
        check_weather(*reported, at=at)
        rows.append({"scope_id": scope_id} | dict(zip(("day", *NUMBERS), reported, strict=True)))
    if not rows:
        return
    noted, insert = table_of(WeatherDay).c, insert_into(WeatherDay, dialect_of(session))
    newest = {name: sa.func.coalesce(insert.excluded[name], noted[name]) for name in NUMBERS}
    insert = insert.on_conflict_do_update(index_elements=["scope_id", "day"], set_=newest)
    session.execute(insert, rows)


def check_weather(day: dt.date, temperature_tenths: int | None, rain_tenths: int | None, *, at: dt.datetime) -> None:
    """Refuse what can be no weather of a day (rule 9)."""
    if temperature_tenths is None and rain_tenths is None:
        raise Invalid("no-weather", "Enter a temperature or rainfall for the day.", field="temperature")
    if temperature_tenths is not None and not LEAST_TENTHS <= temperature_tenths <= MOST_TENTHS:
        raise Invalid("bad-temperature", "Enter temperatures in degrees Celsius, -60 to 60.", field="temperature")
    if rain_tenths is not None and not 0 <= rain_tenths <= MOST_RAIN_TENTHS:
        raise Invalid("bad-rain", "Enter rainfall in millimeters, 0 to 2000.", field="rain")
    if day > at.date() + dt.timedelta(days=WEATHER_AHEAD):
        raise Invalid(
            "weather-too-far", "Weather can be entered up to %(most)s days ahead. Remove any later days.",
            field="day", most=WEATHER_AHEAD,
        )  # fmt: skip


def forget_weather(ctx: Context, scope_id: str) -> int:
    """Take back all weather told of a scope; returns of how many days there was some."""
    count = ctx.session.scalar(sa.select(sa.func.count()).where(WeatherDay.scope_id == scope_id)) or 0
    if count:
        ctx.session.execute(sa.delete(WeatherDay).where(WeatherDay.scope_id == scope_id))
        journal.record(ctx, verb="weather.taken_back", subject=f"scope:{scope_id}", days=count)
    return count


# --- questions ---


def known_weather(session: Session, scope_id: str) -> tuple[int, dt.date, dt.date] | None:
    """Return of how many days something was told, the first and the last; None without any."""
    days = sa.func.count(), sa.func.min(WeatherDay.day), sa.func.max(WeatherDay.day)
    count, first, last = session.execute(sa.select(*days).where(WeatherDay.scope_id == scope_id)).one()
    return (count, first, last) if count else None


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


def _note(ctx: Context, verb: str, scope_id: str, first: dt.date, last: dt.date) -> None:
    days = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    journal.record(ctx, verb=verb, subject=f"scope:{scope_id}", **days)
