"""Ask a terminal or wallet for money, ask what became of it, stop it, give it back, use it for another basket.

Every answer is the payment as it stands. The provider is asked outside of any transaction; GET asks again too, for
the page waits by asking.
"""

from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from pydantic import Field

from config.errors import Invalid, NotFound, Refused
from config.ids import is_id
from pos.payments import bank_codes, merchant_qr, requests, unclaimed, wallet_codes
from pos.payments.payments import Payment
from pos.payments.providers import WAYS, Provider
from pos.payments.requests import OPEN, Wanted
from pos.reports import slips
from pos.sale import returns
from pos.sale.returns import GiveBack
from pos.store.store import Till
from store_app.api.bodies import LARGEST, MAX_LINES, Body, GiftBody, ReturnLine, asks, takes
from store_app.payments.providers import asker, providers
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.security import requires
from store_app.words.money import payment_reason

bp = Blueprint("api_payments", __name__, url_prefix="/api/payments")


class PaymentBody(Body):
    """What the page asks for. id is made by the page. code: what the customer's phone shows.

    provider: whose code the store shows, where there are several.
    """

    id: str = Field(min_length=8, max_length=40)
    sale_id: str = Field(min_length=8, max_length=40)
    till_id: str = Field(min_length=1, max_length=20)
    tender: str = Field(min_length=1, max_length=20)
    way: str = Field(min_length=1, max_length=20)
    amount_minor: int = Field(ge=-LARGEST, le=LARGEST)
    code: str = Field(default="", max_length=64)
    provider: str = Field(default="", max_length=40)


class GiveBackBody(Body):
    """Money that goes back with a return. id: the new payment's; return_id: the return's, both made by the page.

    sale_id, lines: what the return is going to state.
    """

    id: str = Field(min_length=8, max_length=40)
    return_id: str = Field(min_length=8, max_length=40)
    sale_id: str = Field(min_length=8, max_length=40)
    lines: list[ReturnLine] = Field(min_length=1, max_length=MAX_LINES)
    till_id: str = Field(min_length=1, max_length=20)
    amount_minor: int = Field(ge=-LARGEST, le=LARGEST)
    approvals: list[str] = Field(default_factory=list, max_length=20)


class WhyBody(Body):
    """Why a payment is stopped or goes back; may be empty."""

    why: str = Field(default="", max_length=120)


class ToldBody(Body):
    """Whether a bank transfer was seen in the banking app."""

    paid: bool


class BasketBody(Body):
    """The basket a payment is to be used for."""

    sale_id: str = Field(min_length=8, max_length=40)


@bp.post("")
@requires("sell")
@takes(PaymentBody)
def ask(body: PaymentBody) -> Response:
    """Ask for money; the same id again answers the same payment."""
    provider = _provider_for(body)
    wanted = Wanted(
        id=body.id,
        store_id=doors().settings.node_id,
        sale_id=body.sale_id,
        till_id=body.till_id,
        tender=body.tender,
        way=body.way,
        amount_minor=body.amount_minor,
        provider=provider.name if provider else "",
        code=body.code,
    )
    payment = asker(doors()).pay(wanted, actor=g.actor)
    answer = jsonify(payment_json(payment))
    answer.status_code = 201 if payment.tries == 1 else 200
    return answer


@bp.get("")
@requires("sell")
@asks(sale_id="the basket it was asked for", unused="1: what pays for nothing")
def found() -> Response:
    """List what was asked for a basket (sale_id=), or what was taken and pays for nothing (unused=1)."""
    store_id, sale_id = doors().settings.node_id, request.args.get("sale_id", "")
    with read() as session:
        if sale_id:
            rows = requests.of_sale(session, store_id, sale_id)
        elif request.args.get("unused"):
            rows = list(session.scalars(requests.unused(store_id).order_by(Payment.requested_at)))
        else:
            raise Invalid("bad-request", "Specify the basket with sale_id=, or use unused=1.")
    return jsonify(payments=[payment_json(row) for row in rows])


@bp.get("/<payment_id>")
@requires("sell")
def inquire(payment_id: str) -> Response:
    """Answer what became of a payment; what is not final is asked about again."""
    return jsonify(payment_json(asker(doors()).ask_again(_known(payment_id), actor=g.actor)))


@bp.post("/<payment_id>/cancel")
@requires("sell")
@takes(WhyBody)
def cancel(body: WhyBody, payment_id: str) -> Response:
    """Stop a payment. Unknown, it goes on being asked about, and what was taken goes back by itself."""
    why = body.why or "cancelled at the till"
    return jsonify(payment_json(asker(doors()).cancel(_known(payment_id), why=why, actor=g.actor)))


@bp.post("/<payment_id>/told")
@requires("sell")
@takes(ToldBody)
def told(body: ToldBody, payment_id: str) -> Response:
    """Say whether a bank transfer was seen in the banking app; it counts with the cashier's name."""
    with write() as session:
        payment = bank_codes.tell(acting(session), doors().settings.node_id, _known(payment_id), paid=body.paid)
    return jsonify(payment_json(payment))


@bp.post("/<payment_id>/print")
@requires("sell")
@takes(GiftBody)
def print_code(body: GiftBody, payment_id: str) -> Response:
    """Print the code of a bank transfer at the till that asks; the same id again is one paper."""
    store_id = doors().settings.node_id
    if not is_id(body.id):
        raise Invalid("bad-command-id", "A command ID has 8 to 40 letters, digits or hyphens.")
    with write() as session:
        till = session.get(Till, (store_id, body.till_id))
        if till is None:
            raise NotFound("unknown-till", "Till %(till_id)s not found at this store.", till_id=body.till_id)
        job = slips.transfer_code(acting(session), till, _known(payment_id), command=body.id)
    return jsonify(job_id=job.id, copy_no=job.copy_no)


@bp.post("/<payment_id>/reverse")
@requires("sell")
@takes(WhyBody)
def reverse(body: WhyBody, payment_id: str) -> Response:
    """Give back what was taken and pays for no sale."""
    why = body.why or "given back at the till"
    return jsonify(payment_json(asker(doors()).cancel(_known(payment_id), why=why, actor=g.actor)))


@bp.post("/<payment_id>/claim")
@requires("sell")
@takes(BasketBody)
def claim(body: BasketBody, payment_id: str) -> Response:
    """Use money whose basket was lost for another basket that is still open."""
    with write() as session:
        payment = unclaimed.move_to(acting(session), doors().settings.node_id, payment_id, body.sale_id)
        wake_worker_after(session)
    return jsonify(payment_json(payment))


@bp.post("/<payment_id>/give-back")
@requires("sell")
@takes(GiveBackBody)
def give_back(body: GiveBackBody, payment_id: str) -> Response:
    """Give all or part of a sale's payment back, for a return that names the new payment; by those who may."""
    asked = GiveBack(
        id=body.return_id,
        store_id=doors().settings.node_id,
        sale_id=body.sale_id,
        payment_id=_known(payment_id),
        back_id=body.id,
        amount_minor=body.amount_minor,
        lines=[(line.n, line.qty) for line in body.lines],
        approvals=body.approvals,
    )
    back = asker(doors()).give_back(
        payment_id,
        body.amount_minor,
        id=body.id,
        return_id=body.return_id,
        till_id=body.till_id,
        actor=g.actor,
        allow=lambda session: returns.allow_refund(acting(session), asked),
    )
    return jsonify(payment_json(back))


def payment_json(payment: Payment) -> dict[str, Any]:
    """Return a payment as the till's page reads it. qr: a drawing (SVG) while the customer is to scan it.

    unwanted: it pays for nothing any more, whatever becomes of it; the page may let go of it.
    """
    shown = payment.shown_code if payment.state in OPEN and payment.unwanted_since is None else None
    return {
        "id": payment.id,
        "sale_id": payment.sale_id,
        "till_id": payment.till_id,
        "tender": payment.tender,
        "way": payment.way,
        "amount_minor": payment.amount_minor,
        "state": payment.state,
        "reference": payment.reference,
        "reason": payment_reason(payment),
        "unwanted": payment.unwanted_since is not None,
        "used": payment.claimed_by is not None or payment.same_as is not None,
        "gives_back": payment.gives_back,
        "contradicted": payment.contradicted,
        "requested_at": payment.requested_at,
        "qr": merchant_qr.draw(shown) if shown else None,
        "qr_text": shown,
    }


def _provider_for(body: PaymentBody) -> Provider | None:
    """Return who is asked: whose code was scanned, or who was chosen to show one."""
    scanned = wallet_codes.recognise(body.code) if body.way == "customer_code" else None
    known = providers(doors().settings)
    able = known.all_for(body.way, scanned.wallet if scanned else "")
    able = [one for one in able if body.provider in ("", one.name)]
    if not able and scanned and known.for_way(body.way):
        raise Refused("wallet-not-set-up", "The customer's wallet is not set up here. Choose another payment method.")
    if not able and body.way in WAYS:
        raise Refused(
            "no-provider", "No terminal is set up here. Charge the card on another reader and enter the slip number."
        )
    return able[0] if able else None


def _known(payment_id: str) -> str:
    if len(payment_id) > 40:
        raise NotFound("no-such-payment", "Payment not found at this store.", id=payment_id[:40])
    return payment_id
