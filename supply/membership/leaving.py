"""A store leaves its network: it asks, the network lets it go once nothing is open, and from then on it is alone.

Rules
-----
1. The shopkeeper asks once nothing is open by the store's own books (`still_open`), and may call that off until the
   network has answered.
2. The network lets the store go when nothing is open by its books either, and what the store sent was all taken; else
   it says what is open. The store asks again when that is settled.
3. A store that was let go gets no order, offer or forecast and its online store is closed; its history stays. What it
   still sends is taken until it says that it heard the answer; then its keys are worth nothing.
4. Of a request called off while the answer was on its way, the store's word counts: it stays, with its keys.
5. At the store the network's suppliers end, its products become the store's own, and no receipt leads to the network.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Refused
from config.ids import NETWORK, new_id
from config.nodes import journal, signing_keys
from config.nodes.facts import STORE, Count, Fact, Instant, Whole, applies, recovers
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from config.nodes.publication import EVERYONE
from config.states import StateTable
from pos.catalogue import till_edition
from pos.catalogue.catalogue import Product
from pos.stock.consignment_stock import Consignment
from pos.store.store import Store, day_of, keys_of, send_fact, show_receipts, store_of, withdraw_key
from supply.demand.campaign_uplift import CampaignAsk
from supply.money import ledger
from supply.money.advances import Advance
from supply.money.credit import CreditDraw
from supply.money.held_payments import Escrow
from supply.money.payouts import Payout
from supply.money.refunds import Refund
from supply.online import orders as online_orders
from supply.online.groups.groups import GroupOffer
from supply.online.orders import PickupOrder
from supply.orders import claims, deliveries, network_offers, orders, supply_routes, transfers
from supply.orders.claims import Claim
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import ReplenishmentOrder
from supply.orders.supplier_returns import SupplierReturn
from supply.orders.suppliers import Supplier
from supply.orders.transfers import Transfer

STATES = StateTable(
    "departure",
    "asked",
    {
        "asked": ["called_off", "refused", "granted"],
        "granted": ["left", "called_off"],
        "left": ["returned"],
    },
    resting=["left"],
)
UNDER_WAY = ("asked", "granted")
ASK, STAY, HEARD = "ask", "stay", "heard"
Text = Annotated[str, Field(max_length=80)]


@dataclass(frozen=True)
class StillOpen:
    """What is not settled between a store and its network. kind: a key of `KINDS`; amount_minor: 0 for no money."""

    kind: Annotated[str, Field(max_length=40)]
    count: Count
    amount_minor: Whole


class LeaveSaid(Fact, topic="leave.said", said_by=STORE):
    """A store asks to leave, stays after all, or has heard that it may go. word: ask | stay | heard."""

    store_id: str
    id: Text
    word: Annotated[str, Field(pattern="^(ask|stay|heard)$")]
    asked_by: Text
    asked_at: Instant


class LeaveAnswered(Fact, topic="leave.answered", said_by=NETWORK):
    """The network lets a store go, or says what is open."""

    store_id: str
    id: Text
    still_open: Annotated[list[StillOpen], Field(max_length=30)]
    at: Instant


class Departure(Base):
    """A store's request to leave, at both nodes. still_open: what the network said is open; empty when it let go."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "departure"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    asked_by: Mapped[str]
    asked_at: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]
    still_open: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


# --- verbs, store ---


def ask(ctx: Context, store_id: str) -> Departure:
    """Ask the network to let the store go (rule 1)."""
    known = last(ctx.session, store_id)
    if known is not None and known.state in UNDER_WAY:
        return known
    if open_now := still_open(ctx.session, store_id):
        raise Refused("still-open", "Settle what is still open first.", kinds=[one.kind for one in open_now])
    row = Departure(store_id=store_id, id=new_id(), state=STATES.first, asked_by=ctx.actor.name[:80], asked_at=ctx.at)
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="departure.asked", subject=f"store:{store_id}")
    _say(ctx, row, ASK)
    return row


def call_off(ctx: Context, store_id: str) -> None:
    """Stay in the network after all (rule 1); Conflict once the network has let the store go."""
    row = last(ctx.session, store_id)
    if row is None or row.state != "asked":
        if row is not None and row.state in ("granted", "left"):
            raise Conflict("let-go", "The network has already released this store.")
        return
    journal.move(ctx, row, "called_off", subject=f"store:{store_id}")
    _say(ctx, row, STAY)


@applies(LeaveAnswered)
def take_answer(ctx: Context, fact: LeaveAnswered) -> None:
    """Take the network's answer; one that comes after the request was called off changes nothing (rule 4)."""
    row = ctx.session.get(Departure, (fact.store_id, fact.id))
    if row is None or row.state != "asked":
        return
    row.answered_at, row.still_open = fact.at, fact.to_body()["still_open"]
    journal.move(ctx, row, "refused" if fact.still_open else "granted", subject=f"store:{fact.store_id}")
    if row.state == "granted":
        _say(ctx, row, HEARD)


def go(ctx: Context, store_id: str) -> None:
    """Be a store on its own, once the network has the last word (rule 5)."""
    if (row := last(ctx.session, store_id)) is None or row.state != "granted":
        return
    journal.move(ctx, row, "left", subject=f"store:{store_id}")
    shared = sa.select(Supplier).where(Supplier.kind == NETWORK)
    supply_routes.take_edition(ctx.session, {"suppliers": [], "products": []})
    for supplier in ctx.session.scalars(shared):
        supplier.active = False
    ctx.session.execute(sa.update(Product).where(Product.owner_id == EVERYONE).values(owner_id=store_id))
    till_edition.begin(ctx.session, store_id)
    show_receipts(ctx, store_id, "")


def come_back(ctx: Context, store_id: str) -> None:
    """Be a member again: the store's computer has joined a network."""
    row = last(ctx.session, store_id)
    if row is not None and row.state == "left":
        journal.move(ctx, row, "returned", subject=f"store:{store_id}")


@recovers(LeaveSaid)
def recover(ctx: Context, fact: LeaveSaid) -> None:
    """Write a request again that the store had made."""
    state = {ASK: "asked", STAY: "called_off", HEARD: "granted"}[fact.word]
    row = _known(ctx.session, fact)
    if row.state == "asked":
        journal.mirror(row, state)


# --- verbs, network ---


@applies(LeaveSaid)
def take_word(ctx: Context, fact: LeaveSaid) -> None:
    """Hear that a store wants to leave, stays, or knows that it may go (rules 2 to 4)."""
    row = ctx.session.get(Departure, (fact.store_id, fact.id))
    if fact.word == ASK and row is None:
        _answer(ctx, _known(ctx.session, fact))
    elif fact.word == STAY:
        row = row or _known(ctx.session, fact)
        if row.state == "granted":
            store = store_of(ctx.session, fact.store_id)
            store.left_on, store.has_node = None, True
        if row.state in UNDER_WAY:
            journal.move(ctx, row, "called_off", subject=f"store:{fact.store_id}")
    elif fact.word == HEARD and row is not None and row.state == "granted":
        journal.move(ctx, row, "left", subject=f"store:{fact.store_id}")
        for key in keys_of(ctx.session, fact.store_id):
            withdraw_key(ctx, fact.store_id, key.name)
        for signing in signing_keys.of(ctx.session, fact.store_id):
            if signing.state == "good":
                signing_keys.withdraw(ctx, signing)


# --- questions ---


def last(session: Session, store_id: str) -> Departure | None:
    """Return a store's newest request to leave."""
    query = sa.select(Departure).where(Departure.store_id == store_id)
    return session.scalars(query.order_by(Departure.asked_at.desc(), Departure.id.desc()).limit(1)).first()


def has_left(session: Session, store_id: str) -> bool:
    """Tell whether a store has left its network and joined none since."""
    row = last(session, store_id)
    return row is not None and row.state == "left"


def is_heard(session: Session, row: Departure) -> bool:
    """Tell, at the store, whether the network has the last word of a store that was let go."""
    sent = session.get(OutboxMessage, _message_id(row.id, HEARD))
    return sent is not None and sent.state == "delivered"


def still_open(session: Session, store_id: str) -> list[StillOpen]:
    """Return what is not settled between a store and its network by this node's books; both have the same tables."""
    found = [StillOpen(kind, count, 0) for kind, count in _counts(session, store_id) if count]
    balances = ledger.balances(session, store_id)
    owed, funds = sum(balances.get(name, 0) for name in ledger.OWN[:-1]), balances.get("funds", 0)
    found += [StillOpen("owed", 1, owed)] if owed else []
    return found + ([StillOpen("funds", 1, -funds)] if funds else [])


# --- inside ---


def _counts(session: Session, store_id: str) -> Iterator[tuple[str, int]]:
    """Yield each kind of what may be open, and how many are."""
    theirs = sa.select(Supplier.id).where(Supplier.kind == NETWORK)
    order, delivery, claim, back = ReplenishmentOrder, Delivery, Claim, SupplierReturn
    of_store: dict[str, tuple[Any, ...]] = {
        "orders": (order.store_id, order.state.in_(orders.ON_THE_WAY), order.supplier_id.in_(theirs)),
        "deliveries": (
            delivery.store_id, delivery.state.in_(deliveries.ON_ITS_WAY), delivery.supplier_id.in_(theirs),
        ),
        "offers": (NetworkOffer.store_id, NetworkOffer.state.in_(("accepted", "dispatched"))),
        "campaigns": (CampaignAsk.store_id, CampaignAsk.state == "accepted"),
        "online": (
            PickupOrder.store_id, PickupOrder.state.in_((*online_orders.OPEN, "return_asked")), PickupOrder.number > 0,
        ),
        "groups": (GroupOffer.store_id, GroupOffer.state.not_in(("settled", "failed"))),
        "claims": (
            claim.store_id, claim.state.in_((*claims.WAITING, "accepted", "part_accepted")),
            claim.supplier_id.in_(theirs),
        ),
        "returns": (back.store_id, back.state.in_(("proposed", "sent")), back.supplier_id.in_(theirs)),
        "consigned": (Consignment.store_id, Consignment.left_qty > 0, Consignment.owner == NETWORK),
        "escrow": (Escrow.store_id, Escrow.state.in_(("awaited", "held", "disputed"))),
        "refunds": (Refund.store_id, Refund.state == "waiting"),
        "payouts": (Payout.store_id, Payout.state == "made"),
        "credit": (CreditDraw.store_id, CreditDraw.state.in_(("asked", "held"))),
        "advance": (Advance.store_id, Advance.state == "asked"),
        "messages": (InboxMessage.from_node, InboxMessage.state == "parked"),
    }  # fmt: skip
    which = {kind: (whose == store_id, *more) for kind, (whose, *more) in of_store.items()}
    between = sa.or_(Transfer.giver_id == store_id, Transfer.taker_id == store_id)
    which["transfers"] = between, Transfer.state.in_(transfers.OPEN)
    for kind, conditions in which.items():
        yield kind, session.scalar(sa.select(sa.func.count()).where(*conditions)) or 0


def _known(session: Session, fact: LeaveSaid) -> Departure:
    """Return the request a word is about, written down where it is new here."""
    row = session.get(Departure, (fact.store_id, fact.id))
    if row is None:
        row = Departure(
            store_id=fact.store_id, id=fact.id, state=STATES.first, asked_by=fact.asked_by, asked_at=fact.asked_at
        )
        session.add(row)
        session.flush()
    return row


def _answer(ctx: Context, row: Departure) -> None:
    """Let a store go, or say what is open (rule 2)."""
    found = still_open(ctx.session, row.store_id)
    answer = LeaveAnswered(row.store_id, row.id, found, ctx.at)
    row.answered_at, row.still_open = ctx.at, answer.to_body()["still_open"]
    journal.move(ctx, row, "refused" if found else "granted", subject=f"store:{row.store_id}")
    if not found:
        _let_go(ctx, store_of(ctx.session, row.store_id))
    send_fact(ctx.session, answer, subject=f"store:{row.store_id}", id=_message_id(row.id, "answer"), at=ctx.at)


def _let_go(ctx: Context, store: Store) -> None:
    """Work for a store no more (rule 3)."""
    store.left_on, store.has_node = day_of(ctx.session, store.id, ctx.at), False
    is_open = NetworkOffer.state.in_(network_offers.OPEN)
    offered = sa.select(NetworkOffer.id).where(NetworkOffer.store_id == store.id, is_open)
    for offer_id in ctx.session.scalars(offered).all():
        network_offers.withdraw(ctx, store.id, offer_id)


def _say(ctx: Context, row: Departure, word: str) -> None:
    fact = LeaveSaid(row.store_id, row.id, word, row.asked_by, row.asked_at)
    send_fact(ctx.session, fact, subject=f"store:{row.store_id}", id=_message_id(row.id, word), at=ctx.at)


def _message_id(id: str, word: str) -> str:
    return f"leave-{id}-{word}"
