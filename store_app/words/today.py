"""Words for what waits today and for the day's advice."""

from flask_babel import gettext as _

from config.words import N_
from pos.documents.paper import per_unit
from store_app.web.presenting import day, money, qty
from supply.membership.today import Advice

TITLES = {
    "recall": N_("Recalls"),
    "order": N_("Orders to approve or send"),
    "delivery": N_("Deliveries due"),
    "pickup": N_("Online orders"),
    "offer": N_("Network offers"),
    "campaign": N_("Campaigns"),
    "transfer": N_("Transfers"),
    "expiry": N_("Expiring today"),
    "count": N_("Items to count"),
    "label": N_("Labels not on the shelf yet"),
    "message": N_("Messages not sent"),
    "print": N_("Prints to check"),
}
"""What waits -> what it is called, in mail too."""
RARELY = 0.1  # units a day


def advice_words(one: Advice, per: tuple[str, int] = ("each", 1)) -> tuple[str, str]:
    """Say what to do, and why. per: stock unit and price quantity of a product that is priced nearby."""
    unit, price_quantity = per
    facts = one.facts

    def price(minor: int) -> str:
        return money(minor) + per_unit(price_quantity, unit)

    def rate(milli: int) -> str:
        return qty(round(milli / 1000, 2 if unit == "each" else 0), unit)

    if one.kind == "first-steps":
        return _("Finish setting up your store"), _("The next step is waiting under First steps.")
    if one.kind == "order":
        return (
            _("Order %(name)s", name=one.name),
            _("You have none left, and none is on order. It brings in about %(amount)s a week.",
              amount=money(one.worth_minor)),
        )  # fmt: skip
    if one.kind == "reduce":
        unit = facts["stock_unit"]
        said = {"qty": qty(facts["qty"], unit), "day": day(facts["expires_on"])}
        if facts["a_day"] < RARELY:
            why = _("Expiring %(day)s: %(qty)s. It rarely sells.", **said)
        else:
            rate_a_day = qty(round(facts["a_day"], 1 if unit == "each" else 0), unit)
            why = _("Expiring %(day)s: %(qty)s. You sell about %(rate)s a day.", **said, rate=rate_a_day)
        return _("Mark down %(name)s", name=one.name), why
    expected = _("Expected: %(gain)s more margin a week.", gain=money(one.worth_minor))
    if one.kind == "add":
        why = _("Nearby stores sell %(rate)s a day at about %(price)s. You have not sold it in four weeks.",
                rate=rate(facts["rate"]), price=price(facts["price"]))  # fmt: skip
        return _("Add %(name)s to your range", name=one.name), f"{why} {expected}"
    why = _("Your price: %(price)s. Nearby stores: about %(nearby)s. You sell %(rate)s a day.",
            price=price(facts["price"]), nearby=price(facts["nearby"]), rate=rate(facts["rate"]))  # fmt: skip
    return _("Review the price of %(name)s", name=one.name), f"{why} {expected}"
