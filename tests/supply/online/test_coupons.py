"""Coupons and the prices for members online: what the till would charge, and no more uses than the limit."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import DomainError, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.catalogue.offers import Coupon
from pos.customers import customers, loyalty, points_terms
from pos.customers.customers import Particulars
from pos.pricing.promises import Choice, Offer, Part
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.store.store import store_of
from supply.online import orders
from supply.online.checkout import placing
from supply.online.pickup import pickup
from supply.online.storefront import coupons, listing, members
from supply.sync import checks
from tests.supply.online_store import ANA, AT, PRODUCTS, STORE, TILL, later, make_town

ONE, TWO = "order-00001", "order-00002"
PHONE = "+86 138 0013 8000"
ALL = Part(Choice(everything=True))


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


@pytest.fixture(scope="module")
def one_town(tmp_path_factory):
    found = make_town(tmp_path_factory.mktemp("town"))
    return found, member(found)


def coupon(town, code="SAVE", most_uses=1):
    offer = Offer(new_id(), "A third off", "percent", (ALL,), percent_bp=3_333, codes=frozenset())
    with town.store.write() as session:
        offers.make(Context(session, ANA, AT), STORE, offer)
        offers.make_coupons(Context(session, ANA, AT), STORE, offer.id, codes=[code], most_uses=most_uses)
    town.publish(later(minutes=1))


def place(town, id, *codes, member=False, minutes=2, phone=PHONE):
    with town.network.write() as session:
        asked = placing.OrderRequest(
            id=id,
            name="Li",
            phone=phone,
            lines=[("milk", 1)],
            preferences=placing.Preferences(coupons=codes, member=member),
        )
        return placing.place(session, STORE, asked, at=later(minutes=minutes))


def sell(town, *codes):
    with town.store.write() as session:
        minor = sale.quote(session, STORE, [("milk", 1)], coupons=codes, at=AT).basket.total_minor
        request = SaleRequest(id=new_id(), store_id=STORE, till_id=TILL, lines=[("milk", 1)], coupons=codes,
                              tenders=[("cash", minor)], shown_total_minor=minor)  # fmt: skip
        sale.complete(Context(session, ANA, AT), request)
    return minor


def uses(town):
    """Return how often SAVE was used: as the store counts, and as the network does."""
    with town.store.read() as session:
        here = session.get(Coupon, (STORE, "SAVE")).uses
    with town.network.read() as session:
        row = session.get(coupons.OnlineCoupon, (STORE, STORE, "SAVE"))
        assert [one for one in checks.findings(session) if one.code == "K19"] == []
        return here, (row.counter_uses, row.taken) if row else (0, 0)


def wrong(town, code="SAVE"):
    with town.network.read() as session:
        return coupons.usable(session, STORE, [code], AT.date())[code]


def test_the_last_use_taken_online_is_gone_at_the_till(town):
    town.open_till()
    coupon(town)
    assert place(town, ONE, "save").order.total_minor == 129 - 43
    town.deliver()
    assert uses(town) == (1, (0, 1))
    assert wrong(town) == "used-up"
    with pytest.raises(Refused, match="Remove it and check the new"):
        sell(town, "SAVE")
    with pytest.raises(Refused, match="Remove it and check the new"):
        place(town, TWO, "SAVE")


def test_the_last_use_taken_at_the_till_is_gone_online(town):
    town.open_till()
    coupon(town)
    sell(town, "SAVE")
    town.publish(later(minutes=2))
    assert (wrong(town), uses(town)) == ("used-up", (1, (1, 0)))
    with pytest.raises(Refused, match="Remove it and check the new"):
        place(town, ONE, "SAVE")


def test_of_a_till_and_an_order_on_its_way_the_till_wins_and_the_order_says_why(town):
    town.open_till()
    coupon(town)
    place(town, ONE, "SAVE")
    sell(town, "SAVE")
    town.deliver()
    town.publish(later(minutes=3))
    with town.network.read() as session:
        order = session.get(orders.PickupOrder, (STORE, ONE))
        assert (order.state, order.why) == (
            "refused",
            "gone-coupon: SAVE",
        )
    assert uses(town) == (1, (1, 0))
    assert town.faults() == []


@pytest.mark.parametrize("ends", ["refused", "cancelled", "expired"])
def test_an_order_that_ends_without_goods_gives_its_coupon_back_once(town, ends):
    coupon(town)
    place(town, ONE, "SAVE")
    town.deliver()
    with town.store.write() as session:
        if ends == "refused":
            pickup.refuse(Context(session, ANA, later(minutes=3)), STORE, ONE, why="No milk")
        elif ends == "cancelled":
            pickup.cancel(Context(session, ANA, later(minutes=3)), STORE, ONE, why="No milk")
        else:
            pickup.expire_due(Context(session, ANA, later(days=30)), STORE)
    town.deliver(seed=3)
    town.publish(later(days=31))
    assert (uses(town), wrong(town)) == ((0, (0, 0)), "")


def test_many_at_once_take_no_more_than_the_limit(town):
    coupon(town, most_uses=3)
    gate, answers = threading.Barrier(8), []

    def order(number):
        gate.wait(60)
        try:
            place(town, f"order-1000{number}", "SAVE")
            answers.append("taken")
        except DomainError as refusal:
            answers.append(refusal.code)

    visitors = [threading.Thread(target=order, args=(number,)) for number in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(120)
    assert sorted(answers) == ["coupon-used-up"] * 5 + ["taken"] * 3
    assert uses(town) == (0, (0, 3))


def test_a_code_of_the_network_is_counted_shop_by_shop(town):
    for database in (town.network, town.store):
        with database.write() as session:
            offer = Offer("network-offer-1", "A tenth off", "percent", (ALL,), percent_bp=1_000, codes=frozenset())
            offers.make(Context(session, ANA, AT), "*", offer)
            offers.make_coupons(Context(session, ANA, AT), "*", offer.id, codes=["ELEVEN"], most_uses=1)
    town.open_till()
    sell(town, "ELEVEN")
    assert wrong(town, "ELEVEN") == ""
    town.publish(later(minutes=2))
    assert wrong(town, "ELEVEN") == "used-up"


def member(town, agreed=("phone", "points", "online")):
    with town.store.write() as session:
        store = store_of(session, STORE)
        points_terms.set_terms(Context(session, ANA, AT), points_terms.terms_of(STORE, True, 1, 100, 5, 10))
        wished = Particulars("Rosa", "138-0013-8000", agreed=frozenset(agreed))
        found = customers.add(Context(session, ANA, AT), store, new_id(), wished)
    town.publish(later(minutes=1))
    return found.id


def is_member(town, phone=PHONE):
    with town.network.read() as session:
        return members.is_member(session, STORE, phone)


def test_a_member_is_known_online_by_a_key_while_the_customer_agrees(town):
    customer_id = member(town)
    assert is_member(town)
    assert not is_member(town, "+86 138 0013 8001")
    assert not is_member(town, "")
    with town.store.write() as session:
        customers.erase(Context(session, ANA, AT), store_of(session, STORE), customer_id)
    town.publish(later(minutes=3))
    assert not is_member(town)


def test_who_agreed_to_less_is_no_member_online(town):
    member(town, ("phone", "points"))
    assert not is_member(town)
    with pytest.raises(DomainError, match="need points"):
        member(town, ("phone", "online"))


def test_the_points_of_a_members_order_are_the_members(town):
    town.open_till()
    customer_id = member(town)
    placed = place(town, ONE, member=True)
    town.deliver()
    town.make_ready(ONE)
    town.collect(placed.code, "sale-000001", 129, at=later(hours=1))
    with town.store.read() as session:
        assert loyalty.account_of(session, STORE, customer_id).points == 1


# --- the same price, whatever the offers ---

CHOICES = st.one_of(
    st.just(Choice(everything=True)),
    st.sampled_from(sorted(PRODUCTS)).map(lambda sku: Choice(skus=frozenset([sku]))),
    st.sampled_from(sorted(PRODUCTS)).map(lambda sku: Choice(everything=True, but_skus=frozenset([sku]))),
)
HOURS = st.sampled_from([(None, None), (600, 1200), (1200, 300)])


@st.composite
def promises(draw):
    kind = draw(st.sampled_from(["percent", "amount", "price", "nth", "pack_price", "bundle", "basket_percent",
                                 "basket_amount"]))  # fmt: skip
    parts = tuple(Part(draw(CHOICES)) for _ in range(2 if kind == "bundle" else 1))
    since, until = draw(HOURS)
    return Offer(
        new_id(), "An offer", kind, parts, percent_bp=draw(st.integers(100, 9_000)),
        amount_minor=draw(st.integers(1, 300)), size=draw(st.integers(2, 4)), stackable=draw(st.booleans()),
        minimum_minor=draw(st.sampled_from([0, 800])), most_times=draw(st.sampled_from([None, 1])),
        members_only=draw(st.booleans()), codes=draw(st.sampled_from([None, frozenset()])), from_minute=since,
        until_minute=until,
    )  # fmt: skip


LINES = st.dictionaries(st.sampled_from(["bread", "milk", "beer", "apple"]), st.integers(1, 9), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(promises(), min_size=1, max_size=4), wanted=LINES, is_member=st.booleans(), given=st.booleans(),
    hours=st.integers(0, 23),
)  # fmt: skip
def test_online_costs_what_the_till_charges_with_any_offers_coupons_and_member_prices(
    one_town, made, wanted, is_member, given, hours
):
    (town, rosa), at = one_town, later(hours=hours)
    codes = []
    with town.store.write() as session:
        for n, offer in enumerate(made):
            offers.make(Context(session, ANA, AT), STORE, offer)
            if offer.codes is not None:
                codes += offers.make_coupons(Context(session, ANA, AT), STORE, offer.id, most_uses=n or None)
    town.publish(at)
    lines = [(sku, 100 * qty if sku == "apple" else qty) for sku, qty in sorted(wanted.items())]
    used = codes if given else []
    with town.store.read() as session:
        there = sale.quote(session, STORE, lines, coupons=used, customer_id=rosa if is_member else None, at=at)
    with town.network.read() as session:
        good = [code for code, why in coupons.usable(session, STORE, used, AT.date()).items() if not why]
        online = listing.quote(session, STORE, lines, coupons=good, member=is_member, at=at)
    with town.store.write() as session:
        for offer in made:
            offers.end(Context(session, ANA, at), STORE, offer.id)
    assert _what(online) == _what(there)
    assert online.basket.total_minor == there.basket.total_minor
    assert online.coupons_used == there.coupons_used
    assert online.saved_minor == there.saved_minor


def _what(quoted):
    return [(row.product.sku, row.qty, row.total_minor, row.tax_minor, row.offers) for row in quoted.basket.lines]
