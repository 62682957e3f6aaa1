"""A person's favorites, for the till's page."""

from flask import Blueprint, Response, g, jsonify
from pydantic import Field

from pos.catalogue import favorites
from store_app.api.bodies import Body, Sku, takes
from store_app.runtime.doors import doors, write
from store_app.web.security import requires

bp = Blueprint("api_favorites", __name__, url_prefix="/api/favorites")


class FavoritesBody(Body):
    """The products somebody wants in their row, in order."""

    skus: list[Sku] = Field(max_length=100)


@bp.post("")
@requires("sell")
@takes(FavoritesBody)
def choose(body: FavoritesBody) -> Response:
    """Keep the favorites of who is signed in."""
    with write() as session:
        return jsonify(skus=favorites.choose(session, doors().settings.node_id, g.actor.id, body.skus))
