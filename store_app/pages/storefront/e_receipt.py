"""A customer's receipt on the phone, behind the code on the paper; served by the network node.

Rules
-----
1. The page is the paper: laid out from the same frozen document, by the same layout.
2. A wrong end, an unknown number and a receipt that has not arrived yet are answered alike.
3. Nothing on it is kept by a cache or found by a search engine.
"""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.errors import NotFound
from pos.documents import paper, receipt
from pos.sold import Sale, document_of
from pos.store.store import Store
from store_app.pages.common import form
from store_app.runtime.doors import read
from store_app.web.presenting import at_store, page
from store_app.web.security import public

bp = Blueprint("e_receipt", __name__, url_prefix="/shop/<slug>/receipts")
COLUMNS = 42


@bp.get("/<till_id>-<int:receipt_no>/<token>")
@public
def show(slug: str, till_id: str, receipt_no: int, token: str) -> ResponseReturnValue:
    """Show a receipt to whoever has its address."""
    with read() as session:
        store = session.scalar(sa.select(Store).where(Store.slug == form.tidy(slug)))
        if store is not None:
            at_store(store)
        found = _found(session, store.id, till_id, receipt_no, token) if store is not None else None
    if store is None or found is None:
        raise NotFound(
            "no-receipt",
            "This receipt is not here yet. Try again in a few minutes, once the store is online.",
        )
    printed = {**found, "store": {**found["store"], "receipts_at": ""}}  # on the page itself the code leads nowhere
    lines = [line for line in receipt.layout(printed, columns=COLUMNS) if line.kind != "cut"]
    answer: Response = page(
        "storefront/receipt.html", store=store, document=found, lines=lines, paper_language=paper.said_in(found).tag
    )
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _found(session: Session, store_id: str, till_id: str, receipt_no: int, token: str) -> dict[str, Any] | None:
    """Return the document of the receipt: a number may have been given once per epoch of the till."""
    if receipt_no >= 2**31:
        return None
    query = sa.select(Sale).where(Sale.store_id == store_id, Sale.till_id == till_id, Sale.receipt_no == receipt_no)
    documents = (document_of(session, sale) for sale in session.scalars(query))
    return next((document for document in documents if receipt.is_right_token(document, token)), None)
