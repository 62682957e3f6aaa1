"""What waits today, with its cut-off, and the advice that is worth most."""

import datetime as dt

import pytest

from pos.catalogue.catalogue import Listing
from pos.printing.queue import PrintJob
from pos.stock import batches
from pos.stock.batches import Lot
from supply.demand.campaign_uplift import CampaignAsk
from supply.demand.history import DailyDemand
from supply.membership import today
from supply.membership.suggestions import Suggestion
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier
from tests.builders import STORE, open_store


@pytest.fixture
def store(tmp_path):
    """Give a store with a supplier that takes orders until two o'clock."""
    made = open_store(tmp_path)
    with made.write() as session:
        session.add(Supplier(id="farm", name="Valley Farm", owner_id=STORE, kind="own", calendar=UNTIL_TWO))
    return made


UNTIL_TWO = DeliveryCalendar(cut_off_minute=14 * 60)
BREAD = "Rye bread 500 g"


def order(store, session, number, *, day, state="proposed", skus=()):
    at = store.now
    session.add(ReplenishmentOrder(
        store_id=STORE, id=f"o{number}", order_no=number, supplier_id="farm", state=state, order_day=day,
        delivery_day=day + dt.timedelta(days=1), next_delivery_day=day + dt.timedelta(days=2), cost_minor=1000 * number,
        proposed_at=at,
    ))  # fmt: skip
    session.flush()
    for sku in skus:
        session.add(OrderLine(
            store_id=STORE, order_id=f"o{number}", sku=sku, name=sku, pack_qty=1, pack_cost_minor=100,
            packs_proposed=1, packs=1, why={},
        ))  # fmt: skip


def waiting(store):
    return {one.kind: one for one in store.read(lambda session: today.waiting(session, STORE, store.now))}


def advice(store):
    return store.read(lambda session: today.advice(session, STORE, store.now.date()))


def sold(store, sku, minor, qty=28):
    """Let a product have sold in the last weeks."""
    with store.write() as session:
        for back in range(1, 29):
            session.add(DailyDemand(
                store_id=STORE, sku=sku, business_day=store.now.date() - dt.timedelta(days=back),
                sold_qty=qty // 28, revenue_minor=minor // 28, sales=1,
            ))  # fmt: skip


def emptied(store, sku):
    store.sell([(sku, store.level(sku).on_hand)])


def test_what_does_not_wait_is_absent(store):
    assert waiting(store) == {}


def test_an_order_waits_until_its_cut_off_and_several_until_the_first(store):
    day = store.now.date()
    with store.write() as session:
        order(store, session, 1, day=day)
    one = waiting(store)["order"]
    assert (one.count, one.about, one.names, one.amount_minor) == (1, "o1", ("Valley Farm",), 1000)
    assert (one.until.hour, one.until.date()) == (14, day)
    with store.write() as session:
        order(store, session, 2, day=day + dt.timedelta(days=2), state="approved")
        order(store, session, 3, day=day, state="sent")
    both = waiting(store)["order"]
    assert (both.count, both.about, both.until, both.amount_minor) == (2, "", one.until, 3000)
    store.clock.set(one.until)
    assert waiting(store)["order"].until == one.until + dt.timedelta(days=2)  # today's cut-off has passed


def test_a_question_of_the_network_a_doubtful_print_and_what_expires_wait(store):
    later = store.now.date() + dt.timedelta(days=5)
    with store.write() as session:
        session.add(CampaignAsk(
            store_id=STORE, campaign_id="c1", name="Summer drinks", why="", from_day=store.now.date(),
            until_day=store.now.date(), answer_by=store.now.date(), lines=[], fee_minor=0, state="asked",
        ))  # fmt: skip
        session.add(PrintJob(
            store_id=STORE, id="p1", till_id="T1", kind="z", source_id="s", copy_no=0, document={}, state="failed",
            queued_at=store.now, due_at=store.now,
        ))  # fmt: skip
        batches.lay_in(session, STORE, [Lot("bread", 3, None, store.now.date()), Lot("tea", 3, None, later)],
                       source_kind="delivery", source_id="d", at=store.now)  # fmt: skip
    found = waiting(store)
    assert list(found) == ["campaign", "expiry", "print"]
    assert (found["campaign"].names, found["expiry"].names) == (("Summer drinks",), (BREAD,))


def test_a_store_that_never_sold_is_sent_on_with_its_first_steps(store):
    assert advice(store).kind == "first-steps"
    store.sell([("bread", 1)])
    assert advice(store) is None


def test_the_dearest_sold_out_product_is_advised_unless_it_is_on_order_or_no_longer_listed(store):
    store.sell([("bread", 1)])
    sold(store, "bread", 28_000)
    sold(store, "tea", 56_000)
    assert advice(store) is None  # there is some of both
    emptied(store, "bread")
    emptied(store, "tea")
    found = advice(store)
    assert (found.kind, found.sku, found.worth_minor) == ("order", "tea", 14_000)
    with store.write() as session:
        order(store, session, 1, day=store.now.date(), skus=["tea"])
    assert advice(store).sku == "bread"
    with store.write() as session:
        session.get_one(Listing, (STORE, "bread")).active = False
    assert advice(store) is None


def test_what_expires_before_it_is_sold_is_advised_by_what_would_be_left(store):
    store.sell([("bread", 1)])
    sold(store, "bread", 28_000, qty=28)
    on_hand = store.level("bread").on_hand
    with store.write() as session:
        lot = Lot("bread", on_hand, None, store.now.date() + dt.timedelta(days=1))
        batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id="d", at=store.now)
        price = 349 * (on_hand - 2)  # one a day, today and tomorrow
    found = advice(store)
    assert (found.kind, found.sku, found.worth_minor) == ("reduce", "bread", price)


def test_the_advice_that_is_worth_most_is_given(store):
    store.sell([("bread", 1)])
    sold(store, "bread", 28_000)
    emptied(store, "bread")
    for worth, kind in ((6_999, "order"), (7_001, "add")):
        with store.write() as session:
            session.merge(Suggestion(
                store_id=STORE, id="s1", kind="add", sku="tea", name="Green tea", facts={"rate": 2000, "price": 450},
                expected_minor=worth, state="open", made_on=store.now.date(), why="",
            ))  # fmt: skip
        assert advice(store).kind == kind
