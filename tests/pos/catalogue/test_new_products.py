"""Many new products at once: the same rows as one by one, in a few statements, or none of them."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue, new_products
from pos.catalogue.catalogue import Barcode, Listing, Price, Product
from pos.catalogue.new_products import NewProduct, Unfit
from tests.builders import NOON, STORE, OpenStore

DAY = NOON.date()
FLOUR = NewProduct("flour", " Wheat flour ", "Baking", "food", 119, "5000000000012", 60)
NEW = [
    FLOUR,
    NewProduct("rice", "Rice 香米", "Baking", "food", 0),
    NewProduct("ham", "Ham", "Deli", "food", 1999, "ham", None, {"stock_unit": "gram", "price_quantity": 1000}),
    NewProduct("gift", "Gift wrap", "Counter", "food", None),
    NewProduct("gin", "Gin", "Spirits", "food", 2199, "", 900, {"minimum_age": 18, "brand": "Old Port"}),
]
NOUNS = (Product, Barcode, Price, Listing, JournalEntry)


def add(session: Session, new: list[NewProduct], store: OpenStore, owner_id: str = STORE) -> None:
    new_products.add(Context(session, store.wei, NOON), new, DAY, owner_id=owner_id)


def one_by_one(session: Session, new: list[NewProduct], store: OpenStore, owner_id: str) -> None:
    by: dict[str, Any] = {"actor": store.wei, "at": NOON}
    for one in new:
        catalogue.add_product(
            Context(session, **by),
            one.sku,
            one.name,
            category=one.category,
            tax_class_id=one.tax_class_id,
            codes=[(one.code, 1)] if one.code else [],
            owner_id=owner_id,
            price_typed=one.price_minor is None,
            **one.columns,
        )
        if one.price_minor is not None:
            catalogue.set_price(Context(session, **by), one.sku, one.price_minor, DAY, scope_id=owner_id)
        if owner_id != EVERYONE:
            costs = {} if one.cost_minor is None else {"cost_minor": one.cost_minor}
            catalogue.list_product(Context(session, **by), owner_id, one.sku, **costs)


def rows_of(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    session.flush()
    return {
        noun.__tablename__: sorted(map(tuple, session.execute(sa.select(noun.__table__))), key=repr) for noun in NOUNS
    }


@pytest.mark.parametrize("owner_id", [STORE, EVERYONE])
def test_many_at_once_leave_the_very_rows_and_journal_of_one_by_one(store: OpenStore, owner_id: str) -> None:
    left = []
    for way in (one_by_one, add):
        with store.write() as session:
            trial = session.begin_nested()
            way(session, NEW, store, owner_id)
            left.append(rows_of(session))
            assert journal.verify(session, STORE) == []
            trial.rollback()
            session.expire_all()
    assert left[0] == left[1]
    assert len(left[0]["product"]) > len(NEW)


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (NewProduct("milk", "Milk", "Dairy", "food", 1), "product-exists"),
        (NewProduct("flour", "Flour again", "Baking", "food", 1), "product-exists"),
        (NewProduct("x", "X", "Y", "nowhere", 1), "unknown-tax-class"),
        (NewProduct("x", " ", "Y", "food", 1), "bad-product"),
        (NewProduct("x", "X", "Y", "food", -1), "bad-price"),
        (NewProduct("x", "X", "Y", "food", 1, "4006381333931"), "code-taken"),
        (NewProduct("x", "X", "Y", "food", 1, FLOUR.code), "code-taken"),
        (NewProduct("x", "X", "Y", "food", 1, "5000000000013"), "wrong-check-digit"),
    ],
)
def test_one_that_cannot_come_in_keeps_all_out_and_is_named(store: OpenStore, odd: NewProduct, code: str) -> None:
    before = store.read(rows_of)
    with pytest.raises(Unfit) as refusal, store.write() as session:
        add(session, [FLOUR, odd], store)
    assert (refusal.value.place, refusal.value.why.code) == (1, code)
    assert isinstance(refusal.value.why, (Conflict, Invalid, NotFound))
    assert store.read(rows_of) == before
