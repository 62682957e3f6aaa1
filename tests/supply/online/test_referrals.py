"""Thanks for a new customer: after their first purchase, once, for nobody's own, by consent, and never without end."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.ids import new_id
from pos.catalogue import offers
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.sold import Sale
from pos.store.store import store_of
from supply.online.messages import campaigns, letter_page, referrals
from supply.online.messages.referrals import OutreachThanks
from tests.builders import NOON, STORE
from tests.supply.online.test_outreach import ALL, bought, people, shop, write

assert shop, "the fixture"
TEA_MINOR = 450
TOMORROW = NOON + dt.timedelta(days=1)


@pytest.fixture
def passed(shop):
    """A regular with a friend's letter; returns (their id, letter, code)."""
    (regular,) = people(shop, 1)
    bought(shop, [regular], days_ago=5)
    row = write(shop, "friend")
    (letter,) = shop.read(lambda session: campaigns.letters_of(session, session.merge(row, load=False)))
    assert "a code for you too" in letter.text
    return regular, row, letter.code


def newcomer(shop, n: int, phone: str = "") -> str:
    with shop.write() as session:
        wished = Particulars(f"New {n}", phone or f"55599{n:05d}", "en", ALL)
        return customers.add(session, store_of(session, STORE), new_id(), wished, actor=shop.wei, at=NOON).id


def buys(shop, customer: str | None, code: str) -> str:
    """Sell tea with a code; returns the sale's id."""
    sold = shop.sell([("tea", 1)], customer_id=customer, coupons=(code,), shown_total_minor=TEA_MINOR // 2)
    return sold.sale.id


def thank(shop, at=TOMORROW) -> int:
    with shop.write() as session:
        return referrals.give(session, STORE, actor=shop.wei, at=at)


def thanks(shop) -> list[OutreachThanks]:
    return shop.read(lambda session: list(session.scalars(sa.select(OutreachThanks).order_by(OutreachThanks.given_at))))


def test_who_passed_a_code_on_is_thanked_once_the_day_after_a_friend_s_first_purchase(shop, passed):
    regular, row, code = passed
    friend = newcomer(shop, 1)
    buys(shop, friend, code)
    assert thank(shop, NOON) == 0, "it may still come back the same day"
    assert (thank(shop), thank(shop)) == (1, 0)
    buys(shop, friend, code)
    assert thank(shop) == 0, "a newcomer is new once"
    (made,) = thanks(shop)
    assert (made.customer_id, made.friend_id) == (regular, friend)
    ((friend_id, letter),) = shop.read(lambda session: referrals.letters_of(session, session.merge(row, load=False)))
    assert (friend_id, letter.customer_id, letter.code in letter.text) == (friend, regular, True)
    with shop.write() as session:
        offers.use_coupons(session, store_of(session, STORE), [letter.code], "x", NOON)
        for _ in range(2):
            referrals.told(session, STORE, friend, actor=shop.wei, at=NOON)
    brought = shop.read(lambda session: referrals.brought_by(session, session.merge(row, load=False), TOMORROW.date()))
    spent = shop.read(lambda session: session.scalar(
        sa.select(sa.func.sum(Sale.total_minor)).where(Sale.customer_id == friend)
    ))  # fmt: skip
    assert (brought.newcomers, brought.thanked, brought.spent_minor) == (1, 1, spent)
    assert letter_page.pages("Thanks", "Elm", [letter]).startswith(b"%PDF")


def test_nobody_is_thanked_for_themselves_for_strangers_or_for_old_customers(shop, passed):
    regular, _row, code = passed
    (old,) = people(shop, 2)[1:]
    bought(shop, [old], days_ago=50)
    with shop.write() as session:
        phone = session.get_one(customers.Customer, (STORE, regular)).phone
        session.get_one(customers.Customer, (STORE, old)).phone = "5559999999"
    same = newcomer(shop, 3)
    with shop.write() as session:
        session.get_one(customers.Customer, (STORE, same)).phone = phone
    for customer in (regular, None, old, same):
        buys(shop, customer, code)
    assert thank(shop) == 0


def test_what_was_all_brought_back_earns_nothing(shop, passed):
    sale_id = buys(shop, newcomer(shop, 1), passed[2])
    shop.take_back(sale_id, [(1, 1)])
    assert thank(shop) == 0


def test_without_consent_nothing_is_made_and_later_consent_still_counts(shop, passed):
    regular, _row, code = passed
    buys(shop, newcomer(shop, 1), code)

    def agree(which: frozenset[str]) -> None:
        with shop.write() as session:
            wished = Particulars("P00", "5550100000", "en", which)
            customers.change(session, store_of(session, STORE), regular, wished, actor=shop.wei, at=NOON)

    agree(frozenset({"phone"}))
    assert thank(shop) == 0
    agree(ALL)
    assert thank(shop) == 1


def test_thanks_end_where_the_code_does_and_with_the_offer(shop, passed):
    for n in range(campaigns.FRIENDS):
        buys(shop, newcomer(shop, n), passed[2])
    with shop.write() as session:
        offers.end(session, STORE, "half", actor=shop.wei, at=NOON, why="over")
    assert thank(shop) == 0
    with shop.write() as session:
        session.get_one(offers.StandingOffer, "half").ended_at = None
    assert thank(shop) == campaigns.FRIENDS
    assert shop.findings() == []
