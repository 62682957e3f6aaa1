"""Suppliers' scorecards of a period: all side by side, and one with its purchases, price changes and claims."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from config.errors import NotFound
from config.ids import NETWORK
from config.nodes.publication import EVERYONE
from pos.store.store import usual_currency
from store_app.pages.common import form
from store_app.runtime.doors import doors, read
from store_app.web.days import day_of
from store_app.web.presenting import page, today
from store_app.web.security import requires
from store_app.words.reports import SCORECARD
from supply.membership import scorecards
from supply.orders.suppliers import Supplier

bp = Blueprint("console_scorecards", __name__, url_prefix="/console/scorecards")
LENGTHS, USUAL, MOST_DAYS, ROWS, CHANGES = (28, 91, 182, 364), 91, 732, 25, 50


@dataclass(frozen=True)
class Asked:
    """The days the address asks for, both included. own: chosen one by one."""

    first: dt.date
    last: dt.date
    own: bool

    @property
    def days(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1

    def address(self, endpoint: str, **more: Any) -> str:
        """Return the address of another page for the same days."""
        said = {"from": self.first, "to": self.last} if self.own else {"days": self.days}
        return url_for(endpoint, **said | more)


@bp.get("/")
@requires("network.buying")
def listed() -> ResponseReturnValue:
    """Show every supplier's figures side by side."""
    asked = _asked()
    with read() as session:
        found = scorecards.look(session, asked.first, asked.last, at=doors().now())
        currency = usual_currency(session)
    return page("warehouse/scorecards.html", found=found, currency=currency, **_said(asked))


@bp.get("/<supplier_id>")
@requires("network.buying")
def one(supplier_id: str) -> ResponseReturnValue:
    """Show one supplier's figures with the purchases, price changes and claims behind them."""
    asked, at = _asked(), doors().now()
    with read() as session:
        supplier = session.get(Supplier, supplier_id)
        cards = {card.supplier.id: card for card in scorecards.look(session, asked.first, asked.last, at=at)}
        if supplier is None or supplier.owner_id not in (NETWORK, EVERYONE):
            raise NotFound("unknown-supplier", "Supplier %(supplier_id)s not found.", supplier_id=supplier_id)
        due = form.paged(scorecards.due(supplier_id, asked.first, asked.last, at=at), ROWS)
        claims = scorecards.claims_of(session, supplier_id, asked.first, asked.last)
        rows = list(due)
        currency = usual_currency(session)
    card = cards.get(supplier_id)
    return page(
        "warehouse/scorecard.html", supplier=supplier, card=card, due=due, rows=rows, claims=claims,
        changes=card.changes[:CHANGES] if card else (), currency=currency, **_said(asked),
        page_address=lambda number: asked.address(".one", supplier_id=supplier_id, page=number, _anchor="due-title"),
    )  # fmt: skip


# --- inside ---


def _asked() -> Asked:
    """Read the address; what it says that cannot be is passed over."""
    first, last = (day_of(request.args.get(name, "")) for name in ("from", "to"))
    if first and last and first <= last and (last - first).days < MOST_DAYS:
        return Asked(first, last, own=True)
    days = next((one for one in LENGTHS if str(one) == request.args.get("days")), USUAL)
    return Asked(today() - dt.timedelta(days=days - 1), today(), own=False)


def _said(asked: Asked) -> dict[str, Any]:
    lengths = [(one, ngettext("%(num)d day", "%(num)d days", one)) for one in LENGTHS]
    return {"asked": asked, "lengths": lengths, "meanings": SCORECARD}
