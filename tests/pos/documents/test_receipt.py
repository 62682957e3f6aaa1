"""Receipts, till reports and pickup slips as they stand on the paper."""

import itertools
import json
import re
from dataclasses import MISSING, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.nodes.journal import Context
from config.words import LANGUAGES as EVERY
from config.words import language
from pos.documents import accounts, badge, goods, labels, paper, receipt, till_report
from pos.facts import SaleCompleted
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.store.store import show_receipts
from tests.builders import NOON, STORE
from tests.pos import paper_documents as documents
from tests.readable import as_text

COLUMNS = (32, 42, 48)
LANGUAGES = ("en", "zh")
LAYOUTS = {
    **{name: (receipt.layout, make, 0) for name, make in documents.RECEIPTS.items()},
    "copy": (receipt.layout, documents.british_sale, 2),
    "z": (till_report.till_report, documents.till_report, 0),
    "full_z": (till_report.till_report, documents.full_z, 0),
    "x": (till_report.till_report, lambda: documents.till_report(None), 0),
    "pickup": (receipt.pickup_slip, documents.pickup_order, 0),
    "bin": (receipt.bin_label, documents.pickup_order, 0),
    "goods_back": (goods.back_slip, documents.goods_back, 0),
    "goods_back_copy": (goods.back_slip, documents.goods_back, 1),
    "gift": (receipt.gift_receipt, documents.gift, 0),
    "drop": (receipt.cash_slip, lambda: documents.cash("drop"), 0),
    "pay_in": (receipt.cash_slip, lambda: documents.cash("pay_in"), 0),
    "pay_out": (receipt.cash_slip, lambda: documents.cash("pay_out"), 0),
    "to_safe": (receipt.cash_slip, lambda: documents.put_away("safe"), 0),
    "to_bank": (receipt.cash_slip, lambda: documents.put_away("bank"), 0),
    "statement": (accounts.statement, documents.statement, 0),
    "tab_paid": (accounts.repayment_slip, documents.repayment, 0),
    "voucher": (accounts.voucher_slip, documents.voucher, 0),
    "transfer": (accounts.transfer_slip, documents.transfer, 0),
    "drawer": (receipt.drawer_slip, lambda: documents.cash("pay_out"), 0),
    "pick_list": (goods.pick_list, documents.pick_list, 0),
    "delivery": (goods.delivery_slip, documents.delivery, 0),
    "claim": (goods.claim_slip, documents.delivery, 0),
    "count_sheet": (goods.count_sheet, documents.count_sheet, 0),
    "price_batch": (goods.price_batch, documents.price_batch, 0),
}
CASES = [
    *itertools.product(LAYOUTS, COLUMNS, LANGUAGES),
    *itertools.product(("to_safe", "to_bank"), COLUMNS, ("es", "de")),
]


def file_name(name, columns, language):
    return f"receipt/{name}_{columns}_{language}.txt"


@pytest.mark.parametrize(("name", "columns", "language"), CASES)
def test_layouts_stay_as_they_were_approved_and_no_line_is_wider_than_the_paper(golden, name, columns, language):
    layout, make, copy_no = LAYOUTS[name]
    lines = layout(make(), columns=columns, language=language, copy_no=copy_no)
    texts = [line for line in lines if line.kind not in ("cut", "qr", "barcode")]
    assert all(paper.width(paper.composed(line, columns)) * line.wide <= columns for line in texts)
    golden.check(file_name(name, columns, language), as_text(lines, columns))


LABELS = {"label": documents.label, "markdown": documents.markdown}
LABEL_CASES = list(itertools.product(LABELS, COLUMNS, LANGUAGES))


@pytest.mark.parametrize(("name", "columns", "language"), LABEL_CASES)
def test_label_layouts_stay_as_they_were_approved(golden, name, columns, language):
    lines = labels.layout(LABELS[name](), columns=columns, language=language)
    golden.check(file_name(name, columns, language), as_text(lines, columns))


FOREIGN = re.compile(r"[€$£] ?\d|EUR|\d\.\d\d(?![\d.])|\d ?[ap]m\b|\b20\d\d-\d\d-\d\d", re.IGNORECASE)
"""How neither Germany nor Spain writes money, numbers, times and days."""


@pytest.mark.parametrize(("tongue", "tz"), [("de", "Europe/Berlin"), ("es", "Europe/Madrid")])
@pytest.mark.parametrize("name", [*LAYOUTS, *LABELS])
def test_every_kind_of_paper_writes_figures_as_the_stores_country_does(name, tongue, tz):
    layout, make, _ = LAYOUTS.get(name) or (labels.layout, LABELS[name], 0)
    document = json.loads(json.dumps(make(), default=str).replace("2 for 2.00", "2 for 2"))
    at_home = {"currency": "EUR", "tz": tz, "language": tongue}
    document = document | {"store": document["store"] | at_home} if "store" in document else document | at_home
    document |= {"pack_text": ""} if name == "markdown" else {}
    lines = [line for line in layout(document, columns=48, language=tongue) if line.kind != "qr"]
    paper = as_text(lines, 48)
    assert FOREIGN.findall(paper) == []
    if name in documents.RECEIPTS or name in LABELS:
        assert re.search(r"\d,\d\d €", paper)
    if "local_time" in document and name != "drawer":
        assert re.search(r"24\.11\.2026|24 nov 2026", paper)


def test_every_golden_receipt_is_compared_with(golden):
    names = {file_name(*case) for case in [*CASES, *LABEL_CASES]}
    golden.require_no_others("receipt", names)


def test_updating_golden_files_is_refused_in_ci(monkeypatch):
    from tests.golden import Golden

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="never updated in CI"):
        Golden(update=True)


def test_the_collection_code_is_never_on_the_shops_paper():
    order = documents.pickup_order()
    for layout in (receipt.pickup_slip, receipt.bin_label):
        text = as_text(layout(order, columns=48), 48)
        assert order["code"] not in text
        assert "Amelia" in text
        assert "Brown" not in text


@pytest.mark.parametrize("name", documents.RECEIPTS)
def test_a_receipt_from_before_a_field_was_added_is_laid_out_as_it_was(name):
    document = documents.RECEIPTS[name]()
    for each in fields(SaleCompleted):
        if (each.default, each.default_factory) != (MISSING, MISSING):
            document.pop(each.name, None)
    before = as_text(receipt.layout(document, columns=42), 42)
    assert as_text(receipt.layout({**document, "customer": {"id": "c1"}}, columns=42), 42) == before


def test_prices_without_tax_show_subtotal_and_tax():
    text = as_text(receipt.layout(documents.american_sale(), columns=48), 48)
    rows = [row.split() for row in text.splitlines()]
    assert ["Subtotal", "7.13"] in rows
    assert ["Tax", "0.33"] in rows
    assert any(row[-2:] == ["TOTAL", "$7.46"] for row in rows)


def test_a_copy_says_so_at_both_ends_and_an_original_does_not():
    copied = as_text(receipt.layout(documents.british_sale(), columns=48, copy_no=1), 48)
    assert copied.count("*** COPY 1 ***") == 2
    assert "COPY" not in as_text(receipt.layout(documents.british_sale(), columns=48), 48)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_copy_is_the_print_with_its_mark_from_the_kept_document_alone(name):
    layout, make, _ = LAYOUTS[name]
    kept = json.loads(json.dumps(make()))
    printed = layout(make(), columns=48)
    copied = layout(kept, columns=48, copy_no=3)
    left = iter(copied)
    assert all(line in left for line in printed)
    assert any("COPY 3" in line.text for line in copied)


def test_counting_is_blind_so_an_x_report_tells_no_expected_cash():
    text = as_text(till_report.till_report(documents.till_report(None), columns=48), 48)
    assert "Cash expected" not in text


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1312, "GBP", "£13.12"), (-5, "USD", "-$0.05"), (123456789, "CNY", "¥1,234,567.89"), (1200, "KRW", "KRW 1,200")],
)
def test_amounts_carry_a_sign_every_printer_has(minor, currency, text):
    assert paper.price(language("en"), minor, currency) == text


@given(st.text(min_size=1, max_size=120), st.integers(-(10**12), 10**12), st.sampled_from(COLUMNS))
def test_no_name_and_no_amount_breaks_the_layout(name, minor, columns):
    document = documents.british_sale()
    document["lines"][0] |= {"name": name, "unit_price_minor": minor}
    document |= {"cashier_name": name, "till_name": name, "total_minor": minor}
    document["store"]["name"] = name
    for line in receipt.layout(document, columns=columns, language="zh"):
        assert paper.width(paper.composed(line, columns)) * line.wide <= columns or line.kind == "cut"


@pytest.mark.parametrize("columns", COLUMNS)
def test_what_was_noted_stands_under_its_product_and_what_was_noted_of_the_sale_at_the_end(columns):
    document = documents.british_sale()
    first, second = document["lines"][:2]
    noted = document | {"note": "for the school", "lines": [first | {"note": "keep it cold"}, *document["lines"][1:]]}
    text = as_text(receipt.layout(noted, columns=columns), columns)
    assert text.index(first["name"][:8]) < text.index("keep it cold") < text.index(second["name"][:8])
    assert text.index("Note: for the school") > text.index("TOTAL")
    bare = as_text(receipt.layout(document, columns=columns), columns)
    assert "Note" not in bare


@pytest.mark.parametrize(("language", "worded"), [("en", "Damaged packaging"), ("zh", "包装破损")])
def test_a_reason_is_worded_in_the_language_of_the_paper_and_a_persons_own_words_stay(language, worded):
    sold = documents.british_sale()
    for line, reason in zip(sold["lines"], ("why-damaged", "隔壁的老王"), strict=False):
        line.update(price_type="override", list_price_minor=500, reason=reason)
    text = as_text(receipt.layout(sold, columns=48, language=language), 48)
    assert worded in text
    assert "隔壁的老王" in text
    assert "why-" not in text


def test_a_copy_shows_the_end_of_a_voucher_s_code_alone():
    document = documents.british_sale() | {
        "vouchers": [{"kind": "gift", "amount_minor": 2000, "code": "ABCD-EFGH-JKLM"}]
    }
    first, copy = (as_text(receipt.layout(document, columns=42, copy_no=n), 42) for n in (0, 1))
    assert "ABCD-EFGH-JKLM" in first
    assert "ABCD" not in copy
    assert "... JKLM" in copy


AT = "https://shops.example/shop/corner/receipts"


def sold(store, address=AT):
    with store.write() as session:
        show_receipts(Context(session, store.wei, NOON), STORE, address)
    return store.sell([("milk", 1)]).document


def test_a_receipt_carries_its_address_once_the_shop_wants_it(store):
    assert receipt.e_receipt_address(sold(store, "")) == ""
    document = sold(store)
    address = receipt.e_receipt_address(document)
    assert address.startswith(f"{AT}/T1-2/")
    codes = [line.text for line in receipt.layout(document, columns=32) if line.kind == "qr"]
    assert codes == [address]
    assert b"\x1d(k" in encode(receipt.layout(document, columns=32), PrinterModel(32))


def test_the_end_of_an_address_is_right_for_its_receipt_alone(store):
    first, second = sold(store), sold(store)
    end = receipt.e_receipt_token(first)
    assert len(end) == receipt.LETTERS
    assert receipt.is_right_token(first, end)
    assert receipt.is_right_token(first, end.upper())
    assert not receipt.is_right_token(second, end)
    assert not receipt.is_right_token(first, "")
    assert not receipt.is_right_token(first, "é" * 20)


@pytest.mark.parametrize(("code", "tz", "written"), [
    ("en", "America/New_York", "Mar 2, 2026, 10:00 AM - 11:00 AM"),
    ("en", "Europe/London", "2 Mar 2026, 10:00 - 11:00"), ("de", "Europe/Berlin", "02.03.2026, 10:00 - 11:00"),
])  # fmt: skip
def test_the_time_to_collect_is_written_as_the_country_writes_it(code, tz, written):
    slip = documents.pickup_order() | {
        "customer": {"code": "7K2M", "url": "https://shop.example", "from": "2026-03-02 10:00", "until": "11:00"}
    }
    slip["store"] |= {"tz": tz}
    assert written in as_text(receipt.pickup_slip(slip, columns=48, language=code), 48)


@pytest.mark.parametrize("code", EVERY)
@pytest.mark.parametrize("columns", COLUMNS)
def test_a_badge_says_what_it_is_in_one_line(code, columns):
    lines = badge.badge_slip(documents.badge(), columns=columns, language=code)
    assert language(code)("BADGE") in [line.text for line in lines]
