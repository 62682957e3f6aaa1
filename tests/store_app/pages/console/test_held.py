"""The operator reads what is held of a store beside its usual figures, and accepts or rejects it, one or many."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.database import commits
from config.errors import Refused
from config.ids import NETWORK
from config.nodes import inbox, outbox
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Actor, Context
from pos.sold import Sale
from store_app.sync import receiver, wire
from supply import isolation
from tests.network_facts import message, sales
from tests.store_app.conftest import KEY, NOON, STORE, post
from tests.store_app.office import words

HELD = "/console/held"


def arrive(network, count: int = 1) -> list[str]:
    """Let a store's sales of an absurd quantity arrive; returns their ids."""
    facts = list(sales(STORE, count, day=NOON.date()))
    rows = []
    for n, one in enumerate(facts, 1):
        first, *others = one.to_body()["lines"]
        rows.append(message(one, n, lines=[first | {"name": "Rice", "qty": 90_000 + n, "amount_minor": None}, *others]))
    reported = wire.Push(protocol=wire.PROTOCOL, speaking="epoch-S01", epoch="epoch-S01", from_n=1, count=count,
                     head="0" * 64, rows=[wire.Row(**vars(row)) for row in rows])  # fmt: skip
    with network.doors.write() as session:
        assert len(receiver.take(session, STORE, reported, at=NOON)["parked"]) == count
    return [one.id for one in facts]


def states(network) -> list[str]:
    with network.doors.read() as session:
        return list(session.scalars(sa.select(InboxMessage.state).order_by(InboxMessage.n)))


def test_today_leads_to_what_is_held_with_the_figure_beside_the_usual_one(network):
    arrive(network)
    client = network.signed_in("operator")
    assert "1 message from Store S01 is held for review." in words(client.get("/console/"))
    page = words(client.get(f"{HELD}/"))
    assert "90,001 of Rice in one line of a sale" in page
    assert "1,000" in page, "the limit of a store without a past"
    client.get("/signin?lang=zh")
    assert "一笔销售的一行中有" in client.get(f"{HELD}/").text


def test_one_is_accepted_another_rejected_and_the_rest_at_once(network):
    ids = arrive(network, 4)
    client = network.signed_in("operator")
    post(client, f"{HELD}/{STORE}/accept", id=ids[0])
    post(client, f"{HELD}/{STORE}/reject", id=ids[1])
    assert states(network) == ["taken", "turned_down", "parked", "parked"]
    assert "Accept after all" in client.get(f"{HELD}/").text
    assert "2 messages accepted." in words(
        client.get(post(client, f"{HELD}/{STORE}/accept", which="all").headers["Location"])
    )
    with network.doors.read() as session:
        assert set(session.scalars(sa.select(Sale.id))) == {ids[0], *ids[2:]}


def test_today_says_once_a_store_how_many_of_its_messages_contradict_earlier_ones(network):
    rows = [message(one, n) for n, one in enumerate(sales(STORE, 3, day=NOON.date()), 1)]
    spoilt = [message(one, n, cashier_name="Eve") for n, one in enumerate(sales(STORE, 3, day=NOON.date()), 1)]
    for some in (rows, spoilt):
        reported = wire.Push(protocol=wire.PROTOCOL, speaking="epoch-S01", epoch="epoch-S01", from_n=1, count=3,
                         head="0" * 64, rows=[wire.Row(**vars(row)) for row in some])  # fmt: skip
        with network.doors.write() as session:
            receiver.take(session, STORE, reported, at=NOON)
    said = words(network.signed_in("operator").get("/console/"))
    sentence = (
        "Store S01 sent 3 messages that contradict earlier ones; for example: the same ID arrived with different "
        "content."
    )
    assert said.count(sentence) == 1
    assert said.count("contradict") == 1


def test_what_is_tried_again_has_a_transaction_each(network):
    arrive(network, 3)
    before = commits()
    assert receiver.try_parked(network.doors) == (0, 3)
    assert commits() - before == 3


def test_nothing_chosen_or_no_such_store_is_said_in_a_sentence(network):
    arrive(network)
    client = network.signed_in("operator")
    assert "Choose at least one message first." in words(post(client, f"{HELD}/{STORE}/accept"))
    assert post(client, f"{HELD}/S99/accept", which="all").status_code == 404
    assert states(network) == ["parked"]


def test_the_store_reads_in_its_words_why_its_message_is_held_or_was_rejected(build):
    house = build(network_url="https://network.example", network_key=KEY)
    declined = "The network rejected this: %s. It stays on record here."
    reported = {
        "implausible-line: 9": "larger than your sales suggest",
        f"{inbox.DECLINED}: no": declined % "the operator did not accept it",
        f"{inbox.DECLINED}: field-odd: sale.completed: the field “n” is no": declined
        % "Sale: the field “n” is not valid",
    }
    for n, (reason, said) in enumerate(reported.items()):
        with house.doors.write() as session:
            fact = outbox.Outgoing(
                topic="sale.completed", version=1, body={}, id=f"f{n}", subject="x", business_day=NOON.date()
            )
            outbox.append(session, fact, to_node=NETWORK, at=NOON)
            outbox.mark_stuck(session, f"f{n}", "first")
            outbox.mark_stuck(session, f"f{n}", reason)
        assert said in words(house.signed_in("shopkeeper").get("/settings/"))


@pytest.mark.parametrize(
    ("sentence", "facts", "english", "german"),
    [
        (
            "Not here yet: %(names)s. Wait for the delivery, or hand over the rest.",
            {"names": ["Tea", "Milk"]},
            "Not here yet: Tea, Milk. Wait for the delivery",
            "Noch nicht da: Tea, Milk. Warten Sie auf die Lieferung oder geben Sie den Rest aus.",
        ),
        (
            "%(name)s is %(reported)s, not from %(first)s to %(last)s. Check the store's clock.",
            {"name": "Tea", "reported": dt.date(2026, 3, 2), "first": NOON.date(), "last": NOON.date()},
            "Tea is Mar 2, 2026, not from",
            "Tea ist 02.03.2026 und liegt nicht zwischen",
        ),
        (
            "Refund exactly %(rounded_minor)s.",
            {"rounded_minor": 123_450, "currency": "EUR"},
            "Refund exactly €1,234.50.",
            "Erstatten Sie genau 1.234,50 €.",
        ),
        (
            (
                "With a date, products stay yours until sold and the rest may be returned. Without one, the store buys "
                "them. After %(days)s days, %(slow)s of the cost of unsold stock is refunded, and %(expiry)s once "
                "expired, up to %(cap)s in total."
            ),
            {"days": 7, "slow": "1 %", "expiry": "2 %", "cap": "3 %"},
            "and 2 % once expired, up to 3 % in total.",
            "nach Ablauf 2 %, insgesamt höchstens 3 %.",
        ),
    ],
)
def test_what_was_refused_and_who_was_left_out_is_said_in_the_operators_language(
    network, sentence, facts, english, german
):
    refusal = Refused("goods-not-here", sentence, **facts)

    def refuses(_session, _message) -> None:
        raise refusal

    with network.doors.write() as session:
        arrival = inbox.Arrival(STORE, "epoch-S01", [message(next(sales(STORE, 1, day=NOON.date())), 1)], 1)
        inbox.take(session, arrival, refuses, at=NOON)
        isolation.note(Context(session, Actor.system("test", NETWORK), NOON), "orders", STORE, refusal)
    client = network.signed_in("operator")
    assert english in words(client.get(f"{HELD}/"))
    assert german in words(client.get(f"{HELD}/?lang=de"))
    assert german in words(client.get("/console/"))
