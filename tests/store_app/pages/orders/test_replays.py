"""The proof: the store's own weeks replayed by the nightly job, and shown in money."""

import datetime as dt
import html
import json

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Product
from pos.store.store import Region
from store_app.commands import ordering
from store_app.commands.cli import main
from store_app.jobs import forecast as forecast_jobs
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS
from store_app.pages.orders.replays import NAMES, WAYS
from store_app.runtime import job_runs
from store_app.runtime.child_process import compute_here
from supply.demand import forecasts
from supply.orders.suppliers import Supplier
from supply.replenishment import budget, order_simulation, proposals, replays, scenarios, service_targets
from supply.replenishment.policy import storefront_policy
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import fill, goods, history, send, words

YESTERDAY = NOON.date() - dt.timedelta(days=1)


def weeks(first_day):
    """Weeks ahead at five levels as `scenarios.compute` tells them: 99 of 100 earn more than the present 98."""
    level = {"fill": [0.9, 0.92, 0.95], "cover_days": [5, 6, 7], "stock_minor": [81_200, 84_300, 90_100],
             "waste_minor": [900, 1_200, 2_400], "lost_minor": [10_100, 20_200, 30_300]}  # fmt: skip
    brings = {9_000: [-900, -800, -700], 9_500: [-300, -200, -100], 9_800: [0, 0, 0], 9_900: [310, 420, 530],
              9_950: [-40, 60, 110]}  # fmt: skip
    lost = {"sku": "milk", "fill": 0.88, "lost_qty": [1, 4, 9], "lost_minor": [129, 516, 1161],
            "waste_qty": [0, 0, 0], "waste_minor": [0, 0, 0]}  # fmt: skip
    return {
        "first_day": first_day.isoformat(), "days": 28, "futures": 200, "products": 5, "present_bp": 9_800,
        "best_bp": 9_900, "matters": [lost, lost | {"sku": "apple", "lost_qty": [100, 4_200, 9_000]}],
        "levels": [level | {"service_bp": bp, "brings_minor": minor} for bp, minor in brings.items()],
    }  # fmt: skip


def next_store(products_of, wanted, loaded):
    """The store as a play begins, at its own service."""
    lines = lambda n, one, day: scenarios._lines(products_of[n], one, day)  # noqa: E731
    week = scenarios.Week(*loaded.week) if loaded.week else None
    return scenarios._Store(products_of, wanted, storefront_policy(loaded.situation.service_bp), week, lines)


def replayed(house, day=YESTERDAY):
    desk = Desk(house.doors, compute=compute_here)
    return forecast_jobs.replay(desk, day)


def test_the_job_replays_once_a_week_and_the_page_shows_money(house):
    with house.doors.write() as session:
        goods(session)
        history(session, days=220)
        session.execute(sa.update(Product).where(Product.sku == "bread").values(shelf_life_days=3))
    assert "Nothing to simulate yet" in words(house.signed_in().get("/orders/proof"))
    assert replayed(house) == "1 replayed"
    assert replayed(house) == "0 replayed"
    with house.doors.read() as session:
        kept = replays.newest(session, "store", STORE)
    ours, moving = kept.body["ways"]["ours"], kept.body["ways"]["rolling_minmax"]
    assert kept.body["products"] == 5  # soap never sold
    assert 0 < ours["stock_value"] < moving["stock_value"]
    reported = words(house.signed_in().get("/orders/proof"))
    assert "To meet 97% of demand" in reported
    assert "Suggested orders" in reported
    assert "$" in reported


def test_the_weeks_ahead_are_played_every_night_and_the_level_that_is_chosen_is_ordered_to(house):
    desk = Desk(house.doors, compute=compute_here)
    assert JOBS["weeks-ahead"].run(desk, YESTERDAY) == "no forecast of last night"
    with house.doors.write() as session:
        goods(session)
        history(session, days=120)
    forecast_jobs.forecast_store(desk, YESTERDAY)
    assert JOBS["weeks-ahead"].run(desk, YESTERDAY) == "6 products played on 200 futures"
    keeper = house.signed_in()
    shown = words(keeper.get("/orders/proof"))
    assert "The next 28 days" in shown
    assert "Your target is 98%" in shown
    assert "Largest losses with 98%" in shown
    with house.doors.read() as session:
        body = order_simulation.newest(session, STORE).body
    fills = [level["fill"][1] for level in body["levels"]]
    assert fills == sorted(fills)
    assert send(keeper, "/orders/service", service_bp="9900").status_code == 303
    now = words(keeper.get("/orders/proof"))
    assert "Your target is now 99%. Gain over 98% in this period: about" in now
    with house.doors.read() as session:
        assert service_targets.service_of(session, STORE) == 9_900
    wrong = send(keeper, "/orders/service", service_bp="9999")
    assert wrong.status_code == 422
    assert "Enter a service level from 75 to 99.5 percent" in words(wrong)
    assert send(house.signed_in("supervisor"), "/orders/service", service_bp="9900").status_code == 403


@pytest.mark.parametrize(("minimum_minor", "week_minor"), [(0, None), (30_000, None), (30_000, 9_000), (0, 4_000)])
def test_what_is_played_of_the_first_order_is_its_proposal(house, minimum_minor, week_minor):
    with house.doors.write() as session:
        goods(session)
        history(session, days=60)
        session.execute(sa.update(Supplier).values(minimum_minor=minimum_minor))
        budget.set_budget(Context(session, Actor.system("test", STORE), NOON), STORE, week_minor)
    forecast_jobs.forecast_store(Desk(house.doors, compute=compute_here), YESTERDAY)
    with house.doors.read() as session:
        loaded = order_simulation.load(session, STORE, country="US", at=house.clock.now())
        drafts = proposals.draft(session, STORE, at=house.clock.now())
    forecast = forecasts.compute_store(loaded.forecast).forecast
    products_of = [one for _, one in scenarios._parts(loaded, forecast, 2)]
    none = [np.zeros((len(one.lines), 2, 3)) for one in products_of]
    store = next_store(products_of, none, loaded)
    played = {
        line.sku: set(packs[row])
        for n, (_, packs) in store.ordered(0).items()
        for row, line in enumerate(products_of[n].lines)
        if packs[row].any()
    }
    asked = {line["sku"]: {line["packs"]} for one in drafts if not one.postponed for line in one.lines if line["packs"]}
    assert played == asked


def test_a_look_is_asked_for_shows_how_far_it_is_and_says_when_it_failed(house):
    keeper = house.signed_in()
    early = send(keeper, "/orders/look-again")
    assert "Last night’s forecast is not ready yet." in words(early)
    with house.doors.write() as session:
        goods(session)
        history(session, days=30)
    desk = Desk(house.doors, compute=compute_here)
    with house.doors.write() as session:
        begun = {"state": "running", "started_at": house.clock.now(), "origin_day": YESTERDAY, "horizon_days": 14}
        session.add(forecasts.ForecastRun(id="half", scope_kind="store", scope_id=STORE, **begun))
    still = send(keeper, "/orders/look-again")
    assert "Last night’s forecast is not ready yet." in words(still), "one that is being computed is none"
    forecast_jobs.forecast_store(desk, YESTERDAY)
    with house.doors.write() as session:
        at = house.clock.now()
        job_runs.note(session, STORE, "weeks-ahead", YESTERDAY, at=at, done=True, outcome="no forecast of last night")
    assert send(keeper, "/orders/look-again").status_code == 303
    asked = keeper.get("/orders/proof")
    assert ". It will start within half a minute, or after the" in words(asked)
    assert "disabled" in asked.text.split("look-again", 1)[1].split("</form>")[0]
    with house.doors.write() as session:
        assert job_runs.due(session, STORE, [("weeks-ahead", 0)], YESTERDAY, at=at) == ("weeks-ahead", YESTERDAY, at)
        assert job_runs.take(session, STORE, "weeks-ahead", YESTERDAY, at=at)
    desk.far("weeks-ahead", YESTERDAY, "days")(42, 168)
    running = keeper.get("/orders/proof")
    assert 'max="168" value="42"' in running.text
    assert send(keeper, "/orders/look-again").status_code == 303, "one that runs is left alone"
    with house.doors.write() as session:
        assert job_runs.run_of(session, STORE, "weeks-ahead", YESTERDAY).so_far == 42
        job_runs.note(session, STORE, "weeks-ahead", YESTERDAY, at=at, done=False, outcome="It broke.")
    failed = words(keeper.get("/orders/proof"))
    assert "The simulation failed. It will be retried" in failed
    send(keeper, "/orders/look-again")
    with house.doors.write() as session:
        assert job_runs.take(session, STORE, "weeks-ahead", YESTERDAY, at=at - job_runs.CUT_OFF_AFTER)
    assert "The simulation failed. It will be retried" in words(keeper.get("/orders/proof")), "it was cut off"
    assert send(house.signed_in("cashier"), "/orders/look-again").status_code == 403


def test_a_job_goes_on_where_its_progress_cannot_be_noted(house):
    with house.doors.write() as session:
        session.execute(sa.text("ALTER TABLE job_run RENAME TO job_run_away"))
    Desk(house.doors).far("weeks-ahead", YESTERDAY, "days")(42, 168)


def test_the_orders_say_that_tonight_s_forecast_is_being_made_and_that_it_failed(house):
    fill(house)
    keeper = house.signed_in()
    with house.doors.write() as session:
        assert job_runs.take(session, STORE, "forecast", YESTERDAY, at=NOON - job_runs.CUT_OFF_AFTER)
    assert "forecast failed. It will be retried automatically" in words(keeper.get("/orders/")), "it was cut off"
    with house.doors.write() as session:
        assert job_runs.take(session, STORE, "forecast", YESTERDAY, at=NOON)
    assert "forecast has been running since" in words(keeper.get("/orders/"))
    with house.doors.write() as session:
        job_runs.note(session, STORE, "forecast", YESTERDAY, at=NOON, done=False, outcome="It broke.")
    assert "Tonight’s forecast failed. It will be retried automatically." in words(keeper.get("/orders/"))


def test_a_shop_that_has_sold_nothing_yet_has_nothing_to_look_ahead_to(house):
    with house.doors.write() as session:
        goods(session)
    desk = Desk(house.doors, compute=compute_here)
    forecast_jobs.forecast_store(desk, YESTERDAY)
    assert JOBS["weeks-ahead"].run(desk, YESTERDAY) == "0 products played on 200 futures"
    assert "Nothing to simulate yet" in words(house.signed_in().get("/orders/proof"))


def test_the_command_tells_the_weeks_ahead_the_same_for_a_seed_and_refuses_without_a_forecast(house, monkeypatch):
    monkeypatch.setattr(ordering, "node", lambda: house.doors)
    run = CliRunner().invoke
    refused = run(main, ["weeks-ahead"])
    assert refused.exit_code == 1
    assert "Run `cornerstore forecast`" in refused.output
    with house.doors.write() as session:
        goods(session)
        history(session, days=60)
    forecast_jobs.forecast_store(Desk(house.doors, compute=compute_here), YESTERDAY)
    reported, again, other = (
        json.loads(run(main, ["weeks-ahead", "--futures", "20", "--seed", seed, "--json"]).stdout) for seed in "334"
    )
    assert reported == again
    assert reported["levels"] != other["levels"]
    assert "(" in run(main, ["weeks-ahead", "--futures", "20"]).stdout


def test_the_weeks_ahead_say_which_level_earns_more_and_of_which_day_they_are(house):
    with house.doors.write() as session:
        goods(session)
        order_simulation.keep(session, STORE, weeks(YESTERDAY), at=NOON)
    reported = words(house.signed_in().get("/orders/proof"))
    assert (
        "With 99% you would earn about $4.20 more in this period (between $3.10 and $5.30 in eight out of ten cases)."
        in reported
    )
    assert "Whole milk 88% 4 1 to 9 $5.16" in reported
    assert "recalculated at night once there is a forecast" in reported


def test_a_short_history_is_not_replayed(house):
    fill(house)
    assert replayed(house) == "0 replayed"
    assert "forecast; the replay needs half a year of" in words(house.signed_in().get("/orders/proof"))


def test_a_cashier_sees_no_proof(house):
    assert house.signed_in("cashier").get("/orders/proof").status_code == 403


def test_a_rule_that_would_have_needed_less_is_named_with_what_packs_alone_mean_and_one_that_never_sold_so_much(house):
    way = {"waste_value": 0, "lost_value": 30, "order_lines": 9}
    ways = {
        "ours": way | {"stock_value": 15_100, "cover_days": 15.1},
        "mean_normal": way | {"stock_value": 14_100, "cover_days": 14.1},
        "rolling_minmax": way | {"stock_value": 19_000, "cover_days": 19.0},
        "what_sold": way | {"stock_value": None, "cover_days": None},
        "perfect": way | {"stock_value": 12_000, "cover_days": 12.0},
    }
    body = {"fill": 0.97, "ways": ways, "curves": {}, "products": 5, "stores": 1, "days": 56}
    with house.doors.write() as session:
        replays.keep(session, "store", STORE, body, last_day=YESTERDAY, at=NOON)
    reported = words(house.signed_in().get("/orders/proof"))
    assert "“Four-week average with safety stock” would have needed $10.00 less in these weeks." in reported
    assert "Ordering in whole packs alone leaves 12 days of stock" in reported
    assert "“Reordering what was sold” never reached that service level in these weeks." in reported


def test_the_operator_sees_the_replay_of_a_region_in_money_with_all_six_curves_once_there_is_one(network):
    operator = network.signed_in("operator")
    empty = words(operator.get("/console/proof/north"))
    assert "Nothing to simulate yet" in empty
    assert "Cash tied up in stock" not in empty
    way = {"cover_days": 9.0, "waste_value": 100, "lost_value": 30, "order_lines": 9}
    ways = {name: way | {"stock_value": 10_000 + 1_000 * n} for n, name in enumerate(WAYS)}
    curves = {name: [(0.9, 8_000 + 1_000 * n), (0.98, 12_000 + 1_000 * n)] for n, name in enumerate(WAYS)}
    body = {"fill": 0.97, "ways": ways, "curves": curves, "products": 120, "stores": 4, "days": 56}
    with network.doors.write() as session:
        replays.keep(session, "region", "north", body, last_day=YESTERDAY, at=NOON)
        name = session.get_one(Region, "north").name
    page = operator.get("/console/proof/north")
    reported = words(page)
    assert f"Order simulation for {name}" in reported
    assert "120 products" in reported
    assert "Suggested orders $100.00 9 $7.00 $2.10" in reported
    drawn = page.text.split('<svg class="proof"')[1].split("</svg>")[0]
    assert [words for words in NAMES.values() if f">{words}</text>" not in html.unescape(drawn)] == []
    assert "Region nowhere not found." in words(operator.get("/console/proof/nowhere"))
    assert operator.get("/console/proof/nowhere").status_code == 404
