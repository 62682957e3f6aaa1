"""Group buying: neighbours take whole cases together, pay beforehand, and each collects a share; at the network.

Rules
-----
1. An offer has price steps, a threshold, the supplier's case and minimum, a closing time, a vehicle day and a last
   pickup day. Everybody pays the price the whole group reaches with deposit and tax (`groups.price`).
2. Joining is paid into escrow at the first step's price for the most the member takes; the member counts from then on,
   as long as the money is there. Whoever leaves before the closing or did not pay in time is out for good, and gets
   everything back at once, as does whoever is in a group that fails.
3. A group ordered whose goods nobody has told of by NO_WORD after its last pickup day fails too.
   At the closing a group below its threshold, or below the supplier's minimum, fails. One whose last case is not full
   stays open for FILL to those who fill it, then cases are filled by tolerance and ordered from the store's supplier;
   whom no unit is left for is out, with the money back.
4. What arrives is dealt out fairly, each member's share becomes a pickup order at the price reached, and what was paid
   beyond it goes back. From there on it is an order like any other: collected by code, expiring, coming back.
5. The leader earns the commission on what is passed on for shares that were collected, on nothing else
   (`leaders`).
6. A group is settled when none of its members' money is left in escrow. Who its members were is forgotten KEEP after
   the last pickup day, as with any order.
7. Held money of a member belongs to a share. Where the member is out, the group is over, or its goods were dealt out
   without the member, there is none: it is a finding, and the job that closes groups sends it back.
8. What is disputed is the operator's to decide.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.finding import Finding
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.facts import Day, Instant, Whole
from config.nodes.journal import Actor, Context
from config.states import StateTable
from config.words import N_
from pos.catalogue.catalogue import Product
from pos.messages import Recipient
from pos.store.store import Store, store_of
from supply.money import escrow
from supply.money.escrow_ledger import LeaderPart
from supply.money.held_payments import Escrow
from supply.online.groups import price
from supply.online.groups.price import Demand, deal, fill, price_at
from supply.online.messages import customer_messages
from supply.online.orders import PickupOrder
from supply.online_facts import OrderLine

STATES = StateTable(
    "group",
    "open",
    {
        "open": ["filling", "ordered", "failed"],
        "filling": ["ordered", "failed"],
        "ordered": ["arrived", "failed"],
        "arrived": ["settled"],
    },
)
FILL = dt.timedelta(hours=6)
NO_WORD = dt.timedelta(days=2)
KEEP = dt.timedelta(days=30)
HAS_PERSON = sa.text("phone <> ''")
MOST_UNITS, MOST_STEPS, MOST_COMMISSION_BP = 1_000, 6, 2_000
_NOTHING_LEFT = N_("Nothing was left for you. You get a refund.")
_SYSTEM = Actor.system("groups", NETWORK)


@dataclass(frozen=True)
class GroupTerms:
    """What is offered. steps: (from quantity, price_minor of a unit); owner: the store's id, or 'network'."""

    id: str
    store_id: str
    owner: str
    sku: str
    name: str
    steps: tuple[tuple[Whole, Whole], ...]
    threshold_qty: Whole
    case_qty: Whole
    minimum_cases: Whole
    closes_at: Instant
    vehicle_day: Day
    pickup_until: Day
    store_takes: Whole = 0
    commission_bp: Whole = 0
    leader: str = ""
    leader_token: str = ""

    def check(self) -> None:
        """Refuse terms no group could keep, saying which."""
        rising = all(a[0] < b[0] and a[1] > b[1] for a, b in zip(self.steps, self.steps[1:], strict=False))
        if not 1 <= len(self.steps) <= MOST_STEPS or not rising or self.steps[0][0] < 1 or self.steps[-1][1] <= 0:
            raise Invalid("bad-steps", "Each price step needs more units and a lower price than the one before.")
        if self.threshold_qty < 1 or self.case_qty < 1 or self.minimum_cases < 1 or self.store_takes < 0:
            raise Invalid("bad-group", "Enter a minimum quantity and a case size of at least one each.")
        if not self.closes_at.date() <= self.vehicle_day <= self.pickup_until:
            raise Invalid("bad-group-days", "The group must close before the vehicle comes, and pickup must follow.")
        if not 0 <= self.commission_bp <= MOST_COMMISSION_BP:
            raise Invalid(
                "bad-commission", "The leader's commission can be up to %(most_bp)s.", most_bp=MOST_COMMISSION_BP
            )


class GroupOffer(Base):
    """A group buy with its terms."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "group_offer"
    __table_args__ = (sa.Index("ix_group_offer_store", "store_id", "state"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    owner: Mapped[str]
    sku: Mapped[str]
    name: Mapped[str]
    steps: Mapped[list[Any]]
    threshold_qty: Mapped[int]
    case_qty: Mapped[int]
    minimum_cases: Mapped[int]
    closes_at: Mapped[dt.datetime]
    vehicle_day: Mapped[dt.date]
    pickup_until: Mapped[dt.date]
    store_takes: Mapped[int]
    commission_bp: Mapped[int]
    leader: Mapped[str]
    leader_token: Mapped[str] = mapped_column(default="", server_default="")
    """What the leader's own page is opened with; '' without a leader."""
    state: Mapped[str] = mapped_column(default=STATES.first)
    opened_at: Mapped[dt.datetime]
    cases: Mapped[int] = mapped_column(default=0)
    """Ordered from the supplier."""
    price_minor: Mapped[int | None]
    """The price reached."""
    arrived_qty: Mapped[int | None]
    why: Mapped[str] = mapped_column(default="")
    step: Mapped[int] = mapped_column(default=0)
    """How many times the store was told; the newest wins there."""
    members: Mapped[int] = mapped_column(default=0)
    taken_qty: Mapped[int] = mapped_column(default=0)
    """At the store: how many joined and how much they take, as the network told last."""


class GroupMember(Base):
    """One person's share of a group. id: made by the page; the escrow's and later the pickup order's id too."""

    __tablename__ = "group_member"
    __table_args__ = (
        sa.Index("ix_group_member_group", "group_id", "joined_at"),
        sa.Index("ix_group_member_token_hash", "token_hash"),
        sa.Index("ix_group_member_people", "group_id", sqlite_where=HAS_PERSON),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(sa.ForeignKey("group_offer.id"))
    name: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    token_hash: Mapped[str]
    code_hash: Mapped[str]
    want_qty: Mapped[int]
    maximum_qty: Mapped[int]
    joined_at: Mapped[dt.datetime]
    left_at: Mapped[dt.datetime | None]
    gets_qty: Mapped[int | None]
    """What was dealt out; None before the goods arrived."""


@dataclass(frozen=True)
class GroupStatus:
    """How a group stands. taken_qty: of the paid members; next_step: (how many more, price_minor) or None."""

    group: GroupOffer
    members: int
    taken_qty: int
    price_minor: int
    missing_qty: int
    """To the threshold."""
    to_full_case: int
    next_step: tuple[int, int] | None
    may_join: bool


# --- verbs ---


def open_group(ctx: Context, terms: GroupTerms) -> GroupOffer:
    """Open a group (rule 1); the same id again is the same group."""
    terms.check()
    if (known := ctx.session.get(GroupOffer, terms.id)) is not None:
        return known
    if terms.closes_at <= ctx.at:
        raise Invalid("bad-group-days", "The closing time has passed.", field="closes")
    store_of(ctx.session, terms.store_id)
    product = ctx.session.get(Product, terms.sku)
    if product is None or (product.stock_unit, product.price_quantity, product.kind) != ("each", 1, "goods"):
        raise Invalid("bad-group-product", "Group buys are for products sold by the unit.", sku=terms.sku)
    steps = [list(step) for step in terms.steps]
    row = GroupOffer(
        **{**vars(terms), "steps": steps}, state=STATES.first, opened_at=ctx.at, cases=0, why="", step=0, members=0,
        taken_qty=0,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="group.opened", subject=subject_of(row), sku=row.sku)
    return row


def join(ctx: Context, group_id: str, member: GroupMember, *, provider: str) -> GroupMember:
    """Join a group; it counts once it is paid (rule 2).

    The same member id again is the same membership; one that is an order's or a payment's is a Conflict.
    """
    group = locked(ctx.session, group_id)
    if (known := ctx.session.get(GroupMember, member.id)) is not None:
        if (known.want_qty, known.maximum_qty, known.token_hash) != (
            member.want_qty,
            member.maximum_qty,
            member.token_hash,
        ):
            raise Conflict("already-joined", "You already joined this group. See your page.")
        return known
    if escrow.escrow_of(ctx.session, member.id) or ctx.session.get(PickupOrder, (group.store_id, member.id)):
        raise Conflict("id-in-use", "This page has expired. Open it again to join.")
    _refuse_closed(group, ctx.at)
    if not 1 <= member.want_qty <= member.maximum_qty <= MOST_UNITS:
        raise Invalid(
            "bad-quantity", "Choose 1 to %(most)s; your maximum cannot be less than you want.", most=MOST_UNITS
        )
    if group.state == "filling" and member.want_qty > (left := status(ctx.session, group, ctx.at).to_full_case):
        raise Refused("case-full", "Only %(left)s more fit in the last case.", left=left)
    member.group_id, member.joined_at = group_id, ctx.at
    ctx.session.add(member)
    ctx.session.flush()
    first_minor = int(group.steps[0][1])
    _, most_minor = price.share(ctx.session, group.store_id, group.sku, member.maximum_qty, first_minor, at=ctx.at)
    pay_within = min(escrow.PAY_WITHIN, _joinable_until(group) - ctx.at)
    escrow.open_for(
        ctx, member.id, group.store_id, "group", most_minor,
        currency=store_of(ctx.session, group.store_id).currency, provider=provider, pay_within=pay_within)  # fmt: skip
    journal.record(ctx, verb="group.joined", subject=subject_of(group), member=member.id)
    return member


def paid(session: Session, member_id: str, *, at: dt.datetime) -> None:
    """Count a member whose money came in; if the group has closed meanwhile it goes back at once (rule 2)."""
    member = session.get_one(GroupMember, member_id)
    group = locked(session, member.group_id)
    if group.state not in ("open", "filling") or member.left_at is not None or at >= _joinable_until(group):
        member.left_at = member.left_at or at
        escrow.refund(Context(session, _SYSTEM, at), member_id, None, why="the group has closed")


def unpaid(ctx: Context, member_id: str) -> None:
    """Let a member out whose money did not come in time; should it come yet it goes back (rule 2)."""
    member = ctx.session.get_one(GroupMember, member_id)
    escrow.lapse(ctx, member_id)
    member.left_at = member.left_at or ctx.at


def leave(ctx: Context, member_id: str) -> GroupMember:
    """Leave a group before it closes; everything goes back (rule 2). Twice is once."""
    member = ctx.session.get_one(GroupMember, member_id)
    group = locked(ctx.session, member.group_id)
    if member.left_at is not None:
        return member
    if group.state != "open":
        raise Refused("group-closed", "The group has closed; your order is being placed.", state=group.state)
    member.left_at = ctx.at
    if not escrow.lapse(ctx, member.id):
        escrow.refund(ctx, member.id, None, why="left the group")
    journal.record(ctx, verb="group.left", subject=subject_of(group), member=member.id)
    return member


def close_due(session: Session, *, at: dt.datetime) -> list[GroupOffer]:
    """Close the groups whose time is over, fail those whose goods never came (rule 3); returns those that changed."""
    due = sa.select(GroupOffer).where(GroupOffer.state.in_(["open", "filling"]), GroupOffer.closes_at <= at)
    changed = []
    for group in session.scalars(lock_rows(session, due.order_by(GroupOffer.id))).all():
        if group.state == "filling" and at < group.closes_at + FILL:
            continue
        if _close(session, group, at):
            changed.append(group)
    silent = sa.select(GroupOffer).where(
        GroupOffer.state == "ordered", GroupOffer.pickup_until < (at - NO_WORD).date(), GroupOffer.id.not_in(
            [group.id for group in changed]
        )
    )  # fmt: skip
    overdue = session.scalars(lock_rows(session, silent.order_by(GroupOffer.id))).all()
    return changed + [
        fail(Context(session, _SYSTEM, at), group.id, why=N_("The products did not arrive.")) for group in overdue
    ]  # fmt: skip


def fail(ctx: Context, group_id: str, *, why: str) -> GroupOffer:
    """Call a group off: everybody gets everything back at once (rule 2)."""
    group = locked(ctx.session, group_id)
    journal.move(ctx, group, "failed", subject=subject_of(group), why=why)
    group.why = why
    for member in _members(ctx.session, group):
        if not escrow.lapse(ctx, member.id):
            escrow.refund(ctx, member.id, None, why="the group failed")
        _send(ctx.session, group, member, "failed", why, ctx.at)
    return group


def arrived(ctx: Context, group_id: str, qty: int) -> dict[str, int]:
    """Deal out what arrived, and send back what was paid beyond it (rule 4); returns member -> units."""
    group = locked(ctx.session, group_id)
    if group.state == "arrived":
        return {one.id: one.gets_qty or 0 for one in _members(ctx.session, group)}
    if not 0 <= qty <= max(0, group.cases * group.case_qty):
        most = group.cases * group.case_qty
        raise Invalid("bad-quantity", "%(most)s were ordered for this group. Enter 0 to %(most)s.", most=most)
    members = _members(ctx.session, group)
    ordered = fill(
        [Demand(one.id, one.want_qty, one.maximum_qty) for one in members], group.case_qty, group.store_takes
    )
    gets = deal([(one.id, ordered.gets[one.id]) for one in members], qty)
    journal.move(ctx, group, "arrived", subject=subject_of(group), qty=qty)
    group.arrived_qty = qty
    for member in members:
        member.gets_qty = gets[member.id]
        left_minor = escrow.balance(ctx.session, member.id)
        due_minor = share_of(ctx.session, group, member, ctx.at)[1] if member.gets_qty else 0
        escrow.refund(ctx, member.id, left_minor - due_minor, why="price or share")
        if not member.gets_qty:
            _send(ctx.session, group, member, "none", _NOTHING_LEFT, ctx.at)
    return gets


def release(ctx: Context, member_id: str, *, why: str = "collected") -> int:
    """Pass a collected member's money on: the commission for the leader, the rest to the store (rule 5)."""
    member = ctx.session.get_one(GroupMember, member_id)
    group = ctx.session.get_one(GroupOffer, member.group_id)
    left_minor = escrow.balance(ctx.session, member_id)
    bp = group.commission_bp if group.leader else 0
    leader_minor = price.leaders_part(ctx.session, group.store_id, member_id, left_minor, bp)
    part = LeaderPart(leader_minor, group.leader, group.id) if leader_minor else None
    return escrow.release(ctx, member_id, leader=part, why=why)


def settle_done(session: Session, *, at: dt.datetime) -> list[GroupOffer]:
    """Settle the groups none of whose money is left in escrow (rule 6)."""
    done = []
    for group in session.scalars(sa.select(GroupOffer).where(GroupOffer.state == "arrived")).all():
        states = session.scalars(
            sa.select(Escrow.state).join(GroupMember, GroupMember.id == Escrow.id).where(
                GroupMember.group_id == group.id
            )
        ).all()  # fmt: skip
        if all(state in ("settled", "lapsed") for state in states):
            journal.move(Context(session, _SYSTEM, at), group, "settled", subject=subject_of(group))
            done.append(group)
    return done


def forget(session: Session, *, at: dt.datetime) -> int:
    """Empty name, phone and e-mail of the members of groups that are long over (rule 6); returns of how many."""
    over = sa.select(GroupOffer.id).where(
        GroupOffer.id == GroupMember.group_id,
        GroupOffer.state.in_(("settled", "failed")),
        GroupOffer.pickup_until <= (at - KEEP).date(),
    )
    emptied = sa.update(GroupMember).where(HAS_PERSON, over.exists()).values(name="", phone="", email="")
    return len(session.scalars(emptied.returning(GroupMember.id)).all())


# --- questions ---


def locked(session: Session, group_id: str) -> GroupOffer:
    """Return a group, locked until the end of the transaction."""
    query = lock_rows(session, sa.select(GroupOffer).where(GroupOffer.id == group_id))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("unknown-group", "Group buy not found. Check the link.", group=group_id)
    return row


def of_store(session: Session, store_id: str, states: Sequence[str] = ("open", "filling")) -> list[GroupOffer]:
    """Return a store's groups in some states, the one that closes first at the top."""
    query = sa.select(GroupOffer).where(GroupOffer.store_id == store_id, GroupOffer.state.in_(states))
    return list(session.scalars(query.order_by(GroupOffer.closes_at, GroupOffer.id)))


def members_of(session: Session, group: GroupOffer) -> list[GroupMember]:
    """Return the members that count: paid, and not left."""
    return _members(session, group)


def member_by_token(session: Session, hashed: str) -> GroupMember:
    """Return the membership a token opens, by the token's hash."""
    row = session.scalar(sa.select(GroupMember).where(GroupMember.token_hash == hashed))
    if row is None:
        raise NotFound("unknown-order", "Membership not found. Use the link you got when joining.")
    return row


def status(session: Session, group: GroupOffer, at: dt.datetime) -> GroupStatus:
    """Return how a group stands."""
    members = _members(session, group)
    taken = sum(one.want_qty for one in members)
    steps = [(int(qty), int(price)) for qty, price in group.steps]
    coming = next(((qty - taken, price) for qty, price in steps if qty > taken), None)
    return GroupStatus(
        group=group,
        members=len(members),
        taken_qty=taken,
        price_minor=group.price_minor or price_at(steps, taken),
        missing_qty=max(0, group.threshold_qty - taken),
        to_full_case=-taken % group.case_qty,
        next_step=coming,
        may_join=group.state in ("open", "filling") and at < _joinable_until(group),
    )


def prices_each(session: Session, status: GroupStatus, at: dt.datetime) -> dict[int, int]:
    """Return what one unit costs with its deposit and tax at each price of a group: {price_minor: all_minor}."""
    group = status.group
    prices = {status.price_minor, *(int(price) for _, price in group.steps)}
    return {one: price.share(session, group.store_id, group.sku, 1, one, at=at)[1] for one in prices}


def share_of(session: Session, group: GroupOffer, member: GroupMember, at: dt.datetime) -> tuple[OrderLine, int]:
    """Return the line of what a member was dealt out and what it costs: never more than is left of what was paid."""
    most_minor = escrow.balance(session, member.id)
    return price.share(
        session, group.store_id, group.sku, member.gets_qty or 0, int(group.price_minor or 0), most_minor=most_minor,
        at=at,
    )  # fmt: skip


def dealt_qty(session: Session, group: GroupOffer) -> int:
    """Return how many units all shares of a group have, 0 before they are dealt out."""
    dealt = sa.select(sa.func.coalesce(sa.func.sum(GroupMember.gets_qty), 0)).where(GroupMember.group_id == group.id)
    return int(session.scalar(dealt) or 0)


def terms_of(row: GroupOffer) -> GroupTerms:
    """Return a group's terms."""
    names = GroupTerms.__dataclass_fields__
    found = GroupTerms(**{name: getattr(row, name) for name in names})
    return replace(found, steps=tuple((int(qty), int(price)) for qty, price in row.steps))


def subject_of(group: GroupOffer) -> str:
    """Return a group as the journal names it."""
    return f"group:{group.id}"


def send_back_forgotten(session: Session, *, at: dt.datetime) -> int:
    """Send back what is held for nobody's share (rule 7); returns of how many members."""
    found = session.execute(_forgotten()).all()
    for row, group_id in found:
        locked(session, group_id)
        actor = Actor.system("groups", NETWORK)
        escrow.refund(Context(session, actor, at), row.id, None, why="the group is over")
    return len(found)


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """Return the escrows that hold money for nobody's share (rule 7)."""
    query = _forgotten() if store_id is None else _forgotten().where(GroupOffer.store_id == store_id)
    return [
        Finding("K13", escrow.subject_of(row), f"nothing held: no share of group {group_id} needs it", "money held")
        for row, group_id in session.execute(query)
    ]


# --- inside ---


def _members(session: Session, group: GroupOffer) -> list[GroupMember]:
    query = (
        sa.select(GroupMember)
        .join(Escrow, Escrow.id == GroupMember.id)
        .where(
            GroupMember.group_id == group.id, GroupMember.left_at.is_(None),
            Escrow.state.in_(["held", "disputed", "settled"]), Escrow.reference != "",
        )
        .order_by(GroupMember.joined_at, GroupMember.id)
    )  # fmt: skip
    # after the goods were dealt out a member's money may be gone; a failed group has given all of it back
    is_over = group.state == "failed"
    return [
        one for one in session.scalars(query)
        if is_over or one.gets_qty is not None or escrow.balance(session, one.id) > 0
    ]  # fmt: skip


def _joinable_until(group: GroupOffer) -> dt.datetime:
    return group.closes_at + FILL if group.state == "filling" else group.closes_at


def _refuse_closed(group: GroupOffer, at: dt.datetime) -> None:
    if group.state not in ("open", "filling") or at >= _joinable_until(group):
        raise Refused("group-closed", "This group has closed. Look for another one.", state=group.state)


def _close(session: Session, group: GroupOffer, at: dt.datetime) -> bool:
    members = _members(session, group)
    taken = sum(one.want_qty for one in members)
    ctx = Context(session, _SYSTEM, at)
    if taken < group.threshold_qty:
        fail(ctx, group.id, why=N_("Not enough neighbors joined."))
        return True
    filled = fill([Demand(one.id, one.want_qty, one.maximum_qty) for one in members], group.case_qty, group.store_takes)
    full = filled.cases * group.case_qty >= taken
    if group.state == "open" and not full and at < group.closes_at + FILL:
        journal.move(ctx, group, "filling", subject=subject_of(group))
        return True
    if filled.cases < group.minimum_cases:
        fail(ctx, group.id, why=N_("The supplier's minimum was not reached."))
        return True
    group.cases = filled.cases
    group.price_minor = price_at([(int(qty), int(price)) for qty, price in group.steps], sum(filled.gets.values()))
    journal.move(ctx, group, "ordered", subject=subject_of(group), cases=group.cases)
    for member in members:
        if not filled.gets[member.id]:
            member.left_at = at
            escrow.refund(ctx, member.id, None, why="nothing was left")
            _send(session, group, member, "none", _NOTHING_LEFT, at)
            continue
        _send(session, group, member, "ordered", f"group-ordered: {filled.gets[member.id]} × {group.name}", at)
    return True


def _send(session: Session, group: GroupOffer, member: GroupMember, event: str, why: str, at: dt.datetime) -> None:
    store: Store = store_of(session, group.store_id)
    facts = {"store": store.name, "name": group.name, "why": why, "slug": store.slug, "member_id": member.id}
    to = Recipient(member.email, member.phone, member.language or store.language)
    customer_messages.send(session, store.id, "group", to, id=f"{member.id}-{event}", facts=facts, at=at)


def _forgotten() -> sa.Select[Escrow, str]:
    nobody = sa.or_(
        GroupMember.left_at.is_not(None),
        GroupOffer.state.in_(("failed", "settled")),
        sa.and_(GroupOffer.state == "arrived", GroupMember.gets_qty.is_(None)),
    )
    query = sa.select(Escrow, GroupOffer.id).join(GroupMember, GroupMember.id == Escrow.id)
    query = query.join(GroupOffer, GroupOffer.id == GroupMember.group_id)
    return query.where(Escrow.state == "held", Escrow.purpose == "group", nobody).order_by(GroupMember.id)
