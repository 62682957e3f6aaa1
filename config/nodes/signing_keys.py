"""Who signs for a store: its keys as the network and the store itself know them, and the signatures of its facts.

Rules
-----
1. A store that has no key yet gets the first one it signs with (trust on first use); the operator sees it, and from
   then on nothing unsigned is taken from it.
2. A key that a good key vouches for takes its place by itself. Any other new key waits for the operator, or for a code
   to join with. A key that was withdrawn or refused stays so.
3. The signature of a batch covers the store, the key, the epoch, the end of the chain, and number and hash of each
   fact. It is kept as long as its facts, so that each of them can be proved alone, to a judge or to the store itself.
4. At the store the same table has the keys that were ever its own: the present one, earlier ones, those the operator
   named when it joined, and those a key of its own vouched for. Another key that signed for it waits there for the
   shopkeeper.
5. The operator may say since when a withdrawn key was in other hands: what it signed since then goes home to nobody.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, among, dialect_of, insert_into, lock_rows
from config.errors import NotFound, Refused
from config.nodes import signing
from config.nodes.append_only import append_only
from config.nodes.journal import Actor, Context, move
from config.states import StateTable

STATES = StateTable(
    "signing key",
    "asked",
    {"asked": ["good", "refused"], "good": ["withdrawn"], "refused": [], "withdrawn": []},
    resting=["good"],
)
UNSIGNED, UNKNOWN, WITHDRAWN, WRONG = "unsigned", "unknown-signing-key", "signing-key-withdrawn", "wrong-signature"
CODES = (UNSIGNED, UNKNOWN, WITHDRAWN, WRONG)
FIRST, JOINED, VOUCHED, ALLOWED, MADE, NAMED = "first", "joined", "vouched", "allowed", "made", "named"
"""How a key became good: at first use, with a code to join, by the key before it, by the operator (at the store: by the
shopkeeper); at the store also: made here, named by the network when it joined."""
MOST_ASKED = 5
"""So many unknown keys of one store wait at once: whoever has its bearer key could else fill the page."""


class SigningKey(Base):
    """A public key that signs, or wants to sign, for a node."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "signing_key"
    __table_args__ = (
        # of two that come first at one instant only one is first
        sa.Index("ix_signing_key_first", "node_id", unique=True, sqlite_where=sa.text("how = 'first'")),
    )

    node_id: Mapped[str] = mapped_column(primary_key=True)
    public: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    how: Mapped[str] = mapped_column(default="")
    made_at: Mapped[dt.datetime]
    """When it was made, or first seen here."""
    good_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    doubted_since: Mapped[dt.datetime | None]
    vouched_by: Mapped[str | None]
    vouch: Mapped[str | None]
    """The signature of the key before it, which says that this one is the next."""

    @property
    def name(self) -> str:
        """Return its short name."""
        return signing.name_of(self.public)

    @property
    def fingerprint(self) -> str:
        """Return what people compare."""
        return signing.fingerprint(self.public)


@append_only()
class SignedBatch(Base):
    """A signature over some facts of a node. text: what was signed."""

    __tablename__ = "signed_batch"

    from_node: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    text: Mapped[str]
    signature: Mapped[str]
    at: Mapped[dt.datetime]


# --- at the network ---


def require(session: Session, node_id: str, public: str | None) -> set[str]:
    """Refuse a request of a node that has keys, unless one of its good ones signed it; return all keys it has.

    public: who signed, verified.
    """
    of_node = sa.select(SigningKey.public, SigningKey.state).where(SigningKey.node_id == node_id)
    keys = dict(session.execute(of_node).all())
    known = {key: state for key, state in keys.items() if state in ("good", "withdrawn", "refused")}
    if public is None:
        if any(state != "refused" for state in known.values()):
            raise Refused(
                UNSIGNED, "%(node_id)s signs what it sends, but this was not signed. Nothing was accepted.",
                node_id=node_id,
            )  # fmt: skip
        return set(keys)
    state = known.get(public)
    if state in ("withdrawn", "refused"):
        raise Refused(
            WITHDRAWN, "The signing key %(public)s is no longer valid. Nothing was accepted.",
            public=signing.name_of(public), key=public,
        )  # fmt: skip
    if state is None and any(other != "refused" for other in known.values()):
        raise Refused(
            UNKNOWN, "The network does not know the signing key %(public)s. Nothing was accepted.",
            public=signing.name_of(public), key=public,
        )  # fmt: skip
    return set(keys)


def hear(ctx: Context, node_id: str, public: str | None) -> None:
    """Refuse what is not signed by a good key of a node; a node's first key becomes good (rule 1)."""
    known = require(ctx.session, node_id, public)
    if public is not None and public not in known:
        _admit(ctx, _note(ctx.session, node_id, public, ctx.at), FIRST)


def introduce(ctx: Context, node_id: str, public: str, chain: Sequence[tuple[str, str, str]]) -> str:
    """Hear of a node's new key (rule 2); returns its state. chain: (key, the key that vouches, its signature)."""
    for key, by, vouch in chain:
        row, before = ctx.session.get(SigningKey, (node_id, key)), ctx.session.get(SigningKey, (node_id, by))
        if before is None or before.state != "good" or not _vouches(node_id, key, by, vouch):
            continue
        if row is None:
            row = _note(ctx.session, node_id, key, ctx.at)
        if row.state == "asked":
            row.vouched_by, row.vouch = by, vouch
            _admit(ctx, row, VOUCHED)
            _end(ctx, before, f"replaced by {row.name}")
    known = of(ctx.session, node_id)
    row = next((key for key in known if key.public == public), None)
    if row is None:
        if not any(key.state in ("good", "withdrawn") for key in known):
            hear(ctx, node_id, public)
            return "good"
        if sum(key.state == "asked" for key in known) < MOST_ASKED:
            _note(ctx.session, node_id, public, ctx.at)
        return STATES.first
    return row.state


def join(ctx: Context, node_id: str, public: str) -> None:
    """Let the key of a computer that joined with a code sign from now on, beside those that do."""
    row = ctx.session.get(SigningKey, (node_id, public)) or _note(ctx.session, node_id, public, ctx.at)
    if row.state == "asked":
        _admit(ctx, row, JOINED)
    elif row.state != "good":
        reported = "Make a new one on it (cornerstore key change), then join with this code."
        raise Refused(WITHDRAWN, "This computer's signing key was withdrawn. %(reported)s", reported=reported)


def withdraw(ctx: Context, key: SigningKey, *, since: dt.datetime | None = None) -> None:
    """Make a key useless from now on. since: when it came into other hands (rule 5)."""
    key.doubted_since = since
    _end(ctx, key, "withdrawn")


def keep_batch(session: Session, node_id: str, key: str, text: str, signature: str, at: dt.datetime) -> None:
    """Keep the signature of a batch (rule 3); one that is here stays as it is."""
    row = {"from_node": node_id, "id": batch_id(text), "key": key, "text": text, "signature": signature, "at": at}
    session.execute(insert_into(SignedBatch, dialect_of(session)).values(row).on_conflict_do_nothing())


def batch_id(text: str) -> str:
    """Return the id of a signed batch."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def batches(session: Session, node_id: str, ids: Collection[str]) -> list[SignedBatch]:
    """Return signed batches of a node."""
    query = sa.select(SignedBatch).where(SignedBatch.from_node == node_id, among(session, SignedBatch.id, list(ids)))
    return list(session.scalars(query))


def doubted(node_id: str) -> sa.Select[str]:
    """Return the ids of the batches that other hands may have signed for a node (rule 5)."""
    in_other_hands = sa.and_(SigningKey.node_id == SignedBatch.from_node, SigningKey.public == SignedBatch.key)
    return (
        sa.select(SignedBatch.id)
        .join(SigningKey, in_other_hands)
        .where(SignedBatch.from_node == node_id, SignedBatch.at >= SigningKey.doubted_since)
    )


def faults(session: Session) -> Iterator[str]:
    """Yield what does not hold of the signatures that are kept: each must be its store's own, over what it says."""
    known = {(key.node_id, key.public) for key in session.scalars(sa.select(SigningKey))}
    query = sa.select(SignedBatch).order_by(SignedBatch.from_node, SignedBatch.at)
    for batch in session.scalars(query.execution_options(yield_per=200)):
        name = f"Batch {batch.id} of {batch.from_node}, taken {batch.at:%Y-%m-%d %H:%M} UTC"
        if batch.id != batch_id(batch.text) or not signing.is_signed(batch.key, batch.text.encode(), batch.signature):
            yield f"{name}, does not fit its signature: it was changed after it was taken"
        elif (batch.from_node, batch.key) not in known:
            yield f"{name}, was signed with {signing.name_of(batch.key)}, which is no key of that store"


# --- at the store ---


def own(ctx: Context, node_id: str, signer: signing.Signer) -> SigningKey:
    """Return the row of this node's present key, made where it is new here (rule 4)."""
    row = ctx.session.get(SigningKey, (node_id, signer.public)) or _note(ctx.session, node_id, signer.public, ctx.at)
    if row.state == "asked":
        _admit(ctx, row, MADE)
    return row


def change(ctx: Context, node_id: str, before: signing.Signer | None) -> signing.Signer:
    """Make this node's next key, for which the one before vouches where it is here; the caller keeps it in its file."""
    signer = signing.Signer.make()
    row = own(ctx, node_id, signer)
    if before is not None:
        row.vouched_by = before.public
        row.vouch = before.sign(_next_key(node_id, signer.public))
        _end(ctx, own(ctx, node_id, before), f"replaced by {row.name}")
    return signer


def recognised(ctx: Context, node_id: str, reported: Sequence[tuple[str, str, str]]) -> set[str]:
    """Return which keys are this node's own: those it knows, and those they vouch for (rule 4); the others wait.

    told: the keys the network has of it, as (key, the key that vouches, its signature); '' where nobody vouches.
    """
    ours = {key.public for key in of(ctx.session, node_id) if key.state in ("good", "withdrawn")}
    grew = True
    while grew:
        grew = False
        for key, by, vouch in reported:
            if key not in ours and by in ours and _vouches(node_id, key, by, vouch):
                row = ctx.session.get(SigningKey, (node_id, key)) or _note(ctx.session, node_id, key, ctx.at)
                if row.state == "asked":
                    row.vouched_by, row.vouch = by, vouch
                    _admit(ctx, row, VOUCHED)
                ours.add(key)
                grew = True
    for key, _by, _vouch in reported:
        if key not in ours and ctx.session.get(SigningKey, (node_id, key)) is None:
            _note(ctx.session, node_id, key, ctx.at)
    return ours


def name_earlier(session: Session, node_id: str, reported: Sequence[tuple[str, dt.datetime]], *, actor: Actor) -> None:
    """Take over the keys the network named when this computer joined: (key, since when)."""
    for public, since in reported:
        if session.get(SigningKey, (node_id, public)) is None:
            _admit(Context(session, actor, since), _note(session, node_id, public, since), NAMED)


def carry(session: Session, node_id: str, kept: Sequence[dict[str, Any]]) -> None:
    """Write the keys of books that make room for a copy into the copy, where they are not in it."""
    for values in kept:
        if session.get(SigningKey, (node_id, values["public"])) is None:
            session.add(SigningKey(**values))


def first_at(session: Session, node_id: str) -> dt.datetime | None:
    """Return since when this node signs; None where it has no key."""
    return min((key.made_at for key in of(session, node_id) if key.state in ("good", "withdrawn")), default=None)


def vouches(session: Session, node_id: str) -> list[tuple[str, str, str]]:
    """Return which key of a node vouches for which, oldest first: (key, the key that vouches, its signature)."""
    rows = (key for key in reversed(of(session, node_id)) if key.state in ("good", "withdrawn"))
    return [(key.public, key.vouched_by or "", key.vouch or "") for key in rows]


# --- at either ---


def allow(ctx: Context, key: SigningKey) -> None:
    """Let a key that waits sign from now on: somebody compared its fingerprint."""
    _admit(ctx, key, ALLOWED)


def refuse(ctx: Context, key: SigningKey) -> None:
    """Refuse a key that waits; it stays so."""
    move(ctx, key, "refused", subject=_subject(key), key=key.name)
    key.ended_at = ctx.at


def of(session: Session, node_id: str) -> list[SigningKey]:
    """Return the keys of a node, the newest first."""
    query = sa.select(SigningKey).where(SigningKey.node_id == node_id)
    return list(session.scalars(query.order_by(SigningKey.made_at.desc(), SigningKey.public)))


def named(session: Session, node_id: str, name: str) -> SigningKey:
    """Return a key of a node by its name or fingerprint, nobody else's to move."""
    tidy = "".join(name.split()).lower()
    keys = of(session, node_id)
    found = [key for key in keys if len(tidy) >= 8 and key.fingerprint.replace(" ", "").lower().startswith(tidy)]
    if len(found) != 1:
        names = ", ".join(f"{key.name} ({key.state})" for key in keys) or "none"
        raise NotFound(
            "no-such-signing-key", "%(node_id)s has no signing key %(key)s. Its keys are: %(names)s.", node_id=node_id,
            names=names, key=name,
        )  # fmt: skip
    query = sa.select(SigningKey).where(SigningKey.node_id == node_id, SigningKey.public == found[0].public)
    return session.scalars(lock_rows(session, query).execution_options(populate_existing=True)).one()


# --- inside ---


def _note(session: Session, node_id: str, public: str, at: dt.datetime) -> SigningKey:
    row = SigningKey(node_id=node_id, public=public, state=STATES.first, how="", made_at=at)
    session.add(row)
    session.flush()
    return row


def _admit(ctx: Context, row: SigningKey, how: str) -> None:
    row.how, row.good_at = how, ctx.at
    move(ctx, row, "good", subject=_subject(row), key=row.name, how=how)
    ctx.session.flush()


def _end(ctx: Context, row: SigningKey, why: str) -> None:
    move(ctx, row, "withdrawn", subject=_subject(row), why=why, key=row.name)
    row.ended_at = ctx.at


def _subject(row: SigningKey) -> str:
    return f"store:{row.node_id}"


def _next_key(node_id: str, public: str) -> bytes:
    return signing.statement("next key", node_id, public)


def _vouches(node_id: str, key: str, by: str, vouch: str) -> bool:
    return bool(by and vouch) and signing.is_signed(by, _next_key(node_id, key), vouch)
