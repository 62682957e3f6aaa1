"""A supplier's credit memo through its page: compared with the claim, settled by a press, shown on both sides."""

from dataclasses import replace

import pytest

from supply.orders.claims import Claim
from supply.receiving.documents.supplier_documents import SupplierPaper
from tests.store_app.conftest import STORE
from tests.store_app.office import picture_of, send, words
from tests.store_app.pages.orders.test_invoices import (
    APPLE,
    BREAD,
    FARM,
    MILK,
    PAPER,
    kept,
    office,  # noqa: F401 - a fixture
    receive,
    taken,
    upload,
)
from tests.supply.receiving.documents import made
from tests.supply.receiving.documents.made import Paper

MEMO = Paper([replace(BREAD, qty=4, price="1.50", unit="C62")], number="G-1", refs=("4711",))


@pytest.fixture
def claimed(office):  # noqa: F811
    """Bill 24 loaves where 20 came, and claim the $6.00; returns the claim's and the invoice's page."""
    receive(office, bread=20)
    invoice = taken(office.signed_in(), replace(PAPER, lines=(MILK, BREAD, APPLE)))
    claim = send(office.signed_in(), f"{invoice}/claim", difference="2:short").location
    return office, claim, invoice


def memo_of(client, paper: Paper = MEMO) -> str:
    answer = upload(client, made.ubl(paper, "CreditNote"))
    assert answer.status_code == 303, words(answer)
    return answer.location


def test_a_memo_is_compared_with_the_claim_its_invoice_led_to_and_settled_by_a_press(claimed):
    office, claim, invoice = claimed  # noqa: F811
    client = office.signed_in()
    page = memo_of(client)
    seen = words(client.get(page))
    assert "gives back $6.00" in seen
    assert "It gives back $6.00 before tax: just what you claimed." in seen
    assert "Claim 1" in seen
    assert "4711 · $60.25 left to pay" in seen
    claim_id, invoice_id = claim.rsplit("/", 1)[1], invoice.rsplit("/", 1)[1]
    assert kept(office, Claim, STORE, claim_id).state == "filed"
    press = {"claim": claim_id, "invoice": invoice_id}
    assert send(client, f"{page}/approve", **press).status_code == 303
    assert kept(office, Claim, STORE, claim_id).state == "compensated"
    assert "Claim 1 : $6.00. Invoice 4711 : −$6.00" in words(client.get(page))
    assert "Credit memo G-1 takes $6.00 off. Left to pay: $54.25" in words(client.get(invoice))
    assert "Credit memos G-1 $6.00" in words(client.get(claim))
    before = picture_of(office)
    assert send(client, f"{page}/approve", **press).status_code == 409  # a second press
    assert upload(client, made.cii(MEMO, "381")).status_code == 409  # the same memo in another format
    assert picture_of(office) == before


@pytest.mark.parametrize(
    ("paper", "said"),
    [
        (replace(MEMO, lines=[replace(BREAD, qty=4, price="1.00", unit="C62")]),
         "It gives back $4.00 of $6.00 before tax. Leave the missing $2.00 open, or end the claims with what you got."),
        (replace(MEMO, lines=[replace(BREAD, qty=4, price="2.00", unit="C62")]),
         "It gives back $8.00 before tax, but you claimed only $6.00."),
        (replace(MEMO, lines=[replace(MILK, qty=12, price="0.50", unit="C62")]),
         "Claim 1 is about products that this credit memo does not list."),
        (replace(MEMO, refs=("4711", "4799")), "It names invoice 4799, which is not here."),
        (replace(MEMO, refs=()), "No claim is chosen. Choose the claims it answers."),
    ],
)  # fmt: skip
def test_what_does_not_match_is_said_with_what_to_do(claimed, paper, said):
    office = claimed[0]  # noqa: F811
    client = office.signed_in()
    assert said in words(client.get(memo_of(client, paper)))


def test_too_much_is_refused_on_the_page_with_what_was_chosen_and_less_ends_the_claim_where_wished(claimed):
    office, claim, _invoice = claimed  # noqa: F811
    client, claim_id = office.signed_in(), claim.rsplit("/", 1)[1]
    much = memo_of(client, replace(MEMO, refs=(), lines=[replace(BREAD, qty=4, price="2.00", unit="C62")]))
    before = picture_of(office)
    answer = send(client, f"{much}/approve", claim=claim_id, invoice="")
    assert answer.status_code == 409
    assert "but the claims you chose ask for $6.00" in words(answer)
    assert f'value="{claim_id}" checked' in answer.text
    assert picture_of(office) == before
    compared = send(client, f"{much}/approve", claim=claim_id, invoice="", then="compare")
    assert "you claimed only $6.00" in words(client.get(compared.location))
    assert send(client, f"{much}/approve", then="discard").status_code == 303
    less = memo_of(client, replace(MEMO, number="G-2", lines=[replace(BREAD, qty=4, price="1.00", unit="C62")]))
    assert send(client, f"{less}/approve", claim=claim_id, invoice="", then="all").status_code == 303
    found = kept(office, Claim, STORE, claim_id)
    assert (found.state, found.granted_minor) == ("compensated", 400)


def test_a_memo_that_comes_by_itself_waits_open_for_its_press(claimed):
    office, claim, _invoice = claimed  # noqa: F811
    page = memo_of(office.signed_in())
    row = kept(office, SupplierPaper, STORE, page.rsplit("/", 1)[1])
    assert (row.state, row.supplier_id, row.invoice_id) == ("open", FARM, None)
    assert kept(office, Claim, STORE, claim.rsplit("/", 1)[1]).state == "filed"
