"""The digests that chain books and facts: each says by which algorithm it was made, so that another may follow.

Rules
-----
1. A digest without a name is SHA-256; one of another algorithm is `name:hex`. New ones are made by TODAY's, old ones
   stay as they are and are checked by the algorithm they name.
2. A chain goes on by the algorithm of what it takes up: both ends reckon alike, whatever either holds for today's.
3. A name nobody knows fits nothing. An algorithm is put here a version before TODAY names it, networks first.
"""

import hashlib

ALGORITHMS = {"": hashlib.sha256, "sha3": hashlib.sha3_256}
TODAY = ""


def of(text: str, like: str | None = None) -> str:
    """Return the digest of a text, by today's algorithm or by the one another digest names (rules 1, 3)."""
    name = TODAY if like is None else like.rpartition(":")[0]
    made = ALGORITHMS.get(name)
    if made is None:
        name, made = "", hashlib.sha256
    digest = made(text.encode()).hexdigest()
    return f"{name}:{digest}" if name else digest
