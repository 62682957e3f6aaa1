"""Words and sentences of the work in the store: why a product is to be checked, why goods are written off."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from pos.documents.goods import WHY_BACK
from pos.stock.checklist import CheckLine
from store_app.web.presenting import qty
from store_app.words import words

SELDOM = 0.5
"""Sales a day below which one is said to come once in so many days."""
WASTE_REASONS = {
    "expired": _l("Past its date"),
    "breakage": _l("Breakage"),
    "damaged": _l("Damaged or spoiled"),
    "theft": _l("Stolen"),
    "own_use": _l("Used in the store"),
    "recall": _l("Recalled"),
    "other": _l("Another reason"),
}

REASON_ICONS = {
    "expired": "calendar-days",
    "breakage": "bolt",
    "damaged": "face-frown",
    "theft": "eye-slash",
    "own_use": "home",
    "recall": "no-symbol",
    "other": "pencil-square",
}

BACK_REASONS = {code: _l(why) for code, why in WHY_BACK.items()}
BACK_ICONS = {
    "damaged": "bolt",
    "expired": "calendar-days",
    "recalled": "no-symbol",
    "wrong_delivery": "truck",
    "sale_or_return": "arrow-uturn-left",
    "other": "pencil-square",
}

AFTERWARDS = {
    "destroy": _l("Stores destroy them"),
    "send_back": _l("Stores give them to the driver"),
}
"""What becomes of recalled goods (`recall.AFTERWARDS`)."""
LIFT_REASONS = words.reasons("lift-")


def waste_word(reason: str) -> str:
    """Return why goods were written off, or found missing, in the reader's words."""
    if reason == "unexplained":
        return _("Missing after a count")
    return str(WASTE_REASONS.get(reason, reason.replace("_", " ")))


def room_qty(units: int, stock_unit: str) -> str:
    """Return how much is in a room; what was sold there before it was moved there or counted is short."""
    return _("short by %(qty)s", qty=qty(-units, stock_unit)) if units < 0 else qty(units, stock_unit)


def back_word(reason: str) -> str:
    """Return why goods go back, in the reader's words; '' for goods that come in."""
    return str(BACK_REASONS.get(reason, reason))


def check_sentence(line: CheckLine) -> str:
    """Return why a product is to be checked."""
    there = qty(line.on_hand, line.stock_unit)
    if line.kind == "below-zero":
        return _("Sold more than recorded (%(qty)s). Please count.", qty=there)
    if line.kind == "count-asked":
        return words.count_reason(line.task_reason or "")
    if line.kind == "expired":
        over = qty(line.expires_qty, line.stock_unit)
        return _("Sell or remove %(qty)s today. Check Expiry.", qty=over)
    if line.kind == "not-selling":
        days, rate = line.quiet_days or 0, line.per_day or 0.0
        if rate * days < 1:  # what it sells now has sunk with the silence, and says nothing of before
            return ngettext(
                "No sales for a whole day, although it sold before and the records show stock.",
                "No sales for %(num)d days, although it sold before and the records show stock.",
                days,
            )
        if rate < SELDOM:
            return ngettext(
                "It usually sells about once every %(every)s days, but has not sold for %(num)d day, although the "
                "records show stock.",
                "It usually sells about once every %(every)s days, but has not sold for %(num)d days, although "
                "the records show stock.",
                days,
                every=f"{1 / rate:.0f}",
            )
        return ngettext(
            "It usually sells about %(rate)s times a day, but has not sold for %(num)d whole day, although the "
            "records show stock.",
            "It usually sells about %(rate)s times a day, but has not sold for %(num)d days, although the records "
            "show stock.",
            days,
            rate=words.decimal_text(rate),
        )
    if line.kind == "lost":
        return _("%(qty)s went missing in recent weeks. Check for more.", qty=qty(line.lost_qty, line.stock_unit))
    return _("Never counted.")


def days_left(days: int) -> str:
    """Return how many days a lot may still be sold."""
    if days < 0:
        return ngettext("expired %(num)d day ago", "expired %(num)d days ago", -days)
    if days == 0:
        return _("last day today")
    return ngettext("%(num)d day left", "%(num)d days left", days)
