"""The end of money kept apart: it goes on when its time is over, or as the operator decides where two do not agree.

Rules
-----
1. What is left goes on to the store; of a group's, the commission on it to the leader, whoever decided so and when.
2. The operator decides what is disputed once: so much goes back, the rest on.
3. A decision about an order that was not handed over, as far as the network knows, calls it off for good: its store
   hears of it, however late, and hands nothing over any more. Had it done so before, the decision stands;
   where it calls it off, the whole money is the customer's (`order_copy` rule 2).
"""

from config.errors import Conflict
from config.nodes.journal import Context
from supply.money import escrow
from supply.money.held_payments import Escrow
from supply.online.checkout import placing
from supply.online.groups import groups
from supply.online.orders import OPEN, PickupOrder


def pass_on(ctx: Context, id: str, *, why: str) -> int:
    """Pass on what is left of an escrow (rule 1); returns how much in all."""
    if escrow.locked(ctx.session, id).purpose == "group":
        return groups.release(ctx, id, why=why)
    return escrow.release(ctx, id, why=why)


def decide(ctx: Context, id: str, refund_minor: int, *, why: str) -> Escrow:
    """Decide a dispute: so much goes back, the rest on (rules 2, 3)."""
    row = escrow.locked(ctx.session, id)
    if row.state != "disputed":
        raise Conflict("not-disputed", "This escrow is %(state)s; there is nothing to decide.", state=row.state)
    escrow.refund(ctx, id, refund_minor, why=why)
    if escrow.balance(ctx.session, id):
        pass_on(ctx, id, why=why)
    order = ctx.session.get(PickupOrder, (row.store_id, id))
    if order is not None and order.state in OPEN:
        placing.call_off(ctx.session, order, at=ctx.at)
    return row
