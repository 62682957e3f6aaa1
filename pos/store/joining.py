"""How a store joins a network: a code, good once and for a day, is exchanged for the store's own key.

Rules
-----
1. A code has sixteen characters without look-alikes (79 bits); only its SHA-256 is kept. A new one makes the store's
   older ones useless.
2. It is good once, for a day. Exchanging it withdraws no key: the store that has one keeps it until the operator, who
   sees that two are open, withdraws it; all of it is journalled. A store that joins has a node from then on.
3. Wrong codes never keep a right one out: nobody can stop stores from joining by sending nonsense, and the length alone
   makes guessing hopeless. A thousand tries a second for a whole day, with a thousand codes open, hit one once in
   8 * 10^12 such days.
4. The first ten wrong codes of a quarter of an hour are journalled; those after them are answered and write nothing.
5. An unknown code, a used one and one that is too old are answered alike.
6. The code also vouches for the computer's signing key, as the operator's yes would. The answer names the keys that
   signed for the store before, so that what it told with them can come home to this computer.
"""

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Refused
from config.ids import NETWORK
from config.nodes import journal, signing_keys
from config.nodes.journal import Actor, Context
from pos.store.store import give_key, store_of

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXY"
LENGTH = 16
GOOD_FOR = dt.timedelta(days=1)
WRONG_NOTED, WRONG_WITHIN = 10, dt.timedelta(minutes=15)


class Invitation(Base):
    """A code that was given out for a store, or the count of wrong ones (store_id NETWORK)."""

    __tablename__ = "invitation"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str] = mapped_column(index=True)
    made_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    wrong: Mapped[int] = mapped_column(default=0, server_default="0")


# --- verbs ---


def invite(ctx: Context, store_id: str) -> str:
    """Make a store's code and return it, this once (rules 1, 2)."""
    store_of(ctx.session, store_id)
    ctx.session.execute(sa.delete(Invitation).where(Invitation.store_id == store_id, Invitation.used_at.is_(None)))
    code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    ctx.session.add(Invitation(code_hash=_hash(code), store_id=store_id, made_at=ctx.at, wrong=0))
    journal.record(ctx, verb="store.invited", subject=f"store:{store_id}")
    return "-".join(code[n : n + 4] for n in range(0, LENGTH, 4))


def join(session: Session, code: str, signed_by: str | None = None, *, at: dt.datetime) -> tuple[str, str] | Refused:
    """Exchange a code for (store id, key); a refusal is returned, not raised: that it was noted must be kept.

    signed_by: the signing key of the computer that joins, good from now on (rule 6).
    """
    tidy = "".join(code.split()).replace("-", "").upper()
    found = session.scalar(lock_rows(session, sa.select(Invitation).where(Invitation.code_hash == _hash(tidy))))
    if found is None or found.store_id == NETWORK or found.used_at is not None or at > found.made_at + GOOD_FOR:
        _note_wrong(session, at)
        return Refused("wrong-code", "This code is wrong or has expired. Ask the operator for a new one.")
    actor = Actor.system("join", NETWORK)
    ctx = Context(session, actor, at)
    if signed_by is not None:
        signing_keys.join(ctx, found.store_id, signed_by)
    found.used_at = at
    key = give_key(session, found.store_id, at)
    store = store_of(session, found.store_id)
    store.has_node, store.left_on = True, None
    journal.record(ctx, verb="store.joined", subject=f"store:{found.store_id}")
    return found.store_id, key


# --- inside ---


def _note_wrong(session: Session, at: dt.datetime) -> None:
    """Journal a wrong code, unless enough of them were lately (rule 4)."""
    count = sa.select(Invitation).where(Invitation.code_hash == NETWORK)
    row = session.scalar(count)
    if row is not None and not _is_noted(row, at):
        return  # a flood waits for no lock and writes nothing
    row = session.scalar(lock_rows(session, count).execution_options(populate_existing=True))
    if row is None:
        row = Invitation(code_hash=NETWORK, store_id=NETWORK, made_at=at, wrong=0)
        session.add(row)
    elif at > row.made_at + WRONG_WITHIN:
        row.made_at, row.wrong = at, 0
    elif not _is_noted(row, at):
        return
    row.wrong += 1
    session.flush()
    actor = Actor.system("join", NETWORK)
    journal.record(Context(session, actor, at), verb="store.join_refused", subject="node:network", tries=row.wrong)


def _is_noted(row: Invitation, at: dt.datetime) -> bool:
    return row.wrong < WRONG_NOTED or at > row.made_at + WRONG_WITHIN


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
