"""A symbol for every category: by its words in each of our languages, and a drawing for every symbol."""

import re
from pathlib import Path

import pytest

from pos.catalogue.symbols import OTHER, SYMBOLS, symbol_of
from store_app.demo.products import TOP_CATEGORIES

DRAWINGS = Path(__file__).resolve().parents[3] / "store_app/static/common/symbols.svg"


def test_every_symbol_has_its_drawing_and_no_two_are_alike():
    drawings = re.findall(r'<symbol id="(\w+)" [^>]*>(.*)</symbol>', DRAWINGS.read_text("utf-8"))
    assert sorted(name for name, _ in drawings) == sorted(SYMBOLS)
    assert len({drawing for _, drawing in drawings}) == len(SYMBOLS)


@pytest.mark.parametrize("category", [name for name in TOP_CATEGORIES if name != "General goods"])
def test_every_category_of_the_demonstration_has_a_symbol_of_its_own(category: str):
    assert symbol_of(category) != OTHER
    assert [one for one in TOP_CATEGORIES if symbol_of(one) == symbol_of(category)] == [category]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("Obst & Gemüse", "produce"), ("水果蔬菜", "produce"), ("Lácteos y huevos", "dairy"), ("Milchprodukte", "dairy"),
     ("Panadería", "bakery"), ("饮料", "drinks"), ("Getränke", "drinks"), ("Meat & fish", "meat"), ("Fish", "fish"),
     ("Ice cream", "frozen"), ("Icing", OTHER), ("Candy", "sweets"), ("Canned soup", "pantry"),
     ("Hot dogs", OTHER), ("Dog foods", "pets"), ("", OTHER)],
)  # fmt: skip
def test_the_word_that_stands_first_tells_and_of_two_there_the_longest(name: str, symbol: str):
    assert symbol_of(name) == symbol


def test_the_department_tells_where_the_category_does_not():
    assert symbol_of("Specials", "Bakery") == "bakery"
    assert symbol_of("Dairy", "Bakery") == "dairy"
