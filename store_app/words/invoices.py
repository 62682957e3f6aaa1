"""Words for suppliers' documents, and for what is wrong with a line of an invoice."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.money import divide_half_up
from config.words import N_, Language
from store_app.web.presenting import money, percent, qty
from supply.network.claims.credit_memos import Comparison
from supply.receiving.documents import matching
from supply.receiving.documents.document import ADVICE, CREDIT, INVOICE
from supply.receiving.documents.matching import Difference, Matched
from supply.receiving.documents.supplier_documents import SupplierPaper

KINDS = {INVOICE: _l("Invoice"), CREDIT: _l("Credit memo"), ADVICE: _l("Shipping notice")}
DIFFERENCES = {
    matching.UNKNOWN: N_("Unknown product"), matching.PACK: N_("Pack price per piece"),
    matching.NOT_RECEIVED: N_("Not received"), matching.NOT_ORDERED: N_("Not ordered"),
    matching.SHORT: N_("Received less"), matching.OVER: N_("More than ordered"), matching.PRICE: N_("Different cost"),
    matching.TAX: N_("Different tax"), matching.CHARGE: N_("Charge"),
}  # fmt: skip
"""What is wrong with a line, to be said to the shopkeeper or to the supplier."""


def sentence(one: Matched, difference: Difference, currency: str) -> str:
    """Return what is wrong with a line, as the shopkeeper reads it."""
    if difference.kind == matching.CHARGE:
        return _("Beside its lines, it charges %(amount)s. Accept this if you agreed to it.",
                 amount=money(one.line.total_minor, currency))  # fmt: skip
    if one.sold is None or one.cost is None or difference.kind == matching.UNKNOWN:
        return _("No product matches. Enter number %(number)s under “Their reference” on the price list.",
                 number=one.line.article_no or one.line.gtin or "–")  # fmt: skip
    units, excess = qty(difference.units, one.sold.stock_unit), money(abs(difference.excess_minor), currency)
    if difference.kind == matching.PACK:
        return _("%(units)s billed at the price of a pack each: %(excess)s too much.", units=units, excess=excess)
    if difference.kind in (matching.NOT_RECEIVED, matching.SHORT):
        return _("%(units)s billed but not received: %(excess)s too much.", units=units, excess=excess)
    if difference.kind == matching.NOT_ORDERED:
        return _("This product is not on the order.")
    if difference.kind == matching.OVER:
        return _("%(units)s more than ordered.", units=units)
    if difference.kind == matching.PRICE:
        billed = divide_half_up(one.line.total_minor * one.cost.pack_qty, one.billed or 1)
        said = {
            "billed": money(billed, currency),
            "agreed": money(one.cost.pack_cost_minor, currency),
            "excess": excess,
        }
        if difference.excess_minor < 0:
            return _("A pack costs %(billed)s instead of %(agreed)s: %(excess)s less.", **said)
        return _("A pack costs %(billed)s instead of %(agreed)s: %(excess)s too much.", **said)
    said = {"billed": percent(one.line.rate_bp), "own": percent(one.sold.rate_bp)}
    return _("Billed with %(billed)s tax. You sell it with %(own)s.", **said)


def memo_notes(memo: Comparison, row: SupplierPaper) -> list[tuple[str, str]]:
    """Return how a credit memo compares with what was chosen, and what to do: (tone, sentence)."""
    currency = row.document.currency
    said = {"given": money(memo.given_minor, currency), "asked": money(memo.asked_minor, currency)}
    notes = [
        ("warn", _("It names invoice %(number)s, which is not here. Upload that invoice, or choose what the credit "
                   "memo answers.", number=number))
        for number in memo.unknown_refs
    ]  # fmt: skip
    if not memo.open_claims:
        notes.append(("info", _("You have no open claim with this supplier. If you don’t know what it is for, ask them "
                                "before you approve it.")))  # fmt: skip
    elif not memo.chosen:
        notes.append(("info", _("No claim is chosen. Choose the claims it answers.")))
    elif memo.given_minor == memo.asked_minor:
        notes.append(("good", _("It gives back %(given)s before tax: just what you claimed.", **said)))
    elif memo.given_minor < memo.asked_minor:
        less = money(memo.asked_minor - memo.given_minor, currency)
        notes.append(("warn", _("It gives back %(given)s of %(asked)s before tax. Leave the missing %(less)s open, or "
                                "end the claims with what you got.", less=less, **said)))  # fmt: skip
    else:
        notes.append(("warn", _("It gives back %(given)s before tax, but you claimed only %(asked)s. Choose every "
                                "claim it answers, or ask the supplier what else it is for.", **said)))  # fmt: skip
    notes += [
        ("warn", _("Claim %(no)s is about products that this credit memo does not list. Check that it answers "
                   "this claim.", no=one.claim.claim_no))
        for one in memo.strangers
    ]  # fmt: skip
    if row.document.prepaid_minor:
        paid = money(row.document.prepaid_minor, currency)
        notes.append(("warn", _("It says that %(amount)s was already paid back. Find that payment on your bank "
                                "statement before you approve it.", amount=paid)))  # fmt: skip
    return notes


def complaint(say: Language, number: str, kind: str, excess_minor: int, currency: str) -> str:
    """Return what a claim tells the supplier, in their language."""
    return say("Invoice {number}, {problem}: {excess} too much.").format(
        number=number, problem=say(DIFFERENCES[kind]), excess=say.money(excess_minor, currency)
    )
