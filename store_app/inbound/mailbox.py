"""A mailbox asked by IMAP: unread messages whose attachments may be e-invoices.

Rules
-----
1. Always TLS, with the certificate checked (`outgoing.context`).
2. Only unread messages with an XML or PDF attachment are fetched; all others are left alone. A message is read in a
   child process, and marked as read after each of its files is written down. Nothing is moved or deleted.
3. A message larger than MOST_BYTES is not fetched: it waits with a sentence.
"""

import contextlib
import email
import email.policy
import imaplib
import re
from collections.abc import Iterator
from typing import Any

from config.errors import Invalid, Refused, Unreachable, cause
from store_app.inbound.sources import MAILBOX, MOST_FILES, MailboxSettings, Take, hash_of
from store_app.runtime import outgoing
from store_app.runtime.child_process import read_apart
from supply.receiving.documents import reading
from supply.receiving.documents.incoming import Arrival

MOST_BYTES, MOST_ATTACHMENTS = 15_000_000, 20
WAIT_S = 20.0
_MAY_HOLD = (b"xml", b"pdf", b"octet-stream")
_KINDS = {"application/pdf", "application/xml", "text/xml"}
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


def look(settings: MailboxSettings, take: Take) -> None:
    """Take in the attachments of unread messages (rule 2)."""
    try:
        with _line(settings) as line:
            _ok(line.select(f'"{settings.folder}"'))
            (uids,) = _ok(line.uid("SEARCH", "UNSEEN"))
            for uid in (uids or b"").split()[:MOST_FILES]:
                if _take_message(line, uid.decode("ascii"), settings, take):
                    _ok(line.uid("STORE", uid.decode("ascii"), "+FLAGS", r"(\Seen)"))
    except imaplib.IMAP4.error as fault:
        raise Unreachable("mailbox-away", "The mail server %(host)s stopped answering: %(cause)s.", host=settings.host,
                          cause=_said(fault)) from fault  # fmt: skip
    except OSError as fault:
        raise Unreachable("mailbox-away", "The mail server %(host)s doesn’t answer: %(cause)s.", host=settings.host,
                          cause=cause(fault)) from fault  # fmt: skip


def attachments(raw: bytes) -> Iterator[list[Any]]:
    """Yield [sender, name, content] of each attachment that may be an e-invoice."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    sender = str(message.get("From", ""))
    found = 0
    for part in message.walk():
        name = part.get_filename() or ""
        if part.is_multipart() or not (part.get_content_type() in _KINDS or name.lower().endswith((".xml", ".pdf"))):
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and found < MOST_ATTACHMENTS:
            found += 1
            yield [sender, name or part.get_content_type(), content[: reading.MOST_BYTES + 1]]


# --- inside ---


@contextlib.contextmanager
def _line(settings: MailboxSettings) -> Iterator[imaplib.IMAP4_SSL]:
    line = imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=outgoing.context(), timeout=WAIT_S)
    try:
        try:
            line.login(settings.user, settings.password.get_secret_value())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as fault:
            raise Refused("mailbox-refused", "The mail server refused user name or password: %(cause)s.",
                          cause=_said(fault)) from fault  # fmt: skip
        yield line
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            line.logout()
        with contextlib.suppress(OSError):
            line.shutdown()  # a log-out that nobody answers leaves the line open


def _take_message(line: imaplib.IMAP4_SSL, uid: str, settings: MailboxSettings, take: Take) -> bool:
    """Take a message's attachments in; tells whether it had any."""
    told = _joined(_ok(line.uid("FETCH", uid, "(RFC822.SIZE BODYSTRUCTURE)")))
    if not any(mark in told.lower() for mark in _MAY_HOLD):
        return False
    size = _SIZE.search(told)
    if size is None or int(size[1]) > MOST_BYTES:
        too_large(settings, uid, take)
        return True
    raw = b"".join(one[1] for one in _ok(line.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_BYTES}>)"))
                   if isinstance(one, tuple))  # fmt: skip
    found = list(read_apart(attachments, raw))
    for sender, name, content in found:
        take(Arrival(hash_of(content), name, MAILBOX, sender), content)
    return bool(found)


def too_large(settings: MailboxSettings, uid: str, take: Take) -> None:
    """Write down that a message is too large: an empty file of its number, with the sentence of a large one."""
    known_by = hash_of(f"{settings.host}/{settings.user}/{settings.folder}/{uid}".encode())
    take(Arrival(known_by, f"e-mail {uid}", MAILBOX), b"x" * (reading.MOST_BYTES + 1))


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    status, found = answer
    if status != "OK":
        raise Invalid("mailbox-folder", "The mail server did not do it: %(cause)s.", cause=_joined(found).decode(
            "utf-8", "replace")[:120], field="folder")  # fmt: skip
    return found


def _joined(found: list[Any]) -> bytes:
    return b" ".join(part for one in found for part in (one if isinstance(one, tuple) else (one,)) if part)


def _said(fault: Exception) -> str:
    first = fault.args[0] if fault.args else ""
    return (first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first))[:120].rstrip(".")
