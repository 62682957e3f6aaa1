"""The calendar as arrays: weekdays, days of the month, public holidays.

Rules
-----
1. Weekdays count from Monday = 0; days of the month from 0.
2. A day has at most one event code: a public holiday's own name, else MAKE_UP, else "eve: NAME", else "after: NAME",
   else "season: NAME".
3. Easter Sunday is added everywhere, and Whit Sunday where the Monday after it is a holiday, for trade follows them
   where the law does not name them.
4. No country, no events: codes are then empty strings. A country may be told with its part, as in ISO 3166-2: DE-BW.
5. A season is a run of ordinary weekdays with a trade of their own: the six days before Christmas Eve where Christmas
   is kept, and in CARNIVAL countries Fat Thursday to Shrove Tuesday, and Ash Wednesday.
6. Without a subdivision a holiday of MANY of the country's subdivisions is an event, too: what it does to the trade is
   measured, and where it is none, that is nothing.
7. Where a working day is made a day off and a day of a weekend is worked for it, as in China, both have one name in all
   years; the day that is worked keeps its weekday, as a season does.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from forecasting.series.panel import Ints, PanelFault

MAKE_UP, MOVED = "season: worked for a day off", "Day off for a weekend worked"
MANY = 0.2
"""Part of a country's subdivisions that keep a holiday (rule 6)."""
CARNIVAL = frozenset({
    "AR", "AT", "BE", "BO", "BR", "CH", "CO", "DE", "DO", "EC", "ES", "FR", "HR", "HU", "IT", "LU",
    "MT", "NL", "PA", "PE", "PL", "PT", "SI", "SK", "UY", "VE",
})  # fmt: skip


def days_from(first_day: date, n_days: int) -> list[date]:
    """Return the n_days dates from first_day on."""
    return [first_day + timedelta(days=step) for step in range(n_days)]


def weekdays(first_day: date, n_days: int) -> Ints:
    """Return (n_days,) weekdays, Monday = 0."""
    return (first_day.weekday() + np.arange(n_days, dtype=np.int64)) % 7


def month_days(first_day: date, n_days: int) -> Ints:
    """Return (n_days,) days of the month, the first = 0."""
    return np.array([day.day - 1 for day in days_from(first_day, n_days)], dtype=np.int64)


def event_codes(first_day: date, n_days: int, country: str | None, subdivision: str | None = None) -> list[str]:
    """Return each day's event code, "" for an ordinary day; PanelFault for a country nobody knows."""
    if not country or n_days <= 0:
        return [""] * max(n_days, 0)
    country, _, part = country.partition("-")
    subdivision = subdivision or part or None
    days = days_from(first_day, n_days)
    named: dict[date, str] = {}
    worked: set[date] = set()
    for year in range(days[0].year - 1, days[-1].year + 2):
        named.update(_holidays_of(country, subdivision, year))
        worked.update(_worked_of(country, subdivision, year))
    one = timedelta(days=1)
    codes = []
    for day in days:
        code = named.get(day, MAKE_UP if day in worked else "")
        if not code and day + one in named:
            code = f"eve: {named[day + one]}"
        if not code and day - one in named:
            code = f"after: {named[day - one]}"
        if not code:
            code = _season_of(day, country, date(day.year, 12, 25) in named)
        codes.append(code)
    return codes


def public_holidays(first_day: date, n_days: int, country: str | None) -> list[date]:
    """Return the public holidays among n_days from first_day on, of a country or its part (DE-BW), in order."""
    if not country:
        return []
    country, _, part = country.partition("-")
    last = first_day + timedelta(days=n_days - 1)
    named = (_holidays_of(country, part or None, year) for year in range(first_day.year, last.year + 1))
    return sorted(day for year in named for day in year if first_day <= day <= last)


def has_calendar(country: str) -> bool:
    """Tell whether public holidays are known of a country by its two ISO 3166 letters, or of its part (DE-BW)."""
    import holidays

    name, dash, part = country.partition("-")
    if len(name) != 2:  # what else the library has under a name is no country
        return False
    try:
        holidays.country_holidays(name, subdiv=part if dash else None)
    except NotImplementedError:
        return False
    return True


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (anonymous algorithm, 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    el = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * el) // 451
    month, day = divmod(h + el - 7 * m + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=256)
def _holidays_of(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    import holidays

    try:
        named = holidays.country_holidays(country, subdiv=subdivision, years=year, observed=False, language="en_US")
        found = {day: _first_name(name) for day, name in named.items() if day.year == year}
    except NotImplementedError as unknown:
        raise PanelFault(
            "country", "a country and subdivision with a holiday calendar", f"{country} {subdivision}"
        ) from unknown
    if subdivision is None:
        found |= {day: name for day, name in _regional(country, year).items() if day not in found}
    easter = easter_sunday(year)
    found.setdefault(easter, "Easter Sunday")
    if easter + timedelta(days=50) in found:
        found.setdefault(easter + timedelta(days=49), "Whit Sunday")
    return found


@lru_cache(maxsize=256)
def _worked_of(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """Return the days of weekends that are worked for a day off (rule 7)."""
    import holidays

    worked = holidays.country_holidays(country, subdiv=subdivision, years=year, observed=False).weekend_workdays
    return frozenset(day for day in worked if day.year == year)


def _regional(country: str, year: int) -> dict[date, str]:
    """Return the days that MANY of the subdivisions keep, by the name most of them give it (rule 6)."""
    import holidays

    parts = holidays.country_holidays(country).subdivisions
    seen: dict[date, Counter[str]] = {}
    for part in parts:
        named = holidays.country_holidays(country, subdiv=part, years=year, observed=False, language="en_US")
        for day, name in named.items():
            if day.year == year:
                seen.setdefault(day, Counter())[_first_name(name)] += 1
    return {
        day: min(names, key=lambda name: (-names[name], name))
        for day, names in sorted(seen.items())
        if names.total() >= MANY * len(parts)
    }


def _season_of(day: date, country: str, christmas: bool) -> str:
    """Return the code of the season a day lies in (rule 5), "" for none."""
    if christmas and day.month == 12 and 18 <= day.day <= 23:
        return "season: before Christmas"
    if country in CARNIVAL:
        to_easter = (easter_sunday(day.year) - day).days
        if 47 <= to_easter <= 52:
            return "season: Carnival"
        if to_easter == 46:
            return "season: Ash Wednesday"
    return ""


def _first_name(name: str) -> str:
    name = name.split(";")[0].strip()
    return MOVED if name.startswith("Day off (substituted from") else name
