"""First steps: one page that leads a new member from the goods to the first online order.

Before it stand the last two screens of a computer's first run (`store_app/first_run`): printer and products.
"""

from typing import Any

import segno
import sqlalchemy as sa
from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from config.errors import DomainError
from pos.catalogue import samples
from pos.catalogue.catalogue import Listing
from pos.printing import printers
from pos.printing.discovery import PORT
from pos.printing.printers import PrinterFacts
from pos.store.store import Store
from store_app.pages.common import form
from store_app.pages.store.printers import FoundRow, found_here, try_out
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import can, requires
from supply.demand import rollups, stated_sales
from supply.membership import first_steps

bp = Blueprint("first_steps", __name__, url_prefix="/first-steps")
SCREENS = 5
"""Of the whole first run: `first_run.screens` has those before these."""
WORDS: dict[str, tuple[str, str, Any, Any, Any]] = {
    "goods": (
        "products.listed", "tag", _l("Your products are here"),
        _l("The network’s catalog arrives a few seconds after joining. Import your own products from a list."),
        _l("View products"),
    ),
    "lesson": (
        "training.overview", "academic-cap", _l("Practice once"),
        _l("Three minutes in a practice store: ring up, take cash, refund. Nothing is saved."),
        _l("Go to lessons"),
    ),
    "stock": (
        "stock.levels", "archive-box", _l("Enter your stock"),
        _l("Tap a product and count it, bestsellers first, or scan shelf by shelf with Stock take. Only "
           "counted products sell online."),
        _l("Go to stock"),
    ),
    "till": (
        "shift.money", "banknotes", _l("Open the till"), _l("Count the cash in the drawer. It becomes your float."),
        _l("Open the till"),
    ),
    "sale": (
        "till.page", "calculator", _l("Make the first sale"),
        _l("Scan or tap a product, press Pay, and take payment."), _l("Go to till"),
    ),
    "proposal": (
        "ordering.orders", "clipboard-document-list", _l("See your first suggested order"),
        _l("Press “Suggest an order”. Until your store has its own sales, it uses those of nearby stores."),
        _l("Go to orders"),
    ),
    "online": (
        "online_store.rules", "globe-alt", _l("Open your online store"),
        _l("It opens within a minute with your stock on hand. Check its rules and print its code."),
        _l("Go to online store"),
    ),
    "online-order": (
        "pickup.orders", "shopping-bag", _l("Take the first online order"),
        _l("Scan the code with your phone and place an order. It will appear under Pickup."),
        _l("Go to pickup"),
    ),
}  # fmt: skip
"""Step -> the page it is done on, its icon, its name, what to do, the button."""
ALONE: dict[str, tuple[Any, Any, Any]] = {
    "goods": (
        _l("Add your products"), _l("Import a list of your products, or add the first one."),
        _l("Go to products"),
    ),
    "stock": (
        WORDS["stock"][2],
        _l("Tap a product and count it, bestsellers first, or scan shelf by shelf with Stock take."),
        WORDS["stock"][4],
    ),
    "proposal": (
        WORDS["proposal"][2], _l("Add your suppliers and their prices, then press “Suggest an order”."),
        WORDS["proposal"][4],
    ),
}  # fmt: skip
"""Step -> its name, what to do and the button, at a store without a network."""


@bp.get("/")
@requires("settings")
def overview() -> ResponseReturnValue:
    """Show the steps with what is done ticked, the next one large."""
    settings = doors().settings
    in_network = bool(settings.network_url)
    words = WORDS if in_network else {name: (*row[:2], *ALONE.get(name, row[2:])) for name, row in WORDS.items()}
    with read() as session:
        found = first_steps.steps(session, str(place().store_id), in_network=in_network)
        store = session.get_one(Store, place().store_id)
        slug = store.slug
        young = stated_sales.counts(session, store.id)
        no_past = young and can("import") and rollups.imported_days(session, store.id) is None
        unsaid = in_network and not store.usual_sales_minor and young
    base = (settings.public_url or settings.network_url).rstrip("/")
    address = f"{base}/shop/{slug}/" if base else ""
    drawn = segno.make(address, error="m").svg_inline(scale=3, border=2, omitsize=True) if address else ""
    following = next((step for step in found if not step.done), None)
    return page(
        "store/first_steps.html", steps=found, words=words, following=following, done=sum(step.done for step in found),
        in_network=in_network, unsaid=unsaid, no_past=no_past, link=lambda step: url_for(WORDS[step.name][0]),
        address=address, code=Markup(drawn),  # noqa: S704  our own drawing
    )  # fmt: skip


@bp.get("/printer")
@requires("settings")
def printer(fault: DomainError | None = None, found: list[FoundRow] | None = None) -> ResponseReturnValue:
    """Ask for a receipt printer: found or named, and tried at once."""
    with read() as session:
        ready = [(row.id, row.name) for row in printers.printers_of(session, str(place().store_id))]
    return page("first_run/printer.html", ready=ready, found=found, fault=fault, step=SCREENS - 1, steps=SCREENS)


@bp.post("/printer/look")
@requires("settings")
@form.answers_on(printer)
def look() -> ResponseReturnValue:
    """Look for printers on this computer and in the store's network."""
    return printer(found=found_here())


@bp.post("/printer")
@requires("settings")
@form.answers_on(printer)
def use_printer() -> ResponseReturnValue:
    """Set a printer up as most are, and print a test page on it; the same one again is only tried again."""
    wire = form.text("wire")
    if not wire:
        host = form.text("where", required=_("Enter the printer’s address, or search for it."))
        wire = f"net:{host if ':' in host else f'{host}:{PORT}'}"
    name = form.text("name")[: printers.LONGEST_NAME] or _("Receipt printer")
    with write() as session:
        store_id = str(place().store_id)
        known = next((row for row in printers.printers_of(session, store_id) if row.wire == wire), None)
        row = known or printers.add(acting(session), store_id, PrinterFacts(name=name, wire=wire))
    try_out(row.id, only_drawer=False)
    return redirect(url_for("first_steps.printer"), 303)


@bp.get("/products")
@requires("settings")
def products(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask where the products come from."""
    with read() as session:
        known = session.scalar(sa.select(sa.func.count()).where(Listing.store_id == place().store_id))
    return page("first_run/products.html", known=known, fault=fault, step=SCREENS, steps=SCREENS)


@bp.post("/products")
@requires("settings")
@form.answers_on(products)
def take_samples() -> ResponseReturnValue:
    """Take the sample assortment in, and go to the till."""
    with write() as session:
        samples.take_in(acting(session), str(place().store_id), today())
    return redirect(url_for("till.page"), 303)
