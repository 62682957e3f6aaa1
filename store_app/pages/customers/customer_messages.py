"""Messages to customers: whom they are for, their words, each person's code, and what a message brought."""

from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, NotFound
from config.words import LANGUAGES, language
from pos.catalogue import offers
from store_app.files.exporting import csv_answer
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import words
from supply.online.messages import campaigns, referrals

bp = Blueprint("customer_messages", __name__, url_prefix="/customer-messages")
AWAY_DAYS, LEAST_AWAY, DAYS = 30, 7, 21


@bp.get("/")
@requires("offers")
def listed(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the messages, whom each kind would be for now, and the form for a new one."""
    store_id = str(place().store_id)
    away = form.number(request.values.get("away_days") or str(AWAY_DAYS), "away_days", least=LEAST_AWAY, most=365)
    with read() as session:
        rows = campaigns.all_of(session, store_id)
        people = campaigns.reachable(session, store_id, today())
        counts = {kind: sum(one.may_get(kind, away) for one in people) for kind in campaigns.KINDS}
        anybody = any(one.may_get(kind, LEAST_AWAY) for one in people for kind in campaigns.KINDS)
        usable = [
            row for row, _offer in offers.all_of(session, store_id)
            if row.owner_id == store_id and row.needs_coupon and offers.standing(row, today()) == "live"
        ]  # fmt: skip
    usual = campaigns.WORDS["win_back"]
    return page(
        "customers/messages/listed.html", messages=rows, counts=counts, offers=usable, kinds=words.MESSAGE_KINDS,
        usual=[(say, say(usual)) for say in map(language, LANGUAGES)], anybody=anybody,
        away_days=away, days=DAYS, fault=fault,
    )  # fmt: skip


@bp.post("/")
@requires("offers")
@form.answers_on(listed)
def make() -> ResponseReturnValue:
    """Make a message, with a code for everybody it is for."""
    command = form.command_id()
    kind = form.one_of("kind", campaigns.KINDS, sentence=_("Choose the recipients."))
    words = {code: form.text(f"words_{code}", most=campaigns.MOST_WORDS) for code in LANGUAGES}
    with write() as session:
        campaigns.make(
            acting(session), str(place().store_id), kind,
            form.text("offer", most=60, required=_("Choose a promotion with a coupon.")), words,
            away_days=form.whole("away_days", least=LEAST_AWAY, most=365), days=form.whole("days", least=3, most=90),
            id=command)  # fmt: skip
    return redirect(url_for(".message", outreach_id=command), 303)


@bp.get("/<outreach_id>")
@requires("offers")
def message(outreach_id: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show who gets which words, and what the message brought so far."""
    store_id = str(place().store_id)
    with read() as session:
        row = campaigns.outreach_of(session, store_id, outreach_id)
        people = campaigns.messages_of(session, row)
        effect = campaigns.effect_of(session, row, today())
        offer = offers.offer_of(session, store_id, row.offer_id).name
        thanks = referrals.messages_of(session, row)
        brought = referrals.brought_by(session, row, today()) if row.kind == "friend" else None
    return page(
        "customers/messages/message.html", row=row, people=people, effect=effect, offer=offer,
        kinds=words.MESSAGE_KINDS, thanks=thanks, brought=brought, currency=place().currency, fault=fault,
    )  # fmt: skip


@bp.post("/<outreach_id>/told/<customer_id>")
@requires("offers")
@form.answers_on(message)
def reported(outreach_id: str, customer_id: str) -> ResponseReturnValue:
    """Write that somebody was sent their message."""
    with write() as session:
        campaigns.reported(acting(session), str(place().store_id), outreach_id, customer_id)
    return form.done(_("Marked as sent."), ".message", outreach_id=outreach_id)


@bp.post("/<outreach_id>/thanked/<friend_id>")
@requires("offers")
@form.answers_on(message)
def thanked(outreach_id: str, friend_id: str) -> ResponseReturnValue:
    """Write that somebody was given their thanks for a new customer."""
    with write() as session:
        referrals.reported(acting(session), str(place().store_id), friend_id)
    return form.done(_("Marked as sent."), ".message", outreach_id=outreach_id)


@bp.get("/<outreach_id>.pdf")
@requires("offers")
def slips(outreach_id: str) -> Response:
    """Answer what is still to be given out as slips to cut and hand over."""
    from supply.online.messages import message_slips  # brings a drawing library along

    row, everything = _everything(outreach_id)
    waiting = [one for one in everything if one.reported_at is None and not one.used]
    if not waiting:
        raise NotFound("nothing-to-hand-out", "Everyone has received their message. There is nothing left to hand out.")
    made = message_slips.pages(str(words.MESSAGE_KINDS[row.kind]), place().name, waiting)
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"attachment; filename=letter-{row.made_on}.pdf"
    return answer


@bp.get("/<outreach_id>.csv")
@requires("offers")
def table(outreach_id: str) -> Response:
    """Answer who gets which words, as a table for whoever sends them."""
    row, everything = _everything(outreach_id)
    rows = [(one.name, one.phone, one.code, one.text) for one in everything]
    return csv_answer(f"messages-{row.made_on}", ("name", "phone", "code", "text"), rows)


# --- inside ---


def _everything(outreach_id: str) -> tuple[campaigns.Outreach, list[campaigns.Message]]:
    """Return a message and all that is to be given to people for it, thanks included."""
    with read() as session:
        row = campaigns.outreach_of(session, str(place().store_id), outreach_id)
        thanks = [one for _friend_id, one in referrals.messages_of(session, row)]
        return row, [*campaigns.messages_of(session, row), *thanks]
