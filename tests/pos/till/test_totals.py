"""A shift's running totals: every sale adds to them, and adding them up in the end gives the same."""

import json

import pytest

from pos.facts import Paid, SaleCompleted, SoldLine, TaxRow
from pos.till import totals

STORE = {"id": "S01", "name": "Store", "currency": "EUR", "tz": "Europe/Berlin"}


def a_line(n: int, total_minor: int, **wishes) -> SoldLine:
    tax_minor = total_minor * 7 // 107
    row = {"n": n, "sku": f"sku{n}", "name": f"Product {n}", "qty": 1, "stock_unit": "each"}
    row |= {"unit_price_minor": total_minor, "price_quantity": 1, "discount_minor": 0, "offer": ""}
    row |= {"total_minor": total_minor, "net_minor": total_minor - tax_minor, "tax_minor": tax_minor}
    row |= {"tax_class_id": "food", "tax_letter": "A", "rate_bp": 700, "list_price_minor": total_minor}
    return SoldLine(**row | wishes)


def a_sale(receipt_no: int, lines=None, *, payments=None, cash=(), **wishes) -> SaleCompleted:
    lines = tuple(lines if lines is not None else [a_line(n, 100 * n) for n in range(1, 6)])
    total_minor = sum(line.total_minor for line in lines) + wishes.get("rounding_minor", 0)
    tax_minor = sum(line.tax_minor for line in lines)
    payments = payments if payments is not None else (Paid(f"pay{receipt_no}", "cash", total_minor, False, ""),)
    cash = cash or tuple((row.id, "sale", row.amount_minor) for row in payments if row.tender == "cash")
    row = {"id": f"sale-{receipt_no:04}", "kind": "sale", "channel": "counter", "order_id": None, "order_no": None}
    row |= {"store": STORE, "till_id": "T1", "till_name": "Till 1", "shift_id": "shift-1", "epoch": "e1"}
    row |= {"receipt_no": receipt_no, "cashier_id": "ana", "cashier_name": "Ana", "business_day": "2026-03-02"}
    row |= {"completed_at": "2026-03-02T12:00:00.000000+00:00", "local_time": "2026-03-02 13:00", "currency": "EUR"}
    row |= {"lines": lines, "payments": payments, "cash": cash, "lines_minor": total_minor, "rounding_minor": 0}
    row |= {"taxes": (TaxRow("A", "food", 700, total_minor - tax_minor, tax_minor, total_minor),)}
    row |= {"total_minor": total_minor, "tax_minor": tax_minor, "paid_minor": total_minor, "change_minor": 0}
    row |= {"age_checked": None, "returns_receipt_no": None, "request_hash": "h", "movements": ()}
    return SaleCompleted(**row | wishes)


def after(*facts: SaleCompleted) -> dict:
    sums = totals.opening()
    for fact in facts:
        sums = totals.with_sale(sums, fact)
    return totals.figures(sums)


def test_a_shift_without_a_sale_has_nothing_but_zeros():
    figures = after()
    assert (figures["sales_count"], figures["total_minor"], figures["first_receipt_no"]) == (0, 0, None)
    assert (figures["tenders"], figures["taxes"], figures["cash"], figures["events"]) == ({}, [], {}, {})


def test_an_exchange_is_a_sale_as_in_the_reports_and_returns_are_counted_apart():
    back = a_sale(2, [a_line(1, -300, qty=-1)], kind="return")
    swapped = a_sale(3, [a_line(1, 500), a_line(2, -200, qty=-1)], kind="exchange", cashier_id="bo", cashier_name="Bo")
    figures = after(a_sale(1), back, swapped)
    assert (figures["sales_count"], figures["sales_minor"]) == (2, 1800)
    assert (figures["returns_count"], figures["returns_minor"]) == (1, -300)
    assert (figures["exchanges_count"], figures["exchanges_minor"]) == (1, 300)
    assert (figures["total_minor"], figures["lines_count"]) == (1500, 8)
    assert (figures["first_receipt_no"], figures["last_receipt_no"]) == (1, 3)
    assert figures["cashiers"] == [["Ana", 2, 1200], ["Bo", 1, 300]]


def test_change_lessens_the_cash_taken_and_is_its_own_movement_of_the_drawer():
    paid = (Paid("p1", "cash", 2000, False, ""), Paid("p2", "cash", -500, True, ""))
    figures = after(a_sale(1, payments=paid, cash=(("c1", "sale", 2000), ("c2", "change", -500))))
    assert figures["tenders"] == {"cash": 1500}
    assert figures["cash"] == {"sale": 2000, "change": -500}


def test_every_tender_has_its_own_sum_tab_and_vouchers_too():
    paid = (
        Paid("p1", "card", 700, False, "slip 1"),
        Paid("p2", "tab", 500, False, ""),
        Paid("p3", "voucher", 300, False, "V"),
    )
    figures = after(a_sale(1, payments=paid), a_sale(2, payments=paid))
    assert figures["tenders"] == {"card": 1400, "tab": 1000, "voucher": 600}
    assert (figures["tab_minor"], figures["vouchers_redeemed_minor"], figures["cash"]) == (1000, 600, {})


def test_taxes_are_summed_by_class_and_rate_in_the_order_of_both():
    drinks = TaxRow("A", "drinks", 1900, 840, 160, 1000)
    rows = (TaxRow("A", "food", 1900, 84, 16, 100), TaxRow("B", "food", 700, 100, 7, 107))
    figures = after(a_sale(1, taxes=rows), a_sale(2, taxes=(drinks,)), a_sale(3, taxes=(drinks,)))
    assert [(row["tax_class_id"], row["rate_bp"], row["net_minor"], row["tax_minor"]) for row in figures["taxes"]] == [
        ("drinks", 1900, 1680, 320),
        ("food", 700, 100, 7),
        ("food", 1900, 84, 16),
    ]
    assert figures["taxes"][0]["gross_minor"] == 2000


def test_offers_discounts_by_hand_and_changed_prices_are_told_apart():
    lines = [
        a_line(1, 700, discount_minor=300, manual_discount_minor=100),
        a_line(2, 250, price_type="override", list_price_minor=400, unit_price_minor=250),
    ]
    figures = after(a_sale(1, lines))
    assert (figures["offers_minor"], figures["by_hand_minor"]) == (200, 100)
    assert (figures["overrides_count"], figures["overrides_minor"]) == (1, 150)


def test_deposits_and_empties_are_told_apart_and_vouchers_issued_are_summed():
    lines = [
        a_line(1, 25, kind="deposit", price_type="deposit"),
        a_line(2, -75, kind="deposit", price_type="empties", qty=-3),
    ]
    figures = after(a_sale(1, lines, vouchers=({"code": "V1", "amount_minor": 1000, "kind": "gift"},)))
    assert (figures["deposits_minor"], figures["empties_minor"], figures["vouchers_issued_minor"]) == (25, -75, 1000)


def test_cash_and_events_beside_the_sales_are_kept_by_their_kind():
    sums = totals.with_cash(totals.opening(), "float", 10_000)
    sums = totals.with_cash(totals.with_cash(sums, "drop", -4000), "drop", -1000)
    sums = totals.with_event(totals.with_event(sums, "voided", 1250), "voided", 50)
    sums = totals.with_event(sums, "correction", count=3)
    figures = totals.figures(sums)
    assert figures["cash"] == {"float": 10_000, "drop": -5000}
    assert figures["events"] == {"correction": [3, 0], "voided": [2, 1300]}


def test_what_each_person_took_off_before_it_was_paid_is_summed_and_counted():
    sums = totals.with_corrections(totals.opening(), "bo", "Bo", 2, 500)
    sums = totals.with_corrections(totals.with_corrections(sums, "ana", "Ana", 1, 30), "bo", "Bo", 1, 20)
    figures = totals.figures(sums)
    assert figures["corrections"] == [["Ana", 1, 30], ["Bo", 3, 520]]
    assert figures["events"] == {"correction": [4, 550]}


@pytest.mark.parametrize("add", ["sale", "cash", "event"])
def test_the_totals_given_stay_as_they_are(add):
    before = totals.with_event(totals.with_cash(totals.with_sale(totals.opening(), a_sale(1)), "float", 5), "no_sale")
    kept = json.dumps(before, sort_keys=True)
    {
        "sale": lambda: totals.with_sale(before, a_sale(2)),
        "cash": lambda: totals.with_cash(before, "float", 5),
        "event": lambda: totals.with_event(before, "no_sale"),
    }[add]()
    assert json.dumps(before, sort_keys=True) == kept


def test_totals_are_plain_json():
    sums = totals.with_event(totals.with_sale(totals.opening(), a_sale(1)), "no_sale")
    assert json.loads(json.dumps(sums)) == sums
