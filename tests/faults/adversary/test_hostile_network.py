"""A network in somebody else's hands: what it publishes is refused whole, the store's books stay, and it is shown."""

import copy
import html
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from config.nodes import publication
from config.nodes.journal import Context
from config.nodes.publication import Pulled, RefusedEdition
from pos.catalogue import assortment, catalogue, edition
from pos.catalogue.assortment import ProductDetails
from pos.catalogue.catalogue import Barcode, CategoryNames, Price, Product, TaxClass
from pos.store.store import Store
from store_app.node import doctor
from store_app.sync import sender
from store_app.words.refusals import sentence_of
from supply.orders import suppliers
from supply.orders.suppliers import Supplier
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import SYSTEM, send, words
from tests.store_app.sync.test_sync import talk

BY: dict[str, Any] = {"actor": SYSTEM, "at": NOON}
DAY = NOON.date()


@pytest.fixture
def good(network: House, house: House, served: str) -> dict[str, Any]:
    """Give the network a catalogue that the store has taken over, and the store a product of its own."""
    with network.doors.write() as session:
        if session.get(TaxClass, "food") is None:
            session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
            session.flush()
        for sku, name, minor in (("N1", "Cola", 150), ("N2", "Bread", 220)):
            catalogue.add_product(Context(session, **BY), sku, name, category="Drinks", tax_class_id="food")
            catalogue.set_price(Context(session, **BY), sku, minor, DAY)
        catalogue.name_category(Context(session, **BY), "Drinks", {"es": "Bebidas"})
        body = edition.edition(session, STORE)
        publication.publish(session, "catalogue", STORE, body, at=NOON)
    done = talk(house, served)
    assert done.editions == ["catalogue"], done
    with house.doors.write() as session:
        assortment.set_tax_class(Context(session, **BY), "own", "Own class", 500, inclusive=True, owner_id=STORE)
        own = assortment.add(Context(session, **BY), STORE, ProductDetails("Own jam", "Spreads", "own"), command="own")
        assortment.set_price(Context(session, **BY), STORE, own.sku, 499, DAY, today=DAY)
        session.add(Barcode(code="own-1", sku=own.sku, qty=1))
        supplier = suppliers.add_supplier(Context(session, **BY), STORE, suppliers.Contact("Own baker"))
        return {"body": body, "own": own.sku, "supplier": supplier.id}


def publish(network: House, kind: str, body: dict[str, Any], scope: str = STORE) -> None:
    with network.doors.write() as session:
        publication.publish(session, kind, scope, body, at=NOON)


def books(house: House) -> list[Any]:
    """Return all that the store knows of products, prices, codes and suppliers."""
    with house.doors.read() as session:
        return [
            sorted(map(repr, session.execute(sa.select(*table.__table__.columns)).all()))
            for table in (Product, CategoryNames, Price, Barcode, TaxClass, Supplier)
        ]


def named(body: dict[str, Any], sku: str) -> dict[str, Any]:
    return next(row for row in body["products"] if row["sku"] == sku)


def renamed(name: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda body, _reported: named(body, "N1").update(name=name)


def priced(minor: Any, day: str = DAY.isoformat()) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda body, _reported: body["prices"].append(["N2", day, minor])


def hijack(body: dict[str, Any], reported: dict[str, Any]) -> None:
    body["products"].append(named(body, "N1") | {"sku": reported["own"], "name": "Bought out"})


def own_price(body: dict[str, Any], reported: dict[str, Any]) -> None:
    body["prices"].append([reported["own"], DAY.isoformat(), 1])


def own_tax(body: dict[str, Any], reported: dict[str, Any]) -> None:
    body["tax_classes"].append(body["tax_classes"][0] | {"id": "own", "rate_bp": 10_000})


WORSE = [
    (renamed("Co\x1bla"), "edition-letters"), (renamed("Co\x00la"), "edition-letters"),
    (renamed("\u202eaduL"), "edition-letters"), (renamed("a\u2066b"), "edition-letters"),
    (renamed("two\nlines"), "edition-letters"), (renamed("C" * 5_000), "edition-long"),
    (renamed(""), "edition-shape"), (priced(0), "edition-free"), (priced(-1), "edition-shape"),
    (priced(1.5), "edition-shape"), (priced(True), "edition-shape"), (priced(10**15), "edition-number"),
    (priced(float("nan")), "edition-shape"), (priced(200, "0001-01-01"), "edition-day"),
    (priced(200, "9999-12-31"), "edition-day"), (priced(200, "2026-02-30"), "edition-shape"),
    (priced(1), "edition-price-jump"), (priced(999_999), "edition-price-jump"),
    (hijack, "edition-own"), (own_price, "edition-own"), (own_tax, "edition-own"),
    (lambda body, reported: named(body, "N1").update(tax_class_id="own"), "edition-own"),
    (lambda body, reported: body["tax_classes"][0].update(owner_id=STORE), "edition-shape"),
    (lambda body, reported: named(body, "N1").update(owner_id=STORE), "edition-shape"),
    (lambda body, reported: named(body, "N1").update(price_quantity=0), "edition-shape"),
    (lambda body, reported: body.update(store_id="S02"), "edition-scope"),
    (lambda body, reported: body["tax_classes"][0].update(rate_bp=-700), "edition-shape"),
    (lambda body, reported: body["products"].append(named(body, "N1")), "edition-shape"),
    (lambda body, reported: body.pop("prices"), "edition-shape"),
    (lambda body, reported: named(body, "N1").update(names={"es": "Co\x1bla"}), "edition-letters"),
    (lambda body, reported: named(body, "N1").update(names={"es": "C" * 161}), "edition-shape"),
    (lambda body, reported: named(body, "N1").update(names={"e\u202es": "Cola"}), "edition-letters"),
    (lambda body, reported: named(body, "N1").update(names={"": "Cola"}), "edition-shape"),
    (lambda body, reported: body["category_names"][0].update(names={"es": ""}), "edition-shape"),
    (lambda body, reported: body["category_names"][0].update(owner_id=STORE), "edition-shape"),
    (lambda body, reported: body["category_names"].append(body["category_names"][0]), "edition-shape"),
    (lambda body, reported: named(body, "N1").pop("names"), "edition-shape"),
    (lambda body, reported: named(body, "N1").update(search_text=["cola"]), "edition-shape"),
    (lambda body, reported: body["category_names"][0].update(search_text=None), "edition-shape"),
]  # fmt: skip
"""What somebody makes of an edition -> why it is refused."""


def test_a_hostile_catalogue_changes_nothing_and_its_row_is_shown(house, network, served, good):
    before, client = books(house), house.signed_in()
    for n, (worsen, code) in enumerate(WORSE):
        body = copy.deepcopy(good["body"])
        named(body, "N2")["name"] = f"A harmless change that must not come in alone {n}"
        worsen(body, good)
        publish(network, "catalogue", body)
        done = talk(house, served)
        assert (done.editions, done.fault, len(done.refused)) == ([], None, 1), (n, code)
        assert books(house) == before, (n, code)
        with house.doors.read() as session:
            (row,) = publication.refused(session)
            assert session.get_one(Pulled, "catalogue").version == 1
        assert (row.kind, row.code) == ("catalogue", code), n
        word = doctor._editions(house.doors)
        assert (word.light, row.as_refusal().message in word.sentence) == (doctor.WARN, True), (n, code)
        page = client.get("/settings/?lang=en")
        with house.app.test_request_context("/?lang=en"):
            assert sentence_of(row.as_refusal()) in html.unescape(words(page)), (n, code)
        assert "\x1b" not in page.text
        assert ("Approve these prices" in page.text) == (code == "edition-price-jump"), n
    assert "vom Verbund" in words(client.get("/settings/?lang=de"))


def test_the_sentence_names_the_row_and_is_gone_with_the_next_good_edition(house, network, served, good):
    worse = copy.deepcopy(good["body"])
    renamed("Co\x1bla")(worse, good)
    publish(network, "catalogue", worse)
    talk(house, served)
    with house.doors.read() as session:
        assert "products, #1, name" in publication.refused(session)[0].as_refusal().message
    better = copy.deepcopy(good["body"])
    named(better, "N1")["name"] = "Kola"
    publish(network, "catalogue", better)
    assert talk(house, served).editions == ["catalogue"]
    with house.doors.read() as session:
        assert publication.refused(session) == []
        assert session.get_one(Product, "N1").name == "Kola"


def test_prices_that_jump_come_in_once_the_shopkeeper_allows_that_very_edition(house, network, served, good):
    body = copy.deepcopy(good["body"])
    priced(2)(body, good)
    publish(network, "catalogue", body)
    talk(house, served)
    with house.doors.read() as session:
        seen = publication.refused(session)[0].sha256
    priced(3, "2026-03-09")(body, good)
    publish(network, "catalogue", body)
    talk(house, served)
    client = house.signed_in()
    assert send(client, "/settings/editions/catalogue/allow", sha256=seen).status_code == 409, "another one meanwhile"
    with house.doors.read() as session:
        row = session.get_one(RefusedEdition, "catalogue")
    assert send(client, "/settings/editions/catalogue/allow", sha256=row.sha256).status_code == 303
    assert talk(house, served).editions == ["catalogue"]
    with house.doors.read() as session:
        assert catalogue.price_on(session, STORE, "N2", DAY) == 2


def test_no_leave_mends_what_is_broken(house, network, served, good):
    body = copy.deepcopy(good["body"])
    hijack(body, good)
    publish(network, "catalogue", body)
    talk(house, served)
    with house.doors.read() as session:
        row = session.get_one(RefusedEdition, "catalogue")
    answer = send(house.signed_in(), "/settings/editions/catalogue/allow", sha256=row.sha256)
    assert answer.status_code == 409
    talk(house, served)
    with house.doors.read() as session:
        assert session.get_one(Product, good["own"]).name == "Own jam"


def test_a_code_of_a_product_of_the_store_s_own_is_left_to_it_and_the_rest_comes_in(house, network, served, good):
    body = copy.deepcopy(good["body"])
    body["barcodes"] += [["own-1", "N1", 6], ["new-1", "N1", 6]]
    publish(network, "catalogue", body)
    assert talk(house, served).editions == ["catalogue"]
    with house.doors.read() as session:
        codes = dict(session.execute(sa.select(Barcode.code, Barcode.sku)).all())
    assert (codes["own-1"], codes["new-1"]) == (good["own"], "N1")


def supplier_of(reported: dict[str, Any], **other: Any) -> dict[str, Any]:
    row = {"id": "W1", "name": "Warehouse", "kind": "network", "calendar": {"order_days": "mon", "lead_days": "1"},
           "minimum_minor": 0, "warehouse_id": "WH1"}  # fmt: skip
    return {"suppliers": [row | other], "products": []}


OTHERS = [
    ("suppliers", lambda reported: supplier_of(reported, id=reported["supplier"])),
    ("suppliers", lambda reported: supplier_of(reported, calendar={"lead_days": "-3"})),
    ("suppliers", lambda reported: supplier_of(reported) | {"products": [["W1", "N1", 1, -5, 1, None]]}),
    ("suppliers", lambda reported: supplier_of(reported) | {"products": [["W1", "N1", 0, 5, 1, None]]}),
    ("suppliers", lambda reported: supplier_of(reported) | {"clocks": [["WH1", "Nowhere/At_All"]]}),
    ("offers", lambda r: {"offers": [{"id": "o1"}]}),
    ("surroundings", lambda r: {"region_id": r["region"], "school": [["Free", "0001-01-01", "9999-12-31"]],
                                   "weather": []}),
    ("surroundings", lambda r: {"region_id": "elsewhere", "school": [], "weather": []}),
    ("demand", lambda r: {"region_id": r["region"], "first_day": "0001-01-01", "open": [1], "rows": []}),
    ("demand", lambda r: {"region_id": r["region"], "first_day": DAY.isoformat(), "open": [1],
                             "rows": [["N1", 5, "x", "", "", ""]]}),
    ("forecast", lambda r: {"region_id": r["region"], "origin_day": DAY.isoformat(), "run_id": "r",
                               "signal": {"version": 1, "mean": [float("inf")]}}),
    ("points", lambda r: {"days": [{"from_day": DAY.isoformat(), "name": "P", "currency": "USD", "active": True,
                                       "points": -1, "per_minor": 100, "worth_minor": 1, "least_points": 0,
                                       "expiry_months": 0, "lapsed_to": "stores", "notice_days": 0}]}),
    ("compare", lambda r: {"scope": "*", "figures": [["price", "N1", "much", DAY.isoformat()]]}),
    ("lessons", lambda r: {"lessons": [["l1", {"en": "Hi\x1b[2J"}, "op", NOON.isoformat()]]}),
    ("lessons", lambda r: {"lessons": "x" * 70_000}),
    ("lessons", lambda r: {"n": [[[[[[[[[[1]]]]]]]]]]}),
]  # fmt: skip
"""A kind of edition -> what cannot be one."""


def test_no_other_edition_is_believed_either(house, network, served, good):
    with house.doors.read() as session:
        good["region"] = session.get_one(Store, STORE).region_id
    before, seen = books(house), set()
    for n, (kind, made) in enumerate(OTHERS):
        publish(network, kind, made(good))
        done = talk(house, served)
        assert (done.editions, done.fault) == ([], None), (n, kind)
        assert books(house) == before, (n, kind)
        with house.doors.read() as session:
            seen.add(session.get_one(RefusedEdition, kind).sha256)
        assert len(seen) == n + 1, (n, kind)


def test_every_kind_of_edition_has_a_shape_it_is_held_to():
    from store_app.sync import edition_check

    assert set(edition_check._SHAPES) == set(sender.EDITIONS)
