"""Stories between a customer's phone, the store's counter and the operator, each in front of a page of its own."""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from config.nodes.journal import Context
from pos.stock import stock
from store_app.pages.storefront.visitors import square
from store_app.web import staff
from supply.money import escrow
from supply.money.held_payments import Escrow
from supply.online.groups.groups import GroupTerms
from supply.online.orders import PickupOrder
from supply.sync import groups
from tests.browser.conftest import PHONE, assert_well_made, resize, sign_in
from tests.browser.served import serve
from tests.store_app.conftest import House
from tests.store_app.town import ONLINE, Market
from tests.supply.online_store import ANA, AT, STORE, later

pytestmark = pytest.mark.browser
GROUP = "group-00001"


@dataclass
class Street:
    """A market with its store's pages beside it, and the phones in front of both."""

    market: Market
    store: House
    network_url: str
    store_url: str
    browser: Browser
    language: str

    def phone(self, node: str, who: str, pin: str, path: str) -> Page:
        """Return a phone of somebody who has signed in at a node and opened a page."""
        page = self.browser.new_context(viewport=PHONE).new_page()
        sign_in(page, node, who, pin)
        page.goto(f"{node}{path}?lang={self.language}")
        return page

    def counter(self, path: str) -> Page:
        return self.phone(self.store_url, "shopkeeper", staff.PRACTICE_PINS["shopkeeper"], path)

    def deliver(self) -> None:
        self.market.town.deliver()

    def order(self) -> PickupOrder:
        with self.market.town.store.read() as session:
            return session.query(PickupOrder).one()

    def hand_over(self, counter: Page, code: str, *, scanned: bool) -> None:
        """Scan or type a customer's code at the counter and hand the bag over; it was paid online.

        A hand scanner types what it reads and presses Enter.
        """
        counter.goto(f"{self.store_url}/pickup/")
        counter.locator("#scan").press_sequentially(code)
        counter.press("#scan", "Enter")
        counter.wait_for_url("**/hand-over*")
        expect(counter.locator("main form .note-warn")).to_have_count(0 if scanned else 1)
        assert_well_made(counter)
        counter.locator("main form .btn-go").first.click()
        expect(counter.locator("main a.btn[href='/pickup/']")).to_be_visible()
        assert_well_made(counter)


@pytest.fixture(params=["en", "zh"])
def street(request: pytest.FixtureRequest, market: Market, store_house: House, browser: Browser) -> Iterator[Street]:
    with ExitStack() as stack:
        urls = [stack.enter_context(serve(house)) for house in (market.house, store_house)]
        yield Street(market, store_house, *urls, browser, request.param)
        for context in browser.contexts:
            context.close()


def paid(page: Page) -> None:
    """Pay by the practice service, which answers the third time it is asked."""
    for _ in range(3):
        page.locator("form[action$='/pay'] button").click()
    expect(page.locator("form[action$='/pay']")).to_have_count(0)


def test_goods_are_brought_back_refused_disputed_and_the_operator_decides(
    page: Page, street: Street, faults: list[str]
):
    resize(page, PHONE)
    customer = street.market.customer()
    address = customer.order(("milk", 2), pay="online").location
    page.goto(f"{street.network_url}{address}?lang={street.language}")
    paid(page)
    token = address.rpartition("/")[2].partition("?")[0]
    drawn = page.locator("[data-proof] svg")
    assert drawn.locator("path").last.get_attribute("d") in square(token), "the square on the phone is the token"
    assert drawn.bounding_box()["width"] >= 0.6 * PHONE["width"]
    street.deliver()
    order_id = street.order().id
    street.market.town.make_ready(order_id)
    counter = street.counter(f"/pickup/{order_id}")
    street.hand_over(counter, token, scanned=True)
    street.deliver()
    with street.market.town.network.read() as session:
        assert session.get_one(PickupOrder, (STORE, order_id)).proved_by == "token"
    page.goto(f"{street.network_url}{address}")
    expect(page.locator("form[action$='/confirm']")).to_have_count(0)
    page.locator("main summary").first.click()
    assert_well_made(page)
    page.fill("#why", "It was sour.")
    page.locator("form[action$='/return'] button").click()
    expect(page.locator(".note-good")).to_be_visible()
    street.deliver()
    counter.goto(f"{street.store_url}/pickup/{order_id}")
    expect(counter.locator("main")).to_contain_text("It was sour.")
    counter.locator("details:has(form[action$='/refuse']) summary").click()
    assert_well_made(counter)
    counter.fill("form[action$='/refuse'] input[name=why]", "It was opened.")
    counter.locator("form[action$='/refuse'] button").click()
    expect(counter.locator("form[action$='/refuse']")).to_have_count(0)
    street.deliver()
    page.goto(f"{street.network_url}{address}")
    expect(page.locator("main")).to_contain_text("It was opened.")
    assert_well_made(page)
    page.fill("#dispute-why", "It was sour, and closed.")
    page.locator("form[action$='/dispute'] button").click()
    expect(page.locator("form[action$='/dispute']")).to_have_count(0)
    assert_well_made(page)
    operator = street.phone(street.network_url, "operator", staff.PRACTICE_PINS["operator"], "/console/customers/")
    expect(operator.locator("main")).to_contain_text("It was sour, and closed.")
    assert_well_made(operator)
    operator.fill("input[name=refund]", "1.29")
    operator.locator("form[action*='/disputes/'] input[name=why]").fill("Half of it.")
    operator.locator("form[action*='/disputes/'] button").click()
    expect(operator.locator("form[action*='/disputes/']")).to_have_count(0)
    assert_well_made(operator)
    page.goto(f"{street.network_url}{address}")
    expect(page.locator(".note-info")).to_contain_text("1.29")
    with street.market.town.network.read() as session:
        assert session.get_one(Escrow, order_id).state == "settled"
        assert (escrow.total_of(session, [order_id], "store"), escrow.balance(session, order_id)) == (129, 0)


def test_a_neighbour_joins_a_group_on_a_phone_and_collects_the_share(page: Page, street: Street, faults: list[str]):
    town = street.market.town
    terms = GroupTerms(
        id=GROUP, store_id=STORE, owner=STORE, sku="milk", name="Milk", steps=((1, 120), (6, 100)), threshold_qty=6,
        case_qty=6, minimum_cases=1, closes_at=later(hours=2), vehicle_day=dt.date(2026, 3, 4),
        pickup_until=dt.date(2026, 3, 6),
    )  # fmt: skip
    with town.store.write() as session:
        groups.open_at_store(Context(session, ANA, AT), terms)
    street.deliver()
    resize(page, PHONE)
    page.goto(f"{street.network_url}{ONLINE}/?lang={street.language}")
    page.locator(".group-line").click()
    assert_well_made(page)
    for field, value in {"want": "6", "name": "小王", "phone": "+86 10 5550 123"}.items():
        page.fill(f"#{field}", value)
    page.locator("form[action*='/group/'] .btn-go").click()
    page.wait_for_url("**/member/*")
    address = page.url
    assert_well_made(page)
    paid(page)
    assert_well_made(page)
    with town.network.write() as session:
        groups.close_due(session, at=later(hours=2))
    street.deliver()
    with town.store.write() as session:
        stock.receive(Context(session, ANA, AT), STORE, [("milk", 6)], source_kind="delivery", source_id="vehicle")
    counter = street.counter("/groups/")
    assert_well_made(counter)
    counter.locator("form[action$='/arrived'] button").click()
    expect(counter.locator("form[action$='/arrived']")).to_have_count(0)
    street.deliver()
    order_id = street.order().id
    gather(counter, street, order_id)
    street.deliver()
    page.goto(address)
    page.wait_for_url("**/order/*")
    assert_well_made(page)
    street.hand_over(counter, page.locator(".code-large").inner_text()[-8:], scanned=False)
    street.deliver()
    page.reload()
    assert_well_made(page)
    page.locator("form[action$='/confirm'] button").click()
    expect(page.locator("form[action$='/confirm']")).to_have_count(0)
    with town.network.read() as session:
        assert session.get_one(PickupOrder, (STORE, order_id)).proved_by == "customer"
    assert town.state(order_id) == ("collected", "collected")
    with town.network.read() as session:
        assert escrow.balance(session, order_id) == 600


def gather(counter: Page, street: Street, order_id: str) -> None:
    """Pick a share, accepted as it came, and put it into the bag, as the pages ask for it."""
    counter.goto(f"{street.store_url}/pickup/{order_id}")
    counter.locator("form[action$='/pick'] .btn-go").click()
    expect(counter.locator(f"form[action='/pickup/{order_id}/pick']")).to_have_count(0)
    counter.goto(f"{street.store_url}/pickup/{order_id}")
    assert_well_made(counter)
    for box in counter.locator(".pick-box").all():
        box.check()
    counter.locator("button[value=ready]").click()
    expect(counter.locator("button[value=ready]")).to_have_count(0)
