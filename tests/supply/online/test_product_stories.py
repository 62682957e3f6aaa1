"""What a store tells of a producer's goods stays the store's own matter: its tax, its pictures."""

import pytest

from config.errors import Invalid
from config.nodes.journal import Context
from pos.catalogue import assortment
from pos.catalogue import edition as catalogue_edition
from pos.catalogue.assortment import ProductDetails
from pos.catalogue.catalogue import Product, TaxClass
from pos.producers import producers
from supply.online.storefront import product_stories
from tests.arriving import hear
from tests.supply.road import AT, KEEPER, later, make_country


@pytest.fixture
def country(tmp_path):
    return make_country(tmp_path)


def farm(country, store: str, rate_bp: int) -> str:
    """Sell a farmer's tomatoes in a store, under a tax class 'reduced' of the store's own; returns their SKU."""
    by = {"actor": KEEPER[store], "at": AT}
    with country.stores[store].write() as session:
        assortment.set_tax_class(Context(session, **by), "reduced", "Reduced", rate_bp, inclusive=True)
        producers.add_producer(
            Context(session, **by), store, producers.ProducerFacts("Li's farm", commission_bp=2_000), id="farm"
        )
        session.flush()
        sku = assortment.add(
            Context(session, **by), store, ProductDetails("Tomatoes", "Local", "reduced"), command="t"
        ).sku
        producers.sell_for(Context(session, **by), store, "farm", sku, "Grown on the hill.")
        product_stories.send(session, store, sku, at=AT)
        return sku


def test_a_shop_s_tax_class_is_no_other_shop_s_and_its_new_rate_is_told(country):
    skus = {store: farm(country, store, rate_bp) for store, rate_bp in (("S1", 9_000), ("S2", 500))}
    with country.stores["S1"].write() as session:
        assortment.set_tax_class(
            Context(session, KEEPER["S1"], later(days=1)), "reduced", "Reduced", 700, inclusive=True
        )
        session.flush()
        product_stories.send_taxed(session, "S1", "reduced", at=later(days=1))
    country.deliver()
    with country.network.read() as session:
        of_product = {
            store: session.get_one(TaxClass, session.get_one(Product, sku).tax_class_id).rate_bp
            for store, sku in skus.items()
        }
        edition = catalogue_edition.edition(session, "S2")
    assert of_product == {"S1": 700, "S2": 500}
    assert {"S1:reduced", "S2:reduced", "reduced"}.isdisjoint(row["id"] for row in edition["tax_classes"])
    with country.stores["S2"].write() as session:
        catalogue_edition.take_edition(session, edition)
        session.flush()
        assert session.get_one(TaxClass, "reduced").rate_bp == 500


@pytest.mark.parametrize("rate_bp", [-1, 10_001, 5.5, True])
def test_a_tax_that_is_none_is_not_taken_over(country, rate_bp):
    said = {"id": "reduced", "name": "Reduced", "rate_bp": rate_bp, "inclusive": True}
    with country.network.write() as session, pytest.raises(Invalid, match="rate_bp"):
        hear(
            session,
            "produce.reported",
            {"store_id": "S1", "edition": 1, "product": {"sku": "S1-x"}, "tax_class": said},
            at=AT,
        )


def test_a_picture_is_kept_though_it_comes_before_its_story_or_twice_and_goes_when_the_story_drops_it(country):
    sku = farm(country, "S1", 500)
    jpegs = [b"\xff\xd8" + bytes([n]) * 9 for n in range(2)]

    def send(n: int, *, gone: str | None = None) -> None:
        with country.stores["S1"].write() as session:
            if gone:
                product_stories.take_out_picture(session, "S1", sku, gone)
            product_stories.add_picture(session, "S1", sku, jpegs[n], at=later(minutes=1 + n))
            product_stories.send(session, "S1", sku, at=later(minutes=1 + n))

    def shown() -> tuple[str, ...]:
        country.deliver(seed=7)
        with country.network.read() as session:
            found = product_stories.story_of(session, "S1", sku)
            kept = {row.id for row in product_stories.pictures_of(session, "S1", sku)}
        assert kept == set(found.pictures)
        return found.pictures

    send(0)
    (first,) = shown()
    send(1, gone=first)
    (second,) = shown()
    assert second != first
    body = {"store_id": "S1", "sku": sku, "id": first, "jpeg": "/9gB", "put_at": AT.isoformat()}
    with country.network.write() as session, pytest.raises(Invalid, match="This picture differs from what the store"):
        hear(session, "produce.picture", body, at=AT)
