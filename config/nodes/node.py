"""Which node this is: its id, its epoch, and the sidecar file that notices a restored database.

Rules
-----
1. A node has one row: id, role word for people, and the random 128-bit epoch born with it.
2. Beside the database lies a small file with (epoch, last number, head), written after commits. At start a
   database behind its sidecar was restored from a copy: a new epoch begins, so that numbers never meet (I18).
3. Each push carries the receiver's last nonce; a stale nonce means a clone or a rollback: new epoch, data accepted.
"""

import datetime as dt
import json
import os
import secrets
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, table_of
from config.errors import Invalid, NotFound
from config.prepared import Prepared

"""The node id of the operator's node; every other node id is a store's."""
COPY_SPEAKS, EPOCH_BEGUN = "a copy or a restored database is speaking", "began a new epoch"
JOURNAL_CHANGED = "its journal is not what it was"
KEY_ASKS, KEY_MISUSED = "an unknown signing key speaks", "the store's key was used without its signature"
WAIT_THERE = " of our messages wait there for a person"
"""What a peer's alarm says. The last goes when nothing waits any more, the others once a person has looked into it."""
WORST = (COPY_SPEAKS, KEY_MISUSED)
"""Alarms that no other takes the place of."""


class Node(Base):
    """This node. Exactly one row."""

    __tablename__ = "node"

    id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str]
    born_at: Mapped[dt.datetime]
    peer_nonce: Mapped[str | None]
    """The last nonce our peer gave us (a store's: the network's); None from a beginning or a restore on until the next
    contact, which first asks for facts of our own that we have lost; '' where that is not known."""
    peer_incarnation: Mapped[str | None]
    peer_journal_n: Mapped[int | None]
    """The last end of our journal our peer says it knows; the next contact proves it."""
    last_contact_at: Mapped[dt.datetime | None]
    last_fault: Mapped[str | None]
    """Why the last contact failed; None when it succeeded."""


class Peer(Base):
    """A store as the network knows it from contacts: last nonce given, epoch, when it was heard."""

    __tablename__ = "peer"

    id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str]
    nonce: Mapped[str]
    heard_at: Mapped[dt.datetime]
    waiting: Mapped[int] = mapped_column(default=0)
    alarm: Mapped[str | None]
    oldest_at: Mapped[dt.datetime | None]
    """What follows it said of itself at the last contact. Its oldest unsent message is of then; None: all was sent."""
    catalogue_at: Mapped[dt.datetime | None]
    checked_at: Mapped[dt.datetime | None]
    """When its books and their chain were checked last."""
    free_bytes: Mapped[int | None]
    clock_off_s: Mapped[int | None]
    """How far its clock is ahead of ours."""


_EPOCH = Prepared(sa.select(table_of(Node).c.epoch))


def found(session: Session, node_id: str, *, at: dt.datetime) -> Node:
    """Give a new database its node row, or return the one it has."""
    node: Node | None = session.scalar(sa.select(Node))
    if node is None:
        node = Node(id=node_id, epoch=secrets.token_hex(16), born_at=at)
        session.add(node)
        session.flush()
    elif node.id != node_id:
        raise NotFound(
            "wrong-database", "This database belongs to %(database)s, not to %(settings)s. Check the settings.",
            database=node.id, settings=node_id,
        )  # fmt: skip
    return node


def this_node(session: Session) -> Node:
    """Return this database's node."""
    node: Node | None = session.scalar(sa.select(Node))
    if node is None:
        raise NotFound("no-node", "This database has no node yet. Run `cornerstore init` first.")
    return node


def epoch_of(session: Session) -> str:
    """Return this node's epoch; asked once per transaction."""
    epoch: str | None = session.info.get("epoch")
    if epoch is None:
        row = _EPOCH.first(session, {})
        if row is None:
            return this_node(session).epoch  # says what is wrong
        epoch = session.info["epoch"] = str(row[0])
    return epoch


def new_epoch(session: Session, *, is_put_back: bool = True) -> str:
    """Begin a new epoch after a restore, a rollback or a clone; the caller journals why.

    is_put_back: these books are known to be a copy's, so what was told after it is ours and is fetched.
    """
    node = this_node(session)
    node.epoch = secrets.token_hex(16)
    node.peer_nonce = None if is_put_back else ""
    session.flush()
    session.info.pop("epoch", None)
    return node.epoch


def write_sidecar(path: Path, *, epoch: str, n: int, head: str) -> None:
    """Write the sidecar so that a crash leaves the old or the new one; fsynced. Server and worker may write at once."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    with beside.open("w", encoding="utf-8") as file:
        json.dump({"epoch": epoch, "n": n, "head": head}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """Return the sidecar's content; None where there is none. One that holds anything else is Invalid."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kinds = {name: type(content[name]) for name in ("epoch", "n", "head")}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        kinds = {}
    if kinds != {"epoch": str, "n": int, "head": str}:
        raise Invalid(
            "damaged-sidecar",
            "The file next to the database is damaged, so it is unclear whether the database was restored from a "
            "backup.",
            path=str(path),
        )
    return dict(content)


def was_restored(sidecar: dict[str, Any] | None, *, epoch: str, n: int, head_at: str | None) -> bool:
    """Tell whether the database is behind its sidecar (rule 2).

    n: the database's last number in `epoch`; head_at: the database's head at the sidecar's number.
    """
    if sidecar is None or sidecar["epoch"] != epoch:
        return sidecar is not None
    return bool(sidecar["n"] > n or (head_at is not None and head_at != sidecar["head"]))
