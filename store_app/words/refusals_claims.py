"""The refusals about claims, goods on sale or return, and goods that go back, in the reader's language."""

from typing import Any

from flask_babel import lazy_gettext as _l

CLAIMS: dict[str, tuple[Any, ...]] = {
    "claim-too-late": (
        _l("This delivery could be complained of until %(until)s. Ask for goodwill instead."),
        _l("The days for complaints are over. Ask for goodwill instead."),
    ),
    "more-than-came": (
        _l("%(name)s: at most %(most)s can be claimed by the count of this delivery."),
        _l("That is more than came, or is missing."),
    ),
    "count-not-here": (_l("What the shop counted of this delivery is not here yet. Answer once it is."),),
    "twice": (_l("A product stands here twice with the same complaint. Put it together."),),
    "unknown-claim": (_l("There is no such claim in this shop."),),
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
    "not-anew": (_l("Goods too many are not sent anew. Choose money, or take them back."),),
    "not-charged": (_l("Goods on sale or return were never charged. Choose money."),),
    "photo-too-large": (_l("The photo is too large: 8 MB at most. Take a smaller one."),),
    "no-photo": (_l("This is no photo that can be shown. Take a JPEG, PNG or WebP."),),
    "no-such-photo": (_l("This photo is not here yet."),),
    "bad-photo": (_l("The pieces of this photo are not what the shop sent."),),
    "unknown-return": (_l("There is no such return of this shop."),),
    "return-over": (_l("This return is settled already. Look at the list again."),),
    "more-than-proposed": (
        _l("%(name)s: 0 to %(most)s units go back."),
        _l("That is more than is to go back."),
    ),
    "more-than-sent": (
        _l("%(name)s: %(sent)s were sent. Count again."),
        _l("That is more than was sent. Count again."),
    ),
    "unknown-consigned": (_l("There are no such goods in this shop."),),
    "lot-empty": (_l("Nothing is left of %(name)s: there is nothing to send back."),),
    "past-return-day": (_l("%(name)s could go back until %(until)s. It is yours now."),),
}
