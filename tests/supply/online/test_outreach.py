"""Messages to customers: only by consent, some left out by lot, a code each, and what it brought against those."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Invalid, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.pricing.promises import Choice, Offer, Part
from pos.sold import Sale
from pos.store.store import store_of
from supply.online.messages import campaigns
from supply.online.messages.campaigns import OutreachRecipient
from tests.builders import NOON, STORE, open_store
from tests.tampering import unlocked

TODAY = NOON.date()
ALL = frozenset({"phone", "messages"})


@pytest.fixture
def store(tmp_path):
    made = open_store(tmp_path)
    with made.write() as session:
        half = Offer("half", "Tea at half price", "percent", (Part(Choice(skus=frozenset(["tea"]))),),
                     percent_bp=5_000, codes=frozenset())  # fmt: skip
        offers.make(Context(session, made.wei, NOON), STORE, half)
    yield made
    made.database.engine.dispose()


def people(store, count: int, *, agreed=ALL, days_ago: int = 90) -> list[str]:
    """Add customers who were added some days ago; returns their ids."""
    ids = []
    with store.write() as session:
        store_row = store_of(session, STORE)
        for n in range(count):
            wished = Particulars(f"P{n:02d}", f"55501{n:05d}", "zh" if n % 2 else "en", agreed)
            at = NOON - dt.timedelta(days=days_ago)
            ids.append(customers.add(Context(session, store.wei, at), store_row, new_id(), wished).id)
    return ids


def bought(store, ids, *, days_ago: int, qty: int = 1) -> None:
    """Let customers buy, and put their sales into the past."""
    for customer in ids:
        sold = store.sell([("milk", qty)], customer_id=customer)
        day = TODAY - dt.timedelta(days=days_ago)
        with store.write() as session, unlocked(session):
            session.execute(sa.update(Sale).where(Sale.id == sold.sale.id).values(business_day=day))


def write(store, kind: str = "win_back", words=None, **preferences) -> campaigns.Outreach:
    with store.write() as session:
        return campaigns.make(
            Context(session, store.wei, NOON), STORE, kind, "half", words or {}, id=new_id(), **preferences
        )


def test_only_who_agreed_to_messages_and_stayed_away_is_written_to(store):
    away, here = people(store, 4)[:2], people(store, 3)
    silent = people(store, 2, agreed=frozenset({"phone"}))
    bought(store, [*away, *silent], days_ago=45)
    bought(store, here, days_ago=3)
    row = write(store)
    messages = store.read(lambda session: campaigns.messages_of(session, session.merge(row, load=False)))
    assert {one.customer_id for one in messages} == set(away)
    assert all(one.code in one.text for one in messages)
    days = f"{row.until:%-d %B %Y}", f"{row.until.year}年{row.until.month}月{row.until.day}日"
    assert [sum(day in one.text for one in messages) for day in days] == [1, 1], "a day as each reader writes it"
    with pytest.raises(Refused, match="No matching customers"):
        write(store)


def test_whom_messages_are_for_takes_as_many_questions_however_many_they_are(store):
    asked, counts = [], []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    for _more in range(2):
        bought(store, people(store, 6), days_ago=45)
        asked.clear()
        found = store.read(
            lambda session: [one.may_get("win_back", 30) for one in campaigns.reachable(session, STORE, TODAY)]
        )
        counts.append((sum(found), len(asked)))
    assert counts[0][0] < counts[1][0]
    assert counts[0][1] == counts[1][1]


def test_a_message_promises_no_day_after_its_offer_s_last(store):
    bought(store, people(store, 2), days_ago=45)
    with store.write() as session:
        session.get_one(offers.StandingOffer, "half").until_day = TODAY + dt.timedelta(days=10)
    with pytest.raises(Refused, match="ends on"):
        write(store, days=11)
    message = write(store, days=9)
    assert message.until == TODAY + dt.timedelta(days=9)
    days = store.read(lambda session: set(session.scalars(sa.select(offers.Coupon.until_day))))
    assert days == {message.until}, "and its codes hold to it"


def test_a_consent_taken_back_takes_the_message_back(store):
    ids = people(store, 2, days_ago=3)
    row = write(store, "welcome")
    with store.write() as session:
        store_row = store_of(session, STORE)
        silent = Particulars("P00", "5550100000", "en", frozenset({"phone"}))
        customers.change(Context(session, store.wei, NOON), store_row, ids[0], silent)
        messages = campaigns.messages_of(session, session.merge(row, load=False))
    assert [one.customer_id for one in messages] == [ids[1]]


def test_some_are_left_out_by_lot_and_what_it_brought_is_measured_against_them(store):
    ids = people(store, 20)
    bought(store, ids, days_ago=40)
    row = write(store)
    with store.database.read() as session:
        rows = session.scalars(sa.select(OutreachRecipient)).all()
    written, held = [r.customer_id for r in rows if r.code], [r.customer_id for r in rows if not r.code]
    assert (len(written), len(held)) == (16, 4)
    assert len({r.code for r in rows if r.code}) == 16
    bought(store, written[:14], days_ago=-5, qty=3)
    bought(store, held[:1], days_ago=-5)
    found = store.read(
        lambda session: campaigns.effect_of(session, session.merge(row, load=False), TODAY + dt.timedelta(days=21))
    )
    assert (found.written, found.held, found.bought_written, found.bought_held) == (16, 4, 14, 1)
    assert found.uplift is not None
    assert found.uplift.low < found.uplift.effect < found.uplift.high


def test_with_few_people_nobody_is_left_out_and_no_number_is_shown(store):
    people(store, 5, days_ago=2)
    row = write(store, "welcome")
    found = store.read(
        lambda session: campaigns.effect_of(session, session.merge(row, load=False), TODAY + dt.timedelta(days=9))
    )
    assert (found.written, found.held, found.uplift) == (5, 0, None)


def test_a_code_is_taken_by_the_till_once_and_a_friend_s_code_more_often(store):
    ids = people(store, 1)
    bought(store, ids, days_ago=5)
    row = write(store, "friend")
    (message,) = store.read(lambda session: campaigns.messages_of(session, session.merge(row, load=False)))
    for _ in range(2):
        with store.write() as session:
            offers.use_coupons(session, store_of(session, STORE), [message.code], new_id(), NOON)
    found = store.read(lambda session: campaigns.effect_of(session, session.merge(row, load=False), TODAY))
    assert found.used == 2


@pytest.mark.parametrize("words", ["no code", "{code} {phone}", "{code", "{code} {0}", "x" * 500 + "{code}"])
def test_words_that_cannot_be_filled_in_are_refused(store, words):
    people(store, 1, days_ago=1)
    with pytest.raises(Invalid, match="need"):
        write(store, "welcome", {"en": words, "zh": words})
