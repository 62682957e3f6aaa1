"""Sharing out: never more than there is or than was ordered, by need, and with nothing to gain from asking for more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supply.network.warehouse.allocation import Claim, fair_share

claims = st.lists(
    st.builds(
        Claim,
        key=st.just(""),
        packs=st.integers(0, 30),
        need_packs=st.integers(0, 30),
        have_qty=st.integers(-20, 200),
        per_day=st.floats(0, 40),
        pack_qty=st.sampled_from([1, 6, 12]),
        on_round=st.sampled_from([True, True, True, False]),
    ),
    max_size=7,
).map(lambda found: [replace(claim, key=f"S{n}") for n, claim in enumerate(found)])


@given(st.integers(-3, 900), claims)
def test_never_more_than_there_is_and_never_more_than_was_ordered(available, wanted):
    shares = fair_share(available, wanted, 6)
    most = [claim.packs if claim.on_round else min(claim.packs, claim.need_packs) for claim in wanted]
    units = sum(share * claim.pack_qty for share, claim in zip(shares, wanted, strict=True))
    asked = sum(packs * claim.pack_qty for packs, claim in zip(most, wanted, strict=True))
    largest = max((claim.pack_qty for claim in wanted), default=1)
    assert max(0, min(available, asked)) - largest < units <= max(0, available)
    assert all(0 <= share <= packs for share, packs in zip(shares, most, strict=True))


@given(st.integers(0, 600), claims)
def test_one_pack_more_leaves_nobody_with_less(available, wanted):
    before, after = fair_share(available, wanted, 6), fair_share(available + 1, wanted, 6)
    assert all(later >= earlier for earlier, later in zip(before, after, strict=True))


@given(st.integers(0, 900), claims.filter(bool), st.data())
def test_ordering_more_than_the_need_brings_nothing_while_a_need_is_unmet(available, wanted, data):
    n = data.draw(st.integers(0, len(wanted) - 1))
    honest = [replace(claim, packs=claim.need_packs) if place == n else claim for place, claim in enumerate(wanted)]
    greedy = [replace(claim, packs=claim.packs + 50) if place == n else claim for place, claim in enumerate(honest)]
    unmet = available <= sum(min(claim.packs, claim.need_packs) * claim.pack_qty for claim in honest)
    if unmet:
        assert fair_share(available, greedy) == fair_share(available, honest)
    others = [share for place, share in enumerate(fair_share(available, greedy)) if place != n]
    needs = [min(claim.packs, claim.need_packs) for place, claim in enumerate(honest) if place != n]
    if not unmet:
        assert all(share >= need for share, need in zip(others, needs, strict=True))


@given(st.integers(0, 900), claims, st.randoms())
def test_the_shares_do_not_depend_on_who_is_asked_first(available, wanted, chance):
    mixed = chance.sample(wanted, len(wanted))
    before = dict(zip((claim.key for claim in wanted), fair_share(available, wanted), strict=True))
    after = dict(zip((claim.key for claim in mixed), fair_share(available, mixed), strict=True))
    assert before == after


@pytest.mark.parametrize("pack_qty", [7, 12, 60])
def test_a_larger_pack_brings_no_more_than_the_usual_one_and_starves_nobody(pack_qty):
    usual = Claim("usual", packs=10, need_packs=10, have_qty=0, per_day=10, pack_qty=6)
    strange = Claim("strange", packs=9, need_packs=60 // pack_qty, have_qty=0, per_day=10, pack_qty=pack_qty)
    mine, theirs = fair_share(60, [usual, strange], 6)
    assert theirs * pack_qty <= 30 <= mine * 6
    assert theirs or pack_qty == 60, "who has not heard of a new pack gets its part"


def test_a_need_beyond_all_reason_costs_no_more_than_what_there_is():
    odd = Claim("odd", packs=999, need_packs=10**12, have_qty=0, per_day=1e12, pack_qty=6, on_round=False)
    odd = replace(odd, packs=10**12)
    small = Claim("small", packs=2, need_packs=2, have_qty=0, per_day=1, pack_qty=6)
    assert fair_share(60, [odd, small], 6) == [9, 1]


def test_a_small_shop_gets_its_pack_before_a_large_one_gets_a_second():
    large = Claim("large", packs=20, need_packs=20, have_qty=0, per_day=100, pack_qty=6)
    small = Claim("small", packs=1, need_packs=1, have_qty=3, per_day=1, pack_qty=6)
    assert fair_share(12, [large, small], 6) == [1, 1]


def test_equal_need_is_met_to_equal_days_of_supply():
    slow = Claim("slow", packs=40, need_packs=40, have_qty=0, per_day=10, pack_qty=1)
    fast = Claim("fast", packs=40, need_packs=40, have_qty=0, per_day=30, pack_qty=1)
    assert fair_share(40, [slow, fast]) == [10, 30]


def test_a_shop_that_orders_on_another_day_has_its_share_kept_back():
    today = Claim("today", packs=40, need_packs=20, have_qty=0, per_day=10, pack_qty=1)
    later = Claim("later", packs=20, need_packs=20, have_qty=0, per_day=10, pack_qty=1, on_round=False)
    assert fair_share(20, [today, later]) == [10, 10]
    assert fair_share(50, [today, later]) == [30, 20]  # every need is met: the rest goes to the order above it


def test_a_thousand_shops_are_served_as_one_after_the_other():
    """The sorted packs are those of a queue in which always the shop with the fewest days of supply is next."""
    many = [Claim(f"S{n:04d}", 3 + n % 5, 2 + n % 7, n % 11, 0.1 + n % 13, 4) for n in range(60)]
    given = [0] * len(many)
    for _ in range(130):
        open_to = [n for n, claim in enumerate(many) if given[n] < min(claim.packs, claim.need_packs)]
        next_up = min(
            open_to,
            key=lambda n: (given[n] > 0, (many[n].have_qty + given[n] * many[n].pack_qty) / many[n].per_day, n),
        )
        given[next_up] += 1
    assert fair_share(4 * 130 + 3, many, 4) == given
