"""A line costs less only where the code that was scanned says so; the page's word alone buys nothing."""

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from config.errors import DomainError, Invalid, Refused
from config.nodes.journal import Context
from pos.catalogue import catalogue, own_labels, scan
from pos.sale import sale
from pos.sale.sale_request import RungLine
from pos.stock import markdown
from tests.builders import NOON, STORE

PRICE, WEIGHT = "22{item:5}{check}{price:4}", "21{item:5}{weight:5}"
TODAY = NOON.date()
ENTRIES = sa.text("select body from journal_entry where verb = 'sale.completed'")


@pytest.fixture
def weighing(store):
    """Give a store that reads labels with a price and labels with a weight; cheese has the number 12345."""
    with store.write() as session:
        for pattern in (PRICE, WEIGHT):
            scan.add_scheme(Context(session, store.wei, NOON), STORE, "", pattern)
        catalogue.add_code(session, "cheese", "12345", 1)
    return store


def label(pattern, value):
    return own_labels.build(own_labels.scheme(pattern), 12345, value)


def total(store, *lines):
    return store.read(lambda session: sale.quote(session, STORE, lines, at=store.now)).basket.total_minor


def test_a_price_label_costs_what_its_code_says_and_is_as_much_as_it_says(weighing):
    code = label(PRICE, 592)
    found = weighing.read(lambda session: scan.read(session, STORE, code, TODAY))
    line = RungLine("cheese", found.qty, amount_minor=592, code=code)
    done = weighing.read(lambda session: sale.quote(session, STORE, [line, line], at=weighing.now))
    assert [(line.qty, line.total_minor) for line in done.basket.lines] == [(found.qty, 592)] * 2


@pytest.mark.parametrize(("pattern", "value", "qty"), [(PRICE, 592, 1), (PRICE, 592, 9_000), (WEIGHT, 300, 299)])
def test_the_quantity_of_a_label_is_not_changed_by_hand(weighing, pattern, value, qty):
    code = label(pattern, value)
    with pytest.raises(Invalid, match="Remove the line and scan each") as refusal:
        total(weighing, RungLine("cheese", qty, code=code))
    assert refusal.value.code == "label-fixed"


@pytest.mark.parametrize(
    "line",
    [
        RungLine("milk", 3, amount_minor=0),
        RungLine("milk", 1, amount_minor=1),
        RungLine("cheese", 300, amount_minor=1, code=label(PRICE, 592)),
        RungLine("milk", 1, amount_minor=592, code=label(PRICE, 592)),
        RungLine("cheese", 300, amount_minor=592, code=label(WEIGHT, 300)),
    ],
)
def test_what_no_code_says_is_refused(weighing, line):
    with pytest.raises(Invalid) as refusal:
        total(weighing, line)
    assert refusal.value.code == "label-differs"


def test_a_code_nobody_can_read_sells_nothing(weighing):
    with pytest.raises(DomainError):
        total(weighing, RungLine("cheese", 300, amount_minor=592, code="no code at all"))


def test_a_last_day_makes_milk_cheaper_only_by_the_code_on_the_piece(store):
    last_day = TODAY + dt.timedelta(days=1)
    with store.write() as session:
        code = markdown.mark_down(
            Context(session, store.wei, store.now), STORE, "milk", expires_on=last_day, percent_bp=3000, qty=9
        )["url"]
    assert total(store, RungLine("milk", 9, expires_on=last_day)) == 9 * 129
    assert total(store, RungLine("milk", 2, code=code)) == 2 * 90
    store.sell([RungLine("milk", 2, code=code), RungLine("milk", 1)])
    with store.database.read() as session:
        [entry] = [json.loads(row) if isinstance(row, str) else row for row in session.scalars(ENTRIES)]
    assert entry["labels"] == [["milk", 2, code]]


def test_a_day_the_code_says_is_over_is_refused_whatever_the_page_says(store):
    past = f"(01)04006381333931(17){TODAY - dt.timedelta(days=1):%y%m%d}"
    sku = store.read(lambda session: scan.read(session, STORE, past, TODAY)).product.sku
    line = RungLine(sku, 1, expires_on=TODAY + dt.timedelta(days=9), code=past)
    with pytest.raises(Refused) as refusal:
        store.sell([line])
    assert refusal.value.code == "expired"
