"""What is decided on what was read: arithmetic, without a database."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from supply.demand.expected import Basis, Expected
from supply.orders.delivery_calendar import DeliveryCalendar, next_cycle
from supply.orders.lead_times import LeadTime
from supply.orders.suppliers import Terms
from supply.replenishment import decide
from supply.replenishment.budget import WEEK, Budget
from supply.replenishment.look import Article, Candidate, Situation
from supply.replenishment.open_orders import ToCome

MONDAY = dt.date(2026, 3, 2)


def candidate(id: str, cost_minor: int, calendar: DeliveryCalendar, minimum_minor: int = 0) -> Candidate:
    """Return a supplier of milk in sixes, of which four are wanted a day."""
    days = next_cycle(calendar, MONDAY)
    last = days.next_delivery_day - dt.timedelta(days=1)
    daily = np.full((1, (last - MONDAY).days + 1), 4.0)
    expected = Expected(daily, daily.sum(axis=1), np.array([4.0]), np.array([np.nan]), [("forecast", "level", 0.0)])
    lead = LeadTime(calendar.lead_days, calendar.lead_days, 0.0)
    milk = Terms(id, "milk", 6, cost_minor, 1)
    return Candidate(id, id.title(), minimum_minor, True, calendar, lead, days, last, [milk], expected)


def situation(*candidates: Candidate, **other) -> Situation:
    none: dict = {name: {} for name in ("preferences", "taught", "lots", "consigned", "recalled")}
    return Situation(
        basis=Basis(MONDAY, 1.0, "run", MONDAY - dt.timedelta(days=1), 0, 14), candidates=candidates,
        articles={"milk": Article("Milk", "each", 1, None, 10_000)}, prices={"milk": 150}, waited=ToCome(),
        slots={one.days.delivery_day: {} for one in candidates}, spoken_for={one.last: {} for one in candidates},
        service_bp=9_800, on_the_way=frozenset(), **none | {"levels": {"milk": (5, 0)}, "budgets": ()} | other,
    )  # fmt: skip


def test_of_whom_and_how_much_is_decided_on_what_was_read_alone():
    daily, rare = (
        candidate("dairy", 600, DeliveryCalendar()),
        candidate("rare", 540, DeliveryCalendar(frozenset({3}), 2)),
    )
    (draft,) = decide.drafts(situation(daily, rare))
    (line,) = draft.lines
    assert (draft.supplier_id, draft.days, line["packs"]) == ("dairy", daily.days, 2), "the other comes late"
    assert (line["why"]["expected"], line["why"]["others"][0][:3]) == (8.0, ["Rare", 6, 540])
    assert decide.drafts(situation(daily, rare, levels={"milk": (60, 0)})) == [], (
        "you have enough until then without it"
    )
    (few,) = decide.drafts(situation(daily, budgets=[Budget(WEEK, 500, frozenset({"dairy"}))]))
    assert (few.lines[0]["packs"], few.lines[0]["why"]["reason"]) == (0, WEEK)
    (waits,) = decide.drafts(situation(replace(daily, minimum_minor=90_000)))
    assert waits.postponed


@pytest.mark.parametrize("first_week", [MONDAY, MONDAY + dt.timedelta(days=7)])
def test_a_supplier_of_every_other_week_is_ordered_of_until_it_comes_again(first_week):
    calendar = DeliveryCalendar(frozenset({0}), 2, every_weeks=2, first_week=first_week)
    (draft,) = decide.drafts(situation(candidate("dairy", 600, calendar)))
    assert draft.days.order_day == first_week
    assert (draft.days.next_delivery_day - draft.days.delivery_day).days == 14
    wanted = 4 * (draft.days.next_delivery_day - MONDAY).days
    lost = 4 * (draft.days.delivery_day - MONDAY).days - 5  # whoever finds none goes without
    assert draft.lines[0]["packs"] * 6 >= wanted - 5 - lost
