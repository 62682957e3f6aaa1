"""Reasons that are kept or sent as codes, said to each reader in words. Pure."""

from config.words import N_, Language

REASONS = {
    "why-damaged": N_("Damaged packaging"), "why-near-expiry": N_("Close to best before"),
    "why-price-on-shelf": N_("Different shelf price"), "why-regular": N_("Regular customer"),
    "why-goodwill": N_("Goodwill"), "void-changed-mind": N_("Changed their mind"),
    "void-no-money": N_("Not enough money"), "void-wrong-goods": N_("Wrong products rung up"),
    "void-training": N_("Training"), "void-wrong-customer": N_("Wrong customer"),
    "drawer-change": N_("Change for a customer"), "drawer-count": N_("Check the cash"),
    "drawer-mistake": N_("Closed too early"), "back-broken": N_("Broken"), "back-expired": N_("Out of date"),
    "back-unwanted": N_("Not wanted"), "back-wrong": N_("Wrong product"), "back-recalled": N_("Recalled"),
    "late-for-vehicle": N_("It reached the network after the order cut-off."),
    "change-too-many": N_("Too many"), "change-too-few": N_("Not enough"), "change-asked": N_("Customer request"),
    "change-event": N_("An event or holiday"), "change-no-room": N_("No room for it"),
    "difference-missing": N_("Missing"), "difference-broken": N_("Broken"),
    "difference-too-many": N_("More than expected"), "difference-spoilt": N_("Spoiled or too old"),
    "difference-wrong": N_("Wrong product"), "send-back-not-ordered": N_("No one ordered it"),
    "send-back-other-store": N_("It is for another store"), "send-back-broken": N_("Broken"),
    "send-back-too-late": N_("Arrived too late"),
    "decline-not-here": N_("It does not sell here"), "decline-no-room": N_("No room for it"),
    "decline-too-many": N_("Too many"), "decline-too-dear": N_("Too expensive"),
    "refuse-not-there": N_("Out of stock"), "refuse-closing": N_("We are closing"),
    "refuse-too-much": N_("More than we can pick"), "cancel-customer": N_("The customer does not want it"),
    "cancel-not-there": N_("Out of stock"), "not-met-nobody": N_("No one was there"),
    "not-met-address": N_("The address was not found"), "not-met-refused": N_("The customer did not want it"),
    "not-met-age": N_("No one old enough was there"), "lift-all-well": N_("Tested and safe"),
    "lift-over": N_("The manufacturer discontinued it"), "lift-mistake": N_("Recalled by mistake"),
    "transfer-need-it": N_("We need it ourselves"), "transfer-no-room": N_("No room for it"),
    "transfer-no-time": N_("No time to deliver or collect it"), "transfer-not-here": N_("It does not sell here"),
    "lost-not-there": N_("It was not there when we came to collect it"), "lost-on-the-way": N_("Lost on the way"),
    "gone-products": N_("No longer in the store: %(what)s."),
    "gone-coupon": N_("Coupon %(what)s has already been used. Order again without it."),
    "recall-called": N_("Recalled: %(what)s"), "credit-returned": N_("Returned products"),
    "credit-recalled": N_("Recalled products"), "credit-claim": N_("Claim %(what)s"),
    "group-ordered": N_("Ordered: %(what)s."), "number-used": N_("number %(what)s was already used"),
    "transfer-seen": N_("Seen by %(what)s"), "transfer-unseen": N_("Not seen by %(what)s"),
}  # fmt: skip
"""Code of a reason -> its words; what it is about follows the code: `gone-products: Milk, Bread`."""


def reason_word(why: str | None, say: Language) -> str:
    """Say a reason: a code of REASONS, or a sentence of the books' own; what a person typed stays as it is."""
    code, _, what = (why or "").partition(": ")
    if known := REASONS.get(code):
        return say(known, what=what)
    return say(why) if why else ""
