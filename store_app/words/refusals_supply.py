"""The refusals about stock, orders, money, routes, claims and transfers in the reader's language; see
`words.refusals`."""

from typing import Any

from flask_babel import lazy_gettext as _l

STOCK: dict[str, tuple[Any, ...]] = {
    "illegal-move": (_l("That is not possible any more; look at its state and go on from there."),),
    "not-available": (
        _l("There is not enough: %(short)s."),
        _l("At most %(available)s can be taken. Count it if there are more."),
        _l("There is not enough of it; count it if you see more."),
    ),
    "already-booked": (_l("This was booked before."),),
    "already-reserved": (_l("This was booked before."),),
    "bad-place": (_l("Goods are carried between two places in the store."),),
    "unknown-plan": (_l("There is no such shelf plan."),),
    "not-a-draft": (_l("This plan was decided before. Draft a new one."),),
    "no-such-slot": (_l("This plan has no place %(slot)s."), _l("This plan has no such place.")),
    "nothing-to-rank": (_l("Nothing can be ranked yet: there are no sales of the last four weeks."),),
    "recalled": (
        _l("%(names)s is recalled: %(why)s. Do not sell it; put it aside and tell the shopkeeper."),
        _l("This is recalled. Do not sell it; put it aside and tell the shopkeeper."),
    ),
    "recalled-batch": (
        _l(
            "Of %(names)s, batch %(batches)s is recalled: %(why)s. Read the batch on the pack: put that one aside; "
            "for another batch scan its code with the batch, or type it."
        ),
    ),
    "already-recalled": (_l("This is recalled already."),),
    "unknown-recall": (_l("There is no such recall here."),),
    "network-recall": (_l("The network called this back, and only the network can lift it."),),
    "no-afterwards": (_l("Say what becomes of the goods in the stores."),),
    "more-than-recalled": (
        _l("The book has %(most)s that could be of it. Count again, or put the stock right first."),
    ),
    "not-looked-through": (_l("This store has not said yet how many it took away."),),
    "not-coming": (_l("This purchase brings nothing that is recalled. Reload the page."),),
    "recall-settled": (_l("%(name)s was credited before."),),
    "unknown-upstream-claim": (_l("There is no such claim of a supplier."),),
    "no-supplier-answer": (_l("Write what the supplier says."),),
    "return-open": (_l("A return to this supplier is open. Hand it over, or drop it."),),
    "recall-lifted": (_l("This recall is lifted: nothing of it goes back."),),
    "bad-upstream-return": (_l("Of what this supplier brought, %(most)s stand there. Type how many of them go back."),),
    "return-handed-over": (_l("This return was handed over already."),),
    "return-beyond-stock": (
        _l("Of its lots only %(left)s are left. Drop the return, and propose what goes back again."),
    ),
    "unknown-upstream-return": (_l("There is no such return to a supplier."),),
    "claim-open": (_l("This supplier has an open claim of the recall. Settle that one first."),),
    "nothing-upstream": (_l("Nothing of this recall is to be claimed of this supplier."),),
    "claim-settled": (_l("This claim is settled already."),),
    "credit-beyond-claim": (_l("No more is credited than was claimed."),),
    "not-told-yet": (_l("Tell %(name)s of the recall first, and note it."),),
    "told-by-node": (_l("Its own node tells this store, and says when somebody has looked."),),
    "bad-recall-quantity": (_l("Type 0 to %(most)s."),),
    "never-ordered": (_l("This store never ordered it from the network. Credit it on the page of its money."),),
    "expired": (
        _l("%(name)s could be sold until %(expires_on)s. Do not sell it: write it off."),
        _l("Its last day is over. Do not sell it: write it off."),
    ),
    "bad-date": (_l("Look at the date on the pack again."),),
    "bad-batch": (_l("A batch has at most 40 letters."),),
    "bad-percent": (_l("Take off between 1 and 99 percent."),),
    "count-again": (_l("Count again: %(names)s."), _l("Some products have to be counted again.")),
    "sections-open": (_l("Still being counted: %(sections)s."),),
    "section-counted": (_l("%(section)s was counted already. Open it again to scan, or type the total you see now."),),
    "nothing-counted": (_l("Nothing of it was counted here yet."),),
    "no-section": (_l("Name at least one section, such as a shelf or the cold room."),),
    "unknown-section": (_l("This stock take has no such section."),),
    "unknown-take": (_l("There is no such stock take in this store."),),
    "take-closed": (_l("The counting of this stock take is over. Start another one."),),
    "note-closed": (_l("This note was closed before. Begin a new one."),),
    "unknown-note": (_l("There is no such note in this store."),),
    "unknown-line": (_l("This line is not on the note any more."),),
    "no-supplier": (_l("Say who brings it, or takes it back."),),
    "no-lines": (_l("There is nothing on it yet. Scan the first product."),),
    "refill-differs": (_l("This refill was noted before. Load the page again."),),
}

ORDERS: dict[str, tuple[Any, ...]] = {
    "not-proposed": (_l("Order %(order_no)s is no proposal any more. Look at it again."),),
    "not-on-order": (_l("This product is not on order %(order_no)s. Add it to the order first."),),
    "already-on-order": (_l("This product is on order %(order_no)s already. Change it there."),),
    "not-sold-by-supplier": (
        _l("%(name)s does not sell this product."),
        _l("This supplier does not sell this product."),
    ),
    "not-listed-here": (_l("This store does not sell this product. List it and price it first."),),
    "bad-packs": (_l("Type a whole number of packs, 0 to %(most)s."),),
    "order-gone": (
        _l("Order %(order_no)s was sent already. Call it off instead, as long as nothing of it is on its way."),
    ),
    "order-over": (_l("Order %(order_no)s is over: nothing of it is sent any more. Propose again."),),
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
    "unknown-delivery": (_l("There is no such delivery in this store."),),
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
    "unknown-offer": (_l("There is no such offer to this store."),),
    "offer-over": (_l("The time to answer this offer is over. Ask for a new one."),),
    "offer-answered": (_l("This offer was answered before: %(state)s."),),
    "not-carried": (_l("The network does not carry %(sku)s. Choose another product."),),
    "bad-day": (_l("This day is not possible. Choose a later one."),),
}

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
    "no-credit-line": (_l("This store has no credit line yet. It is worked out at night."),),
    "unknown-draw": (_l("This order is not paid on credit."),),
    "unknown-invoice": (_l("There is no such invoice of this store."),),
    "nothing-left": (_l("Nothing is left of this invoice. Look at the list again."),),
    "unknown-payment": (_l("This payment is not in the store’s book. Look at the list again."),),
    "taken-back": (_l("This payment was taken back already."),),
    "same-store": (_l("It is booked for this store already. Choose the store that paid."),),
    "more-than-delivered": (
        _l("That is more than was ever charged to this store for goods: at most %(most_minor)s."),
        _l("That is more than was ever charged to this store for goods."),
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
        _l("The invoice this is about is not in the book yet. Wait until the store's deliveries have come again."),
    ),
    "unknown-entry": (_l("There is no such entry. Look at the list again."),),
    "unknown-payout": (_l("There is no such payout."),),
    "unknown-objection": (_l("There is no such objection."),),
    "unknown-suggestion": (_l("There is no such suggestion."),),
    "bad-subject": (_l("Object to the limit, the account or the standing."),),
}

ROUNDS: dict[str, tuple[Any, ...]] = {
    "bad-zone": (_l("%(tz)s is no time zone. Write it like Europe/Berlin."),),
    "no-vehicles": (_l("There is no vehicle yet. Add one, then plan the routes."),),
    "warehouse-nowhere": (_l("Nobody has said where the warehouse is. Give its place first."),),
    "unknown-site": (_l("There is no store and no warehouse %(id)s. Check its number."),),
    "bad-position": (_l("%(id)s: latitudes are -90 to 90 degrees, longitudes -180 to 180."),),
    "bad-call-minutes": (_l("A call takes 0 to 240 minutes."),),
    "bad-call-window": (_l("A window ends after it begins, on the same day."),),
    "no-vehicle-name": (_l("Give the vehicle a name, such as its number plate."),),
    "bad-vehicle-load": (_l("A vehicle holds 1 to %(most)s packs."),),
    "unknown-vehicle": (_l("There is no such vehicle. Choose one from the list."),),
    "bad-matrix": (
        _l("Line %(line)s cannot be taken. Each line names two known places, then whole metres and seconds."),
        _l("The first line must name the columns: from,to,metres,seconds."),
    ),
    "route-over": (_l("This route is over: its order cannot be changed any more."),),
    "day-over": (_l("%(day)s is over. Plan the routes of today or of a later day."),),
    "route-day-over": (_l("This route was for %(day)s, which is over. Plan the routes again."),),
    "vehicle-away": (
        _l("%(vehicle)s is still on another route. Confirm its stops, or end that route, then send it off."),
    ),
    "no-such-stop": (_l("This store is not ahead on this route."),),
    "no-such-route": (_l("There is no such route. Open the page again."),),
    "no-driver": (_l("Give the driver’s name: the stores read it."),),
    "bad-outcome": (_l("Say whether it was delivered, short, refused or not reached."),),
    "no-receiver": (_l("Type the name of who took the goods."),),
    "more-than-the-lot": (_l("Only %(left)s are left of this lot. Count again."),),
    "unknown-warehouse": (_l("No supplier delivers from %(warehouse_id)s. Choose a warehouse from the list."),),
    "put-aside": (_l("%(name)s is put aside. Take it up again, or drop the order."),),
    "unknown-pick": (_l("There is no such pick list. Open the page again."),),
    "nothing-to-gather": (_l("Nothing waits to be picked here. Share out and confirm the orders first."),),
    "not-picked": (_l("Not everything on this list was picked yet. Confirm the rest first."),),
    "already-picked": (_l("%(who)s picked %(name)s before. Open the list again, or put it back to change it."),),
    "pick-over": (_l("Pick list %(no)s has left or was given up: nothing on it can be changed any more."),),
    "not-on-pick": (_l("This product is not on the list."),),
    "lot-not-here": (
        _l("%(name)s: the book has no such lot here. Put it aside and tell whoever takes goods in; take another."),
    ),
    "lot-kept": (_l("%(name)s: all of this lot is on another list. Take another lot."),),
    "bad-lot-quantity": (_l("%(name)s: this list can take 1 to %(most)s of this lot."),),
    "unknown-lot-code": (_l("Nobody knows this code. Look for the product by its name, and choose its lot there."),),
    "batch-without-end": (
        _l("Where the batch ends, this code does not say. Read it on the pack: if it is %(batches)s, choose that lot."),
    ),
    "lot-over": (_l("%(name)s: the last day of this lot was %(day)s. Leave it for writing off, and take another."),),
    "lot-recalled": (
        _l("%(name)s: lot %(batch)s was recalled. Put it aside and tell whoever takes goods in; take another."),
    ),
    "bad-pick": (_l("%(name)s: type how many were picked, 0 to %(most)s."),),
    "not-whole-packs": (_l("%(name)s goes in whole packs of %(pack_qty)s."),),
    "no-short-reason": (_l("%(name)s: say why less was picked."),),
    "left-here": (_l("%(driver)s left these goods with %(receiver)s. Count them, and claim what is wrong with them."),),
    "stop-confirmed": (_l("This stop was confirmed before, with another word. Call the warehouse."),),
}

CLAIMS: dict[str, tuple[Any, ...]] = {
    "claim-too-late": (
        _l("This delivery could be complained of until %(until)s. Ask for goodwill instead."),
        _l("The days for complaints are over. Ask for goodwill instead."),
    ),
    "more-than-came": (
        _l("%(name)s: at most %(most)s can be claimed by the count of this delivery."),
        _l("That is more than came, or is missing."),
    ),
    "count-not-here": (_l("What the store counted of this delivery is not here yet. Answer once it is."),),
    "twice": (_l("A product stands here twice with the same complaint. Put it together."),),
    "unknown-claim": (_l("There is no such claim in this store."),),
    "claim-answered": (_l("This claim is answered already."),),
    "contested-once": (_l("This claim was contested before: the second answer is the last."),),
    "nothing-to-contest": (_l("There is no answer to contest here."),),
    "network-answers": (_l("The network answers this claim itself."),),
    "grant-out-of-bounds": (
        _l("%(name)s: grant %(least)s to %(most)s units."),
        _l("That is more than was claimed, or less than was granted before."),
    ),
    "second-in-money": (_l("What is granted on the second look is paid in money."),),
    "nothing-goes-back": (_l("Only wrong goods and those too many go back. Choose money."),),
    "not-anew": (_l("Goods too many are not sent again. Choose money, or take them back."),),
    "not-charged": (_l("Goods on sale or return were never charged. Choose money."),),
    "photo-too-large": (_l("The photo is too large: 8 MB at most. Take a smaller one."),),
    "no-photo": (_l("This is no photo that can be shown. Take a JPEG, PNG or WebP."),),
    "no-such-photo": (_l("This photo is not here yet."),),
    "bad-photo": (_l("The pieces of this photo are not what the store sent."),),
    "unknown-return": (_l("There is no such return of this store."),),
    "return-over": (_l("This return is settled already. Look at the list again."),),
    "more-than-proposed": (
        _l("%(name)s: 0 to %(most)s units go back."),
        _l("That is more than is to go back."),
    ),
    "more-than-sent": (
        _l("%(name)s: %(sent)s were sent. Count again."),
        _l("That is more than was sent. Count again."),
    ),
    "unknown-consigned": (_l("There are no such goods in this store."),),
    "lot-empty": (_l("Nothing is left of %(name)s: there is nothing to send back."),),
    "past-return-day": (_l("%(name)s could go back until %(until)s. It is yours now."),),
}

TRANSFERS: dict[str, tuple[Any, ...]] = {
    "unknown-transfer": (_l("There is no such transfer of this store’s. Open the page again."),),
    "transfer-over": (_l("The day for this is over. The network proposes again when it pays."),),
    "transfer-state": (_l("That was settled meanwhile. Open the page again and look how it stands."),),
    "not-the-giver": (_l("The other store hands these goods over."),),
    "not-the-taker": (_l("The other store fetches these goods."),),
    "not-their-code": (_l("This code does not fit. Read it again."),),
    "not-ours": (
        _l(
            "%(theirs)s of %(name)s are here on sale or return and not yours to give. Hand over %(own)s at most, or "
            "buy them first on the page Goods on sale or return."
        ),
        _l("Some of it is here on sale or return and not yours to give. Hand over less."),
    ),
    "transfer-recalled": (
        _l(
            "%(names)s is recalled: hand none of it over. Where only a batch is, look through the store first, on the "
            "page Recalls."
        ),
    ),
    "nothing-given": (_l("Nothing is handed over. Count what goes, or say no."),),
}
