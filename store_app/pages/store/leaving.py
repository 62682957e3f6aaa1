"""Leaving the network: what ends, what is still open, one's data, and the request, until the network has answered."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
from flask import Blueprint, g, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import DomainError, Invalid
from config.ids import new_id
from store_app.files import take_out
from store_app.pages.common import form
from store_app.runtime.child_process import compute_apart
from store_app.runtime.doors import acting, doors, own_doors, read, wake_worker_after, write
from store_app.web import security
from store_app.web.presenting import page, place
from store_app.web.security import not_in_practice, requires
from supply.membership import leaving
from supply.membership.leaving import Departure, StillOpen

bp = Blueprint("leaving", __name__, url_prefix="/settings/network")
KINDS = {
    "orders": (_l("Orders to the network"), "ordering.orders"),
    "deliveries": (_l("Deliveries on their way"), "receiving.deliveries"),
    "offers": (_l("Accepted offers that have not arrived"), "ordering.orders"),
    "campaigns": (_l("Accepted campaigns"), "campaigns.listed"),
    "online": (_l("Online orders"), "pickup.orders"),
    "groups": (_l("Group buys"), "groups.listed"),
    "transfers": (_l("Transfers"), "transfers.everything"),
    "claims": (_l("Claims"), "claims.listed"),
    "returns": (_l("Returns to the network"), "consigned.overview"),
    "consigned": (_l("Products on sale or return"), "consigned.overview"),
    "escrow": (_l("Online payments on hold"), "finance.overview"),
    "refunds": (_l("Refunds to online customers"), "finance.overview"),
    "payouts": (_l("Payouts on their way"), "finance.overview"),
    "credit": (_l("Orders waiting for credit"), "ordering.orders"),
    "advance": (_l("Requested advance"), "finance.overview"),
    "messages": (_l("Messages the network set aside"), "store_settings.overview"),
    "owed": (_l("You owe the network"), "finance.overview"),
    "funds": (_l("The network owes you"), "finance.overview"),
}
"""What may be open -> its words, and the page where it is settled."""


@dataclass(frozen=True)
class OpenRow:
    """What is still open, with the page where it is settled."""

    words: str
    count: int
    amount_minor: int
    href: str


@bp.get("/")
@requires("staff")
@not_in_practice
def show(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what ends, what is open, and how the request stands."""
    store_id = str(place().store_id)
    with read() as session:
        last = leaving.last(session, store_id)
        found = leaving.still_open(session, store_id)
    refused = last is not None and last.state == "refused" and not found
    return page(
        "store/settings/leaving.html", last=last, found=[_row(one) for one in found], is_refused=refused, theirs=
        [_row(one) for one in _theirs(last)] if refused else [], joined=bool(doors().settings.network_url), fault=fault,
    )  # fmt: skip


@bp.post("/ask")
@requires("staff")
@not_in_practice
@form.answers_on(show)
def ask() -> ResponseReturnValue:
    """Ask the network to let the store go; one's own PIN says that it is meant."""
    try:
        security.proven_by_pin(g.actor.id, form.secret("pin"))
    except DomainError as refusal:
        if refusal.code != "wrong-pin":
            raise
        raise Invalid("wrong-old-pin", "That is not your current PIN. Enter it again.", field="pin") from refusal
    with write() as session:
        leaving.ask(acting(session), str(place().store_id))
        wake_worker_after(session)
    return form.done(_("The network has been asked. You can call it off until it answers."), ".show", "info")


@bp.post("/stay")
@requires("staff")
@not_in_practice
@form.answers_on(show)
def stay() -> ResponseReturnValue:
    """Call the request off."""
    with write() as session:
        leaving.call_off(acting(session), str(place().store_id))
        wake_worker_after(session)
    return form.done(_("Request withdrawn. Your store stays in the network."), ".show")


@bp.post("/data")
@requires("staff")
@not_in_practice
@form.answers_on(show)
def take_data() -> ResponseReturnValue:
    """Hand out everything this store knows as one ZIP file, written in a child so that no till waits."""
    here = own_doors()
    file = Path(here.settings.state_folder).resolve() / f"export-{new_id()}.zip"
    try:
        compute_apart(take_out.write_for, (here.settings, here.now(), file, g.actor))
        answer = flask.send_file(
            file, as_attachment=True, download_name=f"{here.settings.node_id}-{here.now():%Y-%m-%d}.zip"
        )
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    answer.direct_passthrough = False  # a file handed on as it is tells nobody when it was sent
    answer.call_on_close(lambda: _delete(file))
    return answer


# --- inside ---


def _delete(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink()


def _theirs(last: Departure | None) -> list[StillOpen]:
    """Return what the network said is open."""
    return [StillOpen(**one) for one in last.still_open] if last else []


def _row(one: StillOpen) -> OpenRow:
    words, endpoint = KINDS.get(one.kind, (_l("Something else: ask the operator"), "finance.overview"))
    return OpenRow(str(words), one.count, one.amount_minor, url_for(endpoint))
