"""Check these: the few products a day whose record is most likely wrong; a count answers each."""

from dataclasses import dataclass

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.clock import day_start
from config.errors import DomainError
from pos.stock import checklist, stock
from pos.stock.checklist import CheckLine
from store_app.pages.common import find_product, form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import stock as stock_words
from supply.demand import forecasts

bp = Blueprint("check_these", __name__, url_prefix="/stock/check")


@dataclass(frozen=True)
class CheckView:
    """A product to look at and the sentence that says why."""

    line: CheckLine
    sentence: str
    unit_word: str


@bp.get("/")
@requires("stock.count")
def list_today(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show today's list; what the records say is shown only where it is the reason."""
    here = place()
    since = day_start(today(), here.tz, here.rollover_hour)
    with read() as session:
        silent = forecasts.silent(session, str(here.store_id))
        lines = checklist.check_these(session, str(here.store_id), day=today(), since=since, silent=silent)
    views = [
        CheckView(
            line,
            stock_words.check_sentence(line),
            {"gram": "g", "millilitre": "ml"}.get(line.stock_unit) or _("units"),
        )
        for line in lines
    ]
    return page("goods/items_to_count.html", views=views, fault=fault, asked=request.form.get("product", ""))


@bp.post("/")
@requires("stock.count")
@form.answers_on(list_today)
def count() -> ResponseReturnValue:
    """Book what somebody counted of a line: the number typed, or none."""
    command = form.command_id()
    counted = 0 if request.form.get("then") == "none" else form.whole("qty")
    with write() as session:
        product = find_product.product_of(session, request.form.get("product", ""))
        with form.once():
            stock.count(acting(session), str(place().store_id), product.sku, counted, count_id=command)
    return form.done(_("Thanks, %(name)s has been counted.", name=product.shown), "check_these.list_today")
