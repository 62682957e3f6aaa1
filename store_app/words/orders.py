"""Words of a proposal: why a line is on it, on what it stands, and what the money there is did not reach."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from store_app.web.presenting import percent
from store_app.words.words import day_or_weekday, joined
from supply.replenishment import budget

REASONS = {
    "budget": _l("the weekly budget"),
    "line": _l("the network's credit"),
    "no-room": _l("shelf space"),
    "short-lived": _l("expected waste"),
    "minimum": _l("minimum packs"),
    "filled-up": _l("the supplier's minimum"),
}
RISKS = {"likely": _l("likely"), "possible": _l("possible"), "": _l("unlikely")}


@dataclass(frozen=True)
class OrderWhy:
    """The facts behind an order line, as `supply` keeps them; quantities in stock units.

    per_day: expected units a day; expected: units wanted until the delivery after this one; method: 'forecast', or
    what stood in for it; missed: (order no., qty, day due) of what did not come and is not counted, no. 0: an offer,
    -1: a neighbour; risk_without_bp: how likely it sells out before the delivery after this one when nothing of it is
    ordered; first_day: the day it was told; consigned: units that are somebody else's, and until when they may go back.
    """

    per_day: float
    on_hand: int
    reserved: int
    on_the_way: int
    expected: float
    target: int
    service_bp: int
    risk_bp: int
    runs_out_day: dt.date | None
    method: str
    outdating: float
    first_day: dt.date | None = None
    consigned: tuple[int, dt.date] | None = None
    adjusted_qty: int = 0
    missed: tuple[tuple[int, int, dt.date], ...] = ()
    risk_without_bp: int = 0

    @property
    def have_qty(self) -> float:
        """What is there and coming, less what is promised and will expire unsold; below zero: more is promised."""
        position = self.on_hand - self.reserved + self.on_the_way
        return max(0.0, position - self.outdating) if position > 0 else position

    @property
    def is_out(self) -> bool:
        """Whether nothing was left to sell when it was told, and nothing came before it was wanted."""
        if self.on_hand > self.reserved or self.runs_out_day is None:
            return False
        return self.first_day is None or self.runs_out_day <= self.first_day + dt.timedelta(days=1)

    @classmethod
    def read(cls, why: Mapping[str, Any]) -> "OrderWhy":
        """Read the facts; what an older version did not keep counts as nothing."""
        runs_out, first, theirs = why.get("runs_out_day"), why.get("first_day"), why.get("consigned")
        return cls(
            per_day=float(why.get("per_day") or 0),
            on_hand=int(why.get("on_hand") or 0),
            reserved=int(why.get("reserved") or 0),
            on_the_way=int(why.get("on_the_way") or 0),
            expected=float(why.get("expected") or 0),
            target=int(why.get("target") or 0),
            service_bp=int(why.get("service_bp") or 0),
            risk_bp=int(why.get("risk_bp") or 0),
            outdating=float(why.get("outdating") or 0),
            runs_out_day=dt.date.fromisoformat(runs_out) if runs_out else None,
            method=str(why.get("method") or "forecast"),
            first_day=dt.date.fromisoformat(first) if first else None,
            consigned=(int(theirs[0]), dt.date.fromisoformat(theirs[1])) if theirs else None,
            adjusted_qty=int(why.get("adjusted_qty") or 0),
            missed=tuple((no, qty, dt.date.fromisoformat(day)) for no, qty, day in why.get("missed") or ()),
            risk_without_bp=int((why.get("risks_bp") or (0,))[0]),
        )


def order_sentence(why: OrderWhy, *, quantity: Callable[[float], str], today: dt.date) -> str:
    """Return why a line is proposed, in the shopkeeper's words. quantity: writes units of this product."""
    comma, semicolon, stop = (_(", "), _("; "), _("."))
    first = comma.join([_rate(why, quantity), *_here(why, quantity, today)])
    said = semicolon.join(filter(None, [first, _without(why, today)]))
    return joined([said + stop, *_missed(why, quantity, today)])


def _rate(why: OrderWhy, quantity: Callable[[float], str]) -> str:
    """Say what sells a day, and where."""
    if why.per_day <= 0:
        return _("No sales in four weeks") if why.method == "mean28" else _("No sales expected")
    if quantity(why.per_day) == quantity(0):
        return _("Sells about one every %(days)s days", days=round(1 / why.per_day))
    if why.method == "region28":
        return _("Nearby stores sell %(rate)s a day", rate=quantity(why.per_day))
    return _("Sells %(rate)s a day", rate=quantity(why.per_day))


def _here(why: OrderWhy, quantity: Callable[[float], str], today: dt.date) -> list[str]:
    """Say what is left, what of it is promised or somebody else's, and what comes."""
    said = [_("%(left)s left", left=quantity(why.on_hand)) if why.on_hand else _("none left")]
    if why.consigned:
        theirs, until = why.consigned
        said.append(_("including %(qty)s on consignment until %(day)s", qty=quantity(theirs),
                      day=day_or_weekday(until, today)))  # fmt: skip
    if why.reserved > why.on_hand:
        said.append(_("%(qty)s reserved, %(more)s more than in stock", qty=quantity(why.reserved),
                      more=quantity(why.reserved - why.on_hand)))  # fmt: skip
    elif why.reserved:
        said.append(_("%(qty)s reserved", qty=quantity(why.reserved)))
    if why.on_the_way:
        said.append(_("%(qty)s on order", qty=quantity(why.on_the_way)))
    return said


def _without(why: OrderWhy, today: dt.date) -> str:
    """Say what comes of ordering none of it; '' where that is said already."""
    if why.reserved > why.on_hand + why.on_the_way:
        return _("without it you cannot fill reservations")
    if why.is_out:
        return _("otherwise you have none left") if why.on_hand else ""
    if why.runs_out_day is not None:
        return _("without it you run out %(day)s", day=day_or_weekday(max(why.runs_out_day, today), today))
    if found := risk(why.risk_without_bp):
        return _("without it you will probably run out") if found == "likely" else _("without it you may run out")
    return _("you probably have enough without it")


def _missed(why: OrderWhy, quantity: Callable[[float], str], today: dt.date) -> list[str]:
    """Say what should be here, did not come, and is not counted."""
    reported = []
    for order_no, qty, due_day in why.missed:
        day = day_or_weekday(due_day, today)
        if order_no < 0:
            reported.append(_("A neighbor's transfer did not arrive (due %(day)s): its %(qty)s are not "
                              "counted.", day=day,
                          qty=quantity(qty)))  # fmt: skip
        elif order_no:
            reported.append(
                _(
                    "Order %(no)s did not arrive (due %(day)s): its %(qty)s are not counted.",
                    no=order_no,
                    day=day,
                    qty=quantity(qty),
                )
            )
        else:
            reported.append(
                _(
                    "A network offer did not arrive (due %(day)s): its %(qty)s are not counted.",
                    day=day,
                    qty=quantity(qty),
                )
            )
    return reported


def order_facts(why: OrderWhy, *, quantity: Callable[[float], str]) -> list[tuple[str, str]]:
    """Return the numbers behind the sentence, each with its name."""
    facts = [
        (_("Expected per day"), quantity(why.per_day)),
        (_("In the store"), quantity(why.on_hand)),
        (_("Reserved for customers"), quantity(why.reserved)),
        (_("On the way"), quantity(why.on_the_way)),
    ]
    if why.expected:
        facts.append((_("Stock needed to last until the second delivery from now"), quantity(why.expected)))
    if why.target:
        facts.append((_("Target stock"), quantity(why.target)))
    if why.adjusted_qty > 0:
        facts.append((_("Learned from your changes: hold more"), quantity(why.adjusted_qty)))
    elif why.adjusted_qty < 0:
        facts.append((_("Learned from your changes: hold less"), quantity(-why.adjusted_qty)))
    if why.risk_bp:
        facts.append((_("Running out"), str(RISKS[risk(why.risk_bp)])))
    if why.method == "mean28":
        facts.append((_("Based on"), _("the four-week average")))
    elif why.method == "region28":
        facts.append((_("Based on"), _("sales at nearby stores")))
    if why.service_bp:
        facts.append((_("Service level"), percent(why.service_bp, 0)))
    return facts


def risk(risk_bp: int) -> str:
    """Return what running out is called: 'likely', 'possible' or ''."""
    return "likely" if risk_bp >= 5_000 else "possible" if risk_bp >= 1_000 else ""


def more_facts(
    why: Mapping[str, Any], *, quantity: Callable[[float], str], amount: Callable[[int], str], today: dt.date
) -> list[tuple[str, str]]:
    """Return what else a line stands on: show, what will expire, what set its size, and what others would cost."""
    facts = []
    if (show := int(why.get("show_qty") or 0)) > 0:
        facts.append((_("Display stock"), quantity(show)))
    if (slot := int(why.get("slot_qty") or 0)) > 0:
        facts.append((_("Shelf slot capacity"), quantity(slot)))
    if outdating := float(why.get("outdating") or 0):
        facts.append((_("Expected to expire unsold"), quantity(outdating)))
    if (reason := REASONS.get(str(why.get("reason")))) is not None:
        facts.append((_("Limited by"), str(reason)))
    for name, pack_qty, cost_minor, day in why.get("others") or ():
        reported = _("%(cost)s for %(qty)s, arrives %(day)s", cost=amount(cost_minor), qty=quantity(pack_qty),
                 day=day_or_weekday(dt.date.fromisoformat(day), today))  # fmt: skip
        facts.append((_("From %(supplier)s instead", supplier=name), reported))
    return facts


def budget_words(name: str, left: int, cost: int, amount: Callable[[int], str]) -> tuple[str, str]:
    """Say what a purse has left for a proposal that costs so much, and how a change beyond it is told."""
    if name == budget.LINE:
        beyond = _("%(amount)s above your network credit", amount="{amount}")
        if cost <= left:
            said = _("Credit available from the network: %(left)s.", left=amount(left))
        else:
            said = _(
                "%(amount)s above your network credit of %(left)s. If you approve it, it will wait for the "
                "network's approval.", amount=amount(cost - left), left=amount(left),
            )  # fmt: skip
        return said, beyond
    beyond = _("%(amount)s above the weekly budget", amount="{amount}")
    if cost <= left:
        return _("%(left)s of the weekly budget left for this order.", left=amount(left)), beyond
    said = _(
        "%(amount)s above the weekly budget: %(left)s left for this order. You can approve it anyway.",
        amount=amount(cost - left), left=amount(left),
    )  # fmt: skip
    return said, beyond


def cut_of_line(name: str, packs_words: str, cost_words: str) -> str:
    """Say what of a product did not fit the money there is."""
    said: dict[str, Any] = {"packs": packs_words, "cost": cost_words}
    if name == budget.LINE:
        return _("%(packs)s more for %(cost)s would pay off, but your network credit is used up.", **said)
    return _("%(packs)s more for %(cost)s would pay off, but the weekly budget is used up.", **said)


def cut_in_all(name: str, cost_words: str) -> str:
    """Say what of a whole proposal did not fit the money there is."""
    if name == budget.LINE:
        return _("Products that earn most for the money come first; %(cost)s of products exceeded your "
                 "network credit.", cost=cost_words)  # fmt: skip
    return _("Products that earn most for the money come first; %(cost)s of products exceeded the weekly budget.",
             cost=cost_words)  # fmt: skip
