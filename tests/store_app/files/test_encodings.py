"""The encoding of a table that does not say it: found by country and text, shown, and chosen otherwise."""

import io

import pytest
import sqlalchemy as sa

from config.errors import Invalid
from config.ids import new_id
from pos.catalogue.catalogue import Product
from store_app.files import encodings, importing, tables
from tests.store_app.office import fill, send, words

HEADING = "sku,name,category,tax_class,price\n"
BREAD = {
    "utf-8": ("DE", "Müsli"), "utf-16": ("DE", "Müsli"), "cp1252": ("DE", "Müsli"), "iso8859_15": ("FR", "Thé 5 €"),
    "cp850": ("DE", "Müsli"), "mac_roman": ("US", "Müsli"), "cp1250": ("PL", "Mąka żytnia, śmietana"),
    "iso8859_2": ("PL", "Mąka żytnia, śmietana"), "cp852": ("PL", "Mąka żytnia, śmietana"),
    "cp1251": ("BG", "Хляб и мляко"), "koi8_r": ("RU", "Хлеб и молоко"), "koi8_u": ("UA", "Хліб і її молоко"),
    "cp866": ("RU", "Хлеб и молоко"), "cp1253": ("GR", "Ψωμί και γάλα"), "iso8859_7": ("GR", "Ψωμί και Άρωμα"),
    "cp1254": ("TR", "Şeker, çay ve ığdır"), "cp1255": ("IL", "לחם וחלב"), "cp1256": ("EG", "خبز وحليب"),
    "cp1257": ("LT", "Ąžuolas, šviežias sūris"), "cp1258": ("VN", "Bánh mi\u0300"), "cp874": ("TH", "ขนมปังและนม"),
    "gb18030": ("CN", "面包"), "big5hkscs": ("TW", "麵包"), "cp932": ("JP", "パン"), "euc_jp": ("JP", "パンと牛乳"),
    "cp949": ("KR", "빵과 우유"),
}  # fmt: skip
"""Every encoding that is read -> a store's country, and what its old program wrote."""


@pytest.mark.parametrize("encoding", encodings.ENCODINGS)
def test_a_short_file_of_every_encoding_is_read_as_it_was_written(encoding):
    country, name = BREAD[encoding]
    text = f"{HEADING}A1,{name},Food,food,2.50\n"
    assert encodings.decode(text.encode(encoding), country=country) == (text, encoding)


@pytest.mark.parametrize(("country", "language"), [("US", "en"), ("DE", "de"), ("CN", "zh"), ("PL", "pl")])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müsli", "cp1252"),
        ("Käse für Größe 5", "cp1252"),
        ("苹果 可口可乐330ml", "gb18030"),
        ("红茶500ml瓶装", "gb18030"),
    ],
)
def test_what_only_one_encoding_makes_sense_of_is_read_so_in_every_country(text, encoding, country, language):
    raw = f"sku,name,price\nA1,{text},2.50\n".encode(encoding)
    assert text in encodings.decode(raw, country=country, language=language)[0]


def test_a_letter_far_down_in_a_long_file_decides():
    raw = b"sku,name\n" + b"A,plain\n" * 50_000 + "B,Müsli\n".encode("cp1252")
    (_kind, read_as), rows = tables.table(raw, "p.csv", home=("DE", "de"))
    assert (read_as, list(rows)[-1]) == ("cp1252", ["B", "Müsli"])


@pytest.mark.parametrize("raw", [b"sku\x00,name", "sku,Müsli".encode("utf-16")[:-1], b"\xff\xfe"[:1] + b"\x00" * 9])
def test_what_is_no_text_is_refused_in_a_sentence(raw):
    with pytest.raises(Invalid, match="Save it as UTF-8"):
        encodings.decode(raw)


def test_a_chosen_encoding_that_cannot_be_is_refused_by_its_name():
    with pytest.raises(Invalid, match="cannot be read as Shift-JIS"):
        encodings.decode("Müsli,1\n".encode("cp1252") + b"\x80", "cp932")


def test_the_preview_says_how_a_text_was_read_and_reads_it_as_chosen(build):
    house = build(country="DE")
    fill(house)
    client, command = house.signed_in(), new_id()
    raw = f"{HEADING}A1,Chleb śliwkowy,Food,food,2.50\n".encode("cp1250")
    looked = send(client, "/products/bring-in/", file=(io.BytesIO(raw), "p.csv"), command_id=command)
    assert "read as Windows-1252" in words(looked)
    assert "Chleb œliwkowy" in words(looked)
    again = send(client, "/products/bring-in/", kept=command, encoding="cp1250", command_id=new_id())
    assert "Chleb śliwkowy" in words(again)
    assert send(client, f"/products/bring-in/{command}").status_code == 303
    with house.doors.read() as session:
        assert session.scalar(sa.select(Product.name).where(Product.sku == "A1")) == "Chleb śliwkowy"


def test_a_file_whose_heading_is_garbled_can_be_read_again_without_choosing_it_again(build):
    house = build()
    fill(house)
    client, command = house.signed_in(), new_id()
    raw = f"{HEADING}A1,Jam,Food,food,2.50\n".encode("utf-16-le")
    first = send(client, "/products/bring-in/", file=(io.BytesIO(raw), "p.csv"), command_id=command)
    assert "1 row without errors (CSV, UTF-16)" in words(first)
    wrong = send(client, "/products/bring-in/", kept=command, encoding="cp850", command_id=new_id())
    assert (wrong.status_code, f'name="kept" value="{command}"' in wrong.text) == (422, True)
    assert send(client, f"/products/bring-in/{command}").status_code == 404, "as it was read it cannot be brought in"
    right = send(client, "/products/bring-in/", kept=command, encoding="utf-16", command_id=new_id())
    assert "1 row without errors (CSV, UTF-16)" in words(right)


def test_faults_of_a_wrong_encoding_are_mended_by_choosing_another(build):
    house = build(country="DE")
    fill(house)
    client, command = house.signed_in(), new_id()
    raw = f"{HEADING}A1,苹果,Food,food,two\n".encode("gb18030")
    looked = send(client, "/products/bring-in/", file=(io.BytesIO(raw), "p.csv"), command_id=command)
    assert looked.status_code == 422
    assert 'name="encoding"' in looked.text
    assert send(client, f"/products/bring-in/{command}").status_code == 404


def test_a_table_read_by_its_content_is_described():
    sheet = importing.read("products", f"{HEADING}A1,Müsli,Food,food,2.50\n".encode("cp1252"), "p.csv")
    assert (sheet.described, sheet.values[0]["name"]) == ("CSV, Windows-1252", "Müsli")
