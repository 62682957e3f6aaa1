"""The network's side: take a store's facts once, hand over what is addressed to it."""

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

import supply.sync.replica
from config.database import lock_rows
from config.errors import Invalid, Refused
from config.ids import NETWORK
from config.nodes import anchor, door, facts, inbox, journal, outbox, signing, signing_keys
from config.nodes.inbox import InboxHead, InboxMessage
from config.nodes.journal import GENESIS, Actor, Context
from config.nodes.node import (
    COPY_SPEAKS,
    EPOCH_BEGUN,
    JOURNAL_CHANGED,
    KEY_ASKS,
    KEY_MISUSED,
    WAIT_THERE,
    WORST,
    Peer,
    this_node,
)
from config.nodes.outbox import Message, OutboxHead, OutboxMessage
from config.nodes.publication import Publication, listed
from pos.facts import SaleCompleted
from pos.store.store import Store
from store_app.runtime.doors import Doors
from store_app.sync import wire
from supply import isolation
from supply.demand import plausibility
from supply.demand.plausibility import Judge
from supply.network.recalls import recalls

log = structlog.get_logger()
DAYS_AHEAD = dt.timedelta(days=2)
"""So far ahead of our clock a store's business day may be; what is dated later waits until that day has come."""
FARTHEST_AHEAD = dt.timedelta(days=366)
"""What is dated later than that waits for a person instead: no clock is wrong by so much."""
PAST = dt.timedelta(weeks=104)
"""So far before its founding here a store's business day may be: of the trade it brings along, forecasts look no
further back. What is dated before waits for a person."""
TOO_EARLY = "future-day"
EARLY_AT_ONCE = 2_000
"""So many facts of one store are tried again at once: its clock decides how many wait."""
KINDS = ("catalogue", "offers", "suppliers", "demand", "forecast", "lessons", "compare", "points", "surroundings")
SHOWN_KEPT = 20


def effect_of(from_node: str, at: dt.datetime, judge: Judge | None = None) -> Callable[[Session, Message], None]:
    """Return what applies an arrived fact (`config/nodes/facts.py`), once what a store says of itself was weighed.

    judge: what weighs a store's facts first; None: a fresh one. Its `keep` is for the caller.
    """

    def apply(session: Session, message: Message) -> None:
        if from_node == NETWORK:
            facts.apply(session, message, from_node, at)
            return
        facts.refuse_newer(message)
        _refuse_days(session, from_node, message, at, is_let_in=weigher.is_let_in(message))
        if (refusal := weigher.why(session, message)) is not None:
            raise refusal
        facts.apply(session, message, from_node, at)
        if weigher.is_unweighed(message):
            raise Invalid("unreadable", "Its figures cannot be read.")

    weigher = judge or Judge(from_node)
    return apply


def bulk_of(from_node: str, at: dt.datetime, judge: Judge | None = None) -> inbox.Bulk:
    """Return what writes the sales of a store's batch all at once; what has to wait and odd days are left."""

    def write(session: Session, messages: Sequence[Message]) -> Sequence[Message]:
        first, last = map(str, _days_taken(session, from_node, at))
        weigher.read(session, messages)
        due: list[Message] = []
        left: list[Message] = []
        for message in messages:
            days = _days_of(message)
            waits = (
                not first <= min(days) <= max(days) <= last
                or (message.topic == SaleCompleted.TOPIC and message.version > SaleCompleted.VERSION)
                or weigher.why(session, message) is not None
                or weigher.is_unweighed(message)
            )
            (left if waits else due).append(message)
        return [*supply.sync.replica.take_sales(session, due, from_node, at), *left]

    weigher = judge or Judge(from_node)
    return write


def take(session: Session, store_id: str, push: wire.Push, *, at: dt.datetime) -> dict[str, Any]:
    """Take a push of `store_id` and return the answer (rules 3 to 5 of the package)."""
    wire.refuse_too_old(push.protocol)
    taken, parked = [], []
    rows = [row.message() for row in push.rows]
    signed, judge = _signed(session, store_id, push, at), Judge(store_id)
    judge.read(session, rows)
    batch = signing_keys.batch_id(signed) if signed else None
    arrival = inbox.Arrival(store_id, push.epoch, rows, push.count, batch)
    effect, bulk = effect_of(store_id, at, judge), bulk_of(store_id, at, judge)
    outcomes = inbox.take(session, arrival, effect, at=at, bulk=bulk)
    if signed and push.seal is not None and rows:
        signing_keys.keep_batch(session, store_id, push.seal.key, signed, push.seal.signature, at)
    judge.keep(session, [row for row, one in zip(rows, outcomes, strict=True) if one.state == "taken"])
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.state == "parked":
            parked.append({"id": row.id, "reason": outcome.reason or "kept aside", "kind": outcome.kind})
        else:
            taken.append({"id": row.id, "hash": row.hash})
    if push.stuck:
        taken += [{"id": id_, "hash": hash_} for id_, hash_ in inbox.taken_of(session, store_id, push.stuck).items()]
        declined = inbox.declined_of(session, store_id, push.stuck)
        parked += [{"id": id_, "reason": why, "kind": inbox.DECLINED} for id_, why in declined.items()]
    for have in push.have:
        _confirm(session, store_id, have, at)
    books = {epoch: received(session, store_id, epoch) for epoch in dict.fromkeys((push.epoch, *push.epochs))}
    heard_further = push.epoch == push.speaking and (
        any(outcome.kind == inbox.NUMBER_USED for outcome in outcomes) or books[push.epoch]["count"] > push.count
    )
    fork, nonce = _meet(session, store_id, push, at, heard_further=heard_further)
    if push.health is not None:
        _hear_health(session.get_one(Peer, store_id), push.health, at)
    if push.journal is not None:
        # a nonce of ours came with the answer that says which end we know
        _hear_journal(session, store_id, push.journal, push.speaking, at, owes_proof=bool(push.nonce) and not fork)
    with isolation.apart(Context(session, Actor.system("sync", NETWORK), at), "recalls", store_id):
        recalls.catch_up(session, store_id, at=at)
    known = anchor.last(session, store_id)
    return {
        **books[push.epoch],
        "taken": taken,
        "parked": parked,
        "nonce": nonce,
        "incarnation": this_node(session).epoch,
        "fork": fork,
        "protocol": min(push.protocol, wire.PROTOCOL),
        "books": [books[epoch] for epoch in push.epochs],
        "journal_n": known.n if known else 0,
    }


def note_unsigned(doors: Doors, store_id: str, code: str) -> None:
    """Show the operator that somebody spoke with a store's bearer key alone, or with a signing key nobody knows."""
    alarm = KEY_ASKS if code == signing_keys.UNKNOWN else KEY_MISUSED
    with doors.read() as session:
        peer = session.get(Peer, store_id)
        is_shown = peer is None or peer.alarm in (alarm, *WORST)
    if not is_shown:
        with doors.write() as session:
            _alarm(session, session.get_one(Peer, store_id), alarm, doors.now())


def introduce(
    session: Session, store_id: str, public: str, chain: Sequence[tuple[str, str, str]], at: dt.datetime
) -> str:
    """Hear of a store's new signing key; returns its state. What is settled alarms nobody any more."""
    actor = Actor.system("sync", NETWORK)
    state = signing_keys.introduce(Context(session, actor, at), store_id, public, chain)
    if state == "good":
        settle_key(session, store_id)
    return state


def settle_key(session: Session, store_id: str) -> None:
    """Let the alarm about an unknown key go, where none waits any more."""
    peer = session.get(Peer, store_id)
    waits = any(key.state == "asked" for key in signing_keys.of(session, store_id))
    if peer is not None and peer.alarm == KEY_ASKS and not waits:
        peer.alarm = None


def try_parked(doors: Doors, from_nodes: Sequence[str] | None = None, *, why: str | None = None) -> tuple[int, int]:
    """Try again what other nodes sent and this one set aside: after an upgrade, or when somebody asks for it.

    Each message has a transaction of its own: nobody waits for all of them, and one that ends badly undoes no other.

    why: only the nodes of which something was set aside for this reason, a code. Returns (how many were taken, how many
    still wait).
    """
    with doors.read() as session:
        waiting = sa.select(InboxMessage.from_node).where(InboxMessage.state == "parked").distinct()
        if why is not None:
            waiting = waiting.where(InboxMessage.reason.startswith(f"{why}: "))
        nodes = [node for node in session.scalars(waiting) if from_nodes is None or node in from_nodes]
    taken = tried = 0
    for node in nodes:
        with doors.read() as session:
            waits = inbox.waiting_of(session, node)
        for message in waits:
            with doors.write() as session:
                taken += _try_one(session, node, message.id, doors.now())
        tried += len(waits)
    return taken, tried - taken


def take_early(doors: Doors) -> tuple[int, int]:
    """Try the facts again whose day had not come when they arrived; (how many were taken, how many still wait)."""
    with doors.read() as session:
        waiting = sa.select(InboxMessage.from_node).where(InboxMessage.state == "parked")
        nodes = list(session.scalars(waiting.where(InboxMessage.reason.startswith(TOO_EARLY)).distinct()))
    taken = left = 0
    for node in nodes:
        with doors.write() as session:
            some, rest = _try_again(session, node, doors.now(), why=TOO_EARLY, most=EARLY_AT_ONCE)
        taken, left = taken + some, left + rest
    return taken, left


def take_in(ctx: Context, store_id: str, ids: Sequence[str]) -> list[str]:
    """Take in what was set aside of a store because a person says so, then what waited for it; return the former."""
    judge, rows = Judge(store_id), [inbox.inbox_message(row) for row in inbox.set_aside(ctx.session, store_id, ids)]
    judge.read(ctx.session, rows)
    for message in rows:
        judge.let_in(message)
    plausibility.record_taken_in(ctx, store_id, [message.id for message in rows])
    taken = set(inbox.take_in(ctx.session, store_id, ids, effect_of(store_id, ctx.at, judge)))
    judge.keep(ctx.session, [message for message in rows if message.id in taken])
    _try_again(ctx.session, store_id, ctx.at)
    return sorted(taken)


def hand_over(session: Session, store_id: str, have: dict[str, int], mine: str) -> dict[str, Any]:
    """Return the rows addressed to a store after what it has; epochs it never heard of from their first row."""
    written = session.execute(sa.select(OutboxHead.epoch, OutboxHead.n).where(OutboxHead.to_node == store_id)).all()
    behind = [epoch for epoch, n in written if n > have.get(epoch, 0)]
    first = sa.select(OutboxMessage.epoch).where(OutboxMessage.to_node == store_id, OutboxMessage.epoch.in_(behind))
    first = first.group_by(OutboxMessage.epoch).order_by(sa.func.min(OutboxMessage.made_at))
    batches = []
    for epoch in session.scalars(first) if len(behind) > 1 else behind:
        rows = outbox.after(session, store_id, epoch, have.get(epoch, 0))
        if rows:
            batches.append({"epoch": epoch, "rows": [outbox.to_wire(row) for row in rows]})
    return {
        "incarnation": this_node(session).epoch,
        "received": received(session, store_id, mine),
        "batches": batches[:3],
    }


def own_facts(session: Session, store_id: str, have: dict[str, int]) -> dict[str, Any]:
    """Return what a store told us after what it still has, oldest epoch first; of an unknown epoch all of it."""
    began = sa.and_(
        InboxMessage.from_node == InboxHead.from_node, InboxMessage.epoch == InboxHead.epoch, InboxMessage.n == 1
    )
    first = sa.select(InboxHead.epoch).outerjoin(InboxMessage, began).where(InboxHead.from_node == store_id)
    first = first.order_by(InboxMessage.received_at, InboxHead.epoch)
    for epoch in session.scalars(first).all():
        rows = inbox.reported_after(session, store_id, epoch, have.get(epoch, 0), outbox.MAX_ROWS, outbox.MAX_BYTES)
        if rows:
            log.warning("a store fetches what it has lost", store=store_id, epoch=epoch, rows=len(rows))
            ids = {row["batch"] for row in rows} - {""}
            seals = [
                {"id": one.id, "key": one.key, "text": one.text, "signature": one.signature}
                for one in signing_keys.batches(session, store_id, ids)
            ]
            keys = [
                {"key": key, "by": by, "vouch": vouch} for key, by, vouch in signing_keys.vouches(session, store_id)
            ]
            return {"batches": [{"epoch": epoch, "rows": rows}], "seals": seals, "keys": keys}
    return {"batches": []}


def received(session: Session, store_id: str, epoch: str) -> dict[str, Any]:
    """Return how our books of a store's epoch stand."""
    count, n, head = inbox.received_head(session, store_id, epoch)
    return {"epoch": epoch, "count": count, "n": n, "head": head}


def known_end(session: Session, store_id: str) -> dict[str, Any]:
    """Return what we remember of the end of a store's journal."""
    known = anchor.last(session, store_id)
    if known is None:
        return {"n": 0, "hash": GENESIS, "heard_at": ""}
    return {"n": known.n, "hash": known.hash, "heard_at": known.heard_at.isoformat()}


def editions(session: Session, store_id: str) -> list[Publication]:
    """Return what is published for a store, without bodies: its own edition before its region's before everybody's."""
    return listed(session, KINDS, scopes_of(session, store_id))


def scopes_of(session: Session, store_id: str) -> list[str]:
    """Return the scopes a store reads, the nearest first."""
    store = session.get(Store, store_id)
    return [store_id, *([store.region_id] if store else []), "*"]


# --- inside ---


def _try_one(session: Session, node: str, id_: str, at: dt.datetime) -> bool:
    """Try a parked message again, unless somebody answered it meanwhile; tell whether it was taken."""
    rows = [inbox.inbox_message(row) for row in inbox.set_aside(session, node, [id_]) if row.state == inbox.PARKED]
    judge = Judge(node)
    judge.read(session, rows)
    taken = inbox.take_in(session, node, [message.id for message in rows], effect_of(node, at, judge))
    if taken:
        judge.keep(session, rows)
    return bool(taken)


def _try_again(
    session: Session, node: str, at: dt.datetime, *, why: str = "", most: int | None = None
) -> tuple[int, int]:  # fmt: skip
    """Try what a node's messages set aside again, and add what is taken to its days (`plausibility`)."""
    judge, waiting = Judge(node), inbox.waiting_of(session, node, why=why, most=most)
    judge.read(session, waiting)
    taken, left = inbox.try_parked(session, node, effect_of(node, at, judge), why=why, most=most)
    if taken:
        still = {message.id for message in inbox.waiting_of(session, node)}
        judge.keep(session, [message for message in waiting if message.id not in still])
    return taken, left


def _days_taken(session: Session, store_id: str, at: dt.datetime) -> tuple[dt.date, dt.date]:
    """Return the first and the last business day that a store may report now."""
    joined_at = session.scalar(sa.select(Store.joined_at).where(Store.id == store_id))
    first = door.FIRST if joined_at is None else max(door.FIRST, joined_at.date() - PAST)
    return first, at.date() + DAYS_AHEAD


def _signed(session: Session, store_id: str, push: wire.Push, at: dt.datetime) -> str | None:
    """Return the text a store signed for this push; None where it has no key. Refuses what is not signed as it must."""
    seal, text = push.seal, None
    if seal is not None:
        rows = ((row.n, row.hash) for row in push.rows)
        text = wire.signed_text(store_id, seal.key, push.epoch, push.count, push.head, rows)
        if not signing.is_signed(seal.key, text.encode(), seal.signature):
            raise Refused(signing_keys.WRONG, "The signature does not match the message. Nothing was accepted.")
    signing_keys.hear(Context(session, Actor.system("sync", NETWORK), at), store_id, None if seal is None else seal.key)
    return text


def _days_of(message: Message) -> tuple[str, str]:
    """Return the business day a message is filed under, and the one its body tells."""
    return message.business_day, str(message.body.get("business_day", message.business_day))


def _refuse_days(session: Session, store_id: str, message: Message, at: dt.datetime, *, is_let_in: bool) -> None:
    """Refuse a fact of a day that has not come yet, or that no fact of this store can be of.

    is_let_in: a person takes it in, so that it may be older than the store.
    """
    first, last = _days_taken(session, store_id, at)
    first = door.FIRST if is_let_in else first
    for reported in _days_of(message):
        if door.day(reported, "The business day", last + FARTHEST_AHEAD, first=first) > last:
            raise Invalid(
                TOO_EARLY,
                "The business day %(reported)s is in the future, so this takes effect then. Check the store's clock.",
                reported=reported,
            )
    if message.topic != SaleCompleted.TOPIC:  # of a sale that is all, and there are many
        door.days(message.body, first, last)


def _confirm(session: Session, store_id: str, have: wire.Have, at: dt.datetime) -> None:
    """Note what a store has of ours.

    Where its book of an epoch is another one, nothing is confirmed by it: we were put back, and what waits goes again,
    above its numbers in the epoch we go on in, else in the present epoch.
    """
    if session.get(OutboxHead, (store_id, have.epoch)) is None:
        return
    is_end = outbox.sent_head(session, store_id, have.epoch) == (have.n, have.head)
    if not is_end and outbox.head_at(session, store_id, have.epoch, have.n) != have.head:
        if have.epoch == this_node(session).epoch:
            again = outbox.follow(session, store_id, have.epoch, have.n, have.head)
        else:
            again = outbox.leave(session, store_id, have.epoch)
        if again:
            log.warning("a store has heard what we have lost", store=store_id, epoch=have.epoch, sent_again=again)
        return
    outbox.confirm(session, store_id, have.epoch, have.n, at=at)


def _meet(
    session: Session, store_id: str, push: wire.Push, at: dt.datetime, *, heard_further: bool
) -> tuple[bool, str]:
    """Compare and renew the nonce; (is this a copy or a restored database?, the nonce to show next time).

    heard_further: of the epoch it speaks in we have what it never wrote, so somebody else did.

    peer.nonce: the present nonce, then the last shown ones as nonce:token, newest first. A pair shown before is a
    lost answer or a late copy of a request, and changes nothing.
    """
    peer = session.scalar(lock_rows(session, sa.select(Peer).where(Peer.id == store_id)))
    if peer is None:
        peer = Peer(id=store_id, epoch=push.speaking, nonce="", heard_at=at, alarm=None)
        session.add(peer)
    present, *shown = peer.nonce.split(" ")
    pair = f"{push.nonce}:{push.token}"
    renewed = not push.nonce and push.speaking != peer.epoch
    if heard_further or (push.nonce != present and not renewed):
        if not heard_further and ((pair in shown) if push.nonce else (shown == [pair])):
            return False, present
        _alarm(session, peer, COPY_SPEAKS, at)
        return True, present
    if renewed:
        _alarm(session, peer, EPOCH_BEGUN, at)
    fresh = secrets.token_hex(16)
    peer.nonce = " ".join([fresh, pair, *shown[: SHOWN_KEPT - 1]])
    peer.epoch, peer.heard_at, peer.waiting = push.speaking, at, push.waiting
    is_about_waiting = peer.alarm is None or peer.alarm.endswith(WAIT_THERE)
    if is_about_waiting:
        peer.alarm = f"{push.parked}{WAIT_THERE}" if push.parked else None
    return False, fresh


def _hear_health(peer: Peer, reported: wire.Health, at: dt.datetime) -> None:
    peer.oldest_at, peer.catalogue_at = _instant(reported.oldest_at), _instant(reported.catalogue_at)
    peer.checked_at, peer.free_bytes = _instant(reported.checked_at), reported.free_bytes
    now = _instant(reported.now)
    peer.clock_off_s = None if now is None else round((now - at).total_seconds())


def _instant(reported: str) -> dt.datetime | None:
    """Return an instant a store told; None where it told none."""
    try:
        return dt.datetime.fromisoformat(reported).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _hear_journal(
    session: Session, store_id: str, end: wire.JournalEnd, epoch: str, at: dt.datetime, *, owes_proof: bool = False
) -> None:
    proof = (end.proof_n, end.proof_hash) if end.proof_n is not None else None
    actor = Actor.system("sync", NETWORK)
    doubt = anchor.hear(
        Context(session, actor, at), store_id, end.n, end.hash, epoch=epoch, proof=proof, owes_proof=owes_proof
    )
    if doubt is None:
        return
    peer = session.get_one(Peer, store_id)
    if peer.alarm is None or peer.alarm.endswith(WAIT_THERE):
        _alarm(session, peer, JOURNAL_CHANGED, at)


def _alarm(session: Session, peer: Peer, alarm: str, at: dt.datetime) -> None:
    """Say what is odd about a store; the worst stands until a person has looked into it."""
    if peer.alarm == alarm:
        return
    if peer.alarm not in WORST:
        peer.alarm = alarm
    actor = Actor.system("sync", NETWORK)
    journal.record(Context(session, actor, at), verb="peer.alarm", subject=f"store:{peer.id}", alarm=alarm)
