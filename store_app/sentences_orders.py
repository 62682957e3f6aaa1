"""The refusals of proposals, orders and who they go to; see `sentences`."""

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
}
