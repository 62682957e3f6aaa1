"""The store's logo: dots made once, kept for good, at the top of the receipt and of its copy."""

import io
import struct
import zlib

import pytest
import sqlalchemy as sa
from PIL import Image, ImageDraw

from config.errors import Invalid
from config.nodes.journal import Context
from pos.documents import receipt
from pos.documents.paper import PaperLine
from pos.printing import logo
from pos.printing.escpos import encode
from pos.printing.logo import Logo
from pos.printing.models import PrinterModel
from pos.store import pictures
from pos.store.store import Store, snapshot
from tests.builders import STORE, OpenStore
from tests.pos import paper_documents as documents
from tests.pos.documents.test_printer_paper import printed
from tests.pos.documents.test_printer_paper import tool as tool


def picture(size=(800, 300), colour="black", *, kind="PNG"):
    drawn = Image.new("RGBA", size, (255, 255, 255, 0))
    ImageDraw.Draw(drawn).ellipse((5, 5, size[0] - 5, size[1] - 5), fill=colour)
    kept = io.BytesIO()
    drawn.convert("RGB" if kind == "JPEG" else "RGBA").save(kept, kind)
    return kept.getvalue()


def only_the_size(across: int, down: int) -> bytes:
    """Return the beginning of a PNG that claims these dots."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", across, down, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", b"")
    )


def put(store: OpenStore, png: bytes) -> str:
    dots = list(pictures.dotted(png))
    with store.write() as session:
        return logo.put(Context(session, store.ana, store.now), STORE, dots).id


@pytest.mark.parametrize(
    ("png", "code"),
    [
        (b"no picture", "logo-not-png"),
        (picture(kind="JPEG"), "logo-not-png"),
        (picture()[:200], "logo-not-png"),
        (picture(size=(5000, 40)), "logo-too-large"),
        (only_the_size(20_000, 20_000), "logo-too-large"),
        (b"\x89PNG" + b"x" * 600_000, "logo-too-large"),
        (picture(colour="white"), "logo-blank"),
    ],
)
def test_what_is_no_logo_is_refused_with_what_to_do(store, png, code):
    with pytest.raises(Invalid) as refused:
        put(store, png)
    assert refused.value.code == code


def test_a_logo_fits_both_papers_and_the_same_one_is_kept_once(store):
    assert put(store, picture()) == put(store, picture())
    with store.database.read() as session:
        (found,) = session.scalars(sa.select(Logo))
        assert session.get_one(Store, STORE).logo_id == found.id
    assert found.narrow_across * 8 <= 384
    assert found.wide_across * 8 <= 504
    assert len(found.wide) // found.wide_across <= pictures.WIDE[1]


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("chinese", [True, False])
def test_the_logo_is_printed_at_the_top_without_a_problem(store, tool, columns, chinese):
    put(store, picture())
    with store.database.read() as session:
        document = documents.american_sale() | {"store": snapshot(session.get_one(Store, STORE))}
        pictures = logo.pictures_for(session, STORE, document, columns)
    lines = receipt.layout(document, columns=columns)
    assert lines[0].kind == "image"
    paper = encode(lines, PrinterModel(columns, chinese), pictures=pictures)
    machine, problems = printed(tool, paper, columns, chinese)
    assert problems == []
    assert [event["event"] for event in machine.event_log].count("image") == 1


def test_the_store_s_tax_number_is_printed_at_the_top_of_a_receipt(store):
    with store.write() as session:
        session.get_one(Store, STORE).tax_number = "DE123456789"
    document = store.sell([("milk", 1)]).document
    assert document["store"] == store.read(lambda session: snapshot(session.get_one(Store, STORE)))
    assert "DE123456789" in [line.text for line in receipt.layout(document, columns=48)]


def test_paper_of_before_keeps_its_own_logo(store):
    first, second = put(store, picture()), put(store, picture(size=(300, 300)))
    assert first != second
    with store.write() as session:
        logo.take_away(Context(session, store.ana, store.now), STORE)
    with store.database.read() as session:
        assert "logo" not in snapshot(session.get_one(Store, STORE))
        assert logo.pictures_for(session, STORE, {"store": {"logo": first}}, 48).keys() == {first}


def test_a_logo_that_is_not_at_hand_stops_no_receipt():
    document = documents.british_sale()
    document["store"]["logo"] = "gone"
    plain = receipt.layout(documents.british_sale(), columns=48)
    without = encode(receipt.layout(document, columns=48), PrinterModel(48), pictures={})
    assert without == encode([PaperLine(), *plain], PrinterModel(48))
