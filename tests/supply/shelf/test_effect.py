"""The shelf measured: before and since in the store, against hold-outs over the region, and lists from outside."""

import datetime as dt

import numpy as np
import pytest
import sqlalchemy as sa

from config.errors import NotFound
from config.nodes.journal import Context
from pos.catalogue.catalogue import Barcode, Listing, Price, Product
from pos.store.store import Store
from supply.demand.history import DailyDemand, RegionalDemand
from supply.shelf import effect as shelf_effect
from supply.shelf import external_rankings, ranking
from supply.shelf import plan as shelf_plan
from supply.shelf.external_rankings import ExternalRank
from supply.shelf.plan import ShelfPlan, ShelfSlot
from tests.supply.online_store import ANA, AT, STORE, make_town
from tests.supply.shelf.test_shelf import TODAY, YESTERDAY, region_sold, store_sold, usual_month

BEGAN = TODAY - dt.timedelta(days=14)


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


def sold_in(session, store, sku, qty, first, until):
    for n in range((until - first).days):
        session.add(
            DailyDemand(store_id=store, sku=sku, business_day=first + dt.timedelta(days=n), sold_qty=qty,
                        revenue_minor=qty * 100, sales=qty)
        )  # fmt: skip


def with_shelf(session, store, from_day=BEGAN):
    session.add(
        ShelfPlan(store_id=store, id="p", state="live", from_day=from_day, drafted_at=AT, based_on_day=from_day)
    )
    session.flush()
    session.add(ShelfSlot(store_id=store, plan_id="p", slot=1, sku="milk", name="Milk", facings=2, fill_qty=12, score=1,
                          why={}))  # fmt: skip


def test_a_slot_tells_what_its_product_sold_before_and_since(town):
    with town.store.write() as session:
        with_shelf(session, STORE)
        sold_in(session, STORE, "milk", 4, BEGAN - dt.timedelta(days=28), BEGAN)
        sold_in(session, STORE, "milk", 6, BEGAN, TODAY)
        session.get(Listing, (STORE, "milk")).cost_minor = 60
        session.flush()
        (alone,) = shelf_effect.slot_results(session, STORE, YESTERDAY)
        for n, day in enumerate(BEGAN + dt.timedelta(days=n) for n in range(-28, 14)):
            own, others = (4, 10) if n < 28 else (6, 11)  # elsewhere a tenth more since
            region_id = session.get_one(Store, STORE).region_id
            session.add(RegionalDemand(region_id=region_id, sku="milk", business_day=day, sold_qty=own + 5 * others,
                                       stores_open=6, revenue_minor=0, stores_selling=6))  # fmt: skip
        session.flush()
        (slot,) = shelf_effect.slot_results(session, STORE, YESTERDAY)
    assert (alone.elsewhere_bp, slot.elsewhere_bp) == (None, 11_000)
    assert (slot.before_milli, slot.since_milli) == (4000, 6000)
    assert slot.contribution_minor == 14 * 6 * (100 - 60)
    assert (slot.revenue_per_facing_minor, slot.contribution_per_facing_minor) == (14 * 6 * 50, 14 * 6 * 20)


def region_of(session, *, shelves, holdouts, gain, first=0):
    dice = np.random.default_rng(5)
    for n in range(shelves + holdouts):
        store = f"X{first + n:02d}"
        session.add(Store(id=store, name=store, slug=store, region_id="R1", currency="CNY", tz="UTC", joined_at=AT))
        session.flush()
        if n < shelves:
            with_shelf(session, store)
        base = 5 * int(dice.integers(8, 12))
        sold_in(session, store, "milk", base, BEGAN - dt.timedelta(days=14), BEGAN)
        sold_in(
            session, store, "milk", round(base * (1 + gain * (n < shelves))) + int(dice.integers(0, 2)), BEGAN, TODAY
        )
    session.flush()


def test_the_effect_is_what_the_shops_with_a_shelf_gained_beyond_those_without(town):
    with town.network.write() as session:
        region_of(session, shelves=8, holdouts=8, gain=0.2)
        (effect,) = shelf_effect.region_effects(session, YESTERDAY)
    assert effect.effect.low <= 0.2 <= effect.effect.high
    assert effect.effect.claimed
    assert (effect.with_shelf, effect.compliance_bp, effect.days) == (8, 10_000, 14)


def test_a_region_s_shelves_take_as_many_questions_however_many_there_are(town):
    asked, counts = [], []
    sa.event.listen(town.network.engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    for n, (shelves, holdouts) in enumerate(((3, 3), (9, 7))):
        with town.network.write() as session:
            region_of(session, shelves=shelves, holdouts=holdouts, gain=0.2, first=10 * n)
            asked.clear()
            assert shelf_effect.region_effects(session, YESTERDAY)[0].effect is not None
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_shelf_is_kept_to_as_far_as_its_products_sold_in_the_last_week(town):
    with town.network.write() as session:
        region_of(session, shelves=2, holdouts=0, gain=0.2)
        session.add(ShelfSlot(store_id="X00", plan_id="p", slot=2, sku="tea", name="Tea", facings=1, fill_qty=6,
                              score=1, why={}))  # fmt: skip
        sold_in(session, "X00", "tea", 4, BEGAN, TODAY - dt.timedelta(days=7))
        session.flush()
        (effect,) = shelf_effect.region_effects(session, YESTERDAY)
    assert effect.compliance_bp == (5_000 + 10_000) // 2


@pytest.mark.parametrize(("shelves", "holdouts"), [(8, 2), (2, 8), (0, 8)])
def test_without_enough_shops_on_both_sides_nothing_is_said(town, shelves, holdouts):
    with town.network.write() as session:
        region_of(session, shelves=shelves, holdouts=holdouts, gain=0.2)
        (effect,) = shelf_effect.region_effects(session, YESTERDAY)
    assert effect.effect is None


# --- the ranking's further sources ---


def listed(session, place=1, gtin="4006381333931", name="Brown bread", source="Market", day=YESTERDAY):
    return external_rankings.add(Context(session, ANA, AT), source, day, place, name, gtin)


def test_an_outside_list_lifts_what_it_names_and_the_reason_says_so(town):
    with town.store.write() as session:
        usual_month(session)
        before = next(one for one in ranking.rank(session, STORE, day=YESTERDAY, price_day=TODAY) if one.sku == "bread")
        listed(session)
        session.flush()
        after = next(one for one in ranking.rank(session, STORE, day=YESTERDAY, price_day=TODAY) if one.sku == "bread")
    assert before.score < after.score <= before.score * 5 // 4
    assert (after.why["outside"], after.why["external_rank"]) == ("Market", 1)


def test_what_no_code_matches_waits_and_a_match_by_hand_holds_for_later_lists(town):
    with town.store.write() as session:
        listed(session, gtin="", name="Oolong")
        session.flush()
        assert [row.name for row in external_rankings.unmatched(session, YESTERDAY)] == ["Oolong"]
        assert external_rankings.match(Context(session, ANA, AT), "Market", "Oolong", "tea") == 1
        session.flush()
        assert listed(session, gtin="", name="Oolong", day=TODAY).sku == "tea"
        with pytest.raises(NotFound):
            external_rankings.match(Context(session, ANA, AT), "Market", "Oolong", "nothing")


def test_a_code_is_the_same_with_other_leading_zeros_and_a_barcode_typed_names_the_product(town):
    with town.store.write() as session:
        session.add(Barcode(code="012345678905", sku="tea", qty=1))
        session.flush()
        assert listed(session, gtin="0012345678905", name="Tea").sku == "tea"
        listed(session, place=2, gtin="", name="Oolong")
        session.flush()
        assert external_rankings.match(Context(session, ANA, AT), "Market", "Oolong", "0012345678905") == 1
        assert session.get_one(ExternalRank, ("Market", YESTERDAY, 2)).sku == "tea"


def test_for_a_listed_name_the_products_that_share_its_words_are_offered(town):
    with town.store.write() as session:
        session.get_one(Product, "tea").search_text = "green tea"
        session.get_one(Product, "bread").search_text = "rye bread"
        session.add(Product(sku="ya", name="鸭屎香柠檬茶", category="Drinks", search_text="鸭屎香柠檬茶",
                            tax_class_id=session.get_one(Product, "tea").tax_class_id))  # fmt: skip
        session.flush()
        assert [one.sku for one in external_rankings.likely(session, "Green tea, bottle 500 ml")] == ["tea"]
        assert [one.sku for one in external_rankings.likely(session, "柠檬茶 500ml")] == ["ya"]
        assert external_rankings.likely(session, "Dancing robot 3 in 1") == []


def test_a_list_counts_less_the_older_it_is_and_no_more_after_four_weeks(town):
    with town.store.write() as session:
        listed(session)
        session.flush()
        weights = [external_rankings.ranks(session, YESTERDAY + dt.timedelta(days=age)) for age in (0, 14, 28)]
    assert [next(iter(one.values())).weight_bp for one in weights[:2]] == [10_000, 5_000]
    assert weights[2] == {}


def test_what_fewer_than_five_shops_sold_is_no_reason_to_carry_it(town):
    with town.store.write() as session:
        session.get(Listing, (STORE, "tea")).active = False
        region_sold(session, "milk", 50)
        region_sold(session, "tea", 400, stores=4)
        store_sold(session, "milk", 5)
        session.flush()
        assert [one.sku for one in ranking.rank(session, STORE, day=YESTERDAY, price_day=TODAY)] == ["milk"]


def test_of_six_slots_one_is_a_trial_and_ends_after_two_weeks(town):
    with town.store.write() as session:
        for n in range(8):
            sku = f"new{n}"
            session.add(Product(sku=sku, name=sku, category="Food", tax_class_id="std", search_text=sku))
            session.flush()
            session.add(Price(sku=sku, scope_id="*", from_day=dt.date(2026, 1, 1), price_minor=300))
            region_sold(session, sku, 30, stores=6)
        for sku in ("bread", "milk", "tea", "beer"):
            region_sold(session, sku, 60, stores=6)
            store_sold(session, sku, 10)
        session.flush()
        plan = shelf_plan.draft(Context(session, ANA, AT), STORE, slots=6)
        trials = [row.sku for row in shelf_plan.slots_of(session, plan) if row.why.get("trial")]
        assert len(trials) == 1
        shown = {f"new{n}": 14 for n in range(8)} | dict.fromkeys(("bread", "milk", "tea", "beer"), 90)
        again = ranking.rank(session, STORE, day=YESTERDAY, price_day=TODAY, slots=6, shown_days=shown)
        assert not any(one.why.get("trial") for one in again)
