"""Suppliers' invoices through their pages: uploaded, compared, answered, approved; and what is turned away."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Listing, Price
from pos.messages import OutgoingMessage
from store_app.mail import supplier_mail
from supply.orders import orders
from supply.orders.claims import Claim
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct, terms_of
from supply.receiving import receiving
from supply.receiving.documents.supplier_documents import SupplierPaper
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import fill, picture_of, proposal, send, words
from tests.supply.receiving.documents import made
from tests.supply.receiving.documents.made import Line, Paper

FARM = "farm"
MILK = Line("M-1", 1, "9.28", rate=0)
BREAD = Line("B-1", 2, "18.00", rate=0)
APPLE = Line("A-1", 5, "2.994", "KGM", rate=0)
PAPER = Paper((MILK, BREAD, APPLE), order="No. 7")


@pytest.fixture
def office(house):
    fill(house, ordered)
    return house


def ordered(house):
    """Let a supplier of the store's own bring an order."""
    fill(house)
    with house.doors.write() as session:
        proposal(session)
        session.add(Supplier(id=FARM, name="Mill Farm", kind="own", owner_id=STORE, send_by="email",
                             email="orders@farm.example"))  # fmt: skip
        session.flush()
        for sku, number in (("milk", "M-1"), ("bread", "B-1"), ("apple", "A-1")):
            pack = session.get_one(SupplierProduct, ("net", sku))
            session.add(SupplierProduct(supplier_id=FARM, sku=sku, pack_qty=pack.pack_qty, article_no=number,
                                        pack_cost_minor=pack.pack_cost_minor))  # fmt: skip
        order = session.get_one(ReplenishmentOrder, (STORE, "order-P1"))
        order.supplier_id, order.state = FARM, "approved"
        orders.send(_ctx(session), STORE, order.id)


def _ctx(session) -> Context:
    return Context(session, Actor.system("test", STORE), NOON)


def upload(client, raw: bytes, command: str = "", **fields):
    return send(client, "/invoices/", command_id=command, file=(io.BytesIO(raw), "invoice.xml"), **fields)


def taken(client, paper: Paper = PAPER, command: str = "") -> str:
    """Upload an invoice; returns the address of its page."""
    answer = upload(client, made.ubl(paper), command)
    assert answer.status_code == 303, words(answer)
    return answer.location


def receive(office, **counted: int) -> None:
    """Count the order's delivery: all as advised but what is named."""
    with office.doors.write() as session:
        ctx = _ctx(session)
        (delivery,) = session.scalars(sa.select(Delivery.id).where(Delivery.order_id == "order-P1"))
        receiving.begin_count(ctx, STORE, delivery)
        for sku, qty in counted.items():
            receiving.count_line(ctx, STORE, delivery, sku, qty, why="Missing")
        receiving.post(ctx, STORE, delivery)


def kept(office, model, *key):
    with office.doors.read() as session:
        return session.get(model, key)


def test_an_invoice_for_what_was_ordered_and_came_is_approved_without_a_question(office):
    client, command = office.signed_in(), new_id()
    receive(office)
    for raw in (made.ubl(PAPER), made.ubl(PAPER)):  # a double click
        assert upload(client, raw, command).status_code == 303
    seen = words(client.get(f"/invoices/{command}"))
    assert "Mill Farm" in seen
    assert "Order 7" in seen
    assert "Whole milk 12 12 12 $9.28" in seen
    assert "to answer" not in seen
    assert send(client, f"/invoices/{command}/approve").status_code == 303
    assert kept(office, SupplierPaper, STORE, command).state == "approved"
    assert words(client.get("/invoices/")).count("Invoice 4711") == 1


@pytest.mark.parametrize(
    ("paper", "said"),
    [
        (replace(PAPER, buyer="Somebody Else"), "This document is for Somebody Else, not for your store"),
        (replace(PAPER, currency="EUR"), "This document is in EUR, but your store uses USD"),
        (replace(PAPER, seller="Other Farm"), "None of your suppliers is Other Farm"),
        (replace(PAPER, forged=Decimal(100)), "With tax it comes to $60.25, but the invoice asks for $160.25"),
        (replace(PAPER, lines=()), "This document lists no products"),
    ],
)
def test_what_cannot_be_believed_is_said_and_nothing_is_written(office, paper, said):
    client, before = office.signed_in(), picture_of(office)
    answer = upload(client, made.ubl(paper))
    assert 400 <= answer.status_code < 500
    assert said in words(answer)
    assert picture_of(office) == before


def test_two_invoices_in_one_pdf_and_a_torn_file_are_refused_and_a_whole_pdf_is_read(office):
    client, before = office.signed_in(), picture_of(office)
    two = made.pdf(one=made.cii(PAPER), two=made.cii(replace(PAPER, number="4712")))
    assert "There is more than one invoice in this file" in words(upload(client, two))
    assert "cannot be read" in words(upload(client, made.pdf(one=made.cii(PAPER))[:600]))
    assert "Choose a file first" in words(send(client, "/invoices/"))
    assert picture_of(office) == before
    assert upload(client, made.pdf(one=made.cii(PAPER))).status_code == 303


def test_a_number_comes_once_of_a_supplier_unless_it_was_discarded(office):
    client = office.signed_in()
    page = taken(client)
    again = upload(client, made.ubl(PAPER))
    assert again.status_code == 409
    assert "4711 from Mill Farm is already here" in words(again)
    assert page in again.text
    assert send(client, f"{page}/approve", then="discard").status_code == 303
    taken(client)


def test_a_supplier_chosen_once_is_known_by_its_tax_number_and_nobody_else_by_its_name(office):
    client, legal = office.signed_in(), replace(PAPER, seller="Mill Farm Holding Ltd")
    assert upload(client, made.ubl(legal), supplier=FARM).status_code == 303
    assert upload(client, made.ubl(replace(legal, number="4712"))).status_code == 303
    forged = upload(client, made.ubl(replace(PAPER, number="4713", seller_tax="DE555")))
    assert forged.status_code == 409
    assert "Mill Farm has another tax number than on earlier documents" in words(forged)


def test_a_difference_is_claimed_by_mail_and_the_invoice_waits_until_all_have_an_answer(office):
    client, command = office.signed_in(), new_id()
    receive(office, bread=20)
    page = taken(client, replace(PAPER, lines=(MILK, replace(BREAD, price="20.00"), APPLE)))
    seen = words(client.get(page))
    assert "Received less 4 billed but not received: $6.00 too much" in seen
    assert "A pack costs $20.00 instead of $18.00: $4.00 too much" in seen
    assert "2 differences to explain" in seen
    assert send(client, f"{page}/approve").status_code == 409
    for _twice in range(2):
        answer = send(client, f"{page}/claim", command_id=command, difference="2:short")
        assert answer.location == f"/claims/{command}"
    claim = kept(office, Claim, STORE, command)
    assert (claim.claimed_minor, claim.supplier_id, claim.late) == (600, FARM, False)
    seen = words(client.get(f"/claims/{command}"))
    assert "Billed too much" in seen
    assert "Invoice 4711, Received less: $6.00 too much." in seen
    with office.doors.read() as session:
        letter = supplier_mail.complaint(session, session.get_one(OutgoingMessage, (STORE, command)))
    assert "- 4 Rye bread (bread): billed too much" in letter.text
    assert send(client, f"{page}/claim", difference="2:short").status_code == 409  # another press, another id
    assert send(client, f"{page}/accept", difference="2:price").status_code == 303
    assert send(client, f"{page}/approve").status_code == 303


def test_a_price_rise_is_taken_over_with_the_price_that_keeps_the_margin(office):
    client = office.signed_in()
    receive(office)
    page = taken(client, replace(PAPER, lines=(replace(MILK, price="10.80"), BREAD, APPLE)))
    seen = words(client.get(page))
    assert "A pack costs $10.80 instead of $9.28: $1.52 too much" in seen
    assert "$1.59 instead of $1.29 keeps the margin" in seen  # a digit of nine stays one
    for _twice in range(2):
        assert send(client, f"{page}/cost", difference="1:price", then="price").status_code == 303
    with office.doors.read() as session:
        assert terms_of(session, FARM, "milk", NOON.date()).pack_cost_minor == 1080
        assert session.get_one(Listing, (STORE, "milk")).cost_minor == 90
        assert session.get_one(Price, ("milk", STORE, NOON.date())).price_minor == 159
    assert "New cost in use." in words(client.get(page))
    assert "Whole milk" in words(client.get("/prices/labels"))
    assert send(client, f"{page}/approve").status_code == 303


def test_an_invoice_without_an_order_is_compared_with_the_one_chosen(office):
    client = office.signed_in()
    receive(office, milk=0)
    page = taken(client, replace(PAPER, order=""))
    assert "Not received" not in words(client.get(page))
    assert send(client, f"{page}/order", order="order-P1").status_code == 303
    assert "Not received 12 billed but not received: $9.28 too much" in words(client.get(page))
    assert send(client, f"{page}/order", order="other").status_code == 404


def test_a_second_invoice_for_the_same_goods_bills_what_did_not_come(office):
    client = office.signed_in()
    receive(office)
    taken(client)
    page = taken(client, replace(PAPER, number="4712", lines=(MILK,)))
    assert "Not received 12 billed but not received: $9.28 too much" in words(client.get(page))


def test_a_despatch_advice_says_what_the_expected_delivery_brings_and_a_second_is_one_of_its_own(office):
    client, command = office.signed_in(), new_id()
    less = replace(PAPER, lines=(replace(MILK, qty=1), replace(BREAD, qty=1)))
    assert upload(client, made.advice(less), command).status_code == 303
    with office.doors.read() as session:
        (delivery,) = session.scalars(sa.select(Delivery).where(Delivery.order_id == "order-P1"))
        assert delivery.expected_day.isoformat() == "2026-03-05"
        lines = session.execute(
            sa.select(DeliveryLine.sku, DeliveryLine.advised_qty, DeliveryLine.promised_qty)
            .where(DeliveryLine.delivery_id == delivery.id).order_by(DeliveryLine.sku)
        ).all()  # fmt: skip
    assert lines == [("apple", 0, 5000), ("bread", 12, 24), ("milk", 12, None)]
    assert "Rye bread 24" in words(client.get(f"/invoices/{command}"))
    rest = replace(PAPER, number="4712", lines=(replace(BREAD, qty=1), APPLE))
    assert upload(client, made.advice(rest)).status_code == 303
    with office.doors.read() as session:
        assert len(session.scalars(sa.select(Delivery).where(Delivery.order_id == "order-P1")).all()) == 2
    strange = replace(PAPER, number="4713", lines=(replace(MILK, article_no="X"),))
    assert "None of these products is on this supplier’s price list" in words(upload(client, made.advice(strange)))


def test_only_who_orders_sees_invoices(office):
    assert office.signed_in("supervisor").get("/invoices/").status_code == 403
