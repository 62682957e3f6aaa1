"""Which entry of the bank's is which transfer. PURE.

Rules
-----
1. First by reference: an entry that names one transfer's reference, and no other's, is that one's, as far as it goes;
   what is beyond stays with the entry. Money that went out and names it takes back what came in.
2. Then by amount: what came in without a reference, of just the amount of a transfer that was seen and that nothing
   came in for, booked from the day before to WINDOW_DAYS after it. Only where one entry fits one transfer, and that
   transfer fits no other entry.
3. What a person parted is never put together again by itself (`parted`).
4. Of no entry more is matched than it has, and of no transfer more than its amount, never less than nothing.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pos.payments.bank_codes import references_in

WINDOW_DAYS = 5
REFERENCE, AMOUNT = "reference", "amount"


@dataclass(frozen=True)
class Open:
    """What is left of an entry, signed as the entry is. is_whole: nothing of it is matched."""

    id: str
    left_minor: int
    is_whole: bool
    booked_on: dt.date
    text: str


@dataclass(frozen=True)
class Transfer:
    """A transfer that was asked for. came_minor: what is matched with it. is_seen: a sale counts on it."""

    id: str
    reference: str
    amount_minor: int
    came_minor: int
    day: dt.date
    is_seen: bool


@dataclass(frozen=True)
class Pair:
    """What of an entry belongs to a transfer, signed as the entry is."""

    entry_id: str
    transfer_id: str
    amount_minor: int
    how: str


def propose(
    entries: Sequence[Open], transfers: Sequence[Transfer], parted: Collection[tuple[str, str]] = ()
) -> list[Pair]:
    """Return what surely belongs together (rules 1 to 4)."""
    known = {one.reference: one for one in transfers}
    named = {entry.id: sorted(references_in(entry.text) & known.keys()) for entry in entries}
    came = {one.id: one.came_minor for one in transfers}
    found = list(_by_reference(entries, known, named, came, parted))
    taken = {pair.entry_id for pair in found}
    free = [one for one in entries if one.is_whole and not named[one.id] and one.id not in taken]
    waiting = [one for one in transfers if one.is_seen and not came[one.id]]
    return [*found, *_by_amount(free, waiting, parted)]


def reach(left_minor: int, amount_minor: int, came_minor: int) -> int:
    """Return how much of what is left of an entry a transfer can take, signed as the entry is (rule 4)."""
    if left_minor > 0:
        return max(0, min(left_minor, amount_minor - came_minor))
    return min(0, max(left_minor, -came_minor))


# --- inside ---


def _by_reference(
    entries: Sequence[Open], known: Mapping[str, Transfer], named: Mapping[str, Sequence[str]], came: dict[str, int],
    parted: Collection[tuple[str, str]],
) -> Iterator[Pair]:  # fmt: skip
    for entry in sorted(entries, key=lambda one: (one.booked_on, -one.left_minor, one.id)):
        if len(named[entry.id]) != 1:
            continue
        one = known[named[entry.id][0]]
        minor = reach(entry.left_minor, one.amount_minor, came[one.id])
        if minor and (entry.id, one.id) not in parted:
            came[one.id] += minor
            yield Pair(entry.id, one.id, minor, REFERENCE)


def _by_amount(
    entries: Sequence[Open], transfers: Sequence[Transfer], parted: Collection[tuple[str, str]]
) -> Iterator[Pair]:
    fits = [(entry, [one for one in transfers if _fits(entry, one)]) for entry in entries if entry.left_minor > 0]
    wanted = [one.id for _, ones in fits for one in ones]
    for entry, ones in fits:
        if len(ones) == 1 and wanted.count(ones[0].id) == 1 and (entry.id, ones[0].id) not in parted:
            yield Pair(entry.id, ones[0].id, entry.left_minor, AMOUNT)


def _fits(entry: Open, one: Transfer) -> bool:
    return entry.left_minor == one.amount_minor and -1 <= (entry.booked_on - one.day).days <= WINDOW_DAYS
