"""How the receipt looks: the store's logo, and a receipt as it will print, drawn from the very bytes."""

from typing import Any

from flask import Blueprint, Response, g, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid
from pos.documents import paper, receipt
from pos.printing import logo
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.reports.slips import local
from pos.store import pictures
from pos.store.store import snapshot, store_of
from store_app.pages.common import form
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires

bp = Blueprint("paper_looks", __name__, url_prefix="/settings/paper")
COLUMNS = (32, 42, 48)


@bp.get("/")
@requires("settings")
def show(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a receipt as it prints here, and the way to a logo."""
    settings = doors().settings
    with read() as session:
        store = store_of(session, str(place().store_id))
    return page(
        "store/settings/paper.html",
        logo_id=store.logo_id,
        columns=settings.printer_columns,
        widths=[(number, 58 if number == 32 else 80) for number in COLUMNS],
        fault=fault,
    )


@bp.post("/logo")
@requires("settings")
@form.answers_on(show)
def put_logo() -> ResponseReturnValue:
    """Set the logo from an uploaded PNG."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("no-file", "Choose a file first.", field="file")
    dots = list(read_apart(pictures.dotted, sent.read(pictures.LOGO_BYTES + 1)))
    with write() as session:
        logo.put(acting(session), str(place().store_id), dots)
    return form.done(_("The logo is now on every receipt."), "paper_looks.show")


@bp.post("/logo/away")
@requires("settings")
@form.answers_on(show)
def take_logo_away() -> ResponseReturnValue:
    """Print without a logo from now on."""
    with write() as session:
        logo.take_away(acting(session), str(place().store_id))
    return form.done(_("Receipts now print without a logo."), "paper_looks.show", "info")


@bp.get("/<columns>.png")
@requires("settings")
def picture(columns: str) -> Response:
    """Draw a receipt on paper of that many columns, from the bytes a printer would get."""
    across = next((number for number in COLUMNS if str(number) == columns), COLUMNS[-1])
    settings = doors().settings
    with read() as session:
        store = store_of(session, str(place().store_id))
        document = _sample(snapshot(store), local(doors().now(), store))
        drawn = logo.pictures_for(session, store.id, document, across)
    lines = receipt.layout(document, columns=across, language=paper.language_of(document))
    model = PrinterModel(across, settings.printer_chinese, settings.printer_profile)
    from pos.printing.preview import preview_png  # brings a drawing library along

    answer = make_response(preview_png(encode(lines, model, pictures=drawn), across, settings.printer_profile))
    answer.mimetype = "image/png"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


# --- inside ---


def _sample(store: dict[str, Any], local_time: str) -> dict[str, Any]:
    """Return a receipt of nothing that was sold, to look at."""
    bread = _line(_("Bread"), 1, 250)
    milk = _line(_("Whole milk 1 l"), 2, 120, saved_minor=40, offer=_("2 for 2.00"))
    return {
        "store": store,
        "id": "sample",
        "epoch": "",
        "request_hash": "",
        "till_id": "T1",
        "till_name": _("Till 1"),
        "receipt_no": 123,
        "cashier_name": g.actor.name,
        "local_time": local_time,
        "kind": "sale",
        "lines": [bread, milk],
        "taxes": [],
        "payments": [
            {"tender": "cash", "amount_minor": 500, "is_change": False},
            {"tender": "cash", "amount_minor": -50, "is_change": True},
        ],
        "rounding_minor": 0,
        "total_minor": 450,
        "tax_minor": 0,
    }


def _line(name: str, qty: int, price_minor: int, *, saved_minor: int = 0, offer: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "qty": qty,
        "stock_unit": "each",
        "unit_price_minor": price_minor,
        "price_quantity": 1,
        "discount_minor": saved_minor,
        "offer": offer,
        "total_minor": qty * price_minor - saved_minor,
        "tax_class_id": "none",
        "rate_bp": 0,
    }
