"""What a supplier without a line to us is sent: the order, or that it is called off, by e-mail or on paper.

A store writes so to its own suppliers, a warehouse of the network to those it buys from upstream (`purchasing`).

Rules
-----
1. A letter is written with the order's move, once, and frozen: what was sent can be seen again as it was.
2. An e-mail is handed over outside of any transaction. What fails is tried again, later each time, at most TRIES
   times; an address the mail server refuses is not tried again. The order stays as it is: the letter says what is
   wrong, and goes again to the same address, to another one, or on paper.
3. A letter on paper waits until somebody printed it or says that it is handed over.
4. An order called off before its letter left takes the letter along; afterwards, and where it left all the same
   meanwhile, a second letter calls it off.
"""

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import NotFound
from config.ids import NETWORK
from config.money import exponent
from config.nodes import journal
from config.nodes.journal import Actor
from config.states import StateTable
from pos.catalogue.catalogue import Barcode, Product
from pos.reports.slips import head, wall_time
from pos.store.store import store_of
from supply.orders.suppliers import Contact, Supplier, SupplierProduct, sound, supplier_of

if TYPE_CHECKING:
    from supply.orders.claims import Claim, ClaimLine
    from supply.orders.deliveries import Delivery

STATES = StateTable(
    "order letter",
    "waiting",
    {"waiting": ["sent", "refused", "withdrawn"], "refused": ["waiting", "withdrawn"]},
    resting=["refused"],
)
TRIES = 8
UNSENT = ("waiting", "refused")
OF_RETURNS = ("return", "return_off")
"""The kinds of letters of what goes back to whom it was bought of (`upstream_returns`)."""


class LetterLine(Protocol):
    """A line of an order or of a purchase, as its letter shows it."""

    @property
    def sku(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def packs(self) -> int: ...
    @property
    def pack_qty(self) -> int: ...
    @property
    def pack_cost_minor(self) -> int: ...


class OrderLetter(Base):
    """A letter to a supplier; how: email | paper; document: what stands on it.

    kind: order | cancellation | claim, or one of OF_RETURNS. store_id, order_id: of a store's order, of a warehouse's
    purchase, or of what goes back to whom it bought it of (`upstream_returns`).
    """

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "order_letter"
    __table_args__ = (sa.Index("ix_order_letter_due", "state", "try_at"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    kind: Mapped[str]
    how: Mapped[str]
    address: Mapped[str]
    document: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]
    try_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    fault_code: Mapped[str] = mapped_column(default="")
    """Why it did not leave: address-refused | no-mail-server | unreachable; '' where nothing is wrong."""
    fault: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[dt.datetime | None]


@dataclass(frozen=True)
class Ordered:
    """What was ordered, as its letter tells it. no: its number; head: who orders, as every slip says it (`head`)."""

    store_id: str
    id: str
    no: int | str
    order_day: dt.date
    delivery_day: dt.date
    cost_minor: int
    head: dict[str, Any]


# --- verbs ---


def write(
    session: Session,
    order: Ordered,
    supplier: Supplier,
    lines: Sequence[LetterLine],
    *,
    at: dt.datetime,
) -> OrderLetter:
    """Write the letter of an order that is sent (rule 1); its id is the order's."""
    made = OrderLetter(
        store_id=order.store_id, id=order.id, order_id=order.id, kind="order", how=supplier.send_by,
        address=supplier.email if supplier.send_by == "email" else "", state=STATES.first, made_at=at, try_at=at,
        document=_document(session, order, supplier, lines), tries=0, fault_code="", fault="",
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def call_off(session: Session, store_id: str, order_id: str, *, why: str, actor: Actor, at: dt.datetime) -> None:
    """Take an order's letter back that did not leave yet, else write that the order is called off (rule 4)."""
    letter = session.get(OrderLetter, (store_id, order_id))
    if letter is None:
        return
    if letter.state in UNSENT:
        _move(session, letter, "withdrawn", actor=actor, at=at)
        letter.ended_at, letter.document = at, letter.document | {"called_off": why}
        return
    _write_off_letter(session, letter, why, actor=actor, at=at)


def complain(
    session: Session,
    claim: "Claim",
    supplier: Supplier,
    delivery: "Delivery",
    lines: "Sequence[ClaimLine]",
    *,
    actor: Actor,
    at: dt.datetime,
) -> OrderLetter | None:
    """Write the letter of a claim to a supplier of the store's own; None: nobody is written to, the claim is printed.

    Its id is the claim's; it goes by e-mail alone, and only about a delivery that answers an order.
    """
    if supplier.send_by != "email" or delivery.order_id is None:
        return None
    document = (
        head(store_of(session, claim.store_id), actor, at)
        | _recipient(supplier)
        | {
            "order_no": claim.claim_no,
            "delivery_day": (delivery.posted_at or at).date().isoformat(),
            "wish": claim.wish,
            "words": claim.words,
            "lines": [{"name": line.name, "sku": line.sku, "kind": line.kind, "qty": line.qty} for line in lines],
        }
    )
    made = OrderLetter(
        store_id=claim.store_id, id=claim.id, order_id=delivery.order_id, kind="claim", how="email",
        address=supplier.email, state=STATES.first, made_at=at, try_at=at, document=document, tries=0, fault_code="",
        fault="",
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def send_back(
    session: Session, store_id: str, return_id: str, supplier: Supplier, document: dict[str, Any], *, at: dt.datetime
) -> OrderLetter:
    """Write the letter of goods that go back to a supplier; its id is the return's."""
    made = OrderLetter(
        store_id=store_id, id=return_id, order_id=return_id, kind="return", how=supplier.send_by,
        address=supplier.email if supplier.send_by == "email" else "", state=STATES.first, made_at=at, try_at=at,
        document=document | _recipient(supplier), tries=0, fault_code="", fault="",
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def left(session: Session, store_id: str, letter_id: str, *, actor: Actor, at: dt.datetime) -> OrderLetter:
    """Note that a letter was handed over: to the mail server, or to the supplier by hand; once."""
    letter = letter_of(session, store_id, letter_id)
    if letter.state == "sent":
        return letter
    if letter.state == "withdrawn":  # called off while it was on its way to the supplier, who is told so now
        if session.get(OrderLetter, (store_id, f"{letter_id}-off")) is None:
            _write_off_letter(session, letter, str(letter.document.get("called_off", "")), actor=actor, at=at)
        return letter
    if letter.state == "refused":  # it was to go by e-mail and went by hand
        letter.how, letter.address = "paper", ""
        _move(session, letter, "waiting", actor=actor, at=at)
    _move(session, letter, "sent", actor=actor, at=at)
    letter.ended_at, letter.fault_code, letter.fault = at, "", ""
    return letter


def failed(session: Session, store_id: str, letter_id: str, code: str, fault: str, *, at: dt.datetime) -> OrderLetter:
    """Note that an e-mail did not leave, and when it is tried again, if it is (rule 2)."""
    letter = letter_of(session, store_id, letter_id)
    if letter.state != "waiting":
        return letter
    letter.tries, letter.fault_code, letter.fault = letter.tries + 1, code, fault[:200]
    letter.try_at = at + min(dt.timedelta(hours=1), dt.timedelta(seconds=15) * 2**letter.tries)
    if code != "unreachable" or letter.tries >= TRIES:
        _move(session, letter, "refused", actor=Actor.system("letters", store_id), at=at, why=fault[:200])
    return letter


def again(
    session: Session, store_id: str, letter_id: str, *, how: str, address: str = "", actor: Actor, at: dt.datetime
) -> OrderLetter:
    """Send a letter that did not leave another way, or to another address, which the supplier keeps (rule 2)."""
    letter = letter_of(session, store_id, letter_id)
    supplier = supplier_of(session, str(letter.document["supplier_id"]))
    asked = Contact(supplier.name, send_by=how, email=address if how == "email" else "")
    address = sound(asked).email
    if letter.state == "refused":
        _move(session, letter, "waiting", actor=actor, at=at)
    STATES.require(letter.state, "sent")
    letter.how, letter.address, letter.try_at, letter.tries = how, address, at, 0
    letter.fault_code = letter.fault = ""
    if address and address != supplier.email and supplier.owner_id in (store_id, NETWORK):
        supplier.email = address
    session.flush()
    return letter


# --- questions ---


def is_waiting(session: Session, store_id: str, letter_id: str) -> bool:
    """Tell whether a letter still waits to be sent."""
    row = session.get(OrderLetter, (store_id, letter_id))
    return row is not None and row.state == "waiting"


def letter_of(session: Session, store_id: str, letter_id: str) -> OrderLetter:
    """Return a letter of this store, locked; NotFound when there is none."""
    query = sa.select(OrderLetter).where(OrderLetter.store_id == store_id, OrderLetter.id == letter_id)
    letter: OrderLetter | None = session.scalar(lock_rows(session, query))
    if letter is None:
        raise NotFound("no-letter", "No letter was written for this order.", letter_id=letter_id)
    return letter


def letters_of(session: Session, store_id: str, order_id: str) -> list[OrderLetter]:
    """Return what was written to the supplier about an order, the first letter first; claims are told elsewhere."""
    query = sa.select(OrderLetter).where(
        OrderLetter.store_id == store_id, OrderLetter.order_id == order_id, OrderLetter.kind != "claim"
    )
    return list(session.scalars(query.order_by(OrderLetter.made_at, OrderLetter.id)))


def due(session: Session, store_id: str, at: dt.datetime, limit: int = 20) -> list[OrderLetter]:
    """Return the e-mails to be sent now, the oldest first."""
    query = sa.select(OrderLetter).where(
        OrderLetter.state == "waiting", OrderLetter.try_at <= at, OrderLetter.store_id == store_id,
        OrderLetter.how == "email",
    )  # fmt: skip
    return list(session.scalars(query.order_by(OrderLetter.try_at, OrderLetter.id).limit(limit)))


def unsent(session: Session, store_id: str) -> set[str]:
    """Return the orders of which a letter waits for a person: to be printed, or because it did not leave."""
    query = _waiting().with_only_columns(OrderLetter.order_id)
    return set(session.scalars(query.where(OrderLetter.store_id == store_id)))


def not_sent(session: Session, kind: str) -> list[OrderLetter]:
    """Return the letters of a kind that are still to leave, of all here who write any, the oldest first."""
    query = sa.select(OrderLetter).where(OrderLetter.state.in_(UNSENT), OrderLetter.kind == kind)
    return list(session.scalars(query.order_by(OrderLetter.made_at, OrderLetter.id)))


def left_behind(session: Session) -> list[OrderLetter]:
    """Return the letters that wait for a person, of all here who write any, the oldest first."""
    return list(session.scalars(_waiting().order_by(OrderLetter.made_at, OrderLetter.id)))


def as_csv(document: dict[str, Any]) -> bytes:
    """Return an order as the table a supplier's program reads: one row a line, UTF-8, amounts in major units.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    places = exponent(document["store"]["currency"])
    page = io.StringIO()
    table = csv.writer(page)
    table.writerow([
        "order_no", "store", "customer_no", "delivery_day", "article_no", "sku", "barcode", "name", "packs", "pack_qty",
        "unit", "pack_cost", "cost", "currency",
    ])  # fmt: skip
    for line in document["lines"]:
        packs = 0 if document.get("called_off") else line["packs"]
        table.writerow([
            document["order_no"], _tame(document["store"]["name"]), _tame(document["customer_no"]),
            document["delivery_day"], _tame(line["article_no"]), _tame(line["sku"]), line["barcode"],
            _tame(line["name"]), packs, line["pack_qty"], line["stock_unit"],
            Decimal(line["pack_cost_minor"]).scaleb(-places),
            Decimal(packs * line["pack_cost_minor"]).scaleb(-places), document["store"]["currency"],
        ])  # fmt: skip
    return page.getvalue().encode("utf-8-sig")


# --- inside ---


def _waiting() -> sa.Select[Any]:
    """Ask for letters to be printed, and for those that did not leave; claims are told elsewhere."""
    by_hand = sa.and_(OrderLetter.state == "waiting", OrderLetter.how == "paper")
    return sa.select(OrderLetter).where(OrderLetter.kind != "claim", sa.or_(OrderLetter.state == "refused", by_hand))


def _write_off_letter(session: Session, letter: OrderLetter, why: str, *, actor: Actor, at: dt.datetime) -> None:
    """Write that an order, whose letter left, is called off."""
    again = {"local_time": wall_time(at, letter.document["store"]["tz"]), "by": actor.name, "called_off": why}
    session.add(
        OrderLetter(
            store_id=letter.store_id, id=f"{letter.order_id}-off", order_id=letter.order_id,
            kind="return_off" if letter.kind == "return" else "cancellation", how=letter.how, address=letter.address,
            state=STATES.first, made_at=at, try_at=at, tries=0, fault_code="", document=letter.document | again,
            fault="",
        )
    )  # fmt: skip
    session.flush()


def _recipient(supplier: Supplier) -> dict[str, Any]:
    return {
        "supplier_id": supplier.id,
        "supplier_name": supplier.name,
        "customer_no": supplier.customer_no,
        "language": supplier.language,
    }


def _document(
    session: Session,
    order: Ordered,
    supplier: Supplier,
    lines: Sequence[LetterLine],
) -> dict[str, Any]:
    """Freeze all that stands on the letter."""
    skus = [line.sku for line in lines]
    units = dict(session.execute(sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_(skus))).all())
    codes: dict[str, str] = {}
    for sku, code in session.execute(
        sa.select(Barcode.sku, Barcode.code).where(Barcode.sku.in_(skus)).order_by(Barcode.code)
    ):
        codes.setdefault(sku, code)
    sold = sa.select(SupplierProduct.sku, SupplierProduct.article_no)
    numbers = dict(session.execute(sold.where(SupplierProduct.supplier_id == supplier.id)).all())
    return (
        order.head
        | _recipient(supplier)
        | {
            "order_no": order.no,
            "order_day": order.order_day.isoformat(),
            "delivery_day": order.delivery_day.isoformat(),
            "total_minor": order.cost_minor,
            "lines": [
                {
                    "sku": line.sku,
                    "article_no": numbers.get(line.sku, ""),
                    "barcode": codes.get(line.sku, ""),
                    "name": line.name,
                    "packs": line.packs,
                    "pack_qty": line.pack_qty,
                    "stock_unit": units.get(line.sku, "each"),
                    "pack_cost_minor": line.pack_cost_minor,
                }
                for line in sorted(lines, key=lambda line: (line.name, line.sku))
            ],
        }
    )


def _move(
    session: Session, letter: OrderLetter, state: str, *, actor: Actor, at: dt.datetime, why: str | None = None
) -> None:
    journal.move(
        session, letter, state, actor=actor, at=at, subject=f"letter:{letter.id}", order=letter.order_id, why=why
    )
    session.flush()


def _tame(text: str) -> str:
    return f"'{text}" if text.strip()[:1] in tuple("=+-@＝＋－＠") and text.strip() else text
