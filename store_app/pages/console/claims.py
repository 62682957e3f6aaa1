"""The operator's claims: what stores complain of, with photos, the answer, and the goods that come back."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from pos.store.store import Store, usual_currency
from store_app.pages.common import form, lists, waiting
from store_app.pages.orders.claims import picture, typed_grants
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import about_store, page, state_word, today
from store_app.web.security import requires
from store_app.words import claims as claims_words
from supply.network.claims import handling, photos
from supply.network.warehouse import returns
from supply.orders import claims as delivery_claims
from supply.orders import supplier_returns
from supply.orders.claims import Claim, ClaimLine
from supply.orders.deliveries import Delivery
from supply.orders.supplier_returns import SupplierReturn, SupplierReturnLine

bp = Blueprint("console_claims", __name__, url_prefix="/console/claims")


@dataclass(frozen=True)
class ClaimRow:
    """A claim in the operator's list. photo: the id of its first photo, '' where none is here."""

    claim: Claim
    store: str
    lines: list[ClaimLine]
    photo: str
    waits_days: int


@dataclass(frozen=True)
class ReturnRow:
    """Goods on their way back."""

    found: SupplierReturn
    store: str
    lines: list[SupplierReturnLine]


@bp.get("/")
@requires("network.claims")
def listed(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what waits for an answer, what comes back, and what was answered."""
    with read() as session:
        names = {store.id: store.name for store in session.query(Store)}
        waiting_ones = [
            _row(session, one, names) for one in delivery_claims.claims_in(session, delivery_claims.WAITING)
        ]
        answered = lists.show(
            _answered(names), delivery_claims.answered(), lambda some: [_row(session, one, names) for one in some],
            currency=usual_currency(session), at=url_for(".listed"),
        )  # fmt: skip
        coming = [
            ReturnRow(one, names.get(one.store_id, one.store_id), supplier_returns.lines_of(session, one))
            for one in supplier_returns.returns(session, "sent")
        ]
        rows: list[ClaimRow | ReturnRow] = [*waiting_ones, *answered.rows, *coming]
        skus = [line.sku for row in rows for line in row.lines]
        units, currency = waiting.stock_units(session, skus), usual_currency(session)
    return answered.file or page(
        "console/claims.html",
        currency=currency,
        waiting=waiting_ones,
        answered=answered,
        coming=coming,
        kinds=claims_words.KINDS,
        units=units,
        fault=fault,
    )


@bp.get("/<store_id>/<claim_id>")
@requires("network.claims")
def claim(store_id: str, claim_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one claim, with what is needed to answer it."""
    with read() as session:
        found, store = session.get(Claim, (store_id, claim_id)), session.get(Store, store_id)
        if found is None or store is None:
            raise NotFound("not-found-here", "Claim not found in this network.")
        about_store(store)
        lines = delivery_claims.lines_of(session, found)
        shown: dict[str, Any] = {
            "claim": found,
            "store": store,
            "lines": lines,
            "units": waiting.stock_units(session, [line.sku for line in lines]),
            "photos": photos.photos_of(session, store_id, claim_id),
            "delivery": session.get(Delivery, (store_id, found.delivery_id)),
            "before": [one for one in delivery_claims.claims_of(session, store_id, 6) if one.id != claim_id][:5],
        }
    return page("console/claim.html", **shown, kinds=claims_words.KINDS, wishes=claims_words.WISHES, fault=fault)


@bp.post("/<store_id>/<claim_id>/look")
@requires("network.claims.change")
@form.answers_on(claim)
def look(store_id: str, claim_id: str) -> ResponseReturnValue:
    """Tell the store that somebody looks into it."""
    with write() as session:
        handling.look_into(acting(session), store_id, claim_id)
    flash(_("The store can see that someone is working on it."), "info")
    return redirect(url_for(".claim", store_id=store_id, claim_id=claim_id), 303)


@bp.post("/<store_id>/<claim_id>")
@requires("network.claims.change")
@form.answers_on(claim)
def decide(store_id: str, claim_id: str) -> ResponseReturnValue:
    """Answer a claim line by line."""
    remedy = form.one_of("remedy", tuple(delivery_claims.REMEDIES), sentence=_("Choose how to settle it."))
    words = form.text("words", most=500)
    with write() as session:
        found = delivery_claims.claim_of(session, store_id, claim_id)
        granted = typed_grants(delivery_claims.lines_of(session, found))
        handling.decide(acting(session), store_id, claim_id, granted, remedy=remedy, words=words)
    return form.done(_("Response sent. The store will see it at its next sync."), ".listed")


@bp.post("/returns/<store_id>/<return_id>")
@requires("network.supply.change")
@form.answers_on(listed)
def receive(store_id: str, return_id: str) -> ResponseReturnValue:
    """Count goods that came back."""
    words = form.text("words")
    with write() as session:
        lines = supplier_returns.lines_of(session, supplier_returns.return_of(session, store_id, return_id))
        counts = {line.sku: (form.whole(f"came-{n}"), form.whole(f"fit-{n}")) for n, line in enumerate(lines)}
        returns.receive(acting(session), store_id, return_id, counts, words=words)
    return form.done(_("Counted. Sellable units are back in the warehouse."), ".listed")


@bp.get("/<store_id>/photos/<photo_id>.jpg")
@requires("network.claims")
def photo(store_id: str, photo_id: str) -> Response:
    """Give a photo of a claim."""
    with read() as session:
        data = photos.photo_of(session, store_id, photo_id)
    return picture(data)


# --- inside ---


def _answered(names: dict[str, str]) -> lists.Table:
    """Return the list of answered claims, the latest answer first."""
    states = [one for one in sorted(delivery_claims.STATES.states) if one not in delivery_claims.WAITING]
    stores = sorted(names.items(), key=lambda one: one[1])
    return lists.Table(
        "claims",
        (
            lists.Column(
                "store",
                _("Store"),
                by=Claim.store_id,
                value=lambda row: f"{row.store} · {row.claim.claim_no}",
                look="lead",
            ),
            lists.Column("problem", _("Problem"), value=_problem),
            lists.Column(
                "filed_at",
                _("Filed"),
                "time",
                by=Claim.filed_at,
                value=lambda row: row.claim.filed_at,
                shown=False,
                look="said",
            ),
            lists.Column(
                "answered_at",
                _("Answered"),
                "time",
                by=Claim.answered_at,
                value=lambda row: row.claim.answered_at,
                look="said",
            ),
            lists.Column("state", _("State"), by=Claim.state, value=lambda row: state_word(row.claim.state)),
            lists.Column(
                "claimed_minor",
                _("Claimed"),
                "money",
                by=Claim.claimed_minor,
                value=lambda row: row.claim.claimed_minor,
                shown=False,
                look="said",
            ),
            lists.Column(
                "granted_minor",
                _("Approved"),
                "money",
                by=Claim.granted_minor,
                value=lambda row: row.claim.granted_minor,
                look="sum",
            ),
        ),
        (
            lists.Filter(
                "of", _("Store"), "choice", lambda one: Claim.store_id == one, [("", _("All stores")), *stores]
            ),
            lists.Filter(
                "state",
                _("State"),
                "choice",
                lambda one: Claim.state == one,
                [("", _("Every state")), *((one, state_word(one)) for one in states)],
            ),
        ),
        (Claim.answered_at.desc(), Claim.store_id, Claim.id),
        below=True,
    )


def _problem(row: ClaimRow) -> str:
    return ", ".join(f"{line.name}: {claims_words.KINDS[line.kind]}" for line in row.lines)


def _row(session: Session, claim: Claim, names: dict[str, str]) -> ClaimRow:
    return ClaimRow(
        claim, names.get(claim.store_id, claim.store_id), delivery_claims.lines_of(session, claim),
        photos.first_photo(session, claim.store_id, claim.id), max(0, (today() - claim.filed_at.date()).days),
    )  # fmt: skip
