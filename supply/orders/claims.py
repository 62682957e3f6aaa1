"""Claims about deliveries: the tables, the states, and what a line may claim.

`claims.handling` has the verbs and the rules; this file holds the rows and the bounds.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import NotFound, Refused
from config.ids import NETWORK
from config.money import amount_for
from config.nodes.append_only import append_only
from config.nodes.facts import STORE, Fact, Flag, Instant, Whole
from config.states import StateTable
from config.words import N_
from pos.stock.consignment_stock import Consignment
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import OrderLine
from supply.orders.supplier_returns import Going
from supply.orders.suppliers import SupplierProduct

STATES = StateTable(
    "claim",
    "filed",
    {
        "filed": ["under_review", "accepted", "part_accepted", "refused"],
        "under_review": ["accepted", "part_accepted", "refused"],
        "accepted": ["compensated", "replaced", "returned", "forfeited"],
        "part_accepted": ["compensated", "replaced", "returned", "forfeited"],
        "refused": ["contested"],
        "compensated": ["contested"],
        "replaced": ["contested"],
        "returned": ["contested"],
        "forfeited": ["returned"],
        "contested": ["accepted", "part_accepted", "refused"],
    },
    resting=["refused", "compensated", "replaced", "returned", "forfeited"],
)
KINDS = ("short", "over", "damaged", "wrong", "expired")
COUNTED = ("over", "damaged", "wrong", "expired")
"""What can be wrong with units that came: a unit is claimed for one of them."""
BILLED = "billed"
"""What a store's own supplier billed too much: a claim about money, which no count bounds."""
REMEDIES = {"money": "compensated", "replacement": "replaced", "return": "returned"}
"""What a claim ends in -> its last state."""
ENDS = (*REMEDIES.values(), "forfeited")
SEND_BACK_DAYS = 14
"""How long a store has to hand over what a claim sends back (`warehouse.returns`)."""
WAITING = ("filed", "under_review", "contested")
PAID_LATER = ("compensated", "returned")
"""What a store's own supplier granted: the credit memo may still come."""
_REPLACEMENT = "replacement-"


@dataclass(frozen=True)
class ReportedLine:
    """A line of a claim as it travels."""

    sku: str
    kind: str
    name: str
    qty: Whole
    pack_qty: Whole
    pack_cost_minor: Whole
    charged: Flag
    granted_qty: Whole | None


class ClaimWord(Fact):
    """A claim as the other node is told of it, whole."""

    store_id: str
    id: str
    claim_no: Whole
    supplier_id: str
    delivery_id: str
    wish: str
    words: str
    late: Flag
    filed_by: str
    photos: Whole
    claimed_minor: Whole
    granted_minor: Whole
    round: Whole
    remedy: str
    answer: str
    answered_by: str
    contest: str
    state: str
    filed_at: Instant
    answered_at: Instant | None
    contested_at: Instant | None
    lines: tuple[ReportedLine, ...]


class ClaimFiled(ClaimWord, topic="claim.filed", said_by=STORE):
    """The store complains of a delivery."""


class ClaimContested(ClaimWord, topic="claim.contested", said_by=STORE):
    """The store contests the answer."""


class ClaimAnswered(ClaimWord, topic="claim.answered", said_by=NETWORK):
    """The network looks into it, or answers."""


class ClaimEnded(ClaimWord, topic="claim.ended", said_by=NETWORK):
    """Its goods are back, or were replaced, or it is paid."""


class Claim(Base):
    """One complaint about one delivery. wish, remedy: one of REMEDIES; round: 1, and 2 once it was contested."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "claim"
    __table_args__ = (sa.Index("ix_claim_state", "state"), sa.Index("ix_claim_delivery", "store_id", "delivery_id"))

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    claim_no: Mapped[int]
    supplier_id: Mapped[str]
    delivery_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    wish: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    late: Mapped[bool] = mapped_column(default=False)
    """Filed after its days: nothing is owed, and what is given is goodwill."""
    filed_at: Mapped[dt.datetime]
    filed_by: Mapped[str]
    photos: Mapped[int] = mapped_column(default=0)
    claimed_minor: Mapped[int]
    granted_minor: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=1)
    remedy: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[dt.datetime | None]
    answered_by: Mapped[str] = mapped_column(default="")
    contest: Mapped[str] = mapped_column(default="")
    contested_at: Mapped[dt.datetime | None]


class ClaimLine(Base):
    """So many units of a product, and what is wrong with them."""

    __tablename__ = "claim_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "claim_id"], ["claim.store_id", "claim.id"]),
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.CheckConstraint("granted_qty is null or granted_qty between 0 and qty", name="granted_fits"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    claim_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    qty: Mapped[int]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    charged: Mapped[bool]
    """The store owes for these units, so that money goes back; what was not counted in is not charged."""
    granted_qty: Mapped[int | None]

    def worth(self, qty: int) -> int:
        """Return what so many units of the line cost the store; nothing where they are not charged."""
        return amount_for(qty, self.pack_cost_minor, self.pack_qty) if self.charged and qty else 0


@append_only()
class ClaimCredit(Base):
    """What a credit memo of a store's own supplier gave back of a claim; paper_id: the memo among its documents."""

    __tablename__ = "claim_credit"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "claim_id"], ["claim.store_id", "claim.id"]),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    claim_id: Mapped[str] = mapped_column(primary_key=True)
    paper_id: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[int]
    """Before tax, as a claim asks."""
    credited_at: Mapped[dt.datetime]


@dataclass(frozen=True)
class Bound:
    """What may be claimed of a delivery's line, by kind; cost as it was charged. units: of all that came, once each."""

    sku: str
    name: str
    most: dict[str, int]
    units: int
    pack_qty: int
    pack_cost_minor: int
    consigned: bool


def costs_of(session: Session, delivery: Delivery) -> dict[str, tuple[int, int]]:
    """Return (pack cost, units a pack) of a delivery's products: at the order's cost, the offer's, the claim's."""
    ordered = {
        line.sku: (line.pack_cost_minor, line.pack_qty)
        for line in session.scalars(
            sa.select(OrderLine).where(
                OrderLine.store_id == delivery.store_id, OrderLine.order_id == (delivery.order_id or "")
            )
        )
    }
    offer = session.get(NetworkOffer, (delivery.store_id, delivery.network_offer_id or ""))
    if offer is not None:
        ordered[offer.sku] = (offer.pack_cost_minor, offer.pack_qty)
    replaced = sa.select(ClaimLine).where(
        ClaimLine.store_id == delivery.store_id, ClaimLine.claim_id == (replaces(delivery.id) or "")
    )
    ordered |= {line.sku: (line.pack_cost_minor, line.pack_qty) for line in session.scalars(replaced)}
    listed = sa.select(SupplierProduct).where(SupplierProduct.supplier_id == delivery.supplier_id)
    skus = sa.select(DeliveryLine.sku).where(
        DeliveryLine.store_id == delivery.store_id, DeliveryLine.delivery_id == delivery.id
    )
    terms = {
        row.sku: (row.pack_cost_minor, row.pack_qty)
        for row in session.scalars(listed.where(SupplierProduct.sku.in_(skus)))
    }
    return terms | ordered


def bounds(session: Session, delivery: Delivery, lines: Sequence[DeliveryLine], *, without: str = "") -> list[Bound]:
    """Return what is left to be claimed of each line of a posted delivery, less what was claimed before.

    without: a claim that does not count as claimed before.
    """
    claimed: dict[tuple[str, str], int] = {}
    query = (
        sa.select(ClaimLine.sku, ClaimLine.kind, sa.func.sum(ClaimLine.qty))
        .join(Claim, sa.and_(Claim.store_id == ClaimLine.store_id, Claim.id == ClaimLine.claim_id))
        .where(Claim.store_id == delivery.store_id, Claim.delivery_id == delivery.id, Claim.id != without)
        .group_by(ClaimLine.sku, ClaimLine.kind)
    )
    for sku, kind, qty in session.execute(query):
        claimed[sku, kind] = int(qty)
    costs = costs_of(session, delivery)
    lot = session.get(Consignment, (delivery.store_id, delivery.network_offer_id or ""))
    found = []
    for line in lines:
        counted = line.counted_qty or 0
        units = max(0, counted - sum(claimed.get((line.sku, kind), 0) for kind in COUNTED))
        over = counted - line.advised_qty - claimed.get((line.sku, "over"), 0)
        most = dict.fromkeys(COUNTED, units) | {
            "short": line.advised_qty - counted - claimed.get((line.sku, "short"), 0),
            "over": min(over, units),
        }
        cost, pack = costs.get(line.sku, (0, 1))
        found.append(
            Bound(
                line.sku, line.name, {kind: max(0, qty) for kind, qty in most.items()}, units, pack, cost,
                consigned=lot is not None and lot.sku == line.sku,
            )
        )  # fmt: skip
    return found


def refuse_more(left: Mapping[str, Bound], wanted: Iterable[tuple[str, str, int]]) -> None:
    """Refuse (sku, kind, units) that are more than came or were missing; no unit is claimed twice."""
    taken: dict[str, int] = {}
    for sku, kind, qty in wanted:
        bound = left.get(sku) or Bound(sku, sku, dict.fromkeys(KINDS, 0), 0, 1, 0, consigned=False)
        taken[sku] = taken.get(sku, 0) + (qty if kind in COUNTED else 0)
        most, broken = bound.most[kind], kind
        if qty <= most and taken[sku] > bound.units:
            most, broken = bound.units, "damaged"
        if qty > bound.most[kind] or taken[sku] > bound.units:
            raise Refused("more-than-came", _limit_exceeded(broken), sku=sku, name=bound.name, most=most, kind=broken)


def reckon(session: Session, claim: Claim, delivery: Delivery) -> None:
    """Set at the network what a claim's lines cost and whether they were charged, by its own offer, order and list."""
    costs = costs_of(session, delivery)
    offer = session.get(NetworkOffer, (claim.store_id, delivery.network_offer_id or ""))
    uncharged = offer.sku if offer is not None and offer.return_until is not None else None
    lines = lines_of(session, claim)
    for line in lines:
        line.pack_cost_minor, pack_qty = costs.get(line.sku, (0, 1))
        line.pack_qty = max(1, pack_qty)
        line.charged = line.kind != "short" and line.sku != uncharged
    claim.supplier_id, claim.claimed_minor = delivery.supplier_id, sum(line.worth(line.qty) for line in lines)
    session.flush()


def left_to_pay(session: Session, claim: Claim) -> int:
    """Return what the goods of a claim's delivery cost, less what claims and `offer_results` have paid for them."""
    delivery = session.get_one(Delivery, (claim.store_id, claim.delivery_id))
    costs = costs_of(session, delivery)
    offer = session.get(NetworkOffer, (claim.store_id, delivery.network_offer_id or ""))
    counted = sa.select(DeliveryLine.sku, DeliveryLine.counted_qty).where(
        DeliveryLine.store_id == delivery.store_id,
        DeliveryLine.delivery_id == delivery.id,
        DeliveryLine.counted_qty > 0,
    )
    whole = 0
    for sku, qty in session.execute(counted):
        pack_cost_minor, pack_qty = costs.get(sku, (0, 1))
        whole += amount_for(int(qty or 0), pack_cost_minor, max(1, pack_qty))
    paid = sum(one.granted_minor for one in claims_about(session, claim.store_id, delivery.id))
    return max(0, whole - paid - ((offer.care_minor or 0) if offer is not None else 0))


def going_of(session: Session, claim: Claim) -> list[Going]:
    """Return what of an answered claim goes back, by product."""
    found: dict[str, Going] = {}
    for line in lines_of(session, claim):
        if goes_back(claim, line):
            qty = (line.granted_qty or 0) + (found[line.sku].qty if line.sku in found else 0)
            found[line.sku] = Going(line.sku, line.name, qty, line.pack_qty, line.pack_cost_minor, line.charged)
    return list(found.values())


def goes_back(claim: Claim, line: ClaimLine) -> bool:
    """Tell whether a line's granted units are to be sent back before they are credited."""
    return claim.remedy == "return" and line.kind in ("over", "wrong") and bool(line.granted_qty)


def _limit_exceeded(kind: str) -> str:
    if kind == "short":
        return N_("%(name)s: the count shows only %(most)s missing. You cannot claim more.")
    if kind == "over":
        return N_("%(name)s: the count shows only %(most)s too many. You cannot claim more.")
    return N_("%(name)s: %(most)s arrived, so you can claim up to %(most)s.")


# --- questions ---


def claim_of(session: Session, store_id: str, claim_id: str) -> Claim:
    """Return a store's claim, locked; NotFound for any other."""
    query = sa.select(Claim).where(Claim.store_id == store_id, Claim.id == claim_id)
    found: Claim | None = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("unknown-claim", "Claim not found at this store.", claim_id=claim_id)
    return found


def lines_of(session: Session, claim: Claim) -> list[ClaimLine]:
    """Return a claim's lines, by name."""
    query = sa.select(ClaimLine).where(ClaimLine.store_id == claim.store_id, ClaimLine.claim_id == claim.id)
    return list(session.scalars(query.order_by(ClaimLine.name, ClaimLine.sku, ClaimLine.kind)))


def claims_of(session: Session, store_id: str, limit: int = 60) -> list[Claim]:
    """Return a store's claims, the newest first."""
    query = sa.select(Claim).where(Claim.store_id == store_id)
    return list(session.scalars(query.order_by(Claim.filed_at.desc(), Claim.id.desc()).limit(limit)))


def credits_of(session: Session, claim: Claim) -> list[ClaimCredit]:
    """Return what credit memos gave back of a claim, the oldest first."""
    query = sa.select(ClaimCredit).where(ClaimCredit.store_id == claim.store_id, ClaimCredit.claim_id == claim.id)
    return list(session.scalars(query.order_by(ClaimCredit.credited_at, ClaimCredit.paper_id)))


def left_to_credit(session: Session, claim: Claim) -> int:
    """Return what a credit memo may still give back of a claim: of what is asked, once answered of what is granted."""
    if claim.state not in (*WAITING, *PAID_LATER):
        return 0
    whole = claim.granted_minor if claim.state in PAID_LATER else claim.claimed_minor
    return max(0, whole - sum(one.amount_minor for one in credits_of(session, claim)))


def claims_in(session: Session, states: Iterable[str], limit: int = 100) -> list[Claim]:
    """Return all stores' claims in some states, the longest waiting first."""
    query = sa.select(Claim).where(Claim.state.in_(list(states)))
    return list(session.scalars(query.order_by(Claim.filed_at, Claim.store_id, Claim.id).limit(limit)))


def answered() -> sa.Select[Claim]:
    """Return the query of all stores' answered claims."""
    return sa.select(Claim).where(Claim.answered_at.is_not(None), Claim.state.not_in(WAITING))


def replacements_due(session: Session) -> list[Claim]:
    """Return the claims whose goods are to be sent again and were not loaded yet, the longest waiting first."""
    loaded = sa.exists().where(Delivery.store_id == Claim.store_id, Delivery.id == sa.literal(_REPLACEMENT) + Claim.id)
    query = sa.select(Claim).where(
        Claim.state.in_(["accepted", "part_accepted"]), Claim.remedy == "replacement", ~loaded
    )
    return list(session.scalars(query.order_by(Claim.filed_at, Claim.store_id, Claim.id)))


def claims_about(session: Session, store_id: str, delivery_id: str) -> list[Claim]:
    """Return what was claimed of a delivery, the oldest first."""
    query = sa.select(Claim).where(Claim.store_id == store_id, Claim.delivery_id == delivery_id)
    return list(session.scalars(query.order_by(Claim.filed_at, Claim.id)))


def next_no(session: Session, store_id: str) -> int:
    """Return the store's next human claim number."""
    return int(session.scalar(sa.select(sa.func.max(Claim.claim_no)).where(Claim.store_id == store_id)) or 0) + 1


def replacement_id(claim_id: str) -> str:
    """Return the id of the delivery that replaces a claim's goods."""
    return f"{_REPLACEMENT}{claim_id}"


def replaces(delivery_id: str) -> str | None:
    """Return the claim whose goods a delivery replaces; None for any other delivery."""
    return delivery_id.removeprefix(_REPLACEMENT) if delivery_id.startswith(_REPLACEMENT) else None


def subject_of(claim: Claim) -> str:
    """Return a claim as the journal names it."""
    return f"claim:{claim.id}"
