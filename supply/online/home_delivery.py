"""A home delivery: the way of an online order to its customer's door. Its table, its states and what travels of it.

Rules
-----
1. The order keeps its own states, escrow and reservations: while it is brought it is ready, handed over at the door it
   is collected. This is only the way there. What is done on the way stands in `delivery`.
2. An order that ends takes its way with it: refused, cancelled or expired calls it off. While it is on the way it does
   not expire.
3. The address travels once, with the order; nothing that comes back repeats it. It is forgotten with name and phone.
4. The fee is promised at placing and is a line of its own in the sale. It falls away when the customer collects.

Units: *_minor currency minor units; places in millionths of a degree (e6).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc
from config.database import Base
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from supply.routing.distances import Point

STATES = StateTable(
    "home delivery",
    "asked",
    {
        "asked": ["on_the_way", "to_collect", "called_off"],
        "on_the_way": ["delivered", "failed", "called_off"],
        "failed": ["asked", "to_collect", "called_off"],
    },
)
LIVE = ("asked", "on_the_way", "failed")
NOWHERE = {"place": "", "street": "", "note": "", "lat_e6": 0, "lon_e6": 0}
"""An address that is not told, or not any more."""


class HomeDelivery(Base):
    """The way of one order. fee_minor: the price of its line; charged_minor: what the customer pays for it, tax too."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "home_delivery"
    __table_args__ = (sa.Index("ix_home_delivery_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    place: Mapped[str]
    street: Mapped[str]
    note: Mapped[str]
    lat_e6: Mapped[int]
    lon_e6: Mapped[int]
    fee_minor: Mapped[int]
    charged_minor: Mapped[int]
    trip_id: Mapped[str] = mapped_column(default="")
    """Those that set out together."""
    n: Mapped[int] = mapped_column(default=0)
    """Which stop of its trip it is, from 1."""
    before: Mapped[int] = mapped_column(default=0)
    """At the network: how many stops come before it."""
    comes_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    receiver: Mapped[str] = mapped_column(default="")
    """Who took it, where no code was shown."""
    why: Mapped[str] = mapped_column(default="")

    @property
    def at(self) -> Point:
        """Where the door is, in degrees."""
        return self.lat_e6 / 1e6, self.lon_e6 / 1e6


def write_down(session: Session, store_id: str, order_id: str, reported: Mapping[str, Any]) -> HomeDelivery:
    """Write the way an order was placed with."""
    row = HomeDelivery(
        store_id=store_id, order_id=order_id, state=STATES.first, place=reported["place"], street=reported["street"],
        note=reported["note"], lat_e6=reported["lat_e6"], lon_e6=reported["lon_e6"], fee_minor=reported["fee_minor"],
        charged_minor=reported["charged_minor"], trip_id="", n=0, before=0, receiver="", why="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def order_moved(ctx: Context, store_id: str, order_id: str, given_back: bool) -> None:
    """Let the way end with its order (rule 2)."""
    row = of_order(ctx.session, store_id, order_id)
    if row is not None and given_back and row.state in LIVE:
        move(ctx, row, "called_off")


def move(ctx: Context, row: HomeDelivery, target: str, *, why: str = "") -> None:
    """Move a way on; whoever calls tells the network of its order."""
    journal.move(ctx, row, target, subject=f"pickup:{row.order_id}", why=why or None)
    row.why = why
    if target in ("delivered", "failed", "to_collect", "called_off"):
        row.ended_at, row.comes_at = ctx.at, None
    if target == "to_collect":
        row.fee_minor = row.charged_minor = 0
    ctx.session.flush()


def mirror(session: Session, store_id: str, order_id: str, reported: Mapping[str, Any]) -> tuple[HomeDelivery, str]:
    """Take over how the way stands at its store; returns it and the state it was in."""
    row = of_order(session, store_id, order_id)
    if row is None:  # a network restored from a copy: the address is the store's alone
        row = write_down(session, store_id, order_id, {**NOWHERE, **reported})
    before = row.state
    journal.mirror(row, reported["state"])
    row.fee_minor, row.charged_minor = reported["fee_minor"], reported["charged_minor"]
    row.before, row.why = reported["before"], reported["why"]
    row.comes_at = dt.datetime.fromisoformat(reported["comes_at"]) if reported["comes_at"] else None
    return row, before


def forget(session: Session, orders: Sequence[tuple[str, str]]) -> None:
    """Empty the addresses of some orders (rule 3). orders: [(store_id, order_id)]."""
    of_them = sa.tuple_(HomeDelivery.store_id, HomeDelivery.order_id).in_(orders)
    emptied = sa.update(HomeDelivery).where(of_them).values(**NOWHERE, receiver="")
    session.execute(emptied, execution_options={"synchronize_session": "fetch"})


# --- questions ---


def of_order(session: Session, store_id: str, order_id: str) -> HomeDelivery | None:
    """Return the way of an order, None where it is collected."""
    return session.get(HomeDelivery, (store_id, order_id))


def is_live(row: HomeDelivery | None) -> bool:
    """Tell whether an order is still to be brought."""
    return row is not None and row.state in LIVE


def live_ids(session: Session, store_id: str) -> set[str]:
    """Return the orders that are still to be brought."""
    query = sa.select(HomeDelivery.order_id).where(HomeDelivery.store_id == store_id, HomeDelivery.state.in_(LIVE))
    return set(session.scalars(query))


def under_way(store_id: str) -> sa.Select[str]:
    """Return the query for the orders that are with whoever brings them."""
    return sa.select(HomeDelivery.order_id).where(HomeDelivery.store_id == store_id, HomeDelivery.state == "on_the_way")


def stops_before(session: Session, row: HomeDelivery) -> int:
    """Return how many stops of its trip come before it, at the store."""
    if row.state != "on_the_way":
        return 0
    query = sa.select(sa.func.count()).where(
        HomeDelivery.store_id == row.store_id, HomeDelivery.trip_id == row.trip_id,
        HomeDelivery.state == "on_the_way", HomeDelivery.n < row.n,
    )  # fmt: skip
    return int(session.scalar(query) or 0)


def as_placed(session: Session, store_id: str, order_id: str) -> dict[str, Any] | None:
    """Return the way as it travels to the store with its order."""
    row = of_order(session, store_id, order_id)
    names = ("place", "street", "note", "lat_e6", "lon_e6", "fee_minor", "charged_minor")
    return None if row is None else {name: getattr(row, name) for name in names}


def as_reported(session: Session, store_id: str, order_id: str) -> dict[str, Any] | None:
    """Return the way as it travels back, without the address (rule 3)."""
    row = of_order(session, store_id, order_id)
    if row is None:
        return None
    return {
        "state": row.state, "fee_minor": row.fee_minor, "charged_minor": row.charged_minor, "why": row.why,
        "before": stops_before(session, row),
        "comes_at": as_utc(row.comes_at).isoformat(timespec="seconds") if row.comes_at else None,
    }  # fmt: skip
