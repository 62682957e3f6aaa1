"""An exchange: goods of one receipt come back and others are bought, settled as one amount. PURE.

Rules
-----
1. Goods are taken back by those who may, in an exchange as in a return; where nothing is bought it is a return.
2. An exchange is of one receipt, and for its customer.
3. What comes back pays for what is bought. What is left over goes back as in a return: first to the tab, the points or
   (a voucher) as store credit, as far as the receipt was paid from there; the rest as the till says.
4. Account money that pays for the new goods goes on with them (`refund_routes.ways_left`), so another return gives it
   back to the account and never as cash.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from config.errors import Refused
from config.money import round_cash
from pos.facts import SoldLine
from pos.payments.payments import Settled, Tendered, settle
from pos.payments.tenders import CASH, POINTS, tender_of
from pos.sale.refund_routes import OnAccounts, Receipt, split
from pos.sale.sale_request import BroughtBack, RungLine
from pos.till.counter import Counter


@dataclass(frozen=True)
class Paid:
    """How an exchange is paid. points_minor: what of the value brought back had been paid with points."""

    settled: Settled
    points_minor: int = 0


def customer_of(receipt: Receipt, brought: Sequence[BroughtBack], customer_id: str | None) -> str | None:
    """Return whose exchange it is: the receipt's customer's, or the given one's where the receipt has none (rule 2)."""
    if len({row.sale_id for row in brought}) > 1:
        raise Refused("one-receipt", "One exchange covers one receipt. Refund the other receipt separately.")
    of_receipt = receipt.customer_id
    if of_receipt and customer_id and of_receipt != customer_id:
        raise Refused(
            "another-customer", "This receipt belongs to another customer. Remove the customer from the basket."
        )
    return of_receipt or customer_id


def refuse_none_bought(rung: Sequence[RungLine]) -> None:
    """Raise Refused where an exchange buys nothing (rule 1)."""
    if not any(line.qty > 0 for line in rung):
        raise Refused("nothing-bought", "There are no items to buy. Use More, Refund instead.")


def goes_back(receipt: Receipt, back: Sequence[SoldLine], due_minor: int) -> dict[str, int]:
    """Return what of an amount owed to the customer goes back to an account: refund tender -> amount (rule 3)."""
    first, _ = _split(receipt, back, due_minor)
    return _by_tender(first)


def pay(
    receipt: Receipt, tenders: Sequence[Tendered], back: Sequence[SoldLine], due_minor: int, *, counter: Counter,
    channel: str,
) -> Paid:  # fmt: skip
    """Settle an exchange (rules 3, 4): the customer pays what is due, or is given it where that is below zero."""
    first, carried = _split(receipt, back, due_minor)
    wanted = _with_accounts(tenders, first, due_minor, counter.smallest_coin_minor)
    settled = settle(
        wanted,
        due_minor,
        smallest_coin_minor=counter.smallest_coin_minor,
        currency=counter.currency,
        channel=channel,
    )
    by_points = sum(minor for (tender, _), minor in carried.items() if tender_of(tender).book == POINTS)
    return Paid(settled, by_points)


# --- inside ---


def _split(receipt: Receipt, back: Sequence[SoldLine], due_minor: int) -> tuple[OnAccounts, OnAccounts]:
    """Return what goes back to accounts, and what account money pays for the new goods."""
    worth_minor = -sum(line.total_minor for line in back)
    return split(receipt.left, worth_minor, max(0, -due_minor))


def _by_tender(ways: OnAccounts) -> dict[str, int]:
    sums: dict[str, int] = {}
    for (tender, _), minor in ways.items():
        sums[tender] = sums.get(tender, 0) + minor
    return sums


def _with_accounts(tenders: Sequence[Tendered], first: OnAccounts, due_minor: int, coin_minor: int) -> list[Tendered]:
    """Return the tenders with what goes back to accounts among them; the page may have named that part or not."""
    if not first:
        return list(tenders)
    owed_to = _by_tender(first)
    first_minor = sum(first.values())
    rest: list[Tendered] = []
    for row in tenders:
        part_minor = owed_to.get(row.tender, 0)
        if part_minor and -row.amount_minor >= part_minor:
            row = row._replace(amount_minor=row.amount_minor + part_minor)
            del owed_to[row.tender]
        rest.append(row)
    rest_minor = due_minor + first_minor
    said_minor = sum(row.amount_minor for row in rest)
    if said_minor < round_cash(rest_minor, coin_minor) and said_minor < rest_minor:
        raise Refused(
            "goes-back-first",
            "Part of this will be refunded to the original payment method. Give out only the rest.",
            account_minor=first_minor,
            rest_minor=-rest_minor,
        )
    if not any(row.amount_minor for row in rest) and rest_minor:
        rest = [Tendered(CASH, round_cash(rest_minor, coin_minor))]
    accounts = [Tendered(tender, -minor, of_sale_id=sale_id) for (tender, sale_id), minor in first.items()]
    return [*accounts, *rest]
