"""How a shopkeeper arranges the till's touch keys."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, DomainError, Invalid, NotFound
from config.nodes.journal import Context
from pos.catalogue import quick_keys, till_edition
from pos.catalogue.catalogue import Listing
from pos.catalogue.quick_keys import PAGES, PLACES
from tests.builders import NOON, STORE, OpenStore, open_store


def act(store: OpenStore, verb: Any, *given: Any, **wishes: Any) -> None:
    with store.write() as session:
        verb(Context(session, store.wei, NOON), STORE, *given, **wishes)


def keys(store: OpenStore, page: int = 1) -> dict[int, str]:
    return {key.place: key.sku for key in store.read(lambda s: quick_keys.layout(s, STORE))[page - 1].keys}


def listed(store: OpenStore) -> dict[int, str]:
    """Return what a till that knows one page only would show."""
    rows = store.read(lambda s: s.query(Listing.quick_key, Listing.sku).filter(Listing.quick_key.is_not(None)).all())
    return {row.quick_key: row.sku for row in rows}


def test_a_shop_that_never_arranged_anything_has_its_listings_keys(store: OpenStore) -> None:
    assert keys(store) == {0: "milk", 1: "bread", 2: "tea", 3: "wine", 4: "cheese"}
    assert len(store.read(lambda s: quick_keys.layout(s, STORE))) == PAGES


def test_the_first_change_keeps_the_keys_there_were(store: OpenStore) -> None:
    act(store, quick_keys.move, (1, 0), 1, 9)
    assert keys(store) == {9: "milk", 1: "bread", 2: "tea", 3: "wine", 4: "cheese"}
    assert listed(store) == keys(store)


def test_two_keys_change_places(store: OpenStore) -> None:
    act(store, quick_keys.change, (1, 0), label="Milch", colour="sky")
    act(store, quick_keys.move, (1, 0), 1, 4)
    assert (keys(store)[0], keys(store)[4]) == ("cheese", "milk")
    moved = store.read(lambda s: quick_keys.layout(s, STORE))[0].keys[-1]
    assert (moved.label, moved.colour, moved.name) == ("Milch", "sky", "Whole milk 1 l")


def test_a_key_moved_to_another_page_leaves_page_one_and_the_listing(store: OpenStore) -> None:
    act(store, quick_keys.move, (1, 0), 3, 23)
    assert keys(store, 3) == {23: "milk"}
    assert "milk" not in listed(store).values()


def test_a_key_dropped_on_a_page_takes_its_first_free_place(store: OpenStore) -> None:
    act(store, quick_keys.move, (1, 0), 2, None)
    act(store, quick_keys.move, (1, 3), 2, None)
    assert keys(store, 2) == {0: "milk", 1: "wine"}


def test_a_product_stands_once_on_a_page_and_may_stand_on_several(store: OpenStore) -> None:
    act(store, quick_keys.put, "milk", 2)
    assert keys(store, 2) == {0: "milk"}
    act(store, quick_keys.put, "milk", 2, 7)
    assert keys(store, 2) == {7: "milk"}
    with pytest.raises(Conflict):
        act(store, quick_keys.move, (1, 0), 2, 3)


def test_a_taken_place_and_a_full_page_are_refused(store: OpenStore) -> None:
    with pytest.raises(Conflict):
        act(store, quick_keys.put, "milk", 1, 1)
    act(store, quick_keys.put, "tea", 2)
    with store.write() as session:
        session.add_all(
            quick_keys.QuickKey(store_id=STORE, page=2, place=place, sku="bread", label="", colour="paper")
            for place in range(1, PLACES)
        )
    with pytest.raises(Conflict, match="full"):
        act(store, quick_keys.put, "milk", 2)


def test_a_key_taken_away_leaves_its_place_free(store: OpenStore) -> None:
    act(store, quick_keys.remove, (1, 1))
    assert 1 not in keys(store)
    assert listed(store) == keys(store)
    with pytest.raises(NotFound):
        act(store, quick_keys.remove, (1, 1))


def test_a_product_no_longer_sold_is_not_shown_and_comes_back_to_its_place(store: OpenStore) -> None:
    act(store, quick_keys.change, (1, 2), label="", colour="jade")
    for active in (False, True):
        with store.write() as session:
            session.get_one(Listing, (STORE, "tea")).active = active
        assert (2 in keys(store)) is active
    with pytest.raises(NotFound):
        act(store, quick_keys.put, "gone", 1)


def test_pages_have_names(store: OpenStore) -> None:
    act(store, quick_keys.name_page, 2, " Fruit ")
    assert store.read(lambda s: quick_keys.layout(s, STORE))[1].name == "Fruit"


@pytest.mark.parametrize("spot", [(0, 0), (5, 0), (1, 24), (1, -1)])
def test_places_that_do_not_exist_are_refused(store: OpenStore, spot: tuple[int, int]) -> None:
    with pytest.raises(Invalid):
        act(store, quick_keys.move, (1, 0), *spot)


@pytest.mark.parametrize("wish", [{"label": "x" * 25, "colour": "jade"}, {"label": "", "colour": "#fff"}])
def test_labels_are_short_and_colours_the_palettes(store: OpenStore, wish: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        act(store, quick_keys.change, (1, 0), **wish)


def test_every_change_makes_a_new_edition_for_the_tills(store: OpenStore) -> None:
    seen = [store.read(lambda s: till_edition.number(s, STORE))]
    for verb, given_, wishes in (
        (quick_keys.put, ("milk", 2), {}),
        (quick_keys.change, ((1, 0),), {"label": "M", "colour": "jade"}),
        (quick_keys.move, ((1, 0), 1, 9), {}),
        (quick_keys.remove, ((1, 9),), {}),
        (quick_keys.name_page, (1, "Fresh"), {}),
    ):
        act(store, verb, *given_, **wishes)
        seen.append(store.read(lambda s: till_edition.number(s, STORE)))
    assert seen == sorted(set(seen))


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> OpenStore:
    """Give a store whose keys any number of walks may rearrange."""
    return open_store(tmp_path_factory.mktemp("keys"), till_open=False)


SPOTS = st.tuples(st.integers(1, PAGES), st.integers(0, 5))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(SPOTS, SPOTS, st.sampled_from(["move", "put", "remove"])), max_size=8))
def test_no_arranging_breaks_the_pages(counter: OpenStore, steps: list[Any]) -> None:
    for source, target, verb in steps:
        try:
            if verb == "move":
                act(counter, quick_keys.move, source, *target)
            elif verb == "put":
                act(counter, quick_keys.put, "tea", *target)
            else:
                act(counter, quick_keys.remove, source)
        except DomainError:
            continue
        assert listed(counter) == keys(counter)
        for page in range(1, PAGES + 1):
            on_page = list(keys(counter, page).values())
            assert len(on_page) == len(set(on_page))
