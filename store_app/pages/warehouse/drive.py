"""The driver's phone: the stops of one route, opened by its key; each is confirmed, also after the line was lost."""

import datetime as dt

from flask import Blueprint, jsonify, make_response
from flask.typing import ResponseReturnValue
from pydantic import Field

from config.clock import as_utc
from config.errors import DomainError
from pos.store.store import Store
from store_app.api.bodies import Body, parsed
from store_app.pages.warehouse.routes import view_of
from store_app.runtime.doors import clock, read, wake_worker_after, write
from store_app.web.presenting import page
from store_app.web.security import public
from store_app.words.refusals import sentence_of
from supply.network.routes import routes

bp = Blueprint("drive", __name__, url_prefix="/drive")


class Word(Body):
    """What the driver says of a stop. done_at: by the phone's clock, when the button was pressed."""

    store_id: str = Field(max_length=40)
    outcome: str = Field(max_length=20)
    receiver: str = Field(default="", max_length=60)
    note: str = Field(default="", max_length=200)
    done_at: dt.datetime | None = None


@bp.get("/<key>")
@public
def stops(key: str) -> ResponseReturnValue:
    """Show the route: the next stop large, the others below."""
    with read() as session:
        row = routes.route_for(session, key)
        view = view_of(session, row, 1)
        phones = {stop.stop.store_id: session.get_one(Store, stop.stop.store_id).address for stop in view.stops}
    answer = page("warehouse/routes/drive.html", view=view, key=key, addresses=phones)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@bp.post("/<key>")
@public
def confirm(key: str) -> ResponseReturnValue:
    """Take the driver's word for a stop; the same word again changes nothing."""
    word = parsed(Word)
    try:
        with write() as session:
            done_at = as_utc(word.done_at) if word.done_at and word.done_at.tzinfo else None
            stop = routes.confirm(
                session, key, word.store_id, word.outcome, receiver=word.receiver, note=word.note, done_at=done_at,
                at=clock.now(),
            )  # fmt: skip
            wake_worker_after(session)
    except DomainError as fault:
        answer = make_response(jsonify(error={"code": fault.code, "message": sentence_of(fault)}))
        answer.status_code = 409
        return answer
    return jsonify(store_id=stop.store_id, outcome=stop.outcome)
