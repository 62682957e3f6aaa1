"""A campaign asks, and only a yes changes a store: its offers, its slots, its orders; then it is measured and paid."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, Refused
from config.nodes.journal import Context
from config.nodes.node import Peer
from pos.catalogue import offers
from pos.store.store import Region, Store
from supply.demand import forecast_store, forecasts, known_events
from supply.demand.campaign_uplift import CampaignAsk, CampaignLine
from supply.demand.history import DailyDemand, StoreDay
from supply.money import ledger
from supply.network.offers import campaign_requests, campaigns
from supply.network.offers.campaigns import CampaignTerms
from supply.shelf import plan as shelf_plan
from supply.sync import checks
from tests.arriving import hear
from tests.supply.online_store import ANA, AT, STORE, later, make_town

TODAY = AT.date()
FIRST, LAST = TODAY + dt.timedelta(days=5), TODAY + dt.timedelta(days=8)
BEER = CampaignLine("beer", "Beer", 2_000, slot=True, uplift_bp=5_000)


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    with town.store.write() as session:
        for n in range(1, 29):
            session.add(DailyDemand(store_id=STORE, sku="beer", business_day=TODAY - dt.timedelta(days=n), sold_qty=8,
                                    sales=8, revenue_minor=1))  # fmt: skip
        plan = shelf_plan.ShelfPlan(store_id=STORE, id="old", state="live", from_day=TODAY - dt.timedelta(days=30),
                               drafted_at=AT, based_on_day=TODAY - dt.timedelta(days=1))  # fmt: skip
        session.add(plan)
        session.flush()
        for n, (sku, score) in enumerate((("bread", 9), ("tea", 1)), 1):
            slot = {"slot": n, "sku": sku, "name": sku, "facings": 2, "fill_qty": 12, "score": score, "why": {}}
            session.add(shelf_plan.ShelfSlot(store_id=STORE, plan_id="old", **slot))
    return town


def planned_for(town, *stores, **more):
    given = {"lines": (BEER,), "fee_minor": 4_000, "hold_out_bp": 0, "answer_by": FIRST - dt.timedelta(days=1)} | more
    terms = CampaignTerms("campaign-0001", "11/11", "Beer for the match.", from_day=FIRST, until_day=LAST, **given)
    with town.network.write() as session:
        made = campaigns.plan(Context(session, ANA, AT), terms, stores or (STORE,))
    town.deliver()
    return made


def answer(town, yes=True, at=AT):
    with town.store.write() as session:
        if yes:
            campaign_requests.accept(Context(session, ANA, at), STORE, "campaign-0001")
        else:
            campaign_requests.decline(Context(session, ANA, at), STORE, "campaign-0001", why="No room.")
    town.deliver(seed=1, at=at)


def day_comes(town, day):
    at = later(days=(day - TODAY).days)
    with town.store.write() as session:
        campaign_requests.carry_out(Context(session, ANA, at), STORE)
    town.deliver(at=at)


def stands(town):
    with town.store.read() as session:
        return [row.sku for row in shelf_plan.slots_of(session, shelf_plan.live_plan(session, STORE))]


def extra(town, day, *, in_use=False):
    """Return what is spoken for until a day: beside the published forecast, or where it is not in use."""
    with town.store.read() as session:
        run = forecasts.published(session, "store", STORE) if in_use else None
        return known_events.until(session, STORE, day, beside=run.id if run else None).get("beer", 0)


def state(town):
    found = []
    for database in (town.store, town.network):
        with database.read() as session:
            found.append(session.get_one(CampaignAsk, (STORE, "campaign-0001")).state)
    return tuple(found)


def test_nothing_happens_without_a_yes_and_silence_is_a_no(town):
    planned_for(town)
    day_comes(town, FIRST)
    assert state(town) == ("expired", "expired")
    assert (stands(town), extra(town, LAST)) == (["bread", "tea"], 0)
    with town.store.read() as session:
        assert len(offers.live(session, STORE, FIRST)) == 0


def test_a_no_tells_why_and_cannot_be_turned(town):
    planned_for(town)
    answer(town, yes=False)
    assert state(town) == ("declined", "declined")
    with pytest.raises(Conflict), town.store.write() as session:
        campaign_requests.accept(Context(session, ANA, AT), STORE, "campaign-0001")
    with town.network.read() as session:
        assert session.get_one(CampaignAsk, (STORE, "campaign-0001")).answered_why == "No room."


def test_a_yes_makes_the_offer_the_goods_and_the_slots_for_its_days_alone(town):
    planned_for(town)
    answer(town)
    assert (extra(town, FIRST), extra(town, LAST)) == (4, 16)  # 8 a day, half as many more, four days
    with town.store.read() as session:
        assert [len(offers.live(session, STORE, day)) for day in (TODAY, FIRST, LAST)] == [0, 1, 1]
    assert stands(town) == ["bread", "tea"]
    day_comes(town, FIRST + dt.timedelta(days=1))
    assert (stands(town), extra(town, LAST)) == (["bread", "beer"], 12)  # the day gone by is out
    day_comes(town, LAST + dt.timedelta(days=1))
    assert (stands(town), extra(town, LAST)) == (["bread", "tea"], 0)


def test_the_fee_is_paid_once_for_the_days_the_slots_stood(town):
    planned_for(town)
    answer(town)
    day_comes(town, FIRST + dt.timedelta(days=1))  # a day late: three of four days
    day_comes(town, LAST + dt.timedelta(days=1))
    town.hear(at=later(days=10))
    for _ in range(2):
        settle(town)
    assert state(town) == ("over", "over")
    for database in (town.store, town.network):
        with database.read() as session:
            assert session.get_one(CampaignAsk, (STORE, "campaign-0001")).paid_minor == 3_000
    with town.network.read() as session:
        assert ledger.balances(session, STORE)["shelf"] in (3_000, -3_000)
        assert checks.findings(session, STORE) == []


def settle(town, day=0):
    with town.network.write() as session:
        campaigns.settle_due(Context(session, ANA, later(days=8 + campaigns.SETTLE_DAYS + day)))
    town.deliver()


def paid(town):
    found = []
    for database in (town.store, town.network):
        with database.read() as session:
            found.append(session.get_one(CampaignAsk, (STORE, "campaign-0001")).paid_minor)
    return tuple(found)


@pytest.mark.parametrize("knows_the_yes", [True, False])
def test_a_shop_that_was_cut_off_is_paid_what_it_carried_out_once_it_is_heard(town, knows_the_yes):
    planned_for(town)
    if knows_the_yes:
        answer(town)
    wire, town.deliver = town.deliver, lambda **_: 0
    if not knows_the_yes:
        answer(town)
    day_comes(town, FIRST)
    day_comes(town, LAST + dt.timedelta(days=1))
    settle(town)
    assert paid(town) == (None, None), "nothing is known of its shelf yet"
    town.deliver = wire
    town.hear(at=later(days=20))
    for day in (12, 13):
        settle(town, day)
    assert (state(town), paid(town)) == (("over", "over"), (4_000, 4_000))
    with town.network.read() as session:
        assert ledger.balances(session, STORE)["funds"] == -4_000
        assert checks.findings(session, STORE) == []


@pytest.mark.parametrize("knows_the_yes", [True, False])
def test_called_off_while_a_shop_is_cut_off_it_is_paid_what_stood_until_it_heard(town, knows_the_yes):
    planned_for(town)
    if knows_the_yes:
        answer(town)
    wire, town.deliver = town.deliver, lambda **_: 0
    if not knows_the_yes:
        answer(town)
    call_off(town)
    day_comes(town, FIRST)
    town.deliver = wire
    town.deliver(at=later(days=7))  # the third of four days: the store clears its shelf
    assert stands(town) == ["bread", "tea"]
    settle(town)
    assert paid(town) == (None, None), "what it wrote until the end is not all here"
    town.hear(at=later(days=20))
    for day in (12, 13):
        settle(town, day)
    assert (state(town), paid(town)) == (("over", "over"), (2_000, 2_000))
    with town.network.read() as session:
        assert ledger.balances(session, STORE)["funds"] == -2_000
        assert checks.findings(session, STORE) == []


def call_off(town):
    with town.network.write() as session:
        campaigns.call_off(Context(session, ANA, later(days=5)), "campaign-0001")


def test_called_off_everything_ends_at_once(town):
    planned_for(town)
    answer(town)
    day_comes(town, FIRST)
    town.hear(at=later(days=5))
    call_off(town)
    town.deliver(at=later(days=5))
    assert state(town) == ("withdrawn", "withdrawn")
    assert (stands(town), extra(town, LAST)) == (["bread", "tea"], 0)
    with town.store.read() as session:
        assert len(offers.live(session, STORE, FIRST)) == 0


def test_a_share_of_the_shops_is_held_out_by_lot_and_is_the_control(town):
    names = [f"X{n:02d}" for n in range(8)]
    with town.network.write() as session:
        session.add_all(
            Store(id=name, name=name, slug=name.lower(), region_id="R1", currency="CNY", tz="UTC", joined_at=AT)
            for name in names
        )
    made = planned_for(town, *names, hold_out_bp=5_000, fee_minor=0)
    assert len(made.held_out) == 4
    with town.network.write() as session:
        asked = campaigns.asks_of(session, made.id)
        assert sorted([*made.held_out, *(ask.store_id for ask in asked)]) == names
        for ask in asked:
            hear(session, "campaign.answered", {"store_id": ask.store_id, "campaign_id": made.id, "state": "accepted",
                                            "why": ""}, at=AT)  # fmt: skip
        for name in names:
            session.add(Peer(id=name, epoch="", nonce="", heard_at=later(days=10), alarm=None))
            for n in range(-4, 4):
                more = 1.5 if n >= 0 and name not in made.held_out else 1.0
                sold = round((100 + 3 * names.index(name)) * more)
                session.add(DailyDemand(store_id=name, sku="beer", business_day=FIRST + dt.timedelta(days=n),
                                        sold_qty=sold, sales=sold, revenue_minor=1))  # fmt: skip
        session.flush()
        found = campaigns.outcome(session, made, LAST)
        assert (found.days, found.effect.claimed, round(found.effect.effect, 1)) == (4, True, 0.5)
        campaigns.settle_due(Context(session, ANA, later(days=8 + campaigns.SETTLE_DAYS)))
        usual = campaigns.usual_uplift_bp(session)
        assert campaigns.USUAL_BP < usual < 5_000  # drawn towards what is usual, for it is one campaign alone
        reported = session.get_one(CampaignAsk, (asked[0].store_id, made.id))
        assert (reported.state, round(reported.effect["effect"], 1)) == ("over", 0.5)


def test_what_is_expected_of_the_next_campaign_is_bounded(town):
    with town.network.write() as session:
        for n, effect in enumerate([9.0, 12.0, 8.0, 10.0] * 3):
            session.add(
                campaigns.Campaign(id=f"past-{n}", name="x", why="x", from_day=FIRST, until_day=LAST, answer_by=FIRST,
                                   lines=[], fee_minor=0, hold_out_bp=0, held_out=[], state="over", made_at=AT,
                                   effect={"effect": effect, "low": effect, "high": effect})
            )  # fmt: skip
        session.flush()
        assert campaigns.usual_uplift_bp(session) == campaigns.MOST_USUAL_BP


def forecast_of(town, day):
    """Forecast the night after a day; returns what each of the coming days is expected to sell of beer."""
    with town.store.write() as session:
        computed = forecasts.compute_store(forecasts.load_store(session, STORE, day))
        forecast_store.store_store(Context(session, ANA, AT), computed)
    row = computed.forecast.keys.index((STORE, "beer"))
    return computed.forecast.mean[row]


def test_the_forecast_expects_the_campaign_and_orders_carry_it_once(town):
    with town.store.write() as session:
        for n in range(1, 29):
            session.add(StoreDay(store_id=STORE, business_day=TODAY - dt.timedelta(days=n), open=True, sales=8,
                                 revenue_minor=1))  # fmt: skip
    plain = forecast_of(town, TODAY - dt.timedelta(days=1))
    planned_for(town)
    answer(town)
    assert (extra(town, LAST), extra(town, LAST, in_use=True)) == (16, 16)
    with_it = forecast_of(town, TODAY - dt.timedelta(days=1))
    during = slice((FIRST - TODAY).days, (LAST - TODAY).days + 1)
    assert with_it[during] == pytest.approx(1.5 * plain[during])
    assert with_it[: during.start] == pytest.approx(plain[: during.start])
    assert with_it[during.stop :] == pytest.approx(plain[during.stop :])
    assert (extra(town, LAST), extra(town, LAST, in_use=True)) == (16, 0), "never twice, and in one of both places"
    with town.store.read() as session:
        (reported,) = forecasts.as_seen(session, STORE, "beer")["why"]["campaigns"]
        assert reported[1:] == (FIRST, LAST, 1.5), "and the product's page says so"
    forecast_of(town, TODAY)
    assert extra(town, LAST, in_use=True) == 0, "the next night's carries it too"
    day_comes(town, FIRST + dt.timedelta(days=1))
    assert (extra(town, LAST), extra(town, LAST, in_use=True)) == (12, 0), "the day gone by is out"
    day_comes(town, LAST + dt.timedelta(days=1))
    assert extra(town, LAST) == 0


def test_sales_of_a_campaign_do_not_raise_what_an_ordinary_day_is_expected_to_sell(town):
    planned_for(town)
    answer(town)
    with town.store.write() as session:
        for n in range(-28, 9):
            day = TODAY + dt.timedelta(days=n)
            sold = 12 if FIRST <= day <= LAST else 8
            if n >= 0:
                session.add(DailyDemand(store_id=STORE, sku="beer", business_day=day, sold_qty=sold, sales=sold,
                                        revenue_minor=1))  # fmt: skip
            session.add(StoreDay(store_id=STORE, business_day=day, open=True, sales=sold, revenue_minor=1))
    after = forecast_of(town, LAST)
    assert after[:7].mean() == pytest.approx(8, rel=0.1)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"answer_by": FIRST}, "bad-campaign-days"),
        ({"lines": ()}, "bad-campaign-lines"),
        ({"lines": (BEER, BEER)}, "bad-campaign-lines"),
        ({"lines": (CampaignLine("beer", "Beer", 0, slot=False, uplift_bp=0),)}, "bad-campaign-fee"),
        ({"answer_by": TODAY - dt.timedelta(days=1)}, "bad-day"),
    ],
)
def test_terms_nobody_could_answer_are_refused(town, wrong, code):
    with pytest.raises((Invalid, Refused)) as refused:
        planned_for(town, **wrong)
    assert refused.value.code == code
    with town.network.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CampaignAsk)) == 0
        assert session.get(Region, "R1") is not None
