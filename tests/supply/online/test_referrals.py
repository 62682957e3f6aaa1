"""Thanks for a new customer: after their first purchase, once, for nobody's own, by consent, and never without end."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.sold import Sale
from pos.store.store import store_of
from supply.online.messages import campaigns, message_slips, referrals
from supply.online.messages.referrals import ReferralReward
from tests.builders import NOON, STORE
from tests.supply.online.test_outreach import ALL, bought, people, store, write

assert store, "the fixture"
TEA_MINOR = 450
TOMORROW = NOON + dt.timedelta(days=1)


@pytest.fixture
def passed(store):
    """A regular with a friend's message; returns (their id, message, code)."""
    (regular,) = people(store, 1)
    bought(store, [regular], days_ago=5)
    row = write(store, "friend")
    (message,) = store.read(lambda session: campaigns.messages_of(session, session.merge(row, load=False)))
    assert "s first purchase, you get a code too" in message.text
    return regular, row, message.code


def newcomer(store, n: int, phone: str = "") -> str:
    with store.write() as session:
        wished = Particulars(f"New {n}", phone or f"55599{n:05d}", "en", ALL)
        return customers.add(Context(session, store.wei, NOON), store_of(session, STORE), new_id(), wished).id


def buys(store, customer: str | None, code: str) -> str:
    """Sell tea with a code; returns the sale's id."""
    sold = store.sell([("tea", 1)], customer_id=customer, coupons=(code,), shown_total_minor=TEA_MINOR // 2)
    return sold.sale.id


def thank(store, at=TOMORROW) -> int:
    with store.write() as session:
        return referrals.give(Context(session, store.wei, at), STORE)


def thanks(store) -> list[ReferralReward]:
    return store.read(
        lambda session: list(session.scalars(sa.select(ReferralReward).order_by(ReferralReward.given_at)))
    )


def test_who_passed_a_code_on_is_thanked_once_the_day_after_a_friend_s_first_purchase(store, passed):
    regular, row, code = passed
    friend = newcomer(store, 1)
    buys(store, friend, code)
    assert thank(store, NOON) == 0, "it may still come back the same day"
    assert (thank(store), thank(store)) == (1, 0)
    buys(store, friend, code)
    assert thank(store) == 0, "a newcomer is new once"
    (made,) = thanks(store)
    assert (made.customer_id, made.friend_id) == (regular, friend)
    ((friend_id, message),) = store.read(lambda session: referrals.messages_of(session, session.merge(row, load=False)))
    assert (friend_id, message.customer_id, message.code in message.text) == (friend, regular, True)
    with store.write() as session:
        offers.use_coupons(session, store_of(session, STORE), [message.code], "x", NOON)
        for _ in range(2):
            referrals.reported(Context(session, store.wei, NOON), STORE, friend)
    brought = store.read(lambda session: referrals.brought_by(session, session.merge(row, load=False), TOMORROW.date()))
    spent = store.read(lambda session: session.scalar(
        sa.select(sa.func.sum(Sale.total_minor)).where(Sale.customer_id == friend)
    ))  # fmt: skip
    assert (brought.newcomers, brought.thanked, brought.spent_minor) == (1, 1, spent)
    assert message_slips.pages("Thanks", "Elm", [message]).startswith(b"%PDF")


def test_nobody_is_thanked_for_themselves_for_strangers_or_for_old_customers(store, passed):
    regular, _row, code = passed
    (old,) = people(store, 2)[1:]
    bought(store, [old], days_ago=50)
    with store.write() as session:
        phone = session.get_one(customers.Customer, (STORE, regular)).phone
        session.get_one(customers.Customer, (STORE, old)).phone = "5559999999"
    same = newcomer(store, 3)
    with store.write() as session:
        session.get_one(customers.Customer, (STORE, same)).phone = phone
    for customer in (regular, None, old, same):
        buys(store, customer, code)
    assert thank(store) == 0


def test_what_was_all_brought_back_earns_nothing(store, passed):
    sale_id = buys(store, newcomer(store, 1), passed[2])
    store.take_back(sale_id, [(1, 1)])
    assert thank(store) == 0


def test_without_consent_nothing_is_made_and_later_consent_still_counts(store, passed):
    regular, _row, code = passed
    buys(store, newcomer(store, 1), code)

    def agree(which: frozenset[str]) -> None:
        with store.write() as session:
            wished = Particulars("P00", "5550100000", "en", which)
            customers.change(Context(session, store.wei, NOON), store_of(session, STORE), regular, wished)

    agree(frozenset({"phone"}))
    assert thank(store) == 0
    agree(ALL)
    assert thank(store) == 1


def test_thanks_end_where_the_code_does_and_with_the_offer(store, passed):
    for n in range(campaigns.FRIENDS):
        buys(store, newcomer(store, n), passed[2])
    with store.write() as session:
        offers.end(Context(session, store.wei, NOON), STORE, "half", why="over")
    assert thank(store) == 0
    with store.write() as session:
        session.get_one(offers.StandingOffer, "half").ended_at = None
    assert thank(store) == campaigns.FRIENDS
    assert store.findings() == []
