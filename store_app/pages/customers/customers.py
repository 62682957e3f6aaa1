"""Customers: found by name or last digits, who owes most since when, one person's tab and points, and forgetting."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from config.money import exponent
from config.nodes import journal
from config.words import names
from pos.customers import consent, customers, loyalty, points_terms, tab
from pos.customers.consent import PURPOSES
from pos.customers.customers import Customer, Found, Particulars
from pos.customers.tab import Debt, Paid, TabEntry
from pos.documents.accounts import MOVED
from pos.payments import slip_numbers, vouchers
from pos.payments.payments import Tendered
from pos.payments.tenders import offered
from pos.reports import statement
from pos.store import partner_keys
from pos.store.store import Store, store_of
from pos.till import shift
from store_app.pages.common import form, lists
from store_app.pages.common.own_till import own_till
from store_app.pages.customers.loyalty import figures
from store_app.payments.providers import consent_to_points, providers, send_code
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import day, page, place, today
from store_app.web.presenting import money as money_text
from store_app.web.security import can, requires
from store_app.words.words import tender_choices

bp = Blueprint("customers", __name__, url_prefix="/customers")
DEBTORS, LINES = 20, 30
POINT_WORDS = {
    "earned": lazy("Earned"),
    "spent": lazy("Redeemed"),
    "taken_back": lazy("Reversed by a return"),
    "given_back": lazy("Restored by a return"),
    "carried": lazy("Converted to shared points"),
    "brought": lazy("From the store’s own points"),
    "lapsed": lazy("Expired"),
}
PURPOSE_WORDS = {
    "name": lazy("Name"),
    "phone": lazy("Phone number"),
    "tab": lazy("Tab: buy now, pay later"),
    "points": lazy("Points for purchases"),
    "messages": lazy("Messages, such as reminders"),
    "online": lazy("Online member prices (the network gets a code made from the phone number)"),
    "network": lazy("Points at all network stores (the network gets a code made from the phone number)"),
    "partners": lazy("Partners’ programs (they get name, phone number and language)"),
}


@dataclass(frozen=True)
class OwesRow:
    """Somebody who owes. name: '' for a person without one; worst: the oldest of the four ages that is not empty."""

    id: str
    name: str
    debt: Debt
    limit_minor: int
    worst: int


def _tab(column: Any) -> Any:
    """Return what a customer's tab says, for a query to sort by."""
    mine = tab.TabAccount.store_id == Customer.store_id, tab.TabAccount.customer_id == Customer.id
    return sa.select(column).where(*mine).correlate(Customer).scalar_subquery()


def _points(row: Found) -> int | None:
    return row.points if row.member else None


PEOPLE = lists.Table(
    "customers",
    (
        lists.Column("name", lazy("Customer"), by=Customer.name, look="lead"),
        lists.Column("phone_end", lazy("Phone"), look="figures"),
        lists.Column("points", lazy("Points"), "number", value=_points, look="said"),
        lists.Column(
            "tab_balance_minor", lazy("Owes"), "money", by=_tab(tab.TabAccount.balance_minor),
            value=lambda row: row.tab_balance_minor or None, look="sum",
        ),
        lists.Column(
            "tab_left_minor", lazy("Limit left"), "money",
            by=_tab(tab.TabAccount.limit_minor - tab.TabAccount.balance_minor),
            value=lambda row: row.tab_left_minor if row.tab_limit_minor else None, look="said",
        ),
    ),
    (lists.Filter("q", lazy("Name, pinyin, or the last digits of the number"), "text", customers.named_so),),
    (Customer.name, Customer.id),
    below=True,
)  # fmt: skip


@dataclass(frozen=True)
class LineRow:
    """A line of the tab in words, with what it paid or what is still unpaid of it."""

    day: dt.date
    at: dt.datetime
    words: str
    receipt_no: int | None
    sale_id: str | None
    amount_minor: int
    balance_minor: int
    who: str
    why: str
    paid: list[Paid]


@bp.get("/")
@requires("tab")
def people(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show who owes most and since when, and the customers a search finds."""
    store_id = str(place().store_id)
    with read() as session:
        shown = lists.show(
            PEOPLE, customers.listed(store_id), lambda ids: list(customers.named(session, store_id, ids).values()),
            at=url_for(".people"),
        )  # fmt: skip
        debts = tab.debts(session, store_id, today())
        owing = _owing(session, store_id, debts[:DEBTORS])
        vouchers_minor = vouchers.outstanding_minor(session, store_id, today())
    if shown.file:
        with write() as session:
            journal.record(acting(session), verb="customers.taken", subject=f"store:{store_id}", rows=shown.total)
    return shown.file or page(
        "customers/people.html",
        shown=shown,
        owing=owing,
        owed_minor=sum(debt.owed_minor for debt in debts),
        late_minor=sum(sum(debt.ages_minor[2:]) for debt in debts),
        many_owe=len(debts),
        vouchers_minor=vouchers_minor,
        least_digits=customers.LEAST_DIGITS,
        fault=fault,
    )


@bp.get("/<customer_id>")
@requires("tab")
def person(customer_id: str, fault: DomainError | None = None, asked: str = "") -> ResponseReturnValue:
    """Show one customer: what is owed and since when, the last lines, points, and what may be kept."""
    store_id = str(place().store_id)
    with read() as session:
        store = store_of(session, store_id)
        customer = _customer(session, store_id, customer_id)
        account = tab.account(session, store_id, customer_id)
        debt = next(iter(tab.debts(session, store_id, today(), customer_id)), None)
        lines = _lines(session, store, customer_id)
        standing = customers.standing(session, store, customer_id, at=doors().now())
        scope = loyalty.collects(session, store_id, customer_id, doors().now()).scope
        agreed = consent.in_force(session, store_id, customer_id)
        till = own_till(session, store_id)
        now_open = shift.current(session, store_id, till.id)
        context: dict[str, Any] = {
            "points": loyalty.entries(session, store_id, customer_id, scope, LINES),
            "terms": points_terms.terms_in(session, scope, today()),
            "reminder": statement.reminder(session, store, customer_id, at=doors().now()),
        }
    return page(
        "customers/person.html",
        customer=customer,
        phone=_phone(customer),
        account=account,
        debt=debt,
        ages=_ages(debt),
        lines=lines,
        standing=standing,
        agreed=[(PURPOSE_WORDS[key], local_day(row.at), row.words) for key, row in agreed.items()],
        may_write="messages" in agreed and "phone" in agreed,
        till=till,
        tenders=tender_choices("tab"),
        till_open=now_open is not None and now_open.state == "open",
        language_name=names().get(customer.language, customer.language),
        all_of_it=figures(account.balance_minor, exponent(place().currency)),
        example=_example(),
        point_words=POINT_WORDS,
        fault=fault,
        asked=asked,
        **context,
    )


@bp.get("/new")
@requires("customers")
def new(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for a new customer's name and what may be kept."""
    return _particulars_page(None, Particulars("", language=place().language), fault)


@bp.post("/")
@requires("customers")
@form.answers_on(new)
def add() -> ResponseReturnValue:
    """Add a customer."""
    command, particulars = form.command_id(), _particulars()
    with write() as session:
        store = store_of(session, str(place().store_id))
        made = customers.add(acting(session), store, command, particulars)
    return form.done(_("%(name)s is now a customer.", name=made.name), "customers.person", customer_id=made.id)


@bp.get("/<customer_id>/change")
@requires("customers")
def change_page(customer_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask what is to change of a customer."""
    store_id = str(place().store_id)
    with read() as session:
        customer = _customer(session, store_id, customer_id)
        kept = customers.particulars(session, store_of(session, store_id), customer_id)
    return _particulars_page(customer, kept, fault)


@bp.post("/<customer_id>/change")
@requires("customers")
@form.answers_on(change_page)
def change(customer_id: str) -> ResponseReturnValue:
    """Change what is kept of a customer."""
    particulars = _particulars()
    with write() as session:
        store = store_of(session, str(place().store_id))
        customers.change(acting(session), store, customer_id, particulars)
    return form.done(_("Saved."), "customers.person", customer_id=customer_id)


def _at(name: str) -> Any:
    """Return the person's page, with the form of this name open at its fault."""

    def again(customer_id: str, fault: DomainError | None = None) -> Any:
        return person(customer_id, fault=fault, asked=name)

    return again


@bp.post("/<customer_id>/repay")
@requires("tab")
@form.answers_on(_at("repay"))
def repay(customer_id: str) -> ResponseReturnValue:
    """Take money for the tab: oldest purchases first; the slip is printed."""
    command, asked = form.command_id(), "all" if request.form.get("all") else "repay"
    amount_minor = form.amount(asked, place().currency)
    tender = form.one_of("tender", offered("tab"), sentence=_("Choose cash or card."))
    reference = form.text("reference", most=40)
    slip_numbers.refuse_unnumbered([Tendered(tender, amount_minor, reference)], providers(doors().settings))
    with write() as session:
        till = own_till(session, str(place().store_id))
        store = store_of(session, till.store_id)
        done = tab.repay(
            acting(session),
            store,
            customer_id,
            amount_minor,
            id=command,
            till_id=till.id,
            tender=tender,
            reference=reference,
        )
        statement.print_repayment(session, store, done, till_id=till.id, at=doors().now())
    parts = [f"{day(row.day)} {money_text(row.amount_minor)}" for row in done.paid]
    paid, left = money_text(amount_minor), money_text(done.entry.balance_minor)
    if done.entry.balance_minor:
        reported = _("%(paid)s paid; %(left)s still owed.", paid=paid, left=left)
    else:
        reported = _("%(paid)s paid. The tab is settled.", paid=paid)
    return form.done(f"{reported} {_(', ').join(parts)}", "customers.person", customer_id=customer_id)


@bp.post("/<customer_id>/points-code")
@requires("tab")
@form.answers_on(_at("points"))
def points_code(customer_id: str) -> ResponseReturnValue:
    """Send the customer's phone the code that connects the network's points."""
    form.command_id()
    with read() as session:
        customer = _customer(session, str(place().store_id), customer_id)
    practised = send_code(doors(), customer.phone, customer.language)
    sent = _("Code sent to the number ending in %(end)s. Valid for ten minutes.", end=customer.phone[-4:])
    practice = _("Practice: the code is %(code)s.", code=practised)
    return form.done(f"{sent} {practice}" if practised else sent, "customers.person", customer_id=customer_id)


@bp.post("/<customer_id>/points-consent")
@requires("tab")
@form.answers_on(_at("points"))
def points_consent(customer_id: str) -> ResponseReturnValue:
    """Connect the network's points by the code the customer tells."""
    form.command_id()
    code = form.text("code", most=12, required=_("Enter the code from the customer’s phone."))
    with read() as session:
        customer = _customer(session, str(place().store_id), customer_id)
    consent_to_points(doors(), customer_id, customer.phone, code)
    return form.done(_("Phone confirmed. Points can be redeemed now."), "customers.person", customer_id=customer_id)


@bp.post("/<customer_id>/carry-over")
@requires("customers")
@form.answers_on(_at("carry_over"))
def carry_over(customer_id: str) -> ResponseReturnValue:
    """Take over what was owed in the old book."""
    command, amount_minor = form.command_id(), form.amount("carry_over", place().currency)
    since = form.day("since", _("Choose a day."))
    with write() as session:
        store = store_of(session, str(place().store_id))
        tab.carry_over(acting(session), store, customer_id, amount_minor, since, id=command)
    flash(_("%(amount)s transferred from the old tab book.", amount=money_text(amount_minor)), "good")
    return redirect(url_for("customers.person", customer_id=customer_id), 303)


@bp.post("/<customer_id>/write-off")
@requires("reports.money")
@form.answers_on(_at("write_off"))
def write_off(customer_id: str) -> ResponseReturnValue:
    """Give up what is owed, with the reason."""
    command, amount_minor = form.command_id(), form.amount("write_off", place().currency)
    why = form.text("why", required=_("Enter a reason for writing this off."))
    with write() as session:
        store = store_of(session, str(place().store_id))
        tab.write_off(acting(session), store, customer_id, amount_minor, id=command, why=why)
    return form.done(_("Written off: %(amount)s.", amount=money_text(amount_minor)), ".person", customer_id=customer_id)


@bp.post("/<customer_id>/erase")
@requires("customers")
@form.answers_on(_at("erase"))
def erase(customer_id: str) -> ResponseReturnValue:
    """Forget a person; the books stay, by number."""
    with write() as session:
        store = store_of(session, str(place().store_id))
        customers.erase(acting(session), store, customer_id)
    return form.done(_("Name and number deleted. The books keep only the amounts."), "customers.people")


def local_day(at: dt.datetime) -> dt.date:
    """Return the day an instant falls on at this place."""
    return at.astimezone(ZoneInfo(place().tz)).date()


# --- inside ---


def _customer(session: Session, store_id: str, customer_id: str) -> Customer:
    try:
        return customers.known(session, store_id, customer_id)
    except NotFound as fault:
        raise NotFound("not-found-here", "This customer is not on record here.") from fault


def _particulars() -> Particulars:
    agreed = frozenset(request.form.getlist("agreed"))
    limit = request.form.get("limit", "").strip()
    return Particulars(
        name=form.text("name", most=customers.NAME_LETTERS, required=_("Enter the customer’s name.")),
        phone=form.text("phone", most=30) if "phone" in agreed else "",
        language=form.one_of("language", tuple(names()), sentence=_("Choose a language.")),
        agreed=agreed,
        limit_minor=form.amount("limit", place().currency) if limit and "tab" in agreed else 0,
    )


def _particulars_page(customer: Customer | None, kept: Particulars, fault: DomainError | None) -> ResponseReturnValue:
    places = exponent(place().currency)
    with read() as session:
        asked = {
            "network": loyalty.part_of(session, str(place().store_id), today()),
            "partners": partner_keys.opens(session, str(place().store_id), "customers:read", at=doors().now()),
        }
    offered = [key for key in PURPOSES if asked.get(key, True) or key in kept.agreed]
    typed = request.form if request.method == "POST" else None
    return page(
        "customers/particulars.html",
        customer=customer,
        name=typed.get("name", "") if typed is not None else kept.name,
        phone=typed.get("phone", "") if typed is not None else kept.phone,
        chosen=typed.get("language", "") if typed is not None else kept.language,
        agreed=set(typed.getlist("agreed")) if typed is not None else kept.agreed,
        limit=typed.get("limit", "") if typed is not None else figures(kept.limit_minor, places),
        languages=names(),
        purposes=[(key, PURPOSE_WORDS[key]) for key in offered],
        currency=place().currency,
        fault=fault,
    )


def _owing(session: Session, store_id: str, debts: list[Debt]) -> list[OwesRow]:
    people = customers.named(session, store_id, [debt.customer_id for debt in debts])
    rows = []
    for debt in debts:
        who: Found | None = people.get(debt.customer_id)
        worst = max((n for n, minor in enumerate(debt.ages_minor) if minor), default=0)
        name, limit_minor = (who.name, who.tab_limit_minor) if who else ("", 0)
        rows.append(OwesRow(debt.customer_id, name, debt, limit_minor, worst))
    return rows


def _lines(session: Session, store: Store, customer_id: str) -> list[LineRow]:
    query = sa.select(TabEntry).where(TabEntry.store_id == store.id, TabEntry.customer_id == customer_id)
    rows = list(session.scalars(query.order_by(TabEntry.n.desc()).limit(LINES)))
    paid = tab.paid_by(session, store.id, [row.id for row in rows if row.amount_minor < 0])
    numbers = statement.receipt_numbers(session, store.id, (row.sale_id for row in rows))
    return [
        LineRow(
            day=row.business_day,
            at=row.at,
            words=_(MOVED[row.kind]),
            receipt_no=numbers.get(row.sale_id or ""),
            sale_id=row.sale_id,
            amount_minor=row.amount_minor,
            balance_minor=row.balance_minor,
            who=row.actor_name,
            why=row.why or row.reference,
            paid=paid.get(row.id, []),
        )
        for row in rows
    ]


def _ages(debt: Debt | None) -> list[tuple[str, int]]:
    words = (_("0 to 30 days"), _("31 to 60 days"), _("61 to 90 days"), _("more than 90 days"))
    return list(zip(words, debt.ages_minor if debt else (0, 0, 0, 0), strict=True))


def _phone(customer: Customer) -> str:
    """Return the number for who may change it, else its end."""
    return customer.phone if can("customers") or not customer.phone else f"… {customer.phone[-4:]}"


def _example() -> str:
    places = exponent(place().currency)
    return "20.50"[: 3 + places] if places else "20"
