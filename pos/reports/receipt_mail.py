"""A receipt the customer wants by e-mail: asked for at the counter, sent as soon as there is a line.

Rules
-----
1. The address is for this one receipt. It is kept until the message left or was given up, and stands in no journal
   entry, fact or log.
2. The same command is one message. One receipt goes by e-mail at most `MOST` times.
3. What is sent is the sale's frozen document, of a voucher's code its end alone.
"""

from config.errors import Invalid, NotFound, Refused
from config.ids import is_id
from config.nodes import journal
from config.nodes.journal import Context
from pos import messages
from pos.messages import OutgoingMessage, Recipient
from pos.sold import Sale

KIND = "receipt"
MOST = 5


def ask(ctx: Context, store_id: str, sale_id: str, address: str, *, command: str, sends_mail: bool) -> OutgoingMessage:
    """Write down that a receipt is wanted by e-mail (rules 1, 2). sends_mail: whether this node has a mail server."""
    if not sends_mail:
        raise Refused("no-mail-here", "This store has no mail server. Print the receipt instead.")
    if not is_id(command):
        raise Invalid("bad-command-id", "A command ID has 8 to 40 letters, digits or hyphens.")
    if (known := ctx.session.get(OutgoingMessage, (store_id, command))) is not None:
        return known
    address = messages.sound_address(address)
    sale = ctx.session.get(Sale, (store_id, sale_id))
    if sale is None or sale.state != "completed":
        raise NotFound("no-such-sale", "This receipt is not on record. Look up the sale again.", id=sale_id)
    if len(messages.written_about(ctx.session, store_id, sale_id)) >= MOST:
        raise Refused("mailed-enough", "This receipt was already emailed %(most)s times. Print it instead.", most=MOST)
    to = Recipient(address)
    made = messages.write(ctx.session, store_id, KIND, to, id=command, about=sale_id, body={}, at=ctx.at)
    journal.record(ctx, verb="receipt.mail_asked", subject=f"sale:{sale_id}", message=command)
    return made
