"""What a counter does beyond a plain cash sale: prices typed over, leave by PIN, deposits, exchanges, accounts."""

import contextlib
import dataclasses
import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from config.clock import FrozenClock
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import catalogue, own_labels, scan
from pos.customers import customers, points_terms, tab
from pos.customers.consent import PURPOSES
from pos.documents.receipt import layout
from pos.facts import SaleCompleted
from pos.payments import vouchers
from pos.sale import basket, sale, seal
from pos.sale.basket import Parking, TakeUp, Voiding
from pos.sale.returns import plan, take_back, take_back_blind
from pos.sale.sale_request import BlindReturnRequest, BroughtBack, ReturnRequest, RungLine, SaleRequest
from pos.sold import bought_by
from pos.store import approvals, permissions
from pos.store.approvals import Need
from pos.store.store import add_staff, store_of
from pos.till import hand_cash, shift_report
from pos.till.hand_cash import DrawerRequest
from pos.till.parked import Basket, parked
from pos.till.shift import current
from tests.builders import NOON, STORE, TILL, OpenStore
from tests.empty import database_from, made_once

ENTRIES = sa.text("select body from journal_entry where subject = :subject")
OLD_LINE = {
    "n", "sku", "name", "qty", "stock_unit", "unit_price_minor", "price_quantity", "discount_minor", "offer",
    "total_minor", "net_minor", "tax_minor", "tax_class_id", "tax_letter", "rate_bp", "returns_sale_id", "returns_n",
}  # fmt: skip
PRICED = "22{item:5}{check}{price:4}"
DAY = NOON.date() - dt.timedelta(days=7)


@pytest.fixture(scope="module")
def furnished(founded, tmp_path_factory):
    """Give the file of the store with bottles, services and a supervisor, closed again."""
    path = tmp_path_factory.mktemp("corner") / "store.db"
    with made_once():
        _furnish(OpenStore(database_from(founded, path), FrozenClock(NOON)))
    return path


@pytest.fixture
def corner(furnished, tmp_path):
    """Give the store bottles with a deposit, a product of no fixed price, a service and vouchers, and a supervisor."""
    return OpenStore(database_from(furnished, tmp_path / "store.db"), FrozenClock(NOON))


def _furnish(store):
    with store.write() as session:
        for sku, name, price_minor, wishes in (
            ("dep25", "Deposit 0.25", 25, {"kind": "deposit"}),
            ("cola", "Cola 1 l", 150, {"deposit_sku": "dep25", "tax_class_id": "drinks"}),
            ("misc", "Various", None, {"price_typed": True}),
            ("copy", "Photocopy", 10, {"kind": "service"}),
            ("gift", "Gift voucher", None, {"kind": "voucher", "price_typed": True}),
        ):
            wishes = {"tax_class_id": "food"} | wishes
            catalogue.add_product(Context(session, store.wei, NOON), sku, name, category="Various", **wishes)
            if price_minor is not None:
                catalogue.set_price(Context(session, store.wei, NOON), sku, price_minor, DAY)
            catalogue.list_product(Context(session, store.wei, NOON), STORE, sku)
        add_staff(session, STORE, "sue", "Sue", "supervisor", "4444")
        add_staff(session, STORE, "ana", "Ana", "cashier", "1111")


def rung(store, lines, **wishes):
    """Return a request for these lines, paid in cash to the cent."""
    at = wishes.pop("at", store.now)
    seen = {name: wishes[name] for name in ("customer_id", "coupons") if name in wishes}
    quoted = store.read(lambda session: sale.quote(session, STORE, lines, at=at, cash=True, **seen)) if lines else None
    due = quoted.basket.total_minor if quoted else 0
    given = {"id": new_id(), "store_id": STORE, "till_id": TILL, "lines": lines, "tenders": [("cash", due)]}
    return SaleRequest(**given | {"shown_total_minor": due, "age_confirmed": 18} | wishes)


def grant(store, permission, sale_id, staff_id="sue", at=None, covers=({},)):
    """Let the supervisor allow something; returns the approval's id."""
    with store.write() as session:
        person = next(one for one in approvals.approvers(session, STORE, permission) if one.id == staff_id)
        row = approvals.grant(
            session,
            person,
            permission=permission,
            sale_id=sale_id,
            why="the customer is right",
            covers=covers,
            asked_by=store.ana,
            at=at or store.now,
        )
        return row.id


def allowed(store, permission, request, **wishes):
    """Let the supervisor allow what this sale needs, as the page shows it; returns the approval's id."""
    quoted = store.read(lambda session: sale.quote(session, STORE, request.lines, at=store.now))
    covers = [need.covers for need in quoted.needs if need.permission == permission]
    return grant(store, permission, request.id, covers=covers, **wishes)


# --- leave ---


def test_a_price_typed_over_needs_leave_and_names_what_it_needs(corner):
    request = rung(corner, [RungLine("milk", 1, price_minor=99, reason="dented")])
    with pytest.raises(Refused, match="PIN") as refusal:
        corner.complete(request)
    assert (refusal.value.code, refusal.value.facts["permissions"]) == ("needs-approval", ["price.override"])
    done = corner.complete(dataclasses.replace(request, approvals=[allowed(corner, "price.override", request)]))
    line = done.document["lines"][0]
    assert (line["price_type"], line["unit_price_minor"], line["list_price_minor"]) == ("override", 99, 129)
    assert corner.findings() == []


def test_leave_serves_one_sale_for_a_quarter_of_an_hour_and_only_who_may_gives_it(corner):
    request = rung(corner, [RungLine("milk", 1, price_minor=99)])
    elsewhere = grant(corner, "price.override", "another-sale")
    late = allowed(corner, "price.override", request, at=corner.now - dt.timedelta(minutes=16))
    for approval in (elsewhere, late, "no-such-approval"):
        with pytest.raises(Refused):
            corner.complete(dataclasses.replace(request, approvals=[approval]))
    cashier = corner.read(lambda session: next(one for one in approvals.approvers(session, STORE, "sell")))
    given = {"permission": "price.override", "sale_id": request.id, "why": "", "covers": [{}]}
    given |= {"asked_by": corner.ana, "at": NOON}
    with corner.write() as session, pytest.raises(Refused, match="can’t approve this"):
        approvals.grant(session, cashier, **given)


@pytest.mark.parametrize(("bp", "alone"), [(500, True), (501, False)])
def test_a_discount_within_the_roles_limit_needs_nobody(corner, bp, alone):
    request = rung(corner, [RungLine("bread", 2, discount_bp=bp)])
    if alone:
        assert corner.complete(request).document["lines"][0]["manual_discount_minor"] == 35
    else:
        with pytest.raises(Refused) as refusal:
            corner.complete(request)
        assert refusal.value.code == "needs-approval"


def test_nobody_allows_a_discount_beyond_their_own_limit(corner):
    request = rung(corner, [RungLine("bread", 1, discount_bp=4000)])
    with pytest.raises(Refused, match="up to 30%"):
        allowed(corner, "discount", request)
    less_said = grant(corner, "discount", request.id, covers=[{"sku": "bread", "qty": 1, "discount_minor": 999}])
    with pytest.raises(Refused, match="PIN"):
        corner.complete(dataclasses.replace(request, approvals=[less_said]))
    with corner.write() as session:
        permissions.set_discount_limit(Context(session, corner.wei, NOON), STORE, "supervisor", 5000)
    assert corner.complete(dataclasses.replace(request, approvals=[allowed(corner, "discount", request)]))


def test_a_discount_in_money_counts_as_the_part_of_the_line_it_is(corner):
    quoted = corner.read(
        lambda session: sale.quote(session, STORE, [RungLine("bread", 1, discount_minor=100)], at=NOON)
    )
    assert [(need.permission, need.discount_bp) for need in quoted.needs] == [("discount", 2866)]
    assert quoted.basket.lines_minor == 249


def test_a_discount_never_pays_the_customer(corner):
    quoted = corner.read(
        lambda session: sale.quote(session, STORE, [RungLine("milk", 1, discount_minor=10_000)], at=NOON)
    )
    assert quoted.basket.lines_minor == 0


# --- lines of every kind ---


def test_a_deposit_follows_its_bottle_is_taxed_like_it_and_moves_no_stock(corner):
    done = corner.complete(rung(corner, [RungLine("cola", 6)]))
    bottle, deposit = done.document["lines"]
    assert (deposit["kind"], deposit["qty"], deposit["total_minor"], deposit["deposit_of"]) == ("deposit", 6, 150, 1)
    assert deposit["rate_bp"] == bottle["rate_bp"] == 1900
    assert [row[1] for row in done.document["movements"]] == ["cola"]
    assert corner.findings() == []


def test_empties_come_back_as_negative_lines_and_lie_in_the_shop(corner):
    done = corner.complete(rung(corner, [RungLine("milk", 1), RungLine("dep25", -4)]))
    assert done.sale.total_minor == 129 - 100
    assert corner.level("dep25").on_hand == 4
    assert corner.findings() == []


def test_more_empties_than_shopping_pays_the_customer(corner):
    request = rung(corner, [RungLine("dep25", -8)])
    done = corner.complete(request)
    assert (done.sale.total_minor, [row["amount_minor"] for row in done.document["payments"]]) == (-200, [-200])
    assert corner.findings() == []


@pytest.mark.parametrize(("qty", "alone"), [(-50, True), (-51, False)])
def test_more_empties_than_a_customer_carries_want_leave(corner, qty, alone):
    request = rung(corner, [RungLine("dep25", qty)])
    if not alone:
        with pytest.raises(Refused, match="PIN"):
            corner.complete(request)
        request = with_leave(corner, request)
    assert corner.complete(request).sale.total_minor == 25 * qty
    assert corner.findings() == []


def test_empties_are_bounded_and_not_outweighed_by_goods(corner):
    for lines in (
        [RungLine("dep25", -1001)],
        [RungLine("dep25", -600), RungLine("cola", 900), RungLine("dep25", -600)],
    ):
        with pytest.raises(Invalid, match="Up to 1000 empties"):
            rung(corner, lines)


def test_the_shop_settles_how_many_empties_a_cashier_takes_back_alone(corner):
    with corner.write() as session:
        permissions.set_empties_limit(Context(session, corner.wei, NOON), STORE, "cashier", 3)
        with pytest.raises(Invalid, match="from 0 to 1000"):
            permissions.set_empties_limit(Context(session, corner.wei, NOON), STORE, "cashier", 1001)
    assert corner.complete(rung(corner, [RungLine("dep25", -3)])).sale.total_minor == -75
    too_many = rung(corner, [RungLine("dep25", -4)])
    with pytest.raises(Refused, match="PIN"):
        corner.complete(too_many)
    for_fewer = dataclasses.replace(too_many, approvals=[grant(corner, "empties", too_many.id, covers=[{"qty": 3}])])
    with pytest.raises(Refused, match="PIN"):
        corner.complete(for_fewer)
    together = grant(corner, "empties", too_many.id, covers=[{"qty": 7}])  # and the three before
    assert corner.complete(dataclasses.replace(too_many, approvals=[together])).sale.total_minor == -100
    sue, request = dataclasses.replace(corner.wei, role="supervisor"), rung(corner, [RungLine("dep25", -99)])
    with corner.write() as session:
        assert sale.complete(Context(session, sue, NOON), request).sale.total_minor == -2475


def test_empties_paid_out_in_a_shift_count_together_however_they_are_split(corner):
    for qty in (-20, -30):
        corner.complete(rung(corner, [RungLine("dep25", qty)]))
    corner.complete(rung(corner, [RungLine("milk", 5), RungLine("dep25", -8)]))  # shopping: nothing is paid out
    one_more = rung(corner, [RungLine("dep25", -1)])
    with pytest.raises(Refused, match="PIN") as refusal:
        corner.complete(one_more)
    assert [need["covers"] for need in refusal.value.facts["needs"]] == [{"qty": 51}]
    granted = grant(corner, "empties", one_more.id, covers=[{"qty": 51}])
    corner.complete(dataclasses.replace(one_more, approvals=[granted]))
    with pytest.raises(Refused) as refusal:
        corner.complete(rung(corner, [RungLine("dep25", -1)]))
    assert refusal.value.facts["needs"][0]["covers"] == {"qty": 51}, "what had leave does not count"
    mia = dataclasses.replace(corner.ana, id="mia", name="Mia")
    request = rung(corner, [RungLine("dep25", -50)])
    with corner.write() as session:
        assert sale.complete(Context(session, mia, NOON), request).sale.total_minor == -1250
    assert corner.findings() == []


def test_a_sum_of_empties_stops_nobody_without_a_limit_of_their_own(corner):
    with corner.write() as session:
        hand_cash.pay_in(Context(session, corner.wei, NOON), current(session, STORE, TILL), 1_000_000, why="bank")
    for request in [rung(corner, [RungLine("dep25", -900)]) for _ in range(2)]:
        with corner.write() as session:
            assert sale.complete(Context(session, corner.wei, NOON), request).sale.total_minor == -22_500


@pytest.mark.parametrize("said", [{"price_minor": 99}, {"amount_minor": 99}, {"discount_minor": 1}, {"discount_bp": 1}])
def test_nobody_types_what_an_empty_is_worth(corner, said):
    with pytest.raises(Invalid, match="their deposit"):
        rung(corner, [RungLine("dep25", -4, **said)])


def test_more_cash_than_the_drawer_holds_goes_out_by_who_counts_blind_alone_and_z_names_it(corner):
    held_minor = corner.read(lambda session: current(session, STORE, TILL).expected_minor)
    again = rung(corner, [RungLine("dep25", -1000)])
    with corner.write() as session, pytest.raises(Refused) as refusal:
        sale.complete(Context(session, corner.wei, NOON), again)
    assert refusal.value.facts["held_minor"] == held_minor
    request = rung(corner, [RungLine("dep25", -1000)])
    corner.complete(with_leave(corner, request))
    report = corner.read(lambda session: shift_report.x_report(session, current(session, STORE, TILL)))
    assert [(who, kind, minor) for who, _when, kind, minor in report["beyond"]] == [("Ana", "refund", 25_000)]


def test_a_deposit_paid_comes_back_to_the_cent_where_tax_is_added(corner):
    with corner.write() as session:
        session.add(catalogue.TaxClass(id="added", name="Added", rate_bp=700, inclusive=False))
        session.flush()
        for sku, wishes in (("can", {"kind": "deposit"}), ("lemo", {"deposit_sku": "can"})):
            catalogue.add_product(
                Context(session, corner.wei, NOON), sku, sku.title(), category="x", tax_class_id="added", **wishes
            )
            catalogue.set_price(Context(session, corner.wei, NOON), sku, 25, DAY)
            catalogue.list_product(Context(session, corner.wei, NOON), STORE, sku)
    done = corner.complete(rung(corner, [RungLine("lemo", 10), RungLine("can", -10)]))
    assert [line["total_minor"] for line in done.document["lines"]] == [268, 250, -250]
    text = "\n".join(row.text + " " + row.right for row in layout(done.document, columns=42))
    assert "0,18" in text  # the tax that is added is the bottle's alone
    assert corner.findings() == []


def test_goods_cannot_be_rung_with_a_negative_quantity(corner):
    with pytest.raises(Invalid, match="above zero"):
        rung(corner, [RungLine("milk", -1)])


def test_a_bottle_brought_back_brings_its_deposit_along(corner):
    sold = corner.complete(rung(corner, [RungLine("cola", 2)]))
    back = corner.take_back(sold.sale.id, [(1, 1)])
    assert [(line["sku"], line["total_minor"]) for line in back.document["lines"]] == [("cola", -150), ("dep25", -25)]
    assert corner.findings() == []


def test_a_product_without_a_fixed_price_asks_for_it(corner):
    with pytest.raises(Invalid, match="Enter the price") as refusal:
        rung(corner, [RungLine("misc", 1)])
    assert refusal.value.code == "price-wanted"
    assert corner.complete(rung(corner, [RungLine("misc", 2, price_minor=75)])).sale.total_minor == 150


def test_a_price_label_costs_what_it_says_whatever_the_weight(corner):
    with corner.write() as session:
        scan.add_scheme(Context(session, corner.wei, NOON), STORE, "", PRICED)
        catalogue.add_code(session, "cheese", "12345", 1)
    code = own_labels.build(own_labels.scheme(PRICED), 12345, 592)
    found = corner.read(lambda session: scan.read(session, STORE, code, NOON.date()))
    done = corner.complete(rung(corner, [RungLine("cheese", found.qty, amount_minor=592, code=code)]))
    line = done.document["lines"][0]
    assert (line["price_type"], line["total_minor"], line["qty"]) == ("label", 592, found.qty)
    text = "\n".join(row.text + " " + row.right for row in layout(done.document, columns=42))
    assert "5,92" in text
    assert corner.findings() == []


def test_a_service_moves_nothing(corner):
    done = corner.complete(rung(corner, [RungLine("copy", 12)]))
    assert (done.document["movements"], corner.findings()) == ([], [])


def test_the_same_product_may_stand_in_two_lines_and_is_one_stock(corner):
    corner.complete(rung(corner, [RungLine("milk", 1), RungLine("milk", 2, note="for Mr Li")]))
    assert corner.level("milk").on_hand == 17
    assert corner.findings() == []


# --- exchange and returns ---


def test_an_exchange_settles_both_ways_as_one_amount(corner):
    sold = corner.sell([("milk", 2)])
    request = rung(corner, [RungLine("bread", 1)], brought_back=[BroughtBack(sold.sale.id, 1, 2)])
    request = dataclasses.replace(request, shown_total_minor=349 - 258, tenders=[("cash", 91)])
    done = corner.complete(with_leave(corner, request))
    assert (done.sale.kind, done.sale.total_minor) == ("exchange", 91)
    assert (corner.level("milk").on_hand, corner.level("bread").on_hand) == (20, 19)
    assert corner.findings() == []


def test_an_exchange_that_owes_the_customer_gives_back_exactly_that(corner):
    sold = corner.sell([("bread", 1)])
    request = rung(corner, [RungLine("milk", 1)], brought_back=[BroughtBack(sold.sale.id, 1, 1)])
    request = with_leave(corner, dataclasses.replace(request, shown_total_minor=129 - 349))
    for wrong in (-219, -221):
        with pytest.raises(Refused, match="Refund exactly"):
            corner.complete(dataclasses.replace(request, tenders=[("cash", wrong)]))
    assert corner.complete(dataclasses.replace(request, tenders=[("cash", -220)])).sale.total_minor == -220
    assert corner.findings() == []


def with_leave(store, request):
    """Return the request with a supervisor's leave for what is taken back."""
    back = request.brought_back
    empties = -sum(line.qty for line in request.rung if line.qty < 0)
    need = approvals.takes_back(back[0].sale_id, [(row.n, row.qty) for row in back]) if back else None
    permission, covers = (need.permission, need.covers) if need else ("empties", {"qty": empties})
    return dataclasses.replace(request, approvals=[grant(store, permission, request.id, covers=[covers])])


def exchanged(store, sold, lines, back, tenders=(), **wishes):
    """Exchange units of line 1 of a sale for these lines; tenders () leaves the way to the store."""
    request = rung(store, lines, **wishes)
    came = [BroughtBack(sold.sale.id, 1, back)]
    worth = sold.sale.lines[0]
    due = request.shown_total_minor - worth.total_minor * back // worth.qty
    request = dataclasses.replace(request, brought_back=came, shown_total_minor=due, tenders=tenders)
    return store.complete(with_leave(store, request))


def paid_with(done):
    """Return what a receipt says was paid or given back: [(tender, amount)]."""
    return [(row["tender"], row["amount_minor"]) for row in done.document["payments"]]


def test_a_cashier_exchanges_nothing_without_leave(corner):
    sold = corner.sell([("bread", 1)])
    request = rung(corner, [RungLine("milk", 1)], brought_back=[BroughtBack(sold.sale.id, 1, 1)])
    request = dataclasses.replace(request, shown_total_minor=-220, tenders=[("cash", -220)])
    with corner.write() as session, pytest.raises(Refused, match="PIN") as refusal:
        sale.complete(Context(session, corner.ana, NOON), request)
    assert refusal.value.facts["permissions"] == ["take_back"]
    granted = with_leave(corner, request)
    with corner.write() as session:
        assert sale.complete(Context(session, corner.ana, NOON), granted).sale.total_minor == -220


@pytest.mark.parametrize("lines", [[], [RungLine("dep25", -1)]])
def test_an_exchange_that_buys_nothing_is_a_return(corner, lines):
    sold = corner.sell([("bread", 1)])
    request = rung(corner, lines, brought_back=[BroughtBack(sold.sale.id, 1, 1)], tenders=[])
    with pytest.raises(Refused, match="There are no items to buy"):
        corner.complete(request)


def test_an_exchange_of_two_receipts_is_refused(corner):
    one, other = corner.sell([("bread", 1)]), corner.sell([("milk", 1)])
    came = [BroughtBack(one.sale.id, 1, 1), BroughtBack(other.sale.id, 1, 1)]
    with pytest.raises(Refused, match="one receipt"):
        corner.complete(rung(corner, [RungLine("milk", 1)], brought_back=came))


def test_an_exchange_gives_back_to_the_tab_first_what_was_put_there(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("bread", 2)], customer_id=mei, tenders=[("tab", 698)]))
    with pytest.raises(Refused, match="refunded to the original payment") as refusal:
        exchanged(corner, sold, [RungLine("milk", 1)], 1, [("cash", -220)])
    assert refusal.value.facts == {"account_minor": 220, "rest_minor": 0}
    done = exchanged(corner, sold, [RungLine("milk", 1)], 1)
    assert (paid_with(done), done.document["customer"]["id"]) == ([("tab", -220)], mei)
    assert standing(corner, mei).tab_balance_minor == 698 - 220
    assert corner.findings() == []


def test_what_a_customer_bought_is_of_their_sales_alone_the_newest_first(corner, mei):
    corner.complete(rung(corner, [RungLine("bread", 2)], customer_id=mei))
    newer = corner.complete(rung(corner, [RungLine("milk", 1)], customer_id=mei))
    corner.sell([("bread", 1)])
    corner.take_back(newer.sale.id, [(1, 1)])
    store_id = newer.sale.store["id"]
    assert corner.read(lambda session: bought_by(session, store_id, mei, 5)) == [[("milk", 1)], [("bread", 2)]]
    assert corner.read(lambda session: bought_by(session, store_id, mei, 1)) == [[("milk", 1)]]


def test_what_exceeds_the_account_is_given_out_the_way_the_till_says(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("bread", 1)], customer_id=mei, tenders=[("tab", 100), ("cash", 249)]))
    done = exchanged(corner, sold, [RungLine("milk", 1)], 1, [("tab", -100), ("card", -120)])
    assert sorted(paid_with(done)) == [("card", -120), ("tab", -100)]
    assert corner.findings() == []


def test_account_money_that_was_exchanged_never_comes_out_as_cash(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("milk", 2)], customer_id=mei, tenders=[("tab", 258)]))
    first = exchanged(corner, sold, [RungLine("milk", 1)], 1)
    assert (paid_with(first), first.sale.total_minor) == ([], 0)
    second = exchanged(corner, first, [RungLine("milk", 1)], 1)
    assert paid_with(corner.take_back(second.sale.id, [(1, 1)])) == [("tab", -129)]
    assert paid_with(corner.take_back(sold.sale.id, [(1, 1)])) == [("tab", -129)]
    assert standing(corner, mei).tab_balance_minor == 0
    assert corner.findings() == []


def test_what_an_exchange_puts_on_the_tab_goes_back_for_its_own_goods_alone(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("milk", 2)], customer_id=mei))
    done = exchanged(corner, sold, [RungLine("bread", 1)], 1, [("tab", 220)])
    assert paid_with(corner.take_back(sold.sale.id, [(1, 1)])) == [("cash", -129)]
    assert paid_with(corner.take_back(done.sale.id, [(1, 1)])) == [("tab", -220), ("cash", -129)]
    assert standing(corner, mei).tab_balance_minor == 0
    assert corner.findings() == []


def shown(corner, done):
    """Return the vouchers of a sale with their codes, as the till hears of them."""
    return corner.read(lambda session: vouchers.revealed(session, done.document))["vouchers"]


def test_a_voucher_that_paid_comes_back_from_an_exchange_as_store_credit(corner):
    [issued] = shown(corner, corner.complete(rung(corner, [RungLine("gift", 1, price_minor=500)])))
    sold = corner.complete(rung(corner, [RungLine("bread", 1)], tenders=[("voucher", 349, issued["code"])]))
    done = exchanged(corner, sold, [RungLine("milk", 1)], 1)
    assert (paid_with(done), done.document["vouchers"][0]["amount_minor"]) == ([("credit", -220)], 220)
    assert paid_with(corner.take_back(done.sale.id, [(1, 1)])) == [("credit", -129)]
    assert corner.findings() == []


def test_an_exchange_takes_back_the_points_its_goods_had_earned(corner, mei):
    with corner.write() as session:
        points_terms.set_terms(Context(session, corner.wei, NOON), points_terms.terms_of(STORE, True, 1, 10, 2, 1))
    sold = corner.complete(rung(corner, [RungLine("bread", 3)], customer_id=mei))
    earned = standing(corner, mei).points
    assert earned == sold.document["customer"]["points_earned"] > 0
    done = exchanged(corner, sold, [RungLine("milk", 1)], 3)
    assert standing(corner, mei).points == done.document["customer"]["points_balance"] < earned
    assert corner.findings() == []


def test_an_exchange_under_another_customers_name_is_refused(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("bread", 1)], customer_id=mei))
    with corner.write() as session:
        particulars = customers.Particulars("Bo", agreed=frozenset({"points"}))
        customers.add(Context(session, corner.wei, NOON), store_of(session, STORE), "customer-bo", particulars)
    with pytest.raises(Refused, match="another customer"):
        exchanged(corner, sold, [RungLine("milk", 1)], 1, customer_id="customer-bo")


def test_what_came_back_in_an_exchange_cannot_come_back_again(corner):
    sold = corner.sell([("milk", 1)])
    request = rung(corner, [RungLine("bread", 1)], brought_back=[BroughtBack(sold.sale.id, 1, 1)])
    corner.complete(with_leave(corner, dataclasses.replace(request, shown_total_minor=220, tenders=[("cash", 220)])))
    with pytest.raises(Refused, match="more than was sold"):
        corner.take_back(sold.sale.id, [(1, 1)])


def test_of_many_who_bring_the_same_line_back_one_wins(corner):
    sold = corner.sell([("milk", 1)])
    gate, won = threading.Barrier(8), []

    def bring():
        gate.wait()
        with contextlib.suppress(Refused):
            won.append(corner.take_back(sold.sale.id, [(1, 1)]))

    threads = [threading.Thread(target=bring) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert corner.findings() == []


def test_a_cashier_takes_nothing_back_without_leave(corner):
    sold = corner.sell([("milk", 1)])
    request = ReturnRequest(new_id(), STORE, TILL, sold.sale.id, [(1, 1)])
    with corner.write() as session, pytest.raises(Refused, match="PIN"):
        take_back(Context(session, corner.ana, NOON), request)
    for lines in ([["1", 1, 0]], [["2", 1, 0]]):
        other = grant(corner, "take_back", request.id, covers=[{"sale_id": "another-sale", "lines": lines}])
        with corner.write() as session, pytest.raises(Refused, match="PIN"):
            take_back(Context(session, corner.ana, NOON), dataclasses.replace(request, approvals=[other]))
    covers = [{"sale_id": sold.sale.id, "lines": [["1", 1, 0]]}]
    leave = grant(corner, "take_back", request.id, covers=covers)
    with corner.write() as session:
        take_back(Context(session, corner.ana, NOON), dataclasses.replace(request, approvals=[leave]))
    assert corner.findings() == []


def test_without_a_receipt_goods_come_back_at_todays_price_at_most(corner):
    def blind(price_minor, actor, **wishes):
        given = {"id": new_id(), "store_id": STORE, "till_id": TILL, "lines": [("milk", 1, price_minor, True)]}
        with corner.write() as session:
            return take_back_blind(
                Context(session, actor, NOON), BlindReturnRequest(**given | {"why": "no receipt"} | wishes)
            )

    with pytest.raises(Refused, match="today's price"):
        blind(130, corner.wei)
    with pytest.raises(Refused, match="PIN"):
        blind(129, corner.ana)
    with pytest.raises(Invalid, match="reason for the refund"):
        blind(129, corner.wei, why=" ")
    assert blind(129, corner.wei).sale.total_minor == -129
    assert corner.level("milk").on_hand == 21
    assert corner.findings() == []


# --- accounts ---


@pytest.fixture
def mei(corner):
    """Give a customer with a tab of 50.00."""
    with corner.write() as session:
        wished = customers.Particulars(name="Mei Lin", phone="5550123456", limit_minor=5000, agreed=frozenset(PURPOSES))
        customers.add(Context(session, corner.wei, NOON), store_of(session, STORE), "mei-0001", wished)
    return "mei-0001"


def repay(store, customer_id, amount_minor):
    with store.write() as session:
        tab.repay(
            Context(session, store.wei, store.now),
            store_of(session, STORE),
            customer_id,
            amount_minor,
            id=new_id(),
            till_id=TILL,
        )


def standing(store, customer_id):
    """Return where a customer stands."""
    return store.read(lambda session: customers.standing(session, store_of(session, STORE), customer_id, at=NOON))


def test_the_tab_holds_its_limit_also_when_part_is_paid_in_cash(corner, mei):
    lines = [RungLine("bread", 20)]
    request = rung(corner, lines, customer_id=mei, tenders=[("cash", 1000), ("tab", 5980)])
    with pytest.raises(Refused):
        corner.complete(request)
    corner.complete(dataclasses.replace(request, tenders=[("cash", 1980), ("tab", 5000)]))
    assert standing(corner, mei).tab_left_minor == 0
    assert corner.findings() == []


def test_a_tab_without_a_customer_is_refused(corner):
    with pytest.raises(Invalid, match="Choose the customer first"):
        corner.complete(rung(corner, [RungLine("milk", 1)], tenders=[("tab", 129)]))


def test_what_was_put_on_the_tab_goes_back_there_before_cash_goes_out(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("bread", 2)], customer_id=mei, tenders=[("tab", 400), ("cash", 298)]))
    first = corner.take_back(sold.sale.id, [(1, 1)])
    assert [(row["tender"], row["amount_minor"]) for row in first.document["payments"]] == [("tab", -349)]
    second = corner.take_back(sold.sale.id, [(1, 1)])
    paid = {row["tender"]: row["amount_minor"] for row in second.document["payments"]}
    assert paid == {"tab": -51, "cash": -298}
    assert standing(corner, mei).tab_balance_minor == 0
    assert corner.findings() == []


def test_what_was_repaid_of_a_tab_goes_out_by_hand_and_what_is_owed_goes_off_it(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("bread", 2)], customer_id=mei, tenders=[("tab", 698)]))
    repay(corner, mei, 598)
    first = corner.take_back(sold.sale.id, [(1, 1)])
    paid = {row["tender"]: row["amount_minor"] for row in first.document["payments"]}
    assert paid == {"tab": -100, "cash": -249}
    assert paid_with(exchanged(corner, sold, [RungLine("milk", 1)], 1, customer_id=mei)) == [("cash", -220)]
    assert standing(corner, mei).tab_balance_minor == 0
    assert corner.findings() == []


def test_the_receipt_of_a_forgotten_customer_brings_money_back_and_its_points_as_store_credit(corner, mei):
    with corner.write() as session:
        terms = points_terms.terms_of(STORE, True, 1, 10, 1, 1)
        points_terms.set_terms(Context(session, corner.wei, corner.now), terms)
    corner.complete(rung(corner, [RungLine("bread", 1)], customer_id=mei))
    by_points = [("points", 20), ("cash", 678)]
    sold = corner.complete(rung(corner, [RungLine("bread", 2)], customer_id=mei, tenders=by_points))
    with corner.write() as session:
        customers.erase(Context(session, corner.wei, corner.now), store_of(session, STORE), mei)
    assert paid_with(corner.take_back(sold.sale.id, [(1, 1)])) == [("credit", -20), ("cash", -329)]
    assert paid_with(exchanged(corner, sold, [RungLine("milk", 1)], 1)) == [("cash", -220)]
    assert corner.findings() == []


def test_what_was_given_up_of_a_tab_is_not_given_out_for_its_goods_and_pays_no_other_debt(corner, mei):
    def on_tab() -> str:
        return corner.complete(rung(corner, [RungLine("bread", 1)], customer_id=mei, tenders=[("tab", 349)])).sale.id

    repaid, given_up = on_tab(), on_tab()
    repay(corner, mei, 349)
    with corner.write() as session:
        store = store_of(session, STORE)
        tab.write_off(Context(session, corner.wei, corner.now), store, mei, 349, id="given-up-0001", why="moved away")
    assert paid_with(corner.take_back(repaid, [(1, 1)])) == [("cash", -349)]
    on_tab()
    [way] = corner.read(lambda session: plan(session, STORE, given_up, [(1, 1)], "cash", "return-0001")).ways
    assert (way.tender, way.amount_minor, way.given_up_minor) == ("tab", 349, 349)
    assert paid_with(corner.take_back(given_up, [(1, 1)])) == [("tab", -349)]
    assert standing(corner, mei).tab_balance_minor == 349
    assert corner.findings() == []


def test_what_a_customer_still_owes_of_goods_goes_off_before_what_was_given_up_of_them(corner, mei):
    sold = corner.complete(rung(corner, [RungLine("bread", 3)], customer_id=mei, tenders=[("tab", 1047)])).sale.id
    repay(corner, mei, 349)
    with corner.write() as session:
        store = store_of(session, STORE)
        tab.write_off(Context(session, corner.wei, corner.now), store, mei, 349, id="given-up-0002", why="moved away")
    back = [paid_with(corner.take_back(sold, [(1, 1)])) for _ in range(3)]
    assert back == [[("tab", -349)], [("tab", -349)], [("cash", -349)]]
    kinds = [(row.kind, row.amount_minor) for row in corner.read(lambda session: tab.entries(session, STORE, mei))]
    assert kinds[-3:] == [("refund", -349), ("owed_again", 349), ("refund", -349)]
    assert corner.findings() == []


def test_a_voucher_sold_is_issued_and_spent_once(corner):
    [issued] = shown(corner, corner.complete(rung(corner, [RungLine("gift", 1, price_minor=500)])))
    assert (issued["amount_minor"], issued["kind"]) == (500, "gift")
    request = rung(corner, [RungLine("bread", 2)], tenders=[("voucher", 500, issued["code"]), ("cash", 198)])
    corner.complete(request)
    assert corner.read(lambda session: vouchers.find(session, STORE, issued["code"]).balance_minor) == 0
    with pytest.raises((Refused, NotFound)):
        corner.complete(rung(corner, [RungLine("milk", 1)], tenders=[("voucher", 129, issued["code"])]))
    assert corner.findings() == []


def test_money_given_back_as_store_credit_is_a_voucher(corner):
    sold = corner.sell([("bread", 1)])
    back = corner.take_back(sold.sale.id, [(1, 1)], tender="credit")
    [issued] = back.document["vouchers"]
    assert (issued["kind"], issued["amount_minor"]) == ("credit", 349)
    assert corner.findings() == []


# --- the whole ---


def test_every_completed_sale_is_sealed_in_the_journal(corner):
    done = corner.complete(rung(corner, [RungLine("cola", 2), RungLine("cheese", 250)]))
    fact = SaleCompleted.from_body(done.document)
    entries = corner.read(lambda session: session.execute(ENTRIES, {"subject": f"sale:{fact.id}"}).scalars().all())
    assert any(seal.of_sale(fact) in body for body in entries)


def test_a_fact_of_the_first_version_is_read_like_one_of_today(corner):
    body = corner.sell([("milk", 1)]).document
    for name in ("age_how", "customer", "note", "saved_minor", "vouchers", "coupons"):
        del body[name]
    for line in body["lines"]:
        for name in set(line) - OLD_LINE:
            del line[name]
    fact = SaleCompleted.from_body(body)
    assert (fact.lines[0].kind, fact.customer, fact.vouchers) == ("goods", None, ())


def test_the_same_sale_sent_again_with_fresh_leave_is_the_same_sale(corner):
    request = rung(corner, [RungLine("milk", 1, price_minor=99)])
    first = corner.complete(dataclasses.replace(request, approvals=[allowed(corner, "price.override", request)]))
    again = corner.complete(dataclasses.replace(request, approvals=[allowed(corner, "price.override", request)]))
    assert (again.repeated, again.sale.receipt_no) == (True, first.sale.receipt_no)


# --- baskets and the drawer ---


def test_a_parked_basket_is_taken_up_by_one_till(store):
    def park(session):
        wish = Parking("basket-1", STORE, TILL, 258, {"lines": [1]}, "red hat")
        return basket.park(Context(session, store.ana, NOON), wish)

    with store.write() as session:
        park(session)
    assert [row.label for row in store.read(lambda session: parked(session, STORE))] == ["red hat"]
    with store.write() as session:
        row = basket.resume(Context(session, store.wei, NOON), TakeUp("basket-1", STORE, "T2"))
        assert row.content == {"lines": [1]}
    with store.write() as session, pytest.raises(Conflict, match="Wei has already"):
        basket.resume(Context(session, store.ana, NOON), TakeUp("basket-1", STORE, TILL))
    assert store.read(lambda session: parked(session, STORE)) == []


def test_a_basket_is_given_up_with_a_reason_and_counted_on_the_shift(store):
    def void(session, why):
        return basket.void(Context(session, store.wei, NOON), Voiding("basket-2", STORE, TILL, why, 500))

    with store.write() as session, pytest.raises(Invalid, match="reason for voiding"):
        void(session, "  ")
    for _ in range(2):
        with store.write() as session:
            assert void(session, "left without paying").state == "voided"
    shift = store.read(lambda session: current(session, STORE, TILL))
    assert shift.totals["events"]["voided"] == [1, 500]


def test_a_paid_basket_cannot_be_parked_or_given_up(store):
    sold = store.sell([("milk", 1)])
    with store.write() as session, pytest.raises(Conflict, match="already paid"):
        basket.void(Context(session, store.wei, NOON), Voiding(sold.sale.id, STORE, TILL, "x", 1))


def test_what_was_given_up_is_never_sold_and_what_was_paid_elsewhere_waits_no_more(store):
    with store.write() as session:
        basket.void(Context(session, store.wei, NOON), Voiding("basket-3", STORE, TILL, "left", 129))
        basket.park(Context(session, store.wei, NOON), Parking("basket-4", STORE, TILL, 129, {}))
    with pytest.raises(Conflict, match="was voided"):
        store.sell([("milk", 1)], id="basket-3")
    store.sell([("milk", 1)], id="basket-4")
    assert store.read(lambda session: parked(session, STORE)) == []


def test_the_drawer_opens_once_per_wish_never_unseen_and_not_for_everyone(store):
    wish = DrawerRequest("drawer-0001", STORE, TILL, "change for the bus")
    with store.write() as session, pytest.raises(Refused, match="PIN"):
        hand_cash.open_drawer(Context(session, store.ana, NOON), wish)
    for first in (True, False):
        with store.write() as session:
            assert hand_cash.open_drawer(Context(session, store.wei, NOON), wish) is first
    shift = store.read(lambda session: current(session, STORE, TILL))
    assert shift.totals["events"]["no_sale"] == [1, 0]


def test_who_may_not_do_a_thing_is_told_all_that_is_wanted_at_once(store):
    class Asking:
        id, store_id, approvals = "sale-0001", STORE, ()

    needs = [Need("void"), Need("no_sale")]
    with store.write() as session, pytest.raises(Refused) as refusal:
        approvals.require(Context(session, store.ana, NOON), Asking(), needs)
    assert refusal.value.facts["permissions"] == ["no_sale", "void"]
    assert Basket.STATES.validate() == []
