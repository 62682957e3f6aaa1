"""The sample assortment of a new store."""

import pytest

from config.words import LANGUAGES
from pos.catalogue import samples
from pos.catalogue.symbols import OTHER, symbol_of


def test_each_is_named_in_every_language_and_has_a_symbol():
    for one in samples.SAMPLES:
        assert set(one.names) == set(one.categories) == set(LANGUAGES)
        assert OTHER not in {symbol_of(name) for name in one.categories.values()}, one.categories


@pytest.mark.parametrize(
    ("currency", "least", "most"),
    [("EUR", 139, 139), ("JPY", 150, 250), ("CNY", 700, 1200), ("HUF", 40_000, 60_000), ("KWD", 1390, 1390)],
)
def test_a_price_has_the_size_of_its_currency(currency: str, least: int, most: int):
    assert least <= samples.price_minor(139, currency) <= most
