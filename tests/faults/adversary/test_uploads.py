"""Hostile files: read in a child of bounded memory and time, refused in a sentence, and never parsed by the web."""

import ast
import datetime as dt
import io
import multiprocessing
import resource
import struct
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from config.errors import DomainError, Invalid, Unreachable
from config.ids import new_id
from pos.store import pictures
from store_app.files import calendars, tables
from store_app.runtime import child_process
from store_app.runtime.child_process import read_apart
from tests.faults.adversary import readers
from tests.store_app.office import fill, send, words

MIB = 1 << 20
_SST = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def workbook(**parts: bytes) -> bytes:
    """Return a small XLSX with some of its parts replaced, or added."""
    book, made = io.BytesIO(), io.BytesIO()
    plain = openpyxl.Workbook()
    plain.active.append(["sku", "name", "category", "tax_class", "price"])
    plain.save(book)
    names = {"shared": "xl/sharedStrings.xml", "styles": "xl/styles.xml", "sheet": "xl/worksheets/sheet1.xml"}
    given = {names[part]: content for part, content in parts.items()}
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "[Content_Types].xml" and "shared" in parts:
                reported = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_SST}"/></Types>'
                content = content.replace(b"</Types>", reported.encode())
            new.writestr(name, given.pop(name, content))
        for name, content in given.items():
            new.writestr(name, content)
    return made.getvalue()


def shared_strings(bytes_unpacked: int) -> bytes:
    one = b"<si><t>ab</t></si>"
    return b"<sst>" + one * (bytes_unpacked // len(one)) + b"</sst>"


def huge_picture(across: int, down: int) -> bytes:
    """Return a PNG of these dots, all white: a file of some kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    pack, rows = zlib.compressobj(9), b""
    for _row in range(down):
        rows += pack.compress(b"\x00" + b"\xff" * (across // 8))
    head = struct.pack(">IIBBBBB", across, down, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows + pack.flush()) + chunk(b"IEND", b"")


def refusal(function, *given, **how) -> DomainError:
    with pytest.raises(DomainError) as refused:
        list(read_apart(function, *given, **how))
    return refused.value


def test_the_workbook_that_cost_a_till_1300_mib_is_refused_and_costs_the_web_process_next_to_nothing(build):
    house = build()
    fill(house)
    client, raw = house.signed_in(), workbook(shared=shared_strings(142_000_000))
    assert len(raw) < 500_000
    client.get("/products/bring-in/")  # the words and the page itself are kept
    tracemalloc.start()
    try:
        answer = send(client, "/products/bring-in/", file=(io.BytesIO(raw), "p.xlsx"), command_id=new_id())
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 422
    assert "is larger than 20 MB when unpacked. Split it" in words(answer)
    assert peak < 10 * MIB


def test_a_reader_has_150_mib_and_ten_seconds_of_a_core():
    (peak,) = read_apart(readers.greedy)
    assert peak < 150 * MIB
    assert [next(read_apart(resource.getrlimit, resource.RLIMIT_CPU)), child_process.READ_CPU_S] == [10, 10]


@pytest.mark.parametrize(
    ("made", "name", "code"),
    [
        # within the sizes that files may say; the tree of it would take half a gigabyte
        (lambda: workbook(styles=b"<a>" + b"<a/>" * 4_500_000 + b"</a>"), "p.xlsx", "file-takes-too-much"),
        (lambda: workbook(styles=b"<styleSheet>" + b"<a>" * 200_000), "p.xlsx", "unreadable-file"),
        (lambda: workbook(sheet=b"<worksheet>" + b" " * 210_000_000), "p.xlsx", "file-too-large"),
        (lambda: workbook(shared=b"<sst><si>")[:-9], "p.xlsx", "unreadable-file"),
        (lambda: b"PAR1" + b"\xff" * 400 + b"PAR1", "p.parquet", "unreadable-file"),
        (lambda: b"a,\n" * 300_000, "p.csv", "too-many-rows"),
    ],
)  # fmt: skip
def test_a_file_that_would_take_too_much_is_refused_in_a_sentence(made, name, code):
    refused = refusal(tables.rows, made(), name)
    assert (refused.code, str(refused).endswith(".")) == (code, True)
    assert multiprocessing.active_children() == []


def test_what_says_less_than_it_unpacks_to_is_no_table():
    raw = bytearray(workbook(shared=shared_strings(30_000_000)))
    place = raw.rindex(b"xl/sharedStrings.xml") - 46  # its entry in the directory of the file
    raw[place + 24 : place + 28] = (1_000).to_bytes(4, "little")
    assert refusal(tables.rows, bytes(raw), "p.xlsx").code in ("unreadable-file", "file-too-large")


def test_a_reader_that_hangs_is_killed_and_the_file_refused():
    refused = refusal(time.sleep, 3_600, limit_s=0.5)
    assert (refused.code, type(refused)) == ("file-too-slow", Invalid)
    assert "Make it smaller" in str(refused)
    assert multiprocessing.active_children() == []


def test_a_reader_that_dies_is_a_refusal_and_the_next_one_works():
    assert refusal(readers.dies).code == "file-takes-too-much"
    assert list(tables.table(b"sku\nA\n", "p.csv")[1]) == [["sku"], ["A"]]


def test_more_files_than_are_read_at_a_time_are_turned_away_for_the_moment(monkeypatch):
    monkeypatch.setattr(child_process, "WAIT_FOR_TURN_S", 0.0)
    for _turn in range(child_process.READ_AT_ONCE):
        assert child_process._turns.acquire(blocking=False)
    try:
        refused = refusal(tables.rows, b"sku\n", "p.csv")
    finally:
        for _turn in range(child_process.READ_AT_ONCE):
            child_process._turns.release()
    assert (refused.code, type(refused)) == ("reading-busy", Unreachable)


@pytest.mark.parametrize(("across", "down"), [(40_000, 40_000), (16_000, 8_000)])
def test_a_small_picture_of_very_many_dots_is_refused(across, down):
    raw = huge_picture(across, down)
    assert len(raw) < pictures.LOGO_BYTES
    assert refusal(pictures.small, raw, 1_600).code == "photo-too-large"
    assert refusal(pictures.dotted, raw).code == "logo-too-large"


def test_a_photo_as_phones_take_them_fits_into_the_memory():
    made = io.BytesIO()
    Image.effect_noise((4_000, 3_000), 60).convert("RGB").save(made, "JPEG", quality=40)
    (kept,) = read_apart(pictures.small, made.getvalue(), 1_600)
    assert max(Image.open(io.BytesIO(kept)).size) == 1_600


def test_a_calendar_that_never_ends_is_bounded_too():
    event = b"BEGIN:VEVENT\r\nSUMMARY:A\r\nDTSTART:19000101T000000\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\n"
    raw = b"BEGIN:VCALENDAR\r\n" + event * 1_999 + b"END:VCALENDAR\r\n"
    with pytest.raises(Invalid, match="It contains no school holidays"):
        calendars.table(raw, dt.date(2026, 3, 2))


def test_nothing_but_a_reader_parses_a_file():
    """Whoever calls a parser in the doors' own process is found by its name: the readers are only named there."""
    parsers = {"rows", "small", "dotted", "load_workbook", "from_ical", "ParquetFile", "read_excel", "read_parquet"}
    own = {
        "store_app/files/tables.py",
        "store_app/files/calendars.py",
        "store_app/files/sales.py",
        "store_app/files/open_food_facts.py",
    }  # readers, and commands' own
    root = Path(__file__).parents[3]
    called = [
        f"{path.relative_to(root)}:{call.lineno}"
        for path in sorted((root / "store_app").rglob("*.py"))
        if str(path.relative_to(root)) not in own and "demo" not in path.parts
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in parsers
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in ("files", "pictures", "calendar_files", "openpyxl", "pd", "pq", "Calendar")
    ]
    assert called == []
