"""The commands: one sentence for a refusal, whole files or none, exit codes a script can trust."""

import datetime as dt
import io
import json
import random
import shutil
from dataclasses import replace

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from rich.console import Console

from config.database import Database, make_engine
from config.errors import Invalid
from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Product, TaxClass
from pos.store.store import Staff, Store
from store_app.commands import backtest
from store_app.commands.cli import main
from store_app.files import importing, tables
from supply.orders import suppliers
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.suppliers import Contact, SupplierProduct

HEADING = "sku,name,category,tax_class,price,barcode,minimum_age\n"
MILK = "00042,Milk 牛奶,dairy,food,1.29,4006381333931,\n"


@pytest.fixture(scope="module")
def initialised(tmp_path_factory):
    """Give the folder in which a store was initialised and its store added, which every store begins as a copy of."""
    folder = tmp_path_factory.mktemp("initialised")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORNERSTORE_SETTINGS", str(folder / "cornerstore.toml"))
        runner = CliRunner()
        made = runner.invoke(main, ["init", "--node-id", "S01", "--folder", str(folder / "state")])
        assert made.exit_code == 0, made.output
        assert runner.invoke(main, ["store", "add", "S01", "--name", "Corner"]).exit_code == 0
    return folder


@pytest.fixture
def store(tmp_path, monkeypatch, initialised):
    """Give a maker of commands in a fresh, initialised store."""
    shutil.copytree(initialised, tmp_path, dirs_exist_ok=True)
    settings = tmp_path / "cornerstore.toml"
    settings.write_text(settings.read_text("utf-8").replace(str(initialised), str(tmp_path)), "utf-8")
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(settings))
    runner = CliRunner()

    def run(*words: str, answers: str = ""):
        return runner.invoke(main, list(words), input=answers)

    return run


def test_a_shop_is_founded_with_what_it_says_it_takes_and_not_by_what_is_no_amount(tmp_path, monkeypatch):
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(tmp_path / "network.toml"))
    made = CliRunner().invoke(main, ["init", "--role", "network", "--folder", str(tmp_path / "state")])
    assert made.exit_code == 0, made.output

    def founded(sales_amount: str):
        return CliRunner().invoke(main, ["store", "add", "S02", "--name", "Second", "--usual-sales", sales_amount])

    refused = founded("much")
    assert (refused.exit_code, refused.output) == (2, "'much' is not an amount of money such as 12.50.\n")
    assert founded("1200.50").exit_code == 0
    with Database(make_engine(f"sqlite:///{tmp_path / 'state' / 'network.db'}")).read() as session:
        assert session.get_one(Store, "S02").usual_sales_minor == 120_050


def test_a_fresh_shop_verifies_and_says_how_it_stands(store):
    assert store("verify").exit_code == 0
    assert "S01" in store("status").output
    assert store("migrate", "--check").exit_code == 0


def test_a_command_the_disk_has_no_room_for_says_so_in_words_and_writes_nothing(store, tmp_path):
    tax(tmp_path)
    file = tmp_path / "p.csv"
    file.write_text(HEADING + "".join(f"F{n},Product {n} {'x' * 90},dry,food,1.29,,\n" for n in range(300)))

    def bound(line, _record) -> None:
        line.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size

    sa.event.listen(sa.Engine, "connect", bound)
    try:
        refused = store("import", "products", str(file), "--yes")
    finally:
        sa.event.remove(sa.Engine, "connect", bound)
    assert refused.exit_code == 1
    assert "s disk is full. Nothing was saved. Free some" in refused.output
    assert "Traceback" not in refused.output
    assert products(tmp_path) == []
    done = store("import", "products", str(file), "--yes")
    assert done.exit_code == 0, done.output


def test_init_never_overwrites_settings(store, tmp_path):
    before = (tmp_path / "cornerstore.toml").read_text()
    again = store("init", "--node-id", "S02")
    assert again.exit_code == 1
    assert "already exists" in again.output
    assert (tmp_path / "cornerstore.toml").read_text() == before
    assert (tmp_path / "cornerstore.toml").stat().st_mode & 0o077 == 0


def test_school_holidays_and_weather_come_from_files_with_a_sentence_for_each_bad_row(store, tmp_path):
    file = tmp_path / "days.csv"
    file.write_text("name,from,to\nSummer,2026-07-30,2026-07-01\nAutumn,soon,2025-11-01\n")
    refused = store("import", "school-holidays", str(file), "--yes")
    assert refused.exit_code == 2
    assert "Row 2, to: The last day of the holidays is before the first." in refused.output
    assert "Row 3, from: 'soon' is not a day" in refused.output
    file.write_text("name,from,to\nSummer,2025-07-01,2025-07-30,,\nAutumn,2025-11-01,2025-11-07,,east\n")
    assert "Row 3, E: 'east' has no column name" in store("import", "school-holidays", str(file), "--yes").output
    file.write_text("name,from,to,\nSummer,2025-07-01,2025-07-30,,\n")
    assert "1 row imported." in store("import", "school-holidays", str(file), "--yes").output
    file.write_text("day;temperature;rain\n2025-07-01;21,5;0\n2025-07-02;;3\n")
    assert "2 rows imported." in store("import", "weather", str(file), "--yes").output
    file = tmp_path / "holidays.ics"
    events = [f"SUMMARY:{name}\r\nDTSTART;VALUE=DATE:202503{day}" for name, day in (("Easter", 10), ("Fair", 20))]
    marked = "".join(f"BEGIN:VEVENT\r\n{one}\r\nEND:VEVENT\r\n" for one in events)
    file.write_text(f"BEGIN:VCALENDAR\r\n{marked}END:VCALENDAR\r\n", newline="")
    reported = store("import", "school-holidays", str(file), "--name", "Fair", "--yes").output
    assert "1 row, a calendar" in reported
    assert "1 row imported." in reported
    assert "Available: Easter, Fair." in store("import", "school-holidays", str(file), "--name", "Rest", "--yes").output
    assert "A calendar can only contain school holidays." in store("import", "stock", str(file), "--yes").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("job", "nonsense"), "Job nonsense not found"),
        (("import", "stock", "nowhere.csv"), "does not exist"),
        (("staff", "add", "--name", "Ana", "--role", "cashier", "--pin", "12"), "A PIN has 4 to 12 digits"),
        (("store", "key", "S99"), "Store S99 not found"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_exit_2(store, words, sentence):
    result = store(*words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_dump_of_open_food_facts_replaces_the_copy_beside_the_books(store, tmp_path):
    file = tmp_path / "products.csv"
    file.write_text("code,product_name\n5449000000996,Cola\n", "utf-8")
    done = store("import", "open-food-facts", str(file))
    assert done.exit_code == 0, done.output
    assert "1 product can be looked up." in done.output
    assert "ODbL" in done.output
    file.write_text("sku,price\n1,2\n", "utf-8")
    refused = store("import", "open-food-facts", str(file))
    assert (refused.exit_code, "column code, product_name is missing" in refused.output) == (2, True), refused.output
    copies = [path.name for path in tmp_path.rglob("open-food-facts*")]
    assert copies == ["open-food-facts.db"]
    assert store("backup").exit_code == 0
    assert not [path for path in (tmp_path / "state").rglob("*open-food*") if path.parent != tmp_path / "state"]


def test_one_key_is_withdrawn_by_its_name_and_none_is_made(store):
    keys = [store("store", "key", "S01").output.strip() for _ in range(3)]
    assert len(set(keys)) == 3
    names = [line.split()[0] for line in store("store", "key", "S01", "--list").output.splitlines()]
    assert len(names) == 3
    assert store("store", "key", "S01", "--withdraw", names[1]).output == f"{names[1]} is revoked.\n"
    assert store("store", "key", "S01", "--withdraw", "nonsense").exit_code == 2
    listed = store("store", "key", "S01", "--list").output.splitlines()
    assert [name for name, line in zip(names, listed, strict=True) if "withdrawn" in line] == [names[1]]
    store("store", "key", "S01", "--withdraw", "all")
    assert store("store", "key", "S01", "--list").output.count("withdrawn") == 3


def test_a_person_is_added_once(store):
    words = ("staff", "add", "--name", "Ana", "--role", "cashier", "--pin", "8642")
    assert store(*words).exit_code == 0
    assert store(*words).exit_code == 1


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "UTF-8"), ("gb18030", "GB18030"), ("utf-16", "UTF-16")])
def test_the_encoding_of_a_table_is_found_and_shown(encoding, shown):
    sheet = importing.read("products", (HEADING + MILK).encode(encoding), "p.csv")
    assert shown in sheet.described
    assert sheet.faults == []
    assert sheet.values[0]["name"] == "Milk 牛奶"
    assert sheet.values[0]["sku"] == "00042", "leading zeros stay"


def test_every_fault_names_its_row_and_column(tmp_path):
    rows = "A,Milk,dairy,food,1.2.3,,\nB,,dairy,food,1,,old\nA,Milk,dairy,food,1,,\n"
    faults = importing.read("products", (HEADING + rows).encode(), "p.csv").faults
    assert [(fault.row, fault.column) for fault in faults] == [
        (2, "price"), (3, "name"), (3, "minimum_age"), (4, "sku"),
    ]  # fmt: skip


def test_workbooks_and_parquet_say_the_same_as_text(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["sku", "business_day", "sold_qty"])
    book.active.append(["00042", dt.date(2026, 3, 1), 3])
    book.save(tmp_path / "s.xlsx")
    pq.write_table(
        pa.table({"sku": ["00042"], "business_day": [dt.date(2026, 3, 1)], "sold_qty": [3]}), tmp_path / "s.parquet"
    )
    (tmp_path / "s.csv").write_text("sku;business_day;sold_qty\n00042;2026-03-01;3\n")
    read = [importing.read("sales", tmp_path / f"s.{kind}") for kind in ("xlsx", "parquet", "csv")]
    assert all(sheet.values == [{"sku": "00042", "day": dt.date(2026, 3, 1), "sold_qty": 3}] for sheet in read)


def test_a_small_parquet_file_fills_no_memory():
    def packed(column: pa.Array) -> bytes:
        file = io.BytesIO()
        pq.write_table(pa.table({"sku": column, "qty": [1] * len(column)}), file, compression="zstd")
        return file.getvalue()

    long = "".join(random.Random(1).choices("abcdefgh", k=100_000))
    repeated = packed(pa.array([long] * 2_500))
    before = pa.total_allocated_bytes()
    with pytest.raises(Invalid, match="is larger than 40 MB when unpacked"):
        list(tables.rows(repeated, "s.parquet"))
    assert pa.total_allocated_bytes() - before < 10_000_000
    for reported, raw in {
        "is larger than 40 MB when unpacked": repeated,
        "contains something other than text, numbers or": packed(pa.array([b"x" * 100_000] * 10, pa.binary(100_000))),
    }.items():
        with pytest.raises(Invalid, match=reported):
            importing.read("stock", raw, "s.parquet")


def test_people_are_listed_unlocked_given_a_pin_and_sent_away_by_command(tmp_path, monkeypatch, store):
    def said(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["staff", *words])
        return done.exit_code, done.output

    operator = ("add", "--role", "operator", "--name")
    assert "a store or the network" in said(*operator, "Olga", "--passphrase", "three gray herons")[1]
    assert said("device")[1].startswith("Device code: ")
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(tmp_path / "network.toml"))
    made = CliRunner().invoke(main, ["init", "--role", "network", "--folder", str(tmp_path / "of-network")])
    assert made.exit_code == 0, made.output
    assert "a store or the network" in said("add", "--name", "Olga", "--role", "cashier", "--pin", "86420")[1]
    assert said(*operator, "Olga", "--pin", "86420")[1].endswith("12 to 128 characters.\n")
    assert said(*operator, "Olga Berg", "--passphrase", "three gray herons")[0] == 0
    assert "last operator" in said("remove", "olga berg")[1]
    assert said(*operator, "Otto", "--passphrase", "wet lantern pencils")[0] == 0
    database = Database(make_engine(f"sqlite:///{tmp_path / 'of-network' / 'network.db'}"))
    with database.write() as session:
        olga = session.get_one(Staff, ("network", "olga-berg"))
        olga.totp_salt = "salt"
        before, olga.failed_tries, olga.locked_until = olga.pin_hash, 9, dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
    assert "locked until 9000" in said("list")[1]
    assert said("unlock", "Olga Berg") == (0, "Olga Berg can try again.\n")
    assert "locked until" not in said("list")[1]
    assert said("pin", "Olga Berg", "--passphrase", "seven copper kettles")[0] == 0
    assert said("reset-code", "Olga Berg") == (0, "Olga Berg connects an app at the next sign-in.\n")
    assert said("remove", "Olga Berg") == (0, "Olga Berg can no longer sign in.\n")
    assert said("remove", "Nobody") == (2, "No one with that name works here.\n")
    with database.read() as session:
        olga = session.get_one(Staff, ("network", "olga-berg"))
        assert (olga.active, olga.pin_hash != before, olga.totp_salt) == (False, True, None)
    database.engine.dispose()


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx", "x.parquet"])
@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02", b"PK\x03\x04 torn", b"sku\n1", b'"open,quote'])
def test_a_file_that_is_none_is_refused_with_a_sentence(name, raw):
    with pytest.raises(importing.DomainError):
        importing.read("stock", raw, name)


def test_a_file_with_faults_writes_nothing_and_a_good_one_all(store, tmp_path):
    file = tmp_path / "p.csv"
    file.write_text(HEADING + MILK + "B,Beer,drinks,food,two,,\n", encoding="utf-8")
    assert "Row 3, price" in store("import", "products", str(file), "--yes").output
    assert products(tmp_path) == []
    file.write_text(HEADING + MILK, encoding="utf-8")
    tax(tmp_path)
    done = store("import", "products", str(file), "--yes")
    assert done.exit_code == 0, done.output
    assert products(tmp_path) == ["00042"]


def test_a_file_whose_decimal_mark_nobody_can_tell_is_read_as_the_command_says(store, tmp_path):
    file = tmp_path / "p.csv"
    file.write_text((HEADING + MILK).replace("1.29", '"1,234"'), encoding="utf-8")
    tax(tmp_path)
    refused = store("import", "products", str(file), "--yes")
    said = "Column price: 1,234 can be 1234 or 1.234. Choose the decimal mark."
    assert (refused.exit_code, refused.output) == (2, f"{said} Use --decimal comma or --decimal point.\n")
    assert store("import", "products", str(file), "--yes", "--decimal", "point").exit_code == 0
    assert products(tmp_path) == ["00042"]


def test_a_price_list_comes_in_by_command_for_a_supplier_of_the_shop_s_own_whole_or_not_at_all(store, tmp_path):
    file = tmp_path / "p.csv"
    file.write_text(HEADING + MILK, encoding="utf-8")
    tax(tmp_path)
    store("import", "products", str(file), "--yes")
    prices = tmp_path / "prices.csv"
    prices.write_text("sku,pack_qty,pack_cost\n00042,6,4.50\n", encoding="utf-8")
    assert "This store's suppliers: none yet" in store("import", "price-list", str(prices), "--yes").output
    database = Database(make_engine(f"sqlite:///{tmp_path / 'state' / 'S01.db'}"))
    with database.write() as session:
        suppliers.add_supplier(
            Context(session, Actor.system("test", "S01"), dt.datetime.now(dt.UTC)),
            "S01",
            Contact("Farm", DeliveryCalendar(frozenset({0}))),
        )
    import_it = ("import", "price-list", str(prices), "--supplier", "farm", "--yes")
    prices.write_text("sku,pack_qty,pack_cost\n00042,6,4.50\n00043,,5\n00044,6,-3\n", encoding="utf-8")
    refused = store(*import_it).output
    assert "Row 3, pack_qty: is empty" in refused
    assert "Row 4, pack_cost: '-3' is not an amount" in refused
    prices.write_text("sku,pack_qty,pack_cost\n00042,6,4.50\nnothing,6,4\n", encoding="utf-8")
    assert "Row 3, sku: Product nothing not found" in " ".join(store(*import_it).output.split())
    with database.write() as session:
        session.execute(sa.update(Store).values(language="zh"))
    prices.write_text("sku,pack_qty,pack_cost\n00042,6,4.50\n00043,,5\n", encoding="utf-8")
    reported = "".join(store(*import_it).output.split())
    assert "第3行，pack_qty：" in reported, "in the store's language"
    assert "什么也没有写入" in reported
    assert "用--supplier指明价目表的供应商" in "".join(store("import", "price-list", str(prices)).output.split())
    prices.write_text("sku,pack_qty,pack_cost\n00042,6,4.50\n", encoding="utf-8")
    assert store(*import_it).exit_code == 0
    with database.read() as session:
        (sold,) = session.scalars(sa.select(SupplierProduct)).all()
        assert (sold.pack_qty, sold.pack_cost_minor) == (6, 450)
    database.engine.dispose()


def products(tmp_path) -> list[str]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'state' / 'S01.db'}")
    with engine.connect() as connection:
        found = list(connection.scalars(sa.select(Product.sku)))
    engine.dispose()
    return found


def tax(tmp_path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'state' / 'S01.db'}")
    with engine.begin() as connection:
        connection.execute(sa.insert(TaxClass).values(id="food", name="Food", rate_bp=0, inclusive=True))
    engine.dispose()


def test_backtest_says_what_is_wrong_with_a_history_and_answers_json(store, tmp_path):
    assert "does not exist" in store("backtest", "--sales", str(tmp_path / "none.csv")).output
    (tmp_path / "short.csv").write_text("store,product,day,sold\n1,0007,2024-01-01,3\n")
    short = store("backtest", "--sales", str(tmp_path / "short.csv"))
    assert short.exit_code == 2
    assert "at least 42 days" in short.output
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(60)]
    lines = [f"1,0007,{day},{3 + day.weekday()}" for day in days]
    (tmp_path / "sales.csv").write_text("\n".join(["store,product,day,sold", *lines]))
    said = store(
        "backtest", "--sales", str(tmp_path / "sales.csv"), "--origins", "1", "--rivals", "snaive,ma28", "--json"
    )
    report = json.loads(said.output.strip().splitlines()[-1])
    assert report["settings"]["series"] == 1
    assert report["ratios"]["ma28"]["wrmsse14"] < 1
    for table in backtest.shown(report):
        assert Console(width=1000).measure(table).maximum <= 80, "no name is cut where a screen has 80 columns"


def test_a_backtests_tables_judge_clean_days_where_the_history_tells_of_empty_shelves():
    clean = {"error": 0.3, "bias": 0.2, "error_given_clean": 0.25, "bias_given_clean": None}
    models = {"ours": {"classes": {}, "clean_days": clean}, "ma28": {"clean_days": clean}}
    report = {"models": models, "ratios": {}, "settings": {"origins": 8, "horizon_days": 14}}
    *_, table = backtest.shown(report)
    assert "without an empty shelf" in str(table.title)
    assert [list(column.cells) for column in table.columns][3] == ["0.250", "0.250"]
    models["ours"] = {"classes": {}}
    del models["ma28"]
    assert len(backtest.shown(report)) == 3


def test_suppliers_come_in_by_a_file_and_one_that_is_known_keeps_what_the_file_leaves_out(store, tmp_path):
    file = tmp_path / "s.csv"
    file.write_text(
        "name,lead_days,order_days,every_weeks,first_week,order_by,closed_days,minimum,email\n"
        "Farm,2,mon thu,2,2026-03-05,14:00,2030-12-25 2030-12-26,20.00,orders@farm.example\nMill,,,,,,,,\n",
        encoding="utf-8",
    )  # fmt: skip
    done = store("import", "suppliers", str(file), "--yes")
    assert done.exit_code == 0, done.output

    def farm() -> tuple:
        with Database(make_engine(f"sqlite:///{tmp_path / 'state' / 'S01.db'}")).read() as session:
            rows = {row.name: row for row in session.scalars(sa.select(suppliers.Supplier).filter_by(owner_id="S01"))}
            assert sorted(rows) == ["Farm", "Mill"]
            row = rows["Farm"]
            return row.calendar, row.minimum_minor

    days = frozenset({dt.date(2030, 12, 25), dt.date(2030, 12, 26)})
    known = DeliveryCalendar(frozenset({0, 3}), 2, days, 840, 2, dt.date(2026, 3, 2))
    assert farm() == (known, 2000)
    file.write_text("name,order_by,closed_days\nfarm,none,none\n", encoding="utf-8")
    store("import", "suppliers", str(file), "--yes")
    known = replace(known, closed=frozenset(), cut_off_minute=None)
    assert farm() == (known, 2000)
    file.write_text(
        "name,order_days,every_weeks,first_week,order_by,closed_days\nFarm,funday,many,soon,25:00,soon\n",
        encoding="utf-8",
    )
    reported = store("import", "suppliers", str(file), "--yes").output
    for column in ("order_days", "every_weeks", "first_week", "order_by", "closed_days"):
        assert f"Row 2, {column}" in reported
    assert "Enter weekdays such as mon thu." in reported
    assert farm() == (known, 2000)
