"""Leave covers exactly what was shown, or less harm; never more, and each thing once."""

from hypothesis import given
from hypothesis import strategies as st

from pos.store.approvals import Need, covered, matched

FACTS = {
    "sku": "milk", "qty": 2, "price_minor": 100, "list_price_minor": 129, "discount_minor": 10, "discount_bp": 500,
    "amount_minor": 200, "total_minor": 200, "lines": [["1", 2, 0]],
}  # fmt: skip
WORSE = {
    "sku": "cola", "qty": 3, "price_minor": 99, "list_price_minor": 130, "discount_minor": 11, "discount_bp": 501,
    "amount_minor": 201, "total_minor": 201, "lines": [["1", 1, 0], ["1", 2, 0]],
}  # fmt: skip


@given(st.sets(st.sampled_from(sorted(FACTS)), min_size=1), st.sampled_from(sorted(FACTS)))
def test_one_figure_worse_than_granted_is_not_covered(names, worse):
    need = {name: FACTS[name] for name in names}
    assert covered(need, FACTS)
    assert not covered(need | {worse: WORSE[worse]}, FACTS)
    assert not covered(need, {name: fact for name, fact in need.items() if name != min(names)})


def test_what_has_no_figures_is_covered_by_any_leave_of_its_kind():
    assert covered({}, {})
    assert not covered({"total_minor": 1}, {})


def test_each_thing_granted_serves_one_need_and_the_exact_one_first():
    one, two = ({"sku": "milk", "qty": 1, "price_minor": price} for price in (100, 110))
    needs = [Need("price.override", 0, two), Need("price.override", 1, one)]
    assert matched(needs, [("price.override", one), ("price.override", two)]) == {0: 1, 1: 0}
    assert matched(needs, [("price.override", one)]) == {1: 0}
    assert matched(needs, [("discount", one), ("discount", two)]) == {}


def test_a_price_above_the_shelfs_is_covered_as_it_is():
    assert not covered({"sku": "milk", "raised_to_minor": 200}, {"sku": "milk", "price_minor": 100})
    assert not covered({"sku": "milk", "raised_to_minor": 200}, {"sku": "milk", "raised_to_minor": 150})
