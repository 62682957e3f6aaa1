"""Words and sentences of the work in the store: why a product is to be checked, why goods are written off."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from pos.stock.checklist import CheckLine
from store_app.web.presenting import qty
from store_app.words import words

SELDOM = 0.5
"""Sales a day below which one is said to come once in so many days."""
WASTE_REASONS = {
    "expired": _l("Past its date"),
    "breakage": _l("Broken"),
    "damaged": _l("Damaged or spoilt"),
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

BACK_REASONS = {
    "damaged": _l("Damaged"),
    "expired": _l("Past its date"),
    "recalled": _l("Recalled"),
    "wrong_delivery": _l("Wrong delivery"),
    "sale_or_return": _l("Sale or return"),
    "other": _l("Another reason"),
}

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
LIFT_REASONS = {
    "all-well": _l("Tested: all is well"),
    "over": _l("The maker ended it"),
    "mistake": _l("It was called by mistake"),
    "other": _l("Another reason"),
}


def waste_word(reason: str) -> str:
    """Return why goods were written off, or found missing, in the reader's words."""
    if reason == "unexplained":
        return _("Found missing by counting")
    return str(WASTE_REASONS.get(reason, reason.replace("_", " ")))


def back_word(reason: str) -> str:
    """Return why goods go back, in the reader's words; '' for goods that come in."""
    return str(BACK_REASONS.get(reason, reason))


def check_sentence(line: CheckLine) -> str:
    """Return why a product is to be checked."""
    there = qty(line.on_hand, line.stock_unit)
    if line.kind == "below-zero":
        return _("More was sold than the records had: they say %(qty)s.", qty=there)
    if line.kind == "count-asked":
        return words.count_reason(line.task_reason or "")
    if line.kind == "expired":
        over = qty(line.expires_qty, line.stock_unit)
        return _("%(qty)s should be sold or taken away today. Look at the dates.", qty=over)
    if line.kind == "not-selling":
        days, rate = line.quiet_days or 0, line.per_day or 0.0
        if rate * days < 1:  # what it sells now has sunk with the silence, and says nothing of before
            return ngettext(
                "It sold before, but not for a whole day now. The records say that it is here.",
                "It sold before, but not for %(num)d days now. The records say that it is here.",
                days,
            )
        if rate < SELDOM:
            return ngettext(
                "It sells about once in %(every)s days, but not for %(num)d day now. The records say that it is here.",
                "It sells about once in %(every)s days, but not for %(num)d days now. The records say that it is here.",
                days,
                every=f"{1 / rate:.0f}",
            )
        return ngettext(
            "It sells about %(rate)s times a day, but not once for %(num)d whole day. The records say that it is here.",
            "It sells about %(rate)s times a day, but not once for %(num)d days. The records say that it is here.",
            days,
            rate=words.decimal_text(rate),
        )
    if line.kind == "lost":
        return _(
            "%(qty)s went missing in the last weeks. See whether more is gone.", qty=qty(line.lost_qty, line.stock_unit)
        )
    return _("Nobody has ever counted it.")


def days_left(days: int) -> str:
    """Return how many days a lot may still be sold."""
    if days < 0:
        return ngettext("over for %(num)d day", "over for %(num)d days", -days)
    if days == 0:
        return _("today is the last day")
    return ngettext("%(num)d day left", "%(num)d days left", days)
