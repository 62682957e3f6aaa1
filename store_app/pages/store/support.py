"""Help from the network: leave to look into this store, for how long, taken back with one press, and who looked."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from store_app.node import support_state
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from supply.membership import support

bp = Blueprint("support", __name__, url_prefix="/support")
SPELLS = (1, 4, 24, 72)


@bp.get("/")
@requires("settings")
def show(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show whether the network may look, what it would see, and who has looked."""
    store_id, at = str(place().store_id), doors().now()
    with read() as session:
        leave, looks = support.in_force(session, store_id, at), support.looks_of(session, store_id)
    return page("store/settings/support.html", leave=leave, looks=looks, spells=SPELLS, fault=fault)


@bp.post("/give")
@requires("settings")
@form.answers_on(show)
def give() -> ResponseReturnValue:
    """Give leave for some hours."""
    hours, words = form.whole("hours", least=1, most=support.LONGEST_HOURS), form.text("words", most=300)
    state = support_state.of(doors())
    with write() as session:
        support.give(acting(session), str(place().store_id), hours, words, state)
        wake_worker_after(session)
    return form.done(_("The network has read access now. Each visit is recorded in your journal."), ".show")


@bp.post("/take-back")
@requires("settings")
@form.answers_on(show)
def take_back() -> ResponseReturnValue:
    """Take leave back at once."""
    with write() as session:
        support.take_back(acting(session), str(place().store_id))
        wake_worker_after(session)
    return form.done(_("The network’s access has ended."), ".show")
