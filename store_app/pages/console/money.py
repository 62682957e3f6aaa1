"""The operator's money: who owes what and how late, orders on hold, payments in and out, objections, the terms."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from config.errors import DomainError, Invalid, NotFound
from config.money import exponent
from config.nodes.journal import Context
from pos.store.store import Store, store_of
from store_app.pages.common import form, lists, money_views
from store_app.pages.customers.statements import table
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import about_store, page, place, today
from store_app.web.presenting import money as money_of
from store_app.web.security import requires
from store_app.words import money
from supply import two_people
from supply.membership import exposure, level, objections
from supply.membership.level import LevelReview
from supply.money import (
    account_orders,
    agent_commissions,
    credit,
    ledger,
    lost_entries,
    pain001,
    payment_runs,
    payouts,
    proposals,
    terms,
    wrong_payments,
)
from supply.money.credit import CreditDraw, CreditLine
from supply.money.ledger import Account, LedgerEntry
from supply.money.proposals import MoneyProposal
from supply.money.terms import BOUNDS, Terms
from supply.network.recalls import upstream_claims

bp = Blueprint("console_money", __name__, url_prefix="/console/money")
LOSS_DAYS = 365
SCALES = {"_bp": 100, "_ppm": 10_000}
"""A term's ending -> how many of its units one typed per cent is."""

DEBTORS = lists.Table(
    "stores-money",
    (
        lists.Column("name", _l("Store"), look="lead"),
        lists.Column("id", _l("Store number"), shown=False, look="said"),
        lists.Column("credit_minor", _l("Owed on credit"), "money", look="sum said"),
        lists.Column("limit_minor", _l("Limit"), "money", look="said"),
        lists.Column("level", _l("Level"), value=lambda one: money.LEVELS[one.level], look="said"),
        lists.Column("ages", _l("By age"), "picture", look="whole"),
        lists.Column("late_minor", _l("Overdue"), "money", look="said"),
        lists.Column("exposure_minor", _l("Exposure"), "money", shown=False, look="said"),
        lists.Column("funds_minor", _l("Balance held"), "money", look="said"),
        lists.Column("state", _l("State"), value=lambda one: _("on hold") if one.state == "held" else _("in order")),
    ),
    (
        lists.Filter(
            "find",
            _l("Find a store"),
            "text",
            lambda text: lambda one: text.casefold() in f"{one.name} {one.id}".casefold(),
        ),
        lists.Filter(
            "late",
            _l("Overdue"),
            "choice",
            lambda _late: lambda one: one.late_minor > 0,
            [("", _l("All stores")), ("1", _l("Overdue"))],
        ),
    ),
    below=True,
)
"""The stores with a line or an account, the latest money first."""


@bp.get("/")
@requires("network.money")
def overview(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what waits for a decision, then who owes what and how late."""
    with read() as session:
        debtors, stores = exposure.debtors(session, today()), session.query(Store).order_by(Store.name).all()
        names = {store.id: store.name for store in stores}
        listed = lists.show(DEBTORS, debtors, at=url_for(".overview"))
        shown: dict[str, Any] = {
            "draws": credit.held_draws(session),
            "costs": account_orders.costs_of_waiting(session),
            "draw_why": money.DRAW_WHY,
            "objections": objections.waiting(session),
            "proposed": _proposed(session, names, terms.in_force(session)[1]),
            "is_alone": two_people.is_alone(session, proposals.PERMISSION),
            "lost": lost_entries.waiting(session),
            "silent": [names.get(one, one) for one in lost_entries.silent(session)],
            "kind_word": money.kind_word,
            "subjects": money.SUBJECTS,
            "listed": listed,
            "age_words": money.AGES,
            "lent_minor": sum(one.credit_minor for one in debtors),
            "exposure_minor": sum(one.exposure_minor for one in debtors),
            "late_minor": sum(one.late_minor for one in debtors),
            "funds_minor": sum(one.funds_minor for one in debtors),
            "most_minor": max([sum(one.ages_minor) for one in debtors] or [1]) or 1,
            "upstream": upstream_claims.balances(session),
            "losses": exposure.losses(session, today() - dt.timedelta(days=LOSS_DAYS)),
            "payouts": payouts.latest(session),
            "parts": agent_commissions.parts_of(session),
            "payer": session.get(Account, "network"),
            "stores": stores,
            "names": names,
            "terms": _terms_typed(terms.in_force(session)[1]),
            "terms_n": terms.in_force(session)[0],
            "term_words": money.TERMS,
            "fault": fault,
        }
    return listed.file or page("console/money.html", **shown)


@bp.get("/stores/<store_id>")
@requires("network.money")
def store_account(store_id: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show a store's account: its line and how it came about, its invoices, its statement."""
    first, last = money_views.period(request.args, today())
    with read() as session:
        store = _store(session, store_id)
        about_store(store)
        line = session.get(CreditLine, store.id)
        account = ledger.balances(session, store.id)
        gauge = None
        if line is not None:
            pending, left = credit.pending(session, store.id), credit.available(session, store.id)
            gauge = money_views.gauge(line.limit_minor, account["credit"], pending, left)
        shown: dict[str, Any] = {
            "store": store,
            "line": line,
            "gauge": gauge,
            "steps": money_views.steps_of(line) if line else [],
            "held": money.held_sentence(line.held_why) if line and line.state == "held" else "",
            "standing": account,
            "owed_minor": ledger.owed(account),
            "invoices": money_views.open_with_lateness(session, store.id, today()),
            "review": session.get(LevelReview, store.id),
            "level_words": money.LEVELS,
            "statement": money_views.statement(session, store.id, first, last),
            "payments": wrong_payments.received(session, store.id, first, last),
            "payers": session.query(Store).where(Store.id != store.id).order_by(Store.name).all(),
            "objections": objections.of_store(session, store.id),
            "subjects": money.SUBJECTS,
            "fault": fault,
        }
    review = shown["review"]
    shown["measures"] = money_views.measures(level.measures_of(review)) if review else []
    return page("console/money_store.html", **shown)


@bp.get("/stores/<store_id>/statement.csv")
@requires("network.money")
def store_table(store_id: str) -> Response:
    """Answer a store's ledger as a table."""
    first, last = money_views.period(request.args, today())
    with read() as session:
        store = _store(session, store_id)
        rows = money_views.ledger_rows(session, store.id, first, last, store.currency)
    return table(rows, f"account-{store.id}-{last.isoformat()}.csv")


@bp.post("/draws/<store_id>/<order_id>")
@requires("network.money.change")
@form.answers_on(overview)
def decide_draw(store_id: str, order_id: str) -> ResponseReturnValue:
    """Let an order on hold go on credit, or refuse it."""
    go = request.form.get("go") == "yes"
    why = "" if go else form.text("why", required=_("Enter a reason. The shopkeeper will see it."))
    with write() as session:
        ctx = acting(session)
        if not go:
            credit.refuse(ctx, store_id, order_id, why=why)
            return form.done(_("Decided."), ".overview")
        asked = proposals.ask(ctx, "draw", form.command_id(), store_id=store_id, order_id=order_id)
    return _done(asked, _("Decided."))


@bp.post("/objections/<store_id>/<objection_id>")
@requires("network.money.change")
@form.answers_on(overview)
def answer_objection(store_id: str, objection_id: str) -> ResponseReturnValue:
    """Answer a store's objection."""
    words = form.text("words", most=500, required=_("Enter a reason. The shopkeeper will see it."))
    with write() as session:
        objections.answer(
            acting(session),
            store_id,
            objection_id,
            upheld=request.form.get("upheld") == "yes",
            words=words,
        )
    return form.done(_("Response sent."), ".overview")


@bp.post("/lost/<store_id>")
@requires("network.money.change")
@form.answers_on(overview)
def decide_lost(store_id: str) -> ResponseReturnValue:
    """Enter what was lost of a store's account again, one entry or all in their order, or leave one out."""
    wanted, leave = form.text("entry", most=64), request.form.get("leave") == "yes"
    why = form.text("why", required=_("Enter a reason. The shopkeeper will see it.")) if leave else ""
    with write() as session:
        ids = [row.id for row in lost_entries.waiting(session, store_id) if wanted in ("", row.id)]
        for entry_id in ids:
            ctx = acting(session)
            if leave and wanted:
                lost_entries.leave_out(ctx, store_id, entry_id, why=why)
            else:
                lost_entries.take_over(ctx, store_id, entry_id)
    return form.done(_("Decided."), ".overview")


@bp.post("/payments")
@requires("network.money.change")
@form.answers_on(overview)
def pay_in() -> ResponseReturnValue:
    """Book what a store has paid, or credit it for something."""
    way = form.one_of("way", ("paid", "credited"), sentence=_("Choose payment or credit."))
    store_id, words = form.text("store", most=64), form.text("words", required=_("Enter a reference or a reason."))
    with write() as session:
        store = _store(session, store_id)
        amount_minor, at = form.amount("amount", store.currency), clock.now()
        once = form.command_id()
        ctx = Context(session, g.actor, at)
        if way == "paid":
            ledger.money_in(ctx, store.id, amount_minor, reference=words, id=once)
            return form.done(_("Recorded."), ".store_account", store_id=store_id)
        asked = proposals.ask(ctx, "credit_note", once, store_id=store.id, amount_minor=amount_minor, why=words)
    return _done(asked, _("Recorded."), ".store_account", store_id=store_id)


@bp.post("/stores/<store_id>/payments/<entry_id>/back")
@requires("network.money.change")
@form.answers_on(store_account)
def take_back(store_id: str, entry_id: str) -> ResponseReturnValue:
    """Take a payment that was booked wrongly back, and enter it for the store that paid."""
    why, payer_id = (
        form.text("why", required=_("Enter a reason. The shopkeeper will see it.")),
        form.text("payer", most=64),
    )
    with write() as session:
        payer = _store(session, payer_id).id if payer_id else None
        asked = proposals.ask(
            acting(session), "moved", form.command_id(), store_id=store_id, entry_id=entry_id, why=why, payer_id=payer
        )
    return _done(asked, _("Reversed. The invoices it paid are open again."), ".store_account", store_id=store_id)


@bp.post("/stores/<store_id>/hold")
@requires("network.money.change")
@form.answers_on(store_account)
def hold(store_id: str) -> ResponseReturnValue:
    """Hold a store's credit with a reason, or let it draw again."""
    release = request.form.get("release") == "yes"
    why = "" if release else form.text("why", required=_("Enter a reason. The shopkeeper will see it."))
    with write() as session:
        ctx = acting(session)
        if not release:
            credit.hold(ctx, store_id, why=why)
            return form.done(_("Credit is on hold."), ".store_account", store_id=store_id)
        asked = proposals.ask(ctx, "release", form.command_id(), store_id=store_id)
    return _done(asked, _("Credit is open again."), ".store_account", store_id=store_id)


@bp.post("/stores/<store_id>/invoices/<invoice_id>/loss")
@requires("network.money.change")
@form.answers_on(store_account)
def give_up(store_id: str, invoice_id: str) -> ResponseReturnValue:
    """Give up what is left of an invoice."""
    why = form.text("why", required=_("Enter a reason for the record."))
    with write() as session:
        credit.give_up(acting(session), store_id, invoice_id, why=why)
    flash(_("Written off as a loss. The store’s credit is on hold until you release it."), "info")
    return redirect(url_for(".store_account", store_id=store_id), 303)


@bp.post("/payer")
@requires("network.money.change")
@form.answers_on(overview)
def say_payer() -> ResponseReturnValue:
    """Say which account the network pays from."""
    payee = form.text("payee", most=140, required=_("Enter the account holder’s name."))
    account = form.text("account", most=60, required=_("Enter the account number."))
    with write() as session:
        asked = proposals.ask(
            acting(session), "payer", form.command_id(), payee=payee, account=account, bic=form.text("bic", most=20)
        )
    return _done(asked, _("The network now pays from this account."))


@bp.post("/payouts")
@requires("network.money.change")
@form.answers_on(overview)
def make_run() -> ResponseReturnValue:
    """Pay out what the stores' funds hold: makes a run, whose file goes to the bank."""
    with write() as session:
        asked = proposals.ask(acting(session), "payouts", form.command_id())
    unknown = asked.made.unknown if asked.made else []
    if unknown:
        flash(
            _("Not paid (no account, or changed in the last three days): %(stores)s.", stores=_(", ").join(unknown)),
            "warn",
        )
    made = len(asked.made.payouts) if asked.made else 0
    return _done(asked, ngettext("%(num)d payout made.", "%(num)d payouts made.", made), _anchor="payouts")


@bp.post("/proposals/<proposal_id>/confirm")
@requires("network.money.change")
@form.answers_on(overview)
def confirm(proposal_id: str) -> ResponseReturnValue:
    """Approve what somebody else proposed."""
    with write() as session:
        proposals.confirm(acting(session), proposal_id)
    return form.done(_("Approved."), ".overview")


@bp.post("/proposals/<proposal_id>/drop")
@requires("network.money.change")
@form.answers_on(overview)
def drop(proposal_id: str) -> ResponseReturnValue:
    """Turn down what somebody else proposed, or withdraw one's own."""
    with write() as session:
        two_people.drop(acting(session), MoneyProposal, proposal_id)
    return form.done(_("Nothing was changed."), ".overview")


@bp.get("/payouts/<run_id>.<suffix>")
@requires("network.money.change")
def run_file(run_id: str, suffix: str) -> Response:
    """Answer a run as the bank takes it: pain.001 as XML, or a table."""
    with read() as session:
        found = payment_runs.of_run(session, run_id)
        if not found or suffix not in ("xml", "csv"):
            raise NotFound("no-run", "Payout run not found.")
        transfers, payer = payment_runs.transfers_of(found), payment_runs.payer_of(session)
    if suffix == "csv":
        return table(pain001.as_rows(run_id, transfers), f"payouts-{run_id}.csv")
    content = pain001.as_xml(run_id, payer, transfers, made_at=found[0].made_at, pay_on=today())
    answer = make_response(content)
    answer.mimetype = "application/xml"
    answer.headers["Content-Disposition"] = f"attachment; filename=payouts-{run_id}.xml"
    return answer


@bp.post("/payouts/<run_id>/paid")
@requires("network.money.change")
@form.answers_on(overview)
def confirm_run(run_id: str) -> ResponseReturnValue:
    """Note that the bank has carried a run out."""
    with write() as session:
        payment_runs.confirm(acting(session), run_id)
    return form.done(_("Marked as paid."), ".overview", _anchor="payouts")


@bp.post("/payouts/<store_id>/<payout_id>/returned")
@requires("network.money.change")
@form.answers_on(overview)
def come_back(store_id: str, payout_id: str) -> ResponseReturnValue:
    """Put a payout the bank sent back into the store's funds."""
    why = form.text("why", required=_("Enter the bank’s explanation."))
    with write() as session:
        payouts.returned(acting(session), store_id, payout_id, why=why)
    flash(_("The money is back at the network and will go out with the next run."), "info")
    return redirect(url_for(".overview", _anchor="payouts"), 303)


@bp.post("/terms")
@requires("network.money.change")
@form.answers_on(overview)
def set_terms() -> ResponseReturnValue:
    """Put new terms in force; every store's limit is worked out by them from the next night."""
    values: dict[str, Any] = {name: _typed(name) for name in BOUNDS}
    with write() as session:
        asked = proposals.ask(acting(session), "terms", form.command_id(), **values)
    return _done(asked, _("Version %(n)s of the terms is now in effect.", n=asked.made), _anchor="terms")


# --- inside ---


def _done(asked: proposals.Answer, words: str, endpoint: str = ".overview", **place: Any) -> ResponseReturnValue:
    """Say what was done, or that it waits for a second person."""
    if asked.proposal is None:
        return form.done(words, endpoint, **place)
    waits = _("Sent for approval. Nothing changes until someone else approves it.")
    return form.done(waits, ".overview", "warn", _anchor="waiting")


def _proposed(session: Any, names: dict[str, str], in_force: Terms) -> list[dict[str, Any]]:
    """Return what waits for a second person as the page says it: a title, and what the approver compares."""
    found = []
    for row in proposals.waiting(session):
        about: list[tuple[Any, Any]] = []
        if row.store_id:
            about.append((_("Store"), names.get(row.store_id, row.store_id)))
        listed: list[tuple[str, str, str, str]] = []
        if row.kind == "draw":
            draw = session.get(CreditDraw, (row.store_id, row.asked["order_id"]))
            if draw is not None:
                about += [(_("Order %(no)s", no=draw.order_no), money_of(draw.amount_minor))]
        elif row.kind == "terms":
            now, then = _terms_typed(in_force), _terms_typed(terms.terms_from(row.asked))
            about += [(money.TERMS[name][0], f"{now[name]} → {then[name]}") for name in now if now[name] != then[name]]
        elif row.kind == "payouts":
            listed = [
                (agent or names.get(store_id, store_id), payee, account, money_of(minor))
                for store_id, agent, payee, account, _bic, minor in row.asked["payouts"]
            ]
            about += [(_("Total"), money_of(sum(one[5] for one in row.asked["payouts"])))]
        else:
            about += _asked_words(session, row, names)
        is_own = row.proposed_by == g.actor.id
        found.append(
            {"row": row, "title": money.PROPOSED[row.kind], "about": about, "listed": listed, "is_own": is_own}
        )
    return found


def _asked_words(session: Any, row: MoneyProposal, names: dict[str, str]) -> list[tuple[Any, Any]]:
    asked = row.asked
    entry = session.get(LedgerEntry, (row.store_id, asked["entry_id"])) if "entry_id" in asked else None
    minor = entry.amount_minor if entry is not None else asked.get("amount_minor", 0)
    about = [
        (_("Account holder"), asked.get("payee")), (_("IBAN or account number"), asked.get("account")),
        ("BIC", asked.get("bic")), (_("Amount"), money_of(minor) if minor else None),
        (_("Payment of"), names.get(asked.get("payer_id") or "")), (_("Reason"), asked.get("why")),
    ]  # fmt: skip
    return [(label, value) for label, value in about if value]


def _store(session: Any, store_id: str) -> Store:
    try:
        return store_of(session, store_id)
    except NotFound as fault:
        raise NotFound("not-found-here", "Store not found in this network.") from fault


def _scale(name: str) -> int:
    """Return how many of a term's units one typed unit is: weeks, per cent, whole money, days."""
    if name == "weeks_bp":
        return 10_000
    if name.endswith("_minor"):
        return int(10 ** exponent(place().currency))
    return next((scale for ending, scale in SCALES.items() if name.endswith(ending)), 1)


def _terms_typed(terms: Terms) -> dict[str, str]:
    """Return every term as it is typed."""
    typed = {name: Decimal(getattr(terms, name)) / _scale(name) for name in BOUNDS}
    return {
        name: f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
        for name, value in typed.items()
    }


def _typed(name: str) -> int:
    scale, (least, most) = _scale(name), BOUNDS[name]
    try:
        value = Decimal(request.form.get(name, "").strip().replace(",", ".")) * scale
        whole = int(value)
    except (InvalidOperation, ValueError, OverflowError):
        whole = least - 1
        value = Decimal(whole)
    if whole != value or not least <= whole <= most:
        raise Invalid(
            "bad-term", "%(what)s: enter a number from %(least)s to %(most)s.", what=money.TERMS[name][0],
            least=f'{Decimal(least) / scale:f}', most=f'{Decimal(most) / scale:f}', field=name,
        )  # fmt: skip
    return whole
