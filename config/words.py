"""What is said in which language: the message catalogue and the table of languages, for pages, mail and paper alike.

Rules
-----
1. A sentence is written once, in English, where it is said. That text is its key in each other language's catalogue,
   `translations/<code>/LC_MESSAGES/messages.po`; what has no translation is said in English.
2. A language is a row of LANGUAGES and its catalogue, nothing else: its direction, plurals and formats are Babel's, and
   a printer chooses its code page letter by letter. A catalogue and Babel's formats are read when they are first used:
   each takes a few megabytes, and most stores speak one language.
3. Money, numbers, percentages, days and times are written as the language does in the store's country where Babel
   knows the two together (English in Germany: `2,99 €`, `5 %`, `14:05`), else as LANGUAGES says.
4. A currency's sign stands without its country, as a till has it: `$2.99`, never `US$2.99`.
5. What a store or the network names (a product, a category) has one name, its key, and may have others, one a language:
   {language: name}. Where a language has none, the one name is shown.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.core import get_global
from babel.support import NullTranslations, Translations

from config.money import BASIS, exponent

LANGUAGES = {
    "en": ("English", "en_US"),
    "zh": ("中文", "zh_Hans_CN"),
    "es": ("español", "es_ES"),
    "de": ("Deutsch", "de_DE"),
}
"""Code -> what its speakers call it, and the locale whose formats count where the store's country settles nothing."""
FOLDER = Path(__file__).parent / "translations"
UNITS = {"gram": ("g", "kg"), "millilitre": ("ml", "l")}
"""Stock unit -> its sign, and that of a thousand."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?|\d\d:\d\d")
N_ = str
"""Marks what is said later, in a language not yet known."""
reader: Callable[[], str] = str
"""Tells in which language the answer being made is read; '' where no one does, as in a job. The pages set it."""


class Language:
    """A language as a country writes it: `say("Total")`, `say.money(299, "EUR")`. Made by `language`."""

    def __init__(self, code: str, country: str) -> None:
        self.code = code
        self.name, usual = LANGUAGES[code]
        self.locale = Locale.parse(usual)
        try:
            of_country = Locale.parse(f"{code}_{country}")
        except (UnknownLocaleError, ValueError):
            of_country = self.locale
        if of_country.script == self.locale.script:
            self.locale = of_country

    @property
    def tag(self) -> str:
        """How a page names it: `en-US`, `zh-Hans-CN`."""
        return str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

    # --- sentences ---

    def __call__(self, text: str, **values: Any) -> str:
        """Say a sentence, its `%(name)s` filled in (rule 1)."""
        said = self._messages.gettext(text)
        return said % values if values else said

    def pgettext(self, context: str, text: str) -> str:
        """Say a word that means another thing elsewhere."""
        return str(self._messages.pgettext(context, text))

    @cached_property
    def _messages(self) -> NullTranslations:
        return catalogue(self.code)

    # --- figures ---

    @cached_property
    def _point(self) -> str:
        return numbers.get_decimal_symbol(self.locale)

    def amount(self, minor: int, currency: str) -> str:
        """Write an amount as figures alone: `-1,234.50`."""
        places = exponent(currency)
        whole, part = divmod(abs(minor), 10**places)
        figures = f"{whole}" if whole < 1000 else self.number(whole)
        return f"{'-' if minor < 0 else ''}{figures}" + (f"{self._point}{part:0{places}d}" if places else "")

    def money(self, minor: int, currency: str, *, by_code: bool = False) -> str:
        """Write an amount with its currency: `$12.50`, `12,50 €`; by its code: `KRW 1,200` (rule 4)."""
        before, after = _around(self.locale, currency, by_code)
        return f"{'-' if minor < 0 else ''}{before}{self.amount(abs(minor), currency)}{after}"

    def number(self, value: float | Decimal, places: int = 0) -> str:
        """Write a number, with trailing zeros dropped. places: decimals at most."""
        if -999 < value < 999:  # no groups, so Babel's slower way adds nothing
            written = f"{value:.{places}f}"
            return (written.rstrip("0").rstrip(".") if places else written).replace(".", self._point)
        pattern = "#,##0" + ("." + "#" * places if places else "")
        return numbers.format_decimal(value, format=pattern, locale=self.locale)

    def quantity(self, units: float, stock_unit: str = "each") -> str:
        """Write a quantity with its unit: `3`, `350 g`, `1.25 kg`."""
        small, large = UNITS.get(stock_unit, ("", ""))
        if small and abs(units) >= 1000:
            return f"{self.number(Decimal(str(units)) / 1000, 3)} {large}"
        figures = str(units) if isinstance(units, int) and abs(units) < 1000 else self.number(units, 2)
        return f"{figures} {small}" if small else figures

    def percent(self, rate_bp: float, places: int = 2, *, plus: bool = False) -> str:
        """Write basis points: `5.5%`, `5,5 %`. places: decimals at most; plus: as a change, `+5%`, `−5 %`."""
        return _percent(self.locale, round(rate_bp, places - 2), plus)

    # --- days and times ---

    def day(self, day: dt.date) -> str:
        """Write a day: `Mar 2, 2026`, `02.03.2026`."""
        return dates.format_date(day, "medium", locale=self.locale)

    def moment(self, local: str) -> str:
        """Write a day, a time or both, kept as `2026-03-02 14:05`; what is none of them stays as it is."""
        return _moment(self, local) if _MOMENT.fullmatch(local) else local

    def long_day(self, day: dt.date) -> str:
        """Write a day as in a letter: `December 7, 2017`."""
        return dates.format_date(day, "long", locale=self.locale)

    def time(self, time: dt.time) -> str:
        """Write a time of the day: `2:05 PM`, `14:05`."""
        return dates.format_time(time, "short", locale=self.locale)


def language(tag: str, tz: str = "") -> Language:
    """Return a language by its code or tag, English where it is none of ours. tz: the store's, which tells where."""
    return _language(known(tag) or "en", get_global("zone_territories").get(tz, "") if tz else "")


def known(tag: str) -> str:
    """Return the code of one of our languages, '' for another: 'zh-CN' is 'zh'."""
    code = tag.replace("_", "-").partition("-")[0].lower()
    return code if code in LANGUAGES else ""


def called(name: str, names: Mapping[str, str] | None, code: str | None = None) -> str:
    """Return what a thing is called in a language, the reader's unless one is said (rule 5)."""
    return names.get(reader() if code is None else code, name) if names else name


def names() -> dict[str, str]:
    """Return every language by its code, as its speakers call it."""
    return {code: name for code, (name, _locale) in LANGUAGES.items()}


@lru_cache
def catalogue(code: str) -> NullTranslations:
    """Return a language's sentences; pages, paper and mail share them."""
    return Translations.load(FOLDER, [code])


# --- inside ---


@lru_cache(maxsize=256)
def _language(code: str, country: str) -> Language:
    return Language(code, country)


@lru_cache(maxsize=256)
def _around(locale: Locale, currency: str, by_code: bool) -> tuple[str, str]:
    """Return what stands before and after an amount's figures."""
    shown = numbers.get_currency_symbol(currency, locale)
    sign = currency if by_code else shown.strip(ascii_uppercase) or shown
    pattern = locale.currency_formats["standard"].pattern.partition(";")[0]
    before, after = re.split(r"[#0.,]+", pattern, maxsplit=1)
    if sign[-1].isalpha() and before.endswith("¤"):
        before += "\N{NO-BREAK SPACE}"
    return before.replace("¤", sign), after.replace("¤", sign)


@lru_cache(maxsize=1024)
def _moment(say: Language, local: str) -> str:
    try:
        if len(local) == len("14:05"):
            return say.time(dt.time.fromisoformat(local))
        at = dt.datetime.fromisoformat(local)
    except ValueError:
        return local
    if len(local) == len("2026-03-02"):
        return say.day(at)
    glue = str(dates.get_datetime_format("medium", locale=say.locale)).replace("'", "")
    return glue.format(say.time(at.time()), say.day(at))


@lru_cache(maxsize=256)
def _percent(locale: Locale, rate_bp: float, plus: bool) -> str:
    pattern = locale.percent_formats[None].pattern.replace("0", "0.###", 1)
    if plus and rate_bp:
        pattern = f"+{pattern};−{pattern}"
    return numbers.format_percent(Decimal(rate_bp) / BASIS, pattern, locale=locale)
