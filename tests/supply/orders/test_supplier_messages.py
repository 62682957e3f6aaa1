"""Orders to suppliers without a line to us: written once, seen again as they were, not lost with a bad address."""

import csv
import io
from types import SimpleNamespace

import pytest

from config.errors import Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos import messages
from store_app.mail import sending
from supply.network.purchasing import message_pages
from supply.orders import orders, supplier_messages, suppliers
from supply.orders.suppliers import Contact, Supplier
from tests.supply.road import AT, FARM, KEEPER, VAN, Country, later, make_country

WEI = KEEPER["S1"]


@pytest.fixture
def country(tmp_path) -> Country:
    made = make_country(tmp_path)
    with made.stores["S1"].write() as session:
        farm = session.get_one(Supplier, FARM)
        farm.owner_id, farm.send_by, farm.email, farm.customer_no = "S1", "email", "orders@farm.example", "=C1"
    return made


def sent(country: Country) -> str:
    return country.order("S1", {"bread": 2, "milk": 1}, supplier=FARM)


def message(country: Country, message_id: str):
    with country.stores["S1"].read() as session:
        return supplier_messages.message_of(session, "S1", message_id)


def fail(country: Country, order_id: str, code: str, words: str):
    with country.stores["S1"].write() as session:
        row = supplier_messages.message_of(session, "S1", order_id)
        messages.failed(Context(session, WEI, AT), row, code, words)
        return row


def test_an_order_to_an_own_supplier_writes_one_message_and_one_to_the_network_none(country):
    own, ours = sent(country), country.order("S1", {"bread": 1}, supplier=VAN)
    with country.stores["S1"].read() as session:
        assert [row.id for row in messages.due(session, AT)] == [own]
        assert supplier_messages.messages_of(session, "S1", ours) == []


def test_what_was_sent_is_seen_again_as_it_was_whatever_changes_later(country):
    order_id = sent(country)
    before = message_pages.pages(message(country, order_id).body)
    with country.stores["S1"].write() as session:
        session.get_one(Supplier, FARM).name = "Hand over to someone else"
        orders.lines_of(session, orders.order_of(session, "S1", order_id))[0].packs = 9
    assert message_pages.pages(message(country, order_id).body) == before
    assert before.startswith(b"%PDF-")


def test_the_table_has_every_line_in_major_units_and_nothing_a_spreadsheet_executes(country):
    rows = list(
        csv.DictReader(io.StringIO(supplier_messages.as_csv(message(country, sent(country)).body).decode("utf-8-sig")))
    )
    assert [(row["name"], row["packs"], row["pack_cost"], row["cost"]) for row in rows] == [
        ("Milk", "1", "11.00", "11.00"), ("Rye bread", "2", "9.00", "18.00"),
    ]  # fmt: skip
    assert {row["customer_no"] for row in rows} == {"'=C1"}


def test_a_refused_address_is_not_tried_again_and_the_order_stays_sent(country):
    order_id = sent(country)
    assert fail(country, order_id, "address-refused", "550 no such user").state == "failed"
    assert country.state("S1", order_id)[0] == "sent"
    with country.stores["S1"].read() as session:
        assert messages.due(session, later(days=1)) == []
        assert supplier_messages.unsent(session, "S1") == {order_id}


def test_a_silent_server_is_asked_again_later_and_then_given_up(country):
    order_id = sent(country)
    waits = [fail(country, order_id, "unreachable", "timed out").try_at - AT for _ in range(messages.TRIES - 1)]
    assert waits == sorted(waits)
    assert message(country, order_id).state == "waiting"
    assert fail(country, order_id, "unreachable", "timed out").state == "failed"


def test_another_address_sends_it_again_and_the_supplier_keeps_it(country):
    order_id = sent(country)
    fail(country, order_id, "address-refused", "550")
    with country.stores["S1"].write() as session:
        with pytest.raises(Invalid, match="email address"):
            supplier_messages.again(Context(session, WEI, AT), "S1", order_id, how="email", address="nobody at all")
        supplier_messages.again(Context(session, WEI, AT), "S1", order_id, how="email", address="new@farm.example")
    with country.stores["S1"].read() as session:
        (row,) = messages.due(session, AT)
        assert (row.email, row.tries, row.fault_code) == ("new@farm.example", 0, "")
        assert session.get_one(Supplier, FARM).email == "new@farm.example"


def test_a_message_that_left_is_not_sent_again_nor_failed(country):
    order_id = sent(country)
    with country.stores["S1"].write() as session:
        supplier_messages.left(Context(session, WEI, AT), "S1", order_id)
        supplier_messages.left(Context(session, WEI, later(days=1)), "S1", order_id)
        row = supplier_messages.message_of(session, "S1", order_id)
        messages.failed(Context(session, WEI, AT), row, "unreachable", "late")
        with pytest.raises(Exception, match="sent"):
            supplier_messages.again(Context(session, WEI, AT), "S1", order_id, how="email", address="a@b.example")
    assert message(country, order_id).ended_at == AT


@pytest.mark.parametrize("left", [False, True])
def test_calling_an_order_off_takes_its_message_back_or_writes_one_that_does(country, left):
    order_id = sent(country)
    with country.stores["S1"].write() as session:
        if left:
            supplier_messages.left(Context(session, WEI, AT), "S1", order_id)
        orders.cancel(Context(session, WEI, later(hours=1)), "S1", order_id, why="We close")
        rows = supplier_messages.messages_of(session, "S1", order_id)
        assert [(row.kind, row.state) for row in rows] == (
            [("order", "sent"), ("cancellation", "waiting")] if left else [("order", "withdrawn")]
        )
        if left:
            assert rows[1].body["called_off"] == "We close"
            assert {row["packs"] for row in _table(rows[1].body)} == {"0"}


def test_an_order_called_off_while_its_message_is_under_way_is_called_off_by_a_second_one(country):
    first, second, mailed = sent(country), sent(country), []
    here = country.stores["S1"]
    settings = SimpleNamespace(node_id="S1")
    doors = SimpleNamespace(read=here.read, write=here.write, now=lambda: later(minutes=1), settings=settings)

    class SlowMail:
        def reaches(self, _message):
            return True

        def send(self, message, *, at):
            mailed.append(message.id)
            if len(mailed) == 1:  # meanwhile the shopkeeper calls both off
                for one in (first, second):
                    with country.stores["S1"].write() as session:
                        orders.cancel(Context(session, KEEPER["S1"], at), "S1", one, why="Wrong")

    for _run in range(2):
        sending.send_due(doors, [SlowMail()])
    assert mailed == [first, f"{first}-off"], "what was withdrawn before it left does not leave"
    assert message(country, f"{first}-off").state == "sent"


def test_another_shop_s_message_is_not_found(country):
    order_id = sent(country)
    with country.stores["S1"].write() as session, pytest.raises(NotFound):
        supplier_messages.message_of(session, "S2", order_id)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, "Enter the supplier.s name"),
        ({"send_by": "email", "email": ""}, "email address"),
        ({"email": "a@b"}, "email address"),
        ({"email": "a@b.example, c@d.example"}, "email address"),
        ({"minimum_minor": -1}, "zero or more"),
        ({"send_by": "pigeon"}, "Choose email or paper for this supplier"),
    ],
)
def test_a_contact_that_cannot_be_is_refused_with_its_field(country, wrong, words):
    good = {"name": "Mill"}
    with country.stores["S1"].write() as session:
        with pytest.raises(Invalid, match=words) as refused:
            suppliers.write_contact(Context(session, WEI, AT), "S1", "mill", Contact(**good | wrong))
        assert refused.value.facts["field"]
        suppliers.write_contact(Context(session, WEI, AT), "S1", "mill", Contact(**good))


def test_the_network_s_suppliers_and_other_shops_own_are_not_changed_here(country):
    contact = Contact("Mine")
    with country.stores["S1"].write() as session:
        with pytest.raises(Refused, match="network"):
            suppliers.write_contact(Context(session, WEI, AT), "S1", VAN, contact)
        with pytest.raises(NotFound):
            suppliers.write_contact(Context(session, WEI, AT), "S2", FARM, contact)


def _table(document):
    return list(csv.DictReader(io.StringIO(supplier_messages.as_csv(document).decode("utf-8-sig"))))
