"""Goods in: counting a delivery and posting it, through its pages."""

import datetime as dt

import pytest

from pos.catalogue.catalogue import Barcode, Listing
from pos.stock import batches, stock
from supply.orders import claims
from supply.orders.deliveries import Delivery, DeliveryLine, lines_of
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import EAN, delivery, fill, picture_of, send, words


@pytest.fixture
def office(house):
    fill(house)
    return house


def state(house, delivery_id="D1"):
    with house.doors.read() as session:
        return session.get(Delivery, (STORE, delivery_id)).state


def on_hand(house, sku):
    with house.doors.read() as session:
        return stock.levels(session, STORE, [sku])[sku].on_hand


def counted(then="post", **qty):
    """Return the count form's fields: what was advised, but for what is given."""
    fields = {"then": then}
    lines = {"apple": 8000, "bread": 10, "milk": 24} | qty
    for n, (sku, number) in enumerate(lines.items()):
        fields |= {f"sku-{n}": sku, f"qty-{n}": str(number)} | ({} if sku in qty else {f"shown-{n}": str(number)})
    return fields


def begin(client):
    assert send(client, "/deliveries/D1/begin").status_code == 303
    return client


def test_what_is_due_today_is_first_and_asks_to_be_counted(office):
    found = words(office.signed_in().get("/deliveries/"))
    assert "Cornerstore Supply" in found
    assert "arrives today" in found
    assert "3 products" in found


def test_a_delivery_as_advised_is_posted_with_one_press(office):
    client = begin(office.signed_in())
    posted = send(client, "/deliveries/D1/count", **counted())
    assert posted.status_code == 303, words(posted)
    assert state(office) == "posted"
    assert on_hand(office, "milk") == 9 + 24
    assert "Everything arrived as expected" in words(client.get("/deliveries/D1"))


def test_posting_twice_brings_the_goods_once(office):
    client = begin(office.signed_in())
    for _ in range(2):
        assert send(client, "/deliveries/D1/count", **counted()).status_code == 303
    assert on_hand(office, "milk") == 9 + 24


def test_a_difference_wants_a_reason_and_is_told_after(office):
    client = begin(office.signed_in())
    refused = send(client, "/deliveries/D1/count", **counted(milk=20))
    assert refused.status_code == 422
    assert "Why is it different" in words(refused)
    assert 'value="20"' in refused.text
    assert state(office) == "counting"
    fields = counted(milk=20) | {"why-2": "difference-broken"}
    assert send(client, "/deliveries/D1/count", **fields).status_code == 303
    found = words(client.get("/deliveries/D1"))
    assert "Broken" in found
    assert on_hand(office, "milk") == 9 + 20


def test_a_count_may_be_kept_and_gone_on_with(office):
    client = begin(office.signed_in())
    kept = counted("keep", milk=20) | {"why-2": "difference-missing"}
    assert send(client, "/deliveries/D1/count", **kept).status_code == 303
    assert state(office) == "counting"
    assert 'value="20"' in client.get("/deliveries/D1").text


def test_a_scanned_code_jumps_to_its_line_without_script(office):
    client = begin(office.signed_in())
    there = client.get("/deliveries/D1", query_string={"code": EAN["milk"]})
    assert there.status_code == 303
    assert there.location.endswith("#line-milk")
    assert "is-found" in client.get(there.location).text


def line_of(office, sku="milk"):
    with office.doors.read() as session:
        return session.get(DeliveryLine, (STORE, "D1", sku))


def scanned(client, code, **qty):
    answer = send(client, "/deliveries/D1/count", **(counted("scan", **qty) | {"code": code}))
    assert answer.status_code == 303, words(answer)
    return answer


def test_each_scan_counts_its_units_from_none_and_keeps_the_lot_its_code_names(office):
    with office.doors.write() as session:
        session.add(Barcode(code="case-of-milk-6", sku="milk", qty=6))
    client, gs1 = begin(office.signed_in()), f"(01)0{EAN['milk']}(17)260401(10)LOT"
    for _ in range(2):  # the same form sent again counts once
        assert scanned(client, gs1 + "7").location.endswith("#line-milk")
    assert (line_of(office).counted_qty, line_of(office).batch) == (1, "LOT7")
    assert line_of(office).expires_on == dt.date(2026, 4, 1)
    assert line_of(office, "bread").counted_qty is None, "what was not touched is not counted"
    scanned(client, gs1 + "7", milk=1)
    scanned(client, gs1 + "7", milk=1)
    assert line_of(office).counted_qty == 2
    scanned(client, gs1.replace("260401", "260301") + "8", milk=2)
    scanned(client, "case-of-milk-6", milk=3)
    assert "LOT" not in client.get("/deliveries/D1").text, "of several lots no field shows one"
    assert (
        send(client, "/deliveries/D1/count", **(counted(milk=9) | {"why-2": "difference-missing"})).status_code == 303
    )
    with office.doors.read() as session:
        came = [lot for lot in batches.standing(session, STORE, ["milk"], day=NOON.date())["milk"] if lot.batch]
    assert [(lot.qty, lot.batch, lot.expires_on.month) for lot in came] == [(7, "LOT8", 3), (2, "LOT7", 4)]


def test_a_typed_count_a_batch_and_a_part_of_a_name_go_along_with_a_scan(office):
    client = begin(office.signed_in())
    answer = send(client, "/deliveries/D1/count", **(counted(bread=7) | {"code": "mil", "batch-1": "B 1"}))
    assert answer.location.endswith("#line-milk")
    assert (line_of(office, "bread").counted_qty, line_of(office, "bread").batch) == (7, "B 1")
    assert line_of(office).counted_qty is None, "a name only leads to the line"
    scanned(client, EAN["milk"], bread=7, milk=23)
    assert line_of(office).counted_qty == 24


def test_a_code_that_is_not_on_the_delivery_is_a_sentence(office):
    client = begin(office.signed_in())
    assert "is not on this delivery" in words(client.get("/deliveries/D1?code=4006381333948"))
    assert "to this delivery" not in words(client.get("/deliveries/D1?code=4006381333948"))


def test_what_came_and_nobody_advised_is_added_once_as_the_wrong_product_and_can_be_claimed(office):
    client = begin(office.signed_in())
    there = scanned(client, "soap", milk=20).location
    page = words(client.get(there))
    assert "Add Soap" in page
    assert "is not on this delivery. Add it as a wrong" in page
    for _ in range(2):
        assert send(client, "/deliveries/D1/add", code="soap").location.endswith("#line-soap")
    assert (line_of(office, "soap").counted_qty, line_of(office, "soap").difference_why) == (1, "difference-wrong")
    assert line_of(office).counted_qty == 20, "what was typed is kept"
    assert "Not ordered" in words(client.get("/deliveries/D1"))
    fields = counted(milk=20, soap=1) | {"why-2": "difference-missing", "why-3": "difference-wrong"}
    assert send(client, "/deliveries/D1/count", **fields).status_code == 303
    with office.doors.read() as session:
        posted = session.get(Delivery, (STORE, "D1"))
        (bound,) = [one for one in claims.bounds(session, posted, lines_of(session, posted)) if one.sku == "soap"]
        assert bound.most["wrong"] == 1
    refused = send(client, "/deliveries/D1/add", code="soap-nobody-knows")
    assert 400 <= refused.status_code < 500


@pytest.mark.parametrize("qty", ["", "-1", "x", "1.5", "9" * 40, "<script>"])
def test_a_count_that_is_no_number_is_a_sentence_and_books_nothing(office, qty):
    client = begin(office.signed_in())
    before = picture_of(office)
    refused = send(client, "/deliveries/D1/count", **(counted() | {"qty-2": qty}))
    assert refused.status_code == 422
    assert picture_of(office) == before


@pytest.mark.parametrize("sku", ["nothing", "soap", "<b>", "\x00"])
def test_a_line_that_is_not_on_the_delivery_is_refused(office, sku):
    client = begin(office.signed_in())
    refused = send(client, "/deliveries/D1/count", **(counted() | {"sku-2": sku}))
    assert 400 <= refused.status_code < 500
    assert state(office) == "counting"
    assert on_hand(office, "milk") == 9


def test_counting_before_it_is_here_is_refused(office):
    refused = send(office.signed_in(), "/deliveries/D1/count", **counted())
    assert 400 <= refused.status_code < 500
    assert state(office) == "expected"


@pytest.mark.parametrize("delivery_id", ["nothing", "x" * 900])
def test_an_unknown_delivery_is_a_sentence(office, delivery_id):
    client = office.signed_in()
    assert client.get(f"/deliveries/{delivery_id}").status_code == 404
    for step in ("begin", "count"):
        assert send(client, f"/deliveries/{delivery_id}/{step}", then="post").status_code == 404


def test_the_rail_counts_what_is_due_as_today_does(office):
    with office.doors.write() as session:
        delivery(session, "D2", [("soap", 12, 12)])
        delivery(session, "D3", [("soap", 12, 12)])
        session.get_one(Delivery, (STORE, "D3")).expected_day += dt.timedelta(days=1)
    rail = office.signed_in().get("/deliveries/").text.split('href="/deliveries/"')[1].split("</a>")[0]
    assert "waiting: </span>2<" in rail


def test_a_delivery_sent_back_brings_nothing_also_where_it_came_to_the_wrong_shop(office):
    client = office.signed_in()
    assert send(client, "/deliveries/D1/refuse").status_code == 422
    for _ in range(2):
        assert send(client, "/deliveries/D1/refuse", reason="send-back-other-store").status_code == 303
    assert state(office) == "refused"
    assert on_hand(office, "milk") == 9
    assert send(client, "/deliveries/D1/begin").status_code == 409
    assert "It is for another store" in words(client.get("/deliveries/D1"))


def test_a_cost_that_changed_is_shown_with_its_margin_and_the_way_to_price_and_label(office):
    with office.doors.write() as session:
        session.get(Listing, (STORE, "milk")).cost_minor = 50
    client = begin(office.signed_in())
    send(client, "/deliveries/D1/count", **counted())
    found = words(client.get("/deliveries/D1"))
    assert "1 product has a new cost" in found
    assert "$0.50 $0.77 $1.29 61.2% 40.3%" in found
    assert "Print labels for new prices" in found


@pytest.mark.parametrize("typed", ["", "2026-03-30"])
def test_a_line_of_two_lots_is_shown_with_both_and_taken_in_so_unless_another_day_is_typed(office, typed):
    days = [NOON.date() + dt.timedelta(days=n) for n in (4, 30)]
    with office.doors.write() as session:
        line = session.get_one(DeliveryLine, (STORE, "D1", "milk"))
        line.lots = [[12, "B1", days[0].isoformat()], [12, "B2", days[1].isoformat()]]
    client = begin(office.signed_in())
    assert "In lots: 12 until" in words(client.get("/deliveries/D1"))
    assert send(client, "/deliveries/D1/count", **counted(), **{"until-2": typed}).status_code == 303
    with office.doors.read() as session:
        held = batches.standing(session, STORE, ["milk"], day=NOON.date())["milk"]
        lots = [(one.qty, one.expires_on) for one in held if one.expires_on]
    assert lots == ([(12, days[0]), (12, days[1])] if not typed else [(24, dt.date.fromisoformat(typed))])
