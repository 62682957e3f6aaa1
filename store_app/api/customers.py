"""Customers and vouchers at the till: found by name or last digits, asked how they stand, paying off the tab."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from pydantic import Field
from sqlalchemy.orm import Session

from config import words
from config.errors import Refused
from pos.customers import consent, customers, tab
from pos.customers.consent import PURPOSES
from pos.customers.customers import Found, Particulars
from pos.payments import slip_numbers, vouchers
from pos.payments.payments import Tendered
from pos.reports import statement
from pos.store.store import store_of
from store_app.api.bodies import LARGEST, Body, asks, takes
from store_app.payments.providers import consent_to_points, providers, send_code
from store_app.runtime.doors import acting, clock, doors, read, write
from store_app.web.presenting import today
from store_app.web.security import requires

bp = Blueprint("api_customers", __name__, url_prefix="/api")
WORDS = 80


class CustomerBody(Body):
    """A new customer. id is made by the page; agreed: of phone, tab, points, messages, online."""

    id: str = Field(min_length=8, max_length=40)
    name: str = Field(min_length=1, max_length=customers.NAME_LETTERS)
    phone: str = Field(default="", max_length=30)
    language: str = Field(default="en", max_length=5)
    agreed: list[str] = Field(default=[], max_length=len(PURPOSES))
    limit_minor: int = Field(default=0, ge=0, le=LARGEST)


class OnlineBody(Body):
    """Whether the customer wants the prices for members online. phone: '' for the one that is kept."""

    given: bool
    phone: str = Field(default="", max_length=30)


class AskForCode(Body):
    """Nothing: the code goes to the number and in the language that are kept of the customer."""


class CodeBody(Body):
    """The code the customer was sent and tells."""

    code: str = Field(min_length=1, max_length=20)


class RepaymentBody(Body):
    """Money for the tab. id is made by the page and is sent again after a lost answer."""

    id: str = Field(min_length=8, max_length=40)
    till_id: str = Field(min_length=1, max_length=20)
    amount_minor: int = Field(ge=-LARGEST, le=LARGEST)
    tender: str = Field(default="cash", max_length=20)
    reference: str = Field(default="", max_length=40)


@bp.get("/customers")
@requires("tab")
@asks(q="a word of the name, or last digits of the number")
def search() -> Response:
    """Find customers by a word of the name, its pinyin, or at least four last digits of the number."""
    text = request.args.get("q", "")[:WORDS]
    with read() as look:
        found = customers.search(look, doors().settings.node_id, text)
    return jsonify(customers=[_found_json(row) for row in found])


@bp.get("/customers/<customer_id>")
@requires("tab")
def standing(customer_id: str) -> Response:
    """Answer how a customer stands: points and what they are worth, tab and what is left of it."""
    with read() as look:
        return jsonify(_standing(look, customer_id))


@bp.post("/customers")
@requires("customers")
@takes(CustomerBody)
def add(body: CustomerBody) -> Response:
    """Add a customer; the same id again is the same customer."""
    particulars = Particulars(body.name, body.phone, body.language, frozenset(body.agreed), body.limit_minor)
    with write() as session:
        store = store_of(session, doors().settings.node_id)
        made = customers.add(acting(session), store, body.id, particulars)
        answer = jsonify(_standing(session, made.id))
    answer.status_code = 201
    return answer


@bp.post("/customers/<customer_id>/online")
@requires("customers")
@takes(OnlineBody)
def agree_online(body: OnlineBody, customer_id: str) -> Response:
    """Note that a customer agreed to the prices for members online, in the words `online.asked`, or takes it back."""
    with write() as session:
        store = store_of(session, doors().settings.node_id)
        customers.agree_online(acting(session), store, customer_id, given=body.given, phone=body.phone)
        return jsonify(_standing(session, customer_id))


@bp.post("/customers/<customer_id>/points/code")
@requires("tab")
@takes(AskForCode)
def points_code(body: AskForCode, customer_id: str) -> Response:
    """Send the customer's phone the code that connects the network's points; answers the number's last digits."""
    del body
    with read() as look:
        customer = customers.known(look, doors().settings.node_id, customer_id)
    practised = send_code(doors(), customer.phone, customer.language)
    return jsonify(phone_end=customer.phone[-4:], practised=practised)


@bp.post("/customers/<customer_id>/points/consent")
@requires("tab")
@takes(CodeBody)
def points_consent(body: CodeBody, customer_id: str) -> Response:
    """Connect the network's points by the code the customer tells; answers how the customer stands now."""
    with read() as look:
        customer = customers.known(look, doors().settings.node_id, customer_id)
    consent_to_points(doors(), customer_id, customer.phone, body.code)
    with read() as look:
        return jsonify(_standing(look, customer_id))


@bp.post("/customers/<customer_id>/repayments")
@requires("tab")
@takes(RepaymentBody)
def repay(body: RepaymentBody, customer_id: str) -> Response:
    """Take money for the tab; answers which purchases it paid, oldest first, and what is still owed."""
    slip_numbers.refuse_unnumbered(
        [Tendered(body.tender, body.amount_minor, body.reference)], providers(doors().settings)
    )
    with write() as session:
        store = store_of(session, doors().settings.node_id)
        done = tab.repay(
            acting(session),
            store,
            customer_id,
            body.amount_minor,
            id=body.id,
            till_id=body.till_id,
            tender=body.tender,
            reference=body.reference,
        )
        statement.print_repayment(session, store, done, till_id=body.till_id, at=clock.now())
        document = statement.repayment_document(session, store, done)
    names = ("amount_minor", "before_minor", "balance_minor", "tender", "paid")
    answer = jsonify({"id": body.id, "repeated": done.repeated} | {name: document[name] for name in names})
    answer.status_code = 200 if done.repeated else 201
    return answer


@bp.get("/vouchers/<code>")
@requires("sell")
def voucher(code: str) -> Response:
    """Answer what a voucher is worth; refused once it has expired."""
    with read() as look:
        found = vouchers.find(look, doors().settings.node_id, code)
    if vouchers.is_expired(found, today()):
        raise Refused(
            "voucher-expired", "This voucher has expired. Choose another payment method.", expires_on=found.expires_on
        )
    return jsonify(
        code=vouchers.tidy_code(code),
        spoken=vouchers.spoken(vouchers.tidy_code(code) or ""),
        kind=found.kind,
        amount_minor=found.amount_minor,
        balance_minor=found.balance_minor,
        expires_on=found.expires_on,
    )


def _standing(session: Session, customer_id: str) -> dict[str, Any]:
    """Return how a customer stands. online: since when the prices for members hold online too, or what to ask."""
    store = store_of(session, doors().settings.node_id)
    customer = customers.known(session, store.id, customer_id)
    found = customers.standing(session, store, customer_id, at=clock.now())
    since = consent.in_force(session, store.id, customer_id).get("online")
    return {
        "customer": {"id": customer_id, "name": found.name, "member": found.member},
        "standing": vars(found),
        "online": {
            "since": since.at.astimezone(ZoneInfo(store.tz)).date().isoformat() if since else None,
            "asked": (since.words if since else "") or words.language(customer.language)(consent.ASKED["online"]),
            "language": customer.language,
            "phone_end": customer.phone[-4:],
        },
    }


def _found_json(row: Found) -> dict[str, Any]:
    return vars(row) | {"tab_left_minor": row.tab_left_minor}
