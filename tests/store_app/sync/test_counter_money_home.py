"""What was taken at the counter for orders comes home into books that were put back from an older copy."""

import shutil
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import pos.sync.checks
import pos.sync.replica
import supply.sync.checks
from config.clock import FrozenClock
from config.database import Database, make_engine
from config.errors import Unreachable
from config.ids import NETWORK
from config.nodes import facts, node, outbox
from config.nodes.journal import Context
from config.settings import Settings
from pos.till import shift
from pos.till.shift_book import CashMovement, Shift
from store_app.runtime.doors import Doors
from store_app.sync import homecoming, wire
from supply.online import orders
from supply.online.pickup import counter_orders, pickup
from supply.online.pickup.counter_orders import CounterMoney, For
from tests.supply.online_store import ANA, AT, STORE, TILL, make_town

BY = {"actor": ANA, "at": AT}
step = st.sampled_from(["cash", "card", "cancel", "to cash", "to card", "close"])


class Counter:
    """A store's counter, and the books it gets back from a copy."""

    def __init__(self, folder) -> None:
        self.folder, self.town, self.orders = folder, make_town(folder), 0
        self.damage: Callable[[dict], dict] = dict
        """What the line makes of money on its way home."""
        self.town.open_till()

    def does(self, what: str) -> None:
        with self.town.store.write() as session:
            last = f"order-{self.orders:05}"
            match what:
                case "cash" | "card":
                    self.orders += 1
                    asked = counter_orders.CounterRequest(
                        till_id=TILL,
                        whose=For("Grandma Wu"),
                        lines=[("milk", 1)],
                        tender=what,
                        reference=f"slip {self.orders}" if what == "card" else "",
                    )
                    counter_orders.take(Context(session, **BY), STORE, asked, id=f"order-{self.orders:05}")
                case "close":
                    close_till(session)
                    shift.open_shift(Context(session, ANA, AT), STORE, TILL, 10_000)
                case "cancel" if self.orders and session.get_one(orders.PickupOrder, (STORE, last)).state == "accepted":
                    pickup.cancel(Context(session, ANA, AT), STORE, last, why="changed their mind")
                case "to cash" | "to card" if self.orders:
                    order = session.get_one(orders.PickupOrder, (STORE, last))
                    if counter_orders.due_back_minor(session, order):
                        tender = what.removeprefix("to ")
                        counter_orders.give_back(
                            Context(session, **BY), STORE, last, till_id=TILL, id=f"back-{last}", tender=tender
                        )

    def copy(self) -> None:
        self.town.store.engine.dispose()
        shutil.copy(self.folder / "store.db", self.folder / "copy.db")

    def put_back(self) -> Database:
        book = Database(make_engine(f"sqlite:///{self.folder / 'copy.db'}"))
        with book.write() as session:
            node.new_epoch(session)
        return book

    def fetch(self, book: Database) -> int:
        settings = Settings(
            role="store", node_id=STORE, state_folder=self.folder, database_url="sqlite://", practice=True
        )
        return homecoming.fetch(Doors(book, FrozenClock(AT), settings), self._own)

    def _own(self, have: dict[str, int]) -> wire.Own:
        with self.town.store.read() as session:
            epoch = node.this_node(session).epoch
            reported = outbox.after(session, NETWORK, epoch, have.get(epoch, 0))
            rows = [outbox.to_wire(row) for row in reported]
            rows = [self.damage(row) if row["topic"] == "pickup.money" else row for row in rows]
        return wire.Own.model_validate({"batches": [{"epoch": epoch, "rows": rows}] if rows else []})


def close_till(session) -> None:
    open_one = shift.current(session, STORE, TILL)
    shift.close(Context(session, ANA, AT), open_one, open_one.expected_minor)


def money(book: Database) -> dict[str, list]:
    asked = {
        "orders": sa.select(CounterMoney.id, CounterMoney.amount_minor, CounterMoney.tender, CounterMoney.shift_id),
        "drawers": sa.select(CashMovement.id, CashMovement.source_id, CashMovement.amount_minor),
        "shifts": sa.select(Shift.id, Shift.state, Shift.expected_minor),
    }
    with book.read() as session:
        found = {name: [tuple(row) for row in session.execute(query.order_by("id"))] for name, query in asked.items()}
        return found | {
            "totals": [row.totals["orders"] for row in session.scalars(sa.select(Shift).order_by(Shift.id))]
        }


def faults(book: Database) -> list:
    with book.read() as session:
        return [*pos.sync.checks.findings(session, STORE), *supply.sync.checks.findings(session, STORE)]


@settings(max_examples=6)
@given(before=st.lists(step, max_size=4), lost=st.lists(step, min_size=1, max_size=6))
def test_money_for_orders_comes_home_with_its_drawer_and_its_shift_whenever_the_copy_was_made(
    tmp_path_factory, before, lost
):
    counter = Counter(tmp_path_factory.mktemp("counter"))
    for what in before:
        counter.does(what)
    counter.copy()
    for what in lost:
        counter.does(what)
    book = counter.put_back()
    counter.fetch(book)
    assert money(book) == money(counter.town.store)
    assert faults(book) == faults(counter.town.store) == []
    for database in (book, counter.town.store, counter.town.network):
        database.engine.dispose()


def test_money_of_a_shift_that_was_closed_anew_is_kept_without_a_shift_and_contradicts_nothing(tmp_path):
    counter = Counter(tmp_path)
    counter.copy()
    counter.does("cash")
    counter.does("card")
    book = counter.put_back()
    with book.write() as session:
        close_till(session)
    counter.fetch(book)
    assert [row[1:] for row in money(book)["orders"]] == [(129, "cash", ""), (129, "card", "")]
    assert faults(book) == []


def test_the_network_finds_nothing_wrong_with_drawers_whose_order_book_lies_in_the_shop(tmp_path):
    counter = Counter(tmp_path)
    counter.does("cash")
    with counter.town.store.write() as session:
        close_till(session)
    with counter.town.store.read() as session:
        (closed,) = (row for row in outbox.due(session, NETWORK) if row.topic == "shift.closed")
        message = outbox.Message(**outbox.to_wire(closed))
    with counter.town.network.write() as session:
        facts.apply(session, message, STORE, AT)
    with counter.town.network.read() as session:
        assert session.scalar(sa.select(CashMovement.kind).where(CashMovement.kind == "order_paid"))
        assert supply.sync.checks.findings(session) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda row: row | {"body": row["body"] | {"amount_minor": 9}},
        lambda row: row | {"made_at": "?"},
        lambda row: row | {"business_day": "?"},
    ],
)
def test_what_comes_home_damaged_twice_stays_out_of_the_books_and_holds_nothing_up(tmp_path, damage):
    counter = Counter(tmp_path)
    counter.copy()
    counter.does("card")
    book = counter.put_back()
    counter.damage = damage
    counter.fetch(book)
    assert money(book)["orders"] == []
    with book.read() as session:
        _, came = homecoming.last(session, STORE)
        assert session.get(orders.PickupOrder, (STORE, "order-00001"))
    assert [(one["topic"], one["refusal"]["code"], one["day"]) for one in came["odd"]] == [
        ("pickup.money", "damaged", AT.date().isoformat())
    ]


@pytest.mark.parametrize("rows", [slice(None), slice(0)])
def test_an_answer_that_brings_nothing_new_home_is_a_fault_of_the_line(tmp_path, rows):
    counter = Counter(tmp_path)
    counter.copy()
    counter.does("card")
    book = counter.put_back()
    (first,) = counter._own({}).batches
    same = wire.Own(batches=[first.model_copy(update={"rows": first.rows[rows]})])
    answers = iter([same, same])
    counter._own = lambda have: next(answers)
    with pytest.raises(Unreachable):
        counter.fetch(book)
    with book.read() as session:
        assert node.this_node(session).peer_nonce is None, "it is asked again"


def test_what_was_damaged_on_its_way_home_is_asked_for_once_more(tmp_path):
    counter = Counter(tmp_path)
    counter.copy()
    counter.does("card")
    book = counter.put_back()
    damage = iter([{"made_at": "?"}])
    counter.damage = lambda row: row | next(damage, {})
    counter.fetch(book)
    assert money(book) == money(counter.town.store)
