"""The store itself: the network, the printer, and whether the books agree."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import Conflict, DomainError, NotFound, kept_again
from config.finding import Finding
from config.ids import NETWORK
from config.nodes import outbox, publication
from config.nodes.node import Node
from config.nodes.outbox import OutboxMessage
from config.words import language
from pos.printing import printers, queue
from pos.printing.queue import PrintJob
from pos.store.countries import country_of
from pos.store.store import (
    LOCK_MINUTES,
    LONGEST_NAME,
    Region,
    Store,
    lock_after,
    sell_beyond,
    show_receipts,
)
from pos.sync import checks as counter_checks
from store_app.node import backup, rehearsal
from store_app.pages.common import form
from store_app.runtime import job_runs
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.sync import homecoming, wire
from store_app.web import presenting
from store_app.web.presenting import clock_time, money, number, page, place, since
from store_app.web.security import requires
from store_app.words import forecast, held
from store_app.words import printers as printers_words
from store_app.words import words as general_words
from store_app.words.refusals import sentence_of
from supply.demand import closed_days, reported_forecasts, stated_sales
from supply.online.storefront import particulars as particulars_book
from supply.online.storefront import storefront
from supply.sync import checks as supply_checks

bp = Blueprint("store_settings", __name__, url_prefix="/settings")
SHOWN = 20
SILENT_AFTER = dt.timedelta(minutes=10)
NO_FAULT_OF_THE_COPY = ("no-room", "computing-stopped", "computing-too-slow")
"""Why a rehearsal may fail though the backup is sound."""


@dataclass(frozen=True)
class Light:
    """A sentence with a dot: '' good, 'dot-warn', 'dot-bad'. jobs: what waits at the printer."""

    dot: str
    sentence: str
    jobs: tuple["JobRow", ...] = ()


@dataclass(frozen=True)
class JobRow:
    """A piece of paper that did not come out yet."""

    words: str
    state: str
    reason: str | None


@dataclass(frozen=True)
class StuckRow:
    """A message the network refused."""

    id: str
    words: str
    made_at: dt.datetime
    reason: str
    is_declined: bool
    """A person at the network turned it down: it is put away instead of sent again."""


@dataclass(frozen=True)
class Queue:
    """What waits to be sent."""

    sentence: str
    stuck: list[StuckRow]


@bp.get("/")
@requires("settings")
def overview(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the store's facts and how it stands with network, printer and books."""
    settings, at = doors().settings, doors().now()
    store_id = str(place().store_id)
    with read() as session:
        store = session.get_one(Store, store_id)
        region = session.get(Region, store.region_id)
        refused = publication.refused(session)
        contact = _contact(session, at, on_its_own=not settings.network_url)
        queue = _queue(session) if settings.network_url else None
        put_back = _put_back(session, store_id, at)
        closed = closed_days.spells(closed_days.since(session, store_id, presenting.today()))
        unknown = bool(settings.network_url) and stated_sales.counts(session, store_id)
        unreported = forecast.not_taken(reported_forecasts.refusal(session, store_id))
        light = _printer(session, store_id, settings.printer)
        run, rehearsed = rehearsal.open_run(session, store_id), rehearsal.last(session, store_id)
        findings = _findings(session, store_id) if request.args.get("check") and request.method == "GET" else None
    return page(
        "store/settings/overview.html",
        store=store,
        contact=contact,
        refused=[(row, row.code in publication.NEEDS_LEAVE) for row in refused],
        unreported=unreported,
        queue=queue,
        put_back=put_back,
        printer=light,
        closed=" · ".join(general_words.days(*spell) for spell in closed),
        facts=_facts(store, region),
        findings=findings,
        copies=_copies(),
        no_copy=_no_copy(),
        rehearses=run is not None and not run.is_cut_off(at),
        rehearsed=rehearsed and _rehearsal(*rehearsed),
        lock_minutes=LOCK_MINUTES,
        sales_wanted=unknown,
        sales_typed=form.as_typed(store.usual_sales_minor, store.currency),
        store_url=f"{settings.public_url.rstrip('/')}/shop/{store.slug}" if settings.public_url else "",
        fault=fault,
    )


def _refused(fault: DomainError, **_place: Any) -> Any:
    return overview(fault=fault)


@bp.post("/messages/<message_id>/send-again")
@requires("settings")
@form.answers_on(_refused)
def send_again(message_id: str) -> ResponseReturnValue:
    """Put a message the network refused back into the queue."""
    with write() as session:
        message = _unconfirmed(session, message_id)
        if message.state != "pending":
            outbox.send_again(acting(session), message_id)
            wake_worker_after(session)
    return form.done(_("It will be sent again."), "store_settings.overview", "info")


@bp.post("/messages/<message_id>/put-away")
@requires("settings")
@form.answers_on(_refused)
def put_away(message_id: str) -> ResponseReturnValue:
    """Put away a message that a person at the network turned down."""
    with write() as session:
        message = _unconfirmed(session, message_id)
        if message.state != "written_off":
            if message.state != "stuck" or not held.is_declined(message.reason):
                raise Conflict("not-turned-down", "The network has not rejected this message.")
            outbox.put_away(acting(session), message_id)
    return form.done(_("Dismissed. It stays on record here."), "store_settings.overview", "info")


@bp.post("/send-now")
@requires("settings")
@form.answers_on(_refused)
def send_now() -> ResponseReturnValue:
    """Let the worker try the network at once instead of waiting after a fault."""
    from store_app.sync import sender  # its client takes its time to load, and few pages need it

    with write() as session:
        sender.request_contact(session)
        wake_worker_after(session)
    return form.done(_("Retrying. Check again in a moment."), "store_settings.overview", "info")


@bp.post("/editions/<kind>/allow")
@requires("settings")
@form.answers_on(_refused)
def allow_edition(kind: str) -> ResponseReturnValue:
    """Let an edition in whose prices move far, and try the network at once."""
    from store_app.sync import sender

    with write() as session:
        publication.allow(acting(session), kind, form.text("sha256", most=64))
        sender.request_contact(session)
        wake_worker_after(session)
    return form.done(_("Approved. The prices will arrive at the next sync."), "store_settings.overview")


@bp.post("/receipts-online")
@requires("settings")
@form.answers_on(_refused)
def receipts_online() -> ResponseReturnValue:
    """Print a code on receipts that leads to them on the network, or print none."""
    settings, store_id = doors().settings, str(place().store_id)
    wanted = request.form.get("wanted") == "yes"
    with write() as session:
        address = _receipts_address(settings.public_url or settings.network_url, session.get_one(Store, store_id))
        if wanted and not address:
            raise Conflict("no-network", "No network is set up, so receipts cannot be shown online.")
        show_receipts(acting(session), store_id, address if wanted else "")
    return form.done(_("Receipts now carry a code.") if wanted else _("Receipts no longer carry a code."), ".overview")


@bp.post("/beyond-stock")
@requires("settings")
@form.answers_on(_refused)
def beyond_stock() -> ResponseReturnValue:
    """Let the tills sell what the books no longer have, or stop at what they have."""
    wanted = request.form.get("wanted") == "yes"
    with write() as session:
        sell_beyond(acting(session), str(place().store_id), wanted)
    return form.done(
        _("Tills can now sell items that show as out of stock.")
        if wanted
        else _("Tills now block items that show as out of stock."),
        "store_settings.overview",
    )


@bp.post("/lock")
@requires("settings")
@form.answers_on(_refused)
def lock() -> ResponseReturnValue:
    """Settle after how many minutes pages that nobody touches lock themselves."""
    minutes = form.whole("minutes", most=max(LOCK_MINUTES))
    with write() as session:
        lock_after(acting(session), str(place().store_id), minutes)
    reported = ngettext("Auto-lock after %(num)d minute.", "Auto-lock after %(num)d minutes.", minutes)
    reported = reported if minutes else _("Auto-lock is off.")
    return form.done(reported, "store_settings.overview")


@bp.post("/particulars")
@requires("settings")
@form.answers_on(_refused)
def particulars() -> ResponseReturnValue:
    """Change what paper says of the store; the next receipt says it."""
    said = {
        "name": form.text("name", most=LONGEST_NAME, required=_("Enter your store’s name.")),
        "address": form.text("address", most=160), "phone": form.text("phone", most=40),
        "tax_number": form.text("tax_number", most=40),
    }  # fmt: skip
    with write() as session:
        particulars_book.change(acting(session), str(place().store_id), **said)
        wake_worker_after(session)
    return form.done(_("Saved."), "store_settings.overview")


@bp.post("/rehearse")
@requires("settings")
@form.answers_on(_refused)
def rehearse() -> ResponseReturnValue:
    """Have the worker rehearse a restore of the newest backup."""
    if not _copies():
        raise NotFound("no-copy", _no_copy())
    with write() as session:
        job_runs.ask(session, doors().settings.node_id, rehearsal.JOB, doors().now().date(), at=doors().now())
        wake_worker_after(session)
    return redirect(f"{url_for('.overview')}#backup", 303)


@bp.post("/usual-sales")
@requires("settings")
@form.answers_on(_refused)
def sales_amount() -> ResponseReturnValue:
    """Say what the store takes on a usual day, until its own sales tell; an empty field takes it back."""
    store_id = str(place().store_id)
    with write() as session:
        said = request.form.get("sales_amount", "").strip()
        minor = form.amount("sales_amount", session.get_one(Store, store_id).currency) if said else 0
        storefront.state_sales(acting(session), store_id, minor)
        wake_worker_after(session)
    reported = _("From tonight’s forecast, your orders assume sales of %(amount)s a day.", amount=money(minor))
    return form.done(reported if minor else _("No figure set; your store is treated as average."), ".overview")


# --- inside ---


def _unconfirmed(session: Session, message_id: str) -> OutboxMessage:
    message = session.get(OutboxMessage, message_id)
    if message is None:
        raise NotFound("unknown-message", "Message not found.")
    if message.state == "delivered":
        raise Conflict("already-delivered", "This message has already arrived.")
    return message


def _receipts_address(base: str, store: Store) -> str:
    return f"{base.rstrip('/')}/shop/{store.slug}/receipts" if base else ""


def _contact(session: Session, at: dt.datetime, *, on_its_own: bool) -> Light:
    node = session.scalar(sa.select(Node))
    if on_its_own:
        return Light("", _("This store works on its own; no network is set up."))
    if node is None or node.last_contact_at is None:
        return Light("dot-warn", _("Not connected to the network yet. The till works without it."))
    when = since(node.last_contact_at)
    if node.last_fault in (*wire.PAUSES.values(), wire.TOO_LARGE):
        return Light("dot-bad", _(node.last_fault))
    if node.last_fault:
        return Light(
            "dot-bad",
            _("The network did not respond; last sync: %(when)s. The till keeps working.", when=when),
        )
    if at - node.last_contact_at > SILENT_AFTER:
        return Light("dot-warn", _("Last sync: %(when)s.", when=when))
    return Light("", _("Connected; last sync: %(when)s.", when=when))


def _queue(session: Session) -> Queue:
    numbers = dict(
        session.execute(
            sa.select(OutboxMessage.state, sa.func.count())
            .where(OutboxMessage.to_node == NETWORK, OutboxMessage.state.in_(("pending", "stuck")))
            .group_by(OutboxMessage.state)
        ).all()
    )
    waiting, stuck = numbers.get("pending", 0), numbers.get("stuck", 0)
    sentence = (
        ngettext("%(num)d message is waiting to be sent.", "%(num)d messages are waiting to be sent.", waiting)
        if waiting
        else _("Everything has been sent.")
    )
    if stuck:
        refused = ngettext(
            "%(num)d was rejected and needs your attention.", "%(num)d were rejected and need your attention.", stuck
        )
        sentence = f"{sentence} {refused}"
    rows = session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.to_node == NETWORK, OutboxMessage.state == "stuck")
        .order_by(OutboxMessage.n)
        .limit(SHOWN)
    )
    return Queue(
        sentence,
        [
            StuckRow(
                row.id, general_words.topic_word(row.topic), row.made_at, _reason(row), held.is_declined(row.reason)
            )
            for row in rows
        ],
    )


def _reason(row: OutboxMessage) -> str:
    if row.reason == wire.TOO_LARGE:
        return _(wire.TOO_LARGE)
    return held.to_store(row.reason) or _("No reason was given.")


def _put_back(session: Session, store_id: str, at: dt.datetime) -> tuple[str, list[str]] | None:
    """Say what came home into books put back lately, and what somebody must look at; None where nothing did."""
    if homecoming.is_awaited(session):
        return _(
            "This database was restored from a backup. Everything sent to the network since then will come back at "
            "the next sync."
        ), []
    found = homecoming.last(session, store_id)
    if found is None or at - found[0] > homecoming.SHOWN_FOR:
        return None
    came = found[1]
    sales = came["topics"].get("sale.completed", 0)
    many = sum(came["topics"].values())
    when = clock_time(found[0], True)
    reported = ngettext(
        "The database was restored from a backup. On %(when)s, the network returned %(num)d message, including "
        "%(sales)d for sales.",
        "The database was restored from a backup. On %(when)s, the network returned %(num)d messages, including "
        "%(sales)d for sales.",
        many, when=when, sales=sales,
    )  # fmt: skip
    own = _("People, settings and your own products added since the backup are not included. Add them again.")
    return reported, [*(_odd(one) for one in came["odd"]), own]


def _odd(one: dict[str, Any]) -> str:
    if one["kind"] == "late":
        return ngettext(
            "Till %(till)s: %(num)d sale from a shift that was never closed. The next Z lists it as "
            "late; count the drawer.",
            "Till %(till)s: %(num)d sales from a shift that was never closed. The next Z lists them as "
            "late; count the drawer.",
            one["sales"], till=one["till_id"],
        )  # fmt: skip
    if one["kind"] == "drawer":
        return _(
            "Till %(till)s: %(amount)s (%(moved)s) belongs to a shift that is no longer here. Count the drawer.",
            till=one["till_id"], amount=money(one["amount_minor"]), moved=general_words.cash_word(one["moved"]),
        )  # fmt: skip
    why = sentence_of(kept_again(one.get("refusal", one)))
    what, day = general_words.topic_word(one["topic"]), presenting.day(dt.date.fromisoformat(one["day"]))
    return _("%(what)s %(no)s, %(day)s: %(why)s", what=what, no=one["no"], day=day, why=why)


def _copies() -> list[backup.Note]:
    """Return the notes of this store's backups; a practice store lies beside those of the store it was copied from."""
    return [] if doors().is_practice else backup.copies(doors())


def _no_copy() -> str:
    is_practice = doors().is_practice or doors().settings.practice
    return _("A practice store makes no backups.") if is_practice else _(rehearsal.NONE_YET)


def _rehearsal(at: dt.datetime, found: dict[str, Any]) -> tuple[str, str, str]:
    """Return how a rehearsed restore is shown: its kind of note, what it found, and when."""
    made = clock_time(found["made_at"] or None, True)
    when = _("Rehearsed %(when)s.", when=clock_time(at, True))
    if found["fault"]:
        fault = kept_again(found["fault"])
        sentence = _("The backup from %(when)s can’t be restored: %(why)s", when=made, why=sentence_of(fault))
        if fault.code not in NO_FAULT_OF_THE_COPY:
            advice = _(
                "A new one will be made tonight: rehearse again tomorrow. If that fails too, set backup_folder to "
                "another disk."
            )
            sentence = f"{sentence} {advice}"
        return "bad", sentence, when
    if not found["last_sale_at"]:
        return "good", _("The backup from %(when)s works. It has no sales yet.", when=made), when
    sentence = ngettext(
        "The backup from %(when)s works: %(count)s sale, last receipt %(last)s.",
        "The backup from %(when)s works: %(count)s sales, last receipt %(last)s.",
        found["sales"], when=made, count=number(found["sales"]), last=clock_time(found["last_sale_at"], True),
    )  # fmt: skip
    return "good", sentence, when


def _printer(session: Session, store_id: str, setting: str) -> Light:
    rows = session.scalars(
        sa.select(PrintJob)
        .where(PrintJob.store_id == store_id, PrintJob.state.in_(("queued", "sending", "failed", "unconfirmed")))
        .order_by(PrintJob.queued_at, PrintJob.id)
        .limit(SHOWN)
    ).all()
    jobs = tuple(
        JobRow(general_words.paper_word(row.kind), row.state, printers_words.reason(row.reason) if row.reason else None)
        for row in rows
    )
    own = printers.printers_of(session, store_id)
    wires = [row.wire for row in own] or [setting] * bool(setting)
    standing = queue.status(session, store_id, at=doors().now(), setting=setting)
    if standing.colour == "none":
        return Light("dot-warn", _("No printer is set up. Sales continue, but receipts aren’t printed."), jobs)
    if standing.colour == "red":
        name = f"{standing.printer}: " if standing.printer else ""
        return Light("dot-bad", name + printers_words.reason(standing.code), jobs)
    if standing.colour == "amber":
        return Light("dot-warn", printers_words.amber(standing.code, standing.printer), jobs)
    if wires == ["paper"]:
        return Light("", _("Practice printer: prints appear on screen only."), jobs)
    words = ngettext("The printer works.", "All %(num)d printers work.", len(wires))
    return Light("", words, jobs)


def _findings(session: Session, store_id: str) -> list[Finding]:
    return [*counter_checks.findings(session, store_id), *supply_checks.findings(session, store_id)]


def _facts(store: Store, region: Region | None) -> list[tuple[str, str]]:
    return [
        (_("Store number"), store.id),
        (_("Region"), region.name if region else store.region_id),
        (_("Opening hours"), presenting.opening_hours(store.week)),
        (_("Country"), presenting.speech().locale.territories.get(country_of(store.tz), "–")),
        (_("Language"), language(store.language).name),
        (_("Currency"), store.currency),
        (_("Time zone"), store.tz.replace("_", " ")),
        (_("Business day ends"), presenting.minute(60 * store.rollover_hour)),
        (_("Pickup orders held"), ngettext("%(num)d day", "%(num)d days", store.pickup_hold_days)),
    ]
