"""Dumps of Open Food Facts, read as they come; what is known of a barcode; and asking online, where that is allowed."""

import csv
import dataclasses
import gzip
import io
import json
import random
import threading
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.errors import Invalid
from config.settings import Settings
from pos.catalogue import public_products
from pos.catalogue.catalogue import Product
from pos.catalogue.gs1 import check_digit
from pos.catalogue.public_products import PublicProduct
from store_app.files import open_food_facts
from store_app.files.open_food_facts import MOST_ANSWER, MOST_SIGNS, look_up, products
from tests.store_app.conftest import House
from tests.store_app.office import fill

COLA = PublicProduct(5449000000996, "Coca-Cola", "Coca-Cola", "330 ml", "Beverages, Colas")
JAM = PublicProduct(3045320094084, "Confiture de fraises", "Bonne Maman", "370 g", "Spreads, Jams")


def as_csv(mark: str = ",") -> bytes:
    rows = [
        ["code", "product_name", "quantity", "brands", "categories_en"],
        ["5449000000996", "Coca-Cola", "330 ml", "Coca-Cola,Coke", "Beverages,Colas"],
        ["3045320094084", "Confiture de fraises", "370 g", "Bonne Maman", "Spreads,Jams"],
        ["3045320094085", "A wrong check digit", "", "", ""],
        ["0000000000000", "No code", "", "", ""],
        ["4006381333931", "", "", "No name", ""],
    ]
    if mark == "\t":
        rows[1][1] = 'Coca-Cola "'
        return "".join("\t".join(row) + "\n" for row in rows).encode()
    text = io.StringIO()
    csv.writer(text, delimiter=mark).writerows(rows)
    return text.getvalue().encode()


def as_json() -> bytes:
    rows = [
        {"code": "5449000000996", "product_name": "Cola", "product_name_en": "Coca-Cola", "quantity": "330 ml",
         "brands": "Coca-Cola", "categories_tags": ["en:beverages", "en:colas"], "nutriments": {"sugars": 10.6}},
        {"code": "3045320094084", "product_name": "Confiture\n de fraises", "quantity": "370 g",
         "brands": "Bonne Maman", "categories_tags": ["en:spreads", "en:jams"]},
        {"code": 7, "product_name": None},
    ]  # fmt: skip
    return "\n".join(map(json.dumps, rows)).encode()


def as_parquet() -> bytes:
    texts = lambda **by: [{"lang": lang, "text": text} for lang, text in by.items()]  # noqa: E731
    table = pa.table(
        {
            "code": ["5449000000996", "3045320094084"],
            "product_name": [texts(main="Cola", en="Coca-Cola"), texts(main="Confiture de fraises")],
            "quantity": ["330 ml", "370 g"],
            "brands": ["Coca-Cola", "Bonne Maman"],
            "categories_tags": [["en:beverages", "en:colas"], ["en:spreads", "en:jams"]],
            "images": [[{"key": "1"}], []],
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def written(folder: Path, name: str, raw: bytes) -> Path:
    file = folder / name
    file.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return file


@pytest.mark.parametrize(
    ("name", "raw"),
    [("dump.csv", as_csv()), ("dump.csv.gz", as_csv(";")), ("dump.jsonl.gz", as_json()), ("d.parquet", as_parquet())],
)
def test_a_dump_of_each_kind_says_the_same(tmp_path: Path, name: str, raw: bytes):
    assert list(products(written(tmp_path, name, raw), "en")) == [COLA, JAM]


def test_the_projects_own_csv_has_tabs_and_bare_quotes(tmp_path: Path):
    names = [one.name for one in products(written(tmp_path, "dump.csv", as_csv("\t")), "en")]
    assert names == ['Coca-Cola "', "Confiture de fraises"]


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("dump.csv", b"sku,title,price\n1,Milk,1.29\n", "no-dump-columns"),
        ("dump.csv", b"", "no-dump-columns"),
        ("dump.csv", "code,product_name\n4006381333931,Müsli\n".encode("cp1252"), "dump-not-utf-8"),
        ("dump.jsonl", b'[{"code": "4006381333931"}]\n', "bad-dump-line"),
        ("dump.jsonl", as_json() + b"\n{torn", "bad-dump-line"),
        ("dump.jsonl", as_json() + b"\n" + b"[" * 100_000, "bad-dump-line"),
        ("dump.jsonl", b'{"code": "4006381333931", "product_name": [{"lang": [], "text": "x"}]}\n', "torn-dump"),
        ("dump.csv", b"code,product_name\n" + b"4" * (MOST_SIGNS + 1), "torn-dump"),
        ("dump.parquet", b"PAR1 no more", "torn-dump"),
        ("dump.csv.gz", gzip.compress(as_csv())[:-12], "torn-dump"),
        ("dump.zip", b"PK", "no-dump"),
    ],
)
def test_a_dump_of_the_wrong_shape_is_a_sentence_and_the_copy_stays(tmp_path: Path, name: str, raw: bytes, code: str):
    public_products.replace(tmp_path, [COLA])
    file = tmp_path / name
    file.write_bytes(raw)
    with pytest.raises(Invalid) as refusal:
        public_products.replace(tmp_path, products(file, "en"))
    assert refusal.value.code == code
    assert public_products.of_code(tmp_path, "5449000000996") == [COLA]
    assert {path.name for path in tmp_path.iterdir()} == {public_products.FILE, name}


def rows(count: int) -> Iterable[bytes]:
    for n in range(count):
        body = f"2{n:011}"
        yield json.dumps({"code": body + check_digit(body), "product_name": f"Product {n}", "text": "x" * 200}).encode()


def test_memory_does_not_grow_with_the_dump(tmp_path: Path):
    peaks = []
    for count in (1_000, 8_000):
        file = written(tmp_path, "dump.jsonl.gz", b"\n".join(rows(count)))
        tracemalloc.start()
        for _ in products(file, "en"):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 2_000_000


# --- what is known of a barcode ---


@pytest.fixture
def shop(build) -> Iterator[House]:
    house = build()
    fill(house)
    yield house
    (house.doors.settings.state_folder / public_products.FILE).unlink(missing_ok=True)


def test_category_and_tax_are_the_stores_own_where_it_has_them(shop: House):
    with shop.doors.write() as session:
        session.get_one(Product, "bread").brand = "Bonne Maman"
    dried = PublicProduct(5449000000996, "Dried apples", "Unknown", "", "Foods, Fruits, Dried apples")
    new = PublicProduct(4006381333948, "Soap dish", "Unknown", "", "Home, Dishes")
    public_products.replace(shop.doors.settings.state_folder, [dried, JAM, new])
    known = [look_up(shop.doors, f"{one.number:013}", "en").products[0] for one in (dried, JAM, new)]
    assert [one["category"] for one in known] == ["Fruit", "Bakery", "Dishes"]
    with shop.doors.read() as session:
        fruit = session.get_one(Product, "apple")
    assert known[0]["tax_class_id"] == fruit.tax_class_id


class Answers(BaseHTTPRequestHandler):
    """Open Food Facts, as its address answers."""

    asked: ClassVar[list[str]] = []
    status, padding, pause_s = 200, 0, 0.0

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = (
            json.dumps({"status": 1, "product": json.loads(as_json().splitlines()[0])}).encode() + b" " * self.padding
        )
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # who asked went away
            for part in (body[n : n + 1] for n in range(len(body))) if self.pause_s else [body]:
                self.wfile.write(part)
                threading.Event().wait(self.pause_s)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def project() -> Iterator[tuple[str, type[Answers]]]:
    answers = type("Asked", (Answers,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()
    thread.join()


def allowed(shop: House, address: str) -> Any:
    settings = shop.doors.settings.model_copy(update={"product_lookup": address})
    return dataclasses.replace(shop.doors, settings=settings)


def test_nobody_is_asked_online_unless_the_store_allows_it(shop: House, project: Any):
    assert look_up(shop.doors, "5449000000996", "en").products == ()
    assert project[1].asked == []


def test_where_allowed_the_project_is_asked_for_what_no_copy_knows(shop: House, project: Any):
    address, answers = project
    doors = allowed(shop, address)
    (known,) = look_up(doors, "5449000000996", "en").products
    assert (known["name"], known["brand"], known["pack_text"]) == ("Coca-Cola", "Coca-Cola", "330 ml")
    assert len(answers.asked) == 1
    assert look_up(doors, "3045320094084", "en").products == (), "an answer for another code says nothing"
    public_products.replace(shop.doors.settings.state_folder, [COLA])
    look_up(doors, "5449000000996", "en")
    assert len(answers.asked) == 2, "what the copy knows is asked of nobody"


@pytest.mark.parametrize("status", [500, 302])
def test_no_answer_and_a_redirect_are_a_sentence(shop: House, project: Any, status: int):
    address, answers = project
    answers.status = status
    found = look_up(allowed(shop, address), "5449000000996", "en")
    assert found.products == ()
    assert found.unreachable is not None
    assert found.unreachable.code == "lookup-silent"
    assert len(answers.asked) == 1, "no redirect is followed"
    nobody = look_up(allowed(shop, "http://127.0.0.1:1"), "5449000000996", "en")
    assert nobody.unreachable is not None
    assert nobody.unreachable.code == "lookup-silent"


@pytest.mark.parametrize("odd", [{"pause_s": 0.02}, {"padding": MOST_ANSWER}])
def test_an_answer_that_drips_or_never_ends_is_left(shop: House, project: Any, monkeypatch: Any, odd: dict[str, Any]):
    address, answers = project
    for name, value in odd.items():
        setattr(answers, name, value)
    monkeypatch.setattr(open_food_facts, "ONLINE_S", 0.3)
    found = look_up(allowed(shop, address), "5449000000996", "en")
    assert (found.products, found.unreachable and found.unreachable.code) == ((), "lookup-silent")


def test_barcodes_leave_over_tls_alone(tmp_path: Path):
    with pytest.raises(ValueError, match="product_lookup"):
        Settings(node_id="S01", state_folder=tmp_path, practice=True, product_lookup="http://world.openfoodfacts.org")


# --- the copy ---


def test_whatever_zeros_lead_a_code_it_is_the_same(tmp_path: Path):
    public_products.replace(tmp_path, [COLA])
    for code in ("5449000000996", "05449000000996"):
        assert public_products.of_code(tmp_path, code) == [COLA]
    for code in ("5449000000997", "", "milk", "٥٤٤٩٠٠٠٠٠٠٩٩٦", "1" * 40):
        assert public_products.of_code(tmp_path, code) == []


def test_several_products_of_a_code_are_all_answered_and_the_same_words_once(tmp_path: Path):
    other = PublicProduct(COLA.number, "Coke")
    assert public_products.replace(tmp_path, [other, COLA, COLA]) == 2
    assert public_products.of_code(tmp_path, "5449000000996") == [COLA, other]


def test_a_damaged_copy_knows_nothing(tmp_path: Path):
    (tmp_path / public_products.FILE).write_bytes(random.Random(1).randbytes(5_000))
    assert public_products.of_code(tmp_path, "5449000000996") == []
