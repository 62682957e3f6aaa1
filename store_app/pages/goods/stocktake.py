"""Stock take: start it, count section by section with a scanner, look at the differences, and book it."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from pos.stock import stocktake, waste
from pos.stock.stocktake import Counted, CountEntry, CountResult, StockTake, entries_of, total_of
from store_app.pages.common import find_product, form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, qty, today
from store_app.web.security import requires
from store_app.words.words import unit_word

bp = Blueprint("stocktake", __name__, url_prefix="/stock/takes")
RUNNING = 15
SHOWN = 300


@dataclass(frozen=True)
class SectionView:
    """A section and how far it is."""

    n: int
    name: str
    state: str
    products: int
    units: int
    who: str


@dataclass(frozen=True)
class ScanView:
    """One scan in the running list. total: what the section has of the product after all scans."""

    id: str
    sku: str
    name: str
    stock_unit: str
    qty: int
    is_total: bool
    total: int
    at: Any
    who: str


@dataclass(frozen=True)
class DifferenceView:
    """A product whose count differs from the records. n: a section in which it lies."""

    sku: str
    name: str
    stock_unit: str
    expected: int
    counted: int
    difference: int
    value_minor: int | None
    ask_again: bool
    sections: list[tuple[int, str, int]]


@bp.get("/")
@requires("stock.count")
def takes(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the takes at work and those that are over, and the form that starts one."""
    store_id = str(place().store_id)
    with read() as session:
        rows = stocktake.takes(session, store_id)
        known = select_categories(session)
    return page(
        "goods/stocktake/takes.html",
        at_work=[row for row in rows if row.state in ("open", "posting")],
        over=[row for row in rows if row.state not in ("open", "posting")],
        categories=known,
        today_text=today().isoformat(),
        fault=fault,
    )


@bp.post("/")
@requires("stock.count")
@form.answers_on(takes)
def start() -> ResponseReturnValue:
    """Start a take with its sections."""
    command, name = form.command_id(), form.text("name", most=60)
    sections = [form.tidy(line) for line in request.form.get("sections", "").splitlines()][:200]
    with write() as session:
        known = select_categories(session)
        chosen = [one for one in request.form.getlist("category") if one in known]
        take = stocktake.start(
            acting(session),
            str(place().store_id),
            id=command,
            name=name or today().isoformat(),
            sections=sections,
            categories=chosen,
        )
    return redirect(url_for("stocktake.take", take_id=take.id), 303)


@bp.get("/<take_id>")
@requires("stock.count")
def take(take_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a take: its sections, what differs, what nobody found, and the way to book it."""
    with read() as session:
        found = stocktake.take_of(session, str(place().store_id), take_id)
        sections = _sections(session, found)
        done = session.scalar(sa.select(sa.func.count()).select_from(CountResult).where(CountResult.take_id == take_id))
        counted = stocktake.counted(session, found) if found.state == "open" else {}
        differences = _differences(session, found, counted)
        missing = _missing(session, found) if found.state == "open" else []
        results = _results(session, found) if found.state in ("posting", "posted") else []
    return page(
        "goods/stocktake/take.html",
        take=found,
        sections=sections,
        all_counted=all(section.state != "open" for section in sections),
        products=len(counted) or done or 0,
        differences=differences[:SHOWN],
        again=[row for row in differences if row.ask_again],
        missing=missing[:SHOWN],
        missing_number=len(missing),
        results=results[:SHOWN],
        fault=fault,
    )


@bp.post("/<take_id>/sections")
@requires("stock.count")
@form.answers_on(take)
def add_section(take_id: str) -> ResponseReturnValue:
    """Add a section."""
    name = form.text("section", most=60)
    with write() as session:
        stocktake.add_section(session, str(place().store_id), take_id, name)
    return redirect(url_for("stocktake.take", take_id=take_id), 303)


@bp.get("/<take_id>/<n>")
@requires("stock.count")
def section(take_id: str, n: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the counting page of one section: the scan field, the last scan large, and the running list."""
    text = form.tidy(request.values.get("code", ""))[: form.WORDS]
    store_id, number = str(place().store_id), number_of(n)
    with read() as session:
        found = stocktake.take_of(session, store_id, take_id)
        here = stocktake.section_of(session, found, number)
        scans = _scans(session, found, number)
        several = fault is not None and fault.code == "several-products"
        options = find_product.choices(session, text) if several else []
        asked = session.get(Product, request.values.get("sku", "")) if request.values.get("sku") else None
        view = next(one for one in _sections(session, found) if one.n == number)
        top_categories = found.categories or select_categories(session)
    return page(
        "goods/stocktake/section.html",
        "counting",
        take=found,
        section=here,
        view=view,
        top_categories=top_categories,
        scans=scans,
        last=scans[0] if scans else None,
        options=options,
        asked=asked,
        unit_word=unit_word(asked.stock_unit if asked else ""),
        fault=fault,
    )


@bp.post("/<take_id>/<n>/scan")
@requires("stock.count")
@form.answers_on(section)
def scan(take_id: str, n: str) -> ResponseReturnValue:
    """Keep one scan: a code adds its units; a weighed product asks for its weight."""
    command, text = form.command_id(), request.form.get("code", "")
    times = form.whole("times", least=1, most=9999) if request.form.get("times") else 1
    with write() as session:
        hit = find_product.find(session, text)
        if hit.qty is not None:
            stocktake.enter(
                acting(session),
                str(place().store_id),
                take_id,
                number_of(n),
                hit.product.sku,
                hit.qty * times,
                entry_id=command,
            )
    sku = hit.product.sku if hit.qty is None else None
    return redirect(url_for("stocktake.section", take_id=take_id, n=n, sku=sku), 303)


@bp.post("/<take_id>/<n>/total")
@requires("stock.count")
@form.answers_on(section)
def total(take_id: str, n: str) -> ResponseReturnValue:
    """Keep a typed total of a product in this section."""
    command, counted = form.command_id(), form.whole("qty")
    with write() as session:
        product = find_product.product_of(session, request.form.get("product", ""))
        stocktake.enter(
            acting(session),
            str(place().store_id),
            take_id,
            number_of(n),
            product.sku,
            counted,
            is_total=True,
            entry_id=command,
        )
    if request.form.get("then") == "take":
        return redirect(url_for("stocktake.take", take_id=take_id, _anchor="again"), 303)
    return redirect(url_for("stocktake.section", take_id=take_id, n=n), 303)


@bp.post("/<take_id>/<n>/back")
@requires("stock.count")
@form.answers_on(section)
def take_scan_back(take_id: str, n: str) -> ResponseReturnValue:
    """Take a scan back."""
    command, store_id = form.command_id(), str(place().store_id)
    with write() as session:
        found = stocktake.take_of(session, store_id, take_id)
        entry = session.scalar(
            sa.select(CountEntry).where(
                CountEntry.store_id == store_id,
                CountEntry.take_id == found.id,
                CountEntry.id == request.form.get("entry", ""),
                CountEntry.section_n == number_of(n),
            )
        )
        if entry is None or entry.is_total or entry.qty <= 0:
            raise NotFound("unknown-scan", "This scan cannot be undone. Enter the total instead.")
        stocktake.enter(
            acting(session),
            store_id,
            take_id,
            entry.section_n,
            entry.sku,
            -entry.qty,
            entry_id=command,
        )
    return redirect(url_for("stocktake.section", take_id=take_id, n=n), 303)


@bp.post("/<take_id>/<n>/finish")
@requires("stock.count")
@form.answers_on(section)
def finish(take_id: str, n: str) -> ResponseReturnValue:
    """Say that a section is counted, or open it again."""
    store_id, at, number = str(place().store_id), doors().now(), number_of(n)
    with write() as session:
        state = stocktake.section_of(session, stocktake.take_of(session, store_id, take_id), number).state
        ctx = Context(session, g.actor, at)
        if request.form.get("then") == "open":
            if state != "open":
                stocktake.open_again(ctx, store_id, take_id, number)
            return redirect(url_for("stocktake.section", take_id=take_id, n=n), 303)
        if state == "open":
            stocktake.finish_section(ctx, store_id, take_id, number)
    return redirect(url_for("stocktake.take", take_id=take_id), 303)


@bp.post("/<take_id>/post")
@requires("stock.count")
@form.answers_on(take)
def post(take_id: str) -> ResponseReturnValue:
    """Close the counting and book it, step by step, so that the tills never wait; goes on where it stopped."""
    store_id, gone = str(place().store_id), request.form.get("missing") == "gone"
    with write() as session:
        if stocktake.take_of(session, store_id, take_id).state == "open":
            _close_sections(session, store_id, take_id)
            stocktake.begin_posting(acting(session), store_id, take_id, missing_is_gone=gone)
    left, steps = 1, 0
    while left and steps < 2000:
        with write() as session:
            left = stocktake.post_some(acting(session), store_id, take_id)
        steps += 1
    return form.done(_("Posted. The records match your count, less later sales."), "stocktake.take", take_id=take_id)


@bp.post("/<take_id>/abandon")
@requires("stock.count")
@form.answers_on(take)
def abandon(take_id: str) -> ResponseReturnValue:
    """Give a take up; nothing is booked."""
    why = form.text("words")
    with write() as session:
        if stocktake.take_of(session, str(place().store_id), take_id).state != "abandoned":
            stocktake.abandon(acting(session), str(place().store_id), take_id, why=why)
    return form.done(_("The stock take was discarded. Nothing was posted."), "stocktake.takes", "info")


def select_categories(session: Session) -> list[str]:
    """Return the categories there are, by name."""
    query = sa.select(Product.category).where(Product.active, Product.kind == "goods").distinct()
    return sorted(session.scalars(query))


def number_of(text: str) -> int:
    """Return the number of a section in the address."""
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise NotFound("unknown-section", "Section not found in this stock take.")
    return int(text)


# --- inside ---


def _close_sections(session: Session, store_id: str, take_id: str) -> None:
    """Say of sections in which something was asked again that it was counted."""
    found = stocktake.take_of(session, store_id, take_id)
    twice = set(
        session.scalars(
            sa.select(CountEntry.section_n)
            .where(CountEntry.store_id == store_id, CountEntry.take_id == take_id, CountEntry.again)
            .distinct()
        )
    )
    for one in stocktake.sections_of(session, found):
        if one.state == "counted" and one.n in twice:
            stocktake.finish_section(acting(session), store_id, take_id, one.n)


def _sections(session: Session, take: StockTake) -> list[SectionView]:
    entries: dict[int, dict[str, list[CountEntry]]] = {}
    who: dict[int, str] = {}
    for entry in entries_of(session, take):
        entries.setdefault(entry.section_n, {}).setdefault(entry.sku, []).append(entry)
        who[entry.section_n] = entry.actor_name
    return [
        SectionView(
            n=row.n,
            name=row.name,
            state=row.state,
            products=len(entries.get(row.n, {})),
            units=sum(total_of(some) for some in entries.get(row.n, {}).values()),
            who=who.get(row.n, ""),
        )
        for row in stocktake.sections_of(session, take)
    ]


def _scans(session: Session, take: StockTake, n: int) -> list[ScanView]:
    latest = stocktake.latest(session, take, n, RUNNING)
    skus = sorted({entry.sku for entry in latest})
    known = find_product.names(session, skus)
    by_sku: dict[str, list[CountEntry]] = {}
    for entry in entries_of(session, take, skus, n):
        by_sku.setdefault(entry.sku, []).append(entry)
    return [
        ScanView(
            id=entry.id,
            sku=entry.sku,
            name=known[entry.sku][0],
            stock_unit=known[entry.sku][1],
            qty=entry.qty,
            is_total=entry.is_total,
            total=total_of(by_sku[entry.sku]),
            at=entry.at,
            who=entry.actor_name,
        )
        for entry in latest
    ]


def _differences(session: Session, take: StockTake, counted: dict[str, Counted]) -> list[DifferenceView]:
    off = [row for row in counted.values() if row.difference or row.ask_again]
    skus = sorted(row.sku for row in off)
    known, worth = find_product.names(session, skus), waste.worths(session, take.store_id, skus, today())
    titles = {one.n: one.name for one in stocktake.sections_of(session, take)}
    lies: dict[str, dict[int, list[CountEntry]]] = {}
    for entry in entries_of(session, take, skus) if len(skus) <= SHOWN else []:
        lies.setdefault(entry.sku, {}).setdefault(entry.section_n, []).append(entry)
    rows = []
    for row in off:
        value = worth[row.sku].value(abs(row.difference))
        rows.append(
            DifferenceView(
                sku=row.sku,
                name=known[row.sku][0],
                stock_unit=known[row.sku][1],
                expected=row.expected_qty,
                counted=row.counted_qty,
                difference=row.difference,
                value_minor=None if value is None else value if row.difference > 0 else -value,
                ask_again=row.ask_again,
                sections=[(n, titles[n], total_of(some)) for n, some in sorted(lies.get(row.sku, {}).items())],
            )
        )
    return sorted(rows, key=lambda row: (not row.ask_again, -abs(row.value_minor or 0), row.name, row.sku))


def _missing(session: Session, take: StockTake) -> list[tuple[str, str]]:
    skus = stocktake.uncounted(session, take)
    known = find_product.names(session, skus)
    return sorted(((sku, known[sku][0]) for sku in skus), key=lambda row: (row[1], row[0]))


def _results(session: Session, take: StockTake) -> list[dict[str, Any]]:
    rows = session.scalars(
        sa.select(CountResult).where(
            CountResult.store_id == take.store_id,
            CountResult.take_id == take.id,
            CountResult.counted_qty != CountResult.expected_qty,
        )
    ).all()
    known = find_product.names(session, sorted(row.sku for row in rows))
    shown = [
        {
            "sku": row.sku,
            "name": known[row.sku][0],
            "expected": qty(row.expected_qty, known[row.sku][1]),
            "counted": qty(row.counted_qty, known[row.sku][1]),
            "difference": row.counted_qty - row.expected_qty,
            "difference_text": qty(abs(row.counted_qty - row.expected_qty), known[row.sku][1]),
        }
        for row in rows
    ]
    return sorted(shown, key=lambda row: row["name"])
