"""The refusals of the domain in the reader's language: a code and its facts become a sentence.

Rules
-----
1. The domain refuses in English, with all it knows; an English reader gets just that, and so does a command.
2. For everybody else the code is looked up here. Of its sentences, the most telling comes first; the first one whose
   facts are all there is said.
3. A page that refuses in its own words has said it already: its sentence is left alone.
4. A code without a sentence is said as it came: better English than nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

from config.errors import DomainError
from store_app.web.presenting import clock_time, money, state_word
from store_app.words.refusals_office import CUSTOMERS, OFFICE
from store_app.words.refusals_online import ONLINE
from store_app.words.refusals_supply import CLAIMS, MONEY, ORDERS, ROUNDS, STOCK, TRANSFERS
from store_app.words.refusals_till import TILL
from store_app.words.words import edition_word, permission_word

BY_SUBJECT = (TILL, CUSTOMERS, STOCK, OFFICE, ONLINE, ORDERS, MONEY, ROUNDS, CLAIMS, TRANSFERS)
"""No code stands in two of them: it has one meaning."""
SENTENCES: dict[str, tuple[Any, ...]] = {code: said for part in BY_SUBJECT for code, said in part.items()}


def sentence_of(fault: DomainError) -> str:
    """Return a refusal in the reader's language (rules 1 to 4)."""
    said, locale = str(fault.message), get_locale()
    if locale is None or str(locale).startswith("en") or said.endswith(_(".")):
        return said
    known = _in_words(fault.facts)
    for sentence in SENTENCES.get(fault.code, ()):
        try:
            return str(sentence) % known
        except KeyError:
            continue
    return said


def _in_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts as a sentence carries them; one that is not there, or empty, counts as missing."""
    reported = {name: _written(name, fact) for name, fact in facts.items()}
    return {name: words for name, words in reported.items() if words}


def _written(name: str, fact: Any) -> str:
    if fact is None:
        return ""
    if name.endswith("_minor"):
        return money(fact)
    if name == "permissions":
        return _(", ").join(permission_word(one) for one in fact)
    if isinstance(fact, list | tuple):
        return _(", ").join(_line(one) if isinstance(one, dict) else str(one) for one in fact)
    return _WRITERS.get(name, str)(fact)


def _line(line: Mapping[str, Any]) -> str:
    """Return one line that is short as 'Milk (2/5)': what there is of what was wanted."""
    there = line.get("available", line.get("left"))
    name = line.get("name") or line.get("sku") or line.get("line", "")
    return f"{name} ({there}/{line['wanted']})" if there is not None and "wanted" in line else str(name)


_WRITERS: dict[str, Callable[[Any], str]] = {"until": clock_time, "state": state_word, "edition": edition_word}
