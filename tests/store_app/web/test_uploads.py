"""What is uploaded: it names no path, and reaches nobody as it came."""

import io
import re
from pathlib import Path

from PIL import Image, PngImagePlugin

from config.ids import new_id
from pos.store import pictures
from tests.store_app.house import post

ROOT = Path(__file__).resolve().parents[3]
VIRUS = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""What every scanner takes for a virus, and is none."""
DOORS = {
    "store_app/pages/store/paper_looks.py": "read_apart(pictures.dotted",
    "store_app/pages/orders/claims.py": "_uploaded()",
    "store_app/pages/orders/invoices.py": "read_apart(reading.read",
    "store_app/pages/till/bank_statements.py": "read_apart(reading.read",
    "store_app/pages/goods/product_photo.py": "read_apart(pictures.square",
    "store_app/pages/orders/paper_notes.py": "read_page_apart(picture.read",
    "store_app/pages/goods/producers.py": "read_apart(pictures.small",
    "store_app/pages/warehouse/routes.py": "tables.table(",
    "store_app/pages/common/uploads.py": "read_as(read, raw",
}
"""Every file that takes files in, and where they go: dots of a new picture, rows of text, or a document."""


def picture(kind: str) -> bytes:
    page, reported = io.BytesIO(), PngImagePlugin.PngInfo()
    reported.add_text("Comment", VIRUS.decode())
    exif = Image.Exif()
    exif[0x010E] = VIRUS.decode()
    Image.new("L" if kind == "PNG" else "RGB", (200, 100), 120).save(
        page, kind, exif=exif, **({"pnginfo": reported} if kind == "PNG" else {})
    )
    return page.getvalue() + VIRUS + b"<script>alert(1)</script>"


def test_every_door_for_files_makes_a_new_picture_or_rows_and_no_file_is_sent_as_it_lies():
    sources = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "store_app").rglob("*.py")
    }
    takes = re.compile(r"request\.files\b(?!\.values)|uploads\.photo\(")
    doors = {name for name, text in sources.items() if takes.search(text)}
    assert doors == set(DOORS)
    for name, way in DOORS.items():
        assert way in sources[name], name
    sent = [name for name, text in sources.items() if re.search(r"\bsend_(file|from_directory)\(", text)]
    assert sent == ["store_app/pages/store/leaving.py"], "the ZIP that was just written of one's own data, no upload"
    assert next(pictures.small(picture("JPEG"), 100)).startswith(b"\xff\xd8")
    kept = [*pictures.small(picture("JPEG"), 100), *(dots for _, dots in pictures.dotted(picture("PNG")))]
    assert not any(mark in raw for raw in kept for mark in (b"EICAR", b"script"))


def test_no_uploaded_byte_of_a_logo_is_kept_and_no_name_of_a_file_is_a_path(house, tmp_path):
    client = house.signed_in()
    folder = house.doors.settings.state_folder
    before = set(folder.parent.rglob("*"))
    answer = post(
        client, "/settings/paper/logo", command_id=new_id(), file=(io.BytesIO(picture("PNG")), "../../logo.png")
    )
    assert answer.status_code == 303
    table = b"sku,name,price,category\nTEA,Tea,1.99,Tea\n"
    for name in (
        "../../../evil.csv",
        "/etc/evil.csv",
        "..\\..\\evil.csv",
        "evil.csv/../../x.csv",
        "a\0b.csv",
        "." * 300 + ".csv",
    ):
        command = new_id()
        assert post(client, "/products/bring-in/", command_id=command, file=(io.BytesIO(table), name)).status_code in (
            200,
            422,
        )
        assert (
            post(client, "/products/bring-in/", command_id=f"../{command}", file=(io.BytesIO(table), name)).status_code
            == 422
        )
    for odd in ("../S01", "..%2fS01", "*"):
        assert post(client, f"/products/bring-in/{odd}", command_id=new_id()).status_code in (404, 405)
        assert post(client, "/products/bring-in/", command_id=new_id(), kept=odd).status_code in (404, 422)
    made = {path for path in folder.parent.rglob("*") if path.is_file()} - before
    assert [path for path in made if path.parent.name == "brought"]
    for path in made:
        assert re.fullmatch(
            r"brought/[0-9A-Z]{26}(\.[a-z0-9-]+)*\.csv|S01[.-][a-z0-9.-]+|.*\.cache",
            path.relative_to(folder).as_posix(),
        ), path
    assert not any(b"EICAR" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
