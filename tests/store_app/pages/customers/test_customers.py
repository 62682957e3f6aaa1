"""The customers' pages: found, never tried out; repaid once; kept as agreed and forgotten; for who may."""

import csv
import datetime as dt
import io
import re

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor, Context
from pos.customers import checks, customers, loyalty, points_terms, tab
from pos.customers.customers import Customer, Particulars
from pos.customers.tab import TabEntry
from pos.payments import vouchers
from pos.printing.queue import PrintJob
from pos.store.store import store_of
from pos.till import shift
from store_app.pages.common.lists import ROWS
from tests.builders import voucher_code
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import send, words

ROSA = "customer-rosa-lind-0001"
HERE = f"/customers/{ROSA}"
SYSTEM = Actor.system("test", STORE)
ALL = ("phone", "tab", "points", "messages")


@pytest.fixture
def rosa(house: House) -> House:
    """Give a store that knows Rosa, who owes 140.00 since 70 days and 25.00 since today, and has 42 points."""
    with house.doors.write() as session:
        store = store_of(session, STORE)
        given = {"at": NOON, "actor": SYSTEM}
        wished = Particulars("Rosa Lind", "+49 170 555 0123", agreed=frozenset(ALL), limit_minor=20_000)
        customers.add(Context(session, **given), store, ROSA, wished)
        terms = points_terms.terms_of(STORE, True, 1, 100, 5, 10)
        points_terms.set_terms(Context(session, **given), terms)
        loyalty.earn(Context(session, **given), store, ROSA, 4_200, sale_id="s0")
        tab.carry_over(Context(session, **given), store, ROSA, 14_000, NOON.date() - dt.timedelta(days=70), id=new_id())
        tab.charge(Context(session, **given), store, ROSA, 2_500, sale_id="s1")
        shift.open_shift(Context(session, **given), STORE, "1", 5_000)
    return house


def owed(house: House) -> int:
    with house.doors.read() as session:
        return tab.account(session, STORE, ROSA).balance_minor


def test_the_list_says_who_owes_most_and_since_when(rosa: House):
    page = words(rosa.signed_in().get("/customers/"))
    assert "$165.00 owed by 1 customer" in page
    assert "$140.00 unpaid for more than 60 days" in page
    assert "Rosa Lind $165.00 Mon, Dec 22, 2025" in page
    assert "more than 60 days" in page


def test_all_by_name_are_on_pages(rosa: House):
    with rosa.doors.write() as session:
        ctx, store = Context(session, SYSTEM, NOON), store_of(session, STORE)
        for n in range(ROWS):
            customers.add(ctx, store, f"customer-no-{n:04d}", Particulars(f"Anna {n:03d}", "", agreed=frozenset()))
    client = rosa.signed_in()
    first, second = (words(client.get(f"/customers/?page={n}")) for n in (1, 2))
    assert re.findall("Anna ([0-9]+)", first) == [f"{n:03d}" for n in range(ROWS)]
    assert "Page 2 of 2" in second
    assert ("Anna" in second, "Rosa Lind" in second, "owed by" in second) == (False, True, False)


@pytest.mark.parametrize(
    ("text", "found"), [("rosa", True), ("0123", True), ("123", False), ("555", False), ("%", False)]
)
def test_a_search_needs_a_word_or_four_last_digits(rosa: House, text: str, found: bool):
    page = words(rosa.signed_in("cashier").get("/customers/", query_string={"q": text}))
    assert ("Rosa Lind" in page) is found
    assert "5550123" not in page.replace(" ", "")


def test_one_customer_is_shown_whole_and_the_number_to_who_may_change_it(rosa: House):
    page = words(rosa.signed_in().get(HERE))
    for part in ("$165.00", "$35.00 left of a limit of $200.00", "61 to 90 days $140.00", "0 to 30 days $25.00",
                 "+491705550123", "42 worth $2.10"):  # fmt: skip
        assert part in page
    assert "+491705550123" not in words(rosa.signed_in("cashier").get(HERE))


def test_money_for_the_tab_is_taken_once_pays_the_oldest_first_and_says_so(rosa: House):
    client, command = rosa.signed_in("cashier"), new_id()
    for _ in range(2):
        answer = send(client, f"{HERE}/repay", command_id=command, repay="150.00", tender="cash")
        assert answer.status_code == 303
    page = words(client.get(HERE))
    assert "$15.00 still owed" in page
    assert "$140.00 for Mon, Dec 22, 2025, $10.00 for Mon, Mar 2" in page
    assert owed(rosa) == 1_500
    with rosa.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(PrintJob.kind == "tab_paid")) == 1
        found = shift.current(session, STORE, "1")
        assert found is not None
        assert found.expected_minor == 20_000
        assert checks.findings(session, STORE) == []
    assert send(client, f"{HERE}/repay", command_id=command, repay="15.00", tender="cash").status_code == 409


def test_all_of_it_is_taken_with_one_button(rosa: House):
    client = rosa.signed_in("cashier")
    assert 'name="all" value="165.00"' in client.get(HERE).text
    assert send(client, f"{HERE}/repay", all="165.00", repay="", tender="cash").status_code == 303
    assert owed(rosa) == 0
    assert "Take payment" not in words(client.get(HERE))


@pytest.mark.parametrize(
    "typed", ["0", "-5", "165.01", "abc", "", "1e9", "9" * 30, "=1+1", "12.345", "\x00", "１２.３４.５"]
)
def test_an_impossible_amount_is_refused_beside_its_field_and_books_nothing(rosa: House, typed: str):
    answer = send(rosa.signed_in("cashier"), f"{HERE}/repay", repay=typed, tender="cash")
    assert 400 <= answer.status_code < 500
    assert "Rosa Lind" in answer.text
    assert owed(rosa) == 16_500


def test_a_customer_is_added_changed_and_forgotten(rosa: House):
    client, command = rosa.signed_in(), new_id()
    for _ in range(2):
        made = send(client, "/customers/", command_id=command, name="王 小明", language="zh", agreed="points")
        assert made.headers["Location"] == f"/customers/{command}"
    refused = send(client, "/customers/", name="Jun", language="en", agreed="phone", phone="call me")
    assert refused.status_code == 422
    assert "5 to 20 digits" in refused.text
    assert 'value="Jun"' in refused.text
    changed = send(client, f"/customers/{command}/change", name="王小明", language="zh", agreed=["phone", "tab"],
                   phone="555 01 77", limit="50")  # fmt: skip
    assert changed.status_code == 303
    with rosa.doors.read() as session:
        kept = session.get_one(Customer, (STORE, command))
        assert (kept.name, kept.phone) == ("王小明", "+15550177")
        assert tab.account(session, STORE, command).limit_minor == 5_000
    assert send(client, f"/customers/{command}/erase").status_code == 303
    assert client.get(f"/customers/{command}").status_code == 404
    assert "小明" not in client.get("/customers/").text


def test_what_is_not_agreed_to_is_not_kept(rosa: House):
    client, command = rosa.signed_in(), new_id()
    send(client, "/customers/", command_id=command, name="Jun", language="en", phone="5550177", limit="50")
    with rosa.doors.read() as session:
        assert session.get_one(Customer, (STORE, command)).phone == ""
        assert tab.account(session, STORE, command).limit_minor == 0


def test_who_owes_is_not_forgotten_and_a_debt_is_written_off_with_a_reason(rosa: House):
    client = rosa.signed_in()
    refused = send(client, f"{HERE}/erase")
    assert refused.status_code == 409
    assert "still has a balance" in words(refused)
    assert send(client, f"{HERE}/write-off", write_off="165").status_code == 422
    assert send(client, f"{HERE}/write-off", write_off="165", why="moved away").status_code == 303
    assert send(client, f"{HERE}/erase").status_code == 303


def test_the_old_book_is_taken_over_within_the_limit(rosa: House):
    client = rosa.signed_in()
    assert send(client, f"{HERE}/carry-over", carry_over="35.01", since="2026-01-05").status_code == 409
    assert send(client, f"{HERE}/carry-over", carry_over="35", since="2027-01-05").status_code == 422
    assert send(client, f"{HERE}/carry-over", carry_over="35", since="soon").status_code == 422
    assert send(client, f"{HERE}/carry-over", carry_over="35", since="2026-01-05").status_code == 303
    assert owed(rosa) == 20_000


def test_a_statement_is_shown_printed_and_given_as_a_table_in_the_customers_language(rosa: House):
    client = rosa.signed_in("cashier")
    with rosa.doors.write() as session:
        session.get_one(Customer, (STORE, ROSA)).language = "zh"
    shown = client.get(f"{HERE}/statement")
    assert "记账对账单" in shown.text
    assert 'lang="zh"' in shown.text
    table = client.get(f"{HERE}/statement.csv")
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [row[4] for row in rows[1:]] == ["0.00", "140.00", "165.00", "165.00"]
    assert send(client, f"{HERE}/statement", first="2026-01-01", last="2026-03-02").status_code == 303
    with rosa.doors.read() as session:
        (job,) = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "statement")).all()
        assert (job.document["opening_minor"], job.document["closing_minor"]) == (14_000, 16_500)


@pytest.mark.parametrize(
    "asked", ["first=x", "first=2026-03-03&last=2026-03-01", "first=0001-01-01", "first=9999-12-31"]
)
def test_days_that_make_no_sense_are_refused(rosa: House, asked: str):
    client = rosa.signed_in()
    assert client.get(f"{HERE}/statement?{asked}").status_code == 200
    assert client.get(f"{HERE}/statement.csv?{asked}").status_code == 422


def test_a_person_gets_all_that_is_kept_and_no_cell_is_a_formula(rosa: House):
    client = rosa.signed_in()
    with rosa.doors.write() as session:
        session.get_one(Customer, (STORE, ROSA)).name = '=HYPERLINK("x")'
    assert client.get(f"{HERE}/everything.json").json["customer"]["phone"] == "+491705550123"
    rows = list(csv.reader(io.StringIO(client.get(f"{HERE}/everything.csv").text.removeprefix("\ufeff"))))
    cells = {cell for row in rows for cell in row}
    assert '\'=HYPERLINK("x")' in cells
    assert not any(cell[:1] in "=+@" for cell in cells if cell)


def test_points_are_set_by_the_shopkeeper(rosa: House):
    client = rosa.signed_in()
    typed = {"active": "yes", "points": "2", "per": "1.00", "worth": "0.01", "least_points": "50"}
    assert send(client, "/points/", **typed).status_code == 303
    assert "earn points worth $2.00" in words(client.get("/points/"))
    assert send(client, "/points/", **typed | {"worth": "1.00"}).status_code == 422
    assert send(client, "/points/", **typed | {"points": "0"}).status_code == 422
    with rosa.doors.read() as session:
        terms = points_terms.terms_in(session, STORE, NOON.date())
        assert (terms.active, terms.points, terms.per_minor, terms.worth_minor, terms.least_points) == (
            True,
            2,
            100,
            1,
            50,
        )


def test_a_voucher_is_looked_up_by_its_code_and_printed_again(rosa: House):
    with rosa.doors.write() as session:
        store = store_of(session, STORE)
        given = {"at": NOON, "actor": SYSTEM}
        code = vouchers.issue(Context(session, **given), store, 5_000, kind="gift", sale_id="s2").code
        vouchers.redeem(Context(session, **given), store, code, 1_250, sale_id="s3")
    client = rosa.signed_in("cashier")
    assert code not in client.get("/vouchers/").text
    page = words(client.get("/vouchers/", query_string={"code": vouchers.spoken(code).lower()}))
    assert "$37.50" in page
    assert "Spent -$12.50 $37.50" in page
    assert client.get("/vouchers/?code=AAAA").status_code == 422
    assert client.get(f"/vouchers/?code={voucher_code()}").status_code == 404
    assert send(client, "/vouchers/print", code=code).status_code == 303
    assert send(client, "/vouchers/print", code="nonsense").status_code == 422
    with rosa.doors.read() as session:
        (job,) = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "voucher")).all()
        assert (job.document["amount_minor"], job.opens_drawer) == (3_750, False)


def test_a_cashier_takes_money_but_changes_nobody(rosa: House):
    client = rosa.signed_in("cashier")
    for address in (
        "/customers/new",
        f"{HERE}/change",
        f"{HERE}/everything.json",
        f"{HERE}/everything.csv",
        "/points/",
    ):
        assert client.get(address).status_code == 403
    for address in ("/customers/", f"{HERE}/change", f"{HERE}/erase", f"{HERE}/write-off", f"{HERE}/carry-over"):
        assert send(client, address, name="x").status_code == 403
    page = client.get(HERE).text
    for address in ("/change", "/erase", "/write-off", "/carry-over", "everything"):
        assert f"{HERE}/{address.strip('/')}" not in page
    with rosa.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TabEntry)) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_there_in_both_languages(rosa: House, language: str):
    client = rosa.signed_in()
    for address in (
        "/customers/",
        "/customers/new",
        HERE,
        f"{HERE}/change",
        f"{HERE}/statement",
        "/points/",
        "/vouchers/",
    ):
        assert client.get(f"{address}?lang={language}").status_code == 200
    assert client.get("/customers/nobody-here-0000").status_code == 404
    assert client.get("/customers/nobody-here-0000/statement").status_code == 404
