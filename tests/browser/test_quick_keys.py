"""The till's keys are dragged, moved by keyboard, and announced."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pos.catalogue.quick_keys import QuickKey
from tests.browser.conftest import PIN, Node, sign_in

pytestmark = pytest.mark.browser


def open_keys(page: Page, node: Node) -> None:
    sign_in(page, node.url, "ana", PIN)
    page.goto(f"{node.url}/quick-keys/")


def spots(node: Node) -> dict[str, tuple[int, int]]:
    return {row.sku: (row.page, row.place) for row in node.rows(QuickKey)}


def drag(page: Page, source: str, target: str) -> None:
    start, end = page.locator(source).bounding_box(), page.locator(target).bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(end["x"] + 15, end["y"] + 15, steps=4)
    page.mouse.up()


def test_keys_are_dragged_and_moved_by_keyboard(page: Page, make_node: Callable[..., Any]) -> None:
    node = make_node()
    open_keys(page, node)
    drag(page, '[data-name="Whole milk"]', '[data-spot="1-10"]')
    page.wait_for_selector('[data-spot="1-10"][data-name="Whole milk"]')
    expect(page.locator("#keys-live")).to_have_text("Whole milk is now in slot 11.")
    page.focus('[data-spot="1-10"] > a')
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_selector('[data-spot="1-14"][data-name="Whole milk"]')
    page.wait_for_function("() => document.activeElement.closest('[data-spot]')?.dataset.spot === '1-14'")
    drag(page, '[data-name="Apples"]', '.filter[data-page="3"]')
    page.wait_for_selector('.filter[data-page="3"][aria-current]')
    assert spots(node)["MILK"] == (1, 14)
    assert spots(node)["APPLE"] == (3, 0)


def test_a_press_takes_a_key_up_and_a_second_press_puts_it_down(page: Page, make_node: Callable[..., Any]) -> None:
    node = make_node()
    open_keys(page, node)
    page.click('[data-name="White bread"] > a')
    page.click('[data-spot="1-20"] > button')
    page.wait_for_selector('[data-spot="1-20"][data-name="White bread"]')
    assert spots(node)["BREAD"] == (1, 20)
