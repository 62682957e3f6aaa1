"""The refusals about stock and shelf in the reader's language."""

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
    "network-recall": (_l("The network called this back, and only the network can lift it."),),
    "no-afterwards": (_l("Say what becomes of the goods in the shops."),),
    "more-than-recalled": (
        _l("The book has %(most)s that could be of it. Count again, or put the stock right first."),
    ),
    "not-looked-through": (_l("This shop has not said yet how many it took away."),),
    "not-coming": (_l("This purchase brings nothing that is recalled. Reload the page."),),
    "recall-settled": (_l("%(name)s was credited before."),),
    "unknown-upstream-claim": (_l("There is no such claim of a supplier."),),
    "no-supplier-answer": (_l("Write what the supplier says."),),
    "return-open": (_l("A return to this supplier is open. Hand it over, or drop it."),),
    "recall-lifted": (_l("This recall is lifted: nothing of it goes back."),),
    "bad-upstream-return": (_l("Of what this supplier brought, %(most)s stand there. Type how many of them go back."),),
    "return-handed-over": (_l("This return was handed over already."),),
    "return-beyond-stock": (
        _l("Of its lots only %(left)s are left. Drop the return, and propose what goes back anew."),
    ),
    "unknown-upstream-return": (_l("There is no such return to a supplier."),),
    "claim-open": (_l("This supplier has an open claim of the recall. Settle that one first."),),
    "nothing-upstream": (_l("Nothing of this recall is to be claimed of this supplier."),),
    "claim-settled": (_l("This claim is settled already."),),
    "credit-beyond-claim": (_l("No more is credited than was claimed."),),
    "not-told-yet": (_l("Tell %(name)s of the recall first, and note it."),),
    "told-by-node": (_l("Its own node tells this shop, and says when somebody has looked."),),
    "bad-recall-quantity": (_l("Type 0 to %(most)s."),),
    "never-ordered": (_l("This shop never ordered it from the network. Credit it on the page of its money."),),
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
}
