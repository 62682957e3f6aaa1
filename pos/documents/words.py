"""What till reports call the codes they carry: movements of cash, what was done at the till. Pure."""

from collections.abc import Mapping

from config.words import N_, Language
from pos.payments.tenders import tender_of

CASH = {
    "float": N_("Float"), "sale": N_("Cash from sales"), "refund": N_("Cash refunds"), "drop": N_("Moved to safe"),
    "pay_in": N_("Paid in"), "pay_out": N_("Paid out"), "tab_paid": N_("Cash from tab payments"),
    "order_paid": N_("Cash from orders"), "change": N_("Change"),
}  # fmt: skip
EVENTS = {
    "voided": N_("Sales voided"), "no_sale": N_("Drawer opened without a sale"), "reprint": N_("Copies printed"),
    "correction": N_("Removed lines"), "approval": N_("Approvals"), "x_report": N_("X reports"),
    "hand_over": N_("Handovers"), "parked": N_("Sales put on hold"), "practised": N_("Practice, not recorded"),
    "refunded_by_hand": N_("Card payments refunded by hand"),
}  # fmt: skip


def code_word(of: Mapping[str, str], code: str | None, say: Language) -> str:
    """Say what a code means; what a person typed is no code and stays as it is."""
    known = of.get(code or "")
    return say(known) if known else code or ""


def tender_word(tender: str | None, say: Language) -> str:
    """Say what a tender is called."""
    return say(tender_of(tender).words) if tender else ""
