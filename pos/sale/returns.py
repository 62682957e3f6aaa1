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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.ids import new_id
from config.money import part_of, round_cash
from config.nodes.journal import Context
from pos.facts import Moved, SoldLine, sold_line
from pos.payments import requests
from pos.payments.payments import Tendered, settle
from pos.payments.tenders import CASH, PREPAID, tender_of
from pos.pricing.pricing import BasketLine, ProductView, charge
from pos.sale import quoting, refund_routes
from pos.sale.draft import Draft, write
from pos.sale.quoting import Shelf
from pos.sale.refund_routes import Plan, Receipt
from pos.sale.sale_request import BlindReturnRequest, BroughtBack, ReturnRequest, RungLine
from pos.sale.situation import Situation, look_back, look_blind
from pos.sold import Completed, SaleLine
from pos.stock.ledger import Place, tidy
from pos.store import approvals
from pos.store.approvals import Need, takes_back
from pos.till import drawer_cash
from pos.till.counter import habits_of, open_counter

LONGEST_REASON = 200
Back = Sequence[tuple[SoldLine, bool]]
"""Negative lines, each with whether its goods can be sold again."""


# --- verbs ---


def take_back(ctx: Context, request: ReturnRequest) -> Completed:
    """Take goods back and return their money: everything in this transaction, or nothing (rules 1 to 6).

    The same id with the same content answers the same return; with another it is a Conflict.
    """
    _check(CASH if request.online else request.tender, request.why)
    situation = look_back(ctx, request)
    return situation.again or write(ctx.session, decide(request, situation))


def take_back_blind(ctx: Context, request: BlindReturnRequest) -> Completed:
    """Take goods back that nobody has the receipt of (rule 7); all or nothing, and once however often it is sent."""
    _check(request.tender, request.why, wants_reason=True)
    situation = look_blind(ctx, request)
    return situation.again or write(ctx.session, decide_blind(request, situation))


# --- decisions: PURE ---


def decide(request: ReturnRequest, situation: Situation) -> Draft:
    """Decide what comes back of a receipt, and how its money goes back."""
    counter = open_counter(situation.counter, request.till_id)
    leave = approvals.allow(situation.leave, [takes_back(request.sale_id, [(n, qty) for n, qty, *_ in request.lines])])
    receipt = situation.receipt
    assert receipt is not None
    refuse_paid_online(receipt, online=request.online)
    tender = PREPAID if request.online else request.tender
    back = _undone(receipt, _tidy(request.lines, restock=request.restock), first_n=1)
    moved = moves_back(back)
    due_minor = -sum(line.total_minor for line, _ in back)
    ways = refund_routes.plan(receipt, request.id, due_minor, tender, coin_minor=counter.smallest_coin_minor)
    draft = Draft(
        request.id, "return", receipt.sale.channel, situation, counter, tuple(line for line, _ in back),
        ways.settled(request.reference), back=moved, leave=leave, returns_receipt_no=receipt.sale.receipt_no,
        why=request.why.strip() or None,
    )  # fmt: skip
    return within_drawer(draft)


def decide_blind(request: BlindReturnRequest, situation: Situation) -> Draft:
    """Decide what comes back without a receipt (rule 7)."""
    counter = open_counter(situation.counter, request.till_id)
    covers = {"lines": [[sku, qty, price_minor] for sku, qty, price_minor, _ in request.lines]}
    leave = approvals.allow(situation.leave, [Need("take_back.blind", covers=covers)])
    assert situation.shelf is not None
    back = _typed(request, situation.shelf, counter.language)
    due_minor = sum(line.total_minor for line, _ in back)
    coin_minor = counter.smallest_coin_minor if request.tender == CASH else 1
    tender = Tendered(request.tender, round_cash(due_minor, coin_minor), request.reference)
    settled = settle([tender], due_minor, smallest_coin_minor=coin_minor, currency=counter.currency, channel="counter")
    draft = Draft(
        request.id, "return", "counter", situation, counter, tuple(line for line, _ in back), settled,
        back=moves_back(back), leave=leave, why=request.why.strip(),
    )  # fmt: skip
    return within_drawer(draft)


def refuse_paid_online(receipt: Receipt, *, online: bool) -> None:
    """Raise Refused where money paid online would be given back another way, or other money online (rule 6)."""
    if receipt.paid_online and not online:
        raise Refused("paid-online", "This was paid online. Refund it on the Pickup page.")
    if online and not receipt.paid_online:
        raise Refused("not-paid-online", "This was not paid online. Refund in cash or to the card.")


def negative_lines(receipt: Receipt, brought: Sequence[BroughtBack], *, first_n: int) -> Back:
    """Return the lines of an exchange that come back (rules 1, 2)."""
    wanted: dict[int, tuple[int, bool]] = {}
    for row in brought:
        qty, _ = wanted.get(row.n, (0, True))
        wanted[row.n] = (qty + _positive(row.n, row.qty), row.restock)
    refuse_paid_online(receipt, online=False)
    refund_routes.refuse_under_way(receipt, "")
    return _undone(receipt, wanted, first_n=first_n)


def moves_back(back: Back, empties: Sequence[tuple[str, int]] = ()) -> list[Moved]:
    """Return the movements of what comes in: onto the floor what can be sold again, to waste the rest (rule 3)."""
    moves: list[Moved] = []
    for place, sold_again in ((Place.FLOOR, True), (Place.WASTE, False)):
        goods = [*empties] if sold_again else []
        goods += [(line.sku, -line.qty) for line, restock in back if restock is sold_again and line.kind == "goods"]
        if goods:
            moves += [(new_id(), sku, qty, Place.CUSTOMER, place) for sku, qty in tidy(goods)]
    return moves


def within_drawer(draft: Draft) -> Draft:
    """Return the draft with the cash it takes out of the drawer beyond the books; refused to who sees these."""
    settled, held_minor = draft.settled, draft.counter.expected_minor
    out_minor = settled.change_minor - sum(row.amount_minor for row in settled.tenders if row.tender == CASH)
    if out_minor <= 0 or not drawer_cash.is_beyond(out_minor, held_minor):
        return draft
    if draft.counter.rights.may(drawer_cash.SEES_DRAWER):
        raise Refused(
            "drawer-too-empty",
            "The drawer should not hold that much cash. Refund the rest another way, or add cash first.",
            held_minor=held_minor,
        )
    return replace(draft, beyond_minor=out_minor)


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
    receipt = refund_routes.look(session, store_id, sale_id, tender, but=but)
    coin_minor = habits_of(session, store_id).smallest_coin_minor
    return planned(receipt, lines, tender, return_id, coin_minor=coin_minor)


def planned(
    receipt: Receipt, lines: Sequence[tuple[int, int]], tender: str, return_id: str, *, coin_minor: int
) -> Plan:
    """Return how the money would go back for these lines of a receipt (rule 4)."""
    _check(tender, "")
    refuse_paid_online(receipt, online=False)
    back = _undone(receipt, _tidy(lines, restock=True), first_n=1)
    due_minor = -sum(line.total_minor for line, _ in back)
    return refund_routes.plan(receipt, return_id, due_minor, tender, coin_minor=coin_minor)


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


def allow_refund(ctx: Context, wish: GiveBack) -> None:
    """Raise Refused unless this much of this payment goes back for this return (rules 8, 9)."""
    need = takes_back(wish.sale_id, wish.lines)
    approvals.require(ctx, wish, [need], spend=False)  # the return itself uses it up
    payment = requests.payment_of(ctx.session, wish.store_id, wish.payment_id)
    if payment.claimed_by != wish.sale_id:
        raise Refused("payment-of-another-sale", "That payment belongs to a different sale, not this receipt.")
    if not wish.lines:
        raise Invalid("empty-basket", "Choose what to refund.")
    ways = plan(ctx.session, wish.store_id, wish.sale_id, wish.lines, payment.tender, wish.id, but=wish.back_id).ways
    most_minor = sum(way.amount_minor for way in ways if way.payment_id == payment.id and way.how == "ask")
    if wish.amount_minor > most_minor:
        raise Refused("more-than-returned", "That is more than this refund.", most_minor=most_minor)


# --- inside ---


def _check(tender: str, why: str, *, wants_reason: bool = False) -> None:
    if not tender_of(tender).refunds:
        raise Invalid("unknown-tender", "Refund in cash or to the card.", tender=tender)
    if len(why) > LONGEST_REASON or (wants_reason and not why.strip()):
        raise Invalid("no-reason", "Enter a short reason for the refund.")


def _positive(n: int, qty: int) -> int:
    if type(qty) is not int or qty <= 0:
        raise Invalid("bad-quantity", "Enter how many to refund, 1 or more.", line=n, qty=qty)
    return qty


def _tidy(lines: Sequence[tuple[int, int] | tuple[int, int, bool]], *, restock: bool) -> dict[int, tuple[int, bool]]:
    wanted: dict[int, tuple[int, bool]] = {}
    for n, qty, *said in lines:
        before, _ = wanted.get(n, (0, True))
        wanted[n] = (before + _positive(n, qty), bool(said[0]) if said else restock)
    if not wanted:
        raise Invalid("empty-basket", "Choose what to refund.")
    return wanted


def _undone(receipt: Receipt, wanted: dict[int, tuple[int, bool]], *, first_n: int) -> list[tuple[SoldLine, bool]]:
    """Return the negative lines, or refuse, naming every line of which less is left than is brought back."""
    sold, back = receipt.lines, receipt.returned
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
        raise Refused("more-than-sold", "That is more than was sold. Left to return: %(lines)s.", lines=over)
    if vouchers := [sold[n].name for n in wanted if sold[n].kind == "voucher"]:
        raise Refused(
            "voucher-sold", "%(vouchers)s: vouchers cannot be refunded, only spent here.", vouchers=", ".join(vouchers)
        )
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


def _typed(request: BlindReturnRequest, shelf: Shelf, language: str) -> list[tuple[SoldLine, bool]]:
    if not request.lines:
        raise Invalid("empty-basket", "Choose what to refund.")
    views = shelf.views
    most = _worth_today(request, shelf)
    lines: list[tuple[SoldLine, bool]] = []
    for n, (sku, qty, price_minor, restock) in enumerate(request.lines, 1):
        view = views[sku]
        _positive(n, qty)
        if view.kind not in ("goods", "service"):
            raise Refused("not-returnable", "%(name)s cannot be refunded without a receipt.", name=view.shown, sku=sku)
        if type(price_minor) is not int or not price_minor >= 0:
            raise Invalid(
                "bad-price", "Enter a price of zero or more. That one looks too high.", price_minor=price_minor
            )
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
                "%(name)s costs less today. Without a receipt, refund up to today's price after "
                "promotions.", name=view.shown, sku=sku, most_minor=most[n - 1],
            )  # fmt: skip
        lines.append((sold_line(n, priced, language), restock))
    return lines


def _worth_today(request: BlindReturnRequest, shelf: Shelf) -> dict[int, int]:
    """Return what each line would cost bought now, however many one customer may buy: its place -> amount."""
    bare: Mapping[str, ProductView] = {
        sku: replace(view, deposit_sku=None, maximum_qty=None) for sku, view in shelf.views.items()
    }
    rung = [
        RungLine(sku, _positive(n, qty), price_minor if bare[sku].price_typed else None)
        for n, (sku, qty, price_minor, _) in enumerate(request.lines, 1)
    ]
    quoted = quoting.price(replace(shelf, views=bare), rung)
    return {int(line.line.asked or 0): line.total_minor for line in quoted.basket.lines if line.line}
