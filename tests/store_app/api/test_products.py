"""An unknown barcode at the till: what is known of it, and one tap that takes the product in, for whoever may."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from config.ids import new_id
from pos.catalogue import public_products
from pos.catalogue.catalogue import Product
from pos.catalogue.public_products import PublicProduct
from pos.stock.ledger import StockMovement
from tests.store_app.conftest import STORE, House, token
from tests.store_app.office import EAN, fill

CODE = "5449000000996"
COLA = PublicProduct(int(CODE), "Coca-Cola", "Coca-Cola", "330 ml", "Beverages, Drinks, Colas")


@pytest.fixture
def shop(build: Any) -> Iterator[House]:
    house = build()
    fill(house)
    public_products.replace(house.doors.settings.state_folder, [COLA])
    yield house
    (house.doors.settings.state_folder / public_products.FILE).unlink()


def at_till(shop: House, role: str = "shopkeeper") -> FlaskClient:
    client = shop.signed_in(role)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    return client


def new(**other: Any) -> dict[str, Any]:
    return {"id": new_id(), "code": CODE, "name": "Coca-Cola", "category": "Drinks", "tax_class_id": "food",
            "price_minor": 199} | other  # fmt: skip


def ours(shop: House) -> list[Product]:
    with shop.doors.read() as session:
        return list(session.scalars(sa.select(Product).where(Product.owner_id == STORE)))


def test_an_unknown_barcode_is_known_with_its_category_and_tax_and_sold_after_one_tap(shop: House):
    client = at_till(shop)
    assert client.get(f"/api/scan/{CODE}").json["error"]["facts"]["barcode"] == CODE
    known = client.get(f"/api/products/known/{CODE}").json
    (one,) = known["products"]
    assert one == {"name": "Coca-Cola", "brand": "Coca-Cola", "pack_text": "330 ml", "category": "Drinks",
                   "tax_class_id": one["tax_class_id"]}  # fmt: skip
    assert one["tax_class_id"] in [row["id"] for row in known["tax_classes"]]
    assert "ODbL" in known["credit"]
    made = client.post("/api/products", json=new(**one))
    assert made.status_code == 201, made.text
    scanned = client.get(f"/api/scan/{CODE}").json
    assert scanned["product"]["sku"] == made.json["product"]["sku"]
    assert (scanned["product"]["price_minor"], scanned["product"]["pack_text"]) == (199, "330 ml")


def test_the_same_tap_sent_again_is_the_same_product(shop: House):
    client, body = at_till(shop), new()
    first, again = (client.post("/api/products", json=body) for _ in range(2))
    assert first.json["product"]["sku"] == again.json["product"]["sku"]
    assert len(ours(shop)) == 1
    for odd in ({"price_minor": 299}, {"name": "Cola"}, {"tax_class_id": "std"}):
        assert client.post("/api/products", json=body | odd).status_code == 409, "no one sells at a price typed before"


def test_a_barcode_nobody_knows_is_added_by_name_and_price(shop: House):
    client, code = at_till(shop), "4006381333948"
    known = client.get(f"/api/products/known/{code}").json
    assert (known["products"], known["credit"], known["silent"]) == ([], "", "")
    assert client.post("/api/products", json=new(code=code, name="Own jam")).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"code": EAN["milk"]}, "code-taken"), ({"code": "5449000000997"}, "wrong-check-digit"),
     ({"name": " "}, "bad-product"), ({"tax_class_id": "gone"}, "unknown-tax-class"),
     ({"price_minor": 10**15}, "bad-request")],
)  # fmt: skip
def test_what_cannot_come_in_is_a_sentence_and_nothing_is_written(shop: House, wrong: dict[str, Any], code: str):
    answer = at_till(shop).post("/api/products", json=new(**wrong))
    assert (answer.status_code >= 400, answer.json["error"]["code"]) == (True, code)
    assert answer.json["error"]["message"].endswith(".")
    assert ours(shop) == []


def test_only_who_may_change_the_catalogue_adds_at_the_till(shop: House):
    client = at_till(shop, "cashier")
    assert client.get(f"/api/products/known/{CODE}").status_code == 403
    assert client.post("/api/products", json=new()).status_code == 403
    assert ours(shop) == []


def test_a_custom_item_is_sold_under_its_name_and_department_by_anybody_once_there_is_one(shop: House):
    keeper, cashier = at_till(shop), at_till(shop, "cashier")
    asked = {"category": "Gifts", "tax_class_id": "food"}
    assert cashier.post("/api/products/open", json=asked).status_code == 403
    first, again = (keeper.post("/api/products/open", json=asked).json["product"] for _ in range(2))
    assert first["sku"] == again["sku"]
    assert (first["price_typed"], first["category"], first["tax_class_id"]) == (True, "Gifts", "food")
    line = {"sku": first["sku"], "qty": 1, "price_minor": 1250, "called": "Birthday card"}
    quoted = cashier.post("/api/quote", json={"lines": [line]}).json
    assert [(row["name"], row["total_minor"]) for row in quoted["lines"]] == [("Birthday card", quoted["lines_minor"])]
    assert quoted["needs"] == []
    sent = {"id": new_id(), "till_id": "1", "lines": [line], "tenders": [{"tender": "cash", "amount_minor": 10_000}],
            "shown_total_minor": quoted["lines_minor"]}  # fmt: skip
    cashier.post("/api/shifts", json={"till_id": "1", "float_minor": 0})
    sold = cashier.post("/api/sales", json=sent)
    assert sold.status_code == 201, sold.text
    (charged,) = sold.json["document"]["lines"]
    assert (charged["name"], charged["top_category"], charged["kind"]) == ("Birthday card", "Gifts", "service")
    with shop.doors.read() as session:
        assert session.scalar(sa.select(StockMovement).where(StockMovement.sku == first["sku"])) is None


def test_a_product_with_a_price_of_its_own_keeps_its_name(shop: House):
    answer = at_till(shop).post("/api/quote", json={"lines": [{"sku": "milk", "qty": 1, "called": "Caviar"}]})
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "name-stays")
