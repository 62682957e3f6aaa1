"""The refusals of the online store, its orders, their money and the shelf in the reader's language."""

from typing import Any

from flask_babel import lazy_gettext as _l

ONLINE: dict[str, tuple[Any, ...]] = {
    "no-window": (_l("The store has no free time for collecting just now. Try again later."),),
    "window-full": (_l("This time for collecting is full or over. Choose another one."),),
    "bad-window": (_l("A time to collect lasts 15, 30, 60 or 120 minutes."),),
    "bad-rule-number": (_l("Type a whole number from %(least)s to %(most)s."),),
    "bad-email": (_l("Type the e-mail address like name@example.com, or leave it out."),),
    "no-online-payment": (_l("This store takes the money at the counter only."),),
    "too-many-codes": (_l("Too many codes were sent today. Call the store, or order there."),),
    "codes-locked-today": (
        _l("Too many wrong codes were typed here today. Use the link in your order’s message, or call the store."),
    ),
    "too-late-to-return": (_l("The time to bring these goods back is over. Ask the store."),),
    "orders-square": (_l("This is order %(order_no)s: hand it over under Pickup."),),
    "not-handed-over": (_l("The store has not said yet that it handed your order over. Try again later."),),
    "decided-already": (_l("The network has decided about this order. Ask it if you have a question."),),
    "nothing-to-dispute": (_l("Only what was paid online and collected, or is long overdue, can be disputed here."),),
    "nothing-held": (_l("Nothing of this payment is kept any more."),),
    "more-than-held": (_l("That is more than is kept of this payment: %(left_minor)s."),),
    "no-reference": (_l("Say how it was paid: the transfer’s number, say."),),
    "may-be-back": (
        _l("The payment service has not refused it: the money may be back already. Look there first, and say so."),
    ),
    "unknown-refund": (_l("There is no such refund."),),
    "paid-online": (_l("This was paid online: take it back on the Pickup page, and the money goes back by itself."),),
    "not-paid-online": (_l("This was not paid online. Give the money back in cash or to the card."),),
    "all-or-nothing": (_l("The customer wants all of it or nothing. Cancel the order, or ask first and say so here."),),
    "replacement-dearer": (
        _l("%(name)s costs more than %(other)s, for its deposit. Choose something else, or give the rest."),
    ),
    "above-paid": (
        _l("This order was paid before: %(paid_minor)s. It would cost %(total_minor)s now. Give less, or cancel it."),
    ),
    "all-came-back": (_l("All of this order has come back already."),),
    "not-wished": (_l("The customer did not wish for something else. Ask first, then say so here."),),
    "not-a-replacement": (_l("Choose something else: another product with a price, sold in the same unit."),),
    "nothing-back": (_l("Say what comes back, and how much of it."),),
    "group-closed": (_l("This group has closed. Look for another one."),),
    "case-full": (_l("Only %(left)s more fit into the last case."),),
    "already-joined": (_l("You have joined this group already. Look at your page."),),
    "id-in-use": (_l("This page was used for something else. Open it again and begin again."),),
    "bad-steps": (_l("Each price step needs more units and a lower price than the one before."),),
    "bad-group": (_l("A group needs a threshold, a case and a minimum of at least one."),),
    "bad-group-product": (_l("A group buys a product that is sold by the piece."),),
    "bad-group-days": (_l("First the group closes, then the vehicle comes, then it is collected."),),
    "bad-commission": (_l("The leader’s commission is at most 20 %%."),),
    "not-ordered": (_l("Nothing of this group is on its way."),),
    "goods-not-posted": (
        _l(
            "The records have only %(available)s of %(name)s that nobody else is promised. Post the delivery or count "
            "it, then say what came."
        ),
    ),
    "arrived-said": (
        _l(
            "You have said already that %(arrived)s came, and they are dealt out. What is missing of a share is "
            "settled in its pickup order."
        ),
    ),
    "unknown-group": (_l("There is no such group buy. Check the link."),),
    "not-collected": (_l("What was collected can be reviewed, once it is."),),
    "already-reviewed": (_l("You have reviewed this already. Tell the store if it has changed."),),
    "bad-review": (_l("Give one to five stars, and at most %(most)s letters."),),
    "bad-answer": (_l("An answer has 1 to %(most)s letters."),),
    "unknown-review": (_l("There is no such review."),),
    "no-store-place": (_l("Say where your store is: without it no way can be told."),),
    "bad-windows": (_l("Name one to eight times such as 11:00-13:00."),),
    "crossing-windows": (_l("Each time must end after it begins, and none may overlap."),),
    "bad-place-line": (_l("Line %(line)s: write a name, then latitude and longitude in degrees."),),
    "too-many-places": (_l("Name at most %(most)s places."),),
    "no-home-delivery": (_l("This store brings nothing home just now. Collect it instead."),),
    "below-delivery-minimum": (_l("The store brings orders home from a higher total on: %(minimum_minor)s."),),
    "no-address": (_l("Choose a place the store brings to, or let your phone tell where you are."),),
    "no-door": (_l("Write building, floor and door, so that you are found."),),
    "too-far": (_l("It is %(metres)s m to you; the store brings orders up to %(radius_m)s m."),),
    "pay-first": (_l("The store brings home what is paid online."),),
    "brought-home": (_l("This order is to be brought home. Say first that the customer collects it."),),
    "not-brought": (_l("This order is collected in the store; nobody brings it."),),
    "nothing-to-take": (_l("Choose at least one order to take along."),),
    "not-packed": (_l("Not ready yet: %(names)s. Pack it first."),),
    "no-taker": (_l("Type the customer’s code, or the name of who takes it."),),
    "goods-not-here": (_l("Not here yet: %(names)s. Wait for the vehicle, or give the rest."),),
    "nothing-due": (_l("Nothing of this order is to be given back."),),
    "drawer-lacks-cash": (_l("There is not so much cash in this drawer. Give it back to the card."),),
    "bad-facings": (_l("A product gets 1 to %(most)s facings."),),
    "plan-changed": (_l("The plan has changed meanwhile. Look at it again, then arrange it."),),
    "bad-campaign-days": (_l("First the stores answer, then the campaign begins, then it ends, within 60 days."),),
    "bad-campaign-lines": (_l("1 to 8 different products, each up to 90 %% off and up to 500 %% more expected."),),
    "bad-campaign-fee": (_l("A fee is paid for places on the shelf: ask for one, or leave the fee out."),),
    "unknown-campaign": (_l("There is no such campaign."),),
    "campaign-answered": (_l("This campaign was answered already."),),
    "campaign-over": (_l("The last day to answer is over."),),
    "unknown-place": (_l("This name is on no list any more. Look at the list again."),),
    "not-disputed": (_l("Nothing waits for a decision here."),),
    # --- orders and their codes ---
    "unknown-order": (_l("There is no such order in this store."),),
    "unknown-store": (_l("There is no such store. Check the address."),),
    "store-closed": (_l("This store takes no online orders just now. Try again later."),),
    "not-sold-online": (
        _l("This store does not sell online: %(skus)s. Take it out of the basket."),
        _l("This product is not in this online store. Look for another one."),
    ),
    "too-many-unpaid": (
        _l(
            "Under this number %(most)s orders are open here that are not paid yet. Collect one first, or pay this one"
            " online where the store offers it."
        ),
    ),
    "missed-one": (
        _l(
            "An order under this number was not collected lately, so only one waits unpaid at a time. Collect it first,"
            " or pay this one online where the store offers it."
        ),
    ),
    "too-much-unpaid": (
        _l(
            "Without paying before, at most %(most)s things are put aside for one number; with this order it would be"
            " %(things)s. Order less, or pay online where the store offers it."
        ),
    ),
    "bad-basket": (_l("Something is wrong with this basket. Look at its lines again."),),
    "bad-name": (_l("A name has 1 to 60 letters."),),
    "bad-phone": (_l("Give a phone number: 5 to 20 digits, blanks and + - / ( ) are fine."),),
    "bad-token": (_l("This page is too old. Load it again."),),
    "bad-id": (_l("This page is too old. Load it again."),),
    "too-late-to-cancel": (_l("The order cannot be cancelled here any more, it is: %(state)s. Tell the shopkeeper."),),
    "no-such-code": (_l("This is no pickup code: it has 8 letters and digits. Read it again."),),
    "wrong-code": (_l("This code is not for this store. Read it again, or scan the square."),),
    "other-order": (_l("This code belongs to order %(order_no)s."), _l("This code belongs to another order.")),
    "codes-locked": (
        _l("Too many wrong codes. Codes are taken again from %(until)s."),
        _l("Too many wrong codes. Wait ten minutes."),
    ),
    "already-collected": (
        _l("Order %(order_no)s was handed over before."),
        _l("This order was handed over before."),
    ),
    "not-ready": (
        _l("Order %(order_no)s is not ready yet, it is: %(state)s."),
        _l("This order is not ready yet."),
    ),
    "not-come-yet": (
        _l(
            "There is no order with this square here. One of another store, or one that the line has not brought yet:"
            " the customer's page says how it stands."
        ),
    ),
    "ended-paid-back": (
        _l(
            "Order %(order_no)s is over, it is: %(state)s. What was paid for it goes back to the customer: sell the"
            " goods at the till if they still want them."
        ),
        _l("This order is over, and what was paid for it goes back to the customer."),
    ),
    "order-ended": (_l("Order %(order_no)s is over, it is: %(state)s."), _l("This order is over.")),
    "not-picking": (_l("Begin picking this order first."),),
    "not-in-order": (_l("This product is not in the order. Put it back."),),
    "nothing-short": (_l("Nothing is missing: make the order ready."),),
    "nothing-picked": (_l("Nothing of it was found. Cancel the order and say why."),),
    "lines-short": (_l("Not everything was found. Give the customer less, or pick the rest."),),
    "count-first": (
        _l("The records have only %(available)s of the %(wanted)s picked. Count it, then make the order ready."),
    ),
    "reason-missing": (_l("Say why, so that the customer understands."),),
}
