"""Statements in any order, overlapping and again: each entry is on record once, and no match is false."""

import datetime as dt
import random
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import Conflict
from config.ids import new_id
from config.nodes.journal import Context
from pos.payments.bank_codes import reference_of
from pos.payments.payments import Payment
from supply.money.bank import reading, statement, statements
from supply.money.bank.statements import BankEntry
from tests.supply.money.bank.made import DAY, IBAN, Booking, camt, mt940
from tests.supply.road import OPERATOR, later, make_country

STORE, DAYS = "S1", 4
AFTER = later(days=DAYS + 20)


@pytest.fixture
def books(tmp_path):
    """Give a store's books."""
    return make_country(tmp_path).stores[STORE]


def take(session, raw: bytes) -> statements.Taken:
    found = [statement.from_json(one) for one in reading.read(raw)]
    return statements.take(Context(session, OPERATOR, AFTER), STORE, IBAN, found, raw)


def day(n: int) -> dt.date:
    return DAY + dt.timedelta(days=n)


bookings = st.lists(
    st.builds(Booking, st.sampled_from([500, 700, -300]), st.sampled_from(["tip", "rent"]),
              st.integers(0, DAYS - 1).map(day)),
    max_size=10,
)  # fmt: skip
ranges = st.lists(st.tuples(st.integers(0, DAYS - 1), st.integers(0, DAYS - 1)).map(sorted), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(bookings, ranges, st.sampled_from([camt, mt940]))
def test_overlapping_statements_in_any_order_bring_each_entry_once(books, booked, asked, make):
    with books.write() as session:
        for first, last in asked:
            within = [one for one in booked if day(first) <= one.day <= day(last)]
            opening = 50_000 + sum(one.minor for one in booked if one.day < day(first))
            raw = make(within, number="0", opening=opening)
            if within:
                try:
                    take(session, raw)
                except Conflict:
                    continue  # the very same file
        covered = {day(n) for first, last in asked for n in range(first, last + 1)}
        wanted = Counter((one.day, one.minor) for one in booked if one.day in covered)
        rows = session.scalars(sa.select(BankEntry).where(BankEntry.store_id == STORE))
        assert Counter((row.booked_on, row.amount_minor) for row in rows) == wanted
        session.rollback()


def asked(session, minor: int, at: dt.datetime, *, state: str = "captured") -> str:
    payment_id = new_id()
    session.add(Payment(store_id=STORE, id=payment_id, sale_id=new_id(), tender="bank_transfer", amount_minor=minor,
                        state=state, at=at, requested_at=at, provider="amount-qr", way="bank_code"))  # fmt: skip
    return payment_id


def test_of_a_thousand_transfers_no_match_is_false_and_each_fault_is_shown(books):
    """Faults in one of five: short, over, twice, sent back, never sent, without a reference."""
    turn, truth, faults = random.Random(7), {}, Counter[str]()
    by_day: dict[int, list[Booking]] = {n: [] for n in range(20)}
    with books.write() as session:
        for n in range(1000):
            at_day, minor = turn.randrange(16), turn.randrange(100, 9000)
            payment = asked(session, minor, later(days=at_day))
            kind = turn.choice(["", "", "", "", "short", "over", "twice", "back", "never", "bare"]) if n % 2 else ""
            faults[kind] += 1
            text = "" if kind == "bare" else f"SVWZ+{reference_of(payment)[:7]} {reference_of(payment)[7:]}"
            paid = {"short": minor - 50, "over": minor + 50}.get(kind, minor)
            made = [] if kind == "never" else [Booking(paid, text, ref=f"R{n}")]
            made += [Booking(paid, text, ref=f"R{n}b")] if kind == "twice" else []
            made += [Booking(-paid, text, ref=f"R{n}c")] if kind == "back" else []
            truth |= {one.ref: payment for one in made}
            booked_on = at_day + turn.randrange(1, 4)
            by_day[booked_on] += [Booking(one.minor, one.text, day(booked_on), ref=one.ref) for one in made]
        session.flush()
        opening = 50_000
        for n, made in by_day.items():
            make = camt if n % 2 else mt940
            take(session, make(made or [Booking(1, "x", day(n))], number=str(n + 1), opening=opening))
            opening += sum(one.minor for one in made) if made else 1
        wrong = [
            one for one in statements.standing(session, STORE)
            if one.entry and one.payment and truth.get(one.entry.mark) != one.payment.id
        ]  # fmt: skip
        found = statements.overview(session, STORE, AFTER.date())
        assert wrong == []
        assert statements.gaps(session, STORE) == []
        assert len(found.differing) == faults["short"]
        assert len(found.over) == faults["over"] + faults["twice"]
        bare = len(found.missing) - faults["never"] - faults["back"]
        assert 0 <= bare <= faults["bare"] // 4, "what nothing else fits is found by its amount"
        session.rollback()
