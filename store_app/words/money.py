"""Words for the money between a store and the network: entries, the steps of a limit, holds, terms, objections."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from pos.payments.payments import Payment
from pos.payments.providers import NEVER_SEEN
from store_app.web.presenting import money, number, percent, why_words
from supply.membership.level import Measure

KINDS = {
    "goods": _l("Products delivered"), "return": _l("Credited"), "transfer": _l("Transfers between stores"),
    "paid_in": _l("Payment received"),
    "paid": _l("Invoice paid"), "escrow": _l("Online orders collected"), "commission": _l("Commission"),
    "shelf": _l("Shelf fee"), "late": _l("Late fee"), "loss": _l("Written off"),
    "advance": _l("Advance"), "repaid": _l("Advance repaid"), "payout": _l("Paid out"),
    "returned": _l("Payout returned"), "slot": _l("Shelf fee for an offer"),
    "care": _l("Offered but not sold"), "goodwill": _l("Goodwill"),
    "agent": _l("Agent's share"), "points": _l("Shared points"),
    "called_in": _l("Advance to repay"), "taken_back": _l("Payment reversed"),
    "unpaid": _l("Invoice reopened"), "owed_back": _l("Owed for a reversed payment"),
    "leader": _l("Group leader commission"), "brought_back": _l("Refunded or disputed after payout"),
}  # fmt: skip
"""What an entry is, by its kind."""
PROPOSED = {
    "draw": _l("Release an order on hold"), "release": _l("Release a store’s credit"), "terms": _l("Change the terms"),
    "credit_note": _l("Credit note"), "moved": _l("Reverse a payment"), "payer": _l("Change the network’s account"),
    "payouts": _l("Payout run"),
}  # fmt: skip
"""What waits for a second person about money."""
HELD = {
    "late": _l("An invoice is overdue. Pay it to reopen your credit the same night."),
    "contradiction": _l("The store's messages contradict each other. The network is checking."),
}
DRAW_WHY = {
    "beyond": _l("above the limit"),
    "held": _l("credit is on hold"),
    "account": _l("above the account limit"),
}
SUBJECTS = {"limit": _l("the credit limit"), "account": _l("the account"), "standing": _l("the membership level")}
AGES = (_l("not due yet"), _l("1–7 days late"), _l("8–30 days late"), _l("31–60 days late"), _l("over 60 days late"))
TERMS = {
    "weeks_bp": (_l("Lending base, in typical weeks of sales"), _l("weeks")),
    "first_bp": (_l("Share before the first repayment"), "%"),
    "cap_minor": (_l("Maximum credit per store"), ""),
    "first_most_minor": (_l("Maximum credit before the first repayment; rises by twice the amount repaid on time"), ""),
    "least_days": (_l("Shortest credit term"), _l("days")),
    "free_days": (_l("Interest-free for up to"), _l("days")),
    "level_days": (_l("Extra interest-free days per level"), _l("days")),
    "level_bp": (_l("Extra credit per level"), "%"),
    "grace_days": (_l("Put credit on hold when overdue by"), _l("days")),
    "late_ppm": (_l("Late fee per day, as a share of the open amount"), "%"),
    "account_days": (_l("Account invoices due after"), _l("days")),
    "account_most_minor": (_l("Account limit; orders above it are held"), ""),
    "advance_bp": (_l("Advance on collected online orders"), "%"),
    "commission_bp": (_l("Commission on online orders"), "%"),
    "shelf_week_minor": (_l("Shelf fee per week"), ""),
    "payout_least_minor": (_l("Minimum payout"), ""),
    "slow_days": (_l("Review unsold offered products after"), _l("days")),
    "slow_bp": (_l("Refund on unsold stock, as a share of cost"), "%"),
    "expiry_bp": (_l("Refund on expired unsold stock, as a share of cost"), "%"),
    "care_cap_bp": (_l("Maximum refund, as a share of their total cost"), "%"),
    "claim_days": (_l("Claim period"), _l("days")),
}
"""term -> (what it is, its unit)."""


LEVELS = (_l("Starting out"), _l("Steady"), _l("Reliable"), _l("Model store"))
"""Level 0 to 3."""


def measure_words(name: str, one: Measure) -> tuple[str, str]:
    """Return what a measure is, and what was counted for it."""
    words, counted = _measure_words(name, one)
    return words, counted if one.cases else _("No data yet")


def _measure_words(name: str, one: Measure) -> tuple[str, str]:
    figures = {"good": one.good, "cases": one.cases}
    if name == "counts":
        counted = _(
            "%(good)s of %(cases)s products sold in the last four weeks were counted in the last 90 days", **figures
        )
        return _("Counts are up to date"), counted
    if name == "pickups":
        return _("Orders ready on time"), _("%(good)s of %(cases)s online orders", **figures)
    if name == "shelf":
        return _("Shelf plan compliance"), _("products of %(good)s of %(cases)s slots sold last week", **figures)
    if name == "trouble":
        counted = _("%(good)s of %(cases)s collected orders without a return or complaint", **figures)
        return _("Customers satisfied"), counted
    counted = _("%(good)s of %(cases)s due in the last six months", good=money(one.good), cases=money(one.cases))
    return _("Invoices paid on time"), counted


def payment_reason(payment: Payment) -> str:
    """Return what a provider said of a payment; '' where that adds nothing to its state."""
    return "" if payment.reason in (None, NEVER_SEEN, payment.state) else why_words(payment.reason)


def kind_word(kind: str) -> str:
    """Return what an entry is."""
    return str(KINDS.get(kind, kind))


def held_sentence(why: str) -> str:
    """Return why a line is held: the rule's reason in words, or the operator's own."""
    return str(HELD.get(why, why))


def step_sentence(step: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return one step of a limit as a sentence."""
    name, share = step["name"], percent(step["value_bp"] or 0, 1)
    if name == "too-few-weeks":
        return _("Credit will start after four full weeks of sales.")
    if name == "typical-week":
        return _("Sales in a typical week are %(amount)s, the median of the last %(num)s full weeks. Unusual "
                 "peaks are capped: a day at three times a typical day, a week at 1.5 times earlier weeks.",
                 amount=money(step["after_minor"]), num=len(facts["weeks_minor"]))  # fmt: skip
    if name == "weeks":
        return _("The network lends %(num)s times that.", num=number((step["value_bp"] or 0) / 10_000, 2))
    if name == "steady":
        return _("In slow weeks, the store sells %(share)s of that.", share=share)
    if name == "repaid":
        if not facts["due_minor"]:
            return _("No invoice has been due yet: new stores start at %(share)s.", share=share)
        return _("Paid on time: %(paid)s of %(due)s due in the last six months, counted as %(share)s.",
                 paid=money(facts["on_time_minor"]), due=money(facts["due_minor"]), share=share)  # fmt: skip
    if name == "standing":
        return _("The membership level counts %(share)s.", share=share)
    if name == "proved":
        return _("Until more is repaid on time, up to %(amount)s: a first amount plus twice what was repaid "
                 "on time in half a year.", amount=money(step["after_minor"]))  # fmt: skip
    if name == "cap":
        return _("The maximum per store is %(amount)s.", amount=money(step["after_minor"]))
    return _("The limit, rounded to whole units.")
