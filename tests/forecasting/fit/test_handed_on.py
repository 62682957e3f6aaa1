"""What offers and prices make of a day, told by stores and handed on by their region."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecasting import run
from forecasting.fit import regional
from forecasting.fit.effects import PRICE, RIDGE
from forecasting.fit.signal import RegionalSignal
from forecasting.fit.state import from_bytes, moved_on, to_bytes
from forecasting.series.panel import Ahead, DemandPanel

TIMES = 2.5
DAYS, HORIZON = 200, 14


def offered(panel: DemandPanel, times: float, *weeks: int) -> DemandPanel:
    """Return the panel with offers in these weeks, which sell so many times as much."""
    on = np.isin(np.arange(panel.n_days) // 7, weeks)[None, :] & np.ones((panel.n_series, 1), dtype=bool)
    return replace(panel, y=np.where(on, np.round(panel.y * times), panel.y), on_offer=on)


def reported_by(panel: DemandPanel) -> dict[str, dict[str, list[float]]]:
    state = run.measure(panel, horizon_days=HORIZON)
    return regional.reported(state.category, state.factors)


def region(panel: DemandPanel, *reported: dict[str, dict[str, list[float]]]) -> RegionalSignal:
    """Return the signal of a region whose stores told these."""
    sums: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for one in reported:
        for category, features in one.items():
            kept = sums.setdefault(("R", category), {})
            for name, (worth, moved) in features.items():
                before = kept.get(name, (0.0, 0.0))
                kept[name] = before[0] + worth, before[1] + moved
    whole = replace(panel, keys=tuple(("R", sku) for _, sku in panel.keys), on_offer=None)
    signal = regional.fit_region(whole, HORIZON, stores={"R": 3}, evidence=sums)
    return RegionalSignal.from_json(signal.to_json())


def lift(store: DemandPanel, signal: RegionalSignal | None) -> float:
    """Return what a week on offer is expected to sell over one without, from a state that was kept and moved on."""
    on = np.zeros((store.n_series, HORIZON), dtype=bool)
    on[:, 7:] = True
    state = run.measure(store.between(0, DAYS - 3), horizon_days=HORIZON, regional=signal, kept_days=8)
    kept = from_bytes(to_bytes(state))
    assert kept is not None
    state = moved_on(kept, store)
    ahead = replace(
        store, on_offer=store.on_offer if store.on_offer is not None else np.zeros(store.y.shape, dtype=bool)
    )
    said = run.say(state, horizon_days=HORIZON, regional=signal, panel=ahead, ahead=Ahead(on_offer=on)).mean
    return float(said[:, 7:].sum() / said[:, :7].sum())


def test_a_shops_first_offer_is_expected_to_bring_what_offers_bring_in_its_region(trade) -> None:  # type: ignore[no-untyped-def]
    others = [reported_by(offered(trade([6.0] * 5, DAYS, seed=seed), TIMES, 4, 9, 15, 20)) for seed in (1, 2, 3)]
    store = trade([6.0] * 5, DAYS, seed=9)
    assert lift(store, region(store)) == pytest.approx(1.0, abs=0.1)
    assert lift(store, region(store, *others)) == pytest.approx(TIMES, rel=0.15)


def test_what_a_region_tells_holds_from_the_next_night_on_and_as_it_was_told_last(trade) -> None:  # type: ignore[no-untyped-def]
    """A state is measured once a week; a region that learns within it is not waited for."""
    store = trade([6.0] * 5, DAYS)
    state = run.measure(store, horizon_days=HORIZON, regional=region(store))
    on = Ahead(on_offer=np.arange(HORIZON)[None, :] >= 7 * np.ones((5, 1)))
    panel = replace(store, on_offer=np.zeros(store.y.shape, dtype=bool))
    for worth in (0.9, 0.3):
        reported = region(store, {"C": {"on_offer": [1000.0, 1000.0 * worth]}})
        said = run.say(state, horizon_days=HORIZON, regional=reported, panel=panel, ahead=on).mean
        assert np.log(said[:, 7:].sum() / said[:, :7].sum()) == pytest.approx(worth, abs=0.08)
        state = run.measure(store, horizon_days=HORIZON, regional=reported)


def test_a_shop_whose_own_offers_bring_nothing_comes_to_know_better(trade) -> None:  # type: ignore[no-untyped-def]
    others = [reported_by(offered(trade([6.0] * 5, DAYS, seed=seed), TIMES, 4, 9, 15, 20)) for seed in (1, 2, 3)]
    store = offered(trade([6.0] * 5, DAYS, seed=9), 1.0, 5, 11, 17, 22)
    assert lift(store, region(store, *others)) == pytest.approx(1.0, abs=0.3)


def test_what_a_shop_tells_does_not_hold_what_it_was_told(trade) -> None:  # type: ignore[no-untyped-def]
    """Else a rumour would come back as a fact: a store's own slope stays where its own days put it."""
    store = offered(trade([20.0] * 5, DAYS, seed=9), 1.2, 5, 11, 17, 22)
    rumour = region(store, {"C": {"on_offer": [500.0, 500.0 * np.log(3.0)]}})
    alone = reported_by(store)["C"]["on_offer"]
    state = run.measure(store, horizon_days=HORIZON, regional=rumour)
    beside = regional.reported(state.category, state.factors)["C"]["on_offer"]
    assert alone[1] / alone[0] == pytest.approx(np.log(1.2), abs=0.1)
    assert beside[1] / beside[0] == pytest.approx(alone[1] / alone[0], abs=0.05)


def test_what_prices_move_is_handed_on_too(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([10.0] * 5, DAYS)
    cheap = np.isin(np.arange(DAYS) // 7, (4, 9, 15, 20))[None, :]
    y = np.where(cheap, np.round(panel.y * 2.0), panel.y)
    reported = reported_by(replace(panel, y=y, price=np.where(cheap, 7.0, 10.0) * np.ones((5, 1))))
    slope = region(panel, reported).slopes[PRICE][0]
    assert -2.6 < slope < -1.4, "a third cheaper sells twice as much: about -1.9"


def test_a_higher_price_is_not_expected_to_sell_more(trade) -> None:  # type: ignore[no-untyped-def]
    """What sells more while it is dear is chance, or a season: neither the store nor its region takes it for a rule."""
    panel = trade([10.0] * 5, DAYS)
    dear = np.isin(np.arange(DAYS) // 7, (4, 9, 15, 20))[None, :]
    panel = replace(
        panel, y=np.where(dear, np.round(panel.y * 1.5), panel.y), price=np.where(dear, 14.0, 10.0) * np.ones((5, 1))
    )
    assert (run.measure(panel, horizon_days=HORIZON).factors.slopes[PRICE] <= 0).all()
    assert region(panel, reported_by(panel)).slopes[PRICE][0] == 0.0


def test_an_aisle_nobody_told_of_has_the_regions_mean_and_one_of_few_sales_most_of_it(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([6.0] * 3, DAYS)
    panel = replace(panel, category=("A", "B", "C"))
    signal = region(panel, {"A": {"on_offer": [200.0, 200.0]}, "B": {"on_offer": [5.0, 0.0]}})
    mean = 200.0 / (205.0 + RIDGE)
    slopes = dict(zip((name for _, name in signal.keys), signal.slopes["on_offer"], strict=True))
    assert slopes["C"] == pytest.approx(mean, rel=1e-4)
    assert slopes["A"] == pytest.approx((200.0 + RIDGE * mean) / (200.0 + RIDGE), rel=1e-4)
    assert slopes["B"] == pytest.approx(RIDGE * mean / (5.0 + RIDGE), rel=1e-4)


def test_a_signal_of_before_tells_no_slopes_and_one_beyond_sense_is_refused(trade) -> None:  # type: ignore[no-untyped-def]
    signal = region(trade([6.0] * 2, 60), {"C": {"on_offer": [50.0, 20.0]}})
    wire = signal.to_json()
    assert RegionalSignal.from_json({k: v for k, v in wire.items() if k != "slopes"}).slopes == {}
    with pytest.raises(ValueError, match="on_offer"):
        RegionalSignal.from_json(wire | {"slopes": {"on_offer": [9.0]}})
