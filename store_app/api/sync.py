"""Sync, the network's doors: messages in, messages out, editions. A store's key opens them and names the store.

A store that pushes or asks far more than any store has to tell or to hear is asked to wait (429), so that the others
keep their turn; it has lost nothing, for what is not confirmed stays with it.
"""

import gzip

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask.blueprints import BlueprintSetupState
from pydantic import Field

from config.errors import Invalid, NotFound
from config.nodes import signing
from config.nodes.node import this_node
from config.nodes.publication import Publication, edition_for
from store_app.api.bodies import LARGEST, Body, asks, shaped, takes
from store_app.runtime.doors import clock, doors, read, wake_worker_after, write
from store_app.sync import receiver, wire
from store_app.web.pace import Pace
from store_app.web.security import device, introduces
from supply.demand import reported_forecasts
from supply.money import points_pool
from supply.online.checkout import points_consent

bp = Blueprint("api_sync", __name__, url_prefix="/api/sync")
PUSHES_A_MINUTE, FACTS_A_MINUTE, ASKS_A_MINUTE = 300, 24_000, 300
"""Of one store: five contacts a second, and a backlog of a year gone in some minutes; asks at each door for itself."""


class AskedPoints(Body):
    """What a store asks of points. step: begin | query | cancel | reverse; key: the id of what comes back."""

    step: str = Field(min_length=1, max_length=10)
    id: str = Field(min_length=8, max_length=80)
    customer_id: str = Field(default="", max_length=40)
    sale_id: str = Field(default="", max_length=40)
    amount_minor: int = Field(default=0, ge=0, le=LARGEST)
    key: str = Field(default="", max_length=80)


class Vouched(Body):
    """A key, and the one before it that vouches for it; '' where none does."""

    key: str = Field(pattern=signing.KEY_PATTERN)
    by: str = Field(default="", max_length=64)
    vouch: str = Field(default="", max_length=128)


class NewKey(Body):
    """The keys a store had, oldest first: where one the network knows vouches for the next, that one is good too."""

    chain: list[Vouched] = Field(default_factory=list, max_length=50)


class AskedCode(Body):
    """Whose number a code is sent to, so that its owner lets the store use the shared points."""

    phone: str = Field(min_length=5, max_length=30)
    language: str = Field(default="en", max_length=5)


class TypedCode(Body):
    """The code the owner of the number told, and the store's customer it is for."""

    customer_id: str = Field(min_length=1, max_length=40)
    phone: str = Field(min_length=5, max_length=30)
    code: str = Field(min_length=1, max_length=20)


@bp.record
def _begin_counting(state: BlueprintSetupState) -> None:
    state.app.extensions["sync_paces"] = Pace(PUSHES_A_MINUTE), Pace(FACTS_A_MINUTE)
    state.app.extensions["sync_asks"] = Pace(ASKS_A_MINUTE)


@bp.before_request
def _limit_rate() -> None:
    """Let a store ask (for messages, own facts, editions, points) and tell forecasts no oftener than any store has
    to."""
    if request.endpoint != f"{bp.name}.push":
        current_app.extensions["sync_asks"].take(f"{g.store_id} {request.endpoint}")


@bp.post("/messages")
@device
@shaped(wire.Push)
def push() -> Response:
    """Take a batch of a store's facts."""
    pushes, facts = current_app.extensions["sync_paces"]
    pushes.take(g.store_id)
    raw = wire.unpack(request.get_data(), request.headers.get("Content-Encoding", "").strip().lower())
    sent = wire.read_push(raw)
    facts.take(g.store_id, len(sent.rows))
    with write() as session:
        answer = receiver.take(session, g.store_id, sent, at=clock.now())
    return jsonify(answer)


@bp.get("/messages")
@device
@asks(epoch="an epoch the store has rows of, repeated", after_n="the last of them", mine="the store's own epoch")
def pull() -> Response:
    """Hand over what is addressed to the store, after what it has: epoch and after_n, repeated per epoch."""
    have = _have()
    with read() as session:
        answer = receiver.hand_over(session, g.store_id, have, request.args.get("mine", ""))
    return _packed(jsonify(answer))


@bp.get("/own")
@device
@asks(epoch="an epoch the store has written in, repeated", after_n="the last of it that the store still has")
def own() -> Response:
    """Hand a store that was put back from a copy what it told after it: epoch and after_n, repeated per epoch."""
    have = _have()
    with read() as session:
        answer = receiver.own_facts(session, g.store_id, have)
    return _packed(jsonify(answer))


@bp.get("/journal")
@device
def journal_end() -> Response:
    """Say what is remembered of the end of the store's journal."""
    with read() as session:
        return jsonify(receiver.known_end(session, g.store_id))


@bp.get("/publications")
@device
def publications() -> Response:
    """List the editions for the store."""
    with read() as session:
        found = [_edition(row) for row in receiver.editions(session, g.store_id)]
        known = reported_forecasts.known(session, g.store_id)
        return jsonify(incarnation=this_node(session).epoch, editions=found, forecast=known)


@bp.get("/publications/<kind>")
@device
def publication(kind: str) -> Response:
    """Hand over one edition."""
    with read() as session:
        found = edition_for(session, kind, receiver.scopes_of(session, g.store_id))
    if found is None:
        raise NotFound("no-edition", "There is no version of %(kind)s for this store.", kind=kind)
    answer = jsonify(_edition(found) | {"text": found.body})
    answer.set_etag(found.sha256)
    answer.make_conditional(request)
    return _packed(answer)


@bp.post("/forecast")
@device
@shaped(wire.Forecast)
def forecast() -> Response:
    """Take over what a store expects to sell, whole, instead of what it told before."""
    raw = wire.unpack(request.get_data(), request.headers.get("Content-Encoding", "").strip().lower())
    reported = wire.read_forecast(raw)
    with write() as session:
        refused = reported_forecasts.hear(session, g.store_id, reported.model_dump(), at=clock.now())
    return jsonify(refused=refused or "")


@bp.post("/key")
@introduces
@takes(NewKey)
def introduce(body: NewKey) -> Response:
    """Hear of a store's new signing key, which signed this request: is it good, or does it wait for the operator?"""
    if g.signed_by is None:
        raise Invalid("no-signature", "A new signing key must sign the request that introduces it.")
    chain = [(one.key, one.by, one.vouch) for one in body.chain]
    with write() as session:
        state = receiver.introduce(session, g.store_id, g.signed_by, chain, clock.now())
    return jsonify(state=state)


@bp.post("/points")
@device
@takes(AskedPoints)
def points(body: AskedPoints) -> Response:
    """Answer a store that asks to redeem a member's points, what became of it, to stop it or to take it back."""
    asked = points_pool.Ask(body.step, body.id, body.customer_id, body.sale_id, body.amount_minor, body.key)
    with write() as session:
        answer = points_pool.ask(session, g.store_id, asked, at=clock.now())
        wake_worker_after(session)
    return jsonify(vars(answer))


@bp.post("/points/code")
@device
@takes(AskedCode)
def points_code(body: AskedCode) -> Response:
    """Send a number the code by which its owner lets the store use the shared points; any number alike."""
    with write() as session:
        points_consent.send(session, g.store_id, body.phone, language=body.language, at=clock.now())
        code = ""
        if doors().settings.practice:
            code = points_consent.sent_code(session, g.store_id, body.phone, secret=_secret())
        wake_worker_after(session)
    return jsonify(state="sent", practised=code)


@bp.post("/points/consent")
@device
@takes(TypedCode)
def points_by_code(body: TypedCode) -> Response:
    """Connect the store's customer with the member whose phone the code went to; balance: null for a wrong code."""
    with write() as session:
        at = clock.now()
        who = (g.store_id, body.customer_id, body.phone)
        balance = points_consent.prove(session, *who, body.code, secret=_secret(), at=at)
        wake_worker_after(session)
    return jsonify(balance=balance)


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])


def _have() -> dict[str, int]:
    try:
        numbers = [int(text) for text in request.args.getlist("after_n")]
        have = dict(zip(request.args.getlist("epoch"), numbers, strict=True))
    except ValueError as fault:
        raise Invalid("bad-pull", "Send epoch and after_n together; after_n is a number.") from fault
    if any(not 0 <= n <= 2**53 for n in have.values()):
        raise Invalid("bad-pull", "after_n is out of bounds.")
    return have


def _edition(row: Publication) -> dict[str, object]:
    return {"kind": row.kind, "version": row.version, "sha256": row.sha256, "made_at": row.made_at.isoformat()}


def _packed(answer: Response) -> Response:
    if answer.status_code == 200 and request.accept_encodings.find("gzip") >= 0 and (answer.content_length or 0) > 2048:
        answer.set_data(gzip.compress(answer.get_data(), 5))
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
    return answer
