"""What products and categories are called in other languages: found by any name, shown in the reader's, sealed once."""

import pytest
import sqlalchemy as sa

from config import words
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.catalogue import assortment, catalogue
from pos.catalogue import edition as catalogue_edition
from pos.catalogue.catalogue import CategoryNames, Product
from pos.sale import sale
from pos.store.store import Store
from supply.shelf import plan
from tests.builders import NOON, STORE, OpenStore, open_network

DAY = NOON.date()


@pytest.fixture
def named(store: OpenStore) -> OpenStore:
    """The store, whose milk and whose category have names in Spanish and Chinese; it speaks Spanish."""
    with store.write() as session:
        ctx, milk = Context(session, store.wei, NOON), session.get_one(Product, "milk")
        assortment.name_product(ctx, EVERYONE, "milk", {"es": "Leche entera", "zh": "全脂牛奶"})
        catalogue.name_category(ctx, milk.category, {"es": "Lácteos"})
        session.get_one(Store, STORE).language = "es"
    return store


@pytest.mark.parametrize(("reads", "name"), [("es", "Leche entera"), ("zh", "全脂牛奶"), ("de", "Whole milk 1 l")])
def test_a_query_calls_a_product_as_its_row_does(named, monkeypatch, reads, name):
    monkeypatch.setattr(words, "reader", lambda: reads)
    query = sa.select(Product, Product.shown).where(Product.sku == "milk")
    row, shown = named.read(lambda session: session.execute(query).one())
    assert row.shown == shown == name


@pytest.mark.parametrize("text", ["whole", "leche", "全脂", "quanzhi", "qznn", "lácteos"])
def test_the_search_finds_any_of_the_names(named, text):
    assert "milk" in [view.sku for view in named.read(lambda session: catalogue.search(session, STORE, text, DAY))]


def test_a_name_taken_back_is_found_no_more(named):
    with named.write() as session:
        ctx = Context(session, named.wei, NOON)
        assortment.name_product(ctx, EVERYONE, "milk", {"es": ""})
        assert session.get_one(Product, "milk").names == {"zh": "全脂牛奶"}
    assert named.read(lambda session: catalogue.search(session, STORE, "leche", DAY)) == []


def test_a_sale_keeps_the_name_it_was_printed_with_whoever_rang_it(named, monkeypatch):
    monkeypatch.setattr(words, "reader", lambda: "zh")
    quoted = named.read(lambda session: sale.quote(session, STORE, [("milk", 1)], at=NOON))
    assert quoted.basket.lines[0].product.shown == "全脂牛奶"
    done = named.sell([("milk", 1), ("bread", 1)])
    with named.write() as session:
        assortment.name_product(Context(session, named.wei, NOON), EVERYONE, "milk", {"es": "Leche"})
    printed = named.sell([("milk", 1)]).document["lines"]
    assert [line["name"] for line in done.document["lines"]] == ["Leche entera", "Rye bread 500 g"]
    assert [line["name"] for line in printed] == ["Leche"]


def test_a_shelf_label_speaks_the_stores_language(named, monkeypatch):
    monkeypatch.setattr(words, "reader", lambda: "zh")
    found = named.read(lambda session: plan.label_documents(session, STORE, ["milk", "tea"], "https://s/", at=NOON))
    assert (found["milk"]["name"], found["tea"]["name"]) == ("Leche entera", "Green tea 绿茶")


def test_an_edition_brings_the_networks_names_and_leaves_the_stores_own(store, tmp_path):
    network = open_network(tmp_path / "net")
    with network.database.write() as session:
        ctx = Context(session, store.wei, NOON)
        session.add(catalogue.TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        catalogue.add_product(ctx, "milk", "Milk", category="Dairy", tax_class_id="food", names={"es": "Leche"})
        for name in ("Dairy", "Gone"):
            catalogue.name_category(ctx, name, {"es": f"{name} es"})
        first = catalogue_edition.edition(session, STORE)
        session.delete(session.get_one(CategoryNames, (EVERYONE, "Gone")))
        session.flush()
        second = catalogue_edition.edition(session, STORE)
    with store.write() as session:
        catalogue.name_category(Context(session, store.wei, NOON), "Dairy", {"es": "Lo nuestro"}, owner_id=STORE)
        for body in (first, second):
            catalogue_edition.take_edition(session, body)
        assert session.get_one(Product, "milk").names == {"es": "Leche"}
        assert catalogue.category_names(session) == {"Dairy": {"es": "Lo nuestro"}}
        assert session.get_one(CategoryNames, (EVERYONE, "Dairy")).names == {"es": "Dairy es"}
