"""The bestseller shelf's pages: draft, agree, change a place, bring goods, labels."""

from collections import Counter

import pytest
import sqlalchemy as sa

from config.ids import new_id
from pos.catalogue.catalogue import Price
from pos.printing.queue import PrintJob
from pos.stock import stock
from supply.shelf import plan as shelf_plan
from tests.store_app.conftest import STORE
from tests.store_app.office import fill, picture_of, send, words


@pytest.fixture
def office(build):
    house = build(public_url="https://shops.example")
    fill(house)
    return house


def plan(house, state):
    with house.doors.read() as session:
        found = shelf_plan.plans(session, STORE, state)
        return found[0].id if found else None


def on_shelf(client, when="today"):
    assert send(client, "/shelf/draft").status_code == 303
    return client


def go_live(house, client):
    on_shelf(client)
    draft_id = plan(house, "drafted")
    assert send(client, f"/shelf/{draft_id}/approve", **{"from": "today"}).status_code == 303
    return draft_id


def test_an_empty_shelf_offers_the_first_step(office):
    assert "No bestseller shelf yet" in words(office.signed_in().get("/shelf/"))


def test_a_draft_tells_for_each_place_why(office):
    found = words(on_shelf(office.signed_in()).get("/shelf/"))
    assert "New plan ready" in found
    assert "a day here" in found
    assert "Whole milk" in found


def test_a_plan_agreed_to_now_is_the_shelf_and_is_to_be_filled(office):
    client = office.signed_in()
    go_live(office, client)
    found = words(client.get("/shelf/"))
    assert "Current shelf" in found
    assert "Refill the shelf" in found


def test_a_plan_from_tomorrow_waits(office):
    client = on_shelf(office.signed_in())
    draft_id = plan(office, "drafted")
    for _ in range(2):
        assert send(client, f"/shelf/{draft_id}/approve", **{"from": "tomorrow"}).status_code == 303
    assert plan(office, "live") is None
    assert "will start on" in words(client.get("/shelf/"))


def test_a_place_takes_another_product_and_the_two_change_places(office):
    client = on_shelf(office.signed_in())
    draft_id = plan(office, "drafted")
    assert "Put here" in words(client.get(f"/shelf/{draft_id}/slots/1?q=tea"))
    assert send(client, f"/shelf/{draft_id}/slots/1", sku="tea").status_code == 303
    with office.doors.read() as session:
        slots = shelf_plan.slots_of(session, shelf_plan.plan_of(session, STORE, draft_id))
    assert slots[0].sku == "tea"
    assert len({row.sku for row in slots}) == len(slots)


def test_a_refill_is_noted_once(office):
    client, command = office.signed_in(), new_id()
    go_live(office, client)
    for _ in range(2):
        assert send(client, "/shelf/refill/milk", command_id=command, qty="2").status_code == 303
    with office.doors.read() as session:
        assert stock.levels(session, STORE, ["milk"])["milk"].by_place["shelf"] == 2


def test_more_than_the_backroom_has_cannot_be_brought(office):
    client = office.signed_in()
    go_live(office, client)
    refused = send(client, "/shelf/refill/milk", qty="999")
    assert refused.status_code == 409
    assert "9" in words(refused)


def test_labels_are_shown_as_they_print_with_a_code_for_the_phone(office):
    client = office.signed_in()
    go_live(office, client)
    page = client.get("/shelf/labels").text
    assert page.count('class="shelf-label"') == page.count('class="qr"') > 3


def test_labels_go_to_the_printer_once(office):
    client, command = office.signed_in(), new_id()
    go_live(office, client)
    for _ in range(2):
        assert send(client, "/shelf/labels/print", command_id=command, sku="milk").status_code == 303
    with office.doors.read() as session:
        jobs = session.query(PrintJob).all()
    assert [job.kind for job in jobs] == ["label"]
    assert jobs[0].document["url"] == "https://shops.example/shop/s01/p/milk?price=129/1"


def test_the_shelf_s_labels_take_as_many_questions_as_one_and_print_without_the_one_that_has_no_price(office):
    client, asked = office.signed_in(), []
    go_live(office, client)
    shown = client.get("/shelf/labels").text.count('class="shelf-label"')
    with office.doors.write() as session:
        session.execute(sa.delete(Price).where(Price.sku == "milk"))
        sa.event.listen(session.get_bind().engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    assert client.get("/shelf/labels").text.count('class="shelf-label"') == shown - 1
    assert max(Counter(asked).values()) < shown - 1
    assert send(client, "/shelf/labels/print", sku="milk").status_code == 409, "one without a price has no label"
    assert send(client, "/shelf/labels/print").status_code == 303
    with office.doors.read() as session:
        assert session.query(PrintJob).count() == shown - 1


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/shelf/nothing/approve", {"from": "today"}),
        ("/shelf/%00/approve", {"from": "today"}),
        ("/shelf/{draft}/approve", {"from": "yesterday"}),
        ("/shelf/{draft}/slots/1", {"sku": ""}),
        ("/shelf/{draft}/slots/1", {"sku": "<script>"}),
        ("/shelf/{draft}/slots/999", {"sku": "milk"}),
        ("/shelf/{draft}/slots/99999999999999999999", {"sku": "milk"}),
        ("/shelf/refill/nothing", {"qty": "1"}),
        ("/shelf/refill/milk", {"qty": "-1"}),
        ("/shelf/labels/print", {"sku": "nothing"}),
        ("/shelf/nothing/drop", {}),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_changes_nothing(office, address, fields):
    client = on_shelf(office.signed_in())
    before = picture_of(office)
    refused = send(client, address.format(draft=plan(office, "drafted")), **fields)
    assert 400 <= refused.status_code < 500
    assert len(words(refused)) > 40
    assert picture_of(office) == before


def test_a_dropped_draft_leaves_the_shelf_as_it_is(office):
    client = on_shelf(office.signed_in())
    draft_id = plan(office, "drafted")
    for _ in range(2):
        assert send(client, f"/shelf/{draft_id}/drop").status_code == 303
    refused = send(client, f"/shelf/{draft_id}/approve", **{"from": "today"})
    assert refused.status_code == 409
    assert plan(office, "live") is None


def test_a_cashier_does_not_decide_about_the_shelf(office):
    assert send(office.signed_in("cashier"), "/shelf/draft").status_code == 403


def test_the_shelf_tells_before_and_since_and_that_it_is_no_proof(office):
    client = office.signed_in("shopkeeper")
    send(client, "/shelf/draft")
    with office.doors.read() as session:
        plan_id = shelf_plan.plans(session, STORE, "drafted")[0].id
    assert send(client, f"/shelf/{plan_id}/approve", **{"from": "today"}).status_code == 303
    assert "Before and after" not in words(client.get("/shelf/"))  # not a day has passed
    office.clock.advance(3 * 86_400)
    assert "Units or servings per day, four weeks before the" in words(client.get("/shelf/"))


def test_a_draft_is_arranged_by_its_form_with_and_without_a_script(office):
    client = on_shelf(office.signed_in())
    draft_id = plan(office, "drafted")
    with office.doors.read() as session:
        skus = [row.sku for row in shelf_plan.slots_of(session, shelf_plan.plan_of(session, STORE, draft_id))]
    turned, facings = skus[::-1], ["3"] + ["1"] * (len(skus) - 1)
    asked = {"sku": turned, "facings": facings}
    assert send(client, f"/shelf/{draft_id}/arrange", **asked).status_code == 303
    with office.doors.read() as session:
        rows = shelf_plan.slots_of(session, shelf_plan.plan_of(session, STORE, draft_id))
    assert ([row.sku for row in rows], rows[0].facings) == (turned, 3)
    places = [str(len(skus) - n) for n in range(len(skus))]
    assert send(client, f"/shelf/{draft_id}/arrange", **asked, place=places).status_code == 303
    with office.doors.read() as session:
        assert [row.sku for row in shelf_plan.slots_of(session, shelf_plan.plan_of(session, STORE, draft_id))] == skus
    before = picture_of(office)
    assert send(client, f"/shelf/{draft_id}/arrange", sku=turned[:-1], facings=facings[:-1]).status_code == 409
    assert send(client, f"/shelf/{draft_id}/arrange", sku=turned, facings=["9", *facings[1:]]).status_code == 422
    endless = ["9" * 5000, *places[1:]]
    assert send(client, f"/shelf/{draft_id}/arrange", **asked, place=endless).status_code == 422
    assert picture_of(office) == before


def test_the_shelf_is_given_as_a_picture_to_print_with_its_labels(office):
    client = office.signed_in()
    assert client.get("/shelf/picture.pdf").status_code == 404
    go_live(office, client)
    paper = client.get("/shelf/picture.pdf")
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
    assert client.get("/shelf/picture.pdf").data == paper.data


def test_nothing_is_swapped_where_nothing_is_clearly_better(office):
    client = office.signed_in()
    go_live(office, client)
    assert send(client, "/shelf/swap").status_code == 303
    assert "No product would clearly sell better. The shelf" in words(client.get("/shelf/"))
    assert plan(office, "drafted") is None
