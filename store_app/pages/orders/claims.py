"""Claims: what was wrong with a delivery, with a photo, and what came of it."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Context
from pos.messages import OutgoingMessage
from pos.store import pictures
from store_app.pages.common import form, waiting
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import claims as claims_words
from store_app.words.messages import message_sentence
from supply.money.credit import CreditLine
from supply.network.claims import handling
from supply.network.claims import photos as claim_photos
from supply.orders import claims as delivery_claims
from supply.orders import deliveries, supplier_messages
from supply.orders.claims import Bound, Claim, ClaimLine
from supply.orders.deliveries import Delivery
from supply.orders.suppliers import Supplier
from supply.receiving.documents.supplier_documents import SupplierPaper

bp = Blueprint("claims", __name__, url_prefix="/claims")
UPLOAD_BYTES = claim_photos.MOST_PHOTOS * pictures.PHOTO_BYTES + 200_000


@bp.url_value_preprocessor
def let_photos_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a form with photos be larger than others, before anybody reads it."""
    if endpoint == "claims.file":
        request.max_content_length = UPLOAD_BYTES


@dataclass(frozen=True)
class ClaimView:
    """A claim in the list or on its page."""

    claim: Claim
    supplier_name: str
    by_network: bool
    sentence: str
    lines: Sequence[ClaimLine]


@dataclass(frozen=True)
class WrongLine:
    """A product on the form: what may be wrong with it, and what stands there."""

    bound: Bound
    stock_unit: str
    kinds: tuple[str, ...]
    kind: str
    typed: str


@bp.get("/")
@requires("receive")
def listed() -> ResponseReturnValue:
    """List the claims, the newest first, and the deliveries that may still be complained of."""
    with read() as session:
        store_id = str(place().store_id)
        views = [_view(session, claim) for claim in delivery_claims.claims_of(session, store_id)]
        units = waiting.stock_units(session, [line.sku for view in views for line in view.lines])
    open_ones = [one for one in views if one.claim.state in (*delivery_claims.WAITING, "accepted", "part_accepted")]
    return page(
        "orders/claims/list.html",
        open_ones=open_ones,
        over=[one for one in views if one not in open_ones],
        kinds=claims_words.KINDS,
        units=units,
    )


@bp.get("/new/<delivery_id>")
@requires("receive")
def new(delivery_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the form for a claim about a delivery; what is missing by the count stands there already."""
    with read() as session:
        delivery = session.get(Delivery, (str(place().store_id), delivery_id))
        if delivery is None:
            raise NotFound("unknown-delivery", "Delivery not found at this store.")
        if delivery.state != "posted":
            raise Refused("not-posted", "Count and post this delivery first.", state=delivery.state)
        there = [line for line in deliveries.lines_of(session, delivery) if line.advised_qty or line.counted_qty]
        bounds = delivery_claims.bounds(session, delivery, there)
        units = waiting.stock_units(session, [bound.sku for bound in bounds])
        until = handling.last_day(session, delivery, _claim_days(session))
        supplier = session.get(Supplier, delivery.supplier_id)
    lines = [_wrong_line(n, bound, units.get(bound.sku, "each")) for n, bound in enumerate(bounds)]
    by_network = supplier is not None and supplier.kind == NETWORK
    is_uncharged = by_network and {line.kind for line in lines if line.typed not in ("", "0")} == {"short"}
    return page(
        "orders/claims/new.html",
        delivery_id=delivery_id,
        supplier_name=supplier.name if supplier else delivery.supplier_id,
        by_network=by_network,
        lines=lines,
        kinds=claims_words.KINDS,
        wishes=claims_words.WISHES,
        wish=request.form.get("wish", "replacement" if is_uncharged else "money"),
        until=until,
        late=today() > until,
        most_photos=claim_photos.MOST_PHOTOS,
        fault=fault,
    )


@bp.post("/new/<delivery_id>")
@requires("receive")
@form.answers_on(new)
def file(delivery_id: str) -> ResponseReturnValue:
    """File the claim; its photos are made small first."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    wish = form.one_of("wish", tuple(delivery_claims.REMEDIES), sentence=_("Choose what you would like."))
    photos = [next(read_apart(pictures.small, raw, claim_photos.SIDE)) for raw in _uploaded()]
    with write() as session:
        words, goodwill = form.text("words", most=500), bool(request.form.get("goodwill"))
        asked = handling.ClaimRequest(delivery_id, _typed(), wish, words, len(photos), goodwill)
        days = _claim_days(session)
        claim = handling.file(Context(session, g.actor, at), store_id, asked, id=command, claim_days=days)
        fresh = claim_photos.keep(session, store_id, claim.id, photos)
        if fresh and _by_network(session, claim):
            claim_photos.send(session, store_id, claim.id, at=at)
    return form.done(_("The claim has been sent. You will see the response here."), "claims.claim", claim_id=command)


@bp.get("/<claim_id>")
@requires("receive")
def claim(claim_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a claim: what was said, what was answered, what is to be done."""
    with read() as session:
        found = session.get(Claim, (str(place().store_id), claim_id))
        if found is None:
            raise NotFound("unknown-claim", "Claim not found at this store.")
        view = _view(session, found)
        photos = [photo.id for photo in claim_photos.photos_of(session, found.store_id, found.id)]
        units = waiting.stock_units(session, [line.sku for line in view.lines])
        delivery = session.get(Delivery, (found.store_id, found.delivery_id))
        message = session.get(OutgoingMessage, (found.store_id, found.id))
        memos = [
            (session.get_one(SupplierPaper, (one.store_id, one.paper_id)), one.amount_minor)
            for one in delivery_claims.credits_of(session, found)
        ]
        given, whole = (sum(n) for n in zip(*((one.granted_qty or 0, one.qty) for one in view.lines), strict=True))
    may_contest = (
        found.contested_at is None and given < whole and delivery_claims.STATES.legal(found.state, "contested")
    )
    return page(
        "orders/claims/claim.html",
        view=view,
        claim=found,
        photos=photos,
        units=units,
        kinds=claims_words.KINDS,
        wishes=claims_words.WISHES,
        delivery=delivery,
        message=message,
        memos=memos,
        message_words=message_sentence(message) if message else "",
        may_contest=may_contest,
        fault=fault,
    )


@bp.post("/<claim_id>/contest")
@requires("receive")
@form.answers_on(claim)
def contest(claim_id: str) -> ResponseReturnValue:
    """Contest the answer, once."""
    words = form.text("words", most=500, required=_("Explain why you contest the response."))
    with write() as session:
        handling.contest(acting(session), str(place().store_id), claim_id, words=words)
    return form.done(_("Contested. The network will review it."), "claims.claim", claim_id=claim_id)


@bp.post("/<claim_id>/answered")
@requires("receive")
@form.answers_on(claim)
def answered(claim_id: str) -> ResponseReturnValue:
    """Write down what a supplier of the store's own answered."""
    remedy = form.one_of("remedy", tuple(delivery_claims.REMEDIES), sentence=_("Choose how to settle it."))
    store_id = str(place().store_id)
    with write() as session:
        found = delivery_claims.claim_of(session, store_id, claim_id)
        granted = typed_grants(delivery_claims.lines_of(session, found))
        handling.answered_by_supplier(
            acting(session),
            store_id,
            claim_id,
            granted,
            remedy=remedy,
            words=form.text("words", most=500),
        )
    return form.done(_("Saved."), "claims.claim", claim_id=claim_id)


@bp.post("/<claim_id>/again")
@requires("receive")
@form.answers_on(claim)
def again(claim_id: str) -> ResponseReturnValue:
    """Send the message of a claim again, to the address typed."""
    with write() as session:
        supplier_messages.again(
            acting(session),
            str(place().store_id),
            claim_id,
            how="email",
            address=request.form.get("email", ""),
        )
    return form.done(_("Resent."), "claims.claim", claim_id=claim_id)


@bp.get("/photos/<photo_id>.jpg")
@requires("receive")
def photo(photo_id: str) -> Response:
    """Give a photo of this store's."""
    with read() as session:
        data = claim_photos.photo_of(session, str(place().store_id), photo_id)
    return picture(data)


def picture(data: bytes) -> Response:
    """Answer with a photo, which nobody else keeps."""
    answer = make_response(data)
    answer.mimetype = "image/jpeg"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def typed_grants(lines: Sequence[ClaimLine]) -> dict[tuple[str, str], int]:
    """Return what a form grants of a claim's lines, in their order."""
    return {(line.sku, line.kind): form.whole(f"grant-{n}", most=line.qty) for n, line in enumerate(lines)}


# --- inside ---


def _uploaded() -> list[bytes]:
    sent = []
    for one in request.files.getlist("photo"):
        with contextlib.closing(one):
            if one.filename:
                sent.append(one.read(pictures.PHOTO_BYTES + 1))
    if len(sent) > claim_photos.MOST_PHOTOS:
        raise Invalid("too-many-photos", "You can add up to three photos. Choose the clearest.", field="photo")
    return sent


def _typed() -> list[handling.Wrong]:
    """Return (sku, kind, units) of every line with a number."""
    typed: list[handling.Wrong] = []
    for n in range(2000):
        sku = request.form.get(f"sku-{n}")
        if sku is None:
            break
        qty = form.whole(f"qty-{n}") if request.form.get(f"qty-{n}", "").strip() else 0
        if qty:
            typed.append((sku, request.form.get(f"kind-{n}", ""), qty))
    return typed


def _wrong_line(n: int, bound: Bound, stock_unit: str) -> WrongLine:
    kinds = tuple(kind for kind in claims_words.KINDS if bound.most.get(kind))
    missing = bound.most["short"]
    kind = request.form.get(f"kind-{n}", kinds[0] if kinds else "")
    typed = request.form.get(f"qty-{n}", str(missing or 0))
    return WrongLine(bound, stock_unit, kinds, kind, typed)


def _view(session: Session, claim: Claim) -> ClaimView:
    supplier = session.get(Supplier, claim.supplier_id)
    by_network = supplier is not None and supplier.kind == NETWORK
    return ClaimView(
        claim, supplier.name if supplier else claim.supplier_id, by_network,
        claims_words.status_of(claim, by_network=by_network), delivery_claims.lines_of(session, claim),
    )  # fmt: skip


def _by_network(session: Session, claim: Claim) -> bool:
    supplier = session.get(Supplier, claim.supplier_id)
    return supplier is not None and supplier.kind == NETWORK


def _claim_days(session: Session) -> int | None:
    """Return the terms' days as the network told them with the credit line; None: as they are by default."""
    line = session.get(CreditLine, str(place().store_id))
    known = line.terms.get("claim_days") if line is not None else None
    return int(known) if known is not None else None
