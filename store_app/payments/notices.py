"""What a payment service reports on its own: checked by its adapter, and then no more than a reason to ask it.

Rules
-----
1. A notice books nothing. What it names is asked about as the till or the worker would; what is settled isn't.
2. A notice about a payment that this node does not know is taken, and nothing follows from it.
"""

from collections.abc import Mapping

from config.errors import NotFound
from config.ids import NETWORK
from config.nodes.journal import Actor
from pos.payments.payments import Payment
from pos.payments.providers import Notifying
from store_app.payments import escrow
from store_app.payments.providers import asker, providers
from store_app.runtime.doors import Doors
from supply.money.escrow import escrow_of


def take(doors: Doors, name: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Take a notice of a provider, and ask about the payment it names; refuse a forged one."""
    provider = providers(doors.settings).named(name)
    if not isinstance(provider, Notifying):
        raise NotFound("no-notices", "This payment service sends no notices.")
    about, node = provider.noticed(body, headers), doors.settings.node_id
    with doors.read() as session:
        payment = session.get(Payment, (node, about))
        is_mine = payment is not None and payment.provider == name
        held = escrow_of(session, about) if node == NETWORK else None
        is_held = held is not None and held.provider == name
    if is_mine:
        asker(doors).ask_again(about, actor=Actor.system("payments", node))
    elif is_held:
        escrow.told(doors, about)
