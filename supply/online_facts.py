"""What the online store, its orders and the shelf tell the other node: frozen bodies.

Rules
-----
1. A body is a snapshot, complete in itself: the latest one of its key wins, whatever order they arrive in. Its place
   in that order is carried inside (`edition` of an offer, `step` of an order), never read off a clock or a queue.
2. A customer's address travels once, with the order to the store; nothing that comes back repeats it, nor name or
   phone. Some time after the order is over they are taken out of these bodies too (`online.erasure`).
"""

from dataclasses import dataclass, field
from typing import Any

from config.ids import NETWORK
from config.nodes.facts import STORE, Day, Fact, Flag, Instant, Whole


@dataclass(frozen=True)
class Offer:
    """One product of a store's online offer. listed False: no longer sold online."""

    sku: str
    price_minor: Whole
    available_qty: Whole
    shelf_rank: Whole | None
    listed: Flag
    order_days: Whole | None = None
    """So many days after ordering it can be collected, where the store orders it in."""


class StorefrontPublished(Fact, topic="storefront.published", said_by=STORE):
    """The offers that changed, and which orders the store had seen when it counted them.

    edition rises with every publication of a store. The allowances leave out what was held for the orders numbered
    1..seen_through and for those in seen_also; what later orders took has still to be subtracted.
    """

    store_id: str
    edition: Whole
    taking_orders: Flag
    published_at: str
    seen_through: Whole
    seen_also: tuple[Whole, ...]
    offers: tuple[Offer, ...]
    rules: dict[str, Any] | None = None
    """The store's rules for online orders; None: as before."""
    promotions: dict[str, Any] | None = None
    """The store's own offers, as `pos.catalogue.offer_edition.edition` writes them; None: as before."""
    coupons: list[list[Any]] = field(default_factory=list)
    """[[owner, code, uses]] that changed: how often a limited code was used beside the network's orders."""
    members: list[list[Any]] = field(default_factory=list)
    """[[key of a phone, is a member]] that changed."""
    closed_days: list[str] | None = None
    """The days from that of published_at on that the store settled to stay closed; None: as before."""
    usual_sales_minor: Whole | None = None
    """What the store says it takes on a usual day, 0: nothing; None: as before."""
    particulars: dict[str, str] | None = None
    """What of `pos.store.store.PARTICULARS` it changed, as the online store says them; None: as before."""


@dataclass(frozen=True)
class OrderLine:
    """One product of an order. picked_qty None: not picked yet; below qty: the store had less."""

    sku: str
    name: str
    qty: Whole
    price_minor: Whole
    price_quantity: Whole
    picked_qty: Whole | None = None
    saved: list[list[Any]] = field(default_factory=list)
    """[[offer id, name, amount_minor]] on the whole line."""
    deposit_sku: str | None = None
    deposit_minor: Whole | None = None
    """The deposit on one unit."""
    instead_of: str | None = None
    """The product ordered that this one stands in for."""
    awaited: Flag = False
    """It has to be ordered in and is not there yet."""


class PickupPlaced(Fact, topic="pickup.placed", said_by=NETWORK):
    """An order as the customer placed it; code and token only as hashes. number counts 1, 2, 3 … per store."""

    store_id: str
    order_id: str
    number: Whole
    order_no: str
    customer_name: str
    customer_phone: str
    code_hash: str
    token_hash: str
    currency: str
    total_minor: Whole
    placed_at: str
    lines: tuple[OrderLine, ...]
    window_from: str | None = None
    window_until: str | None = None
    if_short: str = "less"
    """less | similar | cancel: what the customer wants when something is missing."""
    paid_minor: Whole = 0
    """Paid online and held in escrow."""
    group_id: str | None = None
    """The group buy it is a share of."""
    comes_on: str | None = None
    """From this day on what had to be ordered in is expected to be there."""
    coupons: list[str] = field(default_factory=list)
    """The codes it used."""
    member: Flag = False
    """It has the prices for members."""
    delivery: dict[str, Any] | None = None
    """Where it is brought and for how much, as `home_delivery.as_placed` writes it."""


class PickupTaken(PickupPlaced, topic="pickup.taken", said_by=STORE):
    """An order the shopkeeper took at the counter: the network learns whose it is."""


class PickupCancelled(Fact, topic="pickup.cancelled", said_by=NETWORK):
    """The customer asks to cancel. The whole order comes along, in case this overtakes it on the way.

    decided: the network's operator has decided so, and nothing is handed over any more; said where it is true.
    """

    order: PickupPlaced
    asked_at: str
    decided: Flag = False

    def of(self) -> str:
        """Return the order's store."""
        return self.order.store_id


class ReturnAsked(Fact, topic="pickup.return_asked", said_by=NETWORK):
    """The customer asks to bring goods of a collected order back."""

    store_id: str
    order_id: str
    why: str
    asked_at: str


class PickupMoved(Fact, topic="pickup.moved", said_by=STORE):
    """How an order stands at its store after `step` moves; without the customer's name and phone."""

    store_id: str
    order_id: str
    step: Whole
    state: str
    why: str
    number: Whole
    order_no: str
    code_hash: str
    token_hash: str
    currency: str
    total_minor: Whole
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
    returned_minor: Whole = 0
    """What went back to the customer for goods brought back."""
    window_from: str | None = None
    window_until: str | None = None
    if_short: str = "less"
    paid_minor: Whole = 0
    group_id: str | None = None
    comes_on: str | None = None
    coupons: list[str] = field(default_factory=list)
    member: Flag = False
    delivery: dict[str, Any] | None = None
    """How far it is on its way home, as `home_delivery.as_reported` writes it."""
    proof: str = ""
    """The customer's token, scanned at the hand-over of what was paid online."""


@dataclass(frozen=True)
class Slot:
    """One slot of an approved shelf plan."""

    slot: Whole
    sku: str
    name: str
    facings: Whole
    fill_qty: Whole
    score: Whole
    why: dict[str, Any]


class ShelfApproved(Fact, topic="shelf.approved", said_by=STORE):
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


class RefundReported(Fact, topic="refund.reported", said_by=NETWORK):
    """How a refund of this store's customer stands that did not go back at once."""

    id: str
    order_id: str
    store_id: str
    amount_minor: Whole
    currency: str
    state: str
    made_at: Instant
    answer: str
    reason: str
    ended_at: Instant | None


class ReviewReported(Fact, topic="review.reported", said_by=NETWORK):
    """A review of a product of one of the store's orders, or that it is hidden."""

    store_id: str
    order_id: str
    sku: str
    stars: Whole
    words: str
    by_name: str
    state: str
    written_at: Instant


class ReviewFlagged(Fact, topic="review.flagged", said_by=STORE):
    """The store's report that a review is rude or false."""

    store_id: str
    order_id: str
    sku: str
    why: str
    at: Instant


class ReviewAnswered(Fact, topic="review.answered", said_by=STORE):
    """The store's answer to a review."""

    store_id: str
    order_id: str
    sku: str
    words: str
    at: Instant


class CampaignReported(Fact, topic="campaign.reported", said_by=NETWORK):
    """What a campaign asks of a store, that it is called off, or what it brought."""

    store_id: str
    campaign_id: str
    name: str
    why: str
    from_day: Day
    until_day: Day
    answer_by: Day
    lines: list[Any]
    fee_minor: Whole
    state: str
    paid_minor: Whole | None
    effect: dict[str, Any] | None


class CampaignAnswered(Fact, topic="campaign.answered", said_by=STORE):
    """The store says yes or no, or let it lapse."""

    store_id: str
    campaign_id: str
    state: str
    why: str
