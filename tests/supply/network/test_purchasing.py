"""The network's own purchasing: for the chain as a whole, received once, by lots."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Context
from pos import messages
from pos.stock import batches, stock
from pos.stock.batches import Batch, Lot
from supply.demand.history import DailyDemand, StoreDay
from supply.network.purchasing import message_pages, purchasing, requirements
from supply.network.recalls import recalls, upstream_returns
from supply.network.warehouse import dispatch
from supply.network.warehouse import lots as warehouse_lots
from supply.orders import locations, purchases, supplier_messages, suppliers, supply_routes
from supply.orders.deliveries import DeliveryLine
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.suppliers import CasePack, Contact
from supply.receiving import receiving
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, WAREHOUSE, Country, make_country

BY = {"actor": OPERATOR, "at": AT}


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def sells(session, store_id: str, sku: str, a_day: int) -> None:
    """Let a store have sold so many a day for four weeks, as the network knows it."""
    for back in range(1, 29):
        day = DAY - dt.timedelta(days=back)
        session.merge(StoreDay(store_id=store_id, business_day=day, open=True, sales=9, revenue_minor=100))
        session.add(
            DailyDemand(store_id=store_id, sku=sku, business_day=day, sold_qty=a_day, revenue_minor=100, sales=1)
        )
    session.flush()


def proposed(session) -> dict[str, int]:
    made = purchasing.propose(Context(session, **BY), WAREHOUSE)
    return {line.sku: line.packs * line.pack_qty for one in made for line in purchases.lines_of(session, one)}


def test_the_table_reaches_and_ends_every_state():
    assert purchases.STATES.validate() == []


def test_a_warehouse_buys_for_all_shops_what_they_sell_less_what_anybody_has(country):
    with country.network.write() as session:
        for store in ("S1", "S2"):
            sells(session, store, "tea", 10)
        # 20 a day over upstream, a look, and the way to the vehicle after; 20 stand in the warehouse
        bought = proposed(session)["tea"]
        assert 60 <= bought + 20 <= 120
        stock.open_stock(Context(session, OPERATOR, AT), "S1", [("tea", 50)], source_id="s1")
        assert bought - 60 <= proposed(session)["tea"] <= bought - 40


def test_a_shop_that_runs_out_is_bought_for_whatever_the_others_have(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        alone = proposed(session)["tea"]
        sells(session, "S2", "tea", 10)
        stock.open_stock(Context(session, OPERATOR, AT), "S2", [("tea", 5_000)], source_id="s2")
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        (line,) = purchases.lines_of(session, made)
        assert alone <= line.packs * line.pack_qty <= alone + 20, "and for chance in what both sell"
        why = line.why
        assert (why["in_stores"], why["counted"]) == (5_000, 10 * why["days"])


def test_what_is_wholly_recalled_is_not_bought_until_the_recall_is_lifted(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        for batch, bought in (("L7", True), (None, False)):
            said = {"why": "glass", "called_by": "", "afterwards": "destroy"}
            recalls.call(Context(session, **BY), "tea", batch, id=f"r-{batch}", **said)
            assert ("tea" in proposed(session)) is bought
        recalls.lift(Context(session, **BY), "r-None", why="it was another's")
        assert "tea" in proposed(session)


def test_what_is_ordered_of_a_recalled_product_is_told_called_off_once_with_a_message_and_by_the_recall_alone(country):
    with country.network.write() as session:
        suppliers.write_contact(Context(session, **BY), NETWORK, "grower", Contact("Grower"))
        suppliers.offer_product(Context(session, **BY), "grower", "tea", CasePack(pack_qty=5, pack_cost_minor=300))
        sells(session, "S1", "tea", 10)
        (made,) = [one for one in purchasing.propose(Context(session, **BY), WAREHOUSE) if one.supplier_id == "grower"]
        assert upstream_returns.recalled_purchases(session, made) == {}
        said = {"why": "glass", "called_by": "", "afterwards": "destroy"}
        recalls.call(Context(session, **BY), "tea", "L7", id="lot", **said)
        assert upstream_returns.coming_purchases(session, "lot") == [], "it is only proposed"
        purchasing.order(Context(session, **BY), WAREHOUSE, made.id)
        recalls.call(Context(session, **BY), "bread", None, id="other", **said)
        ((coming),) = upstream_returns.coming_purchases(session, "lot")
        assert (coming.purchase.id, coming.supplier.name, coming.others) == (made.id, "Grower", 0)
        assert coming.qty == sum(line.packs * 5 for line in purchases.lines_of(session, made))
        assert upstream_returns.recalled_purchases(session, made)["tea"].id == "lot"
        with pytest.raises(Refused, match="This purchase contains no recalled products"):
            upstream_returns.call_off_purchase(Context(session, **BY), "other", WAREHOUSE, made.id)
        supplier_messages.left(Context(session, **BY), WAREHOUSE, made.id)
        for _click in range(2):
            upstream_returns.call_off_purchase(Context(session, **BY), "lot", WAREHOUSE, made.id)
        written = supplier_messages.messages_of(session, WAREHOUSE, made.id)
        assert [(one.kind, one.body.get("called_off")) for one in written][1:] == [
            ("cancellation", "recall-called: glass")
        ]
        assert (made.state, upstream_returns.coming_purchases(session, "lot")) == ("cancelled", [])


def test_a_count_puts_a_warehouse_right_once_with_a_reason_and_what_is_missing_leaves_what_ends_first(country):
    def count(qty: int, id: str, why: str = "Counted") -> int:
        return warehouse_lots.count(Context(session, **BY), WAREHOUSE, "tea", qty, why=why, id=id)

    def lots() -> list[tuple[str | None, int]]:
        standing = batches.standing(session, WAREHOUSE, ["tea"], day=DAY, forgets=False)["tea"]
        return [(held.batch, held.qty) for held in standing]

    with country.network.write() as session:  # 20 stand there without a lot
        for code, days in (("old", 10), ("new", 90)):
            lot = Lot("tea", 6, code, DAY + dt.timedelta(days=days))
            stock.receive(Context(session, **BY), WAREHOUSE, [("tea", 6)], source_id=code)
            batches.lay_in(session, WAREHOUSE, [lot], source_kind="purchase", source_id=code, at=AT)
        with pytest.raises(Invalid, match="Enter a reason"):
            count(8, "c0", why=" ")
        assert count(8, "c1") == -24
        assert lots() == [("OLD", 2), ("NEW", 6)]
        with pytest.raises(Conflict, match="already recorded"):
            count(9, "c1")
        assert (count(11, "c2"), lots()) == (3, [("OLD", 2), ("NEW", 6), (None, 3)]), "found goods bear no date"
        assert count(11, "c3") == 0
        (missing,) = warehouse_lots.lost(session, WAREHOUSE, DAY, DAY)
        assert (missing.reason, missing.cost_minor) == ("unexplained", 21 * 250), (
            "as the list has it: 2500 a pack of ten"
        )
        with pytest.raises(Conflict):
            count(11, "c3")
        stock.dispatch(
            Context(session, **BY), WAREHOUSE, [("tea", 11)], source_id="all"
        )  # what was found can leave, too
    assert country.findings() == []


def test_what_is_ordered_upstream_is_not_bought_again(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 20)
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        purchasing.order(Context(session, **BY), WAREHOUSE, made.id)
        assert proposed(session) == {}


def test_a_purchase_that_did_not_come_is_bought_anew(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 20)
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        purchasing.order(Context(session, **BY), WAREHOUSE, made.id)
        late = {
            "actor": OPERATOR,
            "at": AT + dt.timedelta(days=requirements.UPSTREAM_DAYS + purchases.PATIENCE_DAYS),
        }
        assert purchasing.propose(Context(session, **late), WAREHOUSE) == []
        late["at"] += dt.timedelta(days=1)
        assert purchasing.propose(Context(session, **late), WAREHOUSE)


def test_an_inflated_order_of_a_shop_buys_nothing_more(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        before = proposed(session)
    country.order("S1", {"tea": 900})
    country.deliver()
    with country.network.write() as session:
        assert proposed(session) == before


def test_a_purchase_is_received_once_with_its_lots_and_more_than_ordered_is_taken(country):
    until = DAY + dt.timedelta(days=9)
    with country.network.write() as session:
        sells(session, "S1", "tea", 30)
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        with pytest.raises(Exception, match="proposed"):
            purchasing.receive(Context(session, **BY), WAREHOUSE, made.id)
        purchasing.order(Context(session, **BY), WAREHOUSE, made.id)
        purchasing.receive(Context(session, **BY), WAREHOUSE, made.id, {"tea": (333, until)})
        with pytest.raises(Conflict, match="was already received"):
            purchasing.receive(Context(session, **BY), WAREHOUSE, made.id)
        assert stock.levels(session, WAREHOUSE, ["tea"])["tea"].on_hand == 20 + 333
        (lot,) = session.scalars(sa.select(Batch).where(Batch.store_id == WAREHOUSE)).all()
        assert (lot.received_qty, lot.expires_on) == (333, until)


def test_what_cannot_be_ordered_or_counted_is_a_sentence(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 30)
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        for packs, kind, words in (
            ({"tea": -1}, Invalid, "whole number of packs"), ({"milk": 1}, NotFound, "not on the purchase"),
            ({"tea": 0}, Refused, "Nothing is ordered"),
        ):  # fmt: skip
            with pytest.raises(kind, match=words):
                purchasing.order(Context(session, **BY), WAREHOUSE, made.id, packs)
        with pytest.raises(Invalid, match="Enter a reason"):
            purchasing.drop(Context(session, **BY), WAREHOUSE, made.id, why=" ")
        with pytest.raises(NotFound, match="No supplier delivers"):
            purchasing.propose(Context(session, **BY), "nowhere")


def test_a_shop_that_is_not_on_the_round_keeps_its_share_and_nobody_gains_by_being_first(country):
    with country.network.write() as session:
        for store in ("S1", "S2"):
            sells(session, store, "tea", 10)
    order = country.order("S1", {"tea": 2}, per_day=10.0, target=40, expected=40.0)
    country.deliver()
    country.fill()
    # 20 stand there, two packs; the other store needs them as much and orders tomorrow
    assert country.lines("network", "S1", order)["tea"].packs_acknowledged == 1
    with country.network.read() as session:
        assert dispatch.promised_of(session, WAREHOUSE) == {"tea": 10}


def test_what_expires_first_leaves_first_its_day_travels_along_and_what_is_over_stays(country):
    days = [DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=4), DAY + dt.timedelta(days=30)]
    with country.network.write() as session:
        lots = [Lot("bread", 12, f"B{n}", until) for n, until in enumerate(days)]
        batches.lay_in(session, WAREHOUSE, lots, source_kind="purchase", source_id="p", at=AT - dt.timedelta(days=2))
    country.order("S1", {"bread": 3})
    country.send_out()
    with country.network.read() as session:
        gone = {row.batch: row.gone_qty for row in session.scalars(sa.select(Batch)).all()}
        assert gone == {"B0": 0, "B1": 12, "B2": 6}
    with country.stores["S1"].read() as session:
        (line,) = session.scalars(sa.select(DeliveryLine)).all()
        assert (line.batch, line.expires_on) == ("B1", days[1])
        assert line.lots == [[12, "B1", days[1].isoformat()], [6, "B2", days[2].isoformat()]]
        assert [(lot.qty, lot.batch) for lot in line.lots_of(20)] == [(14, "B1"), (6, "B2")], "first day for more"
    country.take_in("S1", [("bread", 15, "Missing")])
    with country.stores["S1"].read() as session:
        held = batches.standing(session, "S1", ["bread"], day=DAY)["bread"]
        assert [(one.qty, one.batch, one.expires_on) for one in held] == [(12, "B1", days[1]), (3, "B2", days[2])]
    country.deliver()
    assert country.findings() == []


@pytest.mark.parametrize("over_days", [1, 400])
def test_what_is_over_is_neither_promised_nor_loaded_nor_counted_when_buying(country, over_days):
    over = DAY - dt.timedelta(days=over_days)
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        before = proposed(session)["tea"]
        batches.lay_in(session, WAREHOUSE, [Lot("tea", 20, None, over)], source_kind="purchase", source_id="p",
                       at=AT - dt.timedelta(days=over_days + 3))  # fmt: skip
        assert proposed(session)["tea"] > before
        # beside it stands a lot without a date, of which one pack leaves
        stock.receive(Context(session, OPERATOR, AT), WAREHOUSE, [("tea", 10)], source_kind="purchase", source_id="q")
        batches.lay_in(session, WAREHOUSE, [Lot("tea", 10)], source_kind="purchase", source_id="q", at=AT)
    order = country.order("S1", {"tea": 2}, required_qty=20)
    country.send_out()
    assert country.lines("network", "S1", order)["tea"].packs_acknowledged == 1
    assert country.level("network", WAREHOUSE, "tea").on_hand == 20
    with country.network.read() as session:
        assert batches.over(session, WAREHOUSE, day=DAY) == {"tea": 20}
        rows = session.scalars(sa.select(Batch).order_by(Batch.source_id)).all()
        assert [(row.source_id, row.gone_qty) for row in rows] == [("p", 0), ("q", 10)]
    country.order("S1", {"tea": 1}, required_qty=10, id="order-again")
    country.deliver()
    country.fill()
    assert country.state("S1", "order-again")[1] == "rejected"


def test_what_a_shop_sends_back_at_the_door_keeps_the_day_it_left_with(country):
    until = DAY + dt.timedelta(days=4)
    with country.network.write() as session:
        lots = [Lot("bread", 60, "B1", until)]
        batches.lay_in(session, WAREHOUSE, lots, source_kind="purchase", source_id="p", at=AT)
    country.order("S1", {"bread": 3})
    country.send_out()
    delivery_id = country.delivery("S1")
    with country.stores["S1"].write() as session:
        receiving.refuse(Context(session, KEEPER["S1"], AT), "S1", delivery_id, why="Wet")
    country.deliver(seed=3)
    with country.network.read() as session:
        held = batches.standing(session, WAREHOUSE, ["bread"], day=DAY)["bread"]
        assert [(one.batch, one.expires_on, one.qty) for one in held] == [("B1", until, 42), ("B1", until, 18)]
        assert batches.over(session, WAREHOUSE, day=until + dt.timedelta(days=1)) == {"bread": 60}
        assert sum(row.received_qty - row.gone_qty for row in session.scalars(sa.select(Batch))) == 60


def test_a_line_of_two_lots_that_goes_back_at_the_door_stands_in_both_again(country):
    soon, late = DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=30)
    with country.network.write() as session:
        lots = [Lot("bread", 4, "B1", soon), Lot("bread", 56, "B2", late)]
        batches.lay_in(session, WAREHOUSE, lots, source_kind="purchase", source_id="p", at=AT)
    country.order("S1", {"bread": 4})
    country.send_out()
    delivery_id = country.delivery("S1")
    with country.stores["S1"].write() as session:
        receiving.refuse(Context(session, KEEPER["S1"], AT), "S1", delivery_id, why="Wet")
    country.deliver()
    with country.network.read() as session:
        assert batches.over(session, WAREHOUSE, day=soon + dt.timedelta(days=1)) == {"bread": 4}, "the fresh stay fresh"


# --- of whom it is bought ---


def mill(session, *, minimum_minor: int = 0, id: str = "mill", **when) -> str:
    """Add an upstream supplier that sells tea in twelves and bread in twenties."""
    calendar = DeliveryCalendar(**{"lead_days": 3} | when)
    contact = Contact("Tea Mill", calendar, minimum_minor, send_by="email", email="orders@mill.example")
    suppliers.write_contact(Context(session, **BY), NETWORK, id, contact)
    suppliers.offer_product(
        Context(session, **BY), id, "tea", CasePack(pack_qty=12, pack_cost_minor=1200, article_no="T-12")
    )
    suppliers.offer_product(
        Context(session, **BY), id, "bread", CasePack(pack_qty=20, pack_cost_minor=2000, minimum_packs=2)
    )
    return id


def test_each_product_is_bought_where_it_costs_least_a_purchase_for_each_supplier(country):
    with country.network.write() as session:
        for sku in ("tea", "bread", "milk"):
            sells(session, "S1", sku, 60)
        mill(session)
        suppliers.write_contact(
            Context(session, **BY), NETWORK, "dear", Contact("Dear", DeliveryCalendar(frozenset({0})))
        )
        suppliers.offer_product(Context(session, **BY), "dear", "tea", CasePack(pack_qty=1, pack_cost_minor=101))
        suppliers.offer_product(Context(session, **BY), "dear", "bread", CasePack(pack_qty=6, pack_cost_minor=599))
        made = {one.supplier_id: one for one in purchasing.propose(Context(session, **BY), WAREHOUSE)}
        found = {
            whom: {line.sku: line.pack_qty for line in purchases.lines_of(session, one)} for whom, one in made.items()
        }
        assert found == {"mill": {"tea": 12}, "dear": {"bread": 6}, None: {"milk": 12}}
        assert (made["mill"].order_day, made["mill"].expected_day) == (DAY, DAY + dt.timedelta(days=3))
        edition = supply_routes.edition(session, DAY)
        assert [one["id"] for one in edition["suppliers"]] == ["vehicle"], "stores never hear of it"
        assert {row[0] for row in edition["products"]} == {"vehicle"}


def test_a_purchase_waits_for_its_order_day_and_covers_until_the_delivery_after_it(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        mill(session)
        (daily,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        before = purchases.lines_of(session, daily)[0].packs
        mill(session, order_weekdays=frozenset({(DAY.weekday() + 2) % 7}))
        (weekly,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        assert weekly.order_day == DAY + dt.timedelta(days=2)
        assert purchases.lines_of(session, weekly)[0].packs * 12 >= before * 12 + 60, "eight days more"
        with pytest.raises(Refused, match="order day has passed"):
            purchasing.order(Context(session, OPERATOR, AT + dt.timedelta(days=3)), WAREHOUSE, weekly.id)


def test_a_supplier_is_planned_with_the_days_its_deliveries_took_and_their_spread_is_stocked_for(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 60)
        mill(session)
        (before,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        on_time = purchases.lines_of(session, before)[0].packs
        for n, days in enumerate((4, 6, 5, 3, 7, 5, 5, 5, 5)):  # three are promised
            sent = AT - dt.timedelta(days=30 - n)
            session.add(
                purchases.Purchase(
                    store_id=WAREHOUSE, id=f"past-{n}", purchase_no=90 + n, state="received", supplier_id="mill",
                    expected_day=sent.date() + dt.timedelta(days=3), proposed_at=sent, ordered_at=sent,
                    received_at=sent + dt.timedelta(days=days),
                )
            )  # fmt: skip
        session.flush()
        took = purchases.leads(session, [suppliers.supplier_of(session, "mill")], at=AT)["mill"]
        assert (took.promised_days, took.days, took.count, took.mean_days) == (3, 4, 9, 5)
        assert took.variance > 0
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        assert made.expected_day == DAY + dt.timedelta(days=4)
        (line,) = purchases.lines_of(session, made)
        assert line.packs * 12 >= on_time * 12 + 60 + 30, "a day more, and something for those that come later"


def test_an_ordered_purchase_is_a_message_and_one_called_off_another(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        with pytest.raises(NotFound, match="No supplier delivers"):
            locations.settle(Context(session, **BY), "nowhere", address="Quay 4", phone="")
        with pytest.raises(Invalid, match="too long"):
            locations.settle(Context(session, **BY), WAREHOUSE, address="Quay " * 90, phone="")
        locations.settle(Context(session, **BY), WAREHOUSE, address=" Quay  4 ", phone="0211-4400")
        mill(session, minimum_minor=2_000)
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        with pytest.raises(Refused, match="has a higher minimum order"):
            purchasing.order(Context(session, **BY), WAREHOUSE, made.id, {"tea": 1})
    with country.network.write() as session:
        purchasing.order(Context(session, **BY), WAREHOUSE, made.id, {"tea": 4})
        (message,) = messages.due(session, AT)
        reported = message.body
        assert (message.carrier, message.email) == ("email", "orders@mill.example")
        assert (reported["store"]["address"], reported["store"]["phone"]) == ("Quay 4", "0211-4400")
        assert (reported["store"]["name"], reported["order_no"], reported["total_minor"]) == (
            "Network vehicle",
            "WH1-1",
            4_800,
        )
        assert (
            b"WH1-1,Network vehicle,,2026-03-05,T-12,tea,,Green tea,4,12,each,12.00,48.00,EUR"
            in supplier_messages.as_csv(reported)
        )
        assert message_pages.pages(reported).startswith(b"%PDF")
        supplier_messages.left(Context(session, **BY), WAREHOUSE, made.id)
        purchasing.drop(Context(session, **BY), WAREHOUSE, made.id, why="Flooded")
        off = supplier_messages.messages_of(session, WAREHOUSE, made.id)[-1]
        assert (off.kind, off.state, off.body["called_off"]) == ("cancellation", "waiting", "Flooded")


def test_what_is_bought_of_nobody_known_has_no_message(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        purchasing.order(Context(session, **BY), WAREHOUSE, made.id)
        purchasing.drop(Context(session, **BY), WAREHOUSE, made.id, why="Closed")
        assert supplier_messages.messages_of(session, WAREHOUSE, made.id) == []


def test_a_purchase_counts_for_the_next_order_day_after_the_cut_off_and_no_supplier_comes_on_a_closed_day(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        mill(session, cut_off_minute=9 * 60, closed=frozenset({DAY + dt.timedelta(days=3)}))
        (made,) = purchasing.propose(Context(session, **BY), WAREHOUSE)
        assert ((made.order_day - DAY).days, (made.expected_day - DAY).days) == (0, 4)
        late = {"actor": OPERATOR, "at": AT + dt.timedelta(minutes=1)}
        with pytest.raises(Refused, match="order day has passed"):
            purchasing.order(Context(session, **late), WAREHOUSE, made.id)
        (again,) = purchasing.propose(Context(session, **late), WAREHOUSE)
        assert ((again.order_day - DAY).days, (again.expected_day - DAY).days) == (1, 4)
