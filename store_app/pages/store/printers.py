"""The store's printers: find them, set them up, and try them with the picture of the very bytes beside it.

Looking for printers and trying one happen only when asked, outside of any transaction: they wait for devices.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Conflict, DomainError
from config.nodes.journal import Context
from config.plugins import label
from pos.printing import agents, print_worker, printers, queue
from pos.printing.label_printer import LABEL_PRINTERS
from pos.printing.printers import AGENT, FIRST, PAPERS, PINS, PROFILES, PULSES_MS, Printer, PrinterFacts
from pos.printing.queue import PrintJob
from pos.printing.wires import PRINTERS
from pos.store.store import Till
from store_app.node.printers import printers_in_force
from store_app.pages.common import form
from store_app.runtime import plugins
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from store_app.words import printers as printers_words
from store_app.words import words

bp = Blueprint("printers", __name__, url_prefix="/settings/printers")
NEEDS_SHOWN, EXPIRED_WITHIN = 10, dt.timedelta(days=1)


@dataclass(frozen=True)
class PrinterCard:
    """A printer as the list shows it."""

    id: str
    name: str
    connected: str
    width: str
    papers: str
    tills: str
    fallback: str
    dot: str
    sentence: str


@dataclass(frozen=True)
class FoundRow:
    """A printer that was found. taken: it is set up already."""

    wire: str
    name: str
    connected: str
    taken: bool


@bp.get("/", endpoint="all")
@requires("settings")
def everything(
    fault: DomainError | None = None, found: list[FoundRow] | None = None, **_place: Any
) -> ResponseReturnValue:
    """Show the printers, how each is, and what waits for paper."""
    settings, store_id = doors().settings, str(place().store_id)
    with read() as session:
        cards = _cards(session, store_id)
        known = printers.health_of(session, store_id).get(FIRST)
        needs = _needs(session, store_id)
        expired = session.scalar(
            sa.select(sa.func.count()).where(
                PrintJob.store_id == store_id,
                PrintJob.state == "expired",
                PrintJob.queued_at > doors().now() - EXPIRED_WITHIN,
            )
        )
    dot, sentence = printers_words.health(known)
    return page(
        "store/printers/all.html",
        cards=cards,
        first=settings.printer and printers_words.wire(settings.printer),
        first_wire=settings.printer,
        first_dot=dot,
        first_sentence=sentence,
        needs=needs,
        expired=expired,
        found=found,
        fault=fault,
    )


@bp.post("/look")
@requires("settings")
@form.answers_on(everything)
def look() -> ResponseReturnValue:
    """Look for printers on this computer and in the store's network, now that somebody asks."""
    return everything(found=found_here())


@bp.get("/new", endpoint="new")
@requires("settings")
def new(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the form of a new printer, filled in with what was found."""
    settings = doors().settings
    wire = request.args.get("wire", "") or "net:"
    name = form.tidy(request.args.get("name", ""))[: printers.LONGEST_NAME]
    usual = PrinterFacts(
        name, wire, settings.printer_columns, settings.printer_chinese,
        settings.printer_profile if settings.printer_profile in PROFILES else PROFILES[0],
    )  # fmt: skip
    return _form_page(usual, "", fault)


@bp.post("/new")
@requires("settings")
@form.answers_on(new)
def add() -> ResponseReturnValue:
    """Set a printer up."""
    facts = _facts()
    with write() as session:
        row = printers.add(acting(session), str(place().store_id), facts)
        wake_worker_after(session)
    return form.done(_("%(name)s is set up. Print a test page.", name=facts.name), "printers.one", printer_id=row.id)


@bp.get("/<printer_id>")
@requires("settings")
def one(printer_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a printer: what it is, how it prints, and the buttons to try it."""
    with read() as session:
        row = printers.printer_of(session, str(place().store_id), printer_id)
        known = printers.health_of(session, str(place().store_id)).get(printer_id)
    return _form_page(row, printer_id, fault, known=known)


@bp.post("/<printer_id>")
@requires("settings")
@form.answers_on(one)
def change(printer_id: str) -> ResponseReturnValue:
    """Change a printer."""
    facts = _facts()
    with write() as session:
        printers.change(acting(session), str(place().store_id), printer_id, facts)
        wake_worker_after(session)
    return form.done(_("Saved."), "printers.one", printer_id=printer_id)


@bp.post("/<printer_id>/key")
@requires("settings")
@form.answers_on(one)
def give_key(printer_id: str) -> ResponseReturnValue:
    """Make the key of the printer's agent and show it, this once."""
    store_id = str(place().store_id)
    with write() as session:
        made = agents.give_key(acting(session), store_id, printer_id)
    with read() as session:
        row = printers.printer_of(session, store_id, printer_id)
        known = printers.health_of(session, store_id).get(printer_id)
    return _form_page(row, printer_id, None, known=known, made=made)


@bp.post("/<printer_id>/key/withdraw")
@requires("settings")
@form.answers_on(one)
def withdraw_key(printer_id: str) -> ResponseReturnValue:
    """Make the key of the printer's agent useless."""
    with write() as session:
        agents.withdraw_key(acting(session), str(place().store_id), printer_id)
    return form.done(_("Key revoked. The print agent will stop."), "printers.one", "info", printer_id=printer_id)


@bp.post("/<printer_id>/remove")
@requires("settings")
@form.answers_on(everything)
def remove(printer_id: str) -> ResponseReturnValue:
    """Take a printer away."""
    with write() as session:
        printers.remove(acting(session), str(place().store_id), printer_id)
        wake_worker_after(session)
    return form.done(_("Printer removed."), "printers.all", "info")


@bp.post("/<printer_id>/test")
@requires("settings")
@form.answers_on(one)
def test(printer_id: str) -> ResponseReturnValue:
    """Print a test page and say how it went."""
    try_out(printer_id, only_drawer=False)
    return redirect(url_for("printers.one", printer_id=printer_id), 303)


@bp.post("/<printer_id>/drawer")
@requires("settings")
@form.answers_on(one)
def drawer(printer_id: str) -> ResponseReturnValue:
    """Open the drawer of this printer, to see that pin and pulse are right."""
    try_out(printer_id, only_drawer=True)
    return redirect(url_for("printers.one", printer_id=printer_id), 303)


@bp.get("/<printer_id>/test.png")
@requires("settings")
def test_picture(printer_id: str) -> Response:
    """Draw the test page of a printer from the bytes it would be sent."""
    from pos.printing.preview import preview_png  # brings a drawing library along

    with read() as session:
        row = printers.printer_of(session, str(place().store_id), printer_id)
        model = printers.model_of(row)
        paper = queue.paper_of("test", _document(row), model)
    answer = make_response(preview_png(paper, model.columns))
    answer.mimetype = "image/png"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def found_here() -> list[FoundRow]:
    """Look for printers and return those that answered."""
    from pos.printing import discovery

    found = discovery.look(discovery.networks_of(doors().settings.printer_search))
    plugged = [
        discovery.Found(f"plugin:{name}", label(PRINTERS, name)) for name in plugins.made(PRINTERS, doors().settings)
    ]
    with read() as session:
        taken = {row.wire for row in printers.printers_of(session, str(place().store_id))}
    return [
        FoundRow(one.wire, one.name, printers_words.wire(one.wire), one.wire in taken) for one in (*plugged, *found)
    ]


def try_out(printer_id: str, *, only_drawer: bool) -> None:
    """Print a test page, or open the drawer, and say how it went."""
    house, store_id = doors(), str(place().store_id)
    with write() as session:
        row = printers.printer_of(session, store_id, printer_id)
        job = print_worker.queue_test(
            Context(session, g.actor, house.now()), row, _document(row), only_drawer=only_drawer
        )
    with read() as session:
        outlets = printers_in_force(session, house.settings)
    outlet = next(one for one in outlets if one.id == printer_id)
    if outlet.by_agent:
        house.ring()
        flash(_("Sent to the print agent. Check the paper in a moment."), "info")
        return
    done = print_worker.print_test(house.database, store_id, job.id, outlet, now=house.now)
    if done.state != "printed":
        flash(printers_words.reason(done.reason), "warn" if done.state == "unconfirmed" else "bad")
        return
    with read() as session:
        known = printers.health_of(session, store_id).get(printer_id)
    if only_drawer:
        flash(_("Pulse sent. If the drawer stayed shut, try the other pin or a longer pulse."), "good")
    elif known is not None and known.answers:
        flash(_("Test page printed. Compare it with the picture."), "good")
    else:
        flash(_("Test page sent. This printer does not confirm printing: check the paper."), "info")


# --- inside ---


def _cards(session: Session, store_id: str) -> list[PrinterCard]:
    rows, health = printers.printers_of(session, store_id), printers.health_of(session, store_id)
    names = {row.id: row.name for row in rows}
    tills = {till.id: till.name for till in _tills(session, store_id)}
    return [
        PrinterCard(
            row.id,
            row.name,
            printers_words.wire(row.wire),
            printers_words.width(row.profile, row.columns),
            str(printers_words.PAPERS[row.papers]),
            ", ".join(tills.get(one, one) for one in row.tills) or _("All tills"),
            names.get(row.fallback_id, ""),
            *_light(session, row, health.get(row.id)),
        )
        for row in rows
    ]


def _light(session: Session, row: Printer, known: Any) -> tuple[str, str]:
    """Return dot and sentence of a printer: its agent's silence first."""
    jobs = list(session.scalars(queue.waiting(row.store_id))) if row.wire == AGENT else []
    if row.id in agents.silent(session, row.store_id, jobs, at=doors().now()):
        return "dot-bad", printers_words.reason("agent-silent")
    return printers_words.health(known)


def _needs(session: Session, store_id: str) -> list[tuple[str, str, dt.datetime, str]]:
    """Return what did not come out: what it is, its state, since when, why."""
    rows = session.scalars(
        sa.select(PrintJob)
        .where(PrintJob.store_id == store_id, PrintJob.state.in_(("failed", "unconfirmed")))
        .order_by(PrintJob.queued_at)
        .limit(NEEDS_SHOWN)
    )
    return [(words.paper_word(row.kind), row.state, row.queued_at, printers_words.reason(row.reason)) for row in rows]


def _tills(session: Session, store_id: str) -> list[Till]:
    return list(session.scalars(sa.select(Till).where(Till.store_id == store_id).order_by(Till.id)))


def _form_page(
    row: Printer | PrinterFacts, printer_id: str, fault: DomainError | None, known: Any = None, made: str = ""
) -> ResponseReturnValue:
    store_id = str(place().store_id)
    with read() as session:
        others = [other for other in printers.printers_of(session, store_id) if other.id != printer_id]
        tills = _tills(session, store_id)
        light = _light(session, row, known) if isinstance(row, Printer) else printers_words.health(known)
    way, _colon, address = row.wire.partition(":")
    typed = request.form if fault is not None and "name" in request.form else None
    return page(
        "store/printers/one.html",
        printer_id=printer_id,
        row=row,
        way=typed.get("way", way) if typed else way,
        address=typed.get("where", address) if typed else address,
        typed=typed,
        ways=printers_words.WAYS,
        widths=printers_words.WIDTHS,
        papers=printers_words.PAPERS,
        drawers=printers_words.DRAWERS,
        profiles={name: name for name in PROFILES} | printers_words.label_printers(),
        pulses=PULSES_MS,
        tills=tills,
        others=others,
        by_agent=bool(printer_id) and row.wire == AGENT,
        made=made,
        server=request.url_root.rstrip("/"),
        dot=light[0],
        sentence=light[1],
        fault=fault,
    )


def _facts() -> PrinterFacts:
    offered = _("Choose one of the options.")
    way = form.one_of("way", tuple(printers_words.WAYS), sentence=offered)
    address = form.text("where")
    if way not in ("paper", AGENT) and not address:
        raise Conflict("printer-address", "Choose how the printer is connected.", field="where")
    with read() as session:
        known = [till.id for till in _tills(session, str(place().store_id))]
    papers: Any = form.one_of("papers", PAPERS, sentence=offered)
    return PrinterFacts(
        name=form.text("name", most=printers.LONGEST_NAME, required=_("Name the printer.")),
        wire=way if way in ("paper", AGENT) else f"{way}:{address}",
        columns=int(form.one_of("columns", tuple(str(n) for n in printers_words.WIDTHS), sentence=offered)),
        chinese=form.one_of("letters", ("chinese", "latin"), sentence=offered) == "chinese",
        profile=form.one_of("profile", (*PROFILES, *LABEL_PRINTERS), sentence=offered),
        cutter="cutter" in request.form,
        drawer_pin=int(form.one_of("drawer_pin", tuple(str(pin) for pin in PINS), sentence=offered)),
        pulse_ms=form.whole("pulse_ms", least=PULSES_MS[0], most=PULSES_MS[1]),
        asked="unasked" not in request.form,
        tills=tuple(till for till in known if till in request.form.getlist("tills")),
        papers=papers,
        fallback_id=form.text("fallback_id"),
    )


def _document(row: Printer) -> dict[str, Any]:
    local = doors().now().astimezone(ZoneInfo(place().tz))
    return {"name": row.name, "wire": row.wire, "local_time": f"{local:%Y-%m-%d %H:%M}"}
