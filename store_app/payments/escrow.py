"""Asking the provider about money that waits to come into escrow or to go back out of it.

Rules
-----
1. The provider is asked outside of any transaction; what it answers is written in one of its own, together with what
   it means for the order or the group.
2. An escrow not paid in time lapses, and its order is called off; the provider is told to stop, again and again until
   it says how it ended. Whatever goes wrong while asking is no answer.
3. What goes back goes back once: the due entry's id is the provider's key. It is asked for until the provider confirms
   it, at growing pauses, at once where a person wants it.
4. A provider with a page of its own goes first, where this node has a public address to send the customer back to. How
   the customer came back says nothing.
5. A provider's notice books nothing: it makes the node ask. What the customer's bank takes back waits for the operator.
"""

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from config.errors import DomainError
from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from config.settings import Settings
from config.words import N_
from pos.payments.providers import FINAL, NEVER_SEEN, ONLINE, Outcome, Provider, Request
from pos.store.store import store_of
from store_app.payments import order_tokens
from store_app.payments.providers import providers
from store_app.runtime.doors import Doors
from supply.money import escrow, refunds
from supply.money.held_payments import Escrow
from supply.money.refunds import Refund
from supply.online.checkout import placing
from supply.online.groups import groups
from supply.online.groups.groups import GroupMember
from supply.online.orders import PickupOrder, order_for_update
from supply.online.pickup import escrow_release, order_copy
from supply.sync import online

ACTOR = Actor.system("escrow", NETWORK)
WAY = "store_code"


def provider_for(doors: Doors) -> Provider | None:
    """Return who takes money online at this node, None where nobody does (rule 4)."""
    known = providers(doors.settings)
    return (known.for_way(ONLINE) if doors.settings.public_url else None) or known.for_way(WAY)


def ask(doors: Doors, id: str) -> str:
    """Ask about one escrow now; returns the state it is in (rules 1, 2)."""
    with doors.read() as session:
        row = session.get_one(Escrow, id)
        request = _request(session, row, doors.settings)
        provider, tries, state, pay_by = row.provider, row.tries, row.state, row.pay_by
    if state not in ("awaited", "lapsed"):
        return state
    outcome = _asked(doors, provider, request, begin=tries == 0, is_over=state == "lapsed" or doors.now() >= pay_by)
    with doors.write() as session:
        _hold(session, session.get_one(Escrow, id))
        came = escrow.settle_outcome(Context(session, ACTOR, doors.now()), id, outcome)
        row = session.get_one(Escrow, id)
        if row.state == "awaited" and doors.now() >= row.pay_by:
            came = "lapsed"
        _mean(session, row, came, doors.now())
        return row.state


def ask_due(doors: Doors) -> int:
    """Ask about everything that is due, send back what is to go back, pass on what may be; returns how many."""
    with doors.read() as session:
        asked = [row.id for row in escrow.to_ask(session, doors.now())]
        back = [row.id for row in refunds.due(session, doors.now())]
        free = [row.id for row in escrow.to_release(session, doors.now())]
    for escrow_id in asked:
        ask(doors, escrow_id)
    for refund_id in back:
        send_back(doors, refund_id)
    for escrow_id in free:
        with doors.write() as session:
            row, now = escrow.locked(session, escrow_id), doors.now()
            # what was asked meanwhile may have changed it
            if row.state == "held" and row.release_at is not None and row.release_at <= now:
                escrow_release.pass_on(Context(session, ACTOR, now), escrow_id, why="collected")
    return len(asked) + len(back) + len(free)


def told(doors: Doors, escrow_id: str) -> None:
    """Ask about a payment that its provider sent a notice of (rule 5)."""
    with doors.read() as session:
        row = session.get_one(Escrow, escrow_id)
        request, state, name = _request(session, row, doors.settings), row.state, row.provider
    if state in ("awaited", "lapsed"):
        ask(doors, escrow_id)
    elif providers(doors.settings).named(name).query(request, at=doors.now()).disputed:
        with doors.write() as session:
            row = session.get_one(Escrow, escrow_id)
            _hold(session, row)
            escrow.charged_back(Context(session, ACTOR, doors.now()), escrow_id, words=_named(session, row))


def send_back(doors: Doors, refund_id: str) -> str:
    """Ask the provider now to give money back; returns the state its refund is in (rule 3)."""
    with doors.read() as session:
        one = session.get_one(Refund, refund_id)
        row, state, amount_minor = session.get_one(Escrow, one.escrow_id), one.state, one.amount_minor
        request, name = _request(session, row, doors.settings), row.provider
    if state != "waiting":
        return state
    try:
        outcome = providers(doors.settings).named(name).reverse(request, amount_minor, key=refund_id, at=doors.now())
    except DomainError as fault:
        outcome = Outcome.unknown(fault.message)
    with doors.write() as session:
        if outcome.state == "captured":
            escrow.refunded(Context(session, ACTOR, doors.now()), refund_id)
        else:
            refunds.not_yet(session, refund_id, outcome, at=doors.now())
        asked = session.get_one(Refund, refund_id)
        online.send_refund(session, asked, doors.now())
        return asked.state


# --- inside ---


def _hold(session: Session, row: Escrow) -> None:
    """Lock what the money is for before the money, as everybody does who moves both: else two would wait for ever."""
    if row.purpose == "group":
        groups.locked(session, session.get_one(GroupMember, row.id).group_id)
    else:
        order_for_update(session, row.store_id, row.id)


def _named(session: Session, row: Escrow) -> str:
    """Return what a payment was for, as the store's ledger names it."""
    order = session.get(PickupOrder, (row.store_id, row.id))
    return order.order_no if order is not None else row.id


def _mean(session: Session, row: Escrow, came: str, at: dt.datetime) -> None:
    """Let the order or the group follow its money."""
    ctx = Context(session, ACTOR, at)
    if row.purpose == "group":
        if came == "held":
            groups.paid(session, row.id, at=at)
        elif came == "lapsed":
            groups.unpaid(ctx, row.id)
        return
    if came not in ("held", "lapsed"):
        return
    order = order_for_update(session, row.store_id, row.id)
    if came == "held" and order.step:
        order_copy.money_came(session, order, at=at)
    elif came == "held":
        placing.paid(session, order, at=at)
    elif order.state == "placed":
        placing.unpaid(ctx, order, why=N_("It was not paid in time."))


def _asked(doors: Doors, name: str, request: Request, *, begin: bool, is_over: bool) -> Outcome:
    """Ask the provider, and tell it to stop what is over (rule 2); what it never saw begins again."""
    try:
        provider = providers(doors.settings).named(name)
        request = replace(request, way=ONLINE if ONLINE in provider.ways else WAY)
        never_asked = begin and not is_over
        outcome = (provider.begin if never_asked else provider.query)(request, at=doors.now())
        if is_over and outcome.state not in FINAL:
            outcome = provider.cancel(request, at=doors.now())
        elif not is_over and outcome.reason == NEVER_SEEN:
            outcome = provider.begin(request, at=doors.now())
    except DomainError as fault:
        outcome = Outcome.unknown(fault.message)
    return outcome


def _request(session: Session, row: Escrow, settings: Settings) -> Request:
    store = store_of(session, row.store_id)
    kind = "member" if row.purpose == "group" else "order"
    page = order_tokens.address_of(settings, store.slug, store.id, row.id, kind)
    return Request(
        id=row.id, sale_id=row.id, till_id="ONLINE", way=WAY, amount_minor=row.amount_minor, currency=row.currency,
        merchant=store.name, city=store.address, country=settings.nation, reference=row.reference, until=row.pay_by,
        return_to=f"{page}/paid" if page else "",
    )  # fmt: skip
