"""Goods brought back: another sale of negative lines, each pointing at the line it undoes.

Rules
-----
1. Never more than was sold comes back of a line, over all its returns together, whoever asks at the same time (I9).
2. Money back is the line's own: however a line comes back in parts, the parts sum to what was paid for it. Its
   deposit comes back with it.
3. Goods that can be sold again go onto the floor, others to waste; cash is rounded with the sale's own rule.
4. How the money goes back is planned (`refund_routes`), and `plan` tells it before anybody is asked for money.
5. The original is never touched. A return has its own id, receipt number and fact.
6. What was paid online goes back online, by the pickup page alone: the network keeps that money (`prepaid`).
7. Without a receipt, goods come back at a typed price, at most what they would cost now, by those who may
   (`take_back.blind`).
8. A provider refunds a payment before its return is completed: only by who may take back, or was given leave for it.
9. The payment belongs to the sale whose goods come back, and no more of it goes back than the return's plan says:
   another return of that receipt for which money was refunded is finished first.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.database import lock_rows
from config.errors import Invalid, NotFound, Refused
from config.money import round_cash
from config.nodes import journal
from config.nodes.journal import Actor
from pos.catalogue import catalogue, offers
from pos.facts import Moved, SoldLine, sold_line
from pos.payments import requests
from pos.payments.payments import REFUND_TENDERS, Payment, Tender, settle
from pos.pricing.pricing import BasketLine, ProductView, charge, part_of
from pos.sale import quoting, refund_routes, tenders
from pos.sale.refund_routes import Plan
from pos.sale.sale import Completed, Draft, finish, known
from pos.sale.sale_request import BroughtBack, RungLine
from pos.sold import Sale, SaleLine, lines_of
from pos.stock import stock
from pos.store import approvals
from pos.store.approvals import Need, takes_back
from pos.till.counter import Counter, at_counter, habits_of, open_counter

LONGEST_REASON = 200


@dataclass(frozen=True)
class ReturnRequest:
    """What comes back of one sale, and how the money is given back.

    lines: (line number on the receipt, qty > 0[, restock]); restock: what lines say that do not say it themselves.
    """

    id: str
    store_id: str
    till_id: str
    sale_id: str
    lines: Sequence[tuple[int, int] | tuple[int, int, bool]]
    tender: str = "cash"
    reference: str = ""
    restock: bool = True
    why: str = ""
    approvals: Sequence[str] = ()
    customer_id: str | None = None
    online: bool = False
    """It was paid online, and the network gives the money back (rule 6)."""

    def hash(self) -> str:
        """Return the hash of the request's content, by which the same command is known again."""
        content = {**vars(self), "lines": [list(row) for row in self.lines]}
        del content["approvals"], content["online"]
        return hashlib.sha256(journal.canonical(content).encode()).hexdigest()


@dataclass(frozen=True)
class BlindReturnRequest:
    """What comes back without a receipt: (sku, qty > 0, price_minor typed, restock)."""

    id: str
    store_id: str
    till_id: str
    lines: Sequence[tuple[str, int, int, bool]]
    why: str
    tender: str = "cash"
    reference: str = ""
    approvals: Sequence[str] = ()
    customer_id: str | None = None

    def hash(self) -> str:
        """Return the hash of the request's content, by which the same command is known again."""
        content = {**vars(self), "lines": [list(row) for row in self.lines]}
        del content["approvals"]
        return hashlib.sha256(journal.canonical(content).encode()).hexdigest()


# --- verbs ---


def take_back(session: Session, request: ReturnRequest, *, actor: Actor, at: dt.datetime) -> Completed:
    """Take goods back and return their money: everything in this transaction, or nothing (rules 1 to 6).

    The same id with the same content answers the same return; with another it is a Conflict.
    """
    _check("card" if request.online else request.tender, request.why)
    counter = at_counter(session, request.store_id, request.till_id)
    request_hash = request.hash()
    if (again := known(session, request.store_id, request.id, request_hash)) is not None:
        return again
    counter = open_counter(counter, request.till_id)
    need = takes_back(request.sale_id, [(n, qty) for n, qty, *_ in request.lines])
    approvals.require(session, request, [need], actor=actor, at=at)
    original = original_of(session, request.store_id, request.sale_id)
    refuse_paid_online(session, original, online=request.online)
    tender = "prepaid" if request.online else request.tender
    back = _undone(session, original, _tidy(request.lines, restock=request.restock), first_n=1)
    lines = tuple(line for line, _ in back)
    due_minor = -sum(line.total_minor for line in lines)
    ways = refund_routes.plan(session, original, request.id, due_minor, tender, coin_minor=counter.smallest_coin_minor)
    customer_id = refund_routes.customer_of(session, original) or request.customer_id
    draft = Draft(
        id=request.id,
        kind="return",
        channel=original.channel,
        lines=lines,
        settled=ways.settled(request.reference),
        request_hash=request_hash,
        moves=(),
        returns_receipt_no=original.receipt_no,
        why=request.why.strip() or None,
        customer={"id": customer_id} if customer_id else None,
    )
    return _finish(session, draft, counter, back, actor=actor, at=at)


def take_back_blind(session: Session, request: BlindReturnRequest, *, actor: Actor, at: dt.datetime) -> Completed:
    """Take goods back that nobody has the receipt of (rule 7); all or nothing, and once however often it is sent."""
    _check(request.tender, request.why, wants_reason=True)
    counter = at_counter(session, request.store_id, request.till_id)
    request_hash = request.hash()
    if (again := known(session, request.store_id, request.id, request_hash)) is not None:
        return again
    counter = open_counter(counter, request.till_id)
    covers = {"lines": [[sku, qty, price_minor] for sku, qty, price_minor, _ in request.lines]}
    need = Need("take_back.blind", "goods brought back without a receipt", covers=covers)
    approvals.require(session, request, [need], actor=actor, at=at)
    back = _typed(session, request, counter, at)
    lines = tuple(line for line, _ in back)
    due_minor = sum(line.total_minor for line in lines)
    coin_minor = counter.smallest_coin_minor if request.tender == "cash" else 1
    tender = Tender(request.tender, round_cash(due_minor, coin_minor), request.reference)
    settled = settle([tender], due_minor, smallest_coin_minor=coin_minor, currency=counter.currency, channel="counter")
    draft = Draft(
        id=request.id,
        kind="return",
        channel="counter",
        lines=lines,
        settled=settled,
        request_hash=request_hash,
        moves=(),
        why=request.why.strip(),
        customer={"id": request.customer_id} if request.customer_id else None,
    )
    return _finish(session, draft, counter, back, actor=actor, at=at)


def refuse_paid_online(session: Session, original: Sale, *, online: bool) -> None:
    """Raise Refused where money paid online would be given back another way, or other money online (rule 6)."""
    paid_online = session.scalar(
        sa.select(Payment.id)
        .where(Payment.store_id == original.store_id, Payment.sale_id == original.id, Payment.tender == "prepaid")
        .limit(1)
    )
    if paid_online is not None and not online:
        reported = "This was paid online: take it back on the Pickup page, and the money goes back by itself."
        raise Refused("paid-online", reported)
    if online and paid_online is None:
        raise Refused("not-paid-online", "This was not paid online. Give the money back in cash or to the card.")


# --- questions ---


def plan(
    session: Session,
    store_id: str,
    sale_id: str,
    lines: Sequence[tuple[int, int]],
    tender: str,
    return_id: str,
    *,
    but: str = "",
) -> Plan:
    """Return how the money would go back for these lines, (line number, qty > 0), by this tender; writes nothing."""
    _check(tender, "")
    original = original_of(session, store_id, sale_id)
    refuse_paid_online(session, original, online=False)
    back = _undone(session, original, _tidy(lines, restock=True), first_n=1)
    due_minor = -sum(line.total_minor for line, _ in back)
    coin_minor = habits_of(session, store_id).smallest_coin_minor
    return refund_routes.plan(session, original, return_id, due_minor, tender, coin_minor=coin_minor, but=but)


def returned_qty(session: Session, store_id: str, sale_id: str) -> dict[int, int]:
    """Return how many units of each line of a sale came back so far: line number -> units."""
    query = sa.select(SaleLine.returns_n, sa.func.sum(-SaleLine.qty)).where(
        SaleLine.store_id == store_id, SaleLine.returns_sale_id == sale_id
    )
    return {int(n or 0): int(qty) for n, qty in session.execute(query.group_by(SaleLine.returns_n))}


def negative_lines(
    session: Session, store_id: str, brought: Sequence[BroughtBack], *, first_n: int
) -> list[tuple[SoldLine, bool]]:
    """Return the lines of an exchange that come back, each with whether it goes onto the floor (rules 1, 2)."""
    by_sale: dict[str, dict[int, tuple[int, bool]]] = {}
    for row in brought:
        wanted = by_sale.setdefault(row.sale_id, {})
        qty, _ = wanted.get(row.n, (0, True))
        wanted[row.n] = (qty + _positive(row.n, row.qty), row.restock)
    lines: list[tuple[SoldLine, bool]] = []
    for sale_id, wanted in sorted(by_sale.items()):
        original = original_of(session, store_id, sale_id)
        refuse_paid_online(session, original, online=False)
        refund_routes.refuse_under_way(session, original, "")
        lines += _undone(session, original, wanted, first_n=first_n + len(lines))
    return lines


def original_of(session: Session, store_id: str, sale_id: str) -> Sale:
    """Return the sale whose goods come back, its row locked; NotFound for what is no sale."""
    query = sa.select(Sale).where(Sale.store_id == store_id, Sale.id == sale_id)
    sale: Sale | None = session.scalar(lock_rows(session, query))
    if sale is None or sale.kind not in ("sale", "exchange") or sale.state != "completed":
        raise NotFound("no-such-sale", "This receipt is not in the books. Look the sale up again.", id=sale_id)
    return sale


@dataclass(frozen=True)
class GiveBack:
    """The wish to give money back. id: the return's, not completed yet; lines: what it states, (line number, qty)."""

    id: str
    store_id: str
    sale_id: str
    payment_id: str
    back_id: str
    amount_minor: int
    lines: Sequence[tuple[int, int]]
    approvals: Sequence[str] = ()


def allow_refund(session: Session, wish: GiveBack, *, actor: Actor, at: dt.datetime) -> None:
    """Raise Refused unless this much of this payment goes back for this return (rules 8, 9)."""
    need = takes_back(wish.sale_id, wish.lines)
    approvals.require(session, wish, [need], actor=actor, at=at, spend=False)  # the return itself uses it up
    payment = requests.payment_of(session, wish.store_id, wish.payment_id)
    if payment.claimed_by != wish.sale_id:
        raise Refused(
            "payment-of-another-sale", "That payment belongs to another sale than the receipt that comes back."
        )
    if not wish.lines:
        raise Invalid("empty-basket", "Choose what comes back.")
    planned = plan(session, wish.store_id, wish.sale_id, wish.lines, payment.tender, wish.id, but=wish.back_id)
    most_minor = sum(way.amount_minor for way in planned.ways if way.payment_id == payment.id and way.how == "ask")
    if wish.amount_minor > most_minor:
        raise Refused("more-than-returned", "That is more than this return gives back.", most_minor=most_minor)


# --- inside ---


def _check(tender: str, why: str, *, wants_reason: bool = False) -> None:
    if tender not in REFUND_TENDERS:
        raise Invalid("unknown-tender", "Money goes back in cash or to the card.", tender=tender)
    if len(why) > LONGEST_REASON or (wants_reason and not why.strip()):
        raise Invalid("no-reason", "Say in a few words why the goods come back.")


def _positive(n: int, qty: int) -> int:
    if type(qty) is not int or qty <= 0:
        raise Invalid("bad-quantity", "Type how many come back: 1 or more.", line=n, qty=qty)
    return qty


def _tidy(lines: Sequence[tuple[int, int] | tuple[int, int, bool]], *, restock: bool) -> dict[int, tuple[int, bool]]:
    wanted: dict[int, tuple[int, bool]] = {}
    for n, qty, *said in lines:
        before, _ = wanted.get(n, (0, True))
        wanted[n] = (before + _positive(n, qty), bool(said[0]) if said else restock)
    if not wanted:
        raise Invalid("empty-basket", "Choose what comes back.")
    return wanted


def _undone(
    session: Session, original: Sale, wanted: dict[int, tuple[int, bool]], *, first_n: int
) -> list[tuple[SoldLine, bool]]:
    """Return the negative lines, or refuse, naming every line of which less is left than is brought back."""
    sold = {line.n: line for line in lines_of(session, original)}
    back = returned_qty(session, original.store_id, original.id)
    for line in sold.values():
        if line.deposit_of in wanted and line.n not in wanted:
            wanted = wanted | {line.n: wanted[line.deposit_of]}
    left = {n: line.qty - back.get(n, 0) if line.qty > 0 else 0 for n, line in sold.items()}
    over = [
        {"line": n, "name": sold[n].name if n in sold else "", "wanted": qty, "left": left.get(n, 0)}
        for n, (qty, _) in sorted(wanted.items())
        if qty > left.get(n, 0)
    ]
    if over:
        reported = "; ".join(f"{row['name'] or row['line']}: {row['left']} left to return" for row in over)
        raise Refused("more-than-sold", f"That is more than was sold. {reported}.", lines=over)
    if vouchers := [sold[n].name for n in wanted if sold[n].kind == "voucher"]:
        raise Refused("voucher-sold", f"{', '.join(vouchers)}: a voucher is not taken back, it is spent here.")
    return [
        (_negative(number, sold[n], back.get(n, 0), qty), restock)
        for number, (n, (qty, restock)) in enumerate(sorted(wanted.items()), first_n)
    ]


def _negative(number: int, line: SaleLine, before_qty: int, qty: int) -> SoldLine:
    def part(minor: int | None) -> int:
        return part_of(minor or 0, line.qty, before_qty, qty)

    return SoldLine(
        n=number,
        sku=line.sku,
        name=line.name,
        qty=-qty,
        stock_unit=line.stock_unit,
        unit_price_minor=line.unit_price_minor,
        price_quantity=line.price_quantity,
        discount_minor=-part(line.discount_minor),
        offer=line.offer,
        total_minor=-part(line.total_minor),
        net_minor=part(line.tax_minor) - part(line.total_minor),
        tax_minor=-part(line.tax_minor),
        tax_class_id=line.tax_class_id,
        tax_letter="",
        rate_bp=line.rate_bp,
        returns_sale_id=line.sale_id,
        returns_n=line.n,
        kind=line.kind,
        amount_minor=None if line.amount_minor is None else -part(line.amount_minor),
        list_price_minor=line.list_price_minor,
        price_type=line.price_type,
        manual_discount_minor=-part(line.manual_discount_minor),
        batch=line.batch,
        expires_on=line.expires_on.isoformat() if line.expires_on else None,
        cost_minor=None if line.cost_minor is None else -part(line.cost_minor),
        top_category=line.top_category,
    )


def _typed(
    session: Session, request: BlindReturnRequest, counter: Counter, at: dt.datetime
) -> list[tuple[SoldLine, bool]]:
    if not request.lines:
        raise Invalid("empty-basket", "Choose what comes back.")
    day = business_day(at, counter.tz, counter.rollover_hour)
    views = catalogue.to_sell(session, request.store_id, [row[0] for row in request.lines], day)
    most = _worth_today(session, request, views, day, at.astimezone(ZoneInfo(counter.tz)).replace(tzinfo=None))
    lines: list[tuple[SoldLine, bool]] = []
    for n, (sku, qty, price_minor, restock) in enumerate(request.lines, 1):
        view = views[sku]
        _positive(n, qty)
        if view.kind not in ("goods", "service"):
            raise Refused("not-returnable", f"{view.name} is not taken back without its receipt.", sku=sku)
        if type(price_minor) is not int or not price_minor >= 0:
            raise Invalid("bad-price", "A price is not negative and not absurdly large.", price_minor=price_minor)
        priced = charge(
            BasketLine(
                sku,
                -qty,
                replace(view, price_minor=price_minor),
                "typed",
                None if view.price_typed else view.price_minor,
            )
        )
        if not view.price_typed and -priced.total_minor > most[n - 1]:
            raise Refused(
                "above-price",
                f"{view.name} costs less than that today. Without a receipt give back today's price at most, "
                "offers taken off.",
                sku=sku,
                most_minor=most[n - 1],
            )
        lines.append((sold_line(n, priced), restock))
    return lines


def _worth_today(
    session: Session, request: BlindReturnRequest, views: Mapping[str, ProductView], day: dt.date, wall: dt.datetime
) -> dict[int, int]:
    """Return what each line would cost bought now, however many one customer may buy: its place -> amount."""
    bare = {sku: replace(view, deposit_sku=None, maximum_qty=None) for sku, view in views.items()}
    rung = [
        RungLine(sku, _positive(n, qty), price_minor if bare[sku].price_typed else None)
        for n, (sku, qty, price_minor, _) in enumerate(request.lines, 1)
    ]
    live = offers.live(session, request.store_id, day)
    quoted = quoting.price_known(session, request.store_id, rung, bare, live, wall=wall)
    return {int(line.line.asked or 0): line.total_minor for line in quoted.basket.lines if line.line}


def _finish(
    session: Session,
    draft: Draft,
    counter: Counter,
    back: Sequence[tuple[SoldLine, bool]],
    *,
    actor: Actor,
    at: dt.datetime,
) -> Completed:
    day = business_day(at, counter.tz, counter.rollover_hour)
    moves: list[Moved] = []
    for restock in (True, False):
        goods = [(line.sku, -line.qty) for line, keeps in back if keeps is restock and line.kind == "goods"]
        if goods:
            moves += stock.take_back(
                session, counter.store_id, goods, sale_id=draft.id, restock=restock, day=day, at=at, actor=actor
            )
    draft = replace(draft, moves=tuple(moves))
    draft = tenders.settle_accounts(session, draft, counter.store_id, at=at, actor=actor)
    return finish(session, draft, counter, day=day, at=at, actor=actor)
