"""The operator's view of goods between stores: who gives what to whom, how it stands, what it brought."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from pos.store.store import Store
from store_app.pages.common import form
from store_app.pages.warehouse.routes import HEIGHT, WIDTH, projected
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page
from store_app.web.security import requires
from store_app.words import supply
from supply.network.routes import vehicles
from supply.network.transfers import proposals
from supply.orders import transfers
from supply.orders.transfers import Transfer

bp = Blueprint("console_transfers", __name__, url_prefix="/console/transfers")
SHOWN = 100


@bp.get("/")
@requires("network.supply")
def everything() -> ResponseReturnValue:
    """Show the transfers, the newest first, on a map and as a table."""
    with read() as session:
        rows = transfers.transfers(session, transfers.STATES.states, limit=SHOWN)
        lines = {row.id: transfers.lines_of(session, row) for row in rows}
        picture = _picture(session, [row for row in rows if row.state in transfers.OPEN])
        stores = session.scalar(sa.select(sa.func.count()).select_from(Store).where(Store.has_node)) or 0
        placed = len(vehicles.places_of(session, list(session.scalars(sa.select(Store.id).where(Store.has_node)))))
    done = [row for row in rows if row.handed_over_at is not None]
    return page(
        "warehouse/transfers.html",
        rows=rows,
        lines=lines,
        picture=picture,
        open=sum(row.state in transfers.OPEN for row in rows),
        done=len(done),
        moved_minor=sum(row.cost_minor for row in done),
        gained_minor=sum((row.giver_minor or 0) + (row.taker_minor or 0) for row in done),
        nowhere=stores - placed,
        distance=supply.distance,
        tag=supply.transfer_tag,
    )


@bp.post("/propose")
@requires("network.supply.change")
def propose() -> ResponseReturnValue:
    """Look again which stores can spare what others lack, and ask both."""
    with write() as session:
        made = len(proposals.propose(acting(session)))
    if made:
        return form.done(ngettext("%(num)d transfer suggested.", "%(num)d transfers suggested.", made), ".everything")
    return form.done(_("No store can spare what another lacks."), ".everything", "info")


# --- inside ---


def _picture(session: Session, rows: list[Transfer]) -> dict[str, Any] | None:
    """Return the open transfers as arrows between stores, north up; None where there is nothing to draw."""
    names = {row.giver_id: row.giver_name for row in rows} | {row.taker_id: row.taker_name for row in rows}
    known = vehicles.places_of(session, sorted(names))
    if len(known) < 2:
        return None
    at = projected(known)
    arrows = [
        (*at[row.giver_id], *at[row.taker_id], row.state == "proposed")
        for row in rows
        if row.giver_id in at and row.taker_id in at
    ]
    return {
        "width": WIDTH, "height": HEIGHT, "arrows": arrows, "stores": [(*at[key], names[key]) for key in sorted(at)],
    }  # fmt: skip
