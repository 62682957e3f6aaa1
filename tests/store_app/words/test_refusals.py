"""A refusal of the domain is said in the reader's language, with its facts, or as it came."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_babel import gettext as _

from config.errors import DomainError, Invalid, NotFound, Refused
from store_app.words.refusals import BY_SUBJECT, SENTENCES, sentence_of
from tests.store_app.conftest import House, post

ROOT = Path(__file__).resolve().parents[3]
CARRIED: dict[str, set[str] | None] = {"edition-unreadable": {"edition"}, "points-not-linked": set()}
"""Codes that no refusal is raised with: a row keeps the one, an answer carries the other. With the facts they have."""
KINDS = {"Invalid", "NotFound", "Refused", "Conflict", "Unreachable"}


def said(house: House, fault: DomainError, language: str = "zh") -> str:
    """Return what a reader of this language is told."""
    with house.app.test_request_context(f"/?lang={language}"):
        house.app.preprocess_request()
        return sentence_of(fault)


def raised() -> Iterator[tuple[str, set[str] | None]]:
    """Yield every refusal written in the sources: its code, and the names of its facts (None: not to be seen)."""
    for package in ("config", "pos", "supply", "store_app"):
        for source in (ROOT / package).rglob("*.py"):
            yield from refusals(ast.parse(source.read_text(encoding="utf-8")))


def refusals(tree: ast.AST) -> Iterator[tuple[str, set[str] | None]]:
    """Yield the refusals of one source."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {*KINDS, "_refused"}:
            code = node.args[0] if node.args else None
            if isinstance(code, ast.Constant):
                of_edition = node.func.id == "_refused"  # which adds the edition and the place (`edition_check`)
                names = [word.arg for word in node.keywords] + ["edition", "place"] * of_edition
                known = None if None in names else {str(name) for name in names}
                yield f"edition-{code.value}" if of_edition else str(code.value), known


def test_every_sentence_belongs_to_a_refusal_and_tells_only_facts_it_has():
    facts = dict(CARRIED)
    for code, names in raised():
        known = facts.setdefault(code, set())
        facts[code] = None if names is None or known is None else known | names
    assert sorted(set(SENTENCES) - set(facts)) == []
    wrong = [
        (code, name)
        for code, sentences in SENTENCES.items()
        for sentence in sentences
        for name in re.findall(r"%\((\w+)\)s", sentence._args[0])
        if (known := facts[code]) is not None and name not in known
    ]
    assert wrong == []


def test_no_code_has_two_meanings():
    codes = Counter(code for part in BY_SUBJECT for code in part)
    assert [code for code, count in codes.items() if count > 1] == []


@pytest.mark.parametrize(
    "module",
    ["replenishment/proposals", "replenishment/auto_approval", "replenishment/service_targets", "replenishment/budget",
     "orders/orders", "orders/deliveries", "orders/suppliers", "money/credit", "receiving/receiving", "shelf/plan"],
)  # fmt: skip
def test_whoever_orders_is_refused_in_their_language(module):
    between_nodes = {"not-our-supplier", "bad-reason", "warehouse-exists", "bad-warehouse"}
    tree = ast.parse((ROOT / "supply" / f"{module}.py").read_text(encoding="utf-8"))
    silent = [
        code for code, names in refusals(tree)
        if code not in between_nodes
        and not any(names is None or set(re.findall(r"%\((\w+)\)s", one._args[0])) <= names
                    for one in SENTENCES.get(code, ()))
    ]  # fmt: skip
    assert silent == []


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (NotFound("unknown-barcode", "No product.", barcode="4006381333931"), "没有条码为 4006381333931 的商品"),
        (Refused("too-little-cash", "Missing.", missing_minor=150, due_minor=500, paid_minor=350), "1.50"),
        (Refused("not-ready", "Order 7 is not ready.", order_no="S01-7", state="picking"), "拣货中"),
        (Refused("codes-locked", "Wait.", until="2026-03-02T11:30:00+00:00"), "取货码"),
        (
            Refused("not-available", "Short.", short=[{"sku": "A", "name": "Tea", "wanted": 5, "available": 2}]),
            "Tea (2/5)",
        ),
    ],
    ids=lambda value: value.code if isinstance(value, DomainError) else "",
)
def test_a_refusal_carries_its_facts_in_the_readers_language(house: House, fault: DomainError, sentence: str):
    reported = said(house, fault)
    assert sentence in reported
    assert reported.endswith("。")


def test_without_its_facts_a_refusal_says_the_gist(house: House):
    whole = said(house, Refused("other-order", "Another's.", order_no="S01-7"))
    gist = said(house, Refused("other-order", "Another's."))
    assert "S01-7" in whole
    assert gist.endswith("。")
    assert "%" not in gist


def test_without_a_sentence_or_a_needed_fact_a_refusal_is_said_as_it_came(house: House):
    assert said(house, Refused("nobody-knows", "The moon is full.")) == "The moon is full."
    assert said(house, Refused("locked", "Try again later.")) == "Try again later."


def test_an_english_reader_gets_all_the_domain_knows(house: House):
    assert said(house, Refused("locked", "Try again in 30 seconds.", wait_s=30), "en") == "Try again in 30 seconds."


def test_what_a_page_said_in_the_readers_language_is_left_alone(house: House):
    with house.app.test_request_context("/?lang=zh"):
        house.app.preprocess_request()
        own = _("That is more money than a store can take.")
    assert said(house, Invalid("bad-amount", own)) == own


def test_a_wrong_pin_is_refused_in_chinese(house: House):
    client = house.visitor()
    client.get("/signin?lang=zh")
    assert "PIN 码" in post(client, "/signin/cashier", pin="0000").text
    assert "do not belong together" not in post(client, "/signin/cashier", pin="0000").text


def test_the_till_is_refused_in_chinese_too(house: House):
    client = house.signed_in("cashier")
    client.get("/signin?lang=zh")
    answer = client.get("/api/scan/4006381333931")
    assert answer.status_code == 404
    assert "4006381333931" in answer.json["error"]["message"]
    assert answer.json["error"]["message"].endswith("。")
