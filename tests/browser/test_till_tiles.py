"""The till's tiles and lines: photos, promotions, favorites, keys; what is weighed, custom or off."""

import io
import json
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from config.clock import SystemClock
from config.nodes.journal import Actor, Context
from pos.catalogue import favorites, photos, quick_keys
from pos.catalogue.catalogue import Product
from pos.sold import SaleLine
from pos.store import pictures
from pos.till import shift
from pos.till.scale import PRACTICE_FILE
from pos.till.shift_book import Shift
from tests.browser.conftest import (
    CODES,
    DESK,
    PHONE,
    STORE,
    TILL,
    Node,
    assert_well_made,
    dress,
    enter,
    in_languages,
    resize,
    wedge,
)
from tests.browser.counter import CASHIER, enter_as, furnish, priced

pytestmark = pytest.mark.browser
ANA = Actor("ana", "Ana", "shopkeeper", STORE)


@pytest.fixture
def store(make_node: Callable[..., Node]) -> Node:
    return make_node(furnish=furnish)


def photograph(node: Node, sku: str) -> None:
    """Let a product have a photo."""
    made = io.BytesIO()
    Image.effect_mandelbrot((400, 400), (-2.2, -1.5, 0.8, 1.5), 60).convert("RGB").save(made, "PNG")
    with node.database.write() as session:
        at = Context(session, ANA, SystemClock().now())
        photos.put(at, STORE, sku, next(pictures.square(made.getvalue())))


def tile(page: Page, name: str):
    return page.locator(".tile").filter(has_text=name)


IS_DRAWN = "image => image.complete && image.naturalWidth > 0"


@in_languages("de")
def test_tiles_carry_photo_promotion_and_price_and_nothing_is_clipped(
    page: Page, store: Node, faults: list[str], language: str
):
    for sku in ("MILK", "BREAD", "APPLE"):
        photograph(store, sku)
    with store.database.write() as session:
        favorites.choose(session, STORE, "ana", ["TEA", "MILK"])
    dress(page, language)
    enter(page, store, language=language)
    expect(page.locator(".tile-photo")).to_have_count(3)
    expect(page.locator(".tile-badge")).to_have_count(1)
    expect(page.locator("#favorites button")).to_have_count(2)
    assert_well_made(page)


def test_a_photo_is_shown_at_a_till_nobody_answers(page: Page, store: Node):
    photograph(store, "CHIPS")
    with page.expect_response(re.compile(r"/photo/\w+\.webp")):
        enter(page, store)
    page.fill("#search", "whole milk")
    expect(page.locator(".tile")).to_have_count(1)
    store.stop()
    page.fill("#search", "potato")
    page.locator(".tile-photo").wait_for()
    page.wait_for_function(f"() => ({IS_DRAWN})(document.querySelector('.tile-photo'))")


def test_a_badge_says_the_promotion_beside_the_price(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    expect(tile(page, "White bread").locator(".tile-badge")).to_have_text("3 for 2")
    expect(tile(page, "White bread").locator(".tile-price")).to_have_text("$1.99")
    expect(tile(page, "Green tea").locator(".tile-badge")).to_have_count(0)


def test_a_reduced_line_shows_what_it_was_and_says_what_is_saved_once(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    wedge(page, *[CODES["BREAD"]] * 3)
    priced(page)
    line = page.locator("#lines > li").first
    expect(line.locator(".line-total")).to_have_text("$3.98")
    expect(line.locator(".line-was")).to_have_text("$5.97")
    expect(line.locator(".extra")).to_have_text("3 for 2 breadYou save $1.99")
    expect(page.locator("#total")).to_have_text("$3.98")
    wedge(page, CODES["MILK"])
    priced(page)
    expect(page.locator("#lines > li").last.locator(".line-was")).to_be_empty()


def test_keys_stand_where_they_were_put_free_places_too(page: Page, node: Node, faults: list[str]):
    with node.database.write() as session:
        ctx = Context(session, ANA, SystemClock().now())
        quick_keys.move(ctx, STORE, (1, 0), 1, 9)  # milk
        quick_keys.change(ctx, STORE, (1, 9), label="", colour="sky")

    def place(root: str, cell: str) -> list[int]:
        """Return at which place of its grid a cell stands, and how many columns that has."""
        return page.evaluate(
            """([root, cell]) => {
              const all = [...document.querySelector(root).children];
              return [all.findIndex((one) => one.matches(cell)), new Set(all.map((one) => one.offsetLeft)).size];
            }""",
            [root, cell],
        )

    enter(page, node)
    shown = place("#tiles", '[data-sku="MILK"]')
    expect(tile(page, "Whole milk")).to_have_attribute("data-colour", "sky")
    page.locator('[data-sku="CHIPS"]').focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator('[data-sku="MILK"]')).to_be_focused()
    page.goto(f"{node.url}/quick-keys/")
    assert place(".key-grid", '[data-name="Whole milk"]') == shown == [9, 4]


def test_the_price_is_shown_while_it_is_weighed(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    tile(page, "Apples").click()
    expect(page.locator("#number-worth")).to_be_empty()
    page.keyboard.type("482", delay=60)
    expect(page.locator("#number-worth")).to_have_text("$1.92")
    page.keyboard.press("Backspace")
    expect(page.locator("#number-worth")).to_have_text("$0.19")
    page.keyboard.press("Escape")
    tile(page, "Green tea").click()
    page.keyboard.press("F6")
    page.keyboard.type("2", delay=60)
    expect(page.locator("#number-worth")).to_have_count(0)


def test_a_scale_shows_weight_and_price_until_it_settles_and_enter_takes_it(page: Page, make_node: Callable[..., Node]):
    node = make_node(scale="practice")
    lies = node.settings.state_folder / PRACTICE_FILE
    try:
        lies.write_text(json.dumps({"grams": 300, "stable": False}))
        enter(page, node)
        tile(page, "Apples").click()
        expect(page.locator("#number-shown")).to_have_text("300 … g")
        expect(page.locator("#number-worth")).to_have_text("$1.20")
        lies.write_text(json.dumps({"grams": 500, "stable": True}))
        expect(page.locator("#number-shown")).to_have_text("500 g")
        expect(page.locator("#number-worth")).to_have_text("$2.00")
        page.keyboard.press("Enter")
        expect(page.locator("#lines .line-qty")).to_have_text("500 g")
    finally:
        lies.unlink()


def test_a_custom_item_is_named_priced_and_counted_under_its_department(page: Page, store: Node, faults: list[str]):
    enter(page, store)
    page.keyboard.press("F10")
    page.get_by_role("button", name="Custom item").click()
    page.locator("#item-name").fill("Birthday card")
    page.get_by_label("Department").first.select_option(label="Other department…")
    page.locator("#item-category").fill("Gifts")
    for size in (PHONE, DESK):
        resize(page, size)
        assert_well_made(page)
    page.locator("#price-pad").get_by_role("button", name="5", exact=True).click()
    page.locator("#price-pad").get_by_role("button", name="00", exact=True).click()
    page.locator("#sheet-foot").get_by_role("button", name="Apply").click()
    expect(page.locator("#lines .line-name")).to_have_text("Birthday card")
    page.reload()
    expect(page.locator("#lines .line-name")).to_have_text("Birthday card")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    (line,) = store.rows(SaleLine)
    assert (line.name, line.total_minor) == ("Birthday card", 500)
    (made,) = store.rows(Product, category="Gifts")
    assert line.sku == made.sku


def test_a_cashier_sells_a_custom_item_in_the_departments_there_are(page: Page, store: Node, faults: list[str]):
    enter_as(page, store, CASHIER)
    page.keyboard.press("F10")
    page.get_by_role("button", name="Custom item").click()
    expect(page.locator("#item-department option")).to_have_text(["Cut flowers"])
    page.keyboard.type("Roses")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-says")).to_contain_text("Enter a number above zero.")
    page.locator("#price-pad").focus()
    page.keyboard.type("1200", delay=60)
    page.keyboard.press("Enter")
    priced(page)
    expect(page.locator("#lines")).to_contain_text("Roses")
    expect(page.locator("#total")).to_have_text("$12.00")


def test_favorites_are_a_persons_own_and_follow_them(page: Page, store: Node, faults: list[str]):
    enter_as(page, store, CASHIER)
    expect(page.locator("#favorites")).to_be_hidden()
    page.keyboard.press("F10")
    page.get_by_role("button", name="My favorites").click()
    page.locator("#favorite-search").fill("green")
    page.locator("#sheet").get_by_role("button", name=re.compile("Green tea")).click()
    expect(page.locator("#sheet [aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("#favorites").get_by_role("button", name=re.compile("Green tea")).click()
    expect(page.locator("#lines")).to_contain_text("Green tea")
    page.keyboard.press("Delete")
    enter(page, store)
    expect(page.locator("#favorites")).to_be_hidden()
    enter_as(page, store, CASHIER)
    expect(page.locator("#favorites button")).to_have_count(1)


@pytest.mark.parametrize(("keyed", "opens_minor"), [("", 4_000), ("3950", 3_950), ("0", 0)])
def test_the_float_left_at_the_last_close_is_proposed(
    page: Page, node: Node, faults: list[str], keyed: str, opens_minor: int
):
    with node.database.write() as session:
        ctx = Context(session, ANA, SystemClock().now())
        old = shift.current(session, STORE, TILL)
        shift.close(ctx, old, 10_000, put_away=shift.PutAway(4_000, "safe"))
    enter(page, node)
    expect(page.locator("#float-left")).to_contain_text("Left at the last close: $40.00.")
    expect(page.locator("#float")).to_have_text("$40.00")
    page.keyboard.type(keyed, delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("#open-till")).to_be_hidden()
    (fresh,) = node.rows(Shift, state="open")
    assert fresh.expected_minor == opens_minor
