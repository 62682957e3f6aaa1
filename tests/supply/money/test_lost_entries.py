"""A network put back from a copy: its stores' accounts are whole again to the cent, and nobody is paid twice."""

import shutil

import pytest
import sqlalchemy as sa

from config.database import Database, make_engine
from config.errors import Refused
from config.ids import NETWORK
from config.nodes import node
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from supply.membership import credit_review
from supply.money import ledger, lost_entries, payment_runs, payouts
from supply.money.ledger import balances, open_invoices, owed
from supply.sync import recovered
from tests.arriving import hear
from tests.supply.road import AT, OPERATOR, later, make_country

STORE = "S1"
BY = {"actor": OPERATOR, "at": AT}


class Books:
    """The network and a store whose account has an old invoice, paid, before the copy is made."""

    def __init__(self, folder) -> None:
        self.folder, self.country = folder, make_country(folder)
        with self.country.network.write() as session:
            said = {"store_id": STORE, "bic": "", "reported_at": AT.isoformat()}
            hear(session, "account.bank_reported", said | {"payee": "Wei", "bank_account": "12345678"}, at=AT)
        self.buy({"milk": 2})
        self.pay_in(1_000, "pay-0")
        self.country.network.engine.dispose()
        shutil.copy(folder / "network.db", folder / "copy.db")

    @property
    def network(self):
        return self.country.network

    @property
    def store(self):
        return self.country.stores[STORE]

    def buy(self, packs) -> None:
        self.country.order(STORE, packs)
        self.country.send_out()
        self.country.take_in(STORE)
        self.country.deliver()

    def pay_in(self, minor: int, id: str, at=AT) -> None:
        with self.network.write() as session:
            ledger.money_in(Context(session, OPERATOR, at), STORE, minor, reference=f"Bank {id}", id=id)
        self.country.deliver()

    def put_back(self, at=AT) -> None:
        """Put the network back from its copy; the store sends again what it had sent, as it does then."""
        self.network.engine.dispose()
        shutil.copy(self.folder / "copy.db", self.folder / "network.db")
        self.country.network = Database(make_engine(f"sqlite:///{self.folder / 'network.db'}"))
        with self.network.write() as session:
            node.new_epoch(session)
            recovered.after_a_restore(session, NETWORK, at=at)
        for store in self.country.stores.values():
            with store.write() as session:
                again = sa.update(OutboxMessage).where(OutboxMessage.to_node == NETWORK)
                session.execute(again.values(state="pending"))

    def accounts(self) -> list[dict[str, int]]:
        found = []
        for database in (self.network, self.store):
            with database.read() as session:
                known = balances(session, STORE)
                assert sum(known.values()) == 0
                assert (
                    sum(one.left_minor for one in open_invoices(session, STORE)) == known["invoiced"] + known["credit"]
                )
                found.append(known)
        return found

    def take_all_over(self) -> list[str]:
        with self.network.write() as session:
            rows = lost_entries.waiting(session, STORE)
            for row in rows:
                lost_entries.take_over(Context(session, **BY), STORE, row.id)
        self.country.deliver()
        return [row.kind for row in rows]


@pytest.fixture
def books(tmp_path) -> Books:
    return Books(tmp_path)


def test_what_a_network_put_back_has_lost_comes_back_to_the_cent(books):
    books.buy({"bread": 3})
    books.pay_in(50_000, "pay-1")
    with books.network.write() as session:
        ledger.credit_note(Context(session, **BY), STORE, 700, why="Wet", id="note-1")
        ledger.given(Context(session, **BY), STORE, "goodwill", 300, why="Sorry", id="good-1")
        run = payment_runs.make_run(Context(session, **BY), id="run-1")
        payment_runs.confirm(Context(session, **BY), "run-1")
    assert run.payouts
    books.country.deliver()
    books.buy({"milk": 1})
    before = books.accounts()
    assert before[0] == before[1]

    books.put_back()
    books.country.deliver()
    missing = books.accounts()
    assert missing[0] == missing[1], "the store's copy is the network's book at once"
    assert owed(missing[0]) != owed(before[0])
    assert books.take_all_over() == ["paid_in", "paid", "paid", "return", "goodwill", "payout"]
    assert books.accounts() == before
    assert books.country.findings() == []
    books.buy({"bread": 1})
    after = books.accounts()
    assert after[0] == after[1], "and it goes on"
    with books.store.read() as session:
        parked = sa.select(sa.func.count()).select_from(InboxMessage).where(InboxMessage.state == "parked")
        assert session.scalar(parked) == 0
    books.country.reapply()
    assert books.accounts() == after


def test_no_shop_is_paid_out_or_charged_before_its_account_is_whole(books):
    books.pay_in(50_000, "pay-1")
    books.put_back()
    with books.network.write() as session:
        ledger.money_in(Context(session, **BY), STORE, 50_000, reference="Another", id="pay-2")
        assert payment_runs.make_run(Context(session, **BY), id="run-1").payouts == [], (
            "nobody has heard what it was paid out"
        )
    books.country.deliver()
    with books.network.write() as session:
        assert lost_entries.silent(session) == []
        rows = [row.id for row in lost_entries.waiting(session)]
        assert rows[0] == "pay-1"
        assert payment_runs.make_run(Context(session, **BY), id="run-2").payouts == [], "and something waits"
        for row in rows:
            lost_entries.leave_out(Context(session, **BY), STORE, row, why="The bank has no such payment")
        assert payment_runs.make_run(Context(session, **BY), id="run-3").payouts != []
    books.country.deliver()
    with books.store.read() as session:
        row = session.get_one(lost_entries.LostEntry, (STORE, "pay-1"))
        assert (row.state, row.why) == ("left_out", "The bank has no such payment")


def test_what_was_paid_in_time_is_not_late_because_the_network_forgot_it(books):
    books.buy({"bread": 3})
    books.pay_in(50_000, "pay-1")
    books.put_back(at=later(days=20))
    books.country.deliver(at=later(days=20))
    with books.network.write() as session:
        late = later(days=40)
        credit_review.close_day(Context(session, OPERATOR, late), late.date())
    assert books.accounts()[0]["late"] == 0
    books.take_all_over()
    with books.network.read() as session:
        (entry,) = [one for one in ledger.entries_of(session, STORE) if one.id == "pay-1"]
        assert entry.business_day == AT.date()


def test_a_payout_waits_for_the_money_it_was_made_from(books):
    books.pay_in(50_000, "pay-1")
    with books.network.write() as session:
        payment_runs.make_run(Context(session, **BY), id="run-1")
    books.country.deliver()
    books.put_back()
    books.country.deliver()
    with books.network.write() as session:
        first, paid, second = lost_entries.waiting(session, STORE)
        assert (first.kind, paid.kind, second.kind) == ("paid_in", "paid", "payout")
    with books.network.write() as session, pytest.raises(Refused, match="has not arrived"):
        lost_entries.take_over(Context(session, **BY), STORE, second.id)
    with books.network.write() as session:
        for _ in range(2):
            for row in (first, paid, second):
                lost_entries.take_over(Context(session, **BY), STORE, row.id)
        assert len(payouts.latest(session)) == 1
        assert balances(session, STORE)["funds"] == 0
