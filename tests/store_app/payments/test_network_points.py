"""Shared points at the till and on the pages: redeemed is what the network grants while the till waits."""

import httpx2
import pytest
import sqlalchemy as sa

from config.ids import NETWORK, new_id
from config.nodes.journal import Actor, Context
from pos.customers import customers, loyalty, points_terms
from pos.customers.customers import Particulars
from pos.customers.points_terms import PointsTerms
from pos.payments import requests
from pos.payments.payments import Payment
from pos.store.store import store_of
from store_app.payments.providers import asker
from store_app.sync import sender
from supply.money import points as network_points
from supply.money import points_pool
from tests.arriving import hear
from tests.store_app.api.test_payments import browser, stock_milk
from tests.store_app.conftest import KEY, NOON, STORE
from tests.store_app.house import post

ANA, PHONE = "customer-ana-0001", "+1 213 555 0199"
BY = Actor.system("test", NETWORK)


class Clover:
    """A network with a scheme, and a store that takes part, its till open and its member known."""

    def __init__(self, house, network, served, *, agreed_here=True) -> None:
        self.house, self.network, self.served = house, network, served
        with house.doors.read() as session:
            store = store_of(session, STORE)
            self.currency, self.key = store.currency, customers.key_of(NETWORK, store.tz, PHONE)
        with network.doors.write() as session:
            scheme = PointsTerms(
                scope=NETWORK, from_day=NOON.date(), name="Clover", currency=self.currency, active=True, points=10,
                per_minor=100, worth_minor=1, least_points=10, expiry_months=0, lapsed_to="stores", notice_days=14,
            )  # fmt: skip
            points_pool.found(Context(session, BY, NOON), scheme)
            edition = points_terms.edition(session)
        stock_milk(house)
        with house.doors.write() as session:
            points_terms.take_edition(session, edition)
            store, by = store_of(session, STORE), {"actor": Actor.system("test", STORE), "at": NOON}
            loyalty.take_part(Context(session, **by), store)
            agreed = frozenset({"phone", "points", "network"})
            customers.add(Context(session, **by), store, ANA, Particulars("Ana", PHONE, agreed=agreed))
        if agreed_here:
            with network.doors.write() as session:
                reported = network_points.consent(session, STORE, ANA, self.key, at=NOON)
            with house.doors.write() as session:
                hear(session, "points.reported", reported.to_body(), at=NOON)
        self.till = browser(house)
        assert self.till.post("/api/shifts", json={"till_id": "1", "float_minor": 5_000}).status_code == 201

    def talk(self) -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx2.Client(base_url=self.served, headers=headers, timeout=60) as client:
            done = sender.contact(self.house.doors.database, self.house.doors.settings, client, self.house.clock)
        assert (done.fault, done.parked) == (None, 0)

    def sell(self, *tenders, sale_id="", **other):
        body = {
            "id": sale_id or new_id(), "till_id": "1", "lines": [{"sku": "MILK", "qty": 3}], "customer_id": ANA,
            "tenders": [{"tender": tender, "amount_minor": minor} for tender, minor in tenders],
            "shown_total_minor": 300,
        } | other  # fmt: skip
        return self.till.post("/api/sales", json=body)

    def known(self) -> int | None:
        """Return the balance as the network has it."""
        with self.network.doors.read() as session:
            return network_points.balance_of(session, self.key)

    def asked(self) -> list[tuple[str, str]]:
        with self.house.doors.read() as session:
            rows = session.scalars(sa.select(Payment).where(Payment.way == "points").order_by(Payment.requested_at))
            return [(row.state, "used" if row.claimed_by else "") for row in rows]


@pytest.fixture
def clover(build, network, served):
    return Clover(build(network_url=served, network_key=KEY), network, served)


def test_points_are_granted_by_the_network_while_the_till_waits_and_a_sale_sent_again_uses_the_same(clover):
    assert clover.sell(("cash", 300)).json["document"]["customer"] == {
        "points_name": "Clover", "id": ANA, "points_earned": 30, "points_balance": 30, "tab_balance_minor": 0,
    }  # fmt: skip
    clover.talk()
    sale_id = new_id()
    answers = [clover.sell(("points", 20), ("cash", 280), sale_id=sale_id) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json["document"]["customer"]["points_balance"] == 30 - 20 + 28
    assert clover.asked() == [("captured", "used")]
    clover.talk()
    assert clover.known() == 38
    (found,) = clover.till.get("/api/customers?q=ana").json["customers"]
    assert found["points"] == 38


def test_the_first_time_at_a_store_the_customer_confirms_the_phone_by_a_code_and_can_redeem_then(
    build, network, served
):
    clover = Clover(build(network_url=served, network_key=KEY), network, served, agreed_here=False)
    assert clover.sell(("cash", 300)).json["document"]["customer"]["points_balance"] == 30
    clover.talk()
    standing = clover.till.get(f"/api/customers/{ANA}").json["standing"]
    assert (standing["points"], standing["points_to_confirm"], standing["points_worth_minor"]) == (30, True, 0)
    refused = clover.sell(("points", 20), ("cash", 280))
    assert refused.json["error"]["code"] == "points-not-linked"
    sent = clover.till.post(f"/api/customers/{ANA}/points/code", json={}).json
    assert sent["phone_end"] == "0199"
    again = clover.till.post(f"/api/customers/{ANA}/points/code", json={}).json
    assert again["practised"] == sent["practised"], "a second press within a minute sends nothing more"
    typed = f"/api/customers/{ANA}/points/consent"
    wrong = clover.till.post(typed, json={"code": f"{(int(sent['practised']) + 1) % 10**8:08d}"})
    assert (wrong.status_code, wrong.json["error"]["code"]) == (422, "points-wrong-code")
    reported = clover.till.post(typed, json={"code": sent["practised"]}).json["standing"]
    assert (reported["points"], reported["points_to_confirm"], reported["points_worth_minor"]) == (30, False, 30)
    assert clover.sell(("points", 20), ("cash", 280)).status_code == 201
    page = clover.house.signed_in("shopkeeper").get(f"/customers/{ANA}").text
    assert "Send code" not in page


def test_without_a_line_no_code_is_sent_and_the_page_says_that_the_points_are_kept(build, network):
    house = build(network_url="http://127.0.0.1:9", network_key=KEY)
    clover = Clover(house, network, "", agreed_here=False)
    refused = clover.till.post(f"/api/customers/{ANA}/points/code", json={})
    assert (refused.status_code, refused.json["error"]["code"]) == (503, "points-code-needs-line")
    keeper = house.signed_in("shopkeeper")
    assert "Send code" in keeper.get(f"/customers/{ANA}").text
    said = post(keeper, f"/customers/{ANA}/points-code", command_id=new_id()).text
    assert "The network is not responding. The points are" in said


def test_what_no_sale_supports_is_shown_to_the_operator_who_counts_or_rejects_it(network):
    operator, made = network.signed_in("operator"), {}
    with network.doors.write() as session:
        scheme = PointsTerms(
            scope=NETWORK, from_day=NOON.date(), name="Clover", currency="USD", active=True, points=10, per_minor=100,
            worth_minor=1, least_points=10, expiry_months=0, lapsed_to="stores", notice_days=14,
        )  # fmt: skip
        points_pool.found(Context(session, BY, NOON), scheme)
        for points in (70, 900):
            made[points] = new_id()
            body = {"store_id": STORE, "id": made[points], "customer_id": ANA, "key": "k", "kind": "earned", "n": 0,
                    "points": points, "amount_minor": 1, "sale_id": f"none-{points}", "at": NOON.isoformat(),
                    "business_day": NOON.date().isoformat()}  # fmt: skip
            hear(session, "points.moved", body, at=NOON)
    assert operator.get("/console/points/").text.count("The sale has not arrived yet.") == 2
    for points, answer in ((70, "take"), (900, "refuse")):
        address = f"/console/points/waiting/{STORE}/{made[points]}"
        assert post(operator, address, answer=answer, command_id=new_id()).status_code == 303
    assert "The sale has not arrived yet." not in operator.get("/console/points/").text
    with network.doors.read() as session:
        assert network_points.outstanding(session)[1] == 70


def test_without_a_line_earning_goes_on_and_redeeming_is_refused_in_a_sentence(build, network):
    clover = Clover(build(network_url="http://127.0.0.1:9", network_key=KEY), network, "")
    assert clover.sell(("cash", 300)).json["document"]["customer"]["points_earned"] == 30
    refused = clover.sell(("points", 20), ("cash", 280))
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "points-need-line")
    assert clover.sell(("cash", 300)).status_code == 201


def test_what_was_granted_for_a_sale_that_is_refused_goes_back(clover):
    clover.sell(("cash", 300))
    clover.talk()
    refused = clover.sell(("points", 20), ("cash", 280), shown_total_minor=299)
    assert refused.json["error"]["code"] == "total-changed"
    assert (clover.known(), clover.asked()) == (30, [("reversed", "")])
    too_many = clover.sell(("points", 31), ("cash", 269))
    assert too_many.json["error"]["code"] == "not-enough-points"
    assert (clover.known(), clover.asked()[-1]) == (30, ("declined", ""))


def test_points_granted_for_a_sale_that_was_never_finished_go_back_by_the_worker(clover):
    clover.sell(("cash", 300))
    clover.talk()
    sale_id = new_id()
    wanted = requests.Wanted(new_id(), STORE, sale_id, "1", "points", "points", 20, "network-points", code=ANA)
    assert asker(clover.house.doors).pay(wanted, actor=BY).state == "captured"
    assert clover.known() == 10
    assert clover.sell(("cash", 300), sale_id=sale_id).status_code == 201
    clover.talk()
    asker(clover.house.doors).ask_due(actor=BY)
    assert clover.known() == 60


def test_a_return_gives_back_the_points_that_paid_and_takes_back_what_was_earned(clover):
    clover.sell(("cash", 300))
    clover.talk()
    sold = clover.sell(("points", 20), ("cash", 280)).json
    clover.talk()
    asked = {"id": new_id(), "till_id": "1", "sale_id": sold["id"], "lines": [{"n": 1, "qty": 3}]}
    client = browser(clover.house, "shopkeeper")
    back = client.post("/api/returns", json=asked)
    assert back.status_code == 201, back.text
    clover.talk()
    assert clover.known() == 38 + 20 - 28
    with clover.house.doors.read() as session:
        assert loyalty.account_of(session, STORE, ANA, NETWORK).points == 30


def test_the_shopkeeper_takes_part_and_leaves_on_one_page(build, network, served):
    house = build(network_url=served, network_key=KEY)
    keeper = house.signed_in("shopkeeper")
    assert "no shared points" in keeper.get("/points/shared").text
    operator = network.signed_in("operator")
    asked = {"from_day": NOON.date().isoformat(), "name": "Clover", "active": "yes", "points": "2", "per": "1",
             "worth": "0.01", "least_points": "50", "expiry_months": "24", "lapsed_to": "stores", "notice_days": "14",
             "command_id": new_id()}  # fmt: skip
    assert (
        "The points would be worth more than the purchase"
        in post(operator, "/console/points/", **asked | {"points": "200"}).text
    )
    assert post(operator, "/console/points/", **asked).status_code == 303
    assert "<h1>Clover</h1>" in operator.get("/console/points/").text
    clover_talk(house, served)
    assert "2.00" in keeper.get("/points/shared").text, "two of each hundred a member pays"
    assert post(keeper, "/points/shared", answer="join", command_id=new_id()).status_code == 303
    clover_talk(house, served)
    with network.doors.read() as session:
        assert points_pool.taking_part(session, NOON.date()) == [STORE]
    assert "Clover" in keeper.get("/points/").text
    assert 'value="network"' in keeper.get("/customers/new").text
    assert post(keeper, "/points/shared", answer="leave", command_id=new_id()).status_code == 303
    assert "Notice given" in keeper.get("/points/shared").text


def clover_talk(house, served) -> None:
    with httpx2.Client(base_url=served, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
        assert sender.contact(house.doors.database, house.doors.settings, client, house.clock).fault is None
