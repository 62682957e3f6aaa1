"""The store's logo: one picture at the top of what customers take home.

Rules
-----
1. It is uploaded as a PNG, of which `pictures` says how large; what is not black enough to be seen is refused.
2. It is turned into black and white dots once (`pictures.dotted`), when it is set, for narrow paper (32 columns) and
   for wide: the sale and the printer only copy bytes.
3. A logo is kept for good under the fingerprint of its dots, and a document names the one it was made with: a reprint
   shows the logo of its day.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.nodes import journal
from config.nodes.journal import Context
from pos.printing.escpos import Raster
from pos.store.store import store_of


class Logo(Base):
    """A logo as dots: a bit each, 1 black, rows of whole bytes (rules 2, 3)."""

    __tablename__ = "logo"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    narrow_across: Mapped[int]
    narrow: Mapped[bytes]
    wide_across: Mapped[int]
    wide: Mapped[bytes]
    set_at: Mapped[dt.datetime]
    set_by: Mapped[str]


# --- verbs ---


def put(ctx: Context, store_id: str, dots: Sequence[Raster]) -> Logo:
    """Set the store's logo, as `pictures.dotted` made it; the same picture again changes nothing."""
    (narrow_across, narrow), (wide_across, wide) = dots
    logo_id = hashlib.sha256(wide_across.to_bytes(2, "big") + wide + narrow).hexdigest()[:32]
    store, known = store_of(ctx.session, store_id), ctx.session.get(Logo, (store_id, logo_id))
    if known is None:
        known = Logo(
            store_id=store_id, id=logo_id, narrow_across=narrow_across, narrow=narrow, wide_across=wide_across,
            wide=wide, set_at=ctx.at, set_by=ctx.actor.name,
        )  # fmt: skip
        ctx.session.add(known)
    if store.logo_id != logo_id:
        store.logo_id = logo_id
        journal.record(ctx, verb="logo.set", subject=f"store:{store_id}", logo=logo_id)
    ctx.session.flush()
    return known


def take_away(ctx: Context, store_id: str) -> None:
    """Print without a logo from now on; paper of before keeps its own (rule 3)."""
    store = store_of(ctx.session, store_id)
    if store.logo_id is not None:
        journal.record(ctx, verb="logo.taken_away", subject=f"store:{store_id}")
        store.logo_id = None
        ctx.session.flush()


# --- questions ---


def pictures_for(session: Session, store_id: str, document: dict[str, Any], columns: int) -> dict[str, Raster]:
    """Return the pictures a document names, for paper of that many columns; empty where it names none."""
    logo_id = (document.get("store") or {}).get("logo")
    found = session.get(Logo, (store_id, logo_id)) if logo_id else None
    if found is None:
        return {}
    return {found.id: (found.narrow_across, found.narrow) if columns < 42 else (found.wide_across, found.wide)}
