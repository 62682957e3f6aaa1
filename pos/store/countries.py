"""What a store begins with in its country: currency, tax rates, language, time zone, smallest coin. PURE.

Rules
-----
1. Country, currency, language and zones are CLDR's, by Babel. Tax rates and coins are tables here, of 2026: a proposal,
   which the shopkeeper reads, corrects and may change for the next sale.
2. The first rate is the usual one. Where prices are shown without the tax (US, CA), a town's rate is typed: no table
   knows it.
3. Afterwards a store's country is the one its time zone lies in: formats, clock and holidays follow it. The setting
   `country` adds its state, and is the network's own.
4. A zone is proposed where this computer's own is in the country, or where most of the country has one; else it is
   asked.
"""

from dataclasses import dataclass

from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages
from babel.localtime import get_localzone
from babel.numbers import get_territory_currencies

from config.settings import is_country
from config.words import LANGUAGES

TAX_RATES = {
    "AE": (500,), "AR": (2100, 1050), "AT": (2000, 1000, 1300), "AU": (1000,), "BE": (2100, 600, 1200),
    "BG": (2000, 900), "CA": (500,), "CH": (810, 260), "CL": (1900,), "CN": (1300, 900),
    "CO": (1900, 500), "CY": (1900, 500, 900), "CZ": (2100, 1200), "DE": (1900, 700), "DK": (2500,),
    "EE": (2400, 900), "ES": (2100, 1000, 400), "FI": (2550, 1350), "FR": (2000, 550, 1000), "GB": (2000, 500),
    "GR": (2400, 1300, 600), "HR": (2500, 1300, 500), "HU": (2700, 500, 1800), "ID": (1100,), "IE": (2300, 1350),
    "IN": (1800, 500), "IS": (2400, 1100), "IT": (2200, 1000, 400), "JP": (1000, 800), "KR": (1000,),
    "LT": (2100, 1200, 500), "LU": (1700, 800, 300), "LV": (2100, 1200, 500), "MT": (1800, 500, 700), "MX": (1600,),
    "NL": (2100, 900), "NO": (2500, 1500), "NZ": (1500,), "PE": (1800,), "PH": (1200,),
    "PL": (2300, 800, 500), "PT": (2300, 600, 1300), "RO": (2100, 1100), "SE": (2500, 1200, 600), "SG": (900,),
    "SI": (2200, 950, 500), "SK": (2300, 500, 1900), "TH": (700,), "TR": (2000, 1000, 100), "TW": (500,),
    "UA": (2000,), "VN": (1000, 500), "ZA": (1500,),
}  # fmt: skip
"""Country -> its rates in basis points, the usual one first (rule 1)."""
TAX_ON_TOP = frozenset({"US", "CA"})
"""Where the shelf shows prices without the tax."""
MOST_RATES = 3
MAIN_ZONES = {
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "DE": "Europe/Berlin", "EC": "America/Guayaquil",
    "ES": "Europe/Madrid", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv",
}  # fmt: skip
"""Countries of several zones, where nearly everybody lives in one."""
COINS = {
    "AUD": 5, "CAD": 5, "CHF": 5, "CZK": 100, "DKK": 50, "HUF": 500, "NOK": 100, "NZD": 10, "SEK": 100,
}  # fmt: skip
"""Currency -> its smallest coin in minor units, where that is not one."""


@dataclass(frozen=True)
class Preset:
    """What a country proposes. language: '' none of ours; tz: '' to be asked; zones: those it has."""

    currency: str
    language: str
    tz: str
    zones: tuple[str, ...]
    rates_bp: tuple[int, ...]
    inclusive: bool


def preset(country: str) -> Preset:
    """Return what a country proposes."""
    zones, own = zones_of(country), str(get_localzone())
    tz = zones[0] if len(zones) == 1 else own if own in zones else MAIN_ZONES.get(country, "")
    spoken = (one.partition("_")[0] for one in get_official_languages(country, de_facto=True))
    return Preset(
        currency=next(iter(get_territory_currencies(country)), "USD"),
        language=next((one for one in spoken if one in LANGUAGES), ""),
        tz=tz, zones=zones, rates_bp=TAX_RATES.get(country, (0,)), inclusive=country not in TAX_ON_TOP,
    )  # fmt: skip


def tax_on_top(currency: str) -> bool:
    """Tell whether the shelf shows prices without the tax where this is the currency."""
    return any(currency in get_territory_currencies(country) for country in TAX_ON_TOP)


def here() -> str:
    """Return the country this computer's clock is set to, '' where it tells none."""
    return country_of(str(get_localzone()))


def countries(locale: Locale) -> list[tuple[str, str]]:
    """Return every country with its name in a language, in that language's order."""
    named = ((code, str(name)) for code, name in locale.territories.items() if is_country(code) and zones_of(code))
    return sorted(named, key=lambda one: one[1].casefold())


def currencies(locale: Locale) -> list[tuple[str, str]]:
    """Return every currency that is some country's today, with its name in a language."""
    used = {code for country, _ in countries(locale) for code in get_territory_currencies(country)}
    return sorted((code, f"{code} · {locale.currencies.get(code, code)}") for code in used)


def country_of(tz: str) -> str:
    """Return the country a time zone lies in, '' for none."""
    found = str(get_global("zone_territories").get(tz, ""))
    return found if is_country(found) else ""


def holidays_of(setting: str, tz: str) -> str:
    """Return whose holidays a store keeps: the setting's, with its state, unless its clock is another country's."""
    return setting if country_of(tz) in ("", setting.partition("-")[0]) else country_of(tz)


def zones_of(country: str) -> tuple[str, ...]:
    """Return the time zones of a country."""
    return tuple(sorted(zone for zone, of in get_global("zone_territories").items() if of == country))
