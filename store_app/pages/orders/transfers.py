"""Goods between this store and its neighbours: the shopkeeper's yes or no, handing over, taking in."""

from dataclasses import dataclass
from typing import Any

import segno
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from store_app.words import supply
from supply.network.transfers import transfers
from supply.online.checkout.order_keys import code_hash
from supply.orders import transfers as store_transfers
from supply.orders.transfers import Transfer, TransferLine

bp = Blueprint("transfers", __name__, url_prefix="/transfers")
ENDED = ("received", "declined", "lapsed", "taken_back")


@dataclass(frozen=True)
class View:
    """A transfer as this store sees it."""

    row: Transfer
    lines: list[TransferLine]
    gives: bool
    other: str
    said_yes: bool
    far: str
    gain_minor: int
    is_code_lost: bool
    spoken_code: str
    drawn: str
    tag: tuple[str, str]

    @property
    def waits_for_us(self) -> bool:
        """Tell whether the other store has goods that this one has not let go of."""
        return self.gives and store_transfers.waits_for_giver(self.row)

    @property
    def id(self) -> str:
        """Return the transfer's id."""
        return self.row.id


@bp.get("/")
@requires("receive")
def everything(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what waits for an answer, what is to be handed over or fetched, and what was."""
    with read() as session:
        late = store_transfers.to_let_go(session, _here())
        lost = [_view(session, row) for row in store_transfers.missing(session, _here(), at=doors().now())]
        now = [_view(session, row) for row in [*store_transfers.transfers(session, store_transfers.OPEN), *late]]
        over = [_view(session, row) for row in store_transfers.transfers(session, ENDED, limit=30) if row not in late]
    asked = [one for one in now if one.row.state == "proposed" and not one.said_yes]
    return page(
        "orders/transfers.html", asked=asked, going=[one for one in now if one not in asked], over=over, lost=lost,
        missing_qty=store_transfers.missing_qty, lost_reasons=supply.LOST_REASONS, fault=fault,
        asked_id=(request.view_args or {}).get("transfer_id"), decline_reasons=supply.TRANSFER_REASONS,
    )  # fmt: skip


@bp.post("/<transfer_id>/agree")
@requires("network_offer")
@form.answers_on(everything)
def agree(transfer_id: str) -> ResponseReturnValue:
    """Say yes."""
    with write() as session:
        transfers.agree(acting(session), _here(), transfer_id)
    return form.done(_("Accepted. Once the other store agrees, you’ll see here what to do."), ".everything")


@bp.post("/<transfer_id>/decline")
@requires("network_offer")
@form.answers_on(everything)
def decline(transfer_id: str) -> ResponseReturnValue:
    """Say no, with a reason the neighbour reads."""
    why = form.reason(supply.TRANSFER_REASONS)
    with write() as session:
        transfers.decline(acting(session), _here(), transfer_id, why=why)
    return form.done(_("Declined. Nothing will be transferred."), ".everything", "info")


@bp.post("/<transfer_id>/hand-over")
@requires("receive")
@form.answers_on(everything)
def hand_over(transfer_id: str) -> ResponseReturnValue:
    """Give the goods to who shows the code."""
    code = form.text("code", most=40)
    with write() as session:
        transfers.hand_over(acting(session), _here(), transfer_id, code, _counts())
    flash(_("Handed over. The products have left your stock, and their cost has been credited to you."), "good")
    return redirect(url_for(".everything"), 303)


@bp.post("/<transfer_id>/receive")
@requires("receive")
@form.answers_on(everything)
def receive(transfer_id: str) -> ResponseReturnValue:
    """Take in what arrived."""
    with write() as session:
        transfers.receive(acting(session), _here(), transfer_id, _counts())
    return form.done(_("The products are in your stock."), ".everything")


@bp.post("/<transfer_id>/did-not-come")
@requires("receive")
@form.answers_on(everything)
def did_not_come(transfer_id: str) -> ResponseReturnValue:
    """Say that handed-over goods did not arrive."""
    why = form.reason(supply.LOST_REASONS)
    with write() as session:
        transfers.did_not_come(acting(session), _here(), transfer_id, why=why)
    flash(_("Saved. Nothing was added to your stock. The other store will be asked to check."), "info")
    return redirect(url_for(".everything"), 303)


@bp.post("/<transfer_id>/take-back")
@requires("receive")
@form.answers_on(everything)
def take_back(transfer_id: str) -> ResponseReturnValue:
    """Take goods in again that did not reach the other store and are here."""
    with write() as session:
        transfers.take_back(acting(session), _here(), transfer_id, _counts())
    return form.done(_("The products are back in your stock, and the other store gets their cost back."), ".everything")


# --- inside ---


def _here() -> str:
    return str(place().store_id)


def _counts() -> dict[str, int]:
    """Return what was counted: SKU -> units, of every line the form has."""
    names = [name for name in request.form if name.startswith("sku-")]
    return {request.form[name]: form.whole(f"qty-{name.removeprefix('sku-')}") for name in names}


def _view(session: Session, row: Transfer) -> View:
    gives = row.giver_id == _here()
    fetches = row.state == "agreed" and not gives
    code = transfers.code_of(session, row.id) if fetches else ""
    if fetches and code_hash(row.id, code) != row.code_hash:  # signed for on another computer
        code = ""
    drawn = segno.make_qr(code, error="m").svg_inline(border=2, svgclass=None, lineclass=None, omitsize=True)
    return View(
        row=row,
        lines=store_transfers.lines_of(session, row),
        gives=gives,
        other=row.taker_name if gives else row.giver_name,
        said_yes=store_transfers.has_said_yes(row, _here()),
        far=supply.distance(row.metres),
        gain_minor=(row.giver_minor if gives else row.taker_minor) or 0,
        is_code_lost=fetches and not code,
        spoken_code=f"{code[:4]} {code[4:]}" if code else "",
        drawn=drawn if code else "",
        tag=supply.transfer_tag(row.state),
    )
