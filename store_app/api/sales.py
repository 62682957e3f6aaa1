"""Quote a basket, complete a sale, ask for one by its id, print its receipt again."""

from typing import Any

from flask import Blueprint, Response, g, jsonify

from config.errors import Invalid, NotFound
from config.ids import is_id
from pos import printer, sale
from pos.sale import Sale, SaleRequest
from store_app.api.bodies import Nothing, QuoteBody, SaleBody, parsed
from store_app.extensions import clock, doors, read, wake_worker_after, write
from store_app.security import requires

bp = Blueprint("api_sales", __name__, url_prefix="/api")


@bp.post("/quote")
@requires("sell")
def quote() -> Response:
    """Price a basket; writes nothing."""
    body = parsed(QuoteBody)
    lines = [(line.sku, line.qty) for line in body.lines]
    with read() as session:
        priced = sale.quote(session, doors().settings.node_id, lines, at=clock.now(), cash=body.cash)
    return jsonify(pricing_json(priced))


@bp.post("/sales")
@requires("sell")
def complete() -> Response:
    """Complete a sale: everything or nothing; the same id again answers the same receipt."""
    body = parsed(SaleBody)
    if not is_id(body.id):
        raise Invalid("bad-sale-id", "The id of a sale has 8 to 40 letters, digits or hyphens.")
    request = SaleRequest(
        id=body.id,
        store_id=doors().settings.node_id,
        till_id=body.till_id,
        lines=[(line.sku, line.qty) for line in body.lines],
        tenders=[(tender.tender, tender.amount_minor, tender.reference) for tender in body.tenders],
        shown_total_minor=body.shown_total_minor,
        age_confirmed=body.age_confirmed,
    )
    with write() as session:
        done = sale.complete(session, request, actor=g.actor, at=clock.now())
        wake_worker_after(session)
    answer = jsonify(sale_json(done.sale, done.document) | {"repeated": done.repeated})
    answer.status_code = 200 if done.repeated else 201
    return answer


@bp.get("/sales/<sale_id>")
@requires("sell")
def ask(sale_id: str) -> Response:
    """Answer whether a sale was completed: asked by id when an answer got lost."""
    with read() as session:
        found = session.get(Sale, (doors().settings.node_id, sale_id))
        if found is None or found.state != "completed":
            raise NotFound("no-such-sale", "This sale is not in the books. Nothing was charged.", id=sale_id)
        document = sale.document_of(session, found)
    return jsonify(sale_json(found, document))


@bp.post("/receipts/<sale_id>/reprint")
@requires("print")
def reprint(sale_id: str) -> Response:
    """Print a receipt once more, marked as a copy."""
    parsed(Nothing)
    with write() as session:
        if session.get(Sale, (doors().settings.node_id, sale_id)) is None:
            raise NotFound("no-such-sale", "This sale is not in the books.", id=sale_id)
        job = printer.reprint(session, doors().settings.node_id, sale_id, actor=g.actor, at=clock.now())
        wake_worker_after(session)
    return jsonify(job_id=job.id, copy_no=job.copy_no)


def sale_json(found: Sale, document: dict[str, Any]) -> dict[str, Any]:
    """Return a completed sale as the till's page reads it."""
    return {
        "id": found.id,
        "receipt_no": found.receipt_no,
        "business_day": found.business_day.isoformat(),
        "total_minor": found.total_minor,
        "rounding_minor": found.rounding_minor,
        "tax_minor": found.tax_minor,
        "document": document,
    }


def pricing_json(priced: Any) -> dict[str, Any]:
    """Return a priced basket as the till's page reads it."""
    return {
        "lines": [
            {
                "sku": line.product.sku,
                "qty": line.qty,
                "unit_price_minor": line.product.price_minor,
                "discount_minor": line.discount_minor,
                "total_minor": line.total_minor,
                "tax_minor": line.tax_minor,
            }
            for line in priced.lines
        ],
        "lines_minor": priced.lines_minor,
        "tax_minor": priced.tax_minor,
        "rounding_minor": priced.rounding_minor,
        "total_minor": priced.total_minor,
        "minimum_age": priced.minimum_age,
    }
