"""The store's printers: what each is, where it hangs, which tills and papers it serves, and how it last was.

Rules
-----
1. The printers a shopkeeper set up are in force; while there are none, the one the settings name is.
2. A printer serves the tills it names, or all; receipts, labels or both. Who is named more narrowly comes first.
3. The fallback is asked when a printer fails before the first byte; it opens no drawer of another till. A printer
   by an agent stands in for none and has no stand-in: it is not known in time whether it prints.
4. A label printer prints labels alone, has no drawer, and is not asked how it is, whatever is said of it; it stands
   in for others with labels alone.
5. Every change is journalled. How a printer last was (`PrinterHealth`) is no book, only a memory for the light.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Invalid, NotFound
from config.ids import new_id
from config.nodes.journal import Context, record
from pos.documents.paper import COLUMNS
from pos.printing.label_printer import LABEL_PRINTERS
from pos.printing.models import PrinterModel
from pos.printing.wires import AgentPrinter, Driver, GuardedPrinter, driver_for
from pos.store.store import Store

Papers = Literal["both", "receipts", "labels"]
PAPERS: tuple[Papers, ...] = ("both", "receipts", "labels")
PINS = (0, 2, 5)
PULSES_MS = (20, 500)
LONGEST_NAME = 40
PROFILES = ("default", "TM-T20II", "TM-T88III", "TM-P80", "POS-5890", "NT-5890K", "ZJ-5870", "simple")
"""Capability profiles of python-escpos that differ in what we use: cutter, code pages, picture width."""
AGENT = "agent"
"""The wire of a printer whose jobs a print agent fetches."""
FIRST = ""
"""The id of the printer the settings name."""


class Printer(Base):
    """A printer as the shopkeeper set it up."""

    __tablename__ = "printer"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey(Store.id), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    wire: Mapped[str]
    """As `wires.driver_for` reads it."""
    columns: Mapped[int]
    chinese: Mapped[bool]
    profile: Mapped[str]
    cutter: Mapped[bool]
    drawer_pin: Mapped[int]
    """2 or 5; 0: no drawer hangs on it."""
    pulse_ms: Mapped[int]
    asked: Mapped[bool]
    """False: it is never asked how it is, not even once."""
    tills: Mapped[list[str]] = mapped_column(sa.JSON)
    """The tills it serves; empty: all."""
    papers: Mapped[str]
    """both | receipts | labels"""
    fallback_id: Mapped[str]
    """The printer that stands in; '' for none."""
    agent_key_sha256: Mapped[str | None] = mapped_column(unique=True)
    """Of the key its print agent signs in with; the key itself is kept nowhere."""


class PrinterHealth(Base):
    """How a printer last was. answers: it has told us its state before, so its silence is a fault.

    A row without a fault that does not answer is of a printer that has printed in silence.
    """

    __tablename__ = "printer_health"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    printer_id: Mapped[str] = mapped_column(primary_key=True)
    answers: Mapped[bool] = mapped_column(default=False)
    near_end: Mapped[bool] = mapped_column(default=False)
    fault: Mapped[str | None]
    at: Mapped[dt.datetime]
    heard_at: Mapped[dt.datetime | None]
    """When its print agent last called, to half a minute."""


@dataclass(frozen=True)
class PrinterFacts:
    """What a shopkeeper says of a printer."""

    name: str
    wire: str
    columns: int = 48
    chinese: bool = True
    profile: str = "default"
    cutter: bool = True
    drawer_pin: int = 2
    pulse_ms: int = 100
    asked: bool = True
    tills: tuple[str, ...] = ()
    papers: Papers = "both"
    fallback_id: str = ""


@dataclass(frozen=True)
class Outlet:
    """A printer as the queue sees it. failed_at: when it failed last, where it has not worked since."""

    driver: Driver
    id: str = FIRST
    tills: tuple[str, ...] = ()
    papers: Papers = "both"
    fallback_id: str = ""
    failed_at: dt.datetime | None = None

    def serves(self, till_id: str) -> bool:
        """Tell whether it stands at this till."""
        return not self.tills or till_id in self.tills

    @property
    def by_agent(self) -> bool:
        """Tell whether a print agent fetches its jobs."""
        return isinstance(self.driver, AgentPrinter)

    def prints(self, kind: str) -> bool:
        """Tell whether it can print such a document at all (rule 4)."""
        return kind in ("label", "test") or self.driver.model.profile not in LABEL_PRINTERS


# --- verbs ---


def add(ctx: Context, store_id: str, facts: PrinterFacts) -> Printer:
    """Set a printer up."""
    _check(ctx.session, store_id, "", facts)
    printer = Printer(store_id=store_id, id=new_id(), **_columns(facts))
    ctx.session.add(printer)
    ctx.session.flush()
    record(ctx, verb="printer.added", subject=f"printer:{printer.id}", **asdict(facts))
    return printer


def change(ctx: Context, store_id: str, printer_id: str, facts: PrinterFacts) -> Printer:
    """Change a printer; what was known of its answers is forgotten, for it may be another device now."""
    printer = printer_of(ctx.session, store_id, printer_id)
    _check(ctx.session, store_id, printer_id, facts)
    asked = _columns(facts)
    changed = {name: value for name, value in asked.items() if getattr(printer, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(printer, name, value)
        if printer.wire != AGENT:
            printer.agent_key_sha256 = None
        record(ctx, verb="printer.changed", subject=f"printer:{printer.id}", **changed)
    _forget(ctx.session, store_id, printer_id)
    return printer


def remove(ctx: Context, store_id: str, printer_id: str) -> None:
    """Take a printer away; whoever fell back on it falls back on none."""
    printer = printer_of(ctx.session, store_id, printer_id)
    for other in printers_of(ctx.session, store_id):
        if other.fallback_id == printer_id:
            other.fallback_id = ""
    _forget(ctx.session, store_id, printer_id)
    ctx.session.delete(printer)
    record(ctx, verb="printer.removed", subject=f"printer:{printer_id}", name=printer.name)


def note_health(
    session: Session,
    store_id: str,
    printer_id: str,
    *,
    fault: str | None,
    answered: bool = False,
    near_end: bool = False,
    at: dt.datetime,
) -> None:
    """Remember how a printer was just now (rule 5); an unchanged good state writes nothing."""
    row = session.get(PrinterHealth, (store_id, printer_id))
    if row is None:
        row = PrinterHealth(store_id=store_id, printer_id=printer_id, answers=answered, near_end=near_end, at=at)
        session.add(row)
    if fault is not None:
        row.fault, row.at = fault, at
    elif row.fault is not None or row.near_end != near_end or (answered and not row.answers):
        row.fault, row.near_end, row.answers, row.at = None, near_end, row.answers or answered, at


# --- questions ---


def printer_of(session: Session, store_id: str, printer_id: str) -> Printer:
    """Return a printer that was set up; NotFound when there is none of that id."""
    printer = session.get(Printer, (store_id, printer_id))
    if printer is None:
        raise NotFound("unknown-printer", "This printer is no longer set up. Choose one from the list.")
    return printer


def printers_of(session: Session, store_id: str) -> list[Printer]:
    """Return the printers that were set up, the oldest first."""
    return list(session.scalars(sa.select(Printer).where(Printer.store_id == store_id).order_by(Printer.id)))


def health_of(session: Session, store_id: str) -> dict[str, PrinterHealth]:
    """Return how each printer last was, as far as anything is known."""
    rows = session.scalars(sa.select(PrinterHealth).where(PrinterHealth.store_id == store_id))
    return {row.printer_id: row for row in rows}


def model_of(printer: Printer | PrinterFacts) -> PrinterModel:
    """Return what the encoder must know of a printer."""
    return PrinterModel(
        printer.columns,
        printer.chinese,
        printer.profile,
        printer.cutter,
        printer.drawer_pin,
        printer.pulse_ms,
    )


def model_at(session: Session, store_id: str, printer_id: str | None, usual: PrinterModel) -> PrinterModel:
    """Return the model of the printer a job went to; `usual` where it is the settings' or is set up no more.

    Also where it is a label printer: what those were sent tells by itself how it is read, and the rest went elsewhere.
    """
    printer = session.get(Printer, (store_id, printer_id)) if printer_id else None
    return usual if printer is None or printer.profile in LABEL_PRINTERS else model_of(printer)


def outlets(
    session: Session, store_id: str, setting: str, model: PrinterModel,
    plugged: Mapping[str, GuardedPrinter] | None = None,
) -> list[Outlet]:  # fmt: skip
    """Return the printers in force (rule 1). setting, model: the printer the settings name, '' for none.

    plugged: what was made of the plug-ins for printers.
    """
    health = health_of(session, store_id)
    rows = printers_of(session, store_id)
    if not rows:
        driver = driver_for(setting, model, plugged=plugged, **_known(health.get(FIRST), asked=True))
        if driver is None or isinstance(driver, AgentPrinter):
            return []
        return [Outlet(driver, failed_at=_failed_at(health.get(FIRST)))]
    found = []
    for row in rows:
        known = _known(health.get(row.id), asked=row.asked)
        driver = driver_for(row.wire, model_of(row), plugged=plugged, **known)
        if driver is not None:
            papers: Any = row.papers
            failed_at = _failed_at(health.get(row.id))
            found.append(Outlet(driver, row.id, tuple(row.tills), papers, row.fallback_id, failed_at))
    return found


def outlet_for(outlets: Sequence[Outlet], kind: str, till_id: str) -> Outlet | None:
    """Return the printer a document goes to (rule 2): one that names the till and the kind of paper comes first."""
    wanted = "labels" if kind == "label" else "receipts"
    fitting = [outlet for outlet in outlets if outlet.serves(till_id) and outlet.papers in ("both", wanted)]
    return min(fitting, key=lambda outlet: (not outlet.tills, outlet.papers == "both"), default=None)


def goes_to(outlets: Sequence[Outlet], outlet: Outlet, kind: str, till_id: str, printer_id: str | None) -> bool:
    """Tell whether a job is this printer's; a test page is bound to the one it tries."""
    return printer_id == outlet.id if kind == "test" else outlet_for(outlets, kind, till_id) is outlet


# --- inside ---


def _columns(facts: PrinterFacts) -> dict[str, Any]:
    only = {"papers": "labels", "drawer_pin": 0, "asked": False} if facts.profile in LABEL_PRINTERS else {}
    return {**asdict(facts), "tills": list(facts.tills), **only}


def _failed_at(health: PrinterHealth | None) -> dt.datetime | None:
    return health.at if health is not None and health.fault is not None else None


def _known(health: PrinterHealth | None, *, asked: bool) -> dict[str, Any]:
    """Return what the wire is told of its printer's answers."""
    answers = health is not None and health.answers
    silent = health is not None and health.fault is None and not answers
    return {"reports": (answers or None) if asked else False, "patient": not silent}


def _forget(session: Session, store_id: str, printer_id: str) -> None:
    row = session.get(PrinterHealth, (store_id, printer_id))
    if row is not None:
        session.delete(row)


def _check(session: Session, store_id: str, printer_id: str, facts: PrinterFacts) -> None:
    if not facts.name.strip() or len(facts.name) > LONGEST_NAME:
        raise Invalid("printer-name", "Enter a printer name of up to 40 characters.", field="name")
    if driver_for(facts.wire, model_of(facts)) is None:
        raise Invalid("printer-setting", "Choose how the printer is connected.", field="where")
    known = (
        (facts.columns in COLUMNS, "columns"),
        (facts.profile in (*PROFILES, *LABEL_PRINTERS), "profile"),
        (facts.drawer_pin in PINS, "drawer_pin"),
        (PULSES_MS[0] <= facts.pulse_ms <= PULSES_MS[1], "pulse_ms"),
        (facts.papers in PAPERS, "papers"),
    )
    for good, field in known:
        if not good:
            raise Invalid("printer-choice", "Choose one of the options.", field=field)
    others = [row for row in printers_of(session, store_id) if row.id != printer_id]
    if any(row.name == facts.name for row in others):
        raise Conflict("printer-name-taken", "Another printer has this name. Choose a different name.", field="name")
    if facts.fallback_id and facts.fallback_id not in {row.id for row in others}:
        raise Invalid("printer-choice", "Choose one of the options.", field="fallback_id")
    standing_in = next((row for row in others if row.id == facts.fallback_id), None)
    if standing_in is not None and AGENT in (facts.wire, standing_in.wire):
        raise Invalid(
            "printer-agent-alone",
            "A printer that uses a print agent can’t have a backup or serve as one. Choose “wait for it”.",
            field="fallback_id",
        )
