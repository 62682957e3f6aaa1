"""Verify a node's books: the journal's chain, the sealed sales, the Z reports, and what others remember of the end.

Rules
-----
1. The chain is walked from its first entry; every entry that was edited, deleted, put in or swapped is named.
2. Every sale is compared with the seal in its entry (`pos/sync/sealed.py`), every Z report with the hash in its own,
   every person with the seal of the last entry about them, every fact sent or taken with its hash and the chain of its
   heads.
3. Whoever can write in the database can also make the chain fit again. So its end is remembered outside: by each Z
   report (row and paper), by the sidecar file, by the network. An anchor that does not fit tells of a tail that was
   cut off, or of a chain that was written again, and between which entries.
4. The rows of each sealed day are compared with its seal, and the seal with the journal (`config/nodes/day_seals.py`).
   Weeks that were put away are compared while they lie in this database; what was dropped since is its dump's.
5. At the network the signature of every batch of facts is verified, and that each fact is one its batch signed.
6. Nothing is repaired, and memory does not grow with the books.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import digest
from config.errors import Invalid, Unreachable
from config.nodes import day_seals, journal, outbox, partitions, signing_keys
from config.nodes.inbox import InboxMessage
from config.nodes.journal import GENESIS, JournalEntry, JournalHead
from config.nodes.node import read_sidecar
from config.nodes.outbox import OutboxMessage
from config.nodes.signing_keys import SignedBatch
from pos.sold import Sale
from pos.store.store import ReceiptCounter, Staff, Till
from pos.sync import archive, sealed
from pos.till.shift_book import Shift
from pos.till.shift_report import z_hash
from store_app.runtime.doors import Doors
from store_app.sync import wire

MOST_FAULTS = 200


@dataclass(frozen=True)
class Anchor:
    """What somebody outside the chain remembers of it. by: who, in words."""

    n: int
    hash: str
    by: str


@dataclass
class Report:
    """What was walked, and every sentence about what does not hold."""

    entries: int = 0
    sales: int = 0
    sealed: int = 0
    shifts: int = 0
    anchors: int = 0
    days: int = 0
    faults: list[str] = field(default_factory=list)
    more: int = 0

    def blame(self, fault: str) -> None:
        """Keep a fault; beyond MOST_FAULTS they are only counted."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)
        else:
            self.more += 1

    @property
    def summary(self) -> str:
        """One sentence on what was looked at."""
        return (
            f"{self.entries} entries, {self.sales} sales ({self.sealed} sealed), {self.shifts} Z reports and "
            f"{self.anchors} anchors were compared, and {self.days} sealed days of tables."
        )


def verify(doors: Doors, outside: Iterable[Anchor] = ()) -> Report:
    """Verify this node's books. outside: what the network remembers, where it was asked."""
    known, damaged = list(outside), None
    try:
        if (sidecar := read_sidecar(doors.settings.sidecar)) is not None:
            known.append(Anchor(sidecar["n"], sidecar["head"], "the file beside the database"))
    except Invalid as fault:
        damaged = fault.message
    with doors.read() as session:
        report = verify_in(session, doors.settings.node_id, known)
    if damaged is not None:
        report.blame(damaged)
    return report


def ask_network(doors: Doors) -> tuple[list[Anchor], str | None]:
    """Return what the network remembers of this store's journal, and a sentence where it could not be asked."""
    from store_app.sync import sender

    if not doors.settings.network_url or doors.settings.role != "store":
        return [], None
    try:
        end = sender.ask_end(doors.settings)
    except Unreachable as fault:
        return [], fault.message
    return [Anchor(end.n, end.hash, f"the network (heard {end.heard_at[:16].replace('T', ' ')} UTC)")], None


def verify_in(session: Session, node_id: str, outside: Iterable[Anchor] = ()) -> Report:
    """Verify a node's books in this look (rules 1 to 3)."""
    report = Report()
    closed = _closed_shifts(session, node_id)
    anchors = [*outside, *(anchor for shift in closed.values() for anchor in shift.anchors)]
    report.anchors = len(anchors)
    people: dict[str, str] = {}
    seals: dict[tuple[str, str], list[Any]] = {}
    _walk(session, node_id, anchors, closed, people, seals, report)
    for shift in closed.values():
        if not shift.reported:
            report.blame(f"{shift.name} is not in the journal: it was put in")
    for fault in (*signing_keys.faults(session), *_not_signed(session)):
        report.blame(fault)
    tally = sealed.Tally()
    for one in sealed.broken(session, node_id, tally):
        report.blame(_of_sale(one))
    report.sales, report.sealed, report.shifts = tally.sales, tally.sealed, len(closed)
    report.days = len(seals)
    for faults in (
        _cut_receipts(session, node_id), _people(session, node_id, people), _sent(session), _taken(session),
        _days(session, seals),
    ):  # fmt: skip
        for fault in faults:
            report.blame(fault)
    return report


# --- the chain ---


def _walk(
    session: Session, node_id: str, anchors: list[Anchor], closed: dict[str, "_Closed"], people: dict[str, str],
    seals: dict[tuple[str, str], list[Any]], report: Report,
) -> None:  # fmt: skip
    waiting: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        waiting.setdefault(anchor.n, []).append(anchor)
    before, expected, agreed, linked = GENESIS, 1, 0, True
    changed = _Run(report)
    for n, at, actor_id, actor_name, verb, subject, body, kept in _entries(session, node_id):
        if n != expected:
            changed.end()
            report.blame(_missing(expected, n - 1))
            linked = False
        values = [before, node_id, n, _instant(at), actor_id, actor_name, verb, subject, body]
        if linked and digest.of(journal.canonical(values), kept) != kept:
            changed.add(n, f"{verb} of {subject}, {_shown(at)}")
        for anchor in waiting.pop(n, ()):
            if anchor.hash == kept:
                agreed = n
            else:
                report.blame(
                    f"The journal was written again after entry {agreed} and up to entry {n}: "
                    f"{anchor.by} remembers another entry {n}"
                )
        if verb in ("shift.closed", "shift.recovered") and subject.startswith("shift:"):
            _compare_z(closed, subject.removeprefix("shift:"), n, body, _shown(at), report)
        if subject.startswith("staff:") and '"seal":' in body:
            people[subject.removeprefix("staff:")] = _seal_in(body)
        if verb == day_seals.SEALED:
            seals |= _seals_in(body)
        before, expected, linked = kept, n + 1, True
        report.entries += 1
    changed.end()
    _compare_end(session, node_id, expected - 1, before, waiting, report)


class _Run:
    """Faulty entries that follow each other, told as one."""

    def __init__(self, report: Report) -> None:
        self._report, self._first, self._last, self._what = report, 0, 0, ""

    def add(self, n: int, what: str) -> None:
        """Note that entry n does not hold."""
        if n != self._last + 1 or not self._first:
            self.end()
            self._first, self._what = n, what
        self._last = n

    def end(self) -> None:
        """Tell the run."""
        if not self._first:
            return
        if self._first == self._last:
            said = f"Entry {self._first} was changed after it was written: {self._what}"
        else:
            many = f"Entries {self._first} to {self._last} were changed, swapped or put in after they were written"
            said = f"{many}, from {self._what}"
        self._report.blame(said)
        self._first = 0


def _compare_end(
    session: Session, node_id: str, last: int, end: str, waiting: dict[int, list[Anchor]], report: Report
) -> None:
    head = session.execute(
        sa.select(JournalHead.n, JournalHead.hash).where(JournalHead.node_id == node_id)
    ).one_or_none()
    written, hashed = (head.n, head.hash) if head else (0, GENESIS)
    if written != last:
        report.blame(f"The journal ends at entry {last}, but its head is at entry {written}")
    elif hashed != end:
        report.blame(f"The head of the chain does not fit its last entry, {last}")
    for n, those in sorted(waiting.items()):
        if n == 0:
            continue
        for anchor in those:
            where = f"{_missing(last + 1, n)}: the tail was cut off" if n > last else f"Entry {n} is missing"
            report.blame(f"{where}. {anchor.by[:1].upper()}{anchor.by[1:]} remembers entry {n}")


def _missing(first: int, last: int) -> str:
    return f"Entry {first} is missing" if first == last else f"Entries {first} to {last} are missing"


def _entries(session: Session, node_id: str) -> Iterator[Any]:
    table = JournalEntry
    query = sa.select(
        table.n, sa.type_coerce(table.at, sa.String()), table.actor_id, table.actor_name,
        table.verb, table.subject, table.body, table.hash,
    )  # fmt: skip
    query = query.where(table.node_id == node_id).order_by(table.n)
    yield from session.connection().execute(query, execution_options={"yield_per": 1000})


# --- people and facts ---


def _seal_in(body: str) -> str:
    try:
        return str(json.loads(body)["seal"])
    except (ValueError, KeyError, TypeError):
        return ""  # the chain blames the entry


def _seals_in(body: str) -> dict[tuple[str, str], list[Any]]:
    try:
        return {(name, day): seal for name, days in json.loads(body)["sealed"].items() for day, seal in days.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # the chain blames the entry


def _days(session: Session, seals: dict[tuple[str, str], list[Any]]) -> Iterator[str]:
    """Yield every sealed day whose rows are not what they were."""
    away, weeks = partitions.lying_away(session), set(archive.weeks(session))

    def is_gone(book: str, day: str) -> bool:
        if book not in partitions.BOOKS:
            return False
        week = partitions.monday(dt.date.fromisoformat(day))
        return week in weeks and week not in away.get(book, ())

    tables = {book: found.values() for book, found in away.items()}
    yield from day_seals.faults(session, seals, away=tables, is_gone=is_gone)


def _people(session: Session, node_id: str, seals: dict[str, str]) -> Iterator[str]:
    """Yield who is not as the last entry about them says. seals: person -> seal."""
    here = {person.id: person for person in session.scalars(sa.select(Staff).where(Staff.node_id == node_id))}
    for staff_id, seal in seals.items():
        if (person := here.get(staff_id)) is None:
            yield f"Person {staff_id} is in the journal, but was taken out of the books"
        elif person.seal != seal:
            yield f"Person {staff_id} was changed: name, role, PIN or badge is not what the journal says"


def _sent(session: Session) -> Iterator[str]:
    """Yield every fact of ours that is not what its hash says, or not where its chain has it."""
    row = OutboxMessage
    query = sa.select(
        row.to_node, row.epoch, row.n, row.head, row.id, row.topic, row.version, _as_stored(row.made_at),
        _as_stored(row.business_day), row.body, row.hash,
    ).order_by(row.to_node, row.epoch, row.n)  # fmt: skip
    last: tuple[Any, ...] = ("", "", 0)
    head = ""
    for to_node, epoch, n, own, name, topic, version, made_at, day, text, hashed in _rows(session, query):
        if not outbox.text_fits(name, topic, version, _instant(made_at), str(day), text, hashed):
            yield f"Message {name} to {to_node} ({topic}, number {n}) was changed after it was written"
        before = GENESIS if n == 1 else head if last == (to_node, epoch, n - 1) else ""
        if own and before and outbox.chain(before, hashed) != own:
            yield f"Message {name} to {to_node} ({topic}, number {n}) does not fit the message before it"
        last, head = (to_node, epoch, n), own


def _taken(session: Session) -> Iterator[str]:
    """Yield every fact taken from another node that is not what its hash says."""
    row = InboxMessage
    query = sa.select(
        row.from_node, row.id, row.topic, row.version, row.made_at, row.business_day, row.body, row.hash
    ).where(row.state == "taken")  # fmt: skip
    for from_node, name, topic, version, made_at, day, text, hashed in _rows(session, query):
        if not outbox.text_fits(name, topic, version, made_at, day, text, hashed):
            yield f"Message {name} of {from_node} ({topic}) was changed after it was taken"


def _rows(session: Session, query: sa.Select[*tuple[Any, ...]]) -> Iterator[Any]:
    yield from session.connection().execute(query, execution_options={"yield_per": 1000})


def _as_stored(column: Any) -> sa.ColumnElement[Any]:
    return sa.type_coerce(column, sa.String())


# --- shifts and receipts ---


@dataclass
class _Closed:
    """A closed shift as its row has it."""

    name: str
    hash: str
    """Of the Z report as it lies there now."""
    says: dict[str, Any]
    anchors: list[Anchor]
    reported: bool = False


def _closed_shifts(session: Session, node_id: str) -> dict[str, _Closed]:
    names = {row.id: row.name for row in session.execute(sa.select(Till.id, Till.name).where(Till.store_id == node_id))}
    query = sa.select(
        Shift.id, Shift.till_id, Shift.z_no, Shift.counted_minor, Shift.over_short_minor, Shift.z_report,
        Shift.business_day,
    ).where(Shift.store_id == node_id, Shift.state == "closed")  # fmt: skip
    entries = sa.select(JournalEntry.subject).where(
        JournalEntry.node_id == node_id, JournalEntry.verb == "shift.recovered"
    )
    recovered = {subject.removeprefix("shift:") for subject in session.scalars(entries)}
    found: dict[str, _Closed] = {}
    for row in session.connection().execute(query, execution_options={"yield_per": 200}):
        report = row.z_report or {}
        name = f"Z {row.z_no} of {names.get(row.till_id, row.till_id)} ({row.business_day})"
        seen = None if row.id in recovered else report.get("journal")  # the journal of that time is lost
        says = {"z_no": row.z_no, "counted_minor": row.counted_minor, "over_short_minor": row.over_short_minor}
        anchors = [Anchor(seen["n"], seen["hash"], name)] if seen else []
        found[row.id] = _Closed(name, z_hash(report), says | {"z_hash": report.get("hash")}, anchors)
    return found


def _compare_z(closed: dict[str, _Closed], shift_id: str, n: int, body: str, at: str, report: Report) -> None:
    try:
        facts: dict[str, Any] = json.loads(body)
    except ValueError:
        return
    shift = closed.get(shift_id)
    if shift is None:
        report.blame(f"Z {facts.get('z_no')} is in the journal (entry {n}, {at}), but was taken out of the books")
        return
    shift.reported = True
    odd = [name for name in ("z_no", "counted_minor", "over_short_minor") if facts.get(name) != shift.says[name]]
    if "z_hash" in facts and not facts["z_hash"] == shift.hash == shift.says["z_hash"]:
        odd.append("the report")
    if odd:
        report.blame(f"{shift.name} was changed after it was closed (entry {n}, {at}): {', '.join(odd)}")


def _cut_receipts(session: Session, node_id: str) -> Iterator[str]:
    """Yield the tills whose last numbers were given, but are not in the books."""
    last = (
        sa.select(Sale.till_id, Sale.epoch, sa.func.max(Sale.receipt_no).label("no"))
        .where(Sale.store_id == node_id)
        .group_by(Sale.till_id, Sale.epoch)
        .subquery()
    )
    there = sa.func.coalesce(last.c.no, 0)
    same = sa.and_(last.c.till_id == ReceiptCounter.till_id, last.c.epoch == ReceiptCounter.epoch)
    query = sa.select(ReceiptCounter.till_id, ReceiptCounter.last_no, there).outerjoin(last, same)
    query = query.where(ReceiptCounter.store_id == node_id, ReceiptCounter.last_no > there)
    for till_id, given, found in session.execute(query.order_by(ReceiptCounter.till_id)):
        several = f"Receipt {given} of till {till_id} was" if given == found + 1 else None
        yield f"{several or f'Receipts {found + 1} to {given} of till {till_id} were'} given, but not in the books"


def _not_signed(session: Session) -> Iterator[str]:
    """Yield the facts that are not among those their batch signed (rule 4)."""
    query = sa.select(InboxMessage.from_node, InboxMessage.batch, InboxMessage.id, InboxMessage.hash)
    query = query.where(InboxMessage.batch.is_not(None)).order_by(InboxMessage.from_node, InboxMessage.batch)
    for (node, batch_id), rows in groupby(_stream(session, query), key=itemgetter(0, 1)):
        batch = session.get(SignedBatch, (node, batch_id))
        covered = wire.facts_of(batch.text, node, batch.key) if batch else ()
        for _, _, id_, hash_ in rows:
            if hash_ not in covered:
                yield f"The fact {id_} of {node} was put in or changed: its batch {batch_id} did not sign it"


def _stream(session: Session, query: sa.Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(session.connection().execute(query, execution_options={"yield_per": 1000}))


def _of_sale(one: sealed.Broken) -> str:
    name = f"Sale {one.sale_id}"
    if one.receipt_no is not None:
        name = f"Receipt {one.receipt_no}" + (f" of till {one.till_id}" if one.till_id else "")
    about = ", ".join(filter(None, (f"entry {one.n}" if one.n else "", one.at and f"{one.at} UTC")))
    tail = f" (sale {one.sale_id})" if one.receipt_no is not None else ""
    return f"{name}{f' ({about})' if about else ''} {one.what}{tail}"


def _instant(at: Any) -> str:
    """Return an instant as the chain hashed it."""
    if isinstance(at, dt.datetime):
        return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return f"{at[:10]}T{at[11:]}+00:00"


def _shown(at: Any) -> str:
    return f"{_instant(at)[:19].replace('T', ' ')} UTC"
