"""Every sentence of the pages has its translation, with the same placeholders, and the catalogues compile."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from config.words import FOLDER, LANGUAGES, language
from tests.tools.sentences import extracted, misnamed

ROOT = Path(__file__).resolve().parents[3]
OTHERS = sorted(set(LANGUAGES) - {"en"})
PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]*\d*(?:\.\d+)?[a-z]|%%|(?<![%{])\{\w+\}")
OWN_PERCENT = re.compile(r"%%|(?:%\(\w+\)\w|\}) ?(?:%(?!\()|percent|Prozent|por ciento)|百分之 ?[%{]")
"""A percent sign or word that a sentence writes beside a figure it is given."""
BARE_PERCENT = re.compile(r"%%[ '\"]|['\"] %['\"]|[^}]\}\s?%(?![\w(])|\}\}\s?%(?![\w(\"])|\.\d%\}")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff”）][,;:!?](?:\s|$|[\u4e00-\u9fff])|[\u4e00-\u9fff]\.(?:\s|$)")


@pytest.fixture(scope="module")
def said() -> Catalog:
    """Return every message of the sources."""
    return extracted()


@pytest.fixture(scope="module", params=OTHERS)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    """Return the catalogue of one language."""
    with (FOLDER / request.param / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(source, locale=request.param, abort_invalid=True)


def forms(message: Message) -> tuple[list[str], list[str]]:
    """Return what a message says in English and in the other language: each of its forms."""
    english = [message.id] if isinstance(message.id, str) else list(message.id)
    other = [message.string] if isinstance(message.string, str) else list(message.string)
    return english, other


def key(message: Message) -> tuple[str | None, object]:
    """Return what a message is known by."""
    return message.context, message.id


def test_every_sentence_of_the_sources_is_translated(said: Catalog, catalogue: Catalog):
    kept = {key(message): message for message in catalogue if message.id}
    assert len(kept) > 500
    missing = [message.id for message in said if message.id and key(message) not in kept]
    assert missing == []
    assert [message.id for message in kept.values() if message.fuzzy or not all(forms(message)[1])] == []


def test_every_reason_that_the_books_give_by_themselves_is_worded_for_its_reader(said: Catalog):
    given = set()
    for path in [path for room in ("supply", "store_app") for path in (ROOT / room).rglob("*.py")]:
        for line in re.findall(
            r"^.*\bwhy ?= ?(?:N_\()?f?\"[A-Z].*$|^WHY = .*$|^.*, \"expired\", .*$", path.read_text(), re.MULTILINE
        ):
            given |= set(re.findall(r'"([A-Z][a-z]+ [^"]+\.)"', line))
    assert len(given) >= 10
    assert given - {message.id for message in said} == set()


def test_nothing_is_translated_that_no_page_says(said: Catalog, catalogue: Catalog):
    sources = {key(message) for message in said}
    assert [message.id for message in catalogue if key(message) not in sources] == []
    assert not catalogue.obsolete


def test_every_label_names_things_as_the_list_of_terms_does(said: Catalog):
    assert misnamed(said) == []


def test_every_translation_keeps_the_placeholders(catalogue: Catalog):
    changed = []
    for message in catalogue:
        english, other = forms(message)
        wanted = sorted(PLACEHOLDER.findall(english[-1]))
        of_one = [one for one in wanted if not one.startswith("%(num)")]  # “the last day” needs no number
        for n, text in enumerate(other if message.id else ()):
            kept = sorted(PLACEHOLDER.findall(text))
            if kept != wanted and not (n == 0 and len(other) > 1 and kept == of_one):
                changed.append(text)
    assert changed == []


def test_nothing_is_suspicious_to_the_compiler(catalogue: Catalog):
    assert [(message.id, fault) for message in catalogue for fault in message.check(catalogue)] == []


def test_a_shop_has_one_name_in_chinese():
    with (FOLDER / "zh" / "LC_MESSAGES" / "messages.po").open("rb") as source:
        assert [message.string for message in read_po(source) if any("店铺" in one for one in forms(message)[1])] == []


def test_no_translation_brings_in_a_percent_sign_that_a_page_would_take_for_a_placeholder(catalogue: Catalog):
    def lone(text: str) -> bool:
        return "%" in PLACEHOLDER.sub("", text)

    brought = [
        text for message in catalogue for text in forms(message)[1] if lone(text) and not lone(forms(message)[0][0])
    ]
    assert brought == []


def test_percentages_are_written_as_the_language_does(catalogue: Catalog):
    say = language(str(catalogue.locale))
    own = [text for message in catalogue for texts in forms(message) for text in texts if OWN_PERCENT.search(text)]
    assert own == []
    for message in catalogue:
        for share in re.findall(r"\d+\s?%", forms(message)[1][0]):
            assert share == say.percent(100 * int(share[:-1]))


def test_no_page_or_script_writes_a_percent_sign_after_a_figure():
    root = ROOT / "store_app"
    sources = [path for folder in ("pages", "templates", "words") for path in (root / folder).rglob("*.*")]
    sources += [path for path in (root / "static").rglob("*.js") if not {"built", "manual"} & {*path.parts}]
    wrong = [
        f"{path.name}: {line.strip()}"
        for path in sources if path.suffix in (".html", ".js", ".py", ".svg")
        for line in re.sub(r"\{%.*?%\}", "", path.read_text("utf-8")).splitlines() if BARE_PERCENT.search(line)
    ]  # fmt: skip
    assert wrong == []


def test_chinese_sentences_have_chinese_punctuation(catalogue: Catalog):
    if str(catalogue.locale) != "zh":
        pytest.skip("another script")
    assert [text for message in catalogue for text in forms(message)[1] if HALF_WIDTH.search(text)] == []
    unfinished = [
        message.id
        for message in catalogue
        if message.id
        and forms(message)[0][0].endswith(".")
        and not forms(message)[0][0].endswith(" no.")
        and not forms(message)[1][0].endswith(("。", "%(why)s"))
    ]
    assert unfinished == []


def test_the_compiled_catalogue_answers_with_the_translation(catalogue: Catalog):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue, use_fuzzy=False)
    compiled.seek(0)
    words = Translations(compiled)
    for message in catalogue:
        english, other = forms(message)
        if isinstance(message.id, str):
            found = words.pgettext(message.context, message.id) if message.context else words.gettext(message.id)
            assert not message.id or found == message.string
        else:
            assert [words.ngettext(*english, number) for number in (1, 2)] == [other[0], other[-1]]


@pytest.mark.parametrize("catalogue", ["zh"], indirect=True)
def test_a_sync_has_one_word_in_chinese(catalogue: Catalog):
    syncs = [message for message in catalogue if re.search(r"\bsync", forms(message)[0][0], re.IGNORECASE)]
    assert [forms(message) for message in syncs if "同步" not in forms(message)[1][0]] == []
