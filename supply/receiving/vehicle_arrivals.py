"""At the store: when the vehicle comes, and what its driver says of the stop.

Rules
-----
1. The network's word with the highest step counts, whatever order they come in.
2. What the driver says was refused is refused here, and what he did not reach the store with is turned back, unless
   somebody counts it already: then the count is what counts. A claim's replacement is still expected.
3. Delivered is no count: the goods are in the stock when they are counted and posted.
4. What the driver left here with somebody does not go back at the door any more: it is counted, and claimed.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Refused
from config.nodes.facts import applies
from config.nodes.journal import Actor, Context
from supply.facts import StopReported
from supply.orders.deliveries import Delivery
from supply.receiving import receiving

LEFT_HERE = ("delivered", "short")


class DeliveryTracking(Base):
    """The stop a delivery comes with. state: on_the_way, or one of `routes.routes.OUTCOMES`."""

    __tablename__ = "delivery_tracking"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    route_id: Mapped[str]
    step: Mapped[int]
    state: Mapped[str]
    comes_at: Mapped[dt.datetime]
    n: Mapped[int]
    vehicle: Mapped[str]
    driver: Mapped[str]
    receiver: Mapped[str]
    note: Mapped[str]
    reported_at: Mapped[dt.datetime]


@applies(StopReported)
def take(ctx: Context, fact: StopReported) -> None:
    """Keep what the network tells of a stop (rules 1, 2)."""
    for delivery_id in fact.delivery_ids:
        known = ctx.session.get(DeliveryTracking, (fact.store_id, delivery_id))
        if known is not None and known.route_id == fact.route_id and known.step >= fact.step:
            continue
        ctx.session.merge(
            DeliveryTracking(
                store_id=fact.store_id, delivery_id=delivery_id, route_id=fact.route_id, step=fact.step,
                state=fact.state, comes_at=dt.datetime.fromisoformat(fact.comes_at), n=fact.n, vehicle=fact.vehicle,
                driver=fact.driver, receiver=fact.receiver, note=fact.note,
                reported_at=dt.datetime.fromisoformat(fact.reported_at),
            )
        )  # fmt: skip
        ctx.session.flush()
        delivery = ctx.session.get(Delivery, (fact.store_id, delivery_id))
        if delivery is not None:
            look_again(ctx.session, delivery, at=ctx.at)


def look_again(session: Session, delivery: Delivery, *, at: dt.datetime) -> None:
    """Close a delivery that its driver did not leave here (rule 2), also one the store hears of after his word."""
    call = session.get(DeliveryTracking, (delivery.store_id, delivery.id))
    if call is None or delivery.state != "expected":
        return
    actor = Actor(f"driver:{call.vehicle}", call.driver, "driver", call.store_id)
    ctx = Context(session, actor, at)
    if call.state == "refused":
        receiving.refuse(ctx, call.store_id, delivery.id, why=call.note)
    elif call.state == "not_reached" and (delivery.order_id or delivery.network_offer_id):
        receiving.turn_back(ctx, call.store_id, delivery.id, why=call.note)


def send_back(ctx: Context, store_id: str, delivery_id: str, *, why: str) -> Delivery:
    """Send a delivery back at the door, as long as no driver says that somebody here took it (rule 4)."""
    call = ctx.session.get(DeliveryTracking, (store_id, delivery_id))
    if call is not None and call.state in LEFT_HERE:
        raise Refused(
            "left-here",
            "%(driver)s left this delivery with %(receiver)s. Count it, and claim any problems.",
            driver=call.driver, receiver=call.receiver,
        )  # fmt: skip
    return receiving.refuse(ctx, store_id, delivery_id, why=why)


def calls_of(session: Session, store_id: str, delivery_ids: list[str]) -> dict[str, DeliveryTracking]:
    """Return the stops these deliveries come with, by delivery."""
    query = sa.select(DeliveryTracking).where(
        DeliveryTracking.store_id == store_id, DeliveryTracking.delivery_id.in_(delivery_ids)
    )
    return {row.delivery_id: row for row in session.scalars(query)}
