"""Two wallets at one till: the cashier says whose code is shown, and a scanned code says it by itself."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from config.clock import SystemClock
from pos.payments.payments import Payment
from pos.payments.providers import PAYMENTS
from pos.sold import Sale
from pos.store.store import Store
from store_app.runtime import plugins
from tests.browser.conftest import CODES, DESK, PHONE, Node, assert_fits, enter, wedge
from tests.simulators.wallet import serving
from tests.store_app.payments.test_wallets import CODES as WALLETS
from tests.store_app.payments.test_wallets import service_of, typed

pytestmark = pytest.mark.browser


@pytest.fixture
def counter(make_node: Callable[..., Node]) -> Any:
    """Give a store that takes both wallets, with the services behind them by name."""
    node = make_node(payment_service="none")
    with node.database.write() as session:
        session.execute(sa.update(Store).values(currency="CNY"))
    kept = plugins.drawer(PAYMENTS, node.settings)
    with ExitStack() as stack:
        asked = {}
        for name in WALLETS:
            service = asked[name] = stack.enter_context(serving(service_of(name, SystemClock().now)))
            kept.write(name, typed(name, service))
        yield node, asked


def to_wallets(page: Page, node: Node) -> None:
    enter(page, node)
    wedge(page, CODES["TEA"])
    page.keyboard.press("F8")
    page.locator("[data-tender=wallet]").click()
    page.locator("#take").click()
    expect(page.get_by_role("button", name="Show our WeChat Pay code")).to_be_visible()  # and scans are codes


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_cashier_says_whose_code_is_shown(page: Page, counter: Any, faults: list[str], size: Any):
    node, asked = counter
    page.set_viewport_size(size)
    to_wallets(page, node)
    assert_fits(page)
    page.get_by_role("button", name="Show our Alipay code").click()
    expect(page.locator("#pay-asking img.qr")).to_be_visible()
    (payment,) = node.rows(Payment)
    asked["alipay"].pay(payment.id)
    expect(page.locator("#pay-done")).to_be_visible()
    (sale,) = node.rows(Sale)
    assert [(row.provider, row.state, row.claimed_by) for row in node.rows(Payment)] == [
        ("alipay", "captured", sale.id)
    ]


def test_a_scanned_code_goes_to_its_own_wallet(page: Page, counter: Any, faults: list[str]):
    node, asked = counter
    to_wallets(page, node)
    wedge(page, WALLETS["wechat-pay"])
    expect(page.locator("#pay-done")).to_be_visible()
    assert [row.provider for row in node.rows(Payment)] == ["wechat-pay"]
    assert [len(one.trades) for one in asked.values()] == [1, 0]
