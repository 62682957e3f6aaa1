"""A thumb hits what it aims at: all one presses or fills on a store's main pages and the till takes 44 by 44 pixels."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.ids import new_id
from config.nodes.journal import Context
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from tests.browser.conftest import DESK, PHONE, resize
from tests.browser.test_office import BY, Office, enter, office
from tests.store_app.conftest import NOON, STORE

__all__ = ["office"]
pytestmark = pytest.mark.browser
PAGES = (
    "/till/", "/money/", "/money/drawer/reports", "/stock/", "/stock/check/", "/products/",
    "/products/milk", "/prices/", "/offers/", "/orders/", "/suppliers/", "/deliveries/", "/claims/", "/shelf/",
    "/pickup/", "/customers/", "/reports/", "/people/", "/settings/", "/finance/", "/more/",
)  # fmt: skip
TOO_SMALL = """(root) => {
  const side = 44, found = [];
  const isSeen = (one) => one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
    && !one.closest(".visually-hidden, .skip, [inert]");
  const isInline = (one) => getComputedStyle(one).display === "inline";
  const isText = (node) => node.textContent.trim() !== "" && (node.nodeType === 3
    || (node.nodeType === 1 && isInline(node) && !node.matches(".visually-hidden, .small, .tag, a")));
  const inSentence = (one) => isInline(one) && !one.closest("td.lead")
    && [...one.parentElement.childNodes].some((node) => node !== one && isText(node));
  const name = (one) => `${one.tagName.toLowerCase()}.${one.className}`;
  const isTick = (one) => one.matches("[type=checkbox], [type=radio]");
  const parts = "a[href], button:enabled, summary, input:enabled:not([type=hidden]), select:enabled, textarea:enabled";
  for (const one of document.querySelector(root ?? "body").querySelectorAll(parts)) {
    if (!isSeen(one) || inSentence(one)) continue;
    one.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const box = one.getClientRects()[0];
    if (!box || box.width < 2 || box.height < 2) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const areas = [one, ...(isTick(one) ? one.labels : [])];
    const hits = (dx, dy) => {
      const hit = document.elementFromPoint(x + dx, y + dy) ?? document;
      return areas.some((area) => area.contains(hit));
    };
    const reach = (dx, dy, most) => {
      let far = 0;
      while (far < most && hits(dx * (far + 0.5), dy * (far + 0.5))) far += 0.5;
      return far;
    };
    const both = (dx, dy) => { // a side is measured no further than it has to reach
      const there = reach(-dx, -dy, side);
      return there + reach(dx, dy, side - there);
    };
    const [wide, high] = [both(1, 0), both(0, 1)];
    if (hits(0, 0) && wide >= side - 1 && high >= side - 1) continue;
    const called = one.getAttribute("aria-label") || one.textContent || one.name || one.id;
    const words = called.trim().replace(/\\s+/g, " ").slice(0, 40);
    found.push(`${words}: ${wide} x ${high}, ${name(one.parentElement)} > ${name(one)}`);
  }
  return found;
}"""
"""Finds the links, buttons and fields a thumb misses within an element, by what is hit around their middle, to a
pixel; a tick is hit on its label, too. Links within a sentence are as high as its line, as WCAG 2.5.8 lets them."""


def sell(office: Office) -> str:
    """Sell two units of milk, so that there is a receipt."""
    with office.house.doors.write() as session:
        priced = sale.quote(session, STORE, [("milk", 2)], at=NOON).basket.total_minor
        request: dict[str, Any] = {"id": new_id(), "store_id": STORE, "till_id": "1", "lines": [("milk", 2)]}
        wanted = SaleRequest(**request, tenders=[("cash", priced)], shown_total_minor=priced)
        return sale.complete(Context(session, **BY), wanted).sale.id


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_link_button_and_field_of_the_main_pages_is_as_large_as_a_thumb(
    page: Page, office: Office, faults: list[str], size: Any
):
    receipt = sell(office)
    resize(page, size)
    enter(page, office, "/stock/")
    small = []
    for path in (*PAGES, f"/money/receipts/{receipt}"):
        page.goto(f"{office.url}{path}")
        expect(page.locator('[aria-busy="true"]')).to_have_count(0)
        small += [f"{path} {reported}" for reported in page.evaluate(TOO_SMALL)]
    if small:
        pytest.fail("\n".join(small))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_all_of_a_till_that_sells_is_as_large_as_a_thumb(page: Page, office: Office, faults: list[str], size: Any):
    resize(page, size)
    enter(page, office, "/till/")
    page.wait_for_selector("html[data-ready]")
    page.locator("#search").fill("milk")
    page.keyboard.press("Enter")
    expect(page.locator("#lines .tool.qty")).to_be_visible()  # its tools follow a frame later
    small = [f"basket {reported}" for reported in page.evaluate(TOO_SMALL)]
    page.keyboard.press("F4")
    expect(page.locator("#sheet")).to_be_visible()
    small += [f"sheet {reported}" for reported in page.evaluate(TOO_SMALL, "#sheet")]
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    page.keyboard.press("F8")
    expect(page.locator("#pay-choose")).to_be_visible()
    small += [f"pay {reported}" for reported in page.evaluate(TOO_SMALL, "#pay")]
    page.locator("[data-tender=card]").click()
    small += [f"card {reported}" for reported in page.evaluate(TOO_SMALL, "#pay")]
    if small:
        pytest.fail("\n".join(small))
