"""What partners write: one row of `WRITINGS` each, with its shape and the verb of the house that does it.

Rules
-----
1. Nothing is written but by the verbs that the store's own pages use, under the key's name; they refuse as ever.
2. A request carries an `Idempotency-Key`. Its answer is kept in the transaction of what it did: the same key with the
   same content is answered so again and does nothing more, with another content it is refused.
3. An answer is the row that was written, as the lists answer it.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from flask import Response, g, request
from pydantic import Field

from config.errors import Invalid
from config.nodes.journal import Context
from pos.catalogue import assortment
from pos.catalogue.assortment import LONGEST, ProductDetails
from pos.catalogue.catalogue import LONGEST_CODE
from pos.store import partner_keys
from pos.store.store import day_of
from store_app.api.bodies import LARGEST, MAX_LINES, Body, Qty, Sku, parsed
from store_app.api.v1.resources import RESOURCES, Resource
from store_app.runtime.doors import acting, doors, wake_worker_after, write
from supply.orders import orders
from supply.orders.deliveries import delivery_of
from supply.orders.orders import OrderLine
from supply.receiving import receiving
from supply.replenishment import proposals
from supply.replenishment.proposals import Edit

Why = Annotated[str, Field(max_length=200)]


class ProductIn(Body):
    """A product of the store's own, whole."""

    name: str = Field(min_length=1, max_length=LONGEST["name"])
    category: str = Field(min_length=1, max_length=LONGEST["category"])
    tax_class_id: str = Field(min_length=1, max_length=40)
    brand: str = Field(default="", max_length=LONGEST["brand"])
    department: str = Field(default="", max_length=LONGEST["department"])
    pack_text: str = Field(default="", max_length=LONGEST["pack_text"])
    stock_unit: Literal["each", "gram", "millilitre"] = "each"
    kind: Literal["goods", "deposit", "service", "voucher"] = "goods"
    price_typed: bool = False
    deposit_sku: Sku | None = None
    minimum_age: int | None = Field(default=None, ge=1, le=99)
    maximum_qty: int | None = Field(default=None, ge=1, le=1_000_000)
    shelf_life_days: int | None = Field(default=None, ge=1, le=10_000)

    @property
    def details(self) -> ProductDetails:
        """Return it as the assortment takes it."""
        return ProductDetails(**{name: getattr(self, name) for name in ProductIn.model_fields})


class NewProductIn(ProductIn):
    """A new product with its barcode, its price from today on, and what it costs."""

    code: str = Field(default="", max_length=LONGEST_CODE)
    price_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    cost_minor: int | None = Field(default=None, ge=0, le=LARGEST)


class PriceIn(Body):
    """The store's own price of a product, from today or a coming day on."""

    sku: Sku
    price_minor: int = Field(ge=0, le=LARGEST)
    from_day: dt.date


class PacksIn(Body):
    """How many packs of a product are to be ordered; 0: none."""

    sku: Sku
    packs: int = Field(ge=0, le=LARGEST)
    why: Why = ""


class OrderIn(Body):
    """Changes to an order that is proposed, and whether it is then sent, dropped or cancelled."""

    lines: list[PacksIn] = Field(default_factory=list, max_length=MAX_LINES)
    then: Literal["keep", "send", "drop", "cancel"] = "keep"
    why: Why = ""


class CountIn(Body):
    """What arrived of a product. why: needed where it is not what was advised."""

    sku: Sku
    counted_qty: Qty
    why: Why = ""
    batch: str | None = Field(default=None, max_length=40)
    expires_on: dt.date | None = None


class ReceiptIn(Body):
    """A goods receipt: what was counted of a delivery. A product left out counts as advised."""

    lines: list[CountIn] = Field(default_factory=list, max_length=MAX_LINES)


@dataclass(frozen=True)
class Writing:
    """One thing to write. place: behind the resource's address; do: returns the key of the row it wrote."""

    resource: Resource
    method: str
    place: str
    name: str
    shape: type[Body]
    do: Callable[..., str]
    about: str

    @property
    def scope(self) -> str:
        """Return the scope that opens it."""
        return f"{self.resource.name}:write"


def once(writing: Writing, **place: Any) -> Response:
    """Do what a request asks, once (rule 2)."""
    body, named, store_id = parsed(writing.shape), request.headers.get("Idempotency-Key", ""), doors().settings.node_id
    if not 8 <= len(named) <= partner_keys.LONGEST_REQUEST or not named.isascii() or not named.isprintable():
        raise Invalid("no-idempotency-key", "Send an Idempotency-Key of 8 to 80 characters.")
    asked = hashlib.sha256(f"{request.method} {request.path}\n{body.model_dump_json()}".encode()).hexdigest()
    with write() as session:
        text = partner_keys.answer_of(session, g.partner_key, named, asked)
        if text is None:
            ctx = acting(session)
            key = writing.do(ctx, store_id, body, command=f"{g.partner_key.id} {named}", **place)
            session.flush()
            text = next(iter(writing.resource.read(session, store_id, [key]))).model_dump_json()
            partner_keys.keep_answer(ctx, g.partner_key, named, asked, text)
            wake_worker_after(session)
    return Response(text, mimetype="application/json")


# --- inside ---


def _add_product(ctx: Context, store_id: str, body: NewProductIn, *, command: str) -> str:
    today = day_of(ctx.session, store_id, ctx.at)
    return assortment.add_for_sale(
        ctx, store_id, body.details, code=body.code, price_minor=body.price_minor, cost_minor=body.cost_minor,
        today=today, command=command,
    )  # fmt: skip


def _change_product(ctx: Context, store_id: str, body: ProductIn, *, key: str, **_: str) -> str:
    return assortment.change(ctx, store_id, key, body.details).sku


def _set_price(ctx: Context, store_id: str, body: PriceIn, **_: str) -> str:
    today = day_of(ctx.session, store_id, ctx.at)
    return assortment.set_price(ctx, store_id, body.sku, body.price_minor, body.from_day, today=today).sku


def _change_order(ctx: Context, store_id: str, body: OrderIn, *, key: str, **_: str) -> str:
    order = orders.order_of(ctx.session, store_id, key)
    for line in body.lines:
        if ctx.session.get(OrderLine, (store_id, key, line.sku)) is None:
            proposals.add_line(ctx, store_id, key, line.sku, line.packs)
        else:
            proposals.change(ctx, store_id, key, line.sku, Edit(line.packs, line.why))
    if body.then == "send":
        if order.state == orders.STATES.first:
            proposals.approve(ctx, store_id, key)
        orders.send(ctx, store_id, key)
    elif body.then == "drop":
        proposals.drop(ctx, store_id, key, why=body.why)
    elif body.then == "cancel":
        orders.cancel(ctx, store_id, key, why=body.why)
    return key


def _receive(ctx: Context, store_id: str, body: ReceiptIn, *, key: str, **_: str) -> str:
    if delivery_of(ctx.session, store_id, key).state != "counting":
        receiving.begin_count(ctx, store_id, key)
    for line in body.lines:
        receiving.count_line(
            ctx, store_id, key, line.sku, line.counted_qty, why=line.why, batch=line.batch, expires_on=line.expires_on
        )
    receiving.post(ctx, store_id, key)
    return key


_OF = {row.name: row for row in RESOURCES}
WRITINGS = (
    Writing(_OF["products"], "POST", "", "add", NewProductIn, _add_product, "Add a product of the store's own."),
    Writing(
        _OF["products"], "PUT", "/<path:key>", "change", ProductIn, _change_product,
        "Change a product of the store's own.",
    ),
    Writing(_OF["prices"], "POST", "", "set", PriceIn, _set_price, "Set the store's price of a product."),
    Writing(
        _OF["orders"], "PATCH", "/<path:key>", "change", OrderIn, _change_order,
        "Change a proposed order; send, drop or cancel one.",
    ),
    Writing(
        _OF["deliveries"], "POST", "/<path:key>/receipt", "receive", ReceiptIn, _receive,
        "Post the goods receipt of a delivery.",
    ),
)  # fmt: skip
