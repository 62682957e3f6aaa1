"""Documents that come by themselves: where they come from, and what of them waits for a person."""

from flask import Blueprint, abort, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid
from store_app.inbound import looking, sources
from store_app.pages.common import form
from store_app.pages.orders import invoices
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from supply.receiving.documents import incoming

bp = Blueprint("incoming", __name__, url_prefix="/invoices/incoming")
FIELDS = {sources.MAILBOX: ("host", "port", "user", "password", "folder"), sources.FOLDER: ("path",)}


def _on_list(sha256: str, fault: DomainError | None = None) -> ResponseReturnValue:  # noqa: ARG001 - the file's place
    return invoices.listed(fault)


@bp.get("/")
@requires("settings")
def overview(fault: DomainError | None = None, source: str = "") -> ResponseReturnValue:
    """Show both sources, and when they were looked into last."""
    with read() as session:
        checks = incoming.checks(session, str(place().store_id))
    entered = {one: sources.entered(doors().settings, one) for one in sources.SOURCES}
    return page("orders/invoices/incoming.html", entered=entered, checks=checks, fault=fault, at_fault=source,
                typed=request.form, longest=sources.LONGEST)  # fmt: skip


@bp.post("/<source>")
@requires("settings")
@form.answers_on(overview)
def save(source: str) -> ResponseReturnValue:
    """Keep what was entered for a source."""
    typed = {name: request.form.get(name, "").strip() for name in _fields(source)}
    for name, value in typed.items():
        if len(value) > sources.LONGEST or "\x00" in value:
            raise Invalid("bad-setting", "This is too long.", field=name)
    with write() as session:
        sources.set_up(acting(session), doors().settings, source, typed)
    return form.done(_("Saved. The store looks there every five minutes."), ".overview")


@bp.post("/<source>/check")
@requires("settings")
@form.answers_on(overview)
def check(source: str) -> ResponseReturnValue:
    """Look into a source now."""
    _fields(source)
    looking.look(doors(), g.actor, source)
    return form.done(_("Checked."), "invoices.listed")


@bp.post("/<source>/remove")
@requires("settings")
@form.answers_on(overview)
def remove(source: str) -> ResponseReturnValue:
    """Forget a source."""
    _fields(source)
    with write() as session:
        sources.remove(acting(session), doors().settings, source)
    return form.done(_("Settings deleted. The store no longer looks there."), ".overview")


@bp.post("/files/<sha256>/add")
@requires("order")
@form.answers_on(_on_list)
def add(sha256: str) -> ResponseReturnValue:
    """Add a document that waits, or remove it."""
    store_id = str(place().store_id)
    if request.form.get("then") == "remove":
        with write() as session:
            incoming.remove(acting(session), store_id, sha256)
        return form.done(_("Removed."), "invoices.listed", "info")
    with write() as session:
        paper = incoming.add(acting(session), store_id, sha256, form.text("supplier"))
        number, paper_id = paper.number, paper.id
    return form.done(_("%(number)s added.", number=number), "invoices.paper", paper_id=paper_id)


def _fields(source: str) -> tuple[str, ...]:
    return FIELDS[source] if source in FIELDS else abort(404)
