"""Whatever a store and the network do with goods, credit and money, in whatever order its words come, the books agree.

Every step is a verb that a page, a job or a message calls. The store's clock may be days ahead; messages come twice.
"""

import contextlib
import datetime as dt

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import DomainError
from config.ids import NETWORK, new_id
from config.nodes.journal import Actor, Context
from supply.membership import credit_review
from supply.money import advances, agent_commissions, credit, escrow, ledger, payment_runs, payouts, wrong_payments
from supply.money.credit import CreditDraw, CreditLine
from supply.money.held_payments import Escrow
from supply.money.ledger import LedgerEntry, balances, open_invoices, owed
from supply.network.claims import handling
from supply.network.warehouse import returns
from supply.orders import orders, supplier_returns
from supply.orders.claims import Claim
from supply.orders.deliveries import Delivery
from supply.orders.orders import ReplenishmentOrder
from supply.receiving import receiving
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, make_country, write_order

STORE = "S1"
NIGHT = Actor.system("credit", NETWORK)
STEPS = (
    "order", "order_on_credit", "call_off", "send_out", "take_in", "send_away", "complain", "answer", "send_back",
    "count_back", "carry", "pay", "pay_out", "carried_out", "came_back", "online", "refund", "pass_on", "ask_advance",
    "part", "part_back", "give_up", "hold", "release", "let_go", "turn_down", "night", "take_payment_back",
)  # fmt: skip
STEP = st.tuples(st.sampled_from(STEPS), st.integers(1, 5), st.integers(0, 60))


@settings(max_examples=6, deadline=None)
@given(steps=st.lists(STEP, min_size=12, max_size=40), seed=st.integers(0, 999), ahead_days=st.sampled_from([0, 0, 9]))
def test_no_walk_of_goods_credit_and_money_leaves_a_fault_in_the_books(tmp_path_factory, steps, seed, ahead_days):
    walk = Walk(make_country(tmp_path_factory.mktemp("money")), seed, dt.timedelta(days=ahead_days))
    for what, size, hours in steps:
        walk.at += dt.timedelta(hours=hours)
        with contextlib.suppress(DomainError):
            getattr(walk, what)(size)
        walk.look()
    walk.carry(1)
    assert walk.country.findings() == []
    assert walk.reported(STORE) == walk.reported(NETWORK), "the store's copy is what the network has"
    for database in walk.country.nodes().values():
        database.engine.dispose()


class Walk:
    """A store and the network; at is the network's clock, ahead how far the store's is before it."""

    def __init__(self, country, seed: int, ahead: dt.timedelta) -> None:
        self.country, self.seed, self.ahead, self.at = country, seed, ahead, AT
        self.network, self.store = country.network, country.stores[STORE]
        with self.network.write() as session:
            credit.set_line(Context(session, NIGHT, AT), STORE, credit.CreditLimit(9_000, 0, {}, {}, 1, [], DAY))
            said = {"store_id": STORE, "bic": "", "reported_at": AT.isoformat()}
            hear(session, "account.bank_reported", said | {"payee": "Wei", "bank_account": "12345678"}, at=AT)
            hear(session, "agent.reported", said | {"name": "Mei", "account": "6222021234567890"}, at=AT)
        country.deliver()

    # --- what holds after every step ---

    def look(self) -> None:
        """See that no account is on the wrong side, and that no more was paid out than came in or was given."""
        with self.network.read() as session:
            known, left = balances(session, STORE), open_invoices(session, STORE)
            assert sum(known.values()) == 0
            assert known["funds"] <= 0 <= min(known["invoiced"], known["credit"], known["advance"])
            assert sum(one.left_minor for one in left) == known["invoiced"] + known["credit"]
            assert all(one.left_minor > 0 for one in left)
            sums = {
                (kind, source): int(minor)
                for kind, source, minor in session.execute(
                    sa.select(LedgerEntry.kind, LedgerEntry.from_account, sa.func.sum(LedgerEntry.amount_minor))
                    .where(LedgerEntry.store_id == STORE)
                    .group_by(LedgerEntry.kind, LedgerEntry.from_account)
                )
            }
            out = sum(minor for (kind, _), minor in sums.items() if kind == "payout")
            back = sum(minor for (kind, _), minor in sums.items() if kind == "returned")
            came = (
                sums.get(("paid_in", "funds"), 0) + sums.get(("escrow", "funds"), 0) + sums.get(("advance", "funds"), 0)
            )
            came += sums.get(("owed_back", "funds"), 0) - sums.get(("taken_back", "bank"), 0)
            assert out - back <= came, "nobody is paid out for goods or parts that were not paid"
            due = sum(one.due_minor for one in agent_commissions.parts_of(session, STORE))
            assert due <= came

    def reported(self, where: str) -> list[object]:
        """Return what a node knows of the account, the line and the draws."""
        with self.country.nodes()[where].read() as session:
            line = session.get_one(CreditLine, STORE)
            draws = sa.select(CreditDraw.order_id, CreditDraw.state, CreditDraw.amount_minor).order_by(
                CreditDraw.order_id
            )
            return [
                balances(session, STORE), owed(balances(session, STORE)), (line.state, line.limit_minor, line.held_by),
                [(one.invoice.id, one.left_minor) for one in open_invoices(session, STORE)],
                [tuple(row) for row in session.execute(draws.where(CreditDraw.store_id == STORE))],
            ]  # fmt: skip

    # --- goods ---

    @property
    def here(self) -> dict:
        return {"actor": KEEPER[STORE], "at": self.at + self.ahead}

    @property
    def there(self) -> dict:
        return {"actor": OPERATOR, "at": self.at}

    def order(self, packs: int, *, on_credit: bool = False) -> None:
        with self.store.write() as session:
            order_id = new_id()
            write_order(session, STORE, order_id, {"milk": packs, "bread": 1}, "vehicle", self.at + self.ahead, {})
            if on_credit:
                credit.draw(Context(session, **self.here), STORE, order_id)
            orders.send(Context(session, **self.here), STORE, order_id)

    def order_on_credit(self, packs: int) -> None:
        self.order(packs, on_credit=True)

    def call_off(self, which: int) -> None:
        if found := self.some(self.store, ReplenishmentOrder, which, "sent", "acknowledged"):
            with self.store.write() as session:
                orders.cancel(Context(session, **self.here), STORE, found, why="Too much")

    def send_out(self, _size: int) -> None:
        self.country.fill(self.at)
        self.country.load(at=self.at)

    def take_in(self, size: int) -> None:
        """Take a delivery in as it was sent, or with less or more of the milk."""
        if found := self.some(self.store, Delivery, size, "expected"):
            with self.store.write() as session:
                receiving.begin_count(Context(session, **self.here), STORE, found)
                if size > 2:
                    counted = 12 * size - 30
                    receiving.count_line(
                        Context(session, **self.here), STORE, found, "milk", max(0, counted), why="Counted so"
                    )
                receiving.post(Context(session, **self.here), STORE, found)

    def send_away(self, which: int) -> None:
        if found := self.some(self.store, Delivery, which, "expected"):
            with self.store.write() as session:
                receiving.refuse(Context(session, **self.here), STORE, found, why="Wet")

    def complain(self, size: int) -> None:
        if found := self.some(self.store, Delivery, size, "posted"):
            kind = ("damaged", "wrong", "short")[size % 3]
            with self.store.write() as session:
                asked = handling.ClaimRequest(found, [("milk", kind, size)], wish="money", words="Look")
                handling.file(Context(session, **self.here), STORE, asked, id=new_id())

    def answer(self, size: int) -> None:
        if found := self.some(self.network, Claim, size, "filed", "contested"):
            with self.network.write() as session:
                claim = handling.claim_of(session, STORE, found)
                lines = handling.lines_of(session, claim)
                granted = {(line.sku, line.kind): min(line.qty, size) for line in lines}
                remedy = "return" if any(line.kind == "wrong" for line in lines) and size % 2 else "money"
                handling.decide(Context(session, **self.there), STORE, found, granted, remedy=remedy, words="So much")

    def send_back(self, which: int) -> None:
        if found := self.some(self.store, supplier_returns.SupplierReturn, which, "proposed"):
            with self.store.write() as session:
                returns.send(Context(session, **self.here), STORE, found, {})

    def count_back(self, which: int) -> None:
        if found := self.some(self.network, supplier_returns.SupplierReturn, which, "sent"):
            with self.network.write() as session:
                sent = supplier_returns.lines_of(session, supplier_returns.return_of(session, STORE, found))
                counts = {line.sku: (line.sent_qty, 0) for line in sent}
                returns.receive(Context(session, **self.there), STORE, found, counts)

    # --- words and money ---

    def carry(self, _size: int) -> None:
        self.seed += 1
        self.country.deliver(seed=self.seed, at=self.at)

    def pay(self, size: int) -> None:
        with self.network.write() as session:
            ledger.money_in(Context(session, **self.there), STORE, 700 * size, reference="RF", id=new_id())

    def take_payment_back(self, which: int) -> None:
        with self.network.write() as session:
            paid = wrong_payments.received(session, STORE, AT.date(), self.at.date())
            if paid:
                entry, _gone = paid[which % len(paid)]
                wrong_payments.take_back(Context(session, **self.there), STORE, entry.id, why="Another store's")

    def pay_out(self, _size: int) -> None:
        with self.network.write() as session:
            payment_runs.make_run(Context(session, **self.there), id=new_id())

    def carried_out(self, which: int) -> None:
        with self.network.write() as session:
            for run in {one.run_id for one in payouts.latest(session, limit=which)}:
                payment_runs.confirm(Context(session, **self.there), run)

    def came_back(self, which: int) -> None:
        if found := self.some(self.network, payouts.Payout, which, "made", "paid"):
            with self.network.write() as session:
                payouts.returned(Context(session, **self.there), STORE, found, why="Closed")

    def online(self, size: int) -> None:
        """Let a customer have paid online and taken the goods home."""
        with self.network.write() as session:
            row = escrow.open_for(
                Context(session, **self.there),
                new_id(),
                STORE,
                "pickup",
                900 * size,
                currency="EUR",
                provider="practice",
            )
            escrow.settle_outcome(Context(session, **self.there), row.id, escrow.Outcome("captured"))
            row.release_at, row.proved = self.at + dt.timedelta(days=3), True

    def refund(self, size: int) -> None:
        if found := self.some(self.network, Escrow, size, "held"):
            with self.network.write() as session:
                back = min(500 * size, escrow.balance(session, found))
                escrow.refund(Context(session, **self.there), found, back, why="Back")

    def pass_on(self, which: int) -> None:
        if found := self.some(self.network, Escrow, which, "held"):
            with self.network.write() as session:
                escrow.release(Context(session, **self.there), found, why="Time is over")

    def ask_advance(self, size: int) -> None:
        with self.store.write() as session:
            advances.ask(Context(session, **self.here), STORE, 1_000 * size, id=new_id())

    def part(self, size: int, *, sign: int = 1) -> None:
        with self.network.write() as session:
            reported = {"store_id": STORE, "statement_id": new_id(), "parts": [["Mei", sign * 600 * size]]}
            hear(session, "agent.parts", reported, at=self.there["at"])

    def part_back(self, size: int) -> None:
        self.part(size, sign=-1)

    def give_up(self, which: int) -> None:
        with self.network.write() as session:
            left = open_invoices(session, STORE)
            if left:
                one = left[which % len(left)]
                ledger.write_off(Context(session, **self.there), STORE, one.invoice.id, why="Gone")

    def hold(self, _size: int) -> None:
        with self.network.write() as session:
            credit.hold(Context(session, **self.there), STORE, why="Call us")

    def release(self, _size: int) -> None:
        with self.network.write() as session:
            credit.release(Context(session, **self.there), STORE)

    def let_go(self, which: int, *, verb=credit.let_go, **more: str) -> None:
        with self.network.write() as session:
            held = credit.held_draws(session)
            if held:
                verb(Context(session, **self.there), STORE, held[which % len(held)].order_id, **more)

    def turn_down(self, which: int) -> None:
        self.let_go(which, verb=credit.refuse, why="Pay first")

    def night(self, _size: int) -> None:
        with self.network.write() as session:
            credit_review.close_day(Context(session, NIGHT, self.at), self.at.date() - dt.timedelta(days=1))

    # --- inside ---

    def some(self, database, kind, which: int, *states: str) -> str | None:
        """Return one of the store's things of a kind in these states."""
        query = sa.select(kind.id).where(kind.store_id == STORE, kind.state.in_(states)).order_by(kind.id)
        with database.read() as session:
            found = session.scalars(query).all()
        return found[which % len(found)] if found else None
