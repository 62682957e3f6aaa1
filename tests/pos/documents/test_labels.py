"""Shelf labels: the same content on paper and in the browser."""

import xml.etree.ElementTree as ElementTree

import barcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from config.words import language
from pos.documents import labels, paper
from tests.pos import paper_documents as documents


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("5000128104449", "5000128104449"),
        ("036000291452", "0036000291452"),
        ("05000128104449", "5000128104449"),
        ("96385074", "96385074"),
        ("5000128104440", None),
        ("4011", None),
        ("MILK-1", None),
        ("", None),
    ],
)
def test_only_a_right_number_gets_bars(code, printed):
    assert labels.gtin({"barcode": code}) == printed


def test_the_bars_are_those_of_the_standard():
    assert labels.bars("5000128104449") == barcode.get("ean13", "5000128104449").build()[0].replace("G", "1")
    assert len(labels.bars("5000128104449")) == 95
    assert len(labels.bars("96385074")) == 67


@pytest.mark.parametrize("url", ["https://例子.cn/p/1", "https://shop.example/a b", "https://shop.example/\n"])
def test_an_address_with_other_letters_is_refused(url):
    with pytest.raises(Invalid, match="Use up to 300 plain characters"):
        labels.qr_text(documents.label() | {"url": url})


def test_the_picture_stands_in_any_page():
    svg = labels.label_svg(documents.label())
    tree = ElementTree.fromstring(svg)
    assert tree.get("viewBox") == "0 0 62 40"
    assert "style=" not in svg
    assert "href" not in svg
    texts = "".join(tree.itertext())
    assert "£1.20" in texts
    assert "Whole milk, fresh" in texts
    classes = [part.get("class") for part in tree]
    assert "bars" in classes
    assert "qr" in classes


def test_a_long_name_is_drawn_smaller_instead_of_running_out_of_the_label():
    name = "Soft drinks, 12-pack cans"
    (shown,) = [
        one for one in ElementTree.fromstring(labels.label_svg(documents.label() | {"name": name})) if one.text == name
    ]
    assert float(shown.get("font-size")) * 0.6 * len(name) <= 56.1


@given(st.text(min_size=1, max_size=200))
def test_any_name_makes_a_well_formed_picture(name):
    ElementTree.fromstring(labels.label_svg(documents.label() | {"name": name, "brand": name}))


def test_picture_and_paper_show_the_same():
    document = documents.label()
    lines = labels.layout(document, columns=48)
    printed = {line.text for line in lines}
    svg = labels.label_svg(document)
    assert paper.price(paper.said_in(document), document["price_minor"], document["currency"]) in printed
    assert paper.price(paper.said_in(document), document["price_minor"], document["currency"]) in svg
    assert [line.text for line in lines if line.kind == "qr"] == [document["url"]]
    assert [line.text for line in lines if line.kind == "barcode"] == [document["barcode"]]


def test_the_price_is_the_biggest_thing():
    lines = [line for line in labels.layout(documents.label(), columns=48) if line.kind == "text"]
    biggest = max(lines, key=lambda line: line.wide * line.tall)
    assert biggest.text == "£1.20"


def test_a_weighed_product_shows_what_the_price_is_for():
    document = {
        "name": "Bananas", "price_minor": 115, "currency": "GBP", "stock_unit": "gram", "price_quantity": 1000
    }  # fmt: skip
    assert labels.unit_text(document, language("en")) == "£1.15/kg"


@given(st.text(min_size=1, max_size=120), st.integers(0, 10**9), st.sampled_from(paper.COLUMNS))
def test_no_label_is_wider_than_the_paper(name, minor, columns):
    document = documents.label() | {"name": name, "brand": name, "price_minor": minor, "place": name}
    for line in labels.layout(document, columns=columns):
        if line.kind == "text":
            assert paper.width(paper.composed(line, columns)) * line.wide <= columns
