"""Whatever customers, store and operator do with orders paid online: in the end no check finds fault, no money
waits."""

import contextlib
import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import DomainError
from config.ids import new_id
from config.nodes.journal import Actor, Context
from pos.catalogue import offers
from pos.payments.providers import Outcome
from pos.pricing.promises import Choice, Offer, Part
from pos.sync import checks as counter_checks
from supply.money import escrow, refunds
from supply.money.held_payments import Escrow
from supply.online import orders
from supply.online.checkout import placing
from supply.online.orders import PickupOrder, order_for_update
from supply.online.pickup import escrow_release, order_copy, pickup, returns
from supply.sync import checks
from tests.supply.online_store import ANA, AT, STORE, TILL, make_town

SYSTEM = Actor.system("escrow", "network")
ACTS = [
    "order", "order", "captured", "captured", "declined", "onward", "onward", "onward", "onward", "short", "cancel",
    "refuse", "expire", "ask_cancel", "ask_return", "take_back", "refuse_return", "confirm",
    "dispute", "resolve", "release",
    "refund", "deliver", "deliver", "deliver", "publish",
]  # fmt: skip
STEP = st.tuples(st.sampled_from(ACTS), st.integers(0, 3), st.sampled_from([0, 0, 1, 20, 100]))


@settings(max_examples=6, deadline=None)
@given(steps=st.lists(STEP, min_size=25, max_size=80), seed=st.integers(0, 999))
def test_no_walk_leaves_a_fault_in_the_books_or_money_in_escrow(tmp_path_factory, steps, seed):
    walk = Walk(make_town(tmp_path_factory.mktemp("walk")))
    for what, chosen, hours in steps:
        walk.at += dt.timedelta(hours=hours)
        with contextlib.suppress(DomainError):
            walk.act(what, chosen, seed)
    walk.to_the_end()
    with walk.town.network.read() as session:
        assert checks.findings(session) == []
        rows = session.query(Escrow).all()
        assert {row.state for row in rows} <= {"settled", "lapsed"}
        assert [escrow.balance(session, row.id) for row in rows] == [0] * len(rows)
        assert refunds.due(session, walk.at) == []
    with walk.town.store.read() as session:
        assert checks.findings(session) + counter_checks.findings(session) == []
        states = {order.state for order in session.query(PickupOrder)}
        assert states.isdisjoint(orders.OPEN)
    assert walk.town.faults() == []
    for database in (walk.town.network, walk.town.store):
        database.engine.dispose()


class Walk:
    """A town, its orders by their tokens, and the time."""

    def __init__(self, town):
        self.town, self.at, self.placed = town, AT, []
        town.open_till()
        offer = Offer(new_id(), "A tenth", "percent", (Part(Choice(everything=True)),), percent_bp=1_000,
                      codes=frozenset())  # fmt: skip
        with town.store.write() as session:
            offers.make(Context(session, ANA, AT), STORE, offer)
            offers.make_coupons(Context(session, ANA, AT), STORE, offer.id, codes=["TENTH"], most_uses=2)
        town.publish(AT)

    def act(self, what, chosen, seed):
        if what == "deliver":
            return self.town.deliver(seed=seed, at=self.at)
        if what == "publish":
            return self.town.publish(self.at)
        if what == "order":
            return self.order(chosen)
        if not self.placed:
            return None
        order_id, token = self.placed[chosen % len(self.placed)]
        return getattr(self, what)(order_id, token)

    def order(self, qty):
        preferences = placing.Preferences(coupons=("TENTH",) if qty else ())
        with self.town.network.write() as session:
            asked = placing.OrderRequest(
                id=new_id(),
                name="Li",
                phone="555 0100",
                lines=[("milk", qty + 1)],
                pay_with="practice" if qty != 3 else "",
                preferences=preferences,
            )
            made = placing.place(session, STORE, asked, at=self.at)
        self.placed.append((made.order.id, made.token))

    def came(self, id, state):
        with self.town.network.write() as session:
            came = escrow.settle_outcome(Context(session, SYSTEM, self.at), id, Outcome(state, "P"))
            order = order_for_update(session, STORE, id)
            if came == "held":
                placing.paid(session, order, at=self.at)
            if came == "lapsed" and order.state == "placed":
                placing.unpaid(Context(session, SYSTEM, self.at), order, why="not paid")

    def captured(self, id, _token):
        self.came(id, "captured")

    def declined(self, id, _token):
        self.came(id, "declined")

    def store_does(self, verb, id, **more):
        with self.town.store.write() as session:
            return verb(Context(session, ANA, self.at), STORE, id, **more)

    def onward(self, id, token):
        """Take the next step an order wants; hand it over once it is ready."""
        with self.town.store.read() as session:
            order = session.get(PickupOrder, (STORE, id))
            state, total = (order.state, order.total_minor) if order else ("", 0)
        if state == "ready":
            self.town.collect(token, new_id(), total, at=self.at)
        steps = {"placed": pickup.accept, "accepted": pickup.start_picking, "picking": pickup.ready,
                 "short": pickup.ready}  # fmt: skip
        if state in steps:
            self.store_does(steps[state], id)

    def short(self, id, _token):
        with self.town.store.write() as session:
            pickup.pick_line(Context(session, ANA, self.at), STORE, id, "milk", 1)
            pickup.short(Context(session, ANA, self.at), STORE, id)

    def cancel(self, id, _token):
        self.store_does(pickup.cancel, id, why="Sorry.")

    def refuse(self, id, _token):
        self.store_does(pickup.refuse, id, why="Sorry.")

    def expire(self, *_order):
        with self.town.store.write() as session:
            pickup.expire_due(Context(session, ANA, self.at), STORE)

    def ask_cancel(self, _id, token):
        with self.town.network.write() as session:
            placing.ask_to_cancel(session, STORE, token, at=self.at)

    def ask_return(self, _id, token):
        with self.town.network.write() as session:
            order_copy.ask_return(session, STORE, token, "Sour.", at=self.at)

    def take_back(self, id, _token):
        more = {"return_id": new_id(), "till_id": TILL, "lines": [("milk", 1, False)]}
        self.store_does(returns.take_back, id, **more)

    def refuse_return(self, id, _token):
        self.store_does(returns.refuse, id, why="It was fine.")

    def confirm(self, _id, token):
        with self.town.network.write() as session:
            order_copy.confirm(session, STORE, token, at=self.at)

    def dispute(self, _id, token):
        with self.town.network.write() as session:
            order_copy.dispute(session, STORE, token, "It was not.", at=self.at)

    def resolve(self, id, _token):
        with self.town.network.write() as session:
            escrow_release.decide(
                Context(session, SYSTEM, self.at), id, min(50, escrow.balance(session, id)), why="half"
            )

    def release(self, *_order):
        with self.town.network.write() as session:
            for row in escrow.to_release(session, self.at):
                escrow.release(Context(session, SYSTEM, self.at), row.id, why="collected")

    def refund(self, *_order):
        with self.town.network.write() as session:
            for one in refunds.due(session, self.at):
                escrow.refunded(Context(session, SYSTEM, self.at), one.id)

    def to_the_end(self):
        """Let the time pass: what is unpaid lapses, what waits expires, what is disputed is decided."""
        for days in (1, 20, 40):
            self.at += dt.timedelta(days=days)
            for order_id, token in self.placed:
                for act in (self.declined, self.refuse_return, self.resolve):
                    with contextlib.suppress(DomainError):
                        act(order_id, token)
            self.town.deliver(at=self.at)
            with self.town.store.read() as session:
                stuck = [order.id for order in session.query(PickupOrder).filter(PickupOrder.state.in_(orders.OPEN))]
            for order_id in stuck:
                with contextlib.suppress(DomainError):
                    self.store_does(pickup.cancel, order_id, why="Sorry.")
            self.expire()
            self.town.deliver(at=self.at)
            self.release()
            self.refund()
