"""Weather a day, if somebody tells it: of days gone by as it was, of those ahead as it is forecast.

Rules
-----
1. A day has a temperature, a rain, or both; what is told later replaces it. Of a day ahead nobody told, the usual is
   expected; of one gone by nothing is known. A forecast of a day stands until what came is told.
2. It is never needed. A shop's own words come before its region's, day by day and number by number (`surroundings`).
3. Outside LEAST_TENTHS to MOST_TENTHS it is no weather, and MOST_AHEAD days ahead nobody knows it.

Units: tenths of a degree Celsius, the day's mean; tenths of a millimetre.
"""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into, table_of
from config.errors import Invalid
from config.nodes import journal
from config.nodes.journal import Actor

LEAST_TENTHS, MOST_TENTHS, MOST_RAIN_TENTHS = -600, 600, 20_000
MOST_AHEAD = 30
NUMBERS = ("temperature_tenths", "rain_tenths")
Told = tuple[dt.date, int | None, int | None]
"""A day, and its NUMBERS where they are known."""


class WeatherDay(Base):
    """One day's weather. scope_id: a store's or a region's."""

    __tablename__ = "weather_day"

    scope_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    temperature_tenths: Mapped[int | None]
    rain_tenths: Mapped[int | None]


# --- verbs ---


def tell(session: Session, scope_id: str, days: Iterable[Told], *, at: dt.datetime) -> None:
    """Note the weather of days (rules 1, 3), all at once."""
    rows = []
    for told in days:
        check(*told, at=at)
        rows.append({"scope_id": scope_id} | dict(zip(("day", *NUMBERS), told, strict=True)))
    if not rows:
        return
    noted, insert = table_of(WeatherDay).c, insert_into(WeatherDay, dialect_of(session))
    newest = {name: sa.func.coalesce(insert.excluded[name], noted[name]) for name in NUMBERS}
    insert = insert.on_conflict_do_update(index_elements=["scope_id", "day"], set_=newest)
    session.execute(insert, rows)


def check(day: dt.date, temperature_tenths: int | None, rain_tenths: int | None, *, at: dt.datetime) -> None:
    """Refuse what can be no weather of a day (rule 3)."""
    if temperature_tenths is None and rain_tenths is None:
        raise Invalid("no-weather", "Give the day a temperature or a rain.", field="temperature")
    if temperature_tenths is not None and not LEAST_TENTHS <= temperature_tenths <= MOST_TENTHS:
        raise Invalid("bad-temperature", "Give temperatures in degrees Celsius, -60 to 60.", field="temperature")
    if rain_tenths is not None and not 0 <= rain_tenths <= MOST_RAIN_TENTHS:
        raise Invalid("bad-rain", "Give the rain in millimetres, 0 to 2000.", field="rain")
    if day > at.date() + dt.timedelta(days=MOST_AHEAD):
        words = f"Nobody knows the weather more than {MOST_AHEAD} days ahead. Leave those days out."
        raise Invalid("weather-too-far", words, field="day", most=MOST_AHEAD)


def forget(session: Session, scope_id: str, *, actor: Actor, at: dt.datetime) -> int:
    """Take back all weather told of a scope; returns of how many days there was some."""
    count = session.scalar(sa.select(sa.func.count()).where(WeatherDay.scope_id == scope_id)) or 0
    if count:
        session.execute(sa.delete(WeatherDay).where(WeatherDay.scope_id == scope_id))
        journal.record(session, actor=actor, at=at, verb="weather.taken_back", subject=f"scope:{scope_id}", days=count)
    return count


# --- questions ---


def known(session: Session, scope_id: str) -> tuple[int, dt.date, dt.date] | None:
    """Return of how many days something was told, the first and the last; None without any."""
    days = sa.func.count(), sa.func.min(WeatherDay.day), sa.func.max(WeatherDay.day)
    count, first, last = session.execute(sa.select(*days).where(WeatherDay.scope_id == scope_id)).one()
    return (count, first, last) if count else None
