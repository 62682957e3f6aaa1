"""An agent's part of a producer's commission: from the till through the store's account to the bank's file."""

import csv
import datetime as dt
import io

import pytest
import sqlalchemy as sa

from config.errors import Invalid
from config.ids import new_id
from config.nodes.journal import Context
from pos.producers import agents, payouts, producers
from pos.producers.producers import Producer, ProducerMovement
from supply.money import agent_commissions, escrow_ledger, ledger, pain001, payment_runs
from supply.money import payouts as payout
from supply.money.ledger import balances
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, later, make_country

IBAN = "DE89370400440532013000"


@pytest.fixture
def country(tmp_path):
    return make_country(tmp_path)


def agree(country, agent: str, account: str = "", *, at: dt.datetime = AT) -> None:
    with country.stores["S1"].write() as session:
        facts = producers.ProducerFacts(
            "Li's farm", commission_bp=2_000, agent_name=agent, agent_bp=500 if agent else 0, agent_account=account
        )
        producers.add_producer(Context(session, KEEPER["S1"], at), "S1", facts, id="farm")


def moved(country, agent_minor: int, *, answers: str | None = None, agent: str = "Mei") -> str:
    """Write a move as a sale of twenty times the agent's part leaves it; returns its id."""
    qty, net = (1, agent_minor * 20) if answers is None else (-1, agent_minor * 20)
    with country.stores["S1"].write() as session:
        move = ProducerMovement(
            store_id="S1", id=new_id(), producer_id="farm", sku="tomato", lot_id=None, sale_id=new_id(), line_n=1,
            qty=qty, net_minor=net, commission_minor=net // 5, agent_minor=agent_minor, agent_name=agent,
            due_minor=net - net // 5, answers_id=answers, business_day=DAY, at=AT,
        )  # fmt: skip
        session.add(move)
        return move.id


def state(country, at: dt.datetime = AT) -> None:
    with country.stores["S1"].write() as session:
        payouts.make(Context(session, KEEPER["S1"], at), "S1", "farm", DAY, id=new_id())
    country.deliver(seed=7, at=at)


def run(country, id: str) -> payment_runs.Run:
    with country.network.write() as session:
        return payment_runs.make_run(Context(session, OPERATOR, AT), id=id)


def coming(country) -> list[tuple[str, int, int]]:
    with country.network.read() as session:
        return [(one.agent, one.due_minor, one.waiting_minor) for one in agent_commissions.parts_of(session)]


def store_pays(country, minor: int, id: str) -> None:
    with country.network.write() as session:
        ledger.money_in(Context(session, OPERATOR, AT), "S1", minor, reference="RF18", id=id)


def test_a_part_is_paid_out_when_the_shop_has_paid_it_and_stands_in_the_bank_s_file(country):
    agree(country, "Mei")
    first = moved(country, 4_000)
    state(country)
    assert coming(country) == [("Mei", 0, 4_000)], "the network does not lend to agents"
    assert run(country, "early").payouts == []
    store_pays(country, 4_000, "p1")
    assert run(country, "nowhere").unknown == ["Mei"]
    agree(country, "Mei", IBAN, at=later(minutes=5))
    country.deliver()
    (one,) = run(country, "run-1").payouts
    assert (one.agent, one.payee, one.bank_account, one.amount_minor) == ("Mei", "Mei", IBAN, 4_000)
    file = pain001.as_rows("run-1", payment_runs.transfers_of([one]))
    text = io.StringIO()
    csv.writer(text).writerows(file)
    assert f"Mei,{IBAN},,40.00" in text.getvalue()
    moved(country, -4_000, answers=first)  # all of it came back, after it was paid out
    moved(country, 5_000)
    state(country)
    store_pays(country, 1_000, "p2")
    assert run(country, "run-2").payouts[0].amount_minor == 1_000, "what was paid too much is kept from the next part"
    country.deliver()
    with country.stores["S1"].read() as session:
        whole = session.scalar(sa.select(sa.func.sum(ProducerMovement.agent_minor)))
    assert (whole, coming(country)) == (5_000, [])
    assert country.findings() == []


def test_what_the_bank_sends_back_waits_for_a_better_account(country):
    agree(country, "Mei", IBAN)
    moved(country, 2_000)
    state(country)
    store_pays(country, 2_000, "p1")
    (one,) = run(country, "run-1").payouts
    with country.network.write() as session:
        payout.returned(Context(session, OPERATOR, AT), "S1", one.id, why="Closed")
        assert (balances(session, "S1")["agents"], balances(session, "S1")["funds"]) == (-2_000, 0)
    with country.network.write() as session:
        body = {"store_id": "S1", "name": "Mei", "bic": "", "account": "6222021234567890"}
        hear(session, "agent.reported", body | {"reported_at": later(days=1).isoformat()}, at=later(days=2))
        hear(session, "agent.reported", body | {"account": IBAN, "reported_at": AT.isoformat()}, at=later(days=2))
    assert run(country, "run-2").payouts[0].bank_account == "6222021234567890", "the newest word counts"


def test_another_agent_from_now_on_leaves_the_first_one_s_part_alone(country):
    agree(country, "Mei", IBAN)
    moved(country, 2_000)
    agree(country, "Bo")
    moved(country, 3_000, agent="Bo")
    state(country)
    assert coming(country) == [("Bo", 0, 3_000), ("Mei", 0, 2_000)]
    agree(country, "")
    with country.stores["S1"].read() as session:
        assert session.get_one(Producer, ("S1", "farm")).agent_name == ""
        assert agents.agent_of(session, "S1", "Mei").account == IBAN


def test_a_part_that_is_none_is_refused(country):
    with country.network.write() as session, pytest.raises(Invalid):
        hear(session, "agent.parts", {"store_id": "S1", "statement_id": "x", "parts": [["Mei", 0]]}, at=AT)


def take(country, id: str, minor: int) -> None:
    with country.network.write() as session:
        reported = {"store_id": "S1", "statement_id": id, "parts": [["Mei", minor]]}
        for _ in range(2):  # a second copy changes nothing
            hear(session, "agent.parts", reported, at=AT)


def test_a_part_below_zero_gives_a_shop_no_more_back_than_it_has_paid(country):
    agree(country, "Mei", IBAN)
    with country.network.write() as session:
        reported = {"payee": "Wei", "bank_account": IBAN, "bic": "", "reported_at": AT.isoformat()}
        hear(session, "account.bank_reported", {"store_id": "S1", **reported}, at=AT)
    country.deliver()
    take(country, "s1", -5_000)
    assert run(country, "r1").payouts == [], "there was no part of which anything could come back"
    take(country, "s2", 8_000)
    assert coming(country) == [("Mei", 0, 3_000)], "what was told to come back lessens the invoice"
    take(country, "s3", -1_000)
    assert run(country, "r2").payouts == [], "nor is a part paid out that the store has not paid"
    store_pays(country, 2_000, "p1")
    take(country, "s4", -500)
    (back,) = run(country, "r3").payouts[:1]
    assert (back.agent, coming(country)) == ("Mei", []), "1,500 of what the store paid waited for the agent"
    take(country, "s5", -1_500)
    with country.network.read() as session:
        known = balances(session, "S1")
    assert (known["funds"], known["overpaid"], known["invoiced"]) == (-500, -1_500, 0), (
        "500 the store has back, 1,500 the agent has"
    )
    country.deliver()
    assert country.findings() == []


def test_a_shop_takes_no_part_of_a_group_s_leader_back(country):
    agree(country, "Mei", IBAN)
    country.deliver()
    with country.network.write() as session:
        part = escrow_ledger.LeaderPart(3_000, "Mei", "g1")
        escrow_ledger.leader_earned(session, "S1", "e1", part, at=AT)
    take(country, "s1", -3_000)
    with country.network.read() as session:
        assert balances(session, "S1")["funds"] == 0, "it has paid nothing of it"
    country.deliver()
    assert country.findings() == []


def test_a_part_that_is_given_up_is_not_paid_to_its_agent(country):
    agree(country, "Mei", IBAN)
    moved(country, 5_000)
    state(country)
    store_pays(country, 2_000, "p1")
    with country.network.write() as session:
        (left,) = ledger.open_invoices(session, "S1")
        ledger.write_off(Context(session, OPERATOR, AT), "S1", left.invoice.id, why="The store is gone")
    assert [(one.agent, one.amount_minor) for one in run(country, "run-1").payouts] == [("Mei", 2_000)]
    assert coming(country) == []
    country.deliver()
    assert country.findings() == []


def test_the_last_word_where_an_agent_s_money_goes_counts_though_a_clock_was_set_back(country):
    agree(country, "Mei", IBAN, at=later(days=400))
    country.deliver()
    agree(country, "Mei", "6222021234567890", at=later(days=1))
    country.deliver(seed=3)
    with country.network.read() as session:
        assert agents.agent_of(session, "S1", "Mei").account == "6222021234567890"
