"""The manuals name what is on the screen, in each language, and *Help* opens the right page of them."""

import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.pofile import read_po

from config import words
from store_app.web.manual import CHAPTERS

ROOT = Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs" / "manual"
LONGEST = 80
OUTSIDE = {
    "storefront", "storefront_account", "storefront_groups", "storefront_orders", "storefront_feeds", "storefront_list",
    "finder",
    "basket", "e_receipt",
}  # fmt: skip
"""Rooms of pages that customers see: they need no manual."""


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("manuals", ROOT / "docs" / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def labels(language: str) -> set[str]:
    """Return every sentence and label the program shows in a language."""
    catalogue = "de" if language == "en" else language
    with (words.FOLDER / catalogue / "LC_MESSAGES" / "messages.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    shown = [message.id if language == "en" else message.string for message in messages]
    return {one for text in shown for one in ([text] if isinstance(text, str) else text)}


def blocks(text: str) -> list[str]:
    """Return paragraphs, list items and table cells, without code."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-#|]|\d+\. ))|(?<=\S) \| (?=\S)", text)
    return [part for part in parts if part.strip() and not part.startswith("    ")]


PAGES = [(language, page) for language in words.LANGUAGES for page in builder().pages(language)]


@pytest.mark.parametrize(("language", "chapter"), PAGES, ids=lambda one: str(one).replace("/", "-"))
def test_a_page_names_labels_as_the_screen_has_them_in_short_paragraphs(language: str, chapter: str) -> None:
    text = (MANUAL / language / f"{chapter}.md").read_text("utf-8")
    prose = [re.sub(r"`[^`]*`", "", block) for block in blocks(text)]
    named = {
        " ".join(part.split())
        for block in prose
        for found in re.findall(r"(?<![*\w])\*([^*]+)\*(?!\*)", block)
        for part in found.split(" → ")
    }
    assert named - labels(language) == set()
    assert [block for block in prose if len(block.split()) > LONGEST] == []


def test_every_language_has_the_shopkeeper_s_part_and_english_has_all() -> None:
    manuals = builder()
    assert set(manuals.LANGUAGES) == set(words.LANGUAGES)
    everything = {str(file.relative_to(MANUAL / "en").with_suffix("")) for file in (MANUAL / "en").rglob("*.md")}
    assert set(manuals.pages("en")) == everything
    for language in words.LANGUAGES:
        assert {page for page in everything if not page.startswith(("network/", "system/"))} <= set(
            manuals.pages(language)
        ), language


def test_every_room_of_pages_has_its_chapter() -> None:
    explained = {name.partition(".")[0] for names in CHAPTERS.values() for name in names.split()}
    sources = "".join(file.read_text("utf-8") for file in (ROOT / "store_app" / "pages").rglob("*.py"))
    rooms = set(re.findall(r'Blueprint\(\s*"(\w+)"', sources))
    assert explained == rooms - OUTSIDE
    assert set(CHAPTERS) <= set(builder().pages("en"))
