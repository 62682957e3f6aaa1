"""Goods from one store to its neighbour: proposed where both gain, agreed by both, handed over against a code.

Rules
-----
1. The network proposes from the stores' sheets (`transfers.sheets`, `transfers.arithmetic`). Nothing happens before
   both shopkeepers said yes; until the goods are handed over each may still say no, with a reason the other reads.
2. The store that fetches the goods derives a code from its node's secret, and its yes tells the network a slow hash of
   it, which goes to the giver with the second yes. Who gives the goods away takes the code: it is the other's signature
   on what was counted. The code itself is kept nowhere until it was used.
3. Never more goes than was agreed, than is there and than is the store's own, and nothing that is `recall.off_sale`.
   The goods leave and enter by stock movements at each store, with their last day; what does not arrive is said, and is
   the fetching store's, who counted it at the hand-over. Goods taken in before they were handed over are let go of
   afterwards, as counted there: until then the giver is asked. Goods that did not come at all are said so with a
   reason: none enter, and the code that signed for them stands. Where the giver finds them in its store it takes them
   back: they enter its stock, and their cost goes back to both.
4. The price is cost: what the network's supplier asks for as much, rounded per line. When the network hears of the
   hand-over, with the code, it books both stores in one step: the giver's funds, an invoice of the taker; together they
   are zero.
5. Nobody's answer by answer_by, or no hand-over by fetch_by, and it lapses; so does one whose taker's credit is held
   at the second yes. Goods that changed hands count all the same: their word may cross another on the way.
6. A store is told its own gain and never the other's. Words may come in any order and twice; a state never goes back.

Units: qty stock units, *_minor minor units of both stores' currency.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from config.database import lock_rows, secret_of
from config.errors import Conflict, Invalid, Refused, stated
from config.ids import NETWORK, pickup_code_of, tidy_pickup_code
from config.money import divide_half_up
from config.nodes import facts, journal
from config.nodes.facts import STORE, Day, Fact, Flag, Instant, Whole, applies
from config.nodes.journal import Context
from config.words import N_
from pos.stock import batches, consignment_stock, recall, stock, waste
from pos.stock.batches import Lot
from pos.stock.ledger import MOST_QTY, Place, Source, refuse_short
from pos.store.store import day_of, send_fact
from supply import isolation
from supply.demand import known_events
from supply.money import credit
from supply.money import terms as money_terms
from supply.money.ledger import Booking, Wanted
from supply.online.checkout.order_keys import code_hash
from supply.orders.transfers import (
    ROAD,
    STATES,
    Transfer,
    TransferLine,
    has_said_yes,
    lines_of,
    missing_qty,
    subject_of,
    transfer_of,
    waits_for_giver,
)

SOURCE_KIND = "transfer"
BACK_KIND = "transfer_back"
MOST_HASH = 200
Counts = dict[str, Annotated[int, Field(strict=True, ge=0, le=MOST_QTY)]]
ReportedLine = tuple[str, str, str, Whole, Whole, Whole, Whole, Day | None, Whole | None, Whole | None]
"""(sku, name, stock unit, price quantity, qty, pack qty, pack cost, last day, given, taken)"""


class TransferReported(Fact, topic="transfer.reported", said_by=NETWORK):
    """How a transfer stands, as far as the store that reads it may know."""

    store_id: str
    id: str
    giver_id: str
    taker_id: str
    giver_name: str
    taker_name: str
    metres: Whole
    state: str
    giver_yes: Flag
    taker_yes: Flag
    why: str
    declined_by: str
    cost_minor: Whole
    proposed_at: Instant
    answer_by: Day
    fetch_by: Day
    lines: tuple[ReportedLine, ...]
    giver_minor: Whole | None
    taker_minor: Whole | None
    code_hash: str


class TransferAnswered(Fact, topic="transfer.answered", said_by=STORE):
    """One of both says yes or no; the taker's yes with the hash of its code."""

    store_id: str
    id: str
    yes: Flag
    why: str = ""
    code_hash: str = ""


class TransferGiven(Fact, topic="transfer.given", said_by=STORE):
    """The giver handed over what it counted, to whoever showed the code."""

    store_id: str
    id: str
    counts: Counts
    code: str


class TransferTaken(Fact, topic="transfer.taken", said_by=STORE):
    """The taker says what arrived."""

    store_id: str
    id: str
    counts: Counts
    why: str = ""


class TransferBack(Fact, topic="transfer.back", said_by=STORE):
    """The giver found goods again that did not arrive."""

    store_id: str
    id: str
    counts: Counts


# --- verbs, store ---


def agree(ctx: Context, store_id: str, transfer_id: str) -> Transfer:
    """Say yes; nothing moves before the other store says it too (rule 1)."""
    found = transfer_of(ctx.session, store_id, transfer_id)
    if has_said_yes(found, store_id):
        return found
    _refuse_unless(found, "proposed")
    if found.answer_by < day_of(ctx.session, store_id, ctx.at):
        raise Refused("transfer-over", "The response was due by %(answer_by)s.", answer_by=found.answer_by.isoformat())
    _note_yes(found, store_id)
    journal.record(ctx, verb="transfer.yes", subject=subject_of(found))
    if is_taker := store_id == found.taker_id:
        found.code_hash = code_hash(found.id, code_of(ctx.session, found.id))
    fact = TransferAnswered(store_id, found.id, yes=True, code_hash=found.code_hash if is_taker else "")
    send_fact(ctx.session, fact, subject=subject_of(found), at=ctx.at)
    return found


def decline(ctx: Context, store_id: str, transfer_id: str, *, why: str) -> Transfer:
    """Say no, also after a yes, as long as nothing was handed over (rule 1)."""
    found = transfer_of(ctx.session, store_id, transfer_id)
    why = stated(why, Invalid("no-reason", "Enter a reason, so the next suggestion fits better."), 300)
    if found.state == "declined":
        return found
    _end(ctx, found, "declined", why, store_id)
    send_fact(
        ctx.session, TransferAnswered(store_id, found.id, yes=False, why=why), subject=subject_of(found), at=ctx.at
    )
    return found


def hand_over(ctx: Context, store_id: str, transfer_id: str, code: str, counts: Mapping[str, int]) -> Transfer:
    """Give the goods to whoever shows the code (rules 2, 3). counts: SKU -> units, zero for what does not go.

    Where the other store has taken them in before, its count is its word: no code is asked for, and no more is counted.
    """
    found = transfer_of(ctx.session, store_id, transfer_id)
    if found.giver_id != store_id:
        raise Refused("not-the-giver", "%(giver_name)s hands these over, not this store.", giver_name=found.giver_name)
    is_there = waits_for_giver(found)
    if not is_there:
        _refuse_no_code(found, code, day_of(ctx.session, store_id, ctx.at))
    lines = _counted(ctx.session, found, counts, "taken_qty" if is_there else "qty", "given_qty")
    if not is_there:
        if not any(line.given_qty for line in lines):
            raise Invalid("nothing-given", "The quantity is zero. Enter how much you are handing over, or decline.")
        _refuse_recalled(ctx.session, store_id, lines)
    units = [(line.sku, line.given_qty) for line in lines if line.given_qty]
    there = stock.levels(ctx.session, store_id, [sku for sku, _ in units])
    free = [(sku, qty, max(0, there[sku].available)) for sku, qty in units]
    refuse_short(ctx.session, [row for row in free if row[1] > row[2]])
    consignment_stock.pass_on(ctx.session, store_id, dict(units), {sku: level.on_hand for sku, level in there.items()})
    source = Source("passed_on", SOURCE_KIND, found.id)
    waste.take_out(ctx, store_id, units, Place.SUPPLIER, source, why="transfer")
    batches.let_go(ctx.session, store_id, [_lot(line, line.given_qty or 0) for line in lines])
    found.handed_over_at, found.cost_minor = ctx.at, cost_of(lines)
    _walk(ctx, found, "handed_over", units=sum(qty for _, qty in units))
    signed = "" if is_there else tidy_pickup_code(code) or ""
    send_fact(ctx.session, TransferGiven(store_id, found.id, dict(units), signed), subject=subject_of(found), at=ctx.at)
    return found


def receive(ctx: Context, store_id: str, transfer_id: str, counts: Mapping[str, int]) -> Transfer:
    """Take the goods in as counted (rule 3); they may be here before the other store's word is."""
    found = transfer_of(ctx.session, store_id, transfer_id)
    if found.taker_id != store_id:
        raise Refused("not-the-taker", "%(taker_name)s collects these, not this store.", taker_name=found.taker_name)
    _refuse_unless(found, "agreed", "handed_over")
    lines = _counted(ctx.session, found, counts, "given_qty" if found.state == "handed_over" else "qty", "taken_qty")
    units = [(line.sku, line.taken_qty) for line in lines if line.taken_qty]
    if units:
        stock.receive(ctx, store_id, units, source_kind=SOURCE_KIND, source_id=found.id)
        lots = [_lot(line, line.taken_qty or 0) for line in lines if line.last_day is not None]
        batches.lay_in(ctx.session, store_id, lots, source_kind=SOURCE_KIND, source_id=found.id, at=ctx.at)
    _took(ctx, found, store_id, lines, "")
    return found


def did_not_come(ctx: Context, store_id: str, transfer_id: str, *, why: str) -> Transfer:
    """Say at the fetching store that goods which were handed over did not arrive at all (rule 3)."""
    found = transfer_of(ctx.session, store_id, transfer_id)
    if found.taker_id != store_id:
        raise Refused("not-the-taker", "%(taker_name)s collects these, not this store.", taker_name=found.taker_name)
    why = stated(why, Invalid("no-reason", "Explain what happened; the other store and the network will see it."), 300)
    if found.state == "received" and found.why:
        return found
    _refuse_unless(found, "handed_over")
    _took(ctx, found, store_id, _counted(ctx.session, found, {}, "given_qty", "taken_qty"), why)
    return found


def take_back(ctx: Context, store_id: str, transfer_id: str, counts: Mapping[str, int]) -> Transfer:
    """Take in again at the giving store what did not reach the other and is here after all, once (rule 3)."""
    found = transfer_of(ctx.session, store_id, transfer_id)
    if found.giver_id != store_id:
        raise Refused("not-the-giver", "%(giver_name)s handed these over, not this store.", giver_name=found.giver_name)
    _refuse_unless(found, "received")
    back = _back(ctx.session, found, counts)
    if not back:
        raise Invalid("nothing-given", "The quantity is zero. Enter what you found.")
    units = [(line.sku, qty) for line, qty in back]
    stock.receive(ctx, store_id, units, source_kind=BACK_KIND, source_id=found.id)
    lots = [_lot(line, qty) for line, qty in back if line.last_day is not None]
    batches.lay_in(ctx.session, store_id, lots, source_kind=BACK_KIND, source_id=found.id, at=ctx.at)
    _give_less(ctx, found, back)
    send_fact(ctx.session, TransferBack(store_id, found.id, dict(units)), subject=subject_of(found), at=ctx.at)
    return found


@applies(TransferReported)
def take_reported(ctx: Context, fact: TransferReported) -> None:
    """Take over what the network says of a transfer (rule 6)."""
    found = ctx.session.get(Transfer, fact.id)
    if found is None:
        found = _write_down(ctx.session, fact)
        if fact.store_id == found.giver_id:
            _plan(ctx.session, found)
    found.giver_yes, found.taker_yes = found.giver_yes or fact.giver_yes, found.taker_yes or fact.taker_yes
    found.code_hash = found.code_hash or fact.code_hash
    for line in lines_of(ctx.session, found):
        given, taken = next(row[8:] for row in fact.lines if row[0] == line.sku)
        line.given_qty = given if line.given_qty is None else line.given_qty
        line.taken_qty = taken if line.taken_qty is None else line.taken_qty
        if fact.state == "taken_back" and given is not None:
            line.given_qty = given
    found.why = found.why or (fact.why if fact.state in ROAD[3:] else "")
    if fact.state in ROAD:
        found.cost_minor = fact.cost_minor if fact.state in ROAD[2:] else found.cost_minor
        _walk(ctx, found, fact.state)
    elif STATES.legal(found.state, fact.state):
        _end(ctx, found, fact.state, fact.why, fact.declined_by)
    ctx.session.flush()


# --- questions ---


def code_of(session: Session, transfer_id: str) -> str:
    """Return the code this node signs a transfer with, where it fetches the goods (rule 2)."""
    seed = hmac.new(secret_of(session).encode(), f"transfer code {transfer_id}".encode(), hashlib.sha256).digest()
    return pickup_code_of(seed)


# --- verbs, network ---


def write_proposal(ctx: Context, found: Transfer, lines: Sequence[TransferLine]) -> None:
    """Write a proposal and tell both stores (rule 1)."""
    found.cost_minor = cost_of(lines)
    ctx.session.add(found)
    ctx.session.flush()
    ctx.session.add_all(lines)
    ctx.session.flush()
    journal.record(
        ctx, verb="transfer.proposed", subject=subject_of(found), giver=found.giver_id,
        taker=found.taker_id, lines=len(lines), cost_minor=found.cost_minor)  # fmt: skip
    _send_stores(ctx.session, found, ctx.at)


@applies(TransferAnswered)
def take_answered(ctx: Context, fact: TransferAnswered) -> None:
    """Take a store's answer; the second yes tells the giver the hash of the taker's code (rule 2)."""
    store_id = fact.store_id
    found = transfer_of(ctx.session, store_id, fact.id)
    if not fact.yes:
        if STATES.legal(found.state, "declined"):
            _end(ctx, found, "declined", fact.why, store_id)
            _send_stores(ctx.session, found, ctx.at)
        return
    if store_id == found.taker_id and not found.taker_yes:
        found.code_hash = fact.code_hash[:MOST_HASH]
    _note_yes(found, store_id)
    if found.state != "proposed" or not (found.giver_yes and found.taker_yes):
        return
    if found.taker_id in credit.held_stores(ctx.session):
        _end(ctx, found, "lapsed", N_("The receiving store’s credit is on hold."), "")
    else:
        journal.move(ctx, found, "agreed", subject=subject_of(found))
    _send_stores(ctx.session, found, ctx.at)


@applies(TransferGiven)
def take_given(ctx: Context, fact: TransferGiven) -> None:
    """Take what was handed over, and book it in both stores' ledgers, once (rule 4); refused without a signature."""
    store_id = fact.store_id
    found = transfer_of(ctx.session, store_id, fact.id)
    facts.refuse_stranger(store_id, found.giver_id)
    if found.handed_over_at is not None:
        return
    lines, is_there = lines_of(ctx.session, found), waits_for_giver(found)
    is_signed = found.giver_yes and found.taker_yes and code_hash(found.id, fact.code) == found.code_hash
    if not is_there and not is_signed:
        raise Refused(
            "not-their-code", "%(taker_name)s has not signed for these with its code.", taker_name=found.taker_name,
            sender=store_id,
        )  # fmt: skip
    for line in lines:
        most = (line.taken_qty or 0) if is_there else line.qty
        line.given_qty = min(most, max(0, fact.counts.get(line.sku, 0)))
    found.handed_over_at, found.cost_minor = ctx.at, cost_of(lines)
    if found.state != "received":
        _walk(ctx, found, "handed_over")
    book(ctx, found, lines)
    _send_stores(ctx.session, found, ctx.at)


@applies(TransferTaken)
def take_taken(ctx: Context, fact: TransferTaken) -> None:
    """Take what arrived; it may be heard of before the hand-over is (rule 6)."""
    found = transfer_of(ctx.session, fact.store_id, fact.id)
    facts.refuse_stranger(fact.store_id, found.taker_id)
    if found.received_at is not None:
        return
    for line in lines_of(ctx.session, found):
        line.taken_qty = min(line.qty, max(0, fact.counts.get(line.sku, 0)))
    found.received_at, found.why = ctx.at, fact.why[:300]
    _walk(ctx, found, "received")
    _send_stores(ctx.session, found, ctx.at)


@applies(TransferBack)
def take_given_back(ctx: Context, fact: TransferBack) -> None:
    """Give the cost back to both where the giving store found goods that did not arrive (rule 3)."""
    found = transfer_of(ctx.session, fact.store_id, fact.id)
    facts.refuse_stranger(fact.store_id, found.giver_id)
    if found.state != "received":
        return
    back = _back(ctx.session, found, fact.counts)
    before_minor = found.cost_minor
    _give_less(ctx, found, back)
    book_back(ctx, found, back, before_minor - found.cost_minor)
    _send_stores(ctx.session, found, ctx.at)


def lapse_due(ctx: Context) -> list[Transfer]:
    """End what nobody answered or fetched in time (rule 5); returns them."""
    query = sa.select(Transfer).where(Transfer.state.in_(["proposed", "agreed"])).order_by(Transfer.id)
    gone = []
    for found in ctx.session.scalars(lock_rows(ctx.session, query)).all():
        last = found.answer_by if found.state == "proposed" else found.fetch_by
        with isolation.apart(ctx, "transfers", found.giver_id) as part:
            is_over = last < day_of(ctx.session, found.giver_id, ctx.at)
            if is_over:
                why = (
                    N_("No one responded in time.")
                    if found.state == "proposed"
                    else N_("The products were not collected in time.")
                )
                _end(ctx, found, "lapsed", why, "")
                _send_stores(ctx.session, found, ctx.at)
        if part.done and is_over:
            gone.append(found)
    return gone


def cost_of(lines: Iterable["TransferLine"]) -> int:
    """Return what lines cost: what was handed over, or before that what is to be."""
    return sum(
        divide_half_up((line.qty if line.given_qty is None else line.given_qty) * line.pack_cost_minor, line.pack_qty)
        for line in lines
    )


def book(ctx: Context, found: "Transfer", lines: Sequence["TransferLine"]) -> None:
    """Move the cost from the taker's account to the giver's, the stores in one order everywhere."""
    rows = [[line.sku, line.name, line.given_qty, cost_of([line])] for line in lines if line.given_qty]
    _move(ctx, found, found.id, found.giver_id, rows, found.cost_minor)


def book_back(ctx: Context, found: "Transfer", back: Sequence[tuple["TransferLine", int]], amount_minor: int) -> None:
    """Move the cost of goods the giver has again from its account to the taker's."""
    rows = [[line.sku, line.name, qty, divide_half_up(qty * line.pack_cost_minor, line.pack_qty)] for line, qty in back]
    _move(ctx, found, f"{found.id}-back", found.taker_id, rows, amount_minor)


# --- inside ---


def _note_yes(found: Transfer, store_id: str) -> None:
    if found.giver_id == store_id:
        found.giver_yes = True
    else:
        found.taker_yes = True


def _refuse_unless(found: Transfer, *states: str) -> None:
    if found.state not in states:
        raise Conflict(
            "transfer-state", "It is %(state)s now, so this is no longer possible. Reload the page.", state=found.state
        )


def _refuse_no_code(found: Transfer, code: str, day: dt.date) -> None:
    _refuse_unless(found, "agreed")
    if found.fetch_by < day:
        raise Refused("transfer-over", "The collection date was %(fetch_by)s.", fetch_by=found.fetch_by.isoformat())
    tidied = tidy_pickup_code(code)
    if tidied is None or code_hash(found.id, tidied) != found.code_hash:
        raise Refused(
            "not-their-code", "This is not %(taker_name)s's code for this transfer. Check it again.",
            taker_name=found.taker_name,
        )  # fmt: skip


def _refuse_recalled(session: Session, store_id: str, lines: Sequence[TransferLine]) -> None:
    """Refuse to let go of what is recalled and not looked through (rule 3)."""
    off = recall.off_sale(session, store_id)
    names = ", ".join(line.name for line in lines if line.given_qty and line.sku in off)
    if names:
        raise Refused(
            "transfer-recalled",
            "Recalled, do not hand over: %(names)s. If only one batch is affected, check the store first.",
            names=names,
        )


def _counted(session: Session, found: Transfer, counts: Mapping[str, int], most: str, kept: str) -> list[TransferLine]:
    """Keep what was counted of every line, none of it beyond what was agreed or given (rule 3)."""
    lines = lines_of(session, found)
    for line in lines:
        qty, limit = counts.get(line.sku, 0), getattr(line, most) or 0
        if isinstance(qty, bool) or not isinstance(qty, int) or not 0 <= qty <= limit:
            raise Invalid("bad-quantity", "Count 0 to %(most)s of %(name)s.", name=line.name, sku=line.sku, most=limit)
        setattr(line, kept, qty)
    return lines


def _took(ctx: Context, found: Transfer, store_id: str, lines: Sequence[TransferLine], why: str) -> None:
    """Note what arrived, and tell the network."""
    found.received_at, found.why = ctx.at, why
    units = sum(line.taken_qty or 0 for line in lines)
    _walk(ctx, found, "received", units=units, **({"why": why} if why else {}))
    counts = {line.sku: line.taken_qty or 0 for line in lines}
    send_fact(ctx.session, TransferTaken(store_id, found.id, counts, why), subject=subject_of(found), at=ctx.at)


def _back(session: Session, found: Transfer, counts: Mapping[str, int]) -> list[tuple[TransferLine, int]]:
    """Return what of a transfer's missing goods is here again, none of it beyond what did not arrive."""
    back = []
    for line in lines_of(session, found):
        qty, most = counts.get(line.sku, 0), missing_qty(line)
        if isinstance(qty, bool) or not isinstance(qty, int) or not 0 <= qty <= most:
            raise Invalid("bad-quantity", "Count 0 to %(most)s of %(name)s.", name=line.name, sku=line.sku, most=most)
        back += [(line, qty)] if qty else []
    return back


def _give_less(ctx: Context, found: Transfer, back: Sequence[tuple[TransferLine, int]]) -> None:
    for line, qty in back:
        line.given_qty = (line.given_qty or 0) - qty
    found.cost_minor = cost_of(lines_of(ctx.session, found))
    _walk(ctx, found, "taken_back", units=sum(qty for _, qty in back))


def _lot(line: TransferLine, qty: int) -> Lot:
    return Lot(line.sku, qty, None, line.last_day)


def _walk(ctx: Context, found: Transfer, target: str, **facts: Any) -> None:
    """Go on to a state of the road, through those between; never back (rule 6)."""
    if found.state in ("declined", "lapsed"):
        steps = ROAD[2 : ROAD.index(target) + 1]
    else:
        steps = ROAD[ROAD.index(found.state) + 1 : ROAD.index(target) + 1]
    for step in steps:
        journal.move(ctx, found, step, subject=subject_of(found), **facts)
    if steps and found.state in ROAD[2:]:
        known_events.close(ctx.session, found.giver_id, subject_of(found))


def _end(ctx: Context, found: Transfer, state: str, why: str, by: str) -> None:
    found.why, found.declined_by = why, by
    journal.move(ctx, found, state, subject=subject_of(found), why=why or None)
    known_events.close(ctx.session, found.giver_id, subject_of(found))


def _plan(session: Session, found: Transfer) -> None:
    """Count the goods as spoken for at the store that gives them."""
    wanted = {line.sku: line.qty for line in lines_of(session, found)}
    known_events.plan(session, found.giver_id, subject_of(found), wanted, day=found.fetch_by)


def _send_stores(session: Session, found: Transfer, at: dt.datetime) -> None:
    """Tell both stores how a transfer stands, each what it may know (rules 2, 6)."""
    session.flush()
    lines = tuple(
        (line.sku, line.name, line.stock_unit, line.price_quantity, line.qty, line.pack_qty, line.pack_cost_minor,
         line.last_day, line.given_qty, line.taken_qty)
        for line in lines_of(session, found)
    )  # fmt: skip
    for store_id in (found.giver_id, found.taker_id):
        gives = store_id == found.giver_id
        fact = TransferReported.of_row(
            found, store_id=store_id, lines=lines, giver_minor=found.giver_minor if gives else None,
            taker_minor=None if gives else found.taker_minor,
            code_hash=found.code_hash if gives and found.state != "proposed" else "",
        )  # fmt: skip
        send_fact(session, fact, subject=subject_of(found), at=at)


def _write_down(session: Session, fact: TransferReported) -> Transfer:
    same = ("id", "giver_id", "taker_id", "giver_name", "taker_name", "metres", "giver_minor", "taker_minor",
            "cost_minor", "proposed_at", "answer_by", "fetch_by")  # fmt: skip
    found = Transfer(
        **{name: getattr(fact, name) for name in same}, state=STATES.first, giver_yes=False, taker_yes=False, why="",
        declined_by="", code_hash="",
    )  # fmt: skip
    session.add(found)
    session.flush()
    names = ("sku", "name", "stock_unit", "price_quantity", "qty", "pack_qty", "pack_cost_minor", "last_day")
    session.add_all(TransferLine(transfer_id=found.id, **dict(zip(names, row, strict=False))) for row in fact.lines)
    session.flush()
    return found


def _move(
    ctx: Context, found: "Transfer", id: str, paid_id: str, rows: Sequence[Sequence[Any]], amount_minor: int
) -> None:
    """Pay one of both stores, and invoice the other; what is paid pays what is due first."""
    if amount_minor <= 0:
        return
    terms = money_terms.in_force(ctx.session)[1]
    names = {found.giver_id: found.taker_name, found.taker_id: found.giver_name}
    for store_id in sorted((found.giver_id, found.taker_id)):
        entry = Booking(ctx, store_id)
        if store_id == paid_id:
            entry.enter("transfer", "funds", "transfers", amount_minor, source_id=id, words=names[store_id])
        else:
            due = entry.day + dt.timedelta(days=terms.account_days)
            entry.invoice(Wanted(id, amount_minor, due, False, None, None, rows, against="transfers"))
        entry.pay(by_day=entry.day)
        entry.close("transferred", amount_minor=amount_minor, transfer=found.id)
