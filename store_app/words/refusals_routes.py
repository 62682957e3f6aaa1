"""The refusals of the vans' day in the reader's language."""

from typing import Any

from flask_babel import lazy_gettext as _l

ROUNDS: dict[str, tuple[Any, ...]] = {
    "bad-zone": (_l("%(tz)s is no time zone. Write it like Europe/Berlin."),),
    "no-vans": (_l("There is no van yet. Add one, then plan the rounds."),),
    "warehouse-nowhere": (_l("Nobody has said where the warehouse is. Give its place first."),),
    "unknown-site": (_l("There is no shop and no warehouse %(id)s. Check its number."),),
    "bad-position": (_l("%(id)s: latitudes are -90 to 90 degrees, longitudes -180 to 180."),),
    "bad-call-minutes": (_l("A call takes 0 to 240 minutes."),),
    "bad-call-window": (_l("A window ends after it begins, on the same day."),),
    "no-van-name": (_l("Give the van a name, such as its number plate."),),
    "bad-van-load": (_l("A van holds 1 to %(most)s packs."),),
    "unknown-van": (_l("There is no such van. Choose one from the list."),),
    "bad-matrix": (
        _l("Line %(line)s cannot be taken. Each line names two known places, then whole metres and seconds."),
        _l("The first line must name the columns: from,to,metres,seconds."),
    ),
    "round-over": (_l("This round is over: its order cannot be changed any more."),),
    "day-over": (_l("%(day)s is over. Plan the rounds of today or of a later day."),),
    "round-day-over": (_l("This round was for %(day)s, which is over. Plan the rounds anew."),),
    "van-away": (_l("%(van)s is still on another round. Confirm its stops, or end that round, then send it off."),),
    "no-such-stop": (_l("This shop is not ahead on this round."),),
    "no-such-round": (_l("There is no such round. Open the page once more."),),
    "no-driver": (_l("Give the driver’s name: the shops read it."),),
    "bad-outcome": (_l("Say whether it was delivered, short, refused or not reached."),),
    "no-receiver": (_l("Type the name of who took the goods."),),
    "more-than-the-lot": (_l("Only %(left)s are left of this lot. Count again."),),
    "unknown-warehouse": (_l("No supplier delivers from %(warehouse_id)s. Choose a warehouse from the list."),),
    "put-aside": (_l("%(name)s is put aside. Take it up again, or drop the order."),),
    "unknown-pick": (_l("There is no such pick list. Open the page once more."),),
    "nothing-to-gather": (_l("Nothing waits to be picked here. Share out and confirm the orders first."),),
    "not-picked": (_l("Not everything on this list was picked yet. Confirm the rest first."),),
    "already-picked": (_l("%(who)s picked %(name)s before. Open the list once more, or put it back to change it."),),
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
