"""`cornerstore simulate`: anybody's sales history in, what each way of ordering would have needed out."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from config.errors import Invalid, NotFound
from store_app.commands import simulate
from store_app.commands.cli import main
from supply.replenishment.replay import History, Setting


def sales(days=160, products=6):
    random = np.random.default_rng(3)
    return pd.DataFrame(
        [
            {"store": "S", "product": f"P{n}", "day": day, "sold": int(random.poisson(0.5 + n)), "price": 1.5}
            for n in range(products)
            for day in pd.date_range("2025-01-01", periods=days)
        ]
    )


def written(folder: Path, table: pd.DataFrame) -> Path:
    path = folder / "sales.csv"
    table.to_csv(path, index=False)
    return path


def test_a_file_is_replayed_and_told_as_json(tmp_path):
    path = written(tmp_path, sales())
    words = ["simulate", "--sales", str(path), "--days", "28", "--pack", "3", "--fill", "0.9", "--json"]
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 0, answer.output
    reported = json.loads(answer.output)
    assert set(reported["rivals"]) == {"static_minmax", "rolling_minmax", "what_sold", "mean_normal", "perfect"}
    assert reported["rivals"]["perfect"]["cover_days"] < reported["ours"]["cover_days"]
    assert (reported["settings"]["lead_days"], reported["settings"]["pack_qty"], reported["settings"]["series"]) == (
        2,
        3,
        6,
    )
    assert reported["curves"]["ours"][0].keys() >= {
        "setting",
        "fill",
        "cover_days",
        "waste",
        "order_lines",
        "stock_value",
    }


def test_for_people_it_is_a_table_and_a_sentence_and_returns_are_said(tmp_path):
    table = sales()
    table.loc[1, "sold"] = -3
    path = written(tmp_path, table)
    answer = CliRunner().invoke(main, ["simulate", "--sales", str(path), "--days", "28", "--fill", "0.9"])
    assert answer.exit_code == 0, answer.output
    assert "rolling minmax" in answer.output
    assert "Asked for 90.0%, ours delivers" in answer.output
    assert "Rows of fewer than none sold, returns perhaps, that count as none: 1." in answer.output


def test_the_curves_are_drawn_into_a_file_that_needs_nothing_else(tmp_path):
    words = ["simulate", "--sales", str(written(tmp_path, sales())), "--days", "28", "--fill", "0.9", "--chart"]
    answer = CliRunner().invoke(main, [*words, str(tmp_path / "curves.svg")])
    assert answer.exit_code == 0, answer.output
    drawn = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert [name for name in ("ours", "static minmax", "rolling minmax", "what sold", "mean normal", "perfect")
            if f">{name}</text>" not in drawn] == []  # fmt: skip
    nowhere = CliRunner().invoke(main, [*words, str(tmp_path / "none" / "curves.svg")])
    assert nowhere.exit_code == 2
    assert "There is no folder" in " ".join(nowhere.output.split())


def test_a_series_begins_with_its_first_row_and_a_missing_day_sold_nothing(tmp_path):
    table = sales(days=4, products=2)
    table = table[(table["product"] == "P1") | (table["day"] > "2025-01-02")]
    table = table[~((table["product"] == "P1") & (table["day"] == "2025-01-03"))]
    history = simulate.read_history(written(tmp_path, table))
    assert np.isnan(history.panel.y[0]).tolist() == [True, True, False, False]
    assert history.panel.y[1, 2] == 0
    assert history.value.tolist() == [1.5, 1.5]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.drop(columns=["day", "sold"]), "no day, sold"),
        (lambda table: table.assign(sold="many"), r"numbers in sold\. Found: 'many'"),
        (lambda table: table.assign(day=""), "a day like 2026-03-01 in every row"),
        (lambda table: table.head(0), "at least one row"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_refused_with_a_sentence(tmp_path, change, sentence):
    with pytest.raises(Invalid, match=sentence):
        simulate.read_history(written(tmp_path, change(sales(days=3))))


def test_a_file_that_is_not_there_or_is_none_is_said_to_be(tmp_path):
    with pytest.raises(NotFound, match=r"^File .* not found"):
        simulate.read_history(tmp_path / "nowhere.csv")
    (tmp_path / "sales.parquet").write_bytes(b"no parquet")
    with pytest.raises(Invalid, match="cannot be read"):
        simulate.read_history(tmp_path / "sales.parquet")


@pytest.mark.parametrize(
    ("fill", "setting", "sentence"),
    [
        (1.2, Setting(), "Enter a fill rate from 0.5 to below 1. For"),
        (0.97, Setting(pack_qty=0), "Enter 0 to 30 days until delivery"),
        (0.97, Setting(shelf_life_days=0), "Enter a shelf life of one day or more"),
        (0.97, Setting(scored_days=112), "The file has 160 days; replaying 112 needs 227"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_work(tmp_path, fill, setting, sentence):
    history: History = simulate.read_history(written(tmp_path, sales()))
    with pytest.raises(Invalid, match=sentence):
        simulate.replay_all(history, setting, fill)


@pytest.mark.parametrize("command", ["simulate", "backtest"])
def test_a_country_without_a_calendar_is_refused_before_the_work(tmp_path, command):
    words = [command, "--sales", str(written(tmp_path, sales())), "--country"]
    said = {
        country: CliRunner().invoke(main, [*words, country]).output
        for country in ("QQ", "DE-QQ", "utils", "-DE", "DE-BW")
    }
    assert ["no holidays are known of" in words for words in said.values()] == [True] * 4 + [False]
