"""Calendars of school holidays, as schools and ministries publish them, read as rows of a table."""

import datetime as dt

import pytest
from dateutil import rrule

from config.errors import Invalid
from store_app.files import calendars, importing

TODAY = dt.date(2026, 3, 2)


def calendar(*events, head=""):
    body = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{body}END:VCALENDAR\r\n".encode()


def event(name, begins, ends="", *more):
    lines = [f"SUMMARY:{name}", f"DTSTART{begins}", *([f"DTEND{ends}"] if ends else []), *more]
    return "\r\n".join(lines)


def rows(raw):
    """Return the rows below the heading as (name, from, to), days without year and dashes."""
    _left_out, *found = calendars.rows(raw, TODAY)
    return [(name, first[2:].replace("-", ""), last[2:].replace("-", "")) for name, first, last in found]


@pytest.mark.parametrize(
    ("begins", "ends", "found"),
    [
        (";VALUE=DATE:20260330", ";VALUE=DATE:20260411", ("260330", "260410")),  # the end is excluded
        (";VALUE=DATE:20260330", "", ("260330", "260330")),
        (";VALUE=DATE:20260330", ";VALUE=DATE:20260330", ("260330", "260330")),
        (":20260330T000000", ":20260411T000000", ("260330", "260410")),
        (";TZID=Europe/Berlin:20260330T000000", ";TZID=Europe/Berlin:20260410T235900", ("260330", "260410")),
        (";TZID=Europe/Berlin:20260327T120000", ";TZID=Europe/Berlin:20260411T080000", ("260328", "260410")),
        (":20260329T220000Z", ":20260410T220000Z", ("260330", "260410")),  # Berlin's midnights, named by the calendar
    ],
)
def test_an_event_counts_on_the_days_it_covers_whole(begins, ends, found):
    raw = calendar(event("Easter", begins, ends), head="X-WR-TIMEZONE:Europe/Berlin\r\n")
    assert rows(raw) == [("Easter", *found)]


def test_a_duration_tells_an_end_as_well():
    assert rows(calendar(event("Fair", ";VALUE=DATE:20260330", "", "DURATION:P5D"))) == [("Fair", "260330", "260403")]


def test_events_that_repeat_are_written_out_without_what_was_left_out_or_moved():
    raw = calendar(
        event("May", ";VALUE=DATE:20250501", "", "UID:a", "RRULE:FREQ=YEARLY"),
        event("Week", ";VALUE=DATE:20260302", "", "UID:b", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE;VALUE=DATE:20260304",
              "RDATE;VALUE=DATE:20260401"),
        event("Week", ";VALUE=DATE:20260316", "", "UID:b", "RECURRENCE-ID;VALUE=DATE:20260306"),
        event("Friday", ";VALUE=DATE:20260306", "", "UID:c", "RRULE:FREQ=WEEKLY;UNTIL=20260320"),
    )  # fmt: skip
    assert [row[:2] for row in rows(raw)] == [
        ("May", "250501"), ("Week", "260302"), ("Week", "260303"), ("Week", "260305"), ("Friday", "260306"),
        ("Friday", "260313"), ("Week", "260316"), ("Friday", "260320"), ("Week", "260401"), ("May", "260501"),
        ("May", "270501"), ("May", "280501"),
    ]  # fmt: skip


def test_what_is_no_school_holiday_is_left_out_and_counted_by_its_reason():
    day = ";VALUE=DATE:20260330"
    raw = calendar(
        event("Easter", day, ";VALUE=DATE:20260411"),
        event("Parents", ":20260310T190000", ":20260310T210000"),
        event("Year", ";VALUE=DATE:20250901", ";VALUE=DATE:20260731"),
        event("Later", ";VALUE=DATE:20300101"),
        event("Gone", day, "", "STATUS:CANCELLED"),
        event("Often", ";VALUE=DATE:20260101", "", "RRULE:FREQ=SECONDLY"),
        event("Still", ";VALUE=DATE:20260101", "", "RRULE:FREQ=DAILY;INTERVAL=0"),
        event("Odd", ":soon"),
        "SUMMARY:Dayless",
        event("Aimless", ";VALUE=DATE:20260101", "", "RRULE:COUNT=3"),
        event("", day),
    )
    assert rows(raw) == [("Easter", "260330", "260410")]
    assert calendars.table(raw, TODAY)[0] == (
        "a calendar; 10 events will be skipped (1 less than a day, 1 longer than 120 days, 1 more than 800 days "
        "ahead, 1 canceled, 2 repeats in an unsupported way, 4 without a name or a date)"
    )


def test_the_same_event_twice_is_one_and_the_longer_holds():
    first, longer = (event("Easter", ";VALUE=DATE:20260330", f";VALUE=DATE:202604{day}") for day in ("04", "11"))
    assert rows(calendar(longer, first, first)) == [("Easter", "260330", "260410")]
    sheet = importing.read("school-holidays", calendar(longer, first), "x.ics", today=TODAY)
    assert (sheet.rows, sheet.faults, sheet.is_calendar) == (1, [], True)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (calendar(), "It contains no school holidays: a calendar."),
        (calendar(event("Parents", ":20260310T190000", ":20260310T210000")), "1 event will be skipped (1 less"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:cut o", "It contains no school holidays"),
        (b"<html>Sign in</html>", "This calendar cannot be read."),
        (b"\xff\xfe\x00", "The characters in the file cannot be read. Save"),
        (calendar(*[event("Bomb", ";VALUE=DATE:20260330")] * 2_001), "up to 2,000"),
        (b"BEGIN:VCALENDAR\r\n" + b"A:1\r\n" * 50_000, "up to 2,000"),
        (b"BEGIN:VCALENDAR\r\nX:" + b"a" * 1_000_001, "up to 2,000"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_in_a_sentence(raw, said):
    with pytest.raises(Invalid) as refused:
        importing.read("school-holidays", raw, "holidays.ics", today=TODAY)
    assert said in refused.value.message


def test_events_that_repeat_without_an_end_take_a_bounded_number_of_steps(monkeypatch):
    monkeypatch.setattr(calendars, "MOST_REPEATING", 2)
    reported = [event(f"Day {n}", ";VALUE=DATE:20260301", "", "RRULE:FREQ=DAILY") for n in range(4)]
    kept = rows(calendar(*reported))
    assert {name for name, *_ in kept} == {"Day 0", "Day 1"}
    assert max(last for *_, last in kept) == "280510"
    assert "It contains no school holidays" in _refused(
        calendar(event("Long", ";VALUE=DATE:20200301", "", "RRULE:FREQ=DAILY"))
    )


def test_a_time_that_cannot_be_read_moves_nothing():
    may = event("May", ";VALUE=DATE:20260501", "", "UID:a", "RRULE:FREQ=YEARLY;COUNT=2")
    moved = event("June", ";VALUE=DATE:20260601", "", "UID:a", "RECURRENCE-ID:2026P501")
    assert rows(calendar(may, moved)) == [
        ("May", "260501", "260501"), ("June", "260601", "260601"), ("May", "270501", "270501"),
    ]  # fmt: skip


def test_a_day_that_never_comes_is_not_looked_for_through_all_years(monkeypatch):
    looked, rebuild = [], rrule._iterinfo.rebuild
    monkeypatch.setattr(rrule._iterinfo, "rebuild", lambda *given: (looked.append(1), rebuild(*given)))
    never = event("Never", ";VALUE=DATE:20200229", "", "RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30")
    leap = event("Leap", ";VALUE=DATE:20200229", "", "RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29")
    fifth = event("Fifth", ";VALUE=DATE:20260131", "", "RRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=5SA")
    assert [row[:2] for row in rows(calendar(never, leap, fifth))] == [
        ("Leap", "200229"), ("Never", "200229"), ("Leap", "240229"), ("Fifth", "260131"), ("Fifth", "270130"),
        ("Fifth", "280129"), ("Leap", "280229"),
    ]  # fmt: skip
    assert len(looked) < 10_000


def _refused(raw):
    with pytest.raises(Invalid) as refused:
        calendars.table(raw, TODAY)
    return refused.value.message
