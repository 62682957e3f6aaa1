"""A customer's statement on the screen, on paper and as a table; and all that is kept of one person."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid, NotFound
from pos.customers import customers
from pos.documents import accounts, paper
from pos.reports import statement
from pos.store.store import store_of
from store_app.pages.common import form
from store_app.pages.common.own_till import own_till
from store_app.runtime.doors import acting, read, write
from store_app.web.days import day_of
from store_app.web.presenting import page, place, today
from store_app.web.security import requires

bp = Blueprint("statements", __name__, url_prefix="/customers")
DAYS = 90


@bp.get("/<customer_id>/statement")
@requires("tab")
def show(customer_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a statement in the customer's own language."""
    first, last, wrong = _period(request.values)
    document = _document(customer_id, first, last)
    language = document["language"]
    rows, say = accounts.statement_rows(document, language), paper.said_in(document, language)
    return page(
        "customers/statement.html",
        document=document,
        head=rows[0],
        lines=rows[1:],
        spoken=language,
        say=say,
        ages=[(say(accounts.AGES[n]), minor) for n, minor in enumerate(document["ages_minor"]) if minor],
        first=first,
        last=last,
        fault=fault or wrong,
    )


@bp.get("/<customer_id>/statement.csv")
@requires("tab")
def as_table(customer_id: str) -> Response:
    """Answer a statement as a table for a spreadsheet."""
    first, last, wrong = _period(request.args)
    if wrong is not None:
        raise wrong
    document = _document(customer_id, first, last)
    rows = accounts.statement_rows(document, document["language"])
    return table(rows, f"statement-{last.isoformat()}.csv")


@bp.post("/<customer_id>/statement")
@requires("tab")
@form.answers_on(show)
def on_paper(customer_id: str) -> ResponseReturnValue:
    """Print a statement on the receipt printer."""
    first, last, wrong = _period(request.form)
    if wrong is not None:
        raise wrong
    with write() as session:
        till = own_till(session, str(place().store_id))
        store = store_of(session, till.store_id)
        statement.print_statement(acting(session), store, customer_id, first, last, till_id=till.id)
    return form.done(_("The statement is printing."), ".show", customer_id=customer_id, first=first, last=last)


@bp.get("/<customer_id>/everything.json")
@requires("customers")
def everything(customer_id: str) -> Response:
    """Answer all that is kept of one person, for a program to read."""
    answer = jsonify(_everything(customer_id))
    answer.headers["Content-Disposition"] = "attachment; filename=customer.json"
    return answer


@bp.get("/<customer_id>/everything.csv")
@requires("customers")
def everything_as_table(customer_id: str) -> Response:
    """Answer all that is kept of one person as a table: where, which line, what, and its value."""
    rows = [["part", "line", "name", "value"], *_flat(_everything(customer_id))]
    return table(rows, "customer.csv")


def table(rows: Iterable[list[str]], name: str) -> Response:
    """Answer rows as CSV that a spreadsheet opens as it is, and in which no text is a formula."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([safe(cell) for cell in row] for row in rows)
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; plain numbers stay numbers."""
    if re.fullmatch(r"-?\d+(\.\d+)?", cell) or not re.match(r"[=+\-@\t\r|%]", cell):
        return cell
    return "'" + cell


# --- inside ---


def _period(asked: Any) -> tuple[dt.date, dt.date, DomainError | None]:
    """Return the days asked for, the last 90 otherwise, and what is wrong with them."""
    last = today()
    first = last - dt.timedelta(days=DAYS)
    begin, end = day_of(asked.get("first") or first.isoformat()), day_of(asked.get("last") or last.isoformat())
    if begin is None or end is None:
        return first, last, Invalid("no-day", "Choose a day.", field="first")
    if not 0 <= (end - begin).days <= statement.MOST_DAYS:
        return first, last, Invalid("bad-period", "The first day must not be after the last.", field="first")
    return begin, end, None


def _document(customer_id: str, first: dt.date, last: dt.date) -> dict[str, Any]:
    store_id = str(place().store_id)
    with read() as session:
        try:
            return statement.statement_of(session, store_of(session, store_id), customer_id, first, last)
        except NotFound as fault:
            raise NotFound("not-found-here", "This customer is not on record here.") from fault


def _everything(customer_id: str) -> dict[str, Any]:
    with read() as session:
        try:
            return customers.everything_about(session, store_of(session, str(place().store_id)), customer_id)
        except NotFound as fault:
            raise NotFound("not-found-here", "This customer is not on record here.") from fault


def _flat(whole: dict[str, Any]) -> Iterator[list[str]]:
    for part, kept in whole.items():
        entries = kept.pop("entries") if isinstance(kept, dict) and "entries" in kept else []
        if isinstance(kept, dict):
            yield from ([part, "", name, str(value)] for name, value in kept.items())
        elif not isinstance(kept, list):
            yield [part, "", "", str(kept)]
        for n, line in enumerate(kept if isinstance(kept, list) else entries, 1):
            yield from ([part, str(n), name, str(value)] for name, value in line.items())
