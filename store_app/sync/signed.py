"""Requests of a store to the network, signed with the store's own key: a bearer key alone opens nothing.

The signature covers method, path, query and body, and travels with the public key in one header. The network compares
the key with those it knows of the store (`config/nodes/signing_keys.py`).
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import Refused
from config.nodes import signing, signing_keys
from config.nodes.signing import Signer

if TYPE_CHECKING:
    import httpx2  # a till's process verifies signatures and sends nothing itself

HEADER = "Cornerstore-Signature"


class Signing:
    """An httpx2 client's `auth` that signs with the key in a file; where there is no key yet, requests go unsigned."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, request: "httpx2.Request") -> "httpx2.Request":
        """Add the signature."""
        if (signer := signing.load(self._path)) is not None:
            said = _statement(request.method, request.url.path, request.url.query, request.read())
            request.headers[HEADER] = f"{signer.public} {signer.sign(said)}"
        return request


def headers_for(signer: Signer, method: str, path: str, body: bytes = b"", query: bytes = b"") -> dict[str, str]:
    """Return the header that signs a request."""
    return {HEADER: f"{signer.public} {signer.sign(_statement(method, path, query, body))}"}


def signed_by(header: str | None, method: str, path: str, query: bytes, body: bytes) -> str | None:
    """Return the key that signed a request; None where none did. Raises Refused where the signature does not fit."""
    if not header:
        return None
    public, _, signature = header.partition(" ")
    if not signing.is_signed(public, _statement(method, path, query, body), signature):
        raise Refused(signing_keys.WRONG, "The signature does not match the message. Nothing was accepted.")
    return public


def _statement(method: str, path: str, query: bytes, body: bytes) -> bytes:
    # what stands before /api/ is the business of whatever stands before the network
    place = path[max(0, path.find("/api/")) :]
    return signing.statement("request", method, place, query.decode("latin-1"), hashlib.sha256(body).hexdigest())
