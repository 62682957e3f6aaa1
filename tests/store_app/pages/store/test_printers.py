"""Printers: found when asked, set up on a page, tried with the picture of the very bytes beside it."""

import io

import pytest
import sqlalchemy as sa
from PIL import Image

from config.nodes.journal import JournalEntry
from pos.printing import queue
from pos.printing.discovery import Network, in_networks, networks_of
from pos.printing.printers import Printer
from pos.printing.queue import PrintJob
from pos.store.store import Till
from tests.pos import paper_documents as documents
from tests.pos.documents.test_printer_paper import tool  # noqa: F401 - a fixture
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import send, words

FIELDS = {
    "name": "Till printer", "way": "paper", "where": "", "columns": "48", "letters": "chinese", "profile": "default",
    "cutter": "on", "drawer_pin": "2", "pulse_ms": "100", "papers": "both", "fallback_id": "",
}  # fmt: skip
TESTS = ("test", "drawer")


@pytest.fixture
def machine(tool):  # noqa: F811
    with tool.VirtualPrinter(paper=80) as virtual:
        yield virtual


@pytest.fixture
def house(build) -> House:
    """Give a store that looks for printers nowhere but on this computer."""
    return build(printer_search="127.0.0.1/32")


def rows(house: House) -> list[Printer]:
    with house.doors.read() as session:
        return list(session.scalars(sa.select(Printer).order_by(Printer.id)))


def set_up(house: House, **fields: str) -> str:
    before = {row.id for row in rows(house)}
    assert send(house.signed_in(), "/settings/printers/new", **{**FIELDS, **fields}).status_code == 303
    return next(row.id for row in rows(house) if row.id not in before)


def test_a_printer_is_set_up_changed_and_taken_away_and_each_is_journalled(house: House):
    client = house.signed_in()
    address = f"/settings/printers/{set_up(house)}"
    assert send(client, address, **{**FIELDS, "name": "Kitchen", "columns": "32", "drawer_pin": "5"}).status_code == 303
    (row,) = rows(house)
    assert (row.name, row.wire, row.columns, row.drawer_pin, row.cutter) == ("Kitchen", "paper", 32, 5, True)
    assert "Kitchen" in words(client.get("/settings/printers/"))
    assert send(client, f"{address}/remove").status_code == 303
    assert rows(house) == []
    assert client.get(address).status_code == 404
    with house.doors.read() as session:
        verbs = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.subject == f"printer:{row.id}"))
        assert list(verbs) == ["printer.added", "printer.changed", "printer.removed"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"name": ""}, 422),
        ({"name": "x" * 41}, 422),
        ({"way": "net", "where": ""}, 409),
        ({"way": "net", "where": "host:notaport"}, 422),
        ({"way": "cups", "where": "-h evil"}, 422),
        ({"way": "telepathy"}, 422),
        ({"columns": "40"}, 422),
        ({"letters": ""}, 422),
        ({"profile": "../../etc"}, 422),
        ({"drawer_pin": "9"}, 422),
        ({"pulse_ms": "5000"}, 422),
        ({"papers": "money"}, 422),
        ({"fallback_id": "nobody"}, 422),
    ],
)
def test_what_cannot_be_meant_is_a_sentence_and_what_was_typed_is_still_there(house: House, wrong, status):
    refused = send(house.signed_in(), "/settings/printers/new", **{**FIELDS, "name": "Till 收银", **wrong})
    assert refused.status_code == status
    assert 'class="field-error' in refused.text or 'class="note note-bad' in refused.text
    assert wrong.get("name") is not None or "Till 收银" in refused.text
    assert rows(house) == []


def test_a_label_printer_is_for_labels_has_no_drawer_and_its_test_page_is_a_label(house: House):
    address = f"/settings/printers/{set_up(house, profile='ZPL-203 62x40', papers='both', drawer_pin='2')}"
    (row,) = rows(house)
    assert (row.papers, row.drawer_pin, row.asked) == ("labels", 0, False)
    client = house.signed_in()
    assert "62 × 40 mm, 203 dpi" in words(client.get("/settings/printers/"))
    assert send(client, f"{address}/test").status_code == 303
    with house.doors.read() as session:
        (job,) = session.scalars(sa.select(PrintJob))
    assert job.state == "printed"
    assert job.paper.startswith(b"^XA^PW496^LL320")
    assert Image.open(io.BytesIO(client.get(f"{address}/test.png").data)).width > 496


def test_only_who_may_change_the_settings_comes_here(house: House):
    printer_id = set_up(house)
    cashier = house.signed_in("cashier")
    for address in ("/settings/printers/", "/settings/printers/new", f"/settings/printers/{printer_id}/test.png"):
        assert cashier.get(address).status_code == 403
    for deed in ("look", "new", printer_id, *(f"{printer_id}/{word}" for word in ("remove", *TESTS))):
        assert send(cashier, f"/settings/printers/{deed}").status_code == 403
    assert len(rows(house)) == 1


def test_the_test_page_is_the_picture_of_the_very_bytes(house: House, machine):
    printer_id = set_up(house, way="net", where=f"{machine.host}:{machine.port}")
    client = house.signed_in()
    reported = client.get(send(client, f"/settings/printers/{printer_id}/test").headers["Location"])
    assert "Test page printed. Compare it with the picture" in words(reported)
    assert machine.wait_idle(60)
    assert machine.problems() == []
    assert "48 columns" in machine.text()
    assert [len(machine.events(kind)) for kind in ("barcode", "qr", "cut", "drawer")] == [1, 1, 1, 0]
    picture = client.get(f"/settings/printers/{printer_id}/test.png")
    assert Image.open(io.BytesIO(picture.data)).width > 48 * 12


def test_the_drawer_is_tried_alone_with_its_pin_and_pulse(house: House, machine):
    printer_id = set_up(house, way="net", where=f"{machine.host}:{machine.port}", drawer_pin="5", pulse_ms="240")
    send(house.signed_in(), f"/settings/printers/{printer_id}/drawer")
    assert machine.wait_idle(60)
    (event,) = machine.events("drawer")
    assert (event["pin"], event["on_ms"]) == (5, 240)
    assert machine.events("cut") == []


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("paper", "The printer is out of paper. Insert a new roll; printing"),
        ("cover", "cover is open. Close it; printing resumes"),
    ],
)
def test_a_test_that_fails_says_what_to_do_and_leaves_nothing_waiting(house: House, machine, fault, sentence):
    printer_id = set_up(house, way="net", where=f"{machine.host}:{machine.port}")
    if fault == "paper":
        machine.paper_out()
    else:
        machine.status.cover_open = True
    client = house.signed_in()
    assert sentence in words(client.get(send(client, f"/settings/printers/{printer_id}/test").headers["Location"]))
    with house.doors.read() as session:
        assert session.scalars(queue.waiting(STORE)).all() == []
        assert session.scalars(sa.select(PrintJob.state)).all() == ["dropped"]


def test_looking_finds_who_listens_and_says_what_is_set_up_already(house: House, machine):
    here = [Network("127.0.0.1/32")]
    (found,) = in_networks(here, port=machine.port)
    assert found.wire == f"net:127.0.0.1:{machine.port}"
    assert machine.wait_idle(60)
    assert machine.raw == b"", "nothing is sent to what is found"
    assert send(house.signed_in(), "/settings/printers/look").status_code == 200


@pytest.mark.parametrize("wrong", ["10.0.0.0/8", "everywhere", " ".join(f"10.0.{n}.0/24" for n in range(5))])
def test_a_search_is_bounded(build, wrong):
    house = build(printer_search=wrong)
    refused = send(house.signed_in(), "/settings/printers/look")
    assert refused.status_code == 422
    assert "printer_search" in words(refused)


def test_networks_are_named_or_none():
    assert networks_of("") == []
    assert networks_of("192.168.7.0/24, 10.1.2.0/25") == [Network("192.168.7.0/24"), Network("10.1.2.0/25")]


def test_a_printer_may_serve_some_tills_and_fall_back_on_another(house: House):
    with house.doors.write() as session:
        session.add(Till(store_id=STORE, id="9", name="Back till"))
    spare = set_up(house, name="Spare")
    first = set_up(house, name="First", tills="9", fallback_id=spare, papers="receipts")
    text = words(house.signed_in().get("/settings/printers/"))
    assert "Back till" in text
    assert "All tills" in text
    assert next(row for row in rows(house) if row.id == first).tills == ["9"]
    assert send(house.signed_in(), f"/settings/printers/{spare}/remove").status_code == 303
    assert next(row for row in rows(house)).fallback_id == ""


def test_the_foot_of_the_till_names_the_printer_that_fails(house: House):
    set_up(house, name="Spare", papers="labels")
    first = set_up(house, name="Front")
    with house.doors.write() as session:
        job = queue.queue(
            session, STORE, "1", queue.Printout("receipt", "s", documents.british_sale(), printer_id=first), at=NOON
        )
        session.get(PrintJob, (STORE, job.id)).state = "failed"
        session.get(PrintJob, (STORE, job.id)).reason = "cutter-jam"
    reported = house.signed_in("cashier").get("/api/status?till=1").json["printer"]
    assert (reported["colour"], reported["code"], reported["printer"]) == ("red", "cutter-jam", "Front")
    assert "Front: The printer&#39;s cutter is jammed." in words(house.signed_in().get("/settings/"))
