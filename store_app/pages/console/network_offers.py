"""Offers to stores: one product, a reason, and the shopkeeper's yes or no."""

import datetime as dt
from collections.abc import Set

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from pos.catalogue.catalogue import Product
from pos.store.store import usual_currency
from store_app.pages.common import find_product, form, promotion_preview
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import page, today
from store_app.web.security import requires
from store_app.words import goals
from store_app.words.refusals import sentence_of
from supply.membership import overview, product_view
from supply.money import terms as money_terms
from supply.network.offers import expectation, offer_results
from supply.network.offers.expectation import Expectation, Promoted
from supply.orders import network_offers
from supply.orders.network_offers import NetworkOfferTerms, NewOffer
from supply.replenishment import stockouts

bp = Blueprint("console_network_offers", __name__, url_prefix="/console/promotions/offers")
ANSWER_DAYS = 3
MOST_ANSWER_DAYS, MOST_RETURN_DAYS = 60, 365


@bp.get("/<push_id>")
@requires("network.push")
def one(push_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what became of one offer, store by store."""
    with read() as session:
        found = offer_results.push_of(session, push_id)
        names = overview.names(session, [store.offer.store_id for store in found.stores])
        currency = usual_currency(session)
    return page(
        "console/offer.html", one=found, names=names, currency=currency, answers=offer_results.ANSWERS, goals=goals,
        fault=fault,
    )  # fmt: skip


@bp.get("/new")
@requires("network.push.change")
def new(fault: DomainError | None = None, found: Expectation | None = None, units: int = 0) -> ResponseReturnValue:
    """Show the form of a new offer, with what it is expected to bring once it says enough. units: offered to each."""
    with read() as session:
        products = overview.offerable(session)
        stores = overview.stores(session, today())
        terms = money_terms.in_force(session)[1]
        currency = usual_currency(session)
        given, chosen = (request.form, request.form.getlist("store_id")) if request.form else _running_out(session)
    start = today()
    return page(
        "console/offer_new.html",
        goals=goals,
        goal=request.values.get("kind") or request.values.get("goal", ""),
        products=products,
        stores=[store for store in stores if store.has_node],
        given=given,
        chosen=chosen,
        terms=terms,
        currency=currency,
        found=found,
        units=units,
        seen=promotion_preview.mark() if found else "",
        fault=sentence_of(fault) if fault else None,
        field=fault.facts.get("field") if fault else None,
        answer_by=(start + dt.timedelta(days=ANSWER_DAYS)).isoformat(),
    )


@bp.post("/new")
@requires("network.push.change")
@form.answers_on(new)
def offer() -> ResponseReturnValue:
    """Show what an offer is expected to bring; once that was seen, offer it by the terms that are in force."""
    command = form.command_id()
    wanted = form.text("sku", most=60, required=_("Choose a product."))
    packs = form.whole("packs", least=1, most=99)
    why = form.text("why", required=_("Enter a short reason. The shopkeeper will see it."))
    answer_by = _day("answer_by", MOST_ANSWER_DAYS)
    return_until = _day("return_until", MOST_RETURN_DAYS) if request.form.get("return_until") else None
    with write() as session:
        currency = usual_currency(session)
        cost_minor = form.amount("pack_cost", currency) if request.form.get("pack_cost", "").strip() else None
        product = find_product.named(session, wanted, field="sku")
        chosen = _chosen({store.id for store in overview.stores(session, today()) if store.has_node})
        terms = _terms(money_terms.in_force(session)[1], currency)
        new_offer = NewOffer(product.sku, packs, why, answer_by, return_until, cost_minor, terms)
        for store_id in chosen:
            network_offers.refuse_bad(session, store_id, new_offer, clock.now())
        found, units = None, packs * network_offers.pack_qty_of(session, chosen[0], product.sku)
        if not promotion_preview.is_seen():
            found = _preview(session, new_offer, chosen)
        for store_id in chosen if found is None else ():
            network_offers.offer(acting(session), store_id, new_offer, id=f"{command}-{store_id}")
    if found is not None:
        return new(found=found, units=units)
    words = ngettext("Offered to %(num)d store.", "Offered to %(num)d stores.", len(chosen))
    return form.done(words, ".one", push_id=command)


def _of_store(store_id: str, offer_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the offer that a store's part belongs to."""
    return one(offer_results.push_id_of(store_id, offer_id), fault=fault)


@bp.post("/<store_id>/<offer_id>/call-off")
@requires("network.push.change")
@form.answers_on(_of_store)
def call_off(store_id: str, offer_id: str) -> ResponseReturnValue:
    """Say that goods a store accepted do not come; a second click finds them called off."""
    why = form.text("why", most=200, required=_("Enter a reason. The shopkeeper will see it."))
    with write() as session:
        found = network_offers.offer_of(session, store_id, offer_id)
        if found.state != "called_off":
            network_offers.call_off(acting(session), store_id, offer_id, why=why)
    push_id = offer_results.push_id_of(store_id, offer_id)
    return form.done(_("%(name)s canceled. The store has been notified.", name=found.name), ".one", push_id=push_id)


@bp.post("/<store_id>/<offer_id>/withdraw")
@requires("network.push.change")
@form.answers_on(_of_store)
def withdraw(store_id: str, offer_id: str) -> ResponseReturnValue:
    """Take back an offer nobody answered yet; a second click finds it withdrawn."""
    with write() as session:
        found = network_offers.offer_of(session, store_id, offer_id)
        if found.state != "withdrawn":
            network_offers.withdraw(acting(session), store_id, offer_id)
    flash(_("%(name)s is withdrawn. If the store has already responded, its response counts.", name=found.name), "good")
    return redirect(url_for(".one", push_id=offer_results.push_id_of(store_id, offer_id)), 303)


def _preview(session: Session, wanted: NewOffer, chosen: list[str]) -> Expectation:
    """Return what stores usually sell of an offered product until its goods are to be sold."""
    until = wanted.return_until or wanted.terms.expires_on
    days = max(1, (until - today()).days) if until else wanted.terms.slow_days or promotion_preview.USUAL_DAYS
    return expectation.expected(session, [Promoted(wanted.sku, 0, 0)], chosen, days=days, at=clock.now())


def _running_out(session: Session) -> tuple[dict[str, str], list[str]]:
    """Return the product the address names, and the stores of the region named that run out of it within the days."""
    product = session.get(Product, form.tidy(request.args.get("sku", ""))[:60])
    if product is None:
        return {}, []
    days = next((one for one in stockouts.HORIZONS if str(one) == request.args.get("days")), 0)
    there = product_view.at_stores(session, product, today(), request.args.get("region") or None) if days else []
    short = [one.store_id for one in there if one.days_left is not None and one.days_left < days]
    return {"sku": product.sku}, short


def _terms(terms: money_terms.Terms, currency: str) -> NetworkOfferTerms:
    """Return what the offer binds the network to: what is typed, and what stands in the network's terms."""
    fee_minor = form.amount("slot_fee", currency) if request.form.get("slot_fee", "").strip() else 0
    return NetworkOfferTerms(
        kind=request.form.get("kind") or "new",
        expires_on=_day("expires_on", MOST_RETURN_DAYS) if request.form.get("expires_on") else None,
        slot_fee_minor=fee_minor,
        slow_days=terms.slow_days,
        slow_bp=terms.slow_bp,
        expiry_bp=terms.expiry_bp,
        cap_bp=terms.care_cap_bp,
    )


def _chosen(there: Set[str]) -> list[str]:
    """Return the ticked stores, each once; only a store with a node can answer."""
    chosen = list(dict.fromkeys(request.form.getlist("store_id")))
    if not chosen:
        raise Invalid("no-store", "Choose at least one store.", field="store_id")
    if not there >= set(chosen):
        raise Invalid("no-store", "One of these stores cannot receive offers. Choose again.", field="store_id")
    return chosen


def _day(name: str, most_days: int) -> dt.date:
    try:
        found = dt.date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise Invalid("bad-day", "Choose a day.", field=name) from None
    if found > clock.now().date() + dt.timedelta(days=most_days):
        raise Invalid("bad-day", "Choose a day within the next %(days)d days.", days=most_days, field=name)
    return found
