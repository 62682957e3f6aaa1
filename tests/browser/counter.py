"""A counter with everything on it: people of every rank, two tills, offers, deposits, a voucher, a customer."""

import datetime as dt
import json
from typing import Any

from playwright.sync_api import Page
from sqlalchemy.orm import Session

from config.clock import SystemClock
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue, offers, own_labels, scan
from pos.customers import customers, points_terms
from pos.customers.customers import Particulars
from pos.payments import vouchers
from pos.pricing.promises import Choice, Offer, Part
from pos.store.store import Till, add_staff, store_of
from pos.till import shift
from tests.browser.conftest import STORE, Node, sign_in

CASHIER, SUPERVISOR = ("cem", "1111"), ("sue", "3333")
COLA = "2000000000084"
PLUMS_482_G = own_labels.build(own_labels.scheme("22{item:5}{weight:5}"), 123, 482)
MARTA = "customer-marta"
KEY = "cornerstore.till.S01.T1"

VOUCHER = vouchers.code_of("another year", STORE, "gift-0001", 1)


def furnish(session: Session) -> None:
    """Put everything on the counter; for `make_node(furnish=furnish)`."""
    at, ana = SystemClock().now(), Actor("ana", "Ana", "shopkeeper", STORE)
    by: dict[str, Any] = {"actor": ana, "at": at}
    for (staff_id, pin), name, role in ((CASHIER, "Cem", "cashier"), (SUPERVISOR, "Sue", "supervisor")):
        add_staff(session, STORE, staff_id, name, role, pin)
    session.add(Till(store_id=STORE, id="T2", name="Till 2"))
    session.flush()
    shift.open_shift(Context(session, **by), STORE, "T2", 0)
    products: list[tuple[str, str, int, list[tuple[str, int]], dict[str, Any]]] = [
        ("DEPOSIT", "Bottle deposit", 25, [], {"kind": "deposit"}),
        ("COLA", "Cola", 199, [(COLA, 1)], {"deposit_sku": "DEPOSIT", "pack_text": "1 l"}),
        ("FLOWERS", "Cut flowers", 100, [], {"price_typed": True}),
        ("123", "Plums", 299, [], {"stock_unit": "gram", "price_quantity": 1000}),
    ]
    for place, (sku, name, price, codes, wishes) in enumerate(products, 20):
        catalogue.add_product(
            Context(session, **by), sku, name, category="Drinks", tax_class_id="food", codes=codes, **wishes
        )
        catalogue.set_price(Context(session, **by), sku, price, dt.date(2020, 1, 1))
        catalogue.list_product(Context(session, **by), STORE, sku, quick_key=place)
    scan.add_scheme(Context(session, **by), STORE, "Scale", "22{item:5}{weight:5}")
    store = store_of(session, STORE)
    agreed = Particulars("Marta Novak", "5550123456", "en", frozenset({"phone", "tab", "points"}), 500)
    customers.add(Context(session, **by), store, MARTA, agreed)
    points_terms.set_terms(Context(session, **by), points_terms.terms_of(STORE, True, 1, 100, 2, 10))
    bread, tea = (Part(Choice(skus=frozenset([sku]))) for sku in ("BREAD", "TEA"))
    three = Offer("offer-bread", "3 for 2 bread", "nth", (bread,), percent_bp=10_000, size=3, reduced=1)
    offers.make(Context(session, **by), STORE, three)
    half = Offer("offer-tea", "Tea at half price", "percent", (tea,), percent_bp=5000, codes=frozenset())
    offers.make(Context(session, **by), STORE, half)
    offers.make_coupons(Context(session, **by), STORE, half.id, codes=["TEA50"], most_uses=9)
    mark = vouchers.mark_of(STORE, VOUCHER)
    vouchers.issue(Context(session, **by), store, 2000, kind="gift", sale_id="gift-0001", mark=mark)


def voucher_of(node: Node) -> str:
    """Return the code of the voucher that a customer brings, worth 20.00."""
    assert len(node.rows(vouchers.Voucher)) == 1
    return VOUCHER


def enter_as(page: Page, node: Node, who: tuple[str, str], path: str = "/till/") -> Page:
    """Sign in as one of the people and open the till."""
    sign_in(page, node.url, *who)
    page.goto(f"{node.url}{path}")
    page.wait_for_selector("html[data-ready]")
    return page


_KEPT = """([key, isPriced]) => {
  const kept = key in localStorage && JSON.parse(localStorage[key]);
  return kept && kept.lines.length === document.querySelectorAll('#lines > li').length
    && (!isPriced || kept.quote !== null) && JSON.stringify(kept);
}"""


def kept(page: Page, *, is_priced: bool = False) -> dict[str, Any]:
    """Return the basket as the browser keeps it, once it has all the lines shown: a scan is kept after it is drawn."""
    found: dict[str, Any] = json.loads(page.wait_for_function(_KEPT, arg=[KEY, is_priced]).json_value())
    return found


def priced(page: Page) -> None:
    """Wait until the server's prices for all the lines shown are here."""
    kept(page, is_priced=True)
