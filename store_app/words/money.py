"""Words for the money between a store and the network: entries, the steps of a limit, holds, terms, objections."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from store_app.web.presenting import money, number
from supply.membership.level import Measure

KINDS = {
    "goods": _l("Goods delivered"), "return": _l("Credited"), "transfer": _l("Goods between stores"),
    "paid_in": _l("Payment received"),
    "paid": _l("Invoice paid"), "escrow": _l("Online orders collected"), "commission": _l("Commission"),
    "shelf": _l("Place on the shelf"), "late": _l("Late days"), "loss": _l("Given up"),
    "advance": _l("Advance"), "repaid": _l("Advance repaid"), "payout": _l("Paid out"),
    "returned": _l("Payout came back"), "slot": _l("Place for offered goods"),
    "care": _l("Offered goods that stayed"), "goodwill": _l("Goodwill"),
    "agent": _l("An agent’s part"), "points": _l("Shared points"),
    "called_in": _l("Advance to be repaid"), "taken_back": _l("Payment taken back"),
    "unpaid": _l("Invoice open again"), "owed_back": _l("Owed for a payment taken back"),
    "leader": _l("For the leader of a group"), "brought_back": _l("Refunded or disputed after it was passed on"),
}  # fmt: skip
"""What an entry is, by its kind."""
HELD = {
    "late": _l("An invoice is late. Pay it, and the credit opens again the same night."),
    "contradiction": _l("The store’s messages contradict each other. The network is looking into it."),
}
DRAW_WHY = {
    "beyond": _l("beyond the limit"),
    "held": _l("the credit is held"),
    "account": _l("more than may be owed on account"),
}
SUBJECTS = {"limit": _l("the credit limit"), "account": _l("the account"), "standing": _l("the standing")}
AGES = (_l("not due yet"), _l("1–7 days late"), _l("8–30 days late"), _l("31–60 days late"), _l("over 60 days late"))
TERMS = {
    "weeks_bp": (_l("Lent on so many typical weeks of sales"), _l("weeks")),
    "first_bp": (_l("Share of it before anything was repaid"), "%"),
    "cap_minor": (_l("Most credit of one store"), ""),
    "first_most_minor": (_l("Most credit before anything was repaid; twice what was paid in time comes on top"), ""),
    "least_days": (_l("Credit falls due after at least"), _l("days")),
    "free_days": (_l("Free of interest at most"), _l("days")),
    "level_days": (_l("Further free days for each level"), _l("days")),
    "level_bp": (_l("More credit for each level"), "%"),
    "grace_days": (_l("So late, credit is held"), _l("days")),
    "late_ppm": (_l("A late day costs of what is open"), "%"),
    "account_days": (_l("Invoices on account fall due after"), _l("days")),
    "account_most_minor": (_l("Most owed on account; an order beyond it waits"), ""),
    "advance_bp": (_l("Advance on collected online orders"), "%"),
    "commission_bp": (_l("Commission on online orders"), "%"),
    "shelf_week_minor": (_l("Paid for a week of the bestseller shelf"), ""),
    "payout_least_minor": (_l("Least amount paid out"), ""),
    "slow_days": (_l("Offered goods that do not sell are looked at after"), _l("days")),
    "slow_bp": (_l("Paid of the cost of what stays of them"), "%"),
    "expiry_bp": (_l("Paid of the cost of what stays when their last day is over"), "%"),
    "care_cap_bp": (_l("Never more than this of what they cost together"), "%"),
    "claim_days": (_l("A delivery may be complained of for"), _l("days")),
}
"""term -> (what it is, its unit)."""


LEVELS = (_l("Starting out"), _l("Steady"), _l("Reliable"), _l("Model store"))
"""Level 0 to 3."""


def measure_words(name: str, one: Measure) -> tuple[str, str]:
    """Return what a measure is, and what was counted for it."""
    words, counted = _measure_words(name, one)
    return words, counted if one.cases else _("Nothing of this kind has happened yet")


def _measure_words(name: str, one: Measure) -> tuple[str, str]:
    if name == "counts":
        return _("Counts are fresh"), _("%(good)s of %(cases)s products sold in four weeks were counted in 90 days",
                                        good=one.good, cases=one.cases)  # fmt: skip
    if name == "pickups":
        return _("Orders are ready in time"), _("%(good)s of %(cases)s online orders", good=one.good, cases=one.cases)
    if name == "shelf":
        return _("The shelf is kept"), _("the products of %(good)s of %(cases)s slots sold last week",
                                         good=one.good, cases=one.cases)  # fmt: skip
    if name == "trouble":
        return _("Customers are content"), _("%(good)s of %(cases)s collected orders without a return or complaint",
                                             good=one.good, cases=one.cases)  # fmt: skip
    return _("Invoices are paid in time"), _("%(good)s of %(cases)s that fell due in half a year",
                                             good=money(one.good), cases=money(one.cases))  # fmt: skip


def kind_word(kind: str) -> str:
    """Return what an entry is."""
    return str(KINDS.get(kind, kind))


def held_sentence(why: str) -> str:
    """Return why a line is held: the rule's reason in words, or the operator's own."""
    return str(HELD.get(why, why))


def step_sentence(step: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return one step of a limit as a sentence."""
    name, share = step["name"], number((step["value_bp"] or 0) / 100, 1)
    if name == "too-few-weeks":
        return _("Credit begins after four full weeks of sales.")
    if name == "typical-week":
        return _("A typical week sells %(amount)s: the middle one of the last %(num)s full weeks. Single days count at "
                 "most three times the usual, a week half as much again as those before it.",
                 amount=money(step["after_minor"]), num=len(facts["weeks_minor"]))  # fmt: skip
    if name == "weeks":
        return _("The network lends %(num)s times that.", num=number((step["value_bp"] or 0) / 10_000, 2))
    if name == "steady":
        return _("In lean weeks the store sells %(share)s per cent of that.", share=share)
    if name == "repaid":
        if not facts["due_minor"]:
            return _("Nothing has fallen due yet: a store begins at %(share)s per cent.", share=share)
        return _("Paid in time: %(paid)s of %(due)s that fell due in half a year. That counts %(share)s per cent.",
                 paid=money(facts["on_time_minor"]), due=money(facts["due_minor"]), share=share)  # fmt: skip
    if name == "standing":
        return _("The store’s standing counts %(share)s per cent.", share=share)
    if name == "proved":
        return _("Until more is paid back in time, no more than %(amount)s: a first sum, and twice what was paid in "
                 "time in half a year.", amount=money(step["after_minor"]))  # fmt: skip
    if name == "cap":
        return _("No store may owe more than %(amount)s.", amount=money(step["after_minor"]))
    return _("The limit, in whole units of money.")
