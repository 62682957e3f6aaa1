"""Offers as a shopkeeper says them: what is promised on what, when, for whom, and which kinds there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel import dates
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.money import BASIS
from pos.pricing.promises import BUNDLE_KINDS, Choice, Offer
from store_app.web.presenting import day, minute, money, percent

NAMED = 3
"""So many products are named in a sentence; then it says how many more there are."""


@dataclass(frozen=True)
class Kind:
    """A kind of offer to choose from: its key in the address, what it becomes, and an example."""

    key: str
    kind: str
    icon: str
    name: Any
    example: Any


KINDS = (
    Kind("percent", "percent", "receipt-percent", lazy("Percent off"), lazy("All teas: save 20%")),
    Kind("amount", "amount", "minus-circle", lazy("Amount off"), lazy("0.50 off every coffee")),
    Kind("price", "price", "tag", lazy("Special price"), lazy("Orange juice for 1.99, optionally for members only")),
    Kind("free", "nth", "gift", lazy("Every third item free"), lazy("3 for the price of 2, mixed as you like")),
    Kind("nth", "nth", "arrow-trending-down", lazy("Every second item discounted"),
         lazy("The second one at half price")),
    Kind("pack_price", "pack_price", "squares-plus", lazy("Multi-buy price"), lazy("Any 3 for 5.00")),
    Kind("bundle", "bundle", "puzzle-piece", lazy("Product bundle"), lazy("Sandwich, drink and fruit for 4.99")),
    Kind("together", "together", "link", lazy("Buy one, get another"), lazy("Buy a pizza, get a cola free")),
    Kind("soon", "percent", "clock", lazy("Close to expiry"), lazy("Expiring within 2 days: save 30%")),
    Kind("basket_percent", "basket_percent", "shopping-cart", lazy("Percent off the basket"),
         lazy("Spend 30.00 or more: save 5%")),
    Kind("basket_amount", "basket_amount", "banknotes", lazy("Amount off the basket"),
         lazy("Coupon: 5.00 off 30.00 or more")),
)  # fmt: skip
NTH = {2: lazy("second"), 3: lazy("third"), 4: lazy("fourth"), 5: lazy("fifth"), 6: lazy("sixth")}


def kind_of(key: str) -> Kind | None:
    """Return a kind by its key in the address."""
    return next((kind for kind in KINDS if kind.key == key), None)


def key_of(offer: Offer) -> str:
    """Return the key of the form an offer is changed with."""
    if offer.kind == "nth" and offer.percent_bp == BASIS:
        return "free"
    return "soon" if offer.kind == "percent" and offer.expires_within_days is not None else offer.kind


def sentence(offer: Offer, names: Mapping[str, str]) -> str:
    """Say an offer in one sentence: what it promises, then when and for whom. names: SKU -> name."""
    return _(", ").join([_promise(offer, names), *_conditions(offer)])


def badge(offer: Offer) -> str:
    """Say a promotion as a tile has room for it, beside the price: '3 for 2', '−20%'."""
    off, amount = percent(offer.percent_bp), money(offer.amount_minor)
    match offer.kind:
        case "percent":
            return f"−{off}"
        case "amount":
            return f"−{amount}"
        case "price":
            return amount
        case "nth" if offer.percent_bp == BASIS:
            return _("%(size)s for %(paid)s", size=offer.size, paid=offer.size - offer.reduced)
        case "nth":
            return _("%(reduced)s of %(size)s −%(off)s", reduced=offer.reduced, size=offer.size, off=off)
        case "pack_price":
            return _("%(size)s for %(amount)s", size=offer.size, amount=amount)
    return _("Bundle")


def choice_words(choice: Choice, names: Mapping[str, str]) -> str:
    """Name the products of a choice, few of them in full."""
    words = [names.get(sku, sku) for sku in sorted(choice.skus)]
    words += sorted(choice.categories) + sorted(choice.departments) + sorted(choice.brands)
    if choice.everything:
        words = [_("everything")]
    shown = _(", ").join(words[:NAMED])
    if more := len(words) - NAMED:
        shown = (
            ngettext("%(shown)s and %(num)d more", "%(shown)s and %(num)d more", more, shown=shown)
            if more > 0
            else shown
        )
    if but := sorted(choice.but_categories) + [names.get(sku, sku) for sku in sorted(choice.but_skus)]:
        shown = _("%(what)s except %(but)s", what=shown, but=_(", ").join(but[:NAMED]))
    return shown


# --- inside ---


def _promise(offer: Offer, names: Mapping[str, str]) -> str:
    what = choice_words(offer.parts[0].choice, names)
    off, amount = percent(offer.percent_bp), money(offer.amount_minor)
    match offer.kind:
        case "percent":
            return _("%(off)s off: %(what)s", off=off, what=what)
        case "amount":
            return _("%(amount)s off each: %(what)s", amount=amount, what=what)
        case "price":
            return _("%(amount)s each: %(what)s", amount=amount, what=what)
        case "nth":
            return _nth(offer, what)
        case "pack_price":
            return _("Any %(size)d for %(amount)s: %(what)s", size=offer.size, amount=amount, what=what)
        case "bundle":
            return _("%(what)s together for %(amount)s", what=_parts(offer, names), amount=amount)
        case "together":
            return _parts(offer, names)
    promise = (
        _("%(off)s off the basket", off=off)
        if offer.kind == "basket_percent"
        else _("%(amount)s off the basket", amount=amount)
    )
    if not offer.parts[0].choice.everything or offer.parts[0].choice.but_categories:
        promise = _("%(promise)s of %(what)s", promise=promise, what=what)
    return (
        _("%(promise)s when you spend %(amount)s or more", promise=promise, amount=money(offer.minimum_minor))
        if offer.minimum_minor
        else promise
    )


def _nth(offer: Offer, what: str) -> str:
    free = offer.percent_bp == BASIS
    if offer.reduced == 1 and offer.size in NTH:
        if free:
            return _("Every %(nth)s item free: %(what)s", nth=NTH[offer.size], what=what)
        return _(
            "Every %(nth)s item %(off)s off: %(what)s", nth=NTH[offer.size], off=percent(offer.percent_bp), what=what
        )
    if free:
        return _(
            "%(size)d for the price of %(paid)d: %(what)s", size=offer.size, paid=offer.size - offer.reduced, what=what
        )
    return _(
        "Buy %(size)d, get the %(reduced)d cheapest at %(off)s off: %(what)s",
        size=offer.size,
        reduced=offer.reduced,
        off=percent(offer.percent_bp),
        what=what,
    )


def _parts(offer: Offer, names: Mapping[str, str]) -> str:
    words = []
    for part in offer.parts:
        what = choice_words(part.choice, names)
        if part.qty > 1:
            what = _("%(qty)d × %(what)s", qty=part.qty, what=what)
        if offer.kind == "together" and part.off_bp:
            what = (
                _("%(what)s free", what=what)
                if part.off_bp == BASIS
                else _("%(what)s at %(off)s off", what=what, off=percent(part.off_bp))
            )
        words.append(what)
    return " + ".join(words)


def _conditions(offer: Offer) -> list[str]:
    words = []
    if offer.expires_within_days is not None:
        words.append(ngettext("expiring within %(num)d day", "expiring within %(num)d days", offer.expires_within_days))
    if offer.expires_on is not None:
        words.append(_("expiring on %(day)s", day=day(offer.expires_on)))
    if offer.weekdays:
        words.append(_("on %(days)s", days=_days(sorted(offer.weekdays))))
    if offer.from_minute is not None:
        words.append(
            _("from %(since)s to %(until)s", since=minute(offer.from_minute), until=minute(offer.until_minute or 0))
        )
    if offer.from_day:
        words.append(_("from %(day)s", day=day(offer.from_day)))
    if offer.until_day and offer.expires_on is None:
        words.append(_("until %(day)s", day=day(offer.until_day)))
    if offer.members_only:
        words.append(_("for members"))
    if offer.codes is not None:
        words.append(_("with a coupon"))
    if offer.most_times is not None:
        times = ngettext("up to %(num)d time per sale", "up to %(num)d times per sale", offer.most_times)
        words.append(times if offer.codes is None else ngettext(
            "%(num)d time per coupon", "%(num)d times per coupon", offer.most_times))  # fmt: skip
    if offer.stackable and offer.kind not in BUNDLE_KINDS:
        words.append(_("combines with other promotions"))
    return words


def _days(places: Sequence[int]) -> str:
    """Name days of the week; three or more on end as 'Mon–Fri'."""
    if len(places) > 2 and places[-1] - places[0] == len(places) - 1:
        return f"{weekday(places[0])}–{weekday(places[-1])}"
    return _(", ").join(weekday(one) for one in places)


def weekday(place: int) -> str:
    """Return a weekday's short name; 0 is Monday."""
    return str(dates.get_day_names("abbreviated", locale=get_locale())[place])
