"""This store's signing key: its fingerprint for the operator, a new key, and earlier keys to recognise after a loss."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from config.nodes import signing, signing_keys
from config.nodes.node import this_node
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.sync import signing_key, wire
from store_app.web.presenting import page
from store_app.web.security import requires

bp = Blueprint("signing_key", __name__, url_prefix="/signing-key")


@bp.get("/")
@requires("settings")
def show(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the key's fingerprint, what the network says of it, and keys that wait to be recognised."""
    settings = doors().settings
    present, broken = None, None
    try:
        present = signing.load(settings.signing_key)
    except DomainError as refusal:
        broken = refusal
    with read() as session:
        keys = signing_keys.of(session, settings.node_id)
        said = this_node(session).last_fault
    public = present.public if present else None
    paused = said if said in {wire.PAUSES[code] for code in signing_keys.CODES} else None
    return page(
        "store/settings/signing_key.html", present=public and signing.fingerprint(public), paused=paused and
        _(paused), own=next((key for key in keys if key.public == public), None), joined=bool(settings.network_url),
        waiting=[key for key in keys if key.state == "asked"], earlier=[key for key in keys if key.state ==
        "withdrawn"], fault=fault or broken,
    )  # fmt: skip


@bp.post("/change")
@requires("settings")
@form.answers_on(show)
def change() -> ResponseReturnValue:
    """Make a new key; the present one vouches for it."""
    signing_key.change(doors(), actor=g.actor)
    with write() as session:
        wake_worker_after(session)
    return form.done(_("New signing key created. The network will get it at the next sync."), ".show")


@bp.post("/<name>/trust")
@requires("settings")
@form.answers_on(show)
def trust(name: str) -> ResponseReturnValue:
    """Recognise an earlier key as this store's own; what it signed comes with the next contact."""
    with write() as session:
        signing_key.trust(session, doors(), name, actor=g.actor)
        wake_worker_after(session)
    return form.done(_("Recognized. Messages signed with it will arrive at the next sync."), ".show")


@bp.post("/<name>/refuse")
@requires("settings")
@form.answers_on(show)
def refuse(name: str) -> ResponseReturnValue:
    """Say that a key was never this store's own."""
    with write() as session:
        key = signing_keys.named(session, doors().settings.node_id, name)
        signing_keys.refuse(acting(session), key)
    return form.done(_("Rejected. Tell the operator that someone signed in this store’s name."), ".show", "warn")
