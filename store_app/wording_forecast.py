"""How a product was forecast, in the shopkeeper's words."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from store_app.presenting import number
from store_app.wording import weekday

REASONS: dict[str, Any] = {
    "own_history": _l("It stands on this shop’s own sales, joined with how the product moves in the region."),
    "thin_history_borrowed": _l("It sold seldom here so far, so most of this comes from the region."),
    "new_product_borrowed": _l("It never sold here: this is what the region sells, at the size of this shop."),
    "new_in_region_borrowed": _l(
        "It never sold in this region: this is what shops elsewhere sell, at the size of this shop."
    ),
    "new_in_region": _l("Nobody in the region sold it yet: this is what a usual product of its aisle sells."),
    "no_regional_signal": _l("It stands on this shop’s own sales alone."),
    "no_history_category": _l("It never sold here: this is what a usual product of its aisle sells."),
    "stopped_selling": _l("It has not sold for long, so little is expected. Is it still wanted?"),
    "silent_longer": _l("It has been silent for longer than usual, so less is expected: it may be on its way out."),
    "selling_less": _l("It sells less than half of what it sold over the year, and the forecast follows it down."),
    "never_sold": _l("It was on offer for weeks and nobody bought it."),
    "no_history": _l("Nothing is known of it yet."),
    "not_finite": _l("Its numbers could not be worked out: the average of four weeks stands in."),
    "fell_back": _l("Last week the average of four weeks was nearer for such products, so it is used for now."),
}
A_MONDAY = dt.date(2024, 1, 1)
TOLD_FROM = 0.1
"""A weekday this far from an ordinary day is worth a word, and so is this share of the region."""


def forecast_sentences(why: Mapping[str, Any], quantity: Callable[[float], str]) -> list[str]:
    """Return level, weekdays, the region's part and the reason as sentences; [] without a forecast."""
    if not why:
        return []
    said = [_("On an ordinary day about %(qty)s are expected.", qty=quantity(float(why["level"])))]
    week = [float(factor) for factor in why["weekday_profile"]]
    shut = [at for at, factor in enumerate(week) if factor == 0.0]
    opened = [at for at in range(len(week)) if at not in shut]
    if opened and max(week) > 1.0 + TOLD_FROM:
        best, least = max(opened, key=week.__getitem__), min(opened, key=week.__getitem__)
        said.append(
            _("Most sells on %(best)s (%(more)s times as much), least on %(least)s (%(less)s times).",
              best=_day(best), more=number(week[best], 1), least=_day(least), less=number(week[least], 1))
        )  # fmt: skip
    if shut:
        said.append(_("Nothing is expected on: %(days)s.", days=", ".join(_day(at) for at in shut)))
    if str(why["reason"]) in REASONS:
        said.append(str(REASONS[str(why["reason"])]))
    if float(why["regional_share"]) >= TOLD_FROM:
        said.append(_("The region has a share of %(share)s %% in it.", share=round(100 * float(why["regional_share"]))))
    if "drifts:" in str(why.get("watched") or ""):
        said.append(_("Last week some products sold otherwise than forecast: look twice at what matters."))
    return said


def _day(at: int) -> str:
    return weekday(A_MONDAY + dt.timedelta(days=at))
