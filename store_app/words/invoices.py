"""Words for suppliers' documents, and for what is wrong with a line of an invoice."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.money import divide_half_up
from config.words import N_, Language
from store_app.web.presenting import money, percent, qty
from supply.receiving.documents import matching
from supply.receiving.documents.document import ADVICE, CREDIT, INVOICE
from supply.receiving.documents.matching import Difference, Matched

KINDS = {INVOICE: _l("Invoice"), CREDIT: _l("Credit memo"), ADVICE: _l("Shipping notice")}
DIFFERENCES = {
    matching.UNKNOWN: N_("Unknown product"), matching.PACK: N_("Pack price per piece"),
    matching.NOT_RECEIVED: N_("Not received"), matching.NOT_ORDERED: N_("Not ordered"),
    matching.SHORT: N_("Received less"), matching.OVER: N_("More than ordered"), matching.PRICE: N_("Different cost"),
    matching.TAX: N_("Different tax"),
}  # fmt: skip
"""What is wrong with a line, to be said to the shopkeeper or to the supplier."""


def sentence(one: Matched, difference: Difference, currency: str) -> str:
    """Return what is wrong with a line, as the shopkeeper reads it."""
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


def complaint(say: Language, number: str, kind: str, excess_minor: int, currency: str) -> str:
    """Return what a claim tells the supplier, in their language."""
    return say("Invoice {number}, {problem}: {excess} too much.").format(
        number=number, problem=say(DIFFERENCES[kind]), excess=say.money(excess_minor, currency)
    )
