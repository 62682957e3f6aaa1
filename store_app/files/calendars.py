"""School holidays as schools and ministries publish them: an iCalendar file (RFC 5545), read as rows of a table.

Rules
-----
1. An event counts on the days it covers whole, by its own clock: its end is excluded (3.6.1), 23:59 is an end of a day,
   and what has no end is a day. Moments in UTC go by the zone the calendar names (X-WR-TIMEZONE).
2. Events that repeat are written out with what was left out, added or moved; a way to repeat that costs much to write
   out, or comes from over OLDEST_YEARS ago, is left out.
3. A publisher's file is not the reader's to mend: what is no stretch of school holidays is left out and counted by its
   reason. Of two events of one name and first day the longer holds.
4. Bytes, lines and events are limited before the calendar is read.
"""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext

from config.errors import Invalid
from store_app.files.encodings import decode
from store_app.runtime.child_process import read_apart
from supply.demand.surroundings import LONGEST_NAME, MOST_AHEAD, MOST_DAYS

if TYPE_CHECKING:  # of the many who bring in a table few bring a calendar
    from icalendar import Calendar

MOST_BYTES, MOST_LINES, MOST_EVENTS, MOST_REPEATING, MOST_TIMES = 1_000_000, 40_000, 2_000, 30, 1_000
OLDEST_YEARS = 20
CYCLES_YEARS = 19 * 400
"""Days and weekdays are the same again after 400 years."""
HEADING = ["name", "from", "to"]
_BEGINS = b"BEGIN:VCALENDAR"
_DAY, _MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError, OverflowError)
"""What the library raises where it is asked for what it could not read."""
_CHEAP = {
    "DAILY": {"BYDAY"},
    "WEEKLY": {"BYDAY"},
    "MONTHLY": {"BYDAY", "BYMONTH", "BYMONTHDAY"},
    "YEARLY": {"BYDAY", "BYMONTH", "BYMONTHDAY"},
}
_Event = Mapping[str, Any]
"""What an event says; the library makes of each field another type."""
_ANYWHERE = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}


def is_calendar(raw: bytes, name: str) -> bool:
    """Tell whether a file is a calendar, by its name or by how it begins."""
    return name.endswith((".ics", ".ical")) or raw[:64].lstrip(b"\xef\xbb\xbf \r\n").upper().startswith(_BEGINS)


def table(raw: bytes, today: dt.date, **how: Any) -> tuple[str, Iterator[list[str]]]:
    """Return what a calendar holds beside school holidays, in words, and these as rows under HEADING.

    It is read in a child process (`child_process.read_apart`, which takes `how`).
    """
    found = read_apart(rows, raw, today, **how)
    described, reported = _described(Counter(next(found))), list(found)
    if not reported:
        words = _("It contains no school holidays: %(what)s. Choose a calendar that does.", what=described)
        raise Invalid("no-school-holidays", words)
    return described, iter([HEADING, *reported])


def rows(raw: bytes, today: dt.date) -> Iterator[Any]:
    """Yield how many events are left out by reason, then the school holidays as rows. The child's part."""
    left_out: Counter[str] = Counter()
    found: dict[tuple[str, dt.date], dt.date] = {}
    for name, first, last in _stretches(raw, today, left_out):
        found[name, first] = max(last, found.get((name, first), last))
    yield left_out
    for first, name, last in sorted((first, name, last) for (name, first), last in found.items()):
        yield [name, first.isoformat(), last.isoformat()]


# --- inside ---


class _Odd(Exception):
    """An event that is left out, for a reason `_described` knows."""


def _stretches(raw: bytes, today: dt.date, left_out: Counter[str]) -> Iterator[tuple[str, dt.date, dt.date]]:
    """Yield the name, first and last day of what can be school holidays; count the rest (rule 3)."""
    horizon, repeating = today + MOST_AHEAD * _DAY, 0
    for calendar in _calendars(raw):
        zone = _zone(calendar)
        events = calendar.walk("VEVENT")
        moved = {(str(one.get("UID")), at) for one in events if (at := _moved_from(one, zone)) is not None}
        for event in events:
            repeating += "RRULE" in event
            if "RRULE" in event and repeating > MOST_REPEATING:
                left_out["repeats"] += 1
                continue
            try:
                name = _name(event)
                for begins, ends in _times(event, zone, today, moved):
                    first, last = (begins + _DAY - dt.timedelta.resolution).date(), (ends + _MINUTE).date() - _DAY
                    if fault := _fault(first, last, horizon):
                        left_out[fault] += 1
                    else:
                        yield name, first, last
            except _Odd as odd:
                left_out[str(odd)] += 1
            except _UNREADABLE:
                left_out["broken"] += 1


def _calendars(raw: bytes) -> "list[Calendar]":
    if len(raw) > MOST_BYTES or raw.count(b"\n") > MOST_LINES or raw.upper().count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise Invalid(
            "calendar-too-large", "A calendar can have up to %(most_events)s events and 1 MB.",
            most_events=f"{MOST_EVENTS:,}", most=f"{MOST_EVENTS:,}",
        )  # fmt: skip
    from icalendar import Calendar

    text = decode(raw)[0]
    try:
        return [one for one in Calendar.from_ical(text, multiple=True) if one.name == "VCALENDAR"]
    except Exception as fault:  # a torn or hostile file: its reader may stumble in any way, and has written nothing
        raise Invalid("unreadable-calendar", "This calendar cannot be read. Download it again.") from fault


def _zone(calendar: "Calendar") -> dt.tzinfo:
    try:
        return ZoneInfo(str(calendar.get("X-WR-TIMEZONE", "UTC")))
    except (KeyError, ValueError, OSError):
        return dt.UTC


def _local(moment: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """Return a day's midnight, or a moment as its own clock showed it (rule 1)."""
    if not isinstance(moment, dt.datetime):
        return dt.datetime.combine(moment, dt.time.min)
    if moment.utcoffset() is not None and str(moment.tzinfo) == "UTC":
        moment = moment.astimezone(zone)
    return moment.replace(tzinfo=None)


def _moved_from(event: _Event, zone: dt.tzinfo) -> dt.datetime | None:
    """Return when an event would be that is moved from there; None where it is none that is moved."""
    with contextlib.suppress(*_UNREADABLE):
        return _local(event["RECURRENCE-ID"].dt, zone)
    return None


def _name(event: _Event) -> str:
    reported = event.get("SUMMARY", "")
    text = str(reported[0] if isinstance(reported, list) else reported)
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        raise _Odd("cancelled")
    if not name:
        raise _Odd("broken")
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _times(
    event: _Event, zone: dt.tzinfo, today: dt.date, moved: set[tuple[str, dt.datetime]]
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield when an event begins and ends, each time it is (rules 1, 2)."""
    reported = event["DTSTART"].dt
    begins = _local(reported, zone)
    if "DTEND" in event:
        lasts = _local(event["DTEND"].dt, zone) - begins
    elif "DURATION" in event:
        lasts = event["DURATION"].dt
    else:
        lasts = dt.timedelta()
    if not isinstance(reported, dt.datetime):
        lasts = max(lasts, _DAY)
    times = {begins}
    if "RRULE" in event:
        times |= set(_repeats(event["RRULE"], begins, zone, today))
    if _moved_from(event, zone) is None:
        times |= set(_listed(event, "RDATE", zone))
        times -= {at for uid, at in moved if uid == str(event.get("UID"))} | set(_listed(event, "EXDATE", zone))
    yield from ((at, at + lasts) for at in sorted(times))


def _listed(event: _Event, name: str, zone: dt.tzinfo) -> Iterator[dt.datetime]:
    reported = event.get(name, [])
    for line in reported if isinstance(reported, list) else [reported]:
        yield from (_local(one.dt, zone) for one in line.dts)


def _repeats(reported: Any, begins: dt.datetime, zone: dt.tzinfo, today: dt.date) -> list[dt.datetime]:
    """Return each time a rule tells until the last day that may be told, at most MOST_TIMES (rule 2)."""
    from dateutil.rrule import rrulestr

    if isinstance(reported, list):
        raise _Odd("repeats")
    (how,), (step,) = reported["FREQ"], reported.get("INTERVAL", [1])
    old = (today - begins.date()).days > OLDEST_YEARS * 366
    if old or int(step) < 1 or not set(reported) - _ANYWHERE <= _CHEAP.get(str(how), set()):
        raise _Odd("repeats")
    (until,), (count,) = reported.get("UNTIL", [dt.date.max]), reported.get("COUNT", [MOST_TIMES + 1])
    last = _local(until, zone) if isinstance(until, dt.datetime) else dt.datetime.combine(until, dt.time.max)
    last = min(last, dt.datetime.combine(today + MOST_AHEAD * _DAY, dt.time.max))
    plain = type(reported)({key: value for key, value in reported.items() if key not in ("UNTIL", "COUNT")})
    # a rule that never comes, as each 30 February, is looked for until the year 9999: from there it is not far
    begins, last = (moment.replace(year=moment.year + CYCLES_YEARS) for moment in (begins, last))
    rule = rrulestr(f"{plain.to_ical().decode()};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=begins)
    times = list(islice(rule, min(int(count), MOST_TIMES + 1)))
    if len(times) > MOST_TIMES:
        raise _Odd("repeats")
    return [moment.replace(year=moment.year - CYCLES_YEARS) for moment in times]


def _fault(first: dt.date, last: dt.date, horizon: dt.date) -> str:
    if last < first:
        return "hours"
    if (last - first).days >= MOST_DAYS:
        return "long"
    return "far" if last > horizon else ""


def _described(left_out: Counter[str]) -> str:
    words = {
        "hours": _("less than a day"),
        "long": _("longer than %(most)s days", most=MOST_DAYS),
        "far": _("more than %(most)s days ahead", most=MOST_AHEAD),
        "cancelled": _("canceled"),
        "repeats": _("repeats in an unsupported way"),
        "broken": _("without a name or a date"),
    }
    if not left_out:
        return _("a calendar")
    reported = _(", ").join(f"{left_out[why]} {said}" for why, said in words.items() if left_out[why])
    return ngettext(
        "a calendar; %(num)d event will be skipped (%(why)s)",
        "a calendar; %(num)d events will be skipped (%(why)s)",
        left_out.total(),
        why=reported,
    )
