"""What a store can answer when it cannot do what was asked.

Rules
-----
1. Every refusal is a `DomainError`: a stable `code` (kebab-case), a sentence the shopkeeper can act on, and the
   facts behind it, complete (all short lines, not the first).
2. Five kinds, and no HTTP here: the edge turns kinds into status codes.
"""

import re
from typing import Any


class DomainError(Exception):
    """A refusal with a code, a sentence and its facts."""

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts


class Invalid(DomainError):
    """What was given cannot be meant: mend the input and ask again."""


class NotFound(DomainError):
    """What was named does not exist here."""


class Refused(DomainError):
    """The store's own rule says no."""


class Conflict(DomainError):
    """Someone was first, or the same id came with another content."""


class Unreachable(DomainError):
    """The outside (network, printer, terminal) does not answer."""


def cause(fault: BaseException) -> str:
    """Say why the system or a library failed, in its own words without error numbers and source lines."""
    text = getattr(fault, "strerror", None) or str(fault).split("\n")[0] or type(fault).__name__
    return re.sub(r"\[[^\]]*\d+\] |\[SSL: \w+\] | \(_ssl\.c:\d+\)", "", text).rstrip(".")
