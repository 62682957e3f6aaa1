"""The table of baskets the store keeps, and which of them wait. `pos.sale.basket` has their rules and verbs."""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, table_of
from config.errors import Conflict
from config.prepared import Prepared
from config.states import StateTable

STATES = StateTable(
    "basket",
    "open",
    {
        "open": ["parked", "voided"],
        "parked": ["open", "voided"],
        "voided": [],
    },
    resting=["open"],
)


class Basket(Base):
    """A sale that is not completed, as far as the store knows of it. content: the page's own words."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "basket"
    __table_args__ = (sa.Index("ix_basket_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    till_id: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    total_minor: Mapped[int]
    content: Mapped[dict[str, Any]]
    kept_by: Mapped[str]
    kept_by_name: Mapped[str]
    kept_at: Mapped[dt.datetime]
    why: Mapped[str] = mapped_column(default="")


def parked(session: Session, store_id: str) -> list[Basket]:
    """Return the baskets set aside in a store, the longest waiting first; one that was paid elsewhere waits no more."""
    return _unpaid(session, store_id, "parked")


def taken_up(session: Session, store_id: str) -> list[Basket]:
    """Return the baskets that were taken up and are neither paid nor given up, the longest in hand first."""
    return _unpaid(session, store_id, "open")


def count_parked(session: Session, store_id: str) -> int:
    """Return how many baskets are set aside in a store; looks at no sale while there is none."""
    query = sa.select(Basket.id).where(Basket.store_id == store_id, Basket.state == "parked")
    return len(parked(session, store_id)) if session.scalar(query.limit(1)) is not None else 0


def refuse_let_go(held: tuple[str, str, str] | None, basket_id: str, till_id: str) -> None:
    """Raise Conflict for a basket that was given up, or that another till has in hand (rules 2, 3). held: as `HELD`."""
    if held is None:
        return
    state, has_it, by_name = held
    if state == "voided":
        raise given_up(basket_id)
    if state == "open" and has_it != till_id:
        raise taken(basket_id, by_name)


def taken(basket_id: str, by_name: str) -> Conflict:
    """Return the refusal of a basket that another person has in hand."""
    return Conflict("basket-taken", "%(by)s has already resumed this basket.", by=by_name, id=basket_id)


def given_up(basket_id: str) -> Conflict:
    """Return the refusal of a basket that was given up."""
    return Conflict("basket-voided", "This basket was voided. Start a new sale.", id=basket_id)


# --- inside ---

_basket = table_of(Basket).c
HELD = Prepared(
    sa.select(_basket.state, _basket.till_id, _basket.kept_by_name).where(
        _basket.store_id == sa.bindparam("store"), _basket.id == sa.bindparam("basket")
    )
)
"""A basket's state, the till that has it, and who kept it."""
_sale = sa.table("sale", sa.column("store_id"), sa.column("id"))
"""Sales know their shift, so this room does not know sales: it asks only whether one is there."""


def _unpaid(session: Session, store_id: str, state: str) -> list[Basket]:
    paid = sa.exists().where(_sale.c.store_id == Basket.store_id, _sale.c.id == Basket.id)
    query = sa.select(Basket).where(Basket.store_id == store_id, Basket.state == state, ~paid)
    return list(session.scalars(query.order_by(Basket.kept_at, Basket.id)))
