"""What a store sold before it sold here: matched, added up, told what stays out, laid in once, taken back whole."""

import datetime as dt
import io
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import JournalEntry
from pos.catalogue.catalogue import Barcode
from pos.sold import Sale
from supply.demand import forecasts, rollups
from supply.demand.history import HISTORY_DAYS, DailyDemand, StoreDay
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import EAN, goods, picture_of, send, words

TODAY, CASE = NOON.date(), "0036000291452"
DAYS = [TODAY - dt.timedelta(days=back) for back in range(60, 0, -1)]


@pytest.fixture
def office(build) -> House:
    house = build()
    with house.doors.write() as session:
        goods(session)
        session.add(Barcode(code=CASE, sku="milk", qty=6))
    return house


def ring_up(house: House, *, rolled: bool = True) -> None:
    """Note that the store sold for the first time today, by its books."""
    with house.doors.write() as session:
        session.add(
            Sale(store_id=STORE, id="first", till_id="1", shift_id="1", epoch="1", receipt_no=1, business_day=TODAY,
                 completed_at=NOON, cashier_id="c", cashier_name="C", currency="EUR", lines_minor=129, total_minor=129,
                 tax_minor=0, request_hash="")
        )  # fmt: skip
        if not rolled:
            return
        session.add(DailyDemand(store_id=STORE, sku="milk", business_day=TODAY, sold_qty=1, revenue_minor=129, sales=1))
        session.add(StoreDay(store_id=STORE, business_day=TODAY, open=True, sales=1, revenue_minor=129))


def upload(client, text: str, name: str = "sold.csv", **fields):
    return send(client, "/products/past-sales/", file=(io.BytesIO(text.encode()), name), **fields)


def bring(client, text: str):
    command = new_id()
    looked = upload(client, text, command_id=command)
    assert looked.status_code == 200, words(looked)
    return send(client, f"/products/past-sales/{command}")


def sold(house: House) -> dict[tuple[str, dt.date], int]:
    with house.doors.read() as session:
        rows = session.scalars(sa.select(DailyDemand).where(DailyDemand.imported))
        return {(row.sku, row.business_day): row.sold_qty for row in rows}


def test_a_file_is_shown_first_and_laid_in_when_pressed_and_the_same_once_more_changes_nothing(office: House):
    client, before = office.signed_in(), picture_of(office)
    text = "day,sku,sold,sales_amount\n" + "".join(f"{day},milk,{n % 4},{n % 4}.20\n" for n, day in enumerate(DAYS))
    looked = upload(client, text)
    assert "60 days with sales" in words(looked)
    assert "Whole milk 1.5" in words(looked)
    assert picture_of(office) == before
    assert bring(client, text).status_code == 303
    once = sold(office)
    assert sum(once.values()) == sum(n % 4 for n in range(60))
    bring(client, text)
    assert sold(office) == once
    with office.doors.read() as session:
        entry = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "sales.brought_in")).first()
        assert entry is not None
        assert entry.subject == f"store:{STORE}"
    assert "60 days, from" in words(client.get("/products/past-sales/"))


def test_rows_of_a_day_are_added_up_a_case_counts_for_what_is_in_it_and_returns_never_below_nothing(office: House):
    client, (first, second, *_rest) = office.signed_in(), DAYS
    text = (
        "date;ean;quantity\n"
        f"{first};{EAN['milk']};2\n{first};0{EAN['milk']};1\n{first};{CASE.lstrip('0')};1\n"
        f"{second};{EAN['milk']};1\n{second};{EAN['milk']};-3\n"
    )
    bring(client, text)
    assert sold(office) == {("milk", first): 9, ("milk", second): 0}


def test_what_is_weighed_is_told_in_kilograms(office: House):
    bring(office.signed_in(), f"day,sku,sold\n{DAYS[0]},apple,1.25\n")
    assert sold(office) == {("apple", DAYS[0]): 1250}


def test_a_file_whose_decimal_mark_nobody_can_tell_is_asked_for_once_and_read_as_was_said(office: House):
    client, text = office.signed_in(), f"day;sku;sold;sales_amount\n{DAYS[0]};apple;1,234;2,5\n"
    asked = upload(client, text)
    kept = re.search(r'name="kept" value="(.+?)"', asked.text)[1]
    assert asked.status_code == 422
    assert "a comma: 1,234 is 1 and 234 thousandths a point: 1,234 is 1234" in words(asked)
    assert 'name="decimal" value="comma" required' in asked.text
    again = send(client, "/products/past-sales/?lang=zh", kept=kept)
    assert (again.status_code, "哪个符号是小数点" in words(again)) == (422, True)
    client.get("/?lang=en")
    assert sold(office) == {}
    looked = send(client, "/products/past-sales/", kept=kept, decimal="comma")
    assert "Apples, red 1.234 kg" in words(looked).replace("\u202f", " ")
    assert send(client, f"/products/past-sales/{kept}").status_code == 303
    assert sold(office) == {("apple", DAYS[0]): 1234}
    assert send(client, "/products/past-sales/", kept=kept, decimal="comma").status_code == 404


def test_days_are_read_as_spreadsheets_write_them_where_they_can_mean_one_day_alone(office: House):
    client, reported = office.signed_in(), ["2026/1/31", "2026年1月31日", "31.01.2026 08:15", "31.1.2026", "20260131"]
    bring(client, "日期,条码,销量\n" + "".join(f"{day},{EAN['milk']},1\n" for day in reported))
    assert sold(office) == {("milk", dt.date(2026, 1, 31)): len(reported)}
    for day in ("31/01/2026", "1.2.26", "2026/2/30", "30.2.2026", "2026/1/311"):
        assert "is not a day such as" in words(upload(client, f"day,sku,sold\n{day},milk,1\n"))


def test_what_is_not_here_stays_out_and_is_named(office: House):
    client = office.signed_in()
    text = "day,sku,sold\n" + f"{DAYS[0]},milk,1\n{DAYS[0]},lava-lamp,1\n{DAYS[1]},lava-lamp,2\n"
    assert "1 product in the file is not in your catalog; its rows will be skipped: lava-lamp." in words(
        upload(client, text)
    )
    bring(client, text)
    assert set(sold(office)) == {("milk", DAYS[0])}
    nothing = upload(client, f"day,sku,sold\n{DAYS[0]},lava-lamp,1\n")
    assert "Nothing to import" in words(nothing)


def test_days_that_the_shop_s_own_books_tell_stay_out(office: House):
    client = office.signed_in()
    ring_up(office)
    text = f"day,sku,sold\n{TODAY},milk,50\n{DAYS[-1]},milk,2\n"
    assert f"1 row skipped: from {TODAY} on, the store’s own sales are used." in words(upload(client, text))
    bring(client, text)
    assert sold(office) == {("milk", DAYS[-1]): 2}


def test_today_is_told_by_the_shop_s_own_books_before_it_has_sold(office: House):
    client = office.signed_in()
    text = f"day,sku,sold\n{TODAY},milk,50\n{DAYS[-1]},milk,2\n"
    assert f"1 row skipped: from {TODAY} on, the store’s own sales are used." in words(upload(client, text))
    bring(client, text)
    ring_up(office, rolled=False)
    with office.doors.write() as session:
        rollups.roll_up(session, [STORE], TODAY, at=NOON)
        day = session.get_one(StoreDay, (STORE, TODAY))
        assert (day.imported, day.revenue_minor) == (False, 129)


def test_days_whose_sales_are_kept_elsewhere_are_told_by_the_shop_s_own_books_too(office: House):
    with office.doors.write() as session:
        session.add(StoreDay(store_id=STORE, business_day=DAYS[9], open=True, sales=3, revenue_minor=900))
    client = office.signed_in()
    bring(client, "day,sku,sold\n" + "".join(f"{day},milk,2\n" for day in DAYS[:20]))
    assert {day for _sku, day in sold(office)} == set(DAYS[:9])


def test_days_that_no_forecast_looks_back_on_stay_out_and_draw_no_weeks(office: House):
    client, first = office.signed_in(), TODAY - dt.timedelta(days=HISTORY_DAYS)
    before = first - dt.timedelta(days=1)
    text = f"day,sku,sold\n0001-01-01,milk,1\n{before},milk,1\n{first},milk,2\n{DAYS[-1]},milk,2\n"
    looked = upload(client, text)
    assert f"2 rows skipped: forecasts look back only to {first}." in words(looked)
    assert looked.text.count("<rect") <= HISTORY_DAYS // 7 + 2
    bring(client, text)
    assert {day for _sku, day in sold(office)} == {first, DAYS[-1]}
    assert "Nothing to import" in words(upload(client, "day,sku,sold\n0001-01-01,milk,1\n"))


def test_a_code_means_the_product_that_has_it_as_it_is_before_one_that_has_it_without_zeros(office: House):
    with office.doors.write() as session:
        session.add_all([Barcode(code="00712", sku="bread", qty=1), Barcode(code="712", sku="tea", qty=1),
                         Barcode(code="0712", sku="soap", qty=1)])  # fmt: skip
    bring(office.signed_in(), f"day,barcode,sold\n{DAYS[0]},00712,1\n{DAYS[0]},712,2\n{DAYS[0]},000712,4\n")
    assert sold(office)["bread", DAYS[0]] == 1
    assert sold(office)["tea", DAYS[0]] == 6


def test_a_barcode_that_a_program_took_for_a_number_leads_to_its_product(office: House):
    table = pa.table({"day": [DAYS[0].isoformat()] * 2, "barcode": [float(EAN["milk"]), None], "sku": [None, "milk"],
                      "sold": [3.0, 1.0]})  # fmt: skip
    packed = io.BytesIO()
    pq.write_table(table, packed)
    packed.seek(0)
    client, command = office.signed_in(), new_id()
    looked = send(client, "/products/past-sales/", file=(packed, "sold.parquet"), command_id=command)
    assert "not here" not in words(looked)
    send(client, f"/products/past-sales/{command}")
    assert sold(office) == {("milk", DAYS[0]): 4}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{TODAY + dt.timedelta(days=1)},milk,,1", "is in the future"),
        (f"{DAYS[0]},,,1", "2 sku is empty"),
        (f"{DAYS[0]},milk,,", "2 sold is empty"),
        (f"{DAYS[0]},milk,,1.5", "1.5 of Whole milk, which is sold by the unit"),
        (f"{DAYS[0]},milk,,1e3", "is not a number such as 3 or 1.25"),
        ("yesterday,milk,,1", "is not a day such as"),
    ],
)
def test_what_cannot_be_right_is_named_by_row_and_nothing_is_kept(office: House, row: str, said: str):
    client, command = office.signed_in(), new_id()
    answer = upload(client, f"day,sku,barcode,sold\n{row}\n", command_id=command)
    assert answer.status_code == 422
    assert said in words(answer)
    assert send(client, f"/products/past-sales/{command}").status_code == 404
    assert sold(office) == {}


@pytest.mark.parametrize(
    "text", ["", "\x00", "day,sold\n2026-01-02,1\n", "day,sku\n2026-01-02,milk\n", "sku,sold\nmilk,1\n"]
)
def test_a_file_without_what_it_needs_is_refused_beside_its_field(office: House, text: str):
    answer = upload(office.signed_in(), text)
    assert answer.status_code == 422
    assert 'id="file-fault"' in answer.text


def test_all_that_was_laid_in_is_taken_back_and_what_was_rung_up_stays(office: House):
    client = office.signed_in()
    bring(client, "day,sku,sold\n" + "".join(f"{day},milk,2\n" for day in DAYS))
    ring_up(office)
    assert send(client, "/products/past-sales/take-back").status_code == 303
    assert "60 days removed." in words(client.get("/products/past-sales/"))
    assert sold(office) == {}
    with office.doors.read() as session:
        assert session.scalars(sa.select(DailyDemand.sold_qty)).all() == [1]
        assert session.scalars(sa.select(StoreDay.business_day)).all() == [TODAY]
        assert rollups.imported_days(session, STORE) is None


def test_a_first_forecast_is_made_by_what_the_shop_sold_before(office: House):
    week = (2, 2, 3, 4, 6, 9, 0)
    text = "day,sku,sold\n" + "".join(f"{day},milk,{week[day.weekday()]}\n" for day in DAYS)

    def of_milk() -> list[float]:
        with office.doors.read() as session:
            found = forecasts.compute_store(forecasts.load_store(session, STORE, TODAY - dt.timedelta(days=1))).forecast
        return list(found.mean[[sku for _, sku in found.keys].index("milk"), :7])

    assert sum(of_milk()) == 0
    bring(office.signed_in(), text)
    expected = [week[(TODAY + dt.timedelta(days=n)).weekday()] for n in range(7)]
    assert of_milk() == pytest.approx(expected, rel=0.25, abs=0.6)


def test_who_may_bring_no_file_in_sees_no_past_and_a_young_shop_is_led_to_it(office: House):
    assert office.signed_in("cashier").get("/products/past-sales/").status_code == 403
    client = office.signed_in()
    assert 'href="/products/past-sales/"' in client.get("/first-steps/").text
    bring(client, f"day,sku,sold\n{DAYS[0]},milk,1\n")
    assert 'href="/products/past-sales/"' not in client.get("/first-steps/").text
