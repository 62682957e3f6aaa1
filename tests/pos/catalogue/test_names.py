"""What products and categories are called in other languages: found by any name, shown in the reader's, sealed once."""

import pytest
import sqlalchemy as sa

from config import words
from config.errors import Refused
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.catalogue import assortment, catalogue
from pos.catalogue import edition as catalogue_edition
from pos.catalogue.catalogue import CategoryNames, Price, Product
from pos.printing.queue import PrintJob
from pos.reports import slips
from pos.sale import sale
from pos.stock import batches, markdown, stocktake
from pos.store.store import Store, Till
from supply.shelf import plan
from tests.builders import NOON, STORE, TILL, OpenStore, open_network

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


def found(store: OpenStore, text: str) -> list[str]:
    return [view.sku for view in store.read(lambda session: catalogue.search(session, STORE, text, DAY))]


@pytest.mark.parametrize("text", ["whole", "leche", "全脂", "quanzhi", "qznn", "lácteos", "leche LÁCTEOS"])
def test_the_search_finds_any_of_the_names(named, text):
    assert "milk" in found(named, text)


def test_the_search_finds_a_store_s_own_product_by_what_the_network_calls_its_category(named):
    with named.write() as session:
        ctx, category = Context(session, named.wei, NOON), session.get_one(Product, "milk").category
        own = assortment.add(ctx, STORE, assortment.ProductDetails("Own jam", category, "food"), command="own").sku
        assortment.set_price(ctx, STORE, own, 499, DAY, today=DAY)
    assert own in found(named, "lácteos")
    with named.write() as session:
        catalogue.name_category(Context(session, named.wei, NOON), category, {"es": "", "zh": "乳制品"})
    assert (found(named, "lácteos"), own in found(named, "ruzhipin jam")) == ([], True)


def test_a_category_is_named_in_as_many_statements_however_many_products_it_has(named):
    asked: list[str] = []
    sa.event.listen(named.database.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    with named.write() as session:
        category = session.get_one(Product, "milk").category
        asked.clear()
        catalogue.name_category(Context(session, named.wei, NOON), category, {"de": "Molkerei"})
    assert [statement for statement in asked if " product" in statement] == []


def test_what_the_search_looks_in_is_never_longer_than_a_store_takes_over():
    assert len(catalogue.search_text_for(*(sign * 120 for sign in "长牛奶绿茶面包"))) == catalogue.MOST_SEARCHED


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
        ctx = Context(session, store.wei, NOON)
        catalogue.name_category(ctx, "Dairy", {"es": "Lo nuestro"}, owner_id=STORE)
        own = assortment.add(ctx, STORE, assortment.ProductDetails("Jam", "Gone", "food"), command="own").sku
        assortment.set_price(ctx, STORE, own, 499, DAY, today=DAY)
        for body, skus in ((first, [own]), (second, [])):
            catalogue_edition.take_edition(session, body)
            assert [view.sku for view in catalogue.search(session, STORE, "gone es", DAY)] == skus
        assert session.get_one(Product, "milk").names == {"es": "Leche"}
        assert catalogue.category_names(session) == {"Dairy": {"es": "Lo nuestro"}}
        assert session.get_one(CategoryNames, (EVERYONE, "Dairy")).names == {"es": "Dairy es"}


def test_a_store_that_says_what_the_network_says_follows_its_next_word(named):
    def name(said: dict[str, str], owner_id: str) -> None:
        with named.write() as session:
            catalogue.name_category(Context(session, named.wei, NOON), "Dairy", said, owner_id=owner_id)

    def called() -> dict[str, str]:
        return named.read(catalogue.category_names)["Dairy"]

    name({"es": "Lácteos", "de": "Molkerei"}, EVERYONE)
    name({"es": "Lácteos", "de": "Milch und Käse"}, STORE)
    name({"es": "Leche y queso", "de": "Kühlregal"}, EVERYONE)
    assert called() == {"es": "Leche y queso", "de": "Milch und Käse"}
    name({"de": "Kühlregal"}, STORE)
    name({"de": "Molkereiprodukte"}, EVERYONE)
    assert called() == {"es": "Leche y queso", "de": "Molkereiprodukte"}


def test_a_view_is_called_as_its_reader_did_when_it_was_made(named, monkeypatch):
    monkeypatch.setattr(words, "reader", lambda: "es")
    view = named.read(lambda session: catalogue.to_sell(session, STORE, ["milk"], DAY))["milk"]
    monkeypatch.setattr(words, "reader", lambda: "zh")
    assert view.shown == "Leche entera"


def test_what_is_reduced_refuses_and_expires_under_the_name_that_is_shown(named, monkeypatch):
    monkeypatch.setattr(words, "reader", lambda: "zh")
    with named.write() as session:
        ctx = Context(session, named.wei, NOON)
        lot = batches.Lot("milk", 2, "L1", DAY)
        batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id="D1", at=NOON)
        session.execute(sa.delete(Price).where(Price.sku == "milk"))
        with pytest.raises(Refused) as refusal:
            markdown.mark_down(ctx, STORE, "milk", expires_on=DAY, percent_bp=3000, qty=1)
    assert refusal.value.facts["names"] == ["全脂牛奶"]
    lots = named.read(lambda session: batches.expiring(session, STORE, day=DAY, within_days=1))
    assert [lot.name for lot in lots] == ["全脂牛奶"]


def test_lists_to_count_and_to_label_are_printed_in_the_stores_language_and_in_its_order(named, monkeypatch):
    monkeypatch.setattr(words, "reader", lambda: "zh")
    with named.write() as session:
        ctx, till = Context(session, named.wei, NOON), session.get_one(Till, (STORE, TILL))
        assortment.name_product(ctx, EVERYONE, "wine", {"es": "Aceite"})
        take = stocktake.start(ctx, STORE, name="All", sections=["Floor"])
        queued = [
            slips.count_sheet(ctx, till, take.id, 1, command="sheet"),
            slips.price_batch(ctx, till, ["milk", "wine"], DAY, {}, command="prices"),
        ]
        printed = [
            [line["name"] for line in session.get_one(PrintJob, (STORE, one.id)).document["lines"]] for one in queued
        ]
    sheet = ["Aceite", "Green tea 绿茶", "Leche entera", "Mountain cheese, cut", "Rye bread 500 g"]
    assert printed == [sheet, ["Aceite", "Leche entera"]]
