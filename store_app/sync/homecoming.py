"""Facts of our own that come home: what a store had told the network before its books were put back from an older copy.

Rules
-----
1. Asked for once after a restore, before anything else is said or heard: what the network answers to an order is of no
   use while the order is unknown here.
2. Each fact is written into the books and remembered as sent in one transaction: asked again, it is here.
3. A fact that cannot be written is remembered all the same, so that a network put back later gets it again; the
   journal and the doctor say so, and the books are as they were without it. What is damaged, asked for twice, is said
   likewise, and neither written nor remembered. An answer that brings nothing new is a fault of the line.
4. Comes home what this store signed itself, with a key it knows or one that such a key vouches for, and what is older
   than its first key. Whatever else the network has in its name is shown, and neither written nor remembered.
5. Where it is not known that these books are a copy's (two of them may be speaking), nothing is fetched unasked.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

import pos.sync.recovered
import supply.sync.replica
from config.errors import Invalid, Unreachable
from config.ids import NETWORK
from config.nodes import journal, outbox, signing, signing_keys
from config.nodes.facts import Odd, not_recovered
from config.nodes.inbox import FACT_FAULTS
from config.nodes.journal import Actor, Context
from config.nodes.node import this_node
from config.nodes.outbox import Message
from store_app.runtime.doors import Doors
from store_app.sync import wire
from supply.online import erasure

log = structlog.get_logger()
VERB = "books.recovered"
ROWS_AT_ONCE = 20
MOST_ODD = 50
DAMAGED = Invalid(
    "damaged",
    "It was damaged in transit and cannot be read. Check your paper records and enter it again.",
)
NOT_SIGNED = Invalid(
    "not-signed",
    "This store did not sign it, so it was left out. Ask the operator who sent it.",
)
SHOWN_FOR = dt.timedelta(days=14)
"""So long the store's page and the doctor tell of it."""


@dataclass
class Homecoming:
    """What came home: how many facts of each topic, and what a person must look at."""

    topics: Counter[str] = field(default_factory=Counter)
    odd: list[Odd] = field(default_factory=list)

    @property
    def facts(self) -> int:
        """How many came."""
        return sum(self.topics.values())


def fetch(doors: Doors, ask: Callable[[dict[str, int]], wire.Own]) -> int:
    """Fetch what is ours where the books are a copy's (rules 1 to 5); returns how many facts came.

    ask: tells what the network has after (epoch -> last number that is here).
    """
    with doors.read() as session:
        if this_node(session).peer_nonce is not None:
            return 0
        have = outbox.still_here(session, NETWORK)
    came = Homecoming()
    while (heard := _heard(ask, have)).batches:
        batches, ours = heard.batches, _ours(doors, heard)
        ends = {batch.epoch: batch.rows[-1].n for batch in batches if batch.rows}
        if all(n <= have.get(epoch, 0) for epoch, n in ends.items()):
            raise Unreachable("network-fault", "The network's response cannot be read.")
        for batch in batches:
            for start in range(0, len(batch.rows), ROWS_AT_ONCE):
                with doors.write() as session:
                    rows = ours.signed(batch.rows[start : start + ROWS_AT_ONCE], came, doors.now())
                    _take(session, batch.epoch, rows, came, doors.now())
        have |= ends
    with doors.write() as session:
        _end(session, came, doors)
    return came.facts


def is_awaited(session: Session) -> bool:
    """Tell whether these books were put back and have not heard of what they lost."""
    this = this_node(session)
    return this.peer_nonce is None and this.peer_incarnation is not None


def last(session: Session, node_id: str) -> tuple[dt.datetime, dict[str, Any]] | None:
    """Return when facts came home last, and what came: topics, odd and odd_many."""
    return journal.newest(session, VERB, f"node:{node_id}")


# --- inside ---


def _heard(ask: Callable[[dict[str, int]], wire.Own], have: dict[str, int]) -> wire.Own:
    """Ask, and again where something came damaged: it may have been on its way back."""
    heard = ask(have)
    are_whole = all(row.message().is_whole() for batch in heard.batches for row in batch.rows)
    return heard if are_whole else ask(have)


@dataclass(frozen=True)
class _Ours:
    """What proves that facts are this store's own (rule 4). by_batch: batch -> hashes of the facts we signed."""

    by_batch: dict[str, set[str]]
    since: dt.datetime | None

    def signed(self, rows: Sequence[wire.OwnRow], came: Homecoming, at: dt.datetime) -> list[Message]:
        """Return what this store said; what it did not is noted, and goes no further."""
        kept = []
        for row in rows:
            message = row.message()
            is_ours = row.hash in self.by_batch.get(row.batch, ()) or self._is_older(row)
            # of what is emptied of people the seal says nothing of who emptied it: no other topic ever is
            if is_ours and (outbox.FORGOTTEN not in row.body or row.topic in erasure.TOPICS):
                kept.append(message)
            else:
                came.odd.append(not_recovered(row.topic, row.id, f"{at:%Y-%m-%d}", NOT_SIGNED))
        return kept

    def _is_older(self, row: wire.OwnRow) -> bool:
        """Tell whether a fact without a signature was made before this store had a key."""
        if row.batch:
            return False
        try:
            return self.since is None or dt.datetime.fromisoformat(row.made_at) < self.since
        except (ValueError, TypeError):
            return False


def _ours(doors: Doors, heard: wire.Own) -> _Ours:
    node_id, at = doors.settings.node_id, doors.now()
    actor = Actor.system("sync", node_id)
    reported = [(one.key, one.by, one.vouch) for one in heard.keys if re.fullmatch(signing.KEY_PATTERN, one.key)]
    with doors.write() as session:
        keys = signing_keys.recognised(Context(session, actor, at), node_id, reported)
        since = signing_keys.first_at(session, node_id)
    by_batch = {
        seal.id: wire.facts_of(seal.text, node_id, seal.key)
        for seal in heard.seals
        if seal.key in keys and signing.is_signed(seal.key, seal.text.encode(), seal.signature)
    }
    return _Ours(by_batch, since)


def _take(session: Session, epoch: str, messages: Sequence[Message], came: Homecoming, at: dt.datetime) -> None:
    for message in messages:
        if not message.is_whole():
            came.odd.append(not_recovered(message.topic, message.id, f"{at:%Y-%m-%d}", DAMAGED))
            continue
        if not outbox.remember(session, NETWORK, epoch, message):
            continue
        came.topics[message.topic] += 1
        try:
            with session.begin_nested():
                came.odd += supply.sync.replica.again(session, message, at)
                session.flush()
        except sa.exc.OperationalError:
            raise
        except FACT_FAULTS as fault:
            came.odd.append(not_recovered(message.topic, message.id, message.business_day, fault))


def _end(session: Session, came: Homecoming, doors: Doors) -> None:
    node_id, at = doors.settings.node_id, doors.now()
    came.odd += pos.sync.recovered.end(session, node_id, at)
    if not came.facts and not came.odd:
        return
    actor = Actor.system("sync", node_id)
    journal.record(
        Context(session, actor, at),
        verb=VERB,
        subject=f"node:{node_id}",
        topics=dict(came.topics),
        odd=came.odd[:MOST_ODD],
        odd_many=len(came.odd),
    )
    log.warning("books recovered", node=node_id, facts=came.facts, odd=len(came.odd))
