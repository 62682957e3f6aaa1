"""The till page, and the paper as it came out.

The page is drawn once and then lives on the JSON API (one ES module); what it must know beforehand (currency, zone,
notes, addresses) is written into it. The paper page renders the very bytes that were sent to the printer.
"""

from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, g, jsonify, make_response, request, url_for
from flask_babel import gettext as _

from config.errors import NotFound
from config.money import exponent
from config.words import UNITS
from pos.catalogue import favorites
from pos.payments import vouchers
from pos.payments.providers import InCurrencies, OneWallet, Provider, Providers
from pos.payments.tenders import TENDERS, Tender
from pos.payments.wallet_codes import NAMES
from pos.printing import printers, queue
from pos.printing.queue import PrintJob
from pos.reasons import REASONS
from pos.reports import slips
from pos.stock import stock
from pos.store.store import Store, Till
from pos.till import shift, shift_book
from store_app.mail import envelopes
from store_app.node.printers import model_of_settings
from store_app.pages.common.own_till import own_till
from store_app.payments.providers import providers
from store_app.practice.practice import is_practising
from store_app.runtime.doors import doors, read
from store_app.web.assets import asset
from store_app.web.presenting import as_paper, language, money_form, page, speech, today, why_words
from store_app.web.security import requires
from store_app.words import words

bp = Blueprint("till", __name__, url_prefix="/till")
NOTES_MINOR: dict[str, tuple[int, ...]] = {
    "USD": (100, 500, 1000, 2000, 5000, 10000),
    "EUR": (500, 1000, 2000, 5000, 10000),
    "GBP": (500, 1000, 2000, 5000),
    "CNY": (100, 500, 1000, 2000, 5000, 10000),
    "JPY": (1000, 5000, 10000),
}
PAPERS_SHOWN, MOST_LEVELS = 12, 100


@bp.get("/", endpoint="page")
@requires("sell")
def till_page() -> Response:
    """Show the till of this counter."""
    store_id = doors().settings.node_id
    with read() as look:
        store = look.get_one(Store, store_id)
        till = own_till(look, store_id)
        now_open = shift.current(look, store_id, till.id)
        left_minor = None if now_open else shift.float_left(look, store_id, till.id)
        liked = favorites.of(look, store_id, g.actor.id)
        prints = queue.status(look, store_id, setting=doors().settings.printer).colour != "none"
    answer = page(
        "till/till.html",
        till=till,
        cashier=g.actor.name,
        currency=store.currency,
        till_settings=_settings(store, till, now_open)
        | {"prints": prints, "float_left_minor": left_minor, "favorites": liked},
    )
    answer.headers["Link"] = _ahead()
    return answer


@cache
def _ahead() -> str:
    """Name what the page will need at once, so that the browser asks for it before it has read the page.

    What the page cannot be drawn without comes first, then the catalogue: the largest answer, and the longest to read.
    """
    asked = [
        (asset("common/look.js"), "preload; as=script"),
        (url_for("bootstrap.static", filename="css/bootstrap.min.css"), "preload; as=style"),
        (asset("common/cornerstore.css"), "preload; as=style"),
        (asset("till/till.css"), "preload; as=style"),
        (url_for("api_catalogue.whole"), "preload; as=fetch; crossorigin"),
        (asset("till/till.js"), "modulepreload"),
    ]
    return ", ".join(f"<{address}>; rel={how}" for address, how in asked)


@bp.get("/display")
@requires("sell")
def display() -> Response:
    """Show the customer's screen of this till; what it shows is told by the till's own page in the same browser."""
    as_paper()
    store_id = doors().settings.node_id
    with read() as look:
        store = look.get_one(Store, store_id)
        till = own_till(look, store_id)
        known = _settings(store, till, None)
    wanted = (
        "store_id", "till_id", "exponent", "money", "smallest_coin_minor", "notes_minor", "units", "tz", "language",
    )  # fmt: skip
    hours = store.week.on(today())
    return page("till/display.html", store=store, hours=hours, display_settings={name: known[name] for name in wanted})


@bp.get("/levels")
@requires("sell")
def levels() -> Response:
    """Answer what is available of the products asked for by `sku`: sku -> stock units, for the dots on the tiles.

    One that never moved is left out. Only the first hundred are: a page shows fewer.
    """
    skus = request.args.getlist("sku")[:MOST_LEVELS]
    with read() as look:
        found = stock.levels(look, doors().settings.node_id, skus)
    return jsonify({sku: level.available for sku, level in found.items() if level.by_place})


@bp.get("/paper")
@requires("print")
def paper() -> Response:
    """Show what was last printed here, newest first."""
    with read() as look:
        jobs = look.scalars(
            sa.select(PrintJob)
            .where(PrintJob.store_id == doors().settings.node_id, PrintJob.paper.is_not(None))
            .order_by(PrintJob.printed_at.desc(), PrintJob.id.desc())
            .limit(PAPERS_SHOWN)
        ).all()
    return page("till/paper.html", jobs=jobs, paper_word=words.paper_word)


@bp.get("/paper/<job_id>.png")
@requires("print")
def paper_picture(job_id: str) -> Response:
    """Draw one print from the bytes that were sent; again, where this person may not see again all that was on it."""
    settings = doors().settings
    with read() as look:
        job = look.get(PrintJob, (settings.node_id, job_id))
        at = job.printer_id if job is not None else None
        model = printers.model_at(look, settings.node_id, at, model_of_settings(settings))
        seen = slips.seen_by(look, job, g.actor) if job is not None else {}
    if job is None or job.paper is None:
        raise NotFound("no-paper", "There is no print with this number. Choose one from the list.")
    from pos.printing.preview import preview_png  # brings a drawing library along

    paper = job.paper
    if seen != job.document:
        paper = queue.paper_of(job.kind, seen, model, copy_no=job.copy_no)
    answer = make_response(preview_png(paper, model.columns, model.profile, language=language()))
    answer.mimetype = "image/png"
    is_same_for_all = job.kind != "x" and vouchers.masked(job.document) == job.document
    answer.headers["Cache-Control"] = "private, max-age=86400" if is_same_for_all else "no-store"
    return answer


def _settings(store: Store, till: Till, now_open: shift_book.Shift | None) -> dict[str, Any]:
    digits, known = exponent(store.currency), providers(doors().settings)
    default_notes = tuple(unit * 10**digits for unit in (1, 5, 10, 20, 50, 100))
    return {
        "store_id": store.id,
        "till_id": till.id,
        "exponent": digits,
        "money": money_form(store.currency),
        "smallest_coin_minor": store.smallest_coin_minor,
        "notes_minor": NOTES_MINOR.get(store.currency, default_notes),
        "units": UNITS,
        "reasons": [
            (code, why_words(code)) for code in REASONS if code.startswith(("why-", "void-", "drawer-", "back-"))
        ],
        "tz": store.tz,
        "now": doors().now().isoformat(),
        "language": speech().tag,
        "shift": {"id": now_open.id, "state": now_open.state} if now_open is not None else None,
        "lesson": is_practising(),
        "mail": envelopes.sends_mail(doors().settings) and not is_practising(),
        "may": sorted(g.permissions),
        "terminal": known.for_way("terminal") is not None,
        "tenders": [_tender(row, known, store.currency) for row in TENDERS.values()],
        "urls": {
            "approvals": "/api/approvals",
            "approvers": "/api/approvers",
            "badge": "/api/badge",
            "baskets": "/api/baskets",
            "catalogue": "/api/catalogue",
            "customers": "/api/customers",
            "customers_all": url_for("customers.people"),
            "customers_page": url_for("customers.new"),
            "display": url_for("till.display"),
            "drawer": "/api/drawer",
            "hand_over": url_for("drawer.handing_over"),
            "levels": url_for("till.levels"),
            "look": url_for("look.choose"),
            "look_up": "/api/look-up",
            "money": url_for("shift.money"),
            "favorites": "/api/favorites",
            "find": url_for("search.everything"),
            "product_pages": url_for("products.listed"),
            "more": url_for("more.places"),
            "open_shift": "/api/shifts",
            "payments": "/api/payments",
            "products": "/api/products",
            "quote": "/api/quote",
            "receipts": "/api/receipts",
            "returns": "/api/returns",
            "sales": "/api/sales",
            "scale": "/api/scale",
            "scan": "/api/scan",
            "status": f"/api/status?till={till.id}",
            "symbols": asset("common/symbols.svg"),
            "training": url_for("training.overview"),
            "vouchers": "/api/vouchers",
            "x_report": url_for("drawer.x_report"),
        },
    }


def _tender(row: Tender, known: Providers, currency: str) -> dict[str, Any]:
    """Return what the till's page knows of a tender; its ways are those that somebody can be asked in here.

    codes: whose codes the store can show, where it has to be chosen.
    """
    said = {what: _(row.says(what)) for what in ("label", "take", "back", "off")}
    ways = [way for way in row.ways if any(_takes(one, currency) for one in known.all_for(way))]
    shows = known.all_for("store_code") if "store_code" in ways else []
    codes = [{"provider": one.name, "label": _(NAMES[one.wallet])} for one in shows if isinstance(one, OneWallet)]
    return {"name": row.name, "icon": row.icon, "pane": row.pane, "at": row.at, "ways": ways, "codes": codes} | said


def _takes(one: Provider, currency: str) -> bool:
    return not isinstance(one, InCurrencies) or currency in one.currencies
