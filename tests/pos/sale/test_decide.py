"""What is decided of a sale, without any database: from what was asked and what was known."""

import datetime as dt
from dataclasses import replace

import pytest

from config.errors import Conflict, Refused
from config.nodes.journal import Actor
from pos.pricing.promises import Choice, Offer, Part
from pos.pricing.promotions import Offers
from pos.sale import returns
from pos.sale.quoting import Shelf
from pos.sale.refund_routes import Receipt
from pos.sale.sale import decide
from pos.sale.sale_request import BroughtBack, Promised, ReturnRequest, SaleRequest
from pos.sale.situation import Situation
from pos.sold import Sale, SaleLine
from pos.stock.ledger import Holding, Place
from pos.store.approvals import Approval, Leave
from pos.store.permissions import Rights
from pos.till import totals
from pos.till.counter import Counter
from tests.pos.pricing.test_pricing import PLAIN

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
WALL = dt.datetime(2026, 3, 2, 13)  # noqa: DTZ001  the store's own wall
ANA = Actor("ana", "Ana", "cashier", "S01")
RIGHTS = Rights("cashier", "EUR")
COUNTER = Counter(
    "shift-1", "open", 10_000, totals.opening(), "T1", "Till 1", "epoch", "S01", "Elm Street", "", "", "EUR",
    "Europe/Berlin", "en", 4, 1, "", "", None, sells_beyond=True, rights=RIGHTS,
)  # fmt: skip
VIEWS = {
    "milk": replace(PLAIN, sku="milk", name="Milk", price_minor=129, category="Dairy"),
    "wine": replace(PLAIN, sku="wine", name="Wine", shown="Wine", price_minor=699, minimum_age=18),
    "empty": replace(PLAIN, sku="empty", name="Deposit", price_minor=25, kind="deposit"),
}
SHELF = Shelf(WALL, VIEWS, Offers((), NOON.date()), day=NOON.date())
HERE = Holding({"milk": {Place.SHELF: 2, Place.FLOOR: 1}, "wine": {}}, {})
NOW = Situation(
    ANA, NOON, "hash", counter=COUNTER, day=NOON.date(), leave=Leave(RIGHTS), shelf=SHELF, holding=HERE
)  # fmt: skip


def asked(lines, shown_minor, tenders=None, **wishes):
    """Return a sale as the page would send it, paid to the cent in cash."""
    return SaleRequest("sale-1", "S01", "T1", lines, tenders or [("cash", shown_minor)], shown_minor, **wishes)


def refusal(request, situation=NOW):
    """Return the code and the facts of a refusal."""
    with pytest.raises((Refused, Conflict)) as refused:
        decide(request, situation)
    return refused.value.code, refused.value.facts


def test_what_is_sold_is_priced_paid_and_taken_from_the_floor_then_the_shelf_and_what_is_missing_off_the_floor():
    draft = decide(asked([("milk", 5)], 645, [("cash", 1000)]), NOW)
    assert [(line.sku, line.qty, line.total_minor) for line in draft.lines] == [("milk", 5, 645)]
    assert (draft.kind, draft.settled.total_minor, draft.settled.change_minor) == ("sale", 645, 355)
    assert [row[1:] for row in draft.out] == [
        ("milk", 3, Place.FLOOR, Place.CUSTOMER), ("milk", 2, Place.SHELF, Place.CUSTOMER),
    ]  # fmt: skip
    assert draft.counts == {"milk": "below-zero"}
    assert HERE.places["milk"] == {Place.SHELF: 2, Place.FLOOR: 1}, "what was read was changed"


def test_what_others_were_promised_and_is_no_longer_there_wants_counting():
    held = replace(NOW, holding=Holding(HERE.places, {"milk": 2}))
    assert decide(asked([("milk", 1)], 129), held).counts == {}
    assert decide(asked([("milk", 2)], 258), held).counts == {"milk": "held-beyond-stock"}
    stops = replace(held, counter=COUNTER._replace(sells_beyond=False))
    code, facts = refusal(asked([("milk", 2)], 258), stops)
    assert (code, facts["short"][0]["available"]) == ("not-in-stock", 1)


def test_another_total_than_the_one_shown_is_told_and_the_promotion_of_the_hour_counts():
    assert refusal(asked([("milk", 2)], 250))[1]["total_minor"] == 258
    two = Offer("two", "Two", "pack_price", (Part(Choice(skus=frozenset({"milk"}))),), amount_minor=200, size=2)
    happy = replace(two, from_minute=13 * 60, until_minute=14 * 60)
    shelf = replace(SHELF, offers=Offers([happy], NOON.date()))
    assert decide(asked([("milk", 2)], 200), replace(NOW, shelf=shelf)).settled.total_minor == 200
    later = replace(shelf, wall=WALL + dt.timedelta(hours=1))
    assert refusal(asked([("milk", 2)], 200), replace(NOW, shelf=later))[0] == "total-changed"


def test_a_total_rounded_to_coins_is_charged_in_cash_alone():
    coins = replace(NOW, counter=COUNTER._replace(smallest_coin_minor=5))
    assert decide(asked([("milk", 3)], 385), coins).settled.total_minor == 385
    code, facts = refusal(asked([("milk", 3)], 385, [("card", 387, "A17")]), coins)
    assert (code, facts["total_minor"], facts["shown_minor"]) == ("total-changed", 387, 385)


def test_who_may_not_sell_now_is_told_why():
    assert refusal(asked([("milk", 1)], 129), replace(NOW, counter=None))[0] == "no-open-shift"
    assert refusal(asked([("milk", 1)], 129), replace(NOW, counter=COUNTER._replace(state="counting")))[0] == (
        "no-open-shift"
    )
    assert refusal(asked([("milk", 1)], 129), replace(NOW, held=("voided", "T1", "Wei")))[0] == "basket-voided"
    assert refusal(asked([("milk", 1)], 129), replace(NOW, held=("open", "T2", "Wei")))[0] == "basket-taken"
    assert decide(asked([("milk", 1)], 129), replace(NOW, held=("parked", "T2", "Wei")))
    assert refusal(asked([("wine", 1)], 699, age_confirmed=16)) == ("age-check", {"minimum_age": 18, "names": "Wine"})
    hours = replace(NOW, shelf=replace(SHELF, hours={"Dairy": (8 * 60, 12 * 60)}))
    assert refusal(asked([("milk", 1)], 129), hours)[1]["until_time"] == "12:00"
    assert decide(asked([("wine", 1)], 699, age_confirmed=18), hours).age_how == "looked"


def test_what_a_person_may_not_do_alone_wants_leave_and_uses_up_the_one_that_fits():
    cheaper = asked([("milk", 1, 99)], 99)
    code, facts = refusal(cheaper)
    assert (code, [need["permission"] for need in facts["needs"]]) == ("needs-approval", ["price.override"])
    covers = [{"sku": "milk", "qty": 1, "price_minor": 99, "list_price_minor": 129}]
    given = [
        Approval(id=name, permission="price.override", granted_by_role=role, covers=covers)
        for name, role in (("by a cashier", "cashier"), ("by the boss", "shopkeeper"))
    ]
    granters = {role: Rights(role, "EUR") for role in ("cashier", "shopkeeper")}
    assert refusal(cheaper, replace(NOW, leave=Leave(RIGHTS, given[:1], granters)))[0] == "needs-approval"
    draft = decide(cheaper, replace(NOW, leave=Leave(RIGHTS, given[1:], granters)))
    assert [(row.id, did) for row, did in draft.leave] == [("by the boss", covers)]


def test_empties_of_the_shift_count_with_those_of_the_sale_only_where_cash_goes_out():
    out, within = asked([("empty", -30)], -750, []), asked([("milk", 6), ("empty", -30)], 24)
    before = replace(NOW, empties_qty=30)
    assert decide(out, NOW).settled.total_minor == -750
    assert refusal(out, before)[1]["needs"][0]["covers"] == {"qty": 60}
    assert decide(within, before)


def test_cash_beyond_the_drawer_is_booked_for_who_counts_blind_and_refused_to_who_sees_it():
    poor = COUNTER._replace(expected_minor=700)
    out = asked([("empty", -30)], -750, [])
    assert decide(out, replace(NOW, counter=poor)).beyond_minor == 750
    boss = Rights("shopkeeper", "EUR")
    sees = replace(NOW, counter=poor._replace(rights=boss), leave=Leave(boss))
    assert refusal(out, sees) == ("drawer-too-empty", {"held_minor": 700})


def test_what_an_order_promised_keeps_its_price_and_comes_from_the_bin():
    request = asked([("milk", 2)], 200, order_id="order-1", agreed_prices={"milk": 100})
    bin_too = Holding({"milk": {Place.BIN: 1, Place.FLOOR: 1}}, {})
    shelf = replace(SHELF, promised=Promised({"milk": 100}))
    draft = decide(request, replace(NOW, shelf=shelf, holding=bin_too))
    assert draft.lines[0].price_type == "agreed"
    assert [row[3] for row in draft.out] == [Place.BIN, Place.FLOOR]


# --- what comes back ---

BOUGHT = Sale(
    id="sold-1", store_id="S01", kind="sale", channel="counter", receipt_no=7, rounding_minor=0, state="completed"
)  # fmt: skip
WORTH = SaleLine(
    store_id="S01", sale_id="sold-1", n=1, sku="milk", name="Milk", qty=3, stock_unit="each", unit_price_minor=129,
    price_quantity=1, discount_minor=0, offer="", total_minor=386, net_minor=361, tax_minor=25, tax_class_id="food",
    rate_bp=700, kind="goods", price_type="list", manual_discount_minor=0, top_category="Dairy",
)  # fmt: skip
RECEIPT = Receipt(
    BOUGHT, None, paid_online=False, lines={1: WORTH}, returned={}, given=(), before_minor=0, out_minor=0,
    worth_minor=386, left={},
)  # fmt: skip
BOSS = replace(NOW, leave=Leave(Rights("shopkeeper", "EUR")), receipt=RECEIPT)


def brought(qty, **wishes):
    """Return what a customer brings back of the receipt."""
    return ReturnRequest("return-1", "S01", "T1", "sold-1", [(1, qty)], **wishes)


def test_the_parts_that_come_back_sum_to_the_whole_and_never_more_than_was_sold():
    parts, back = [], {}
    for qty in (1, 2):
        draft = returns.decide(brought(qty), replace(BOSS, receipt=replace(RECEIPT, returned=back)))
        parts.append(draft.lines[0].total_minor)
        back = {1: qty}
    assert (parts, sum(parts)) == ([-129, -257], -386)
    with pytest.raises(Refused) as refused:
        returns.decide(brought(3), replace(BOSS, receipt=replace(RECEIPT, returned={1: 1})))
    assert refused.value.facts["lines"] == [{"line": 1, "name": "Milk", "wanted": 3, "left": 2}]


def test_what_was_put_on_a_tab_goes_back_there_first_and_the_rest_by_hand():
    tab = replace(RECEIPT, left={("tab", "sold-1"): 200}, given_up={"sold-1": (150, 80)})
    draft = returns.decide(brought(3), replace(BOSS, receipt=tab))
    assert [(row.tender, row.amount_minor) for row in draft.settled.tenders] == [("tab", -200), ("cash", -186)]
    (way, _) = returns.planned(tab, [(1, 3)], "cash", "return-1", coin_minor=1).ways
    assert way.given_up_minor == 50


def test_spoilt_goods_go_to_waste_and_a_cashier_wants_leave():
    draft = returns.decide(brought(1, restock=False), BOSS)
    assert [row[1:] for row in draft.back] == [("milk", 1, Place.CUSTOMER, Place.WASTE)]
    with pytest.raises(Refused, match="Supervisor"):
        returns.decide(brought(1), replace(BOSS, leave=NOW.leave))


def test_an_exchange_settles_what_comes_back_with_what_is_bought():
    back = [BroughtBack("sold-1", 1, 2)]
    draft = decide(asked([("milk", 1)], -128, [], brought_back=back), BOSS)
    assert (draft.kind, [line.total_minor for line in draft.lines]) == ("exchange", [129, -257])
    assert [(row.tender, row.amount_minor) for row in draft.settled.tenders] == [("cash", -128)]
    others = replace(BOSS, receipt=replace(RECEIPT, customer_id="mei"))
    assert refusal(asked([("milk", 1)], -128, [], brought_back=back, customer_id="li"), others)[0] == "another-customer"
