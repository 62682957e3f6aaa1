"""Pictures of the manuals, taken from the running demonstration: `python docs/pictures.py [NAME ...]`.

Start `python3 run demo --fresh --port 8100` first. Every picture is taken in each language whose pages show it.
"""

import io
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
NETWORK, STORE = "http://127.0.0.1:8100", "http://127.0.0.1:8101"
PHONE = (390, 844)
SETTLED_MS = 900


class Picture(NamedTuple):
    """Where a picture is taken, and what is done there first."""

    address: str
    size: tuple[int, int] = (1280, 800)
    prepare: Callable[[Page], object] = Page.title


def open_first(links: str) -> Callable[[Page], None]:
    """Follow the first link that matches."""

    def follow(page: Page) -> None:
        page.goto(urljoin(page.url, page.get_attribute(links, "href")))

    return follow


def fill_basket(page: Page) -> None:
    """Open the till where it is closed, and take three products."""
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(SETTLED_MS)
    if page.locator("#float").is_visible():
        page.keyboard.type("20000")
        page.keyboard.press("Enter")
    if page.locator("#lines .line").count():  # as the picture before left it
        return
    for place in range(3):
        page.locator(".tile").nth(place).click()
        page.wait_for_timeout(SETTLED_MS)


def pay(page: Page) -> None:
    """Go on to the payment of a basket."""
    fill_basket(page)
    page.locator("#pay-button").click()


def begin_count(page: Page) -> None:
    """Begin to count the drawer, or go on with it; the count is left as it is."""
    if page.locator("a[href$='/drawer/count']").count():
        page.locator("a[href$='/drawer/count']").first.click()
    else:
        page.locator("form[action$='/count'] button").click()


PICTURES = {
    "first-steps": Picture(f"{STORE}/first-steps/"),
    "till-basket": Picture(f"{STORE}/till/", prepare=fill_basket),
    "pay-cash": Picture(f"{STORE}/till/", prepare=pay),
    "promotion-form": Picture(f"{STORE}/offers/new/free"),
    "product-price": Picture(f"{STORE}/products/", prepare=open_first("a.product-name")),
    "orders": Picture(f"{STORE}/orders/"),
    "receiving": Picture(f"{STORE}/deliveries/", prepare=open_first("main a[href^='/deliveries/']")),
    "stock": Picture(f"{STORE}/stock/"),
    "shelf": Picture(f"{STORE}/shelf/"),
    "pickup": Picture(f"{STORE}/pickup/"),
    "home-deliveries": Picture(f"{STORE}/home-deliveries/", PHONE),
    "printer": Picture(f"{STORE}/settings/printers/"),
    "practice": Picture(f"{STORE}/training/", PHONE),
    "count-drawer": Picture(f"{STORE}/money/", prepare=begin_count),  # last: a till that is counted sells nothing
    "network-today": Picture(f"{NETWORK}/console/"),
    "network-stores": Picture(f"{NETWORK}/console/stores/"),
    "network-demand": Picture(f"{NETWORK}/console/demand/"),
    "network-money": Picture(f"{NETWORK}/console/money/"),
    "network-routes": Picture(f"{NETWORK}/console/routes/"),
}
QUALITY, LONG_SIDE = 72, 1100


def take(browser: Browser, language: str, name: str) -> None:
    """Sign in, go there, and keep what is seen."""
    picture = PICTURES[name]
    node = "/".join(picture.address.split("/")[:3])
    context = browser.new_context(viewport=dict(zip(("width", "height"), picture.size, strict=True)))
    page = context.new_page()
    page.goto(f"{node}/signin?lang={language}")
    page.get_by_role("link", name=re.compile("Wei|Olivia")).first.click()
    page.fill("input[name=pin]", "3333" if node == NETWORK else "2222")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "signin" not in url)
    page.goto(f"{picture.address}?lang={language}")
    picture.prepare(page)
    page.wait_for_timeout(SETTLED_MS)
    file = HERE / "manual" / language / "pictures" / f"{name}.webp"
    file.parent.mkdir(exist_ok=True)
    with Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as seen:
        seen.thumbnail((LONG_SIDE, LONG_SIDE))
        seen.save(file, "WEBP", quality=QUALITY, method=6)
    context.close()


def main(names: list[str]) -> None:
    """Take the pictures named, or all."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        folders = {
            folder: "".join(page.read_text("utf-8") for page in folder.rglob("*.md"))
            for folder in sorted((HERE / "manual").glob("??"))
        }
        for name in names or PICTURES:
            for folder, text in folders.items():
                if f"pictures/{name}.webp" in text:
                    take(browser, folder.name, name)
                    print(folder.name, name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
