"""What a shop can answer when it cannot do what was asked.

Rules
-----
1. Every refusal is a `ShopError`: a stable `code` (kebab-case), a sentence the shopkeeper can act on, and the
   facts behind it, complete (all short lines, not the first).
2. Five kinds, and no HTTP here: the edge turns kinds into status codes.
"""

import re
from typing import Any


class ShopError(Exception):
    """A refusal with a code, a sentence and its facts."""

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts


class Invalid(ShopError):
    """What was given cannot be meant: mend the input and ask again."""


class NotFound(ShopError):
    """What was named does not exist here."""


class Refused(ShopError):
    """The shop's own rule says no."""


class Conflict(ShopError):
    """Someone was first, or the same id came with another content."""


class Unreachable(ShopError):
    """The outside (network, printer, terminal) does not answer."""


def cause(fault: BaseException) -> str:
    """Say why the system or a library failed, in its own words without error numbers and source lines."""
    text = getattr(fault, "strerror", None) or str(fault).split("\n")[0] or type(fault).__name__
    return re.sub(r"\[[^\]]*\d+\] |\[SSL: \w+\] | \(_ssl\.c:\d+\)", "", text).rstrip(".")
