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
from store_app.web.presenting import day, page, today
from store_app.web.security import requires
from store_app.words import words as general_words
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
            "%(num)d order waits to be confirmed: %(stores)s.",
            "%(num)d orders wait to be confirmed: %(stores)s.",
            len(stores),
            stores=who,
        )
        return {"level": "info", "words": words, "href": url_for("console_supply.orders")}
    if kind == "silent":
        words = _("Not heard for over an hour: %(stores)s.", stores=who)
        return {"level": "warn", "words": words, "href": url_for("console_stores.stores")}
    words = {
        "account-silent": _("Not paid out until they tell what was lost of their accounts: %(stores)s.", stores=who),
        "draw-held": _("Orders are on hold until you let them go: %(stores)s.", stores=who),
        "objection": _("An objection waits for your answer: %(stores)s.", stores=who),
        "money-late": _("Invoices are late: %(stores)s.", stores=who),
    }[kind]
    anchor = "debtors" if kind == "money-late" else "decide"
    return {"level": "warn", "words": words, "href": url_for("console_money.overview", _anchor=anchor)}


def _worded(one: Attention, name: str) -> dict[str, Any]:
    facts, why = one.facts, one.facts.get("reason")
    stores, count = url_for("console_stores.stores"), facts.get("count", 0)
    if one.kind == "contradiction":
        level, words = (
            "bad",
            ngettext(
                "%(store)s sent %(num)d message that contradicts an earlier one: %(why)s.",
                "%(store)s sent %(num)d messages that contradict earlier ones; for example: %(why)s.",
                count,
                store=name,
                why=why,
            ),
        )
    elif one.kind == "fork":
        level = "bad"
        if why == KEY_ASKS:
            words = _("%(store)s speaks with a new signing key. Call its shopkeeper before you allow it.", store=name)
        elif why == KEY_MISUSED:
            words = _("The key of %(store)s was used without a good signature. Nothing was taken.", store=name)
        elif why == JOURNAL_CHANGED:
            words = _("The journal of %(store)s has changed: somebody may have altered its books.", store=name)
        else:
            words = _("%(store)s seems to run twice: %(why)s.", store=name, why=why)
    elif one.kind == "parked":
        level, words = (
            "warn",
            ngettext(
                "%(num)d message from %(store)s is held for review.",
                "%(num)d messages from %(store)s are held for review.",
                count,
                store=name,
            ),
        )
        stores = url_for("console_parked.listed", _anchor=f"store-{one.subject}")
    elif one.kind == "left-out":
        words = _left_out(str(facts.get("work")), name, why)
        words += _(" The other stores' were done; it is tried again by itself.")
        level = "warn"
    elif one.kind == "lost-entries":
        words = ngettext(
            "The books put back lack %(num)d entry of %(store)s’s account. It is not paid out until you decide.",
            "The books put back lack %(num)d entries of %(store)s’s account. It is not paid out until you decide.",
            count,
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_money.overview", _anchor="decide")}
    elif one.kind == "customers-wait":
        words = ngettext(
            "%(num)d customer’s matter waits for you: a dispute, a reported review, money on its way back.",
            "%(num)d customers’ matters wait for you: disputes, reported reviews, money on its way back.",
            count,
        )
        return {"level": "warn", "words": words, "href": url_for("console_care.overview_page")}
    elif one.kind == "prices-wait":
        words = ngettext(
            "%(num)d list of prices waits for a second person.",
            "%(num)d lists of prices wait for a second person.",
            count,
        )
        return {"level": "info", "words": words, "href": url_for("console_prices.listed")}
    else:
        return _two_keys(one, name) if one.kind == "keys" else _about_goods(one, name)
    return {"level": level, "words": words, "href": stores}


def _left_out(work: str, store: str, why: Any) -> str:
    """Say which work of the night left a store out."""
    reported = {
        "demand": _("The sales of %(store)s could not be added up: %(why)s.", store=store, why=why),
        "orders": _("The goods of %(store)s could not be sent: %(why)s.", store=store, why=why),
        "loading": _("The goods of %(store)s could not be sent: %(why)s.", store=store, why=why),
        "outlook": _("What %(store)s sells a day could not be kept: %(why)s.", store=store, why=why),
        "purchasing": _("What %(store)s sells was not counted in purchasing: %(why)s.", store=store, why=why),
        "forecast": _("What %(store)s will sell could not be forecast: %(why)s.", store=store, why=why),
        "publish": _("%(store)s was not told what is new: %(why)s.", store=store, why=why),
        "region-outlook": _("What runs out in %(store)s could not be looked at: %(why)s.", store=store, why=why),
        "replay": _("The last weeks of %(store)s could not be replayed: %(why)s.", store=store, why=why),
        "recalls": _("%(store)s could not be told of a recall: %(why)s.", store=store, why=why),
        "transfers": _("What %(store)s passes on to others could not be seen to: %(why)s.", store=store, why=why),
    }
    return reported.get(work) or _("The money of %(store)s could not be worked out: %(why)s.", store=store, why=why)


def _about_goods(one: Attention, name: str) -> dict[str, Any]:
    facts = one.facts
    if one.kind == "warehouse-empty":
        words = _(
            "Gone from warehouse %(store)s: %(names)s.", store=name, names=general_words.few(facts.get("names", []))
        )
        href = url_for("console_warehouse.stock", warehouse=one.subject, gone=1)
        return {"level": "warn", "words": words, "href": href}
    if one.kind == "recall-open":
        words = ngettext(
            "%(num)d recall is not over: not every warehouse and store has looked.",
            "%(num)d recalls are not over: not every warehouse and store has looked.",
            facts.get("count", 0),
        )
        return {"level": "bad", "words": words, "href": url_for("console_recalls.listed")}
    if one.kind == "messages-left":
        words = ngettext(
            "%(num)d letter to a supplier has not left. Send it again, or print it.",
            "%(num)d letters to suppliers have not left. Send them again, or print them.",
            facts.get("count", 0),
        )
        purchases, recall = url_for("console_purchases.listed"), one.subject
        href = url_for("console_recalls.one", recall_id=recall) if recall else purchases
        return {"level": "warn", "words": words, "href": href}
    if one.kind == "warehouse-over":
        words = ngettext(
            "%(num)d product in warehouse %(store)s is over and waits to be written off.",
            "%(num)d products in warehouse %(store)s are over and wait to be written off.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_warehouse.goods", warehouse=one.subject)}
    return _of_one_store(one, name)


def _of_one_store(one: Attention, name: str) -> dict[str, Any]:
    facts = one.facts
    if one.kind == "counted-less":
        words = ngettext(
            "%(store)s counted %(num)d unit less than its driver says he left there. Ask both.",
            "%(store)s counted %(num)d units less than its driver says he left there. Ask both.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_stores.store", store_id=one.subject)}
    if one.kind == "not-counted":
        words = ngettext(
            "%(store)s has not counted %(num)d delivery that was due days ago. Ask whether it came.",
            "%(store)s has not counted %(num)d deliveries that were due days ago. Ask whether they came.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_stores.store", store_id=one.subject)}
    if one.kind == "claims-wait":
        words = ngettext(
            "%(num)d claim of %(store)s waits for an answer.",
            "%(num)d claims of %(store)s wait for an answer.",
            facts.get("count", 0),
            store=name,
        )
        return {"level": "warn", "words": words, "href": url_for("console_claims.listed")}
    if one.kind == "offer-open":
        words = _(
            "%(store)s has not answered the offer of %(name)s (until %(day)s).",
            store=name,
            name=facts.get("name"),
            day=day(facts.get("answer_by")),
        )
        return {"level": "info", "words": words, "href": url_for("console_network_offers.offers")}
    if one.kind == "forecast-old":
        words = _("The forecast of %(region)s is missing or more than two days old.", region=facts.get("name"))
        return {"level": "warn", "words": words, "href": url_for("console_demand.region", region_id=one.subject)}
    return _between_stores(one, name)


def _two_keys(one: Attention, name: str) -> dict[str, Any]:
    count = one.facts["count"]
    words = _("%(store)s has joined again: %(num)d keys open its door. Withdraw the old one.", store=name, num=count)
    href = url_for("console_stores.store", store_id=one.subject, _anchor="keys-title")
    return {"level": "bad", "words": words, "href": href}


def _between_stores(one: Attention, name: str) -> dict[str, Any]:
    facts, href = one.facts, url_for("console_transfers.everything")
    if one.kind == "transfer-missing" and facts["reason"]:
        words = _(
            "%(taker)s says that goods of %(giver)s did not come: %(why)s. Ask both; %(giver)s looks for them.",
            giver=name, taker=facts["to"], why=facts["reason"].rstrip(".。"),
        )  # fmt: skip
    elif one.kind == "transfer-missing":
        words = _("%(taker)s counted less than %(giver)s handed over. Ask both.", giver=name, taker=facts["to"])
    elif one.kind == "transfer-unreported":
        words = _(
            "%(giver)s handed goods over days ago, and %(taker)s has not said that they came. Ask %(taker)s.",
            giver=name, taker=facts["to"],
        )  # fmt: skip
    else:
        return {"level": "info", "words": f"{one.kind}: {name}", "href": None}
    return {"level": "warn", "words": words, "href": href}
