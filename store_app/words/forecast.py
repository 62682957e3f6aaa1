"""How a product was forecast, in the shopkeeper's words."""

import datetime as dt
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from store_app.web.presenting import day, number, percent
from store_app.words.words import weekday
from supply.demand.expected import OLDEST_DAYS
from supply.demand.promotion_days import OFFER, PRICE

REASONS: dict[str, Any] = {
    "own_history": _l("Based on your sales and the region's."),
    "thin_history_borrowed": _l("It has rarely sold here, so this is mostly the region's figure."),
    "new_product_borrowed": _l("It has never sold here. This is what the region sells, scaled to this store."),
    "new_in_region_borrowed": _l(
        "It has never sold in this region. This is what stores elsewhere sell, scaled to this store."
    ),
    "new_in_region": _l("No store in the region has sold it. This is what a typical product in its category sells."),
    "no_regional_signal": _l("Based on this store's own sales only."),
    "no_history_category": _l("It has never sold here. This is what a typical product in its category sells."),
    "stopped_selling": _l("It has not sold for a while, so little is expected. Do you still want it?"),
    "silent_longer": _l("It hasn't sold for longer than usual, so the forecast is lower. Demand may be fading."),
    "selling_less": _l("It is selling at less than half its yearly average, so the forecast is lower."),
    "never_sold": _l("It was on sale for weeks and no one bought it."),
    "no_history": _l("No data yet."),
    "not_finite": _l("The forecast could not be calculated. The four-week average is used."),
    "fell_back": _l("Last week the four-week average was more accurate for such products, so it is used for now."),
}
_UNREADABLE = ("bad-forecast", "broken-body", "unknown-encoding", "incomplete-forecast", "not-a-number", "not-a-day")
METHODS: dict[str, Any] = {
    "level_filter": _l("Method: a level that follows the product's sales, with most weight on recent days."),
    "level_filter+region": _l(
        "Method: a level that follows the product's sales, with most weight on recent days, plus the region's models."
    ),
    "region_share": _l("Method: this store's share of the region's forecast."),
    "category_level": _l("Method: the usual level of its category in this store."),
    "mean_28": _l("Method: the four-week average, the same every day."),
}
WEATHER: dict[tuple[str, bool], Any] = {
    ("temperature", True): _l("Warmer than usual"),
    ("temperature", False): _l("Colder than usual"),
    ("rain", True): _l("Wetter than usual"),
    ("rain", False): _l("Drier than usual"),
}
STALE_DAYS = 2
A_MONDAY = dt.date(2024, 1, 1)
REPORTED_FROM = 0.1
"""A weekday this far from an ordinary day is worth a word, and so is this share of the region, or such a season."""
SPECIAL_FROM = 1.3
"""So many times, or a part so small, as on the same weekday of the other week: a day of its own."""
EVEN = ("mean_28", "zero")
HARDLY = 0.05
"""A smaller share more than this is hardly more."""


def age_sentence(age_days: int | None) -> str:
    """Say how old the forecast behind an order is, None: there is none; beyond OLDEST_DAYS it is not behind it."""
    if age_days is None:
        return _("There is no forecast yet. Orders use the four-week average instead.")
    if age_days == 0:
        return _("Based on sales up to last night.")
    if age_days < STALE_DAYS:
        return ngettext("The forecast is %(num)d day old.", "The forecast is %(num)d days old.", age_days)
    if age_days <= OLDEST_DAYS:
        return ngettext(
            "The forecast is %(num)d day old. Check fast sellers.",
            "The forecast is %(num)d days old. Check fast sellers.",
            age_days,
        )
    return ngettext(
        "The forecast is %(num)d day old, too old for ordering. Orders use the four-week average instead.",
        "The forecast is %(num)d days old, too old for ordering. Orders use the four-week average instead.",
        age_days,
    )


def forecast_sentences(seen: Mapping[str, Any], quantity: Callable[[float], str]) -> list[str]:
    """Say how a product is forecast, of what `supply.demand.forecasts.as_seen` tells; [] without a forecast."""
    why = seen["why"]
    if not why:
        return []
    said = [_("About %(qty)s on a typical day.", qty=quantity(float(why["level"])))]
    if why["model"] not in EVEN and float(why["level"]) > 0:
        said += _differing_days(seen)
    said += [
        _("%(campaign)s: %(times)s times the usual sales expected from %(first)s to %(last)s.",
          campaign=name, times=number(factor, 1), first=day(first), last=day(last))
        for name, first, last, factor in why["campaigns"]
    ]  # fmt: skip
    if why["model"] not in EVEN:
        said += [_offer(name, first, last, why["moved"]) for name, first, last in why["offers"]]
        said += [_around(*one) for one in why["moved"] if one[0] != OFFER]
    if seen["empty"]:
        said.append(
            ngettext(
                "On %(num)d day shown, the shelf was empty part of the day. Missed sales count as demand.",
                "On %(num)d days shown, the shelf was empty part of the day. Missed sales count as demand.",
                len(seen["empty"]),
            )
        )
    if str(why["reason"]) in REASONS:
        said.append(str(REASONS[str(why["reason"])]))
    if float(why["regional_share"]) >= REPORTED_FROM:
        said.append(
            _("%(share)s of it comes from the region's data.", share=percent(10_000 * float(why["regional_share"]), 0))
        )
    if str(why["model"]) in METHODS:
        said.append(str(METHODS[str(why["model"])]))
    return said + watched_sentences(why["watched"], also_fallen=False)


def watched_sentences(watched: str | None, *, also_fallen: bool = True) -> list[str]:
    """Say what last night's look at the forecast found (`accuracy.watch.reported`); [] when all is well."""
    said, found = [], watched or ""
    if also_fallen and "fell_back:" in found:
        said.append(_("For some products the four-week average was more accurate last week, so it is used for now."))
    if "drifts:" in found:
        said.append(_("Last week, some products sold well above or below forecast. Check the important ones."))
    return said


# --- inside ---


def not_taken(why: str | None) -> str:
    """Say why the network did not take a store's forecast (`reported_forecasts`), '' where it did."""
    if not why:
        return ""
    code, _colon, sentence = why.partition(": ")
    return {
        "forecast-too-high": _("it expects more than twice what was sold"),
        "not-sold-yet": _("no sales from this store on record yet"),
        "newer-version": _("the network's software is older than the store's"),
        "impossible-day": _("its last day isn't over yet by the network's clock"),
        "too-large": _("it is too large to send"),
        **dict.fromkeys(_UNREADABLE, _("it cannot be read")),
    }.get(code, sentence or code)


def _differing_days(seen: Mapping[str, Any]) -> list[str]:
    """Say what weekdays, the time of the year, and single days make of an ordinary day."""
    said, why = [], seen["why"]
    week = [float(factor) for factor in why["weekday_profile"]]
    shut = [at for at, factor in enumerate(week) if factor == 0.0]
    opened = [at for at in range(len(week)) if at not in shut]
    if opened and max(week) > 1.0 + REPORTED_FROM:
        best, least = max(opened, key=week.__getitem__), min(opened, key=week.__getitem__)
        said.append(
            _("Best day: %(best)s (%(more)s times the average). Slowest: %(least)s (%(less)s times).",
              best=_day(best), more=number(week[best], 1), least=_day(least), less=number(week[least], 1))
        )  # fmt: skip
    if shut:
        said.append(_("No sales expected on: %(days)s.", days=", ".join(_day(at) for at in shut)))
    season, special = beyond_weekdays([(when, mean) for when, mean, *_rest in seen["ahead"]], float(why["level"]), week)
    if season >= 1.0 + REPORTED_FROM:
        said.append(_("The season and time of month raise demand by %(share)s.",
                      share=percent(10_000 * (season - 1.0), 0)))  # fmt: skip
    elif 0.0 < season <= 1.0 - REPORTED_FROM:
        said.append(_("The season and time of month lower demand by %(share)s.",
                      share=percent(10_000 * (1.0 - season), 0)))  # fmt: skip
    planned = [(first, last) for _name, first, last, _factor in why["campaigns"]]
    planned += [(moved := dt.date.fromisoformat(one), moved) for _name, days, *_rest in why["moved"] for one in days]
    said += [
        _("%(day)s is a special day: %(times)s times a usual %(weekday)s expected.",
          day=day(when), times=number(times, 1), weekday=weekday(when))
        for when, times in special
        if not any(first <= when <= last for first, last in planned)
    ]  # fmt: skip
    return said


def _offer(name: str, first: dt.date, last: dt.date, moved: Sequence[Any]) -> str:
    """Say what an offer is expected to bring, of what stands of offers in `ForecastSeries.moved`."""
    factors = [
        factor for what, days, factor, _more in moved
        if what == OFFER and any(first <= dt.date.fromisoformat(one) <= last for one in days)
    ]  # fmt: skip
    spell = {"offer": name, "first": day(first), "last": day(last)}
    if not factors:
        return _("%(offer)s, %(first)s to %(last)s: the effect is not known yet; the first days will show it.", **spell)
    if factors[0] < 1.0 + HARDLY:
        return _("%(offer)s, %(first)s to %(last)s: little more expected. Similar promotions had little "
                 "effect here and in the region.", **spell)  # fmt: skip
    return _("%(offer)s, %(first)s to %(last)s: %(share)s more expected, as with similar promotions "
             "here and in the region.", share=percent(10_000 * (factors[0] - 1.0), 0), **spell)  # fmt: skip


def _around(name: str, days: Sequence[str], factor: float, more_of_it: bool) -> str:
    """Say what a price, school holidays or weather make of days ahead
    (`supply.demand.forecasts.ForecastSeries.moved`)."""
    dates = [dt.date.fromisoformat(one) for one in days]
    share = percent(10_000 * abs(factor - 1.0), 0)
    if name == PRICE:
        spell = {"first": day(dates[0]), "last": day(dates[-1]), "share": share}
        if factor >= 1.0:
            return _("Price from %(first)s to %(last)s: %(share)s more expected than at the usual price.", **spell)
        return _(
            "New price from %(first)s to %(last)s: expected sales are %(share)s lower than at the usual price.", **spell
        )
    if name == "school holidays":
        first, last = day(dates[0]), day(dates[-1])
        if factor >= 1.0:
            return _("School holidays on weekdays from %(first)s to %(last)s: %(share)s more expected.",
                     first=first, last=last, share=share)  # fmt: skip
        return _("School holidays on weekdays from %(first)s to %(last)s: %(share)s less expected.",
                 first=first, last=last, share=share)  # fmt: skip
    what, when = WEATHER[name, more_of_it], _(", ").join(day(one) for one in dates)
    if factor >= 1.0:
        return _("%(what)s (%(days)s): %(share)s more expected.", what=what, days=when, share=share)
    return _("%(what)s (%(days)s): %(share)s less expected.", what=what, days=when, share=share)


def beyond_weekdays(
    ahead: Sequence[tuple[dt.date, float]], level: float, week: Sequence[float]
) -> tuple[float, list[tuple[dt.date, float]]]:
    """Return what the days ahead have in common beyond level and weekdays, and the days that stand out from it.

    ahead: days with their means; level: units on an ordinary day; week: weekday factors. A day stands out by
    SPECIAL_FROM from what is common, further than the same weekday of another week and by as much from that.
    """
    usual = {when: level * week[when.weekday()] for when, _mean in ahead}
    factor = {when: mean / usual[when] for when, mean in ahead if usual[when] > 0}
    if not factor:
        return 1.0, []
    common = statistics.median(factor.values())
    if common <= 0:
        return common, []
    special = []
    for when, times in factor.items():
        others = [factor[other] for other in factor if other != when and other.weekday() == when.weekday()]
        beside = [common, *others]
        if all(_stands_out(times, other) for other in beside) and all(
            _off(times, common) > _off(other, common) for other in others
        ):
            special.append((when, times / common))
    return common, special


def _stands_out(times: float, beside: float) -> bool:
    return times > SPECIAL_FROM * beside or times * SPECIAL_FROM < beside


def _off(times: float, common: float) -> float:
    return abs(math.log(max(times, 1e-9) / common))


def _day(at: int) -> str:
    return weekday(A_MONDAY + dt.timedelta(days=at))
