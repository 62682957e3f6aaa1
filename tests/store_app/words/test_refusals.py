"""A refusal is said in the reader's language, with its facts as that language writes them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.errors import DomainError, Invalid, NotFound, Refused
from store_app.words.refusals import sentence_of
from tests.store_app.conftest import House, post

ROOT = Path(__file__).resolve().parents[3]
KINDS = {"Invalid", "NotFound", "Refused", "Conflict", "Unreachable"}


def said(house: House, fault: DomainError, language: str = "zh") -> str:
    """Return what a reader of this language is told."""
    with house.app.test_request_context(f"/?lang={language}"):
        house.app.preprocess_request()
        return sentence_of(fault)


def raised() -> Iterator[tuple[str, str, set[str] | None]]:
    """Yield every refusal as it is raised: place, sentence, the names of its facts (None: not to be seen)."""
    for package in ("config", "pos", "supply", "store_app"):
        for source in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS and len(node.args) > 1:
                    sentence, names = node.args[1], {word.arg for word in node.keywords}
                    text = sentence.value if isinstance(sentence, ast.Constant) else ast.unparse(sentence)
                    facts = None if None in names else {str(name) for name in names}
                    yield f"{source.relative_to(ROOT)}:{node.lineno}", str(text), facts


def test_every_sentence_tells_only_facts_that_its_refusal_has():
    found = list(raised())
    assert len(found) > 1000
    wrong = [
        (place, name)
        for place, text, facts in found
        for name in re.findall(r"%\((\w+)\)", text)
        if facts is not None and name not in facts and "ngettext(" not in text
    ]
    assert wrong == []


def test_no_sentence_is_put_together_before_the_catalogue_sees_it():
    made_of = [
        (place, re.sub(r"\{[^}]*\}", "", text)) for place, text, _ in raised() if re.fullmatch(r"f(['\"]).*\1", text)
    ]
    shop = [place for place, text in made_of if re.search("[a-z]{3}", text) and "/demo/" not in place]
    assert shop == []


@pytest.mark.parametrize(
    ("fault", "english", "chinese"),
    [
        (
            NotFound("unknown-product", "Product %(sku)s not found.", sku="4006381333931"),
            "Product 4006381333931 not found.",
            "没有商品 4006381333931。",
        ),
        (
            Refused("too-much-card", "That is %(over_minor)s too much, and only cash can be given as change. Charge "
                                     "the exact "
                                     "amount.", over_minor=123_450, currency="CNY"),
            "That is ¥1,234.50 too much",
            "¥1,234.50",
        ),
        (Refused("not-ready", "Order %(order_no)s is not ready yet: it is %(state)s.", order_no="S01-7",
                 state="picking"), "it is being picked.", "拣货中"),
        (
            Refused("not-available", "The store does not have that many available: %(short)s.",
                    short=[{"sku": "A", "name": "Tea", "wanted": 5, "available": 2}]),
            "available: Tea (2/5).",
            "Tea (2/5)",
        ),
        (Refused("order-day-over", "The order date was %(day)s. Suggest again to update dates and "
                                   "quantities.", day="2026-03-02"), "The order date was Mar 2, 2026.", "2026年3月2日"),
    ],
    ids=lambda value: value.code if isinstance(value, DomainError) else "",
)  # fmt: skip
def test_a_refusal_carries_its_facts_as_the_reader_writes_them(house: House, fault, english: str, chinese: str):
    assert english in said(house, fault, "en")
    assert chinese in said(house, fault)


def test_an_amount_without_a_currency_is_of_the_store(house: House):
    assert "$1.50" in said(house, Refused("tab-limit", "At most %(left_minor)s.", left_minor=150), "en")


def test_what_somebody_else_said_is_left_as_it_is(house: House):
    assert said(house, Refused("theirs", "80 % of (this) fits.", field="x")) == "80 % of (this) fits."
    assert str(Invalid("theirs", "%(gone)s is full.")) == "%(gone)s is full."


def test_a_wrong_pin_is_refused_in_chinese(house: House):
    client = house.visitor()
    client.get("/signin?lang=zh")
    assert "PIN 码" in post(client, "/signin/cashier", pin="0000").text
    assert "Name and PIN do not match. Try again" not in post(client, "/signin/cashier", pin="0000").text


def test_the_till_is_refused_in_chinese_too(house: House):
    client = house.signed_in("cashier")
    client.get("/signin?lang=zh")
    answer = client.get("/api/scan/4006381333931")
    assert answer.status_code == 404
    assert "4006381333931" in answer.json["error"]["message"]
    assert answer.json["error"]["message"].endswith("。")
