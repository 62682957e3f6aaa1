"""What a country proposes to a new store."""

import pytest
from babel import Locale
from babel.numbers import get_territory_currencies

from config.money import BASIS
from pos.store import countries


@pytest.mark.parametrize(
    ("country", "currency", "language", "usual_bp", "inclusive"),
    [
        ("DE", "EUR", "de", 1900, True), ("AT", "EUR", "de", 2000, True), ("ES", "EUR", "es", 2100, True),
        ("MX", "MXN", "es", 1600, True), ("CN", "CNY", "zh", 1300, True), ("US", "USD", "en", 0, False),
        ("GB", "GBP", "en", 2000, True), ("JP", "JPY", "", 1000, True),
    ],
)  # fmt: skip
def test_a_country_proposes_its_money_its_tax_and_its_language(
    country: str, currency: str, language: str, usual_bp: int, inclusive: bool
):
    found = countries.preset(country)
    assert (found.currency, found.language, found.rates_bp[0], found.inclusive) == (
        currency, language, usual_bp, inclusive,
    )  # fmt: skip


def test_every_country_has_a_currency_and_a_zone_and_no_zone_is_guessed_that_it_lacks():
    for country, _name in countries.countries(Locale("en")):
        found = countries.preset(country)
        assert found.zones, country
        assert found.tz in ("", *found.zones), country
        assert len(found.rates_bp) <= countries.MOST_RATES, country
        assert all(0 <= rate <= BASIS for rate in found.rates_bp), country


def test_the_tables_name_countries_and_currencies_that_are_there():
    known = {code for code, _name in countries.countries(Locale("en"))}
    assert countries.TAX_RATES.keys() <= known
    for country, zone in countries.MAIN_ZONES.items():
        assert zone in countries.zones_of(country)
    used = {code for country in known for code in get_territory_currencies(country)}
    assert countries.COINS.keys() <= used
