"""An operator sets what a line of an order gets, beside what the rule gives, and takes it back.

Rules
-----
1. A line is set with a reason, which its store reads (`promise_changes`), and never to more than is there: free stock,
   what the line is promised already, less what was set for lines that wait.
2. More than the store ordered is promised only where the operator says so, of a confirmed order, as far as the store's
   account allows (`account_orders`).
3. What is set for a waiting line is kept for it and given with the next allocation (`dispatch`, rule 9). A confirmed
   line is promised it at once; its order costs what is promised (`orders`, rule 12).
4. A line can be set and taken back until its order is on a pick list or has left. Taken back, it gets what the rule
   gave, or would give; where that is no longer there it stays as it is.
5. Who sets a line says which state of the order they saw (`promise_step`): of two at once the second is told. Goods are
   shared, set, listed and loaded one after the other (`locations`, rule 4), so that nothing is promised twice.
6. Of a confirmed order something stays: who wants none of it to go asks the store to cancel it.
"""

from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.nodes import journal
from config.nodes.journal import Context
from supply.money import account_orders
from supply.network.warehouse import dispatch, pick_lists
from supply.network.warehouse.dispatch import Key
from supply.orders import locations, orders
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.promise_changes import PromiseChange
from supply.orders.suppliers import MOST_PACKS, supplier_of

CHANGEABLE = ("sent", "acknowledged")
LONGEST_WHY = 200


# --- verbs ---


def set_packs(
    ctx: Context, key: Key, packs: int, *, why: str, step: int, more_than_ordered: bool = False
) -> PromiseChange:
    """Set the packs of a line (rules 1 to 3, 5, 6); the same again changes nothing."""
    why = stated(why, Invalid("no-reason", "Enter a reason. The shopkeeper will see it.", field="why"), LONGEST_WHY)
    order, line = _to_change(ctx.session, key)
    known = ctx.session.get(PromiseChange, key)
    if known is not None and (known.packs, known.why, known.by) == (packs, why, ctx.actor.name):
        return known
    _refuse_stale(order, step)
    if not 0 <= packs <= MOST_PACKS:
        raise Invalid(
            "bad-number", "Enter a whole number from %(least)s to %(most)s.", field="packs", least=0, most=MOST_PACKS
        )
    if packs > line.packs:
        _refuse_more(order, line, more_than_ordered)
    before = _packs_now(order, line, known)
    _refuse_gone(ctx, order, line, packs, before)
    row = known or PromiseChange(store_id=key[0], order_id=key[1], sku=key[2])
    if known is None:
        row.rule_packs = line.packs_acknowledged if order.state == "acknowledged" else None
        ctx.session.add(row)
    row.packs, row.why, row.by, row.at = packs, why, ctx.actor.name, ctx.at
    _promise(ctx, order, line, packs)
    journal.record(
        ctx, verb="order.line_set", subject=orders.subject_of(order), store=order.store_id, sku=line.sku,
        before=before, packs=packs, why=why,
    )  # fmt: skip
    return row


def take_back(ctx: Context, key: Key, *, step: int) -> None:
    """Let a line get what the rule gives again (rule 4); one that was not set stays as it is."""
    order, line = _to_change(ctx.session, key)
    known = ctx.session.get(PromiseChange, key)
    if known is None:
        return
    _refuse_stale(order, step)
    packs = known.rule_packs or 0
    if order.state == "acknowledged":
        _refuse_gone(ctx, order, line, packs, known.packs)
    ctx.session.delete(known)
    ctx.session.flush()
    _promise(ctx, order, line, packs)
    journal.record(
        ctx, verb="order.line_taken_back", subject=orders.subject_of(order), store=order.store_id, sku=line.sku,
        before=known.packs, packs=packs if order.state == "acknowledged" else None,
    )  # fmt: skip


# --- inside ---


def _to_change(session: Session, key: Key) -> tuple[ReplenishmentOrder, OrderLine]:
    """Return a line that can be changed, with its order, once nobody else can move goods (rules 4, 5)."""
    store_id, order_id, sku = key
    locations.alone(session)
    order = orders.order_of(session, store_id, order_id)
    line = session.get(OrderLine, key)
    if line is None or supplier_of(session, order.supplier_id).warehouse_id is None:
        raise NotFound("not-in-order", "This order has no such line. Reload the page.", sku=sku)
    session.refresh(line)
    if order.state not in CHANGEABLE:
        raise Conflict(
            "order-moved-on", "Order %(order_no)s is %(state)s, and its packs can no longer be changed.",
            order_no=f"{store_id}-{order.order_no}", state=order.state,
        )  # fmt: skip
    if ("order", store_id, order_id) in pick_lists.being_picked(session):
        raise Conflict(
            "being-picked", "Order %(order_no)s is on a pick list. Discard the list to change its packs.",
            order_no=f"{store_id}-{order.order_no}",
        )  # fmt: skip
    return order, line


def _refuse_stale(order: ReplenishmentOrder, step: int) -> None:
    if order.promise_step != step:
        raise Conflict("promise-changed", "Someone else just changed this order. Check its packs and try again.")


def _refuse_more(order: ReplenishmentOrder, line: OrderLine, more_than_ordered: bool) -> None:
    if order.state != "acknowledged":
        raise Refused(
            "not-confirmed", "This order is not confirmed yet. Promise up to the %(packs)s packs it asks for.",
            field="packs", packs=line.packs,
        )  # fmt: skip
    if not more_than_ordered:
        raise Refused(
            "more-than-ordered", "The store ordered %(packs)s packs. To send more, select “More than ordered”.",
            field="packs", packs=line.packs,
        )  # fmt: skip


def _packs_now(order: ReplenishmentOrder, line: OrderLine, known: PromiseChange | None) -> int:
    """Return the packs a line holds of the stock: as promised, or as set; none while the rule has not given."""
    if order.state == "acknowledged":
        return line.packs_acknowledged or 0
    return known.packs if known is not None else 0


def _refuse_gone(ctx: Context, order: ReplenishmentOrder, line: OrderLine, packs: int, before: int) -> None:
    """Refuse more packs than are there (rule 1), and an order of which nothing stays (rule 6)."""
    house = supplier_of(ctx.session, order.supplier_id).warehouse_id or ""
    there = before + max(0, free_for_lines(ctx, house, line.sku)) // line.pack_qty
    if packs > max(before, there):
        raise Refused(
            "not-there", "Only %(packs)s packs are there for this line.", field="packs", packs=there,
        )  # fmt: skip
    rest = sum(one.packs_acknowledged or 0 for one in orders.lines_of(ctx.session, order) if one.sku != line.sku)
    if order.state == "acknowledged" and not packs and not rest:
        raise Refused("nothing-stays", "This is all the order gets. Ask the store to cancel it instead.", field="packs")


def free_for_lines(ctx: Context, warehouse_id: str, sku: str) -> int:
    """Return the units promised to nobody and set for nobody (rule 1)."""
    goods = (warehouse_id, sku)
    return dispatch.free_stock(ctx.session, ctx.at).get(goods, 0) - dispatch.set_aside(ctx.session).get(goods, 0)


def _promise(ctx: Context, order: ReplenishmentOrder, line: OrderLine, packs: int) -> None:
    """Write a promise down, and tell the store of it where the order is confirmed (rule 3)."""
    order.promise_step += 1
    ctx.session.flush()
    if order.state != "acknowledged":
        return
    orders.promise_again(ctx.session, order, {line.sku: packs})
    if packs > line.packs:
        account_orders.refuse_beyond(ctx.session, order)
    dispatch.send_promise(ctx, order)
