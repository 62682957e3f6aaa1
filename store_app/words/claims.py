"""Words for claims about deliveries, and for goods that are the network's until they sell."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from store_app.web.presenting import day, money
from supply.orders.claims import Claim
from supply.orders.network_offers import NetworkOffer, terms_from

KINDS = {
    "short": _l("Not counted in"), "damaged": _l("Damaged"), "expired": _l("Expired or too old"),
    "wrong": _l("Wrong product"), "over": _l("Too many"),
}  # fmt: skip
"""What is wrong with units of a delivery."""
WISHES = {
    "money": (_l("The money back"), "banknotes"),
    "replacement": (_l("Send it again"), "arrow-path"),
    "return": (_l("It goes back"), "arrow-up-on-square"),
}
"""What a store wishes, or the network grants -> (words, icon)."""
NETWORK_OFFER_KINDS = {
    "new": _l("New product"), "campaign": _l("For a campaign"), "surplus": _l("Surplus"),
    "near_expiry": _l("Expires soon"),
}  # fmt: skip
"""Why the network offers goods."""


def status_of(claim: Claim, *, by_network: bool) -> str:
    """Return in a sentence what happens with a claim, as the shopkeeper reads it."""
    if claim.state in ("filed", "under_review") and not by_network:
        return _("Sent to the supplier. Write down here what they answer.")
    if claim.state == "filed":
        return _("The network has it, or gets it as soon as there is a line. Nothing more to do for you.")
    if claim.state == "under_review":
        return _("The network is looking into it.")
    if claim.state == "contested":
        return _("You contested the answer. The network looks again; its second answer is the last.")
    if claim.state == "refused":
        return _("Refused.")
    if claim.state in ("accepted", "part_accepted"):
        if claim.remedy == "replacement":
            return _(
                "Granted: the goods come again with one of the next vehicles. What is not to be had costs you nothing."
            )
        return _("Granted: send the goods back, the money comes as the warehouse counts them.")
    if claim.state == "forfeited":
        return _("The goods were not sent back in time: they stay yours, and nothing is credited for them.")
    if claim.state == "replaced":
        return _("Done: the goods came again. What did not come costs you nothing.")
    return _("Done: the money is in your account with the network.") if by_network else _("Done.")


def lot_sentence(left: int, days: int) -> str:
    """Return what is to be done about goods on sale or return."""
    if not left:
        return _("Settled: nothing is left.")
    if days > 1:
        return _("May go back for %(days)s more days.", days=days)
    if days >= 0:
        return _("The last days: send back what you do not want to buy.")
    return _("The day is over: send it back now, or it is yours.")


def offer_terms(offer: NetworkOffer) -> list[str]:
    """Return what the network binds itself to with an offer, a sentence each."""
    terms, reported = terms_from(offer.terms), []
    if offer.return_until is not None:
        until = day(offer.return_until)
        reported.append(_("Sale or return: you pay what sells, and send the rest back until %(day)s.", day=until))
    elif terms.slow_days and terms.slow_bp:
        reported.append(
            _(
                "Less than half sold after %(days)s days: %(share)s%% of what the rest cost is paid back to you.",
                days=terms.slow_days, share=terms.slow_bp // 100,
            )
        )  # fmt: skip
    if terms.expires_on is not None:
        reported.append(_("To be sold until %(day)s.", day=day(terms.expires_on)))
        if offer.return_until is None and terms.expiry_bp:
            reported.append(
                _("Afterwards %(share)s%% of what the rest cost is paid back to you.", share=terms.expiry_bp // 100)
            )
    if offer.return_until is None and terms.cap_bp and (terms.slow_bp or terms.expiry_bp):
        reported.append(_("Never more than %(share)s%% of what all of it cost.", share=terms.cap_bp // 100))
    if terms.slot_fee_minor:
        reported.append(_("%(amount)s for the place, as soon as it is here.", amount=money(terms.slot_fee_minor)))
    return reported
