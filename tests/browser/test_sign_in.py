"""An operator's sign-in in a browser: from the PIN of before to passphrase, app and recovery codes; and out again."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect

from store_app.web.staff import PRACTICE_PINS
from tests.browser.conftest import assert_well_made_in_every_size, dress, in_languages
from tests.browser.served import serve
from tests.store_app.conftest import House

pytestmark = pytest.mark.browser
PASSPHRASE, HERE = "three gray herons", "/console/sign-in/"


@pytest.fixture
def network(build: Any) -> House:
    """Give a network's node that is no practice."""
    house: House = build(role="network", node_id="network")
    house.doors.settings.practice = False
    return house


@pytest.fixture
def url(network: House) -> Iterator[str]:
    with serve(network) as address:
        yield address


def paste(page: Page, label: str, text: str) -> None:
    """Paste a text into a field, as a password manager's owner does."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.get_by_label(label, exact=True).press("Control+V")


def enter(page: Page, url: str, passphrase: str, code: str = "") -> None:
    page.goto(f"{url}/signin")
    page.get_by_label("Your name").fill("operator")
    paste(page, "Passphrase", passphrase)
    page.get_by_label("Code from your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_an_operator_pastes_a_passphrase_connects_an_app_and_signs_out_of_every_trace(
    page: Page, network: House, url: str, faults: list[str]
):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter(page, url, PRACTICE_PINS["operator"])
    paste(page, "Your current PIN", PRACTICE_PINS["operator"])
    paste(page, "New passphrase, 12 characters or more", PASSPHRASE)
    paste(page, "Re-enter passphrase", PASSPHRASE)
    page.get_by_role("button", name="Change my passphrase").click()
    app = pyotp.TOTP((page.locator(".app-key").text_content() or "").replace(" ", ""))
    page.get_by_label("Six digits from the app").fill(app.at(network.clock.now()))
    page.get_by_role("button", name="Connect").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I saved them").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate("localStorage.setItem('cornerstore.kept', 'of this person')")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/signin")
    assert page.evaluate("localStorage.length") == 0
    names = {cookie["name"] for cookie in page.context.cookies()}
    assert "cornerstore_network_device" in names, "the device stays known"
    page.go_back()
    expect(page.get_by_label("Your name")).to_be_visible()
    network.clock.advance(dt.timedelta(seconds=30).seconds)
    enter(page, url, PASSPHRASE, app.at(network.clock.now()))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{url}{HERE}")
    expect(page.get_by_text("this browser")).to_be_visible()


@in_languages("es")
def test_the_pages_of_signing_in_are_accessible_and_unclipped(
    page: Page, network: House, url: str, faults: list[str], language: str
):
    dress(page, language)

    def send(**fields: str) -> None:
        for name, value in fields.items():
            page.fill(f"form:has(#{next(iter(fields))}) [name={name}]", value)
        page.locator(f"form:has(#{next(iter(fields))}) button.btn-go").click()

    page.goto(f"{url}/signin?lang={language}")
    assert_well_made_in_every_size(page, language)
    send(name="operator", pin=PRACTICE_PINS["operator"])
    page.wait_for_url(f"**{HERE}")
    assert_well_made_in_every_size(page, language)
    send(pin=PASSPHRASE, again=PASSPHRASE, own=PRACTICE_PINS["operator"])
    page.wait_for_selector(".app-key")
    assert_well_made_in_every_size(page, language)
    app = pyotp.TOTP((page.locator(".app-key").text_content() or "").replace(" ", ""))
    send(code=app.at(network.clock.now()))
    page.wait_for_selector(".recovery-codes")
    assert_well_made_in_every_size(page, language)
    for path in (HERE, "/console/people/", "/console/people/operator"):
        page.goto(f"{url}{path}")
        assert_well_made_in_every_size(page, language)
