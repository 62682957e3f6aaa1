"""What stores sent and the network holds for review: the operator accepts it or rejects it, one or many."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound
from config.nodes.inbox import PARKED, TURNED_DOWN, InboxMessage
from pos.store.store import Store
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.sync import receiver
from store_app.web.presenting import day, page
from store_app.web.security import requires
from store_app.words import held, words
from supply.demand import plausibility

bp = Blueprint("console_parked", __name__, url_prefix="/console/held")
SHOWN, MOST = 50, 1_000
"""Facts of a store that are listed, and how many one click decides on."""


@dataclass(frozen=True)
class Held:
    """A fact that is held, with the figure it is held for beside the store's usual and its limit."""

    id: str
    words: str
    day: str
    why: str
    usual: str
    most: str


@dataclass(frozen=True)
class OfStore:
    """What is held of one store. held: the oldest; count: how many there are in all."""

    id: str
    name: str
    count: int
    held: list[Held]


@bp.get("/")
@requires("network.facts")
def listed() -> ResponseReturnValue:
    """List what is held of each store, and what was rejected lately."""
    with read() as session:
        return page(
            "console/parked.html", waiting=_of_stores(session, PARKED), rejected=_of_stores(session, TURNED_DOWN)
        )


@bp.post("/<store_id>/accept")
@requires("network.facts.change")
def accept(store_id: str) -> ResponseReturnValue:
    """Accept held facts of a store: each counts on its own day, as if nothing had held it."""
    with write() as session:
        ids = _chosen(session, store_id)
        taken = receiver.take_in(acting(session), store_id, ids)
    left = len(ids) - len(taken)
    reported = ngettext("%(num)d message accepted.", "%(num)d messages accepted.", len(taken))
    if left:
        rest = ngettext(
            "%(num)d could not be accepted; see the reason beside it.",
            "%(num)d could not be accepted; see the reason beside each.", left,
        )  # fmt: skip
        reported = f"{reported} {rest}"
    return form.done(reported, "console_parked.listed", "warn" if left else "good")


@bp.post("/<store_id>/reject")
@requires("network.facts.change")
def reject(store_id: str) -> ResponseReturnValue:
    """Reject held facts of a store, with what depends on them: they count nowhere."""
    with write() as session:
        ids = _chosen(session, store_id)
        done = plausibility.turn_down(acting(session), store_id, ids)
    return form.done(ngettext("%(num)d message rejected.", "%(num)d messages rejected.", len(done)), ".listed", "info")


# --- inside ---


def _chosen(session: Session, store_id: str) -> list[str]:
    """Return the facts that were ticked, or all that wait of the store."""
    if session.get(Store, store_id) is None:
        raise NotFound("unknown-store", "Store not found in this network.")
    if request.form.get("which") == "all":
        row = InboxMessage
        query = sa.select(row.id).where(row.from_node == store_id, row.state == PARKED)
        return list(session.scalars(query.order_by(row.received_at, row.n).limit(MOST)))
    ids = request.form.getlist("id")[:MOST]
    if not ids:
        raise Invalid("nothing-chosen", "Choose at least one message first.")
    return ids


def _of_stores(session: Session, state: str) -> list[OfStore]:
    row = InboxMessage
    counts = sa.select(row.from_node, sa.func.count()).where(row.state == state).group_by(row.from_node)
    many = dict(session.execute(counts).all())
    names = dict(session.execute(sa.select(Store.id, Store.name).where(Store.id.in_(many))).all())
    found = []
    for store_id in sorted(many.keys() & names.keys(), key=lambda one: names[one]):
        query = sa.select(row).where(row.from_node == store_id, row.state == state)
        rows = session.scalars(query.order_by(row.received_at, row.n).limit(SHOWN))
        found.append(OfStore(store_id, names[store_id], many[store_id], [_held(one) for one in rows]))
    return found


def _held(row: InboxMessage) -> Held:
    _value, usual, most = held.figures(row)
    return Held(row.id, words.topic_word(row.topic), _day(row.business_day), held.why(row), usual, most)


def _day(reported: str) -> str:
    """Write a told day in the reader's way; as it was told where it is none."""
    try:
        return day(reported)
    except ValueError:
        return reported
