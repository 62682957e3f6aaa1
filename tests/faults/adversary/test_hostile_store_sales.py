"""A store that reports what no store of its size can do moves nothing until a person has looked at it."""

import dataclasses
import datetime as dt
import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import pos.sync.checks
from config.database import Database
from config.ids import NETWORK
from config.nodes import inbox, node
from config.nodes.inbox import InboxMessage
from config.nodes.journal import GENESIS, Actor, Context, canonical
from config.nodes.outbox import Message, hash_of
from pos.catalogue.catalogue import Product, TaxClass
from pos.facts import SaleCompleted
from pos.sold import Sale
from pos.stock.ledger import StockMovement
from pos.store.store import Region, Store, Till
from pos.till.shift_book import Shift
from store_app.sync import receiver, wire
from supply.demand import day_reports, plausibility, rollups
from supply.demand.history import DailyDemand, StoreDay
from supply.membership import credit_review
from supply.money import terms as money_terms
from supply.money.credit import CreditLine
from supply.network.warehouse import allocation
from supply.replenishment import stockouts
from tests.empty import database_from, empty_database, made_once
from tests.network_facts import sales

TODAY = dt.date(2026, 3, 2)
AT = dt.datetime(2026, 3, 2, 20, tzinfo=dt.UTC)
ROGUE, OTHERS = "S1", ("S2", "S3", "S4")
OPERATOR = Actor("op", "Olivia", "operator", NETWORK)
SKU, MILK, PAST = "P00001", "P00002", 40
NUMBERS = itertools.count(1_001)
"""Above those of the past, which begin at 1 however often this process makes the network."""


@dataclass
class Net:
    """A network's books and how its stores speak to it."""

    database: Database

    def push(self, store_id: str, facts: Sequence[Message], *, at: dt.datetime = AT) -> dict[str, Any]:
        """Send facts as a store does; return the network's answer."""
        with self.database.write() as session:
            rows = [wire.Row(**vars(one)) for one in facts]
            reported = wire.Push(
                protocol=wire.PROTOCOL, speaking=f"epoch-{store_id}", epoch=f"epoch-{store_id}", from_n=rows[0].n,
                count=max(row.n for row in rows), head=GENESIS, rows=rows,
            )  # fmt: skip
            return receiver.take(session, store_id, reported, at=at)

    def accept(self, *ids: str, store_id: str = ROGUE, at: dt.datetime = AT) -> list[str]:
        with self.database.write() as session:
            return receiver.take_in(Context(session, OPERATOR, at), store_id, ids)

    def reject(self, *ids: str) -> list[str]:
        with self.database.write() as session:
            return plausibility.turn_down(Context(session, OPERATOR, AT), ROGUE, ids)

    def roll(self, *, at: dt.datetime = AT) -> None:
        with self.database.write() as session:
            rollups.roll_fresh(session, at=at, most=10_000)

    def sold(self, sku: str = SKU, day: dt.date = TODAY, store_id: str = ROGUE) -> int:
        self.roll()
        with self.database.read() as session:
            row = session.get(DailyDemand, (store_id, sku, day))
            return row.sold_qty if row else 0

    def state(self, id_: str) -> tuple[str, str]:
        with self.database.read() as session:
            row = session.get_one(InboxMessage, (ROGUE, id_))
            return row.state, (row.reason or "").partition(":")[0]

    def most(self, name: str) -> int:
        with self.database.read() as session:
            return session.get_one(plausibility.PlausibleLimit, ROGUE).most[name]

    def counted(self, today: dt.date, sku: str = SKU) -> dict[str, float]:
        """Return what of each store's sales counts when goods are scarce."""
        with self.database.read() as session:
            rates = stockouts.rates(session, today, skus={sku}, by_their_word=False)
            return {store: rate for (store, _), rate in allocation.counted(session, rates).items()}


def fact(
    qty: int, *, sku: str = SKU, price: int = 100, day: dt.date = TODAY, store_id: str = ROGUE, kind: str = "sale",
    of: Message | None = None, number: int | None = None,
) -> Message:  # fmt: skip
    """Return a sale of one line as it travels, whole in its figures. of: the sale whose goods come back."""
    number, total = number or next(NUMBERS), qty * price
    (made,) = sales(store_id, 1, first=number, day=day)
    line = dataclasses.replace(
        made.lines[0], sku=sku, name="Rice", qty=qty, unit_price_minor=price, total_minor=total, net_minor=total,
        tax_minor=0, rate_bp=0, amount_minor=total, list_price_minor=price, returns_sale_id=of.id if of else None,
        returns_n=1 if of else None,
    )  # fmt: skip
    tax = dataclasses.replace(made.taxes[0], rate_bp=0, net_minor=total, tax_minor=0, gross_minor=total)
    way = ("floor", "customer") if qty > 0 else ("customer", "floor")
    paid = dataclasses.replace(made.payments[0], amount_minor=total)
    whole = dataclasses.replace(
        made, kind=kind, lines=(line,), taxes=(tax,), payments=(paid,), lines_minor=total, total_minor=total,
        tax_minor=0, paid_minor=total, change_minor=0, cash=((f"{made.id}-c", kind, total),),
        movements=((f"{made.id}-1", sku, abs(qty), *way),),
    )  # fmt: skip
    return reported(whole.id, SaleCompleted.TOPIC, whole.to_body(), day, number)


def reported(id_: str, topic: str, body: dict[str, Any], day: dt.date, number: int | None = None) -> Message:
    at = dt.datetime.combine(day, dt.time(8), dt.UTC).isoformat()
    bare = Message(id_, number or next(NUMBERS), topic, 1, at, day.isoformat(), body, "")
    return Message(**vars(bare) | {"hash": hash_of(bare, canonical(body))})


def counted_stock(qty: int) -> Message:
    key = f"count-{next(NUMBERS)}"
    body = {
        "id": key, "store_id": ROGUE, "sku": SKU, "counted_qty": qty, "on_hand_before": 0, "actor_id": "ana",
        "business_day": TODAY.isoformat(), "at": AT.isoformat(),
        "movements": [[f"{key}-m", SKU, qty, "found", "floor"]],
    }  # fmt: skip
    return reported(key, "stock.counted", body, TODAY)


def day_report(**figures: int) -> Message:
    body = dict.fromkeys(day_reports.SUMS, 0) | {"store_id": ROGUE, "business_day": TODAY.isoformat()}
    body |= {"waste_value_minor": 900, "sold_milli": 40_000, "reported_at": AT.isoformat()} | figures
    return reported(f"report-{next(NUMBERS)}", "day.reported", body, TODAY)


def furnish(database: Database) -> Net:
    """Found a network of four stores, each with forty days in which it sold twelve of the product, and milk."""
    net = Net(database)
    with database.write() as session:
        node.found(session, NETWORK, at=AT)
        session.add(Region(id="north", name="North"))
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
        session.flush()
        for sku in (SKU, MILK, "P00003"):
            session.add(Product(sku=sku, name=sku, category="Food", tax_class_id="food"))
        for store_id in (ROGUE, *OTHERS):
            session.add(Store(id=store_id, name=store_id, slug=store_id.lower(), region_id="north", currency="EUR",
                              tz="UTC", joined_at=AT - dt.timedelta(days=PAST)))  # fmt: skip
            session.flush()
            session.add(Till(store_id=store_id, id="T1", name="Till 1"))
    for store_id in (ROGUE, *OTHERS):
        days = [TODAY - dt.timedelta(days=back) for back in range(PAST, 0, -1)]
        past = itertools.product(days, ((12, SKU), (20, MILK)))
        some = [fact(qty, sku=sku, day=day, store_id=store_id, number=n) for n, (day, (qty, sku)) in enumerate(past, 1)]
        assert not net.push(store_id, some)["parked"]
    net.roll()
    with database.write() as session:
        plausibility.refresh(session, TODAY)
    return net


def _evening(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(22), dt.UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "network.db"
    with made_once():
        furnish(empty_database(path))
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def net(request, tmp_path, made) -> Net:
    """Give the network on each of the databases."""
    if request.param == "sqlite":
        return Net(database_from(made, tmp_path / "net.db"))
    return furnish(empty_database(request.getfixturevalue("postgres_database")))


def test_ten_million_units_in_one_fact_wait_and_move_neither_demand_nor_anybody_s_share(net):
    before = net.counted(TODAY + dt.timedelta(days=1))
    lie = fact(10_000_000)
    answer = net.push(ROGUE, [honest := fact(6), lie])
    assert [one["id"] for one in answer["taken"]] == [honest.id]
    (held,) = answer["parked"]
    assert held["id"] == lie.id
    assert held["reason"].startswith("implausible-line: ")
    assert net.sold() == 6
    assert net.counted(TODAY + dt.timedelta(days=1))[ROGUE] <= before[ROGUE]
    with net.database.read() as session:
        row = session.get_one(InboxMessage, (ROGUE, lie.id))
        figures = row.refusal["facts"]
        assert (figures["value"], figures["usual"], figures["name"]) == (10_000_000, 20, "Rice")
        assert session.scalar(sa.select(sa.func.max(StockMovement.qty))) < 1_000
        assert session.get_one(StoreDay, (ROGUE, TODAY)).sales == 1


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (lambda: fact(-10), "sale-contradicts"),
        (lambda: fact(5_000, price=0), "implausible-line"),
        (lambda: fact(10, price=-100), "sale-contradicts"),
        (lambda: fact(1, price=5_000_000), "implausible-sale"),
        (lambda: fact(-500, kind="return"), "implausible-line"),
        (lambda: counted_stock(1_000_000), "implausible-stock"),
        (lambda: day_report(waste_value_minor=10**14), "implausible-wasted"),
        (lambda: day_report(waste_cost_minor=10**14), "implausible-wasted"),
        (lambda: day_report(forecast_milli=10**14), "implausible-expected"),
        (lambda: day_report(sold_milli=10**14), "implausible-expected"),
    ],
)  # fmt: skip
def test_what_no_sale_return_or_count_can_be_waits_by_its_reason(net, lie, reason):
    odd = lie()
    (held,) = net.push(ROGUE, [odd, fact(1, sku="P00003")])["parked"]
    assert (held["id"], held["reason"].partition(":")[0]) == (odd.id, reason)
    assert net.sold() == 0
    assert net.sold("P00003") == 1


def test_a_day_a_store_of_its_size_can_have_is_reported_as_it_says(net):
    net.push(ROGUE, [one := day_report()])
    assert net.state(one.id) == ("taken", "")


def test_a_lie_split_into_many_small_sales_ends_at_the_day_s_limit_in_one_batch_and_in_many(net):
    many = [fact(40, price=0) for _ in range(12)]
    answers = [net.push(ROGUE, many[:10]), *(net.push(ROGUE, [one]) for one in many[10:])]
    assert net.sold() == net.most("product:each") // 40 * 40
    assert sum(len(one["parked"]) for one in answers) == 12 - net.most("product:each") // 40
    assert net.push(ROGUE, [fact(1, sku="P00003")])["taken"], "nothing else of the store stops"


def test_the_number_of_sales_of_a_day_has_its_limit(net, monkeypatch):
    monkeypatch.setitem(plausibility.LEAST, "sales", 5)
    with net.database.write() as session:
        plausibility.refresh(session, TODAY)
    most = net.most("sales")
    held = net.push(ROGUE, [fact(1, sku="P00003") for _ in range(most + 3)])["parked"]
    assert [one["reason"].partition(":")[0] for one in held] == ["implausible-sales"] * 3


def test_more_than_was_sold_comes_back_nowhere_and_what_comes_back_of_a_held_sale_waits_with_it(net):
    sold, lie = fact(6), fact(10_000)
    back, more = fact(-4, kind="return", of=sold), fact(-4, kind="return", of=sold)
    of_lie = fact(-50, kind="return", of=lie)
    held = net.push(ROGUE, [sold, lie, back, more, of_lie])["parked"]
    assert {one["id"]: one["reason"].partition(":")[0] for one in held} == {
        lie.id: "implausible-line", more.id: "implausible-returned", of_lie.id: "waits-with"
    }  # fmt: skip
    assert net.sold() == 2
    assert net.accept(lie.id) == [lie.id]
    assert net.state(of_lie.id)[0] == "taken"
    assert net.sold() == 2 + 10_000 - 50
    assert net.state(more.id) == ("parked", "implausible-returned")


def test_what_is_accepted_counts_once_on_its_own_day_and_again_sent_is_known(net):
    day = TODAY - dt.timedelta(days=3)
    lie = fact(900, day=day)
    net.push(ROGUE, [lie])
    before = net.sold(day=day)
    assert net.accept(lie.id) == [lie.id]
    assert net.accept(lie.id) == []
    answer = net.push(ROGUE, [lie])
    assert [one["id"] for one in answer["taken"]] == [lie.id]
    assert net.sold(day=day) == before + 900
    with net.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Sale.id == lie.id)) == 1
        moved = sa.select(StockMovement.business_day, sa.func.sum(StockMovement.qty))
        moved = moved.where(StockMovement.source_id == lie.id).group_by(StockMovement.business_day)
        assert session.execute(moved).all() == [(day, 900)]
        assert session.get_one(plausibility.PlausibleDay, (ROGUE, day)).measures["line:each"] == 900


def test_what_is_rejected_moves_nothing_takes_what_depends_on_it_along_and_is_told_the_store(net):
    lie = fact(10_000)
    back = fact(-50, kind="return", of=lie)
    points = reported("points-1", "points.moved", {"store_id": ROGUE, "sale_id": lie.id, "points": 10**6}, TODAY)
    net.push(ROGUE, [lie, back, points])
    assert set(net.reject(lie.id)) == {lie.id, back.id, points.id}
    (again,) = net.push(ROGUE, [lie])["parked"]
    assert again["kind"] == inbox.DECLINED
    with net.database.write() as session:
        push = wire.Push(protocol=wire.PROTOCOL, speaking=f"epoch-{ROGUE}", epoch=f"epoch-{ROGUE}", from_n=1,
                         count=10**6, head=GENESIS, stuck=[lie.id])  # fmt: skip
        (reported_stuck,) = receiver.take(session, ROGUE, push, at=AT)["parked"]
        assert reported_stuck["reason"].startswith("turned-down: ")
        assert inbox.try_parked(session, ROGUE, receiver.effect_of(ROGUE, AT)) == (0, 0)
    assert net.sold() == 0
    assert net.accept(lie.id) == [lie.id], "a rejection may be a mistake"
    assert net.sold() == 10_000


def test_a_network_put_back_holds_it_again_and_counts_it_once_when_accepted_again(made, tmp_path):
    net = Net(database_from(made, tmp_path / "net.db"))
    lie = fact(900)
    net.push(ROGUE, [lie])
    net.database.engine.dispose()
    shutil.copy(tmp_path / "net.db", tmp_path / "copy.db")
    net.accept(lie.id)
    put_back = Net(database_from(tmp_path / "copy.db", tmp_path / "back.db"))
    assert put_back.push(ROGUE, [lie])["parked"]
    assert put_back.accept(lie.id) == [lie.id]
    assert put_back.sold() == net.sold() == 900


def test_a_held_sale_leaves_the_checks_of_receipts_and_drawers_in_order(made, tmp_path):
    net = Net(database_from(made, tmp_path / "net.db"))
    some = [dataclasses.replace(one, till_id="T9", receipt_no=n) for n, one in enumerate(sales(ROGUE, 3), 1)]
    lines = (dataclasses.replace(some[1].lines[0], qty=9_000), *some[1].lines[1:])
    rows = [reported(one.id, one.TOPIC, one.to_body(), TODAY) for one in some]
    rows[1] = reported(some[1].id, SaleCompleted.TOPIC, dataclasses.replace(some[1], lines=lines).to_body(), TODAY)
    assert [one["id"] for one in net.push(ROGUE, rows)["parked"]] == [some[1].id]
    cash = sum(minor for one in some for _key, _kind, minor in one.cash)
    with net.database.write() as session:
        session.add(Shift(store_id=ROGUE, id=some[0].shift_id, till_id="T9", state="closed", opened_by="ana",
                          opened_by_name="Ana", opened_at=AT, closed_at=AT, business_day=TODAY, expected_minor=cash,
                          counted_minor=cash, over_short_minor=0, z_no=1, z_report={}, totals={}))  # fmt: skip
        session.flush()
        found = [str(one) for one in pos.sync.checks.findings(session, ROGUE)]
    assert not [one for one in found if "K6" in one or "K7" in one]


def test_an_honest_store_s_best_day_of_the_year_passes(net):
    best = [fact(30, sku="P00003"), *(fact(8) for _ in range(7)), *(fact(20, sku=MILK) for _ in range(5))]
    assert not net.push(ROGUE, best)["parked"], "five times its usual day"


def test_a_store_that_lies_every_day_up_to_its_limit_never_exceeds_the_stated_bound(made, tmp_path):
    """Bound: CEILING good days of the middle other store, whatever it lies; a share by MOST_TIMES its middle rate."""
    net = Net(database_from(made, tmp_path / "net.db"))
    good = {"product:each": 20, "money": 3_200, "sales": 2}
    days = [TODAY + dt.timedelta(days=n) for n in range(30)]
    for other in OTHERS:
        net.push(other, [fact(12, day=each, store_id=other) for each in days], at=_evening(days[-1]))
    for day in days:
        most = net.most("product:each")
        net.push(ROGUE, [fact(min(most, net.most("line:each")), day=day, price=0)], at=_evening(day))
        with net.database.write() as session:
            plausibility.refresh(session, day + dt.timedelta(days=1))
    for name, usual in good.items():
        assert net.most(name) <= max(plausibility.LEAST[name], plausibility.CEILING * usual)
    assert net.most("product:each") > plausibility.MULTIPLE * good["product:each"], "it did raise its own"
    net.roll(at=_evening(day))
    counted = net.counted(day)
    assert counted[ROGUE] <= allocation.MOST_TIMES * counted[OTHERS[0]]


units = st.one_of(st.integers(1, 400), st.sampled_from([1_000, 50_000, 10**7]))
lies = st.lists(
    st.tuples(units, st.integers(0, 900), st.sampled_from([SKU, MILK, "P00003"]), st.integers(0, 27),
              st.sampled_from(["sale", "sale", "sale", "return"])),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=12)
@given(lies)
def test_no_sequence_of_accepted_facts_raises_a_store_s_share_credit_or_points_beyond_the_stated_bound(
    made, tmp_path_factory, reported_lies
):
    """Bounds of docs/reliability.md: a share by SUDDEN times the middle other store's rate, credit by the terms' first
    amount while nothing was repaid, points by the day's money at their rate."""
    net = Net(database_from(made, tmp_path_factory.mktemp("lies") / "net.db"))
    facts = [
        fact(qty if kind == "sale" else -qty, price=price, sku=sku, day=TODAY - dt.timedelta(days=back), kind=kind)
        for qty, price, sku, back, kind in reported_lies
    ]
    for start in range(0, len(facts), 7):
        net.push(ROGUE, facts[start : start + 7])
    net.roll()
    for sku in (SKU, MILK):
        rates = net.counted(TODAY, sku)
        middle = sorted(rates[one] for one in OTHERS)[1]
        assert rates[ROGUE] <= allocation.SUDDEN * middle + 1e-9
    with net.database.write() as session:
        most = session.get_one(plausibility.PlausibleLimit, ROGUE).most
        sums = sa.select(Sale.business_day, sa.func.sum(Sale.total_minor), sa.func.count()).where(
            Sale.store_id == ROGUE
        )
        for _day, money, count in session.execute(sums.group_by(Sale.business_day)):
            assert abs(money) <= most["money"], "points are earned of taken sales alone, at the scheme's rate"
            assert count <= most["sales"]
        credit_review.close_day(Context(session, OPERATOR, AT), TODAY)
        terms = money_terms.in_force(session)[1]
        assert session.get_one(CreditLine, ROGUE).limit_minor <= terms.first_most_minor
