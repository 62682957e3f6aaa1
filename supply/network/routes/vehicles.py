"""What routes are driven with: vehicles, where stores and warehouses are, when a store takes goods, and measured ways.

Rules
-----
1. A place without coordinates is never guessed: its store is left out of the routes, by name.
2. A window is when a call may begin, in minutes of the store's day. A call takes service_minutes and a little a pack.
3. A matrix that was brought in takes the place of the great circle for the pairs it names, in its direction.

Units: degrees in millionths (e6), metres, seconds; loads in packs.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Context
from pos.store.store import Store
from supply.orders.suppliers import require_warehouse, warehouses

DAY_MINUTES = 24 * 60
FROM_MINUTE, UNTIL_MINUTE = 6 * 60, 18 * 60
SERVICE_MINUTES = 6
MOST_PACKS = 5_000
MOST_LEGS = 200_000


class MapPoint(Base):
    """Where a store or a warehouse is, and when it takes goods."""

    __tablename__ = "map_point"

    id: Mapped[str] = mapped_column(primary_key=True)
    """The store's id, or the warehouse's."""
    lat_e6: Mapped[int]
    lon_e6: Mapped[int]
    from_minute: Mapped[int] = mapped_column(default=FROM_MINUTE)
    until_minute: Mapped[int] = mapped_column(default=UNTIL_MINUTE)
    service_minutes: Mapped[int] = mapped_column(default=SERVICE_MINUTES)
    source: Mapped[str] = mapped_column(default="typed")
    """typed | imported | generated: a demonstration's places are made up and say so."""


class Vehicle(Base):
    """A vehicle of a warehouse, and its day."""

    __tablename__ = "vehicle"

    id: Mapped[str] = mapped_column(primary_key=True)
    warehouse_id: Mapped[str]
    name: Mapped[str]
    packs: Mapped[int]
    from_minute: Mapped[int] = mapped_column(default=FROM_MINUTE)
    until_minute: Mapped[int] = mapped_column(default=UNTIL_MINUTE)
    retired_at: Mapped[dt.datetime | None]


class MeasuredLeg(Base):
    """A way as somebody measured it (rule 3)."""

    __tablename__ = "measured_leg"

    from_id: Mapped[str] = mapped_column(primary_key=True)
    to_id: Mapped[str] = mapped_column(primary_key=True)
    metres: Mapped[int]
    seconds: Mapped[int]


# --- verbs ---


def place(
    ctx: Context,
    id: str,
    lat_e6: int,
    lon_e6: int,
    *,
    window: tuple[int, int] = (FROM_MINUTE, UNTIL_MINUTE),
    service_minutes: int = SERVICE_MINUTES,
    source: str = "typed",
) -> MapPoint:
    """Say where a store or a warehouse is and when it takes goods."""
    if ctx.session.get(Store, id) is None and id not in warehouses(ctx.session):
        raise NotFound("unknown-site", "Store or warehouse %(id)s not found. Check its number.", id=id)
    if not (-90_000_000 <= lat_e6 <= 90_000_000 and -180_000_000 <= lon_e6 <= 180_000_000):
        raise Invalid("bad-position", "%(id)s: latitude must be -90 to 90 degrees, longitude -180 to 180.", id=id)
    _refuse_window(*window)
    if not 0 <= service_minutes <= 240:
        raise Invalid("bad-call-minutes", "Enter 0 to 240 minutes per stop.", field="service")
    row = ctx.session.merge(
        MapPoint(
            id=id, lat_e6=lat_e6, lon_e6=lon_e6, from_minute=window[0], until_minute=window[1],
            service_minutes=service_minutes, source=source,
        )
    )  # fmt: skip
    journal.record(ctx, verb="place.set", subject=f"place:{id}", lat_e6=lat_e6, lon_e6=lon_e6, window=list(window))
    ctx.session.flush()
    return row


def add_vehicle(
    ctx: Context, warehouse_id: str, name: str, packs: int, *, day: tuple[int, int] = (FROM_MINUTE, UNTIL_MINUTE)
) -> Vehicle:
    """Take a vehicle into service."""
    name = " ".join(name.split())
    require_warehouse(ctx.session, warehouse_id)
    if not 1 <= len(name) <= 40:
        raise Invalid("no-vehicle-name", "Enter a vehicle name, such as its license plate.", field="name")
    if not 1 <= packs <= MOST_PACKS:
        raise Invalid("bad-vehicle-load", "Enter a capacity of 1 to %(most)s packs.", most=MOST_PACKS, field="packs")
    _refuse_window(*day)
    vehicle = Vehicle(
        id=new_id(), warehouse_id=warehouse_id, name=name, packs=packs, from_minute=day[0], until_minute=day[1]
    )  # fmt: skip
    ctx.session.add(vehicle)
    journal.record(ctx, verb="vehicle.added", subject=f"vehicle:{vehicle.id}", name=name, packs=packs)
    ctx.session.flush()
    return vehicle


def retire_vehicle(ctx: Context, vehicle_id: str) -> None:
    """Take a vehicle out of service; its routes stay as they were."""
    vehicle = ctx.session.get(Vehicle, vehicle_id)
    if vehicle is None:
        raise NotFound("unknown-vehicle", "Vehicle not found. Choose one from the list.")
    if vehicle.retired_at is None:
        vehicle.retired_at = ctx.at
        journal.record(ctx, verb="vehicle.retired", subject=f"vehicle:{vehicle.id}")


def bring_in_legs(ctx: Context, table: Iterable[Sequence[str]]) -> int:
    """Take measured ways from a table with the columns from, to, metres, seconds, in place of all before; all or none.

    Returns how many; Invalid names the line to mend.
    """
    lines = iter(table)
    heading = next(lines, [])
    if not {"from", "to", "metres", "seconds"} <= set(heading):
        raise Invalid("bad-matrix", "The first line must be the column names: from,to,metres,seconds.")
    known = {*ctx.session.scalars(sa.select(Store.id)), *warehouses(ctx.session)}
    legs: dict[tuple[str, str], tuple[int, int]] = {}
    for n, cells in enumerate(lines, 2):
        if not cells:
            continue
        row = dict(zip(heading, [*cells, *[""] * len(heading)], strict=False))
        here, there = row["from"].strip(), row["to"].strip()
        if unknown := [one for one in (here, there) if one not in known]:
            raise Invalid(
                "bad-matrix", "Line %(line)s: there is no store or warehouse %(unknown)s.", unknown=unknown[0],
                line=n,
            )  # fmt: skip
        try:
            legs[here, there] = int(row["metres"]), int(row["seconds"])
        except (TypeError, ValueError) as fault:
            raise Invalid("bad-matrix", "Line %(line)s: metres and seconds are whole numbers.", line=n) from fault
        if min(legs[here, there]) < 0 or max(legs[here, there]) > 10_000_000 or len(legs) > MOST_LEGS:
            raise Invalid(
                "bad-matrix", "Line %(line)s: the distance is too large, or the file has too many lines.", line=n
            )
    ctx.session.execute(sa.delete(MeasuredLeg))
    if legs:
        ctx.session.execute(
            sa.insert(MeasuredLeg),
            [{"from_id": a, "to_id": b, "metres": m, "seconds": s} for (a, b), (m, s) in legs.items()],
        )
    journal.record(ctx, verb="ways.measured", subject="ways", legs=len(legs))
    return len(legs)


# --- questions ---


def vehicles_of(session: Session, warehouse_id: str) -> list[Vehicle]:
    """Return a warehouse's vehicles in service, the largest first."""
    query = sa.select(Vehicle).where(Vehicle.warehouse_id == warehouse_id, Vehicle.retired_at.is_(None))
    return list(session.scalars(query.order_by(Vehicle.packs.desc(), Vehicle.name, Vehicle.id)))


def places_of(session: Session, ids: list[str]) -> dict[str, MapPoint]:
    """Return where these are, those that are known."""
    return {row.id: row for row in session.scalars(sa.select(MapPoint).where(MapPoint.id.in_(ids)))}


def legs_between(session: Session, ids: list[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the measured ways between these."""
    query = sa.select(MeasuredLeg).where(MeasuredLeg.from_id.in_(ids), MeasuredLeg.to_id.in_(ids))
    return {(row.from_id, row.to_id): (row.metres, row.seconds) for row in session.scalars(query)}


# --- inside ---


def _refuse_window(first: int, last: int) -> None:
    if not 0 <= first < last <= DAY_MINUTES:
        raise Invalid("bad-call-window", "The end time must be after the start time, on the same day.", field="until")
