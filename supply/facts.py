"""What a store and the network tell each other about goods: frozen, versioned bodies.

Rules
-----
1. A body carries everything its readers need; the other node writes its rows from it and looks nothing up.
2. What was said before is repeated where a later word may overtake it: a dispatch carries the acknowledgement.

Days are ISO dates, instants ISO texts in UTC, quantities stock units unless named packs.
"""

from dataclasses import dataclass
from typing import Any

from config.ids import NETWORK
from config.nodes.facts import STORE, Count, Day, Fact, Instant, Whole


@dataclass(frozen=True)
class Ordered:
    """One product of an order. why: the facts behind the proposal; rationing reads its demand, never the order."""

    sku: str
    name: str
    pack_qty: Whole
    pack_cost_minor: Whole
    minimum_packs: Whole
    packs_proposed: Whole
    packs: Whole
    changed_why: str
    changed_by: str
    why: dict[str, Any]


class OrderSent(Fact, topic="order.sent", said_by=STORE):
    """A store's order to the network."""

    store_id: str
    order_id: str
    order_no: Whole
    supplier_id: str
    order_day: str
    delivery_day: str
    next_delivery_day: str
    cost_minor: Whole
    proposed_at: str
    sent_at: str
    forecast_age_days: Whole | None
    lines: tuple[Ordered, ...]


class OrderCancelled(Fact, topic="order.cancelled", said_by=STORE):
    """A store called an order off. The whole order comes along, in case this overtakes it on the way."""

    order: OrderSent
    why: str
    cancelled_at: str

    def of(self) -> str:
        """Return the store that ordered."""
        return self.order.store_id


class OrderAcknowledged(Fact, topic="order.acknowledged", said_by=NETWORK):
    """What the network promises of an order: (sku, packs) of every line, zero where it has none."""

    store_id: str
    order_id: str
    packs: tuple[tuple[str, Whole], ...]


@dataclass(frozen=True)
class PackChange:
    """A line an operator of the network set: its packs, what the rule had given, and the reason the store reads."""

    sku: str
    packs: Count
    rule_packs: Count | None
    why: str


class OrderPromised(Fact, topic="order.promised", said_by=NETWORK):
    """The network changed what it promises of an order. packs: of every line; the highest step stands."""

    store_id: str
    order_id: str
    step: Count
    packs: tuple[tuple[str, Count], ...]
    changes: tuple[PackChange, ...]


class OrderMoved(Fact, topic="order.moved", said_by=NETWORK):
    """An order counts for another day than it named: it reached the network too late for that one."""

    store_id: str
    order_id: str
    order_day: str
    delivery_day: str
    next_delivery_day: str


@dataclass(frozen=True)
class Advised:
    """One product of a delivery as the sender packed it."""

    sku: str
    name: str
    pack_qty: Whole
    qty: Whole
    batch: str | None = None
    expires_on: str | None = None
    """The first of its lots' last days, where the sender knows it."""
    lots: tuple[tuple[Whole, str | None, str | None], ...] = ()
    """(units, batch, last day) of each of its lots, what ends first first, where they are more than one."""
    promised_qty: Whole | None = None
    """What was promised of it, where less was picked; then qty may be 0."""
    less_why: str = ""
    """Why less was picked (`pick_lists.REASONS`)."""


class Dispatched(Fact):
    """Goods have left the warehouse for a store. acknowledged: see rule 2; empty without an order."""

    store_id: str
    delivery_id: str
    supplier_id: str
    order_id: str | None
    network_offer_id: str | None
    expected_day: str
    advised_at: str
    acknowledged: tuple[tuple[str, Whole], ...]
    lines: tuple[Advised, ...]
    promise_step: Count = 0
    """The last change of the promise (`OrderPromised`) that acknowledged has."""


class OrderDispatched(Dispatched, topic="order.dispatched", said_by=NETWORK):
    """Goods of an order are on their way."""


class DeliveryDispatched(Dispatched, topic="delivery.dispatched", said_by=NETWORK):
    """Goods on their way without an order: an accepted offer."""


@dataclass(frozen=True)
class Counted:
    """One product of a delivery as it was advised and counted."""

    sku: str
    name: str
    pack_qty: Whole
    advised_qty: Whole
    counted_qty: Whole
    difference_why: str


class DeliveryClosed(Fact):
    """A delivery was taken in (state posted) or sent back (refused, nothing counted)."""

    store_id: str
    delivery_id: str
    supplier_id: str
    order_id: str | None
    network_offer_id: str | None
    state: str
    expected_day: str
    advised_at: str
    posted_at: str
    posted_by: str
    lines: tuple[Counted, ...]


class DeliveryPosted(DeliveryClosed, topic="delivery.posted", said_by=STORE):
    """A delivery was counted and taken in."""


class DeliveryRefused(DeliveryClosed, topic="delivery.refused", said_by=STORE):
    """A delivery was sent back."""


class StopReported(Fact, topic="stop.reported", said_by=NETWORK):
    """How a vehicle's stop at a store stands: on_the_way, then delivered, short or refused.

    step: the highest one counts.
    """

    store_id: str
    route_id: str
    step: Whole
    state: str
    delivery_ids: tuple[str, ...]
    comes_at: str
    n: Whole
    vehicle: str
    driver: str
    receiver: str
    note: str
    reported_at: str


class NetworkOfferSnapshot(Fact):
    """An offer of one product to one store, whole.

    As the network makes or withdraws it, and as the store answers it.
    """

    store_id: str
    network_offer_id: str
    supplier_id: str
    sku: str
    name: str
    pack_qty: Whole
    pack_cost_minor: Whole
    packs: Whole
    why: str
    state: str
    offered_at: Instant
    answer_by: Day
    return_until: Day | None
    answered_why: str
    terms: dict[str, Any] | None = None
    """What the network binds itself to."""


class NetworkOfferMade(NetworkOfferSnapshot, topic="network_offer.made", said_by=NETWORK):
    """The network offers."""


class NetworkOfferWithdrawn(NetworkOfferSnapshot, topic="network_offer.withdrawn", said_by=NETWORK):
    """The network takes its offer away."""


class NetworkOfferAnswered(NetworkOfferSnapshot, topic="network_offer.answered", said_by=STORE):
    """The store says yes or no."""
