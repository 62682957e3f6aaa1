"""Who is signed in, as the browser carries it: Flask's signed cookie, its signature verified once per cookie.

Rules
-----
1. A cookie whose very text was verified before is not verified again; its age is looked at every time.
2. It is signed again when something in it changed, or when it has grown a little old, so that a day's work never ends
   in the middle of a sale.
3. Who works here is signed in for a day's work. A customer's basket, number and orders are kept VISITOR_FOR.
4. Cookies and the tokens of forms are signed by HMAC with SHA-256. What was signed with SHA-1, the libraries' own
   choice, is still read: customers keep their baskets.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, Serializer, Signer

RENEWED_AFTER = dt.timedelta(minutes=10)
VISITOR_FOR = dt.timedelta(days=30)
MOST_KEPT = 512
_BEFORE = {"digest_method": hashlib.sha1}
Signer.default_digest_method = staticmethod(hashlib.sha256)  # flask-wtf and `devices` name none (rule 4)
Serializer.default_fallback_signers = [_BEFORE, _BEFORE | {"key_derivation": "hmac"}]


class KeptSession(SecureCookieSession):
    """What a cookie holds; signed_at: when, None for a new one."""

    signed_at: dt.datetime | None = None


class KeptSessions(SecureCookieSessionInterface):
    """Flask's own cookies, of which this process remembers the verified ones."""

    session_class = KeptSession
    digest_method = staticmethod(hashlib.sha256)

    def __init__(self) -> None:
        self._kept: dict[str, tuple[dict[str, Any], dt.datetime]] = {}

    def open_session(self, app: Flask, request: Request) -> KeptSession:
        """Return what the request's cookie holds; nothing of a cookie that is forged or too old."""
        text = request.cookies.get(self.get_cookie_name(app))
        known = (self._kept.get(text) or self._verified(app, text)) if text else None
        if known is None or dt.datetime.now(dt.UTC) - known[1] > _kept_for(app, known[0]):
            return KeptSession()
        session = KeptSession(known[0])
        session.signed_at = known[1]
        return session

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Tell whether the cookie goes out again (rule 2)."""
        signed_at = getattr(session, "signed_at", None)
        old = signed_at is not None and dt.datetime.now(dt.UTC) - signed_at > RENEWED_AFTER
        return session.modified or (session.permanent and old)

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> dt.datetime | None:
        """Return until when the browser keeps the cookie (rule 3)."""
        return dt.datetime.now(dt.UTC) + _kept_for(app, session)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie where that is due."""
        if self.should_set_cookie(app, session):
            super().save_session(app, session, response)

    def _verified(self, app: Flask, text: str) -> tuple[dict[str, Any], dt.datetime] | None:
        signing = self.get_signing_serializer(app)
        assert signing is not None, "the application has a secret"
        try:
            known: tuple[dict[str, Any], dt.datetime] = signing.loads(text, return_timestamp=True)
        except BadSignature:
            return None
        if all(isinstance(value, str | int | None) for value in known[0].values()):  # nothing to be altered in place
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[text] = known
        return known


def _kept_for(app: Flask, held: Mapping[str, Any]) -> dt.timedelta:
    return app.permanent_session_lifetime if "staff" in held else VISITOR_FOR
