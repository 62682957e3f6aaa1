"""The refusals of the back office in the reader's language: people, products, prices, taxes, files."""

from typing import Any

from flask_babel import lazy_gettext as _l

OFFICE: dict[str, tuple[Any, ...]] = {
    "bad-leave": (_l("Leave is given for 1 to %(most)s hours."),),
    "no-leave": (_l("This shop has given no leave to look into it. Ask the shopkeeper."),),
    "no-look": (_l("Open the look first: the shop reads who looks."),),
    # --- people ---
    "last-shopkeeper": (_l("%(name)s is the last shopkeeper here. Make another person shopkeeper first."),),
    "yourself": (_l("You cannot send yourself away. Let another shopkeeper do it."),),
    "works-here": (_l("%(name)s works here already."),),
    "unknown-role": (_l("There is no such role. Choose one from the list."),),
    "not-the-first": (
        _l("Somebody works here already, or this is not the computer the shop runs on. Sign in instead."),
    ),
    # --- training ---
    "no-lesson": (_l("There is no such lesson. Choose one from the list."),),
    "not-in-practice": (_l("This is closed while you practise. Stop practising first."),),
    "practising": (_l("This browser practises just now. Stop practising, then take the money once more."),),
    "lesson-text": (
        _l("A lesson has at most %(letters)s letters; this one is longer."),
        _l("There is no task %(task)s; choose one of %(tasks)s."),
        _l("“%(line)s” is no line of the heading; write it as “title: Ring up and pay”."),
        _l("The heading has no line “%(missing)s: …”."),
        _l("%(word)s is not known; choose %(choices)s."),
        _l("minutes: write how long it takes, 1 to 59 (not %(minutes)s)."),
        _l("A lesson has 1 to %(most)s tasks, lines such as “- [ ] sale: Sell two products”."),
        _l("The same task stands there twice; each is asked for once."),
    ),
    # --- products ---
    "bad-product": (_l("A product needs a name and a category, a kind, and what it is counted in."),),
    "too-long": (_l("That is too long. Say it shorter."),),
    "unknown-tax-class": (_l("There is no such tax class. Choose one from the list."),),
    "bad-deposit": (_l("Choose a deposit from the list. Only goods carry one."),),
    "bad-number": (
        _l("Type a whole number from %(least)s to %(most)s."),
        _l("Type a whole number."),
    ),
    "network-product": (
        _l("%(name)s belongs to the network’s catalogue; its name and tax are settled there."),
        _l("This product belongs to the network’s catalogue; its name and tax are settled there."),
    ),
    "unit-stays": (_l("What a product is counted in stays as it is. Make a new product instead."),),
    "bad-code": (_l("A barcode has 1 to 64 letters or digits."),),
    "code-taken": (_l("The barcode %(barcode)s belongs to another product already: %(sku)s."),),
    "product-exists": (_l("The SKU %(sku)s is taken. Choose another one."),),
    # --- prices and taxes ---
    "past-price": (_l("A price begins today or later. Choose another day."),),
    "no-such-price": (_l("This price is not there any more. Look at the list again."),),
    "price-in-force": (_l("This price is in force. Set a new one instead."),),
    "bad-rule": (_l("That change is not possible. Type it again."),),
    "bad-tax-class": (_l("A tax class has a short id without blanks, and a name."),),
    "bad-rate": (_l("A rate is between 0 and 100 percent."),),
    "tax-class-used": (_l("Products use this class; whether prices include the tax stays. Add another class."),),
    # --- printers ---
    "printer-agent-alone": (
        _l("A printer by a print agent neither stands in nor has a stand-in. Choose: wait for it."),
    ),
    "printer-no-agent": (_l("This printer is not printed by a print agent. Say so first, and save."),),
    "printer-name": (_l("Give the printer a name of at most 40 letters."),),
    "printer-name-taken": (_l("Another printer has this name. Choose a different one."),),
    "printer-choice": (_l("Choose one of what is offered."),),
    "unknown-printer": (_l("This printer is not set up here any more. Choose one from the list."),),
    "printer-setting": (_l("The printer cannot be found that way. Look at “What to write there”."),),
    "printer-search": (_l("The setting printer_search of the shop’s computer is not a list of small networks."),),
    # --- files ---
    "file-too-large": (_l("The file is too large: 20 MB at most, also unpacked. Split it."),),
    "wrong-columns": (
        _l("The file lacks these columns: %(missing)s."),
        _l("The file has these columns twice: %(twice)s. Keep one of each."),
    ),
    "unreadable-file": (_l("The file cannot be read. Save it anew as CSV or XLSX."),),
    "unknown-encoding": (_l("The file is neither UTF-8, UTF-16 nor GB18030. Save it as UTF-8 and try again."),),
    "too-many-rows": (_l("The file has too many rows. Split it."),),
    "faults": (_l("The file has faults; nothing was written. Mend them and bring it in again."),),
    # --- suppliers ---
    "network-supplier": (_l("This supplier belongs to the network, which settles its terms."),),
    "bad-lead-time": (_l("Goods come 0 to 60 days after the order. Type another number."),),
    "bad-order-days": (_l("Choose at least one weekday on which this supplier takes orders."),),
    "bad-minimum": (_l("The minimum order must be zero or more."),),
    "bad-way": (_l("Choose how orders reach this supplier."),),
    "bad-email": (_l("Type the e-mail address orders are sent to, like orders@farm.example."),),
    "bad-pack": (_l("A pack holds 1 unit or more, and at least 1 pack is ordered."),),
    "bad-cost": (_l("A pack costs zero or more."),),
    "past-cost": (_l("A cost begins today or later. Choose another day."),),
    "no-letter": (_l("No letter was written for this order."),),
    "bad-budget": (_l("A limit is an amount of zero or more."),),
    "bad-room": (_l("Type how many there is room for, 1 or more; leave it empty for no limit."),),
    "bad-show": (_l("What stands for show is 0 or more, and fits into the room there is."),),
    "bad-service": (_l("Service is 50 to 99.5 of 100 wanted units; leave it empty to have it worked out."),),
    # --- purchasing ---
    "not-on-purchase": (_l("This product is not on the purchase."),),
    "unknown-purchase": (_l("There is no such purchase."),),
    # --- paper ---
    "logo-too-large": (_l("The picture is too large: at most 500 KB, and 4,000 dots a side. Save it smaller."),),
    "logo-not-png": (_l("This is no PNG picture. Save the logo as PNG, then choose it again."),),
    "logo-blank": (_l("Too little of the picture would be seen on paper. Use a darker one."),),
    "sheet-too-long": (_l("More than %(most)s products: choose an aisle for the sheet."),),
    "nothing-to-count": (_l("There is no product in this aisle."),),
    "no-new-price": (_l("No price begins on this day, so there is nothing to print."),),
    "nothing-to-pick": (_l("No accepted order is to be picked. Accept one first."),),
    "not-posted": (_l("Count this delivery and post it first."),),
    "nothing-to-claim": (_l("Everything came as ordered: there is nothing to claim."),),
}
