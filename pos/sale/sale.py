"""A sale: rung up, paid, and from then on immutable.

Rules
-----
1. Three strokes: `look` (`situation`) reads everything once, `decide` holds the rules and reads nothing, `write`
   (`draft`) writes everything once, in one transaction.
2. The id is made by the page and is the idempotency key: the same id with the same basket answers the same
   receipt (I2); with another basket it is a Conflict (I3).
3. The server's total is the one charged: if it is not the one shown, nothing is written and the page asks again.
4. Σ lines = total; Σ captured - change = total; the lines' taxes sum to the sale's tax (K1).
5. A return is another sale of negative lines that point at the originals; never more than was sold (I9): `returns`.
   An exchange is both at once: what is brought back and what is bought are settled as one amount (`exchange`).
6. No more cash goes out than the drawer is expected to hold.
7. What needs somebody's leave (another price, a large discount) is written only with it: `approvals`.

A sale rung up in one go is born completed; until then it is a basket (`basket`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from config.errors import Refused
from config.money import round_cash
from config.nodes.journal import Context
from pos.facts import SoldLine, sold_line
from pos.payments.payments import Settled, Tendered, settle
from pos.sale import corrections, exchange, quoting
from pos.sale.corrections import NONE
from pos.sale.draft import Draft, write
from pos.sale.quoting import Quote
from pos.sale.refund_routes import Receipt
from pos.sale.returns import moves_back, negative_lines, within_drawer
from pos.sale.sale_request import RungLine, SaleRequest, check_age, check_lines
from pos.sale.situation import Situation, look, look_at_shelf
from pos.sold import Completed
from pos.stock import ledger
from pos.store import approvals
from pos.store.approvals import Need, takes_back
from pos.till.counter import Counter, habits_of, open_counter
from pos.till.parked import refuse_let_go


def complete(ctx: Context, request: SaleRequest) -> Completed:
    """Complete a sale or an exchange: everything in this transaction, or nothing (rules 1 to 7)."""
    check_lines(request.rung, may_be_empty=bool(request.brought_back))
    situation = look(ctx, request)
    return situation.again or write(ctx.session, decide(request, situation))


def decide(request: SaleRequest, situation: Situation) -> Draft:
    """Decide a sale or an exchange: what is charged, how it is paid, what moves, and whose leave it uses. PURE."""
    rung, receipt = request.rung, situation.receipt
    if situation.held is not None:
        refuse_let_go(situation.held, request.id, request.till_id)
    counter = open_counter(situation.counter, request.till_id)
    if receipt is not None:
        exchange.refuse_none_bought(rung)
        exchange.customer_of(receipt, request.brought_back, request.customer_id)
    shelf = situation.shelf
    assert shelf is not None
    quoted = quoting.price(shelf, rung, coupons=request.coupons)
    priced = quoted.basket
    lines = [sold_line(n, line, counter.language) for n, line in enumerate(priced.lines, 1)]
    back = negative_lines(receipt, request.brought_back, first_n=len(lines) + 1) if receipt else []
    lines_minor = priced.lines_minor + sum(line.total_minor for line, _ in back)
    if request.shown_total_minor not in (lines_minor, round_cash(lines_minor, counter.smallest_coin_minor)):
        raise _another_total(request, quoted, lines_minor)
    if priced.minimum_age or request.age_how:
        check_age(request, priced)
    quoting.refuse_unsafe(shelf, quoted)
    if not (counter.sells_beyond or request.order_id):
        quoting.refuse_beyond(situation.holding, quoted)
    needs = quoted.needs if lines_minor >= 0 else quoting.with_empties_before(quoted.needs, situation.empties_qty)
    if back:
        needs = [*needs, leave_for([line for line, _ in back])]
    leave = approvals.allow(situation.leave, needs) if needs else []
    settled, points_minor = _paid(request, receipt, [line for line, _ in back], lines_minor, counter)
    if request.shown_total_minor not in (lines_minor, settled.total_minor):
        raise _another_total(request, quoted, lines_minor)
    goods = [(line.sku, line.qty) for line in lines if line.kind == "goods"]
    empties = [(line.sku, -line.qty) for line in lines if line.price_type == "empties"]
    sold = ledger.tidy(goods) if goods else []
    out, counts = ledger.leaving(situation.holding, sold, from_bin=request.order_id is not None)
    draft = Draft(
        id=request.id, kind="exchange" if back else "sale", channel=request.channel, situation=situation,
        counter=counter, lines=(*lines, *(line for line, _ in back)), settled=settled, out=out,
        back=moves_back(back, empties) if back or empties else (), counts=counts, leave=leave,
        order_id=request.order_id, order_no=request.order_no, age_checked=priced.minimum_age,
        age_how=(request.age_how or "looked") if priced.minimum_age else None, note=request.note.strip(),
        coupons=tuple(sorted(quoted.coupons_used)), marked=quoted.marked,
        corrections=corrections.of(request.corrections, situation.corrected) if request.corrections else NONE,
        points_minor=points_minor,
        labels=tuple((line.sku, line.qty, line.code) for line in rung if line.code and line.qty > 0),
    )  # fmt: skip
    return within_drawer(draft)


# --- questions ---


def quote(
    session: Session,
    store_id: str,
    lines: Sequence[RungLine | tuple[str, int]],
    *,
    at: dt.datetime,
    cash: bool = False,
    customer_id: str | None = None,
    coupons: Sequence[str] = (),
    back: Sequence[SoldLine] = (),
) -> Quote:
    """Price a basket as it would be charged now; writes nothing. back: the negative lines of an exchange."""
    rung = tuple(line if isinstance(line, RungLine) else RungLine(*line) for line in lines)
    check_lines(rung, may_be_empty=bool(back))
    store = habits_of(session, store_id)
    shelf = look_at_shelf(session, store_id, rung, store, at=at, customer_id=customer_id)
    quoted = quoting.price(shelf, rung, coupons=coupons, cash=cash)
    quoting.refuse_unsafe(shelf, quoted)
    if not store.sells_beyond:
        goods = sorted({line.sku for line in rung if line.qty > 0 and shelf.views[line.sku].kind == "goods"})
        quoting.refuse_beyond(ledger.look(session, store_id, goods), quoted)
    if not back:
        return quoted
    lines_minor = quoted.basket.lines_minor + sum(line.total_minor for line in back)
    rounding_minor = round_cash(lines_minor, store.smallest_coin_minor) - lines_minor if cash else 0
    priced = replace(
        quoted.basket,
        lines_minor=lines_minor,
        tax_minor=quoted.basket.tax_minor + sum(line.tax_minor for line in back),
        rounding_minor=rounding_minor,
        total_minor=lines_minor + rounding_minor,
    )
    return replace(quoted, basket=priced, needs=(*quoted.needs, leave_for(back)))


def worth(session: Session, store_id: str, rung: Sequence[RungLine], *, at: dt.datetime) -> int:
    """Return what goods would cost at today's prices, whether the books have them or not."""
    check_lines(rung)
    shelf = look_at_shelf(session, store_id, rung, habits_of(session, store_id), at=at)
    quoted = quoting.price(shelf, rung)
    quoting.refuse_unsafe(shelf, quoted)
    return quoted.basket.lines_minor


# --- inside ---


def leave_for(back: Sequence[SoldLine]) -> Need:
    """Return the leave an exchange wants for what is brought back of its receipt."""
    return takes_back(str(back[0].returns_sale_id), [(line.returns_n or 0, -line.qty) for line in back])


def _paid(
    request: SaleRequest, receipt: Receipt | None, back: Sequence[SoldLine], due_minor: int, counter: Counter
) -> tuple[Settled, int]:
    """Settle what is due; with it, what of the value brought back had been paid with points."""
    tenders, channel = [Tendered(*row) for row in request.tenders], request.channel
    if receipt is not None:
        paid = exchange.pay(receipt, tenders, back, due_minor, counter=counter, channel=channel)
        return paid.settled, paid.points_minor
    coin_minor, currency = counter.smallest_coin_minor, counter.currency
    return settle(tenders, due_minor, smallest_coin_minor=coin_minor, currency=currency, channel=channel), 0


def _another_total(request: SaleRequest, quoted: Quote, total_minor: int) -> Refused:
    return Refused(
        "total-changed",
        "A price has changed since it was scanned. Tell the customer the new total, then take payment.",
        total_minor=total_minor,
        shown_minor=request.shown_total_minor,
        lines=[
            {
                "sku": line.product.sku,
                "name": line.product.shown,
                "qty": line.qty,
                "unit_price_minor": line.product.price_minor,
                "total_minor": line.total_minor,
            }
            for line in quoted.basket.lines
        ],
    )
