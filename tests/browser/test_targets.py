"""A thumb hits what it aims at: every link and button of a shop's main pages takes 44 by 44 pixels."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.ids import new_id
from pos import sale
from pos.rung import SaleRequest
from tests.browser.conftest import DESK, PHONE
from tests.browser.test_office import BY, Office, enter, office
from tests.store_app.conftest import NOON, STORE

__all__ = ["office"]
pytestmark = pytest.mark.browser
PAGES = (
    "/till/", "/money/", "/money/drawer/reports", "/stock/", "/stock/milk", "/stock/check/", "/products/",
    "/products/milk", "/prices/", "/offers/", "/orders/", "/suppliers/", "/deliveries/", "/claims/", "/shelf/",
    "/pickup/", "/customers/", "/reports/", "/people/", "/settings/", "/finance/", "/more/",
)  # fmt: skip
TOO_SMALL = """() => {
  const side = 44, found = [];
  const isSeen = (one) => one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
    && !one.closest(".visually-hidden, .skip, [inert]");
  const isInline = (one) => getComputedStyle(one).display === "inline";
  const isText = (node) => node.textContent.trim() !== "" && (node.nodeType === 3
    || (node.nodeType === 1 && isInline(node) && !node.matches(".visually-hidden, .small, .tag, a")));
  const inSentence = (one) => isInline(one) && !one.closest("td.lead")
    && [...one.parentElement.childNodes].some((node) => node !== one && isText(node));
  const name = (one) => `${one.tagName.toLowerCase()}.${one.className}`;
  for (const one of document.querySelectorAll("a[href], button:enabled, summary")) {
    if (!isSeen(one) || inSentence(one)) continue;
    one.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const box = one.getClientRects()[0];
    if (!box || box.width < 2 || box.height < 2) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const hits = (dx, dy) => one.contains(document.elementFromPoint(x + dx, y + dy) ?? document);
    const reach = (dx, dy) => {
      let far = 0;
      while (far < side && hits(dx * (far + 0.5), dy * (far + 0.5))) far += 0.5;
      return far;
    };
    const [wide, high] = [reach(-1, 0) + reach(1, 0), reach(0, -1) + reach(0, 1)];
    if (hits(0, 0) && wide >= side - 1 && high >= side - 1) continue;
    const words = (one.getAttribute("aria-label") ?? one.textContent).trim().replace(/\\s+/g, " ").slice(0, 40);
    found.push(`${words}: ${wide} x ${high}, ${name(one.parentElement)} > ${name(one)}`);
  }
  return found;
}"""
"""Finds the links and buttons a thumb misses, by what is hit around their middle, to a pixel; links within a sentence
are as high as its line, as WCAG 2.5.8 lets them."""


def sell(office: Office) -> str:
    """Sell two units of milk, so that there is a receipt."""
    with office.house.doors.write() as session:
        priced = sale.quote(session, STORE, [("milk", 2)], at=NOON).basket.total_minor
        request: dict[str, Any] = {"id": new_id(), "store_id": STORE, "till_id": "1", "lines": [("milk", 2)]}
        wanted = SaleRequest(**request, tenders=[("cash", priced)], shown_total_minor=priced)
        return sale.complete(session, wanted, **BY).sale.id


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_link_and_button_of_the_main_pages_is_as_large_as_a_thumb(
    page: Page, office: Office, faults: list[str], size: Any
):
    receipt = sell(office)
    page.set_viewport_size(size)
    enter(page, office, "/stock/")
    small = []
    for path in (*PAGES, f"/money/receipts/{receipt}"):
        page.goto(f"{office.url}{path}")
        expect(page.locator('[aria-busy="true"]')).to_have_count(0)
        small += [f"{path} {told}" for told in page.evaluate(TOO_SMALL)]
    if small:
        pytest.fail("\n".join(small))
