"""Addresses of partners' programs that hear of what changes in a store, as Standard Webhooks says.

Rules
-----
1. An endpoint has a secret, shown once. It is derived from the node's secret and a salt; only the salt is kept, so no
   copy of the books opens anything.
2. An event is an outgoing message (`pos.messages`) with a carrier of its own, written once for what some entries of the
   journal did to a row. Those of one row are sent in the order in which it changed; one that fails holds up no other
   row.
3. An endpoint that answers none for GIVE_UP, or answers 410, is paused; what is not sent waits. Resumed, it goes on.
4. A replay sends again what changed since a day, as events of a new round.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, secret_of
from config.errors import Conflict, Invalid, NotFound
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry, JournalHead
from pos import messages
from pos.messages import WEBHOOK, OutgoingMessage, Recipient

PREFIX = "whsec_"
GIVE_UP = dt.timedelta(days=3)
MOST_WAITING = 2_000
"""Beyond it no further event is written: the journal keeps what changed until there is room."""
MOST_ENDPOINTS = 10
LONGEST_URL = 300


class WebhookEndpoint(Base):
    """An address that hears of changes."""

    __tablename__ = "webhook_endpoint"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    resources: Mapped[list[Any]]
    """What it hears of."""
    secret_salt: Mapped[str]
    last_n: Mapped[int]
    """The last entry of the journal whose events are written."""
    round: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[dt.datetime]
    failing_since: Mapped[dt.datetime | None]
    """Since when it has taken nothing."""
    paused_at: Mapped[dt.datetime | None]


# --- verbs ---


def make(ctx: Context, store_id: str, id: str, url: str, resources: Collection[str]) -> str:
    """Add an endpoint, which hears of what changes from now on, and return its secret, this once (rule 1)."""
    if ctx.session.get(WebhookEndpoint, (store_id, id)) is not None:
        raise Conflict("endpoint-made", "This address was added already. Its secret is shown only once.")
    if len(endpoints_of(ctx.session, store_id)) >= MOST_ENDPOINTS:
        raise Conflict("too-many-endpoints", "A store has up to %(most)s addresses. Remove one.", most=MOST_ENDPOINTS)
    if not resources:
        raise Invalid("no-events", "Choose what the address receives.", field="resource")
    row = WebhookEndpoint(
        store_id=store_id, id=id, url=sound_url(url), resources=sorted(resources), secret_salt=secrets.token_hex(16),
        last_n=_head(ctx.session, store_id), made_at=ctx.at,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="webhook.added", subject=_subject(row), url=row.url, resources=row.resources)
    return secret(ctx.session, row)


def remove(ctx: Context, row: WebhookEndpoint) -> None:
    """Remove an endpoint with what waits for it."""
    ctx.session.execute(sa.delete(OutgoingMessage).where(*_of(row)))
    ctx.session.delete(row)
    journal.record(ctx, verb="webhook.removed", subject=_subject(row), url=row.url)


def resume(ctx: Context, row: WebhookEndpoint) -> None:
    """Let a paused endpoint go on with what waits for it, at once (rule 3)."""
    row.paused_at = row.failing_since = None
    again = sa.update(OutgoingMessage).where(*_of(row), OutgoingMessage.state == "waiting")
    ctx.session.execute(again.values(try_at=ctx.at, tries=0))
    journal.record(ctx, verb="webhook.resumed", subject=_subject(row))


def replay(ctx: Context, row: WebhookEndpoint, since: dt.datetime) -> None:
    """Write the events of what changed since an instant again (rule 4)."""
    entry = JournalEntry
    before = sa.select(sa.func.max(entry.n)).where(entry.node_id == row.store_id, entry.at < since)
    row.last_n, row.round = min(row.last_n, ctx.session.scalar(before) or 0), row.round + 1
    journal.record(ctx, verb="webhook.replayed", subject=_subject(row), since=since)


def write_event(
    session: Session, row: WebhookEndpoint, n: int, name: str, body: dict[str, Any], at: dt.datetime
) -> None:
    """Write an event down, once (rule 2). name: resource and key of what it is about."""
    event_id = f"{row.id}.{row.round:04d}.{n:012d}.{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    to = Recipient(carrier=WEBHOOK)
    messages.write(session, row.store_id, WEBHOOK, to, id=event_id, about=f"{row.id}/{name}", body=body, at=at)


def sent(ctx: Context, row: WebhookEndpoint, event: OutgoingMessage) -> None:
    """Note that the endpoint took an event; of thousands a day the journal has none."""
    mine = OutgoingMessage.store_id == event.store_id, OutgoingMessage.id == event.id
    journal.move_many(ctx.session, OutgoingMessage, "sent", *mine, ended_at=ctx.at, fault_code="", fault="")
    row.failing_since = None


def failed(ctx: Context, row: WebhookEndpoint, event: OutgoingMessage, fault: str, *, is_gone: bool) -> None:
    """Note that the endpoint did not take an event; it is tried again, or the endpoint is paused (rule 3)."""
    messages.failed(ctx, event, "unreachable", fault)
    row.failing_since = row.failing_since or ctx.at
    if row.paused_at is None and (is_gone or ctx.at - row.failing_since >= GIVE_UP):
        row.paused_at = ctx.at
        journal.record(ctx, verb="webhook.paused", subject=_subject(row), why=fault)


def forget(session: Session, *, at: dt.datetime) -> int:
    """Delete events that were taken long ago; returns how many."""
    old = OutgoingMessage.carrier == WEBHOOK, OutgoingMessage.ended_at <= at - messages.KEEP
    return int(session.execute(sa.delete(OutgoingMessage).where(*old)).rowcount)  # type: ignore[attr-defined]


# --- questions ---


def sound_url(url: str) -> str:
    """Return an address that events may be posted to; Invalid for any other. Where it leads is looked at each time."""
    parts = urlsplit(url.strip())
    if (
        parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.fragment
        or len(url) > LONGEST_URL or not url.strip().isascii() or not url.strip().isprintable() or " " in url.strip()
    ):  # fmt: skip
        raise Invalid("bad-url", "Enter an address such as https://example.com/events.", field="url")
    return url.strip()


def endpoints_of(session: Session, store_id: str) -> list[WebhookEndpoint]:
    """Return a store's endpoints, the oldest first."""
    query = sa.select(WebhookEndpoint).where(WebhookEndpoint.store_id == store_id)
    return list(session.scalars(query.order_by(WebhookEndpoint.made_at, WebhookEndpoint.id)))


def endpoint_of(session: Session, store_id: str, id: str) -> WebhookEndpoint:
    """Return an endpoint; NotFound where there is none."""
    row = session.get(WebhookEndpoint, (store_id, id))
    if row is None:
        raise NotFound("no-endpoint", "Address not found. Reload the page.")
    return row


def secret(session: Session, row: WebhookEndpoint) -> str:
    """Return an endpoint's secret as Standard Webhooks writes it (rule 1)."""
    seed = f"webhook:{row.store_id}:{row.id}:{row.secret_salt}"
    key = hmac.digest(secret_of(session).encode(), seed.encode(), "sha256")
    return PREFIX + base64.b64encode(key).decode()


def signature(secret: str, id: str, second: int, body: bytes) -> str:
    """Return the `webhook-signature` of a body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return f"v1,{base64.b64encode(hmac.digest(key, f'{id}.{second}.'.encode() + body, 'sha256')).decode()}"


def behind(session: Session, row: WebhookEndpoint) -> bool:
    """Tell whether the journal has entries whose events are not written, and there is room for more."""
    waiting = sa.select(sa.func.count()).where(*_of(row), OutgoingMessage.state == "waiting")
    return row.last_n < _head(session, row.store_id) and (session.scalar(waiting) or 0) < MOST_WAITING


def waiting(session: Session, row: WebhookEndpoint) -> list[tuple[str, str, dt.datetime]]:
    """Return the events that wait, in order: id, what it is about, not to be tried before."""
    event = OutgoingMessage
    query = sa.select(event.id, event.about, event.try_at).where(*_of(row), event.state == "waiting")
    return [(row.id, row.about, row.try_at) for row in session.execute(query.order_by(event.id))]


def newest(session: Session, row: WebhookEndpoint, limit: int) -> list[OutgoingMessage]:
    """Return the events written last, the newest first."""
    query = sa.select(OutgoingMessage).where(*_of(row)).order_by(OutgoingMessage.id.desc()).limit(limit)
    return list(session.scalars(query))


def paused(session: Session, store_id: str) -> int:
    """Return how many endpoints are paused."""
    mine = WebhookEndpoint.store_id == store_id, WebhookEndpoint.paused_at.is_not(None)
    return session.scalar(sa.select(sa.func.count()).select_from(WebhookEndpoint).where(*mine)) or 0


# --- inside ---


def _of(row: WebhookEndpoint) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the condition on messages that are an endpoint's events, by the index of what they are about."""
    about = OutgoingMessage.about
    return OutgoingMessage.store_id == row.store_id, about >= f"{row.id}/", about < f"{row.id}0"


def _head(session: Session, store_id: str) -> int:
    return session.scalar(sa.select(JournalHead.n).where(JournalHead.node_id == store_id)) or 0


def _subject(row: WebhookEndpoint) -> str:
    return f"webhook:{row.id}"
