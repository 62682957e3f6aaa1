"""The refusals of the domain in the reader's language: a code and its facts become a sentence.

Rules
-----
1. The domain refuses in English, with all it knows; an English reader gets just that, and so does a command.
2. For everybody else the code is looked up here. Of its sentences, the most telling comes first; the first one whose
   facts are all there is said.
3. A page that refuses in its own words has said it already: its sentence is left alone.
4. A code without a sentence is said as it came: better English than nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import ShopError
from store_app.presenting import clock_time, money, state_word
from store_app.sentences_claims import CLAIMS
from store_app.sentences_money import MONEY
from store_app.sentences_office import OFFICE
from store_app.sentences_online import ONLINE
from store_app.sentences_orders import ORDERS
from store_app.sentences_rounds import ROUNDS
from store_app.sentences_transfers import TRANSFERS
from store_app.wording import permission_word

_ELSEWHERE = OFFICE | ONLINE | MONEY | ROUNDS | CLAIMS | TRANSFERS | ORDERS
SENTENCES: dict[str, tuple[Any, ...]] = {
    # --- the till ---
    "unknown-barcode": (
        _l("No product has the barcode %(barcode)s. Search for it by name, or add it to the catalogue."),
    ),
    "wrong-check-digit": (_l("The barcode %(barcode)s was misread: its last digit does not fit. Scan it again."),),
    "not-sold-here": (_l("This shop does not sell %(names)s. List it in the catalogue first."),),
    "unknown-product": (
        _l("There is no product %(skus)s. Search for it by name."),
        _l("There is no such product here. Search for it by name."),
    ),
    "price-missing": (
        _l("%(names)s has no price. Set one in the catalogue, then scan it again."),
        _l("This product has no price here. Set one first."),
    ),
    "bad-quantity": (
        _l("At most %(most)s at once. Type another quantity."),
        _l("That quantity is not possible. Type another one."),
    ),
    "label-differs": (_l("No label says this of %(name)s. Take the line out and scan its label again."),),
    "may-not-practise": (_l("Your role may not practise. Turn practice off, then take the money once more."),),
    "free-label": (_l("By its label %(name)s costs nothing. Scan its own barcode, or print a new label."),),
    "label-fixed": (_l("How much %(name)s it is stands on its label. Scan the label of each piece."),),
    "outside-hours": (
        _l("%(name)s is sold from %(from_time)s to %(until_time)s only. Take it out; the rest can be sold."),
        _l("This is not sold at this hour."),
    ),
    "unknown-aisle": (_l("No product stands in that aisle. Choose one from the list."),),
    "no-shop-yet": (_l("No shop is founded here yet. On the shop’s computer type: %(command)s"),),
    "empty-basket": (_l("There is nothing in it. Choose something first."),),
    "too-many-lines": (_l("That is too much for one sale. Ring the rest up as another one."),),
    "total-changed": (
        _l("The total is %(total_minor)s now, not %(shown_minor)s. Tell the customer, then take the money."),
        _l("The total has changed. Look at it once more."),
    ),
    "age-check": (
        _l("See the customer’s papers first: at least %(minimum_age)s years old."),
        _l("See the customer’s papers and confirm the age first."),
    ),
    "too-little-cash": (
        _l("%(missing_minor)s is missing. Take it, or use another way to pay."),
        _l("That is less than there is to pay."),
    ),
    "too-much-card": (_l("That is %(over_minor)s too much; only cash can be given back. Charge the exact amount."),),
    "unknown-tender": (_l("This way to pay is not taken here: take cash or card."),),
    "bad-reference": (_l("The number on the slip is too long, or has signs that cannot be kept."),),
    "slip-needed": (_l("Type the number on the slip: it proves that the money was taken."),),
    "slip-used": (_l("This slip’s number has paid the same amount today. Type the number of this payment."),),
    "card-number": (_l("This is a card’s number. Type the number of the slip; no card’s is kept."),),
    "bad-amount": (_l("That amount is not possible. Type it again."),),
    "sale-content-differs": (
        _l("This was already saved with another content, as receipt %(receipt_no)s. Begin a new one."),
        _l("This sale was rung before with another content."),
    ),
    "no-mail-address": (_l("Type an e-mail address like li@example.com."),),
    "no-mail-here": (_l("This shop has no mail server in its settings. Print the receipt instead."),),
    "mailed-enough": (_l("This receipt went by e-mail %(most)s times. Print it instead."),),
    "no-such-sale": (_l("This receipt is not in the books. Look it up again."),),
    "more-than-sold": (
        _l("That is more than was sold: %(lines)s."),
        _l("That is more than was sold. Type a smaller quantity."),
    ),
    "nothing-to-reprint": (_l("Nothing was printed for this yet, so there is nothing to print again."),),
    "no-such-print-job": (_l("Nothing was printed under this number. Choose a print from the list."),),
    # --- cards and wallets ---
    "payment-content-differs": (_l("This payment was asked for before, with another content. Ask for it anew."),),
    "sale-finished": (_l("This sale is finished already; nothing more is paid for it."),),
    "unknown-way": (_l("Ask for a card at the terminal, or for a wallet by one of its codes."),),
    "no-provider": (_l("No terminal is set up here. Take the card by hand and type its slip number."),),
    "unknown-provider": (_l("The payment service %(provider)s is not set up here. Look at the shop’s settings."),),
    "terminal-silent": (_l("The terminal does not answer. It is asked again by itself."),),
    "wallet-code-is-product": (_l("That is a product’s barcode. Scan the code on the customer’s phone."),),
    "wallet-code-unknown": (_l("That is no payment code. Ask the customer to open the payment code and scan again."),),
    "wallet-code-missing": (_l("Scan the payment code on the customer’s phone."),),
    "payment-used": (_l("This money is spoken for already. To give it back, take the goods back."),),
    "payment-unwanted": (_l("This money goes back to the customer. Ask for it once more."),),
    "payment-elsewhere": (_l("This money was taken for another sale."),),
    "payment-not-captured": (_l("This money was not taken. Ask for another way to pay."),),
    "payment-amount": (
        _l("%(captured_minor)s was taken, not %(amount_minor)s. Load the basket again and pay once more."),
    ),
    "payment-goes-back": (_l("Money on its way back to the customer cannot be stopped."),),
    "payment-answered": (_l("The answer has come by now. Look at the payment again."),),
    "payment-not-contradicted": (_l("There is nothing to look into here any more."),),
    "no-such-payment": (_l("There is no such payment in this shop."),),
    "no-such-slip": (_l("That sale has no card slip over this amount. Give the money back instead."),),
    "money-taken": (
        _l("%(amount_minor)s was taken for this basket. Give it back first, then give the basket up."),
        _l("Money was taken for this basket. Give it back first, then give the basket up."),
    ),
    "nothing-to-give-back": (_l("Only money that a terminal or wallet took for a finished sale goes back."),),
    "more-than-captured": (_l("At most %(left_minor)s is left of this payment. Give the rest back in cash."),),
    "unknown-decision": (_l("Say whether the money was taken or not."),),
    # --- the drawer ---
    "no-open-shift": (_l("The till is closed. Open it on the page Money first."),),
    "shift-open": (_l("This till is already open."),),
    "count-settled": (_l("The count stands: what should be there was shown. Close the till."),),
    "counted-twice": (_l("The drawer was counted twice already. Go on with the last count."),),
    "not-counted": (_l("Nobody has counted the drawer yet. Count it, then close the till."),),
    "same-person": (_l("This person has the drawer already. Choose who takes it over."),),
    "unknown-denomination": (_l("There is no such coin or note in this currency. Count again."),),
    "no-such-doubt": (_l("There is no such doubt about a journal."),),
    "unknown-till": (_l("There is no such till in this shop."),),
    "not-your-drawer": (_l("%(by)s has this drawer. Let them do it, or ask somebody who may for leave."),),
    "not-in-drawer": (_l("There cannot be that much in the drawer. Type the amount again."),),
    "no-reason": (_l("Say why: choose a reason or write your own."),),
    # --- stock and shelf ---
    "illegal-move": (_l("That is not possible any more; look at its state and go on from there."),),
    "not-available": (
        _l("There is not enough: %(short)s."),
        _l("At most %(available)s can be taken. Count it if there are more."),
        _l("There is not enough of it; count it if you see more."),
    ),
    "already-booked": (_l("This was booked before."),),
    "already-reserved": (_l("This was booked before."),),
    "bad-place": (_l("Goods are carried between two places in the shop."),),
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
    "expired": (
        _l("%(name)s could be sold until %(expires_on)s. Do not sell it: write it off."),
        _l("Its last day is over. Do not sell it: write it off."),
    ),
    "bad-date": (_l("Look at the date on the pack again."),),
    "bad-batch": (_l("A batch has at most 40 letters."),),
    "bad-percent": (_l("Take off between 1 and 99 percent."),),
    "count-again": (_l("Count once more: %(names)s."), _l("Some products have to be counted once more.")),
    "sections-open": (_l("Still being counted: %(sections)s."),),
    "section-counted": (
        _l("%(section)s was counted already. Open it once more to scan, or type the total you see now."),
    ),
    "nothing-counted": (_l("Nothing of it was counted here yet."),),
    "no-section": (_l("Name at least one section, such as a shelf or the cold room."),),
    "unknown-section": (_l("This stock take has no such section."),),
    "unknown-take": (_l("There is no such stock take in this shop."),),
    "take-closed": (_l("The counting of this stock take is over. Start another one."),),
    "note-closed": (_l("This note was closed before. Begin a new one."),),
    "unknown-note": (_l("There is no such note in this shop."),),
    "unknown-line": (_l("This line is not on the note any more."),),
    "no-supplier": (_l("Say who brings it, or takes it back."),),
    "no-lines": (_l("There is nothing on it yet. Scan the first product."),),
    "refill-differs": (_l("This refill was noted before. Load the page again."),),
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
    # --- online orders and their codes ---
    "unknown-order": (_l("There is no such order in this shop."),),
    "unknown-shop": (_l("There is no such shop. Check the address."),),
    "shop-closed": (_l("This shop takes no online orders just now. Try again later."),),
    "not-sold-online": (
        _l("This shop does not sell online: %(skus)s. Take it out of the basket."),
        _l("This product is not in this online shop. Look for another one."),
    ),
    "too-many-unpaid": (
        _l(
            "Under this number %(most)s orders are open here that are not paid yet. Collect one first, or pay this one"
            " online where the shop offers it."
        ),
    ),
    "missed-one": (
        _l(
            "An order under this number was not collected lately, so only one waits unpaid at a time. Collect it first,"
            " or pay this one online where the shop offers it."
        ),
    ),
    "too-much-unpaid": (
        _l(
            "Without paying before, at most %(most)s things are put aside for one number; with this order it would be"
            " %(things)s. Order less, or pay online where the shop offers it."
        ),
    ),
    "bad-basket": (_l("Something is wrong with this basket. Look at its lines once more."),),
    "bad-name": (_l("A name has 1 to 60 letters."),),
    "bad-phone": (_l("Give a phone number: 5 to 20 digits, blanks and + - / ( ) are fine."),),
    "bad-token": (_l("This page is too old. Load it again."),),
    "bad-id": (_l("This page is too old. Load it again."),),
    "too-late-to-cancel": (_l("The order cannot be cancelled here any more, it is: %(state)s. Tell the shopkeeper."),),
    "no-such-code": (_l("This is no pickup code: it has 8 letters and digits. Read it again."),),
    "wrong-code": (_l("This code is not for this shop. Read it again, or scan the square."),),
    "other-order": (_l("This code belongs to order %(order_no)s."), _l("This code belongs to another order.")),
    "order-locked": (
        _l("Too many wrong codes for order %(order_no)s. The shopkeeper can unlock it."),
        _l("Too many wrong codes for this order. The shopkeeper can unlock it."),
    ),
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
            "There is no order with this square here. One of another shop, or one that the line has not brought yet:"
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
    # --- customers and vouchers ---
    "unknown-customer": (_l("This customer is not known here. Look the customer up again."),),
    "tab-limit": (
        _l("Only %(left_minor)s more may go on this tab. Take the rest in another way."),
        _l("That is more than may go on this tab. Take the rest in another way."),
    ),
    "more-than-owed": (
        _l("Only %(owed_minor)s is owed on this tab. Take or give back the rest in another way."),
        _l("That is more than is owed on this tab. Take or give back the rest in another way."),
    ),
    "tab-not-settled": (
        _l("%(owed_minor)s is still owed on this tab. Take the money or write it off first."),
        _l("This tab is not settled. Take the money or write it off first."),
    ),
    "command-content-differs": (_l("This was already booked with another content. Open the page anew."),),
    "no-command-id": (_l("Open the page once more and press the button again."),),
    "day-ahead": (_l("The day lies ahead. Choose the day the debt began."),),
    "bad-period": (_l("The first day must not be after the last one."),),
    "customer-name": (_l("A name has at most %(most)s letters."), _l("This name cannot be kept. Type it again.")),
    "customer-phone": (_l("A phone number has 5 to 20 digits."),),
    "phone-needed": (_l("Type the phone number: online the customer is known by it."),),
    "online-wants-points": (_l("Member prices online need points and a phone number."),),
    "network-wants-points": (_l("The network’s points need points and a phone number."),),
    "no-shared-points": (_l("The network has no points of its own now. Ask again when it has."),),
    "points-other-currency": (_l("The network’s points are worth another currency than this shop’s."),),
    "takes-no-part": (_l("This shop does not take part in the network’s points."),),
    "points-not-granted": (_l("The network has not granted these points. Choose another way to pay."),),
    "points-need-line": (
        _l("The network does not answer, so its points cannot be redeemed now. Choose another way to pay."),
    ),
    "not-agreed": (_l("That is kept only when the customer agrees to it."),),
    "no-points-here": (_l("This customer collects no points here. Choose another way to pay."),),
    "too-few-points": (_l("Points are redeemed from %(least_points)s on. Choose another way to pay."),),
    "not-enough-points": (
        _l("There are %(points)s points, and %(needed)s are needed. Take less with points."),
        _l("There are not enough points for that."),
    ),
    "bad-scheme": (_l("Type whole numbers above zero."),),
    "scheme-too-generous": (_l("The points would be worth more than what was paid."),),
    "voucher-misread": (_l("This is no voucher’s code, or it was misread. Type it again."),),
    "no-such-voucher": (_l("No voucher of this code was issued here."),),
    "voucher-expired": (_l("This voucher has expired. Choose another way to pay."),),
    "voucher-too-small": (
        _l("There is %(balance_minor)s on this voucher. Take that, and the rest in another way."),
        _l("There is less on this voucher. Take what is left, and the rest in another way."),
    ),
    "voucher-used": (_l("This voucher has been used; it cannot be taken back."),),
    "voucher-day-past": (_l("The last day lies behind. Choose a later one."),),
    # --- leave, baskets, returns ---
    "needs-approval": (_l("A supervisor has to allow this with a PIN: %(permissions)s."),),
    "beyond-limit": (_l("%(name)s may take off at most %(percent)s percent. Ask someone who may take off more."),),
    "may-not-approve": (_l("This person may not allow it. Ask someone who may."),),
    "unknown-permission": (_l("There is nothing of this name to allow."),),
    "role-keeps-all": (_l("A shopkeeper may do everything. Settle cashiers and supervisors."),),
    "shopkeepers-alone": (_l("People and roles stay with the shopkeeper. Make the person a shopkeeper instead."),),
    "bad-discount-limit": (_l("A discount limit is between 0 and 100 percent."),),
    "price-wanted": (_l("Type the price of %(name)s."), _l("Type the price first.")),
    "bad-discount": (_l("A discount is a percentage up to 100, or an amount. Type it again."),),
    "bad-price": (_l("A price is not negative and not absurdly large. Type it again."),),
    "bad-note": (_l("A note has at most 200 characters."),),
    "no-such-basket": (_l("This basket is not kept here any more. Look at the list again."),),
    "basket-taken": (_l("%(by)s has already taken up this basket."),),
    "basket-voided": (_l("This basket was given up. Begin a new sale."),),
    "basket-too-large": (_l("This basket is too large to be set aside. Ring it up in parts."),),
    "already-sold": (_l("This basket was already paid. Begin a new sale."),),
    "give-back-differs": (_l("What is given back must be what is owed, no more and no less."),),
    "goes-back-first": (_l("%(account_minor)s of it goes back to where it was paid from. Give out %(rest_minor)s."),),
    "drawer-too-empty": (
        _l("The drawer should hold only %(held_minor)s. Give the rest back another way, or put cash in first."),
    ),
    "too-many-empties": (_l("At most %(most)s empties come back in one sale. Take the rest back in another one."),),
    "bad-empties-limit": (_l("Type a whole number from 0 to %(most)s."),),
    "empties-priced": (_l("Empties come back at their deposit. Take the price and the discount off."),),
    "payment-of-another-sale": (_l("That payment belongs to another sale than the receipt that comes back."),),
    "more-than-returned": (_l("That is more than this return gives back: at most %(most_minor)s."),),
    "give-back-open": (
        _l("The terminal was asked to give money of this receipt back and has not answered. Ask it again."),
    ),
    "return-under-way": (
        _l("The terminal gave money of this receipt back for a return that is not finished. Finish that one first."),
    ),
    "given-back-more": (
        _l("The terminal gave back more for this receipt than these goods are worth. Choose the goods it was for."),
    ),
    "one-receipt": (_l("An exchange takes back goods of one receipt. Return those of the other by itself."),),
    "another-customer": (_l("The receipt belongs to another customer. Take this customer off the basket."),),
    "nothing-bought": (_l("Nothing is bought here. Take the goods back as a return: More, Bring back."),),
    "customer-wanted": (_l("Say first whose tab or points these are."),),
    "above-price": (
        _l("Without a receipt at most today’s price is given back: %(most_minor)s."),
        _l("Without a receipt at most today’s price is given back."),
    ),
    "not-returnable": (_l("This is not taken back without its receipt."),),
    "voucher-sold": (_l("A voucher is not taken back, it is spent here."),),
    "bad-receipt-no": (_l("A receipt number has only digits. Type it as it is printed."),),
    "bad-age-check": (_l("An age is checked by looking or by a document."),),
    "bad-label": (_l("The name of a basket has at most 60 characters."),),
    "unknown-report": (_l("There is no such report. Choose one from the list."),),
    "bad-report-period": (_l("A period begins before it ends and has at most three years."),),
    # --- people ---
    "not-allowed": (_l("You may not do this. Ask someone who may, or sign in as another person."),),
    "unknown-person": (_l("Nobody of that name works here. Choose a name from the list."),),
    "wrong-pin": (_l("That name and PIN do not belong together. Try again."),),
    "unknown-badge": (_l("This badge is not known here. Sign in with name and PIN."),),
    "badges-locked": (_l("Too many unknown badges. Sign in with name and PIN, or try again in %(wait_s)s seconds."),),
    "pin-wanted": (_l("Type your PIN first: a badge alone does not open this."),),
    "locked": (_l("Too many wrong PINs. Try again in %(wait_s)s seconds."),),
    "bad-pin": (_l("A PIN has 4 to 12 digits."),),
    "short-pin": (_l("An operator’s PIN has at least %(least)s digits."),),
    "weak-pin": (
        _l("This PIN is among the first that somebody tries. Take no repetition, no row, no year and no day."),
    ),
    "name-taken": (
        _l("%(name)s already works here. Choose another name."),
        _l("Somebody of this name works here already. Choose another name."),
    ),
    # --- labels, GS1 codes and the scale ---
    "misread-code": (
        _l("The code was misread or is damaged. Scan it again, or type the number under the plain barcode."),
    ),
    "wrong-price-check": (
        _l("The price on the label was misread: its check digit does not fit. Scan it again, or weigh anew."),
    ),
    "empty-label": (_l("The label says nothing was weighed. Print a new one."),),
    "label-unit": (
        _l("The label does not fit %(name)s: one is by weight, the other by the piece. Look at Weighed goods."),
    ),
    "unknown-label": (
        _l("No product has the number %(number)s of this label. Give the product the code %(barcode)s."),
        _l("No label of this shop looks like %(barcode)s. Say in Weighed goods how such labels are read."),
    ),
    "no-product-in-code": (_l("This code names no product. Scan the product’s own code."),),
    "unknown-pack": (
        _l("Nobody has said yet how many a case of %(name)s holds. Give it the code %(barcode)s, or scan one piece."),
    ),
    "other-currency": (_l("The price on this label is not in %(currency)s. Weigh the goods, or type the price."),),
    "bad-pattern": (
        _l("This pattern cannot be read. Write one such as 21{item:5}{weight:5}, beginning with 2 or 02."),
    ),
    "scheme-exists": (_l("Labels of the pattern %(pattern)s are read already."),),
    "too-many-schemes": (_l("There are too many kinds of label. Remove one first."),),
    "unknown-scheme": (_l("This kind of label is no longer there. Open the page again."),),
    "scale-silent": (_l("The scale does not answer. Look whether it is on and its cable is in, or type the weight."),),
    "scale-moving": (_l("The scale has not come to rest yet. Wait a moment, then weigh again."),),
    "scale-overload": (_l("There is too much on the scale. Take something off."),),
    "scale-below-zero": (_l("The scale is below zero. Take everything off and set it to zero."),),
    "scale-empty": (_l("There is nothing on the scale. Put the goods on, then weigh again."),),
    "tare-heavier": (_l("The tare alone is %(tare_grams)s g, and on the scale are %(grams)s g. Put the goods on."),),
    "bad-weight": (_l("That weight is not possible. Type whole grams."),),
    "not-weighed": (_l("%(name)s is not sold by weight, so it has no tare."),),
    "no-scale": (_l("This till has no scale. Type the weight."),),
    "real-scale": (_l("This till has a real scale. Lay the goods on it."),),
    # --- quick keys ---
    "not-listed": (_l("This shop does not sell %(sku)s. List it in the catalogue first."),),
    "place-taken": (_l("There is a key on that place already. Choose another one."),),
    "page-full": (_l("Page %(page)s is full. Take a key away, or use another page."),),
    "already-on-page": (_l("Page %(page)s has a key for this product already."),),
    "no-key-there": (_l("There is no key on that place. Open the page again."),),
    "bad-spot": (_l("Choose a place on a page of keys."),),
} | _ELSEWHERE


def sentence_of(fault: ShopError) -> str:
    """Return a refusal in the reader's language (rules 1 to 4)."""
    said, locale = str(fault.message), get_locale()
    if locale is None or str(locale).startswith("en") or said.endswith(_(".")):
        return said
    known = _in_words(fault.facts)
    for sentence in SENTENCES.get(fault.code, ()):
        try:
            return str(sentence) % known
        except KeyError:
            continue
    return said


def _in_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts as a sentence carries them; one that is not there, or empty, counts as missing."""
    told = {name: _written(name, fact) for name, fact in facts.items()}
    return {name: words for name, words in told.items() if words}


def _written(name: str, fact: Any) -> str:
    if fact is None:
        return ""
    if name.endswith("_minor"):
        return money(fact)
    if name == "permissions":
        return _(", ").join(permission_word(one) for one in fact)
    if isinstance(fact, list | tuple):
        return _(", ").join(_line(one) if isinstance(one, dict) else str(one) for one in fact)
    return _WRITERS.get(name, str)(fact)


def _line(line: Mapping[str, Any]) -> str:
    """Return one line that is short as 'Milk (2/5)': what there is of what was wanted."""
    there = line.get("available", line.get("left"))
    name = line.get("name") or line.get("sku") or line.get("line", "")
    return f"{name} ({there}/{line['wanted']})" if there is not None and "wanted" in line else str(name)


_WRITERS: dict[str, Callable[[Any], str]] = {"until": clock_time, "state": state_word}
