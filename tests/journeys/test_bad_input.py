"""Whatever a person or a file says wrongly is answered by a sentence that helps; the books stay as they were."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from config.database import Base
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing, Price, Product
from pos.till import shift
from store_app.commands.cli import main
from store_app.files import importing
from supply.online.checkout.order_keys import code_of
from supply.online.orders import PickupOrder
from tests.store_app.conftest import NOON, STORE, House, token
from tests.store_app.office import EAN, SYSTEM, code_for, fill, send, words
from tests.tools import hostile

TRIES = {"journal_entry", "journal_head", "pickup_try", "pickup_attempt"}
"""A wrong code is counted and journalled: that is meant to stay."""
HEADING = "sku,name,category,tax_class,price,barcode\n"


@pytest.fixture
def store(house: House) -> House:
    """Give a store with an open till, a product nobody priced and one it does not list."""
    fill(house, _with_an_open_till)
    return house


def _with_an_open_till(house: House) -> None:
    fill(house)
    with house.doors.write() as session:
        shift.open_shift(Context(session, SYSTEM, NOON), STORE, "1", 10_000)
        for sku, name in (("priceless", "Salt without a price"), ("elsewhere", "Sold elsewhere")):
            session.add(Product(sku=sku, name=name, category="Dry", tax_class_id="food", search_text=name.casefold()))
        session.flush()
        session.add(Listing(store_id=STORE, sku="priceless"))
        session.add(Price(sku="elsewhere", from_day=NOON.date(), price_minor=100))


@pytest.fixture
def till(store: House) -> FlaskClient:
    """Give the cashier's browser."""
    client = store.signed_in("cashier")
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    return client


def rows(house: House) -> dict[str, int]:
    """Return how many rows every table has."""
    with house.doors.read() as session:
        return {
            name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def sale(**other: Any) -> dict[str, Any]:
    return {
        "id": new_id(), "till_id": "1", "lines": [{"sku": "milk", "qty": 2}], "shown_total_minor": 258,
        "tenders": [{"tender": "cash", "amount_minor": 300}],
    } | other  # fmt: skip


def one(sku: str, qty: Any) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "qty": qty}]}


@pytest.mark.parametrize(
    ("scanned", "status", "code", "sentence"),
    [
        ("4006381333948", 404, "unknown-barcode", r"No product has the barcode 4006381333948\. Search by name"),
        ("4006381333932", 422, "wrong-check-digit", r"4006381333932.*[Ss]can"),
        ("%20", 404, "unknown-barcode", "not a barcode.*search by name"),
        ("9" * 300, 404, "unknown-barcode", "not a barcode"),
        ("priceless", 409, "price-missing", "No price: Salt without a price.*Set one"),
        ("elsewhere", 409, "not-sold-here", "Not sold in this store: Sold elsewhere.*Add"),
    ],
)
def test_a_bad_scan(store: House, till: FlaskClient, scanned: str, status: int, code: str, sentence: str):
    before = rows(store)
    answer = till.get(f"/api/scan/{scanned}")
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert re.search(sentence, answer.json["error"]["message"])
    assert rows(store) == before


@pytest.mark.parametrize(
    ("wrong", "status", "code", "sentence"),
    [
        (one("milk", 0), 422, "bad-quantity", "whole number above zero"),
        (one("milk", -2), 422, "bad-quantity", "Whole milk must be above zero"),
        (one("milk", 10_001), 422, "bad-quantity", "Limit: 10000 of Whole milk"),
        (one("milk", 10**13), 422, "bad-quantity", "quantity"),
        (one("milk", 2**80), 422, "bad-request", "lines.0.qty"),
        (one("milk", 1.5), 422, "bad-request", "lines.0.qty"),
        ({"tenders": [{"tender": "cash", "amount_minor": 257}]}, 409, "too-little-cash", "0.01|missing|less"),
        ({"tenders": []}, 409, "too-little-cash", "missing|less"),
        ({"tenders": [{"tender": "cash", "amount_minor": -500}]}, 422, "bad-amount", "."),
        ({"tenders": [{"tender": "cash", "amount_minor": 10**13}]}, 422, "bad-amount", "."),
        (one("priceless", 1), 409, "price-missing", "Set one"),
        (one("elsewhere", 1), 409, "not-sold-here", "Add under"),
        (one("never-heard-of", 1), 404, "unknown-product", "never-heard-of"),
        ({"lines": []}, 422, "empty-basket", "Scan something"),
        ({"till_id": "9"}, 409, "no-open-shift", "Open it"),
        ({"shown_total_minor": 1}, 409, "total-changed", "Tell the customer the new total"),
    ],
)
def test_a_bad_sale(store: House, till: FlaskClient, wrong: Any, status: int, code: str, sentence: str):
    before = rows(store)
    answer = till.post("/api/sales", json=sale(**wrong))
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert re.search(sentence, answer.json["error"]["message"]), answer.json
    assert rows(store) == before


@pytest.mark.parametrize("qty", ["", "-1", "1.5", "9" * 30, "many", "1e3"])
def test_a_bad_count_or_waste_on_a_page(store: House, qty: str):
    client, before = store.signed_in(), rows(store)
    for address in ("/stock/milk/count", "/products/milk/waste"):
        answer = send(client, address, qty=qty, counted=qty, counted_qty=qty, reason="broken", words="fell down")
        assert answer.status_code == 422, words(answer)
        assert re.search("whole number from|Type", words(answer))
    assert rows(store) == before


def test_a_code_of_nobody_and_one_of_another_shop(store: House):
    client = store.signed_in("cashier")
    foreign = code_of("order-of-another-store", "AAAAAAAAAAAAAAAAAAAAAA")
    for wrong, status in (("", 422), ("12345", 404), ("<script>", 404), (foreign, 404)):
        before = rows(store)
        answer = send(client, "/pickup/find", code=wrong)
        assert answer.status_code == status, words(answer)
        assert re.search("Scan the customer’s code|A pickup code has|not for this store", words(answer))
        after = rows(store)
        assert {name for name in after if after[name] != before[name]} <= TRIES


def test_too_little_cash_at_the_pickup_counter_keeps_the_order_ready(store: House):
    client = store.signed_in("cashier")
    for verb, given in (("accept", {}), ("pick", {}), ("picked", {"picked": ["milk", "tea"], "then": "ready"})):
        assert send(client, f"/pickup/order-0001/{verb}", **given).status_code == 303
    assert send(client, "/pickup/find", code=code_for("order-0001")).status_code == 303
    before = rows(store)
    for given, status in (("1", 409), ("-5", 422), ("much", 422), ("9" * 20, 422)):
        answer = send(client, "/pickup/order-0001/collect", tender="cash", given=given)
        assert answer.status_code == status, words(answer)
    assert rows(store) == before
    with store.doors.read() as session:
        assert session.get_one(PickupOrder, (STORE, "order-0001")).state == "ready"


def test_a_print_nobody_knows_is_answered_on_the_money_page(store: House):
    client = store.signed_in()
    before = rows(store)
    answer = send(client, "/money/paper/never-printed", answer="printed")
    assert 400 <= answer.status_code < 500
    answer = send(client, "/money/paper/never-printed", answer="eaten by the cat")
    assert answer.status_code == 422
    assert "Choose what happened to the print" in words(answer)
    assert rows(store) == before


# --- files ---


@pytest.fixture
def command(store: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Give the command line of the same store: it brings a file in and returns the answer."""
    settings = store.doors.settings
    for name, value in (
        ("ROLE", "store"), ("NODE_ID", STORE), ("STATE_FOLDER", settings.state_folder), ("PRACTICE", "true"),
        ("DATABASE_URL", settings.database_url), ("SETTINGS", tmp_path / "none.toml"),
    ):  # fmt: skip
        monkeypatch.setenv(f"CORNERSTORE_{name}", str(value))
    monkeypatch.delenv("CORNERSTORE_SETTINGS")

    def bring(raw: bytes, name: str = "products.csv", kind: str = "products") -> Any:
        (tmp_path / name).write_bytes(raw)
        return CliRunner().invoke(main, ["import", kind, str(tmp_path / name), "--yes"])

    return bring


def products(count: int, bad: int = 0) -> bytes:
    """Return a table of products, of which every (count / bad)th has a price nobody can mean."""
    every = count // bad if bad else 0
    lines = (f"N{n},New {n},Dry,food,{'free' if every and n % every == 1 else '1.50'},\n" for n in range(1, count + 1))
    return (HEADING + "".join(lines)).encode()


FILES = {
    "wrong columns": (b"code,title\n1,Milk\n", "Name the columns for name and price"),
    "a column twice": ((HEADING.strip() + ",price\nA,A,Dry,food,1,,2\n").encode(), "price twice"),
    "5 % bad rows": (products(100, bad=5), r"Row 2, price: 'free'(.|\n)*5 errors\. Nothing was saved"),
    "wrong encoding": (HEADING.encode() + b"A,\xff\x00caf\xe9,Dry,food,1,\n", "Save it as UTF-8"),
    "half a UTF-16": ((HEADING + "A").encode("utf-16")[:-1], "Save it as UTF-8"),
    "empty": (b"", "isn.t a product list"),
    "huge": (HEADING.encode() + b"x" * 20_000_001, "A file can be up to 20 MB. Split it"),
    "one huge cell": ((HEADING + "A," + "x" * 1_000_000 + ",Dry,food,1,\n").encode(), "larger than field limit"),
    "a tax class nobody knows": (
        (HEADING + "A,A,Dry,luxury,1,\n").encode(),
        "Name the tax rate: .* luxury",
    ),
    "a wrong check digit": ((HEADING + "A,A,Dry,food,1,4006381333932\n").encode(), "Row 2.*4006381333932"),
    "a taken barcode": ((HEADING + f"A,A,Dry,food,1,{EAN['milk']}\n").encode(), "is already the barcode of milk"),
    "a price of four places": ((HEADING + "A,A,Dry,food,1.0051,\n").encode(), "more than 2 decimals"),
    "a price in powers": ((HEADING + "A,A,Dry,food,1e-999999,\n").encode(), "Row 2, price"),
    "marks for the screen": ((HEADING + "A,[/red]\x1b[2J,Dry,food,x,\n").encode(), "Row 2, price"),
    "a fault after blank lines": (("\n\n" + HEADING + "\n\nA,A,Dry,food,x,\n").encode(), "Row 6, price"),
}


@pytest.mark.parametrize("which", FILES)
def test_a_bad_file_is_refused_whole(store: House, command: Callable[..., Any], which: str):
    raw, sentence = FILES[which]
    before = rows(store)
    answer = command(raw)
    assert answer.exit_code == 2, answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit), repr(answer.exception)
    assert re.search(sentence, answer.output), answer.output[-500:]
    assert "Traceback" not in answer.output
    assert "\x1b[2J" not in answer.output
    assert rows(store) == before


def test_a_good_file_of_the_same_shape_comes_in(store: House, command: Callable[..., Any]):
    before = rows(store)
    answer = command(products(100))
    assert answer.exit_code == 0, answer.output
    assert rows(store)["product"] == before["product"] + 100


def test_a_count_of_a_product_nobody_has_leaves_the_good_rows_out_too(store: House, command: Callable[..., Any]):
    before = rows(store)
    answer = command(b"sku,qty\nmilk,5\nnever-heard-of,5\n", "stock.csv", "stock")
    assert answer.exit_code == 2
    words = "Row 3, sku: Product never-heard-of not found. Import the products first. Nothing was saved."
    assert words in answer.output
    assert rows(store) == before


def test_every_hostile_file_gets_a_sentence():
    """Each file of the corpus is read or refused, never anything else; its good ones are read (I32)."""
    files = hostile.csv_files(header="sku,business_day,sold_qty", row="{:08d},2026-03-01,{}", big_rows=20_000)
    read, refused = {}, {}
    for name, raw in files.items():
        try:
            read[name] = importing.read("sales", raw, name)
        except importing.DomainError as refusal:
            refused[name] = refusal.message
    assert [name for name, sentence in refused.items() if not sentence.endswith(".")] == []
    assert {"ok.csv", "crlf.csv", "semicolon.csv", "tabs.csv", "bom.csv", "blank_lines.csv", "big.csv"} <= set(read)
    assert all(read[name].faults == [] for name in ("ok.csv", "bom.csv", "blank_lines.csv", "big.csv"))
