"""Quote a basket, complete a sale, ask for one by its id, print its receipt again."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g, jsonify
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound
from config.ids import is_id
from config.nodes.journal import Context
from pos import sold
from pos.catalogue import offers
from pos.customers import customers
from pos.documents import paper
from pos.facts import SoldLine
from pos.payments import slip_numbers, vouchers
from pos.payments.payments import Tendered
from pos.payments.tenders import tender_of
from pos.pricing.pricing import PricedLine
from pos.pricing.promises import clean_code
from pos.printing import queue
from pos.reports import receipt_mail, slips
from pos.reports.slips import CopyRequest
from pos.sale import exchange, refund_routes, returns, sale
from pos.sale.quoting import Quote
from pos.sale.sale_request import BroughtBack, SaleRequest
from pos.sold import Completed, Sale
from pos.store import approvals
from pos.store.store import Till, day_of, store_of
from pos.till import hand_cash, shift
from store_app.api.bodies import BackLine, CopyBody, GiftBody, MailBody, QuoteBody, SaleBody, takes
from store_app.mail import envelopes
from store_app.payments.providers import granted as points_granted
from store_app.payments.providers import providers
from store_app.practice.practice import booked
from store_app.runtime.doors import acting, clock, doors, read, wake_worker_after, write
from store_app.web.security import requires

bp = Blueprint("api_sales", __name__, url_prefix="/api")
PRACTICE_FLOAT_MINOR = 100_000
"""What a till that is opened only to practise gives back from."""
PAPER = 42
"""Signs in a line of a receipt on the screen."""


@bp.post("/quote")
@requires("sell")
@takes(QuoteBody)
def quote(body: QuoteBody) -> Response:
    """Price a basket; writes nothing."""
    store_id, at = doors().settings.node_id, clock.now()
    rung = [line.rung() for line in body.lines]
    customer = None
    with read() as session:
        back: list[SoldLine] = []
        receipt = None
        customer_id = body.customer_id
        if brought := brought_back(body.brought_back):
            receipt = refund_routes.look(session, store_id, brought[0].sale_id)
            customer_id = exchange.customer_of(receipt, brought, customer_id)
            back = [line for line, _ in returns.negative_lines(receipt, brought, first_n=len(rung) + 1)]
        usable = offers.usable(session, store_id, body.coupons, day_of(session, store_id, at)) if body.coupons else {}
        quoted = sale.quote(
            session,
            store_id,
            rung,
            at=at,
            cash=body.cash,
            customer_id=customer_id,
            coupons=[code for code, why in usable.items() if not why],
            back=back,
        )
        needs = approvals.wanted(session, store_id, quoted.needs, g.actor)
        goes_back = exchange.goes_back(receipt, back, quoted.basket.lines_minor) if back and receipt else {}
        if customer_id:
            customer = {"id": customer_id} | vars(
                customers.standing(session, store_of(session, store_id), customer_id, at=at)
            )
    answer = quote_json(quoted, back) | {
        "needs": [need.facts() for need in needs],
        "customer": customer,
        "goes_back": goes_back,
        "coupons": [
            {"code": code, "used": clean_code(code) in quoted.coupons_used, "why": why} for code, why in usable.items()
        ],
    }
    return jsonify(answer)


@bp.post("/sales")
@requires("sell")
@takes(SaleBody)
def complete(body: SaleBody) -> Response:
    """Complete a sale: everything or nothing; the same id again answers the same receipt."""
    if not is_id(body.id):
        raise Invalid("bad-sale-id", "A sale ID has 8 to 40 letters, digits or hyphens.")
    here = doors()
    request = SaleRequest(
        id=body.id,
        store_id=here.settings.node_id,
        till_id=body.till_id,
        lines=[line.rung() for line in body.lines],
        tenders=[(row.tender, row.amount_minor, row.reference, row.payment_id) for row in body.tenders],
        shown_total_minor=body.shown_total_minor,
        age_confirmed=body.age_confirmed,
        age_how=body.age_how,
        customer_id=body.customer_id,
        coupons=body.coupons,
        brought_back=brought_back(body.brought_back),
        approvals=body.approvals,
        note=body.note,
        corrections=body.corrections,
    )
    if not body.practice and any(tender_of(row.tender).slip for row in body.tenders):
        slip_numbers.refuse_unnumbered([Tendered(*row) for row in request.tenders], providers(here.settings))
    granted = points_granted(here, request, practice=body.practice, actor=g.actor)
    with granted as wanted, booked(body.till_id, practice=body.practice) as session:
        if body.practice:
            open_for_practice(session, request.store_id, body.till_id)
        done = sale.complete(acting(session), wanted)
        reported = done_json(session, done, practice=body.practice)
        wake_worker_after(session)
    answer = jsonify(reported)
    answer.status_code = 200 if done.repeated else 201
    return answer


@bp.get("/sales/<sale_id>")
@requires("sell")
def ask(sale_id: str) -> Response:
    """Answer whether a sale was completed: asked by id when an answer got lost."""
    with read() as session:
        found = session.get(Sale, (doors().settings.node_id, sale_id))
        if found is None or found.state != "completed":
            raise NotFound("no-such-sale", "This sale is not on record. Nothing was charged.", id=sale_id)
        document = sold.document_of(session, found)
    return jsonify(sale_json(vouchers.masked(document)))


@bp.get("/receipts/<sale_id>/text")
@requires("print")
def text(sale_id: str) -> Response:
    """Answer a receipt's text as its copy would print it, in letters of one size; pictures and codes are left out."""
    with read() as session:
        found = session.get(Sale, (doors().settings.node_id, sale_id))
        if found is None:
            raise NotFound("no-such-sale", "This receipt is not on record. Look up the sale again.", id=sale_id)
        document = vouchers.masked(sold.document_of(session, found))
    lines = [replace(line, wide=1) for line in queue.lay_out("receipt", document, columns=PAPER)]
    return jsonify(lines=[paper.composed(line, PAPER) for line in lines if line.kind in ("text", "rule")])


@bp.post("/receipts/<sale_id>/reprint")
@requires("print")
@takes(CopyBody)
def reprint(body: CopyBody, sale_id: str) -> Response:
    """Print a receipt again, marked as a copy; `whole`: with whole codes of vouchers, by leave."""
    store_id = doors().settings.node_id
    with write() as session:
        request = CopyRequest(sale_id, store_id, body.whole, body.approvals)
        job = slips.copy_receipt(acting(session), request)
        hand_cash.note_event(session, store_id, job.till_id, "reprint")
    return jsonify(job_id=job.id, copy_no=job.copy_no)


@bp.post("/receipts/<sale_id>/gift")
@requires("print")
@takes(GiftBody)
def gift(body: GiftBody, sale_id: str) -> Response:
    """Print the gift receipt of a sale, at the till that asks; the same id again is one paper."""
    store_id = doors().settings.node_id
    if not is_id(body.id):
        raise Invalid("bad-command-id", "A command ID has 8 to 40 letters, digits or hyphens.")
    with write() as session:
        till = session.get(Till, (store_id, body.till_id))
        if till is None:
            raise NotFound("no-such-till", "This till is not set up here. Reload the till page.", till_id=body.till_id)
        job = slips.gift_receipt(session, till, sale_id, command=body.id, at=clock.now())
    return jsonify(job_id=job.id, copy_no=job.copy_no)


@bp.post("/receipts/<sale_id>/mail")
@requires("print")
@takes(MailBody)
def mail(body: MailBody, sale_id: str) -> Response:
    """Send a receipt by e-mail as soon as there is a line; the same id again is one message."""
    at, settings = clock.now(), doors().settings
    with write() as session:
        receipt_mail.ask(
            Context(session, g.actor, at),
            settings.node_id,
            sale_id,
            body.email,
            command=body.id,
            sends_mail=envelopes.sends_mail(settings),
        )
    return jsonify(id=body.id)


def open_for_practice(session: Any, store_id: str, till_id: str) -> None:
    """Open the till for practice where it is not open; undone with everything else."""
    if shift.current(session, store_id, till_id) is None:
        shift.open_shift(acting(session), store_id, till_id, PRACTICE_FLOAT_MINOR)


def brought_back(lines: list[BackLine]) -> list[BroughtBack]:
    """Return what is brought back as the counter takes it."""
    return [BroughtBack(line.sale_id, line.n, line.qty, line.restock) for line in lines]


_REPORTED = ("id", "receipt_no", "business_day", "total_minor", "rounding_minor", "tax_minor")


def sale_json(document: dict[str, Any]) -> dict[str, Any]:
    """Return a completed sale as the till's page reads it."""
    return {name: document[name] for name in _REPORTED} | {"document": document}


def done_json(session: Session, done: Completed, *, practice: bool) -> dict[str, Any]:
    """Return what was completed, or only practised: then it has no receipt number, and no voucher a code.

    A code practised would be that of a real sale of the same id.
    """
    document = vouchers.masked(done.document) if practice else vouchers.revealed(session, done.document)
    answer = sale_json(document) | {"repeated": done.repeated}
    return answer | {"receipt_no": None, "practice": True} if practice else answer


def quote_json(quoted: Quote, back: list[SoldLine]) -> dict[str, Any]:
    """Return a priced basket as the till's page reads it; what is brought back follows what is bought."""
    basket = quoted.basket
    return {
        "lines": [*(_line_json(n, line, quoted) for n, line in enumerate(basket.lines, 1)), *map(_back_json, back)],
        "lines_minor": basket.lines_minor,
        "tax_minor": basket.tax_minor,
        "rounding_minor": basket.rounding_minor,
        "total_minor": basket.total_minor,
        "minimum_age": basket.minimum_age,
        "saved_minor": quoted.saved_minor,
        "coupons_used": sorted(quoted.coupons_used),
        "hints": [
            {"name": hint.name, "missing_qty": hint.missing_qty, "would_save_minor": hint.would_save_minor}
            for hint in quoted.hints
        ],
    }


# --- inside ---


def _line_json(n: int, line: PricedLine, quoted: Quote) -> dict[str, Any]:
    product, rung = line.product, line.line
    return {
        "n": n,
        "asked": rung.asked if rung else None,
        "sku": product.sku,
        "name": product.shown,
        "kind": product.kind,
        "qty": line.qty,
        "stock_unit": product.stock_unit,
        "price_quantity": product.price_quantity,
        "unit_price_minor": product.price_minor,
        "list_price_minor": rung.list_price_minor if rung else product.price_minor,
        "price_type": rung.price_type if rung else "list",
        "amount_minor": line.amount_minor,
        "discount_minor": line.discount_minor,
        "manual_discount_minor": line.manual_discount_minor,
        "offers": [{"id": row.offer_id, "name": row.name, "amount_minor": row.amount_minor} for row in line.offers],
        "unmarked": quoted.unmarked.get(rung.asked, 0) if rung and rung.asked is not None else 0,
        "reason": rung.reason if rung else "",
        "note": rung.note if rung else "",
        "batch": rung.batch if rung else None,
        "expires_on": rung.expires_on.isoformat() if rung and rung.expires_on else None,
        "deposit_of": rung.deposit_of if rung else None,
        "total_minor": line.total_minor,
        "tax_minor": line.tax_minor,
    }


def _back_json(line: SoldLine) -> dict[str, Any]:
    names = (
        "n", "sku", "name", "kind", "qty", "stock_unit", "price_quantity", "unit_price_minor", "list_price_minor",
        "price_type", "amount_minor", "discount_minor", "manual_discount_minor", "reason", "note", "batch",
        "expires_on", "deposit_of", "total_minor", "tax_minor",
    )  # fmt: skip
    back = {"sale_id": line.returns_sale_id, "n": line.returns_n}
    return {name: getattr(line, name) for name in names} | {"asked": None, "offers": [], "back": back}
