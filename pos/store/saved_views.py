"""The views of a list that a person saved: which rows, in which order, with which columns.

Rules
-----
1. A view is its owner's: nobody else sees it. It holds an address's query alone and opens nothing by itself: the list
   it belongs to reads the query as if it had been typed, and asks for its own permission.
2. A person has up to MOST views of a list; saving under a name that is there replaces it.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, Refused

MOST, LONGEST_NAME, LONGEST_QUERY = 20, 40, 1_000


class SavedView(Base):
    """A view of the list at `path` (rule 1). node_id, staff_id: its owner, as in `Staff`."""

    __tablename__ = "saved_view"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    query: Mapped[str]


def save(session: Session, view: SavedView) -> None:
    """Save a view (rule 2)."""
    if not 1 <= len(view.name) <= LONGEST_NAME:
        raise Invalid("bad-view-name", "Enter a name of up to %(most)d characters.", field="name", most=LONGEST_NAME)
    if len(view.query) > LONGEST_QUERY or len(view.path) > LONGEST_QUERY:
        raise Invalid("long-view", "This view is too long to save. Use fewer filters.", field="name")
    names = {one.name for one in of(session, view.node_id, view.staff_id, view.path)}
    if view.name not in names and len(names) >= MOST:
        raise Refused("too-many-views", "You can save up to %(most)d views of a list. Delete one first.", most=MOST)
    session.merge(view)


def delete(session: Session, view: SavedView) -> None:
    """Delete a person's view by its name; one that is gone stays gone."""
    session.execute(
        sa.delete(SavedView).where(*_of(view.node_id, view.staff_id, view.path), SavedView.name == view.name)
    )


def of(session: Session, node_id: str, staff_id: str, path: str) -> list[SavedView]:
    """Return a person's views of a list, by name."""
    return list(session.scalars(sa.select(SavedView).where(*_of(node_id, staff_id, path)).order_by(SavedView.name)))


def _of(node_id: str, staff_id: str, path: str) -> tuple[sa.ColumnElement[bool], ...]:
    return SavedView.node_id == node_id, SavedView.staff_id == staff_id, SavedView.path == path
