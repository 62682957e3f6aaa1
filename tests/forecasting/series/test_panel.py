"""The door: what cannot be right is refused, and a signal survives its journey."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import numpy as np
import pytest

from forecasting.fit.regional import fit_region
from forecasting.fit.signal import RegionalSignal
from forecasting.series.panel import DemandPanel, Forecast, PanelFault

KEYS = (("S1", "A"), ("S1", "B"))
DAY = date(2024, 1, 1)


@pytest.mark.parametrize(
    ("y", "code"),
    [
        ([[1.0, -2.0], [0.0, 0.0]], "negative"),
        ([[1.0, np.inf], [0.0, 0.0]], "too_large"),
        ([[1.0, 1e13], [0.0, 0.0]], "too_large"),
        ([[1.0, 2.0]], "shape"),
    ],
)
def test_a_panel_that_cannot_be_right_is_refused_by_name(y: list[list[float]], code: str) -> None:
    with pytest.raises(PanelFault, match=code) as refused:
        DemandPanel(keys=KEYS, first_day=DAY, y=np.array(y))
    assert refused.value.code == code
    assert "wanted" in str(refused.value)
    assert "got" in str(refused.value)


def test_a_refused_number_is_named_with_its_series_and_day() -> None:
    with pytest.raises(PanelFault, match=r"-2 for \('S1', 'B'\) on day 1"):
        DemandPanel(keys=KEYS, first_day=DAY, y=np.array([[1.0, 1.0], [0.0, -2.0]]))


def test_keys_and_side_grids_must_fit() -> None:
    y = np.zeros((2, 3))
    with pytest.raises(PanelFault, match="twice"):
        DemandPanel(keys=(KEYS[0], KEYS[0]), first_day=DAY, y=y)
    with pytest.raises(PanelFault, match="price"):
        DemandPanel(keys=KEYS, first_day=DAY, y=y, price=np.zeros((2, 4)))
    with pytest.raises(PanelFault, match="category"):
        DemandPanel(keys=KEYS, first_day=DAY, y=y, category=("x",))


def test_a_part_of_a_panel_keeps_its_days() -> None:
    panel = DemandPanel(keys=KEYS, first_day=DAY, y=np.arange(20.0).reshape(2, 10))
    part = panel.between(3, 99)
    assert (part.first_day, part.n_days, part.next_day) == (date(2024, 1, 4), 7, panel.next_day)
    assert part.select([1]).y[0, 0] == 13.0


def test_a_forecast_with_falling_quantiles_cannot_be_made() -> None:
    grid = np.array([[[3.0], [2.0], [4.0], [5.0], [6.0]]])
    with pytest.raises(PanelFault, match="K12"):
        Forecast(
            keys=KEYS[:1], first_day=DAY, mean=np.ones((1, 1)), quantiles=grid, cumulative=np.sort(grid, axis=1),
            model=("m",), reason=("r",), kind=("smooth",), level=np.ones(1), weekday_profile=np.ones((1, 7)),
            regional_share=np.zeros(1),
        )  # fmt: skip


def test_a_signal_travels_as_json_and_says_the_same(trade) -> None:  # type: ignore[no-untyped-def]
    signal = fit_region(trade([5.0, 2.0, 9.0], 120, scope="R"), 14, "US", stores={"R": 3})
    back = RegionalSignal.from_json(json.loads(json.dumps(signal.to_json())))
    assert back.keys == signal.keys
    assert back.products == signal.products
    assert back.first_day == signal.first_day
    assert back.events.keys() == signal.events.keys()
    assert back.country == "US"
    for name in ("mean", "product_weekday", "month_profile", "product_share", "stores", "product_group"):
        np.testing.assert_allclose(getattr(back, name), getattr(signal, name), rtol=1e-5)
    assert back.to_json() == signal.to_json()
    older = RegionalSignal.from_json({k: v for k, v in signal.to_json().items() if k != "holiday_like"})
    assert older.holiday_like.shape == (1, 2)


def test_a_signal_of_another_version_or_shape_is_refused(trade) -> None:  # type: ignore[no-untyped-def]
    wire = fit_region(trade([5.0], 60, scope="R"), 7).to_json()
    with pytest.raises(PanelFault, match="version"):
        RegionalSignal.from_json({**wire, "version": 2})
    with pytest.raises(PanelFault, match="level"):
        RegionalSignal.from_json({**wire, "level": [1.0, 2.0]})


def test_an_empty_signal_travels_too() -> None:
    empty = DemandPanel(keys=(), first_day=DAY, y=np.zeros((0, 30)))
    signal = fit_region(empty, 7)
    assert RegionalSignal.from_json(signal.to_json()).keys == ()


def test_a_store_pulls_only_its_own_region(trade) -> None:  # type: ignore[no-untyped-def]
    a, b = trade([5.0, 2.0], 90, scope="North"), trade([7.0], 90, scope="South", category="D")
    both = DemandPanel(
        keys=a.keys + b.keys, first_day=a.first_day, y=np.vstack([a.y, b.y]), category=a.category + b.category
    )
    part = fit_region(both, 7).for_region("South")
    assert part.keys == (("South", "D"),)
    assert part.products == (("South", "P0"),)
    assert part.mean.shape == (1, 7)
    assert list(part.product_group) == [0]


def test_importing_the_package_never_imports_statsmodels() -> None:
    modules = (
        "forecasting, forecasting.run, forecasting.fit.regional, "
        "forecasting.fit.models, forecasting.uncertainty.evaluate"
    )
    code = f"import {modules}, sys; print([m for m in ('statsmodels', 'pandas', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
