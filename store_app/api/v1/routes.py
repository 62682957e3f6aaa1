"""The routes of `/api/v1`, made from the tables of what is read and written; each asks for a key with its scope.

A key has so many calls a minute, told in `RateLimit-Policy` and `RateLimit` as the IETF's draft of them says.
"""

from collections.abc import Callable

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask.blueprints import BlueprintSetupState

from config.errors import NotFound
from pos.store import partner_keys
from store_app.api.bodies import answers, asks, bounded, needs, shaped
from store_app.api.document import describe
from store_app.api.v1 import feed, writing
from store_app.api.v1.resources import RESOURCES, Resource
from store_app.api.v1.writing import WRITINGS, Writing
from store_app.runtime.doors import doors, read, write
from store_app.web.pace import MINUTE_S, Pace
from store_app.web.security import partner, public

bp = Blueprint("api_v1", __name__, url_prefix="/api/v1")
CALLS_A_MINUTE = 600


@bp.record
def _begin_counting(state: BlueprintSetupState) -> None:
    state.app.extensions["partner_pace"] = Pace(CALLS_A_MINUTE)


@bp.before_request
def _limit_rate() -> None:
    key = g.get("partner_key")
    if key is None:
        return
    current_app.extensions["partner_pace"].take(key.id)
    if not partner_keys.is_noted(key, at=doors().now()):
        with write() as session:
            partner_keys.note_used(session, key, at=doors().now())


@bp.after_request
def _tell_limits(answer: Response) -> Response:
    if (key := g.get("partner_key")) is not None:
        pace: Pace = current_app.extensions["partner_pace"]
        left, reset_s = pace.left(key.id)
        answer.headers["RateLimit-Policy"] = f'"minute";q={pace.a_minute};w={MINUTE_S}'
        answer.headers["RateLimit"] = f'"minute";r={left};t={reset_s}'
    return answer


@bp.get("/openapi.json")
@public
def document() -> Response:
    """Answer the OpenAPI document of what partners may ask."""
    return jsonify(describe(current_app, bp.url_prefix or ""))


# --- inside ---


def _listed(resource: Resource) -> Callable[[], Response]:
    def view() -> Response:
        limit = bounded("limit", feed.USUAL, feed.MOST)
        with read() as session:
            found = feed.page(session, doors().settings.node_id, resource, request.args.get("cursor", ""), limit)
        return jsonify(found.model_dump(mode="json"))

    view.__doc__ = f"""List {resource.name}, then what changed since a cursor.

    The answer's cursor asks for the next part; once nothing more is there, it asks for the changes since."""
    return view


def _one(resource: Resource) -> Callable[[str], Response]:
    def view(key: str) -> Response:
        with read() as session:
            found = next(iter(resource.read(session, doors().settings.node_id, [key])), None)
        if found is None:
            raise NotFound("not-found", "Not found at this store.", key=key)
        return jsonify(found.model_dump(mode="json"))

    view.__doc__ = f"Answer one row of {resource.name} by its {resource.key}."
    return view


def _written(row: Writing) -> Callable[..., Response]:
    def view(**place: str) -> Response:
        return writing.once(row, **place)

    view.__doc__ = row.about
    return needs("Idempotency-Key", "the request's own name; sent again it does nothing twice")(shaped(row.shape)(view))


_ASKS = asks(
    cursor="the last answer's; without one the list begins",
    limit=f"how many rows, 1 to {feed.MOST}; {feed.USUAL} by default",
)
for _resource in RESOURCES:
    for _place, _named, _view, _shape in (
        ("", "list", _ASKS(_listed(_resource)), _resource.page),
        ("/<path:key>", "get", _one(_resource), _resource.shape),
    ):
        _view = answers(_shape)(partner(_resource.scope)(_view))
        bp.add_url_rule(f"/{_resource.name}{_place}", f"{_named}_{_resource.name}", _view)
for _row in WRITINGS:
    _view = answers(_row.resource.shape)(partner(_row.scope)(_written(_row)))
    _name = f"{_row.name}_{_row.resource.name}"
    bp.add_url_rule(f"/{_row.resource.name}{_row.place}", _name, _view, methods=[_row.method])
