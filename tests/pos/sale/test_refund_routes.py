"""How money goes back with goods: once, as much as they are worth, and where it came from."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.catalogue.catalogue import Product
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.payments.payments import Payment
from pos.payments.practice_terminal import PracticeTerminal
from pos.pricing.promises import Choice, Offer, Part
from pos.sale import returns, sale
from pos.sale.returns import GiveBack
from pos.sale.sale_request import BlindReturnRequest, BroughtBack, RungLine, SaleRequest
from pos.sold import Sale
from pos.stock import recall
from pos.store.store import store_of
from tests.builders import STORE, TILL, open_store
from tests.pos.payments.test_requests import desk_of


@pytest.fixture
def desk(store, tmp_path):
    """Give a store with a scripted terminal."""
    return desk_of(store, PracticeTerminal(tmp_path, scripted=True))


def sold(desk, lines, *cards, also=(), shown_minor=None, **wishes):
    """Sell, paid with a card each; returns (the sale's id, its payments)."""
    sale_id = new_id()
    taken = [desk.taken(minor, sale_id=sale_id) for minor in cards]
    tenders = [*also, *(("card", row.amount_minor, row.reference, row.id) for row in taken)]
    total_minor = shown_minor or sum(row[1] for row in tenders)
    asked = SaleRequest(sale_id, STORE, TILL, lines, tenders, total_minor, **wishes)
    with desk.store.write() as session:
        sale.complete(Context(session, desk.store.wei, desk.store.now), asked)
    return sale_id, taken


def plan(desk, sale_id, lines, return_id, tender="card"):
    return desk.store.read(lambda session: returns.plan(session, STORE, sale_id, lines, tender, return_id))


def give(desk, payment, return_id, amount_minor, lines):
    """Ask the terminal for money back as the page does."""
    wish = GiveBack(return_id, STORE, payment.sale_id, payment.id, new_id(), amount_minor, lines)
    return desk.asker.give_back(
        payment.id, amount_minor, id=wish.back_id, return_id=return_id, till_id=TILL, actor=desk.store.wei,
        allow=lambda session: returns.allow_refund(Context(session, desk.store.wei, desk.store.now), wish),
    )  # fmt: skip


def paid(desk, done):
    """List the payments of a return."""
    query = sa.select(Payment).where(Payment.sale_id == done.sale.id).order_by(Payment.amount_minor)
    return desk.store.read(lambda session: session.scalars(query).all())


def refusal(act):
    with pytest.raises(Refused) as caught:
        act()
    return caught.value


def test_money_a_terminal_may_have_given_back_is_not_given_again_in_cash(desk):
    sale_id, (payment,) = sold(desk, [RungLine("tea", 3, discount_minor=141)], 1209)
    mine = new_id()
    assert give(desk, payment, mine, 1209, [(1, 3)]).state == "unknown"
    refused = refusal(lambda: desk.store.take_back(sale_id, [(1, 3)], id=mine, tender="cash"))
    assert (refused.code, refused.facts["amount_minor"]) == ("give-back-open", 1209)
    desk.later()
    done = desk.store.take_back(sale_id, [(1, 3)], id=mine, tender="cash")
    assert [(row.tender, row.amount_minor) for row in paid(desk, done)] == [("card", -1209)]
    assert (desk.given_back(payment), desk.unresolved(), desk.store.findings()) == (1209, [], [])


def test_money_given_back_belongs_to_the_return_it_was_given_for(desk):
    sale_id, (payment,) = sold(desk, [("tea", 2)], 900)
    first, second = new_id(), new_id()
    assert give(desk, payment, first, 450, [(1, 1)]).state == "captured"
    for another in (
        lambda: give(desk, payment, second, 450, [(1, 1)]),
        lambda: desk.store.take_back(sale_id, [(1, 1)], id=second),
        lambda: desk.store.take_back(sale_id, [(1, 1)], id=second, tender="card"),
    ):
        refused = refusal(another)
        assert (refused.code, refused.facts["return_id"]) == ("return-under-way", first)
    exchange = desk.store.request([("milk", 1)], brought_back=[BroughtBack(sale_id, 1, 1)], tenders=[])
    assert refusal(lambda: desk.store.complete(exchange)).code == "return-under-way"
    assert desk.store.take_back(sale_id, [(1, 1)], id=first, tender="card").sale.total_minor == -450
    assert desk.store.take_back(sale_id, [(1, 1)], id=second).sale.total_minor == -450
    assert (desk.given_back(payment), desk.store.findings()) == (450, [])


def test_a_terminal_that_gave_more_than_the_goods_chosen_now_are_worth_is_told(desk):
    sale_id, (payment,) = sold(desk, [("tea", 2)], 900)
    mine = new_id()
    give(desk, payment, mine, 900, [(1, 2)])
    assert refusal(lambda: desk.store.take_back(sale_id, [(1, 1)], id=mine, tender="cash")).code == "given-back-more"
    assert desk.store.take_back(sale_id, [(1, 2)], id=mine, tender="cash").sale.total_minor == -900


@settings(max_examples=8)
@given(
    total_minor=st.integers(0, 8).flatmap(lambda whole: st.integers(30, 99).map(lambda part: 100 * whole + part)),
    parts=st.permutations([1, 1, 2, 3]),
)
def test_what_the_plan_asks_of_a_card_is_what_the_return_books_to_the_cent(tmp_path_factory, total_minor, parts):
    folder = tmp_path_factory.mktemp("store")
    desk = desk_of(open_store(folder), PracticeTerminal(folder, scripted=True))
    line = RungLine("milk", 7, discount_minor=7 * 129 - total_minor, reason="dented")
    sale_id, (payment,) = sold(desk, [line], total_minor)
    for qty in parts:
        mine = new_id()
        for way in plan(desk, sale_id, [(1, qty)], mine).ways:
            assert (way.how, way.payment_id) == ("ask", payment.id)
            refused = refusal(lambda m=mine, w=way, q=qty: give(desk, payment, m, w.amount_minor + 1, [(1, q)]))
            assert refused.facts["most_minor"] == way.amount_minor
            give(desk, payment, mine, way.amount_minor, [(1, qty)])
        desk.store.take_back(sale_id, [(1, qty)], id=mine, tender="card")
    assert (desk.given_back(payment), desk.unresolved(), desk.store.findings()) == (total_minor, [], [])
    desk.store.database.engine.dispose()


def test_accounts_come_first_then_every_card_as_far_as_it_paid_then_the_hand(desk):
    at, wei = desk.store.now, desk.store.wei
    with desk.store.write() as session:
        agreed = Particulars("Marta", "5550123456", "en", frozenset({"phone", "tab"}), 5000)
        marta = customers.add(Context(session, wei, at), store_of(session, STORE), new_id(), agreed)
    also = [("tab", 200), ("card", 100, "slip 7")]
    sale_id, (small, large) = sold(desk, [("tea", 2)], 200, 400, also=also, customer_id=marta.id)
    reported = plan(desk, sale_id, [(1, 2)], mine := new_id())
    assert [(way.tender, way.amount_minor, way.how) for way in reported.ways] == [
        ("tab", 200, "account"), ("card", 200, "ask"), ("card", 400, "ask"), ("card", 100, "hand"),
    ]  # fmt: skip
    give(desk, small, mine, 200, [(1, 2)])
    give(desk, large, mine, 400, [(1, 2)])
    done = desk.store.take_back(sale_id, [(1, 2)], id=mine, tender="cash")  # the rest is wanted in the hand after all
    assert sorted((row.tender, row.amount_minor) for row in paid(desk, done)) == [
        ("card", -400), ("card", -200), ("cash", -100), ("tab", -200),
    ]  # fmt: skip
    assert desk.store.findings() == []


def test_without_a_receipt_no_more_goes_back_than_the_goods_cost_now_with_todays_offers(store):
    tea = Part(Choice(skus=frozenset(["tea"])))
    with store.write() as session:
        half = Offer("tea-20", "Tea at 20 % off", "percent", (tea,), percent_bp=2000)
        offers.make(Context(session, store.wei, store.now), STORE, half)
        session.get_one(Product, "tea").maximum_qty = 1  # which bounds what is bought, not what comes back

    def blind(price_minor):
        asked = BlindReturnRequest(new_id(), STORE, TILL, [("tea", 2, price_minor, True)], "no receipt")
        with store.write() as session:
            return returns.take_back_blind(Context(session, store.wei, store.now), asked)

    assert refusal(lambda: blind(361)).facts["most_minor"] == 720
    assert blind(360).sale.total_minor == -720


def test_a_rest_smaller_than_half_a_coin_is_paid_with_no_coin(desk):
    with desk.store.write() as session:
        store_of(session, STORE).smallest_coin_minor = 5
    sale_id, _ = sold(desk, [("tea", 2)], 898, also=[("cash", 0)], shown_minor=900)
    with desk.store.database.read() as session:
        found = session.get_one(Sale, (STORE, sale_id))
        assert (found.total_minor, found.rounding_minor) == (898, -2)


def test_what_is_recalled_or_past_its_day_is_refused_before_money_is_asked_for(store):
    late = RungLine("milk", 1, batch="7", expires_on=store.now.date() - dt.timedelta(days=1), code="")
    with store.write() as session:
        recall.call(Context(session, store.wei, store.now), STORE, "tea", why="glass")

    def quote(line):
        return store.read(lambda session: sale.quote(session, STORE, [line], at=store.now))

    assert quote(("milk", 1)).basket.total_minor == 129
    assert refusal(lambda: quote(("tea", 1))).code == "recalled"
    assert refusal(lambda: quote(late)).code == "expired"
