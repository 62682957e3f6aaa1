"""A new member at a real screen: from the invitation's code to the first sale, proposal and online order."""

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.served import serve
from tests.journeys.test_new_member import Member, member, network, url
from tests.store_app.conftest import House
from tests.store_app.office import words
from tests.store_app.town import Customer

__all__ = ["member", "network", "url"]  # the store that joins, in front of a browser
pytestmark = pytest.mark.browser
MOST_SCREENS = 12


def test_from_the_code_to_the_first_online_order_in_at_most_twelve_screens(
    page: Page, network: House, member: Member, faults: list[str]
):
    screens: list[str] = []

    def seen(answer: Response) -> None:
        if answer.request.is_navigation_request() and answer.status == 200:
            screens.append(answer.url)

    page.on("response", seen)
    member.contact()
    with serve(member.house) as here:
        page.goto(f"{here}/signin")
        page.fill("#name", "Wei")
        page.fill("#pin", "8642")
        page.locator("form[action='/first'] .btn-go").click()
        page.wait_for_url("**/first-steps/")
        next_step(page, "**/stock/")
        page.goto(f"{here}/stock/milk/count")
        page.fill("input[name=qty]", "20")
        page.locator("form[action$='/count'] .btn-go").click()
        page.wait_for_url(lambda now: not now.endswith("/count"))
        page.goto(f"{here}/till/")
        page.wait_for_selector("html[data-ready]")
        expect(page.locator("#open-till")).to_be_visible()
        page.keyboard.type("5000")
        page.keyboard.press("Enter")
        expect(page.locator("#open-till")).to_be_hidden()
        for _ in range(2):
            page.get_by_role("button", name="Whole milk").first.click()
        expect(page.locator("#total")).to_have_text("$2.98")
        page.keyboard.press("F8")
        page.keyboard.press("F8")
        expect(page.locator("#pay-done")).to_be_visible()
        page.goto(f"{here}/first-steps/")
        next_step(page, "**/orders/")
        page.locator("form[action$='/propose'] .btn-go").first.click()
        expect(page.locator("#page")).to_contain_text("Rye bread")
        expect(page.get_by_role("button", name="Approve and send").first).to_be_visible()
        member.contact()
        placed = Customer(network.visitor()).order(("milk", 1))
        assert placed.status_code == 303, words(placed)
        member.contact()
        page.goto(f"{here}/pickup/")
        expect(page.locator("#columns")).to_contain_text("Li Wei")
        page.goto(f"{here}/first-steps/")
        expect(page.locator("#page .lesson-tile:not(.done)")).to_have_count(1)
    assert len(screens) <= MOST_SCREENS, screens


def next_step(page: Page, where: str) -> None:
    """Follow the one large button of the first steps."""
    page.locator("#page .btn-go.btn-lg").first.click()
    page.wait_for_url(where)
