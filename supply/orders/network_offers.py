"""What the network offers or proposes to a store unasked; nothing is done without the shopkeeper's yes.

Rules
-----
1. An offer is one product to one store with packs, cost, a reason in words and a last day to answer.
2. Accepted, it arrives as a delivery and sells like anything else; declined or unanswered, nothing comes.
3. Sale or return: the goods stay the network's until they are sold; until return_until the store may send back what
   did not sell (`consignment`). What the network promises for goods that are bought: rule 9.
4. The store's answer is the last word: an offer it answered before a withdrawal reached it stays answered, at both
   nodes. The network dispatches only what was accepted.
5. What an offer costs and promises is what the network wrote down when it made it; a store says yes or no, no more. An
   offer the network does not know promises nothing, costs what the list says, and is not loaded: a person looks at it.
6. Of what was accepted is loaded what is there, in whole packs, once, and again where the vehicle turned back. Where
   nothing is there until LOAD_DAYS after the last day to answer, or the goods are over, or the operator says so, it is
   called off, and the store is told why.
7. The terms are stated with the offer and never changed afterwards; what is paid later is worked out by them alone.
8. Goods taken on sale or return cost nothing until they are sold, and may go back; nothing is paid for those that stay.
9. Goods a store has bought are looked at once. On the day after their last day of sale (`expires_on`), or `slow_days`
   after they came when less than half of them have sold, whichever is first, the network pays a share of the cost of
   what is unsold: `expiry_bp`, or `slow_bp`. Never more than `cap_bp` of what the goods cost together.
10. A proposal offers no goods (packs 0): to list a product, or to delist one, which is then sold off and not ordered
    again. It is agreed to or declined like an offer; yes is done at the store at once, and nothing else changes there.
    Of a product a store has one open proposal, and for REST_DAYS after a no none.
11. An offer may be put off: it waits for its answer as before, and counts as waiting again on its last day.

Units: *_minor currency minor units, *_bp basis points, quantities in stock units.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import NETWORK
from config.money import BASIS, MAX_MINOR, amount_for
from config.nodes import journal
from config.nodes.facts import applies
from config.nodes.journal import Context
from config.states import StateTable
from config.words import N_
from pos.catalogue import assortment
from pos.catalogue.catalogue import Listing, Product, prices_on
from pos.store.store import day_of, send_fact, store_of
from supply.facts import (
    NetworkOfferAnswered,
    NetworkOfferMade,
    NetworkOfferSnapshot,
    NetworkOfferWithdrawn,
)
from supply.orders import supply_routes
from supply.orders.deliveries import CLOSED, Delivery
from supply.orders.suppliers import SupplierProduct

STATES = StateTable(
    "push offer",
    "offered",
    {
        "offered": ["accepted", "agreed", "postponed", "declined", "expired", "withdrawn"],
        "postponed": ["accepted", "agreed", "declined", "expired", "withdrawn"],
        "accepted": ["dispatched", "called_off"],
        "dispatched": ["received", "refused", "accepted"],
        "withdrawn": ["accepted", "agreed", "declined", "expired"],
    },
    resting=["withdrawn"],
)
OPEN = ("offered", "postponed")
"""The states in which the store's answer is awaited."""
ANSWERED = ("declined", "expired", "postponed")
"""What a store may answer to anything; and yes is "accepted" of goods, "agreed" of a proposal."""
REST_DAYS = 56
MOST_PACKS = 999
LOAD_DAYS = 7


class NetworkOffer(Base):
    """One product offered to one store."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "network_offer"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    supplier_id: Mapped[str]
    sku: Mapped[str]
    name: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    packs: Mapped[int]
    why: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    offered_at: Mapped[dt.datetime]
    answer_by: Mapped[dt.date]
    return_until: Mapped[dt.date | None]
    answered_why: Mapped[str] = mapped_column(default="")
    terms: Mapped[dict[str, Any] | None]
    """What the network binds itself to; see `NetworkOfferTerms`."""
    care_minor: Mapped[int | None]
    """At the network: what was paid when the goods were looked at; None: not yet."""


KINDS = ("new", "campaign", "surplus", "near_expiry")
"""Why goods are offered."""
PROPOSALS = ("list", "delist")
"""What a proposal is for (rule 10)."""
HALF_BP = 5_000


@dataclass(frozen=True)
class NetworkOfferTerms:
    """The terms of one offer (rule 7). An offer made before there were any has none: nothing is paid."""

    kind: str = "new"
    expires_on: dt.date | None = None
    slot_fee_minor: int = 0
    """Paid once when the goods were taken in, for the place they get."""
    slow_days: int = 0
    slow_bp: int = 0
    expiry_bp: int = 0
    cap_bp: int = 0

    def reported(self) -> dict[str, Any]:
        """Return them as plain JSON."""
        return asdict(self) | {"expires_on": self.expires_on.isoformat() if self.expires_on else None}


@dataclass(frozen=True)
class Lot:
    """Offered goods in a store: what came, and what of it has sold."""

    came_on: dt.date
    came_qty: int
    sold_qty: int
    pack_qty: int
    pack_cost_minor: int


# --- verbs, network ---


@dataclass(frozen=True)
class NewOffer:
    """A product as it is offered to a store. pack_cost_minor: what a pack costs it, None: as on the list."""

    sku: str
    packs: int
    why: str
    answer_by: dt.date
    return_until: dt.date | None = None
    pack_cost_minor: int | None = None
    terms: NetworkOfferTerms = NetworkOfferTerms()


def offer(ctx: Context, store_id: str, wanted: NewOffer, *, id: str) -> NetworkOffer:
    """Offer a store one product (rule 1); the same id again is the same offer.

    Refuses a product no network supplier carries, and an answer day that is over.
    """
    refuse_bad(ctx.session, store_id, wanted, ctx.at)
    sku, packs, answer_by, why = wanted.sku, wanted.packs, wanted.answer_by, _tidy(wanted.why)
    if known := ctx.session.get(NetworkOffer, (store_id, id)):
        if (known.sku, known.packs, known.why, known.answer_by) != (sku, packs, why, answer_by):
            raise Conflict("offer-content-differs", "This offer was already made with different content.", id=id)
        return known
    source = _source(ctx.session, store_id, sku)
    made = NetworkOffer(
        store_id=store_id, id=id, supplier_id=source.supplier_id, sku=sku, name=ctx.session.get_one(Product, sku).name,
        pack_qty=source.pack_qty, packs=packs, why=why, state=STATES.first, offered_at=ctx.at, answer_by=answer_by,
        pack_cost_minor=source.pack_cost_minor if wanted.pack_cost_minor is None else wanted.pack_cost_minor,
        return_until=wanted.return_until, answered_why="", terms=wanted.terms.reported(),
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    verb = "push offer.offered"
    journal.record(ctx, verb=verb, subject=subject_of(made), store=store_id, sku=sku, why=why)
    _send(ctx.session, made, NetworkOfferMade, ctx.at)
    return made


def propose(ctx: Context, store_id: str, kind: str, sku: str, why: str, answer_by: dt.date, *, id: str) -> NetworkOffer:
    """Propose to a store to list or delist a product (rule 10); the same id again is the same proposal."""
    why = stated(why, Invalid("no-reason", "Enter a short reason. The shopkeeper will see it."), 300)
    if kind not in PROPOSALS:
        raise Invalid("bad-choice", "Choose whether to list or delist the product.", field="kind")
    if answer_by < day_of(ctx.session, store_id, ctx.at):
        raise Invalid("bad-day", "The response date has passed. Choose today or later.")
    if known := ctx.session.get(NetworkOffer, (store_id, id)):
        return known
    store, product = store_of(ctx.session, store_id), ctx.session.get(Product, sku)
    if product is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    before = last_proposal(ctx.session, store_id, sku)
    if before is not None and before.state in OPEN:
        raise Conflict("proposal-open", "%(store)s has not yet responded to the last proposal for %(name)s.",
                       store=store.name, name=product.name)  # fmt: skip
    if before is not None and rests(before, ctx.at):
        raise Refused(
            "proposal-declined", "%(store)s recently declined this for %(name)s. Ask again after %(days)s days.",
            store=store.name, name=product.name, days=REST_DAYS,
        )  # fmt: skip
    source = _source(ctx.session, store_id, sku) if kind == "list" else None
    made = NetworkOffer(
        store_id=store_id, id=id, supplier_id=source.supplier_id if source else "", sku=sku, name=product.name,
        pack_qty=source.pack_qty if source else 1, packs=0, why=why, state=STATES.first, offered_at=ctx.at,
        answer_by=answer_by, pack_cost_minor=source.pack_cost_minor if source else 0, return_until=None,
        answered_why="", terms=NetworkOfferTerms(kind=kind).reported(),
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    journal.record(
        ctx, verb="push offer.proposed", subject=subject_of(made), store=store_id, sku=sku, kind=kind, why=why
    )
    _send(ctx.session, made, NetworkOfferMade, ctx.at)
    return made


def refuse_bad(session: Session, store_id: str, wanted: NewOffer, at: dt.datetime) -> None:
    """Refuse an offer no store could answer, or of a product the network doesn't sell to this one."""
    store_of(session, store_id)
    _refuse_bad(session, store_id, wanted.packs, _tidy(wanted.why), wanted.answer_by, wanted.return_until, at)
    _refuse_bad_terms(wanted.terms, wanted.pack_cost_minor, wanted.answer_by)


def pack_qty_of(session: Session, store_id: str, sku: str) -> int:
    """Return the units of the pack in which the network sells a product to a store."""
    return _source(session, store_id, sku).pack_qty


def withdraw(ctx: Context, store_id: str, offer_id: str) -> NetworkOffer:
    """Take back an offer nobody answered yet (rule 4)."""
    found = offer_of(ctx.session, store_id, offer_id)
    _refuse_answered(found)
    journal.move(ctx, found, "withdrawn", subject=subject_of(found))
    _send(ctx.session, found, NetworkOfferWithdrawn, ctx.at)
    return found


def call_off(ctx: Context, store_id: str, offer_id: str, *, why: str) -> NetworkOffer:
    """Say that goods a store accepted do not come (rule 6). why: read by the shopkeeper."""
    found = offer_of(ctx.session, store_id, offer_id)
    why = stated(why, Invalid("no-reason", "Tell the shopkeeper why it is not coming."), 300)
    if found.state != "accepted":
        raise Conflict("offer-not-waiting", "This offer is %(state)s and cannot be canceled.", state=found.state)
    return _call_off(ctx, found, why)


def cancel_if_ended(ctx: Context, found: NetworkOffer) -> None:
    """Call off accepted goods of which nothing is there any more, once they were waited for long enough (rule 6)."""
    today, until = day_of(ctx.session, found.store_id, ctx.at), terms_from(found.terms).expires_on
    if today > found.answer_by + dt.timedelta(days=LOAD_DAYS) or (until is not None and until < today):
        _call_off(ctx, found, "")


def take_answer(ctx: Context, fact: NetworkOfferAnswered) -> None:
    """Take over what a store answered (rule 4); an offer this node no longer has is written down by rule 5."""
    found = ctx.session.get(NetworkOffer, (fact.store_id, fact.network_offer_id))
    if fact.state not in (*ANSWERED, _yes(found or fact)):
        raise Refused("no-answer", "A store cannot set an offer to %(state)s.", state=fact.state)
    if found is None and not fact.packs:
        found = _write_down(ctx.session, fact)
        journal.record(ctx, verb="push offer.not_known_here", subject=subject_of(found), store=found.store_id)
    elif found is None:
        source = _source(ctx.session, fact.store_id, fact.sku)
        found = _write_down(ctx.session, fact)
        found.supplier_id, found.pack_qty, found.pack_cost_minor = (
            source.supplier_id, source.pack_qty, source.pack_cost_minor,
        )  # fmt: skip
        found.terms = sa.null()
        verb = "push offer.not_known_here"
        journal.record(ctx, verb=verb, subject=subject_of(found), store=found.store_id)
    elif found.state in (*OPEN, "withdrawn") and STATES.legal(found.state, fact.state):
        found.answered_why = fact.answered_why
        why = fact.answered_why or None
        journal.move(ctx, found, fact.state, subject=subject_of(found), why=why)
    arrived(ctx, fact.store_id, fact.network_offer_id)


# --- verbs, store ---


@applies(NetworkOfferMade)
def take_offer(ctx: Context, fact: NetworkOfferSnapshot) -> NetworkOffer:
    """Take in an offer of the network; a second copy changes nothing."""
    return ctx.session.get(NetworkOffer, (fact.store_id, fact.network_offer_id)) or _write_down(ctx.session, fact)


@applies(NetworkOfferWithdrawn)
def take_withdrawal(ctx: Context, fact: NetworkOfferWithdrawn) -> None:
    """Take an offer away that the network withdrew, unless it is answered already (rule 4), or called off (rule 6)."""
    found = ctx.session.get(NetworkOffer, (fact.store_id, fact.network_offer_id)) or _write_down(ctx.session, fact)
    if fact.state == "called_off":
        if STATES.legal(found.state, "called_off"):
            found.answered_why = fact.answered_why
            why = fact.answered_why or None
            journal.move(ctx, found, "called_off", subject=subject_of(found), why=why)
    elif found.state in OPEN:
        journal.move(ctx, found, "withdrawn", subject=subject_of(found))


def accept(ctx: Context, store_id: str, offer_id: str) -> NetworkOffer:
    """Say yes: the goods come with the next vehicle, or what is proposed is done (rule 10)."""
    found = offer_of(ctx.session, store_id, offer_id)
    answered = _answer(ctx, found, _yes(found), "")
    if is_proposal(found):
        _carry_out(ctx, found)
    return answered


def postpone(ctx: Context, store_id: str, offer_id: str) -> NetworkOffer:
    """Put the answer off (rule 11); again changes nothing."""
    found = offer_of(ctx.session, store_id, offer_id)
    return found if found.state == "postponed" else _answer(ctx, found, "postponed", "")


def decline(ctx: Context, store_id: str, offer_id: str, *, why: str) -> NetworkOffer:
    """Say no; the network reads why."""
    why = stated(why, Invalid("no-reason", "Enter a reason, so the next offer fits better."), 300)
    return _answer(ctx, offer_of(ctx.session, store_id, offer_id), "declined", why)


def expire_due(ctx: Context, store_id: str) -> list[NetworkOffer]:
    """Close the offers nobody answered by their last day (rule 2); returns them."""
    today = day_of(ctx.session, store_id, ctx.at)
    overdue = [found for found in open_offers(ctx.session, store_id) if found.answer_by < today]
    for found in overdue:
        _settle(ctx, found, "expired", N_("No one responded in time."))
    return overdue


# --- verbs, both ---


def dispatched(ctx: Context, store_id: str, offer_id: str) -> None:
    """Note that an accepted offer's goods are on the vehicle."""
    found = offer_of(ctx.session, store_id, offer_id)
    if STATES.legal(found.state, "dispatched"):
        journal.move(ctx, found, "dispatched", subject=subject_of(found))


def arrived(ctx: Context, store_id: str, offer_id: str) -> None:
    """Move an accepted offer on once its delivery was posted or refused; asking twice changes nothing."""
    found = ctx.session.get(NetworkOffer, (store_id, offer_id))
    here = sa.select(Delivery.state).where(Delivery.store_id == store_id, Delivery.network_offer_id == offer_id)
    states = set(ctx.session.scalars(here))
    if found is None or states.isdisjoint(CLOSED):
        return
    if states == {"turned_back"} and found.state == "dispatched":
        journal.move(ctx, found, "accepted", subject=subject_of(found), why="turned back")
    ends = [end for state, end in (("posted", "received"), ("refused", "refused")) if state in states]
    for state in ("dispatched", *ends) if ends else ():
        if STATES.legal(found.state, state):
            journal.move(ctx, found, state, subject=subject_of(found))


# --- questions ---


def open_offers(session: Session, store_id: str) -> list[NetworkOffer]:
    """Return the offers that wait for the store's answer, the most urgent first."""
    query = sa.select(NetworkOffer).where(NetworkOffer.store_id == store_id, NetworkOffer.state.in_(OPEN))
    return list(session.scalars(query.order_by(NetworkOffer.answer_by, NetworkOffer.offered_at, NetworkOffer.id)))


def waits(store_id: str, day: dt.date) -> sa.ColumnElement[bool]:
    """Return which offers wait for a store's answer on a day (rule 11)."""
    is_last = sa.and_(NetworkOffer.state == "postponed", NetworkOffer.answer_by <= day)
    return sa.and_(NetworkOffer.store_id == store_id, sa.or_(NetworkOffer.state == "offered", is_last))


def is_proposal(found: NetworkOffer) -> bool:
    """Tell whether goods are offered, or it is proposed to list or delist a product (rule 10)."""
    return found.packs == 0


def proposals(*which: sa.ColumnElement[bool]) -> sa.Select[NetworkOffer]:
    """Return proposals, the newest first, as a query."""
    query = sa.select(NetworkOffer).where(NetworkOffer.packs == 0, *which)
    return query.order_by(NetworkOffer.offered_at.desc(), NetworkOffer.store_id, NetworkOffer.id)


def last_proposal(session: Session, store_id: str, sku: str) -> NetworkOffer | None:
    """Return what was last proposed to a store of a product."""
    return last_proposals(session, [store_id], sku).get(store_id)


def last_proposals(session: Session, store_ids: Sequence[str], sku: str) -> dict[str, NetworkOffer]:
    """Return what was last proposed to each of these stores of a product."""
    found: dict[str, NetworkOffer] = {}
    for one in session.scalars(proposals(NetworkOffer.store_id.in_(store_ids), NetworkOffer.sku == sku)):
        found.setdefault(one.store_id, one)
    return found


def rests(found: NetworkOffer, at: dt.datetime) -> bool:
    """Tell whether a store said no so lately that it is not asked again (rule 10)."""
    return found.state == "declined" and found.offered_at > at - dt.timedelta(days=REST_DAYS)


def not_coming(session: Session, store_id: str, today: dt.date) -> list[NetworkOffer]:
    """Return what a store accepted and was called off lately. answered_why: '' where nothing was left of it."""
    since = today - dt.timedelta(days=2 * LOAD_DAYS)
    query = sa.select(NetworkOffer).where(
        NetworkOffer.store_id == store_id, NetworkOffer.state == "called_off", NetworkOffer.answer_by >= since
    )
    return list(session.scalars(query.order_by(NetworkOffer.answer_by, NetworkOffer.id)))


def offer_of(session: Session, store_id: str, offer_id: str) -> NetworkOffer:
    """Return an offer to this store, locked until the transaction ends; NotFound for any other."""
    query = sa.select(NetworkOffer).where(NetworkOffer.store_id == store_id, NetworkOffer.id == offer_id)
    found: NetworkOffer | None = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("unknown-offer", "Offer not found for this store.", offer_id=offer_id)
    return found


def subject_of(found: NetworkOffer) -> str:
    """Return how the journal names an offer."""
    return f"network_offer:{found.id}"


def terms_from(reported: dict[str, Any] | None) -> NetworkOfferTerms:
    """Read terms; what is not said is not promised."""
    given = dict(reported or {})
    until = given.pop("expires_on", None)
    known = {name: given[name] for name in NetworkOfferTerms.__dataclass_fields__ if name in given}
    return NetworkOfferTerms(**known, expires_on=dt.date.fromisoformat(until) if until else None)


def looked_at_on(terms: NetworkOfferTerms, came_on: dt.date) -> dt.date | None:
    """Return the day on which bought goods are looked at (rule 9); None: nothing is promised for them."""
    days = []
    if terms.expires_on is not None and terms.expiry_bp:
        days.append(max(came_on, terms.expires_on) + dt.timedelta(days=1))
    if terms.slow_days and terms.slow_bp:
        days.append(came_on + dt.timedelta(days=terms.slow_days))
    return min(days) if days else None


def paid_for(terms: NetworkOfferTerms, lot: Lot) -> int:
    """Return what the network pays for what is unsold of a lot on the day it is looked at (rule 9)."""
    day = looked_at_on(terms, lot.came_on)
    unsold = max(0, lot.came_qty - lot.sold_qty)
    if day is None or not unsold or lot.came_qty <= 0:
        return 0
    is_over = terms.expires_on is not None and day > terms.expires_on
    if not is_over and lot.sold_qty * BASIS >= lot.came_qty * HALF_BP:
        return 0
    share_bp = terms.expiry_bp if is_over else terms.slow_bp
    whole_minor = amount_for(lot.came_qty, lot.pack_cost_minor, lot.pack_qty)
    unsold_minor = amount_for(unsold, lot.pack_cost_minor, lot.pack_qty)
    return min(unsold_minor * share_bp // BASIS, whole_minor * terms.cap_bp // BASIS)


# --- inside ---


def _yes(found: NetworkOffer | NetworkOfferSnapshot) -> str:
    """Return the state that yes is."""
    return "accepted" if found.packs else "agreed"


def _carry_out(ctx: Context, found: NetworkOffer) -> None:
    """List a product, or order it no more (rule 10)."""
    listing = ctx.session.get(Listing, (found.store_id, found.sku))
    if terms_from(found.terms).kind == "list":
        if not prices_on(ctx.session, found.store_id, day_of(ctx.session, found.store_id, ctx.at), [found.sku]):
            raise Refused("price-missing", "No price: %(lacking)s. Set one first.", lacking=found.name)
        assortment.settle(ctx, found.store_id, found.sku, active=True, ordered=True)
    elif listing is not None and listing.active:
        assortment.settle(ctx, found.store_id, found.sku, active=True, ordered=False)


def _answer(ctx: Context, found: NetworkOffer, state: str, why: str) -> NetworkOffer:
    _refuse_answered(found)
    if found.answer_by < day_of(ctx.session, found.store_id, ctx.at):
        raise Refused(
            "offer-over", "The response was due by %(answer_by)s. Ask for a new offer.",
            answer_by=found.answer_by.isoformat(),
        )  # fmt: skip
    _settle(ctx, found, state, why)
    return found


def _settle(ctx: Context, found: NetworkOffer, state: str, why: str) -> None:
    found.answered_why = why
    journal.move(ctx, found, state, subject=subject_of(found), why=why or None)
    _send(ctx.session, found, NetworkOfferAnswered, ctx.at)


def _call_off(ctx: Context, found: NetworkOffer, why: str) -> NetworkOffer:
    found.answered_why = why
    journal.move(ctx, found, "called_off", subject=subject_of(found), why=why or None)
    _send(ctx.session, found, NetworkOfferWithdrawn, ctx.at)
    return found


def _send(session: Session, found: NetworkOffer, kind: type[NetworkOfferSnapshot], at: dt.datetime) -> None:
    send_fact(session, kind.of_row(found, network_offer_id=found.id), subject=subject_of(found), at=at)


def _write_down(session: Session, fact: NetworkOfferSnapshot) -> NetworkOffer:
    # A withdrawal that comes first finds the offer as it was made, and withdraws it like any other.
    state = STATES.first if fact.state == "withdrawn" else fact.state
    values = vars(fact) | {"id": fact.network_offer_id, "state": state}
    del values["network_offer_id"]
    found = NetworkOffer(**values)
    session.add(found)
    session.flush()
    return found


def _source(session: Session, store_id: str, sku: str) -> SupplierProduct:
    """Return how the network sells a product to a store, from the warehouse that supplies it."""
    ours = [one.id for one in supply_routes.suppliers_for(session, store_id) if one.kind == NETWORK]
    row = SupplierProduct
    query = sa.select(row).where(row.sku == sku, row.supplier_id.in_(ours)).order_by(row.supplier_id)
    found: SupplierProduct | None = session.scalar(query.limit(1))
    if found is None:
        raise Refused("not-carried", "The network does not carry %(sku)s. Choose another product.", sku=sku)
    return found


def _refuse_answered(found: NetworkOffer) -> None:
    if found.state not in OPEN:
        raise Conflict("offer-answered", "This offer is already %(state)s.", state=found.state)


def _refuse_bad_terms(terms: NetworkOfferTerms, pack_cost_minor: int | None, answer_by: dt.date) -> None:
    if terms.kind not in KINDS:
        raise Invalid("bad-choice", "Choose a reason for the offer.", field="kind")
    if pack_cost_minor is not None and not 0 <= pack_cost_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "That cost is not valid. Enter it again.", field="pack_cost")
    if not 0 <= terms.slot_fee_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "That fee is not valid. Enter it again.", field="slot_fee")
    if terms.kind == "near_expiry" and terms.expires_on is None:
        raise Invalid("bad-day", "Enter the last day of sale.", field="expires_on")
    if terms.expires_on is not None and terms.expires_on < answer_by:
        raise Invalid("bad-day", "The products would expire before the store responds. Choose other dates.")


def _tidy(why: str) -> str:
    return " ".join(why.split())[:300]


def _refuse_bad(
    session: Session,
    store_id: str,
    packs: int,
    why: str,
    answer_by: dt.date,
    return_until: dt.date | None,
    at: dt.datetime,
) -> None:
    if isinstance(packs, bool) or not 1 <= packs <= MOST_PACKS:
        raise Invalid("bad-quantity", "Offer 1 to %(most)s packs.", most=MOST_PACKS, packs=packs)
    if not why:
        raise Invalid("no-reason", "Enter a short reason. The shopkeeper will see it.")
    if answer_by < day_of(session, store_id, at):
        raise Invalid("bad-day", "The response date has passed. Choose today or later.")
    if return_until is not None and return_until < answer_by:
        raise Invalid("bad-day", "Returns must end after the response date. Choose a later day.")
