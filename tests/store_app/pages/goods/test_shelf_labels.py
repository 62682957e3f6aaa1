"""The walk with the phone and the inspection sheet: what a scan answers, what waits where, what is kept."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from config.nodes.journal import Context
from pos.catalogue import catalogue, shelf_labels
from pos.catalogue.catalogue import ShelfLabel
from pos.catalogue.shelf_labels import LabelLook, code_of
from pos.printing.queue import PrintJob
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import EAN, SYSTEM, fill, send, words

TODAY = NOON.date()
PRODUCTS = "Rye bread|Whole milk|Green tea|Apples"


@pytest.fixture
def office(build) -> House:
    house = build(printer="paper")
    fill(house)
    return house


def priced(house: House, sku: str, price_minor: int, day: dt.date = TODAY) -> None:
    with house.doors.write() as session:
        catalogue.set_price(Context(session, SYSTEM, NOON), sku, price_minor, day, scope_id=STORE)


def scan(client, code: str, path: str = "/labels/scan", **fields: str):
    """Scan a code as the walk's script does, which asks for a part of the page and follows where it is sent."""
    answer = send(client, path, code=code, **fields)
    if answer.status_code != 303:
        return answer
    return client.get(answer.headers["Location"], headers={"HX-Request": "true"})


def hangs(house: House) -> dict[str, int | None]:
    with house.doors.read() as session:
        return dict(session.execute(sa.select(ShelfLabel.sku, ShelfLabel.price_minor)).all())


def test_a_right_label_is_green_and_a_wrong_one_says_both_prices_and_offers_its_print(office: House):
    client = office.signed_in("supervisor")
    page = scan(client, code_of("milk", 129, 1))
    assert "Whole milk Right The label shows today’s price, $1.29." in words(page)
    assert "is-right" in page.text
    priced(office, "milk", 149)
    page = scan(client, code_of("milk", 129, 1))
    assert "Wrong The label says $1.29, the new price is $1.49. The till charges the lower price" in words(page)
    assert "is-wrong" in page.text
    send(client, "/labels/print", product="milk")
    with office.doors.read() as session:
        (job,) = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "label"))
    assert job.document["url"] == code_of("milk", 149, 1)
    assert "Right" in words(scan(client, job.document["url"]))


def test_an_unknown_wrong_label_says_what_the_till_charges(office: House):
    priced(office, "milk", 149)
    page = words(scan(office.signed_in("supervisor"), code_of("milk", 129, 1)))
    assert "The label says $1.29, the till charges $1.49." in page


def test_a_barcode_asks_what_the_label_shows(office: House):
    client = office.signed_in("supervisor")
    priced(office, "milk", 149)
    assert "What does the label show? Whole milk $1.49" in words(scan(client, EAN["milk"]))
    assert hangs(office) == {}
    send(client, "/labels/look", product="milk", says="other", price="1.29")
    assert hangs(office) == {"milk": 129}
    send(client, "/labels/look", product="milk", says="none")
    assert hangs(office) == {"milk": None}
    send(client, "/labels/look", product="milk", says="price", minor="149")
    assert hangs(office) == {"milk": 149}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("label:1/1/milk", "This store never set the price on this label for Whole milk."),
        ("label:129/1/nothing", "Product not found: nothing."),
        ("4006381333930", "was misread"),
        ("", "Scan a product, or enter its name."),
        ("x" * 400, "No product matches"),
        ("label:129/1/milk\x00x", "No product matches"),
    ],
)
def test_what_is_no_label_of_this_store_is_refused_in_a_sentence(office: House, code, sentence):
    answer = scan(office.signed_in("supervisor"), code)
    assert 400 <= answer.status_code < 500
    assert sentence in words(answer)
    assert hangs(office) == {}


def test_a_scan_sent_twice_is_kept_once(office: House):
    client = office.signed_in("supervisor")
    for _n in range(2):
        scan(client, code_of("milk", 129, 1), command_id="look-0001")
    with office.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LabelLook)) == 1


def test_a_change_waits_on_today_on_the_walk_and_on_the_product_until_its_label_is_scanned(office: House):
    client = office.signed_in()
    scan(client, code_of("milk", 129, 1))
    assert "Labels not on the shelf yet" not in words(client.get("/today/"))
    priced(office, "milk", 149)
    assert "Labels not on the shelf yet (1)" in words(client.get("/today/"))
    assert "1 label to scan Whole milk Dairy $1.49" in words(client.get("/labels/"))
    page = words(client.get("/products/milk"))
    assert "label not on the shelf yet" in page
    assert "The label on the shelf says $1.29. The till charges the lower price until the new label is up." in page
    scan(client, code_of("milk", 149, 1))
    assert "Labels not on the shelf yet" not in words(client.get("/today/"))
    assert "No label is waiting" in words(client.get("/labels/"))
    assert "label not on the shelf yet" not in words(client.get("/products/milk"))


def test_the_tills_copy_of_the_catalog_changes_when_a_label_holds_a_price(office: House):
    priced(office, "milk", 149)
    client = office.signed_in()
    before = client.get("/api/catalogue")
    scan(client, code_of("milk", 129, 1))
    after = client.get("/api/catalogue", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert ["milk", 149] in [[row[0], row[2]] for row in before.json["rows"]]
    assert ["milk", 129] in [[row[0], row[2]] for row in after.json["rows"]]


def test_a_reprinted_label_says_the_new_price_while_the_old_one_is_held(office: House):
    client = office.signed_in()
    scan(client, code_of("milk", 129, 1))
    priced(office, "milk", 149)
    send(client, "/products/milk/label")
    with office.doors.read() as session:
        (job,) = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "label"))
    assert job.document["price_minor"] == 149


def test_all_labels_of_todays_prices_are_said_to_hang_at_once(office: House):
    client = office.signed_in()
    priced(office, "milk", 149)
    priced(office, "tea", 450)
    assert "Confirm all labels" in words(client.get("/prices/labels"))
    send(client, "/labels/hung")
    assert hangs(office) == {"milk": 149, "tea": 450}


def test_a_scan_keeps_where_the_person_stands_and_the_walk_goes_on_there(office: House):
    client = office.signed_in("supervisor")
    for sku, price, spot in (("milk", 129, "A10"), ("bread", 250, "A2"), ("tea", 395, "A3"), ("bread", 250, "A2")):
        office.clock.advance(1)
        scan(client, code_of(sku, price, 1), f"/labels/scan?all=1&place={spot}")
    assert re.findall(PRODUCTS, words(client.get("/labels/?all=1"))) == ["Apples"], "what was just seen is not again"
    for sku in ("milk", "bread", "tea"):
        priced(office, sku, 499)
    order = re.findall(PRODUCTS, words(client.get("/labels/")))
    assert order == ["Rye bread", "Green tea", "Whole milk"]


def test_an_inspection_draws_a_sample_counts_over_and_undercharges_apart_and_is_kept(office: House):
    client = office.signed_in("supervisor")
    answer = send(client, "/labels/inspections", size="25")
    sheet = answer.headers["Location"]
    inspection = sheet.rpartition("/")[2]
    with office.doors.read() as session:
        assert len(shelf_labels.inspection_of(session, STORE, inspection).skus) == 6
    priced(office, "milk", 149)
    priced(office, "tea", 350)
    for code in (code_of("milk", 129, 1), code_of("tea", 395, 1), code_of("bread", 250, 1), code_of("beer", 180, 1)):
        scan(client, code, f"/labels/scan?inspection={inspection}")
    page = words(client.get(sheet))
    assert "50% below 98%" in page
    assert "Checked: 4 of 6. Overcharges: 1. Undercharges: 1. No label: 0." in page
    assert "Whole milk milk $1.29 $1.49 Overcharge" in page
    assert "2 labels to scan" in words(client.get(f"/labels/?inspection={inspection}"))
    assert "4 of 6 50%" in words(client.get("/labels/inspections"))


def test_whoever_may_not_work_at_the_shelf_scans_no_label(office: House):
    client = office.signed_in("cashier")
    assert client.get("/labels/").status_code == 403
    assert scan(client, code_of("milk", 129, 1)).status_code == 403
    assert hangs(office) == {}
