"""The refusals of proposals, orders and who they go to, of goods that come and of offers; see `words.refusals`."""

from typing import Any

from flask_babel import lazy_gettext as _l

ORDERS: dict[str, tuple[Any, ...]] = {
    "not-proposed": (_l("Order %(order_no)s is no proposal any more. Look at it again."),),
    "not-on-order": (_l("This product is not on order %(order_no)s. Add it to the order first."),),
    "already-on-order": (_l("This product is on order %(order_no)s already. Change it there."),),
    "not-sold-by-supplier": (
        _l("%(name)s does not sell this product."),
        _l("This supplier does not sell this product."),
    ),
    "not-listed-here": (_l("This shop does not sell this product. List it and price it first."),),
    "bad-packs": (_l("Type a whole number of packs, 0 to %(most)s."),),
    "order-gone": (
        _l("Order %(order_no)s was sent already. Call it off instead, as long as nothing of it is on its way."),
    ),
    "order-over": (_l("Order %(order_no)s is over: nothing of it is sent any more. Propose anew."),),
    "week-below-order": (_l("The week’s limit is at least that of one order."),),
    "bad-choice": (_l("Choose one of the list."),),
    "unknown-supplier": (_l("There is no such supplier here. Look at the list again."),),
    "supplier-exists": (_l("This supplier is already here."),),
    "no-name": (_l("Give the supplier a name."),),
    "offer-not-waiting": (_l("This offer does not wait any more. Look at the list again."),),
    "bad-slots": (_l("A shelf has 1 to %(most)s slots."),),
    # --- orders to suppliers, goods in, offers ---
    "below-minimum": (
        _l("The supplier delivers from %(minimum_minor)s; this is %(cost_minor)s. Add packs, or drop the order."),
    ),
    "another-warehouse": (_l("Your goods come from another warehouse now. Press “Propose now”, then approve."),),
    "order-day-over": (_l("Its order day is over. Press “Propose now”: days and quantities have moved on."),),
    "empty-order": (_l("Nothing is ordered: put at least one pack on a line, or drop the order."),),
    "not-sent": (_l("This order was not sent yet. Drop it instead."),),
    "being-counted": (_l("The goods of this order are being counted. Post them first."),),
    "order-content-differs": (
        _l("Order %(order_no)s was already placed with another content. Begin a new one."),
        _l("This order came before with another content."),
    ),
    "unknown-delivery": (_l("There is no such delivery in this shop."),),
    "already-posted": (_l("This delivery was closed before."),),
    "not-counting": (_l("Begin to count this delivery first."),),
    "not-on-delivery": (_l("This product is not on the delivery. Put it aside and ask the supplier."),),
    "bad-reduction": (_l("Type a percentage from 1 to 100."),),
    "no-products": (_l("Choose the products of the offer."),),
    "bad-days": (_l("The last day comes before the first."),),
    "bad-hours": (_l("Type both times, from and until, or neither."),),
    "offer-exists": (_l("This offer is already made. Open it to change it."),),
    "offer-ended": (_l("This offer has been ended. Make a new one."),),
    "not-our-offer": (_l("This offer is the network's; only the network changes or ends it."),),
    "needs-no-coupon": (_l("This offer is for everybody; it needs no coupon."),),
    "bad-code-count": (_l("An offer has 1 to %(most)s codes."),),
    "bad-limit": (_l("A code can be used once or more often."),),
    "bad-coupon": (_l("A code has 3 to 24 letters A to Z and digits."),),
    "coupon-taken": (_l("The code %(codes)s is already taken. Choose another."),),
    "marked-sold-out": (
        _l("Another till has just sold the last reduced ones. Look at the new total, then take the money."),
    ),
    "coupon-used-up": (_l("The coupon %(coupon)s cannot be used any more. Take it out and look at the new total."),),
    "unknown-offer": (_l("There is no such offer to this shop."),),
    "offer-over": (_l("The time to answer this offer is over. Ask for a new one."),),
    "offer-answered": (_l("This offer was answered before: %(state)s."),),
    "not-carried": (_l("The network does not carry %(sku)s. Choose another product."),),
    "bad-day": (_l("This day is not possible. Choose a later one."),),
}
