"""The second factor of whoever signs in from the internet: an authenticator app's code (RFC 6238), or a recovery code.

Rules
-----
1. An app's secret is derived from the node's secret and from a salt that is kept with the person: it is in no table, so
   in no copy and no export. Where the node's secret is another one, recovery codes open.
2. A code holds in its half minute, and in the one before and after it, for clocks that differ. Each opens once, and
   after it none that is older.
3. RECOVERY_CODES codes are made with a salt and shown this once. Each has 120 random bits, opens once, and only its
   SHA-256 is kept.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets

import pyotp
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, secret_of
from pos.store.store import Staff

RECOVERY_CODES, RECOVERY_BYTES = 10, 15
GROUP = 6
STEPS_APART = 1


class RecoveryCode(Base):
    """A code that opens once in the place of the app's."""

    __tablename__ = "recovery_code"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(primary_key=True)


# --- verbs ---


def new_salt() -> str:
    """Return what the secret of another app is derived from."""
    return secrets.token_urlsafe(16)


def set_up(session: Session, person: Staff, salt: str, typed: str, *, at: dt.datetime) -> list[str] | None:
    """Let a person's app count from now on, and return the recovery codes; None: the app's code was wrong."""
    step = _step_of(_app(session, person, salt), typed, at)
    if step is None:
        return None
    _forget_recovery_codes(session, person)
    person.totp_salt, person.code_step = salt, step
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(node_id=person.node_id, staff_id=person.id, code_hash=_hash(code)) for code in codes)
    return ["-".join(code[n : n + GROUP] for n in range(0, len(code), GROUP)) for code in codes]


def take(session: Session, person: Staff, typed: str, *, at: dt.datetime) -> bool:
    """Use a code up and tell whether it was right (rules 2, 3); who has no second factor yet needs none."""
    if person.totp_salt is None:
        return True
    step = _step_of(_app(session, person, person.totp_salt), typed, at)
    if step is not None and step > (person.code_step or 0):
        person.code_step = step
        return True
    code = session.get(RecoveryCode, (person.node_id, person.id, _hash(typed)), with_for_update=True)
    if code is not None:
        session.delete(code)
    return code is not None


def withdraw(session: Session, person: Staff) -> None:
    """Let neither the app nor a recovery code open anything: the person sets another one up when signing in."""
    _forget_recovery_codes(session, person)
    person.totp_salt = person.code_step = None


# --- questions ---


def address(session: Session, person: Staff, salt: str, place: str) -> str:
    """Return what an app reads as a QR code."""
    return _app(session, person, salt).provisioning_uri(name=person.name, issuer_name=place)


def secret(session: Session, person: Staff, salt: str) -> str:
    """Return an app's secret (rule 1), as somebody types it who cannot scan."""
    said = f"second factor:{person.node_id}:{person.id}:{salt}".encode()
    return base64.b32encode(hmac.digest(secret_of(session).encode(), said, hashlib.sha256)[:20]).decode()


def recovery_codes_left(session: Session, person: Staff) -> int:
    """Return how many recovery codes still open."""
    mine = sa.and_(RecoveryCode.node_id == person.node_id, RecoveryCode.staff_id == person.id)
    return session.scalar(sa.select(sa.func.count()).select_from(RecoveryCode).where(mine)) or 0


# --- inside ---


def _app(session: Session, person: Staff, salt: str) -> pyotp.TOTP:
    return pyotp.TOTP(secret(session, person, salt))


def _step_of(app: pyotp.TOTP, typed: str, at: dt.datetime) -> int | None:
    """Return the step of time whose code this is, of those near `at` (rule 2)."""
    now, code = app.timecode(at), "".join(typed.split()).encode()
    near = range(now - STEPS_APART, now + STEPS_APART + 1)
    return next((step for step in near if hmac.compare_digest(app.generate_otp(step).encode(), code)), None)


def _hash(code: str) -> str:
    tidy = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(tidy.encode()).hexdigest()


def _forget_recovery_codes(session: Session, person: Staff) -> None:
    mine = sa.and_(RecoveryCode.node_id == person.node_id, RecoveryCode.staff_id == person.id)
    session.execute(sa.delete(RecoveryCode).where(mine))
