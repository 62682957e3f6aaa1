"""PINs and passphrases: how they are kept, and which are worth guessing first, so that nobody has them.

Rules
-----
1. Nobody chooses a PIN that is tried first: a repetition, a row up or down, a year or a day. `refuse_weak` alone says
   so, wherever a PIN is set.
2. Who works at the network has a passphrase of PASSPHRASE_LEAST characters or more, whatever they are: its sign-in
   stands on the internet. One made of common passwords, of the person's name or of the network's is refused: zxcvbn,
   which knows 30,000 of the passwords found in breaches, must reckon with GUESSES_LEAST guesses.
3. A PIN has 4 to 12 digits. Of PINs and passphrases only the argon2id hash is kept, of the text as it was typed. To
   find one wrong takes as long where there is nobody.
4. A short code by which something is found is hashed as slowly, with one salt for all that it is looked for among.
"""

import datetime as dt
import hashlib
import itertools
import re
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2 import low_level as argon2
from argon2.exceptions import VerifyMismatchError

from config.errors import Invalid
from pos.store.roles import NETWORK_ROLES

PASSPHRASE_LEAST, MOST = 12, 128
"""How many characters a passphrase has."""
GUESSES_LEAST = 10**10
PLACE_WORDS = ("cornerstore", "network", "operator")
_DAYS = {6: ("%d%m%y", "%m%d%y", "%y%m%d"), 8: ("%d%m%Y", "%m%d%Y", "%Y%m%d")}
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_FINDING = (2, 19_456, 1, 32)
"""How codes are hashed that are found by it (rule 4): other figures find nothing of what rests, so they stand alone."""
_ZXCVBN_MOST = 72
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$FWgenUc0O2td8NmMWwXeGg$XFtV/Ja7FQ/COJHMhJa7pYDdoPxHBSlB83Q/dwVsyiQ"
"""A hash by the same parameters, which no PIN has (rule 3)."""


def hashed(pin: str) -> str:
    """Return what is kept of a PIN or a passphrase (rule 3)."""
    if not PASSPHRASE_LEAST <= len(pin) <= MOST:
        _refuse_no_pin(pin)
    return _hasher.hash(pin)


def is_right(pin: str, kept: str | None) -> bool:
    """Tell whether a PIN is the one that is kept; None: there is nobody whose it could be (rule 3)."""
    try:
        _hasher.verify(kept or _NOBODYS, pin)
    except VerifyMismatchError:
        return False
    return kept is not None


def is_dated(kept: str) -> bool:
    """Tell whether a hash was made in another way than today's, so that the next sign-in rehashes it."""
    return _hasher.check_needs_rehash(kept)


def slow_hash(code: str, salt: str) -> str:
    """Return a hash of a short code by which it can be found again, slow to search through (rule 4)."""
    drawn = hashlib.sha256(salt.encode()).digest()[:16]
    return argon2.hash_secret_raw(code.encode(), drawn, *_FINDING, argon2.Type.ID).hex()


def refuse_weak(pin: str, role: str, words: Iterable[str] = ()) -> None:
    """Refuse a PIN or a passphrase that is not good enough for what a role may do.

    words: names that whoever guesses knows: the person's and the network's.
    """
    if role in NETWORK_ROLES:
        _refuse_weak_passphrase(pin, words)
        return
    _refuse_no_pin(pin)
    if is_guessed_first(pin):
        raise Invalid(
            "weak-pin",
            "This PIN is easy to guess. Avoid repeats, sequences, years and dates.",
            field="pin",
        )


def is_good(pin: str, role: str, words: Iterable[str] = ()) -> bool:
    """Tell whether a PIN or a passphrase would be taken for a role today."""
    try:
        refuse_weak(pin, role, words)
    except Invalid:
        return False
    return True


def is_guessed_first(pin: str) -> bool:
    """Tell whether a PIN is a repetition (0000, 1212), a row (1234, 9876), a year of a life, or a day."""
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    if steps <= {0} or steps == {1} or steps == {9} or re.fullmatch(r"(\d{1,6})\1+", pin):
        return True
    return bool(re.fullmatch(r"(19|20)\d\d", pin)) or any(_is_day(pin, form) for form in _DAYS.get(len(pin), ()))


def _refuse_no_pin(pin: str) -> None:
    if not re.fullmatch(r"\d{4,12}", pin, re.ASCII):
        raise Invalid("bad-pin", "A PIN has 4 to 12 digits.", field="pin")


def _refuse_weak_passphrase(typed: str, words: Iterable[str]) -> None:
    if not PASSPHRASE_LEAST <= len(typed) <= MOST:
        raise Invalid(
            "bad-passphrase", "A passphrase needs %(least)s to %(most)s characters.", field="pin",
            least=PASSPHRASE_LEAST, most=MOST,
        )  # fmt: skip
    from zxcvbn import zxcvbn  # its lists take 70 ms to load, and a till needs none of them

    known = [*PLACE_WORDS, *(part for word in words for part in (word, *word.split()))]
    if zxcvbn(typed[:_ZXCVBN_MOST], user_inputs=known)["guesses"] < GUESSES_LEAST:
        raise Invalid(
            "weak-passphrase", "This passphrase is easy to guess. Use four or five unrelated words.", field="pin"
        )


def _is_day(pin: str, form: str) -> bool:
    try:
        return 1900 <= dt.datetime.strptime(pin, form).year < 2100  # noqa: DTZ007  a day alone
    except ValueError:
        return False
