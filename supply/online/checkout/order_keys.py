"""The keys to an order: the customer's token and the code derived from it, how both are kept, and whose it is. Pure.

Rules
-----
1. The token is 128 random bits; the code is its HMAC with the order's id, so whoever has the token can show the code.
2. Both are kept as hashes. The token's is a plain one: nobody searches 128 bits. The code has 35, and its hash travels
   to the store, so it is slow and salted (`pins.slow_hash`). The salt stands before it: one per store and week, so that
   a counter that looks for a typed code hashes it once a week of orders, not once an order.
"""

import datetime as dt
import hashlib
import hmac
import re
import secrets
from functools import lru_cache

from config.errors import Invalid
from config.ids import pickup_code_of
from config.phones import e164
from pos.store import pins

NAME_LENGTH = 80
_PHONE = re.compile(r"[0-9+()/. -]{5,20}")


def new_token() -> str:
    """Make a token of 128 random bits, 22 characters."""
    return secrets.token_urlsafe(16)


def code_of(order_id: str, token: str) -> str:
    """Return the 8-character code that belongs to a token (rule 1)."""
    return pickup_code_of(hmac.new(token.encode(), f"pickup code {order_id}".encode(), hashlib.sha256).digest())


def salt_for(store_id: str, at: dt.datetime) -> str:
    """Return the salt of the codes of a store's orders of a week (rule 2)."""
    return f"{store_id}-{at:%G%V}"


@lru_cache(maxsize=64)
def code_hash(salt: str, code: str) -> str:
    """Return how a code is kept: its salt and a slow hash (rule 2)."""
    return f"{salt}${pins.slow_hash(code, salt)}"


def salt_of(kept: str) -> str:
    """Return the salt a kept code was hashed with."""
    return kept.rpartition("$")[0]


def token_hash(token: str) -> str:
    """Return how a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_person(name: str, phone: str, tz: str) -> tuple[str, str]:
    """Return name and phone tidied, the phone in E.164, or refuse them with what is missing. tz: the store's."""
    name, phone = tidy_name(name), phone.strip()
    if not _PHONE.fullmatch(phone) or sum(letter.isdigit() for letter in phone) < 5:
        raise Invalid("bad-phone", "Enter a phone number of 5 to 20 digits; spaces and + - / ( ) are fine.")
    return name, e164(phone, tz)


def tidy_name(name: str) -> str:
    """Return the name under which an order is collected, tidied, or refuse it."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise Invalid("bad-name", "Enter a pickup name of 1 to %(name_length)s characters.", name_length=NAME_LENGTH)
    return name
