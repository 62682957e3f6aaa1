"""Words for what passes between a store, its suppliers and the network: claims, pick lists, transfers."""

import datetime as dt

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from store_app.web.presenting import minute, number, qty
from store_app.words.promotions import weekday
from store_app.words.words import day_or_weekday, reasons
from supply.network.warehouse.allocation import Scarcity
from supply.network.warehouse.preview import Line
from supply.orders.delivery_calendar import DeliveryCalendar, next_cycle


def takes_orders(calendar: DeliveryCalendar, today: dt.date) -> str:
    """Say on which days a supplier takes orders, and until when."""
    days = sorted(calendar.order_weekdays)
    words = _("every day") if len(days) == 7 else _(", ").join(map(weekday, days))
    if calendar.every_weeks > 1:
        next_day = day_or_weekday(next_cycle(calendar, today).order_day, today)
        words = _("%(days)s every %(num)d weeks, next %(day)s", days=words, num=calendar.every_weeks, day=next_day)
    if calendar.cut_off_minute is None:
        return words
    return _("%(days)s until %(time)s", days=words, time=minute(calendar.cut_off_minute))


TRANSFER_REASONS, LOST_REASONS = reasons("transfer-"), reasons("lost-")
PICK_REASONS = {
    "missing": _l("Not there"),
    "damaged": _l("Damaged or spoiled"),
    "expired": _l("Past its date"),
    "left": _l("Held for the next route"),
}
"""Why less is picked (`pick_lists.REASONS`)."""
LESS_WORDS = {
    **PICK_REASONS,
    "recalled": _l("Recalled"),
    "shared": _l("Short in the warehouse"),
    "gone": _l("Out of stock when loading"),
    "set": _l("Set by hand"),
}
"""Why a store gets less than it asked for (`order_status`)."""


def waiting(count: int) -> str:
    """Say how many deliveries are loaded and on no vehicle that has left; the same count stands over the routes."""
    return ngettext(
        "%(num)d delivery loaded, waiting for a vehicle.", "%(num)d deliveries loaded, waiting for a vehicle.", count
    )


def shortage(scarce: Scarcity, unit: str) -> str:
    """Say with numbers why an order gets less than it asked for."""
    there, given, kept = (qty(units, unit) for units in (scarce.there_qty, scarce.given_qty, scarce.kept_qty))
    if not scarce.kept_qty:
        return _("%(there)s in the warehouse, %(given)s allocated.", there=there, given=given)
    return ngettext(
        "%(there)s in the warehouse, %(given)s allocated, %(kept)s kept for %(num)d store with a later order day.",
        "%(there)s in the warehouse, %(given)s allocated, %(kept)s kept for %(num)d stores with a later order day.",
        scarce.kept_for, there=there, given=given, kept=kept,
    )  # fmt: skip


STAYS_WORDS = {
    "nothing": _l("nothing was picked for it"),
    "called_off": _l("it has since been canceled"),
    "held": _l("its credit is on hold"),
    "over": _l("the picked lot has expired"),
    "recalled": _l("the picked lot is recalled"),
    "gone": _l("the picked lot is no longer on record; count it"),
    "odd": _l("it could not be processed; see Today"),
}
"""Why a store's part of a list stays (`picking.STAYS`)."""
TRANSFER_TAGS = {
    "proposed": ("info", _l("asked")),
    "agreed": ("warn", _l("agreed: to pick up")),
    "handed_over": ("info", _l("handed over")),
    "received": ("good", _l("received")),
    "taken_back": ("info", _l("reclaimed")),
    "declined": ("", _l("declined")),
    "lapsed": ("", _l("lapsed")),
}
"""state -> (kind of tag, word)."""


def transfer_tag(state: str) -> tuple[str, str]:
    """Return how a transfer's state is shown."""
    kind, word = TRANSFER_TAGS[state]
    return kind, str(word)


def distance(metres: int) -> str:
    """Return a way as people say it."""
    if metres < 1000:
        return _("%(num)s m", num=max(50, round(metres / 50) * 50))
    return _("%(num)s km", num=number(metres / 1000, 1))


ALLOCATION_WHYS = {
    "all": _l("All it ordered; it needs as much."),
    "above": _l("All it ordered, above its need: every need is met."),
    "shared": _l("Short: shared by need."),
    "met": _l("Its need is met; there is no more for what it ordered above it."),
    "credit": _l("Waits for credit: release it under Money."),
    "none": _l("Nothing for it: others have fewer days of supply, or nothing is left."),
}
"""Why a line gets what it gets (`preview.WHYS`)."""


def allocation_why(row: Line) -> str:
    """Say why a line gets what it gets, and who set it where somebody did."""
    change = row.change
    if row.why != "set" or change is None:
        return str(ALLOCATION_WHYS.get(row.why, _("Confirmed in full.")))
    words = _("Set by %(name)s: %(why)s.", name=change.by, why=change.why.rstrip(".。"))
    if change.rule_packs is None:
        return words
    return words + " " + ngettext("By need: %(num)d pack.", "By need: %(num)d packs.", change.rule_packs)
