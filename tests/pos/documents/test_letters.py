"""Every kind of PDF in every script: its text copies as it was written, in fonts that the file carries itself."""

import io
import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pypdf
import pytest
from fontTools.ttLib import TTFont

from config import words
from pos.documents import letters, pdf, producer_statement_pages
from pos.documents.paper import PaperLine
from pos.printing.queue import lay_out
from supply.network.purchasing import message_pages
from supply.online.messages import message_slips
from tests.pos import paper_documents as documents

SCRIPTS = {
    "Polish": "Zażółć gęślą jaźń",
    "Czech": "Příliš žluťoučký kůň",
    "Greek": "Φρέσκο γάλα Ήπειρος",
    "Cyrillic": "Съешь ещё булок Ґ",
    "Vietnamese": "Phở bò Việt Nguyễn",
    "Thai": "น้ำปลาญี่ปุ่น ทั้งปู่",
    "Hindi": "हिन्दी क्षत्रिय शक्ति श्री",
    "Chinese": "李锦记 新鲜牛奶",
    "no font": "우유 😀",
    "signs": "Ben & <b>Söhne</b> €",
}
ORDER = {
    "store": documents.STORE, "order_no": "2026-7", "order_day": "2026-11-24", "by": "", "customer_no": "C1",
    "language": "en", "lines": [], "total_minor": 1800,
}  # fmt: skip
ORDERED = {
    "article_no": "11", "barcode": "", "packs": 2, "pack_qty": 6, "stock_unit": "each", "pack_cost_minor": 900,
}  # fmt: skip
RETURNED = {"purchase_no": "2026-1", "batch": "L1", "expires_on": "2026-12-01", "qty": 6, "stock_unit": "each"}


def order(name: str, line: dict, **other) -> bytes:
    store = documents.STORE | {"name": name, "address": name}
    lines = [line | {"name": name}]
    return message_pages.pages(ORDER | {"store": store, "supplier_name": name, "by": name, "lines": lines} | other)


def receipt(name: str) -> bytes:
    document = documents.british_sale() | {"cashier_name": name, "store": documents.STORE | {"name": name}}
    document["lines"] = [documents.line(name, 1, 120, 120)]
    return pdf.document_pages(lay_out("receipt", document, columns=pdf.COLUMNS), name)


def statement(name: str) -> bytes:
    rows = [
        {"day": "2026-11-24", "receipt": "1-7", "product": name, "lot": "L1", "qty": 2, "stock_unit": "each"}
        | {"net_minor": 240, "due_minor": 200}
    ]
    head = {"store": name, "producer": name, "title": f"Statement {name}", "currency": "GBP", "until": name}
    return producer_statement_pages.pages(head | {"sums": [(name, 200, True)], "rows": rows}, words.language("en"))


KINDS = {
    "order": lambda name: order(name, ORDERED, delivery_day="2026-11-25"),
    "order called off": lambda name: order(name, ORDERED, delivery_day="2026-11-25", called_off=name),
    "return": lambda name: order(name, RETURNED, why=name),
    "receipt": receipt,
    "statement": statement,
    "labels": lambda name: pdf.label_sheets([documents.label() | {"name": name}], pdf.SHEETS["63x38"]),
    "shelf": lambda name: pdf.shelf_picture(name, name, [pdf.ShelfPlace(1, name, 4, (name,))], [documents.label()]),
    "slips": lambda name: message_slips.pages(
        name, name, [SimpleNamespace(name=name, phone="", text=f"{name} {name}", code="C-123456")]
    ),
}


_WRITTEN = [
    (script, kind)
    for (n, script), (k, kind) in itertools.product(enumerate(SCRIPTS), enumerate(KINDS))
    if not (n + k) % 3
]
"""Every script on two or three kinds of paper, every kind in three or four scripts."""


@pytest.mark.parametrize(("script", "kind"), _WRITTEN)
def test_what_is_copied_is_what_was_written_in_fonts_the_file_carries(script, kind):
    name = SCRIPTS[script]
    made = KINDS[kind](name)
    assert made == KINDS[kind](name), "the same content gives the same bytes"
    page = pypdf.PdfReader(io.BytesIO(made)).pages[0]
    copied = " ".join(page.extract_text().split())
    times = {"order": 3, "order called off": 3, "return": 3, "receipt": 3, "statement": 4, "slips": 4, "shelf": 4}
    assert copied.count(name) >= times.get(kind, 1), copied
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert fonts
    assert all(font["/FontDescriptor"]["/FontFile2"] for font in fonts)
    assert "/XObject" not in page["/Resources"], "no letter is a picture"
    assert len(made) < 60_000, "a font is carried with the letters of this file alone"


@pytest.mark.parametrize(("letter", "mark"), ["\u0915\u0901", "\u0e01\u0e48", "e\u0301"])
def test_a_letter_with_hundreds_of_marks_is_printed_like_any(letter, mark):
    name = letter + mark * 400
    made = pdf.label_sheets([documents.label() | {"name": name}], pdf.SHEETS["63x38"])
    assert len(pypdf.PdfReader(io.BytesIO(made)).pages) == 1


def test_every_page_of_an_order_has_its_number_and_the_titles():
    lines = [ORDERED | {"name": f"Product {n}"} for n in range(90)]
    made = message_pages.pages(ORDER | {"lines": lines, "supplier_name": "Farm", "delivery_day": "2026-11-25"})
    pages = [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(made)).pages]
    assert len(pages) == 3
    for n, text in enumerate(pages, 1):
        assert "Corner Store · Order 2026-7" in text
        assert f"Page {n}" in text
        assert "Your item no. Product Packs" in text
    assert sum(text.count("Product ") for text in pages) == 90 + 3


def test_what_is_too_wide_for_its_line_is_written_smaller_and_bold_chinese_is_bolder():
    sizes = {}
    made = pdf.document_pages([PaperLine("W" * 80, right="Wang A"), PaperLine("short", right="2.40 A")], "wide")
    pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text(
        visitor_text=lambda text, _cm, tm, _font, size: sizes.setdefault(text.strip(), (size, tm[4]))
    )
    assert sizes["W" * 80][0] < 6 < sizes["short"][0] == 10
    assert sizes["A"][1] > sizes["2.40"][1] + 12, "a tax's letter is a column"
    assert letters.runs("牛奶") != letters.runs("牛奶", bold=True)


def test_marks_stand_on_their_letter_as_the_font_says():
    page = pypdf.PdfReader(io.BytesIO(KINDS["receipt"]("ฝั่ง"))).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    (thai,) = (font for font in fonts if font["/BaseFont"].endswith("Thai-Regular"))
    glyphs = TTFont(io.BytesIO(thai["/FontDescriptor"]["/FontFile2"].get_data()))["glyf"]
    composed = [glyphs[name].components for name in glyphs.keys() if glyphs[name].isComposite()]  # noqa: SIM118
    (written,) = (parts for parts in composed if len(parts) == 3)
    base, vowel, tone = ((part.x, part.y) for part in written)
    assert base == (0, 0)
    assert 0 < tone[0] < vowel[0], "the tone mark stands above the vowel"
    assert tone[1] < vowel[1] == 0, "and comes down beside the letter's tall stroke"


def test_files_made_at_once_are_those_made_one_after_the_other():
    wanted = [(kind, name) for name in ("กำลัง ปิ่น ซื้อ", "किशमिश शर्बत", "特级鲜味生抽") for kind in ("order", "labels")]
    one_by_one = [KINDS[kind](name) for kind, name in wanted]
    letters.runs.cache_clear()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            at_once = list(pool.map(lambda one: KINDS[one[0]](one[1]), wanted * 6))
    finally:
        sys.setswitchinterval(usual)
    assert at_once == one_by_one * 6
