"""A store's level is what its conduct comes to, and anybody can count it again."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from pos.stock.ledger import StockCount
from pos.store.store import store_of
from supply.demand.history import DailyDemand
from supply.membership import credit_review
from supply.membership import level as membership_level
from supply.membership.level import LEAST, LEVELS, MEASURES, Measure, level_of
from supply.money import ledger
from supply.money.held_payments import Escrow
from supply.money.ledger import Booking, Wanted
from supply.online.orders import PickupOrder
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, PRODUCTS, later, make_country

SCRIPT = Path(__file__).parents[1] / "independent" / "standing.py"
NIGHT = Actor.system("credit", NETWORK)
SUNDAY = DAY - dt.timedelta(days=1)


@pytest.fixture
def country(tmp_path):
    return make_country(tmp_path)


def conduct(session, *, late: int, returned: int, orders: int = 20) -> None:
    """Write online orders, some ready too late, some brought back or disputed, and one invoice paid in time."""
    for n in range(orders):
        by = later(days=-9, hours=-n)
        ready = by + dt.timedelta(minutes=30 if n < late else -5)
        session.add(
            PickupOrder(
                store_id="S1", id=f"o{n}", order_no=f"S1-{n:04d}", number=n, state="collected", customer_name="",
                customer_phone="", code_hash="", token_hash=f"t{n}", currency="EUR", total_minor=500, placed_at=AT,
                moved_at=AT, ready_by=by, ready_at=ready, collected_at=by + dt.timedelta(hours=3),
                return_asked_at=AT if 0 < n < returned else None, paid_minor=500,
            )
        )  # fmt: skip
    if returned:
        session.add(
            Escrow(id="o0", store_id="S1", purpose="pickup", amount_minor=500, currency="EUR", provider="practice",
                   state="disputed", opened_at=AT, pay_by=AT, disputed_why="It was spoilt")
        )  # fmt: skip
    book = Booking(Context(session, OPERATOR, later(days=-20)), "S1")
    book.invoice(Wanted("i1", 5_000, SUNDAY - dt.timedelta(days=5), True, None, None, []))
    book.close("invoiced")
    ledger.money_in(Context(session, OPERATOR, later(days=-10)), "S1", 4_600, reference="RF", id="b1")


def recounted(evidence: dict, folder: Path) -> tuple[int, dict[str, str]]:
    file = folder / "evidence.json"
    file.write_text(json.dumps(evidence), encoding="utf-8")
    reported = subprocess.run([sys.executable, str(SCRIPT), str(file)], capture_output=True, text=True, check=True)
    level, *shares = reported.stdout.split()
    return int(level), dict(share.split("=") for share in shares)


@pytest.mark.parametrize(("late", "returned", "level"), [(0, 0, 2), (2, 1, 2), (3, 1, 1), (3, 2, 1), (5, 0, 0)])
def test_a_review_is_recounted_by_an_independent_script_from_its_evidence(country, tmp_path, late, returned, level):
    with country.network.write() as session:
        conduct(session, late=late, returned=returned)
        credit_review.close_day(Context(session, NIGHT, AT), SUNDAY)
    country.deliver()
    with country.stores["S1"].read() as session:
        review = session.get(membership_level.LevelReview, "S1")
    assert review.level == level
    again, shares = recounted(review.evidence, tmp_path)
    assert again == level
    assert shares == {name: f"{good}/{cases}" for name, (good, cases) in review.measures.items()}


def test_how_fresh_the_counts_are_only_the_shop_knows_and_tells(country):
    with country.stores["S1"].write() as session:
        for sku in PRODUCTS:
            session.add(DailyDemand(store_id="S1", sku=sku, business_day=SUNDAY, sold_qty=2, sales=1, revenue_minor=9))
        session.add(DailyDemand(store_id="S1", sku="brought", business_day=SUNDAY, sold_qty=2, sales=1, revenue_minor=9,
                                imported=True))  # fmt: skip
        for n, days in enumerate((-5, -91)):
            session.add(StockCount(store_id="S1", id=f"c{n}", sku=("bread", "milk")[n], counted_qty=1, before_qty=1,
                                   at=later(days=days), actor_id="wei"))  # fmt: skip
        session.flush()
        found = membership_level.counts(session, "S1", SUNDAY, at=AT)
        assert found == (1, len(PRODUCTS))
        membership_level.send_counts(session, "S1", SUNDAY, *found, at=AT)
    country.deliver(seed=1)
    with country.network.read() as session:
        assert membership_level.gather(session, "S1", SUNDAY)["counts"] == {
            "day": SUNDAY.isoformat(), "sold_products": len(PRODUCTS), "counted_products": 1,
        }  # fmt: skip


@pytest.mark.parametrize(("counted", "sold"), [("many", 9), (9, "many"), (10, 9), (-1, 9), (True, 9), (1.5, 9)])
def test_counts_that_are_none_are_refused(country, counted, sold):
    reported = {"store_id": "S1", "day": SUNDAY.isoformat(), "counted_products": counted, "sold_products": sold}
    with country.network.write() as session, pytest.raises(Invalid):
        hear(session, "standing.counts", reported, at=AT)


def test_a_word_of_a_clock_that_was_ahead_gives_way_to_the_next(country):
    reported = {"store_id": "S1", "sold_products": 10}
    with country.network.write() as session:
        hear(session, "standing.counts", reported | {"day": "2031-01-01", "counted_products": 10}, at=AT)
        hear(session, "standing.counts", reported | {"day": DAY.isoformat(), "counted_products": 3}, at=later(hours=1))
        hear(
            session, "standing.counts", reported | {"day": SUNDAY.isoformat(), "counted_products": 9}, at=later(hours=2)
        )
        assert membership_level.gather(session, "S1", DAY)["counts"]["counted_products"] == 3


def test_an_order_that_was_never_ready_is_not_ready_in_time_unless_it_was_called_off_before(country):
    with country.network.write() as session:
        conduct(session, late=0, returned=0, orders=5)
        rows = session.query(PickupOrder).order_by(PickupOrder.number).all()
        rows[0].state, rows[0].ready_at, rows[0].moved_at = "accepted", None, rows[0].ready_by
        for row, asked in ((rows[1], dt.timedelta(hours=1)), (rows[2], dt.timedelta(hours=-1))):
            row.state, row.ready_at, row.moved_at = "cancelled", None, row.ready_by + dt.timedelta(hours=2)
            row.cancel_asked_at = row.ready_by + asked
        session.flush()
        ready = membership_level.count(membership_level.gather(session, "S1", SUNDAY))["pickups"]
    assert (ready.good, ready.cases) == (2, 4), "one lies there still, one was called off too late, one in time"


def test_a_shop_is_reviewed_at_once_and_then_when_a_week_ends(country):
    with country.network.write() as session:
        store = store_of(session, "S1")
        reviewed = [
            membership_level.review(Context(session, NIGHT, AT), store, SUNDAY + dt.timedelta(days=n)) is not None
            for n in (-3, -2, -1, 0, 0, 1, 7)
        ]
    assert reviewed == [True, False, False, True, False, False, True]


def test_a_level_raises_the_limit_and_the_days_free_of_interest_and_nothing_else(country):
    from tests.supply.money.test_ledger import lend

    lend(country)
    with country.network.write() as session:
        before = credit_review.credit.line_of(session, "S1")
        limit, days = before.limit_minor, before.terms["most_days"]
        conduct(session, late=0, returned=0)
        session.get_one(membership_level.LevelReview, "S1").day = before.worked_out_on = SUNDAY - dt.timedelta(days=7)
        ledger.money_in(Context(session, OPERATOR, later(days=-10)), "S1", 400, reference="RF", id="b2")
        credit_review.close_day(Context(session, NIGHT, AT), SUNDAY)
        after = credit_review.credit.line_of(session, "S1")
        assert (after.level, after.limit_minor > limit, after.terms["most_days"]) == (2, True, days + 14)
    assert KEEPER["S1"]


@given(st.fixed_dictionaries({name: st.tuples(st.integers(0, 50), st.integers(0, 50)) for name in MEASURES}))
def test_better_conduct_never_lowers_a_level_and_a_level_is_earned(shares):
    measures = {name: Measure(name, min(a, b), b) for name, (a, b) in shares.items()}
    level = level_of(measures)
    known = [one for one in measures.values() if one.cases >= LEAST[one.name]]
    if level:
        assert len(known) >= level + 1
        assert all(one.value_bp >= LEVELS[level - 1][one.name] for one in known)
    for name, one in measures.items():
        if one.good < one.cases:
            better = measures | {name: Measure(name, one.good + 1, one.cases)}
            assert level_of(better) >= level
