"""The refusals about money between a shop and the network in the reader's language."""

from typing import Any

from flask_babel import lazy_gettext as _l

MONEY: dict[str, tuple[Any, ...]] = {
    "not-on-credit": (_l("Only orders to the network are paid on credit. Send it without."),),
    "credit-held": (_l("Your credit is held. Pay what is late first; an order on account waits for the network."),),
    "beyond-credit": (
        _l(
            "The order costs %(cost_minor)s; %(left_minor)s of your credit are left. Order less, or send it on account."
        ),
        _l("The order costs more than the credit that is left. Order less, or send it on account."),
    ),
    "order-moved-on": (_l("This order does not wait any more. Look at the list again."),),
    "no-credit-line": (_l("This shop has no credit line yet. It is worked out at night."),),
    "unknown-draw": (_l("This order is not paid on credit."),),
    "unknown-invoice": (_l("There is no such invoice of this shop."),),
    "nothing-left": (_l("Nothing is left of this invoice. Look at the list again."),),
    "unknown-payment": (_l("This payment is not in the shop’s book. Look at the list again."),),
    "taken-back": (_l("This payment was taken back already."),),
    "same-shop": (_l("It is booked for this shop already. Choose the shop that paid."),),
    "more-than-delivered": (
        _l("That is more than was ever charged to this shop for goods: at most %(most_minor)s."),
        _l("That is more than was ever charged to this shop for goods."),
    ),
    "bad-terms": (_l("A term is out of its bounds. Look at them again."),),
    "bad-account": (_l("An account number has 4 to 34 letters and digits."),),
    "bad-iban": (_l("This IBAN was mistyped. Compare each letter and digit."),),
    "bad-bic": (_l("This BIC was mistyped: it has 8 or 11 letters and digits, such as COBADEFF. It may be left out."),),
    "no-payee": (_l("Write whose account it is."),),
    "no-payer": (_l("Say first which account the network pays from."),),
    "not-covered": (
        _l("The money it was paid out from is not here yet. Take over first what came in, or wait for its sales."),
    ),
    "no-invoice-yet": (
        _l("The invoice this is about is not in the book yet. Wait until the shop's deliveries have come again."),
    ),
    "unknown-entry": (_l("There is no such entry. Look at the list again."),),
    "unknown-payout": (_l("There is no such payout."),),
    "unknown-objection": (_l("There is no such objection."),),
    "unknown-suggestion": (_l("There is no such suggestion."),),
    "bad-subject": (_l("Object to the limit, the account or the standing."),),
}
