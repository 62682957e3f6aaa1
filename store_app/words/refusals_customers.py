"""The refusals about customers, points and vouchers in the reader's language."""

from typing import Any

from flask_babel import lazy_gettext as _l

CUSTOMERS: dict[str, tuple[Any, ...]] = {
    "unknown-customer": (_l("This customer is not known here. Look the customer up again."),),
    "tab-limit": (
        _l("Only %(left_minor)s more may go on this tab. Take the rest in another way."),
        _l("That is more than may go on this tab. Take the rest in another way."),
    ),
    "more-than-owed": (
        _l("Only %(owed_minor)s is owed on this tab. Take or give back the rest in another way."),
        _l("That is more than is owed on this tab. Take or give back the rest in another way."),
    ),
    "tab-not-settled": (
        _l("%(owed_minor)s is still owed on this tab. Take the money or write it off first."),
        _l("This tab is not settled. Take the money or write it off first."),
    ),
    "command-content-differs": (_l("This was already booked with another content. Open the page anew."),),
    "no-command-id": (_l("Open the page once more and press the button again."),),
    "day-ahead": (_l("The day lies ahead. Choose the day the debt began."),),
    "bad-period": (_l("The first day must not be after the last one."),),
    "customer-name": (_l("A name has at most %(most)s letters."), _l("This name cannot be kept. Type it again.")),
    "customer-phone": (_l("A phone number has 5 to 20 digits."),),
    "phone-needed": (_l("Type the phone number: online the customer is known by it."),),
    "online-wants-points": (_l("Member prices online need points and a phone number."),),
    "network-wants-points": (_l("The network’s points need points and a phone number."),),
    "no-shared-points": (_l("The network has no points of its own now. Ask again when it has."),),
    "points-other-currency": (_l("The network’s points are worth another currency than this shop’s."),),
    "takes-no-part": (_l("This shop does not take part in the network’s points."),),
    "points-not-granted": (_l("The network has not granted these points. Choose another way to pay."),),
    "points-need-line": (
        _l("The network does not answer, so its points cannot be redeemed now. Choose another way to pay."),
    ),
    "points-not-linked": (_l("Confirm the customer’s phone with a code first: then the points can be redeemed."),),
    "points-wrong-code": (_l("This is not the code, or it is too old. Check it, or send a new one."),),
    "points-code-needs-line": (_l("The network does not answer. The points are kept here. Try again later."),),
    "waiting-decided": (_l("This was already decided, or counted meanwhile."),),
    "not-agreed": (_l("That is kept only when the customer agrees to it."),),
    "no-points-here": (_l("This customer collects no points here. Choose another way to pay."),),
    "too-few-points": (_l("Points are redeemed from %(least_points)s on. Choose another way to pay."),),
    "not-enough-points": (
        _l("There are %(points)s points, and %(needed)s are needed. Take less with points."),
        _l("There are not enough points for that."),
    ),
    "bad-scheme": (_l("Type whole numbers above zero."),),
    "scheme-too-generous": (_l("The points would be worth more than what was paid."),),
    "voucher-misread": (_l("This is no voucher’s code, or it was misread. Type it again."),),
    "no-such-voucher": (_l("No voucher of this code was issued here."),),
    "voucher-expired": (_l("This voucher has expired. Choose another way to pay."),),
    "voucher-too-small": (
        _l("There is %(balance_minor)s on this voucher. Take that, and the rest in another way."),
        _l("There is less on this voucher. Take what is left, and the rest in another way."),
    ),
    "voucher-used": (_l("This voucher has been used; it cannot be taken back."),),
    "voucher-not-derived": (
        _l("This computer cannot print this voucher’s code again. The paper it was sold on stays valid."),
    ),
    "voucher-day-past": (_l("The last day lies behind. Choose a later one."),),
}
