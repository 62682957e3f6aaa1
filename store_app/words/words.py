"""Words and sentences for what the store knows as codes: places, reasons, and why an order line is proposed.

Rules
-----
1. The domain keeps facts; this file puts them into sentences, in the reader's language (refusals: `sentences`).
2. A word that is not in a table here is shown as it is: better a strange word than an empty place.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import format_date, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from pos.documents.words import CASH, EVENTS, code_word
from pos.payments.tenders import Spot, offered, tender_of
from pos.reasons import REASONS
from store_app.web import presenting


def reasons(prefix: str) -> dict[str, Any]:
    """Return the reasons to choose from that begin so, and last another one: code -> words."""
    chosen = {code: _l(words) for code, words in REASONS.items() if code.startswith(prefix)}
    return chosen | {"other": _l("Another reason")}


PLACES = {
    "backroom": _l("backroom"),
    "floor": _l("store floor"),
    "shelf": _l("bestseller shelf"),
    "bin": _l("pickup bin"),
    "supplier": _l("supplier"),
    "customer": _l("customer"),
    "waste": _l("waste"),
    "unexplained": _l("adjustment"),
    "dispatched": _l("sent to stores"),
}

MOVEMENTS = {
    "sold": _l("Sold"),
    "returned": _l("Customer refund"),
    "received": _l("Receiving"),
    "moved": _l("Moved"),
    "refilled": _l("Refilled"),
    "refill": _l("Refilled"),
    "picked": _l("Picked for an order"),
    "unpicked": _l("Put back from an order"),
    "counted": _l("Stock count"),
    "wasted": _l("Waste"),
    "write_off_undone": _l("Write-off undone"),
    "recalled": _l("Recalled"),
    "opening": _l("Opening stock"),
    "undone": _l("Import undone"),
    "dispatched": _l("Sent to a store"),
    "sent_back": _l("Return to supplier"),
    "passed_on": _l("Handed to another store"),
    "claimed": _l("Claimed: not sellable"),
}

COUNT_REASONS = {
    "below-zero": _l("More was removed than on record."),
    "held-beyond-stock": _l("More is reserved for customers than is on record."),
}

COUPON_WORDS = {
    "unknown": _l("Coupon not found. Check the code."),
    "used-up": _l("This coupon has been used up."),
    "ended": _l("This coupon has expired."),
    "unfit": _l("It saves nothing on this basket."),
}

MESSAGE_KINDS = {
    "welcome": _l("New customers: welcome"),
    "win_back": _l("Lapsed customers: win back"),
    "friend": _l("Regulars: a code for friends"),
}

PRODUCER_KINDS = {
    "farmer": _l("Farmer"),
    "cooperative": _l("Cooperative"),
    "maker": _l("Manufacturer"),
    "store": _l("Nearby store"),
}

CHANGE_REASONS, DIFFERENCE_REASONS = reasons("change-"), reasons("difference-")
SEND_BACK_REASONS, DECLINE_REASONS = reasons("send-back-"), reasons("decline-")
REFUSE_REASONS, CANCEL_REASONS, NOT_MET_REASONS = reasons("refuse-"), reasons("cancel-"), reasons("not-met-")
ROLES = {
    "cashier": _l("Cashier"),
    "supervisor": _l("Supervisor"),
    "shopkeeper": _l("Shopkeeper"),
    "operator": _l("Operator"),
    "buyer": _l("Buyer"),
    "warehouse": _l("Warehouse"),
    "finance": _l("Finance"),
    "support": _l("Support"),
    "reader": _l("Read-only"),
}

PAPERS = {
    "receipt": _l("Receipt"),
    "label": _l("Shelf label"),
    "pickup": _l("Pickup slip"),
    "z": _l("Z report"),
    "x": _l("X report"),
    "tab_paid": _l("Tab payment"),
    "transfer": _l("Bank transfer"),
    "statement": _l("Statement"),
    "voucher": _l("Voucher"),
    "goods_back": _l("Supplier return slip"),
    "bin": _l("Bag label"),
    "drawer": _l("Drawer slip"),
    "gift": _l("Gift receipt"),
    "cash": _l("Cash in/out slip"),
    "pick_list": _l("Pick list"),
    "delivery": _l("Delivery slip"),
    "claim": _l("Claim"),
    "supplier_order": _l("Order to a supplier"),
    "count_sheet": _l("Count sheet"),
    "price_batch": _l("New price list"),
    "test": _l("Test page"),
}

TOPICS = {
    "sale.completed": _l("Sale"),
    "shift.closed": _l("Closed shift"),
    "cash.moved": _l("Cash movement"),
    "stock.counted": _l("Stock count"),
    "stock.moved": _l("Stock movement"),
    "tab.moved": _l("Customer’s tab"),
    "order.sent": _l("Order"),
    "delivery.posted": _l("Goods receipt"),
    "network_offer.answered": _l("Response to an offer"),
    "assortment.reported": _l("Assortment"),
    "transfer.sheet": _l("Surplus report"),
    "transfer.answered": _l("Response to a transfer"),
    "transfer.given": _l("Transfer handed over"),
    "transfer.taken": _l("Transfer received"),
    "transfer.back": _l("Transfer reclaimed"),
    "shelf.approved": _l("Shelf plan"),
    "storefront.published": _l("Online store"),
    "pickup.moved": _l("Pickup order"),
    "campaign.answered": _l("Response to a campaign"),
    "pickup.taken": _l("Counter order"),
    "pickup.money": _l("Payment for a counter order"),
    "credit.asked": _l("Order on credit"),
    "advance.asked": _l("Advance request"),
    "objection.raised": _l("Dispute"),
    "account.bank_reported": _l("Bank account"),
    "consigned.reported": _l("Consignment stock"),
    "return.sent": _l("Supplier return"),
    "claim.filed": _l("Claim"),
    "claim.photo": _l("Claim photo"),
    "claim.contested": _l("Contested claim"),
    "agent.reported": _l("Producer's agent"),
    "agent.parts": _l("Agents' shares of a statement"),
    "account.lost": _l("Account entry"),
    "delivery.refused": _l("Refused delivery"),
    "group.arrived": _l("Group buy: receiving"),
    "group.opened": _l("Group buy"),
    "order.cancelled": _l("Canceled order"),
    "points.member": _l("Points member"),
    "points.moved": _l("Points entry"),
    "points.part": _l("Points participation"),
    "product.photo": _l("Photo of a product"),
    "produce.picture": _l("Picture of an own product"),
    "produce.reported": _l("Own product"),
    "recall.cleared": _l("Recall: shelf cleared"),
    "review.answered": _l("Reply to a review"),
    "review.flagged": _l("Reported review"),
    "day.reported": _l("Figures of a day"),
    "standing.counts": _l("Membership level figures"),
    "support.reported": _l("Permission for support"),
    "leave.said": _l("Leaving the network"),
}
_EDITIONS = {
    "catalogue": _l("catalog"), "offers": _l("promotions"), "suppliers": _l("suppliers"),
    "demand": _l("demand figures"),
    "forecast": _l("forecast"), "lessons": _l("lessons"), "compare": _l("benchmarks"), "points": _l("points program"),
    "surroundings": _l("holidays and weather"),
}  # fmt: skip


def place_word(place: str) -> str:
    """Return a place of the stock ledger in the reader's words."""
    return str(PLACES.get(place, place))


def movement_word(reason: str) -> str:
    """Return why goods moved in the reader's words."""
    return str(MOVEMENTS.get(reason, reason.replace("_", " ").replace("-", " ")))


def count_reason(reason: str) -> str:
    """Return why a product wants counting, as a sentence."""
    return str(COUNT_REASONS.get(reason, reason))


def role_word(role: str) -> str:
    """Return a role in the reader's words."""
    return str(ROLES.get(role, role))


def topic_word(topic: str) -> str:
    """Return what a message to the network tells of."""
    return str(TOPICS.get(topic, topic))


def joined(sentences: list[str]) -> str:
    """Return sentences as one paragraph; Chinese sets no blank between them."""
    return ("" if str(get_locale()).startswith("zh") else " ").join(sentences)


def few(names: Collection[str], most: int = 4) -> str:
    """Name the first, and say how many more there are."""
    reported, rest = _(", ").join(list(names)[:most]), len(names) - most
    return _("%(names)s and %(num)d more", names=reported, num=rest) if rest > 0 else reported


def weekday(day: dt.date) -> str:
    """Return 'Tuesday' in the reader's language."""
    return str(format_date(day, "EEEE"))


def days(first: dt.date, last: dt.date) -> str:
    """Return days from one until another in words: 'Thu, Dec 24 – Sat, Dec 26'; one day alone."""
    return presenting.day(first) if first == last else f"{presenting.day(first)} – {presenting.day(last)}"


def day_or_weekday(day: dt.date, today: dt.date) -> str:
    """Return today, tomorrow, a weekday within the week, else the date."""
    days = (day - today).days
    if days == 0:
        return str(_("today"))
    if days == 1:
        return str(_("tomorrow"))
    if 1 < days < 7:
        return weekday(day)
    return presenting.day(day)


def decimal_text(value: float) -> str:
    """Return a rate with one decimal below ten and none above: '0.3', '1.3', '14'."""
    if 0 < value < 0.05:
        return _("less than 0.1")
    return presenting.number(value, 1 if value < 9.95 else 0)


def unit_word(stock_unit: str) -> str:
    """Return the unit a quantity is typed in."""
    return {"gram": "g", "millilitre": "ml"}.get(stock_unit) or _("units")


def packs_text(packs: int, pack_qty: int, unit_text: str) -> str:
    """Return '2 cases of 12', or '3' when the pack is a single one."""
    if pack_qty == 1:
        return ngettext("%(num)d unit", "%(num)d units", packs)
    return ngettext("%(num)d case of %(qty)s", "%(num)d cases of %(qty)s", packs, qty=unit_text)


def shelf_sentence(why: Mapping[str, Any]) -> str:
    """Return why a product stands on the bestseller shelf."""
    region, own = why.get("region_per_day_milli", 0) / 1000, why.get("own_per_day_milli", 0) / 1000
    if not why.get("stocked", True):
        said = [_("You do not carry it yet; stores in the region sell %(rate)s a day.", rate=decimal_text(region))]
    elif region:
        said = [
            _(
                "Sells %(own)s a day here, %(region)s in the region's stores.",
                own=decimal_text(own),
                region=decimal_text(region),
            )
        ]
    else:
        said = [_("Sells %(own)s a day here.", own=decimal_text(own))]
    online_bp, trend_bp = why.get("online_share_bp", 0), why.get("trend_bp", 0)
    if online_bp >= 500:
        said.append(_("%(share)s of it is ordered online.", share=presenting.percent(online_bp, 0)))
    if trend_bp >= 2_000:
        said.append(_("Rising: %(trend)s above previous weeks.", trend=presenting.percent(trend_bp, 0)))
    elif trend_bp <= -2_000:
        said.append(_("Falling: %(trend)s below previous weeks.", trend=presenting.percent(-trend_bp, 0)))
    if why.get("outside"):
        said.append(_("Place %(place)s at %(source)s.", place=why["external_rank"], source=why["outside"]))
    if why.get("campaign"):
        said.append(_("For the campaign %(name)s.", name=why["campaign"]))
    if why.get("trial"):
        said.append(_("New here: on trial."))
    return joined(said)


def swap_sentence(why: Mapping[str, Any]) -> str:
    """Return what a product is swapped in for and what is expected of it; '' where it is no swap."""
    swap = why.get("swap")
    if not swap:
        return ""
    more = decimal_text(swap["expected_milli"] / 1000)
    return _("Replaces %(name)s: %(more)s more a day expected.", name=swap["out_name"], more=more)


def paper_word(kind: str) -> str:
    """Return what kind of paper a print job is."""
    return str(PAPERS.get(kind, kind))


PERMISSION_WORDS = {
    "over_short": _l("closing a drawer with a difference"),
    "pay_in": _l("a pay-in above the limit"),
    "pay_out": _l("a pay-out above the limit"),
    "drop": _l("a drop above the limit"),
    "baskets.others": _l("taking over a basket from another till"),
    "drawer.others": _l("another person’s drawer"),
    "voucher.code": _l("a voucher’s whole code"),
    "price.override": _l("another price"),
    "discount": _l("a discount"),
    "void": _l("voiding a basket"),
    "no_sale": _l("opening the drawer without a sale"),
    "empties": _l("refunding more empties than allowed"),
    "take_back": _l("a refund"),
    "take_back.blind": _l("a refund without a receipt"),
    "shift": _l("counting the drawer"),
}


def edition_word(kind: str) -> str:
    """Return what people call an edition of the network."""
    return str(_EDITIONS.get(kind, kind))


def permission_word(permission: str) -> str:
    """Return what somebody's leave is wanted for."""
    return str(PERMISSION_WORDS.get(permission, permission))


def cash_word(kind: str) -> str:
    """Return what a movement of the drawer is called."""
    return code_word(CASH, kind, presenting.speech())


def event_word(kind: str) -> str:
    """Return what something done beside selling is called."""
    return code_word(EVENTS, kind, presenting.speech())


def tender_word(tender: str) -> str:
    """Return what a tender is called."""
    return _(tender_of(tender).words)


def tender_choices(spot: Spot) -> list[tuple[str, str, bool]]:
    """Return what can be chosen at a spot: name, words, and whether it leaves a slip."""
    return [(row.name, _(row.says(spot)), row.slip) for row in offered(spot).values()]
