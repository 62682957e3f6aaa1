"""Suppliers' paper notes through their pages: read, confirmed line by line, and what is turned away."""

import io
import re
import sys

import pytest
import sqlalchemy as sa
from PIL import Image, ImageDraw, ImageFont

from config.ids import new_id
from config.nodes.journal import Context
from store_app.pages.orders import paper_notes as pages
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.suppliers import Supplier
from supply.receiving.documents.supplier_documents import SupplierPaper
from supply.receiving.notes import paper_notes
from supply.receiving.notes.lessons import NoteLesson
from supply.receiving.notes.paper_notes import PaperNote
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, picture_of, send, words
from tests.store_app.pages.orders.test_invoices import FARM, kept, ordered, receive

PHOTO = b"the bytes of a photo"
ROWS = (
    ("Mill Farm", "Tel 030 5556677"), ("Delivery note No. 4711", "02/03/2026"),
    ("Description", "Qty", "Unit", "Price", "Amount"),
    ("Whole milk", "1", "case", "9.28", "9.28"), ("Bauernbrot dunkel", "2", "case", "18.00", "36.00"),
    ("Crate deposit", "1", "pc", "3.00", "3.00"), ("Total", "48.28"),
)  # fmt: skip
PLACES = {5: (50, 500, 600, 700, 850), 2: (50, 850)}


def read_of(rows=ROWS):
    """What the reader says of a page: its picture, its size, its words."""
    said = [[text, x, 40 + 70 * n, 14 * len(text), 30] for n, row in enumerate(rows)
            for text, x in zip(row, PLACES[len(row)], strict=True)]  # fmt: skip
    return [drawn(rows), [1100, 620], *said]


def drawn(rows=ROWS) -> bytes:
    """A photo of a note, as the reader itself can read it."""
    sheet, file = Image.new("RGB", (1100, 620), "white"), io.BytesIO()
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(28)
    for n, row in enumerate(rows):
        for text, x in zip(row, PLACES[len(row)], strict=True):
            pen.text((x, 40 + 70 * n), text, "black", font)
    sheet.save(file, "JPEG", quality=80)
    return file.getvalue()


@pytest.fixture
def office(house):
    """A store with an order under way."""
    fill(house, ordered)
    return house


def noted(office, rows=ROWS, raw=PHOTO):
    """Keep a note with what the reader says of such a page; returns its page's address."""
    with office.doors.write() as session:
        note = paper_notes.take(Context(session, SYSTEM, NOON), STORE, raw, read_of(rows), id=new_id())
        return f"/invoices/notes/{note.id}"


def upload(client, raw=PHOTO, command=""):
    return send(client, "/invoices/notes/", command_id=command, photo=(io.BytesIO(raw), "note.jpg"))


def fields_of(client, address):
    """Return what the form of a note's page would send."""
    text = client.get(address).text
    form = text[text.index('id="confirm"') : text.index("</form>", text.index('id="confirm"'))]
    found = dict(re.findall(r'<input class="form-control[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form))
    for name, body in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen else ""
    return found | {"added": re.search(r'name="added" value="(\d+)"', form)[1]}


def row_of(office, address):
    return kept(office, PaperNote, STORE, address.rsplit("/", 1)[1])


def documents(office):
    with office.doors.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(SupplierPaper))


WHOLE = {"sku-1": "bread", "unit-1": "CT", "aside-2": "charge", "kind": "both", "number": "4711",
         "day": NOON.date().isoformat(), "tax": "", "total": "48.28", "order": "order-P1"}  # fmt: skip


def test_a_note_is_confirmed_line_by_line_and_becomes_invoice_and_delivery_like_a_file(office):
    client, note = office.signed_in(), noted(office)
    seen, before = words(client.get(note)), fields_of(client, note)
    assert "Recognized by name" in seen
    assert before["sku-0"] == "milk"  # name, number and price say the same
    assert before["sku-1"] == before["sku-2"] == "", "what is not sure has nothing preselected"
    assert (before["qty-1"], before["amount-1"], before["total"]) == ("2", "36.00", "48.28")
    assert (before["number"], before["order"]) == ("4711", "order-P1")
    assert 'viewBox="40 240' in client.get(note).text, "a line's own part of the photo"
    refused = send(client, note, **before | WHOLE | {"sku-1": "", "then": "confirm"})
    assert refused.status_code == 422
    assert "Choose the product of line 2" in words(refused)
    assert fields_of(client, note)["aside-2"] == "charge", "what was entered is kept"
    assert documents(office) == 0
    answer = send(client, note, **before | WHOLE | {"then": "confirm"})
    assert answer.status_code == 303, words(answer)
    assert send(client, note, **before | WHOLE | {"then": "confirm"}).location == answer.location, "a second click"
    row = row_of(office, note)
    invoice, advice = (kept(office, SupplierPaper, STORE, one) for one in (row.invoice_id, row.advice_id))
    assert (invoice.payable_minor, invoice.order_id, invoice.document.extras[0].minor) == (4828, "order-P1", 300)
    assert [line.sku for line in invoice.document.lines] == ["milk", "bread"]
    assert invoice.document.seller.tax_numbers == ()
    assert answer.location.endswith(f"/deliveries/{advice.delivery_id}")
    assert documents(office) == 2
    page = client.get(f"/invoices/{invoice.id}")
    assert "Whole milk 12" in words(page)
    assert note in page.text, "the photo stays one press away"


def test_receiving_expects_what_the_note_says_of_the_open_order_and_the_bill_is_compared(office):
    client, note = office.signed_in(), noted(office)
    entered = fields_of(client, note) | WHOLE
    entered |= {"qty-1": "1", "price-1": "19.00", "amount-1": "19.00", "total": "31.28"}
    answer = send(client, note, then="confirm", **entered)
    assert answer.status_code == 303, words(answer)
    with office.doors.read() as session:
        (delivery,) = session.scalars(sa.select(Delivery).where(Delivery.order_id == "order-P1"))
        lines = {one.sku: (one.promised_qty, one.advised_qty) for one in session.scalars(
            sa.select(DeliveryLine).where(DeliveryLine.delivery_id == delivery.id))}  # fmt: skip
    assert lines == {"milk": (None, 12), "bread": (24, 12), "apple": (5000, 0)}
    assert answer.location.endswith(delivery.id)
    receive(office)
    page = words(client.get(f"/invoices/{row_of(office, note).invoice_id}"))
    assert "19.00" in page
    assert "2 differences to explain" in page, "what did not come was not billed"
    assert "Beside its lines, it charges $3.00" in page


def test_a_counted_order_is_said_before_a_note_adds_one_more_delivery(office):
    client, note = office.signed_in(), noted(office)
    assert "already counted" not in words(client.get(note))
    receive(office)
    send(client, note, then="keep", **fields_of(client, note) | {"order": "order-P1"})
    assert "A delivery of this order was already counted" in words(client.get(note))


def test_a_correction_is_remembered_and_the_newest_counts(office):
    client = office.signed_in()
    for n, sku in enumerate(("bread", "tea", "tea")):
        note = noted(office, raw=f"photo {n}".encode())
        before = fields_of(client, note)
        assert before["sku-1"] == ("", "bread", "tea")[n]
        entered = before | WHOLE | {"sku-1": sku, "unit-1": "EA", "kind": "invoice", "number": f"N{n}"}
        answer = send(client, note, then="confirm", **entered)
        assert answer.status_code == 303, words(answer)
    with office.doors.read() as session:
        rows = session.scalars(sa.select(NoteLesson).order_by(NoteLesson.id))
        assert [one.sku for one in rows if one.wording.startswith("Bauernbrot")] == ["bread", "tea"]


def test_what_one_supplier_s_note_taught_says_nothing_of_another_s(office):
    client, note = office.signed_in(), noted(office)
    assert send(client, note, then="confirm", **fields_of(client, note) | WHOLE).status_code == 303
    with office.doors.write() as session:
        session.add(Supplier(id="other", name="Other", kind="own", owner_id=STORE, send_by="phone"))
    other = noted(office, raw=b"second")
    assert fields_of(client, other)["sku-1"] == "bread"
    assert send(client, f"{other}/supplier", supplier="other").status_code == 303
    assert fields_of(client, other)["sku-1"] == ""


def test_a_gap_is_said_and_nothing_is_added_until_somebody_explains_it(office):
    client, note = office.signed_in(), noted(office)
    entered = fields_of(client, note) | WHOLE | {"kind": "invoice", "total": "50.00"}
    answer = send(client, note, then="confirm", **entered)
    assert answer.status_code == 409
    assert "Lines and tax come to $48.28, but the total is $50.00" in words(answer)
    assert "Difference: $1.72" in words(client.get(note))
    assert documents(office) == 0
    answer = send(client, note, then="confirm", gap="yes", **entered)
    assert answer.status_code == 303
    paper = kept(office, SupplierPaper, STORE, row_of(office, note).invoice_id)
    assert [one.minor for one in paper.document.extras] == [300, 172]


@pytest.mark.parametrize("odd", [{"amount-2": "-100.00", "total": "-54.72"}, {"tax": "-10.00", "total": "38.28"}])
def test_no_bill_asks_for_less_than_nothing(office, odd):
    client, note = office.signed_in(), noted(office)
    answer = send(client, note, then="confirm", **fields_of(client, note) | WHOLE | {"kind": "invoice"} | odd)
    assert (answer.status_code, "can’t be below zero" in words(answer), documents(office)) == (422, True, 0)


def test_an_unknown_line_is_searched_and_a_line_that_was_not_read_is_added(office):
    client, note = office.signed_in(), noted(office)
    entered = fields_of(client, note) | {"find-1": "rye"}
    assert send(client, note, then="find:1", **entered).location.endswith("#line-1")
    assert fields_of(client, note)["sku-1"] == "bread", "one product fits: two taps, search and confirm"
    send(client, note, then="find:1", **fields_of(client, note) | {"sku-1": "", "find-1": "e"})
    assert fields_of(client, note)["sku-1"] == "", "several fit: a person chooses"
    assert '<option value="bread">Rye bread</option>' in client.get(note).text
    assert send(client, note, then="add", **fields_of(client, note)).location.endswith("#line-3")
    entered = fields_of(client, note) | WHOLE | {
        "name-3": "Tea by hand", "sku-3": "tea", "qty-3": "4", "unit-3": "EA", "amount-3": "8.00", "total": "56.28",
        "kind": "invoice"}  # fmt: skip
    answer = send(client, note, then="confirm", **entered)
    assert answer.status_code == 303, words(answer)
    paper = kept(office, SupplierPaper, STORE, row_of(office, note).invoice_id)
    assert (paper.document.lines[-1].sku, paper.payable_minor) == ("tea", 5628)


def test_figures_that_do_not_multiply_are_pointed_out_until_somebody_changes_them(office):
    rows = [*ROWS]
    rows[4] = ("Bauernbrot dunkel", "3", "case", "18.00", "36.00")
    client, note = office.signed_in(), noted(office, rows)
    assert words(client.get(note)).count("Check the figures") == 1
    send(client, note, then="keep", **fields_of(client, note) | {"qty-1": "2"})
    assert "Check the figures" not in words(client.get(note))


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
    client, note = office.signed_in(), noted(office)
    answer = send(client, note, then="confirm", **fields_of(client, note) | WHOLE | forged)
    assert 400 <= answer.status_code < 500
    assert said in words(answer)
    assert row_of(office, note).state == "open"
    assert documents(office) == 0


def test_marks_in_the_text_of_a_note_stay_text(office):
    client, rows = office.signed_in(), [*ROWS]
    rows[4] = ("<script>alert(1)</script><b>Milk", *ROWS[4][1:])
    page = client.get(noted(office, rows)).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_same_photo_is_the_note_there_until_it_is_discarded(office):
    client, note = office.signed_in(), noted(office)
    assert upload(client).location == note == noted(office)
    assert send(client, f"{note}/discard").status_code == 303
    assert noted(office) != note
    assert send(client, note, then="keep").status_code == 409


def test_another_photo_of_the_same_note_is_refused_by_its_number(office):
    client = office.signed_in()
    for photo, status in ((b"one", 303), (b"two", 409)):
        note = noted(office, raw=photo)
        answer = send(client, note, then="confirm", **fields_of(client, note) | WHOLE | {"kind": "invoice"})
        assert answer.status_code == status
    assert "4711 from Mill Farm is already here" in words(answer)
    assert documents(office) == 1


def test_a_supplier_nobody_recognized_is_chosen_among_the_stores_own(office):
    client, note = office.signed_in(), noted(office, [("Somebody", "VAT 123"), *ROWS[1:]])
    assert "None of your suppliers was recognized" in words(client.get(note))
    assert send(client, f"{note}/supplier", supplier="net").status_code == 422
    assert send(client, f"{note}/supplier", supplier=FARM).status_code == 303
    assert fields_of(client, note)["sku-0"] == "milk"


def test_another_store_s_note_is_not_found_and_a_cashier_is_turned_away(office):
    client, note = office.signed_in(), noted(office)
    with office.doors.write() as session:
        theirs = {"store_id": "S09", "id": "theirs-0001"}
        columns = [sa.literal(theirs[one.name]) if one.name in theirs else one for one in PaperNote.__table__.c]
        session.execute(sa.insert(PaperNote).from_select([one.name for one in PaperNote.__table__.c],
                                                         sa.select(*columns)))  # fmt: skip
    cashier, before = office.signed_in("cashier"), picture_of(office)
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


def test_without_the_reader_no_link_leads_to_a_dead_end_and_the_page_says_what_to_do(office, monkeypatch):
    client = office.signed_in()
    monkeypatch.setitem(sys.modules, "rapidocr", None)  # as if it were not installed
    for there in ("/deliveries/", "/invoices/"):
        assert "/invoices/notes/" not in client.get(there).text
    page = client.get("/invoices/notes/")
    assert "cannot read photos yet" in words(page)
    assert 'href="/deliveries/"' in page.text
    assert 'type="file"' not in page.text
    answer = upload(client)
    assert answer.status_code == 409
    assert "cornerstore[ocr]" in words(answer)
    note = noted(office)
    assert note in client.get("/invoices/notes/").text, "a note read before can still be confirmed"
    assert "/invoices/notes/" in client.get("/invoices/").text
    assert send(client, note, then="confirm", **fields_of(client, note) | WHOLE).status_code == 303


@pytest.mark.slow
def test_a_photo_that_cannot_be_read_is_refused_in_a_sentence_and_nothing_is_kept(office, monkeypatch):
    pytest.importorskip("rapidocr")
    client, before = office.signed_in(), picture_of(office)
    monkeypatch.setattr(pages, "UPLOAD_BYTES", 100_000)
    many_dots = io.BytesIO()
    Image.new("1", (9000, 9000)).save(many_dots, "PNG")
    for raw, status, said in (
        (b"", 422, "Take or choose a photo first"), (b"no picture", 422, "This photo cannot be shown"),
        (bytes(100_000), 413, "100 KB"), (many_dots.getvalue(), 422, "too many pixels"),
        (drawn(()), 422, "No text can be read in this picture"),
    ):  # fmt: skip
        answer = upload(client, raw)
        assert (answer.status_code, said in words(answer)) == (status, True), words(answer)
    assert picture_of(office) == before


@pytest.mark.slow
def test_a_drawn_note_goes_through_the_reader_itself(office):
    pytest.importorskip("rapidocr")
    client, command = office.signed_in(), new_id()
    answer = upload(client, drawn(), command)
    assert answer.status_code == 303, words(answer)
    assert upload(client, drawn(), command).location == answer.location, "a double click"
    found = fields_of(client, answer.location)
    assert (found["sku-0"], found["qty-0"], found["amount-1"], found["number"]) == ("milk", "1", "36.00", "4711")
    done = send(client, answer.location, then="confirm", **found | WHOLE)
    assert done.status_code == 303, words(done)
    assert row_of(office, answer.location).state == "confirmed"
