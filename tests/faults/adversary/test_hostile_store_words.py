"""A store, or whoever holds its key, that says of its account what it gains by."""

import datetime as dt
from dataclasses import replace

import pytest

from config.errors import Invalid, Refused
from config.ids import NETWORK, tidy_pickup_code
from config.nodes import facts, outbox
from config.nodes.journal import Context
from config.nodes.outbox import Message
from supply.demand import campaign_uplift
from supply.membership.objections import Objection
from supply.money import ledger, lost_entries, payment_runs
from supply.network.transfers import transfers
from supply.online.checkout import order_keys
from supply.online.groups.groups import GroupOffer
from supply.orders.deliveries import Delivery
from supply.orders.transfers import Transfer
from supply.sync.groups import GroupOpened
from tests.supply.online.test_groups import TERMS
from tests.supply.road import AT, OPERATOR, WAREHOUSE, Country, later, make_country

ONLINE, OTHER = "S1", "S2"
IBAN, THIEFS = "DE89370400440532013000", "GB82WEST12345698765432"


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def say(country: Country, topic: str, at: dt.datetime, **body) -> None:
    """Let the network take what the store says, as if it had come by the wire."""
    with country.network.write() as session:
        reported = {"store_id": ONLINE, **body}
        facts.apply(session, Message("m", 1, topic, 1, "", "", reported, ""), ONLINE, at)


def bank(country: Country, account: str, reported_at: dt.datetime, at: dt.datetime) -> None:
    said = {"payee": "Wei", "bank_account": account, "bic": ""}
    say(country, "account.bank_reported", at, reported_at=reported_at.isoformat(), **said)


def run(country: Country, name: str, at: dt.datetime) -> tuple[list[str], list[str]]:
    """Pay out; returns the accounts paid to, and who was left out."""
    with country.network.write() as session:
        made = payment_runs.make_run(Context(session, OPERATOR, at), id=name)
        return [one.bank_account for one in made.payouts], made.unknown


def earn(country: Country, id: str, at: dt.datetime) -> None:
    with country.network.write() as session:
        ledger.given(Context(session, OPERATOR, at), ONLINE, "slot", 5_000, why="A place", id=id)


def test_a_changed_account_rests_before_it_is_paid_to_and_no_word_of_the_future_locks_it(country):
    bank(country, IBAN, AT, AT)
    earn(country, "g1", AT)
    assert run(country, "r1", AT) == ([IBAN], [])
    bank(country, THIEFS, later(days=50_000), later(days=1))  # a thief's word, of a day nobody else can follow
    earn(country, "g2", later(days=1))
    assert run(country, "r2", later(days=3)) == ([], [ONLINE])
    bank(country, IBAN, later(days=3), later(days=3))  # the shopkeeper's
    assert run(country, "r3", later(days=5)) == ([], [ONLINE])
    assert run(country, "r4", later(days=6)) == ([IBAN], [])


def test_a_store_nobody_asked_has_lost_nothing(country):
    entry = {
        "id": "made-up", "n": 9, "kind": "paid_in", "from_account": "funds", "to_account": "bank", "words": "",
        "amount_minor": 5_000, "invoice_id": None, "source_id": "pay", "day": AT.date().isoformat(),
    }  # fmt: skip
    with pytest.raises(Refused, match="was not asked"):
        say(country, "account.lost", AT, reported_at=AT.isoformat(), entries=[entry])
    with country.network.read() as session:
        assert lost_entries.unsettled(session) == set(), "it is charged for being late like anybody"


def test_an_objection_is_no_answer_to_itself(country):
    reported = {"id": "o1", "about": "limit", "words": "Too low", "raised_by": "Wei", "raised_at": AT.isoformat()}
    say(country, "objection.raised", AT, **reported, state="upheld", answer="You are right.")
    with country.network.read() as session:
        row = session.get_one(Objection, (ONLINE, "o1"))
        assert (row.state, row.answer) == ("raised", "")
    with pytest.raises(Invalid):
        say(country, "objection.raised", AT, **reported | {"id": "o2", "about": "everything"})


def test_a_store_answers_a_campaign_and_ends_none(country):
    with pytest.raises(Refused, match="cannot set a"):
        say(country, "campaign.answered", AT, campaign_id="c1", state="over", why="")
    assert campaign_uplift.ASKS.legal("accepted", "over")


def test_a_group_a_store_opens_is_its_own(country):
    terms = replace(
        TERMS, id="group-1", store_id=ONLINE, owner=NETWORK, sku="milk", closes_at=later(days=1),
        vehicle_day=later(days=2).date(), pickup_until=later(days=4).date(),
    )  # fmt: skip
    say(country, "group.opened", AT, **GroupOpened(terms).to_body())
    with country.network.read() as session:
        assert session.get_one(GroupOffer, "group-1").owner == ONLINE


def test_a_delivery_counted_in_a_year_makes_no_claim_be_in_time(country):
    country.order(ONLINE, {"bread": 2})
    country.send_out()
    key = country.take_in(ONLINE, [("bread", 12, "")])
    with country.stores[ONLINE].read() as session:
        (reported,) = [outbox.to_wire(row) for row in outbox.due(session, NETWORK) if row.topic == "delivery.posted"]
    reported["body"]["posted_at"] = later(days=365).isoformat()
    with country.network.write() as session:
        facts.apply(session, Message(**reported), ONLINE, AT)
        assert session.get_one(Delivery, (ONLINE, key)).posted_at == AT


def test_what_the_giving_store_is_told_of_a_code_cannot_be_searched(country):
    code = tidy_pickup_code("AB2CD3EF") or "AB2CD3EF"
    kept = order_keys.code_hash("t1", code)
    with country.network.write() as session:
        row = Transfer(
            id="t1", giver_id=ONLINE, taker_id=OTHER, giver_name="A", taker_name="B", metres=1, state="agreed",
            proposed_at=AT, answer_by=AT.date(), fetch_by=AT.date(), giver_minor=1, taker_minor=1, giver_yes=True,
            taker_yes=True, why="", declined_by="", code_hash=kept, cost_minor=0,
        )  # fmt: skip
        session.add(row)
        session.flush()
        transfers._send_stores(session, row, AT)
        reported = {one.to_node: one.body for one in session.query(outbox.OutboxMessage)}
    assert kept in reported[ONLINE], "a slow hash"
    assert not any(code in body for body in reported.values()), "the network never had it"
    assert kept not in reported[OTHER]


def test_goods_come_back_to_the_warehouse_by_the_word_of_the_store_that_was_sent_them_and_before_it_took_them_in(
    country,
):
    for store in (ONLINE, OTHER):
        country.order(store, {"bread": 2})
    country.send_out()
    own, other = country.take_in(ONLINE, [("bread", 12, "")]), country.delivery(OTHER)
    with country.stores[ONLINE].read() as session:
        (reported,) = [outbox.to_wire(row) for row in outbox.due(session, NETWORK) if row.topic == "delivery.posted"]
    country.deliver()
    before = country.level(NETWORK, WAREHOUSE, "bread").on_hand
    refused = reported["body"] | {"state": "refused"}
    with pytest.raises(Refused, match="previously, it was posted"):
        say(country, "delivery.refused", AT, **refused)
    say(country, "delivery.refused", AT, **refused | {"delivery_id": other})
    assert country.level(NETWORK, WAREHOUSE, "bread").on_hand == before
    with country.network.read() as session:
        assert session.get_one(Delivery, (OTHER, other)).state == "expected"
        assert session.get_one(Delivery, (ONLINE, own)).state == "posted"
