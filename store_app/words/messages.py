"""Words for an outgoing message: where it is, and what to do where it did not leave."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from pos.messages import PAPER, OutgoingMessage
from store_app.web.presenting import clock_time

FAULTS = {
    "no-carrier": _l("This store has no mail server. Print it, or set one up (notify)."),
    "unreachable": _l("The mail server is not responding. Send the message again, or print it."),
}


def message_sentence(message: OutgoingMessage) -> str:
    """Say where a message is; of a receipt that has ended the address is gone."""
    if message.state == "withdrawn":
        return _("The order was canceled before this was sent.")
    if message.state == "sent":
        when = clock_time(message.ended_at, True)
        if message.carrier == PAPER:
            return _("Handed over on paper, %(when)s.", when=when)
        address = message.email
        return (
            _("Sent to %(address)s, %(when)s.", address=address, when=when)
            if address
            else _("Sent, %(when)s.", when=when)
        )
    if message.state == "failed":
        if message.fault_code != "address-refused":
            return str(FAULTS.get(message.fault_code, message.fault))
        if not message.email:
            return _("The mail server refused the address. Ask the customer for it again.")
        words = message.fault.rstrip(".")
        return _(
            "%(address)s was rejected: %(words)s. Correct the address, or print it.", address=message.email, words=words
        )
    if message.carrier == PAPER:
        return _("Not sent: print it and hand it to the supplier.")
    if message.fault_code:
        return _("The mail server is not responding. It will be retried automatically.")
    return _("Waiting to be sent.")
