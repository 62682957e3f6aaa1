"""A product's photo: taken with the phone or chosen from a file, and shown under an address that never changes."""

from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from pos.catalogue import photos
from pos.store import pictures
from store_app.pages.common import form, uploads
from store_app.pages.goods.product import show
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import place
from store_app.web.security import requires

bp = Blueprint("product_photo", __name__, url_prefix="/products")
UPLOAD_BYTES = pictures.PHOTO_BYTES + 200_000


@bp.url_value_preprocessor
def admit_photo(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a photo's form be larger than others, before anybody reads it."""
    if endpoint == "product_photo.put":
        request.max_content_length = UPLOAD_BYTES


@bp.get("/<sku>/photo/<mark>.webp")
@requires("sell")
def photo(sku: str, mark: str) -> Response:
    """Answer a photo; its mark is its content's, so a browser keeps it for good."""
    with read() as session:
        webp = photos.photo(session, doors().settings.node_id, sku, mark)
    answer = Response(webp, mimetype="image/webp")
    answer.set_etag(mark)
    answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    answer.make_conditional(request)
    return answer


@bp.post("/<sku>/photo")
@requires("catalogue")
@form.answers_on(show)
def put(sku: str) -> ResponseReturnValue:
    """Put a photo in the place of the old one."""
    webp = next(read_apart(pictures.square, uploads.photo()))
    with write() as session:
        photos.put(acting(session), str(place().store_id), sku, webp)
    return form.done(_("Photo saved."), "product.page", sku=sku)


@bp.post("/<sku>/photo/remove")
@requires("catalogue")
@form.answers_on(show)
def remove(sku: str) -> ResponseReturnValue:
    """Take the photo away: the symbol stands for the product again."""
    with write() as session:
        photos.remove(acting(session), str(place().store_id), sku)
    return form.done(_("Photo removed."), "product.page", sku=sku)
