"""Work in the store on its pages: the stock take, the day's checks, dates, writing off, goods by hand, recalls."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue.catalogue import Barcode, Listing
from pos.catalogue.scan import read as read_scan
from pos.printing.queue import PrintJob
from pos.stock import batches, recall, stock, stocktake, waste
from pos.stock.batches import Batch, Lot
from pos.store.store import Staff
from pos.sync import checks
from tests.stock_sold import sell_goods
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import EAN, SYSTEM, fill, picture_of, send, words

TODAY = NOON.date()
SCRIPT = {"HX-Request": "true"}
ROOMS = ("check", "takes", "dates", "waste", "in", "back", "recalls")


@pytest.fixture
def office(house: House) -> House:
    fill(house)
    with house.doors.write() as session:
        session.add(Barcode(code="case-of-milk", sku="milk", qty=12))
    return house


def on(days: int) -> str:
    return (TODAY + dt.timedelta(days=days)).isoformat()


def level(house: House, sku: str) -> int:
    with house.doors.read() as session:
        return stock.levels(session, STORE, [sku])[sku].on_hand


def lay_in(house: House, sku: str, qty: int, days: int, batch: str | None = None) -> None:
    source = new_id()
    with house.doors.write() as session:
        stock.receive(Context(session, SYSTEM, NOON), STORE, [(sku, qty)], source_id=source)
        lot = Lot(sku, qty, batch, TODAY + dt.timedelta(days=days))
        batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id=source, at=NOON)


def sold(house: House, sku: str, qty: int) -> None:
    house.clock.advance(30)
    with house.doors.write() as session:
        day = house.clock.now().date()
        sell_goods(Context(session, SYSTEM, house.clock.now()), STORE, [(sku, qty)], sale_id=new_id(), day=day)


def start(client, *sections: str) -> str:
    answer = send(client, "/stock/takes/", name="Spring", sections="\n".join(sections or ("Floor",)))
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def good(house: House) -> None:
    with house.doors.read() as session:
        assert [one for one in checks.findings(session) if one.code in ("K3", "K4", "K5")] == []


# --- every room ---


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("room", ROOMS)
def test_every_room_opens_in_both_languages_also_when_there_is_nothing(house, room, language):
    assert house.signed_in().get(f"/stock/{room}/?lang={language}").status_code == 200


def test_a_cashier_may_look_at_the_dates_and_nothing_else(office):
    client = office.signed_in("cashier")
    allowed = {room: client.get(f"/stock/{room}/").status_code for room in ROOMS}
    assert allowed == {room: 200 if room == "dates" else 403 for room in ROOMS}
    before = picture_of(office)
    for address in ("waste/", "in/", "back/", "takes/", "recalls/", "check/", "dates/reduce"):
        assert send(client, f"/stock/{address}", sku="milk", qty="1", reason="theft").status_code == 403
    assert picture_of(office) == before


def test_a_supervisor_counts_writes_off_and_takes_in_but_recalls_nothing(office):
    with office.doors.write() as session:
        session.get(Staff, (STORE, "cashier")).role = "supervisor"
    client = office.signed_in("cashier")
    assert [client.get(f"/stock/{room}/").status_code for room in ROOMS] == [200, 200, 200, 200, 200, 200, 403]
    assert "Recalls" not in words(client.get("/stock/"))


# --- stock take ---


def test_a_take_is_counted_by_scanner_while_selling_goes_on_and_booked(office):
    client = office.signed_in()
    take = start(client, "Floor", "Cold room")
    for code in (EAN["milk"], EAN["milk"], "6"):
        send(client, f"{take}/1/scan", code=code if code != "6" else EAN["milk"], times="6" if code == "6" else "1")
    office.clock.advance(60)
    sold(office, "milk", 2)
    assert "8 in this section" in words(client.get(f"{take}/1"))
    for n in (1, 2):
        assert send(client, f"{take}/{n}/finish").status_code == 303
    answer = words(client.get(take))
    assert "Post stock take" in answer
    assert send(client, f"{take}/post", missing="leave").status_code == 303
    assert level(office, "milk") == 8 - 2
    assert "Posted Mon, Mar 2" in words(client.get(take))
    good(office)


def test_a_scan_is_answered_to_a_script_with_the_counting_block_alone_and_kept_once(office):
    client = office.signed_in()
    take, command = start(client), new_id()
    for _ in range(2):
        send(client, f"{take}/1/scan", command_id=command, code=EAN["milk"])
    block = client.get(f"{take}/1", headers=SCRIPT).text
    assert block.lstrip().startswith('<div id="counting"')
    assert "<html" not in block
    assert re.search(r'last-qty"><b class="figures">1<', block)


def test_a_case_counts_as_what_is_in_it_and_a_weighed_product_asks_for_its_weight(office):
    client = office.signed_in()
    take = start(client)
    send(client, f"{take}/1/scan", code="case-of-milk")
    assert "12 in this section" in words(client.get(f"{take}/1"))
    asked = send(client, f"{take}/1/scan", code="apple")
    assert asked.headers["Location"].endswith("?sku=apple")
    assert "Counted in this section" in words(client.get(asked.headers["Location"]))
    send(client, f"{take}/1/total", product="apple", qty="4800")
    assert "= 4.8 kg" in words(client.get(f"{take}/1"))


def test_a_name_that_fits_several_products_offers_them_and_an_unknown_code_is_a_sentence(office):
    client = office.signed_in()
    take = start(client)
    several = send(client, f"{take}/1/scan", code="drinks")
    assert several.status_code == 404
    assert "Green tea" in words(several)
    assert "Pale beer" in words(several)
    assert send(client, f"{take}/1/scan", code="4006381333930").status_code in (404, 422)
    assert send(client, f"{take}/1/scan", code="").status_code == 404


def test_a_scan_is_taken_back_once(office):
    client = office.signed_in()
    take, command = start(client), new_id()
    send(client, f"{take}/1/scan", code="case-of-milk")
    send(client, f"{take}/1/scan", command_id=command, code=EAN["milk"])
    back = new_id()
    for _ in range(2):
        assert send(client, f"{take}/1/back", command_id=back, entry=command).status_code == 303
    assert "12 in this section" in words(client.get(f"{take}/1"))
    assert send(client, f"{take}/1/back", entry="nothing-like-it").status_code == 404


def test_a_large_difference_is_counted_again_before_it_is_booked(office):
    client = office.signed_in()
    take = start(client)
    send(client, f"{take}/1/total", product="beer", qty="20")
    send(client, f"{take}/1/finish")
    refused = send(client, f"{take}/post")
    assert refused.status_code == 409
    assert "Count 1 product again" in words(refused)
    assert level(office, "beer") == 48
    office.clock.advance(60)
    assert send(client, f"{take}/1/total", product="beer", qty="21", then="take").status_code == 303
    assert send(client, f"{take}/post").status_code == 303
    assert level(office, "beer") == 21


def test_what_nobody_found_is_set_to_nothing_only_when_it_is_said(office):
    client = office.signed_in()
    take = start(client)
    send(client, f"{take}/1/total", product="milk", qty="9")
    send(client, f"{take}/1/finish")
    assert "Green tea" in words(client.get(take))
    send(client, f"{take}/post", missing="gone")
    assert (level(office, "milk"), level(office, "tea"), level(office, "beer")) == (9, 0, 0)
    good(office)


def test_an_interrupted_booking_goes_on(office):
    client = office.signed_in()
    take = start(client)
    key = take.rsplit("/", 1)[1]
    for sku, qty in (("milk", 8), ("tea", 6), ("soap", 20)):
        send(client, f"{take}/1/total", product=sku, qty=str(qty))
    send(client, f"{take}/1/finish")
    with office.doors.write() as session:
        stocktake.begin_posting(Context(session, SYSTEM, office.clock.now()), STORE, key)
        stocktake.post_some(Context(session, SYSTEM, office.clock.now()), STORE, key, most=1)
    assert "Continue posting" in words(client.get(take))
    assert send(client, f"{take}/post").status_code == 303
    assert level(office, "milk") == 8


def test_a_take_that_is_given_up_books_nothing(office):
    client = office.signed_in()
    take = start(client)
    send(client, f"{take}/1/total", product="milk", qty="1")
    assert send(client, f"{take}/abandon", words="too busy").status_code == 303
    assert level(office, "milk") == 9
    assert send(client, f"{take}/1/total", product="milk", qty="2").status_code == 409


@pytest.mark.parametrize(
    "address", ["/stock/takes/nothing", "/stock/takes/nothing/1", "/stock/in/nothing", "/stock/back/nothing"]
)
def test_what_is_not_there_is_a_sentence(office, address):
    client = office.signed_in()
    assert client.get(address).status_code == 404
    assert send(client, f"{address}/scan", code=EAN["milk"]).status_code in (404, 405)


# --- check these ---


def test_the_days_checks_say_why_and_one_tap_answers_them(office):
    client = office.signed_in()
    sold(office, "bread", 5)
    listed = words(client.get("/stock/check/"))
    assert "Rye bread Sold more than recorded (-2). Please count." in listed
    assert send(client, "/stock/check/", product="bread", then="none").status_code == 303
    assert level(office, "bread") == 0
    command = new_id()
    for _ in range(2):
        assert send(client, "/stock/check/", command_id=command, product="tea", qty="5").status_code == 303
    assert level(office, "tea") == 5
    assert "Rye bread" not in words(client.get("/stock/check/")).replace("Rye bread has been counted", "")
    refused = send(client, "/stock/check/", product="soap", qty="many")
    assert refused.status_code == 422
    assert "Enter a whole number" in words(refused)


# --- dates ---


def test_the_dates_propose_a_price_and_print_a_label_the_till_can_read(office):
    lay_in(office, "milk", 6, 1, "L7")
    client = office.signed_in()
    assert "−30% · $0.90" in words(client.get("/stock/dates/"))
    command = new_id()
    for _ in range(2):
        done = send(
            client, "/stock/dates/reduce", command_id=command, sku="milk", expires_on=on(1), percent="30", labels="6",
            batch="L7",
        )  # fmt: skip
        assert done.status_code == 303
    assert "marked down to $0.90 6 of 6 left to sell" in words(client.get("/stock/dates/"))
    with office.doors.read() as session:
        jobs = session.scalars(sa.select(PrintJob).where(PrintJob.source_id == command)).all()
        assert len(jobs) == 6
        document = jobs[0].document
        assert (document["price_minor"], document["was_minor"], document["barcode"]) == (90, 129, None)
        scanned = read_scan(session, STORE, document["url"], TODAY)
    assert (scanned.product.sku, scanned.batch, scanned.expires_on) == ("milk", "L7", TODAY + dt.timedelta(days=1))
    assert "<svg" in client.get(f"/stock/dates/label/milk/{on(1)}/30").text


def test_what_is_over_is_not_reduced_but_written_off(office):
    lay_in(office, "milk", 6, -1)
    client = office.signed_in()
    shown = words(client.get("/stock/dates/"))
    assert "expired 1 day ago" in shown
    assert "Mark down and print labels" not in shown
    refused = send(client, "/stock/dates/reduce", sku="milk", expires_on=on(-1), percent="30", labels="1")
    assert refused.status_code == 409


@pytest.mark.parametrize(
    "wrong", [{"percent": "0"}, {"percent": "100"}, {"expires_on": "soon"}, {"labels": "9999"}, {"sku": "nothing"}]
)
def test_a_wrong_reduction_leaves_nothing_behind(office, wrong):
    client, before = office.signed_in(), picture_of(office)
    given = {"sku": "milk", "expires_on": on(1), "percent": "30", "labels": "1"} | wrong
    assert send(client, "/stock/dates/reduce", **given).status_code in (404, 422)
    assert picture_of(office) == before


# --- writing off ---


def test_writing_off_offers_what_is_likely_and_says_what_will_stand_there(office):
    with office.doors.write() as session:
        session.execute(sa.update(Listing).where(Listing.sku == "apple").values(quick_key=1))
    found = words(office.signed_in().get("/stock/waste/"))
    assert "Suggested" in found
    assert "in the store" in found
    assert "No write-offs yet" in found


def test_which_of_several_products_is_meant_is_a_question_and_no_danger(office):
    shown = office.signed_in().get("/stock/waste/?code=e").text
    assert "Several products match. Choose one" in shown
    assert "note-info" in shown
    assert "note-bad" not in shown


def test_writing_off_takes_a_scan_and_a_tap(office):
    client = office.signed_in()
    assert "Choose a reason" in words(client.get(f"/stock/waste/?code={EAN['milk']}"))
    command = new_id()
    for _ in range(2):
        answer = send(client, "/stock/waste/", command_id=command, sku="milk", qty="2", reason="breakage")
        assert answer.status_code == 303
    assert level(office, "milk") == 7
    with office.doors.read() as session:
        (row, _name, _unit, _stands), *others = waste.written_off(session, STORE)
    assert (row.reason, row.qty, row.value_minor, others) == ("breakage", 2, 258, [])
    assert "Breakage" in words(client.get("/stock/waste/"))


@pytest.mark.parametrize("page", ["/stock/waste/", "/products/milk"])
def test_a_wrong_write_off_is_undone_from_the_page_after_it_and_once(office, page):
    client, command = office.signed_in(), new_id()
    address = page if page.endswith("/") else f"{page}/waste"
    done = send(client, address, command_id=command, sku="milk", qty="2", reason="breakage", place="backroom")
    assert f"/stock/waste/{command}/undo" in client.get(done.headers["Location"]).text
    for _ in range(2):
        answer = send(client, f"/stock/waste/{command}/undo", next=page)
        assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert level(office, "milk") == 9
    assert "Write-off undone" in words(client.get("/products/milk"))
    good(office)


def test_the_list_offers_to_undo_a_write_off_until_it_is_undone(office):
    client, command = office.signed_in(), new_id()
    send(client, "/stock/waste/", command_id=command, sku="milk", qty="2", reason="theft")
    assert f"/stock/waste/{command}/undo" in client.get("/stock/waste/").text
    send(client, f"/stock/waste/{command}/undo")
    shown = client.get("/stock/waste/")
    assert f"/stock/waste/{command}/undo" not in shown.text
    assert "undone" in words(shown)


def test_who_may_not_write_off_undoes_nothing(office):
    command = new_id()
    send(office.signed_in(), "/stock/waste/", command_id=command, sku="milk", qty="2", reason="theft")
    assert send(office.signed_in("cashier"), f"/stock/waste/{command}/undo").status_code == 403
    assert level(office, "milk") == 7


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"reason": ""}, 422),
        ({"reason": "bored"}, 422),
        ({"reason": "other"}, 422),
        ({"qty": "0"}, 422),
        ({"qty": "10"}, 409),
        ({"sku": "nothing"}, 404),
    ],
)
def test_writing_off_wrongly_leaves_nothing_behind(office, given, status):
    client, before = office.signed_in(), picture_of(office)
    answer = send(client, "/stock/waste/", **{"sku": "milk", "qty": "1", "reason": "theft"} | given)
    assert answer.status_code == status
    assert picture_of(office) == before


# --- goods without an order ---


def test_goods_are_taken_in_by_scanner_with_date_and_cost(office):
    client = office.signed_in()
    begun = send(client, "/stock/in/", supplier="Market hall")
    note = str(begun.headers["Location"])
    send(client, f"{note}/scan", code="case-of-milk", times="2")
    detail = send(client, f"{note}/line", ns="1", product="milk", qty="24", expires_on=on(6), batch="l9", cost="18.00")
    assert detail.status_code == 303
    assert "$18.00" in words(client.get(note))
    for _ in range(2):
        assert send(client, f"{note}/post").status_code == 303
    assert level(office, "milk") == 9 + 24
    with office.doors.read() as session:
        lot = session.scalars(sa.select(Batch).where(Batch.sku == "milk")).one()
        assert (lot.batch, lot.expires_on, lot.received_qty) == ("L9", TODAY + dt.timedelta(days=6), 24)
        assert session.get(Listing, (STORE, "milk")).cost_minor == 75
    assert "Market hall" in words(client.get("/stock/in/"))
    good(office)


def begun_back(client, **given: str) -> str:
    answer = send(client, "/stock/back/", **{"supplier": "Dairy", "reason": "damaged"} | given)
    assert answer.status_code == 303, words(answer)
    return str(answer.headers["Location"])


def test_goods_go_back_and_never_more_than_there_are(office):
    client = office.signed_in()
    note = begun_back(client, words="sour")
    send(client, f"{note}/scan", code=EAN["milk"], times="4")
    send(client, f"{note}/post")
    assert level(office, "milk") == 5
    other = begun_back(client, reason="expired")
    send(client, f"{other}/scan", code=EAN["milk"], times="6")
    assert "only 5 in stock" in words(client.get(other))
    refused = send(client, f"{other}/post")
    assert refused.status_code == 409
    assert "(5/6)" in words(refused)
    assert send(client, f"{other}/post", then="drop").status_code == 303
    assert level(office, "milk") == 5
    listed = words(client.get("/stock/back/"))
    assert "Damaged" in listed
    assert "sent back" in listed
    assert "discarded" in listed
    good(office)


def test_what_is_expected_back_is_the_last_cost_until_another_is_typed(office):
    with office.doors.write() as session:
        session.get(Listing, (STORE, "milk")).cost_minor = 75
    client = office.signed_in()
    note = begun_back(client)
    send(client, f"{note}/scan", code=EAN["milk"], times="4")
    assert "Expected credit $3.00" in words(client.get(note))
    send(client, f"{note}/line", ns="1", product="milk", qty="4", cost="2.00")
    assert "Expected credit $2.00" in words(client.get(note))
    send(client, f"{note}/line", ns="1", product="milk", qty="4", cost="")
    assert "1 line without cost" in words(client.get(note))


def test_goods_back_are_counted_in_cases_and_named_by_their_lot_with_one_tap(office):
    lay_in(office, "milk", 24, 2, "L7")
    lay_in(office, "milk", 24, 9, "L8")
    with office.doors.read() as session:
        lot = session.scalars(sa.select(Batch).where(Batch.batch == "L8")).one().id
    client = office.signed_in()
    note = begun_back(client, reason="wrong_delivery")
    send(client, f"{note}/scan", code=EAN["milk"])
    assert "batch L8" in words(client.get(note))
    send(client, f"{note}/line", ns="1", product="milk", qty="2", pack="12", lot=lot)
    assert send(client, f"{note}/line", ns="2", product="milk", qty="2", pack="7").status_code == 422
    send(client, f"{note}/post")
    assert level(office, "milk") == 9 + 24
    with office.doors.read() as session:
        held = batches.standing(session, STORE, ["milk"], day=TODAY)["milk"]
    assert [(one.qty, one.batch) for one in held] == [(24, "L7"), (9, None)]
    good(office)


def test_the_driver_s_slip_is_printed_once_and_then_as_a_copy(office):
    client = office.signed_in()
    note = begun_back(client)
    send(client, f"{note}/scan", code=EAN["milk"], times="2")
    assert send(client, f"{note}/slip").status_code == 409
    for _ in range(2):
        assert send(client, f"{note}/post", slip="1").status_code == 303
    send(client, f"{note}/slip")
    with office.doors.read() as session:
        jobs = session.scalars(sa.select(PrintJob).order_by(PrintJob.copy_no)).all()
        assert [(job.kind, job.copy_no) for job in jobs] == [("goods_back", 0), ("goods_back", 1)]
        assert jobs[0].document["lines"][0]["name"] == "Whole milk"


def test_a_date_and_a_recall_lead_to_a_note_that_begins_with_the_product(office):
    lay_in(office, "milk", 6, -1, "L7")
    client = office.signed_in()
    address = re.search(r'href="(/stock/back/[^"]+)"', client.get("/stock/dates/").text)[1].replace("&amp;", "&")
    assert 'value="expired" required checked' in client.get(address).text
    begun = begun_back(client, reason="expired", sku="milk", qty="6", batch="L7", expires_on=on(-1))
    assert "batch L7" in words(client.get(begun))
    send(client, f"{begun}/add", product="milk", qty="2")
    with office.doors.write() as session:
        row = recall.call(Context(session, SYSTEM, NOON), STORE, "milk", "L7", why="Glass")
        address = f"/stock/recalls/{row.id}"
    assert "reason=recalled" in client.get(address).text
    send(client, f"{begun}/post")
    assert "reason=recalled" not in client.get(address).text
    assert level(office, "milk") == 9 - 2
    good(office)


@pytest.mark.parametrize(
    "wrong",
    [{"supplier": " "}, {"reason": ""}, {"reason": "theft"}, {"reason": "other"}, {"sku": "milk", "qty": "0"},
     {"sku": "gold", "qty": "1"}],
)  # fmt: skip
def test_a_note_back_needs_who_and_why(office, wrong):
    client = office.signed_in()
    before = picture_of(office)
    answer = send(client, "/stock/back/", **{"supplier": "Dairy", "reason": "damaged"} | wrong)
    assert answer.status_code in (404, 422)
    assert picture_of(office) == before


def test_the_two_ways_do_not_open_each_other_s_notes(office):
    client = office.signed_in()
    back = begun_back(client)
    come = str(send(client, "/stock/in/", supplier="Market").headers["Location"])
    for address in (back.replace("/back/", "/in/"), come.replace("/in/", "/back/")):
        assert client.get(address).status_code == 404
        assert send(client, f"{address}/scan", code=EAN["milk"]).status_code == 404
        assert send(client, f"{address}/post", then="drop").status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"expires_on": "2026-02-31"}, {"cost": "much"}, {"qty": "0"}, {"ns": "x"}, {"ns": "9"}]
)
def test_a_wrong_detail_leaves_the_line_as_it_was(office, wrong):
    client = office.signed_in()
    note = str(send(client, "/stock/in/", supplier="Market").headers["Location"])
    send(client, f"{note}/scan", code=EAN["milk"])
    before = picture_of(office)
    answer = send(
        client, f"{note}/line", **{"ns": "1", "product": "milk", "qty": "1", "expires_on": "", "cost": ""} | wrong
    )
    assert answer.status_code in (404, 422)
    assert picture_of(office) == before


# --- recalls ---


def test_a_recall_stops_the_product_is_cleared_and_lifted(office):
    client = office.signed_in()
    command = new_id()
    for _ in range(2):
        called = send(client, "/stock/recalls/", command_id=command, sku="milk", why="Glass", called_by="Dairy")
        assert called.status_code == 303
    page = str(called.headers["Location"])
    with office.doors.read() as session, pytest.raises(Refused):
        recall.refuse(session, STORE, [("milk", None)])
    assert "About 9 in stock, according to the records." in words(client.get(page))
    assert send(client, f"{page}/clear", qty="9").status_code == 303
    assert level(office, "milk") == 0
    for _ in range(2):
        assert send(client, f"{page}/lift", reason="lift-all-well").status_code == 303
    with office.doors.read() as session:
        recall.refuse(session, STORE, [("milk", None)])
        assert [row.reason for row in waste.shrink(session, STORE, TODAY, TODAY)] == ["recall"]
    assert "Lifted" in words(client.get(page))


def test_a_recall_needs_a_reason_and_a_product(office):
    client, before = office.signed_in(), picture_of(office)
    assert send(client, "/stock/recalls/", sku="milk", why=" ").status_code == 422
    assert send(client, "/stock/recalls/", sku="nothing", why="Glass").status_code == 404
    assert picture_of(office) == before


def test_a_delivery_is_counted_in_with_the_last_day_of_its_lines(office):
    client = office.signed_in()
    send(client, "/deliveries/D1/begin")
    page = client.get("/deliveries/D1").text
    typed = dict(re.findall(r'name="((?:sku|qty)-\d+)" value="([^"]*)"', page))
    place = next(name[4:] for name, value in typed.items() if value == "milk")
    wrong = send(client, "/deliveries/D1/count", then="post", **typed | {f"until-{place}": "soon"})
    assert wrong.status_code == 422
    assert "Enter the date on the pack, such as 2026-12-31" in words(wrong)
    assert send(client, "/deliveries/D1/count", then="post", **typed | {f"until-{place}": on(4)}).status_code == 303
    with office.doors.read() as session:
        lots = dict(session.execute(sa.select(Batch.sku, Batch.expires_on)).all())
    assert (lots["milk"], lots["bread"]) == (TODAY + dt.timedelta(days=4), None)


def test_a_product_shows_what_of_it_expires_when(office):
    lay_in(office, "milk", 6, 1, "L7")
    shown = words(office.signed_in().get("/products/milk"))
    assert "Tue, Mar 3 L7 6 no date – 9" in shown
    assert "L7" not in words(office.signed_in("cashier").get("/products/milk"))
