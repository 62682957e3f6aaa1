"""Local producers: whose goods the store sells, what came, what was sold of it, and what they are paid."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid, NotFound
from config.money import exponent
from config.nodes.journal import Context
from pos.catalogue.assortment import ProductDetails
from pos.catalogue.assortment import add as add_product
from pos.catalogue.assortment import set_price as set_own_price
from pos.catalogue.catalogue import Product, TaxClass
from pos.producers import agents, payouts, producers
from pos.producers.producers import KINDS, Producer
from pos.stock.producer_lots import ProducerLot
from pos.store import pictures
from pos.store.store import Store
from store_app.files.exporting import csv_answer
from store_app.pages.common import form
from store_app.pages.common.own_till import till_of
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import day, page, place, speech, today
from store_app.web.security import requires
from store_app.words import words
from supply.money import pain001
from supply.online.storefront import product_stories

bp = Blueprint("produce", __name__, url_prefix="/producers")
UNITS = ("each", "gram", "millilitre")
UPLOAD_BYTES = pictures.PHOTO_BYTES + 200_000


@bp.url_value_preprocessor
def admit_picture(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a story's form be larger than others, before anybody reads it."""
    if endpoint == "produce.story":
        request.max_content_length = UPLOAD_BYTES


@bp.get("/")
@requires("order")
def overview(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the producers with what is left of their goods and what they are owed; and find a receipt's lots."""
    store_id = str(place().store_id)
    text = form.tidy(request.args.get("receipt", ""))[:40]
    with read() as session:
        rows = session.scalars(sa.select(Producer).where(Producer.store_id == store_id).order_by(Producer.name)).all()
        shown = [(row, payouts.open_of(session, store_id, row.id), _left(session, row)) for row in rows]
        traced = _of_receipt(session, store_id, text) if text else None
    return page(
        "goods/produce/overview.html", producers=shown, kinds=words.PRODUCER_KINDS, receipt=text, traced=traced,
        currency=place().currency, fault=fault,
    )  # fmt: skip


@bp.post("/")
@requires("order")
@form.answers_on(overview)
def add() -> ResponseReturnValue:
    """Take a producer in."""
    command = form.command_id()
    with write() as session:
        _agree(session, command)
    return redirect(url_for(".producer", producer_id=command), 303)


@bp.get("/<producer_id>")
@requires("order")
def producer(producer_id: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show one producer: goods and their stories, lots, what is open, statements."""
    store_id = str(place().store_id)
    with read() as session:
        row = producers.producer_of(session, store_id, producer_id)
        goods = producers.products_of(session, store_id, producer_id)
        pictures = {one.sku: product_stories.pictures_of(session, store_id, one.sku) for one, _ in goods}
        shown: dict[str, Any] = {
            "producer": row,
            "agent": agents.agent_of(session, store_id, row.agent_name),
            "goods": goods,
            "pictures": pictures,
            "names": {product.sku: product for _one, product in goods},
            "lots": producers.lots_of(session, store_id, producer_id),
            "open": payouts.open_of(session, store_id, producer_id),
            "statements": payouts.statements_of(session, store_id, producer_id),
            "taxes": session.scalars(sa.select(TaxClass).order_by(TaxClass.name)).all(),
        }
    return page(
        "goods/produce/producer.html", **shown, kinds=words.PRODUCER_KINDS, units=UNITS, today=today(),
        currency=place().currency, fault=fault,
    )  # fmt: skip


@bp.post("/<producer_id>/terms")
@requires("order")
@form.answers_on(producer)
def terms(producer_id: str) -> ResponseReturnValue:
    """Change what was agreed."""
    with write() as session:
        producers.producer_of(session, str(place().store_id), producer_id)
        _agree(session, producer_id)
    return form.done(_("Saved for sales from now on."), ".producer", producer_id=producer_id)


@bp.post("/<producer_id>/goods")
@requires("catalogue")
@form.answers_on(producer)
def list_goods(producer_id: str) -> ResponseReturnValue:
    """Make a new product that is sold for this producer."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    name = form.text("name", most=120, required=_("Enter the product’s name."))
    unit = form.one_of("unit", UNITS, sentence=_("Choose how it is sold."))
    price_minor = form.amount("price", place().currency)
    with write() as session:
        row = producers.producer_of(session, store_id, producer_id)
        tax = form.one_of("tax", tuple(session.scalars(sa.select(TaxClass.id))), sentence=_("Choose its tax."))
        details = ProductDetails(
            name, form.text("category", most=60) or _("Local"), tax, brand=row.name, stock_unit=unit
        )
        ctx = Context(session, g.actor, at)
        product = add_product(ctx, store_id, details, command=command)
        set_own_price(ctx, store_id, product.sku, price_minor, today(), today=today())
        story = _story()
        producers.sell_for(ctx, store_id, producer_id, product.sku, story)
        product_stories.send(session, store_id, product.sku, at=at)
    flash(_("%(name)s is now sold for %(producer)s.", name=name, producer=row.name), "good")
    return redirect(url_for(".producer", producer_id=producer_id), 303)


@bp.post("/<producer_id>/goods/<sku>/story")
@requires("catalogue")
@form.answers_on(producer)
def story(producer_id: str, sku: str) -> ResponseReturnValue:
    """Write a product's story, and put a picture in or take one out."""
    store_id, at = str(place().store_id), doors().now()
    sent, gone = request.files.get("picture"), form.text("gone", most=40)
    picture = None
    if sent is not None and sent.filename:
        raw = sent.stream.read(pictures.PHOTO_BYTES + 1)
        picture = next(read_apart(pictures.small, raw, product_stories.SIDE))
    with write() as session:
        producers.sell_for(Context(session, g.actor, at), store_id, producer_id, sku, _story())
        if gone:
            product_stories.take_out_picture(session, store_id, sku, gone)
        if picture is not None:
            product_stories.add_picture(session, store_id, sku, picture, at=at)
        product_stories.send(session, store_id, sku, at=at)
    return form.done(_("Saved. Customers will see it with the product."), ".producer", producer_id=producer_id)


@bp.get("/picture/<sku>/<id>")
@requires("order")
def picture(sku: str, id: str) -> Response:
    """Answer a picture of a story."""
    with read() as session:
        row = session.get(product_stories.ProducerPicture, (str(place().store_id), sku, id))
    if row is None:
        raise NotFound("not-found-here", "Picture not found.")
    return Response(row.jpeg, mimetype="image/jpeg")


@bp.post("/<producer_id>/lots")
@requires("receive")
@form.answers_on(producer)
def take_in(producer_id: str) -> ResponseReturnValue:
    """Take in what the producer brought."""
    command, store_id = form.command_id(), str(place().store_id)
    sku, at = form.text("sku", most=80), doors().now()
    with write() as session:
        producers.producer_of(session, store_id, producer_id)
        lot = producers.take_in(
            Context(session, g.actor, at),
            store_id,
            sku,
            form.whole("qty", least=1),
            id=command,
            code=form.text("code", most=30),
            harvested_on=form.date("harvested_on"),
            expires_on=form.date_on_pack("expires_on"),
        )
        product_stories.send(session, store_id, sku, at=at)
    return form.done(_("Lot %(code)s received.", code=lot.code), ".producer", producer_id=producer_id)


@bp.get("/lots/<lot_id>")
@requires("order")
def lot(lot_id: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Follow a lot from its producer to every receipt it went to."""
    store_id = str(place().store_id)
    with read() as session:
        row = session.get(ProducerLot, (store_id, lot_id))
        if row is None:
            raise NotFound("not-found-here", "Lot not found.")
        who = producers.producer_of(session, store_id, row.producer_id)
        product = session.get_one(Product, row.sku)
        traced = payouts.trace(session, store_id, lot_id=lot_id)
    return page(
        "goods/produce/lot.html", lot=row, producer=who, product=product, traced=traced, currency=place().currency,
        fault=fault,
    )  # fmt: skip


@bp.post("/lots/<lot_id>/out")
@requires("stock.waste")
@form.answers_on(lot)
def take_out(lot_id: str) -> ResponseReturnValue:
    """Give what is left back to the producer, or write it off as spoilt."""
    command = form.command_id()
    how = form.one_of("how", ("back", "lost"), sentence=_("Choose one of the two."))
    with write() as session:
        producers.take_out(
            acting(session),
            str(place().store_id),
            lot_id,
            form.whole("qty", least=1),
            lost=how == "lost",
            id=command,
        )
    return redirect(url_for(".lot", lot_id=lot_id), 303)


@bp.post("/<producer_id>/statements")
@requires("reports.money")
@form.answers_on(producer)
def state(producer_id: str) -> ResponseReturnValue:
    """Make the statement up to a day."""
    command, until = form.command_id(), form.date("until") or today()
    with write() as session:
        payouts.make(
            acting(session),
            str(place().store_id),
            producer_id,
            min(until, today()),
            id=command,
        )
    return redirect(url_for(".statement", statement_id=command), 303)


@bp.get("/statements/<statement_id>")
@requires("reports.money")
def statement(statement_id: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show a statement, to be paid and printed."""
    store_id = str(place().store_id)
    with read() as session:
        row = payouts.statement_of(session, store_id, statement_id)
        who = producers.producer_of(session, store_id, row.producer_id)
        traced = payouts.trace(session, store_id, statement_id=statement_id)
        parts = payouts.agents_of(session, row)
        known = {name: agents.agent_of(session, store_id, name) for name in parts}
    without = [name for name, one in known.items() if one is None or not one.account]
    return page(
        "goods/produce/statement.html", statement=row, producer=who, traced=traced, agents=list(parts), without=without,
        currency=place().currency, fault=fault,
    )  # fmt: skip


@bp.post("/statements/<statement_id>/paid")
@requires("reports.money")
@form.answers_on(statement)
def paid(statement_id: str) -> ResponseReturnValue:
    """Write that it was paid, by bank or out of the drawer."""
    store_id, how = str(place().store_id), form.one_of("how", payouts.HOW, sentence=_("Choose how it was paid."))
    with write() as session:
        payouts.pay(acting(session), store_id, statement_id, how, till_id=till_of(session, store_id))
    return redirect(url_for(".statement", statement_id=statement_id), 303)


@bp.get("/statements/<statement_id>.csv")
@requires("reports.money")
def statement_csv(statement_id: str) -> Response:
    """Answer a statement as a table."""
    row, who, traced, _store = _loaded(statement_id)
    head = ("sold_at", "receipt", "product", "lot", "harvested_on", "qty", "net", "commission", "due")
    places = exponent(place().currency)

    def money(minor: int) -> Any:
        from decimal import Decimal

        return Decimal(minor).scaleb(-places)

    rows = [
        (
            f"{one.sold_at:%Y-%m-%d %H:%M}", f"{one.till_id}-{one.receipt_no}", one.product, one.lot_code or "",
            one.harvested_on.isoformat() if one.harvested_on else "", one.qty, money(one.net_minor),
            money(one.commission_minor), money(one.due_minor),
        )
        for one in traced
    ]  # fmt: skip
    return csv_answer(f"statement-{row.no}-{who.id[-6:]}", head, rows)


@bp.get("/statements/<statement_id>.pdf")
@requires("reports.money")
def statement_pdf(statement_id: str) -> Response:
    """Answer a statement as pages to print or send."""
    from pos.documents import producer_statement_pages

    row, who, traced, store = _loaded(statement_id)
    sums = [
        (_("Sold, before tax"), row.net_minor, False),
        (_("Commission"), -row.commission_minor, False),
        *([(_("Carried over"), row.carried_minor, False)] if row.carried_minor else []),
        (_("Payable"), row.to_pay_minor, True),
    ]
    document = {
        "store": store.name, "producer": who.name, "title": _("Statement %(no)s", no=row.no),
        "currency": store.currency,
        "until": _("Sold until %(day)s", day=day(row.until_day)), "sums": sums,
        "rows": [
            {
                "day": speech().day(one.sold_at), "receipt": f"{one.till_id}-{one.receipt_no}", "product": one.product,
                "lot": one.lot_code or "", "qty": one.qty, "stock_unit": "each", "net_minor": one.net_minor,
                "due_minor": one.due_minor,
            }
            for one in traced
        ],
    }  # fmt: skip
    answer = Response(producer_statement_pages.pages(document, speech()), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"attachment; filename=statement-{row.no}.pdf"
    return answer


# --- inside ---


def _agree(session: Any, id: str) -> Producer:
    kind = form.one_of("kind", KINDS, sentence=_("Choose the producer’s type."))
    agent_account, agent_bic = form.text("agent_account", most=60), form.text("agent_bic", most=20)
    if agent_account:
        agent_account, agent_bic = pain001.tidy_account(agent_account, agent_bic)
    facts = producers.ProducerFacts(
        name=form.text("name", most=80, required=_("Enter the producer’s name.")),
        commission_bp=form.share("commission"),
        kind=kind,
        place=form.text("place", most=80),
        phone=form.text("phone", most=30),
        account=form.text("account", most=60),
        agent_name=form.text("agent_name", most=80),
        agent_bp=form.share("agent_share") if request.form.get("agent_share", "").strip() else 0,
        agent_account=agent_account,
        agent_bic=agent_bic,
    )
    return producers.add_producer(acting(session), str(place().store_id), facts, id=id)


def _story() -> str:
    """Return the story as it was typed, line by line."""
    lines = [form.tidy(line) for line in request.form.get("story", "")[:4000].splitlines()]
    words = "\n".join(lines).strip()
    if len(words) > 2000:
        raise Invalid("too-long", "Up to 2000 characters.", field="story")
    return words


def _left(session: Any, row: Producer) -> tuple[int, int]:
    """Return how many lots have something left, and of how many."""
    query = sa.select(sa.func.count(), sa.func.sum(sa.case((ProducerLot.left_qty > 0, 1), else_=0))).where(
        ProducerLot.store_id == row.store_id, ProducerLot.producer_id == row.id
    )
    every, some = session.execute(query).one()
    return int(some or 0), int(every)


def _of_receipt(session: Any, store_id: str, text: str) -> list[payouts.Traced]:
    """Return the lots a receipt's goods came of; text: 'T1-42' or the number alone."""
    till, _dash, number = text.rpartition("-")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise Invalid("bad-receipt", "Enter the receipt number, such as 42 or T1-42.", field="receipt")
    return payouts.trace(session, store_id, receipt=(till or till_of(session, store_id), int(number)))


def _loaded(statement_id: str) -> Any:
    store_id = str(place().store_id)
    with read() as session:
        row = payouts.statement_of(session, store_id, statement_id)
        who = producers.producer_of(session, store_id, row.producer_id)
        traced = payouts.trace(session, store_id, statement_id=statement_id)
        return row, who, traced, session.get_one(Store, store_id)
