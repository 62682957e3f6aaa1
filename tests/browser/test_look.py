"""Light and dark, and what fits on a phone: the bar, the till's foot, words and figures that stay whole."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Node, assert_accessible, assert_well_made, resize
from tests.browser.conftest import enter as enter_till
from tests.browser.test_office import Office, enter, office

__all__ = ["office"]
pytestmark = pytest.mark.browser
CUT = "shown => [...shown.querySelectorAll('svg + span')].filter(one => one.scrollWidth > one.clientWidth + 1).length"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_look_is_chosen_once_and_the_next_page_comes_in_it(
    page: Page, office: Office, faults: list[str], language: str
):
    page.emulate_media(color_scheme="light")
    enter(page, office, "/stock/", language)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.locator(".look-switch button[value=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.url.startswith(f"{office.url}/stock/")
    for path in ("/stock/", "/money/", "/more/"):
        page.goto(f"{office.url}{path}")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        assert_well_made(page)
    page.locator(".rail .look-switch button[value=auto]").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


WORN = """() => {
  const main = document.querySelector("main");
  const [field, code] = ["input", "code"].map((kind) => document.createElement(kind));
  field.className = "form-control";
  main.append(field, code);
  field.focus();
  const rgb = (name) => {
    const worn = document.createElement("i");
    worn.style.color = `var(${name})`;
    main.append(worn);
    return getComputedStyle(worn).color;
  };
  for (const one of document.getAnimations()) one.finish();
  const { borderTopColor, boxShadow } = getComputedStyle(field), written = getComputedStyle(code).color;
  return [borderTopColor === rgb("--sky"), boxShadow.includes(rgb("--sky-light")), written === rgb("--ink")];
}"""


def test_a_field_that_is_written_into_and_a_code_wear_the_houses_colours_by_day_and_night(page: Page, office: Office):
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        enter(page, office, "/taxes/")
        assert page.evaluate(WORN) == [True, True, True], scheme


def test_the_till_wears_the_look_at_once_and_keeps_its_basket(page: Page, node: Node, faults: list[str]):
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    enter_till(page, node)
    page.get_by_role("button", name=re.compile("Whole milk")).first.click()
    page.keyboard.press("F10")
    page.get_by_role("button", name="Light or dark").click()
    with page.expect_response("**/look"):
        page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.keyboard.press("Escape")
    assert_accessible(page)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("#lines")).to_contain_text("Whole milk")


BESIDE = """cell => {
  const [way, code] = [cell.querySelector("a"), document.createElement("small")];
  way.textContent = "A name that needs lines of its own";
  code.textContent = "S01";
  code.style.display = "block";
  way.style.maxWidth = "7rem";
  cell.replaceChildren(way, " ", code);
  const words = document.createRange();
  words.selectNodeContents(way);
  const lines = words.getClientRects();
  return [lines.length, code.getBoundingClientRect().top - lines[lines.length - 1].bottom];
}"""
"""Puts a long name and a code into a cell; gives the lines of the name, and how far below its last the code stands."""


def test_a_name_of_several_lines_covers_nothing_beside_it(page: Page, office: Office, faults: list[str]):
    enter(page, office, "/stock/")
    lines, below = page.locator(".list td.lead:has(> a)").first.evaluate(BESIDE)
    assert lines > 1
    assert below > -2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_phones_bar_has_five_places_whole_and_marks_where_one_is(page: Page, office: Office, language: str):
    resize(page, PHONE)
    enter(page, office, "/stock/", language)
    under_more = ("/money/", "/orders/", "/shelf/", "/reports/")
    for path, marked in (("/today/", 0), ("/stock/", 2), *((one, 4) for one in under_more)):
        page.goto(f"{office.url}{path}")
        places = page.locator(".rail > a:visible")
        assert places.count() == 5
        assert page.locator(".rail").evaluate("bar => bar.scrollWidth <= bar.clientWidth")
        assert page.locator(".rail").evaluate(CUT) == 0
        plain = places.nth(1).evaluate("one => getComputedStyle(one).backgroundColor")
        colours = places.evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")
        assert [n for n, colour in enumerate(colours) if colour != plain] == [marked]
    page.locator(".rail > a:visible").last.click()
    for hidden in ("/orders/", "/deliveries/", "/shelf/", "/money/"):
        expect(page.locator(f"main a[href='{hidden}']")).to_be_visible()
    expect(page.locator("main .look-switch")).to_be_visible()
    assert_well_made(page)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tills_foot_stands_whole_on_a_phone(page: Page, node: Node, language: str):
    resize(page, PHONE)
    enter_till(page, node, language=language)
    expect(page.locator("#state-shift")).to_have_text(re.compile(r"\d"))  # the foot is full once the till was told
    assert page.locator(".foot").evaluate("foot => foot.scrollWidth <= foot.clientWidth")
    for last in page.locator(".foot > *:visible").all():
        box = last.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    resize(page, {"width": 640, "height": 400})  # a desk's screen at 200 %
    page.get_by_role("button", name=re.compile("Whole milk")).first.click()
    for seen in ("#search", ".tile >> nth=0", "#lines .line-main", "#total", "#pay-button", "#sign-out"):
        expect(page.locator(seen)).to_be_in_viewport(ratio=0.9)
