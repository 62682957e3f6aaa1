"""A node's signature (Ed25519): its private key in a file, what is signed, and how a signature is verified.

Rules
-----
1. The private key lies in one file beside the books (0600) and nowhere else: no backup, export or page carries it.
   Whoever copies the books or reads the settings cannot sign.
2. What is signed names its purpose first, so that a signature made for one purpose is good for no other.
3. A key that is here is never overwritten by making one; only a change puts another in its place.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import private
from config.errors import Invalid
from config.nodes.journal import canonical

if TYPE_CHECKING:  # a store's web process signs nothing, and cryptography takes four megabytes
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_PATTERN, SIGNATURE_PATTERN = r"^[0-9a-f]{64}$", r"^[0-9a-f]{128}$"


class Signer:
    """A private key. public: its public half, 64 hex digits."""

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw().hex()

    @classmethod
    def make(cls) -> "Signer":
        """Make a new key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    def sign(self, statement: bytes) -> str:
        """Return the signature of a statement, 128 hex digits."""
        return self._key.sign(statement).hex()

    def keep(self, path: Path, *, replace: bool = False) -> "Signer":
        """Write the key to its file (rule 1); returns the key that lies there then (rule 3)."""
        from cryptography.hazmat.primitives import serialization

        raw = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        private.folder(path.parent)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(beside, path)  # unlike a rename it never takes another key's place
            beside.unlink()
        private.settle(path.parent)
        return load(path) or self


def load(path: Path) -> Signer | None:
    """Return the key in a file; None where there is no file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(raw, None)
    except (ValueError, TypeError) as fault:
        reported = "Move the file away; a new key is made, and the network's operator must allow it."
        raise Invalid(
            "broken-signing-key", "The signing key at %(path)s cannot be read. %(reported)s", path=path,
            reported=reported,
        ) from fault  # fmt: skip
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(
            "broken-signing-key", "The file %(path)s contains a different kind of key. Move it elsewhere.", path=path
        )
    return Signer(key)


def statement(purpose: str, *parts: Any) -> bytes:
    """Return the bytes that are signed (rule 2); parts: plain JSON."""
    return canonical(["cornerstore", 1, purpose, *parts]).encode()


def is_signed(public: str, said: bytes, signature: str) -> bool:
    """Tell whether a statement was signed with the private half of a key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: str) -> str:
    """Return what people compare on the telephone: eight groups of four."""
    digits = hashlib.sha256(bytes.fromhex(public)).hexdigest()[:32].upper()
    return " ".join(digits[n : n + 4] for n in range(0, 32, 4))


def name_of(public: str) -> str:
    """Return a key's short name, the first eight digits of its fingerprint."""
    return fingerprint(public).replace(" ", "")[:8].lower()
