"""What confirming a note taught: how a supplier writes a product, and in which unit they count it.

Of one wording the newest row counts; a correction is another row.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.ids import new_id
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from supply.receiving.notes.columns import fold
from supply.receiving.notes.products import Lesson

_LATEST = 5000
"""So many of a supplier's rows count."""
LONGEST = 200


@append_only()
class NoteLesson(Base):
    """A wording of a supplier's as a person confirmed it."""

    __tablename__ = "note_lesson"
    __table_args__ = (sa.Index("ix_note_lesson_supplier", "store_id", "supplier_id", "taught_at"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    supplier_id: Mapped[str]
    wording: Mapped[str]
    sku: Mapped[str]
    unit: Mapped[str]
    taught_at: Mapped[dt.datetime]
    actor_id: Mapped[str]


def teach(ctx: Context, store_id: str, supplier_id: str, lesson: Lesson) -> None:
    """Write a lesson down, unless it is the newest of its wording already."""
    wording = lesson.wording[:LONGEST]
    newest = {fold(one.wording): one for one in taught(ctx.session, store_id, supplier_id)}.get(fold(wording))
    if not fold(wording) or (newest and (newest.sku, newest.unit) == (lesson.sku, lesson.unit)):
        return
    ctx.session.add(NoteLesson(
        store_id=store_id, id=new_id(), supplier_id=supplier_id, wording=wording, sku=lesson.sku, unit=lesson.unit,
        taught_at=ctx.at, actor_id=ctx.actor.id,
    ))  # fmt: skip
    ctx.session.flush()


def taught(session: Session, store_id: str, supplier_id: str) -> list[Lesson]:
    """Return a supplier's lessons, the newest of each wording."""
    query = sa.select(NoteLesson).where(NoteLesson.store_id == store_id, NoteLesson.supplier_id == supplier_id)
    found = dict[str, Lesson]()
    for row in session.scalars(query.order_by(NoteLesson.taught_at.desc(), NoteLesson.id.desc()).limit(_LATEST)):
        found.setdefault(fold(row.wording), Lesson(row.wording, row.sku, row.unit))
    return list(found.values())
