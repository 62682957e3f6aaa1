"""What the live stores do beside selling, for a visitor to find: neighbours, farmers, messages, complaints.

Rules
-----
1. All of it is made up, and done by the same verbs a shopkeeper's pages call; the producer's and agent's accounts are
   examples out of the standard's own text.
2. Before the first day each store offers to bring orders home, takes in a farmer's lots and writes to its customers.
   The first store has goods near their last day that the second has run out of.
3. On the first day local goods are sold, and what the network proposes between the two stores is agreed, handed over
   against the code and received. In the night after it the farmer's statement is made.
4. Of the order of the first morning one pack comes broken. The first store's claim is answered; the second's waits for
   whoever looks at the network.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import assortment
from pos.catalogue.assortment import ProductDetails
from pos.catalogue.catalogue import Product
from pos.producers import payouts, producers
from pos.producers.producers import Producer
from pos.stock import batches, stock
from pos.stock.batches import Lot
from store_app.demo import doorstep
from store_app.demo.build import per_day
from store_app.demo.counter import WELCOME, scarce
from store_app.demo.member import Member
from store_app.demo.panel import DemoPanel
from supply.network.claims import handling
from supply.network.transfers import transfers
from supply.online.messages import campaigns
from supply.online.storefront import product_stories
from supply.orders import claims as delivery_claims
from supply.orders import deliveries, orders
from supply.orders import transfers as store_transfers
from supply.orders.claims import Claim
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import ReplenishmentOrder
from supply.orders.transfers import Transfer
from supply.receiving import receiving
from supply.replenishment import proposals
from supply.replenishment.proposals import Edit

BEYOND_QTY, LAST_DAYS = 3, 10
"""So many more than it will sell until their last day."""
AGENT_ACCOUNT = "DE89370400440532013000"


@dataclass(frozen=True)
class Farm:
    """A producer and what the store sells for them. goods: name, price, units of the first lot, story."""

    name: str
    kind: str
    place: str
    agent: str
    goods: tuple[tuple[str, int, int, str], ...]


FARMS = (
    Farm("Miller's orchard", "farmer", "Hill road 3", "Greta Blum", (
        ("Orchard apple juice", 429, 24, "Pressed the morning it comes here, of four old sorts that grow on the hill."),
        ("Blossom honey", 650, 12, "From twelve hives between the apple trees. It sets by itself: warm it in water."),
    )),
    Farm("Harbour bees", "cooperative", "Quay 9", "", (
        ("Lime blossom honey", 690, 15, "Gathered in July from the limes along the quay, by nine neighbours together."),
    )),
)  # fmt: skip


class Living:
    """The live stores' first days beside selling. done: how many of each thing there are."""

    def __init__(self, panel: DemoPanel, network: Member, live: list[Member]) -> None:
        self.panel, self.network, self.live = panel, network, live
        self.done: Counter[str] = Counter()

    # --- before the first day ---

    def begin(self, member: Member) -> None:
        """Let a store begin (rule 2); its catalogue, customers and stock must be there."""
        n, at = self.live.index(member), member.doors.now()
        with member.doors.write() as session:
            doorstep.settle(session, self.panel, member)
            self._sell_for(session, member, FARMS[n % len(FARMS)], at)
            offer_id = f"{WELCOME.id}-{member.id}"
            ctx = Context(session, member.keeper, at)
            message = campaigns.make(ctx, member.id, "welcome", offer_id, {}, id=new_id())
            first = campaigns.messages_of(session, message)[0]
            campaigns.reported(ctx, member.id, message.id, first.customer_id)
            if n == 0:
                self._too_much(session, member, at)
        self.done["messages"] += 1

    def order(self, member: Member) -> None:
        """Order what the store is short of, and a pack more of something (rule 4)."""
        at = member.doors.now()
        with member.doors.write() as session:
            ctx = Context(session, member.keeper, at)
            for order in proposals.propose(ctx, member.id):
                line = orders.lines_of(session, order)[0]
                more = Edit(line.packs + 1, "For the first days")
                proposals.change(ctx, member.id, order.id, line.sku, more)
                proposals.approve(ctx, member.id, order.id)
                orders.send(ctx, member.id, order.id)

    # --- the first day ---

    def agree(self, member: Member) -> None:
        """Say yes to what the network proposes (rule 3)."""
        with member.doors.write() as session:
            for found in _transfers(session, "proposed"):
                transfers.agree(Context(session, member.keeper, member.doors.now()), member.id, found.id)

    def hand_over(self) -> None:
        """Hand over what was agreed, against the code of the store that fetches it (rule 3)."""
        codes: dict[str, str] = {}
        for taker in self.live:
            with taker.doors.read() as session:
                for found in _transfers(session, "agreed"):
                    if found.taker_id == taker.id:
                        codes[found.id] = transfers.code_of(session, found.id)
        for giver in self.live:
            with giver.doors.write() as session:
                for found in _transfers(session, "agreed"):
                    if found.giver_id == giver.id and found.id in codes:
                        transfers.hand_over(
                            Context(session, giver.cashier, giver.doors.now()),
                            giver.id,
                            found.id,
                            codes[found.id],
                            _counts(session, found),
                        )

    def receive(self, member: Member) -> None:
        """Take in what a neighbour handed over."""
        with member.doors.write() as session:
            for found in _transfers(session, "handed_over"):
                if found.taker_id == member.id:
                    counts = _counts(session, found)
                    transfers.receive(Context(session, member.keeper, member.doors.now()), member.id, found.id, counts)
                    self.done["transfers"] += 1

    def sell_local(self, member: Member, day: dt.date) -> None:
        """Ring up two baskets of a farmer's goods."""
        farm = FARMS[self.live.index(member) % len(FARMS)]
        for n, qty in enumerate((2, 1)):
            goods = tuple((_sku(member, name), qty) for name, *_ in farm.goods)
            member.ring_up(f"local-{member.id}-{day:%Y%m%d}-{n}", goods)

    def state(self, member: Member) -> None:
        """Make the farmers' statements (rule 3)."""
        at = member.doors.now()
        with member.doors.write() as session:
            for producer_id in session.scalars(sa.select(Producer.id).where(Producer.store_id == member.id)).all():
                until = member.today() - dt.timedelta(days=1)
                payouts.make(Context(session, member.keeper, at), member.id, producer_id, until, id=new_id())
                self.done["producers"] += 1

    # --- the second morning ---

    def complain(self, member: Member) -> int:
        """Take the first order in and complain of what came broken (rule 4); returns how many deliveries."""
        at = member.doors.now()
        with member.doors.write() as session:
            came = [one for one in receiving.expected(session, member.id) if _is_first(session, one)]
            for delivery in came:
                ctx = Context(session, member.keeper, at)
                receiving.begin_count(ctx, member.id, delivery.id)
                receiving.post(ctx, member.id, delivery.id)
                line = max(deliveries.lines_of(session, delivery), key=lambda one: _pieces(session, one))
                wrong = [(line.sku, "damaged", min(2, line.advised_qty))]
                asked = handling.ClaimRequest(delivery.id, wrong, "money", "Crushed under the crate above it.")
                handling.file(ctx, member.id, asked, id=new_id())
                self.done["claims"] += 1
        return len(came)

    def answer(self) -> None:
        """Answer the first store's claims at the network: all of it is granted (rule 4)."""
        at, actor = self.network.doors.now(), self.network.operator
        with self.network.doors.write() as session:
            first = sa.select(Claim).where(Claim.store_id == self.live[0].id, Claim.state == "filed")
            for claim in session.scalars(first).all():
                granted = {(line.sku, line.kind): line.qty for line in delivery_claims.lines_of(session, claim)}
                handling.decide(
                    Context(session, actor, at),
                    claim.store_id,
                    claim.id,
                    granted,
                    remedy="money",
                    words="We pack it on top from now on.",
                )

    # --- inside ---

    def _sell_for(self, session: Session, member: Member, farm: Farm, at: dt.datetime) -> None:
        ctx = Context(session, member.keeper, at)
        agent: dict[str, Any] = {}
        if farm.agent:
            agent |= {"agent_name": farm.agent, "agent_bp": 300, "agent_account": AGENT_ACCOUNT}
        day = member.today()
        facts = producers.ProducerFacts(farm.name, 2_000, farm.kind, farm.place, **agent)
        producers.add_producer(ctx, member.id, facts, id="demo-farm")
        for name, price_minor, qty, story in farm.goods:
            details = ProductDetails(name, "Local", "food", brand=farm.name)
            sku = assortment.add(ctx, member.id, details, command=f"demo-{name}").sku
            assortment.set_price(ctx, member.id, sku, price_minor, day, today=day)
            producers.sell_for(ctx, member.id, "demo-farm", sku, story)
            producers.take_in(
                ctx, member.id, sku, qty, id=new_id(), harvested_on=day - dt.timedelta(days=2),
                expires_on=day + dt.timedelta(days=90))  # fmt: skip
            product_stories.send(session, member.id, sku, at=at)

    def _too_much(self, session: Session, member: Member, at: dt.datetime) -> None:
        """Lay in what stands near its last day (rule 2)."""
        last, rates = member.today() + dt.timedelta(days=LAST_DAYS), per_day(self.panel, member.id)
        lots = [Lot(sku, round(rates.get(sku, 0.0) * LAST_DAYS) + BEYOND_QTY, "", last) for sku in scarce(self.panel)]
        lines = [(lot.sku, lot.qty) for lot in lots]
        stock.open_stock(Context(session, member.keeper, at), member.id, lines, source_id="near-its-day")
        batches.lay_in(session, member.id, lots, source_kind="opening", source_id="near-its-day", at=at)


def _sku(member: Member, name: str) -> str:
    return assortment.sku_for(member.id, f"demo-{name}")


def _transfers(session: Session, state: str) -> list[Transfer]:
    return list(session.scalars(sa.select(Transfer).where(Transfer.state == state)))


def _counts(session: Session, found: Transfer) -> dict[str, int]:
    return {line.sku: line.qty for line in store_transfers.lines_of(session, found)}


def _pieces(session: Session, line: DeliveryLine) -> tuple[bool, int, str]:
    """Rank what can come broken: pieces before weights, many before few."""
    return session.get_one(Product, line.sku).stock_unit == "each", line.advised_qty, line.sku


def _is_first(session: Session, delivery: Delivery) -> bool:
    """Tell whether a delivery is of the store's first order."""
    order = session.get(ReplenishmentOrder, (delivery.store_id, str(delivery.order_id)))
    return order is not None and order.order_no == 1
