"""Compare notes: the store beside its neighbours, one suggestion at a time, and what former ones brought."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError
from pos.catalogue.catalogue import Product, prices_on
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import words
from store_app.words.today import advice_words
from supply.membership import benchmarks, suggestions
from supply.membership import today as today_of
from supply.membership.benchmarks import BenchmarkFigure
from supply.membership.suggestions import Suggestion

bp = Blueprint("compare", __name__, url_prefix="/compare")
MOST = 15


@dataclass(frozen=True)
class PriceView:
    """A price beside the nearby one. share: this store's in per cent of the nearby one."""

    sku: str
    name: str
    own_minor: int
    nearby_minor: int
    share: int


@dataclass(frozen=True)
class MissingView:
    """A product that sells nearby and not here: rate_milli units a day in a typical store."""

    sku: str
    name: str
    rate_milli: int
    stock_unit: str


@bp.get("/")
@requires("reports")
def show(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the store's figures beside the nearby ones, and the one suggestion that is open."""
    store_id, day = str(place().store_id), today() - dt.timedelta(days=1)
    with read() as session:
        nearby = benchmarks.nearby(session)
        own = benchmarks.own_figures(session, store_id, day)
        past = suggestions.of_store(session, store_id)
        prices, prices_known = _prices(session, store_id, nearby, day)
        suggested = next((one for one in past if one.state == "open"), None)
        shown: dict[str, Any] = {
            "known": bool(nearby),
            "of_store": [(name, own.get((name, "")), nearby.get((name, ""))) for name in benchmarks.OF_STORE],
            "prices": prices,
            "prices_known": prices_known,
            "missing": _missing(session, nearby, own),
            "suggestion": suggested,
            "past": [one for one in past if one.state != "open"],
            "said": _said(session, suggested) if suggested else None,
            "reasons": words.DECLINE_REASONS,
            "fault": fault,
        }
    return page("store/compare.html", **shown)


@bp.post("/suggestions/<suggestion_id>")
@requires("reports")
@form.answers_on(show)
def answer(suggestion_id: str) -> ResponseReturnValue:
    """Accept the suggestion, or refuse it with a reason."""
    accept = request.form.get("accept") == "yes"
    why = "" if accept else form.reason(words.DECLINE_REASONS)
    with write() as session:
        ctx = acting(session)
        row = suggestions.answer(ctx, str(place().store_id), suggestion_id, accept=accept, why=why)
        suggestions.renew(ctx, row.store_id, today() - dt.timedelta(days=1))  # the next one
    flash(
        _("Saved. You will see the result here in four weeks.") if accept else _("Saved. Here is the next one."), "good"
    )
    return redirect(url_for(".show"), 303)


# --- inside ---


def _said(session: Session, suggested: Suggestion) -> tuple[str, str]:
    product = suggestions.taxed(session, [suggested.sku])[suggested.sku]
    return advice_words(today_of.advice_of(suggested), (product.stock_unit, product.price_quantity))


def _prices(
    session: Session, store_id: str, nearby: dict[tuple[str, str], BenchmarkFigure], day: dt.date
) -> tuple[list[PriceView], int]:
    """Return the prices that differ most from the nearby ones, and of how many both are known."""
    skus = [sku for name, sku in nearby if name == "price"]
    own, names = prices_on(session, store_id, day, skus), _names(session, skus)
    shown = {sku: one.shown(nearby["price", sku].value) for sku, one in suggestions.taxed(session, skus).items()}
    views = [
        PriceView(sku, names[sku][0], own[sku], shown[sku], 100 * own[sku] // shown[sku])
        for sku in skus
        if sku in own and sku in names and shown[sku] > 0
    ]
    differ = [one for one in views if one.own_minor != one.nearby_minor]
    return sorted(differ, key=lambda one: (-abs(one.share - 100), one.name))[:MOST], len(views)


def _missing(
    session: Session, nearby: dict[tuple[str, str], BenchmarkFigure], own: dict[tuple[str, str], int]
) -> list[MissingView]:
    rates = {sku: row.value for (name, sku), row in nearby.items() if name == "rate" and ("rate", sku) not in own}
    names = _names(session, list(rates))
    views = [MissingView(sku, names[sku][0], rate, names[sku][1]) for sku, rate in rates.items() if sku in names]
    return sorted(views, key=lambda one: (one.stock_unit != "each", -one.rate_milli, one.name))[:MOST]


def _names(session: Session, skus: list[str]) -> dict[str, tuple[str, str]]:
    rows = session.execute(sa.select(Product.sku, Product.shown, Product.stock_unit).where(Product.sku.in_(skus)))
    return {sku: (name, unit) for sku, name, unit in rows}
