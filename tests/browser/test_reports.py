"""Reports in the browser: a chart with axes that says what is under the pointer and leads to the receipts."""

import datetime as dt

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from sqlalchemy.orm import Session

from config.clock import SystemClock
from pos.sold import Sale
from tests.browser.conftest import DESK, PHONE, STORE, assert_well_made, enter, resize


def furnish(session: Session) -> None:
    """Sell something on each of three days."""
    at = SystemClock().now()
    session.add_all(
        Sale(
            store_id=STORE, id=f"sale-{n}", till_id="T1", shift_id="x", epoch="e", receipt_no=9_000 + n,
            business_day=at.date() - dt.timedelta(days=n), completed_at=at - dt.timedelta(days=n), cashier_id="ana",
            cashier_name="Ana", currency="USD", lines_minor=1_000 * n, total_minor=1_000 * n, tax_minor=0,
            request_hash="x",
        )
        for n in (1, 2, 3)
    )  # fmt: skip


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_chart_says_what_is_under_the_pointer_and_leads_to_its_receipts(
    page: Page, make_node, faults: list[str], size: ViewportSize
):
    node = make_node(furnish=furnish)
    resize(page, size)
    enter(page, node, "/reports/")
    plot = page.locator(".u-over")
    expect(plot).to_be_visible()
    assert_well_made(page)
    plot.hover()
    expect(page.locator(".u-legend")).to_contain_text("$20.00")
    plot.click()
    expect(page.get_by_role("heading", name="Receipts")).to_be_visible()
    expect(page.locator("tbody")).to_contain_text("9002")
    assert_well_made(page)
