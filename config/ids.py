"""Ids made at the edge, and codes people read to each other.

Rules
-----
1. `new_id()` is unique without asking anybody, and sorts by the time it was made: 128 bits of UUIDv7 written
   in 26 characters of Crockford's base 32. It is also the idempotency key of the command that carries it.
2. A pickup code is eight characters of that alphabet without look-alikes, the last one a check character
   (ISO 7064 style weighted sum, modulus 31), so that a slip of the tongue is noticed before it is looked up.
"""

import re

import uuid_utils

NETWORK = "network"
_STORE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}", re.ASCII)


_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _BASE32 for low in _BASE32]
_SPOKEN = "23456789ABCDEFGHJKLMNPQRSTUVWXY"  # 31 characters: no 0 O 1 I Z
CODE_LENGTH = 8


def new_id() -> str:
    """Make a 26-character, time-sortable id."""
    return _written(uuid_utils.uuid7().int)


def id_of(seed: bytes) -> str:
    """Return the id that belongs to `seed`, 16 or more bytes of a keyed hash: the same for the same seed."""
    return _written(int.from_bytes(seed[:16], "big"))


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an id: 8 to 40 letters, digits or hyphens.

    Pages make their own ids (a browser's random UUID), so the form is wider than `new_id()`'s.
    """
    return 8 <= len(text) <= 40 and text.isascii() and text.replace("-", "").isalnum()


def pickup_code_of(seed: bytes) -> str:
    """Return the pickup code that belongs to `seed`, 16 or more bytes of a keyed hash: the same for the same seed."""
    number = int.from_bytes(seed[:16], "big")
    body = "".join(_SPOKEN[number // len(_SPOKEN) ** place % len(_SPOKEN)] for place in range(CODE_LENGTH - 1))
    return body + _check_character(body)


def tidy_pickup_code(text: str) -> str | None:
    """Return the code as it is kept, or None when it cannot be one (length, letters or check character)."""
    code = "".join(text.split()).replace("-", "").upper()
    if len(code) != CODE_LENGTH or any(letter not in _SPOKEN for letter in code):
        return None
    return code if _check_character(code[:-1]) == code[-1] else None


def _written(number: int) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -10, -10)])


def _check_character(body: str) -> str:
    total = sum((place + 2) * _SPOKEN.index(letter) for place, letter in enumerate(body))
    return _SPOKEN[total % len(_SPOKEN)]


def is_store_id(text: str) -> bool:
    """Tell whether a store or warehouse may have this id: 1 to 20 letters, digits, `_` or `-`."""
    return _STORE_ID.fullmatch(text) is not None and text.casefold() != NETWORK
