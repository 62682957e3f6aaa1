"""Words for claims about deliveries, and for goods that are the network's until they sell."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from store_app.web.presenting import day, money, percent
from supply.orders.claims import Claim
from supply.orders.network_offers import NetworkOffer, is_proposal, terms_from

KINDS = {
    "short": _l("Not received"), "damaged": _l("Damaged"), "expired": _l("Expired or too old"),
    "wrong": _l("Wrong product"), "over": _l("Too many"), "billed": _l("Billed too much"),
}  # fmt: skip
"""What is wrong with units of a delivery."""
WISHES = {
    "money": (_l("Money back"), "banknotes"),
    "replacement": (_l("Send it again"), "arrow-path"),
    "return": (_l("Return it"), "arrow-up-on-square"),
}
"""What a store wishes, or the network grants -> (words, icon)."""
NETWORK_OFFER_KINDS = {
    "new": _l("New product"), "campaign": _l("For a campaign"), "surplus": _l("Surplus"),
    "near_expiry": _l("Expires soon"), "list": _l("Carry it"), "delist": _l("Stop ordering it"),
}  # fmt: skip
"""Why the network offers goods, or what it proposes."""


def status_of(claim: Claim, *, by_network: bool) -> str:
    """Return in a sentence what happens with a claim, as the shopkeeper reads it."""
    if claim.state in ("filed", "under_review") and not by_network:
        return _("Sent to the supplier. Enter their response here.")
    if claim.state == "filed":
        return _("Sent to the network, or will be sent once you’re online. You don’t need to do anything else.")
    if claim.state == "under_review":
        return _("The network is checking it.")
    if claim.state == "contested":
        return _("You contested the response. The network will review it; its second response is final.")
    if claim.state == "refused":
        return _("Refused.")
    if claim.state in ("accepted", "part_accepted"):
        if claim.remedy == "replacement":
            return _(
                "Approved: replacements will come with a later vehicle. You won’t be charged for anything unavailable."
            )
        return _("Approved: return the products. You will be credited once the warehouse counts them.")
    if claim.state == "forfeited":
        return _("The products were not returned in time. You keep them and get no credit.")
    if claim.state == "replaced":
        return _("Done: replacements arrived. You won’t be charged for anything missing.")
    return _("Done: the money is in your network account.") if by_network else _("Done.")


def lot_sentence(left: int, days: int) -> str:
    """Return what is to be done about goods on sale or return."""
    if not left:
        return _("Settled: nothing left.")
    if days > 1:
        return _("Can be returned for %(days)s more days.", days=days)
    if days >= 0:
        return _("Last days: return what you do not want to buy.")
    return _("The return period is over: return it now, or it is yours.")


def offer_terms(offer: NetworkOffer) -> list[str]:
    """Return what the network binds itself to with an offer, a sentence each."""
    terms, reported = terms_from(offer.terms), []
    if is_proposal(offer):
        if terms.kind == "list":
            return [
                _("If you accept, it is listed here and your suggested orders include it."),
                _("Nothing is delivered unasked."),
            ]
        return [_("If you accept, it is not ordered again."), _("The till keeps selling what you have.")]
    if offer.return_until is not None:
        until = day(offer.return_until)
        reported.append(_("Consignment: pay for what sells, return the rest by %(day)s.", day=until))
    elif terms.slow_days and terms.slow_bp:
        reported.append(
            _(
                "If less than half sells in %(days)s days, %(share)s of the cost of the rest is refunded.",
                days=terms.slow_days, share=percent(terms.slow_bp),
            )
        )  # fmt: skip
    if terms.expires_on is not None:
        reported.append(_("Sell by %(day)s.", day=day(terms.expires_on)))
        if offer.return_until is None and terms.expiry_bp:
            reported.append(
                _("After that, %(share)s of the cost of the rest is refunded.", share=percent(terms.expiry_bp))
            )
    if offer.return_until is None and terms.cap_bp and (terms.slow_bp or terms.expiry_bp):
        reported.append(_("Up to %(share)s of the total cost.", share=percent(terms.cap_bp)))
    if terms.slot_fee_minor:
        reported.append(_("Shelf fee of %(amount)s on arrival.", amount=money(terms.slot_fee_minor)))
    return reported
