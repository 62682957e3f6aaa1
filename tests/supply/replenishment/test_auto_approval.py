"""Orders that go without asking, within their limits; and edits that teach, within theirs."""

# ruff: noqa: F811 - the fixture is asked for by its name

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Invalid
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry
from supply.orders.suppliers import Supplier
from supply.replenishment import auto_approval, proposals, service_targets
from supply.replenishment.auto_approval import OrderRule
from supply.replenishment.proposals import Edit
from tests.supply.replenishment.test_proposals import (  # noqa: F401 - store is a fixture
    DAWN,
    MONDAY,
    WEI,
    forecast,
    lines,
    propose,
    proposed,
    store,
)


def rule(store, order_minor=5_000, week_minor=20_000):
    with store.write() as session:
        return auto_approval.set_rule(
            Context(session, WEI, DAWN), "S1", "vehicle", most_order_minor=order_minor, most_week_minor=week_minor
        )


def gone(store, made, today=MONDAY, at=DAWN):
    with store.write() as session:
        made = [session.merge(order) for order in made]
        return [order.id for order in auto_approval.send_by_rule(session, "S1", made, today, at=at)]


def test_what_a_rule_covers_goes_by_itself_and_says_whose_rule_it_was(store):
    rule(store)
    order = proposed(store)
    assert gone(store, [order]) == [order.id]
    with store.read() as session:
        entry = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "order.sent")).one()
        assert entry.actor_name == "rule of Wei"
        assert session.get(proposals.ReplenishmentOrder, ("S1", order.id)).by_rule


def test_without_a_rule_nothing_goes(store):
    assert gone(store, [proposed(store)]) == []


def test_zero_withdraws_a_rule(store):
    rule(store)
    assert rule(store, order_minor=0, week_minor=0) is None
    assert gone(store, [proposed(store)]) == []


def test_an_order_above_its_limit_waits(store):
    rule(store, order_minor=1_700)
    assert gone(store, [proposed(store)]) == []  # it costs 1800


def test_the_week_has_a_limit_of_its_own(store):
    rule(store, order_minor=2_000, week_minor=3_000)
    first = proposed(store)
    assert gone(store, [first]) == [first.id]
    with store.write() as session:
        other = proposals.ReplenishmentOrder(
            store_id="S1", id="second", order_no=9, supplier_id="vehicle", order_day=MONDAY, delivery_day=MONDAY,
            next_delivery_day=MONDAY, cost_minor=1_800, proposed_at=DAWN, forecast_age_days=0, state="proposed",
        )  # fmt: skip
        session.add(other)
        limit = session.get_one(OrderRule, ("S1", "vehicle"))
        session.flush()
        assert auto_approval.why_not(session, limit, other, MONDAY) == "week-spent"


@pytest.mark.parametrize("off", ["rejected", "cancelled"])
def test_an_order_the_supplier_rejected_or_the_shop_called_off_takes_nothing_of_the_rule_s_week(store, off):
    rule(store, order_minor=2_000, week_minor=3_000)
    first = proposed(store)
    gone(store, [first])
    with store.write() as session:
        sent = session.get_one(proposals.ReplenishmentOrder, ("S1", first.id))
        journal.move(Context(session, WEI, DAWN), sent, off, subject="order")
        other = proposals.ReplenishmentOrder(
            store_id="S1", id="second", order_no=9, supplier_id="vehicle", order_day=MONDAY, delivery_day=MONDAY,
            next_delivery_day=MONDAY, cost_minor=1_800, proposed_at=DAWN, forecast_age_days=0, state="proposed",
        )  # fmt: skip
        session.add(other)
        session.flush()
        assert auto_approval.why_not(session, session.get_one(OrderRule, ("S1", "vehicle")), other, MONDAY) == ""


def test_no_order_goes_by_itself_before_its_day_or_on_an_old_forecast(store):
    rule(store)
    forecast(store, {"bread": 5.0}, origin=MONDAY - dt.timedelta(days=3))
    (order,) = propose(store)
    assert order.forecast_age_days == 2
    assert gone(store, [order]) == []
    assert gone(store, [order], today=MONDAY - dt.timedelta(days=1)) == []


def test_a_changed_order_waits_for_whoever_changed_it(store):
    rule(store)
    order = edited(store, 1)
    assert gone(store, [order]) == []


@pytest.mark.parametrize(
    ("order_minor", "week_minor", "sentence"),
    [(-1, 5, "zero or more"), (500, 400, "The weekly limit must be at least the limit per")],
)
def test_limits_that_cannot_be_are_refused(store, order_minor, week_minor, sentence):
    with pytest.raises(Invalid, match=sentence):
        rule(store, order_minor, week_minor)


# --- lessons ---


def edited(store, packs, teaches=True, order=None):
    order = order or proposed(store)
    with store.write() as session:
        proposals.change(
            Context(session, WEI, DAWN), "S1", order.id, "bread", Edit(packs=packs, why="Not enough", teaches=teaches)
        )
        return order


def approved(store, order):
    with store.write() as session:
        proposals.approve(Context(session, WEI, DAWN), "S1", order.id)


def taught(store, days=0):
    with store.read() as session:
        return service_targets.lessons(session, "S1", DAWN + dt.timedelta(days=days))


def test_half_of_an_edit_is_learnt_and_the_next_proposal_says_so(store):
    approved(store, edited(store, 3))  # 2 were proposed: one case of 6 more
    assert taught(store) == {"bread": 3}
    with store.write() as session:
        session.execute(sa.update(proposals.ReplenishmentOrder).values(state="dropped"))
    (order,) = propose(store)
    assert lines(store, order)["bread"].why["adjusted_qty"] == 3


def test_a_lesson_stays_within_a_case_or_two_days_of_demand(store):
    approved(store, edited(store, 40))
    assert taught(store) == {"bread": 10}  # 5 a day


@pytest.mark.parametrize("teaches", [True, False])
def test_what_happened_once_teaches_nothing(store, teaches):
    approved(store, edited(store, 3, teaches))
    assert bool(taught(store)) is teaches


def test_what_is_not_confirmed_is_forgotten(store):
    approved(store, edited(store, 4))
    assert [taught(store, days).get("bread", 0) for days in (0, 55, 60, 120)] == [6, 6, 3, 0]


def test_an_edit_that_was_undone_teaches_nothing(store):
    order = edited(store, 4)
    with store.write() as session:
        line = proposals.undo(Context(session, WEI, DAWN), "S1", order.id, "bread")
    assert (line.packs, line.changed_why, line.changed_by) == (2, "", "")
    approved(store, order)
    assert taught(store) == {}


def test_an_added_line_that_is_undone_is_off_the_order(store):
    order = proposed(store, bread=5.0, milk=2.0)
    with store.write() as session:
        proposals.add_line(Context(session, WEI, DAWN), "S1", order.id, "milk", 1)
        assert session.get(proposals.ReplenishmentOrder, ("S1", order.id)).cost_minor == 2_700
        proposals.undo(Context(session, WEI, DAWN), "S1", order.id, "milk")
    assert list(lines(store, order)) == ["bread"]


def test_a_basket_that_waits_for_its_minimum_is_seen_and_never_goes_by_itself(store):
    rule(store, order_minor=900_000, week_minor=900_000)
    with store.write() as session:
        session.execute(sa.update(Supplier).where(Supplier.id == "vehicle").values(minimum_minor=500_000))
    order = proposed(store)
    assert (order.postponed, lines(store, order)["bread"].packs) == (True, 2)
    assert gone(store, [order]) == []
