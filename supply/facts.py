"""What a store and the network tell each other about goods: frozen, versioned bodies.

Rules
-----
1. A body carries everything its readers need; the other node writes its rows from it and looks nothing up.
2. `to_body()` is plain JSON; `from_body()` reads every version ever sent and refuses one from the future.
3. What was said before is repeated where a later word may overtake it: a dispatch carries the acknowledgement.

Days are ISO dates, instants ISO texts in UTC, quantities stock units unless named packs.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from config.nodes.inbox import refuse_newer

ORDER_SENT = "order.sent"
ORDER_CANCELLED = "order.cancelled"
ORDER_ACKNOWLEDGED = "order.acknowledged"
ORDER_MOVED = "order.moved"
ORDER_DISPATCHED = "order.dispatched"
DELIVERY_DISPATCHED = "delivery.dispatched"
"""Goods on their way without an order: an accepted offer."""
DELIVERY_POSTED = "delivery.posted"
DELIVERY_REFUSED = "delivery.refused"
STOP_REPORTED = "stop.reported"
NETWORK_OFFER_MADE = "network_offer.made"
NETWORK_OFFER_WITHDRAWN = "network_offer.withdrawn"
NETWORK_OFFER_ANSWERED = "network_offer.answered"
VERSION = 1


@dataclass(frozen=True)
class Ordered:
    """One product of an order. why: the facts behind the proposal; rationing reads its demand, never the order."""

    sku: str
    name: str
    pack_qty: int
    pack_cost_minor: int
    minimum_packs: int
    packs_proposed: int
    packs: int
    changed_why: str
    changed_by: str
    why: dict[str, Any]


@dataclass(frozen=True)
class OrderSent:
    """A store's order to the network."""

    store_id: str
    order_id: str
    order_no: int
    supplier_id: str
    order_day: str
    delivery_day: str
    next_delivery_day: str
    cost_minor: int
    proposed_at: str
    sent_at: str
    forecast_age_days: int | None
    lines: tuple[Ordered, ...]

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return vars(self) | {"lines": [dict(vars(line)) for line in self.lines]}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "OrderSent":
        """Read a body."""
        _known(ORDER_SENT, version)
        return cls(**body | {"lines": tuple(Ordered(**line) for line in body["lines"])})


@dataclass(frozen=True)
class OrderCancelled:
    """A store called an order off. The whole order comes along, in case this overtakes it on the way."""

    order: OrderSent
    why: str
    cancelled_at: str

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return vars(self) | {"order": self.order.to_body()}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "OrderCancelled":
        """Read a body."""
        _known(ORDER_CANCELLED, version)
        return cls(**body | {"order": OrderSent.from_body(body["order"], VERSION)})


@dataclass(frozen=True)
class OrderAcknowledged:
    """What the network promises of an order: (sku, packs) of every line, zero where it has none."""

    store_id: str
    order_id: str
    packs: tuple[tuple[str, int], ...]

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return vars(self) | {"packs": [list(row) for row in self.packs]}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "OrderAcknowledged":
        """Read a body."""
        _known(ORDER_ACKNOWLEDGED, version)
        return cls(**body | {"packs": _packs(body["packs"])})


@dataclass(frozen=True)
class OrderMoved:
    """An order counts for another day than it named: it reached the network too late for that one."""

    store_id: str
    order_id: str
    order_day: str
    delivery_day: str
    next_delivery_day: str

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return dict(vars(self))

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "OrderMoved":
        """Read a body."""
        _known(ORDER_MOVED, version)
        return cls(**body)


@dataclass(frozen=True)
class Advised:
    """One product of a delivery as the sender packed it."""

    sku: str
    name: str
    pack_qty: int
    qty: int
    batch: str | None = None
    expires_on: str | None = None
    """The first of its lots' last days, where the sender knows it."""
    lots: tuple[tuple[int, str | None, str | None], ...] = ()
    """(units, batch, last day) of each of its lots, what ends first first, where they are more than one."""
    promised_qty: int | None = None
    """What was promised of it, where less was picked; then qty may be 0."""
    less_why: str = ""
    """Why less was picked (`pick_lists.REASONS`)."""

    def reported(self) -> dict[str, Any]:
        """Return it as plain JSON; what is not known is left out, so that older readers understand it."""
        known = {name: value for name, value in vars(self).items() if value not in (None, (), "")}
        return known | ({"lots": [list(lot) for lot in self.lots]} if self.lots else {})

    @classmethod
    def from_reported(cls, reported: dict[str, Any]) -> "Advised":
        """Read what was told; what a newer network says beyond it is passed over."""
        known = {name: reported[name] for name in cls.__dataclass_fields__ if name in reported}
        lots = tuple((int(qty), batch, until) for qty, batch, until in reported.get("lots", ()))
        return cls(**known | {"lots": lots})


@dataclass(frozen=True)
class GoodsDispatched:
    """Goods have left the warehouse for a store. acknowledged: see rule 3; empty without an order."""

    store_id: str
    delivery_id: str
    supplier_id: str
    order_id: str | None
    network_offer_id: str | None
    expected_day: str
    advised_at: str
    acknowledged: tuple[tuple[str, int], ...]
    lines: tuple[Advised, ...]

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return vars(self) | {
            "acknowledged": [list(row) for row in self.acknowledged],
            "lines": [line.reported() for line in self.lines],
        }

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "GoodsDispatched":
        """Read a body."""
        _known(ORDER_DISPATCHED, version)
        lines = tuple(Advised.from_reported(line) for line in body["lines"])
        return cls(**body | {"acknowledged": _packs(body["acknowledged"]), "lines": lines})


@dataclass(frozen=True)
class Counted:
    """One product of a delivery as it was advised and counted."""

    sku: str
    name: str
    pack_qty: int
    advised_qty: int
    counted_qty: int
    difference_why: str


@dataclass(frozen=True)
class DeliveryClosed:
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

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return vars(self) | {"lines": [dict(vars(line)) for line in self.lines]}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "DeliveryClosed":
        """Read a body."""
        _known(DELIVERY_POSTED, version)
        return cls(**body | {"lines": tuple(Counted(**line) for line in body["lines"])})


@dataclass(frozen=True)
class StopReported:
    """How a vehicle's stop at a store stands: on_the_way, then delivered, short or refused.

    step: the highest one counts.
    """

    store_id: str
    route_id: str
    step: int
    state: str
    delivery_ids: tuple[str, ...]
    comes_at: str
    n: int
    vehicle: str
    driver: str
    receiver: str
    note: str
    reported_at: str

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return vars(self) | {"delivery_ids": list(self.delivery_ids)}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "StopReported":
        """Read a body."""
        _known(STOP_REPORTED, version)
        return cls(**body | {"delivery_ids": tuple(body["delivery_ids"])})


@dataclass(frozen=True)
class NetworkOfferSnapshot:
    """An offer of one product to one store, whole.

    As the network makes or withdraws it, and as the store answers it.
    """

    store_id: str
    network_offer_id: str
    supplier_id: str
    sku: str
    name: str
    pack_qty: int
    pack_cost_minor: int
    packs: int
    why: str
    state: str
    offered_at: str
    answer_by: str
    return_until: str | None
    answered_why: str
    terms: dict[str, Any] | None = None
    """What the network binds itself to; an older network says nothing."""

    def to_body(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return dict(vars(self))

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "NetworkOfferSnapshot":
        """Read a body."""
        _known(NETWORK_OFFER_MADE, version)
        return cls(**body)


def stamp(at: dt.datetime) -> str:
    """Return an instant as facts write it."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _packs(rows: list[list[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((str(sku), int(packs)) for sku, packs in rows)


def _known(topic: str, version: int) -> None:
    refuse_newer(topic, version, VERSION)
