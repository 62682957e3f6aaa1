"""One day after another on the road: sell, print, send, add up, forecast, order, deliver, shelve, collect.

Rules
-----
1. The two live stores ring up their real baskets through their till's own API, at the minute they were bought; the
   other stores' baskets are completed at their own nodes and reach the network as facts, like anybody's.
2. Everything is done by the same verbs, pages and jobs a person or the worker uses; the road only decides when.
3. A step that does not happen is named in `missing`; nothing is passed over in silence.
4. An account that begins at nothing shows nothing. So each live store has PAST_WEEKS behind it: every week what it
   really sold comes as one invoice at the supplier's cost, is paid when due, and its shelf is paid for.
5. The last week's goods are open, half of them drawn on credit within the limit: something falls due soon.
6. They are made up and say so: the bank's reference reads "practice".
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import day_start
from config.errors import DomainError
from config.ids import NETWORK
from config.money import amount_for
from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Product
from store_app.demo import doorstep
from store_app.demo.build import lay_in
from store_app.demo.living import Living
from store_app.demo.member import Member
from store_app.demo.panel import ROLLOVER_HOUR, ZONE, Basket, DemoPanel
from store_app.demo.visitor import Customer
from supply.demand.history import DailyDemand
from supply.money import credit, ledger
from supply.money import terms as money_terms
from supply.money.ledger import Booking, Wanted
from supply.orders import network_offers, orders
from supply.orders.network_offers import NewOffer
from supply.orders.suppliers import SupplierProduct
from supply.receiving import receiving
from supply.replenishment import proposals
from supply.replenishment.proposals import Edit
from supply.shelf import plan as shelf_plan

OPENING_HOUR, ORDER_HOUR, COLLECT_HOUR, NIGHT_HOUR = 5, 11, 17, 4
NETWORK_OFFER_ANSWER_DAYS = 2
FLOAT_MINOR = 20_000
BROUGHT = ("Tom Reyes", "555-0177", "Hill estate", "House 4, second floor")
TO_BRING = ("Ida Moreno", "555-0163", "River flats", "House 2, ground floor")


@dataclass
class Tally:
    """What happened on the road; the JSON line of `cornerstore demo --once`."""

    stores: int = 0
    products: int = 0
    history_lines: int = 0
    days: int = 0
    sales_rung: int = 0
    sales_lines: int = 0
    receipts_printed: int = 0
    facts_delivered: int = 0
    facts_stuck: int = 0
    series_forecast: int = 0
    forecast_seconds: float = 0.0
    proposals: int = 0
    orders_sent: int = 0
    orders_on_credit: int = 0
    deliveries_posted: int = 0
    shelf_slots: int = 0
    shelf_labels: int = 0
    network_offers_made: int = 0
    network_offers_accepted: int = 0
    pickups_collected: int = 0
    brought_home: int = 0
    claims: int = 0
    transfers: int = 0
    messages: int = 0
    producers: int = 0
    findings: int = 0
    seconds: float = 0.0
    missing: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the tally; `missing` only when something is."""
        plain = asdict(self)
        if not plain["missing"]:
            del plain["missing"]
        return plain


@dataclass
class Online:
    """The day's online orders by their store: those that are collected, and those that are brought home."""

    collected: dict[str, Customer]
    brought: dict[str, Customer]

    def order(self, network: Member, member: Member) -> None:
        """Order from a store what is collected, and what is brought."""
        collects = Customer(network.client, member.slug)
        collects.order("Mei Lin", "555-0142", things=2)
        self.collected[member.id] = collects
        self.brought[member.id] = doorstep.order(network, member, *BROUGHT)


class Road:
    """The demonstration network, walked a day at a time.

    set_clock moves the clock all nodes share. progress(sentence, done, of) is told how far the day is. left_to_people:
    stores whose orders and goods wait for the visitor's own hand.
    """

    def __init__(
        self,
        panel: DemoPanel,
        network: Member,
        stores: dict[str, Member],
        *,
        set_clock: Callable[[dt.datetime], None],
        progress: Callable[[str, int, int], None],
        left_to_people: frozenset[str] = frozenset(),
    ) -> None:
        self.panel, self.network, self.stores = panel, network, stores
        self.live = [stores[store.id] for store in panel.live_stores()]
        self.living = Living(panel, network, self.live)
        self.tally = Tally(
            stores=len(stores), products=len(panel.products), history_lines=int(panel.figures["history_lines"])
        )
        self._set_clock, self._progress, self._left = set_clock, progress, left_to_people

    def begin(self) -> None:
        """Open the network for its members: catalogue, regional sales and forecasts published, pulled and used."""
        self._at(self.panel.cut_off, NIGHT_HOUR, 10)
        self._progress("Forecasting the regions …", 0, 1)
        self._network_night()
        for member in self.live:
            lay_in_past(self.network, member.id, self.panel.cut_off, self.network.doors.now())
        for member in self.stores.values():
            self._contact(member)
        live = {store.id: store for store in self.panel.live_stores()}
        for member in self.live:
            with member.doors.write() as session:
                lay_in(session, self.panel, live[member.id], at=member.doors.now())
            self.living.begin(member)
            self._contact(member)
            self._store_night(member)
            self._set_up_shelf(member)
        self._propose_transfers()
        for member in self.live:
            self.living.order(member)
            self._contact(member)
        self.network.job("warehouse")

    def walk(self, day: dt.date) -> None:
        """Live one business day from opening to the night after it."""
        baskets = self.panel.baskets_on(day)
        self._at(day, OPENING_HOUR, 0)
        for member in self.stores.values():
            member.open_till(FLOAT_MINOR)
        self._morning(first=self._is_first(day))
        if self.tally.network_offers_made == 0:
            self._offer_goods(day)
        self._trade(day, baskets)
        self._at(day + dt.timedelta(days=1), 0, 30)
        for member in self.stores.values():
            member.close_till()
            self._contact(member)
        self._night(day)
        self._at(day + dt.timedelta(days=1), OPENING_HOUR, 0)
        self.tally.days += 1

    def finish(self) -> Tally:
        """See the next morning's goods in, count what only the books know, and say what did not happen."""
        tally = self.tally
        self._morning(first=False)
        for member in self.live:
            self._contact(member)
        tally.messages, tally.transfers, tally.claims, tally.producers = (
            self.living.done[name] for name in ("messages", "transfers", "claims", "producers")
        )
        for member in [self.network, *self.stores.values()]:
            tally.findings += len(member.findings())
        for member in self.live:
            tally.receipts_printed += member.receipts_printed()
        for member in self.stores.values():
            delivered, stuck = member.facts()
            tally.facts_delivered += delivered
            tally.facts_stuck += stuck
        wanted = (
            "sales_rung", "receipts_printed", "facts_delivered", "series_forecast", "proposals", "orders_sent",
            "deliveries_posted", "shelf_slots", "shelf_labels", "network_offers_made", "network_offers_accepted",
            "pickups_collected", "brought_home", "claims", "transfers", "messages", "producers",
        )  # fmt: skip
        tally.missing += [name for name in wanted if not getattr(tally, name)]
        tally.missing += [name for name in ("facts_stuck", "findings") if getattr(tally, name)]
        return tally

    # --- the day ---

    def _morning(self, *, first: bool) -> None:
        """Take goods in; on the first day agree with the neighbour, on the second complain of what came broken."""
        for member in self.live:
            self._contact(member)
            if first:
                self._step(f"transfers of {member.id}", partial(self.living.agree, member))
            else:
                self._step(f"complaint of {member.id}", partial(self._complain, member))
            self._step(f"goods of {member.id}", partial(self._take_goods_in, member))
            self._contact(member)
        self._step("answer to a complaint", self.living.answer)

    def _complain(self, member: Member) -> None:
        self.tally.deliveries_posted += self.living.complain(member)

    def _propose_transfers(self) -> None:
        for member in self.live:
            member.job("report-spares")
            self._contact(member)
        self.network.job("transfers")
        for member in self.live:
            self._contact(member)

    def _trade(self, day: dt.date, baskets: list[Basket]) -> None:
        online: Online | None = None
        is_given = False
        order_at, give_at = self._instant(day, ORDER_HOUR, 0), self._instant(day, COLLECT_HOUR, 0)
        for n, basket in enumerate(baskets):
            if online is None and basket.at >= order_at:
                online = self._order_online(order_at)
            if online is not None and not is_given and basket.at >= give_at:
                self._give(online, give_at)
                is_given = True
            self._set_clock(basket.at)
            member = self.stores[basket.store_id]
            self._step(f"sale {basket.id} at {basket.store_id}", partial(self._ring, member, basket))
            if n % 20 == 0:
                self._progress(f"{day:%A %d %B}, {self._local(basket.at):%H:%M}", n, len(baskets))
            if member in self.live:
                member.print_due()  # a ticket nobody prints for hours expires
        if not is_given:
            self._give(online or self._order_online(order_at), max(give_at, self.network.doors.now()))
        for store in self.live:
            store.print_due()
        self._progress(f"{day:%A %d %B}, closing time", len(baskets), len(baskets))

    def _ring(self, member: Member, basket: Basket) -> None:
        member.ring_up(basket.id, basket.lines)
        self.tally.sales_rung += 1
        self.tally.sales_lines += len(basket.lines)

    def _order_online(self, at: dt.datetime) -> Online:
        self._set_clock(at)
        online = Online({}, {})
        for member in self.live:
            if self._is_first(day := member.today()):
                self._step(f"local goods at {member.id}", partial(self.living.sell_local, member, day))
            member.job("storefront-publish")
            self._contact(member)
            self._step(f"online order at {member.id}", partial(online.order, self.network, member))
            self._contact(member)
            self._step(f"picking at {member.id}", member.pick_orders)
            self._contact(member)
        return online

    def _give(self, online: Online, at: dt.datetime) -> None:
        """Hand out what was ordered online, at the counter and at the doors, and what neighbours agreed on."""
        self._set_clock(at)
        for store_id, customer in online.collected.items():
            member = self.stores[store_id]
            if self._step(f"collection at {store_id}", partial(self._collect, member, customer)):
                self.tally.pickups_collected += 1
        self._step("hand-over between stores", self.living.hand_over)
        for store_id in online.brought:
            self._step(f"setting out from {store_id}", partial(doorstep.set_out, self.stores[store_id]))
        for member in self.live:
            self._contact(member)
        for store_id, customer in online.brought.items():
            member = self.stores[store_id]
            self._step(f"order brought from {store_id}", partial(doorstep.hand_over, member, customer))
        for member in self.live:
            self._contact(member)
            self._step(f"goods from a neighbour at {member.id}", partial(self.living.receive, member))
        for store_id, customer in online.brought.items():
            if self._step(f"word of what {store_id} brought", partial(doorstep.see, customer, "brought")):
                self.tally.brought_home += 1

    def _collect(self, member: Member, customer: Customer) -> None:
        member.hand_over(customer.code())

    def leave_to_bring(self) -> str:
        """Let the visitor's store have an order that is packed and waits to be brought; returns its page's address."""
        member = next(member for member in self.live if member.id in self._left)
        customer = doorstep.order(self.network, member, *TO_BRING)
        self._contact(member)
        member.pick_orders()
        self._contact(member)
        return customer.page

    def _offer_goods(self, day: dt.date) -> None:
        ranked = self.network.ask(lambda session: shelf_candidates(session, self.panel))
        for member, (sku, why) in zip(self.live, ranked, strict=False):
            with self.network.doors.write() as session:
                network_offers.offer(
                    Context(session, self.network.operator, self.network.doors.now()),
                    member.id,
                    NewOffer(sku=sku, packs=1, why=why, answer_by=day + dt.timedelta(days=NETWORK_OFFER_ANSWER_DAYS)),
                    id=f"push-{member.id}-{day:%Y%m%d}",
                )
            self.tally.network_offers_made += 1
        for n, member in enumerate(self.live):
            self._contact(member)
            with member.doors.write() as session:
                for offer in network_offers.open_offers(session, member.id):
                    ctx = Context(session, member.keeper, member.doors.now())
                    if n == 0:
                        network_offers.accept(ctx, member.id, offer.id)
                        self.tally.network_offers_accepted += 1
                    else:
                        network_offers.decline(
                            ctx,
                            member.id,
                            offer.id,
                            why="No room on the shelf this week",
                        )
            self._contact(member)
        self.network.job("warehouse")
        for member in self.live:
            self._contact(member)

    def _take_goods_in(self, member: Member) -> None:
        with member.doors.write() as session:
            today = member.today()
            for delivery in receiving.expected(session, member.id):
                if delivery.expected_day > today or member.id in self._left:
                    continue
                ctx = Context(session, member.keeper, member.doors.now())
                receiving.begin_count(ctx, member.id, delivery.id)
                receiving.post(ctx, member.id, delivery.id)
                self.tally.deliveries_posted += 1
        member.fill_shelf()

    # --- the night ---

    def _night(self, day: dt.date) -> None:
        self._at(day + dt.timedelta(days=1), NIGHT_HOUR, 10)
        self._progress("Night: adding up, forecasting, proposing orders …", 0, 1)
        self._network_night()
        for member in self.live:
            self._contact(member)
            if self._is_first(day):
                self._step(f"statements of {member.id}", partial(self.living.state, member))
            self._store_night(member)
            self._order_goods(member)
            self._contact(member)
        self.network.job("warehouse")
        for member in self.live:
            self._contact(member)

    def _network_night(self) -> None:
        began = time.perf_counter()
        self.network.job("roll-up")
        self.network.job("report-day")
        self.network.job("credit")
        self.network.job("compare")
        self.network.job("purchase")
        self.network.job("forecast-regions")
        self.tally.forecast_seconds += round(time.perf_counter() - began, 2)
        self.network.job("publish")

    def _store_night(self, member: Member) -> None:
        member.job("roll-up")
        member.job("report-day")
        member.job("report-counts")
        member.job("suggest")
        began = time.perf_counter()
        member.job("forecast")
        self.tally.forecast_seconds = round(self.tally.forecast_seconds + time.perf_counter() - began, 2)
        self.tally.series_forecast += member.series_forecast()

    def _order_goods(self, member: Member) -> None:
        at = member.doors.now()
        member.job("propose")
        with member.doors.write() as session:
            proposed = proposals.proposals(session, member.id)
            self.tally.proposals += len(proposed)
            for order in proposed if member.id not in self._left else ():
                line = next(iter(orders.lines_of(session, order)))
                fewer = line.packs > 1
                why = "The shelf is small" if fewer else "A neighbour asked for more"
                edit = Edit(line.packs - 1 if fewer else line.packs + 1, why)
                ctx = Context(session, member.keeper, at)
                proposals.change(ctx, member.id, order.id, line.sku, edit)
                proposals.approve(ctx, member.id, order.id)
                if member is self.live[0] and order.cost_minor <= credit.available(session, member.id):
                    credit.draw(ctx, member.id, order.id)
                    self.tally.orders_on_credit += 1
                orders.send(ctx, member.id, order.id)
                self.tally.orders_sent += 1

    def _set_up_shelf(self, member: Member) -> None:
        at = member.doors.now()
        with member.doors.write() as session:
            ctx = Context(session, member.keeper, at)
            plan = shelf_plan.draft(ctx, member.id, slots=12)
            shelf_plan.approve(ctx, member.id, plan.id, from_day=member.today())
            slots = shelf_plan.slots_of(session, plan)
            self.tally.shelf_slots += len(slots)
            self.tally.shelf_labels += member.print_labels(session, [slot.sku for slot in slots], at=at)
        member.fill_shelf()
        member.print_due()

    # --- inside ---

    def _is_first(self, day: dt.date) -> bool:
        return day == self.panel.cut_off

    def _contact(self, member: Member) -> None:
        fault = member.contact()
        if fault:
            self.tally.missing.append(f"contact of {member.id}: {fault}")

    def _step(self, name: str, act: Callable[[], Any]) -> bool:
        try:
            act()
        except DomainError as refusal:
            self.tally.missing.append(f"{name}: {refusal.code}: {refusal.message}")
            return False
        return True

    def _at(self, day: dt.date, hour: int, minute: int) -> None:
        self._set_clock(self._instant(day, hour, minute))

    @staticmethod
    def _instant(day: dt.date, hour: int, minute: int) -> dt.datetime:
        local_midnight = day_start(day, ZONE, ROLLOVER_HOUR) - dt.timedelta(hours=ROLLOVER_HOUR)
        return local_midnight + dt.timedelta(hours=hour, minutes=minute)

    @staticmethod
    def _local(at: dt.datetime) -> dt.datetime:
        from zoneinfo import ZoneInfo

        return at.astimezone(ZoneInfo(ZONE))


PAST_WEEKS = 6
MOST_LINES = 12
CREDIT_SHARE = 3
"""At most one in so many of the limit is drawn."""
_ACTOR = Actor.system("practice", NETWORK)


def shelf_candidates(session: Any, panel: DemoPanel) -> list[tuple[str, str]]:
    """Return what the operator offers each live store: its region's best, with the reason."""
    from supply.membership import overview

    found = []
    for store in panel.live_stores():
        best = overview.top_products(session, store.region_id, panel.cut_off, limit=1)[0]
        found.append((best.sku, f"Your region bought {best.sold_qty} of it in four weeks"))
    return found


def lay_in_past(network: Member, store_id: str, begins: dt.date, opens: dt.datetime) -> int:
    """Write the weeks before a store's first day into its account; returns how many entries there are then."""
    with network.doors.write() as session:
        terms = money_terms.in_force(session)[1]
        for back in range(PAST_WEEKS, 0, -1):
            gone = dt.timedelta(days=7 * back - 5)
            at, day = opens - gone, begins - gone
            lines = _lines(session, store_id, day)
            half = [lines[1::2], lines[::2]] if back == 1 else [[], lines]
            if sum(line[3] for line in half[0]) * CREDIT_SHARE > credit.available(session, store_id):
                half = [[], lines]
            ctx = Context(session, _ACTOR, at)
            book = Booking(ctx, store_id)
            for on_credit, some, days in ((True, half[0], terms.free_days), (False, half[1], terms.account_days)):
                if minor := sum(line[3] for line in some):
                    key, due = f"past-{store_id}-{back}{'c' if on_credit else ''}", day + dt.timedelta(days=days)
                    book.invoice(Wanted(key, minor, due, on_credit, None, None, some))
            book.close("invoiced")
            if back > 1 and lines:
                ledger.money_in(
                    Context(session, _ACTOR, at + dt.timedelta(days=min(6, terms.account_days))),
                    store_id,
                    sum(line[3] for line in lines),
                    reference=f"practice {day:%Y-%m-%d}",
                    id=f"past-paid-{store_id}-{back}",
                )
            if terms.shelf_week_minor:
                week = f"{day.isocalendar().year}-W{day.isocalendar().week:02d}"
                ledger.shelf_paid(ctx, store_id, terms.shelf_week_minor, week=week)
        return len(ledger.entries_of(session, store_id))


def _lines(session: Session, store_id: str, day: dt.date) -> list[list[Any]]:
    """Return what a week's delivery held: what the store sold most of in the week before, at cost."""
    sold = sa.func.sum(DailyDemand.sold_qty)
    rows = session.execute(
        sa.select(DailyDemand.sku, Product.name, SupplierProduct.pack_cost_minor, SupplierProduct.pack_qty, sold)
        .join(Product, Product.sku == DailyDemand.sku)
        .join(SupplierProduct, SupplierProduct.sku == DailyDemand.sku)
        .where(
            DailyDemand.store_id == store_id,
            DailyDemand.business_day.between(day - dt.timedelta(days=7), day - dt.timedelta(days=1)),
        )
        .group_by(DailyDemand.sku, Product.name, SupplierProduct.pack_cost_minor, SupplierProduct.pack_qty)
        .order_by(sold.desc(), DailyDemand.sku)
        .limit(MOST_LINES)
    )
    return [[sku, name, int(qty), amount_for(int(qty), cost, pack)] for sku, name, cost, pack, qty in rows if qty > 0]
