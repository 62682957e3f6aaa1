"""The operator's view of goods between shops: who gives what to whom, how it stands, what it brought."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint
from sqlalchemy.orm import Session

from pos.store import Store
from store_app import wording_supply
from store_app.extensions import read
from store_app.pages.console_rounds import HEIGHT, WIDTH, projected
from store_app.presenting import page
from store_app.security import requires
from supply import transfer_book, vans
from supply.transfer_book import GoodsTransfer

bp = Blueprint("console_transfers", __name__, url_prefix="/console/transfers")
SHOWN = 100


@bp.get("/")
@requires("network.supply")
def everything() -> Any:
    """Show the transfers, the newest first, on a map and as a table."""
    with read() as session:
        rows = transfer_book.transfers(session, transfer_book.STATES.states, limit=SHOWN)
        lines = {row.id: transfer_book.lines_of(session, row) for row in rows}
        picture = _picture(session, [row for row in rows if row.state in transfer_book.OPEN])
        shops = session.scalar(sa.select(sa.func.count()).select_from(Store).where(Store.has_node)) or 0
        placed = len(vans.places_of(session, list(session.scalars(sa.select(Store.id).where(Store.has_node)))))
    done = [row for row in rows if row.handed_over_at is not None]
    return page(
        "console/transfers.html",
        rows=rows,
        lines=lines,
        picture=picture,
        open=sum(row.state in transfer_book.OPEN for row in rows),
        done=len(done),
        moved_minor=sum(row.cost_minor for row in done),
        gained_minor=sum((row.giver_minor or 0) + (row.taker_minor or 0) for row in done),
        nowhere=shops - placed,
        distance=wording_supply.distance,
        tag=wording_supply.transfer_tag,
    )


# --- inside ---


def _picture(session: Session, rows: list[GoodsTransfer]) -> dict[str, Any] | None:
    """Return the open transfers as arrows between shops, north up; None where there is nothing to draw."""
    names = {row.giver_id: row.giver_name for row in rows} | {row.taker_id: row.taker_name for row in rows}
    known = vans.places_of(session, sorted(names))
    if len(known) < 2:
        return None
    at = projected(known)
    arrows = [
        (*at[row.giver_id], *at[row.taker_id], row.state == "proposed")
        for row in rows
        if row.giver_id in at and row.taker_id in at
    ]
    return {
        "width": WIDTH, "height": HEIGHT, "arrows": arrows, "shops": [(*at[key], names[key]) for key in sorted(at)],
    }  # fmt: skip
