"""Many prices at once: which products, by which rule, looked at line by line, from a day on; and what is coming."""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as lazy
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import Conflict, DomainError, Invalid
from config.money import exponent
from pos.catalogue import assortment
from pos.catalogue.assortment import Repriced
from pos.catalogue.catalogue import Price, Product
from pos.catalogue.repricing import ENDINGS, Rule, margin_bp
from store_app.pages.common import form, labelling
from store_app.pages.goods import product_list
from store_app.pages.goods.product_list import Asked
from store_app.pages.goods.products import PER_WORDS, asked_for, day_typed
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import day as day_text
from store_app.web.presenting import page, place, today
from store_app.web.security import requires

bp = Blueprint("prices", __name__, url_prefix="/prices")
FIRST, SHOWN, BEGINNING, COMING = 50, 1_000, 200, 100
NAMED = 20
CHANGES = {
    "up": lazy("Raise by percent"),
    "down": lazy("Lower by percent"),
    "up-amount": lazy("Raise by an amount"),
    "down-amount": lazy("Lower by an amount"),
    "margin": lazy("Target margin (%)"),
}
ENDING_WORDS = {
    "none": lazy("as calculated"), "0": "… 0", "5": "… 5", "9": "… 9", "50": "… 50", "90": "… 90", "95": "… 95",
    "99": "… 99", "00": "… 00",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A price that changes, with its margin before and after in basis points."""

    sku: str
    name: str
    old_minor: int
    new_minor: int
    before_bp: int | None
    after_bp: int | None


@dataclass(frozen=True)
class Preview:
    """What a rule makes of the chosen products. stamp: changes when anything of it does."""

    lines: list[Line]
    costless: list[str]
    chosen: int
    stamp: str


@bp.get("/", endpoint="change_many")
@requires("catalogue")
def change_many(fault: DomainError | None = None) -> ResponseReturnValue:
    """Choose products and a rule; with both in the address, show what would become of each price."""
    store_id, asked = str(place().store_id), asked_for()
    preview = None
    with read() as session:
        top_categories = product_list.named(session, store_id, Product.category)
        brands = product_list.named(session, store_id, Product.brand)
        if request.values.get("value", "").strip():
            try:
                preview = _preview(session, asked, _rule())
            except DomainError as refusal:
                fault = fault or refusal
        coming = product_list.coming(session, store_id, today(), most=COMING + 1)
        begin_today = len(product_list.beginning(session, store_id, today()))
    return page(
        "goods/prices/change.html",
        status=form.status_of(fault) if fault else 200,
        asked=asked,
        top_categories=top_categories,
        brands=brands,
        changes=CHANGES.items(),
        endings=ENDING_WORDS.items(),
        change=request.values.get("change", "up"),
        ending=request.values.get("ending", "none"),
        value=request.values.get("value", ""),
        from_day=request.values.get("from_day") or today().isoformat(),
        preview=preview,
        lines=preview.lines[:SHOWN] if preview else [],
        first=FIRST,
        left=set(request.form.getlist("leave")),
        named=NAMED,
        days=_by_day(coming[:COMING]),
        more_coming=len(coming) > COMING,
        begin_today=begin_today,
        per_words=PER_WORDS,
        fault=fault,
    )


@bp.post("/")
@requires("catalogue")
@form.answers_on(change_many)
def apply() -> ResponseReturnValue:
    """Date the previewed prices from a day on; the same command again is the same change."""
    command, asked, rule, from_day = form.command_id(), asked_for(), _rule(), day_typed("from_day")
    left, store_id = set(request.form.getlist("leave")), str(place().store_id)
    with write() as session:
        preview = _preview(session, asked, rule)
        done = assortment.was_repriced(session, command)
        if not done and preview.stamp != request.form.get("stamp", ""):
            raise Conflict("prices-moved", "Prices or costs have changed since. Check the list again.")
        many = 0
        if not done:
            wanted = [(line.sku, line.new_minor) for line in preview.lines if line.sku not in left]
            many = assortment.reprice_all(acting(session), store_id, wanted, from_day, command=command, today=today())
    if many:
        words = ngettext("%(num)d price will change on %(day)s.", "%(num)d prices will change on %(day)s.", many,
                         day=day_text(from_day))  # fmt: skip
        flash(words, "good")
    return redirect(url_for("prices.labels", day=from_day.isoformat()), 303)


@bp.get("/labels", endpoint="labels")
@requires("catalogue")
def labels_page(fault: DomainError | None = None) -> ResponseReturnValue:
    """Offer the labels of the prices that begin on a day."""
    day = day_typed("day") if request.values.get("day") else today()
    with read() as session:
        store_id = str(place().store_id)
        skus = product_list.beginning(session, store_id, day)
        rows = _beginning(session, store_id, skus[:BEGINNING], day)
    return page(
        "goods/prices/labels.html", day=day, many=len(skus), rows=rows, most=labelling.MOST_LABELS, fault=fault,
        is_today=day == today(), per_words=PER_WORDS,
    )  # fmt: skip


@bp.post("/labels")
@requires("catalogue")
@form.answers_on(labels_page)
def print_labels() -> ResponseReturnValue:
    """Queue the labels of the prices that begin on a day, or the next lot of many."""
    command, day = form.command_id(), day_typed("day")
    first = form.whole("first", most=1_000_000)
    with write() as session:
        skus = product_list.beginning(session, str(place().store_id), day)[first : first + labelling.MOST_LABELS]
        many = labelling.queue(session, skus, command, day)
    flash(ngettext("Printing %(num)d label.", "Printing %(num)d labels.", many), "good")
    return redirect(url_for("prices.labels", day=day.isoformat()), 303)


@bp.post("/take-back")
@requires("catalogue")
@form.answers_on(change_many)
def take_back() -> ResponseReturnValue:
    """Take one coming price back, or all of a day."""
    day, sku, store_id = day_typed("day"), form.text("sku", most=80), str(place().store_id)
    with write() as session:
        skus = [sku] if sku else _dated(session, store_id, day)
        for one in skus:
            if session.get(Price, (one, store_id, day)) is not None:  # a second click finds it gone
                assortment.withdraw_price(acting(session), store_id, one, day, today=today())
    flash(ngettext("%(num)d future price canceled.", "%(num)d future prices canceled.", len(skus)), "good")
    return redirect(url_for("prices.change_many", _anchor="coming-title"), 303)


# --- inside ---


def _rule() -> Rule:
    change, raw = request.values.get("change", "up"), request.values.get("value", "").strip()
    ending = request.values.get("ending", "none")
    if change not in CHANGES or ending not in ENDINGS:
        raise Invalid("bad-rule", "Choose how the prices change.", field="change")
    decimals = exponent(place().currency) if change.endswith("amount") else 2
    found = re.fullmatch(rf"(\d{{1,7}})(?:[.,](\d{{1,{max(1, decimals)}}}))?", raw.rstrip("% "), re.ASCII)
    if not found or (found[2] and not decimals):
        raise Invalid("bad-rule", "Enter a number such as 5 or 2.5.", field="value")
    value = int(found[1]) * 10**decimals + int((found[2] or "").ljust(decimals, "0") or 0)
    if change == "margin":
        return Rule("margin", value, ending)
    if value == 0 and ending == "none":
        raise Invalid("bad-rule", "Enter the change, or choose an ending.", field="value")
    value = -value if change.startswith("down") else value
    return Rule("amount" if change.endswith("amount") else "percent", value, ending)


def _preview(session: Session, asked: Asked, rule: Rule) -> Preview:
    store_id = str(place().store_id)
    if asked.show == "unlisted":
        asked = Asked(asked.text, asked.top_category, asked.brand, asked.tax)
    query = product_list.products(store_id, asked, today())
    skus = list(session.scalars(query.with_only_columns(Product.sku, maintain_column_froms=True)))
    rows = assortment.proposed(session, store_id, skus, rule, today())
    lines = [_line(row, row.new_minor) for row in rows if row.new_minor is not None]
    return Preview(lines, [row.name for row in rows if row.new_minor is None], len(skus), _stamp(lines))


def _line(row: Repriced, new_minor: int) -> Line:
    now = row.now
    return Line(
        row.sku, row.name, now.price_minor, new_minor, margin_bp(now, now.price_minor), margin_bp(now, new_minor)
    )


def _stamp(lines: list[Line]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line.sku}\0{line.old_minor}\0{line.new_minor}\n".encode())
    return digest.hexdigest()[:24]


def _by_day(coming: list[Any]) -> list[tuple[dt.date, list[Any]]]:
    days: dict[dt.date, list[Any]] = {}
    for row in coming:
        days.setdefault(row.from_day, []).append(row)
    return list(days.items())


def _dated(session: Session, store_id: str, day: dt.date) -> list[str]:
    query = sa.select(Price.sku).where(Price.scope_id == store_id, Price.from_day == day)
    return list(session.scalars(query.order_by(Price.sku)))


def _beginning(session: Session, store_id: str, skus: list[str], day: dt.date) -> list[Any]:
    query = (
        sa.select(Price.sku, Product.shown.label("name"), Price.price_minor, Product.stock_unit)
        .join(Product, Product.sku == Price.sku)
        .where(Price.scope_id == store_id, Price.from_day == day, Price.sku.in_(skus))
    )
    return list(session.execute(query.order_by(Product.name, Price.sku)))
