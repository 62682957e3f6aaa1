"""A counter with everything on it: people of every rank, deposits, a voucher, a customer with a tab and points."""

import datetime as dt

from playwright.sync_api import Page

from config.clock import SystemClock
from config.journal import Actor
from pos import catalogue, customers, loyalty, vouchers
from pos.customers import Particulars
from pos.loyalty import Scheme
from pos.store import add_staff, store_of
from tests.browser.conftest import STORE, Node

CASHIER, SUPERVISOR = ("cem", "1111"), ("sue", "3333")
COLA, TALL_COLA = "2000000000084", "2000000000091"
MARTA = "customer-marta"


def furnish(node: Node) -> dict[str, str]:
    """Put everything on the counter; returns the codes of a voucher: {'voucher': code}."""
    at, ana = SystemClock().now(), Actor("ana", "Ana", "shopkeeper", STORE)
    day = dt.date(2020, 1, 1)
    with node.database.write() as session:
        add_staff(session, STORE, CASHIER[0], "Cem", "cashier", CASHIER[1])
        add_staff(session, STORE, SUPERVISOR[0], "Sue", "supervisor", SUPERVISOR[1])
        wares = [
            ("DEPOSIT", "Bottle deposit", 25, [], {"kind": "deposit"}),
            ("COLA", "Cola", 199, [(COLA, 1)], {"deposit_sku": "DEPOSIT", "pack_text": "1 l"}),
            ("FLOWERS", "Cut flowers", 100, [], {"price_typed": True}),
        ]
        for place, (sku, name, price, codes, wishes) in enumerate(wares, 20):
            catalogue.add_product(
                session, sku, name, category="Drinks", tax_class_id="food", codes=codes, actor=ana, at=at, **wishes
            )
            catalogue.set_price(session, sku, price, day, actor=ana, at=at)
            catalogue.list_product(session, STORE, sku, quick_key=place, actor=ana, at=at)
        store = store_of(session, STORE)
        agreed = Particulars("Marta Novak", "5550123456", "en", frozenset({"phone", "tab", "points"}), 5000)
        customers.add(session, store, MARTA, agreed, actor=ana, at=at)
        loyalty.set_scheme(session, STORE, Scheme(True, 1, 100, 2, 10), actor=ana, at=at)
        voucher = vouchers.issue(session, store, 2000, kind="gift", sale_id="gift-0001", at=at, actor=ana)
        return {"voucher": voucher.code}


def enter_as(page: Page, node: Node, who: tuple[str, str], path: str = "/till/") -> Page:
    """Sign in as one of the people and open the till."""
    page.goto(f"{node.url}/signin/{who[0]}?next={path}")
    page.fill("#pin", who[1])
    page.press("#pin", "Enter")
    page.wait_for_selector("html[data-ready]")
    return page
