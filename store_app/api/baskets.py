"""Baskets set aside, taken up again at any till, or given up; and the drawer opened without a sale."""

import json
from typing import Any

from flask import Blueprint, Response, jsonify

from config.errors import Invalid
from config.ids import is_id
from pos.sale import basket
from pos.sale.basket import Parking, TakeUp, Voiding
from pos.store import approvals
from pos.store.approvals import Need
from pos.till import hand_cash, parked
from pos.till.hand_cash import DrawerRequest
from pos.till.parked import Basket
from store_app.api.bodies import DrawerBody, ParkBody, TakeUpBody, VoidBody, takes
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.security import requires

bp = Blueprint("api_baskets", __name__, url_prefix="/api")
LARGEST_BASKET = 100_000


@bp.get("/baskets", endpoint="parked")
@requires("sell")
def kept() -> Response:
    """List the baskets set aside in this store, and those a till took up and did not pay; the longest waiting first."""
    with read() as session:
        found = parked.parked(session, doors().settings.node_id)
        taken = parked.taken_up(session, doors().settings.node_id)
    return jsonify(baskets=[basket_json(row) for row in found], taken=[basket_json(row) for row in taken])


@bp.post("/baskets/<basket_id>/park")
@requires("sell")
@takes(ParkBody)
def park(body: ParkBody, basket_id: str) -> Response:
    """Set a basket aside."""
    _check_id(basket_id)
    if len(json.dumps(body.basket)) > LARGEST_BASKET:
        raise Invalid("basket-too-large", "This basket is too large to put on hold. Ring it up in parts.")
    content = _without_names(body.basket)
    asked = Parking(basket_id, doors().settings.node_id, body.till_id, body.total_minor, content, body.label)
    with write() as session:
        row = basket.park(acting(session), asked)
    return jsonify(basket_json(row))


@bp.post("/baskets/<basket_id>/resume")
@requires("sell")
@takes(TakeUpBody)
def resume(body: TakeUpBody, basket_id: str) -> Response:
    """Take a basket up at this till; one till wins, and the same till may ask again."""
    asked = TakeUp(basket_id, doors().settings.node_id, body.till_id, body.from_till_id, body.approvals)
    with write() as session:
        row = basket.resume(acting(session), asked)
    return jsonify(basket_json(row) | {"basket": row.content})


@bp.post("/baskets/<basket_id>/void")
@requires("sell")
@takes(VoidBody)
def void(body: VoidBody, basket_id: str) -> Response:
    """Give a basket up with a reason."""
    store_id = doors().settings.node_id
    _check_id(basket_id)
    with write() as session:
        kept = session.get(Basket, (store_id, basket_id))
        if kept is not None and kept.state == "voided":  # sent again after a lost answer: its leave is used up
            return jsonify(basket_json(kept))
        asked = Voiding(
            basket_id, store_id, body.till_id, body.why, body.total_minor, [line.rung() for line in body.lines],
            body.corrections, body.approvals,
        )  # fmt: skip
        ctx = acting(session)
        approvals.require(ctx, asked, [Need("void", covers={"total_minor": body.total_minor})])
        row = basket.void(ctx, asked)
    return jsonify(basket_json(row))


@bp.post("/drawer")
@requires("sell")
@takes(DrawerBody)
def open_drawer(body: DrawerBody) -> Response:
    """Open the drawer without a sale, by those who may, with a reason."""
    _check_id(body.id)
    request = DrawerRequest(body.id, doors().settings.node_id, body.till_id, body.why, body.approvals)
    with write() as session:
        opened = hand_cash.open_drawer(acting(session), request)
        wake_worker_after(session)
    return jsonify(opened=True, repeated=not opened)


def basket_json(row: Basket) -> dict[str, Any]:
    """Return a kept basket as the till's page reads it."""
    names = ("id", "state", "till_id", "label", "total_minor", "kept_by_name", "why")
    return {name: getattr(row, name) for name in names} | {"kept_at": row.kept_at.isoformat()}


def _without_names(content: dict[str, Any]) -> dict[str, Any]:
    """Keep of the customer only the id: a parked basket is no place for a person's name."""
    customer = content.get("customer")
    return content | {"customer": {"id": customer.get("id")}} if isinstance(customer, dict) else content


def _check_id(given: str) -> None:
    if not is_id(given):
        raise Invalid("bad-sale-id", "A sale ID has 8 to 40 letters, digits or hyphens.")
