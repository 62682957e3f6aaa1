"""A group buy between the network, where neighbours join, and the store, which orders, receives and hands over.

Rules
-----
1. The network keeps the group. A shopkeeper opens one by a message; the network answers every change of state with a
   whole copy, whose newest `step` wins.
2. While a group is ordered, its cases are planned demand of the store, so that the next order carries them.
3. The shopkeeper says what arrived, once; the network deals it out, and each share comes back as a pickup order, paid.
   From the posting on the goods are held for the shares (`groups.holding`).
"""

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.ids import NETWORK
from config.nodes import facts
from config.nodes.facts import STORE, Count, Fact, Whole, applies
from config.nodes.journal import Context, mirror, record
from pos.store.store import send_fact, store_of
from supply.online.groups import groups, holding
from supply.online.groups.groups import GroupMember, GroupOffer, GroupTerms
from supply.online.orders import PickupOrder, subject_of, text_of, write_down
from supply.online.storefront import availability, storefront
from supply.online_facts import PickupPlaced


class GroupOpened(Fact, topic="group.opened", said_by=STORE):
    """A shopkeeper offers a group."""

    terms: GroupTerms

    def of(self) -> str:
        """Return the store that offers it."""
        return self.terms.store_id


class GroupReported(Fact, topic="group.reported", said_by=NETWORK):
    """How a group stands; the newest step stands. dealt_qty: what is held for its shares."""

    terms: GroupTerms
    state: str
    step: Whole
    cases: Whole
    price_minor: Whole | None
    why: str
    members: Whole
    taken_qty: Whole
    dealt_qty: Whole

    def of(self) -> str:
        """Return the group's store."""
        return self.terms.store_id


class GroupArrived(Fact, topic="group.arrived", said_by=STORE):
    """How much of a group's goods came."""

    store_id: str
    group_id: str
    qty: Count


# --- verbs, store ---


def open_at_store(ctx: Context, terms: GroupTerms) -> GroupOffer:
    """Open a group from the store: written here, and sent to the network, where neighbours join."""
    known = ctx.session.get(GroupOffer, terms.id) is not None
    group = groups.open_group(ctx, terms)
    if not known:
        send_fact(ctx.session, GroupOpened(groups.terms_of(group)), subject=groups.subject_of(group), at=ctx.at)
    return group


def say_arrived(ctx: Context, store_id: str, group_id: str, qty: int) -> None:
    """Tell the network how much of a group's goods came (rule 3); the same again is a second click.

    Refuses more than was ordered, more than the records have, and another number than was said before.
    """
    group = groups.locked(ctx.session, group_id)
    if group.store_id == store_id and group.arrived_qty is not None:
        if group.arrived_qty == qty:
            return
        raise Refused(
            "arrived-said",
            "You already reported that %(arrived)s arrived, and they are allocated. Settle any shortage "
            "in its pickup order.", arrived=group.arrived_qty,
        )  # fmt: skip
    if group.store_id != store_id or group.state != "ordered":
        raise Invalid("not-ordered", "This group is %(state)s; nothing is on its way.", state=group.state)
    most = group.cases * group.case_qty
    if not 0 <= qty <= most:
        raise Invalid("bad-quantity", "%(most)s were ordered for this group. Enter 0 to %(most)s.", most=most)
    holding.reserve_arrival(ctx, group, qty)
    group.arrived_qty = qty
    holding.plan(ctx.session, group)
    record(ctx, verb="group.goods_received", subject=groups.subject_of(group), qty=qty)
    send_fact(ctx.session, GroupArrived(store_id, group_id, qty), subject=groups.subject_of(group), at=ctx.at)


@applies(GroupReported)
def take_reported(ctx: Context, fact: GroupReported) -> None:
    """Take over how a group stands at the network (rules 1, 2)."""
    terms = fact.terms
    row = ctx.session.get(GroupOffer, terms.id)
    if row is None:
        steps = [list(step) for step in terms.steps]
        row = GroupOffer(
            **{**vars(terms), "steps": steps}, state=fact.state, opened_at=terms.closes_at, cases=0, why=""
        )
        ctx.session.add(row)
        ctx.session.flush()
    if fact.step < row.step:
        return
    mirror(row, fact.state)
    for name in ("step", "cases", "price_minor", "why", "members", "taken_qty"):
        setattr(row, name, getattr(fact, name))
    holding.plan(ctx.session, row)
    if row.state != "ordered":
        holding.settle(ctx, row, fact.dealt_qty)


# --- verbs, network ---


@applies(GroupOpened)
def take_opened(ctx: Context, fact: GroupOpened) -> GroupOffer:
    """Open a group a shopkeeper sent; the store gets the copy back."""
    group = groups.open_group(ctx, replace(fact.terms, owner=fact.of()))
    facts.refuse_stranger(fact.of(), group.store_id)
    send(ctx.session, group, ctx.at)
    return group


@applies(GroupArrived)
def take_arrived(ctx: Context, fact: GroupArrived) -> list[PickupOrder]:
    """Deal out what arrived and place each share as a paid pickup order (rule 3); a second copy changes nothing."""
    group = groups.locked(ctx.session, fact.group_id)
    facts.refuse_stranger(fact.store_id, group.store_id)
    if group.state != "ordered":
        return []
    gets = groups.arrived(ctx, group.id, fact.qty)
    orders = [
        _share(ctx.session, group, member, ctx.at)
        for member in groups.members_of(ctx.session, group)
        if gets.get(member.id)
    ]
    send(ctx.session, group, ctx.at)
    return orders


def close_due(session: Session, *, at: dt.datetime) -> int:
    """Close what is due, send forgotten money back, settle what is done, tell the stores; returns how many changed."""
    groups.send_back_forgotten(session, at=at)
    changed = [*groups.close_due(session, at=at), *groups.settle_done(session, at=at)]
    for group in changed:
        send(session, group, at)
    return len(changed)


def send(session: Session, group: GroupOffer, at: dt.datetime) -> None:
    """Tell the store how a group stands (rule 1)."""
    group.step += 1
    status = groups.status(session, group, at)
    fact = GroupReported.of_row(
        group, terms=groups.terms_of(group), members=status.members, taken_qty=status.taken_qty,
        dealt_qty=groups.dealt_qty(session, group),  # shares still on their way count too: their goods stay held
    )  # fmt: skip
    send_fact(session, fact, subject=groups.subject_of(group), at=at)


# --- inside ---


def _share(session: Session, group: GroupOffer, member: GroupMember, at: dt.datetime) -> PickupOrder:
    """Place a member's share: paid already, at the price the group reached."""
    store = store_of(session, group.store_id)
    storefront.front_of(session, store.id)
    number = storefront.next_number(session, store.id)
    line, total_minor = groups.share_of(session, group, member, at)
    placed = PickupPlaced(
        store_id=store.id,
        order_id=member.id,
        number=number,
        order_no=f"{store.id}-{number:04d}",
        customer_name=member.name,
        customer_phone=member.phone,
        code_hash=member.code_hash,
        token_hash=member.token_hash,
        currency=store.currency,
        total_minor=total_minor,
        placed_at=text_of(at),
        lines=(line,),
        paid_minor=total_minor,
        group_id=group.id,
    )
    order = write_down(session, placed)
    order.email, order.language = member.email, member.language
    order.return_days = availability.rules_of(session, store.id).return_days
    session.flush()
    storefront.recount(session, store.id, [group.sku])
    send_fact(session, placed, subject=subject_of(order), id=f"placed-{order.id}", at=at)
    return order
