"""A bank statement as it was read: an account's days, its balances and entries. PURE.

Rules
-----
1. An entry's amount is signed: above zero came in, below zero went out.
2. Opening balance plus all entries is the closing balance, where the statement gives both: else it is torn or forged.
3. Entries are equal where account, day, amount and the bank's own reference are; the bank's text stands in for a
   reference that it does not give. Equal ones are told apart by counting.
"""

import dataclasses
import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from config.errors import Invalid
from config.money import MAX_MINOR, exponent

LONGEST_TEXT, LONGEST_NAME, LONGEST_REFERENCE = 500, 140, 64
_AMOUNT = re.compile(r"(\d{1,15})(?:[.,](\d{0,5}))?", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """A booking. bank_ref: the bank's own reference, '' where it gives none. name: who paid, or was paid."""

    booked_on: dt.date
    amount_minor: int
    bank_ref: str
    name: str
    text: str


@dataclass(frozen=True)
class Statement:
    """What a bank says of an account. number: the bank's own count, '' where it has none. Balances None: not given."""

    account: str
    number: str
    currency: str
    opening_minor: int | None
    closing_minor: int | None
    first_day: dt.date
    last_day: dt.date
    entries: tuple[Entry, ...]

    def numbered(self) -> Iterator[tuple[str, int, Entry]]:
        """Yield its entries with what tells them from others of that day, and their number among equals (rule 3)."""
        seen: Counter[tuple[object, ...]] = Counter()
        for entry in self.entries:
            mark = entry.bank_ref or hashlib.sha256(f"{entry.name}\n{entry.text}".encode()).hexdigest()[:24]
            equal = entry.booked_on, entry.amount_minor, mark
            seen[equal] += 1
            yield mark, seen[equal], entry


def check(found: Statement) -> Statement:
    """Return a statement that adds up (rule 2); Invalid else."""
    if not found.account:
        raise Invalid("no-account-number", "This statement names no account. Download it from your bank again.")
    total = sum(entry.amount_minor for entry in found.entries)
    both = found.opening_minor is not None and found.closing_minor is not None
    if both and (found.opening_minor or 0) + total != found.closing_minor:
        raise Invalid(
            "statement-sum", "The entries of statement %(number)s do not add up to its closing balance. Part of the "
                             "file may be missing. Download it again.",
            number=found.number or f"{found.last_day:%Y-%m-%d}",
        )  # fmt: skip
    return found


def minor_of(text: str, currency: str) -> int:
    """Return an amount without a sign in minor units; Invalid for one that is none, or has more decimals than fit."""
    found, places = _AMOUNT.fullmatch(text.strip()), exponent(currency)
    part = (found[2] or "").rstrip("0") if found else ""
    if found is None or len(part) > places or len(found[1].lstrip("0")) > 12:
        raise Invalid("statement-amount", "“%(text)s” is not an amount. Download the statement again.", text=text[:30])
    minor: int = int(found[1]) * 10**places + int(part.ljust(places, "0") or 0)
    if minor > 1000 * MAX_MINOR:
        raise Invalid("statement-amount", "“%(text)s” is not an amount. Download the statement again.", text=text[:30])
    return minor


def tidy(text: str, longest: int) -> str:
    """Return a text on one line, cut to its longest."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:longest]


def tidy_account(text: str) -> str:
    """Return an account number without blanks and marks."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def is_same_account(stated: str, own: str) -> bool:
    """Tell whether a statement's account is the store's own.

    stated: as the statement writes it: an IBAN, a number, both behind a BIC or bank code and a slash. A currency may
    follow. Of `bank/number` both must be in an IBAN, the number filled up with zeros.
    """
    own, parts = tidy_account(own), [tidy_account(part) for part in stated.split("/")]
    number = re.sub(r"(?<=[0-9])[A-Z]{3}$", "", parts[-1])
    if not own or not number:
        return False
    if own in (number, parts[-1], "".join(parts)):
        return True
    inside = own[4:] if len(parts) == 2 and re.match(r"[A-Z]{2}[0-9]{2}", own) else ""
    return bool(inside and parts[0]) and inside == parts[0] + number.zfill(len(inside) - len(parts[0]))


def as_json(found: Statement) -> dict[str, Any]:
    """Return a statement as JSON."""
    said = dataclasses.asdict(found)
    said |= {name: said[name].isoformat() for name in ("first_day", "last_day")}
    said["entries"] = [one | {"booked_on": one["booked_on"].isoformat()} for one in said["entries"]]
    return said


def from_json(said: dict[str, Any]) -> Statement:
    """Return a statement that was read in another process."""
    days = {name: dt.date.fromisoformat(said[name]) for name in ("first_day", "last_day")}
    entries = tuple(Entry(**one | {"booked_on": dt.date.fromisoformat(one["booked_on"])}) for one in said["entries"])
    return Statement(**said | days | {"entries": entries})


def gaps(found: Sequence[Statement]) -> list[tuple[Statement, Statement]]:
    """Return the statements of an account that do not continue each other: (before, after), by day.

    A later one continues where it opens with the balance the one before closed with; or it begins within its days.
    """
    ordered = sorted(found, key=lambda one: (one.last_day, one.first_day, _count(one.number)))
    pairs = pairwise(ordered)
    return [(one, two) for one, two in pairs if not _continues(one, two)]


def is_next(before: str, number: str) -> bool:
    """Tell whether a number is the next of the bank's own count: 7 after 6, 5/2 after 5/1."""
    one, two = _count(before), _count(number)
    return bool(one) and len(one) == len(two) and (one[:-1] == two[:-1] and two[-1] == one[-1] + 1)


# --- inside ---


def _continues(one: Statement, two: Statement) -> bool:
    if two.first_day <= one.last_day or one.closing_minor is None or two.opening_minor is None:
        return True
    return one.closing_minor == two.opening_minor


def _count(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", number))
