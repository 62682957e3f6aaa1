"""A sale is whole or it is not: money, stock, drawer, journal, fact and paper in one transaction, once."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, DomainError, Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue import catalogue
from pos.facts import SaleCompleted
from pos.payments.payments import Payment
from pos.printing.queue import PrintJob
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.sold import Completed, Sale, SaleLine
from pos.stock import stock
from pos.stock.ledger import CountTask, Place, StockMovement
from pos.store.store import sell_beyond
from pos.till import shift
from pos.till.shift_book import CashMovement
from tests.builders import GOODS, NOON, STORE, OpenStore, open_store

COUNTED = (Sale, SaleLine, Payment, StockMovement, CashMovement, OutboxMessage, PrintJob, journal.JournalEntry)


def rows(store: OpenStore) -> dict[str, int]:
    """Count what a sale writes."""
    return store.read(lambda s: {t.__tablename__: s.scalar(sa.select(sa.func.count()).select_from(t)) for t in COUNTED})


def refused(store: OpenStore, request: SaleRequest, kind: type[DomainError], code: str) -> DomainError:
    before, levels = rows(store), store.read(lambda s: stock.levels(s, STORE))
    with pytest.raises(kind) as refusal:
        store.complete(request)
    assert refusal.value.code == code
    assert len(refusal.value.message) > 20
    assert (rows(store), store.read(lambda s: stock.levels(s, STORE))) == (before, levels), "something was half written"
    return refusal.value


def test_a_sale_writes_everything_that_must_be_true_together(store):
    done = store.sell([("milk", 2), ("cheese", 250)], cash_minor=1000)
    assert done.sale.total_minor == 258 + 475
    document = done.document
    assert document["change_minor"] == 1000 - 733
    assert store.level("milk").on_hand == 18
    assert store.level("cheese").on_hand == 4750
    with store.database.read() as session:
        assert session.get_one(OutboxMessage, done.sale.id).topic == "sale.completed"
        job = session.scalars(sa.select(PrintJob).where(PrintJob.source_id == done.sale.id)).one()
        assert job.opens_drawer
        assert job.document == json.loads(json.dumps(document))
        found = shift.current(session, STORE, "T1")
        assert found is not None
        assert found.expected_minor == 10_000 + 733
        amounts = dict(session.execute(sa.select(CashMovement.kind, CashMovement.amount_minor)).all())
        assert amounts == {"float": 10_000, "sale": 1000, "change": -267}
        assert journal.verify(session, STORE) == []
    assert store.findings() == []


def test_the_document_carries_all_that_the_receipt_says(store):
    document = store.sell([("milk", 2), ("wine", 1)]).document
    assert document["store"]["name"] == "Corner of Elm Street"
    assert (document["till_name"], document["cashier_name"], document["receipt_no"]) == ("Till 1", "Ana", 1)
    assert document["local_time"] == "2026-03-02 13:00"
    assert document["age_checked"] == 18
    letters = {row["tax_class_id"]: row["letter"] for row in document["taxes"]}
    assert [(line["name"], line["tax_letter"]) for line in document["lines"]] == [
        ("Whole milk 1 l", letters["food"]),
        ("Red wine 0.75 l", letters["drinks"]),
    ]
    assert sum(row["gross_minor"] for row in document["taxes"]) == document["total_minor"]
    assert SaleCompleted.from_body(json.loads(json.dumps(document))).to_body() == document


def test_the_same_pay_twice_is_one_sale_and_the_same_bytes(store):
    request = store.request([("milk", 1)])
    first, before = store.complete(request), rows(store)
    again = store.complete(request)
    assert (again.repeated, again.sale.receipt_no) == (True, first.sale.receipt_no)
    assert journal.canonical(again.document) == journal.canonical(first.document)
    assert rows(store) == before


def test_a_repeated_pay_is_answered_even_when_the_till_is_closed_by_then(store):
    request = store.request([("milk", 1)])
    first = store.complete(request)
    store.close_till()
    assert store.complete(request).sale.receipt_no == first.sale.receipt_no


def test_the_same_id_with_another_basket_is_a_conflict_that_changes_nothing(store):
    store.complete(store.request([("milk", 1)], id="sale-000001"))
    other = store.request([("milk", 2)], id="sale-000001")
    refusal = refused(store, other, Conflict, "sale-content-differs")
    assert refusal.facts["receipt_no"] == 1


@pytest.mark.parametrize("qty", [0, -1, 10_001, 10**12, 1.5, True, "3", None])
def test_an_odd_quantity_is_refused(store, qty):
    request = store.request([("milk", 1)])
    refused(store, replace(request, lines=[("milk", qty)]), Invalid, "bad-quantity")


def test_grams_may_be_many_but_not_absurdly_many(store):
    assert store.sell([("cheese", 20_000)]).sale.total_minor == 37_980
    request = store.request([("cheese", 1)])
    refused(store, replace(request, lines=[("cheese", 1_000_001)]), Invalid, "bad-quantity")


def test_an_empty_basket_is_refused(store):
    request = store.request([("milk", 1)])
    refused(store, replace(request, lines=[]), Invalid, "empty-basket")


def test_too_little_cash_names_what_is_missing(store):
    refusal = refused(store, store.request([("milk", 1)], cash_minor=100), Refused, "too-little-cash")
    assert refusal.facts["missing_minor"] == 29
    assert "€0.29" in refusal.message


@pytest.mark.parametrize("tenders", [[("cash", -5)], [("cash", 10**13)], [("cash", 1.5)], [("card", 129, "x\ny")]])
def test_an_odd_amount_is_refused(store, tenders):
    with pytest.raises(Invalid):
        store.complete(store.request([("milk", 1)], tenders=tenders))


@pytest.mark.parametrize("tender", ["cheque", "prepaid", "shells"])
def test_a_tender_the_counter_does_not_take_is_refused(store, tender):
    refused(store, store.request([("milk", 1)], tenders=[(tender, 129)]), Invalid, "unknown-tender")


def test_nothing_but_cash_is_given_back(store):
    refused(store, store.request([("milk", 1)], tenders=[("card", 130, "slip 7")]), Refused, "too-much-card")


def test_a_card_and_cash_together_pay_a_sale_and_only_cash_moves_the_drawer(store):
    done = store.sell([("bread", 1)], tenders=[("card", 300, "slip 7"), ("cash", 100)])
    assert [(row["tender"], row["amount_minor"], row["reference"]) for row in done.document["payments"]] == [
        ("card", 300, "slip 7"),
        ("cash", 100, ""),
        ("cash", -51, ""),
    ]
    assert sum(row[2] for row in done.document["cash"]) == 49
    assert store.findings() == []


def test_a_price_that_changed_since_the_scan_is_shown_before_it_is_charged(store):
    request = store.request([("milk", 2)])
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, NOON), "milk", 139, NOON.date())
    refusal = refused(store, request, Refused, "total-changed")
    assert (refusal.facts["total_minor"], refusal.facts["shown_minor"]) == (278, 258)
    assert refusal.facts["lines"][0]["unit_price_minor"] == 139


def test_an_unknown_product_is_named(store):
    request = store.request([("milk", 1)])
    refusal = refused(store, replace(request, lines=[("milk", 1), ("gold", 1)]), NotFound, "unknown-product")
    assert refusal.facts["skus"] == ["gold"]


def test_the_loaf_in_the_customers_hand_is_sold_though_the_record_says_there_is_none(store):
    store.sell([("bread", 23)])
    assert store.level("bread").on_hand == -3
    assert store.level("bread").by_place == {"backroom": 0, "floor": -3}
    assert store.read(lambda s: list(s.scalars(sa.select(CountTask.sku).where(CountTask.done_at.is_(None))))) == [
        "bread"
    ]
    assert store.findings() == []


def test_receipt_numbers_rise_without_gaps_whatever_is_refused_between(store):
    numbers = []
    for route_no in range(4):
        numbers.append(store.sell([("milk", 1)]).sale.receipt_no)
        if route_no % 2:
            with pytest.raises(Refused):
                store.complete(store.request([("milk", 1)], cash_minor=1))
    assert numbers == [1, 2, 3, 4]


def test_cash_is_rounded_beside_the_lines_and_a_card_is_not(tmp_path):
    store = open_store(tmp_path, smallest_coin_minor=5)
    cash = store.sell([("milk", 1)])
    assert (cash.sale.lines_minor, cash.sale.rounding_minor, cash.sale.total_minor) == (129, 1, 130)
    card = store.sell([("milk", 1)], tenders=[("card", 129)])
    assert (card.sale.rounding_minor, card.sale.total_minor) == (0, 129)
    assert store.findings() == []


def test_a_price_agreed_with_an_order_is_kept_and_its_units_come_from_the_bin(store):
    with store.write() as session:
        stock.reserve(Context(session, store.wei, NOON), STORE, "order-1", [("milk", 2)])
        stock.move(Context(session, store.wei, NOON), STORE, "milk", 2, Place.BACKROOM, Place.BIN)
    agreed = {"channel": "pickup", "order_id": "order-1", "agreed_prices": {"milk": 99}, "shown_total_minor": 198}
    done = store.sell([("milk", 2)], tenders=[("prepaid", 198)], **agreed)
    assert [row[3] for row in done.document["movements"]] == ["bin"]
    assert store.level("milk") == stock.Level(18, 0, 18, {"backroom": 18, "bin": 0})
    assert store.findings() == []


def test_two_hands_on_pay_make_one_sale(store):
    request, answers = store.request([("milk", 1)]), []
    in_parallel(lambda: answers.append(store.complete(request)), 4)
    assert [done.repeated for done in answers].count(False) == 1
    assert {done.sale.receipt_no for done in answers} == {1}
    assert store.level("milk").on_hand == 19
    assert store.findings() == []


def test_two_tills_hands_on_the_last_unit_leave_an_exact_book_and_a_count_task(store):
    store.sell([("tea", 19)])
    requests = [store.request([("tea", 1)]) for _ in range(2)]
    in_parallel(lambda: store.complete(requests.pop()), 2)
    assert store.level("tea").on_hand == -1
    assert store.read(lambda s: s.get_one(CountTask, (STORE, "tea")).done_at) is None
    assert store.findings() == []


def test_where_the_tills_stop_at_what_the_books_have_one_of_two_sells_the_last_unit(store):
    with store.write() as session:
        sell_beyond(Context(session, store.wei, store.now), STORE, False)
    store.sell([("tea", 19)])
    requests, reported = [store.request([("tea", 1)]) for _ in range(4)], []

    def sell() -> None:
        request = requests.pop()
        try:
            store.complete(request)
        except Refused as fault:
            reported.append(fault)

    in_parallel(sell, 4)
    assert [fault.code for fault in reported] == ["not-in-stock"] * 3
    assert reported[0].facts["short"][0] | {"name": ""} == {"sku": "tea", "name": "", "wanted": 1, "available": 0}
    assert store.level("tea").on_hand == 0
    with pytest.raises(Refused, match="Count it if you have it"):
        store.read(lambda s: sale.quote(s, STORE, [("tea", 1)], at=store.now))
    assert store.findings() == []


def in_parallel(act: Callable[[], object], times: int) -> None:
    faults: list[BaseException] = []

    def guarded() -> None:
        try:
            act()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=guarded) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


amounts = st.lists(st.tuples(st.sampled_from([one.sku for one in GOODS]), st.integers(1, 30)), min_size=1, max_size=8)


@settings(max_examples=40)
@given(lines=amounts, over=st.integers(0, 5000), card=st.integers(0, 100), coin=st.sampled_from([1, 5]))
def test_whatever_is_sold_and_however_it_is_paid_the_books_hold(roomy_store, lines, over, card, coin):
    store = roomy_store(coin)
    due = store.read(lambda s: sale.quote(s, STORE, lines, at=NOON)).basket.lines_minor
    by_card = due * card // 100
    done = store.sell(lines, tenders=[("card", by_card), ("cash", due - by_card + over + coin)])
    found = done.sale
    assert found.lines_minor == due
    assert found.total_minor == due + found.rounding_minor
    assert sum(row["amount_minor"] for row in done.document["payments"]) == found.total_minor
    assert 0 <= done.document["change_minor"] <= due - by_card + over + coin
    assert sum(line["tax_minor"] for line in done.document["lines"]) == found.tax_minor
    assert store.findings() == []


@pytest.fixture(scope="module")
def roomy_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], OpenStore]:
    """Give a store per smallest coin, used by many examples."""
    stores = {coin: open_store(tmp_path_factory.mktemp("roomy"), smallest_coin_minor=coin) for coin in (1, 5)}
    return stores.__getitem__


@pytest.mark.postgres
def test_a_sale_its_return_and_the_closing_hold_on_postgresql_too(postgres_database, tmp_path):
    store = open_store(tmp_path, database_url=postgres_database)
    request = store.request([("milk", 2), ("bread", 21)])
    answers: list[Completed] = []
    in_parallel(lambda: answers.append(store.complete(request)), 3)
    assert {done.sale.receipt_no for done in answers} == {1}
    store.take_back(request.id, [(1, 1)])
    store.close_till()
    assert store.level("milk").on_hand == 19
    assert store.level("bread").on_hand == -1
    assert store.findings() == []
    store.database.engine.dispose()
