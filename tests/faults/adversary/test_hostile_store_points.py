"""A hostile store and the points of other stores' members: it reads none, spends none, and makes none up."""

import itertools

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.ids import NETWORK, new_id
from config.nodes import outbox
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.customers import customers, loyalty
from pos.customers.loyalty import MemberReported, PointsEntry, PointsMoved, PointsReported
from supply.money import points as network_points
from supply.money import points_pool
from supply.money.points import PointsMember, PointsWaiting
from supply.money.points_pool import Ask
from supply.online.checkout import phone_codes, points_consent
from tests.store_app.conftest import KEY as STORE_KEY
from tests.store_app.conftest import NOON, STORE
from tests.supply.money.test_shared_points import PHONES, SECRET, Street, a_sale, terms
from tests.supply.road import AT, DAY, OPERATOR, make_country

MEMBER, MOVED, REPORTED = MemberReported.TOPIC, PointsMoved.TOPIC, PointsReported.TOPIC
STRANGER = "+1 213 555 0177"
KEYS = {phone: customers.key_of(NETWORK, "UTC", phone) for phone in (*PHONES, STRANGER)}
HERE, ROGUE = "S1", "S2"


class Rogue(Street):
    """A street whose second store tells the network whatever it likes; its customers consented to nothing there."""

    def __init__(self, country) -> None:
        super().__init__(country, agreed=False)
        for who in range(len(PHONES)):
            self.agree(HERE, who)
        self.deliver()

    def send(self, topic, body) -> None:
        """Let the rogue tell a fact of its own making."""
        id_ = str(body.get("id") or new_id())
        name = f"{topic}-{id_}" if topic in (MEMBER, MOVED) else id_
        with self.country.stores[ROGUE].write() as session:
            outgoing = outbox.Outgoing(topic=topic, version=1, body=body, id=name, subject="x", business_day=DAY)
            outbox.append(session, outgoing, to_node=NETWORK, at=self.at)
        self.deliver()

    def member(self, customer_id, phone, reported_at=AT) -> None:
        body = {
            "store_id": ROGUE,
            "customer_id": customer_id,
            "key": KEYS[phone],
            "reported_at": reported_at.isoformat(),
        }
        self.send(MEMBER, body)

    def moved(self, kind, points, *, customer_id="rogue-1", sale_id="", of_sale_id="", amount_minor=0) -> str:
        id_ = new_id()
        self.send(MOVED, {
            "store_id": ROGUE, "id": id_, "customer_id": customer_id, "key": KEYS[PHONES[0]], "kind": kind,
            "points": points, "amount_minor": amount_minor, "sale_id": sale_id, "of_sale_id": of_sale_id,
            "at": AT.isoformat(), "business_day": DAY.isoformat(),
        })  # fmt: skip
        return id_

    def sold(self, minor, customer_id="rogue-1", of_sale_id=None) -> str:
        """Let the rogue tell of a sale, or a return of one."""
        sale_id = new_id()
        number = next(self.numbers[ROGUE])
        fact = a_sale(ROGUE, customer_id, minor, sale_id, of_sale_id, receipt_no=number, at=self.at)
        self.send(fact.TOPIC, fact.to_body())
        return sale_id

    def heard(self, customer_id) -> list[dict]:
        """Return the balances the rogue was told of a customer, without what numbers them."""
        with self.network.read() as session:
            query = sa.select(OutboxMessage).where(OutboxMessage.to_node == ROGUE, OutboxMessage.topic == REPORTED)
            bodies = [outbox.to_wire(row)["body"] for row in session.scalars(query.order_by(OutboxMessage.n))]
        mine = [body for body in bodies if body["customer_id"] == customer_id]
        return [{name: value for name, value in body.items() if name != "customer_id"} for body in mine]

    def ask_for(self, customer_id, minor) -> points_pool.Answer:
        with self.network.write() as session:
            asked = Ask("begin", new_id(), customer_id, new_id(), minor)
            return points_pool.ask(session, ROGUE, asked, at=self.at)

    def balance(self, phone) -> int:
        with self.network.read() as session:
            return network_points.balance_of(session, KEYS[phone]) or 0

    def waits(self) -> dict[str, str]:
        with self.network.read() as session:
            return {row.id: row.why for row in session.scalars(sa.select(PointsWaiting))}


BOTH = pytest.mark.parametrize("rogue", ["", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)


@pytest.fixture
def rogue(request, tmp_path):
    url = request.getfixturevalue("postgres_database") if getattr(request, "param", "") else ""
    street = Rogue(make_country(tmp_path, url))
    yield street
    assert street.country.findings() == []
    street.country.network.engine.dispose()


@BOTH
def test_a_store_that_knows_a_number_neither_reads_nor_spends_its_points_nor_learns_whether_it_is_a_member(rogue):
    rogue.sell(HERE, 0, 25_000)
    rogue.deliver()
    assert rogue.balance(PHONES[0]) == 500
    rogue.member("victim", PHONES[0])
    rogue.member("nobody", STRANGER)
    for customer_id in ("victim", "nobody"):
        assert [(body["points"], body["linked"]) for body in rogue.heard(customer_id)] == [(0, False)]
    assert rogue.heard("victim") == rogue.heard("nobody")
    answers = [rogue.ask_for(customer_id, 300) for customer_id in ("victim", "nobody")]
    assert answers == [points_pool.Answer("declined", "points-not-linked")] * 2
    assert rogue.ask(HERE, 0, 1_500)[1] == "captured", "the member redeems all of it where it was earned"
    assert rogue.pool() == 0


def test_the_code_goes_to_any_number_alike_and_only_the_right_one_connects_within_five_tries(rogue):
    rogue.sell(HERE, 0, 25_000)
    rogue.deliver()
    codes = []
    for phone in (PHONES[0], STRANGER):
        with rogue.network.write() as session:
            points_consent.send(session, ROGUE, phone, language="en", at=rogue.at)
            codes.append(points_consent.sent_code(session, ROGUE, phone, secret=SECRET))
    with rogue.network.write() as session:
        for phone, code in zip((PHONES[0], STRANGER), codes, strict=True):
            wrong = f"{(int(code) + 1) % 10**8:08d}"
            tries = [wrong] * phone_codes.TRIES + [code]
            reported = [
                points_consent.prove(session, ROGUE, "c", phone, one, secret=SECRET, at=rogue.at) for one in tries
            ]
            assert reported == [None] * len(tries), "after five wrong ones the right one opens nothing either"
    assert rogue.heard("c") == []
    rogue.know(ROGUE, 0)
    rogue.deliver()
    rogue.at += phone_codes.PAUSE
    rogue.agree(ROGUE, 0)
    assert (rogue.seen(ROGUE), rogue.ask(ROGUE, 0, 300)[1]) == (500, "captured")


def test_a_told_number_moves_nobody_s_points_and_what_was_earned_before_the_consent_comes_along(rogue):
    rogue.sell(HERE, 0, 5_000)
    rogue.sell(ROGUE, 0, 2_000)
    rogue.deliver()
    assert (rogue.seen(HERE), rogue.seen(ROGUE)) == (100, 40), "earned there, waiting there"
    rogue.agree(ROGUE, 0)
    rogue.deliver()
    assert (rogue.seen(HERE), rogue.seen(ROGUE), rogue.balance(PHONES[0])) == (140, 140, 140)
    rogue.member(rogue.id(ROGUE, 0), PHONES[1], reported_at=AT.replace(hour=10))  # "the same person has another number"
    assert (rogue.balance(PHONES[0]), rogue.balance(PHONES[1])) == (140, 0)


def test_points_are_earned_by_a_taken_sale_at_the_rate_once_and_all_else_waits_for_its_sale_or_a_person(rogue):
    rogue.member("rogue-1", PHONES[0])
    made_up = rogue.moved("earned", 10**9)
    early_sale = "0190-sale-that-comes-later"
    early = rogue.moved("earned", 20, sale_id=early_sale, amount_minor=1_000)
    sale_id, other = rogue.sold(1_000), rogue.sold(1_000, "rogue-2")
    much = rogue.moved("earned", 21, sale_id=sale_id, amount_minor=1_000)
    swollen = rogue.moved("earned", 2_000, sale_id=sale_id, amount_minor=100_000)
    others = rogue.moved("earned", 20, sale_id=other, amount_minor=1_000)
    rogue.moved("earned", 20, sale_id=sale_id, amount_minor=1_000)
    twice = rogue.moved("earned", 20, sale_id=sale_id, amount_minor=1_000)
    brought = rogue.moved("brought", 500, amount_minor=1_500)
    assert rogue.waits() == {
        made_up: "sale", early: "sale", much: "rate", swollen: "rate", others: "customer", twice: "twice",
        brought: "brought",
    }  # fmt: skip
    assert rogue.pool() == 20 * 3
    fact = a_sale(ROGUE, "rogue-1", 1_000, early_sale, receipt_no=next(rogue.numbers[ROGUE]), at=AT)
    rogue.send(fact.TOPIC, fact.to_body())
    assert early not in rogue.waits(), "counted as soon as its sale is here"
    assert rogue.pool() == 40 * 3
    with rogue.network.write() as session:
        network_points.decide(Context(session, OPERATOR, AT), ROGUE, brought, take=True)
        network_points.decide(Context(session, OPERATOR, AT), ROGUE, made_up, take=False)
    assert rogue.pool() == 540 * 3
    assert {brought, made_up}.isdisjoint(rogue.waits())
    with rogue.network.read() as session:
        assert set(session.scalars(sa.select(InboxMessage.state))) == {"taken"}, "and nothing is lost"


@BOTH
def test_no_more_comes_back_than_was_redeemed_however_many_keys_or_roads_it_is_asked_by(rogue):
    rogue.sell(HERE, 0, 25_000)
    rogue.deliver()
    rogue.agree(ROGUE, 0)
    payment_id, state = rogue.ask(ROGUE, 0, 300)
    assert (state, rogue.balance(PHONES[0])) == ("captured", 400)
    with rogue.network.write() as session:
        answers = [
            points_pool.ask(session, ROGUE, Ask("reverse", payment_id, key=key), at=AT).state
            for key in ("back-one-1", "back-two-2", "back-one-1")
        ]
    assert answers == ["captured", "declined", "captured"]
    mine, of = rogue.id(ROGUE, 0), f"sale-{payment_id}"
    back = rogue.sold(300, mine, of_sale_id=of)
    given_back = rogue.moved("given_back", 100, customer_id=mine, sale_id=back, of_sale_id=of, amount_minor=300)
    assert (rogue.balance(PHONES[0]), rogue.waits()) == (500, {given_back: "not-spent"})


def test_a_store_takes_back_what_its_sale_earned_and_no_point_of_another_store_s(rogue):
    rogue.sell(HERE, 0, 25_000)
    sale_id = rogue.sell(ROGUE, 0, 1_000)
    rogue.deliver()
    rogue.agree(ROGUE, 0)
    mine, back = rogue.id(ROGUE, 0), rogue.sold(500, rogue.id(ROGUE, 0), of_sale_id=sale_id)
    rest = {"customer_id": mine, "amount_minor": 500}
    rogue.moved("taken_back", -500, sale_id="none", of_sale_id="none", **rest)
    rogue.moved("taken_back", -10, sale_id=sale_id, of_sale_id=sale_id, **rest)  # the sale is no return of itself
    rogue.moved("taken_back", -10, sale_id=back, of_sale_id=sale_id, **rest)
    rogue.moved("taken_back", -11, sale_id=back, of_sale_id=sale_id, **rest)
    assert (rogue.balance(PHONES[0]), sorted(rogue.waits().values())) == (510, ["not-earned"] * 3)


KINDS = ("earned", "brought", "spent", "taken_back", "given_back")
LIE = st.tuples(
    st.sampled_from([*KINDS, "sale", "return", "member", "ask", "reverse"]), st.integers(0, 2), st.integers(0, 5),
    st.sampled_from([1, 19, 20, 21, 300, 10**6]),
)  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(lies=st.lists(LIE, min_size=8, max_size=30))
def test_no_sequence_of_one_store_s_words_takes_more_than_its_sales_earned_or_consented_members_have(
    tmp_path_factory, lies
):
    """Sell 10.00 a sale at two points for each 1.00; one member consented to the rogue, the other never did."""
    rogue = Rogue(make_country(tmp_path_factory.mktemp("rogue")))
    for who in (0, 1):
        rogue.sell(HERE, who, 10_000)
    rogue.deliver()
    rogue.agree(ROGUE, 1)
    people = (rogue.id(ROGUE, 0), rogue.id(ROGUE, 1), "made-up")
    sales, payments = ["none"], ["none"]
    for n, (what, person, which, points) in enumerate(lies):
        whose, sale = people[person], sales[which % len(sales)]
        if what in KINDS:
            sign = network_points.SIGNS[what]
            rogue.moved(what, sign * points, customer_id=whose, sale_id=sale, of_sale_id=sales[0], amount_minor=10**6)
        elif what in ("sale", "return"):
            sales.insert(0, rogue.sold(1_000, whose, of_sale_id=sale if what == "return" else None))
        elif what == "member":
            rogue.member(whose, (*PHONES, STRANGER)[which % 3], reported_at=AT.replace(second=n + 1))
        else:
            with rogue.network.write() as session:
                step = "begin" if what == "ask" else "reverse"
                asked = Ask(step, f"p-{n:08d}", whose, sale, points * 3, key=f"k-{n:08d}")
                if step == "reverse":
                    asked = Ask(step, payments[which % len(payments)], key=f"k-{n:08d}")
                points_pool.ask(session, ROGUE, asked, at=AT)
                payments.insert(0, asked.id)
    assert rogue.balance(PHONES[0]) == 200, "who never consented there has all of it"
    with rogue.network.read() as session:
        sums = {row.store_id: row for row in points_pool.parts(session)}[ROGUE] if rogue_moved(session) else None
        earning = sum(1 for one in sales if one != "none")
        if sums is not None:
            assert 0 <= sums.given <= 20 * earning, "no more than its sales earned at the rate"
            assert 0 <= sums.taken <= 200 + sums.given + back_of(session), "no more than consented members have"
        assert all(row.points >= 0 for row in session.scalars(sa.select(PointsMember).where(PointsMember.key != "")))
    rogue.pool()
    assert rogue.country.findings() == []
    for database in rogue.country.nodes().values():
        database.engine.dispose()


def rogue_moved(session) -> bool:
    return session.scalar(sa.select(PointsEntry.id).where(PointsEntry.store_id == ROGUE).limit(1)) is not None


def back_of(session) -> int:
    """Return what the rogue took back: a member may have spent it before."""
    query = sa.select(sa.func.sum(PointsEntry.points)).where(
        PointsEntry.store_id == ROGUE, PointsEntry.kind == "taken_back"
    )
    return -int(session.scalar(query) or 0)


def test_the_network_s_doors_answer_alike_for_a_member_and_a_stranger(network):
    with network.doors.write() as session:
        points_pool.found(Context(session, OPERATOR, NOON), terms(from_day=NOON.date(), currency="USD"))
        session.merge(loyalty.TakingPart(store_id=STORE, from_day=NOON.date(), until_day=None, reported_at=NOON))
        tz = session.get_one(network_points.Store, STORE).tz
        network_points.consent(session, "S02", "c2", customers.key_of(NETWORK, tz, PHONES[0]), at=NOON)
    client, bearer = network.visitor(), {"Authorization": f"Bearer {STORE_KEY}"}
    said = []
    for phone, n in zip((PHONES[0], STRANGER), itertools.count(), strict=False):
        sent = client.post("/api/sync/points/code", json={"phone": phone}, headers=bearer)
        typed = {"customer_id": f"c-{n}", "phone": phone, "code": "00000000"}
        wrong = client.post("/api/sync/points/consent", json=typed, headers=bearer)
        asked = {"step": "begin", "id": f"payment-{n}", "customer_id": f"c-{n}", "amount_minor": 300}
        spent = client.post("/api/sync/points", json=asked, headers=bearer)
        said.append([(one.status_code, {**one.json, "practised": ""}) for one in (sent, wrong, spent)])
    assert said[0] == said[1]
    assert [code for code, _ in said[0]] == [200, 200, 200]
    assert said[0][1][1]["balance"] is None
