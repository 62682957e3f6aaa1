"""The very bytes, on the virtual printer: both paper widths, both kinds of printer, every language."""

import io
import logging
import os
import platform
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from config.words import LANGUAGES
from pos.documents import accounts, badge, goods, labels, receipt, till_report
from pos.documents.paper import CUT, PaperLine
from pos.printing import models, preview
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from tests.pairs import pairwise
from tests.pos import paper_documents as documents
from tests.readable import paper_text
from tests.tools import escpos_printer


@pytest.fixture(scope="session")
def tool():
    """Give the virtual printer's module."""
    return escpos_printer


def printed(tool, paper, columns, chinese):
    """Return the interpreter that has worked the bytes off, and everything it found wrong."""
    machine = tool.Interpreter(58 if columns == 32 else 80, "chinese" if chinese else "western")
    machine.feed(paper)
    machine.end_of_connection()
    problems = [f"{warning['code']}: {warning['message']}" for warning in machine.warnings]
    return machine, problems + [str(unknown) for unknown in machine.unknown]


DOCUMENTS = {
    **{name: (receipt.layout, make) for name, make in documents.RECEIPTS.items()},
    "z": (till_report.till_report, documents.till_report),
    "pickup": (receipt.pickup_slip, documents.pickup_order),
    "bin": (receipt.bin_label, documents.pickup_order),
    "label": (labels.layout, documents.label),
    "goods_back": (goods.back_slip, documents.goods_back),
    "badge": (badge.badge_slip, documents.badge),
    "markdown": (labels.layout, documents.markdown),
    "gift": (receipt.gift_receipt, documents.gift),
    "drop": (receipt.cash_slip, lambda: documents.cash("drop")),
    "pay_in": (receipt.cash_slip, lambda: documents.cash("pay_in")),
    "pay_out": (receipt.cash_slip, lambda: documents.cash("pay_out")),
    "to_safe": (receipt.cash_slip, lambda: documents.put_away("safe")),
    "to_bank": (receipt.cash_slip, lambda: documents.put_away("bank")),
    "statement": (accounts.statement, documents.statement),
    "tab_paid": (accounts.repayment_slip, documents.repayment),
    "voucher": (accounts.voucher_slip, documents.voucher),
    "transfer": (accounts.transfer_slip, documents.transfer),
    "drawer": (receipt.drawer_slip, lambda: documents.cash("pay_out")),
    "pick_list": (goods.pick_list, documents.pick_list),
    "delivery": (goods.delivery_slip, documents.delivery),
    "claim": (goods.claim_slip, documents.delivery),
    "count_sheet": (goods.count_sheet, documents.count_sheet),
    "price_batch": (goods.price_batch, documents.price_batch),
}


@pytest.mark.parametrize(
    ("name", "language", "columns", "chinese"), pairwise(DOCUMENTS, LANGUAGES, (32, 42, 48), (True, False))
)
def test_every_document_prints_without_a_problem(tool, name, language, columns, chinese):
    layout, make = DOCUMENTS[name]
    lines = layout(make(), columns=columns, language=language)
    paper = encode(lines, PrinterModel(columns, chinese), opens_drawer=True)
    machine, problems = printed(tool, paper, columns, chinese)
    assert problems == []
    kinds = [event["event"] for event in machine.event_log]
    assert kinds.count("drawer") == 1
    assert kinds.count("cut") == 1
    assert kinds.count("barcode") == (name == "label")
    assert kinds.count("qr") == (name in ("label", "badge", "markdown", "gift", "pickup", "bin", "voucher", "transfer"))


def test_the_total_is_printed_as_text_with_its_sign(tool):
    lines = receipt.layout(documents.british_sale(), columns=48)
    for chinese, total in ((True, "￡8.95"), (False, "£8.95")):
        machine, _ = printed(tool, encode(lines, PrinterModel(48, chinese)), 48, chinese)
        assert total in machine.ticket_text(machine.tickets[0])


def test_a_line_the_printer_has_no_letters_for_is_a_picture(tool):
    line = [PaperLine("한국어 김치", right="3.00"), PaperLine(kind="cut")]
    for chinese in (True, False):
        machine, problems = printed(tool, encode(line, PrinterModel(48, chinese)), 48, chinese)
        assert problems == []
        assert [event["event"] for event in machine.event_log].count("image") == 1


SAID = st.text(st.characters(), min_size=1, max_size=60)


@given(SAID, st.sampled_from([32, 48]), st.booleans())
def test_no_name_sends_a_control_byte_or_a_made_up_question_mark(tool, name, columns, chinese):
    document = documents.british_sale()
    document["lines"] = [documents.line(name, 1, 100, 100)]
    document["cashier_name"] = name
    paper = encode(receipt.layout(document, columns=columns), PrinterModel(columns, chinese))
    machine, problems = printed(tool, paper, columns, chinese)
    assert problems == []
    text = machine.ticket_text(machine.tickets[0])
    assert text.count("?") <= 2 * name.count("?")
    assert len(machine.tickets[0].items and [e for e in machine.event_log if e["event"] == "cut"]) == 1


@given(SAID)
def test_the_preview_reads_every_byte_we_send(name):
    document = documents.chinese_sale()
    document["lines"] = [documents.line(name, 3, 100, 300)]
    for chinese in (True, False):
        paper = encode(receipt.layout(document, columns=48), PrinterModel(48, chinese), opens_drawer=True)
        marks = preview.read(paper)
        assert {mark.kind for mark in marks} <= {"text", "picture", "cut", "drawer"}
        assert all((char >= " " and char != "\ufffd") or char in name for mark in marks for char in mark.text)


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_the_preview_is_a_picture_of_the_paper(columns):
    lines = labels.layout(documents.label(), columns=columns)
    png = preview.preview_png(encode(lines, PrinterModel(columns)), columns)
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    assert picture.width == columns * 12 + 2 * preview.MARGIN
    assert picture.convert("L").getextrema() == (0, 255)


def test_notes_beside_the_paper_are_in_their_own_ink_and_in_the_readers_language():
    paper = encode([PaperLine("milk"), CUT], PrinterModel(48), opens_drawer=True)
    drawn = {
        one: Image.open(io.BytesIO(preview.preview_png(paper, language=one))).convert("RGB") for one in ("en", "zh")
    }
    assert (186, 60, 40) in {colour for _times, colour in drawn["en"].getcolors(256)}
    assert drawn["en"].tobytes() != drawn["zh"].tobytes()
    plain = Image.open(io.BytesIO(preview.preview_png(encode([PaperLine("milk")], PrinterModel(48))))).convert("RGB")
    assert all(red == green == blue for _times, (red, green, blue) in plain.getcolors(256)), "what prints is grey"


def test_the_preview_shows_what_it_does_not_understand():
    assert paper_text(b"\x1b@milk\n\x1bZ\n").splitlines()[:2] == ["milk", "[unknown 1b 5a]"]


def test_an_unknown_letter_is_a_box_and_never_vanishes():
    blank = encode([PaperLine("a" + " " * 3)], PrinterModel(32))
    boxed = encode([PaperLine("a\U000e0101\U00013000")], PrinterModel(32))
    assert b"\x1dv0" in boxed
    assert boxed != blank


def test_loading_the_printer_library_leaves_the_log_alone():
    handlers = list(logging.root.handlers)
    models.load_escpos()
    assert logging.root.handlers == handlers


LOADING = (
    "import sys; from pos.printing.models import load_escpos; "
    "print(load_escpos().Dummy(profile='POS-5890').profile.name)"
)


LOADING_IN_THREADS = """
from threading import Barrier, Thread
from pos.printing.models import load_escpos
start, known = Barrier(8), []
def load():
    start.wait()
    known.append(load_escpos())
threads = [Thread(target=load) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(known), len(set(known)))
"""


def loading(home, program=LOADING):
    surroundings = {**os.environ, "XDG_CACHE_HOME": str(home)}
    surroundings.pop("ESCPOS_CAPABILITIES_PICKLE_DIR", None)
    return subprocess.Popen(
        [sys.executable, "-c", program], env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_that_start_at_one_instant_all_know_the_printers(tmp_path):
    starting = [loading(tmp_path) for _ in range(4)]
    assert [process.communicate() for process in starting] == [("POS5890 Series\n", "")] * 4
    assert len(list((tmp_path / "cornerstore" / "escpos").iterdir())) == 1


def test_threads_that_print_at_one_instant_all_know_the_printers(tmp_path):
    assert loading(tmp_path, LOADING_IN_THREADS).communicate() == ("8 1\n", "")


@pytest.mark.parametrize("left", [b"", b"\x80\x02}q\x00", b"not what was written"])
def test_profiles_half_written_when_the_power_went_are_read_anew(tmp_path, left):
    kept = tmp_path / "cornerstore" / "escpos" / f"{platform.python_version()}.capabilities.pickle"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(left)
    os.utime(kept, (2**31, 2**31))  # newer than the profiles themselves, so it is believed
    assert loading(tmp_path).communicate() == ("POS5890 Series\n", "")
    assert len(kept.read_bytes()) > 10_000


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root may give a folder away")
def test_profiles_in_somebody_elses_folder_are_not_believed(tmp_path):
    kept = tmp_path / "cornerstore" / "escpos" / f"{platform.python_version()}.capabilities.pickle"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"cos\n_exit\n(I3\ntR.")  # whoever believes it ends with 3
    os.utime(kept, (2**31, 2**31))
    os.chown(kept.parent, 12345, -1)
    assert loading(tmp_path).communicate() == ("POS5890 Series\n", "")


def test_without_a_cutter_the_paper_is_fed_to_the_edge():
    paper = encode([PaperLine("milk"), PaperLine(kind="cut")], PrinterModel(32, profile="POS-5890"))
    assert b"\x1bd\x06" in paper
    assert b"\x1dV" not in paper
