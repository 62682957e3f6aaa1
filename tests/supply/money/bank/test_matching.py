"""An entry is a transfer's by its reference, or where nothing else fits; never more than either has."""

import datetime as dt
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pos.payments.bank_codes import reference_of
from supply.money.bank.matching import AMOUNT, REFERENCE, WINDOW_DAYS, Open, Pair, Transfer, propose

DAY = dt.date(2026, 3, 2)


def asked(n: int, minor: int = 1000, came: int = 0, day: int = 0, *, is_seen: bool = True) -> Transfer:
    return Transfer(f"p{n}", reference_of(f"p{n}"), minor, came, DAY + dt.timedelta(days=day), is_seen)


def entry(n: int, minor: int = 1000, text: str = "", day: int = 0) -> Open:
    return Open(f"e{n}", minor, True, DAY + dt.timedelta(days=day), text)


def test_a_reference_is_found_whatever_blanks_and_breaks_a_bank_puts_in():
    one = asked(1)
    text = f"svwz+{one.reference[:5].lower()} {one.reference[5:9]}-{one.reference[9:]} danke"
    assert propose([entry(1, 1000, text, day=90)], [one, asked(2)]) == [Pair("e1", "p1", 1000, REFERENCE)]


def test_short_overpaid_double_and_returned_transfers_go_as_far_as_they_go():
    one, mark = asked(1), reference_of("p1")
    assert propose([entry(1, 400, mark)], [one]) == [Pair("e1", "p1", 400, REFERENCE)]
    assert propose([entry(1, 1300, mark)], [one]) == [Pair("e1", "p1", 1000, REFERENCE)]
    assert propose([entry(1, 1000, mark), entry(2, 1000, mark)], [one]) == [Pair("e1", "p1", 1000, REFERENCE)]
    back = [entry(1, 1000, mark), entry(2, -1000, mark, day=1)]
    assert propose(back, [one]) == [Pair("e1", "p1", 1000, REFERENCE), Pair("e2", "p1", -1000, REFERENCE)]
    assert propose([entry(2, -1000, mark)], [one]) == []


def test_an_entry_that_names_two_transfers_is_left_to_a_person():
    assert propose([entry(1, 1000, f"{reference_of('p1')} {reference_of('p2')}")], [asked(1), asked(2)]) == []


def test_without_a_reference_only_what_fits_alone_both_ways_is_sure():
    assert propose([entry(1)], [asked(1)]) == [Pair("e1", "p1", 1000, AMOUNT)]
    assert propose([entry(1)], [asked(1), asked(2)]) == []
    assert propose([entry(1), entry(2)], [asked(1)]) == []
    assert propose([entry(1, 999)], [asked(1)]) == []
    assert propose([entry(1)], [asked(1, is_seen=False)]) == []
    assert propose([replace(entry(1), is_whole=False)], [asked(1)]) == []
    days = range(-3, WINDOW_DAYS + 3)
    assert [day for day in days if propose([entry(1, day=day)], [asked(1)])] == list(range(-1, WINDOW_DAYS + 1))


def test_what_a_person_parted_stays_parted():
    for text in ("", reference_of("p1")):
        assert propose([entry(1, 1000, text)], [asked(1)], {("e1", "p1")}) == []


amounts = st.sampled_from([100, 250, 1000])
transfers = st.lists(st.tuples(amounts, st.integers(0, 3), st.booleans()), max_size=5)
bookings = st.lists(
    st.tuples(amounts | st.sampled_from([-100, -1000]), st.integers(-2, 7), st.sampled_from(["", "p0", "p1", "p4"])),
    max_size=6,
)


@given(transfers, bookings, st.randoms())
def test_no_entry_and_no_transfer_gives_or_gets_more_than_it_has_in_any_order(made, booked, turn):
    ones = [asked(n, minor, day=day, is_seen=seen) for n, (minor, day, seen) in enumerate(made)]
    entries = [entry(n, minor, reference_of(of) if of else "", day) for n, (minor, day, of) in enumerate(booked)]
    pairs = propose(entries, ones)
    given_out, came = Counter[str](), Counter[str]()
    for pair in pairs:
        given_out[pair.entry_id] += pair.amount_minor
        came[pair.transfer_id] += pair.amount_minor
    for booking in entries:
        assert 0 <= given_out[booking.id] * (1 if booking.left_minor > 0 else -1) <= abs(booking.left_minor)
    for one in ones:
        assert 0 <= came[one.id] <= one.amount_minor
    turn.shuffle(entries)
    turn.shuffle(ones)
    assert Counter(propose(entries, ones)) == Counter(pairs)
