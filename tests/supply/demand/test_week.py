"""Days of supply from the sale to the next proposal, walked at random: every node's books hold, whatever happens."""

import contextlib
import datetime as dt
import random

import numpy as np
import pytest
import sqlalchemy as sa

from config.errors import Conflict, Refused
from config.ids import NETWORK, new_id
from config.nodes.journal import Actor, Context
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock import stock
from pos.till import shift
from supply.demand import forecast_store, forecasts, rollups
from supply.demand import history as demand
from supply.demand.history import DailyDemand, RegionalDemand
from supply.network.purchasing import purchasing
from supply.orders import deliveries, network_offers, orders, supply_routes
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NewOffer
from supply.receiving import receiving
from supply.replenishment import proposals
from supply.replenishment.proposals import Edit
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, PRODUCTS, STORES, WAREHOUSE, Country, later, make_country

RATES = {"S1": {"bread": 9, "milk": 5, "tea": 1}, "S2": {"bread": 4, "milk": 8, "apple": 900}}
NIGHT = {here: Actor.system("night", here) for here in (NETWORK, *STORES)}
PAST_DAYS = 60


@pytest.fixture
def country(tmp_path) -> Country:
    """Both stores with a past, opening stock and an open till; the network knows the past of both."""
    return make_country(tmp_path, lay_in=_traded)


def _traded(made: Country) -> None:
    past = list(history())
    with made.network.write() as session:
        rollups.import_history(session, past)
    for store, database in made.stores.items():
        with database.write() as session:
            rollups.import_history(session, [row for row in past if row[0] == store])
            opening = [(sku, 2 * rate + 1) for sku, rate in RATES[store].items()]
            stock.open_stock(Context(session, KEEPER[store], AT), store, opening, source_id="opening")
            shift.open_shift(Context(session, KEEPER[store], AT), store, "T1", 5_000)
    made.deliver()


def history():
    rng = np.random.default_rng(11)
    for store, rates in RATES.items():
        for n in range(PAST_DAYS, 0, -1):
            for sku, rate in rates.items():
                qty = int(rng.poisson(rate))
                if qty:
                    yield store, sku, DAY - dt.timedelta(days=n), qty, qty * 100, 1


def ring_up(country: Country, store: str, lines: dict[str, int], at: dt.datetime) -> None:
    with country.stores[store].write() as session:
        total = sale.quote(session, store, list(lines.items()), at=at).basket.total_minor
        request = SaleRequest(
            id=new_id(), store_id=store, till_id="T1", lines=list(lines.items()), tenders=[("cash", total)],
            shown_total_minor=total,
        )  # fmt: skip
        sale.complete(Context(session, KEEPER[store], at), request)


def night(country: Country, day: dt.date, at: dt.datetime) -> None:
    """Add up, forecast, publish and pull, as the nightly jobs do."""
    with country.network.write() as session:
        rollups.roll_up(session, None, day, at=at)
    with country.network.read() as session:
        loaded = forecasts.load_region(session, "R1", day)
    computed = forecasts.compute_region(loaded)
    with country.network.write() as session:
        forecast_store.store_region(Context(session, NIGHT[NETWORK], at), computed)
    with country.network.read() as session:
        bodies = (
            demand.edition(session, "R1", day),
            forecasts.edition(session, "R1"),
            supply_routes.edition(session, day),
        )
    for store, database in country.stores.items():
        with database.write() as session:
            supply_routes.take_edition(session, bodies[2])
            demand.take_edition(session, bodies[0])
            forecasts.take_edition(session, bodies[1])
            rollups.roll_up(session, None, day, at=at)
        with database.read() as session:
            loaded = forecasts.load_store(session, store, day)
        found = forecasts.compute_store(loaded)
        with database.write() as session:
            forecast_store.store_store(Context(session, NIGHT[store], at), found)


def order_goods(country: Country, store: str, at: dt.datetime) -> list[str]:
    """Propose, approve and send; returns the ids of what was sent."""
    with country.stores[store].write() as session:
        sent = []
        for order in proposals.propose(Context(session, NIGHT[store], at), store):
            proposals.approve(Context(session, KEEPER[store], at), store, order.id)
            sent.append(orders.send(Context(session, KEEPER[store], at), store, order.id).id)
    return sent


def test_what_was_sold_comes_back_on_the_shelf_by_the_forecast(country):
    ring_up(country, "S1", {"bread": 12, "milk": 6}, AT)
    country.deliver()
    dawn = later(hours=20)
    night(country, DAY, dawn)
    sent = order_goods(country, "S1", dawn)
    assert sent
    country.deliver()
    country.fill(dawn)
    country.load(at=dawn)
    country.deliver()
    (order_id,) = [one for one in sent if country.state("S1", one)[0] == "dispatched"]
    bread = country.lines("S1", "S1", order_id)["bread"]
    assert bread.why["method"] == "forecast"
    assert bread.why["on_hand"] == 2 * RATES["S1"]["bread"] + 1 - 12
    country.take_in("S1", at=later(days=1))
    country.deliver()
    assert country.state("S1", order_id) == ("received", "received")
    assert country.level("S1", "S1", "bread").on_hand == bread.why["on_hand"] + bread.packs * bread.pack_qty
    assert country.findings() == []


def test_what_is_on_the_way_is_not_ordered_again(country):
    dawn = later(hours=20)
    night(country, DAY, dawn)
    assert order_goods(country, "S1", dawn)
    assert order_goods(country, "S1", dawn) == []


def test_a_shop_cut_off_orders_by_its_own_forecast_and_the_network_learns_later(country):
    for n in range(3):
        ring_up(country, "S1", {"bread": 6}, later(days=n))
        with country.stores["S1"].write() as session:
            rollups.roll_up(session, None, DAY + dt.timedelta(days=n), at=later(days=n, hours=20))
    with country.stores["S1"].read() as session:
        loaded = forecasts.load_store(session, "S1", DAY + dt.timedelta(days=2))
    with country.stores["S1"].write() as session:
        forecast_store.store_store(
            Context(session, NIGHT["S1"], later(days=2, hours=20)), forecasts.compute_store(loaded)
        )
    sent = order_goods(country, "S1", later(days=2, hours=20))
    assert sent
    country.deliver(seed=3)
    with country.network.write() as session:
        rollups.roll_up(session, None, DAY + dt.timedelta(days=3), at=later(days=4))
    with country.network.read() as session:
        found = [session.get(RegionalDemand, ("R1", "bread", DAY + dt.timedelta(days=n))).sold_qty for n in range(3)]
    assert found == [6, 6, 6]
    assert country.findings() == []


# --- the walk ---


class Walk:
    """One random life of the network. Refusals are part of it; findings are not."""

    def __init__(self, country: Country, seed: int) -> None:
        self.country, self.seed, self.chance = country, seed, random.Random(seed)
        self.at, self.store = AT, STORES[0]

    def live(self, days: int, steps: int) -> None:
        often = [self.sell, self.sell, self.change_and_send, self.fill, self.load, self.post, self.talk, self.talk]
        seldom = [self.order, self.cancel, self.restock, self.offer, self.answer, self.count, self.refuse, self.waste]
        acts = [*often, *often, *seldom, self.begin]
        for day in range(days):
            for step in range(steps):
                self.at = later(days=day, minutes=8 * step)
                self.store = self.chance.choice(STORES)
                with contextlib.suppress(Refused, Conflict):
                    self.chance.choice(acts)()
            self.talk()
            self.at = later(days=day, hours=20)
            night(self.country, DAY + dt.timedelta(days=day), self.at)
            with self.mine() as session:
                network_offers.expire_due(Context(session, NIGHT[self.store], self.at), self.store)
        self.talk()

    def mine(self):
        return self.country.stores[self.store].write()

    def talk(self) -> None:
        self.country.deliver(seed=self.chance.randrange(1000), at=self.at)

    def sell(self) -> None:
        skus = self.chance.sample(sorted(PRODUCTS), self.chance.randint(1, 3))
        ring_up(self.country, self.store, {sku: self.chance.randint(1, 8) for sku in skus}, self.at)

    def order(self) -> None:
        order_goods(self.country, self.store, self.at)

    def change_and_send(self) -> None:
        with self.mine() as session:
            for order in proposals.propose(Context(session, NIGHT[self.store], self.at), self.store):
                for line in orders.lines_of(session, order):
                    if self.chance.random() < 0.5:
                        packs = self.chance.randint(0, 6)
                        proposals.change(
                            Context(session, KEEPER[self.store], self.at),
                            self.store,
                            order.id,
                            line.sku,
                            Edit(packs=packs, why="A party"),
                        )
                if self.chance.random() < 0.3:
                    proposals.drop(Context(session, KEEPER[self.store], self.at), self.store, order.id, why="No")
                    continue
                proposals.approve(Context(session, KEEPER[self.store], self.at), self.store, order.id)
                orders.send(Context(session, KEEPER[self.store], self.at), self.store, order.id)

    def cancel(self) -> None:
        with self.mine() as session:
            if found := orders.open_orders(session, self.store):
                order = self.chance.choice(found)
                orders.cancel(Context(session, KEEPER[self.store], self.at), self.store, order.id, why="Enough")

    def fill(self) -> None:
        self.country.fill(self.at)

    def load(self) -> None:
        self.country.load(self.chance.choice([None, self.at.date()]), self.at)

    def restock(self) -> None:
        with self.country.network.write() as session:
            made = purchasing.propose(Context(session, OPERATOR, self.at), WAREHOUSE)
            for one in made:
                purchasing.order(Context(session, OPERATOR, self.at), WAREHOUSE, one.id)
                purchasing.receive(Context(session, OPERATOR, self.at), WAREHOUSE, one.id)

    def offer(self) -> None:
        with self.country.network.write() as session:
            network_offers.offer(
                Context(session, OPERATOR, self.at),
                self.store,
                NewOffer(
                    sku=self.chance.choice(sorted(PRODUCTS)),
                    packs=self.chance.randint(1, 3),
                    why="Sells well nearby",
                    answer_by=self.at.date() + dt.timedelta(days=self.chance.randint(0, 2)),
                ),
                id=new_id(),
            )

    def answer(self) -> None:
        with self.mine() as session:
            for one in network_offers.open_offers(session, self.store):
                if self.chance.random() < 0.6:
                    network_offers.accept(Context(session, KEEPER[self.store], self.at), self.store, one.id)
                else:
                    network_offers.decline(
                        Context(session, KEEPER[self.store], self.at), self.store, one.id, why="No room"
                    )

    def begin(self) -> None:
        with self.mine() as session:
            for delivery in receiving.expected(session, self.store)[:1]:
                receiving.begin_count(Context(session, KEEPER[self.store], self.at), self.store, delivery.id)

    def count(self) -> None:
        with self.mine() as session:
            for delivery in receiving.expected(session, self.store)[:1]:
                self.count_lines(session, delivery)

    def count_lines(self, session, delivery: Delivery) -> None:
        for line in deliveries.lines_of(session, delivery):
            counted = max(0, line.advised_qty + self.chance.choice([-2, 0, 0, 0, 1]))
            receiving.count_line(
                Context(session, KEEPER[self.store], self.at),
                self.store,
                delivery.id,
                line.sku,
                counted,
                why="Counted twice",
            )

    def post(self) -> None:
        with self.mine() as session:
            for delivery in receiving.expected(session, self.store)[:1]:
                if delivery.state == "expected":
                    receiving.begin_count(Context(session, KEEPER[self.store], self.at), self.store, delivery.id)
                    if self.chance.random() < 0.5:
                        self.count_lines(session, delivery)
                receiving.post(Context(session, KEEPER[self.store], self.at), self.store, delivery.id)

    def refuse(self) -> None:
        if self.chance.random() < 0.3:
            with self.mine() as session:
                for delivery in receiving.expected(session, self.store)[:1]:
                    receiving.refuse(
                        Context(session, KEEPER[self.store], self.at), self.store, delivery.id, why="The door was shut"
                    )

    def waste(self) -> None:
        with self.mine() as session:
            stock.waste(Context(session, KEEPER[self.store], self.at), self.store, "bread", 1)


@pytest.mark.parametrize("seed", range(6))
def test_no_walk_of_verbs_and_no_order_of_messages_breaks_the_books(country, seed):
    Walk(country, seed).live(days=2, steps=70)
    assert country.findings() == []
    with country.network.read() as session:
        whole = dict(
            session.execute(sa.select(RegionalDemand.sku, sa.func.sum(RegionalDemand.sold_qty)).group_by("sku")).all()
        )
        parts = dict(
            session.execute(sa.select(DailyDemand.sku, sa.func.sum(DailyDemand.sold_qty)).group_by("sku")).all()
        )
    assert whole == parts
    before = country.rows()
    country.reapply()
    assert country.rows() == before
