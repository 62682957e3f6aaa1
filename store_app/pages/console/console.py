"""The operator's first page: what needs a person, then the regions."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from config.nodes.node import JOURNAL_CHANGED, KEY_ASKS, KEY_MISUSED
from pos.store.store import usual_currency
from store_app.runtime.doors import clock, read
from store_app.web.presenting import day, page, today, why_words
from store_app.web.security import requires
from store_app.words import words as general_words
from store_app.words.refusals import sentence_of
from supply.demand import history
from supply.membership import overview
from supply.membership.attention import Attention, needing_a_person

bp = Blueprint("console", __name__, url_prefix="/console")
SHARED = ("silent", "order-waits", "account-silent", "draw-held", "objection", "money-late")
"""The kinds of which one sentence names all stores."""


@bp.get("/")
@requires("network.look")
def home() -> ResponseReturnValue:
    """Show what needs attention and how the regions trade."""
    with read() as session:
        found = needing_a_person(session, at=clock.now())
        regions = overview.regions(session, today())
        until = history.whole_day(session, today())
        currency = usual_currency(session)
        names = {one.id: one.name for one in regions} | overview.names(session, {one.subject for one in found})
    return page(
        "console/home.html",
        attention=sentences(found, names),
        regions=regions,
        until=until,
        currency=currency,
    )


def sentences(found: Iterable[Attention], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return one sentence for each thing to look at; stores with the same trouble share one."""
    reported: list[dict[str, Any]] = []
    shared: dict[str, list[str]] = {}
    for one in found:
        name = names.get(one.subject, one.subject)
        if one.kind not in SHARED:
            reported.append(_worded(one, name))
        elif one.kind in shared:
            shared[one.kind].append(name)
        else:
            shared[one.kind] = [name]
            reported.append({"kind": one.kind})
    return [_shared(one["kind"], shared[one["kind"]]) if "kind" in one else one for one in reported]


def _shared(kind: str, stores: list[str]) -> dict[str, Any]:
    who = general_words.few(dict.fromkeys(stores))
    if kind == "order-waits":
        words = ngettext(
            "%(num)d order is waiting to be confirmed: %(stores)s.",
            "%(num)d orders are waiting to be confirmed: %(stores)s.",
            len(stores),
            stores=who,
        )
        return {"level": "info", "words": words, "href": url_for("console_supply.orders")}
    if kind == "silent":
        words = _("No contact for over an hour: %(stores)s.", stores=who)
        return {"level": "warn", "words": words, "href": url_for("console_stores.stores")}
    words = {
        "account-silent": _(
            "Payouts are on hold until these stores report the entries lost from their accounts: %(stores)s.",
            stores=who,
        ),
        "draw-held": _("Orders are on hold until you release them: %(stores)s.", stores=who),
        "objection": _("Disputes awaiting a response: %(stores)s.", stores=who),
        "money-late": _("Invoices overdue: %(stores)s.", stores=who),
    }[kind]
    anchor = "debtors" if kind == "money-late" else "decide"
    return {"level": "warn", "words": words, "href": url_for("console_money.overview", _anchor=anchor)}


def _worded(one: Attention, name: str) -> dict[str, Any]:
    facts, why = one.facts, one.facts.get("reason")
    stores, count = url_for("console_stores.stores"), facts.get("count", 0)
    if one.kind == "contradiction":
        level = "bad"
        words = ngettext(
            "%(store)s sent %(num)d message that contradicts an earlier one: %(why)s.",
            "%(store)s sent %(num)d messages that contradict earlier ones; for example: %(why)s.",
            count,
            store=name,
            why=why_words(why),
        )
    elif one.kind == "fork":
        level = "bad"
        if why == KEY_ASKS:
            words = _("%(store)s is using a new signing key. Call the shopkeeper before you approve it.", store=name)
        elif why == KEY_MISUSED:
            words = _("Someone used the key of %(store)s without a valid signature. Nothing was accepted.", store=name)
        elif why == JOURNAL_CHANGED:
            words = _("The journal of %(store)s has changed. Someone may have altered its books.", store=name)
        else:
            words = _("%(store)s seems to be running on two computers: %(why)s.", store=name, why=why)
    elif one.kind == "parked":
        level = "warn"
        words = ngettext(
            "%(num)d message from %(store)s is held for review.",
            "%(num)d messages from %(store)s are held for review.",
            count,
            store=name,
        )
        stores = url_for("console_parked.listed", _anchor=f"store-{one.subject}")
    elif one.kind == "left-out":
        words = _left_out(facts["work"], name, sentence_of(facts["why"]).rstrip(".。"))
        words += _("The other stores are done; this one will be retried automatically.")
        level = "warn"
    elif one.kind == "lost-entries":
        words = ngettext(
            "The restored database is missing %(num)d entry in %(store)s’s account. Payouts are on hold until you "
            "decide.",
            "The restored database is missing %(num)d entries in %(store)s’s account. Payouts are on hold until "
            "you decide.",
            count,
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_money.overview", _anchor="decide")}
    elif one.kind == "customers-wait":
        words = ngettext(
            "%(num)d customer case needs your attention: a dispute, a reported review or a pending refund.",
            "%(num)d customer cases need your attention: disputes, reported reviews or pending refunds.",
            count,
        )
        return {"level": "warn", "words": words, "href": url_for("console_care.overview_page")}
    elif one.kind == "prices-wait":
        words = ngettext(
            "%(num)d price list is waiting for a second person.",
            "%(num)d price lists are waiting for a second person.",
            count,
        )
        return {"level": "info", "words": words, "href": url_for("console_prices.listed")}
    elif one.kind == "money-waits":
        words = ngettext(
            "%(num)d payment or credit decision is waiting for a second person.",
            "%(num)d payment or credit decisions are waiting for a second person.",
            count,
        )
        return {"level": "info", "words": words, "href": url_for("console_money.overview", _anchor="waiting")}
    else:
        return _two_keys(one, name) if one.kind == "keys" else _about_goods(one, name)
    return {"level": level, "words": words, "href": stores}


def _left_out(work: str, store: str, why: Any) -> str:
    """Say which work of the night left a store out."""
    reported = {
        "demand": _("Sales for %(store)s could not be added up: %(why)s.", store=store, why=why),
        "orders": _("The products for %(store)s could not be sent: %(why)s.", store=store, why=why),
        "loading": _("The products for %(store)s could not be sent: %(why)s.", store=store, why=why),
        "outlook": _("Daily sales for %(store)s could not be saved: %(why)s.", store=store, why=why),
        "purchasing": _("Purchasing left out sales from %(store)s: %(why)s.", store=store, why=why),
        "forecast": _("Sales for %(store)s could not be forecast: %(why)s.", store=store, why=why),
        "publish": _("%(store)s did not get the latest updates: %(why)s.", store=store, why=why),
        "region-outlook": _("Stock-outs in %(store)s could not be checked: %(why)s.", store=store, why=why),
        "replay": _("Recent weeks for %(store)s could not be replayed: %(why)s.", store=store, why=why),
        "recalls": _("The recall could not be sent to %(store)s: %(why)s.", store=store, why=why),
        "transfers": _("Transfers from %(store)s could not be processed: %(why)s.", store=store, why=why),
    }
    return reported.get(work) or _("The accounts of %(store)s could not be updated: %(why)s.", store=store, why=why)


def _about_goods(one: Attention, name: str) -> dict[str, Any]:
    facts = one.facts
    if one.kind == "warehouse-empty":
        words = _(
            "Out of stock in warehouse %(store)s: %(names)s.",
            store=name,
            names=general_words.few(facts.get("names", [])),
        )
        href = url_for("console_warehouse.stock", warehouse=one.subject, gone=1)
        return {"level": "warn", "words": words, "href": href}
    if one.kind == "recall-open":
        words = ngettext(
            "%(num)d recall is still open: some warehouses or stores have not checked.",
            "%(num)d recalls are still open: some warehouses or stores have not checked.",
            facts.get("count", 0),
        )
        return {"level": "bad", "words": words, "href": url_for("console_recalls.listed")}
    if one.kind == "messages-left":
        words = ngettext(
            "%(num)d supplier message was not sent. Send it again, or print it.",
            "%(num)d supplier messages were not sent. Send them again, or print them.",
            facts.get("count", 0),
        )
        purchases, recall = url_for("console_purchases.listed"), one.subject
        href = url_for("console_recalls.one", recall_id=recall) if recall else purchases
        return {"level": "warn", "words": words, "href": href}
    if one.kind == "warehouse-over":
        words = ngettext(
            "%(num)d product in warehouse %(store)s has expired. Write it off.",
            "%(num)d products in warehouse %(store)s have expired. Write them off.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_warehouse.goods", warehouse=one.subject)}
    return _of_one_store(one, name)


def _of_one_store(one: Attention, name: str) -> dict[str, Any]:
    facts = one.facts
    if one.kind == "counted-less":
        words = ngettext(
            "%(store)s counted %(num)d unit less than the driver delivered. Ask both.",
            "%(store)s counted %(num)d units less than the driver delivered. Ask both.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_stores.store", store_id=one.subject)}
    if one.kind == "not-counted":
        words = ngettext(
            "%(store)s has not counted %(num)d delivery that was due days ago. Ask whether it arrived.",
            "%(store)s has not counted %(num)d deliveries that were due days ago. Ask whether they arrived.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_stores.store", store_id=one.subject)}
    if one.kind == "claims-wait":
        words = ngettext(
            "%(num)d claim from %(store)s needs a response.",
            "%(num)d claims from %(store)s need a response.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_claims.listed")}
    if one.kind == "offer-open":
        words = _(
            "%(store)s has not responded to the offer of %(name)s (until %(day)s).",
            store=name,
            name=facts.get("name"),
            day=day(facts.get("answer_by")),
        )
        return {
            "level": "info",
            "words": words,
            "href": url_for("console_promotions.listed", kind="offer", state="live"),
        }
    if one.kind == "forecast-old":
        words = _("The forecast for %(region)s is missing or more than two days old.", region=facts.get("name"))
        return {"level": "warn", "words": words, "href": url_for("console_demand.region", region_id=one.subject)}
    return _between_stores(one, name)


def _two_keys(one: Attention, name: str) -> dict[str, Any]:
    count = one.facts["count"]
    words = _("%(store)s joined again, so it has %(num)d active keys. Revoke the old one.", store=name, num=count)
    href = url_for("console_stores.store", store_id=one.subject, _anchor="keys-title")
    return {"level": "bad", "words": words, "href": href}


def _between_stores(one: Attention, name: str) -> dict[str, Any]:
    facts, href = one.facts, url_for("console_transfers.everything")
    if one.kind == "transfer-missing" and facts["reason"]:
        words = _(
            "%(taker)s says that products from %(giver)s did not arrive: %(why)s. Ask both; %(giver)s is checking.",
            giver=name, taker=facts["to"], why=why_words(facts["reason"]).rstrip(".。"),
        )  # fmt: skip
    elif one.kind == "transfer-missing":
        words = _("%(taker)s counted less than %(giver)s handed over. Ask both.", giver=name, taker=facts["to"])
    elif one.kind == "transfer-unreported":
        words = _(
            "%(giver)s handed over products days ago, but %(taker)s has not received them. Ask %(taker)s.",
            giver=name, taker=facts["to"],
        )  # fmt: skip
    else:
        return {"level": "info", "words": f"{one.kind}: {name}", "href": None}
    return {"level": "warn", "words": words, "href": href}
