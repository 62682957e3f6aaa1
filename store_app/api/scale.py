"""The scale at the counter, for the till's page."""

from flask import Blueprint, Response, current_app, jsonify, request
from pydantic import Field

from config.errors import NotFound, Refused, Unreachable
from pos.till import scale
from pos.till.scale import PracticeScale, Scale
from pos.till.scale_drivers import MOST_GRAMS, SCALES
from store_app.api.bodies import Body, asks, takes
from store_app.runtime import plugins
from store_app.runtime.doors import doors, read
from store_app.web.security import requires

bp = Blueprint("api_scale", __name__, url_prefix="/api/scale")
MOST_TARE_GRAMS = 100_000


class OnTheScale(Body):
    """What is laid on the practice scale."""

    grams: int = Field(ge=0, le=MOST_GRAMS)
    stable: bool = True


@bp.get("")
@requires("sell")
@asks(till_id="whose scale", sku="whose tare", tare_grams="another tare", live="1: also while it moves")
def weigh() -> Response:
    """Answer the net grams on the scale now; qty is the same number, once it has settled, and else refused.

    Address: till_id names the till whose scale it is, sku a product whose tare is taken off, tare_grams another tare,
    live=1 answers a scale that still moves too (stable: false), for a page that shows it moving.
    """
    tare_grams = _tare(request.args.get("sku", ""), request.args.get("tare_grams", ""))
    weighing = scale.net(scale_of(request.args.get("till_id", "")).weigh(), tare_grams)
    if not request.args.get("live"):
        scale.settled(weighing)
    return jsonify(
        grams=weighing.grams, qty=weighing.grams, stable=weighing.stable, tare_grams=weighing.tare_grams, unit="gram"
    )


@bp.post("/practice")
@requires("sell")
@asks(till_id="whose scale")
@takes(OnTheScale)
def lay(body: OnTheScale) -> Response:
    """Lay something on the practice scale; a real one is no toy."""
    found = scale_of(request.args.get("till_id", ""))
    if not isinstance(found, PracticeScale):
        raise Refused("real-scale", "This till has a scale connected. Place the product on it.")
    found.put(body.grams, stable=body.stable)
    return jsonify(grams=body.grams, stable=body.stable)


def scale_of(till_id: str) -> Scale:
    """Return the till's scale, one for each setting as long as the application lives: its lock is the port's."""
    settings = doors().settings
    setting, plugged = scale.setting_for(settings.scale, till_id), plugins.made(SCALES, settings)
    if name := scale.plugin_for(setting, () if settings.scale else plugged):
        if name not in plugged:
            raise Unreachable("scale-plugin", "The scale’s plug-in does not work. See Plug-ins, or enter the weight.")
        return plugged[name]
    kept: dict[str, Scale] = current_app.extensions.setdefault("cornerstore_scales", {})
    if setting not in kept:
        opened = scale.open_scale(setting, settings.state_folder)
        if opened is None:
            raise NotFound("no-scale", "This till has no scale. Enter the weight.")
        kept.setdefault(setting, opened)
    return kept[setting]


def is_there() -> bool:
    """Tell whether a scale weighs at this store's tills."""
    settings = doors().settings
    return bool(settings.scale or scale.plugin_for("", plugins.made(SCALES, settings)))


def _tare(sku: str, typed: str) -> int:
    if typed.isascii() and typed.isdigit() and len(typed) <= 6:
        return min(int(typed), MOST_TARE_GRAMS)
    if not sku:
        return 0
    with read() as session:
        return scale.tares(session, doors().settings.node_id).get(sku, 0)
