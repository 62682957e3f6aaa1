"""The till's API: strict bodies, one sale per id, sentences instead of faults."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.nodes.journal import Actor, Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue import assortment, catalogue
from pos.catalogue.catalogue import TaxClass
from pos.printing.queue import PrintJob
from pos.sold import Sale
from pos.stock import stock
from tests.store_app.conftest import NOON, STORE, token

SALE = "0190b3a2-7c1e-7b5a-9f3e-000000000001"
CODE = "4006381333931"


@pytest.fixture
def store(house):
    """Give a browser of a cashier at an open till that sells milk at 1.29."""
    actor = Actor.system("test", STORE)
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        catalogue.add_product(
            Context(session, actor, NOON), "MILK", "Milk 牛奶", category="dairy", tax_class_id="food", codes=[(CODE, 1)]
        )
        catalogue.set_price(Context(session, actor, NOON), "MILK", 129, dt.date(2026, 3, 1))
        catalogue.list_product(Context(session, actor, NOON), STORE, "MILK")
        stock.open_stock(Context(session, actor, NOON), STORE, [("MILK", 10)], source_id="opening")
    client = house.signed_in("cashier")
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201
    return client


def body(**other):
    return {
        "id": SALE, "till_id": "1", "lines": [{"sku": "MILK", "qty": 2}],
        "tenders": [{"tender": "cash", "amount_minor": 500}], "shown_total_minor": 258,
    } | other  # fmt: skip


def test_a_scan_answers_the_product_and_a_bad_one_a_sentence(store):
    found = store.get(f"/api/scan/{CODE}").json
    assert (found["product"]["sku"], found["product"]["price_minor"], found["qty"]) == ("MILK", 129, 1)
    assert store.get("/api/scan/4006381333932").status_code == 422
    assert store.get("/api/scan/4006381333948").status_code == 404


def test_the_catalogue_comes_once_and_again_only_when_it_changed(store, house):
    first = store.get("/api/catalogue")
    row = dict(zip(first.json["columns"], first.json["rows"][0], strict=False))
    assert (row["sku"], row["codes"], row["price_minor"]) == ("MILK", CODE, 129)
    sort = dict(zip(first.json["sort_columns"], first.json["sorts"][row["sort"]], strict=True))
    assert (sort["kind"], sort["stock_unit"]) == ("goods", "each")
    assert "cost" not in first.text
    again = store.get("/api/catalogue", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    with house.doors.write() as session:
        catalogue.set_price(Context(session, Actor.system("test", STORE), NOON), "MILK", 139, dt.date(2026, 3, 2))
    changed = store.get("/api/catalogue", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert dict(zip(changed.json["columns"], changed.json["rows"][0], strict=False))["price_minor"] == 139


def test_many_products_cost_the_till_no_more_questions_than_one(store, house):
    asked: list[str] = []
    note = lambda *row: asked.append(row[2])  # noqa: E731  the listener is taken off again
    engine, by = house.doors.database.engine, {"actor": Actor.system("test", STORE), "at": NOON}

    def questions() -> int:
        asked.clear()
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            assert store.get("/api/catalogue").status_code == 200
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        return len(asked)

    one = questions()
    with house.doors.write() as session:
        for n in range(300):
            catalogue.add_product(
                Context(session, **by), f"P{n}", f"Product {n}", category="dairy", tax_class_id="food"
            )
            catalogue.set_price(Context(session, **by), f"P{n}", 100 + n, NOON.date())
            catalogue.list_product(Context(session, **by), STORE, f"P{n}")
    assert questions() == one
    rows = store.get("/api/catalogue").json["rows"]
    assert (len(rows), questions() < one) == (301, True)  # and once it is put together, only whether it still holds


WISHED = assortment.ProductDetails(name="Bread", category="bakery", tax_class_id="food")
CHANGES = {
    "its name": lambda s, by: assortment.change(Context(s, **by), STORE, "own", replace(WISHED, name="Rye bread")),
    "its age limit": lambda s, by: assortment.change(Context(s, **by), STORE, "own", replace(WISHED, minimum_age=18)),
    "the most of it": lambda s, by: assortment.change(Context(s, **by), STORE, "own", replace(WISHED, maximum_qty=2)),
    "its tax": lambda s, by: assortment.set_tax_class(Context(s, **by), "food", "Food", 1900, inclusive=True),
    "its code": lambda s, by: (
        assortment.remove_code(Context(s, **by), STORE, "2000000000015"),
        assortment.add_code(Context(s, **by), STORE, "own", "2000000000022", 1),
    ),
    "two prices that changed places": lambda s, by: [
        catalogue.set_price(Context(s, **by), sku, minor, NOON.date(), scope_id=STORE)
        for sku, minor in (("own", 300), ("MILK", 200))
    ],
    "what is sold": lambda s, by: [
        assortment.settle(Context(s, **by), STORE, sku, active=active)
        for sku, active in (("own", False), ("gone", True))
    ],
}


@pytest.mark.parametrize("which", CHANGES)
def test_the_till_hears_of_every_change_to_a_product(store, house, which: str):
    by = {"actor": Actor.system("test", STORE), "at": NOON}
    with house.doors.write() as session:
        for sku in ("own", "gone"):
            names = {"category": "bakery", "tax_class_id": "food", "owner_id": STORE}
            catalogue.add_product(Context(session, **by), sku, "Bread", **names)
            catalogue.list_product(Context(session, **by), STORE, sku, active=sku == "own")
        assortment.add_code(Context(session, **by), STORE, "own", "2000000000015", 1)
        for sku, minor in (("own", 200), ("gone", 5), ("MILK", 300)):
            catalogue.set_price(Context(session, **by), sku, minor, NOON.date(), scope_id=STORE)
    tag = {"If-None-Match": store.get("/api/catalogue").headers["ETag"]}
    assert store.get("/api/catalogue", headers=tag).status_code == 304
    with house.doors.write() as session:
        CHANGES[which](session, by)
    assert store.get("/api/catalogue", headers=tag).status_code == 200


def test_a_quote_writes_nothing(store, house):
    assert store.post("/api/quote", json={"lines": [{"sku": "MILK", "qty": 3}]}).json["total_minor"] == 387
    with house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Sale)) == 0


def test_the_same_sale_twice_is_one_sale_one_receipt_one_fact(store, house):
    first, second = store.post("/api/sales", json=body()), store.post("/api/sales", json=body())
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json | {"repeated": True} == second.json
    with house.doors.read() as session:
        for table in (Sale, PrintJob):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 1
        facts = sa.select(sa.func.count()).where(OutboxMessage.topic == "sale.completed")
        assert session.scalar(facts) == 1
    assert house.doors.bell.file.exists()


def test_the_same_id_with_another_basket_is_a_conflict(store):
    store.post("/api/sales", json=body())
    answer = store.post("/api/sales", json=body(lines=[{"sku": "MILK", "qty": 1}], shown_total_minor=129))
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "sale-content-differs")


def test_after_a_lost_answer_the_page_asks_by_id(store):
    assert store.get(f"/api/sales/{SALE}").status_code == 404
    done = store.post("/api/sales", json=body()).json
    asked = store.get(f"/api/sales/{SALE}").json
    assert {**done} == {**asked, "repeated": False}


def test_a_changed_total_writes_nothing_and_says_so(store, house):
    answer = store.post("/api/sales", json=body(shown_total_minor=200))
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "total-changed")
    with house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Sale)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": [{"sku": "MILK", "qty": 1.5}]},
        {"lines": [{"sku": "MILK", "qty": True}]},
        {"lines": [{"sku": "MILK", "qty": "2"}]},
        {"lines": [{"sku": "MILK", "qty": 0}]},
        {"lines": [{"sku": "MILK", "qty": -1}]},
        {"lines": [{"sku": "MILK", "qty": 10**15}]},
        {"lines": [{"sku": "MILK", "qty": 10**30}]},
        {"lines": [{"sku": "NONE", "qty": 1}]},
        {"lines": []},
        {"lines": "MILK"},
        {"tenders": [{"tender": "cash", "amount_minor": 1}]},
        {"tenders": [{"tender": "gold", "amount_minor": 500}]},
        {"tenders": []},
        {"till_id": "99"},
        {"id": "x"},
        {"id": "../../etc/passwd"},
        {"store_id": "S02"},
        {"shown_total_minor": None},
    ],
)
def test_bad_input_is_a_sentence_and_nothing_is_written(store, house, wrong):
    answer = store.post("/api/sales", json=body(**wrong))
    assert 400 <= answer.status_code < 500
    assert answer.json["error"]["message"]
    with house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Sale)) == 0


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":' * 500])
@pytest.mark.parametrize("address", ["/api/sales", "/api/quote", "/api/shifts"])
def test_what_is_no_json_is_refused(store, address, raw):
    assert store.post(address, data=raw).status_code == 422


def test_a_receipt_is_shown_and_printed_again_as_a_copy(store):
    store.post("/api/sales", json=body())
    lines = store.get(f"/api/receipts/{SALE}/text").json["lines"]
    (total,) = [line for line in lines if line.startswith("TOTAL")]
    assert len(total) == 42, "a large line is written as the others are"
    assert not [line for line in lines if line.startswith("[")], "a code or a cut is no text"
    assert {len(line) for line in lines} <= set(range(43))
    assert store.get("/api/receipts/unknown-sale/text").status_code == 404
    assert store.post(f"/api/receipts/{SALE}/reprint", json={}).json["copy_no"] == 1
    assert store.post("/api/receipts/unknown-sale/reprint", json={}).status_code == 404


def test_the_status_names_printer_network_shift_and_clock(store):
    status = store.get("/api/status?till=1").json
    assert status["shift"]["state"] == "open"
    assert status["network"]["pending"] >= 0
    assert dt.datetime.fromisoformat(status["now"]) == NOON
    assert status["printer"]


def test_a_shift_is_counted_blind_and_closed_once(store):
    found = store.get("/api/shifts/current/1").json
    assert "expected_minor" not in found
    assert store.post(f"/api/shifts/{found['id']}/count", json={}).json["state"] == "counting"
    closed = store.post(f"/api/shifts/{found['id']}/close", json={"counted_minor": 5000}).json
    assert (closed["state"], closed["over_short_minor"]) == ("closed", 0)
    assert store.post(f"/api/shifts/{found['id']}/close", json={"counted_minor": 1}).status_code == 409


def test_the_health_of_a_node_is_public(house, network):
    for one in (house, network):
        assert one.visitor().get("/health").json == {"ok": True}
