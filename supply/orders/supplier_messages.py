"""What a supplier without a line to us is sent: the order, or that it is called off, by e-mail or on paper.

A store writes so to its own suppliers, a warehouse of the network to those it buys from upstream (`purchasing`).

Rules
-----
1. A message is written with the order's move, once, and frozen: what was sent can be seen again as it was.
2. It is an outgoing message (`pos.messages`). Where it fails the order stays as it is: the message says what is wrong,
   and goes again to the same address, to another one, or on paper.
3. An order called off before its message left takes the message along; afterwards, and where it left all the same
   meanwhile, a second message calls it off.
"""

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.money import exponent
from config.nodes.journal import Context
from pos import messages
from pos.catalogue.catalogue import Barcode, Product
from pos.messages import OutgoingMessage, Recipient
from pos.reports.slips import head, wall_time
from pos.store.store import store_of
from supply.orders.suppliers import Contact, Supplier, SupplierProduct, sound, supplier_of

if TYPE_CHECKING:
    from supply.orders.claims import Claim, ClaimLine
    from supply.orders.deliveries import Delivery

KINDS = ("order", "cancellation", "return", "return_off", "claim")
UNSENT = ("waiting", "failed")
OF_RETURNS = ("return", "return_off")
"""The kinds of messages of what goes back to whom it was bought of (`upstream_returns`)."""


class MessageLine(Protocol):
    """A line of an order or of a purchase, as its message shows it."""

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


@dataclass(frozen=True)
class Ordered:
    """What was ordered, as its message tells it. no: its number; head: who orders, as every slip says it (`head`)."""

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
    lines: Sequence[MessageLine],
    *,
    at: dt.datetime,
) -> OutgoingMessage:
    """Write the message of an order that is sent (rule 1); its id is the order's."""
    document = _document(session, order, supplier, lines)
    return _write(session, order.store_id, "order", order.id, order.id, supplier, document, at)


def call_off(ctx: Context, store_id: str, order_id: str, *, why: str) -> None:
    """Take an order's message back that did not leave yet, else write that the order is called off (rule 3)."""
    message = ctx.session.get(OutgoingMessage, (store_id, order_id))
    if message is None:
        return
    if message.state in UNSENT:
        messages.withdraw(ctx, message)
        message.body = message.body | {"called_off": why}
        return
    _write_off_message(ctx, message, why)


def complain(
    ctx: Context, claim: "Claim", supplier: Supplier, delivery: "Delivery", lines: "Sequence[ClaimLine]"
) -> OutgoingMessage | None:
    """Write the message of a claim to a supplier of the store's own; None: nobody is written to, the claim is printed.

    Its id is the claim's; it goes by e-mail alone, and only about a delivery that answers an order.
    """
    if supplier.send_by != "email" or delivery.order_id is None:
        return None
    document = head(store_of(ctx.session, claim.store_id), ctx.actor, ctx.at) | {
        "order_no": claim.claim_no,
        "delivery_day": (delivery.posted_at or ctx.at).date().isoformat(),
        "wish": claim.wish,
        "words": claim.words,
        "lines": [{"name": line.name, "sku": line.sku, "kind": line.kind, "qty": line.qty} for line in lines],
    }
    return _write(ctx.session, claim.store_id, "claim", claim.id, delivery.order_id, supplier, document, ctx.at)


def send_back(
    session: Session, store_id: str, return_id: str, supplier: Supplier, document: dict[str, Any], *, at: dt.datetime
) -> OutgoingMessage:
    """Write the message of goods that go back to a supplier; its id is the return's."""
    return _write(session, store_id, "return", return_id, return_id, supplier, document, at)


def left(ctx: Context, store_id: str, message_id: str) -> OutgoingMessage:
    """Note that a message was handed over: to the mail server, or to the supplier by hand; once."""
    message = message_of(ctx.session, store_id, message_id)
    if message.state == "withdrawn":  # called off while it was on its way to the supplier, who is told so now
        _write_off_message(ctx, message, str(message.body.get("called_off", "")))
    elif message.state == "failed":  # it was to go by e-mail and went by hand
        messages.again(ctx, message, carrier=messages.PAPER, email="")
    messages.sent(ctx, message)
    return message


def again(ctx: Context, store_id: str, message_id: str, *, how: str, address: str = "") -> OutgoingMessage:
    """Send a message that did not leave another way, or to another address, which the supplier keeps (rule 2)."""
    message = message_of(ctx.session, store_id, message_id)
    supplier = supplier_of(ctx.session, str(message.body["supplier_id"]))
    asked = Contact(supplier.name, send_by=how, email=address if how == "email" else "")
    address = sound(asked).email
    messages.again(ctx, message, carrier=how, email=address)
    if address and address != supplier.email and supplier.owner_id in (store_id, NETWORK):
        supplier.email = address
    ctx.session.flush()
    return message


# --- questions ---


def message_of(session: Session, store_id: str, message_id: str) -> OutgoingMessage:
    """Return a message of this store, locked; NotFound when there is none."""
    return messages.message_of(session, store_id, message_id)


def messages_of(session: Session, store_id: str, order_id: str) -> list[OutgoingMessage]:
    """Return what was written to the supplier about an order, the first message first; claims are told elsewhere."""
    return [one for one in messages.written_about(session, store_id, order_id) if one.kind != "claim"]


def unsent(session: Session, store_id: str) -> set[str]:
    """Return the orders of which a message waits for a person: to be printed, or because it did not leave."""
    query = _waiting().with_only_columns(OutgoingMessage.about)
    return set(session.scalars(query.where(OutgoingMessage.store_id == store_id)))


def not_sent(session: Session, kind: str) -> list[OutgoingMessage]:
    """Return the messages of a kind that are still to leave, of all here who write any, the oldest first."""
    query = sa.select(OutgoingMessage).where(OutgoingMessage.state.in_(UNSENT), OutgoingMessage.kind == kind)
    return list(session.scalars(query.order_by(OutgoingMessage.made_at, OutgoingMessage.id)))


def left_behind(session: Session) -> list[OutgoingMessage]:
    """Return the messages that wait for a person, of all here who write any, the oldest first."""
    return list(session.scalars(_waiting().order_by(OutgoingMessage.made_at, OutgoingMessage.id)))


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
    """Ask for messages to be printed, and for those that did not leave; claims are told elsewhere."""
    by_hand = sa.and_(OutgoingMessage.state == "waiting", OutgoingMessage.carrier == messages.PAPER)
    to_suppliers = OutgoingMessage.kind.in_([kind for kind in KINDS if kind != "claim"])
    return sa.select(OutgoingMessage).where(to_suppliers, sa.or_(OutgoingMessage.state == "failed", by_hand))


def _write(
    session: Session,
    store_id: str,
    kind: str,
    id: str,
    order_id: str,
    supplier: Supplier,
    document: dict[str, Any],
    at: dt.datetime,
) -> OutgoingMessage:
    email = supplier.email if supplier.send_by == "email" else ""
    to, body = Recipient(email, carrier=supplier.send_by), document | _recipient(supplier)
    return messages.write(session, store_id, kind, to, id=id, about=order_id, body=body, at=at)


def _write_off_message(ctx: Context, message: OutgoingMessage, why: str) -> None:
    """Write that an order, whose message left, is called off."""
    off = {"local_time": wall_time(ctx.at, message.body["store"]["tz"]), "by": ctx.actor.name, "called_off": why}
    kind = "return_off" if message.kind == "return" else "cancellation"
    to, about = Recipient(message.email, carrier=message.carrier), message.about
    body = message.body | off
    messages.write(ctx.session, message.store_id, kind, to, id=f"{about}-off", about=about, body=body, at=ctx.at)


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
    lines: Sequence[MessageLine],
) -> dict[str, Any]:
    """Freeze all that stands on the message."""
    skus = [line.sku for line in lines]
    units = dict(session.execute(sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_(skus))).all())
    codes: dict[str, str] = {}
    for sku, code in session.execute(
        sa.select(Barcode.sku, Barcode.code).where(Barcode.sku.in_(skus)).order_by(Barcode.code)
    ):
        codes.setdefault(sku, code)
    sold = sa.select(SupplierProduct.sku, SupplierProduct.article_no)
    numbers = dict(session.execute(sold.where(SupplierProduct.supplier_id == supplier.id)).all())
    return order.head | {
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


def _tame(text: str) -> str:
    return f"'{text}" if text.strip()[:1] in tuple("=+-@＝＋－＠") and text.strip() else text
