"""What the network does when a store tells how an order stands: the copy, the money, the words to the customer.

Rules
-----
1. The network mirrors what the store tells: the highest step wins. What a refused, cancelled or expired order had
   taken from an allowance or of a coupon goes back.
2. Money in escrow follows the order: what ended without a collection goes back in full; of an order that fell short,
   and of goods brought back, that part; after the collection the rest waits (rule 7). While a return is asked for it
   waits without end, and after a no of the store's TO_DISPUTE at least. What the store tells after the money was passed
   on is taken from the store.
3. The customer is told once of each state that matters: accepted, ready, short, refused, cancelled, expired, of a
   return the store says no to, and of money that goes back. Who waits for a collection is reminded once, REMIND before
   it expires.
4. The customer may ask to bring goods back while they may, again for what is left once the store has answered. Where
   the two do not agree, or the store has said nothing for OVERDUE after it should have, what was paid online is
   disputed, and the operator decides. A dispute after the money was passed on takes it from the store first.
5. Of an order that is brought home the customer is told when somebody sets out with it, when nobody was met, and when
   it is to be collected after all.
6. A store put back from a copy may tell of goods that were collected long ago as still there: what was collected stays
   so, and the journal says what was told. A network put back from a copy takes orders over with what was paid, and
   their money follows once the provider was asked (`escrow.open_again`). What such an order's store says of its token
   proves nothing.
7. A store's word releases no money. That an order was handed over counts once the customer's token came with it, the
   customer has confirmed it, or the full term is over; all terms run by the network's own clock and by what it knew
   when the order was placed (`time_slots` rule 5). Without proof the customer is told at once, and until when to
   object. Times the store tells delay nothing for the customer either beyond HELD_AT_MOST.
"""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import day_start
from config.database import lock_rows
from config.errors import Invalid, NotFound, Refused, stated
from config.finding import Finding
from config.ids import NETWORK
from config.nodes import facts, journal
from config.nodes.facts import applies, recovers
from config.nodes.journal import Actor, Context
from config.words import language
from pos.messages import OutgoingMessage, Recipient
from pos.reports.slips import local
from pos.store.store import Store, send_fact
from supply.money import credit, escrow
from supply.money.held_payments import Escrow
from supply.online import home_delivery
from supply.online.checkout.order_keys import token_hash
from supply.online.checkout.placing import CUSTOMER
from supply.online.groups.groups import GroupOffer
from supply.online.messages import customer_messages
from supply.online.orders import (
    GIVEN_BACK,
    OPEN,
    STATES,
    PickupLine,
    PickupOrder,
    instant_of,
    kept_until,
    lines_of,
    subject_of,
    text_of,
    write_down,
    write_lines,
)
from supply.online.pickup.returns import MAY_COME_BACK
from supply.online.storefront import availability, coupons, storefront
from supply.online.storefront.time_slots import MOST_RETURN_DAYS, passed_on_at
from supply.online_facts import PickupMoved, PickupPlaced, PickupTaken, ReturnAsked

REMIND = dt.timedelta(hours=12)
OVERDUE = dt.timedelta(hours=24)
TO_DISPUTE = dt.timedelta(hours=48)
"""So long a customer has, once the network knows of the store's no, to ask it to decide."""
CLOCKS_DIFFER = dt.timedelta(hours=1)
HELD_AT_MOST = dt.timedelta(days=14)
"""No store's word lets a paid order wait longer than this after its customer wanted it, before it can be disputed."""
AFTER_COLLECTION = ("collected", "return_asked", "return_refused", "returned")
REPORTED = ("accepted", "ready", "refused", "cancelled", "expired", "short", "return_refused")
_SYSTEM = Actor.system("pickup", NETWORK)


# --- verbs, network ---


@applies(PickupMoved)
def mirror(ctx: Context, moved: PickupMoved) -> None:
    """Take over how an order stands at its store (rule 1); an older step changes nothing. at: when it arrived."""
    _refuse_others(ctx.session, moved.store_id, moved.order_id)
    _refuse_contradiction(moved)
    order = ctx.session.scalar(
        lock_rows(
            ctx.session,
            sa.select(PickupOrder).where(PickupOrder.store_id == moved.store_id, PickupOrder.id == moved.order_id),
        ).execution_options(populate_existing=True)
    )
    is_known = order is not None
    if order is None:
        order = write_down(ctx.session, without_person(moved))
        order.reported_by_store, order.return_days = (
            True,
            availability.rules_of(ctx.session, moved.store_id).return_days,
        )
        storefront.number_used(ctx.session, moved.store_id, moved.number)
        if moved.number > 0:  # what the counter took counts as used there
            coupons.learn(ctx.session, moved.store_id, moved.coupons, moved.order_id, at=order.placed_at)
    _note_hand_over(ctx.session, order, moved, ctx.at)
    if moved.step <= order.step:
        _set_clock(ctx.session, order, ctx.at)  # it may have brought the proof
        return
    if order.state in AFTER_COLLECTION and moved.state not in AFTER_COLLECTION:
        order.step = moved.step  # its store was put back from a copy: the goods are gone all the same (rule 6)
        journal.record(
            Context(ctx.session, _SYSTEM, ctx.at),
            verb="pickup order.reported_back",
            subject=subject_of(order),
            reported=moved.state,
        )
        return
    before, awaited = order.state, awaits_answer(order)
    take_over(order, moved, ctx.at)
    if order.reported_by_store:
        order.paid_minor = moved.paid_minor
    _take_lines(ctx.session, order, moved, before if is_known else None)
    if order.state in GIVEN_BACK:
        coupons.give_back(ctx.session, order.store_id, order.id, at=order.moved_at)
    if order.state != before or (awaited and is_declined(order)):
        _send_customer(ctx.session, order, order.moved_at)
    if moved.delivery is not None:
        _follow_home(ctx.session, order, moved)
    _move_money(ctx.session, order, ctx.at)


def take_over(order: PickupOrder, moved: PickupMoved, at: dt.datetime) -> None:
    """Write down how an order stands as its store told it; neither goods nor money move by it."""
    journal.mirror(order, moved.state)  # a copy, whose steps may arrive in any order
    order.step, order.why, order.total_minor = max(order.step, moved.step), moved.why, moved.total_minor
    order.moved_at = dt.datetime.fromisoformat(moved.moved_at)
    order.ready_by, order.ready_at = instant_of(moved.ready_by), instant_of(moved.ready_at)
    order.hold_until, order.collected_at = instant_of(moved.hold_until), instant_of(moved.collected_at)
    order.collected_by, order.sale_id = moved.collected_by, moved.sale_id
    order.answer_by, order.return_until = instant_of(moved.answer_by), _return_until(order, moved, at)
    order.returned_minor = moved.returned_minor
    order.comes_on = _day_of(moved.comes_on)


def money_came(session: Session, order: PickupOrder, *, at: dt.datetime) -> None:
    """Let money follow an order its store has already: a network put back from a copy had forgotten it (rule 6)."""
    order.paid_minor = escrow.locked(session, order.id).amount_minor
    journal.record(Context(session, _SYSTEM, at), verb="pickup order.paid", subject=subject_of(order))
    _move_money(session, order, at)


def ended_here(session: Session, order: PickupOrder, at: dt.datetime) -> None:
    """Tell the customer of an order that the network ended itself, and send back what was paid (rules 2, 3)."""
    _send_customer(session, order, at)
    _move_money(session, order, at)


@applies(PickupTaken)
@recovers(PickupTaken)
def taken(ctx: Context, placed: PickupTaken) -> None:
    """Learn of an order the store took at its counter whose it is, whichever of its messages came first."""
    _refuse_others(ctx.session, placed.store_id, placed.order_id)
    order = ctx.session.get(PickupOrder, (placed.store_id, placed.order_id))
    order = order or write_down(ctx.session, placed)
    if order.state in OPEN and order.number < 0:  # what has ended may be forgotten already
        order.customer_name, order.customer_phone = placed.customer_name, placed.customer_phone


def remind(session: Session, *, at: dt.datetime) -> int:
    """Remind those whose order is about to expire, once (rule 3); returns how many."""
    query = sa.select(PickupOrder).where(
        PickupOrder.state == "ready", PickupOrder.hold_until > at, PickupOrder.hold_until <= at + REMIND
    )
    brought = sa.select(home_delivery.HomeDelivery.order_id).where(
        home_delivery.HomeDelivery.store_id == PickupOrder.store_id,
        home_delivery.HomeDelivery.state.in_(home_delivery.LIVE),
    )
    query = query.where(PickupOrder.id.not_in(brought))
    reported = [_send(session, order, "reminder", "reminder", at) for order in session.scalars(query)]
    return sum(one is not None for one in reported)


def ask_return(session: Session, store_id: str, token: str, why: str, *, at: dt.datetime) -> PickupOrder:
    """Pass the customer's wish to bring goods back to the store (rule 4); before it answers asking twice is once."""
    order = _by_token(session, store_id, token)
    if awaits_answer(order):
        return order
    if not may_ask_return(order, at):
        raise Refused("too-late-to-return", "The return period for this order has ended. Ask the store.")
    why = stated(why, Invalid("reason-missing", "Describe what is wrong with the products.", field="why"), 300)
    ctx = Context(session, CUSTOMER, at)
    journal.record(ctx, verb="pickup order.return_wished", subject=subject_of(order), why=why)
    order.return_asked_at, order.return_asked_step = at, order.step
    if escrow.escrow_of(session, order.id) is not None:
        escrow.set_clock(ctx, order.id, None)
    fact = ReturnAsked(store_id, order.id, why, text_of(at))
    send_fact(session, fact, subject=subject_of(order), id=f"return-{order.id}-{order.step}", at=at)
    return order


def confirm(session: Session, store_id: str, token: str, *, at: dt.datetime) -> PickupOrder:
    """Take the customer's word that they have what they paid for (rule 7); twice is once."""
    order = _by_token(session, store_id, token)
    if order.state not in AFTER_COLLECTION:
        raise Refused("not-handed-over", "The store has not confirmed your pickup yet. Try again later.")
    if order.proved_at is None and not order.reported_by_store:
        order.proved_at, order.proved_by = at, "customer"
        journal.record(Context(session, CUSTOMER, at), verb="pickup order.confirmed", subject=subject_of(order))
        _set_clock(session, order, at)
    return order


def dispute(session: Session, store_id: str, token: str, why: str, *, at: dt.datetime) -> PickupOrder:
    """Take the customer's word that they did not get what they paid for, or the store's answer is wrong (rule 4)."""
    order = _by_token(session, store_id, token)
    row = escrow.escrow_of(session, order.id)
    is_answered = order.state in ("collected", "returned", "return_refused")
    if row is None or not (is_answered or is_overdue(session, order, at)):
        raise Refused(
            "nothing-to-dispute", "Only online payments that were collected or are long overdue can be disputed here."
        )
    ctx = Context(session, CUSTOMER, at)
    if row.state == "settled":
        escrow.dispute_late(ctx, order.id, why=why, words=order.order_no)
    else:
        escrow.dispute(ctx, order.id, why=why)
    return order


# --- questions ---


def awaits_answer(order: PickupOrder) -> bool:
    """Tell whether a wish to bring goods back waits for the store's answer: nothing came from it since (rule 4)."""
    return order.state == "return_asked" or order.return_asked_step == order.step


def may_ask_return(order: PickupOrder, at: dt.datetime) -> bool:
    """Tell whether the customer may ask to bring back what is left of an order (rule 4)."""
    in_time = order.return_until is not None and at < order.return_until
    return (
        order.state in MAY_COME_BACK and in_time and order.returned_minor < order.total_minor
        and not awaits_answer(order)
    )  # fmt: skip


def is_declined(order: PickupOrder) -> bool:
    """Tell whether the store said no to goods that should come back, or let the wish pass (rule 4)."""
    let_pass = order.state == "collected" and order.return_asked_at is not None and not awaits_answer(order)
    return order.state == "return_refused" or let_pass


def is_overdue(session: Session, order: PickupOrder, at: dt.datetime) -> bool:
    """Tell whether the store should long have handed an order over, or answered a wish to bring goods back (rule 4)."""
    if awaits_answer(order):
        return at >= (order.return_asked_at or order.moved_at) + OVERDUE
    own = max(one for one in (order.placed_at, _window(session, order)[1]) if one is not None)
    reported = [order.answer_by, order.hold_until]
    if order.comes_on is not None:
        store = session.get_one(Store, order.store_id)
        reported.append(day_start(order.comes_on + dt.timedelta(days=1), store.tz, store.rollover_hour))
    due = max([own, *(min(one, own + HELD_AT_MOST) for one in reported if one is not None)])
    return order.state in OPEN and at >= due + OVERDUE


def released_at(session: Session, order: PickupOrder, at: dt.datetime) -> dt.datetime | None:
    """Return when the rest goes on to the store; None while a return waits for its answer (rules 2, 7)."""
    if awaits_answer(order):
        return None
    days = order.return_days
    if days is None:
        days = availability.rules_of(session, order.store_id).return_days
    over = passed_on_at(order.handed_at or at, order.proved_at, days, *_window(session, order))
    return max(over, at + TO_DISPUTE) if is_declined(order) else over


def findings(session: Session, here: str, store_id: str | None = None) -> list[Finding]:
    """Return the orders at the network that were paid online and whose money lies in no escrow (rule 6)."""
    if here != NETWORK:
        return []
    kept = sa.exists().where(Escrow.id == PickupOrder.id, Escrow.state != "lapsed")
    query = sa.select(PickupOrder).where(PickupOrder.paid_minor > 0, PickupOrder.number > 0, ~kept)
    if session.scalar(sa.select(Escrow.id).limit(1)) is not None:  # of what a store alone says the provider was asked
        query = query.where(PickupOrder.reported_by_store.is_(False))
    orders = session.scalars(query if store_id is None else query.where(PickupOrder.store_id == store_id))
    return [
        Finding("K13", subject_of(order), f"{order.paid_minor} paid online, in an escrow", "none") for order in orders
    ]


# --- inside ---


def _refuse_others(session: Session, store_id: str, order_id: str) -> None:
    """Refuse what a store says of an order that another one is paid for: its money is found by the order's id."""
    row = escrow.escrow_of(session, order_id)
    if row is not None:
        facts.refuse_stranger(store_id, row.store_id)


def _by_token(session: Session, store_id: str, token: str) -> PickupOrder:
    query = sa.select(PickupOrder).where(PickupOrder.store_id == store_id, PickupOrder.token_hash == token_hash(token))
    order = session.scalar(lock_rows(session, query))
    if order is None:
        raise NotFound("unknown-order", "Order not found at this store. Use the link you got when ordering.")
    return order


def _move_money(session: Session, order: PickupOrder, at: dt.datetime) -> None:
    """Let the escrow follow the order (rule 2)."""
    row = escrow.escrow_of(session, order.id)
    ctx = Context(session, _SYSTEM, at)
    if row is None and order.paid_minor > 0 and order.number > 0:
        escrow.open_again(ctx, order.id, order.store_id, order.paid_minor, order.currency)
    if row is None or row.state not in ("held", "disputed", "settled"):
        return
    keep_minor = 0 if order.state in GIVEN_BACK else order.total_minor - order.returned_minor
    back_minor = max(0, escrow.balance(session, row.id) - keep_minor)
    if row.state == "settled":
        words = order.order_no
        entry = escrow.take_back(
            ctx,
            row.id,
            keep_minor,
            is_covered=lambda: credit.covers_late_refund(session, order.store_id),
            why=order.state,
            words=words,
        )
    elif escrow.was_taken_back(session, row.id) and not credit.covers_late_refund(session, order.store_id):
        entry = None  # it waits for the operator
    else:
        entry = escrow.refund(ctx, row.id, back_minor, why=order.state)
    if entry is not None:
        _send(session, order, "refunded", f"refunded-{entry.id}", at, amount_minor=entry.amount_minor)
    _set_clock(session, order, at)


def _set_clock(session: Session, order: PickupOrder, at: dt.datetime) -> None:
    if order.state in AFTER_COLLECTION and escrow.escrow_of(session, order.id) is not None:
        proved = order.proved_at is not None
        escrow.set_clock(Context(session, _SYSTEM, at), order.id, released_at(session, order, at), proved=proved)


def _refuse_contradiction(moved: PickupMoved) -> None:
    """Refuse a state no order has, and a hand-over without what comes with each (rule 7)."""
    if moved.state not in STATES.moves:
        raise Invalid("unknown-state", "An order cannot be %(state)s.", state=f"{moved.state!r}", order=moved.order_id)
    reported = (moved.ready_at, moved.collected_at, moved.return_until, moved.sale_id)
    if moved.state in AFTER_COLLECTION and not all(reported):
        raise Invalid(
            "never-ready", "Order %(order_no)s was reported as handed over, but was never ready or sold.",
            order_no=moved.order_no, order=moved.order_id,
        )  # fmt: skip


def _note_hand_over(session: Session, order: PickupOrder, moved: PickupMoved, at: dt.datetime) -> None:
    """Note when the network first heard of a hand-over, and the token that proves it (rule 7)."""
    if moved.state not in AFTER_COLLECTION:
        return
    order.handed_at = order.handed_at or at
    if not moved.proof or order.reported_by_store or order.proved_at is not None:
        return
    if token_hash(moved.proof) != order.token_hash:
        raise Refused(
            "not-their-code", "This is not the customer's code for order %(order_no)s.", order_no=order.order_no
        )
    order.proved_at, order.proved_by = at, "token"
    journal.record(Context(session, _SYSTEM, at), verb="pickup order.proved", subject=subject_of(order))


def _window(session: Session, order: PickupOrder) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return when the customer may come, as the network knows by itself: of a group's share from its vehicle day on."""
    group = session.get(GroupOffer, order.group_id) if order.group_id else None
    if group is None:
        return order.window_from, order.window_until
    store = session.get_one(Store, order.store_id)
    first, last = (
        day_start(day, store.tz, store.rollover_hour)
        for day in (group.vehicle_day, group.pickup_until + dt.timedelta(1))
    )
    return first, last


def _return_until(order: PickupOrder, moved: PickupMoved, at: dt.datetime) -> dt.datetime | None:
    """Return until when goods may come back: as long after the collection as the store's rules were (rule 7).

    A moment before the order was placed, or after it was told, is that of a clock gone wrong: the collection counts as
    made when it was told.
    """
    reported, collected = instant_of(moved.return_until), instant_of(moved.collected_at)
    if reported is None or collected is None:
        return reported
    days = dt.timedelta(days=MOST_RETURN_DAYS) if order.return_days is None else dt.timedelta(days=order.return_days)
    if order.return_days is None:  # at the store, whose own rules are in what it told
        days = min(max(reported - collected, dt.timedelta(0)), days)
    is_sound = order.placed_at <= collected <= at + CLOCKS_DIFFER
    return collected + days if is_sound else order.return_until or at + days


def _follow_home(session: Session, order: PickupOrder, moved: PickupMoved) -> None:
    """Take over how far an order is on its way, and tell its customer what they wait for (rule 5)."""
    row, before = home_delivery.mirror(session, order.store_id, order.id, moved.delivery or {})
    if row.state == before:
        return
    kind = {"on_the_way": "on_the_way", "failed": "not_met", "to_collect": "ready"}.get(row.state)
    if kind and order.state == "ready":
        _send(session, order, kind, f"{row.state}-{order.step}", order.moved_at)


def _send_customer(session: Session, order: PickupOrder, at: dt.datetime) -> None:
    if order.state == "ready" and home_delivery.is_live(home_delivery.of_order(session, order.store_id, order.id)):
        return  # told when somebody sets out with it
    if order.state in REPORTED:
        _send(session, order, order.state, f"{order.state}-{order.step}", at)
    elif is_declined(order):
        _send(session, order, "return_refused", f"declined-{order.step}", at)
    elif order.state == "collected" and order.proved_at is None and escrow.holds(session, order.id):
        until = released_at(session, order, at)
        assert until is not None
        _send(session, order, "handed_over", "handed_over", at, until=until)


def _send(
    session: Session, order: PickupOrder, kind: str, event: str, at: dt.datetime, *,
    until: dt.datetime | None = None, amount_minor: int = 0,
) -> OutgoingMessage | None:  # fmt: skip
    store = session.get_one(Store, order.store_id)
    until = until or (kept_until(store, order.hold_until) if order.hold_until else None)
    to = Recipient(order.email, order.customer_phone, order.language or store.language)
    say = language(to.language, store.tz)
    facts = {
        "store": store.name, "order_no": order.order_no, "order_id": order.id, "slug": store.slug, "why": order.why,
        "until": say.moment(local(until, store)) if until else "", "amount": say.money(amount_minor, order.currency),
    }  # fmt: skip
    return customer_messages.send(session, store.id, kind, to, id=f"{order.id}-{event}", facts=facts, at=at)


def _take_lines(session: Session, order: PickupOrder, moved: PickupMoved, before: str | None) -> None:
    """Take over the lines, and count again what they take from the allowances where a step changes that; most do not.

    before: the state the order had here; None: it was not known.
    """
    there = {line.sku: line for line in lines_of(session, order)}
    held = {} if before is None else _held(before, there.values())
    for line in moved.lines:
        if line.sku in there:
            there[line.sku].picked_qty = line.picked_qty  # `awaited` stays: it never took from the allowance
    fresh = [line for line in moved.lines if line.sku not in there]
    write_lines(session, order, fresh)
    session.flush()
    holds = _held(order.state, lines_of(session, order) if fresh else there.values())
    if changed := [sku for sku in {*held, *holds} if held.get(sku) != holds.get(sku)]:
        storefront.recount(session, moved.store_id, changed)


def _held(state: str, lines: Iterable[PickupLine]) -> dict[str, int]:
    """Return SKU -> what an order in this state holds of the store's allowance."""
    if state in GIVEN_BACK:
        return {}
    return {line.sku: line.qty if line.picked_qty is None else line.picked_qty for line in lines if not line.awaited}


def _day_of(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def without_person(moved: PickupMoved) -> PickupPlaced:
    """Return the order a move tells of as it was placed, without whose it is."""
    return PickupPlaced(
        store_id=moved.store_id,
        order_id=moved.order_id,
        number=moved.number,
        order_no=moved.order_no,
        customer_name="",
        customer_phone="",
        code_hash=moved.code_hash,
        token_hash=moved.token_hash,
        currency=moved.currency,
        total_minor=moved.total_minor,
        placed_at=moved.placed_at,
        lines=moved.lines,
        window_from=moved.window_from,
        window_until=moved.window_until,
        if_short=moved.if_short,
        paid_minor=moved.paid_minor,
        group_id=moved.group_id,
        comes_on=moved.comes_on,
        coupons=moved.coupons,
        member=moved.member,
    )
