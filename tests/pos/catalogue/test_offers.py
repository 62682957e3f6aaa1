"""Offers in the books: made, changed, ended, opened by coupons, and read again only when one changed."""

import datetime as dt
import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from config.errors import Conflict, DomainError, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes.journal import Context, JournalEntry
from config.nodes.publication import EVERYONE
from pos.catalogue import offers
from pos.catalogue.offers import Coupon, StandingOffer
from pos.pricing.promises import Choice, Offer, Part
from pos.store.store import Store
from tests.builders import NOON, STORE, Network, OpenStore
from tests.pos.offer_baskets import of, offer

TODAY = NOON.date()
DAY = dt.timedelta(days=1)


def third_free(**terms: Any) -> Offer:
    return offer(new_id(), "nth", of("milk"), size=3, percent_bp=10_000, **terms)


def make(store: OpenStore, promised: Offer, owner_id: str = STORE) -> StandingOffer:
    with store.write() as session:
        return offers.make(Context(session, store.wei, store.now), owner_id, promised)


def live(store: OpenStore, day: dt.date = TODAY) -> list[str]:
    return [one.id for one in store.read(lambda session: offers.live(session, store.store_id, day))]


def coupons(store: OpenStore, offer_id: str, **wishes: Any) -> list[str]:
    with store.write() as session:
        return offers.make_coupons(Context(session, store.wei, store.now), STORE, offer_id, **wishes)


def use(store: OpenStore, *codes: str, sale_id: str = "") -> None:
    with store.write() as session:
        store_row = session.get(Store, STORE)
        assert store_row is not None
        offers.use_coupons(session, store_row, codes, sale_id or new_id(), store.now)


def test_an_offer_comes_back_as_it_was_promised(store: OpenStore) -> None:
    promised = Offer(
        new_id(), "Lunch", "together",
        (Part(Choice(skus=frozenset({"bread", "milk"}), but_categories=frozenset({"Tobacco"}))),
         Part(Choice(everything=True, brands=frozenset({"Elm"})), 2, 5000)),
        most_times=3, members_only=True, codes=frozenset(), from_day=TODAY, until_day=TODAY + DAY,
        weekdays=frozenset({0, 6}), from_minute=600, until_minute=120, batch="B1", expires_on=TODAY,
        expires_within_days=2, stackable=True, minimum_minor=5,
    )  # fmt: skip
    make(store, promised)
    assert list(store.read(lambda session: offers.live(session, STORE, TODAY))) == [promised]


def test_offers_are_live_on_their_days_and_the_networks_with_them(store: OpenStore) -> None:
    now, coming, over, shared = third_free(), third_free(from_day=TODAY + DAY), third_free(), third_free()
    make(store, now)
    make(store, coming)
    make(store, replace(over, until_day=TODAY - 2 * DAY))
    make(store, shared, EVERYONE)
    assert set(live(store)) == {now.id, shared.id}
    assert set(live(store, TODAY + DAY)) == {now.id, coming.id, shared.id}
    rows = {row.id: row for row, _one in store.read(lambda session: offers.all_of(session, STORE))}
    assert [offers.standing(rows[one.id], TODAY) for one in (now, coming, over)] == ["live", "coming", "ended"]


def test_the_same_command_twice_is_one_offer_and_other_terms_are_a_conflict(store: OpenStore) -> None:
    promised = third_free()
    assert make(store, promised).id == make(store, promised).id
    with pytest.raises(Conflict, match="already exists"):
        make(store, replace(promised, size=4))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"parts": (Part(Choice()),)},
        {"parts": ()},
        {"kind": "gift"},
        {"percent_bp": 0},
        {"percent_bp": 10_001},
        {"size": 1},
        {"size": 13},
        {"reduced": 4},
        {"kind": "bundle"},
        {"kind": "together", "parts": (Part(of("milk")), Part(of("tea")))},
        {"most_times": 0},
        {"from_day": TODAY, "until_day": TODAY - DAY},
        {"from_minute": 600},
        {"from_minute": 600, "until_minute": 600},
        {"weekdays": frozenset({7})},
        {"parts": (Part(of("unicorn")),)},
    ],
)
def test_an_offer_that_could_never_apply_is_refused(store: OpenStore, wrong: dict[str, Any]) -> None:
    with pytest.raises((Invalid, NotFound)):
        make(store, replace(third_free(), **wrong))
    assert live(store) == []


def test_an_offer_changed_or_ended_is_seen_by_the_next_sale(store: OpenStore) -> None:
    promised = third_free()
    make(store, promised)
    before = store.read(lambda session: offers.live(session, STORE, TODAY))
    assert store.read(lambda session: offers.live(session, STORE, TODAY)) is before
    with store.write() as session:
        offers.change(Context(session, store.wei, store.now), STORE, replace(promised, size=4))
    assert store.read(lambda session: offers.live(session, STORE, TODAY))[0].size == 4
    for _ in range(2):
        with store.write() as session:
            offers.end(Context(session, store.wei, store.now), STORE, promised.id)
    assert live(store) == []
    with pytest.raises(Refused, match="Create a new promotion"), store.write() as session:
        offers.change(Context(session, store.wei, store.now), STORE, promised)
    verbs = store.read(lambda session: session.scalars(
        sa.select(JournalEntry.verb).where(JournalEntry.subject == f"offer:{promised.id}")).all())  # fmt: skip
    assert verbs == ["offer.made", "offer.changed", "offer.ended"]


def test_what_was_rolled_back_was_never_live(store: OpenStore) -> None:
    make(store, third_free())
    before = live(store)

    def fail() -> None:
        with store.write() as session:
            offers.make(Context(session, store.wei, store.now), STORE, third_free())
            assert len(offers.live(session, STORE, TODAY)) == 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert live(store) == before


def test_a_sale_costs_one_query_while_no_offer_changed(store: OpenStore) -> None:
    make(store, third_free())
    live(store)
    asked: list[str] = []
    store.database.engine.dispose()
    sa.event.listen(store.database.engine, "connect", lambda line, _record: line.set_trace_callback(asked.append))
    live(store)
    assert len([text for text in asked if text.lower().startswith("select")]) == 1


def test_a_shop_does_not_end_the_networks_offer(store: OpenStore) -> None:
    promised = third_free()
    make(store, promised, EVERYONE)
    with pytest.raises(Refused, match="network"), store.write() as session:
        offers.end(Context(session, store.wei, store.now), STORE, promised.id)


def test_an_edition_brings_the_networks_offers_and_ends_those_it_ended(store: OpenStore, network: Network) -> None:
    first, second = (replace(third_free(), parts=(Part(of()),)) for _ in range(2))
    with network.database.write() as session:
        assert offers.edition(session) == {}
        for promised in (first, second):
            offers.make(Context(session, store.wei, NOON), EVERYONE, promised)
        both = offers.edition(session)
        offers.end(Context(session, store.wei, NOON), EVERYONE, first.id)
        one = offers.edition(session)
    own = third_free()
    make(store, own)
    for rows, expected in ((both, {first.id, second.id, own.id}), (one, {second.id, own.id})):
        with store.write() as session:
            offers.take_edition(session, rows)
        assert set(live(store)) == expected


# --- coupons ---


def test_codes_open_their_offer_and_are_used_up_by_sales(store: OpenStore) -> None:
    promised = third_free(codes=frozenset())
    make(store, promised)
    (code,) = coupons(store, promised.id, most_uses=2)
    assert store.read(lambda session: offers.live(session, STORE, TODAY))[0].codes == {code}
    use(store, code)
    use(store, f"{code[:4].lower()}-{code[4:]}")
    with pytest.raises(Refused, match="Remove it and check the new"):
        use(store, code)
    answers = store.read(lambda session: offers.usable(session, STORE, [code, "NOPE"], NOON.date()))
    assert answers == {code: "used-up", "NOPE": "unknown"}


def test_a_code_has_a_last_day_of_its_own(store: OpenStore) -> None:
    promised = third_free(codes=frozenset(), until_day=TODAY + 9 * DAY)
    make(store, promised)
    (code,) = coupons(store, promised.id, most_uses=None, until_day=TODAY)
    (longer,) = coupons(store, promised.id, most_uses=None, codes=["LONGER"])
    with pytest.raises(Refused, match="ends on"):
        coupons(store, promised.id, until_day=TODAY + 10 * DAY)
    use(store, code)
    for day, why in ((TODAY, ""), (TODAY + DAY, "ended")):
        assert store.read(lambda session, day=day: offers.usable(session, STORE, [code], day)) == {code: why}
    assert store.read(lambda session: offers.last_days(session, STORE, [code, longer])) == {
        code: TODAY, longer: TODAY + 9 * DAY,
    }  # fmt: skip
    assert store.read(lambda session: offers.live(session, STORE, TODAY + DAY))[0].codes == {longer}, "nor in a price"
    with store.write() as session:
        store_row = session.get_one(Store, STORE)
        with pytest.raises(Refused, match="Remove it and check the new"):
            offers.use_coupons(session, store_row, [code], new_id(), store.now + DAY)
        offers.use_coupons(session, store_row, [code], new_id(), store.now + DAY, day=TODAY)  # ordered yesterday


def test_of_many_sales_that_want_the_last_use_one_gets_it(store: OpenStore) -> None:
    promised = third_free(codes=frozenset())
    make(store, promised)
    (code,) = coupons(store, promised.id)
    won: list[bool] = []
    start = threading.Barrier(8)

    def try_it() -> None:
        start.wait()
        try:
            use(store, code)
            won.append(True)
        except DomainError:
            won.append(False)

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
    assert store.read(lambda session: session.scalars(sa.select(Coupon.uses)).all()) == [1]


def test_own_codes_are_kept_as_people_type_them_and_taken_once(store: OpenStore) -> None:
    promised = third_free(codes=frozenset())
    make(store, promised)
    assert coupons(store, promised.id, codes=["spring 26", "SPRING-26"], most_uses=None) == ["SPRING26"]
    with pytest.raises(Conflict, match="already taken"):
        coupons(store, promised.id, codes=["Spring26"])
    for wrong in (["x"], ["y" * 30], ["绿茶优惠"]):
        with pytest.raises(Invalid):
            coupons(store, promised.id, codes=wrong)
    with pytest.raises(Invalid):
        coupons(store, promised.id, count=offers.MOST_CODES)
    assert len(set(coupons(store, promised.id, count=500))) == 500


def test_an_offer_for_everybody_gets_no_codes(store: OpenStore) -> None:
    promised = third_free()
    make(store, promised)
    with pytest.raises(Refused, match="needs no coupon"):
        coupons(store, promised.id)


def test_a_sale_gives_the_offer_says_why_and_uses_the_coupon_up_with_it(store: OpenStore) -> None:
    coupon = offer(new_id(), "basket_amount", of(), amount_minor=50, codes=frozenset())
    make(store, third_free())
    make(store, coupon)
    (code,) = coupons(store, coupon.id)
    due = 2 * 129 - 50
    wanted = store.request([("milk", 3)], cash_minor=due, shown_total_minor=due, coupons=[code])
    sold = store.complete(wanted)
    lines = sold.document["lines"]
    assert sum(line["total_minor"] for line in lines) == due
    assert sum(line["discount_minor"] for line in lines) == 129 + 50
    assert all(coupon.name in str(line["offers"]) for line in lines)
    store.complete(wanted)  # the same sale again uses nothing again
    assert store.read(lambda session: offers.usable(session, STORE, [code], NOON.date())) == {code: "used-up"}
    with pytest.raises(Refused, match="Remove it and check the new"):
        store.complete(store.request([("milk", 3)], cash_minor=due, shown_total_minor=due, coupons=[code]))
    assert store.findings() == []


# --- markdowns ---


def test_a_markdown_holds_for_its_pieces_until_their_day_and_the_last_one_counts(store: OpenStore) -> None:
    def mark(**wishes: Any) -> StandingOffer:
        with store.write() as session:
            return offers.mark_down(
                Context(session, store.wei, store.now), STORE, "milk", expires_on=TODAY + DAY, **wishes
            )

    first = mark(percent_bp=5000)
    second = mark(price_minor=99)
    assert first.name == "Marked down"
    found = list(store.read(lambda session: offers.live(session, STORE, TODAY)))
    assert [(one.id, one.kind, one.amount_minor, one.expires_on) for one in found] == [
        (second.id, "price", 99, TODAY + DAY)
    ]
    assert live(store, TODAY + 3 * DAY) == []
