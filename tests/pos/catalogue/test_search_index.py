"""Products found by words as people type them: typos, half words, accents, names before brands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.catalogue import assortment, catalogue, search_index
from pos.catalogue.catalogue import Product
from pos.catalogue.search_index import SearchIndex
from tests.builders import NOON, OpenStore

SHELF = (
    ("milk", "Whole milk 1 l", "Meadow dairy"),
    ("chocolate", "Milk chocolate 100 g", "Alpine sweets"),
    ("butter", "Butter 250 g", "Meadow dairy"),
    ("peanut", "Peanut butter cookies 200 g", "Crumble biscuits"),
    ("jam", "Crème de jalapeño", "Tres"),
    ("beef", "Bœuf à l'ancienne", "Tres"),
    ("niunai", "全脂牛奶", "dairy quanzhiniunai qznn"),
    ("cream", "Sour cream", "Butterfield"),
    ("percent", "Percent % sign_", ""),
)
SKUS = [sku for sku, _, _ in SHELF]
INDEX = SearchIndex(SHELF)


def found(text: str) -> list[str]:
    return [one.sku for one in INDEX.search(text, SKUS)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("mlik", "milk"), ("choclate", "chocolate"), ("chocollate", "chocolate"), ("chocokate", "chocolate"),
        ("buttre", "butter"), ("whole mikl", "milk"), ("choc", "chocolate"), ("late", "chocolate"),
        ("creme", "jam"), ("JALAPEÑO", "jam"), ("jalapeno", "jam"), ("boeuf", "beef"), ("牛奶", "niunai"),
        ("niunai", "niunai"), ("qzn", "niunai"), ("cookies", "peanut"), ("alpine", "chocolate"),
    ],
)  # fmt: skip
def test_a_word_is_found_however_it_is_typed(typed, meant):
    assert found(typed)[0] == meant


def test_every_word_must_fit_and_one_too_many_does_no_harm():
    assert found("milk chocolate") == ["chocolate"]
    assert found("milk chocolate tonight") == ["chocolate"]
    assert found("milk tonight tomorrow") == []
    assert found("tonight") == []


def test_a_name_counts_more_than_a_brand_and_the_shortest_name_goes_first():
    assert found("butter") == ["butter", "peanut", "cream"]


def test_a_short_word_or_a_number_is_not_taken_for_another():
    assert found("lk") == []
    assert found("251") == []
    assert found("250") == ["butter"]


@pytest.mark.parametrize("text", ["%", "_", "", "   ", "!?", "\\", "'"])
def test_what_has_no_letters_finds_nothing(text):
    assert found(text) == []


def test_equals_keep_the_order_they_are_asked_in_and_others_are_left_out():
    index = SearchIndex((sku, "Tea", "") for sku in "abc")
    assert [one.sku for one in index.search("tea", ["c", "a", "gone"])] == ["c", "a"]
    assert [one.sku for one in index.search("tea", ["c", "a"], most=1)] == ["c"]


@given(st.text(max_size=200))
def test_whatever_is_typed_finds_products_that_were_asked_about_each_once_best_first(text):
    hits = INDEX.search(text, SKUS[:4])
    assert {one.sku for one in hits} <= set(SKUS[:4])
    assert len({one.sku for one in hits}) == len(hits)
    assert [one.score for one in hits] == sorted((one.score for one in hits), reverse=True)


def test_the_index_is_of_all_names_and_its_stamp_changes_with_the_catalogue(store: OpenStore):
    with store.write() as session:
        before, ctx = search_index.stamp(session), Context(session, store.wei, NOON)
        assortment.name_product(ctx, EVERYONE, "milk", {"de": "Vollmilch"})
        named = search_index.stamp(session)
        catalogue.name_category(ctx, session.get_one(Product, "milk").category, {"es": "Lácteos"})
        assert len({before, named, search_index.stamp(session)}) == 3
        index = search_index.read(session)
        assert index.search("volmilch", ["bread", "milk"])[0].sku == "milk"
        assert index.search("lacteos", ["bread", "milk"])
