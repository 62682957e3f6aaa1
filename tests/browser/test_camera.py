"""The camera as a scanner: a fake camera films real barcodes, and the pages do with them what a scanner's code does."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import barcode
import pytest
import segno
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from pos.sold import Sale
from tests.browser.conftest import CODES, PHONE, PIN, Node, assert_well_made, by_hand, enter, wedge
from tests.browser.test_office import Office, office
from tests.browser.test_office import enter as enter_office
from tests.browser.test_stock_work import MILK, busy, counted
from tests.store_app import office as goods

__all__ = ["busy", "office"]
pytestmark = pytest.mark.browser
WIDE, HIGH, FRAMES_A_SECOND = 640, 480, 10
GRANTED = "--use-fake-ui-for-media-stream"
Film = list[tuple[Image.Image, float]]


def bars(modules: str) -> Image.Image:
    """Draw a barcode of one row as it stands on a pack held before a camera."""
    picture, step = blank(), WIDE * 2 // 3 // len(modules)
    left, draw = (WIDE - step * len(modules)) // 2, ImageDraw.Draw(picture)
    for at, module in enumerate(modules):
        if module == "1":
            draw.rectangle((left + at * step, 140, left + at * step + step - 1, 340), fill=0)
    return picture


def linear(kind: str, text: str) -> Image.Image:
    return bars(barcode.get(kind, text).build()[0])


def matrix(rows: list[str], step: int = 8) -> Image.Image:
    picture = blank()
    left, top = (WIDE - step * len(rows[0])) // 2, (HIGH - step * len(rows)) // 2
    draw = ImageDraw.Draw(picture)
    for y, row in enumerate(rows):
        for x, module in enumerate(row):
            if module == "1":
                draw.rectangle(
                    (left + x * step, top + y * step, left + (x + 1) * step - 1, top + (y + 1) * step - 1), fill=0
                )
    return picture


def qr(text: str) -> Image.Image:
    return matrix(["".join("1" if module else "0" for module in row) for row in segno.make(text, micro=False).matrix])


def blank() -> Image.Image:
    return Image.new("L", (WIDE, HIGH), 235)


@pytest.fixture
def filming(
    launch_browser: Callable[..., Any], browser_type_launch_args: dict[str, Any], chromium: str, tmp_path: Path
) -> Iterator[Callable[..., Page]]:
    """Give a maker of pages before a camera that films pictures, each for so many seconds, round and round."""
    browsers: list[Any] = []

    def make(film: Film | Image.Image, *switches: str, allowed: bool = True, **context: Any) -> Page:
        path = tmp_path / f"film-{len(browsers)}.y4m"
        scenes = film if isinstance(film, list) else [(film, 1.0)]
        with path.open("wb") as file:
            file.write(f"YUV4MPEG2 W{WIDE} H{HIGH} F{FRAMES_A_SECOND}:1 Ip A1:1 C420jpeg\n".encode())
            for picture, seconds in scenes:
                colourless = bytes([128]) * (WIDE * HIGH // 2)
                file.write((b"FRAME\n" + picture.tobytes() + colourless) * round(seconds * FRAMES_A_SECOND))
        fake = [
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={path}",
            *([GRANTED] if allowed else []),
        ]
        args = [*browser_type_launch_args["args"], *fake, *switches]
        browsers.append(launch_browser(executable_path=chromium, args=args))  # the shell asks nobody for leave
        page: Page = browsers[-1].new_context(**context).new_page()
        return page

    yield make
    for browser in browsers:
        browser.close()


def open_camera(page: Page, button: str = "#camera-button") -> None:
    page.locator(button).click()
    expect(page.locator("[data-when=hold]")).to_be_visible()


def says(page: Page, what: str, words: str) -> None:
    sentence = page.locator(f"[data-when={what}]")
    expect(sentence).to_be_visible()
    expect(sentence).to_contain_text(words)


def film_for(page: Page, seconds: float) -> None:
    """Wait until the camera has filmed so much longer; its own clock counts."""
    until = page.locator("video").evaluate("film => film.currentTime") + seconds
    page.wait_for_function("until => document.querySelector('video').currentTime > until", arg=until)


def test_a_code_in_view_is_rung_up_once_however_long_it_is_held_there(filming: Callable[..., Page], node: Node):
    page = enter(filming(linear("ean13", CODES["MILK"])), node)
    open_camera(page)
    expect(page.locator("[data-told]")).to_have_text("+1 Whole milk")
    film_for(page, 2)
    expect(page.locator("#count")).to_have_text("1 item")
    expect(page.locator("#total")).to_have_text("$3.49")
    page.get_by_role("button", name="Turn off the camera").click()
    expect(page.locator("#camera-button")).to_be_focused()
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#pay-done")).to_be_visible()
    assert [sale.total_minor for sale in node.rows(Sale)] == [349]


def test_a_code_that_left_the_view_and_came_back_counts_again(filming: Callable[..., Page], node: Node):
    page = enter(filming([(linear("ean13", CODES["MILK"]), 1.0), (blank(), 2.5)]), node)
    open_camera(page)
    page.wait_for_function("() => parseInt(document.querySelector('#count').textContent) >= 2")
    expect(page.locator("#lines > li")).to_have_count(1)


def test_what_counts_is_seen_twice_when_it_may_be_misread_and_again_only_after_it_was_gone(page: Page, node: Node):
    enter(page, node)
    see = """async (sightings) => {
        const { Sightings } = await import("/static/camera/sightings.js");
        const eyes = new Sightings();
        return sightings.map(([text, sure, now]) => eyes.see(text && { text, sure }, now));
    }"""
    bread, order = "2000000000022", "ABCD2345"
    assert page.evaluate(see, [[bread, False, 0], [bread, False, 60], [bread, False, 120]]) == [None, bread, None]
    assert page.evaluate(see, [[bread, False, 0], [bread, False, 1100]]) == [None, None], "two single glimpses"
    assert page.evaluate(see, [[order, True, 0], [None, True, 600], [order, True, 1400]]) == [order, None, None]
    gone = [[order, True, 0], [None, True, 900], [None, True, 1600], [order, True, 1700], [order, True, 3000]]
    assert page.evaluate(see, gone) == [order, None, None, order, None]
    assert page.evaluate(see, [[order, True, 0], [order, True, 4000]]) == [order, None], "a slow device saw no gap"
    assert page.evaluate(see, [[order, True, 0], [bread, False, 50], [bread, False, 99]]) == [order, None, bread]


DATA_MATRIX = [
    "10101010101010101010101010", "11010000010110100111101011", "10001001010010001011001000",
    "10110001000000111101110111", "11100100100110001011111100", "10000100110011111101100001",
    "10010010001010010011111010", "10010001111001000000111101", "11000001000010001001100000",
    "11001001110000100100000101", "10001000000110111011000110", "11111111111111111111111111",
]  # fmt: skip
"""(01)02000000000015(17)301231(10)L7, drawn once by zxing-cpp."""
UPC_E_01234565 = "101011001100100110111101001110101110010101111010101"
READ = {
    "EAN-13": (lambda: linear("ean13", "4006381333931"), "4006381333931"),
    "EAN-8": (lambda: linear("ean8", "96385074"), "96385074"),
    "UPC-A": (lambda: linear("upca", "036000291452"), "036000291452"),
    "UPC-E": (lambda: bars(UPC_E_01234565), "012345000065"),
    "Code 128": (lambda: linear("code128", "S01-0042"), "S01-0042"),
    "ITF-14": (lambda: linear("itf", "10012345678902"), "10012345678902"),
    "GS1-128": (lambda: linear("gs1_128", "010200000000001510L7"), "]C1010200000000001510L7"),
    "QR": (lambda: qr("ABCD2345"), "ABCD2345"),
    "GS1 DataMatrix": (lambda: matrix(DATA_MATRIX), "]d201020000000000151730123110L7"),
    "GS1 Digital Link": (lambda: qr("https://id.gs1.org/01/02000000000015"), "https://id.gs1.org/01/02000000000015"),
    "an advertisement": (lambda: qr("https://example.com/win"), None),
    "nothing": (blank, None),
}


def test_every_kind_of_code_a_shop_meets_is_read_as_a_scanner_would_type_it(page: Page, node: Node, faults: list[str]):
    enter(page, node)
    read = """async (pictures) => {
        const worker = new Worker("/static/built/camera/reader.js"), found = [];
        for (const [points, width, height] of pictures) {
            const grey = Uint8Array.from(atob(points), (sign) => sign.charCodeAt(0));
            const pixels = new Uint8ClampedArray(grey.length * 4).fill(255);
            grey.forEach((shade, at) => pixels.fill(shade, 4 * at, 4 * at + 3));
            const told = new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
            worker.postMessage({ pixels: pixels.buffer, width, height });
            const { code, fault } = await told;
            found.push(fault ?? code?.text ?? null);
        }
        return found;
    }"""
    pictures = [[base64.b64encode(draw().tobytes()).decode(), WIDE, HIGH] for draw, _ in READ.values()]
    found = dict(zip(READ, page.evaluate(read, pictures), strict=True))
    assert found == {kind: text for kind, (_, text) in READ.items()}


def test_a_gs1_code_rings_up_its_product_with_batch_and_last_day(filming: Callable[..., Page], node: Node):
    page = enter(filming(matrix(DATA_MATRIX)), node)
    open_camera(page)
    expect(page.locator("#lines")).to_contain_text("L7")
    expect(page.locator("#lines")).to_contain_text("Whole milk")


def test_an_open_question_is_not_disturbed_by_the_camera(filming: Callable[..., Page], node: Node):
    page = enter(filming(linear("ean13", CODES["APPLE"])), node)
    open_camera(page)
    expect(page.locator("#sheet-title")).to_contain_text("Weight in grams")
    film_for(page, 2)
    for digit in "350":
        page.locator(f"#sheet [data-key='{digit}']").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("[data-told]")).to_have_text("+350 g Apples")
    expect(page.locator("#lines > li")).to_have_count(1)


def test_a_question_that_wants_a_code_has_the_camera_too_and_sells_nothing(filming: Callable[..., Page], node: Node):
    page = enter(filming(linear("ean13", CODES["TEA"])), node)
    page.keyboard.press("F3")
    open_camera(page, "#sheet-camera-button")
    expect(page.locator("#sheet .lookup h3")).to_have_text("绿茶 Green tea")
    page.keyboard.press("Escape")
    expect(page.locator("video")).to_have_count(0)
    expect(page.locator("#nothing")).to_be_visible()


def test_the_camera_is_let_go_when_it_is_closed_and_when_the_page_is_left_or_money_is_taken(
    filming: Callable[..., Page], node: Node
):
    page = enter(filming(blank()), node)
    wedge(page, CODES["MILK"])
    leave = {
        "closed": lambda: page.get_by_role("button", name="Turn off the camera").click(),
        "Escape": lambda: page.keyboard.press("Escape"),
        "left": lambda: page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))"),
        "paid": lambda: page.keyboard.press("F8"),
    }
    for act in leave.values():
        open_camera(page)
        page.evaluate("window.seenTrack = document.querySelector('video').srcObject.getTracks()[0]; undefined")
        act()
        expect(page.locator("video")).to_have_count(0)
        page.wait_for_function("() => window.seenTrack.readyState === 'ended'")


def test_nothing_of_the_camera_is_fetched_before_it_is_opened(filming: Callable[..., Page], node: Node):
    page, asked = filming(blank()), []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, node)
    assert not [url for url in asked if re.search("camera|zxing", url)]
    open_camera(page)
    assert [url for url in asked if url.endswith("/static/built/camera/camera.js")]
    assert not [url for url in asked if not url.startswith(node.url)]


def test_a_browser_that_may_not_use_the_camera_says_what_to_do(filming: Callable[..., Page], node: Node):
    page = enter(filming(blank(), "--deny-permission-prompts", allowed=False), node)
    page.locator("#camera-button").click()
    says(page, "denied", "allow the camera, then try again")
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-when=hold]")).to_be_visible()


def test_a_machine_without_a_camera_says_so(page: Page, node: Node):
    enter(page, node)
    page.context.grant_permissions(["camera"])
    page.locator("#camera-button").click()
    says(page, "missing", "Plug one in")


def test_a_page_that_came_over_plain_http_says_where_the_camera_works(
    filming: Callable[..., Page], make_node: Callable[..., Node]
):
    node = make_node(public_url="http://corner.test")
    page = filming(blank(), "--host-resolver-rules=MAP corner.test 127.0.0.1")
    page.goto(f"http://corner.test:{node.port}/signin/ana?next=/till/")
    page.fill("#pin", PIN)
    page.press("#pin", "Enter")
    page.wait_for_selector("html[data-ready]")
    page.locator("#camera-button").click()
    says(page, "insecure", "https")
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_the_camera_is_accessible_and_unclipped_on_a_phone(
    filming: Callable[..., Page], node: Node, language: str, scheme: str
):
    page = filming(linear("ean13", CODES["MILK"]), viewport=PHONE, color_scheme=scheme, reduced_motion="reduce")
    enter(page, node, language=language)
    button = page.locator("#camera-button")
    box = button.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 64
    assert button.inner_text().strip()
    open_camera(page)
    expect(page.locator("[data-told]")).to_be_visible()

    def well_made() -> None:
        assert_well_made(page)
        clipped = "words => words.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1).length"
        assert page.locator(".camera p:visible, .camera button:visible").evaluate_all(clipped) == 0

    well_made()
    by_hand(page, "tea")
    page.locator("#lookup-button").click()
    open_camera(page, "#sheet-camera-button")
    well_made()


def test_a_stock_take_counts_what_the_camera_reads_without_a_new_page(filming: Callable[..., Page], busy: Office):
    page = filming(linear("ean13", MILK), viewport=PHONE)
    enter_office(page, busy, "/stock/takes/take-0001/1")
    page.get_by_role("button", name="Camera").click()
    expect(page.locator(".last-name")).to_have_text("Whole milk")
    expect(page.locator("[data-told]")).to_have_text(f"+1 {MILK}")
    assert_well_made(page)
    film_for(page, 2)
    assert counted(busy, "milk") == 1


def test_goods_in_takes_what_the_camera_reads(filming: Callable[..., Page], busy: Office):
    page = filming(linear("ean13", MILK))
    enter_office(page, busy, "/stock/in/note-0001")
    page.get_by_role("button", name="Camera").click()
    expect(page.locator("#chosen-title")).to_have_text("Whole milk")
    assert_well_made(page)


def test_a_customers_code_is_read_from_the_phone_and_opens_the_order(filming: Callable[..., Page], office: Office):
    page = filming(qr(goods.code_for("order-0003")))
    enter_office(page, office, "/pickup/")
    page.get_by_role("button", name="Camera").click()
    page.wait_for_url("**/pickup/order-0003/hand-over")
