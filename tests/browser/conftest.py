"""A store node that answers on a port, with a database of its own, and a person at its till."""

import datetime as dt
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import CDPSession, Page, ViewportSize, expect
from sqlalchemy.orm import Session

from config.clock import SystemClock
from config.database import Base, Database, make_engine
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from config.words import LANGUAGES
from pos.catalogue import catalogue
from pos.catalogue.catalogue import TaxClass
from pos.stock import stock
from pos.store.store import add_staff, found_store
from pos.till import shift
from tests.browser.served import Served
from tests.empty import empty_database, lasting_folder
from tests.pseudo import speaking, write_catalogue
from tests.store_app.conftest import build, founded, kept, market
from tests.store_app.house import Kept
from tests.store_app.town import store_house

__all__ = ["build", "founded", "kept", "market", "store_house"]  # the nodes of the application's own tests

expect.set_options(timeout=30_000)  # what is awaited comes at once; on a machine with other work, a little later
STORE, TILL, PIN = "S01", "T1", "2222"
FLOAT_MINOR = 10_000
# sku, name, category, price, code, further columns
PRODUCTS: list[tuple[str, str, str, int, str, dict[str, Any]]] = [
    ("MILK", "Whole milk", "Dairy", 349, "2000000000015", {"pack_text": "1 gal"}),
    ("BREAD", "White bread", "Bakery", 199, "2000000000022", {"pack_text": "20 oz"}),
    ("TEA", "绿茶 Green tea", "Drinks", 299, "2000000000039", {"pack_text": "500 ml"}),
    ("BEER", "Lager beer", "Beer", 799, "2000000000046", {"minimum_age": 21, "pack_text": "6 × 12 oz"}),
    ("APPLE", "Apples", "Fruit", 399, "2000000000053", {"stock_unit": "gram", "price_quantity": 1000}),
    ("CHIPS", "Potato chips", "Snacks", 379, "2000000000060", {"pack_text": "9 oz"}),
]
CODES = {sku: code for sku, _, _, _, code, _ in PRODUCTS}
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
CASE_OF_MILK = "2000000000077"
Furnish = Callable[[Session], None]
"""Puts into a store what some tests want there besides."""


class Node:
    """A store node of its own: database, settings, and a server that can die and come back on the same port."""

    def __init__(
        self, kept: Kept, *, is_open: bool = True, coin_minor: int = 1, furnish: Furnish | None = None, **wishes: Any
    ) -> None:
        self._kept, self._house = kept, kept.take(None, node_id=STORE, **{"printer": "paper"} | wishes)
        self.app, self.settings = self._house.app, self._house.doors.settings
        shutil.copy(_furnished(is_open=is_open, coin_minor=coin_minor, furnish=furnish), self._house.file)
        self.database = Database(make_engine(self.settings.database_url))
        self.server: Served | None = None
        self._place = socket.socket()  # bound for as long as the node lives: while it is dead nobody else gets its port
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        """The address of the node."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, on the same port as before."""
        self.server = Served(self.app, self.port)

    def stop(self) -> None:
        """Die: from now on nobody answers."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def rows(self, table: type[Base], **wanted: Any) -> list[Any]:
        """Return the rows of a table with these values."""
        with self.database.read() as session:
            return list(session.scalars(sa.select(table).filter_by(**wanted)))

    def close(self) -> None:
        """Stop, and let the database go."""
        self.stop()
        self._place.close()
        self.database.engine.dispose()
        self._kept.give_back(self._house)


@cache
def _furnished(*, is_open: bool, coin_minor: int, furnish: Furnish | None) -> Path:
    """Return the file of a store furnished so, which every node with such a store begins as a copy of."""
    file = lasting_folder() / f"{STORE}.db"
    database = empty_database(file)
    at, ana = SystemClock().now(), Actor("ana", "Ana", "shopkeeper", STORE)
    with database.write() as session:
        found(session, STORE, at=at)
        found_store(
            session,
            STORE,
            "Maple Street Corner",
            region=("north", "North"),
            currency="USD",
            tz="UTC",
            at=at,
            smallest_coin_minor=coin_minor,
        )
        add_staff(session, STORE, "ana", "Ana", "shopkeeper", PIN)
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=False))
        session.flush()
        for place, (sku, name, category, price, code, wishes) in enumerate(PRODUCTS):
            codes = [(code, 1)] + ([(CASE_OF_MILK, 12)] if sku == "MILK" else [])
            catalogue.add_product(
                Context(session, ana, at), sku, name, category=category, tax_class_id="food", codes=codes, **wishes
            )
            catalogue.set_price(Context(session, ana, at), sku, price, dt.date(2020, 1, 1))
            catalogue.list_product(Context(session, ana, at), STORE, sku, quick_key=place)
    with database.write() as session:
        lines = [(sku, 5000 if sku == "APPLE" else 60) for sku in CODES]
        stock.open_stock(Context(session, ana, at), STORE, lines, source_id="opening")
        if is_open:
            shift.open_shift(Context(session, ana, at), STORE, TILL, FLOAT_MINOR)
        if furnish:
            furnish(session)
    database.engine.dispose()
    return file


@pytest.fixture
def make_node(kept: Kept) -> Iterator[Callable[..., Node]]:
    """Give a maker of store nodes."""
    made: list[Node] = []

    def make(**given: Any) -> Node:
        made.append(Node(kept, **given))
        return made[-1]

    yield make
    for node in made:
        node.close()


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """Give a store node whose till is open."""
    return make_node()


@pytest.fixture
def faults(page: Page) -> Iterator[list[str]]:
    """Watch the browser: nothing may leave the machine, and the console stays silent."""
    seen: list[str] = []
    page.on("console", lambda said: seen.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda fault: seen.append(str(fault)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(("http://127.0.0.1:", "data:")) else seen.append(asked.url),
    )
    yield seen
    assert seen == []


def sign_in(page: Page, url: str, staff_id: str, pin: str) -> None:
    """Sign in at a node by what its form sends; the form itself is looked at elsewhere, and is two pages more."""
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.request.get(f"{url}/signin").text())
    assert token
    sent = {"csrf_token": token[1], "pin": pin}
    answer = page.request.post(f"{url}/signin/{staff_id}", form=sent, max_redirects=0)
    assert answer.status == 303, answer.text()


def enter(page: Page, node: Node, path: str = "/till/", *, language: str = "en") -> Page:
    """Sign in as the shopkeeper and open a page; the till is waited for until it takes scans."""
    sign_in(page, node.url, "ana", PIN)
    page.goto(f"{node.url}{path}?lang={language}")
    if path == "/till/":
        page.wait_for_selector("html[data-ready]")
    return page


ARRIVED = "for (const one of document.getAnimations()) { try { one.finish(); } catch { /* it has no end */ } }"
"""Lets every colour that is on its way arrive."""


_JUDGED = "axe.run({reporter: 'no-passes', preload: false})"
"""What axe finds in order need not be told, piece by piece: that took longer than the looking."""


def assert_accessible(page: Page) -> None:
    """Refuse axe's violations on the page as it is when it has come and nothing is on its way any more."""
    page.wait_for_load_state()
    expect(page.locator('[aria-busy="true"]')).to_have_count(0)
    page.evaluate(f"() => {{ {ARRIVED} }}")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = AxeResults(page.evaluate(_JUDGED))
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


_FAULTS = Path(__file__).with_name("layout.js").read_text()


def assert_fits(page: Page) -> None:
    """Refuse what is wider than the window, clipped or overlaps; in the made-up language also mirrored."""
    assert page.viewport_size is not None
    own, direction = page.evaluate("[document.documentElement.lang, document.documentElement.dir]")
    directions = ["rtl", direction] if own.startswith(PSEUDO) else [direction]
    tried = {"width": page.viewport_size["width"], "directions": directions}
    assert page.evaluate(_FAULTS, tried) == [], page.url


def assert_well_made(page: Page) -> None:
    assert_accessible(page)
    assert_fits(page)


def resize(page: Page, size: ViewportSize) -> None:
    """Give the window another size, and wait until the page has it: that is some frames after it was asked for."""
    page.set_viewport_size(size)
    page.wait_for_function("wide => innerWidth === wide", arg=size["width"])


PSEUDO = "el"
"""The made-up language: our sentences made longer, with Greek days and figures (`tests.pseudo`)."""


def in_languages(own: str) -> pytest.MarkDecorator:
    """Show a test's pages in the made-up language and in one of ours; where faults are looked for, in all."""
    others = [pytest.param(code, marks=pytest.mark.faults) for code in LANGUAGES if code not in (own, PSEUDO)]
    return pytest.mark.parametrize("language", [PSEUDO, own, *others])


@pytest.fixture(scope="session")
def pseudo_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the catalogue of the made-up language beside ours."""
    folder = tmp_path_factory.mktemp("translations")
    write_catalogue(folder, PSEUDO)
    return folder


@pytest.fixture(autouse=True)
def _pseudo(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a test's nodes speak the made-up language where that is the test's."""
    if getattr(request.node, "callspec", None) is None or request.node.callspec.params.get("language") != PSEUDO:
        yield
        return
    with speaking(monkeypatch, request.getfixturevalue("pseudo_catalogue"), PSEUDO, "el_GR"):
        yield


def dress(page: Page, language: str) -> None:
    """Show pages as they are judged in a language: at a desk by day, Chinese, Spanish and German on a phone by night.

    Those to come bring axe along: the browser keeps it, where handing it over takes nearly as long as the looking.
    """
    resize(page, _judged_at(language))
    page.emulate_media(color_scheme="light" if language in ("en", PSEUDO) else "dark")
    page.add_init_script(AXE_SCRIPT)


def assert_well_made_in_every_size(page: Page, language: str) -> None:
    """Judge a page as `dress` shows it; it must fit the other size, too."""
    assert_well_made(page)
    page.set_viewport_size(PHONE if _judged_at(language) == DESK else DESK)
    assert_fits(page)
    page.set_viewport_size(_judged_at(language))


def _judged_at(language: str) -> ViewportSize:
    return DESK if language in ("en", PSEUDO) else PHONE


def wedge(page: Page, *codes: str, separator: str = "Control+]") -> None:
    """Type codes as a scanner does; how it sends the separator of a GS1 code is its setting."""
    _press(page, codes, 0.002, separator)


def by_hand(page: Page, text: str) -> None:
    """Type a text and Enter as a hand does."""
    _press(page, (text,), 0.15)


def _press(page: Page, texts: tuple[str, ...], gap_s: float, separator: str = "") -> None:
    # the time stamps are ours, so a busy machine cannot stretch the gaps
    line = page.context.new_cdp_session(page)
    at = page.evaluate("(performance.timeOrigin + performance.now()) / 1000")
    for text in texts:
        at += 0.2
        for key in [*text, "Enter"]:
            at += gap_s
            if key == "\x1d":
                _separate(line, separator, at)
                continue
            typed = "\r" if key == "Enter" else key
            stroke = {"key": key, "windowsVirtualKeyCode": ord(typed.upper()), "timestamp": at}
            line.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": typed, **stroke})
            line.send("Input.dispatchKeyEvent", {"type": "keyUp", **stroke})
    line.detach()


def _separate(line: CDPSession, how: str, at: float) -> None:
    """Send the separator as a function key, or as a letter with Control held."""
    held = how.startswith("Control+")
    if held:
        line.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Control", "modifiers": 2, "timestamp": at})
    stroke = {"key": how.removeprefix("Control+"), "modifiers": 2 if held else 0, "timestamp": at}
    line.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **stroke})
    line.send("Input.dispatchKeyEvent", {"type": "keyUp", **stroke})
    if held:
        line.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": "Control", "timestamp": at})
