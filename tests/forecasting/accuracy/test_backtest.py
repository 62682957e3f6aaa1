"""A backtest of anyone's history: what the file says, what a model may see, and what is reported."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from forecasting.accuracy import backtest, rivals
from forecasting.series import history
from forecasting.series.panel import Ahead, DemandPanel, PanelFault
from forecasting.uncertainty import intervals


def _rows(days: int = 120, products: int = 3, stores: int = 2, **more: object) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        {"store": f"S{store}", "product": f"P{product}", "day": date(2024, 1, 1) + timedelta(days=day),
         "sold": int(rng.poisson(3 + 2 * product))}
        for store in range(stores) for product in range(products) for day in range(days)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**more)


def test_a_day_without_a_row_is_zero_where_the_shop_sold_and_shut_where_it_did_not() -> None:
    table = _rows(10)
    second, fifth = date(2024, 1, 2), date(2024, 1, 5)
    table = table[~((table["day"] == second) & (table["store"] == "S0"))]
    table = table[~((table["day"] == fifth) & (table["product"] == "P1"))]
    read = history.read(table)
    row = read.panel.keys.index(("S0", "P1"))
    assert np.isnan(read.panel.y[row, 1])
    assert read.shut[row, 1]
    assert not read.closed.any()  # nobody announced it
    assert read.panel.y[row, 4] == 0.0


def test_an_announced_closure_is_told_and_a_series_begins_with_its_first_row() -> None:
    table = _rows(10, open=1)
    table.loc[(table["day"] == date(2024, 1, 7)) & (table["store"] == "S1"), "open"] = 0
    table = table[~((table["product"] == "P2") & (table["day"] < date(2024, 1, 4)))]
    read = history.read(table)
    shut = read.panel.keys.index(("S1", "P0"))
    assert read.closed[shut, 6]
    assert np.isnan(read.panel.y[shut, 6])
    late = read.panel.keys.index(("S0", "P2"))
    assert np.isnan(read.panel.y[late, :3]).all()
    assert not read.shut[late, :3].any()


def test_weather_is_not_known_in_advance_and_other_numbers_are() -> None:
    read = history.read(_rows(10, rain=1.0, market_day=np.arange(60) % 2, name="x", constant=1))
    assert read.weather == ("rain",)
    assert list(read.panel.features) == ["market_day"]


def test_weather_is_told_of_days_gone_by_alone_and_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    table = _rows()
    warm = {day: 10.0 + 9.0 * (n % 5 == 0) for n, day in enumerate(sorted(set(table["day"])))}
    read = history.read(table.assign(temperature=[warm[day] for day in table["day"]]))
    assert list(read.panel.features) == ["temperature"]
    reported: list[tuple[list[str], list[str]]] = []

    def curious(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> np.ndarray:
        reported.append((list(panel.features), list(ahead.features)))
        return np.zeros((panel.n_series, horizon_days))

    monkeypatch.setattr(rivals, "installed", lambda: {"curious": curious})
    backtest.run(read, backtest.Plan(horizon_days=7, origins=1))
    assert reported[-1] == (["temperature"], [])


def test_returns_count_as_nothing_sold_and_are_counted() -> None:
    table = _rows(10)
    table.loc[0, "sold"] = -4
    read = history.read(table)
    assert read.negative == 1
    assert read.panel.y[0, 0] == 0.0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda t: t.drop(columns="sold"), "sold"),
        (lambda t: t.iloc[:0], "at least one row"),
        (lambda t: t.assign(day="the other day"), "a day like"),
        (lambda t: t.assign(sold="many"), "numbers in sold"),
        (lambda t: t.assign(sold=np.inf), "at most"),
        (lambda t: t[t["day"] < date(2024, 1, 20)], "at least 42 days"),
    ],
)
def test_a_history_that_cannot_be_used_is_refused_naming_what_should_be(spoil: object, words: str) -> None:
    with pytest.raises(PanelFault, match=words):
        backtest.run(history.read(spoil(_rows(60))), backtest.Plan())  # type: ignore[operator]


def test_no_model_sees_a_sale_after_the_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def curious(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> np.ndarray:
        seen.append(panel.n_days)
        assert set(vars(ahead)) == {"on_offer", "price", "features", "closed", "lift"}, "only what is planned"
        return np.zeros((panel.n_series, horizon_days))

    monkeypatch.setattr(rivals, "installed", lambda: {"curious": curious})
    backtest.run(history.read(_rows()), backtest.Plan(horizon_days=7, origins=3))
    assert seen[-3:] == [120 - 21, 120 - 14, 120 - 7]


def test_the_report_has_every_measure_in_total_by_class_and_beside_the_rivals() -> None:
    plan = backtest.Plan(horizon_days=14, origins=4, models=("snaive", "ma28"))
    report = json.loads(json.dumps(backtest.run(history.read(_rows()), plan)))
    ours = report["models"]["ours"]
    for measure in ("wrmsse7", "wrmsse14", "pinball1", "pinball3", "pinball7", "bias", "seconds"):
        assert np.isfinite(ours[measure])
    for row in (ours, *ours["classes"].values(), report["models"]["snaive"]):
        assert set(row["coverage7"]) == set(row["coverage_within7"]) == {"0.5", "0.75", "0.9", "0.95", "0.99"}
        assert all(share <= row["coverage7"][level] for level, share in row["coverage_within7"].items())
    assert sum(kind["series"] for kind in ours["classes"].values()) == 6
    assert "clean_days" not in ours  # no shelf is known to have been empty
    assert set(report["ratios"]) == {"snaive", "ma28"}
    assert report["ratios"]["snaive"]["wrmsse14"] == pytest.approx(
        ours["wrmsse14"] / report["models"]["snaive"]["wrmsse14"], abs=1e-3
    )


def test_what_a_rival_said_is_remembered_and_not_asked_again() -> None:
    kept: dict[str, np.ndarray] = {}
    plan = backtest.Plan(origins=2, models=("ma28",))
    first = backtest.run(history.read(_rows()), plan, remember=kept)
    again = backtest.run(history.read(_rows()), plan, remember=kept)
    assert "ma28/106" in kept
    assert again["models"]["ma28"]["wrmsse14"] == first["models"]["ma28"]["wrmsse14"]


def test_the_shared_layer_learns_the_scatter_of_each_models_own_errors() -> None:
    rng = np.random.default_rng(1)
    mean = np.full((400, 7), 6.0)
    calm = rng.poisson(6.0, (400, 7)).astype(float)
    wild = rng.negative_binomial(2, 0.25, (400, 7)).astype(float)  # mean 6, variance 24
    a, b = (intervals.law_of_pairs([(mean, actual)], np.ones(400)) for actual in (calm, wild))
    day = np.full((400, 1), 6.0)
    assert a.variance(day, 1.0)[0, 0] == pytest.approx(6.0, rel=0.15)
    assert b.variance(day, 1.0)[0, 0] == pytest.approx(24.0, rel=0.2)


def _cut(days: int = 120) -> pd.DataFrame:
    """Products whose shelves are emptied on their busy days, in the middle of the day's trade."""
    table, rng = _rows(days), np.random.default_rng(9)
    shelf = np.ceil(7.0 * rng.lognormal(0.0, 0.4, len(table)))
    return table.assign(
        sold=np.minimum(table["sold"], shelf), out_of_stock_share=np.where(table["sold"] >= shelf, 0.3, 0.0)
    )


def test_clean_days_are_judged_apart_and_as_the_slow_days_they_are() -> None:
    plan = backtest.Plan(horizon_days=7, origins=3, models=("ma28",))
    models = json.loads(json.dumps(backtest.run(history.read(_cut()), plan)))["models"]
    ours = models["ours"]["clean_days"]
    assert ours["bias"] > 0.1
    assert abs(ours["bias_given_clean"]) < ours["bias"] / 2
    assert ours["error_given_clean"] < ours["error"]
    assert set(models["ma28"]["clean_days"]) == set(ours)
    assert all("clean_days" in kind for kind in models["ours"]["classes"].values())


def test_what_clean_days_sell_is_learnt_before_the_origin() -> None:
    plan = backtest.Plan(horizon_days=14, origins=1, every_days=7, models=("ma28",))
    table = _cut(75)
    last = (table["day"] >= date(2024, 1, 1) + timedelta(days=75 - 14)) & (table["out_of_stock_share"] == 0)
    reported = []
    for more in (0, 2):
        each = table.assign(sold=np.where(last, table["sold"] + more, table["sold"]))
        clean = backtest.run(history.read(each), plan)["models"]["ours"]["clean_days"]
        reported.append((1.0 + clean["bias_given_clean"]) / (1.0 + clean["bias"]))
    assert reported[0] == pytest.approx(reported[1], abs=1e-4)
    assert reported[0] < 0.95
