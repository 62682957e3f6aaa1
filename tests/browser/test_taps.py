"""How many taps daily work takes from the till: counted where they fall; digits, scans and the keyboard are none."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from pos.catalogue import public_products
from pos.catalogue.public_products import PublicProduct
from tests.browser.conftest import CODES, DESK, Node, enter, resize, wedge
from tests.browser.counter import CASHIER, enter_as, furnish
from tests.browser.test_office import Office, office
from tests.browser.test_office import enter as enter_office

__all__ = ["office"]
pytestmark = pytest.mark.browser
NEW = "5449000000996"


@pytest.fixture
def store(make_node: Callable[..., Node]) -> Node:
    """Give a counter with everything on it."""
    return make_node(furnish=furnish)


@pytest.fixture
def taps(page: Page) -> list[str]:
    """Give what was tapped, in order, on every page that is opened."""
    fell: list[str] = []
    page.expose_function("tapped", lambda what: fell.append(what))
    named = (
        "(({ innerText, ariaLabel }) => innerText || ariaLabel || '?')(event.target.closest('a, button, label') ?? {})"
    )
    page.add_init_script(f"addEventListener('pointerdown', (event) => tapped({named}), true)")
    resize(page, DESK)
    return fell


def approve(page: Page) -> None:
    """Approve as a supervisor does: name, PIN, Approve."""
    expect(page.locator("#sheet-title")).to_have_text("Supervisor approval needed")
    page.get_by_role("button", name="Sue").click()
    page.keyboard.type("3333")
    page.get_by_role("button", name="Approve").click()


def test_a_discount_takes_four_taps_and_a_supervisors_approval(page: Page, store: Node, taps: list[str]):
    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"])
    page.locator("#lines [data-act=discount]").click()
    page.get_by_role("button", name="20%").click()
    page.get_by_role("button", name="Damaged packaging").click()
    page.get_by_role("button", name="Apply").click()
    approve(page)
    expect(page.locator("#total")).to_have_text("$2.79")
    assert taps == ["Discount", "20%", "Damaged packaging", "Apply", "Sue", "Approve"]


@pytest.mark.parametrize("scans", [False, True], ids=["by hand", "scanned"])
def test_a_refund_of_one_line_takes_five_taps_and_a_supervisors_approval_and_a_scan_saves_one(
    page: Page, store: Node, taps: list[str], scans: bool
):
    enter_as(page, store, CASHIER)
    wedge(page, CODES["MILK"], CODES["BREAD"], CODES["BREAD"])
    expect(page.locator("#refund-button")).to_be_hidden()
    for _press in range(2):
        page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#refund-button").click()
    page.get_by_role("button", name=re.compile("Receipt 1")).click()
    expect(page.locator("#sheet-title")).to_have_text("Refund receipt 1")
    if scans:
        wedge(page, CODES["CHIPS"])
        expect(page.locator("#sheet-says")).to_have_text("This product isn’t on the receipt.")
        wedge(page, CODES["BREAD"])
    else:
        page.get_by_role("button", name="One more: White bread").click()
    expect(page.get_by_role("button", name="Refund payment")).to_contain_text("$1.99")
    page.get_by_role("button", name="Not wanted").click()
    page.get_by_role("button", name="Refund payment").click()
    approve(page)
    expect(page.locator("#sheet-title")).to_have_text("Refunded")
    assert [one.partition("\n")[0] for one in taps] == [
        "Refund", "Receipt 1", *([] if scans else ["One more: White bread"]), "Not wanted", "Refund payment",
        "Sue", "Approve",
    ]  # fmt: skip


def test_a_scanned_product_that_is_new_takes_two_taps(page: Page, store: Node, taps: list[str]):
    cola = PublicProduct(int(NEW), "Cola zero", "Coca-Cola", "330 ml", "Beverages, Drinks, Colas")
    public_products.replace(store.settings.state_folder, [cola])
    enter(page, store)
    wedge(page, NEW)
    page.locator("#says").get_by_role("button", name="New product").click()
    expect(page.locator("#new-name")).to_have_value("Cola zero")
    page.keyboard.type("199")
    page.get_by_role("button", name="Save and sell").click()
    expect(page.locator("#lines")).to_contain_text("Cola zero")
    assert taps == ["New product", "Save and sell"]
    (store.settings.state_folder / public_products.FILE).unlink()


@pytest.mark.parametrize(
    ("text", "there", "most"), [("", "/today/", 1), ("printer", "/settings/printers/", 3), ("staff", "/people/", 3)]
)
def test_yesterday_printers_and_people_are_so_many_taps_away(
    page: Page, office: Office, taps: list[str], text: str, there: str, most: int
):
    enter_office(page, office, "/till/")
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("link", name="Store", exact=True).click()
    if text:
        page.locator(".rail [data-find]").click()
        page.keyboard.type(text)
        page.locator(f'#find-hits a[href="{there}"]').click()
    expect(page).to_have_url(re.compile(f"{there}$"))
    if not text:
        expect(page.locator("main")).to_contain_text("Yesterday")
    assert len(taps) == most


def test_a_price_is_changed_in_three_taps(page: Page, office: Office, taps: list[str]):
    enter_office(page, office, "/till/")
    page.wait_for_selector("html[data-ready]")
    page.locator("#lookup-button").click()
    page.keyboard.type("4006381333931")
    page.get_by_role("link", name="Product page").click()
    expect(page.locator("#price")).to_be_focused()
    page.keyboard.type("1.80")
    page.get_by_role("button", name="Set price").click()
    expect(page.locator(".price-now")).to_contain_text("$1.80")
    assert len(taps) == 3
