"""Why a store's fact is held for review, in words: to the network's operator with its figures, to the store without."""

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.errors import kept_again
from config.nodes import inbox
from config.nodes.inbox import InboxMessage
from store_app.web.presenting import money, number, qty, why_words
from store_app.words import words as general_words
from store_app.words.refusals import sentence_of
from supply.demand import plausibility

MONEY = ("sale", "money", "wasted")
KINDS = {
    "line": lazy("%(value)s of %(name)s in one line of a sale"),
    "sale": lazy("one sale of %(value)s"),
    "product": lazy("%(value)s of %(name)s in one day"),
    "day": lazy("%(value)s units in one day across all products"),
    "sales": lazy("%(value)s sales in one day"),
    "money": lazy("%(value)s in sales in one day"),
    "back": lazy("%(value)s units returned without a receipt in one day"),
    "stock": lazy("%(value)s of %(name)s in one stock count or movement"),
    "moved": lazy("%(value)s units counted and moved in one day across all products"),
    "wasted": lazy("%(value)s written off in one day"),
    "expected": lazy("%(value)s units expected or sold in one day"),
    "returned": lazy("%(value)s of %(name)s returned, more than was sold"),
}
REASONS = {
    plausibility.WAITS_WITH: lazy("It refunds a sale that is itself held for review."),
    "impossible-day": lazy("Its date is not valid for this store. Check the store's clock."),
    "future-day": lazy("Its date is in the future, so it takes effect then. Check the store's clock."),
    "unknown-topic": lazy("This node does not know this kind of message. Update it."),
    "sale-contradicts": lazy("Its figures contradict each other."),
    "unreadable": lazy("Its figures cannot be read."),
}
FIELDS = {
    "field-missing": lazy("%(topic)s: the field “%(field)s” is missing."),
    "field-odd": lazy("%(topic)s: the field “%(field)s” is not valid."),
    "not-kept": lazy("%(topic)s: one of its fields can’t be saved."),
}
_FIELD = re.compile(r"[a-z-]+: ([\w.]+): (?:the field “(.*)” )?")
TO_STORE = {
    plausibility.SEND: lazy(
        "Held for review: the figures are larger than your sales suggest. Nothing is lost. If they "
        "are right, ask the network to accept them."
    ),
    plausibility.WAITS_WITH: lazy("Held for review together with its sale."),
}
TURNED_DOWN = {
    plausibility.SEND: lazy("its figures are larger than your sales suggest"),
    plausibility.WAITS_WITH: lazy("the sale it belongs to was rejected"),
}
_DECLINED = f"{inbox.DECLINED}: "


def why(row: InboxMessage) -> str:
    """Return why a fact is held, as the operator reads it."""
    facts = _facts(row)
    if facts.get("kind") in KINDS:
        value, _usual, _most = figures(row)
        return str(KINDS[facts["kind"]] % {"value": value, "name": facts.get("name", "")})
    if said := _field(row.reason) or REASONS.get(_code(row.reason)):
        return str(said)
    return sentence_of(kept_again(row.refusal)) if row.refusal else why_words(row.reason)


def figures(row: InboxMessage) -> tuple[str, str, str]:
    """Return the figure a fact is held for, the store's good day and its limit; '' where there is none."""
    reported = _facts(row)
    return tuple(_written(reported, name) for name in ("value", "usual", "most"))  # type: ignore[return-value]


def to_store(reason: str | None) -> str:
    """Return why the network holds or turned down a fact, as the store reads it."""
    words = TURNED_DOWN if is_declined(reason) else TO_STORE
    code = _code(reason)
    known = words.get(plausibility.SEND if code.startswith(plausibility.SEND) else code) or REASONS.get(code)
    if not is_declined(reason):
        return _field(reason) or str(known or why_words(reason))
    reported = _field(reason) or str(known or _("the operator did not accept it"))
    return _("The network rejected this: %(why)s. It stays on record here.", why=reported.rstrip(".。"))


def is_declined(reason: str | None) -> bool:
    """Tell whether a person at the network turned a fact down."""
    return (reason or "").startswith(_DECLINED)


def _facts(row: InboxMessage) -> dict[str, Any]:
    return row.refusal["facts"] if row.refusal else {}


def _field(reason: str | None) -> str:
    """Say which field of what could not be read; '' where the reason is another."""
    words, named = FIELDS.get(_code(reason)), _FIELD.match((reason or "").removeprefix(_DECLINED))
    return str(words % {"topic": general_words.topic_word(named[1]), "field": named[2]}) if words and named else ""


def _written(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    if not isinstance(value, int) or (name == "usual" and not value):
        return ""  # a store without a past has no usual day
    if facts.get("kind") in MONEY:
        return money(value)
    return qty(value, facts["unit"]) if facts.get("unit") else number(value)


def _code(reason: str | None) -> str:
    return (reason or "").removeprefix(_DECLINED).partition(":")[0]
