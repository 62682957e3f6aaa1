"""A recall at a shop without a node: a person tells it, and notes what it took away.

Rules
-----
1. Such a shop is told by a person, who notes that, and then how many it took away; that it is lifted, too. Once it
   speaks by a node it is told by that as well (`recalls`).
2. What it took away leaves the network's copy of its stock at once, as far as that has any.
3. The shop is the author of its stock, and what its own book lacks is not taken out twice. Its first count of the
   product since it was recalled says itself what is gone, and takes all noted units back into the copy. What it writes
   off or sends back because of a recall takes back as many as it says, of a recall of that lot where it names one.
   Whatever else it writes off says nothing of them.

Units: quantities in stock units.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.ids import NETWORK, new_id
from config.nodes import journal
from config.nodes.journal import Actor
from config.nodes.outbox import Message
from pos.facts import Moved, StockCounted, StockMoved
from pos.stock import recall
from pos.stock.ledger import MOST_QTY, Place, Source, StockMovement, book, locked
from pos.stock.recall import Recall
from pos.stock.waste import TAKEN_FROM
from pos.store.store import day_of
from pos.sync import replica
from supply.network.recalls import recalls
from supply.network.recalls.recalls import Shop

NOTED = "recall"
"""The source of what left a copied book because a person noted it, and of what came back into it (rules 2, 3)."""
BECAUSE = ("recall", "recalled")
"""A shop's own reasons for letting goods go because of a recall (`waste`, `goods_in`)."""
SAYS_WHY = 2
"""Since which version `stock.moved` says why; before it, what was written off is taken to be of a recall."""


# --- verbs ---


def tell(session: Session, recall_id: str, store_ids: Sequence[str], *, actor: Actor, at: dt.datetime) -> None:
    """Note that a person told shops what holds now (rule 1); twice changes nothing."""
    for shop in _shops(session, recall_id, store_ids):
        if shop.is_to_tell:
            shop.row.told_how = "hand"
            facts = {"store": shop.store_id, "state": shop.row.state}
            subject = recall.subject_of(shop.row)
            journal.record(session, actor=actor, at=at, verb="recall.told", subject=subject, **facts)
    session.flush()


def note_looked(
    session: Session, recall_id: str, store_id: str, taken_qty: int, *, actor: Actor, at: dt.datetime
) -> None:
    """Note how many a shop says it took away (rules 1, 2)."""
    (shop,) = _shops(session, recall_id, [store_id])
    if shop.is_to_tell:
        raise Refused("not-told-yet", f"Tell {shop.name} of the recall first, and note it.", name=shop.name)
    if isinstance(taken_qty, bool) or not 0 <= taken_qty <= MOST_QTY:
        raise Invalid("bad-recall-quantity", f"Type 0 to {MOST_QTY}.", most=MOST_QTY, field="qty")
    recall.clear(session, store_id, recall_id, taken_qty, actor=actor, at=at)
    there, rest = locked(session, store_id, [shop.row.sku])[shop.row.sku], taken_qty
    moves: list[Moved] = []
    for place in (*TAKEN_FROM, Place.BIN):
        if part := min(rest, max(0, there.get(place, 0))):
            moves.append((new_id(), shop.row.sku, part, place, Place.WASTE))
            rest -= part
    _book(session, shop.row, moves, actor=actor, at=at)


def hear(
    session: Session, store_id: str, said: Mapping[str, int | None], said_at: dt.datetime, *, lot: str = "",
    at: dt.datetime,
) -> None:  # fmt: skip
    """Let a shop's own word of products stand for what a person noted of them (rule 3).

    said: by product how many units the word accounts for; None: for all. lot: of which they are; '': not known.
    """
    noted = sa.select(Recall).where(Recall.store_id == store_id, Recall.sku.in_(said), Recall.taken_qty > 0)
    since = (Recall.afterwards != "", Recall.called_at <= said_at)
    rest = {sku: MOST_QTY if qty is None else qty for sku, qty in said.items()}
    for row in session.scalars(noted.where(*since).order_by(Recall.called_at, Recall.id)).all():
        if lot and not row.means(lot):
            continue
        back: list[Moved] = []
        for place, out in _noted(session, row):
            if part := min(rest[row.sku], out):
                back.append((new_id(), row.sku, part, Place.WASTE, place))
                rest[row.sku] -= part
        _book(session, row, back, actor=Actor.system("recalls", NETWORK), at=at)


# --- inside ---


def _shops(session: Session, recall_id: str, store_ids: Sequence[str]) -> list[Shop]:
    """Return shops that a person tells (rule 1); NotFound and Refused for any other."""
    found = {one.store_id: one for one in recalls.shops(session, recall_id) if one.is_by_hand}
    for store_id in store_ids:
        if store_id not in found:
            recall.recall_of(session, store_id, recall_id)
            raise Refused("told-by-node", "Its own node tells this shop, and says when somebody has looked.")
    return [found[store_id] for store_id in store_ids]


def _book(session: Session, row: Recall, moves: list[Moved], *, actor: Actor, at: dt.datetime) -> None:
    if moves:
        source, day = Source("recalled", NOTED, row.id), day_of(session, row.store_id, at)
        book(session, row.store_id, moves, source, day=day, at=at, actor_id=actor.id)
        facts = {"store": row.store_id, "units": sum(move[2] for move in moves), "to": moves[0][4]}
        journal.record(session, actor=actor, at=at, verb="recall.booked", subject=recall.subject_of(row), **facts)
        session.flush()


def _noted(session: Session, row: Recall) -> list[tuple[Place, int]]:
    """Return what was taken out of the copy for a note and has not come back, by the place it left."""
    out = Counter[str]()
    source = (StockMovement.source_kind == NOTED, StockMovement.source_id == row.id)
    for move in session.scalars(sa.select(StockMovement).where(StockMovement.store_id == row.store_id, *source)):
        out[move.from_place] += move.qty
        out[move.to_place] -= move.qty
    return [(Place(place), qty) for place, qty in sorted(out.items()) if qty > 0 and place != Place.WASTE]


def _take_count(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    replica.take_count(session, message, from_node, at)
    fact = StockCounted.from_body(message.body)
    hear(session, from_node, {fact.sku: None}, dt.datetime.fromisoformat(fact.at), at=at)


def _take_movements(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    replica.take_movements(session, message, from_node, at)
    fact = StockMoved.from_body(message.body)
    says_no_reason = message.version < SAYS_WHY and fact.reason == "wasted"
    if fact.why in BECAUSE or says_no_reason:
        gone = Counter[str]()
        for _key, sku, qty, _source, _target in fact.movements:
            gone[sku] += qty
        hear(session, from_node, gone, dt.datetime.fromisoformat(fact.at), lot=fact.lot, at=at)


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    StockCounted.TOPIC: _take_count,
    StockMoved.TOPIC: _take_movements,
}
