"""How the money of goods brought back goes back: to accounts, to cards and wallets, into the hand.

Rules
-----
1. What was put on the tab, paid with points or with a voucher goes back there first (a voucher's part as store
   credit); only what was paid otherwise is given out. What an exchange took over counts as paid for it. A tab takes
   back what is owed on it: what was repaid is given out, what was given up (written off) is not: its goods come back
   for nothing, and how much that is is told. Of a customer who was forgotten, points come back as store credit.
2. Next comes what a terminal or wallet gave back for a return that is not booked yet: it is that return's. Another
   return of the receipt waits for it, and every one while its answer is open.
3. The rest goes out as it is wanted: to a card from the payments a terminal took, the oldest first and of none more
   than is left, what is beyond by hand; or in cash, rounded over all the returns of the sale together.
4. All returns of a sale together never give out more than was paid for it.
"""

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
from config.money import round_cash
from pos.customers import customers, tab
from pos.payments import requests
from pos.payments.payments import Payment, Settled, Tender
from pos.sold import Sale, SaleLine

OnAccounts = dict[tuple[str, str], int]
"""(refund tender, the sale that was paid from that account) -> amount, in the order it goes back."""
BY_CARD = ("card", "wallet")


@dataclass(frozen=True)
class Way:
    """A part of what goes back, amount_minor above zero.

    how: account; given (by a provider, before the return is booked); ask (a provider that took it); hand.
    payment_id: the payment that gave it, or that is to be asked. of_sale_id: the sale whose account it goes back to.
    given_up_minor: what of a tab's part nobody paid or owes any more: it lowers nothing.
    """

    tender: str
    amount_minor: int
    how: Literal["account", "given", "ask", "hand"]
    payment_id: str = ""
    of_sale_id: str = ""
    given_up_minor: int = 0


@dataclass(frozen=True)
class Plan:
    """All that goes back for goods that were charged due_minor."""

    due_minor: int
    ways: tuple[Way, ...]

    @property
    def total_minor(self) -> int:
        """What goes back in all, cash rounded."""
        return sum(way.amount_minor for way in self.ways)

    def settled(self, reference: str = "") -> Settled:
        """Return it as a return's negative tenders. What no provider has given counts as given by hand."""
        rows = []
        for way in self.ways:
            payment_id = way.payment_id if way.how == "given" else ""
            noted = "" if way.how in ("account", "given") else reference
            rows.append(Tender(way.tender, -way.amount_minor, noted, payment_id, way.of_sale_id))
        total_minor = -self.total_minor
        return Settled(tuple(rows), self.due_minor + total_minor, total_minor, total_minor, 0)


# --- questions ---


def plan(
    session: Session, original: Sale, return_id: str, due_minor: int, tender: str, *, coin_minor: int, but: str = ""
) -> Plan:
    """Return how the money of goods charged due_minor goes back (rules 1 to 4).

    but: a payment asked for this very return, left out of what was given: it is the one to be judged.
    """
    given = refuse_under_way(session, original, return_id, but=but)
    before_minor, out_minor, worth_minor = _so_far(session, original)
    left_minor = max(0, worth_minor - out_minor)
    accounts = _taken(ways_left(session, original), min(due_minor, left_minor))
    ways = [_to_account(session, original.store_id, *way, minor) for way, minor in accounts.items()]
    ways += [Way(row.tender, -row.amount_minor, "given", row.id) for row in given]
    first_minor = sum(way.amount_minor for way in ways)
    if given and first_minor > min(due_minor, left_minor):
        raise Refused(
            "given-back-more",
            "The terminal gave back more for this receipt than these goods are worth. Choose the goods it was for.",
            given_minor=-sum(row.amount_minor for row in given),
        )
    if tender == "cash":
        coin_minor = max(1, coin_minor)
        before_coins = round_cash(before_minor + first_minor, coin_minor)
        due_coins = round_cash(before_minor + due_minor, coin_minor) - before_coins
        rest_minor = max(0, min(due_coins, (left_minor - first_minor) // coin_minor * coin_minor))
    else:
        rest_minor = max(0, min(due_minor, left_minor) - first_minor)
    return Plan(due_minor, (*ways, *_given_out(session, original, tender, rest_minor, but)))


def refuse_under_way(session: Session, original: Sale, return_id: str, *, but: str = "") -> list[Payment]:
    """Raise Refused while money of a sale is on its way back, or was given for another return (rule 2).

    Returns what was given for this one, and is not booked yet. but: a payment that is left out.
    """
    given = [row for row in _given(session, original) if row.id != but]
    if open_ := [row for row in given if row.state in requests.OPEN]:
        raise Refused(
            "give-back-open",
            "The terminal was asked to give money of this receipt back and has not answered. Ask it again.",
            payment_id=open_[0].id,
            amount_minor=-open_[0].amount_minor,
        )
    if foreign := [row for row in given if row.sale_id != return_id]:
        raise Refused(
            "return-under-way",
            "The terminal gave money of this receipt back for a return that is not finished. Finish that one first.",
            return_id=foreign[0].sale_id,
            amount_minor=-foreign[0].amount_minor,
        )
    return given


def return_under_way(session: Session, original: Sale) -> str | None:
    """Return the id of the return for which money of a sale was given, or asked, and that is not booked yet."""
    return next((row.sale_id for row in _given(session, original)), None)


def ways_left(session: Session, original: Sale) -> OnAccounts:
    """Return what of a sale was paid from an account and has not gone back there yet.

    What an exchange took over from the receipt it exchanged counts as paid for it, and no more for that receipt; what
    was repaid of a tab does not count (rule 1).
    """
    account = session.get(tab.TabAccount, (original.store_id, original.customer_id)) if original.customer_id else None
    owed_minor = account.balance_minor if account else 0
    left: OnAccounts = {}
    for (tender, sale_id), minor in _replayed(session, original)[0].items():
        if tender == "tab":
            minor = min(minor, owed_minor + tab.given_up_minor(session, original.store_id, sale_id))
            owed_minor = max(0, owed_minor - minor)
        left[tender, sale_id] = minor
    return {way: minor for way, minor in left.items() if minor}


def needs_no_hand(session: Session, original: Sale) -> bool:
    """Tell whether all that is left of a sale goes back to accounts: nobody gives any of it by hand (rule 1)."""
    _before_minor, out_minor, worth_minor = _so_far(session, original)
    return 0 < worth_minor - out_minor <= sum(ways_left(session, original).values())


def customer_of(session: Session, original: Sale) -> str | None:
    """Return whose receipt it is; None where it is nobody's, or that customer was forgotten."""
    customer_id = original.customer_id
    return customer_id if customer_id and customers.is_known(session, original.store_id, customer_id) else None


def split(ways: OnAccounts, worth_minor: int, owed_minor: int) -> tuple[OnAccounts, OnAccounts]:
    """Return what of goods worth this much goes back to accounts, and what account money pays for new goods.

    owed_minor: what of the worth the customer is owed; the accounts' part of it goes back first.
    """
    first = _taken(ways, min(worth_minor, owed_minor))
    return first, _taken(_without(ways, first), max(0, worth_minor - owed_minor))


# --- inside ---


def _given(session: Session, original: Sale) -> list[Payment]:
    """List what providers gave back of a sale, or are asked to, and no return is booked for."""
    asked = (Payment.store_id == original.store_id, Payment.provider.is_not(None))
    took = sa.select(Payment.id).where(*asked, Payment.claimed_by == original.id)
    query = sa.select(Payment).where(
        *asked,
        Payment.gives_back.in_(took),
        Payment.claimed_by.is_(None),
        Payment.state.in_([*requests.OPEN, "captured"]),
    )
    rows = session.scalars(query.order_by(Payment.requested_at, Payment.id)).all()
    return [row for row in rows if not requests.is_over(session, row.store_id, row.sale_id)]


def _to_account(session: Session, store_id: str, tender: str, sale_id: str, minor: int) -> Way:
    given_up_minor = tab.given_up_of(session, store_id, sale_id, minor) if tender == "tab" else 0
    return Way(tender, minor, "account", of_sale_id=sale_id, given_up_minor=given_up_minor)


def _given_out(session: Session, original: Sale, tender: str, rest_minor: int, but: str) -> list[Way]:
    """Return how what accounts do not take goes out (rule 3)."""
    ways = []
    if tender in BY_CARD:
        for payment in requests.claimed(session, original.store_id, original.id):
            back_minor = requests.given_back_minor(session, payment, but=but)
            part_minor = min(rest_minor, payment.amount_minor - back_minor)
            if part_minor > 0:
                ways.append(Way(payment.tender, part_minor, "ask", payment.id))
                rest_minor -= part_minor
    if rest_minor:
        ways.append(Way(tender, rest_minor, "hand"))
    return ways


def _so_far(session: Session, original: Sale) -> tuple[int, int, int]:
    """Return of a sale: what came back of it, as charged and as given out, and what it was worth."""
    mine = (SaleLine.store_id == original.store_id, SaleLine.returns_sale_id == original.id)
    before_minor = -_sum(session, SaleLine.total_minor, *mine)
    rounding = (Sale.store_id == original.store_id, Sale.id.in_(_earlier(original)), Sale.kind == "return")
    given_minor = before_minor - _sum(session, Sale.rounding_minor, *rounding)
    own = (SaleLine.store_id == original.store_id, SaleLine.sale_id == original.id, SaleLine.qty > 0)
    worth_minor = _sum(session, SaleLine.total_minor, *own)
    worth_minor += original.rounding_minor if original.kind == "sale" else 0
    return before_minor, given_minor, worth_minor


def _replayed(session: Session, original: Sale) -> tuple[OnAccounts, dict[str, OnAccounts]]:
    """Return what is left of a sale's account money, and what went on with each exchange of its goods."""
    left = _paid_from_accounts(session, original)
    carried: dict[str, OnAccounts] = {}
    events = sa.select(Sale).where(Sale.store_id == original.store_id, Sale.id.in_(_earlier(original)))
    for event in session.scalars(events.order_by(Sale.completed_at, Sale.id)).all():
        if event.kind == "exchange":
            mine = (SaleLine.store_id == event.store_id, SaleLine.sale_id == event.id)
            worth_minor = -_sum(session, SaleLine.total_minor, *mine, SaleLine.returns_sale_id == original.id)
            first, carried[event.id] = split(left, worth_minor, max(0, -event.lines_minor))
            left = _without(_without(left, first), carried[event.id])
            continue
        for paid, minor in _on_accounts(session, event, -1).items():
            tender = _points_go(session, original) if paid == "points" else paid
            left = _without(left, _taken({way: part for way, part in left.items() if way[0] == tender}, minor))
    return left, carried


def _paid_from_accounts(session: Session, original: Sale) -> OnAccounts:
    own = {"tab": "tab", "points": _points_go(session, original), "voucher": "credit"}
    paid, ways = _on_accounts(session, original, 1), OnAccounts()
    for tender, back in own.items():
        ways[back, original.id] = ways.get((back, original.id), 0) + paid.get(tender, 0)
    if original.kind == "exchange":
        sources = sa.select(SaleLine.returns_sale_id).where(
            SaleLine.store_id == original.store_id,
            SaleLine.sale_id == original.id,
            SaleLine.returns_sale_id.is_not(None),
        )
        for source_id in sorted(str(key) for key in session.scalars(sources.distinct())):
            source = session.get_one(Sale, (original.store_id, source_id))
            ways |= _replayed(session, source)[1].get(original.id, {})
    return _without(ways, {})


def _points_go(session: Session, original: Sale) -> str:
    return "points" if customer_of(session, original) else "credit"


def _on_accounts(session: Session, sale: Sale, sign: int) -> dict[str, int]:
    """Return what a sale took from accounts (sign 1) or gave back to them (-1): tender -> amount above zero."""
    query = sa.select(Payment.tender, sa.func.sum(Payment.amount_minor * sign)).where(
        Payment.store_id == sale.store_id,
        Payment.sale_id == sale.id,
        Payment.tender.in_(["tab", "points", "voucher", "credit"]),
        Payment.state == "captured",
        Payment.amount_minor * sign > 0,
    )
    return {tender: int(minor) for tender, minor in session.execute(query.group_by(Payment.tender))}


def _taken(ways: OnAccounts, amount_minor: int) -> OnAccounts:
    """Return the first of these ways that make up the amount, or all of them."""
    taken: OnAccounts = {}
    for way, minor in ways.items():
        part_minor = min(minor, amount_minor - sum(taken.values()))
        if part_minor > 0:
            taken[way] = part_minor
    return taken


def _without(ways: OnAccounts, taken: OnAccounts) -> OnAccounts:
    left = {way: minor - taken.get(way, 0) for way, minor in ways.items()}
    return {way: minor for way, minor in left.items() if minor > 0}


def _earlier(original: Sale) -> sa.Select[str]:
    return sa.select(SaleLine.sale_id).where(
        SaleLine.store_id == original.store_id, SaleLine.returns_sale_id == original.id
    )


def _sum(session: Session, column: sa.orm.InstrumentedAttribute[int], *where: sa.ColumnElement[bool]) -> int:
    return int(session.scalar(sa.select(sa.func.sum(column)).where(*where)) or 0)
