"""The proof: the shop's own weeks replayed by the nightly job, and shown in money."""

import datetime as dt
import html

import sqlalchemy as sa

from pos.catalogue import Product
from pos.store import Region
from store_app import jobs
from store_app.pages.replays import NAMES, WAYS
from supply import replays
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import fill, goods, history, words

YESTERDAY = NOON.date() - dt.timedelta(days=1)


def replayed(house, day=YESTERDAY):
    desk = jobs.Desk(house.doors, compute=lambda work, what: work(what))
    return jobs.replay(desk, day)


def test_the_job_replays_once_a_week_and_the_page_shows_money(house):
    with house.doors.write() as session:
        goods(session)
        history(session, days=220)
        session.execute(sa.update(Product).where(Product.sku == "bread").values(shelf_life_days=3))
    assert "Nothing to replay yet" in words(house.signed_in().get("/orders/proof"))
    assert replayed(house) == "1 replayed"
    assert replayed(house) == "0 replayed"
    with house.doors.read() as session:
        kept = replays.newest(session, "store", STORE)
    ours, moving = kept.body["ways"]["ours"], kept.body["ways"]["rolling_minmax"]
    assert kept.body["products"] == 5  # soap never sold
    assert 0 < ours["stock_value"] < moving["stock_value"]
    told = words(house.signed_in().get("/orders/proof"))
    assert "To sell 97 % of what was wanted" in told
    assert "The proposals" in told
    assert "$" in told


def test_a_short_history_is_not_replayed(house):
    fill(house)
    assert replayed(house) == "0 replayed"
    assert "Half a year of sales is needed" in words(house.signed_in().get("/orders/proof"))


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
    told = words(house.signed_in().get("/orders/proof"))
    assert "“Four weeks’ mean with a safety stock” would have needed $10.00 less in these weeks." in told
    assert "Whole packs alone mean 12 days of stock" in told
    assert "“Ordering what was sold” never sold that much in these weeks." in told


def test_the_operator_sees_the_replay_of_a_region_in_money_with_all_six_curves_once_there_is_one(network):
    operator = network.signed_in("operator")
    empty = words(operator.get("/console/proof/north"))
    assert "Nothing to replay yet" in empty
    assert "Money in stock" not in empty
    way = {"cover_days": 9.0, "waste_value": 100, "lost_value": 30, "order_lines": 9}
    ways = {name: way | {"stock_value": 10_000 + 1_000 * n} for n, name in enumerate(WAYS)}
    curves = {name: [(0.9, 8_000 + 1_000 * n), (0.98, 12_000 + 1_000 * n)] for n, name in enumerate(WAYS)}
    body = {"fill": 0.97, "ways": ways, "curves": curves, "products": 120, "stores": 4, "days": 56}
    with network.doors.write() as session:
        replays.keep(session, "region", "north", body, last_day=YESTERDAY, at=NOON)
        name = session.get_one(Region, "north").name
    page = operator.get("/console/proof/north")
    told = words(page)
    assert f"What the orders of {name} could be" in told
    assert "120 products" in told
    assert "The proposals $100.00 9.0 $7.00 $2.10" in told
    drawn = page.text.split('<svg class="proof"')[1].split("</svg>")[0]
    assert [words for words in NAMES.values() if f">{words}</text>" not in html.unescape(drawn)] == []
    assert "There is no region nowhere." in words(operator.get("/console/proof/nowhere"))
    assert operator.get("/console/proof/nowhere").status_code == 404
