"""An order brought home, in a browser: the store's rules, the customer's phone, the courier's phone without a line."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from supply.online.orders import PickupOrder
from tests.browser.conftest import (
    PHONE,
    assert_well_made,
    assert_well_made_in_every_size,
    dress,
    in_languages,
    resize,
    sign_in,
)
from tests.browser.served import serve
from tests.store_app.conftest import House
from tests.store_app.town import ONLINE, Market
from tests.supply.online_store import STORE

pytestmark = pytest.mark.browser
HERE = {"latitude": 31.2420, "longitude": 121.4820}


@pytest.fixture
def counter(store_house: House) -> Iterator[str]:
    """Serve the store's own node."""
    with serve(store_house) as url:
        yield url


def enter(page: Page, url: str, path: str, language: str) -> None:
    sign_in(page, url, "shopkeeper", "2222")
    page.goto(f"{url}{path}?lang={language}")


def order(page: Page, street: str, language: str, street_line: str, *, by_position: bool = False) -> str:
    """Order milk to be brought; returns the address of the order's page."""
    page.goto(f"{street}{ONLINE}/p/milk?lang={language}")
    page.locator("article .btn-go").click()
    page.locator(".cart-bar .btn-go").click()
    page.fill("#name", "小王")
    page.fill("#phone", "+86 10 5550 123")
    page.check("[name=way][value=deliver]")
    if by_position:
        page.locator("[data-position]").click()
        expect(page.locator("[data-position][data-done]")).to_be_visible()
        expect(page.locator("#place")).to_have_value("")
    page.fill("#street", street_line)
    expect(page.locator(".for-delivery .total-line")).to_contain_text(re.compile("6[.,]29"))
    assert_well_made_in_every_size(page, language)
    page.locator("form[action$='/order'] .btn-go").click()
    page.wait_for_url(re.compile("/code|/order/"))
    if page.url.endswith("/code"):
        page.fill("#code", re.search(r"\d{6}", page.locator(".note-info").inner_text())[0])
        page.locator("form[action$='/code'] .btn-go").click()
    page.wait_for_url("**/order/*")
    return page.url


@in_languages("es")
def test_an_order_is_brought_home_and_its_customer_follows_it(
    page: Page, market: Market, counter: str, faults: list[str], language: str
):
    dress(page, language)
    enter(page, counter, "/home-deliveries/rules", language)
    page.fill("#lat", "31.2304")
    page.fill("#lon", "121.4737")
    page.fill("#places", "Sunrise Estate, 31.238, 121.480\nHarbour Court, 31.229, 121.469")
    page.fill("#fee", "5")
    page.fill("#free_from", "50")
    page.locator("form[action$='/rules'] .btn-go").click()
    expect(page.locator(".note-good")).to_be_visible()
    assert_well_made_in_every_size(page, language)
    market.town.publish()
    with serve(market.house) as street:
        first = order(page, street, language, "4 / 1202")
        page.context.grant_permissions(["geolocation"], origin=street)
        page.context.set_geolocation(HERE)
        second = order(page, street, language, "9 / 301", by_position=True)
        market.town.deliver()
        with market.town.store.read() as session:
            ids = [row.id for row in session.query(PickupOrder).order_by(PickupOrder.number)]
        for order_id in ids:
            market.town.make_ready(order_id)
        page.goto(f"{counter}/home-deliveries/?lang={language}")
        expect(page.locator(".drive-stops > li")).to_have_count(2)
        assert_well_made_in_every_size(page, language)
        page.locator("form[action$='/set-out'] .btn-go").click()
        expect(page.locator(".drive-stop.now")).to_have_count(1)
        assert_well_made_in_every_size(page, language)
        market.town.deliver()
        page.goto(second)
        assert_well_made_in_every_size(page, language)
        code = page.locator(".code-large").inner_text().split()[-1]
        page.goto(f"{counter}/home-deliveries/")
        resize(page, PHONE)
        expect(page.locator(".drive-stop.now")).to_contain_text("4 / 1202")
        page.locator(".drive-stop.now details summary").click()
        page.locator(".drive-stop.now select").select_option("not-met-nobody")
        page.locator(".drive-stop.now .btn-warn").click()
        expect(page.locator(".drive-stop")).to_have_count(1)
        page.wait_for_selector("html[data-ready]")  # the page came again: until it hears, forms go as without script
        page.locator(".drive-stop.now [name=code]").fill("AAAA-AAAA")
        page.locator(".drive-stop.now .btn-go").click()
        expect(page.locator("#refused")).to_be_visible()
        page.reload()
        assert_well_made(page)
        page.locator("#refused button").click()
        expect(page.locator("#refused")).to_be_hidden()
        page.locator(".drive-stop.now [name=code]").fill(code)
        page.context.set_offline(True)
        page.locator(".drive-stop.now .btn-go").click()
        expect(page.locator("#offline")).to_be_visible()
        expect(page.locator(".drive-stop[data-outcome]")).to_have_count(1)
        assert_well_made(page)
        page.context.clear_cookies(name=f"cornerstore_{STORE}")
        page.context.set_offline(False)
        expect(page.locator("#unheard")).to_be_visible()
        assert_well_made(page)
        page.route("**/hand-over", lambda route: route.fulfill(status=200, body="Welcome to our network"))
        enter(page, counter, "/home-deliveries/", language)
        expect(page.locator("#unheard")).to_be_visible()
        page.unroute("**/hand-over")
        expect(page.locator(".drive-stop")).to_have_count(0)
        faults.clear()  # the browser complains of the line that was cut
        assert_well_made_in_every_size(page, language)
        market.town.deliver()
        page.goto(second)
        expect(page.locator(".steps [data-done]")).to_have_count(5)
        page.goto(first)
        assert_well_made_in_every_size(page, language)
        assert [market.town.state(order_id) for order_id in ids] == [("ready", "ready"), ("collected", "collected")]
