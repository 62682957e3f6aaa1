"""A price typed at the till reaches no further than the role's discount limit, alone and together with a discount."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Refused
from config.ids import new_id
from config.money import BASIS, amount_for
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue
from pos.pricing.promotions import Offers
from pos.sale import quoting, sale
from pos.sale.quoting import Shelf
from pos.sale.sale_request import RungLine, SaleRequest
from pos.store import approvals
from pos.store.store import add_staff
from tests.builders import NOON, STORE, TILL
from tests.pos.pricing.test_pricing import PLAIN

NO_OFFERS = Offers((), NOON.date())
BO = Actor("bo", "Bo", "supervisor", STORE)


def needs_of(line, product):
    """Return what a line needs, priced without a database, and what it costs."""
    wall = NOON.replace(tzinfo=None)
    quoted = quoting.price(Shelf(wall, {line.sku: product}, NO_OFFERS), [line])
    return {need.permission: need for need in quoted.needs}, quoted.basket.lines[0]


@given(
    st.integers(1, 20_000), st.integers(0, 25_000), st.integers(1, 3000), st.sampled_from([1, 100, 1000]),
    st.one_of(
        st.just({}), st.builds(lambda bp: {"discount_bp": bp}, st.integers(1, BASIS)),
        st.builds(lambda minor: {"discount_minor": minor}, st.integers(1, 10_000)),
    ),
)  # fmt: skip
def test_what_is_asked_for_is_all_that_lies_between_the_charge_and_the_price_on_the_books(typed, listed, qty, per, off):
    product = replace(PLAIN, price_minor=listed, price_quantity=per, stock_unit="each" if per == 1 else "gram")
    needs, charged = needs_of(RungLine(product.sku, qty, price_minor=typed, **off), product)
    asked_bp = max((need.discount_bp for need in needs.values()), default=0)
    assert ("price.override" in needs) == (typed != listed)
    left_minor = charged.amount_minor - charged.manual_discount_minor
    most_minor = amount_for(qty, listed, per)
    assert left_minor * BASIS >= most_minor * (BASIS - asked_bp) - BASIS  # to the cent a line is rounded by
    if not off:
        assert asked_bp == (0 if typed >= listed else -(-(listed - typed) * BASIS // listed))
    if typed >= listed and not off:
        assert asked_bp == 0
    if "discount_bp" in off and typed <= listed and listed:
        part = Fraction(typed * (BASIS - off["discount_bp"]), listed)
        assert asked_bp == -(-(BASIS - part) // 1)


def rung(line, store, actor=BO, leave=()):
    """Sell one line, paid to the cent."""
    quoted = store.read(lambda session: sale.quote(session, STORE, [line], at=store.now, cash=True))
    due = quoted.basket.total_minor
    request = SaleRequest(
        id=new_id(), store_id=STORE, till_id=TILL, lines=[line], tenders=[("cash", due)], shown_total_minor=due,
        age_confirmed=18,
    )  # fmt: skip
    with store.write() as session:
        if leave:
            boss = session.get(approvals.Staff, (STORE, leave[0])) or add_staff(session, STORE, *leave)
            for need in approvals.wanted(session, STORE, quoted.needs, actor):
                row = approvals.grant(
                    session,
                    boss,
                    permission=need.permission,
                    sale_id=request.id,
                    why="",
                    covers=[need.covers],
                    asked_by=actor,
                    at=store.now,
                )
                request = replace(request, approvals=[*request.approvals, row.id])
        return sale.complete(Context(session, actor, store.now), request)


WEI = ("wei-2", "Wei", "shopkeeper", "2222")
SUE = ("sue", "Sue", "supervisor", "4444")


@pytest.mark.parametrize(
    ("line", "alone"),
    [
        (RungLine("milk", 1, price_minor=91), True),  # 129 less 29.5 percent
        (RungLine("milk", 1, price_minor=90), False),  # 30.3 percent
        (RungLine("milk", 3, price_minor=1), False),
        (RungLine("milk", 1, price_minor=0), False),
        (RungLine("milk", 1, price_minor=9999), True),
        (RungLine("milk", 1, price_minor=116, discount_bp=2200), True),  # a tenth, and 22 percent of the rest
        (RungLine("milk", 1, price_minor=116, discount_bp=2300), False),
        (RungLine("milk", 1, price_minor=116, discount_minor=25), True),
        (RungLine("milk", 1, price_minor=116, discount_minor=26), False),
        (RungLine("milk", 1, price_minor=200, discount_bp=5000), True),  # 100 of 129
        (RungLine("milk", 1, price_minor=200, discount_bp=6000), False),
        (RungLine("cheese", 3, price_minor=1), False),  # however little of it is weighed
    ],
)
def test_a_supervisor_types_a_price_as_far_below_the_books_as_a_discount_may_go(store, line, alone):
    if alone:
        assert rung(line, store)
    else:
        with pytest.raises(Refused) as refusal:
            rung(line, store)
        assert refusal.value.code == "needs-approval"
        with pytest.raises(Refused, match="up to 30%"):
            rung(line, store, leave=SUE)
        assert rung(line, store, leave=WEI)


def test_a_cashier_types_no_price_alone_however_near_and_none_higher(store):
    for price in (128, 130):
        with pytest.raises(Refused):
            rung(RungLine("milk", 1, price_minor=price), store, store.ana)
        assert rung(RungLine("milk", 1, price_minor=price), store, store.ana, leave=SUE)


def test_the_price_of_a_product_without_one_is_no_override(store):
    needs, _ = needs_of(RungLine("misc", 1, price_minor=1), replace(PLAIN, sku="misc", price_typed=True))
    assert needs == {}


def test_the_price_on_the_books_is_that_of_the_day(store):
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, NOON), "milk", 95, store.now.date())
    assert rung(RungLine("milk", 1, price_minor=80), store)
    with pytest.raises(Refused):
        rung(RungLine("milk", 1, price_minor=60), store)
