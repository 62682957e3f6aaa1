"""From `cornerstore`, typed once, to the first printed sale: a real program, a real browser, a printer that answers."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, ViewportSize, expect

from store_app.commands.serve import LOG_NAME
from store_app.node.founding import settings_in
from tests.benchmarks._node import free_port
from tests.browser.conftest import DESK, PHONE, assert_well_made, resize
from tests.pos.documents.test_printer_paper import tool  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser
MOST_SCREENS = 8
Start = Callable[[], str]


@pytest.fixture
def programs() -> Iterator[list[subprocess.Popen[str]]]:
    """End what a test began."""
    begun: list[subprocess.Popen[str]] = []
    yield begun
    for one in begun:
        one.send_signal(signal.SIGTERM)
        one.wait(timeout=60)
        assert one.stdout is not None
        one.stdout.close()


@pytest.fixture
def start(tmp_path: Path, programs: list[subprocess.Popen[str]]) -> Start:
    """Give what types `cornerstore` and returns where the browser is opened."""
    port = free_port()
    known = {name: value for name, value in os.environ.items() if not name.startswith("CORNERSTORE_")}

    def begin() -> str:
        command = [sys.executable, "-m", "store_app", "--port", str(port)]
        paths = {"HOME": str(tmp_path), "BROWSER": "echo %s", "DISPLAY": ":0"}
        paths |= {"XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd()), "CORNERSTORE_PRINTER_SEARCH": ""}
        programs.append(
            subprocess.Popen(command, env=known | paths, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True)
        )  # fmt: skip
        assert programs[-1].stdout is not None
        _shown, opened = (programs[-1].stdout.readline().strip() for _ in range(2))
        return opened

    return begin


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_from_one_command_to_the_first_printed_sale_in_at_most_eight_screens(
    page: Page,
    start: Start,
    tool,  # noqa: F811
    size: ViewportSize,
    tmp_path: Path,
    programs: list[subprocess.Popen[str]],
):
    screens: list[str] = []

    def seen(answer: Response) -> None:
        if answer.request.is_navigation_request() and answer.status == 200 and answer.url.startswith("http"):
            screens.append(answer.url.partition("?")[0])

    page.on("response", seen)
    resize(page, size)
    with tool.VirtualPrinter(paper=80) as machine:
        page.goto(start())
        expect(page.locator("#name")).to_be_visible()
        assert_well_made(page)
        page.fill("#name", "Eckladen")
        page.select_option("#country", "DE")
        page.select_option("#language", "en")
        go(page)
        expect(page.locator("#rate-1")).to_have_value("19")
        assert_well_made(page)
        page.fill("#address", "Hauptstr. 1, Berlin")
        page.fill("#tax_number", "DE123456789")
        go(page)
        assert_well_made(page)
        page.fill("#person", "Wei")
        page.fill("#pin", "8642")
        go(page)
        expect(page.locator("#where")).to_be_visible()
        assert_well_made(page)
        page.fill("#where", f"127.0.0.1:{machine.port}")
        page.locator("form:has(#where) button").click()
        expect(page.locator(".note-good")).to_be_visible()
        assert_well_made(page)
        page.locator("a.btn-go").click()
        expect(page.locator(".first-ways")).to_be_visible()
        assert_well_made(page)
        page.locator(".first-ways .btn-go").click()
        page.wait_for_selector("html[data-ready]")
        page.keyboard.type("5000")
        page.keyboard.press("Enter")
        expect(page.locator("#open-till")).to_be_hidden()
        page.get_by_role("button", name="Milk").first.click()
        page.keyboard.press("F8")
        page.keyboard.press("F8")
        expect(page.locator("#pay-done")).to_be_visible()
        machine.wait_for(lambda _paper: "Receipt 000001" in machine.text() and machine.events("cut")[1:], timeout=30)
        paper = str(machine.text())
    for line in ("Eckladen", "Hauptstr. 1, Berlin", "DE123456789", "Receipt 000001", "Milk"):
        assert line in paper
    assert len(list(dict.fromkeys(screens))) <= MOST_SCREENS, screens
    assert settings_in(tmp_path / "cornerstore").is_file()
    programs[-1].send_signal(signal.SIGTERM)
    assert programs[-1].communicate(timeout=60)[0] == "", "the console shows the address and nothing else"
    log = settings_in(tmp_path / "cornerstore").parent / LOG_NAME
    assert '"event": "serving"' in log.read_text(), "from the founding on the log is in the store's folder"


def test_killed_at_any_screen_it_goes_on_where_it_was_and_the_store_opens_by_the_same_command(
    page: Page, start: Start, programs: list[subprocess.Popen[str]], tmp_path: Path
):
    def again() -> None:
        programs[-1].kill()
        programs[-1].wait()
        page.goto(start())

    page.goto(start())
    again()
    page.fill("#name", "Eckladen")
    page.select_option("#country", "DE")
    page.select_option("#language", "en")
    go(page)
    again()
    expect(page.locator("#address")).to_be_visible()
    go(page)
    page.wait_for_url("**/set-up/person")
    again()
    assert not settings_in(tmp_path / "cornerstore").exists()
    page.fill("#person", "Wei")
    page.fill("#pin", "8642")
    go(page)
    expect(page.locator("#where")).to_be_visible()
    again()
    page.wait_for_url("**/today/")
    gone = page.goto(page.url.replace("/today/", "/set-up/store"))
    assert gone is not None
    assert gone.status == 404


def go(page: Page) -> None:
    """Press the screen's own button."""
    page.locator("form .btn-go").first.click()
