"""A new language is a catalogue and a row of the table: with nothing else, pages and paper speak it."""

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sqlalchemy as sa
from babel.core import get_global
from babel.numbers import list_currencies
from werkzeug.exceptions import HTTPException

from config import words
from pos.documents import receipt
from pos.documents.paper import COLUMNS, composed, width
from pos.store.store import Store
from tests.pos import paper_documents as documents
from tests.pseudo import ENDS, english, longer, speaking, write_catalogue
from tests.readable import as_text
from tests.store_app import office, operator
from tests.store_app.conftest import House

OF_ANOTHER = re.compile(r"(?<![\w/.@:%{-])[A-Za-z]*[aeiouAEIOU][A-Za-z]*(?![\w/@:-]|\.\w)")
"""A word that no catalogue has marked."""
PASSED_OVER = ("/signout", "/lock", "/metrics", "/training/", "/training/<lesson_id>", "/console/lessons/write")
"""Pages that end the session, are for machines, or have files for each language."""
NAMES = {
    *re.findall(
        r"[A-Za-z]+",
        f"{office.GOODS} {office.offer('').why} Cornerstore Supply Store North South York USD Till"
        " English Deutsch Food food Li Wei Sunrise Estate network test cashier supervisor shopkeeper"
        " operator Del Enter Esc default simple dpi",
    ),
    *re.findall(r"[A-Za-z]+", " ".join(get_global("zone_territories"))),
    *list_currencies(),
} - {"each", "gram"}
"""What the books call things and people, keys, kinds of printers, cities CLDR leaves as they are, currencies."""


@pytest.fixture(params=[("fr", "fr_FR", "ltr"), ("ar", "ar_EG", "rtl")], ids=lambda param: param[0])
def added(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """Add a language of longer words: a catalogue in a folder and a row, nothing else."""
    code, locale, _direction = request.param
    write_catalogue(tmp_path / "translations", code)
    with speaking(monkeypatch, tmp_path / "translations", code, locale):
        yield request.param


class Seen(HTMLParser):
    """The texts a person sees on a page, and its links to other languages."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.languages: list[str] = []
        self.links: list[str] = []
        self.root: dict[str, str | None] = {}
        self._hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._hidden += tag in ("script", "style", "code")
        self.root = given if tag == "html" else self.root
        self.texts += [value for name in ("aria-label", "placeholder", "title") if (value := given.get(name))]
        if hreflang := given.get("hreflang"):
            self.languages.append(hreflang)
        elif tag == "a" and (href := given.get("href")):
            self.links.append(href)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "code")

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.texts.append(" ".join(data.split()))


def test_pages_and_paper_speak_it(build: Callable[..., House], added: tuple[str, str, str]):
    code, locale, direction = added
    sentences = {" ".join(text.split()) for text in english()} - {"Till 1"}  # what the books call the till
    house = build()
    client = house.signed_in()
    for address in ("/till/", "/", "/settings/", "/orders/"):
        seen = Seen(client.get(address, query_string={"lang": code}, follow_redirects=True).text)
        assert (seen.root["lang"], seen.root["dir"]) == (locale.replace("_", "-"), direction), address
        assert sum(text.startswith(ENDS[0]) for text in seen.texts) > 10, address
        assert [text for text in seen.texts if text in sentences and " " in text] == [], address
    for columns in COLUMNS:
        lines = receipt.layout(documents.british_sale(), columns=columns, language=code)
        assert all(width(composed(line, columns)) * line.wide <= columns for line in lines if line.kind == "text")
    paper = as_text(receipt.layout(documents.british_sale(), columns=48, language=code), 48)
    assert longer("Receipt") in paper
    assert longer("Thank you!") in paper


@pytest.mark.parametrize("added", [("ar", "ar_EG", "rtl")], indirect=True, ids=["ar"])
@pytest.mark.parametrize("role", ["store", "network"])
def test_no_page_says_a_word_that_is_in_no_catalogue(build: Callable[..., House], added: tuple[str, ...], role: str):
    house = build(role, "S01" if role == "store" else "network", is_new=True)
    (office.fill if role == "store" else operator.furnish)(house)
    with house.doors.write() as session:
        session.execute(sa.update(Store).values(language=added[0]))
    client = house.signed_in("shopkeeper" if role == "store" else "operator")
    client.get("/", query_string={"lang": added[0]})
    todo = [
        rule.rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    seen: Counter[str] = Counter()
    left = set()
    routes = house.app.url_map.bind("localhost")
    for address in todo:
        with contextlib.suppress(HTTPException):
            rule = routes.match(address.partition("?")[0], return_rule=True)[0].rule
            seen[rule] += 1
            if seen[rule] > 1 or rule in PASSED_OVER:
                continue
            answer = client.get(address)
            if answer.mimetype == "text/html" and answer.location is None:
                page = Seen(answer.text)
                todo += [link for link in page.links if not link.startswith("/static/")]
                left |= {(word, rule) for text in page.texts for word in OF_ANOTHER.findall(text)}
    assert len(seen) > 50
    assert sorted(one for one in left if one[0] not in NAMES) == []


def test_the_others_are_a_list_where_there_are_several(build: Callable[..., House], added: tuple[str, str, str]):
    page = build().signed_in().get("/settings/").text
    seen = Seen(page)
    assert added[1].replace("_", "-") in seen.languages
    assert len(set(seen.languages)) == len(words.LANGUAGES) - 1
    assert '<details class="languages">' in page


@pytest.mark.parametrize(
    ("code", "tz", "money", "weight", "day", "moment"),
    [
        ("en", "", "€1,234.50", "1.25 kg", "Mar 2, 2026", "Mar 2, 2026, 2:05 PM"),
        ("en", "Europe/Berlin", "1.234,50 €", "1,25 kg", "2 Mar 2026", "2 Mar 2026, 14:05"),
        ("zh", "Asia/Shanghai", "€1,234.50", "1.25 kg", "2026年3月2日", "2026年3月2日 14:05"),
        ("nobody's", "Mars/Olympus", "€1,234.50", "1.25 kg", "Mar 2, 2026", "Mar 2, 2026, 2:05 PM"),
    ],
)
def test_figures_are_written_as_the_language_does_in_the_stores_country(code, tz, money, weight, day, moment):
    say = words.language(code, tz)
    plain = [
        say.money(123_450, "EUR"), say.quantity(1250, "gram"), say.moment("2026-03-02"), say.moment("2026-03-02 14:05")
    ]  # fmt: skip
    assert [re.sub(r"\s", " ", text) for text in plain] == [money, weight, day, moment]
    assert say.money(-5, "USD").strip("-").replace(",", ".").startswith(("$0.05", "0.05"))
    assert moment.endswith(" " + re.sub(r"\s", " ", say.moment("14:05")))
    assert say.moment("no day") == "no day"
