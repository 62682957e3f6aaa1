"""A state kept over a week: what moving it on gives is what looking at everything again would have given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecasting.fit import levels, state
from forecasting.fit.effects import days_of, known_days
from forecasting.fit.state import from_bytes, moved_on, to_bytes
from forecasting.run import forecast, measure, say
from forecasting.series.panel import Ahead, DemandPanel, PanelFault
from forecasting.series.pools import Pools

CUT = 190


def _two_stores(trade) -> DemandPanel:  # type: ignore[no-untyped-def]
    """Return two stores with the same products, offers on some days and shelves that were empty on others."""
    one, two = trade([5.0, 0.3, 20.0], 200, seed=3), trade([4.0, 0.6, 30.0], 200, seed=4, scope="S2")
    rng = np.random.default_rng(5)
    return replace(
        one,
        keys=one.keys + two.keys,
        y=np.concatenate([one.y, two.y]),
        category=one.category * 2,
        region=one.region * 2,
        on_offer=rng.random((6, 200)) < 0.1,
        out_of_stock=rng.random((6, 200)) < 0.05,
    )


def _measured(panel: DemandPanel) -> state.State:
    return measure(panel.between(0, CUT), horizon_days=14, country="US", kept_days=14)


def test_a_state_moved_on_has_the_levels_of_filters_run_over_everything(trade) -> None:  # type: ignore[no-untyped-def]
    panel = replace(_two_stores(trade), out_of_stock=None)
    then = _measured(panel)
    now = moved_on(then, panel.between(CUT - 60, 200))
    past = days_of(panel.first_day, 200, "US", None)
    exposure = then.factors.over(past, known_days(panel, Ahead(), 0))
    start = levels.first_level(panel.y, exposure)
    discounts, mix = then.own.discounts, then.own.mix
    each = levels.kernels.gamma_poisson_levels(panel.y, exposure, discounts, start, 3.0)[0]
    own = np.einsum("dn,dnt->nt", mix, each)
    shared, blended = levels.with_region(panel.y, exposure, own, then.pools)
    np.testing.assert_allclose(now.own.level, own[:, -1], rtol=1e-12)
    np.testing.assert_allclose(now.level, blended[:, -1], rtol=1e-9)
    assert shared is not None
    assert (now.day, now.measured_day) == (panel.next_day, then.day)


def test_night_after_night_gives_to_the_last_digit_what_one_step_gives(trade) -> None:  # type: ignore[no-untyped-def]
    panel = _two_stores(trade)
    once = moved_on(_measured(panel), panel.between(CUT - 60, 200))
    nightly = _measured(panel)
    for day in range(CUT, 200):
        nightly = moved_on(nightly, panel.between(day - 60, day + 1))
    np.testing.assert_array_equal(nightly.level, once.level)
    a, b = (say(each, horizon_days=14, panel=panel) for each in (once, nightly))
    np.testing.assert_array_equal(a.cumulative, b.cumulative)
    np.testing.assert_array_equal(a.lately_spread, b.lately_spread)
    assert (a.lately_spread != _measured(panel).lately_spread).all(), "each night looks at its own last days"


def test_what_is_gone_comes_back_the_less_likely_the_longer_it_is_silent(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([6.0, 6.0], 400)
    panel.y[0, 300:] = panel.y[1, 200:] = 0.0
    then = measure(panel.between(0, 390), horizon_days=14)
    now = moved_on(then, panel.between(330, 400))
    np.testing.assert_array_equal((then.quiet, now.quiet), [[90, 190], [100, 200]])
    gone = 1.0 - now.alive
    back = now.fate(14).returned / gone[:, None]
    np.testing.assert_allclose(1.0 - back[:, 6], (now.quiet / (now.quiet + 7.0)) ** now.returns)
    assert back[1, 0] / back[0, 0] == pytest.approx(0.5, rel=0.02)


def test_a_state_kept_as_bytes_says_the_same(trade) -> None:  # type: ignore[no-untyped-def]
    panel = _two_stores(trade)
    then = _measured(panel)
    again = from_bytes(to_bytes(then))
    assert again is not None
    recent = panel.between(CUT - 60, 200)
    a, b = (say(moved_on(each, recent), horizon_days=14, panel=recent) for each in (then, again))
    np.testing.assert_array_equal(a.mean, b.mean)
    np.testing.assert_array_equal(a.cumulative, b.cumulative)
    assert (a.reason, a.kind, a.first_day) == (b.reason, b.kind, b.first_day)


def test_a_state_of_another_version_is_not_read(trade, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    kept = to_bytes(_measured(trade([5.0])))
    monkeypatch.setattr(state, "VERSION", state.VERSION + 1)
    assert from_bytes(kept) is None


def test_a_week_after_measuring_the_forecast_is_near_that_of_measuring_anew(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 30, 207)
    kept = moved_on(measure(panel.between(0, 200), horizon_days=14, kept_days=7), panel.between(140, 207))
    anew = forecast(panel, horizon_days=14)
    np.testing.assert_allclose(say(kept, horizon_days=14).mean, anew.mean, rtol=0.12)


def test_a_product_listed_since_comes_in_and_one_that_was_dropped_goes(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 4, 200)
    then = measure(panel.between(0, CUT).select([0, 1, 2]), horizon_days=7, kept_days=10)
    y = panel.y.copy()
    y[3, : CUT + 2] = np.nan
    now = moved_on(then, replace(panel, y=y).between(CUT - 60, 200).select([1, 2, 3]))
    said = say(now, horizon_days=7)
    assert said.keys == (panel.keys[1], panel.keys[2], panel.keys[3])
    assert said.kind[2] == "new"
    assert said.level[2] == pytest.approx(8.0, rel=0.4)
    np.testing.assert_allclose(said.weekday_profile[2], then.factors.weekday.mean(axis=0))


def test_a_product_that_had_stopped_and_sells_again_is_ordered_again(trade) -> None:  # type: ignore[no-untyped-def]
    y = np.concatenate([np.full(100, 4.0), np.zeros(90), np.full(10, 4.0)])[None, :]
    panel = DemandPanel(keys=(("S", "P"),), first_day=trade([1.0]).first_day, y=y)
    then = measure(panel.between(0, CUT), horizon_days=7, kept_days=10)
    assert say(then, horizon_days=7).reason == ("stopped_selling",)
    now = say(moved_on(then, panel.between(CUT - 60, 200)), horizon_days=7)
    assert now.kind == ("new",)
    assert now.level[0] > 1.0


def test_days_missing_before_the_new_ones_are_refused(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([5.0])
    with pytest.raises(PanelFault, match="gap"):
        moved_on(_measured(panel), panel.between(CUT + 1, 200))


def test_a_lift_that_was_expected_is_not_taken_for_a_level_and_lifts_the_days_to_come(trade) -> None:  # type: ignore[no-untyped-def]
    plain = trade([5.0, 8.0, 20.0], 200, seed=3)
    lift = np.ones_like(plain.y)
    lift[:, 150:164] = lift[:, 192:197] = 3.0
    lifted = replace(plain, y=plain.y * lift, lift=lift)
    recent = lifted.between(CUT - 60, 200)
    was, now = (moved_on(_measured(each), each.between(CUT - 60, 200)) for each in (plain, lifted))
    np.testing.assert_allclose(now.level, was.level, rtol=0.12)
    usual = say(now, horizon_days=7, panel=recent)
    more = say(now, horizon_days=7, panel=recent, ahead=Ahead(lift=np.full((3, 7), 2.0)))
    np.testing.assert_allclose(more.mean, 2.0 * usual.mean)
    assert (more.cumulative > usual.cumulative).all()
    with pytest.raises(PanelFault, match="lift"):
        say(now, horizon_days=7, panel=recent, ahead=Ahead(lift=np.ones((2, 7))))


def test_a_wave_that_fades_within_days_is_learnt_and_days_on_their_own_leave_nothing() -> None:
    rng = np.random.default_rng(6)
    mean, wave = np.full((40, 400), 20.0), np.zeros((40, 400))
    for day in range(1, 400):
        wave[:, day] = 0.6 * wave[:, day - 1] + rng.normal(0, 0.25, 40)
    left, part = levels.measure_echo(rng.poisson(mean * np.exp(wave)).astype(float), mean)
    assert part[0] > 0.15
    said = levels.ahead(np.array([1.0, 0.0, -1.0]), part[:3], 7)
    assert said[0, 0] > said[0, 2] > said[0, 6] > 1.0 > said[2, 0]
    np.testing.assert_allclose(said[1], 1.0)
    assert levels.measure_echo(rng.poisson(mean).astype(float), mean)[1][0] < 0.02
    assert left.shape == (40,)


def test_the_echo_moved_on_is_that_of_all_days_and_an_empty_shelf_leaves_none(trade) -> None:  # type: ignore[no-untyped-def]
    panel = replace(_two_stores(trade), out_of_stock=None)
    then = _measured(panel)
    y = panel.y.copy()
    y[:, CUT] = then.level * 3.0
    now = moved_on(then, replace(panel, y=y).between(CUT - 60, CUT + 1))
    assert (now.echo > levels.ECHO_FADE * then.echo).all()
    short = np.zeros(y.shape, dtype=np.bool_)
    short[:, CUT] = True
    hidden = moved_on(then, replace(panel, y=y, out_of_stock=short).between(CUT - 60, CUT + 1))
    np.testing.assert_allclose(hidden.echo, levels.ECHO_FADE * then.echo)


def test_a_newcomer_follows_its_shops_weekdays_whatever_its_first_week_seems_to_show() -> None:
    rng = np.random.default_rng(7)
    mean = np.full((10, 180), 20.0)
    y = rng.poisson(1.5 * mean).astype(float)
    y[0, :-7] = np.nan
    y[0, np.arange(180) % 7 == 2] *= 3.0
    pools = Pools(np.arange(10), *np.zeros((3, 10), dtype=np.int64))
    recent = levels.recent_weekdays(y, mean, np.arange(180) % 7, pools)
    np.testing.assert_allclose(recent[0], 1.0, atol=0.05)


def test_the_last_days_spread_leaves_out_empty_shelves_and_is_not_known_of_a_few_days(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([4.0, 4.0, 4.0], 100)
    y = np.tile([1.0, 7.0], (3, 50))
    y[2, : -state.LATELY_LEAST + 1] = np.nan
    short = np.zeros(y.shape, dtype=np.bool_)
    short[1] = y[1] == 7.0
    apart = replace(panel, y=y, out_of_stock=short, category=("A", "B", "C"))  # none stands in for another
    found = measure(apart, horizon_days=7).lately_spread
    np.testing.assert_allclose(found, [9.0 / 4.0, 0.0, np.nan], rtol=3e-3, atol=1e-3)


def test_what_weekdays_bring_is_no_spread_of_the_last_days(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([4.0, 4.0], 141)
    week = np.tile([1.0, 1.0, 1.0, 1.0, 1.0, 10.0, 13.0], 21)[:140]
    uneven = week.copy()
    uneven[1::2] *= 1.5
    panel = replace(panel.between(0, 140), y=np.stack([week, uneven]))
    again = panel.between(140 - state.CONTEXT_DAYS, 140)
    found = measure(panel, horizon_days=7)
    for each in (found, moved_on(replace(found, day=again.first_day), again)):
        assert each.lately_spread[0] < 0.2 < 0.05 * week.var() / week.mean(), "as every week"
        assert each.lately_spread[1] > 0.3, "what no week explains stays"
