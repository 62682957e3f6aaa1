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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import NotFound, Refused
from config.money import round_cash
from pos.customers import customers, tab
from pos.payments import requests
from pos.payments.payments import Payment, Settled, Tendered
from pos.payments.providers import BANK_CODE
from pos.payments.tenders import CASH, PREPAID, TAB, Tender, going_back, tender_of
from pos.sold import Sale, SaleLine, lines_of

OnAccounts = dict[tuple[str, str], int]
"""(refund tender, the sale that was paid from that account) -> amount, in the order it goes back."""


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
            rows.append(Tendered(way.tender, -way.amount_minor, noted, payment_id, way.of_sale_id))
        total_minor = -self.total_minor
        return Settled(tuple(rows), self.due_minor + total_minor, total_minor, total_minor, 0)


@dataclass(frozen=True)
class Receipt:
    """A sale whose goods come back, and all of it that has come back so far: as it was read.

    returned: line -> units. given: what providers gave back of it, or are asked to, and no return is booked for.
    before_minor, out_minor: what came back of it, as charged and as given out; worth_minor: what it was worth.
    left: what was paid from accounts and has not gone back there yet. customer_id: None where it is nobody's, or that
    customer was forgotten. cards: (payment, tender, what is left of it) of the payments a terminal took.
    given_up: sale -> what of its tab part is unpaid, and what was given up.
    """

    sale: Sale
    customer_id: str | None
    paid_online: bool
    lines: Mapping[int, SaleLine]
    returned: Mapping[int, int]
    given: Sequence[Payment]
    before_minor: int
    out_minor: int
    worth_minor: int
    left: OnAccounts
    cards: Sequence[tuple[str, str, int]] = ()
    given_up: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def under_way(self) -> str | None:
        """The return for which money was given, or asked, and that is not booked yet."""
        return next((row.sale_id for row in self.given), None)


# --- questions ---


def look(session: Session, store_id: str, sale_id: str, tender: str = "", *, but: str = "") -> Receipt:
    """Return the receipt of a refund, its sale locked; NotFound where there is no such sale.

    tender: by which money is to go out. but: a payment asked for this very return, left out: the one to be judged.
    """
    query = sa.select(Sale).where(Sale.store_id == store_id, Sale.id == sale_id)
    sale: Sale | None = session.scalar(lock_rows(session, query))
    if sale is None or sale.kind not in ("sale", "exchange") or sale.state != "completed":
        raise NotFound("no-such-sale", "This receipt is not on record. Look up the sale again.", id=sale_id)
    before_minor, out_minor, worth_minor, paid_online = _so_far(session, sale)
    left = _left(session, sale)
    return Receipt(
        sale,
        customer_of(session, sale),
        paid_online,
        {line.n: line for line in lines_of(session, sale)},
        returned_qty(session, store_id, sale_id),
        [row for row in _given(session, sale) if row.id != but],
        before_minor,
        out_minor,
        worth_minor,
        left,
        _cards(session, sale, but) if tender_of(tender).slip else (),
        {of: tab.given_up_of(session, store_id, of) for paid, of in left if tender_of(paid).book == TAB},
    )


def plan(receipt: Receipt, return_id: str, due_minor: int, tender: str, *, coin_minor: int) -> Plan:
    """Return how the money of goods charged due_minor goes back (rules 1 to 4)."""
    refuse_under_way(receipt, return_id)
    given, left_minor = receipt.given, max(0, receipt.worth_minor - receipt.out_minor)
    accounts = _taken(receipt.left, min(due_minor, left_minor))
    ways = [_to_account(receipt, *way, minor) for way, minor in accounts.items()]
    ways += [Way(row.tender, -row.amount_minor, "given", row.id) for row in given]
    first_minor = sum(way.amount_minor for way in ways)
    if given and first_minor > min(due_minor, left_minor):
        raise Refused(
            "given-back-more",
            "The terminal refunded more for this receipt than these products cost. Choose the products it was for.",
            given_minor=-sum(row.amount_minor for row in given),
        )
    if tender == CASH:
        coin_minor = max(1, coin_minor)
        before_coins = round_cash(receipt.before_minor + first_minor, coin_minor)
        due_coins = round_cash(receipt.before_minor + due_minor, coin_minor) - before_coins
        rest_minor = max(0, min(due_coins, (left_minor - first_minor) // coin_minor * coin_minor))
    else:
        rest_minor = max(0, min(due_minor, left_minor) - first_minor)
    return Plan(due_minor, (*ways, *_given_out(receipt, tender, rest_minor)))


def refuse_under_way(receipt: Receipt, return_id: str) -> None:
    """Raise Refused while money of a sale is on its way back, or was given for another return (rule 2)."""
    if open_ := [row for row in receipt.given if row.state in requests.OPEN]:
        raise Refused(
            "give-back-open",
            "The terminal has not confirmed the refund for this receipt. Check again.",
            payment_id=open_[0].id,
            amount_minor=-open_[0].amount_minor,
        )
    if foreign := [row for row in receipt.given if row.sale_id != return_id]:
        raise Refused(
            "return-under-way",
            "The terminal refunded this receipt for a return that is not finished. Finish that return first.",
            return_id=foreign[0].sale_id,
            amount_minor=-foreign[0].amount_minor,
        )


def needs_no_hand(receipt: Receipt) -> bool:
    """Tell whether all that is left of a sale goes back to accounts: nobody gives any of it by hand (rule 1)."""
    return 0 < receipt.worth_minor - receipt.out_minor <= sum(receipt.left.values())


def customer_of(session: Session, original: Sale) -> str | None:
    """Return whose receipt it is; None where it is nobody's, or that customer was forgotten."""
    customer_id = original.customer_id
    return customer_id if customer_id and customers.is_known(session, original.store_id, customer_id) else None


def returned_qty(session: Session, store_id: str, sale_id: str) -> dict[int, int]:
    """Return how many units of each line of a sale came back so far: line number -> units."""
    query = sa.select(SaleLine.returns_n, sa.func.sum(-SaleLine.qty)).where(
        SaleLine.store_id == store_id, SaleLine.returns_sale_id == sale_id
    )
    return {int(n or 0): int(qty) for n, qty in session.execute(query.group_by(SaleLine.returns_n))}


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


def _to_account(receipt: Receipt, tender: str, sale_id: str, minor: int) -> Way:
    unpaid_minor, given_up_minor = receipt.given_up.get(sale_id, (0, 0)) if tender_of(tender).book == TAB else (0, 0)
    again_minor = min(max(0, minor - unpaid_minor), given_up_minor)
    return Way(tender, minor, "account", of_sale_id=sale_id, given_up_minor=again_minor)


def _given_out(receipt: Receipt, tender: str, rest_minor: int) -> list[Way]:
    """Return how what accounts do not take goes out (rule 3)."""
    ways = []
    for payment_id, paid, left_minor in receipt.cards:
        if (part_minor := min(rest_minor, left_minor)) > 0:
            ways.append(Way(paid, part_minor, "ask", payment_id))
            rest_minor -= part_minor
    if rest_minor:
        ways.append(Way(tender, rest_minor, "hand"))
    return ways


def _cards(session: Session, original: Sale, but: str) -> list[tuple[str, str, int]]:
    return [
        (row.id, row.tender, row.amount_minor - requests.given_back_minor(session, row, but=but))
        for row in requests.claimed(session, original.store_id, original.id)
        if row.way != BANK_CODE
    ]


def _left(session: Session, original: Sale) -> OnAccounts:
    """Return what of a sale was paid from an account and has not gone back there yet.

    What an exchange took over from the receipt it exchanged counts as paid for it, and no more for that receipt; what
    was repaid of a tab does not count (rule 1).
    """
    account = session.get(tab.TabAccount, (original.store_id, original.customer_id)) if original.customer_id else None
    owed_minor = account.balance_minor if account else 0
    left: OnAccounts = {}
    for (tender, sale_id), minor in _replayed(session, original)[0].items():
        if tender_of(tender).book == TAB:
            minor = min(minor, owed_minor + tab.given_up_minor(session, original.store_id, sale_id))
            owed_minor = max(0, owed_minor - minor)
        left[tender, sale_id] = minor
    return {way: minor for way, minor in left.items() if minor}


def _so_far(session: Session, original: Sale) -> tuple[int, int, int, bool]:
    """Return of a sale: what came back of it, as charged and as given out; what it was worth; was it paid online."""
    mine = (SaleLine.store_id == original.store_id, SaleLine.returns_sale_id == original.id)
    rounding = (Sale.store_id == original.store_id, Sale.id.in_(_earlier(original)), Sale.kind == "return")
    own = (SaleLine.store_id == original.store_id, SaleLine.sale_id == original.id, SaleLine.qty > 0)
    paid = (Payment.store_id == original.store_id, Payment.sale_id == original.id, Payment.tender == PREPAID)
    sums = [
        _sum(SaleLine.total_minor, *mine),
        _sum(Sale.rounding_minor, *rounding),
        _sum(SaleLine.total_minor, *own),
        sa.exists().where(*paid),
    ]
    came_minor, rounded_minor, worth_minor, paid_online = session.execute(sa.select(*sums)).one()
    worth_minor += original.rounding_minor if original.kind == "sale" else 0
    return -int(came_minor), -int(came_minor) - int(rounded_minor), int(worth_minor), bool(paid_online)


def _replayed(session: Session, original: Sale) -> tuple[OnAccounts, dict[str, OnAccounts]]:
    """Return what is left of a sale's account money, and what went on with each exchange of its goods."""
    left = _paid_from_accounts(session, original)
    carried: dict[str, OnAccounts] = {}
    events = sa.select(Sale).where(Sale.store_id == original.store_id, Sale.id.in_(_earlier(original)))
    for event in session.scalars(events.order_by(Sale.completed_at, Sale.id)).all():
        if event.kind == "exchange":
            mine = (SaleLine.store_id == event.store_id, SaleLine.sale_id == event.id)
            back = _sum(SaleLine.total_minor, *mine, SaleLine.returns_sale_id == original.id)
            worth_minor = -int(session.scalar(sa.select(back)) or 0)
            first, carried[event.id] = split(left, worth_minor, max(0, -event.lines_minor))
            left = _without(_without(left, first), carried[event.id])
            continue
        for paid, minor in _on_accounts(session, event, -1).items():
            tender = _goes_to(session, original, tender_of(paid))
            left = _without(left, _taken({way: part for way, part in left.items() if way[0] == tender}, minor))
    return left, carried


def _paid_from_accounts(session: Session, original: Sale) -> OnAccounts:
    paid, ways = _on_accounts(session, original, 1), OnAccounts()
    for tender in going_back():
        way = _goes_to(session, original, tender), original.id
        ways[way] = ways.get(way, 0) + paid.get(tender.name, 0)
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


def _goes_to(session: Session, original: Sale, tender: Tender) -> str:
    if tender.orphaned and not customer_of(session, original):
        return tender.orphaned
    return tender.goes_back or tender.name


def _on_accounts(session: Session, sale: Sale, sign: int) -> dict[str, int]:
    """Return what a sale took from accounts (sign 1) or gave back to them (-1): tender -> amount above zero."""
    names = {name for row in going_back() for name in (row.name, row.goes_back, row.orphaned)}
    query = sa.select(Payment.tender, sa.func.sum(Payment.amount_minor * sign)).where(
        Payment.store_id == sale.store_id,
        Payment.sale_id == sale.id,
        Payment.tender.in_(sorted(names)),
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


def _sum(column: sa.orm.InstrumentedAttribute[int], *where: sa.ColumnElement[bool]) -> Any:
    return sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*where).scalar_subquery()
