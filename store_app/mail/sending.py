"""Sending outgoing messages: what is due is rendered, and handed to whoever carries it (`pos.messages`).

Rules
-----
1. Nothing is sent inside a transaction. A program that dies between sending and noting it sends the message twice, with
   the same id, by which a service tells that it is the same.
2. Every carrier that can reach the reader is asked; the message counts as sent when one took it over. Nobody to carry
   it is a fault too, so that it shows. The log of a practice store is asked only where no other carrier is.
3. One that was withdrawn while another one was sent does not leave.
4. One that nobody can render or write is its own fault, and keeps no other one waiting.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from config import private
from config.errors import Refused, Unreachable
from config.nodes.journal import Actor, Context
from config.settings import Settings
from pos import messages
from pos.messages import OutgoingMessage
from pos.reports import receipt_mail
from store_app.mail import summaries
from store_app.mail.carriers import LogCarrier
from store_app.mail.envelopes import Carrier, Envelope
from store_app.payments.order_tokens import address_of
from store_app.runtime.doors import Doors
from supply.membership import day_summary
from supply.online.checkout import phone_codes
from supply.online.messages import customer_messages
from supply.orders import supplier_messages

_log = structlog.get_logger()


def send_due(doors: Doors, among: Sequence[Carrier]) -> tuple[int, int]:
    """Send what is due (rules 1, 3); returns how many were sent and how many failed."""
    actor = Actor.system("messages", doors.settings.node_id)
    with doors.read() as session:
        due = [(row.store_id, row.id) for row in messages.due(session, doors.now())]
    sent = failed = 0
    for key in due:
        with doors.read() as session:
            row = session.get_one(OutgoingMessage, key)
            if row.state != "waiting":
                continue
            try:
                envelope = rendered(session, row, doors.settings)
            except Exception as fault:  # rule 4
                _log.exception("message not rendered", id=row.id)
                code, words = "unreachable", f"It could not be written: {fault!r}"
            else:
                code = words = ""
        if not code:
            code, words = _carried(envelope, among, doors)
        with doors.write() as session:
            row = messages.message_of(session, *key)
            ctx = Context(session, actor, doors.now())
            if code:
                messages.failed(ctx, row, code, words)
                failed += 1
            else:
                if row.kind in supplier_messages.KINDS:
                    supplier_messages.left(ctx, *key)
                else:
                    messages.sent(ctx, row)
                sent += 1
    return sent, failed


def rendered(session: Session, row: OutgoingMessage, settings: Settings) -> Envelope:
    """Return a message as it is carried."""
    if row.kind == receipt_mail.KIND:
        from store_app.mail import receipts  # brings a drawing library along

        return receipts.written(session, row)
    if row.kind == day_summary.KIND:
        return summaries.written(session, row)
    if row.kind in supplier_messages.KINDS:
        from store_app.mail import supplier_mail  # brings a drawing library along

        return supplier_mail.complaint(session, row) if row.kind == "claim" else supplier_mail.written(row)
    return _to_customer(row, settings)


# --- inside ---


def _to_customer(row: OutgoingMessage, settings: Settings) -> Envelope:
    facts = dict(row.body)
    if "order_id" in facts:
        facts["url"] = address_of(settings, facts["slug"], row.store_id, facts["order_id"])
    if "code_id" in facts:  # made now, and kept nowhere
        facts["code"] = phone_codes.code_of(private.node_secret(settings), facts["code_id"], facts["digits"])
    subject = customer_messages.subject_of(row.kind, facts, row.language)
    text = customer_messages.text_of(row.kind, facts, row.language)
    return Envelope(row.id, row.kind, row.phone, row.email, subject, text)


def _carried(envelope: Envelope, among: Sequence[Carrier], doors: Doors) -> tuple[str, str]:
    """Hand a message to every carrier that reaches its reader; return what is wrong where none took it (rule 2)."""
    code, faults, taken = "no-carrier", list[str](), False
    reaching = [one for one in among if one.reaches(envelope)]
    for carrier in [one for one in reaching if not isinstance(one, LogCarrier)] or reaching:
        try:
            carrier.send(envelope, at=doors.now())
            taken = True
        except Refused as fault:
            code = "address-refused"
            faults.append(fault.message)
        except (OSError, Unreachable) as fault:
            code = "unreachable"
            faults.append(str(fault))
        except Exception as fault:  # rule 4
            _log.exception("message not carried", id=envelope.id)
            code = "unreachable"
            faults.append(f"It could not be written: {fault!r}")
    return ("", "") if taken else (code, "; ".join(faults) or "nobody carries messages there")
