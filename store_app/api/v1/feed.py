"""A list and its changes by one cursor: first every row by its key, then the rows that changed, in commit order.

Rules
-----
1. Order is the journal's: its numbers have no gaps and rise in commit order, and no clock has a part in them. The list
   remembers the number at which it began; what changed while it was read follows after its end. So no change is missed,
   and a row may come twice.
2. A cursor holds the resource, the epoch it counts in, that number and the last key; nothing of it is kept here, so it
   never ends. Where the epoch is another one meanwhile, for the books were put back, the list begins again.
3. A page of changes reads at most `limit` entries; one entry may touch more rows than that.
"""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import Session

from config.errors import Invalid
from config.nodes.journal import JournalEntry, JournalHead
from config.nodes.node import epoch_of
from store_app.api.v1.resources import Resource, Touched

MOST, USUAL = 500, 100
LONGEST = 700


@dataclass(frozen=True)
class Cursor:
    """Where somebody is. n: the last entry whose changes are told; after: the last key of the list, None after it."""

    resource: str
    epoch: str
    n: int
    after: str | None

    def __str__(self) -> str:
        """Write it as it travels."""
        text = json.dumps([self.resource, self.epoch, self.n, self.after], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def page(session: Session, store_id: str, resource: Resource, text: str, limit: int) -> BaseModel:
    """Return the part of a list that a cursor asks for; '' asks for its beginning."""
    head = head_of(session, store_id)
    epoch = epoch_of(session)
    at = _read(text, resource) if text else None
    if at is None or at.epoch != epoch or at.n > head:  # rule 2
        at = Cursor(resource.name, epoch, head, "")
    keys, after = _next(session, store_id, resource, at, head, limit)
    items = list(resource.read(session, store_id, keys))
    more = after.after is not None or after.n < head
    return resource.page.model_construct(cursor=str(after), more=more, items=items)


def head_of(session: Session, store_id: str) -> int:
    """Return the number of the journal's last entry."""
    return session.scalar(sa.select(JournalHead.n).where(JournalHead.node_id == store_id)) or 0


def touched_since(
    session: Session, store_id: str, n: int, head: int, limit: int, kinds: Collection[str] = ()
) -> tuple[Touched, int]:
    """Return what the next entries after `n` are about (of some kinds), and the last of them: `head` after them all."""
    entry = JournalEntry
    query = sa.select(entry.n, entry.subject).where(entry.node_id == store_id, entry.n > n, entry.n <= head)
    if kinds:
        query = query.where(sa.or_(*(entry.subject.startswith(f"{kind}:", autoescape=True) for kind in kinds)))
    found = session.execute(query.order_by(entry.n).limit(limit)).all()
    touched: dict[str, list[str]] = {}
    for _, subject in found:
        kind, _, of_kind = subject.partition(":")
        touched.setdefault(kind, []).append(of_kind)
    return touched, found[-1].n if len(found) == limit else head


# --- inside ---


def _next(
    session: Session, store_id: str, resource: Resource, at: Cursor, head: int, limit: int
) -> tuple[list[str], Cursor]:
    """Return the keys that come next, and where somebody is after them."""
    if at.after is not None:
        query = resource.keys(store_id)
        key = query.selected_columns[0]
        keys = list(session.scalars(query.where(key > at.after).order_by(key).limit(limit)))
        return keys, Cursor(at.resource, at.epoch, at.n, keys[-1] if len(keys) == limit else None)
    touched, n = touched_since(session, store_id, at.n, head, limit, resource.kinds)
    return sorted(resource.touched(session, store_id, touched)), Cursor(at.resource, at.epoch, n, None)


def _read(text: str, resource: Resource) -> Cursor:
    try:
        name, epoch, n, after = json.loads(base64.urlsafe_b64decode(text[:LONGEST] + "=" * (-len(text) % 4)))
        sound = name == resource.name and type(n) is int and isinstance(epoch, str)
        if sound and (after is None or (isinstance(after, str) and after.isprintable())):
            return Cursor(name, epoch, n, after)
    except (TypeError, ValueError):
        pass
    raise Invalid("bad-cursor", "This cursor does not belong to this list. Send one as you received it, or none.")
