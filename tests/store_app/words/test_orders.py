"""The sentence of a proposed line is true at every edge, in both languages."""

import datetime as dt

import pytest

from store_app.web.presenting import qty
from store_app.words.orders import OrderWhy, order_sentence
from tests.store_app.conftest import House

TODAY = dt.date(2026, 3, 2)
TOMORROW, FRIDAY = TODAY + dt.timedelta(days=1), TODAY + dt.timedelta(days=4)
EDGES = {
    "none left": (
        {"on_hand": 0, "runs_out_day": TODAY},
        ["Sells 1.3 a day, none left."],
        ["每天卖 1.3，一件不剩。"],
    ),
    "none left after hours": (
        {"on_hand": 0, "runs_out_day": TOMORROW}, ["none left."], ["一件不剩。"],
    ),
    "none left, but goods come before it is wanted": (
        {"on_hand": 0, "on_the_way": 6, "runs_out_day": FRIDAY},
        ["none left, 6 on order;", "without it you run out Friday."],
        ["一件不剩，在途 6", "不进货星期五就卖完"],
    ),
    "some left that do not last the day": (
        {"on_hand": 1, "runs_out_day": TODAY}, ["1 left;", "without it you run out today."], ["还剩 1", "今天就卖完"],
    ),
    "as much reserved as is left": (
        {"on_hand": 2, "reserved": 2, "runs_out_day": TODAY},
        ["2 left, 2 reserved;", "otherwise you have none left."],
        ["还剩 2，已预留 2", "否则就没有可卖的"],
    ),
    "more reserved than left": (
        {"on_hand": 2, "reserved": 5, "runs_out_day": TODAY},
        ["2 left, 5 reserved, 3 more than in stock;", "without it you cannot fill reservations."],
        ["已预留 5，比店里现有的多 3", "已预留的就交不出"],
    ),
    "more reserved than left, and on the way": (
        {"on_hand": 2, "reserved": 5, "on_the_way": 9, "runs_out_day": FRIDAY},
        ["3 more than in stock, 9 on order;", "without it you run out Friday."],
        ["多 3，在途 9", "不进货星期五就卖完"],
    ),
    "on consignment": (
        {"on_hand": 6, "consigned": (4, FRIDAY)},
        ["6 left, including 4 on consignment until Friday;"],
        ["还剩 6，其中 4 为代销，可退至星期五"],
    ),
    "a slow one": (
        {"per_day": 0.04, "on_hand": 0}, ["Sells about one every 25 days, none left;"], ["大约 25 天卖一件"],
    ),
    "no forecast, and sold": ({"method": "mean28"}, ["Sells 1.3 a day, 3 left;"], ["每天卖 1.3，还剩 3"]),
    "no forecast, and not sold": (
        {"method": "mean28", "per_day": 0.0}, ["No sales in four weeks, 3 left;"], ["四周没有人买"],
    ),
    "new to the store": (
        {"method": "region28", "on_hand": 0},
        ["Nearby stores sell 1.3 a day, none left;"],
        ["附近的店每天卖 1.3，一件不剩"],
    ),
    "known to nobody": (
        {"per_day": 0.0, "on_hand": 0},
        ["No sales expected, none left;", "you probably have enough without it."],
        ["预计没有销量，一件不剩"],
    ),
    "what would run out, perhaps": (
        {"risks_bp": [4_999]}, ["3 left; without it you may run out."], ["不进货可能缺货"],
    ),
    "what would run out, probably": (
        {"risks_bp": [5_000]}, ["without it you will probably run out."], ["不进货很可能缺货"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sentence_is_true_at_every_edge(house: House, language):
    wrong = {}
    with house.app.test_request_context(f"/?lang={language}"):
        house.app.preprocess_request()
        for edge, (facts, *said) in EDGES.items():
            reported = sentence(**facts)
            missing = [part for part in said[language == "zh"] if part not in reported]
            if missing:
                wrong[edge] = (reported, missing)
    assert wrong == {}


def sentence(**facts) -> str:
    facts = {"per_day": 1.3, "on_hand": 3, "first_day": TODAY, "risks_bp": [40]} | facts
    for name in ("first_day", "runs_out_day"):
        if name in facts:
            facts[name] = facts[name].isoformat()
    if "consigned" in facts:
        facts["consigned"] = [facts["consigned"][0], facts["consigned"][1].isoformat()]
    return order_sentence(
        OrderWhy.read(facts), quantity=lambda units: qty(round(units, 1), "each"), today=TODAY
    )  # fmt: skip
