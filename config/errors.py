"""What a store can answer when it cannot do what was asked.

Rules
-----
1. Every refusal is a `DomainError`: a stable `code` (kebab-case), a sentence the shopkeeper can act on, and the
   facts behind it, complete (all short lines, not the first).
2. The sentence is English and a key of the message catalogue; `%(name)s` in it is a fact. Each reader is told it in
   their own language; commands and logs say it in English.
3. Five kinds, and no HTTP here: the edge turns kinds into status codes.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

from config.money import MAX_MINOR
from config.words import N_, Language, language


class DomainError(Exception):
    """A refusal with a code, a sentence and its facts."""

    def __init__(self, code: str, sentence: str, /, **facts: Any) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence
        self.facts = facts

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.said(language("en"))

    def said(self, say: Language, *, currency: str = "", **written: str) -> str:
        """Say the sentence in a language. currency: of amounts that name none; written: facts already in words."""
        given = self.facts.get("currency", currency)
        facts = {name: written.get(name, _written(name, fact, say, given)) for name, fact in self.facts.items()}
        said = say(self.sentence)
        try:
            return said % facts
        except (KeyError, TypeError, ValueError):  # somebody else's words, with a percent sign of their own
            return said


class Invalid(DomainError):
    """What was given cannot be meant: mend the input and ask again."""


class NotFound(DomainError):
    """What was named does not exist here."""


class Refused(DomainError):
    """The store's own rule says no."""


class Conflict(DomainError):
    """Someone was first, or the same id came with another content."""


class Unreachable(DomainError):
    """The outside (network, printer, terminal) does not answer."""


def check_amount(amount_minor: int, least: int = 1) -> None:
    """Refuse what is not an amount of money."""
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or not least <= amount_minor <= MAX_MINOR:
        sentence = N_("Enter an amount above zero.") if least else N_("Enter an amount of zero or more.")
        raise Invalid("bad-amount", sentence, amount_minor=amount_minor)


def stated(text: str, refusal: DomainError, most: int = 200) -> str:
    """Return a text on one line, cut to its longest; raises the refusal where nothing is said."""
    if not (text := " ".join(text.split())[:most]):
        raise refusal
    return text


def kept(fault: Exception) -> dict[str, Any]:
    """Return a refusal as JSON, for `kept_again`; of any other fault, its first line."""
    if not isinstance(fault, DomainError):
        fault = DomainError("", f"{type(fault).__name__}: {fault}".split("\n")[0][:200])
    kind = next(one.__name__ for one in type(fault).__mro__ if one.__module__ == __name__)
    facts = json.loads(json.dumps(fault.facts, default=_plain))
    return {"kind": kind, "code": fault.code, "why": fault.sentence, "facts": facts}


def kept_again(said: Mapping[str, Any]) -> DomainError:
    """Return the refusal read from JSON; an old entry has its sentence alone."""
    kind = next((one for one in DomainError.__subclasses__() if one.__name__ == said.get("kind")), DomainError)
    return kind(said.get("code", ""), said["why"], **said.get("facts", {}))


def cause(fault: BaseException) -> str:
    """Say why the system or a library failed, in its own words without error numbers and source lines."""
    text = getattr(fault, "strerror", None) or str(fault).split("\n")[0] or type(fault).__name__
    return re.sub(r"\[[^\]]*\d+\] |\[SSL: \w+\] | \(_ssl\.c:\d+\)", "", text).rstrip(".")


# --- inside ---


def _plain(fact: Any) -> str:
    """Write a fact that JSON has no form for: a date so that it is worded as one again."""
    return f"{fact:%Y-%m-%d}" if isinstance(fact, dt.date) else str(fact)


def _written(name: str, fact: Any, say: Language, currency: str) -> Any:
    if name.endswith("_minor") and isinstance(fact, int):
        return say.money(fact, currency) if currency else say.amount(fact, "USD")
    if name.endswith("_bp") and isinstance(fact, int):
        return say.percent(fact)
    if isinstance(fact, dt.date):
        return say.day(fact)
    if isinstance(fact, float):
        return say.number(fact, 1)
    if isinstance(fact, list | tuple):
        return say(", ").join(_line(one) if isinstance(one, dict) else str(one) for one in fact)
    return say.moment(fact) if isinstance(fact, str) else fact


def _line(line: dict[str, Any]) -> str:
    """Return one line that is short as 'Milk (2/5)': what there is of what was wanted."""
    there = line.get("available", line.get("left"))
    name = line.get("name") or line.get("sku") or line.get("line", "")
    return f"{name} ({there}/{line['wanted']})" if there is not None and "wanted" in line else str(name)
