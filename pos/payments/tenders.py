"""The table of tenders: how a sale can be paid, and how its money goes back. PURE.

Rules
-----
1. A tender is one row. Till, pages, paper, reports and books ask the row; CONTRIBUTING.md says how to add one.
2. What a row does not say, its tender does not do: a name without a row pays for nothing and is called by its name.
3. Others compare a tender's name with two alone: cash, which lies in the drawer, gives change and is rounded to the
   smallest coin, and what was paid online, which the network holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from config.words import N_

CASH, PREPAID = "cash", "prepaid"
TAB, POINTS, VOUCHERS = "tab", "points", "vouchers"
"""The store's books that a tender moves."""
Pane = Literal["cash", "card", "phone", "code", "tab", "points", "amount"]
"""How the till takes it: with change; by a terminal here, or read elsewhere and its slip typed; by a code on a phone;
by a voucher's code; from the customer's tab or points; or just as an amount."""
Spot = Literal["till", "tab", "order", "pickup", "exchange", "return", "blind", "receipt", "order-back", "pickup-back"]
"""Where a person can choose it. To pay: at the till, for a tab, for an order taken at the counter, when an order is
picked up. To give money back: in an exchange, for a receipt at the till, without one, on the receipt's page, for an
order that was paid at the counter, for one that was picked up."""
_SAID = {
    "take": N_("Collect {amount}"),
    "back": N_("{amount} refunded"),
    "gone": N_("%(amount)s will be refunded the way it was paid."),
}


@dataclass(frozen=True)
class Tender:
    """A way of paying.

    words: what paper and reports call it. label: on buttons, where that is another word. at: where it is chosen.
    pays, refunds: whether a sale is paid with it, and money goes back by it, chosen or not. ways: how a provider is
    asked for it (`providers`). slip: a machine takes it, and leaves a slip whose number may be typed. book: which of
    the store's own books it moves. goes_back: the tender its money goes back to before anything is given out; empty:
    what is given out is chosen. orphaned: the same where its customer was forgotten.
    said: by spot what is chosen there, and `take`, `back` (the till's button), `off` (a part that goes back), `gone`
    (what is to be done with it), `taken` (on the page of an order that was paid).
    """

    name: str
    words: str
    icon: str = "ticket"
    label: str = ""
    pane: Pane = "amount"
    at: tuple[Spot, ...] = ()
    pays: bool = True
    refunds: bool = True
    ways: tuple[str, ...] = ()
    slip: bool = False
    book: str = ""
    goes_back: str = ""
    orphaned: str = ""
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def of_customer(self) -> bool:
        """Whether it is somebody's: a sale paid with it names its customer."""
        return self.book in (TAB, POINTS)

    def says(self, what: str) -> str:
        """Return its sentence, or its word, for a spot or an occasion."""
        return self.said.get(what) or _SAID.get(what) or self.label or self.words


TENDERS = {row.name: row for row in (
    Tender(
        CASH, N_("Cash"), "banknotes", pane="cash",
        at=("till", "tab", "order", "pickup", "exchange", "return", "blind", "receipt", "order-back", "pickup-back"),
        said={
            "take": N_("Cash received"), "back": N_("{amount} refunded in cash"), "order": N_("Now, in cash"),
            "taken": N_("Collect in cash"), "receipt": N_("Refund in cash"), "order-back": N_("Refunded in cash"),
            "gone": N_("Give the customer %(amount)s in cash."),
        },
    ),
    Tender(
        "card", N_("Card"), "credit-card", pane="card", ways=("terminal",), slip=True,
        at=("till", "tab", "order", "pickup", "exchange", "return", "receipt", "order-back", "pickup-back"),
        said={
            "take": N_("Card accepted"), "back": N_("{amount} refunded to the card"),
            "order": N_("Now, by card"), "taken": N_("Paid by card"), "pickup": N_("Card, at the terminal"),
            "pickup-back": N_("Card, at the terminal"), "receipt": N_("Refund to the card"),
            "order-back": N_("Refunded to the card"), "gone": N_("Refund %(amount)s to the card at the terminal."),
        },
    ),
    Tender(
        "wallet", N_("Mobile pay"), "qr-code", N_("Mobile pay"), pane="phone", ways=("customer_code", "store_code"),
        slip=True, at=("till",),
        said={
            "take": N_("Pay {amount} by mobile pay"), "gone": N_("Refund %(amount)s to the card at the terminal."),
        },
    ),
    Tender(
        "bank_transfer", N_("Bank transfer"), "building-library", pane="phone", ways=("bank_code",),
        at=("till",),
        said={
            "take": N_("Show the code for {amount}"),
            "gone": N_("Refund %(amount)s in cash, or by a transfer from your bank."),
        },
    ),
    Tender(
        "voucher", N_("Voucher"), pane="code", book=VOUCHERS, refunds=False, goes_back="credit", at=("till",),
        said={"take": N_("Redeem voucher")},
    ),
    Tender(
        "tab", N_("On the tab"), "book-open", N_("Tab"), pane="tab", book=TAB, goes_back="tab", at=("till", "exchange"),
        said={
            "take": N_("Put {amount} on the tab"), "back": N_("Deduct {amount} from the tab"),
            "off": N_("From the tab"),
            "gone": N_("%(amount)s will be deducted from the customer’s tab."),
        },
    ),
    Tender(
        "points", N_("Points"), "star", pane="points", book=POINTS, ways=("points",), goes_back="points",
        orphaned="credit", at=("till",),
        said={"take": N_("Pay {amount} with points"), "gone": N_("%(amount)s will be refunded as points.")},
    ),
    Tender(
        "credit", N_("Store credit"), book=VOUCHERS, pays=False, at=("exchange", "return", "blind"),
        said={
            "back": N_("Give store credit of {amount}"),
            "gone": N_("%(amount)s will be refunded as store credit. Its code will be on the receipt."),
        },
    ),
    Tender(PREPAID, N_("Paid in advance"), refunds=False),
)}  # fmt: skip


def tender_of(name: str) -> Tender:
    """Return a tender's row; of a name without one, a row that allows nothing (rule 2)."""
    return TENDERS.get(name) or Tender(name, name, pays=False, refunds=False)


def offered(spot: Spot) -> dict[str, Tender]:
    """Return what can be chosen at a spot, by name, in the table's order."""
    return {name: row for name, row in TENDERS.items() if spot in row.at}


def on_slips() -> list[str]:
    """Name the tenders that leave a slip."""
    return [row.name for row in TENDERS.values() if row.slip]


def of_book(book: str) -> list[str]:
    """Name the tenders that move a book."""
    return [row.name for row in TENDERS.values() if row.book == book]


def going_back() -> list[Tender]:
    """Return the tenders whose money goes back where it came from: a customer's own accounts first."""
    return sorted((row for row in TENDERS.values() if row.goes_back), key=lambda row: not row.of_customer)
