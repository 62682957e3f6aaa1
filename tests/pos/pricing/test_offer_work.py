"""The work of finding the best of 200 offers for 60 lines, counted in lines of the program, not in time."""

import datetime as dt
import random
import sys
from types import FrameType
from typing import Any

import pytest

from pos.pricing import packing, promises, promotions
from pos.pricing.promises import Choice, Offer, Part
from pos.pricing.promotions import OfferLine, Offers, best
from tests.benchmarks.promotions import AT, LINES, OFFERS, PRODUCTS, line, offer, product

ENGINE = {module.__file__ for module in (packing, promises, promotions)}
BASKETS = 5


def work(basket: list[OfferLine], ready: Offers) -> int:
    """Count the lines the engine runs for a basket."""
    count = 0

    def step(frame: FrameType, event: str, _fact: Any) -> Any:
        nonlocal count
        count += event == "line"
        return step

    def enter(frame: FrameType, _event: str, _fact: Any) -> Any:
        return step if frame.f_code.co_filename in ENGINE else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        best(basket, ready, at=AT, member=True, coupons=frozenset({"CODE199", "CODE181"}))
    finally:
        sys.settrace(before)
    return count


def of_a_store(number: int, *, tangled: bool = False) -> tuple[list[list[OfferLine]], list[Offer]]:
    """Return baskets and offers as the measurement has them."""
    dice = random.Random(5)
    shelf = [product(rank) for rank in range(PRODUCTS)]
    offers = [offer(dice, n, tangled=tangled) for n in range(number)]
    return [[line(dice, k, shelf) for k in range(LINES)] for _ in range(BASKETS)], offers


@pytest.mark.parametrize(("tangled", "most"), [(False, 30_000), (True, 120_000)], ids=["store", "tangled"])
def test_a_basket_of_60_lines_and_200_offers_takes_no_more_steps_than_its_budget(tangled: bool, most: int):
    baskets, offers = of_a_store(OFFERS, tangled=tangled)
    ready = Offers(offers, day=AT.date())
    assert max(work(basket, ready) for basket in baskets) <= most


def test_offers_on_what_nobody_bought_cost_no_step():
    baskets, offers = of_a_store(OFFERS)
    elsewhere = [
        Offer(f"other{n}", f"Other {n}", "percent", (Part(Choice(skus=frozenset({f"other{n}"}))),), percent_bp=1000)
        for n in range(5 * OFFERS)
    ]
    alone, beside = (Offers(many, day=dt.date(2026, 3, 6)) for many in (offers, offers + elsewhere))
    assert [work(basket, beside) for basket in baskets] == [work(basket, alone) for basket in baskets]
