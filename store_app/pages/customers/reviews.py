"""What customers say of this store's goods, and the shopkeeper's answers."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from pos.catalogue.catalogue import Product
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from supply.online.storefront import reviews
from supply.online.storefront.reviews import Review
from supply.sync import online

bp = Blueprint("reviews", __name__, url_prefix="/reviews")
SHOWN = 50


@bp.get("/")
@requires("settings")
def listed(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the reviews, those without an answer first."""
    with read() as session:
        rows = session.execute(
            sa.select(Review, Product.shown)
            .join(Product, Product.sku == Review.sku)
            .where(Review.store_id == str(place().store_id))
            .order_by(sa.case((Review.answer == "", 0), else_=1), Review.written_at.desc())
            .limit(SHOWN)
        ).all()
    return page("customers/reviews.html", rows=rows, fault=fault)


@bp.post("/<order_id>/<sku>/report")
@requires("settings")
@form.answers_on(listed)
def report(order_id: str, sku: str) -> ResponseReturnValue:
    """Report a review to the network's operator, who decides."""
    why = form.text("why", most=300, required=_("Explain what is wrong."))
    with write() as session:
        row = reviews.review_of(session, str(place().store_id), order_id, sku)
        online.report_review(acting(session), row, why)
    return form.done(_("Reported. The network will check it."), ".listed")


@bp.post("/<order_id>/<sku>")
@requires("settings")
@form.answers_on(listed)
def answer(order_id: str, sku: str) -> ResponseReturnValue:
    """Answer a review; the customer and everybody else reads it."""
    words = form.text("words", most=reviews.MOST_WORDS, required=_("Write your response first."))
    with write() as session:
        row = reviews.review_of(session, str(place().store_id), order_id, sku)
        online.answer_review(acting(session), row, words)
    return form.done(_("Your response will appear under the review."), ".listed")
