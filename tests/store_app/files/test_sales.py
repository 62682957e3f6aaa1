"""A file of sales: whatever it was saved with, it is read as what it says, or refused by what it needs."""

import gzip

import numpy as np
import pandas as pd
import pytest

from config.errors import Invalid
from store_app.commands import backtest
from store_app.files import sales

PLAIN = "store,product,day,sold\nA,007,2026-01-31,2\nA,007,2026-02-01,3\n"


def read(tmp_path, content, name="sales.csv"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return sales.read(file)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PLAIN.replace(",", ";"), "sales.csv"),
        (PLAIN.replace(",", "\t").encode("utf-16"), "sales.csv"),
        (PLAIN.replace("store,product", " Store ,PRODUCT").encode("utf-8-sig"), "sales.csv"),
        (gzip.compress(PLAIN.encode()), "sales.csv.gz"),
    ],
    ids=["semicolons", "tabs in UTF-16", "byte order mark", "gz"],
)
def test_separator_and_encoding_of_a_csv_are_found(tmp_path, content, name):
    found = read(tmp_path, content, name).panel
    assert found.keys == (("A", "007"),)
    assert found.y.tolist() == [[2.0, 3.0]]


def test_rows_that_end_with_a_separator_are_read_and_a_cell_too_many_is_named(tmp_path):
    ends = PLAIN.replace("\n", ",\n").replace("sold,", "sold")
    assert read(tmp_path, ends).panel.y.tolist() == [[2.0, 3.0]]
    assert read(tmp_path, ends.replace("01,3,", "01,3")).panel.y.tolist() == [[2.0, 3.0]]
    later = PLAIN + "A,007,2026-02-02,4,,\n"
    assert read(tmp_path, later).panel.y.tolist() == [[2.0, 3.0, 4.0]]
    assert read(tmp_path, PLAIN.replace("3\n", "3,\n")).panel.y.tolist() == [[2.0, 3.0]]
    for wide, said in (
        (ends.replace("3,", "3,5"), "more cells in row 3 than"),
        (ends.replace(",\n", ",,5\n"), "more cells in row 2 than"),
        (PLAIN.replace("3\n", "3,5\n"), "more cells in row 3 than"),
        (later.replace("4,,", "4,,5"), "more cells in row 4 than"),
        (PLAIN.replace("3\n", "3" + "," * 40 + "\n"), "more cells than"),
    ):
        with pytest.raises(Invalid, match=said):
            read(tmp_path, wide)


def test_a_csv_in_chinese_windows_letters_is_read(tmp_path):
    found = read(tmp_path, PLAIN.replace("007", "牛奶").encode("gb18030")).panel
    assert found.keys == (("A", "牛奶"),)


def test_a_decimal_comma_is_one_where_semicolons_separate(tmp_path):
    found = read(tmp_path, "store;product;day;sold;price\nA;p;2026-01-31;1,5;2,25\nA;p;2026-02-01;2;2\n").panel
    assert found.y.tolist() == [[1.5, 2.0]]
    assert found.price.tolist() == [[2.25, 2.0]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("20260131", "20260201"),
        ("2026/1/31", "2026/2/1"),
        ("2026年1月31日", "2026年2月1日"),
        ("31.01.2026", "01.02.2026"),
        ("31/01/2026", "01/02/2026"),
        ("01/31/2026", "02/01/2026"),
        ("2026-01-31T00:30:00+08:00", "2026-02-01 23:30:00Z"),
    ],
)
def test_a_day_is_the_one_that_is_written(tmp_path, first, second):
    found = read(tmp_path, PLAIN.replace("2026-01-31", first).replace("2026-02-01", second)).panel
    assert str(found.first_day) == "2026-01-31"
    assert found.y.tolist() == [[2.0, 3.0]]


def test_a_parquet_stamp_counts_for_the_day_of_its_own_zone(tmp_path):
    day = pd.to_datetime(["2026-01-31", "2026-02-01"]).tz_localize("Asia/Shanghai")
    pd.DataFrame({"store": "A", "product": "p", "day": day, "sold": [2, 3]}).to_parquet(tmp_path / "sales.parquet")
    assert str(sales.read(tmp_path / "sales.parquet").panel.first_day) == "2026-01-31"


@pytest.mark.parametrize(
    ("content", "needs"),
    [
        (PLAIN.replace("-31", "-11").replace("2026-01-11", "01/11/2026").replace("2026-02-01", "02/01/2026"),
         r"for day and month cannot be told apart\. Found: '01/11/2026'\."),
        (PLAIN.replace("2026-01-31", "31.01.26"), r"a day like 2026-03-01 in every row\. Found: '31\.01\.26'\."),
        (PLAIN.replace("2026-01-31", "2026-02-30"), r"a day like 2026-03-01 in every row\. Found: '2026-02-30'\."),
        (PLAIN.replace("2026-01-31", "1900-01-31"), r"at most 20 years\. Found: days from 1900-01-31 to 2026-02-01"),
        (PLAIN.replace("A,007,2026-01", ",007,2026-01"), r"a store in every row\. Found: 1 without one"),
        (PLAIN.replace("sold\n", "sold,Sold\n").replace(",2\n", ",2,2\n").replace(",3\n", ",3,3\n"), "sold twice"),
        (PLAIN.replace(",3\n", ",1e300\n"), "at most 1,000,000,000,000 sold a day"),
    ],
)  # fmt: skip
def test_what_could_mean_several_things_or_nothing_is_refused_by_what_is_needed(tmp_path, content, needs):
    with pytest.raises(Invalid, match=needs):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("column", "cell", "needs"),
    [
        ("on_offer", "yes", r"numbers in on_offer\. Found: 'yes'\."),
        ("open", "no", r"numbers in open\. Found: 'no'\."),
        ("price", "-1", "price between 0"),
        ("out_of_stock_share", "40", r"out_of_stock_share between 0 and 1\. Found: 40\."),
        ("customers", "inf", "customers between"),
    ],
)
def test_an_optional_column_is_refused_rather_than_taken_for_nothing(tmp_path, column, cell, needs):
    content = PLAIN.replace("sold\n", f"sold,{column}\n").replace(",2\n", ",2,1\n").replace(",3\n", f",3,{cell}\n")
    with pytest.raises(Invalid, match=needs):
        read(tmp_path, content)


def test_true_and_false_and_empty_cells_are_yes_no_and_not_known(tmp_path):
    content = (
        PLAIN.replace("sold\n", "sold,on_offer,price\n").replace(",2\n", ",2,True,\n").replace(",3\n", ",3,False,2\n")
    )
    found = read(tmp_path, content).panel
    assert found.on_offer.tolist() == [[True, False]]
    assert np.isnan(found.price[0, 0])


@pytest.mark.parametrize("name", ["sales.csv.gz", "sales.xlsx"])
def test_a_file_that_was_damaged_on_its_way_is_refused_in_a_sentence(tmp_path, name):
    content = bytearray(gzip.compress(PLAIN.encode() * 200)) if name.endswith("gz") else b"PK\x03\x04" + bytes(60)
    if name.endswith("gz"):
        content[12:40] = bytes(28)
    with pytest.raises(Invalid, match=f"{name} cannot be read. Save it"):
        read(tmp_path, bytes(content), name)


def test_a_rival_nobody_knows_is_refused(tmp_path):
    with pytest.raises(Invalid, match="prophet is not available for comparison"):
        backtest.run(tmp_path / "sales.csv", {"models": ("prophet",)})
