"""Points that stores share: one balance wherever earned, never redeemed twice, and a pool that always balances."""

import contextlib
import datetime as dt
import itertools
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import DomainError, Refused
from config.ids import NETWORK, new_id
from config.nodes import facts, outbox
from config.nodes.journal import Context
from config.nodes.outbox import Message
from pos.customers import checks as account_checks
from pos.customers import customers, loyalty, points_terms
from pos.customers.customers import Particulars
from pos.customers.loyalty import PointsAccount, PointsEntry
from pos.customers.points_terms import PointsTerms
from pos.facts import Paid
from pos.store.store import store_of
from supply.money import ledger, points_pool
from supply.money import points as network_points
from supply.money.points import PointsLink, PointsMember
from supply.money.points_pool import Ask
from supply.online.checkout import points_consent
from supply.online.checkout.phone_codes import PhoneCode
from supply.sync import checks
from tests import network_facts
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, later, make_country
from tests.tampering import unlocked

PHONES = ("+1 213 555 0199", "+1 213 555 0144")
AGREED = frozenset({"phone", "points", "network"})
SECRET = "the-network-s-own"
KEY = customers.key_of(NETWORK, "UTC", PHONES[0])


def terms(**other) -> PointsTerms:
    given = {"scope": NETWORK, "from_day": DAY, "name": "Clover", "currency": "EUR", "active": True, "points": 2,
             "per_minor": 100, "worth_minor": 3, "least_points": 10, "expiry_months": 12, "lapsed_to": "stores",
             "notice_days": 14}  # fmt: skip
    return PointsTerms(**given | other)


def a_sale(store, customer_id, minor, sale_id, of_sale_id=None, *, receipt_no, at=AT):
    """Return a sale of one service, paid by card, as it travels; of_sale_id: a return of it."""
    (fact,) = network_facts.sales(store, 1, first=receipt_no, day=at.date())
    sign = -1 if of_sale_id else 1
    line = replace(
        fact.lines[0], n=1, qty=sign, unit_price_minor=minor, total_minor=sign * minor, net_minor=sign * minor,
        tax_minor=0, amount_minor=sign * minor, kind="service", returns_sale_id=of_sale_id,
        returns_n=1 if of_sale_id else None,
    )  # fmt: skip
    return replace(
        fact, id=sale_id, kind="return" if of_sale_id else "sale", lines=(line,), lines_minor=sign * minor, taxes=(),
        total_minor=sign * minor, tax_minor=0, paid_minor=sign * minor, change_minor=0, cash=(), movements=(),
        payments=(Paid(f"{sale_id}-p", "card", sign * minor, False, "1"),), customer={"id": customer_id},
        completed_at=at.isoformat(), shift_id=f"{store}-shift-{sale_id}",
    )  # fmt: skip


class Street:
    """Two stores that take part, each knowing the same people under ids of its own."""

    def __init__(self, country, *, agreed=True, **scheme) -> None:
        self.country, self.network, self.at = country, country.network, AT
        self.numbers = {store: itertools.count(1) for store in country.stores}
        with self.network.write() as session:
            points_pool.found(Context(session, OPERATOR, AT), terms(**scheme))
            edition = points_terms.edition(session)
        for store, database in country.stores.items():
            with database.write() as session:
                points_terms.take_edition(session, edition)
                loyalty.take_part(Context(session, KEEPER[store], AT), store_of(session, store))
            for who in range(len(PHONES)):
                self.know(store, who)
        self.deliver()
        if agreed:
            for store, who in itertools.product(country.stores, range(len(PHONES))):
                self.agree(store, who)
            self.deliver()

    def know(self, store, who, agreed=AGREED) -> None:
        with self.country.stores[store].write() as session:
            store_row, wished = store_of(session, store), Particulars("Ana", PHONES[who], agreed=agreed)
            do = customers.change if customers.is_known(session, store, self.id(store, who)) else customers.add
            do(Context(session, KEEPER[store], self.at), store_row, self.id(store, who), wished)

    def agree(self, store, who, phone="") -> None:
        """Let somebody type the code that came to the phone at a store, and the store hear what came of it."""
        phone = phone or PHONES[who]
        with self.network.write() as session:
            points_consent.send(session, store, phone, language="en", at=self.at)
            code = points_consent.sent_code(session, store, phone, secret=SECRET)
        with self.network.write() as session:
            reported = points_consent.prove(session, store, self.id(store, who), phone, code, secret=SECRET, at=self.at)
            session.execute(sa.delete(PhoneCode))  # a number may be sent one of every store at once here
        with self.country.stores[store].write() as session:
            hear(session, "points.reported", reported, at=AT)

    def id(self, store, who) -> str:
        return f"customer-{store}-{who}"

    def ring(self, store, who, minor, sale_id, of_sale_id=None) -> None:
        """Let a store tell of a sale, or of a return of one."""
        fact = a_sale(
            store, self.id(store, who), minor, sale_id, of_sale_id, receipt_no=next(self.numbers[store]), at=self.at
        )
        with self.country.stores[store].write() as session:
            outgoing = outbox.Outgoing(
                topic=fact.TOPIC,
                version=fact.VERSION,
                body=fact.to_body(),
                id=fact.id,
                subject="test",
                business_day=self.at.date(),
            )
            outbox.append(session, outgoing, to_node=NETWORK, at=self.at)

    def deliver(self, seed=None) -> None:
        self.country.deliver(seed=seed, at=self.at)

    def sell(self, store, who, minor, sale_id="") -> str:
        """Let somebody collect on a sale; returns its id."""
        sale_id = sale_id or new_id()
        with self.country.stores[store].write() as session:
            store_row, mine = store_of(session, store), self.id(store, who)
            if loyalty.collects(session, store, mine, self.at).scope != NETWORK:
                raise Refused("no-points-here", "No member")
            loyalty.earn(Context(session, KEEPER[store], self.at), store_row, mine, minor, sale_id=sale_id)
        self.ring(store, who, minor, sale_id)
        return sale_id

    def bring_back(self, store, who, sale_id, *, earned=0, paid=0) -> None:
        return_id = new_id()
        self.ring(store, who, earned or paid, return_id, of_sale_id=sale_id)
        with self.country.stores[store].write() as session:
            store_row, mine = store_of(session, store), self.id(store, who)
            ctx, rest = Context(session, KEEPER[store], self.at), {"sale_id": return_id, "of_sale_id": sale_id}
            if earned:
                loyalty.take_back(ctx, store_row, mine, earned, **rest)
            if paid:
                loyalty.give_back(ctx, store_row, mine, paid, **rest)

    def ask(self, store, who, minor, payment_id="") -> tuple[str, str]:
        """Ask the network for points; returns the payment's id and what became of it."""
        payment_id = payment_id or new_id()
        with self.network.write() as session:
            asked = Ask("begin", payment_id, self.id(store, who), f"sale-{payment_id}", minor)
            return payment_id, points_pool.ask(session, store, asked, at=self.at).state

    def use(self, store, who, payment_id, minor) -> None:
        """Complete the sale that granted points pay."""
        with self.country.stores[store].write() as session:
            ctx, sale_id = Context(session, KEEPER[store], self.at), f"sale-{payment_id}"
            mine = store_of(session, store), self.id(store, who)
            loyalty.spend(ctx, *mine, minor, sale_id=sale_id, payment_id=payment_id)

    def seen(self, store, who=0) -> int:
        """Return the balance a store shows."""
        with self.country.stores[store].read() as session:
            return loyalty.account_of(session, store, self.id(store, who), NETWORK).points

    def pool(self) -> int:
        """Return what the pool holds, having checked that it is what the stores owe it and what points are worth."""
        with self.network.read() as session:
            _members, points = network_points.outstanding(session)
            due = sum(part.due_minor for part in points_pool.parts(session))
            assert due == points * 3
            assert points == session.scalar(sa.select(sa.func.coalesce(sa.func.sum(PointsEntry.points), 0)))
            return due

    def night(self, day=DAY) -> dict[str, int]:
        """Settle; returns what each store's ledger has been charged since the beginning."""
        with self.network.write() as session:
            points_pool.settle_all(Context(session, OPERATOR, self.at), day)
            return {store: -ledger.balances(session, store)["points"] for store in self.country.stores}


@pytest.fixture
def street(tmp_path):
    return Street(make_country(tmp_path))


def test_what_is_earned_at_one_shop_without_a_line_is_redeemed_at_another(street):
    street.sell("S1", 0, 1_050)
    assert (street.seen("S1"), street.seen("S2")) == (21, 0), "the line is down"
    street.deliver()
    assert (street.seen("S1"), street.seen("S2")) == (21, 21)
    payment_id, state = street.ask("S2", 0, 45)
    assert state == "captured"
    street.use("S2", 0, payment_id, 45)
    assert street.seen("S2") == 6
    street.deliver(seed=1)
    assert (street.seen("S1"), street.seen("S2"), street.pool()) == (6, 6, 18)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_tills_that_ask_for_the_last_points_at_once_one_gets_them(tmp_path, request, kind):
    url = request.getfixturevalue("postgres_database") if kind == "postgresql" else ""
    street = Street(make_country(tmp_path, url))
    street.sell("S1", 0, 1_000)
    street.deliver(seed=5)
    gate, states = threading.Barrier(6), []

    def till(number):
        gate.wait(60)
        states.append(street.ask(f"S{number % 2 + 1}", 0, 60)[1])

    tills = [threading.Thread(target=till, args=(number,)) for number in range(6)]
    for one in tills:
        one.start()
    for one in tills:
        one.join(120)
    assert sorted(states) == ["captured"] + ["declined"] * 5
    street.deliver()
    street.night()
    assert (street.seen("S1"), street.pool(), street.country.findings()) == (0, 0, [])
    street.country.network.engine.dispose()


def test_a_grant_asked_twice_is_one_and_what_was_called_off_before_is_never_granted(street):
    street.sell("S1", 0, 2_000)
    street.deliver()
    assert [street.ask("S2", 0, 60, payment_id="payment-one")[1] for _ in range(2)] == ["captured", "captured"]
    with street.network.write() as session:
        assert points_pool.ask(session, "S2", Ask("cancel", "payment-two"), at=AT).state == "cancelled"
        assert points_pool.ask(session, "S2", Ask("query", "payment-six"), at=AT).reason == "never-seen"
    assert street.ask("S2", 0, 60, payment_id="payment-two")[1] == "cancelled"
    with street.network.write() as session:
        for _ in range(2):
            back = Ask("reverse", "payment-one", key="payment-one:back")
            assert points_pool.ask(session, "S2", back, at=AT).state == "captured"
    street.deliver()
    assert (street.seen("S1"), street.pool()) == (40, 120)


def test_a_return_takes_points_back_that_were_spent_elsewhere_and_the_next_purchase_fills_the_hole(street):
    sale_id = street.sell("S1", 0, 1_000)
    street.deliver()
    street.use("S2", 0, street.ask("S2", 0, 60)[0], 60)
    street.bring_back("S1", 0, sale_id, earned=500)
    street.deliver()
    assert (street.seen("S1"), street.seen("S2"), street.pool()) == (-10, -10, -30)
    street.sell("S2", 0, 800)
    street.deliver()
    assert street.seen("S1") == 6


def test_the_earning_shop_pays_into_its_ledger_what_the_redeeming_shop_is_paid(street):
    street.sell("S1", 0, 10_000)
    street.deliver()
    payment_id, _ = street.ask("S2", 0, 300)
    street.use("S2", 0, payment_id, 300)
    street.deliver()
    assert street.night() == {"S1": 600, "S2": -300}
    assert street.night() == {"S1": 600, "S2": -300}, "once a day"
    with street.network.read() as session:
        assert ledger.balances(session, "S2")["funds"] == -300
        (one,) = ledger.open_invoices(session, "S1")
        assert (one.left_minor, one.invoice.lines[0][1]) == (600, "Clover")
    street.bring_back("S2", 0, f"sale-{payment_id}", paid=150)
    street.deliver()
    assert street.night(DAY + dt.timedelta(days=1)) == {"S1": 600, "S2": -150}
    assert street.pool() == 450


def test_a_shop_that_takes_back_what_it_never_gave_waits_and_taken_in_all_the_same_is_a_finding(street):
    body = {"store_id": "S2", "id": new_id(), "customer_id": street.id("S2", 0), "key": KEY, "kind": "taken_back",
            "points": -50, "amount_minor": 2_500, "sale_id": "s", "of_sale_id": "t", "at": AT.isoformat(),
            "business_day": DAY.isoformat()}  # fmt: skip
    with street.network.write() as session:
        hear(session, "points.moved", body, at=AT)
        assert checks.findings(session) == []
    assert street.pool() == 0
    with street.network.write() as session:
        network_points.decide(Context(session, OPERATOR, AT), "S2", body["id"], take=True)
        assert [one.code for one in checks.findings(session)] == ["K20"]
    assert street.night()["S2"] == 0


def test_points_nobody_moves_lapse_to_the_shops_that_paid_for_them(street):
    street.sell("S1", 0, 1_000)
    street.sell("S2", 0, 500)
    street.deliver()
    with street.network.write() as session:
        assert network_points.lapse_old(session, dt.date(2027, 3, 2), at=later(days=365)) == 0
        assert network_points.lapse_old(session, dt.date(2027, 3, 3), at=later(days=366)) == 1
        left = {part.store_id: part.due_minor for part in points_pool.parts(session)}
    assert (left, street.pool()) == ({"S1": 0, "S2": 0}, 0)
    street.deliver()
    assert street.seen("S2") == 0


def test_who_is_forgotten_at_the_last_shop_is_forgotten_by_the_network(street):
    street.sell("S1", 0, 1_000)
    street.deliver()
    for store in ("S1", "S2"):
        with street.country.stores[store].write() as session:
            customers.erase(
                Context(session, KEEPER[store], later(days=1)), store_of(session, store), street.id(store, 0)
            )
        street.deliver(seed=2)
        with street.network.read() as session:
            assert points_pool_known(session) == (store == "S1")
    assert street.pool() == 0


def points_pool_known(session) -> bool:
    return session.scalar(sa.select(PointsMember.id).where(PointsMember.key == KEY)) is not None


def test_who_leaves_at_the_network_leaves_every_shop_and_may_come_again(street):
    street.sell("S1", 0, 1_000)
    street.deliver()
    with street.network.write() as session:
        assert network_points.leave(session, KEY, at=later(hours=1))
        assert not network_points.leave(session, KEY, at=later(hours=1))
    street.deliver(seed=3)
    for store, database in street.country.stores.items():
        with database.read() as session:
            assert loyalty.collects(session, store, street.id(store, 0), AT).scope == store
    street.at = later(hours=2)
    street.know("S1", 0)
    street.sell("S1", 0, 500)
    street.deliver()
    assert (street.seen("S1"), street.pool()) == (10, 30)
    assert street.ask("S1", 0, 30)[1] == "declined", "who comes back consents again"


def test_a_new_number_keeps_the_points_and_two_numbers_of_one_person_become_one(street):
    street.sell("S1", 0, 1_000)
    street.sell("S2", 1, 500)
    street.deliver()
    street.at = later(hours=1)
    for store in ("S1", "S2"):  # whoever was known by the first number has the second one now
        with street.country.stores[store].write() as session:
            store_row, wished = store_of(session, store), Particulars("Ana", PHONES[1], agreed=AGREED)
            customers.change(Context(session, KEEPER[store], street.at), store_row, street.id(store, 0), wished)
    street.deliver(seed=4)
    assert street.seen("S1") == 20, "a number nobody confirmed opens nothing"
    for store in ("S1", "S2"):
        street.agree(store, 0, PHONES[1])
    street.deliver(seed=4)
    assert {street.seen(store, who) for store in ("S1", "S2") for who in (0, 1)} == {30}
    assert street.pool() == 90


def test_a_shops_own_points_come_along_and_are_never_collected_beside(tmp_path):
    street = Street(make_country(tmp_path))
    with street.country.stores["S1"].write() as session:
        store_row, by = store_of(session, "S1"), {"actor": KEEPER["S1"], "at": AT}
        points_terms.set_terms(Context(session, **by), points_terms.terms_of("S1", True, 1, 100, 2, 1))
        customers.add(
            Context(session, **by), store_row, "customer-own", Particulars("Bo", agreed=frozenset({"points"}))
        )
        loyalty.earn(Context(session, **by), store_row, "customer-own", 4_000, sale_id="s0")
        wished = Particulars("Bo", "+1 213 555 0101", agreed=AGREED)
        customers.change(Context(session, **by), store_row, "customer-own", wished)
        standing = customers.standing(session, store_row, "customer-own", at=AT)
        assert (standing.points, standing.points_name, standing.points_to_confirm) == (26, "Clover", True)
        assert loyalty.account_of(session, "S1", "customer-own").points == 0
        back = {"sale_id": "r0", "of_sale_id": "s0"}
        assert loyalty.take_back(Context(session, **by), store_row, "customer-own", 1_000, **back) == (10, -10)
        standing = customers.standing(session, store_row, "customer-own", at=AT)
        assert standing.points == 26, "what comes back is of the points that its sale earned"
        assert account_checks.findings(session) == []


def test_points_that_went_over_are_not_had_twice_once_the_books_are_put_back(street):
    with street.country.stores["S1"].write() as session:
        store_row, by, mine = store_of(session, "S1"), {"actor": KEEPER["S1"], "at": AT}, ("S1", "customer-own")
        points_terms.set_terms(Context(session, **by), points_terms.terms_of("S1", True, 1, 100, 2, 1))
        wished = Particulars("Bo", "+1 213 555 0101", agreed=AGREED - {"network"})
        customers.add(Context(session, **by), store_row, mine[1], wished)
        loyalty.earn(Context(session, **by), store_row, mine[1], 4_000, sale_id="s0")
    copied = (loyalty.PointsAccount.customer_id == mine[1], loyalty.PointsAccount.scope == "S1")
    with street.country.stores["S1"].write() as session:
        loyalty.enroll(Context(session, **by), store_row, mine[1], member=True, key="k")
        reported = [Message(**outbox.to_wire(row)) for row in outbox.due(session, NETWORK)]
        with unlocked(session):
            session.execute(sa.delete(PointsEntry).where(PointsEntry.kind.in_(["carried", "brought"])))
        session.execute(sa.delete(PointsAccount).where(PointsAccount.scope == NETWORK))
        session.execute(sa.update(PointsAccount).where(*copied).values(points=40))
        for message in reported * 2:
            assert not facts.recover(session, message, AT)
        assert [loyalty.account_of(session, *mine, scope).points for scope in ("S1", NETWORK)] == [0, 26]
        assert account_checks.findings(session) == []


def test_a_shop_leaves_after_its_notice_and_what_it_sold_can_still_come_back(street):
    sale_id = street.sell("S1", 0, 1_000)
    with street.country.stores["S1"].write() as session:
        part = loyalty.give_notice(Context(session, KEEPER["S1"], later(hours=1)), store_of(session, "S1"))
        assert part.until_day == DAY + dt.timedelta(days=14)
        scopes = [loyalty.collects(session, "S1", street.id("S1", 0), later(days=n)).scope for n in (14, 15)]
        assert scopes == [NETWORK, "S1"]
    street.deliver()
    street.at = later(days=20)
    assert street.ask("S1", 0, 30)[1] == "declined"
    street.bring_back("S1", 0, sale_id, earned=1_000)
    street.deliver()
    assert street.pool() == 0


def test_the_network_changes_its_scheme_from_a_day_on_but_never_what_a_point_is_worth(street):
    with street.network.write() as session:
        with pytest.raises(DomainError, match="from tomorrow"):
            points_pool.found(Context(session, OPERATOR, AT), terms(points=1))
        less = terms(from_day=DAY + dt.timedelta(days=3), points=1, worth_minor=9)
        points_pool.found(Context(session, OPERATOR, AT), less)
        rows = [points_terms.terms_on(session, NETWORK, DAY + dt.timedelta(days=n)) for n in (2, 3)]
        assert [(row.points, row.worth_minor) for row in rows] == [(2, 3), (1, 3)]


def test_a_shop_put_back_from_a_copy_knows_its_members_and_their_points_again(street, tmp_path):
    street.sell("S1", 0, 1_000)
    sale_id = street.sell("S1", 1, 500)
    with street.country.stores["S1"].read() as session:
        reported = [Message(**outbox.to_wire(row)) for row in outbox.due(session, NETWORK)]
    street.bring_back("S1", 1, sale_id, earned=500)
    with street.country.stores["S1"].write() as session:
        session.execute(sa.delete(PointsAccount).where(PointsAccount.scope == NETWORK))
        with unlocked(session):
            session.execute(sa.delete(PointsEntry))
        for message in reported * 2:
            assert not facts.recover(session, message, AT)
    assert (street.seen("S1", 0), street.seen("S1", 1)) == (20, 10)
    street.deliver(seed=6)
    assert (street.seen("S1", 0), street.seen("S1", 1), street.pool()) == (20, 0, 60)


STEPS = ("sell", "redeem", "let_go", "bring_back", "part_back", "quit", "join", "agree", "night", "lapse", "carry")
STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, 1), st.integers(0, 1), st.integers(1, 9))


@settings(max_examples=8, deadline=None)
@given(
    steps=st.lists(STEP, min_size=12, max_size=40), seed=st.integers(0, 999), to=st.sampled_from(["stores", "network"])
)
def test_no_walk_of_sales_returns_and_nights_leaves_a_fault_in_the_pool(tmp_path_factory, steps, seed, to):
    walk = Walk(Street(make_country(tmp_path_factory.mktemp("points")), lapsed_to=to), seed)
    for n, (what, store, who, size) in enumerate(steps):
        walk.street.at = later(hours=n)
        with contextlib.suppress(DomainError):
            getattr(walk, what)(f"S{store + 1}", who, size)
        walk.street.pool()
    walk.end()


class Walk:
    """What members, stores and nights do, in any order; every word comes late, shuffled and twice."""

    def __init__(self, street, seed) -> None:
        self.street, self.seed = street, seed
        self.sold, self.used = [], []

    def sell(self, store, who, size):
        self.sold.append((store, who, self.street.sell(store, who, 1_000 * size)))

    def redeem(self, store, who, size):
        payment_id, state = self.street.ask(store, who, 30 * size)
        if state == "captured":
            self.used.append((store, who, f"sale-{payment_id}", 30 * size))
            self.street.use(store, who, payment_id, 30 * size)

    def let_go(self, store, who, size):
        payment_id, _ = self.street.ask(store, who, 30 * size)
        with self.street.network.write() as session:
            back = Ask("reverse", payment_id, key=f"{payment_id}:back")
            points_pool.ask(session, store, back, at=self.street.at)

    def bring_back(self, _store, _who, _size):
        if self.sold:
            self.street.bring_back(*self.sold.pop(), earned=1_000)

    def part_back(self, _store, _who, _size):
        if self.used:
            *which, minor = self.used.pop()
            self.street.bring_back(*which, paid=minor)

    def quit(self, store, who, _size):
        self.street.know(store, who, frozenset({"phone", "points"}))

    def join(self, store, who, _size):
        self.street.know(store, who)

    def agree(self, store, who, _size):
        with self.street.country.stores[store].read() as session:
            known = loyalty.collects(session, store, self.street.id(store, who), self.street.at)
        if known.scope == NETWORK:
            self.street.agree(store, who)

    def night(self, _store, _who, size):
        self.street.night(DAY + dt.timedelta(days=size))

    def lapse(self, _store, _who, _size):
        with self.street.network.write() as session:
            network_points.lapse_old(session, DAY + dt.timedelta(days=500), at=self.street.at)

    def carry(self, _store, _who, _size):
        self.street.deliver(self.seed)

    def end(self):
        """See that all books agree once everything has arrived and is settled."""
        self.carry("", 0, 0)
        self.street.pool()
        self.street.night(DAY + dt.timedelta(days=99))
        country = self.street.country
        assert country.findings() == []
        with country.network.read() as session:
            for part in points_pool.parts(session):
                assert part.store_id == NETWORK or part.due_minor == part.settled_minor
            for store in country.stores:
                assert sum(ledger.balances(session, store).values()) == 0
            links = {(row.store_id, row.customer_id): row for row in session.scalars(sa.select(PointsLink))}
            points = {row.id: row.points for row in session.scalars(sa.select(PointsMember))}
        for store, database in country.stores.items():
            with database.read() as session:
                for row in session.scalars(
                    sa.select(PointsAccount).where(PointsAccount.scope == NETWORK, PointsAccount.member)
                ):
                    link = links[store, row.customer_id]
                    assert row.points == points[link.member_id], f"{store} shows what the network knows"
                    assert row.linked == link.is_linked
        for database in country.nodes().values():
            database.engine.dispose()
