"""The receipt on the customer's phone: the address behind the code on the paper. Pure.

Rules
-----
1. The address stands on every receipt of a shop whose network shows receipts (`Store.receipts_at`); it is made from
   the receipt's own facts, so shop and network agree on it without a word, also while the shop is cut off.
2. Whoever has the address has the receipt, and nobody finds it by counting: it ends with 100 bits of a hash over the
   sale's id and its till's epoch, both random, and over what was asked for.
3. Plain letters only, so that every phone reads the code.
"""

import base64
import hashlib
import hmac
from typing import Any

LETTERS = 20


def address(document: dict[str, Any]) -> str:
    """Return where the receipt of a completed sale stands (rule 1); '' where its shop shows none."""
    at = document["store"].get("receipts_at", "")
    return f"{at.rstrip('/')}/{document['till_id']}-{document['receipt_no']}/{token(document)}" if at else ""


def token(document: dict[str, Any]) -> str:
    """Return the secret end of the address (rule 2)."""
    said = f"e-receipt {document['store']['id']} {document['id']} {document['epoch']} {document['request_hash']}"
    return base64.b32encode(hashlib.sha256(said.encode()).digest()).decode().lower()[:LETTERS]


def is_right(document: dict[str, Any], given: str) -> bool:
    """Tell whether an address's end is this receipt's."""
    return hmac.compare_digest(token(document).encode(), given.lower().encode())
