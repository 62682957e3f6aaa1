"""A store put back from an older copy gets its own facts back from the network, and its books are whole again."""

import shutil
from collections.abc import Iterator

import httpx2
import pytest
import sqlalchemy as sa

import pos.sync.checks
import supply.sync.checks
from config.database import Base, Database, make_engine
from config.nodes import signing_keys
from config.nodes.journal import Actor, Context
from config.nodes.node import found, this_node
from config.nodes.outbox import OutboxMessage
from config.nodes.signing import Signer
from config.settings import Settings
from pos.customers import customers, points_terms, tab
from pos.customers.customers import Particulars
from pos.customers.loyalty import PointsAccount
from pos.customers.tab import TabAccount, TabEntry
from pos.payments import vouchers
from pos.payments.vouchers import Voucher
from pos.sold import Sale
from pos.stock.ledger import StockLevel
from pos.store import joining
from pos.store.store import found_store, store_of
from pos.till import hand_cash, shift
from pos.till.shift_book import CashMovement, LateSale, Shift
from store_app.node import doctor, verifying
from store_app.runtime.doors import Doors
from store_app.sync import restored, sender
from tests.builders import NOON, STORE, OpenStore, open_store
from tests.store_app.conftest import KEY

MAYA = "01J0000000000000000000MAYA"


class Lost:
    """A store whose disk is lost and whose books are put back from a copy."""

    def __init__(self, store: OpenStore, folder, served: str) -> None:
        self.store, self.folder, self.served = store, folder, served
        self.file = folder / f"{STORE}.db"

    @property
    def doors(self) -> Doors:
        settings = Settings(
            role="store", node_id=STORE, state_folder=self.folder, database_url=f"sqlite:///{self.file}", practice=True,
            network_url=self.served,
        )  # fmt: skip
        return Doors(self.store.database, self.store.clock, settings)

    def talk(self) -> sender.Contact:
        self.store.clock.advance(1)
        with httpx2.Client(base_url=self.served, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
            contact = sender.contact(self.store.database, self.doors.settings, client, self.store.clock)
        assert contact.fault is None
        return contact

    def copy(self) -> None:
        self.store.database.engine.dispose()
        shutil.copy(self.file, self.folder / "copy")

    def put_back(self) -> None:
        self.store.database.engine.dispose()
        shutil.copy(self.folder / "copy", self.file)
        self.store.database = Database(make_engine(f"sqlite:///{self.file}"))
        assert restored.restart_if_restored(self.doors)

    def examined(self) -> str:
        return " ".join(word.sentence for word in doctor.examine(self.doors, outside=False))

    def books(self) -> dict[str, list]:
        """Return what must be as it was before the disk was lost."""
        asked = {
            "sales": (Sale.id, Sale.epoch, Sale.receipt_no, Sale.total_minor),
            "stock": (StockLevel.sku, StockLevel.place, StockLevel.qty),
            "shifts": (Shift.id, Shift.state, Shift.z_no, Shift.expected_minor, Shift.over_short_minor),
            "cash": (CashMovement.id, CashMovement.shift_id, CashMovement.kind, CashMovement.amount_minor),
            "tabs": (TabAccount.customer_id, TabAccount.balance_minor),
            "on the tab": (TabEntry.customer_id, TabEntry.n, TabEntry.kind, TabEntry.amount_minor, TabEntry.sale_id),
            "points": (PointsAccount.customer_id, PointsAccount.points),
            "vouchers": (Voucher.mark, Voucher.balance_minor),
            "facts": (OutboxMessage.epoch, OutboxMessage.n, OutboxMessage.id, OutboxMessage.hash, OutboxMessage.head),
        }
        with self.store.database.read() as session:
            return {
                name: [tuple(row) for row in session.execute(sa.select(*columns).order_by(*columns))]
                for name, columns in asked.items()
            }

    def faults(self) -> list:
        with self.store.database.read() as session:
            report = verifying.verify_in(session, STORE)
            return [*pos.sync.checks.findings(session), *supply.sync.checks.findings(session), *report.faults]


@pytest.fixture
def lost(tmp_path, served) -> Iterator[Lost]:
    store = open_store(tmp_path)
    found = Lost(store, tmp_path, served)
    yield found
    found.store.database.engine.dispose()
    found.store.database.engine.dispose()


def on_the_tab(lost: Lost, lines, **wishes) -> str:
    priced = lost.store.request(lines)
    tenders = [("tab", priced.shown_total_minor)]
    return lost.store.complete(lost.store.request(lines, tenders=tenders, customer_id=MAYA, **wishes)).sale.id


def test_books_put_back_get_sales_stock_shifts_tabs_and_their_place_in_the_chain_back_once(lost):
    store = lost.store
    with store.write() as session:
        store_row = store_of(session, STORE)
        wished = Particulars("Maya", agreed=frozenset({"points", "tab"}), limit_minor=100_000)
        customers.add(Context(session, store.wei, NOON), store_row, MAYA, wished)
        points_terms.set_terms(Context(session, store.wei, NOON), points_terms.terms_of(STORE, True, 1, 100, 1, 1))
    first = store.sell([("milk", 2)])
    on_the_tab(lost, [("tea", 1)])
    lost.talk()
    lost.copy()
    # all of this is lost with the disk
    store.sell([("bread", 3)])
    store.take_back(first.sale.id, [(1, 1)])
    credit = store.take_back(first.sale.id, [(1, 1)], tender="credit")
    code = store.read(lambda session: vouchers.revealed(session, credit.document))["vouchers"][0]["code"]
    store.complete(store.request([("bread", 1)], tenders=[("voucher", 29, code), ("cash", 320)]))
    charged = on_the_tab(lost, [("milk", 4)])
    with store.write() as session:
        store_row = store_of(session, STORE)
        tab.repay(
            Context(session, store.ana, store.now), store_row, MAYA, 500, id="01J00000000000000000000PAY", till_id="T1"
        )
        owed_minor = tab.account(session, STORE, MAYA).balance_minor
        tab.write_off(
            Context(session, store.ana, store.now),
            store_row,
            MAYA,
            owed_minor,
            id="01J00000000000000000000OFF",
            why="moved away",
        )
    store.take_back(charged, [(1, 1)])
    on_the_tab(lost, [("tea", 1)])
    store.close_till()
    store.open_till()
    store.sell([("cheese", 250)])
    store.close_till(20_000)
    lost.talk()
    before = lost.books()
    assert lost.faults() == []
    lost.put_back()
    assert "will come back at the next sync" in lost.examined()
    contact = lost.talk()
    assert contact.recovered == len(before["facts"]) - 4
    assert lost.books() == before
    assert lost.faults() == []
    assert store.read(lambda session: vouchers.find(session, STORE, code).balance_minor) == 100, (
        "on a computer of another secret"
    )
    assert lost.talk().recovered == 0
    assert "the network returned" in lost.examined()
    store.open_till()
    assert store.sell([("milk", 1)]).sale.epoch != first.sale.epoch
    assert store.close_till().z_no == 3
    assert lost.faults() == []


def test_a_shift_that_was_lost_open_comes_home_open_with_its_float_and_all_that_moved(lost):
    store = lost.store
    lost.talk()
    lost.copy()
    store.close_till()
    store.open_till()
    store.sell([("bread", 1)])
    with store.write() as session:
        found, by = shift.current(session, STORE, "T1"), {"actor": store.wei, "at": store.now}
        hand_cash.drop(Context(session, **by), found, 300)
        hand_cash.pay_in(Context(session, **by), found, 1200, why="change from the bank")
    lost.talk()
    before = lost.books()
    lost.put_back()
    lost.talk()
    assert lost.books() == before
    assert [row[1] for row in before["shifts"]] == ["closed", "open"]
    assert store.close_till(before["shifts"][1][3]).over_short_minor == 0
    assert lost.faults() == []


def test_sales_of_a_lost_shift_are_late_where_the_till_was_opened_anew_and_two_books_that_speak_fetch_nothing(lost):
    store = lost.store
    store.close_till()
    lost.talk()
    lost.copy()
    store.open_till()
    store.sell([("bread", 1)])
    lost.talk()
    lost.put_back()
    store.open_till()
    assert lost.talk().recovered == 2
    said = lost.examined()
    assert "returned 2 messages, 1 of them sales" in said
    assert "2 of them need attention; see the store's settings page" in said
    closed = store.close_till()
    assert (closed.z_no, closed.z_report["late_count"], closed.z_report["late_minor"]) == (2, 1, 349)
    assert lost.faults() == []
    lost.talk()
    lost.copy()
    store.open_till()
    lost.talk()
    store.database.engine.dispose()
    lost.doors.settings.sidecar.unlink()  # nothing tells whether this is the store or a copy of it
    shutil.copy(lost.folder / "copy", lost.file)
    store.database = Database(make_engine(f"sqlite:///{lost.file}"))
    for _ in range(3):
        assert lost.talk().recovered == 0
    with store.database.read() as session:
        assert this_node(session).peer_nonce
        assert session.scalar(sa.select(sa.func.count()).select_from(LateSale)) == 1


def test_a_shop_that_lost_its_computer_and_every_copy_gets_what_it_had_told_from_its_first_day_on(
    lost, tmp_path, network
):
    store = lost.store
    store.sell([("milk", 2)])
    store.close_till()
    lost.talk()
    before = lost.books()
    store.database.engine.dispose()
    (tmp_path / "anew").mkdir()
    anew = Database(make_engine(f"sqlite:///{tmp_path / 'anew' / STORE}.db"))
    Base.metadata.create_all(anew.engine)
    with anew.write() as session:
        found(session, STORE, at=NOON)
        found_store(session, STORE, "Store", region=("north", "North"), currency="EUR", tz="UTC", at=NOON)
    lost.folder, lost.file, store.database = tmp_path / "anew", tmp_path / "anew" / f"{STORE}.db", anew
    # as `cornerstore join` does with the operator's code, and only with that
    signer = Signer.make().keep(lost.doors.settings.signing_key)
    system = Actor.system("test", STORE)
    with network.doors.write() as session:
        code = joining.invite(Context(session, system, NOON), STORE)
        joining.join(session, code, signer.public, at=NOON)
        reported = [(key.public, key.made_at) for key in signing_keys.of(session, STORE)]
    with anew.write() as session:
        signing_keys.own(Context(session, system, NOON), STORE, signer)
        signing_keys.name_earlier(session, STORE, reported, actor=system)
    assert lost.talk().recovered == 4
    assert lost.books() == before
    assert lost.faults() == []
