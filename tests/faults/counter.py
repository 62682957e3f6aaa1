"""A counter with everything on it: four tills, a cashier and a shopkeeper, and baskets that touch every book.

`stock_up` founds it, `basket` says what a customer buys: the same id is always the same basket, so that it can be sent
again after a lost answer. Prices are settled here, so no till has to ask for them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from config.database import Database
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue, offers
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.payments import vouchers
from pos.pricing.promises import Choice, Offer, Part
from pos.stock import stock
from pos.store.store import Till, add_staff, store_of
from pos.till import shift

STORE, PIN, FLOAT_MINOR = "B01", "2468", 10_000
TILLS = ("T1", "T2", "T3", "T4")
CUSTOMER, COUPON = "customer-0001", "SPRING"
BEN, ANA = Actor("ben", "Ben", "cashier", STORE), Actor("ana", "Ana", "shopkeeper", STORE)
COVERS = [{"sku": "P00001", "qty": 1, "price_minor": 80, "list_price_minor": 100}]
"""What the approval of an 'override' covers."""
KINDS = ("plain", "deposit", "override", "split", "voucher", "account", "age", "plain")
"""What baskets there are, by the id's hash."""


def stock_up(database: Database, at: dt.datetime) -> str:
    """Add to the store of `_node.fill` what the baskets need; returns the code of a voucher that pays for all."""
    new = [
        ("BOTTLE", "Deposit on a bottle", 25, {"kind": "deposit"}),
        ("COLA", "Cola 0.33 l", 150, {"deposit_sku": "BOTTLE"}),
        ("WINE", "Red wine 0.75 l", 500, {"minimum_age": 18}),
        ("GIFT", "Gift voucher", 1, {"kind": "voucher", "price_typed": True}),
    ]
    day = at.date() - dt.timedelta(days=2)
    with database.write() as session:
        add_staff(session, STORE, "ben", "Ben", "cashier", PIN)
        for sku, name, price_minor, wishes in new:
            catalogue.add_product(
                Context(session, ANA, at), sku, name, category="Drinks", tax_class_id="food", **wishes
            )
            catalogue.set_price(Context(session, ANA, at), sku, price_minor, day)
            catalogue.list_product(Context(session, ANA, at), STORE, sku)
        for till_id in TILLS[1:]:
            session.add(Till(store_id=STORE, id=till_id, name=f"Till {till_id[1:]}"))
    with database.write() as session:
        store = store_of(session, STORE)
        goods = [("COLA", 5000), ("WINE", 5000), ("BOTTLE", 5000)]
        stock.open_stock(Context(session, ANA, at), STORE, goods, source_id="drinks")
        for till_id in TILLS[1:]:
            shift.open_shift(Context(session, ANA, at), STORE, till_id, FLOAT_MINOR)
        agreed = frozenset({"tab", "points"})
        wished = Particulars("Li", agreed=agreed, limit_minor=1_000_000_000)
        customers.add(Context(session, ANA, at), store, CUSTOMER, wished)
        spring = Offer(
            "offer-spring", "Spring", "amount", (Part(Choice(skus=frozenset({"P00003"}))),), amount_minor=20,
            codes=frozenset(),
        )  # fmt: skip
        offers.make(Context(session, ANA, at), STORE, spring)
        offers.make_coupons(Context(session, ANA, at), STORE, spring.id, codes=[COUPON], most_uses=None)
        voucher = vouchers.issue(Context(session, ANA, at), store, 1_000_000_000, kind="gift", sale_id="sold-long-ago")
    return voucher.code


def kind_of(sale_id: str) -> str:
    """Return what kind of basket an id stands for."""
    return KINDS[hashlib.sha256(sale_id.encode()).digest()[0] % len(KINDS)]


def basket(sale_id: str, code: str, kind: str = "") -> dict[str, Any]:
    """Return the body of a sale; one of kind 'override' still wants an approval."""
    two = [{"sku": "P00001", "qty": 1}, {"sku": "P00002", "qty": 1}]  # 1.00 and 1.01
    wine = [{"sku": "WINE", "qty": 1}]
    cola = [{"sku": "COLA", "qty": 2}, {"sku": "BOTTLE", "qty": -1}]
    cheaper = [{"sku": "P00001", "qty": 1, "price_minor": 80, "reason": "dented"}, two[1]]
    on_tab = [{"sku": "P00003", "qty": 1}, two[0]]
    account = {"customer_id": CUSTOMER, "coupons": [COUPON]}
    shapes: dict[str, tuple[list[Any], int, list[tuple[str, int, str]], dict[str, Any]]] = {
        "plain": (two, 201, [("cash", 500, "")], {}),
        "deposit": (cola, 325, [("cash", 325, "")], {}),
        "override": (cheaper, 181, [("cash", 200, "")], {}),
        "split": (two, 201, [("card", 100, f"slip {sale_id[-20:]}"), ("cash", 150, "")], {}),
        "voucher": (two, 201, [("voucher", 50, code), ("cash", 200, "")], {}),
        "account": (on_tab, 182, [("voucher", 50, code), ("tab", 132, "")], account),
        "age": (wine, 500, [("cash", 500, "")], {"age_confirmed": 18}),
    }
    lines, total_minor, tenders, more = shapes[kind or kind_of(sale_id)]
    return {
        "id": sale_id,
        "till_id": TILLS[hashlib.sha256(sale_id.encode()).digest()[1] % len(TILLS)],
        "lines": lines,
        "tenders": [{"tender": name, "amount_minor": minor, "reference": said} for name, minor, said in tenders],
        "shown_total_minor": total_minor,
    } | more
