"""A made-up language, made of the catalogue: each sentence of ours longer, with accents and marked ends.

What shows no mark was never given to be translated; what is clipped under it will be in a language of long words.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from config import words

ENDS = "⟦", "⟧"
_KEPT = re.compile(
    r"(%\(\w+\)[a-z0-9]+|%%|\{[^{}]*\}|<[^>]*>|&#?\w+;|\n"
    r"|^title: |^language: |^(?:scene|minutes|needs): .*$|^- \[ \] \w+: )",
    re.MULTILINE,
)
"""What a sentence has that is no word of it: placeholders, HTML, and the heading and tasks of a lesson."""
_ACCENTS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "áƀçďéƒğĥíĵķļɱñóþɋŕšťúṽŵẋýžÁƁÇĎÉƑĞĤÍĴĶĻṀÑÓÞɊŔŠŤÚṼŴẊÝŽ"
)
_ZH = words.FOLDER / "zh" / "LC_MESSAGES" / "messages.po"


def longer(text: str) -> str:
    """Return a sentence a third longer, each letter with an accent; one that is a line has its ends marked."""
    parts = _KEPT.split(text)
    said = [
        part if n % 2 else re.sub("([aeiouAEIOU])", r"\1\1", part).translate(_ACCENTS) for n, part in enumerate(parts)
    ]
    return "".join(said) if "\n" in text else ENDS[0] + "".join(said) + ENDS[1]


def english() -> list[str]:
    """Return every sentence of the catalogue that has one form."""
    with _ZH.open("rb") as source:
        return [message.id for message in read_po(source) if message.id and isinstance(message.id, str)]


def write_catalogue(folder: Path, code: str) -> None:
    """Write the longer sentences as the catalogue of a language, with ours beside it in the folder."""
    made = Catalog(locale=code)
    with _ZH.open("rb") as source:
        for message in filter(lambda one: one.id, read_po(source)):
            forms = message.id if isinstance(message.id, tuple) else (message.id,)
            said = [longer(forms[min(n, len(forms) - 1)]) for n in range(made.num_plurals if len(forms) > 1 else 1)]
            made.add(message.id, tuple(said) if len(forms) > 1 else said[0], context=message.context)
    (folder / code / "LC_MESSAGES").mkdir(parents=True)
    with (folder / code / "LC_MESSAGES" / "messages.mo").open("wb") as file:
        write_mo(file, made)
    for ours in words.FOLDER.iterdir():
        (folder / ours.name).symlink_to(ours)


@contextmanager
def speaking(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str, locale: str) -> Iterator[None]:
    """Add a language whose catalogue is in a folder: a row, and nothing else."""
    monkeypatch.setattr(words, "FOLDER", folder)
    monkeypatch.setitem(words.LANGUAGES, code, (str(Locale.parse(locale).get_language_name()), locale))
    for kept in (words._language, words.catalogue):
        kept.cache_clear()
    yield
    for kept in (words._language, words.catalogue):
        kept.cache_clear()
