"""What hangs at the shelf is what customers pay: looks at labels, what waits for one, and the inspection's sample."""

import datetime as dt
import random
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Invalid, NotFound, Refused
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue, scan, shelf_labels, till_edition
from pos.catalogue.catalogue import Listing, Price, Product, ShelfLabel
from pos.catalogue.shelf_labels import LabelLook, Shown, code_of, read_code
from pos.sale import sale
from pos.store.store import Store
from tests.builders import NOON, STORE, OpenStore

DAY = NOON.date()
BEFORE = DAY - dt.timedelta(days=1)
MILK = 129
_ids = count(1)


def look(store: OpenStore, shown: Shown | str, **more: str) -> LabelLook:
    """Look at a label, by its code or by what it shows."""
    said = read_code(shown) if isinstance(shown, str) else shown
    assert said is not None
    with store.write() as session:
        found = shelf_labels.look_at(
            Context(session, store.wei, store.now), STORE, said, store.now.date(),
            **{"id": f"look{next(_ids)}"} | more,
        )  # fmt: skip
        session.flush()
        session.expunge(found)
    return found


def priced(store: OpenStore, sku: str, price_minor: int, day: dt.date = DAY) -> None:
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, store.now), sku, price_minor, day, scope_id=STORE)


def asked(store: OpenStore, sku: str) -> int:
    """Return what a till asks, which the page's copy, a scan and the online store say as well."""
    day = store.now.date()
    quoted = store.read(lambda s: sale.quote(s, STORE, [(sku, 1)], at=store.now)).basket.lines[0].product.price_minor
    kept = store.read(lambda s: catalogue.till_catalogue(s, STORE, day))
    assert {view.price_minor for view in kept if view.sku == sku} == {quoted}
    assert store.read(lambda s: scan.read(s, STORE, sku, day)).product.price_minor == quoted
    assert store.read(lambda s: catalogue.asked_on(s, STORE, day, [sku])) == {sku: quoted}
    return quoted


def waits(store: OpenStore) -> set[str]:
    return {stop.sku for stop in store.read(lambda s: shelf_labels.stops(s, STORE, store.now.date()))}


def test_until_the_new_label_hangs_the_till_asks_the_lower_price(store):
    look(store, code_of("milk", MILK, 1))
    priced(store, "milk", 149)
    assert (asked(store, "milk"), waits(store)) == (MILK, {"milk"})
    assert store.sell([("milk", 2)]).sale.total_minor == 2 * MILK
    seen = look(store, code_of("milk", MILK, 1))
    assert (seen.is_right, seen.verdict) == (False, "right"), "the till asks what the old label shows"
    assert look(store, code_of("milk", 149, 1)).is_right
    assert (asked(store, "milk"), waits(store)) == (149, set())


def test_a_lower_price_is_asked_at_once(store):
    look(store, code_of("milk", MILK, 1))
    priced(store, "milk", 99)
    assert (asked(store, "milk"), waits(store)) == (99, {"milk"})


def test_a_store_that_looks_at_no_labels_is_not_affected(store):
    priced(store, "milk", 149)
    assert (asked(store, "milk"), waits(store)) == (149, set())


def test_a_price_that_began_after_the_first_look_waits_for_its_label_and_one_before_does_not(store):
    look(store, code_of("milk", MILK, 1))
    assert waits(store) == set()
    priced(store, "tea", 475, DAY + dt.timedelta(days=1))
    assert waits(store) == set()
    store.clock.advance(24 * 3600)
    assert waits(store) == {"tea"}
    assert asked(store, "tea") == 475, "which label hangs is not known"


def test_a_label_waits_however_often_others_are_looked_at(store):
    look(store, code_of("milk", MILK, 1))
    priced(store, "tea", 475, DAY + dt.timedelta(days=1))
    for _day in range(2):
        store.clock.advance(24 * 3600)
        look(store, code_of("milk", MILK, 1))
    assert waits(store) == {"tea"}


def test_the_day_of_the_first_look_is_the_stores_and_not_that_of_utc(store):
    store.clock.advance(int(11.5 * 3600))
    with store.write() as session:
        session.get_one(Store, STORE).rollover_hour = 0
    look(store, code_of("milk", MILK, 1))
    priced(store, "tea", 475, DAY + dt.timedelta(days=1))
    store.clock.advance(24 * 3600)
    assert waits(store) == set(), "it began on the day of the first look, 00:30 in Berlin"


def test_where_no_label_hangs_nothing_is_held_and_one_is_wanted(store):
    look(store, code_of("milk", MILK, 1))
    priced(store, "milk", 149)
    look(store, Shown("milk", None))
    assert (asked(store, "milk"), waits(store)) == (149, {"milk"})


def test_a_price_the_store_never_set_is_refused_and_holds_nothing(store):
    with pytest.raises(Refused, match="never set the price on this label for Whole milk") as refusal:
        look(store, code_of("milk", 1, 1))
    assert refusal.value.code == "label-not-ours"
    with pytest.raises(Refused):
        look(store, code_of("milk", MILK, 1_000))
    assert asked(store, "milk") == MILK
    assert store.read(lambda s: s.scalar(sa.select(sa.func.count()).select_from(LabelLook))) == 0


def test_a_label_of_a_price_put_right_on_a_later_day_is_known_from_the_journal(store):
    priced(store, "milk", 139)
    store.clock.advance(24 * 3600)
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, store.now), "milk", 149, DAY, scope_id=STORE)
    assert not look(store, code_of("milk", 139, 1)).is_right
    assert asked(store, "milk") == 139


def test_a_slip_a_planned_price_and_the_networks_beside_the_own_are_no_price_once_asked(store):
    priced(store, "milk", 120)
    priced(store, "milk", 149)
    priced(store, "milk", 125, DAY + dt.timedelta(days=3))
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, store.now), "milk", 127, DAY)
    for never_asked in (120, 125, 127):
        with pytest.raises(Refused, match="never set the price"):
            look(store, code_of("milk", never_asked, 1))
    assert look(store, code_of("milk", MILK, 1)).verdict == "over", "the network's before the store had its own"


def test_only_who_may_change_prices_lets_a_label_lower_one_beyond_the_limit_of_discounts(store):
    priced(store, "milk", 185)
    supervisor = Actor(id="kim", name="Kim", role="supervisor", node=STORE)

    def scanned_by(actor: Actor) -> None:
        with store.write() as session:
            ctx = Context(session, actor, store.now)
            shelf_labels.look_at(ctx, STORE, Shown("milk", MILK), DAY, id=f"look{next(_ids)}")

    for actor in (store.ana, supervisor):
        with pytest.raises(Refused, match="far below the price of Whole milk") as refusal:
            scanned_by(actor)
        assert refusal.value.code == "label-far-below"
    assert asked(store, "milk") == 185
    scanned_by(store.wei)
    assert asked(store, "milk") == MILK


def test_a_label_of_zero_holds_no_price(store):
    priced(store, "milk", 0)
    store.clock.advance(24 * 3600)
    priced(store, "milk", MILK, store.now.date())
    with pytest.raises(Refused, match="never set the price"):
        look(store, code_of("milk", 0, 1))


def test_a_product_whose_price_is_typed_has_no_label(store):
    with store.write() as session:
        session.get_one(Product, "milk").price_typed = True
    with pytest.raises(Refused, match="This product has no price"):
        look(store, code_of("milk", MILK, 1))
    with store.write() as session:
        ctx = Context(session, store.wei, NOON)
        assert shelf_labels.hang_all(ctx, STORE, ["milk", "tea"], DAY, command="hung") == 1


def test_the_same_command_looks_once_and_a_look_is_never_changed(store):
    first = look(store, code_of("milk", MILK, 1), id="again")
    priced(store, "milk", 149)
    assert look(store, Shown("milk", 149), id="again").shown_minor == first.shown_minor
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), store.write() as session:
        session.execute(sa.update(LabelLook).values(shown_minor=0))


@pytest.mark.parametrize(
    "text",
    ["", "4006381333931", "label:129/1/", "label:129/0/milk", "label:-1/1/milk", "label:1/1/a b", "label:1e9/1/milk",
     "label:" + "9" * 13 + "/1/milk", "https://shop.example/shop/x/p/milk", "https://s/p/milk?price=١/1",
     "label:1/1/" + "x" * 300, "javascript:label:1/1/milk"],
)  # fmt: skip
def test_what_is_no_code_of_a_label_is_none(text):
    assert read_code(text) is None


@given(sku=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12), price=st.integers(0, 10**11),
       per=st.integers(1, 10**6), shop=st.sampled_from(["", "https://shop.example/shop/elm"]))  # fmt: skip
def test_a_code_says_what_it_was_made_of_in_plain_signs(sku, price, per, shop):
    code = code_of(sku, price, per, shop)
    assert code.isascii()
    assert " " not in code
    assert read_code(code) == Shown(sku, price, per)


def test_labels_seen_one_after_the_other_hang_in_that_order_and_a_new_one_beside_the_one_before(store):
    store.clock.advance(60)
    for sku, price in (("tea", 450), ("milk", MILK), ("wine", 699)):
        store.clock.advance(60)
        look(store, Shown(sku, price), place="A1")
    store.clock.advance(60)
    look(store, Shown("milk", MILK), place="A1")
    store.clock.advance(60)
    look(store, Shown("cheese", 1_899, 1_000), place="A1")
    rows = store.read(lambda s: s.execute(sa.select(ShelfLabel.sku, ShelfLabel.position)).all())
    assert dict(rows) == {"tea": 1, "milk": 2, "wine": 3, "cheese": 2}


def test_labels_said_to_hang_do_so_at_the_prices_of_their_day(store):
    later = DAY + dt.timedelta(days=2)
    priced(store, "milk", 149, later)
    with store.write() as session:
        ctx = Context(session, store.wei, NOON)
        assert shelf_labels.hang_all(ctx, STORE, ["milk", "tea"], later, command="hung") == 2
        assert shelf_labels.hang_all(ctx, STORE, ["milk", "tea"], later, command="hung") == 2
    hangs = store.read(lambda s: dict(s.execute(sa.select(ShelfLabel.sku, ShelfLabel.price_minor)).all()))
    assert hangs == {"milk": 149, "tea": 450}


def test_all_labels_are_said_to_hang_in_few_statements_and_one_edition(large):
    skus = [f"p{n:04}" for n in range(400)]
    with large.write() as session:
        session.execute(
            sa.insert(Price), [{"sku": sku, "scope_id": STORE, "from_day": DAY, "price_minor": 209} for sku in skus]
        )
        edition, statements = till_edition.number(session, STORE), []
        sa.event.listen(session.get_bind(), "before_cursor_execute", lambda *said: statements.append(said[2]))
        assert shelf_labels.hang_all(Context(session, large.wei, NOON), STORE, skus, DAY, command="hung") == 400
        assert len(statements) < 20
        assert till_edition.number(session, STORE) == edition + 1
    assert waits(large) == set()
    assert asked(large, "p0000") == 209


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["price", "print", "hang", "away", "sell", "day"]),
            st.sampled_from(["milk", "cheese"]),
            st.integers(50, 4_000),
            st.integers(0, 3),
        ),
        min_size=20,
        max_size=60,
    )
)
@settings(max_examples=25)
def test_in_a_random_month_no_sale_is_above_the_label_that_hangs(another_store: Callable[[str], OpenStore], month):
    store = another_store(f"month{next(_ids)}")
    printed: dict[str, list[str]] = {}
    hangs: dict[str, Shown] = {}
    begun = [(what, sku, 0, 0) for what in ("print", "hang") for sku in ("milk", "cheese")]
    for what, sku, price_minor, days in begun + month:
        day = store.now.date()
        if what == "price":
            priced(store, sku, price_minor, day + dt.timedelta(days=days))
        elif what == "print":
            price = store.read(lambda s, sku=sku, day=day: catalogue.price_on(s, STORE, sku, day))
            per = store.read(lambda s, sku=sku: s.get_one(Product, sku).price_quantity)
            printed.setdefault(sku, []).append(code_of(sku, price, per))
        elif what == "hang":
            code = printed[sku][days % len(printed[sku])]
            with suppress(Refused):  # a slip's label
                look(store, code)
                hangs[sku] = read_code(code)
        elif what == "away" and sku in hangs:
            look(store, Shown(sku, None))
            del hangs[sku]
        elif what == "sell":
            qty = 137 if sku == "cheese" else 1 + days
            sold = store.complete(store.request([(sku, qty)]))
            (line,) = sold.sale.lines
            if sku in hangs:
                assert line.unit_price_minor * hangs[sku].price_quantity <= hangs[sku].price_minor * line.price_quantity
            valid = store.read(lambda s, sku=sku, day=day: catalogue.price_on(s, STORE, sku, day))
            assert line.unit_price_minor <= valid
        elif what == "day" and store.now < NOON + dt.timedelta(days=30):
            store.clock.advance(24 * 3600)


@pytest.fixture
def large(store: OpenStore) -> OpenStore:
    """Give a store of 3,000 labels, all right."""
    with store.write() as session:
        food = session.get_one(Product, "milk").tax_class_id
        skus = [f"p{n:04}" for n in range(3_000)]
        session.execute(sa.update(Listing).values(active=False))
        session.execute(sa.insert(Product), [
            {"sku": sku, "name": sku, "category": f"C{n % 30}", "tax_class_id": food} for n, sku in enumerate(skus)
        ])  # fmt: skip
        session.execute(sa.insert(Listing), [{"store_id": STORE, "sku": sku} for sku in skus])
        session.execute(
            sa.insert(Price), [{"sku": sku, "scope_id": "*", "from_day": BEFORE, "price_minor": 199} for sku in skus]
        )
        session.execute(sa.insert(ShelfLabel), [
            {"store_id": STORE, "sku": sku, "price_minor": 199, "price_quantity": 1, "seen_at": NOON} for sku in skus
        ])  # fmt: skip
        shelf_labels.look_at(Context(session, store.wei, NOON), STORE, Shown(skus[0], 199), DAY, id="first")
    return store


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_of_3000_labels_every_wrong_one_that_is_scanned_is_found(large, share):
    skus = [f"p{n:04}" for n in range(3_000)]
    wrong = set(random.Random(7).sample(skus, round(3_000 * share)))
    with large.write() as session:
        session.execute(
            sa.insert(Price), [{"sku": sku, "scope_id": STORE, "from_day": DAY, "price_minor": 209} for sku in wrong]
        )
    assert waits(large) == wrong
    found: set[str] = set()
    with large.write() as session:
        ctx = Context(session, large.wei, NOON)
        for sku in random.Random(8).sample(skus, 60) + sorted(wrong):
            said = read_code(code_of(sku, 199, 1, "https://shop.example/shop/elm"))
            seen = shelf_labels.look_at(ctx, STORE, said, DAY, id=f"walk-{sku}")
            if not seen.is_right:
                found.add(sku)
    assert found == wrong


def test_a_sample_is_drawn_by_its_seed_and_kept_and_the_first_look_counts(large):
    def drawn(id: str, seed: int, size: int = 25) -> list[str]:
        with large.write() as session:
            ctx = Context(session, large.wei, NOON)
            return list(shelf_labels.draw(ctx, STORE, DAY, id=id, size=size, seed=seed).skus)

    first = drawn("i1", 5)
    assert len(set(first)) == 25
    assert drawn("i2", 5) == first
    assert drawn("i3", 6) != first
    assert drawn("i1", 99) == first, "the same command"
    priced(large, first[0], 209)
    for sku in first[:3]:
        look(large, Shown(sku, 199), inspection_id="i1")
    look(large, Shown(first[0], 209), inspection_id="i1")
    looks = large.read(lambda s: shelf_labels.looks(s, STORE, "i1"))
    assert {sku: one.shown_minor for sku, one in looks.items()} == dict.fromkeys(first[:3], 199)
    assert shelf_labels.accuracy(looks).right == 3, "the till asked what the label shows"
    outside = next(sku for sku in (f"p{n:04}" for n in range(3_000)) if sku not in first)
    with pytest.raises(Refused, match="not in this sample"):
        look(large, Shown(outside, 199), inspection_id="i1")


def test_an_unknown_wrong_label_is_an_overcharge_or_an_undercharge(store):
    with store.write() as session:
        shelf_labels.draw(Context(session, store.wei, NOON), STORE, DAY, id="i1", size=25, seed=1)
    priced(store, "milk", 149)
    priced(store, "tea", 350)
    look(store, Shown("milk", MILK), inspection_id="i1")
    look(store, Shown("tea", 450), inspection_id="i1")
    found = shelf_labels.accuracy(store.read(lambda s: shelf_labels.looks(s, STORE, "i1")))
    assert (found.right, found.overcharges, found.undercharges) == (0, 1, 1)


@pytest.mark.parametrize("size", [7, 0, -1])
def test_a_sample_of_another_size_is_refused(store, size):
    with pytest.raises(Invalid), store.write() as session:
        shelf_labels.draw(Context(session, store.wei, NOON), STORE, DAY, id="i", size=size, seed=1)


def test_an_unknown_inspection_is_not_found(store):
    with pytest.raises(NotFound, match="Inspection not found"):
        look(store, Shown("milk", MILK), inspection_id="nowhere")
