"""A price that stands in a code reaches no further below the list's than a discount of who sells may."""

import pytest

from config.errors import Invalid, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import catalogue, own_labels, scan
from pos.reports import reports
from pos.sale import sale
from pos.sale.sale_request import RungLine, SaleRequest
from pos.stock import markdown
from pos.store import approvals
from pos.store.store import add_staff, store_of
from pos.till import totals
from pos.till.shift_book import Shift
from tests.builders import NOON, STORE, TILL
from tests.recount import recount

TODAY = NOON.date()
MILK = "(01)04006381333931(3922)"
PIECES = "22{item:5}{check}{price:4}"


def line_of(store, code):
    found = store.read(lambda session: scan.read(session, STORE, code, TODAY))
    return RungLine(
        found.product.sku, found.qty, amount_minor=found.amount_minor, batch=found.batch,
        expires_on=found.expires_on, code=code,
    )  # fmt: skip


def ring(store, line, boss=None):
    quoted = store.read(lambda session: sale.quote(session, STORE, [line], at=store.now, cash=True))
    due, sale_id, given = quoted.basket.total_minor, new_id(), []
    with store.write() as session:
        if boss:
            bo = add_staff(session, STORE, "bo", "Bo", boss, "4444")
            for need in quoted.needs:
                wish = {"permission": need.permission, "sale_id": sale_id, "why": "", "covers": [need.covers]}
                given.append(approvals.grant(session, bo, **wish, asked_by=store.ana, at=store.now).id)
        request = SaleRequest(
            id=sale_id, store_id=STORE, till_id=TILL, lines=[line], tenders=[("cash", due)], shown_total_minor=due,
            approvals=given,
        )  # fmt: skip
        return sale.complete(Context(session, store.ana, store.now), request).sale.total_minor


@pytest.mark.parametrize(
    ("code", "charged", "off_bp"),
    [
        (MILK + "001", 1, 9923),
        (MILK + "123", 123, 466),
        (MILK + "129", 129, None),
        (MILK + "150", 150, None),
        ("(01)04006381333931(30)10(3922)001", 1, 9993),
        ("(01)04006381333931(3932)978001", 1, 9923),
        ("010400638133393139220001\x1d", 1, 9923),
    ],
)
def test_what_a_code_says_below_the_list_price_counts_as_taken_off(store, code, charged, off_bp):
    line = line_of(store, code)
    quoted = store.read(lambda session: sale.quote(session, STORE, [line], at=store.now, cash=True))
    assert quoted.basket.total_minor == charged
    assert [need.discount_bp for need in quoted.needs] == ([off_bp] if off_bp else [])
    if (off_bp or 0) <= 500:
        assert ring(store, line) == charged
    else:
        with pytest.raises(Refused) as refusal:
            ring(store, line)
        assert refusal.value.code == "needs-approval"


def test_who_agrees_to_a_labels_price_is_bound_by_their_own_limit(store):
    with pytest.raises(Refused, match="up to 30%"):
        ring(store, line_of(store, MILK + "001"), "supervisor")
    assert ring(store, line_of(store, MILK + "001"), "shopkeeper") == 1


def test_a_discount_on_a_labelled_piece_is_held_together_with_what_the_label_takes_off(store):
    with pytest.raises(Refused):
        ring(store, line_of(store, MILK + "125")._replace(discount_bp=300))
    assert ring(store, line_of(store, MILK + "128")._replace(discount_bp=300)) == 124


def test_a_typed_price_beside_a_code_hides_nothing_of_what_the_code_takes_off(store):
    line = line_of(store, MILK + "001")._replace(price_minor=128)
    quoted = store.read(lambda session: sale.quote(session, STORE, [line], at=store.now, cash=True))
    assert max(need.discount_bp for need in quoted.needs) == 9923


@pytest.mark.parametrize("code", [MILK + "000", "(01)04006381333931(3923)0004"])
def test_a_label_that_says_nought_is_refused_with_a_sentence(store, code):
    with pytest.raises(Invalid, match="a price of zero") as refusal:
        line_of(store, code)
    assert refusal.value.code == "free-label"


def test_goods_by_weight_cost_what_their_label_says(store):
    with store.write() as session:
        scan.add_scheme(Context(session, store.wei, NOON), STORE, "", PIECES)
        catalogue.add_code(session, "cheese", "12345", 1)
    assert ring(store, line_of(store, own_labels.build(own_labels.scheme(PIECES), 12345, 100))) == 100
    assert totals_of(store)["overrides"] == [0, 0]


def test_the_shops_own_markdown_sells_without_a_pin(store):
    with store.write() as session:
        code = markdown.mark_down(
            Context(session, store.wei, store.now), STORE, "milk", expires_on=TODAY, percent_bp=5000, qty=1
        )["url"]
    assert ring(store, line_of(store, code)) < 70


def totals_of(store):
    return store.read(lambda session: session.query(Shift).one().totals)


def test_labels_below_the_list_price_are_counted_with_the_changed_prices(store):
    ring(store, line_of(store, MILK + "123"))
    ring(store, line_of(store, MILK + "150"))
    assert totals_of(store)["overrides"] == [1, 6]
    assert store.read(lambda s: recount(s, s.query(Shift).one()))["overrides"] == [1, 6]
    figures = totals.figures(totals_of(store))
    assert (figures["overrides_count"], figures["overrides_minor"]) == (1, 6)
    [ana] = store.read(lambda s: reports.report(s, store_of(s, STORE), "cashier", TODAY, TODAY)).rows
    assert ana["overrides_count"] == 1
    assert store.findings() == []
