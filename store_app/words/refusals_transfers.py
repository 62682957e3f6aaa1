"""The refusals of goods between shops in the reader's language."""

from typing import Any

from flask_babel import lazy_gettext as _l

TRANSFERS: dict[str, tuple[Any, ...]] = {
    "unknown-transfer": (_l("There is no such transfer of this shop’s. Open the page once more."),),
    "transfer-over": (_l("The day for this is over. The network proposes again when it pays."),),
    "transfer-state": (_l("That was settled meanwhile. Open the page once more and look how it stands."),),
    "not-the-giver": (_l("The other shop hands these goods over."),),
    "not-the-taker": (_l("The other shop fetches these goods."),),
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
            "%(names)s is recalled: hand none of it over. Where only a batch is, look through the shop first, on the "
            "page Recalls."
        ),
    ),
    "nothing-given": (_l("Nothing is handed over. Count what goes, or say no."),),
}
