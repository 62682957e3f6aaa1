"""A network small enough for a test: four generated stores in two regions, forty products, ten weeks of sales."""

import datetime as dt
import random
from typing import Any

import pandas as pd

from store_app.demo.panel import CUT_OFF, DemoPanel
from store_app.demo.products import DemoProduct, barcodes, sku_of
from store_app.demo.stores import DemoStore, Region

DAYS = 70
PRODUCTS = 40
STORES = (("S01", "R1", True), ("S02", "R1", False), ("S03", "R2", True), ("S04", "R2", False))


def small_panel(seed: int = 5) -> DemoPanel:
    """Make the panel; the same seed, the same sales."""
    dice = random.Random(seed)
    first = CUT_OFF - dt.timedelta(days=DAYS)
    products = tuple(_product(rank) for rank in range(1, PRODUCTS + 1))
    prices = pd.DataFrame(
        [{"sku": product.sku, "from_day": first, "price_minor": _price(product)} for product in products]
    )
    history, replay = [], []
    for store_id, _, _ in STORES:
        for n in range(DAYS):
            day = first + dt.timedelta(days=n)
            history += [_sold(dice, store_id, product, day) for product in products if dice.random() < _chance(product)]
        for n in range(4):
            replay += _baskets(dice, store_id, products, CUT_OFF + dt.timedelta(days=n))
    return DemoPanel(
        regions=(Region("R1", "Hill"), Region("R2", "Harbour")),
        stores=tuple(
            DemoStore(id=store_id, name=f"Store {store_id}", region_id=region_id, panel_stores=(n,), slug=f"shop-{n}",
                 address=f"{n} Main Street", baskets_per_day=8.0, is_live=live)
            for n, (store_id, region_id, live) in enumerate(STORES, start=1)
        ),
        products=products,
        prices=prices,
        history=pd.DataFrame(history),
        first_day=first,
        cut_off=CUT_OFF,
        last_day=CUT_OFF + dt.timedelta(days=3),
        figures={"history_lines": len(history)},
        replay=pd.DataFrame(replay),
    )  # fmt: skip


def _product(rank: int) -> DemoProduct:
    gtin, case = barcodes(rank)
    weighed, aged = rank % 10 == 3, rank == 7
    return DemoProduct(
        sku=sku_of(rank), name=f"Product {rank}", category=f"Category {rank % 5}", department=f"Category {rank % 3}",
        pack_text="1 kg" if weighed else "1 l", stock_unit="gram" if weighed else "each",
        price_quantity=1000 if weighed else 1, minimum_age=21 if aged else None,
        tax_class="general" if rank % 4 == 0 else "food", gtin=gtin, case_gtin=case,
        pack_qty=5000 if weighed else 6, pack_cost_minor=1500 if weighed else 400 + 10 * rank,
        panel_category="", panel_type="",
    )  # fmt: skip


def _price(product: DemoProduct) -> int:
    return 499 if product.stock_unit == "gram" else 99 + 20 * int(product.sku[1:])


def _chance(product: DemoProduct) -> float:
    return 0.9 / (1 + int(product.sku[1:]) / 10)


def _qty(dice: random.Random, product: DemoProduct) -> int:
    return dice.randrange(200, 1500, 5) if product.stock_unit == "gram" else dice.choice((1, 1, 1, 2, 3))


def _sold(dice: random.Random, store_id: str, product: DemoProduct, day: dt.date) -> dict[str, Any]:
    qty = _qty(dice, product) * (1 + (day.weekday() >= 5))
    money = qty * _price(product) // product.price_quantity
    return {"store_id": store_id, "sku": product.sku, "business_day": day, "sold_qty": qty, "revenue_minor": money,
            "sales": 1}  # fmt: skip


def _baskets(
    dice: random.Random, store_id: str, products: tuple[DemoProduct, ...], day: dt.date
) -> list[dict[str, Any]]:
    rows = []
    for n in range(8):
        at = dt.datetime.combine(day, dt.time(13 + n), tzinfo=dt.UTC) + dt.timedelta(minutes=dice.randrange(60))
        for line, product in enumerate(dice.sample(products, 4)):
            rows.append(
                {"basket_id": f"{store_id}{day:%m%d}{n:02d}", "store_id": store_id, "business_day": day, "at": at,
                 "line": line, "sku": product.sku, "qty": _qty(dice, product)}
            )  # fmt: skip
    return rows
