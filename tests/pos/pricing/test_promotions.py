"""The best result for the customer: every kind of offer, and what must hold whatever the basket."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos.pricing import packing
from pos.pricing.promises import Offer, Part
from pos.pricing.promotions import Applied, OfferLine, Offers, best
from tests.pos.offer_baskets import (
    MONDAY,
    apply,
    basket_offers,
    baskets,
    line,
    lines,
    of,
    offer,
    product_offers,
    renumbered,
    saved,
    try_everything,
    weighed,
)

TEA_10 = offer("ten", "percent", of("tea"), percent_bp=1000)


def by_line(applied: Applied) -> dict[int, int]:
    return {n: sum(saving.amount_minor for saving in savings) for n, savings in applied.lines.items()}


# --- every kind ---


@pytest.mark.parametrize(
    ("basket", "promised", "saving"),
    [
        (lines(("tea", 3, 99)), TEA_10, 30),
        (lines(("tea", 2, 450)), offer("o", "amount", of("tea"), amount_minor=50), 100),
        (lines(("tea", 1, 30)), offer("o", "amount", of("tea"), amount_minor=50), 30),
        (lines(("tea", 2, 450)), offer("o", "price", of("tea"), amount_minor=399), 102),
        (lines(("tea", 2, 350)), offer("o", "price", of("tea"), amount_minor=399), 0),
        (lines(("ale", 3, 99)), offer("o", "nth", of("ale"), size=3, percent_bp=10_000), 99),
        (lines(("ale", 2, 99)), offer("o", "nth", of("ale"), size=3, percent_bp=10_000), 0),
        (lines(("ale", 1, 500), ("cup", 3, 9)), offer("o", "nth", of(category="drinks"), size=2, percent_bp=5000), 10),
        (lines(("ale", 1, 5), ("ale", 5, 9)), offer("o", "nth", of(), size=3, reduced=2, percent_bp=10_000), 32),
        (lines(("ale", 7, 100)), offer("o", "pack_price", of("ale"), size=3, amount_minor=250), 100),
        (
            lines(("ale", 1, 150), ("bun", 2, 300), ("dip", 1, 99)),
            offer("o", "bundle", [Part(of("ale", "cup")), Part(of("bun")), Part(of("dip"))], amount_minor=499),
            50,
        ),
        (
            lines(("bun", 2, 300), ("ale", 1, 150), ("cup", 1, 200)),
            offer("o", "together", [Part(of("bun"), 2), Part(of(category="drinks"), 1, 10_000)]),
            200,
        ),
        (lines(("ale", 1, 3000)), offer("o", "basket_amount", of(), amount_minor=500, minimum_minor=3000), 500),
        (lines(("ale", 1, 2999)), offer("o", "basket_amount", of(), amount_minor=500, minimum_minor=3000), 0),
        ([weighed(0, "brie", 333, 1899)], offer("o", "percent", of(category="cheese"), percent_bp=2000), 126),
        ([weighed(0, "brie", 333, 1899)], offer("o", "price", of("brie"), amount_minor=1499), 133),
    ],
)  # fmt: skip
def test_each_kind_saves_what_it_says(basket: list[OfferLine], promised: Offer, saving: int) -> None:
    assert saved(basket, promised) == saving


def test_the_dearest_go_together_so_that_the_free_one_is_worth_most() -> None:
    third_free = offer("o", "nth", of(), size=3, percent_bp=10_000)
    assert saved(lines(("ale", 3, 100), ("cup", 3, 300)), third_free) == 400


def test_a_product_with_its_own_reduction_stays_out_of_a_pack_that_would_save_less() -> None:
    half = offer("half", "percent", of("cup"), percent_bp=5000)
    second = offer("second", "nth", of(category="drinks"), size=2, percent_bp=5000)
    applied = apply(lines(("cup", 2, 300), ("ale", 2, 100)), half, second)
    assert by_line(applied) == {0: 300, 1: 50}
    assert [one.name for one in applied.lines[0]] == ["Half"]


def test_two_packs_that_want_the_same_piece_are_weighed_against_each_other() -> None:
    pair = offer("pair", "pack_price", of("ale", "bun"), size=2, amount_minor=150)
    trio = offer("trio", "pack_price", of("bun", "cup", "dip"), size=3, amount_minor=240)
    basket = lines(("ale", 1, 100), ("bun", 1, 100), ("cup", 1, 100), ("dip", 1, 100))
    assert saved(basket, pair) == 50
    assert saved(basket, pair, trio) == 60


def test_a_limit_holds_and_falls_on_what_saves_most() -> None:
    one_each = offer("o", "percent", of(category="drinks"), percent_bp=5000, most_times=1)
    assert by_line(apply(lines(("ale", 3, 100), ("cup", 3, 300)), one_each)) == {0: 0, 1: 150}


def test_an_offer_for_so_many_units_reduces_the_dearest_pieces_and_of_weighed_goods_a_share() -> None:
    half = offer("o", "percent", of(), percent_bp=5000)
    pieces = apply(lines(("ale", 3, 100), ("cup", 2, 300)), half, left={"o": 3})
    assert (by_line(pieces), pieces.units) == ({0: 50, 1: 300}, {"o": 3})
    cheese = apply([weighed(0, "brie", 300, 2000), weighed(1, "edam", 400, 1000)], half, left={"o": 500})
    assert (by_line(cheese), cheese.units) == ({0: 300, 1: 100}, {"o": 500}), "300 g of one, 200 g of the other"
    assert saved([weighed(0, "brie", 300, 2000)], half, left={"o": 0}) == 0


def test_the_saving_of_a_pack_is_shared_by_price_and_names_its_offer() -> None:
    applied = apply(lines(("ale", 1, 300), ("cup", 1, 100)), offer("o", "pack_price", of(), size=2, amount_minor=299))
    assert by_line(applied) == {0: 76, 1: 25}
    assert {one.name for savings in applied.lines.values() for one in savings} == {"O"}


def test_offers_on_the_basket_come_on_what_is_left_and_only_stackable_ones_add_up() -> None:
    five = offer("five", "basket_percent", of(), percent_bp=500, stackable=True)
    ten = offer("ten", "basket_percent", of(), percent_bp=1000)
    coupon = offer("two", "basket_amount", of(), amount_minor=200)
    half = offer("half", "percent", of("ale"), percent_bp=5000)
    assert saved(lines(("ale", 1, 2000)), half, ten, coupon) == 1000 + 200
    assert saved(lines(("ale", 1, 2000)), half, five, ten, coupon) == 1000 + 50 + 200


def test_excepted_products_are_out() -> None:
    choice = of()
    without = type(choice)(everything=True, but_categories=frozenset(["bakery"]))
    applied = apply(lines(("ale", 1, 100), ("bun", 1, 100)), offer("o", "percent", without, percent_bp=1000))
    assert by_line(applied) == {0: 10, 1: 0}


# --- when and for whom ---


@pytest.mark.parametrize(
    ("terms", "at", "holds"),
    [
        ({"from_minute": 17 * 60, "until_minute": 19 * 60}, "2026-03-02 16:59", False),
        ({"from_minute": 17 * 60, "until_minute": 19 * 60}, "2026-03-02 17:00", True),
        ({"from_minute": 17 * 60, "until_minute": 19 * 60}, "2026-03-02 19:00", False),
        ({"from_minute": 22 * 60, "until_minute": 120, "weekdays": frozenset({0})}, "2026-03-02 22:00", True),
        ({"from_minute": 22 * 60, "until_minute": 120, "weekdays": frozenset({0})}, "2026-03-03 01:59", True),
        ({"from_minute": 22 * 60, "until_minute": 120, "weekdays": frozenset({0})}, "2026-03-02 01:00", False),
        ({"from_minute": 22 * 60, "until_minute": 120}, "2026-03-02 12:00", False),
        ({"weekdays": frozenset({5, 6})}, "2026-03-02 12:00", False),
        ({"weekdays": frozenset({0})}, "2026-03-02 12:00", True),
        ({"from_day": dt.date(2026, 3, 2), "until_day": dt.date(2026, 3, 3)}, "2026-03-03 23:59", True),
        ({"from_day": dt.date(2026, 3, 2), "until_day": dt.date(2026, 3, 3)}, "2026-03-04 00:00", False),
        ({"from_day": dt.date(2026, 3, 3)}, "2026-03-02 12:00", False),
    ],
)
def test_an_offer_holds_in_its_time_also_over_midnight(terms: dict[str, object], at: str, holds: bool) -> None:
    promised = offer("o", "percent", of(), percent_bp=1000, **terms)
    assert bool(saved(lines(("tea", 1, 100)), promised, at=dt.datetime.fromisoformat(at))) is holds


def test_a_late_shop_keeps_yesterdays_offers_until_its_day_is_over() -> None:
    until_monday = offer("o", "percent", of(), percent_bp=1000, until_day=MONDAY.date())
    one_at_night = dt.datetime.fromisoformat("2026-03-03 01:00")
    assert saved(lines(("tea", 1, 100)), until_monday, at=one_at_night) == 0
    ready = Offers([until_monday], day=MONDAY.date())
    assert best(lines(("tea", 1, 100)), ready, at=one_at_night, member=False).saved_minor == 10


def test_a_member_price_is_for_members() -> None:
    members = offer("o", "price", of("tea"), amount_minor=80, members_only=True)
    assert saved(lines(("tea", 1, 100)), members) == 0
    assert saved(lines(("tea", 1, 100)), members, member=True) == 20


def test_coupons_are_used_only_as_far_as_they_save() -> None:
    coupon = offer("o", "amount", of("tea"), amount_minor=50, most_times=1, codes=frozenset({"AAA", "BBB", "CCC"}))
    typed = frozenset({"bb-b", "AAA", "ZZZ"})
    assert saved(lines(("tea", 1, 100)), coupon) == 0
    one, three = (apply(lines(("tea", qty, 100)), coupon, coupons=typed) for qty in (1, 3))
    assert (one.saved_minor, one.coupons_used) == (50, {"AAA"})
    assert (three.saved_minor, three.coupons_used) == (100, {"AAA", "bb-b"})
    twice = offer("o", "amount", of("tea"), amount_minor=50, most_times=2, codes=frozenset({"AAA", "BBB"}))
    used = [apply(lines(("tea", qty, 100)), twice, coupons=typed).coupons_used for qty in (1, 2, 3, 9)]
    assert used == [{"AAA"}, {"AAA"}, {"AAA", "bb-b"}, {"AAA", "bb-b"}], "each for two pieces"
    better = offer("better", "amount", of("tea"), amount_minor=50)
    assert apply(lines(("tea", 1, 100)), coupon, better, coupons=typed).coupons_used == frozenset()


def test_a_markdown_is_bound_to_its_batch_or_day() -> None:
    today = MONDAY.date()
    soon = offer("soon", "percent", of(), percent_bp=5000, expires_within_days=1)
    basket = [line(n, "ale", expires_on=today + dt.timedelta(days=n - 1)) for n in range(4)] + [line(4, "ale")]
    assert by_line(apply(basket, soon)) == {0: 0, 1: 50, 2: 50, 3: 0, 4: 0}
    batch = offer("batch", "price", of("ale"), amount_minor=60, batch="B7")
    assert by_line(apply([line(0, "ale", batch="B7"), line(1, "ale", batch="B8")], batch)) == {0: 40, 1: 0}
    day = offer("day", "percent", of("ale"), percent_bp=3000, expires_on=today)
    assert by_line(apply([line(0, "ale", expires_on=today), line(1, "ale")], day)) == {0: 30, 1: 0}


# --- what must hold whatever the basket ---


@settings(max_examples=200, deadline=None)
@given(baskets(most_units=7), product_offers(most=3))
def test_nothing_that_can_be_done_with_the_offers_saves_more(basket: list[OfferLine], offers: list[Offer]) -> None:
    if sum(one.qty for one in basket) <= 7:
        assert saved(basket, *offers) == try_everything(basket, offers)


@settings(max_examples=150, deadline=None)
@given(baskets(), product_offers(), basket_offers(), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_offers_changes_nothing(
    basket: list[OfferLine], offers: list[Offer], whole: list[Offer], dice: object
) -> None:
    before = apply(basket, *offers, *whole)
    mixed, others = list(basket), [*offers, *whole]
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    dice.shuffle(others)  # type: ignore[attr-defined]
    after = apply(mixed, *others)
    assert after.lines == before.lines
    assert after.hints == before.hints


@settings(max_examples=150, deadline=None)
@given(baskets(), product_offers(), basket_offers())
def test_no_line_falls_below_zero_and_every_saving_is_more_than_nothing(
    basket: list[OfferLine], offers: list[Offer], whole: list[Offer]
) -> None:
    applied = apply(basket, *offers, *whole)
    assert applied.lines.keys() == {one.n for one in basket}
    for one in basket:
        savings = [saving.amount_minor for saving in applied.lines[one.n]]
        assert all(amount > 0 for amount in savings)
        assert sum(savings) <= one.amount_minor


@settings(max_examples=150, deadline=None)
@given(baskets(), product_offers(), basket_offers(), st.data())
def test_splitting_a_line_changes_nothing(
    basket: list[OfferLine], offers: list[Offer], whole: list[Offer], draw: st.DataObject
) -> None:
    parted: list[OfferLine] = []
    for one in basket:
        first = draw.draw(st.integers(0, one.qty))
        parted += [line(0, one.sku, qty, one.unit_minor) for qty in (first, one.qty - first) if qty]
    assert saved(renumbered(parted), *offers, *whole) == saved(basket, *offers, *whole)


@settings(max_examples=150, deadline=None)
@given(baskets(), product_offers(), basket_offers(), st.sampled_from(["ale", "bun", "cup", "dip"]))
def test_adding_a_line_that_is_free_never_makes_it_worse(
    basket: list[OfferLine], offers: list[Offer], whole: list[Offer], sku: str
) -> None:
    free = line(99, sku, 1, 0)
    assert saved([*basket, free], *offers, *whole) == saved(basket, *offers, *whole)


@settings(max_examples=150, deadline=None)
@given(baskets(most_units=9), product_offers(), baskets(most_units=3))
def test_more_in_the_basket_never_loses_a_saving_where_every_way_is_tried(
    basket: list[OfferLine], offers: list[Offer], more: list[OfferLine]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "BUDGET", 2_000_000)
        assert saved(renumbered([*basket, *more]), *offers) >= saved(basket, *offers)


@settings(max_examples=150, deadline=None)
@given(baskets(most_units=20, least_price=1), product_offers())
def test_a_hint_keeps_its_promise(basket: list[OfferLine], offers: list[Offer]) -> None:
    applied = apply(basket, *offers)
    prices = {one.sku: one.unit_minor for one in basket}
    for hint in applied.hints:
        more = [*basket, line(99, hint.sku, hint.missing_qty, prices[hint.sku])]
        assert saved(more, *offers) >= applied.saved_minor + hint.would_save_minor


def test_a_hint_says_what_is_missing() -> None:
    applied = apply(lines(("ale", 2, 99)), offer("o", "nth", of("ale"), size=3, percent_bp=10_000))
    assert [(hint.name, hint.missing_qty, hint.would_save_minor) for hint in applied.hints] == [("O", 1, 99)]
    assert not apply(lines(("ale", 3, 99)), offer("o", "nth", of("ale"), size=3, percent_bp=10_000)).hints


@pytest.mark.parametrize(("qty", "missing"), [(1, [2]), (2, [1]), (3, []), (5, [])])
def test_a_hint_is_given_as_often_as_its_offer_may_still_apply(qty: int, missing: list[int]) -> None:
    once = offer("once", "nth", of("ale"), size=3, percent_bp=10_000, most_times=1)
    applied = apply(lines(("ale", qty, 99), ("tea", 1, 100)), offer("a", "percent", of("tea"), percent_bp=1000), once)
    assert [hint.missing_qty for hint in applied.hints] == missing


# --- how far it is exact, and how long it takes ---


@settings(max_examples=100, deadline=None)
@given(baskets(most_units=30, least_price=1), product_offers())
def test_a_knot_too_long_to_walk_still_gives_no_less_than_any_one_offer(
    basket: list[OfferLine], offers: list[Offer]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "BUDGET", 0)
        assert saved(basket, *offers) >= max(saved(basket, one) for one in offers)


@pytest.mark.parametrize("qty", [1_000, 999_999])
def test_a_thousand_of_one_product_are_as_quick_as_one(qty: int) -> None:
    offers = [
        offer("trio", "nth", of("ale"), size=3, percent_bp=10_000),
        offer("pair", "pack_price", of(category="drinks"), size=2, amount_minor=150),
        offer("deal", "bundle", [Part(of("ale")), Part(of("bun"), 2)], amount_minor=250),
        offer("few", "percent", of(), percent_bp=2000, most_times=5),
    ]
    applied = apply(lines(("ale", qty, 100), ("bun", qty, 90), ("cup", qty, 80)), *offers)
    assert applied.saved_minor >= qty // 3 * 100


@given(st.integers(1, 400), st.integers(2, 4), st.integers(2, 4), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_long_runs_are_settled_as_if_every_piece_was_tried(qty: int, one: int, two: int, alone: int) -> None:
    first = offer("a", "nth", of(), size=one, percent_bp=10_000)
    second = offer("b", "pack_price", of("ale"), size=two, amount_minor=two * 70)
    single = offer("c", "amount", of(), amount_minor=max(1, alone))
    ways = [0] * (qty + 1)
    for n in range(1, qty + 1):
        ways[n] = ways[n - 1] + max(1, alone)
        if n >= one:
            ways[n] = max(ways[n], ways[n - one] + 100)
        if n >= two:
            ways[n] = max(ways[n], ways[n - two] + two * 30)
    assert saved(lines(("ale", qty, 100)), first, second, single) == ways[qty]
