"""The seal of a sale covers every value of its rows, and nothing of how they happen to lie."""

from dataclasses import replace

import pytest

from pos.facts import Paid, SaleCompleted
from pos.payments.payments import Payment
from pos.sale import seal
from pos.sold import Sale, SaleLine
from pos.till.shift_book import CashMovement
from tests.pos.till.test_totals import a_line, a_sale

PAID = (Paid("p1", "cash", 2000, False, ""), Paid("p2", "cash", -500, True, ""))
CASH = (("c1", "sale", 2000), ("c2", "change", -500))


def sold(**wishes) -> SaleCompleted:
    return a_sale(7, **{"payments": PAID, "cash": CASH} | wishes)


def other(value):
    """Return a value of the same kind that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value or ''}x"


@pytest.mark.parametrize("name", seal.SALE)
def test_no_value_of_the_sale_can_change_unseen(name):
    fact = sold()
    assert seal.of_sale(replace(fact, **{name: other(getattr(fact, name))})) != seal.of_sale(fact)


@pytest.mark.parametrize("name", seal.LINE)
def test_no_value_of_a_line_can_change_unseen(name):
    fact = sold()
    lines = (fact.lines[0], replace(fact.lines[1], **{name: other(getattr(fact.lines[1], name))}), *fact.lines[2:])
    assert seal.of_sale(replace(fact, lines=lines)) != seal.of_sale(fact)


@pytest.mark.parametrize("name", seal.PAYMENT)
def test_no_value_of_a_payment_can_change_unseen(name):
    changed = replace(PAID[0], **{name: other(getattr(PAID[0], name))})
    assert seal.of_sale(sold(payments=(changed, PAID[1]))) != seal.of_sale(sold())


@pytest.mark.parametrize("place", range(len(seal.CASH)))
def test_no_value_of_the_drawer_can_change_unseen(place):
    row = list(CASH[0])
    row[place] = other(row[place])
    assert seal.of_sale(sold(cash=(tuple(row), CASH[1]))) != seal.of_sale(sold())


def test_the_store_the_instant_and_the_customer_are_sealed():
    fact = sold()
    seals = {
        seal.of_sale(one)
        for one in (
            fact,
            replace(fact, store=fact.store | {"id": "S02"}),
            replace(fact, completed_at="2026-03-02T12:00:00.000001+00:00"),
            replace(fact, customer={"id": "cu1", "points_earned": 1}),
        )
    }
    assert len(seals) == 4


@pytest.mark.parametrize("kept", [slice(1, None), slice(None, -1), slice(None, None, -1)])
def test_a_line_missing_or_in_another_place_breaks_the_seal(kept):
    fact = sold()
    assert seal.of_sale(replace(fact, lines=fact.lines[kept])) != seal.of_sale(fact)


def test_values_cannot_be_pushed_from_one_field_into_the_next():
    near = [sold(lines=[a_line(1, 100, name="ab", note="c")]), sold(lines=[a_line(1, 100, name="a", note="bc")])]
    quoted = sold(lines=[a_line(1, 100, name='ab","', note="c")])
    assert len({seal.of_sale(one) for one in (*near, quoted)}) == 3


def test_payments_and_cash_are_sealed_in_the_order_of_their_ids():
    assert seal.of_sale(sold(payments=PAID[::-1], cash=CASH[::-1])) == seal.of_sale(sold())


def test_what_a_reader_of_the_receipt_sees_is_the_same_after_a_journey():
    fact = sold(lines=[a_line(1, 100, name="Tee 茶 „grün“ \u2028", expires_on="2026-04-01", batch="L\\1")])
    assert seal.of_sale(SaleCompleted.from_body(fact.to_body())) == seal.of_sale(fact)


def test_a_sale_sealed_before_aisles_were_kept_still_fits_its_seal():
    then = "v1:503c71f83f53191e29d3597664eff1c3e810e0c11d6323baadad6f792b5178b8"
    assert seal.of_sale(sold(), seal.form_of(then)) == then


def test_a_seal_names_its_form():
    assert seal.of_sale(sold()).startswith("v2:")
    assert len(seal.of_sale(sold())) == 3 + 64


@pytest.mark.parametrize(
    ("table", "sealed", "apart"),
    [
        (Sale, seal.SALE, {"store_id", "completed_at", "customer_id", "state"}),
        (SaleLine, seal.LINE, {"store_id", "sale_id", "business_day"}),
        (
            CashMovement,
            seal.CASH,
            {"store_id", "shift_id", "source_id", "why", "at", "actor_id"},
        ),
    ],
)
def test_every_column_a_sale_keeps_is_sealed(table, sealed, apart):
    """apart: sealed as a whole, or compared by whoever verifies."""
    assert set(table.__table__.c.keys()) == set(sealed) | apart


def test_the_columns_of_a_payment_that_belong_to_the_sale_are_sealed():
    assert set(seal.PAYMENT) <= set(Payment.__table__.c.keys())
