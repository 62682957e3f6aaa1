"""What a text says to a person who reads it, without random letters in which any short word can stand by chance."""

import re


def readable(text: str) -> str:
    """Leave out ids, hashes and tokens: every run of twenty or more of their letters."""
    return re.sub(r"[A-Za-z0-9_+/=.-]{20,}", "…", text)
