"""Suppliers' paper notes through their pages: read, confirmed line by line, and what is turned away."""

import io
import re

import pytest
import sqlalchemy as sa
from PIL import Image, ImageDraw, ImageFont

from config.ids import new_id
from store_app.pages.orders import paper_notes as pages
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.receiving.documents.supplier_documents import SupplierPaper
from supply.receiving.notes.lessons import NoteLesson
from supply.receiving.notes.paper_notes import PaperNote
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import fill, picture_of, send, words
from tests.store_app.pages.orders.test_invoices import FARM, kept, ordered

PHOTO = b"the bytes of a photo"
ROWS = (
    ("Mill Farm", "Tel 030 5556677"), ("Delivery note No. 4711", "02/03/2026"),
    ("Description", "Qty", "Unit", "Price", "Amount"),
    ("Whole milk", "1", "case", "9.28", "9.28"), ("Bauernbrot dunkel", "2", "case", "18.00", "36.00"),
    ("Crate deposit", "1", "pc", "3.00", "3.00"), ("Total", "48.28"),
)  # fmt: skip
PLACES = {6: (50, 150, 500, 600, 700, 850), 5: (150, 500, 600, 700, 850), 2: (50, 850)}


def read_of(rows=ROWS):
    """What the reader says of a page: its picture, its size, its words."""
    page = io.BytesIO()
    Image.new("RGB", (500, 400), "white").save(page, "JPEG")
    said = [[text, x, 40 + 60 * n, 12 * len(text), 30] for n, row in enumerate(rows)
            for text, x in zip(row, PLACES[len(row)], strict=True)]  # fmt: skip
    return [page.getvalue(), [1000, 800], *said]


@pytest.fixture
def office(house, monkeypatch):
    """A store with an order, where a photo reads as `ROWS`: the reader itself has its own tests."""
    fill(house, ordered)
    monkeypatch.setattr(pages.picture, "require_installed", lambda: None)
    monkeypatch.setattr(pages, "read_page_apart", lambda _read, raw: iter(READS.get(raw, read_of())))
    return house


READS: dict[bytes, list] = {}


def upload(client, raw=PHOTO, command=""):
    return send(client, "/invoices/notes/", command_id=command, photo=(io.BytesIO(raw), "note.jpg"))


def fields_of(client, address):
    """Return what a form of a note's page would send."""
    text = client.get(address).text
    form = text[text.index('id="confirm"') : text.index("</form>", text.index('id="confirm"'))]
    found = dict(re.findall(r'<input class="form-control[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form))
    for name, body in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    return found | {"added": re.search(r'name="added" value="(\d+)"', form)[1]}


WHOLE = {"sku-1": "bread", "unit-1": "CT", "aside-2": "charge", "kind": "both", "number": "4711",
         "day": NOON.date().isoformat(), "tax": "", "total": "48.28", "order": "order-P1"}  # fmt: skip


def test_a_note_is_confirmed_line_by_line_and_becomes_invoice_and_delivery_like_a_file(office):
    client, before = office.signed_in(), {}
    note = upload(client).location
    seen, before = words(client.get(note)), fields_of(client, note)
    assert "Recognized by name" in seen
    assert before["sku-0"] == "milk"  # name, number and price say the same
    assert before["sku-1"] == before["sku-2"] == "", "what is not sure has nothing preselected"
    assert (before["qty-1"], before["amount-1"], before["total"]) == ("2", "36.00", "48.28")
    assert 'viewBox="40 210' in client.get(note).text
    refused = send(client, note, **before | WHOLE | {"sku-1": "", "then": "confirm"})
    assert refused.status_code == 422
    assert "Choose the product of line 2" in words(refused)
    assert fields_of(client, note)["aside-2"] == "charge", "what was entered is kept"
    with office.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SupplierPaper)) == 0
    answer = send(client, note, **before | WHOLE | {"then": "confirm"})
    assert answer.status_code == 303, words(answer)
    again = send(client, note, **before | WHOLE | {"then": "confirm"})
    assert again.location == answer.location
    row = kept(office, PaperNote, STORE, note.rsplit("/", 1)[1])
    invoice, advice = (kept(office, SupplierPaper, STORE, one) for one in (row.invoice_id, row.advice_id))
    assert (invoice.payable_minor, invoice.order_id, invoice.document.extras[0].minor) == (4828, "order-P1", 300)
    assert [line.sku for line in invoice.document.lines] == ["milk", "bread"]
    assert invoice.document.seller.tax_numbers == ()
    with office.doors.read() as session:
        lines = {one.sku: one.advised_qty for one in session.scalars(
            sa.select(DeliveryLine).where(DeliveryLine.delivery_id == advice.delivery_id))}  # fmt: skip
        assert (lines["milk"], lines["bread"]) == (12, 24)
        assert session.get_one(Delivery, (STORE, advice.delivery_id)).state == "expected"
    assert "Rye bread 24" in words(client.get(answer.location))
    assert note in client.get(answer.location).text


def test_a_correction_is_remembered_and_the_newest_counts(office):
    client = office.signed_in()
    for n, sku in enumerate(("bread", "tea", "tea")):
        READS[photo := f"photo {n}".encode()] = read_of()
        note = upload(client, photo).location
        before = fields_of(client, note)
        assert before["sku-1"] == ("", "bread", "tea")[n]
        entered = before | WHOLE | {"sku-1": sku, "unit-1": "EA", "kind": "invoice", "number": f"N{n}"}
        assert send(client, note, then="confirm", **entered).status_code == 303
    with office.doors.read() as session:
        rows = session.scalars(sa.select(NoteLesson).order_by(NoteLesson.id))
        assert [one.sku for one in rows if one.wording.startswith("Bauernbrot")] == ["bread", "tea"]


def test_a_gap_is_said_and_nothing_is_added_until_somebody_explains_it(office):
    client = office.signed_in()
    note = upload(client).location
    entered = fields_of(client, note) | WHOLE | {"kind": "invoice", "total": "50.00"}
    answer = send(client, note, then="confirm", **entered)
    assert answer.status_code == 409
    assert "Lines and tax come to $48.28, but the total is $50.00" in words(answer)
    assert "Difference: $1.72" in words(client.get(note))
    answer = send(client, note, then="confirm", gap="yes", **entered)
    assert answer.status_code == 303
    paper = kept(office, SupplierPaper, STORE, answer.location.rsplit("/", 1)[1])
    assert [one.minor for one in paper.document.extras] == [300, 172]


def test_an_unknown_line_is_searched_and_a_line_that_was_not_read_is_added(office):
    client = office.signed_in()
    note = upload(client).location
    entered = fields_of(client, note) | {"find-1": "rye"}
    assert send(client, note, then="find:1", **entered).location.endswith("#line-1")
    assert '<option value="bread">Rye bread</option>' in client.get(note).text
    send(client, note, then="add", **fields_of(client, note))
    entered = fields_of(client, note) | WHOLE | {
        "name-3": "Tea by hand", "sku-3": "tea", "qty-3": "4", "unit-3": "EA", "amount-3": "8.00", "total": "56.28",
        "kind": "invoice"}  # fmt: skip
    answer = send(client, note, then="confirm", **entered)
    assert answer.status_code == 303, words(answer)
    paper = kept(office, SupplierPaper, STORE, answer.location.rsplit("/", 1)[1])
    assert (paper.document.lines[-1].sku, paper.payable_minor) == ("tea", 5628)


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        ({"kind": ""}, "Say whether this is a delivery note"), ({"sku-1": "no-such"}, "Product no-such not found"),
        ({"unit-1": "XX"}, "Choose a unit"), ({"qty-1": "0"}, "Enter quantity and unit of line 2"),
        ({"qty-1": "1.33", "unit-1": "EA"}, "not a whole number of units"), ({"day": "2031-01-01"}, "in the future"),
        ({"amount-1": "9" * 12}, "Enter an amount"), ({"order": "order-X"}, "Order not found"),
        ({"aside-1": "free"}, "Choose a reason"), ({"aside-1": "charge"}, "has a product and a reason"),
        ({"number": ""}, "Enter the note’s number"), ({"sku-1": "tea"}, "no pack size"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_and_no_document_is_made(office, forged, said):
    client = office.signed_in()
    note = upload(client).location
    answer = send(client, note, then="confirm", **fields_of(client, note) | WHOLE | forged)
    assert 400 <= answer.status_code < 500
    assert said in words(answer)
    assert kept(office, PaperNote, STORE, note.rsplit("/", 1)[1]).state == "open"
    with office.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SupplierPaper)) == 0


def test_marks_in_the_text_of_a_note_stay_text(office):
    client, evil = office.signed_in(), "<script>alert(1)</script><b>Milk"
    rows = [*ROWS]
    rows[4] = (evil, *ROWS[4][1:])
    READS[b"evil"] = read_of(rows)
    note = upload(client, b"evil").location
    page = client.get(note).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_same_photo_is_the_note_there_until_it_is_discarded(office):
    client, command = office.signed_in(), new_id()
    note = upload(client, command=command).location
    assert upload(client, command=command).location == upload(client).location == note
    assert send(client, f"{note}/discard").status_code == 303
    assert upload(client).location != note
    assert send(client, note, then="keep").status_code == 409


def test_another_photo_of_the_same_note_is_refused_by_its_number(office):
    client = office.signed_in()
    for photo, status in ((b"one", 303), (b"two", 409)):
        note = upload(client, photo).location
        answer = send(client, note, then="confirm", **fields_of(client, note) | WHOLE | {"kind": "invoice"})
        assert answer.status_code == status
    assert "4711 from Mill Farm is already here" in words(answer)


def test_a_supplier_nobody_recognized_is_chosen_among_the_stores_own(office):
    client = office.signed_in()
    READS[b"stranger"] = read_of([("Somebody", "VAT 123"), *ROWS[1:]])
    note = upload(client, b"stranger").location
    assert "None of your suppliers was recognized" in words(client.get(note))
    assert send(client, f"{note}/supplier", supplier="net").status_code == 422
    assert send(client, f"{note}/supplier", supplier=FARM).status_code == 303
    assert fields_of(client, note)["sku-0"] == "milk"


def test_another_store_s_note_is_not_found_and_a_cashier_is_turned_away(office):
    client = office.signed_in()
    note = upload(client).location
    with office.doors.write() as session:
        session.execute(sa.insert(PaperNote).from_select(
            [c.name for c in PaperNote.__table__.c],
            sa.select(*(sa.literal({"store_id": "S09", "id": "theirs-0001"}[c.name]) if c.name in ("store_id", "id") else c
                        for c in PaperNote.__table__.c)),
        ))  # fmt: skip
    cashier = office.signed_in("cashier")
    before = picture_of(office)
    for there in ("", "/photo.jpg"):
        assert client.get(f"/invoices/notes/theirs-0001{there}").status_code == 404
    for there in ("", "/discard", "/supplier"):
        assert send(client, f"/invoices/notes/theirs-0001{there}", then="keep", supplier=FARM).status_code == 404
    for there in (note, f"{note}/photo.jpg", "/invoices/notes/"):
        assert cashier.get(there).status_code in (303, 403)
    assert upload(cashier, b"other").status_code in (303, 403)
    assert picture_of(office) == before
    photo = client.get(f"{note}/photo.jpg")
    assert (photo.mimetype, photo.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")


def test_without_the_reader_the_page_says_so(house, monkeypatch):
    monkeypatch.setattr(pages.picture, "is_installed", lambda: False)
    client = house.signed_in()
    assert "cannot read photos yet" in words(client.get("/invoices/notes/"))
    answer = upload(client)
    assert 400 <= answer.status_code < 500
    assert "cornerstore[ocr]" in words(answer)


def drawn() -> bytes:
    """A photo of the note as the reader itself can read it."""
    sheet, file = Image.new("RGB", (1100, 620), "white"), io.BytesIO()
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(28)
    for n, row in enumerate(ROWS):
        for text, x in zip(row, PLACES[len(row)], strict=True):
            pen.text((x, 40 + 70 * n), text, "black", font)
    sheet.save(file, "JPEG", quality=80)
    return file.getvalue()


@pytest.mark.slow
def test_a_drawn_note_goes_through_the_reader_itself(house):
    pytest.importorskip("rapidocr")
    fill(house, ordered)
    client = house.signed_in()
    answer = upload(client, drawn())
    assert answer.status_code == 303, words(answer)
    found = fields_of(client, answer.location)
    assert (found["sku-0"], found["qty-0"], found["amount-1"], found["number"]) == ("milk", "1", "36.00", "4711")
