"""What the online store, its orders and the shelf tell the other node: frozen bodies, each with its version.

Rules
-----
1. A body is a snapshot, complete in itself: the latest one of its key wins, whatever order they arrive in. Its place
   in that order is carried inside (`edition` of an offer, `step` of an order), never read off a clock or a queue.
2. A customer's address travels once, with the order to the store; nothing that comes back repeats it, nor name or
   phone. Some time after the order is over they are taken out of these bodies too (`online.erasure`).
3. Readers accept every version ever sent.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from config.errors import Invalid
from config.nodes.outbox import FORGOTTEN

STOREFRONT_PUBLISHED = "storefront.published"
PICKUP_PLACED = "pickup.placed"
PICKUP_TAKEN = "pickup.taken"
"""An order the shopkeeper took at the counter: the network learns whose it is."""
PICKUP_CANCELLED = "pickup.cancelled"
PICKUP_MOVED = "pickup.moved"
RETURN_ASKED = "pickup.return_asked"
REFUND_REPORTED = "refund.reported"
SHELF_APPROVED = "shelf.approved"
REVIEW_REPORTED = "review.reported"
REVIEW_ANSWERED = "review.answered"
CAMPAIGN_REPORTED = "campaign.reported"
CAMPAIGN_ANSWERED = "campaign.answered"
GROUP_OPENED = "group.opened"
GROUP_REPORTED = "group.reported"
GROUP_ARRIVED = "group.arrived"
VERSION = 7
"""The newest version of the bodies here; all before it are read too."""


@dataclass(frozen=True)
class Offer:
    """One product of a store's online offer. listed False: no longer sold online."""

    sku: str
    price_minor: int
    available_qty: int
    shelf_rank: int | None
    listed: bool
    order_days: int | None = None
    """So many days after ordering it can be collected, where the store orders it in (version 3)."""


@dataclass(frozen=True)
class StorefrontPublished:
    """The offers that changed, and which orders the store had seen when it counted them.

    edition rises with every publication of a store. The allowances leave out what was held for the orders numbered
    1..seen_through and for those in seen_also; what later orders took has still to be subtracted.
    """

    store_id: str
    edition: int
    taking_orders: bool
    published_at: str
    seen_through: int
    seen_also: tuple[int, ...]
    offers: tuple[Offer, ...]
    rules: dict[str, Any] | None = None
    """The store's rules for online orders; None: as before (version 2)."""
    promotions: dict[str, Any] | None = None
    """The store's own offers, as `pos.catalogue.offer_edition.edition` writes them; None: as before (version 2)."""
    coupons: list[list[Any]] = field(default_factory=list)
    """[[owner, code, uses]] that changed: how often a limited code was used beside the network's orders (version 4)."""
    members: list[list[Any]] = field(default_factory=list)
    """[[key of a phone, is a member]] that changed (version 4)."""
    closed_days: list[str] | None = None
    """The days from that of published_at on that the store settled to stay closed; None: as before (version 5)."""
    usual_sales_minor: int | None = None
    """What the store says it takes on a usual day, 0: nothing; None: as before (version 6)."""

    def to_body(self) -> dict[str, Any]:
        """Return the body of the newest version."""
        return {**asdict(self), "seen_also": list(self.seen_also), "offers": [asdict(offer) for offer in self.offers]}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "StorefrontPublished":
        """Read a body; refuses versions from the future."""
        _known(STOREFRONT_PUBLISHED, version)
        offers = tuple(Offer(**offer) for offer in body["offers"])
        return cls(**{**body, "seen_also": tuple(body["seen_also"]), "offers": offers})


@dataclass(frozen=True)
class OrderLine:
    """One product of an order. picked_qty None: not picked yet; below qty: the store had less."""

    sku: str
    name: str
    qty: int
    price_minor: int
    price_quantity: int
    picked_qty: int | None = None
    saved: list[list[Any]] = field(default_factory=list)
    """[[offer id, name, amount_minor]] on the whole line (version 2)."""
    deposit_sku: str | None = None
    deposit_minor: int | None = None
    """The deposit on one unit (version 2)."""
    instead_of: str | None = None
    """The product ordered that this one stands in for (version 2)."""
    awaited: bool = False
    """It has to be ordered in and is not there yet (version 3)."""


@dataclass(frozen=True)
class PickupPlaced:
    """An order as the customer placed it; code and token only as hashes. number counts 1, 2, 3 … per store."""

    store_id: str
    order_id: str
    number: int
    order_no: str
    customer_name: str
    customer_phone: str
    code_hash: str
    token_hash: str
    currency: str
    total_minor: int
    placed_at: str
    lines: tuple[OrderLine, ...]
    window_from: str | None = None
    window_until: str | None = None
    if_short: str = "less"
    """less | similar | cancel: what the customer wants when something is missing (version 2)."""
    paid_minor: int = 0
    """Paid online and held in escrow (version 2)."""
    group_id: str | None = None
    """The group buy it is a share of (version 2)."""
    comes_on: str | None = None
    """From this day on what had to be ordered in is expected to be there (version 3)."""
    coupons: list[str] = field(default_factory=list)
    """The codes it used (version 4)."""
    member: bool = False
    """It has the prices for members (version 4)."""
    delivery: dict[str, Any] | None = None
    """Where it is brought and for how much, as `home_delivery.as_placed` writes it (version 4)."""

    def to_body(self) -> dict[str, Any]:
        """Return the body of the newest version."""
        return {**asdict(self), "lines": [asdict(line) for line in self.lines]}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "PickupPlaced":
        """Read a body; refuses versions from the future."""
        _known(PICKUP_PLACED, version)
        reported = {key: value for key, value in body.items() if key != FORGOTTEN}
        return cls(**{**reported, "lines": tuple(OrderLine(**line) for line in body["lines"])})


@dataclass(frozen=True)
class PickupCancelled:
    """The customer asks to cancel. The whole order comes along, in case this overtakes it on the way.

    decided: the network's operator has decided so, and nothing is handed over any more; said where it is true.
    """

    order: PickupPlaced
    asked_at: str
    decided: bool = False

    def to_body(self) -> dict[str, Any]:
        """Return the body of the newest version."""
        return {"order": self.order.to_body(), "asked_at": self.asked_at} | ({"decided": True} if self.decided else {})

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "PickupCancelled":
        """Read a body; refuses versions from the future."""
        _known(PICKUP_CANCELLED, version)
        order = PickupPlaced.from_body(body["order"], version)
        return cls(order=order, asked_at=body["asked_at"], decided=bool(body.get("decided")))


@dataclass(frozen=True)
class ReturnAsked:
    """The customer asks to bring goods of a collected order back (version 2)."""

    store_id: str
    order_id: str
    why: str
    asked_at: str

    def to_body(self) -> dict[str, Any]:
        """Return the body of the newest version."""
        return asdict(self)

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "ReturnAsked":
        """Read a body; refuses versions from the future."""
        _known(RETURN_ASKED, version)
        return cls(**body)


@dataclass(frozen=True)
class PickupMoved:
    """How an order stands at its store after `step` moves; without the customer's name and phone."""

    store_id: str
    order_id: str
    step: int
    state: str
    why: str
    number: int
    order_no: str
    code_hash: str
    token_hash: str
    currency: str
    total_minor: int
    placed_at: str
    moved_at: str
    ready_by: str | None
    ready_at: str | None
    hold_until: str | None
    collected_at: str | None
    collected_by: str | None
    sale_id: str | None
    lines: tuple[OrderLine, ...]
    answer_by: str | None = None
    return_until: str | None = None
    returned_minor: int = 0
    """What went back to the customer for goods brought back (version 2)."""
    window_from: str | None = None
    window_until: str | None = None
    if_short: str = "less"
    paid_minor: int = 0
    group_id: str | None = None
    comes_on: str | None = None
    coupons: list[str] = field(default_factory=list)
    member: bool = False
    delivery: dict[str, Any] | None = None
    """How far it is on its way home, as `home_delivery.as_reported` writes it (version 4)."""
    proof: str = ""
    """The customer's token, scanned at the hand-over of what was paid online (version 7)."""

    def to_body(self) -> dict[str, Any]:
        """Return the body of the newest version."""
        return {**asdict(self), "lines": [asdict(line) for line in self.lines]}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "PickupMoved":
        """Read a body; refuses versions from the future."""
        _known(PICKUP_MOVED, version)
        return cls(**{**body, "lines": tuple(OrderLine(**line) for line in body["lines"])})


@dataclass(frozen=True)
class Slot:
    """One slot of an approved shelf plan."""

    slot: int
    sku: str
    name: str
    facings: int
    fill_qty: int
    score: int
    why: dict[str, Any]


@dataclass(frozen=True)
class ShelfApproved:
    """A shelf plan the shopkeeper agreed to, live from a business day until the next one; told with each of its moves.

    state: what the plan has come to, '' before version 4.
    """

    store_id: str
    plan_id: str
    from_day: str
    drafted_at: str
    based_on_day: str
    slots: tuple[Slot, ...]
    state: str = ""

    def to_body(self) -> dict[str, Any]:
        """Return the body of the newest version."""
        return {**asdict(self), "slots": [asdict(slot) for slot in self.slots]}

    @classmethod
    def from_body(cls, body: dict[str, Any], version: int) -> "ShelfApproved":
        """Read a body; refuses versions from the future."""
        _known(SHELF_APPROVED, version)
        return cls(**{**body, "slots": tuple(Slot(**slot) for slot in body["slots"])})


def _known(topic: str, version: int) -> None:
    if not 1 <= version <= VERSION:
        raise Invalid(
            "unknown-version",
            "A message %(topic)s of version %(version)s came; this node reads up to %(newest)s. Update it and "
            "send again.", newest=VERSION, topic=topic, version=version,
        )  # fmt: skip
