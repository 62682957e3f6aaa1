"""The catalogue for the till: all of it at once with an ETag, one code, a search, or a look at one product.

What a store sells changes a few times a day, and a till asks hundreds of times: answers are made once per business day
and state of the catalogue, and kept as bytes. A product is a row of values that `columns` names, empty ones at its end
left out: `sort` is a place in `sorts`, where what many products share is written once (named by `sort_columns`),
`sounds` (of a row and of its sort) is how it is looked for besides its name, brand and category, `rest` holds what few
have, and a code that stands for one unit is a plain text. The rows come last, each on a line of its own, in plain signs
and without a blank: a page finds a code in the text and reads its line alone. With the products go the till's keys
(pages that have any), the ways to read a store's own labels (`fixed`: thirteen signs, a digit or a dot), the tares, and
whether there is a scale.
"""

import dataclasses
import datetime as dt
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy.orm import Session

from config import words
from config.errors import Invalid, NotFound
from config.nodes.publication import EVERYONE, Pulled
from pos.catalogue import catalogue, offers, photos, quick_keys, till_edition
from pos.catalogue import scan as reading
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass
from pos.catalogue.symbols import symbol_of
from pos.pricing.pricing import ProductView
from pos.pricing.promotions import Offers
from pos.stock import batches, recall
from pos.till import scale
from store_app.api.bodies import asks, bounded
from store_app.api.scale import is_there
from store_app.runtime.doors import doors, read
from store_app.web.presenting import language, place, today
from store_app.web.security import requires
from store_app.words.promotions import badge
from supply.online.pickup import handover

bp = Blueprint("api_catalogue", __name__, url_prefix="/api")
MOST_KEPT = 8 * len(words.LANGUAGES)
_lock = threading.Lock()


@bp.get("/catalogue")
@requires("sell")
def whole() -> Response:
    """Answer everything this store sells, for the page to search and scan in."""
    store_id, day = doors().settings.node_id, today()
    address = str(doors().database.engine.url)
    kept: dict[str, tuple[tuple[Any, ...], bytes, str]] = current_app.extensions.setdefault("till_catalogues", {})
    with read() as session:
        wall = doors().now().astimezone(ZoneInfo(place().tz))
        badged = offers.on_tiles(session, store_id, day, wall)
        state = (day, *badged, *_state(session, store_id))
        key = f"{language()} {place().language} {address}"
        known = kept.get(key)
        if known is None or known[0] != state:
            called = catalogue.category_names(session)
            views, marks = catalogue.till_catalogue(session, store_id, day), photos.marks(session, store_id)
            products = _packed(views, called, marks, badged)
            body = _written({"business_day": day.isoformat(), **_beside(session, store_id), **products})
            known = (state, body, hashlib.sha256(body).hexdigest()[:32])
            with _lock:
                if len(kept) >= MOST_KEPT:
                    kept.clear()  # practice stores come and go
                kept[key] = known
    answer = Response(known[1], mimetype="application/json")
    answer.set_etag(known[2])
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    return answer


@bp.get("/scan/<path:code>")
@requires("sell")
def scan(code: str) -> Response:
    """Answer the product behind a code, how much of it, and what the label says: price, batch, last day."""
    day, store_id = today(), doors().settings.node_id
    with read() as session:
        try:
            found = reading.read(session, store_id, code, day)
        except (Invalid, NotFound):
            handover.refuse_square(session, store_id, code)
            raise
        recall.refuse(session, store_id, [(found.product.sku, found.batch)])
        batches.refuse_expired(session, store_id, found.product.sku, found.batch, found.expires_on, day)
    return jsonify(
        product=as_json(found.product),
        qty=found.qty,
        amount_minor=found.amount_minor,
        batch=found.batch,
        expires_on=found.expires_on.isoformat() if found.expires_on else None,
        source=found.source,
    )


@bp.get("/search")
@requires("sell")
@asks(q="what to look for", limit="at most so many: 1 to 100, 20 unless said")
def search() -> Response:
    """Answer the products whose name, brand, category or pinyin holds `q`."""
    text = request.args.get("q", "")[:80]
    limit, day = bounded("limit", 20, 100), today()
    with read() as session:
        found = catalogue.search(session, doors().settings.node_id, text, day, limit=limit)
    return jsonify(products=[as_json(view) for view in found])


def as_json(view: ProductView) -> dict[str, Any]:
    """Return a product as the till's page reads it; what it cost the store is not the counter's business."""
    said = {"name": view.shown, "paper_name": _on_paper(view), "symbol": symbol_of(view.category, view.department)}
    return {name: getattr(view, name) for name in _SHOWN} | said


_SHOWN = tuple(one.name for one in dataclasses.fields(ProductView) if one.name not in ("cost_minor", "names", "shown"))
_SORT = (
    "kind", "category", "department", "brand", "pack_text", "stock_unit", "price_quantity", "tax_class_id", "rate_bp",
    "inclusive",
)  # fmt: skip
_REST = {"deposit_sku": None, "price_typed": False, "minimum_age": None, "maximum_qty": None, "quick_key": None}
"""What few products have, and what all others are."""


def _on_paper(view: ProductView) -> str:
    return words.called(view.name, view.names, place().language)


def _packed(
    views: Sequence[ProductView], called: Mapping[str, Mapping[str, str]], marks: Mapping[str, str],
    badged: Offers,
) -> dict[str, Any]:  # fmt: skip
    """Return the products as rows: 20,000 of them are a tenth of the text, and the page reads them in a moment.

    called: what categories and departments are called in other languages. marks: of the products' photos. badged: the
    promotions that tiles name.
    """
    sorts: dict[tuple[Any, ...], int] = {}
    rows = []
    for view in views:
        sort = sorts.setdefault(tuple(getattr(view, name) for name in _SORT), len(sorts))
        reported = " ".join(filter(None, (view.shown, view.brand, view.category))).casefold()
        sounds = view.search_text.removeprefix(reported).strip()
        rest = {name: getattr(view, name) for name, usual in _REST.items() if getattr(view, name) != usual}
        if (paper := _on_paper(view)) != view.shown:
            rest["paper_name"] = paper
        if view.sku in marks:
            rest["photo"] = marks[view.sku]
        if badged and (named := badged.of(view.sku, view.category, view.department, view.brand)):
            rest["badge"] = badge(named[0][2])
        codes = [code if qty == 1 else [code, qty] for code, qty in view.codes]
        row = [view.sku, view.shown, view.price_minor, sort, codes[0] if len(codes) == 1 else codes]
        rows.append([*row, sounds, rest] if rest else [*row, sounds] if sounds else row)
    columns = ["sku", "name", "price_minor", "sort", "codes", "sounds", "rest"]
    said = []
    for kind, category, department, *others in sorts:
        sounds = catalogue.search_text_for(*called.get(category, {}).values())
        shown = [words.called(name, called.get(name)) for name in (category, department)]
        said.append([kind, *shown, *others, sounds, symbol_of(category, department)])
    return {"columns": columns, "sort_columns": [*_SORT, "sounds", "symbol"], "sorts": said, "rows": rows}


def _written(content: dict[str, Any]) -> bytes:
    """Return the answer's text; its last part are the rows."""
    write = json.JSONEncoder(separators=(",", ":")).encode
    head, lines = write(content | {"rows": []}), ",\n".join(map(write, content["rows"]))
    return f"{head.removesuffix(']}')}\n{lines}\n]}}".encode()


def _state(session: Session, store_id: str) -> tuple[Any, ...]:
    """Return what changes whenever the catalogue does; five small questions, no product is loaded."""
    counts = [session.scalar(sa.select(sa.func.count()).select_from(table)) for table in (Product, Barcode, Price)]
    taxes = session.execute(sa.select(TaxClass.id, TaxClass.rate_bp, TaxClass.inclusive).order_by(TaxClass.id)).all()
    listed = session.execute(
        sa.select(
            sa.func.count(), sa.func.sum(Listing.quick_key), sa.func.sum(sa.cast(Listing.active, sa.Integer))
        ).where(Listing.store_id == store_id)
    ).one()
    pulled = session.scalar(sa.select(Pulled.sha256).where(Pulled.kind == "catalogue"))
    newest = session.execute(
        sa.select(sa.func.max(Price.from_day), sa.func.sum(Price.price_minor)).where(
            Price.scope_id.in_([store_id, EVERYONE]), Price.from_day <= dt.date.max
        )
    ).one()
    return (*counts, *taxes, *listed, pulled, *newest, till_edition.number(session, store_id))


def _beside(session: Session, store_id: str) -> dict[str, Any]:
    """Return what a till keeps besides products."""
    return {
        "keys": [
            {"page": page.page, "name": page.name, "keys": [dataclasses.asdict(key) for key in page.keys]}
            for page in quick_keys.layout(session, store_id)
            if page.keys
        ],
        "schemes": [
            {
                "kind": one.kind,
                "fixed": one.fixed,
                "step": one.step,
                "upc": one.is_upc,
                "fields": [dataclasses.asdict(f) for f in one.fields],
            }
            for one in reading.schemes(session, store_id)
        ],
        "tares": scale.tares(session, store_id),
        "scale": is_there(),
    }
