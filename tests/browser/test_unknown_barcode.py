"""An unknown barcode at the till: what is known of it, one price, and the product is in the basket."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from pos.catalogue import public_products
from pos.catalogue.catalogue import Product
from pos.catalogue.public_products import PublicProduct
from tests.browser.conftest import (
    CODES,
    DESK,
    PHONE,
    STORE,
    Node,
    assert_well_made,
    dress,
    enter,
    in_languages,
    resize,
    wedge,
)
from tests.browser.counter import CASHIER, enter_as, furnish

pytestmark = pytest.mark.browser
COLA, JAM, NOBODYS = "5449000000996", "3045320094084", "4006381333931"
KNOWN = [
    PublicProduct(int(COLA), "Coca-Cola Original Taste", "Coca-Cola", "330 ml", "Beverages, Drinks, Colas"),
    PublicProduct(int(JAM), "Strawberry jam", "Bonne Maman", "370 g", "Spreads, Jams"),
    PublicProduct(int(JAM), "Confiture de fraises", "", "", ""),
]


@pytest.fixture
def shop(make_node: Callable[..., Node]) -> Iterator[Node]:
    node = make_node(furnish=furnish)
    public_products.replace(node.settings.state_folder, KNOWN)
    yield node
    (node.settings.state_folder / public_products.FILE).unlink()


def ask_for(page: Page, code: str) -> None:
    wedge(page, code)
    page.locator("#says").get_by_role("button", name="New product").click()
    expect(page.locator("#sheet")).to_be_visible()


def test_a_known_barcode_needs_a_price_alone(page: Page, shop: Node):
    enter(page, shop)
    ask_for(page, COLA)
    expect(page.locator("#new-name")).to_have_value("Coca-Cola Original Taste")
    expect(page.locator("#new-category")).to_have_value("Drinks")
    expect(page.locator("#sheet")).to_contain_text("Open Database License (ODbL)")
    wedge(page, CODES["MILK"])  # waits for its turn
    page.keyboard.type("199")
    page.keyboard.press("Enter")
    expect(page.locator("#lines")).to_contain_text("Coca-Cola Original Taste")
    expect(page.locator("#lines")).to_contain_text("Whole milk")
    (made,) = shop.rows(Product, owner_id=STORE)
    assert (made.name, made.brand, made.pack_text, made.category) == (KNOWN[0].name, "Coca-Cola", "330 ml", "Drinks")
    wedge(page, COLA)
    expect(page.locator("#lines .figures").first).to_be_visible()
    expect(page.locator("#says")).to_be_empty()


def test_without_a_match_name_and_price_are_enough_and_of_several_one_is_chosen(page: Page, shop: Node):
    enter(page, shop)
    ask_for(page, NOBODYS)
    expect(page.locator("#new-name")).to_be_focused()
    page.keyboard.type("Soap")
    page.fill("#new-category", "Household")
    page.get_by_role("group", name="Price").get_by_role("button", name="9", exact=True).click()
    page.get_by_role("button", name="Save and sell").click()
    expect(page.locator("#lines")).to_contain_text("Soap")
    ask_for(page, JAM)
    expect(page.locator("#new-name")).to_have_value("")
    page.get_by_role("button", name="Save and sell").click()
    expect(page.locator("#sheet")).to_contain_text("Enter a name and a category.")
    page.get_by_role("button", name="Bonne Maman · Strawberry jam · 370 g").click()
    expect(page.locator("#new-name")).to_have_value("Strawberry jam")
    for size in (PHONE, DESK):
        resize(page, size)
        assert_well_made(page)


def test_a_cashier_is_told_and_offered_nothing(page: Page, shop: Node):
    enter_as(page, shop, CASHIER)
    wedge(page, COLA)
    expect(page.locator("#says")).to_contain_text(COLA)
    expect(page.locator("#says button")).to_have_count(1)


@in_languages("zh")
def test_the_question_is_well_made(page: Page, shop: Node, language: str):
    dress(page, language)
    enter(page, shop, language=language)
    wedge(page, JAM)
    page.locator("#says .btn-go").click()
    expect(page.locator("#sheet")).to_be_visible()
    assert_well_made(page)
