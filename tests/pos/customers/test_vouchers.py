"""Vouchers: codes nobody guesses or misreads, money spent once; and the paper of the customers' books."""

import datetime as dt
import threading
from dataclasses import replace

import pytest

from config.database import Database
from config.errors import Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.customers import checks, customers, tab
from pos.customers.customers import Particulars
from pos.documents import accounts
from pos.documents.paper import COLUMNS, composed, width
from pos.payments import vouchers
from pos.printing import queue
from pos.reports import statement
from pos.sale.sale_request import SaleRequest
from pos.store.store import store_of
from tests.builders import OpenStore, voucher_code
from tests.readable import as_text

DAY_S = 86_400


def book(store: OpenStore, verb, *values, **wishes):
    with store.write() as session:
        return verb(Context(session, store.ana, store.now), store_of(session, store.store_id), *values, **wishes)


def gift(store: OpenStore, amount_minor: int = 5_000, **wishes) -> str:
    return book(store, vouchers.issue, amount_minor, **{"kind": "gift", "sale_id": new_id()} | wishes).code


def redeem(store: OpenStore, code: str, amount_minor: int):
    return book(store, vouchers.redeem, code, amount_minor, sale_id=new_id())


def left(store: OpenStore, code: str) -> int:
    return store.read(lambda session: vouchers.find(session, store.store_id, code).balance_minor)


# --- codes ---


def test_codes_are_long_random_and_never_alike():
    codes = {voucher_code() for _ in range(2_000)}
    assert len(codes) == 2_000
    assert all(len(code) == 12 and set(code) <= set(vouchers.LETTERS) for code in codes)
    assert len({code[:6] for code in codes}) > 1_990  # no beginning they share


def test_every_slip_of_one_letter_and_every_swap_of_neighbours_is_noticed():
    code = voucher_code()
    for place in range(len(code)):
        for letter in set(vouchers.LETTERS) - {code[place]}:
            assert vouchers.tidy_code(code[:place] + letter + code[place + 1 :]) is None
    for place in range(len(code) - 1):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert vouchers.tidy_code(swapped) == (code if swapped == code else None)


def test_a_code_is_taken_as_it_is_printed_and_as_it_is_typed():
    code = voucher_code()
    assert vouchers.tidy_code(vouchers.spoken(code)) == vouchers.tidy_code(f" {code.lower()[:5]} {code[5:]} ") == code
    assert [vouchers.tidy_code(text) for text in ("", "A", "0" * 12, code + code[0], "礼品券礼品券礼品券礼品券")] == [
        None
    ] * 5


def test_a_mark_is_slow_to_make_and_opens_nothing_where_a_code_is_typed(store: OpenStore):
    code = gift(store)
    mark = vouchers.mark_of(store.store_id, vouchers.spoken(code).lower())
    assert store.read(lambda session: vouchers.find(session, store.store_id, mark)).balance_minor == 5_000
    assert (vouchers.is_mark(mark), mark[-4:], code[:-4] in mark) == (True, code[-4:], False)
    assert vouchers.mark_of("S02", code) != mark, "salted by the store"
    for typed in (str(mark), mark[:-5], f"{mark[:-4]}2222"):
        with pytest.raises(Invalid) as refused:
            redeem(store, typed, 1)
        assert refused.value.code == "voucher-misread"
    with pytest.raises(Invalid):
        paying_with(store, str(mark))
    assert left(store, code) == 5_000


def test_a_request_is_known_again_by_the_mark_however_the_code_was_typed(store: OpenStore):
    code = gift(store)
    one, other = (paying_with(store, typed) for typed in (code, vouchers.spoken(code).lower()))
    assert one.hash() == other.hash() == replace(one, note="").hash()
    assert code not in str(vars(one))
    assert one.hash() != paying_with(store, gift(store)).hash()


def test_without_its_secret_a_store_takes_a_voucher_and_prints_its_code_no_more(store: OpenStore):
    with store.write() as session:
        store_row = store_of(session, store.store_id)
        code, voucher = vouchers.issue(
            Context(session, store.ana, store.now), store_row, 500, kind="gift", sale_id="s1"
        )
    store.database = Database(store.database.engine, secret="of another computer")
    assert redeem(store, code, 200).balance_minor == 300
    with pytest.raises(Refused) as refused, store.write() as session:
        statement.print_voucher(session, store_row, voucher, till_id="T1", at=store.now)
    assert refused.value.code == "voucher-not-derived"
    document = {"store": {"id": store.store_id}, "id": "s1", "vouchers": [{"code": voucher.mark, "kind": "gift"}]}
    shown = store.read(lambda session: vouchers.revealed(session, document))
    assert shown["vouchers"] == [{"code": f"... {code[-4:]}", "kind": "gift", "masked": True}]
    assert not vouchers.is_whole(shown)


def paying_with(store: OpenStore, typed: str) -> SaleRequest:
    return SaleRequest(
        id="sale-0001", store_id=store.store_id, till_id="T1", lines=[("milk", 1)], tenders=[("voucher", 129, typed)],
        shown_total_minor=129,
    )  # fmt: skip


# --- money ---


def test_what_is_left_stays_on_the_code_and_never_falls_below_zero(store: OpenStore):
    code = gift(store)
    assert redeem(store, vouchers.spoken(code).lower(), 1_999).balance_minor == 3_001
    with pytest.raises(Refused) as refused:
        redeem(store, code, 3_002)
    assert refused.value.facts == {"balance_minor": 3_001, "wanted_minor": 3_002}
    assert redeem(store, code, 3_001).balance_minor == left(store, code) == 0
    with pytest.raises(Refused):
        redeem(store, code, 1)
    assert store.read(lambda session: checks.findings(session, store.store_id)) == []


def test_a_voucher_shown_at_many_tills_at_once_is_spent_once(store: OpenStore):
    code, paid, refused, gate = gift(store, 1_000), [], [], threading.Barrier(8)

    def till() -> None:
        gate.wait()
        try:
            paid.append(redeem(store, code, 1_000))
        except Refused as refusal:
            refused.append(refusal.code)

    tills = [threading.Thread(target=till) for _ in range(8)]
    for one in tills:
        one.start()
    for one in tills:
        one.join()
    assert (len(paid), left(store, code)) == (1, 0)
    assert refused == ["voucher-too-small"] * 7


def test_a_voucher_is_taken_on_its_last_day_and_not_after(store: OpenStore):
    code = gift(store, expires_on=store.now.date())
    redeem(store, code, 1)
    store.clock.advance(DAY_S)
    with pytest.raises(Refused) as refused:
        redeem(store, code, 1)
    assert refused.value.code == "voucher-expired"
    assert left(store, code) == 4_999
    with pytest.raises(Invalid):
        gift(store, expires_on=store.now.date() - dt.timedelta(days=1))


def test_unknown_and_misread_codes_are_told_apart(store: OpenStore):
    code = gift(store)
    with pytest.raises(NotFound):
        redeem(store, voucher_code(), 1)
    with pytest.raises(Invalid) as refused:
        redeem(store, code[:-1], 1)
    assert refused.value.code == "voucher-misread"


@pytest.mark.parametrize("amount", [0, -5, 10**13, True, 2.5])
def test_impossible_amounts_are_neither_issued_nor_redeemed(store: OpenStore, amount):
    code = gift(store)
    with pytest.raises(Invalid):
        redeem(store, code, amount)
    with pytest.raises(Invalid):
        gift(store, amount)
    with pytest.raises(Invalid):
        gift(store, 100, kind="promise")
    assert left(store, code) == 5_000


# --- paper ---


@pytest.fixture(params=["en", "zh"])
def papers(store: OpenStore, request) -> list[queue.PrintJob]:
    """Give the slip of a repayment, a statement and a voucher, in one language."""
    wished = Particulars("王小明 Rosa-Maria von der Lindenallee", language=request.param, agreed=frozenset({"tab"}))
    wished = Particulars(**vars(wished) | {"limit_minor": 100_000})
    with store.write() as session:
        store_row = store_of(session, store.store_id)
        store_row.language = request.param
        customer = customers.add(Context(session, store.wei, store.now), store_row, new_id(), wished)
        day = store.now.date() - dt.timedelta(days=70)
        given = {"at": store.now, "actor": store.ana}
        tab.carry_over(Context(session, **given), store_row, customer.id, 12_345, day, id=new_id())
        sold = store_sale_id(session, store)
        tab.charge(Context(session, **given), store_row, customer.id, 2_000, sale_id=sold)
        done = tab.repay(Context(session, **given), store_row, customer.id, 13_000, id=new_id(), till_id="T1")
        slip = statement.print_repayment(session, store_row, done, till_id="T1", at=store.now)
        first, last = store.now.date() - dt.timedelta(days=90), store.now.date()
        listing = statement.print_statement(
            Context(session, **given), store_row, customer.id, first, last, till_id="T1"
        )
        voucher = vouchers.issue(Context(session, **given), store_row, 5_000, kind="gift", sale_id=new_id()).voucher
        assert slip is not None
        queued = [slip, listing, statement.print_voucher(session, store_row, voucher, till_id="T1", at=store.now)]
        return [session.get_one(queue.PrintJob, (store_row.id, job.id)) for job in queued]


def store_sale_id(session, store: OpenStore) -> str:
    from pos.sale import sale

    request = SaleRequest(
        id=new_id(), store_id=store.store_id, till_id="T1", lines=[("milk", 1)], tenders=[("cash", 129)],
        shown_total_minor=129,
    )  # fmt: skip
    return sale.complete(Context(session, store.ana, store.now), request).sale.id


@pytest.mark.parametrize("columns", COLUMNS)
def test_every_line_fits_the_paper_in_both_languages(papers: list[queue.PrintJob], columns: int):
    for job in papers:
        for line in queue.lay_out(job.kind, job.document, columns=columns, copy_no=1):
            assert line.kind != "text" or width(composed(line, columns)) * line.wide <= columns, line


def test_the_slip_says_what_was_paid_which_purchases_and_what_is_left(papers: list[queue.PrintJob]):
    text = as_text(queue.lay_out("tab_paid", papers[0].document, columns=42), 42).replace(".", ",")
    assert [figure for figure in ("130,00", "123,45", "6,55", "13,45") if figure not in text] == []
    assert text.index("123,45") < text.index("6,55")
    assert "000001" in text
    english = papers[0].document["language"] == "en"
    assert ("STILL OWED" in text, "尚欠" in text) == (english, not english)


def test_a_statement_leads_from_what_was_owed_to_what_is_owed(papers: list[queue.PrintJob]):
    document = papers[1].document
    assert document["opening_minor"] + sum(row["amount_minor"] for row in document["lines"]) == 1_345
    assert (document["closing_minor"], document["ages_minor"]) == (1_345, [1_345, 0, 0, 0])
    rows = accounts.statement_rows(document, document["language"])
    assert [row[4] for row in rows[1:]] == ["0.00", "123.45", "143.45", "13.45", "13.45"]
    assert {len(row) for row in rows} == {5}


def test_a_statement_of_days_begins_where_the_one_before_ended(store: OpenStore, papers: list[queue.PrintJob]):
    def look(session):
        store_row, who = store_of(session, store.store_id), papers[1].source_id
        today = store.now.date()
        early = statement.statement_of(session, store_row, who, today - dt.timedelta(90), today - dt.timedelta(1))
        late = statement.statement_of(session, store_row, who, today, today)
        return early, late

    early, late = store.read(look)
    assert early["closing_minor"] == late["opening_minor"] == 12_345
    assert len(early["lines"]) + len(late["lines"]) == 3


def test_a_voucher_shows_its_code_to_read_and_to_scan(store: OpenStore, papers: list[queue.PrintJob]):
    document = store.read(lambda session: vouchers.revealed(session, papers[2].document))
    assert left(store, document["spoken"]) == 5_000
    lines = queue.lay_out("voucher", document, columns=32)
    assert [line.text for line in lines if line.kind == "qr"] == [document["code"]]
    assert document["spoken"] in as_text(lines, 32)


def test_the_reminder_speaks_the_customers_language():
    given = {"name": "Rosa", "store": "Elm", "since": dt.date(2026, 1, 2), "currency": "EUR", "tz": "Europe/Berlin"}
    english, chinese = (accounts.reminder(**given, owed_minor=1_200, language=one) for one in ("en", "zh"))
    assert "12,00 €" in english.replace("\N{NO-BREAK SPACE}", " ")
    assert "2 January 2026" in english
    assert "记账" in chinese
    assert "2026年1月2日" in chinese
    assert "paid off" in accounts.reminder(**given, owed_minor=0, language="en")
