"""Words for the promotions of a network: their kinds, what they are for, and how they stand."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from store_app.web.presenting import percent
from supply.network.offers.expectation import Power

GOALS = {
    "new": _l("Introduce a product"),
    "campaign": _l("Sell more"),
    "surplus": _l("Clear surplus stock"),
    "near_expiry": _l("Sell before it expires"),
}
"""What a promotion is for: the codes of `network_offers.KINDS`."""
KINDS = {
    "customer": (
        _l("Customer promotion"),
        _l("A price, 3 for 2 or a coupon, at the tills of all stores at once."),
        "gift",
    ),
    "offer": (
        _l("Network offer"),
        _l("One product for chosen stores, bought or on consignment. Each store accepts or declines."),
        "megaphone",
    ),
    "campaign": (
        _l("Campaign"),
        _l("Price, shelf space and stock for the same days, at each store that accepts; a hold-out group measures it."),
        "calendar-days",
    ),
}
"""kind -> (name, what it is, icon)."""
STATES = {
    "live": ("good", _l("active")),
    "coming": ("info", _l("upcoming")),
    "ended": ("", _l("ended")),
    "canceled": ("", _l("canceled")),
}
"""state -> (kind of tag, word), in the order of the list."""
SOURCES = {
    "typed": _l("your figure"),
    "learnt": _l("learnt from past promotions in its category"),
    "usual": _l("what campaigns usually bring"),
    "none": _l("no effect expected"),
}
"""Whence an uplift is known (`expectation.SOURCES`)."""


def power_words(found: Power) -> tuple[str, str]:
    """Say whether a hold-out can show the effect, and what it would take: the kind of note, and the sentences."""
    seen = _share(found.least)
    if found.verdict == "enough":
        return "good", _(
            "%(asked)d stores asked, %(held)d held out: effects from %(least)s are shown in 4 of 5 cases, if every "
            "store accepts.", asked=found.asked, held=found.held, least=seen,
        )  # fmt: skip
    if found.verdict == "few":
        words = _(
            "Nothing can be measured: %(asked)d asked and %(held)d held out, and each group needs three stores.",
            asked=found.asked, held=found.held,
        )  # fmt: skip
    elif found.verdict == "blind":
        words = _(
            "Nothing can be measured: sales vary so much that only effects from %(least)s would be shown, and "
            "%(effect)s is expected.", least=seen, effect=_share(found.effect),
        )  # fmt: skip
    else:
        return "warn", _("Nobody can say what could be measured: these stores have no past sales of these products.")
    if found.needed is None:
        return "warn", words + " " + _("No number of stores would show it.")
    asked, held = found.needed
    return "warn", words + " " + ngettext(
        "It takes %(num)d store: %(asked)d asked and %(held)d held out.",
        "It takes %(num)d stores: %(asked)d asked and %(held)d held out.", asked + held, asked=asked, held=held,
    )  # fmt: skip


def _share(value: float | None) -> str:
    return "–" if value is None else percent(round(10_000 * value), 0, plus=True)
