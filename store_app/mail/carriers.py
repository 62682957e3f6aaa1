"""Carrying messages to customers and messages to suppliers: by e-mail, by a service they are posted to, or into a log.

Rules
-----
1. What a carrier (`envelopes`) raises is an OSError or Unreachable, and the message is tried again later
   (`pos.messages`). Plug-ins carry beside those that the settings name (`envelopes.plugged`).
2. An address a mail server refuses for good is Refused, and told apart from a server that does not answer.
3. What is posted is signed: `X-Cornerstore-Signature` is the HMAC-SHA256 of the body under the shared key.
"""

import datetime as dt
import hashlib
import hmac
import json
import smtplib
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import structlog

from config.errors import Invalid, Refused, Unreachable, cause
from config.settings import Settings, is_here
from store_app.mail.envelopes import Carrier, Envelope
from store_app.runtime import outgoing

WAIT_S = 10.0
_log = structlog.get_logger()


class LogCarrier:
    """Writes messages down and sends nothing: for practice."""

    def reaches(self, envelope: Envelope) -> bool:
        """Everybody, in a way."""
        return True

    def send(self, envelope: Envelope, *, at: dt.datetime) -> None:
        """Write the message into the log."""
        _log.info("customer message", id=envelope.id, kind=envelope.kind, text=envelope.text, at=at.isoformat())


class SmtpCarrier:
    """Sends e-mail by a mail server: 'smtp://user:password@host:587?from=a@b' (STARTTLS), smtps:// for TLS at once.

    Without STARTTLS at the server nothing is sent, but to this computer or over a trusted wire, and no password ever.
    """

    def __init__(self, address: str, *, may_be_open: bool = False) -> None:
        parts = urlsplit(address)
        self._tls = parts.scheme == "smtps"
        self._may_be_open = may_be_open or is_here(parts.hostname or "")
        self._host, self._port = parts.hostname or "", parts.port or (465 if self._tls else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = parse_qs(parts.query).get("from", [self._user])[0]
        if not self._host or "@" not in self._sender:
            raise Invalid("bad-notify", "notify: enter a mail server such as smtp://user:password@host:587?from=a@b.c")

    def reaches(self, envelope: Envelope) -> bool:
        """Who left an e-mail address."""
        return bool(envelope.email)

    def send(self, envelope: Envelope, *, at: dt.datetime) -> None:
        """Send one e-mail; the message's id is the message's."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, envelope.email, envelope.subject
        mail["Date"], mail["Message-ID"] = format_datetime(at), make_msgid(envelope.id, self._sender.rpartition("@")[2])
        mail["X-Cornerstore-Id"] = envelope.id
        mail.set_content(envelope.text)
        for name, kind, content in envelope.files:
            broad, _, narrow = kind.partition("/")
            mail.add_attachment(content, maintype=broad, subtype=narrow, filename=name)
        try:
            with self._line() as line:
                line.send_message(mail)
        except smtplib.SMTPRecipientsRefused as fault:
            code, said = next(iter(fault.recipients.values()), (550, "it knows no such address"))
            words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            if code < 500:
                raise Unreachable("mail-refused", "The mail server rejected it: %(words)s", words=words) from fault
            raise Refused(
                "address-refused", "The mail server refused %(email)s: %(words)s", email=envelope.email, words=words
            ) from fault
        except smtplib.SMTPException as fault:
            raise Unreachable("mail-refused", "The mail server rejected it: %(fault)s.", fault=cause(fault)) from fault

    def _line(self) -> smtplib.SMTP:
        context = outgoing.context()
        if self._tls:
            line: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=WAIT_S, context=context)
        else:
            line = smtplib.SMTP(self._host, self._port, timeout=WAIT_S)
            line.ehlo()
            if line.has_extn("starttls"):
                line.starttls(context=context)
            elif self._user or not self._may_be_open:
                line.close()
                raise Unreachable("mail-in-the-clear", "The mail server offers no encryption, so nothing was sent.")
        if self._user:
            line.login(self._user, self._password)
        return line


class WebhookCarrier:
    """Posts messages as JSON to a service that sends them on to phones (rule 3)."""

    def __init__(self, address: str, key: str, client: httpx2.Client | None = None) -> None:
        self._address, self._key = address, key.encode()
        self._client = client or outgoing.client(address, timeout=WAIT_S)

    def reaches(self, envelope: Envelope) -> bool:
        """Who left a phone number."""
        return bool(envelope.phone)

    def send(self, envelope: Envelope, *, at: dt.datetime) -> None:
        """Post one message; any answer but 2xx is a fault."""
        said = {name: value for name, value in vars(envelope).items() if name != "files"}
        body = json.dumps(said | {"at": at.isoformat()}, ensure_ascii=False, sort_keys=True).encode()
        signature = hmac.new(self._key, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Cornerstore-Signature": signature}
        try:
            answer = self._client.post(self._address, content=body, headers=headers)
        except httpx2.HTTPError as fault:
            raise Unreachable(
                "service-silent", "The message service is not responding: %(fault)s.", fault=cause(fault)
            ) from fault
        if not 200 <= answer.status_code < 300:
            raise Unreachable(
                "service-refused",
                "The message service returned status %(status_code)s.",
                status_code=answer.status_code,
            )


def carriers(settings: Settings) -> list[Carrier]:
    """Return who carries messages at this node, as its settings say."""
    chosen = settings.notify or ("log" if settings.practice else "")
    found: list[Carrier] = []
    for one in filter(None, (part.strip() for part in chosen.split(";"))):
        if one == "log":
            found.append(LogCarrier())
        elif one.startswith(("smtp://", "smtps://")):
            host = urlsplit(one).hostname or ""
            found.append(SmtpCarrier(one, may_be_open=settings.trusts_wire_to(host)))
        elif one.startswith(("https://", "http://")):
            found.append(WebhookCarrier(one, settings.notify_key))
        else:
            raise Invalid(
                "bad-notify", "notify: %(one)s cannot be used to send messages; see the description of this setting.",
                one=f"{one!r}",
            )  # fmt: skip
    return found
