"""What paper calls the codes it carries: movements of cash, what was done at the till, reasons. Pure."""

from collections.abc import Mapping

from config.words import N_, Language
from pos.payments.tenders import tender_of

CASH = {
    "float": N_("Float"), "sale": N_("Cash from sales"), "refund": N_("Cash refunds"), "drop": N_("Moved to safe"),
    "pay_in": N_("Paid in"), "pay_out": N_("Paid out"), "tab_paid": N_("Cash for tabs"),
    "order_paid": N_("Cash for orders"),
}  # fmt: skip
EVENTS = {
    "voided": N_("Sales voided"), "no_sale": N_("Drawer opened"), "reprint": N_("Copies printed"),
    "correction": N_("Corrections"), "approval": N_("Approvals"), "x_report": N_("X reports"),
    "hand_over": N_("Hand-overs"), "parked": N_("Sales put on hold"), "practised": N_("Practice, not booked"),
}  # fmt: skip
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
}  # fmt: skip


def code_word(of: Mapping[str, str], code: str | None, say: Language) -> str:
    """Say what a code means; what a person typed is no code and stays as it is."""
    known = of.get(code or "")
    return say(known) if known else code or ""


def tender_word(tender: str | None, say: Language) -> str:
    """Say what a tender is called."""
    return say(tender_of(tender).words) if tender else ""
