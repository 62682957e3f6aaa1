"""How a product is forecast, said in words that are true of its numbers, in both languages."""

import datetime as dt

import pytest

from store_app.words.forecast import beyond_weekdays, forecast_sentences, watched_sentences

MONDAY = dt.date(2026, 3, 2)
WEEK = [1.0, 1.0, 1.0, 1.0, 1.0, 1.4, 0.6]


def ahead(level=10.0, common=1.0, **odd):
    """Return a fortnight's means; odd: d3=2.0 makes twice as much of the day after three days."""
    days = [MONDAY + dt.timedelta(days=n) for n in range(14)]
    return [(day, level * WEEK[day.weekday()] * common * odd.get(f"d{n}", 1.0)) for n, day in enumerate(days)]


def seen(
    model="level_filter+region", reason="own_history", level=10.0, empty=0, campaigns=(), moved=(), watched=None, **days
):
    return {
        "ahead": [(day, mean, mean, 2 * mean) for day, mean in ahead(level, **days)],
        "empty": {MONDAY - dt.timedelta(days=n + 1): 0.5 for n in range(empty)},
        "why": {
            "model": model, "reason": reason, "level": level, "weekday_profile": WEEK, "regional_share": 0.3,
            "watched": watched, "campaigns": list(campaigns), "offers": [("Half price", MONDAY, MONDAY)],
            "moved": list(moved),
        },
    }  # fmt: skip


def test_a_day_stands_out_from_the_time_of_the_year_and_from_its_own_weekday():
    assert beyond_weekdays(ahead(), 10.0, WEEK) == (1.0, [])
    common, special = beyond_weekdays(ahead(common=1.3, d3=2.0), 10.0, WEEK)
    assert (round(common, 3), [(day, round(times, 3)) for day, times in special]) == (
        1.3, [(MONDAY + dt.timedelta(days=3), 2.0)],
    )  # fmt: skip
    assert beyond_weekdays(ahead(d3=2.0, d10=2.0), 10.0, WEEK)[1] == [], "Thursdays lately, no day of its own"
    assert [day.day for day, _times in beyond_weekdays(ahead(d3=2.0, d10=1.4), 10.0, WEEK)[1]] == [5]
    assert [day.day for day, _times in beyond_weekdays(ahead(d3=0.0), 10.0, WEEK)[1]] == [5], "a holiday shut"
    assert beyond_weekdays([(MONDAY, 0.0)], 0.0, WEEK) == (1.0, [])


@pytest.mark.parametrize(
    ("moved", "model", "english", "chinese"),
    [
        ([["on_offer", ["2026-03-02"], 1.8, True]], "level_filter", "80% more expected, as with", "多卖 80%"),
        ([["on_offer", ["2026-03-02"], 1.02, True]], "level_filter", "little more expected", "几乎不会多卖"),
        ([["on_offer", ["2026-03-09"], 1.8, True]], "level_filter", "the effect is not known yet", "尚不可知"),
        ([], "level_filter", "the effect is not known yet", "尚不可知"),
        ([["price", ["2026-03-03", "2026-03-09"], 0.7, False]], "level_filter", "sales are 30% lower", "少卖 30%"),
        ([["price", ["2026-03-03", "2026-03-09"], 1.3, True]], "level_filter", "9: 30% more expected", "多卖 30%"),
        ([["on_offer", ["2026-03-02"], 1.8, True]], "mean_28", None, None),
    ],
)  # fmt: skip
def test_what_an_offer_or_a_price_is_expected_to_bring_is_said_as_far_as_it_is_known(
    house, moved, model, english, chinese
):
    """The mean of four weeks knows nothing of offers, and says nothing of them."""
    for language, wanted in (("en", english), ("zh", chinese)):
        with house.app.test_request_context(f"/?lang={language}"):
            house.app.preprocess_request()
            said = " ".join(forecast_sentences(seen(model=model, moved=moved), str))
        assert wanted in said if wanted else "Half price" not in said


@pytest.mark.parametrize("language", ["en", "zh"])
def test_level_weekday_season_campaign_empty_shelf_region_and_method_are_said(house, language):
    first, last = MONDAY + dt.timedelta(days=7), MONDAY + dt.timedelta(days=9)
    facts = seen(empty=2, common=1.2, d3=0.5, d8=3.0, campaigns=[("Spring", first, last, 3.0)], watched="drifts:smooth")
    wanted = {
        "en": ["About 10 ", "Saturday (1.4 times", "raise demand by 20%",
               "Thu, Mar 5 is a special day: 0.5 times",
               "Spring: 3 times the usual sales expected from Mon, Mar 9",
               "Half price, Mon, Mar 2 to",
               "On 2 days shown, the shelf was empty", "the product's sales", "30% of it", "Method: a level", "Check"],
        "zh": ["约卖 10", "星期六", "多卖 20%", "3月5日周四 是特殊的一天", "“Spring”活动", "“Half price”优惠",
               "有 2 天货架曾经空着",
               "本店自己的销售", "其中 30%", "方法：", "上周"],
    }  # fmt: skip
    with house.app.test_request_context(f"/?lang={language}"):
        house.app.preprocess_request()
        said = forecast_sentences(facts, lambda units: f"{units:g} ")
    assert [part for part in wanted[language] if not any(part in one for one in said)] == [], said
    assert sum("Mar 10" in one or "3月10日" in one for one in said) == 0, "a campaign's day is not said twice"


AROUND = [
    ["school holidays", ["2026-03-02", "2026-03-06"], 0.88, True],
    ["temperature", ["2026-03-05"], 1.5, True],
    ["temperature", ["2026-03-07"], 0.9, False],
    ["rain", ["2026-03-10", "2026-03-11"], 1.07, False],
]


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", ["School holidays on weekdays from Mon, Mar 2 to Fri, Mar 6: 12% less expected.",
                "Warmer than usual (Thu, Mar 5): 50% more expected.",
                "Colder than usual (Sat, Mar 7): 10% less expected.",
                "Drier than usual (Tue, Mar 10, Wed, Mar 11): 7% more expected."]),
        ("zh", ["学校放假（3月2日周一至3月6日周五的工作日）：预计少卖 12%。",
                "比平时热（3月5日周四）：预计多卖 50%。",
                "比平时冷（3月7日周六）：预计少卖 10%。", "比平时干（3月10日周二，3月11日周三）：预计多卖 7%。"]),
    ],
)  # fmt: skip
def test_what_school_holidays_and_weather_make_of_days_is_said_once(house, language, wanted):
    with house.app.test_request_context(f"/?lang={language}"):
        house.app.preprocess_request()
        said = forecast_sentences(seen(d3=1.5, moved=AROUND), str)
        even = forecast_sentences(seen(model="mean_28", moved=AROUND), str)
    assert [one for one in wanted if one not in said] == [], said
    assert sum("Mar 5" in one or "3月5日" in one for one in said) == 1, "no day of its own, too"
    assert not set(wanted) & set(even)


def test_of_an_even_forecast_no_weekday_or_season_is_said(house):
    with house.app.test_request_context("/?lang=en"):
        house.app.preprocess_request()
        said = forecast_sentences(seen(model="mean_28", reason="fell_back", watched="fell_back:smooth"), str)
        for_all = watched_sentences("fell_back:smooth,drifts:lumpy")
    assert said[0].startswith("About ")
    assert not any("Saturday" in one or "days ahead" in one for one in said)
    assert any("Method: the four-week average, the same every" in one for one in said)
    assert [one.split(" ")[0] for one in for_all] == ["For", "Last"]
    assert forecast_sentences({"why": {}}, str) == []
