"""*Help* opens the manual at the page's chapter, in the reader's language, and finds words in it without a network."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Node, assert_accessible, enter


def test_help_opens_the_chapter_of_the_page_and_the_manual_can_be_searched(page: Page, node: Node, faults: list[str]):
    enter(page, node, "/money/", language="de")
    page.goto(f"{node.url}{page.get_by_role('link', name='Hilfe').first.get_attribute('href')}")
    assert page.url == f"{node.url}/static/manual/de/store/close.html"
    assert_accessible(page)
    page.get_by_role("button", name="Suche").first.click()
    page.keyboard.type("Etikett")
    found = page.get_by_role("option").first
    expect(found).to_be_visible()
    found.click()
    expect(page.locator("article")).to_contain_text("Etikett")
