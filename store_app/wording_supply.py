"""Words for what passes between a shop, its suppliers and the network: letters, claims, goods between shops."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from store_app.presenting import clock_time, number
from store_app.wording import day_or_weekday
from supply import order_money
from supply.order_letters import OrderLetter

LETTER_FAULTS = {
    "no-mail-server": _l("This shop has no mail server. Print the order, or let the settings name one (notify)."),
    "unreachable": _l("The mail server does not answer. Send it once more, or print it."),
}


REASONS = {
    "budget": _l("the week’s money"),
    "line": _l("what the network lets you buy"),
    "no-room": _l("the room there is"),
    "short-lived": _l("what would expire"),
    "minimum": _l("the least packs of an order"),
    "filled-up": _l("the supplier’s minimum"),
}


def more_facts(
    why: Mapping[str, Any], *, quantity: Callable[[float], str], amount: Callable[[int], str], today: dt.date
) -> list[tuple[str, str]]:
    """Return what else a line stands on: show, what will expire, what set its size, and what others would cost."""
    facts = []
    if (show := int(why.get("show_qty") or 0)) > 0:
        facts.append((_("Stands for show"), quantity(show)))
    if outdating := float(why.get("outdating") or 0):
        facts.append((_("Will expire unsold"), quantity(outdating)))
    if (reason := REASONS.get(str(why.get("reason")))) is not None:
        facts.append((_("Its size follows"), str(reason)))
    for name, pack_qty, cost_minor, day in why.get("others") or ():
        told = _("%(cost)s for %(qty)s, comes %(day)s", cost=amount(cost_minor), qty=quantity(pack_qty),
                 day=day_or_weekday(dt.date.fromisoformat(day), today))  # fmt: skip
        facts.append((_("At %(supplier)s instead", supplier=name), told))
    return facts


def purse_words(name: str, left: int, cost: int, amount: Callable[[int], str]) -> tuple[str, str]:
    """Say what a purse has left for a proposal that costs so much, and how a change beyond it is told."""
    if name == order_money.LINE:
        beyond = _("%(amount)s beyond what the network lets you buy", amount="{amount}")
        if cost <= left:
            said = _("%(left)s may be bought from the network with this order.", left=amount(left))
        else:
            said = _(
                "%(amount)s beyond what the network lets you buy now, %(left)s. Approved, it waits until the network"
                " agrees.", amount=amount(cost - left), left=amount(left),
            )  # fmt: skip
        return said, beyond
    beyond = _("%(amount)s beyond the week’s money", amount="{amount}")
    if cost <= left:
        return _("%(left)s of the week’s money is left for this order.", left=amount(left)), beyond
    said = _(
        "%(amount)s beyond the week’s money: %(left)s is left for this order. Approved, it goes all the same.",
        amount=amount(cost - left), left=amount(left),
    )  # fmt: skip
    return said, beyond


def cut_of_line(name: str, packs_words: str, cost_words: str) -> str:
    """Say what of a product did not fit the money there is."""
    said: dict[str, Any] = {"packs": packs_words, "cost": cost_words}
    if name == order_money.LINE:
        return _("%(packs)s more for %(cost)s would be worth it: the network’s line does not reach.", **said)
    return _("%(packs)s more for %(cost)s would be worth it: the week’s money does not reach.", **said)


def cut_in_all(name: str, cost_words: str) -> str:
    """Say what of a whole proposal did not fit the money there is."""
    if name == order_money.LINE:
        return _("What brings most for the money comes first; goods for %(cost)s did not fit what the network lets you"
                 " buy on account or on credit.", cost=cost_words)  # fmt: skip
    return _("What brings most for the money comes first; goods for %(cost)s did not fit the week’s money.",
             cost=cost_words)  # fmt: skip


def letter_sentence(letter: OrderLetter) -> str:
    """Say where a letter to a supplier is, and what to do where it did not leave."""
    if letter.state == "withdrawn":
        return _("It had not left yet when the order was called off.")
    if letter.state == "sent":
        when = clock_time(letter.ended_at, True)
        if letter.how == "email":
            return _("Sent to %(address)s, %(when)s.", address=letter.address, when=when)
        return _("Handed over on paper, %(when)s.", when=when)
    if letter.state == "refused":
        if letter.fault_code == "address-refused":
            return _(
                "%(address)s was refused: %(words)s. The order stays as it is. Correct the address, or print it.",
                address=letter.address, words=letter.fault.rstrip("."),
            )  # fmt: skip
        return str(LETTER_FAULTS.get(letter.fault_code, letter.fault))
    if letter.how == "paper":
        return _("Print it and hand it to the supplier: they do not know of it yet.")
    if letter.fault_code:
        said: dict[str, Any] = {"address": letter.address}
        return _("The mail server does not answer; it is tried again. It goes to %(address)s.", **said)
    return _("It is on its way to %(address)s.", address=letter.address)


TRANSFER_REASONS = {
    "need-it": _l("We need it ourselves"),
    "no-room": _l("No room for it"),
    "no-time": _l("No time to bring or fetch it"),
    "not-here": _l("It does not sell here"),
    "other": _l("Another reason"),
}
LOST_REASONS = {
    "not-there": _l("It was not there to be fetched"),
    "lost": _l("It was lost on the way"),
    "other": _l("Another reason"),
}
"""Why handed-over goods did not come."""
PICK_REASONS = {
    "missing": _l("Not there"),
    "damaged": _l("Damaged or spoilt"),
    "expired": _l("Past its date"),
    "left": _l("Left for the next round"),
}
"""Why less is picked (`pick_list.REASONS`)."""
LESS_WORDS = {**PICK_REASONS, "shared": _l("Not enough for all"), "gone": _l("Gone when it was loaded")}
"""Why a shop gets less than it asked for (`order_sheet`)."""
TRANSFER_TAGS = {
    "proposed": ("info", _l("asked")),
    "agreed": ("warn", _l("agreed: to be fetched")),
    "handed_over": ("info", _l("handed over")),
    "received": ("good", _l("received")),
    "taken_back": ("info", _l("taken back")),
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
