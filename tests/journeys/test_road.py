"""`cornerstore demo --once` walks the road; each stretch of it is seen in the books it left (HOUSE section 4)."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.inbox import InboxMessage
from config.nodes.outbox import OutboxMessage
from pos.catalogue.catalogue import Product
from pos.catalogue.offers import StandingOffer
from pos.customers.customers import Customer
from pos.printing.queue import PrintJob
from pos.sold import Sale, SaleLine
from pos.stock.ledger import StockMovement
from pos.till.shift_book import Shift
from store_app.sync import receiver
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, RegionalDemand, StoreDay
from supply.money import ledger
from supply.online.orders import PickupOrder
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.shelf.plan import ShelfPlan
from tests.arriving import reapply
from tests.journeys.conftest import DAYS, Walked

KEYS = (
    "stores",
    "products",
    "history_lines",
    "days",
    "sales_rung",
    "sales_lines",
    "receipts_printed",
    "facts_delivered",
    "facts_stuck",
    "series_forecast",
    "forecast_seconds",
    "proposals",
    "orders_sent",
    "orders_on_credit",
    "deliveries_posted",
    "shelf_slots",
    "shelf_labels",
    "network_offers_made",
    "network_offers_accepted",
    "pickups_collected",
    "brought_home",
    "claims",
    "transfers",
    "messages",
    "producers",
    "findings",
    "seconds",
)


def test_nothing_on_the_road_is_missing(walked: Walked) -> None:
    reported = walked.reported
    assert (walked.status, reported.get("missing", []), reported["findings"]) == (0, [], 0)
    assert tuple(reported) == KEYS
    assert (reported["stores"], reported["days"], reported["sales_rung"]) == (4, DAYS, 32 * DAYS)
    assert reported["deliveries_posted"] >= 1
    assert reported["brought_home"] == 2 * DAYS
    assert reported["orders_on_credit"] >= 1


def test_every_basket_was_rung_up_once_and_printed(walked: Walked) -> None:
    baskets = {basket.id for day in range(DAYS) for basket in walked.road.panel.baskets_on(_day(walked, day))}
    rung = set()
    for member in walked.road.stores.values():
        rung |= set(member.ask(lambda s: s.scalars(sa.select(Sale.id).where(Sale.channel == "counter")).all()))
    local = {sale_id for sale_id in rung if sale_id.startswith("local-")}  # what farmers brought sells beside them
    assert rung - local == baskets
    assert local
    for member in walked.road.live:
        sales, printed = member.ask(
            lambda s: (
                s.scalar(sa.select(sa.func.count()).select_from(Sale)),
                s.scalar(sa.select(sa.func.count()).where(PrintJob.kind == "receipt", PrintJob.state == "printed")),
            )
        )
        assert sales == printed


def test_the_network_has_every_sale_once_to_the_cent(walked: Walked) -> None:
    query = sa.select(Sale.id, Sale.total_minor, Sale.business_day, Sale.receipt_no)
    at_stores = {row for member in walked.road.stores.values() for row in member.ask(lambda s: s.execute(query).all())}
    at_network = walked.road.network.ask(lambda s: s.execute(query).all())
    assert sorted(at_network) == sorted(at_stores)
    lines = sa.select(sa.func.count()).select_from(SaleLine)
    assert walked.road.network.ask(lambda s: s.scalar(lines)) == sum(
        member.ask(lambda s: s.scalar(lines)) for member in walked.road.stores.values()
    )


def test_applying_the_whole_inbox_again_changes_nothing(walked: Walked) -> None:
    network = walked.road.network

    def books(session: Session) -> list[int | None]:
        tables = (Sale, SaleLine, StockMovement, Shift, PickupOrder, ReplenishmentOrder, Delivery, NetworkOffer)
        return [session.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables]

    with network.doors.write() as session:
        before = books(session)
        senders = dict(session.execute(sa.select(InboxMessage.id, InboxMessage.from_node)).all())
        effects = {node: receiver.effect_of(node, network.doors.now()) for node in set(senders.values())}
        again = reapply(session, lambda inner, message: effects[senders[message.id]](inner, message))
        session.flush()
        after = books(session)
    assert again > 0
    assert after == before
    assert network.findings() == []


def test_no_fact_waits_and_none_is_stuck(walked: Walked) -> None:
    for member in walked.road.live:
        states = member.ask(lambda s: set(s.scalars(sa.select(OutboxMessage.state))))
        assert states <= {"delivered", "pending"}
    assert walked.reported["facts_stuck"] == 0


def test_regions_sum_their_shops(walked: Walked) -> None:
    day = _day(walked, 1)
    network = walked.road.network
    stores = network.ask(
        lambda s: s.scalar(sa.select(sa.func.sum(DailyDemand.sold_qty)).where(DailyDemand.business_day == day))
    )
    regions = network.ask(
        lambda s: s.scalar(sa.select(sa.func.sum(RegionalDemand.sold_qty)).where(RegionalDemand.business_day == day))
    )
    assert stores == regions
    assert stores
    trading = network.ask(lambda s: s.scalar(sa.select(sa.func.count()).where(StoreDay.business_day == day)))
    assert trading == len(walked.road.stores)


def test_each_live_shop_has_goods_offers_and_people_of_its_own(walked: Walked) -> None:
    def own(session: Session) -> tuple[set[str], set[str], set[str]]:
        goods = sa.select(Product.name).where(Product.deposit_sku.is_not(None))
        offers = sa.select(StandingOffer.name).where(StandingOffer.owner_id != "*")
        people = sa.select(Customer.name)
        return set(session.scalars(goods)), set(session.scalars(offers)), set(session.scalars(people))

    one, other = (member.ask(own) for member in walked.road.live)
    for mine, theirs in zip(one, other, strict=True):
        assert len(mine) >= 3
        assert len(theirs) >= 3
        assert mine != theirs


def test_each_live_shop_forecasts_with_its_regions_signal(walked: Walked) -> None:
    for member in walked.road.live:
        run = member.ask(
            lambda s: s.scalar(
                sa.select(ForecastRun).where(ForecastRun.scope_kind == "store", ForecastRun.state == "published")
            )
        )
        assert run is not None
        assert run.origin_day == _day(walked, DAYS - 1)
        assert run.region_origin_day == _day(walked, DAYS - 1)
        products = member.ask(lambda s: s.scalar(sa.select(sa.func.count()).select_from(Product)))
        assert run.series == products
        bad = sa.or_(
            ForecastQuantile.q50 > ForecastQuantile.q75,
            ForecastQuantile.q75 > ForecastQuantile.q90,
            ForecastQuantile.q90 > ForecastQuantile.q95,
            ForecastQuantile.q95 > ForecastQuantile.q99,
            ForecastQuantile.q50 < 0,
        )
        assert (
            member.ask(lambda s, b=bad: s.scalar(sa.select(sa.func.count()).select_from(ForecastQuantile).where(b)))
            == 0
        )


def test_orders_were_changed_sent_dispatched_and_taken_in(walked: Walked) -> None:
    for member in walked.road.live:
        received = member.ask(
            lambda s: s.scalars(sa.select(ReplenishmentOrder).where(ReplenishmentOrder.state == "received")).all()
        )
        assert received
        for order in received:
            lines = member.ask(
                lambda s, o=order: s.execute(
                    sa.select(OrderLine.qty_received, OrderLine.packs_acknowledged * OrderLine.pack_qty).where(
                        OrderLine.order_id == o.id, OrderLine.packs > 0
                    )
                ).all()
            )
            assert all(got == promised for got, promised in lines)
            at_network = walked.road.network.ask(
                lambda s, m=member, o=order: s.get_one(ReplenishmentOrder, (m.id, o.id)).state
            )
            assert at_network == "received"
        changed = member.ask(lambda s: s.scalars(sa.select(OrderLine).where(OrderLine.changed_why != "")).all())
        assert changed
        assert all(line.packs != line.packs_proposed and line.changed_by for line in changed)


def test_goods_taken_in_are_in_stock_once(walked: Walked) -> None:
    by_delivery = (StockMovement.reason == "received", StockMovement.source_kind == "delivery")
    for member in walked.road.live:
        counted = member.ask(
            lambda s: s.scalar(
                sa.select(sa.func.sum(DeliveryLine.counted_qty))
                .join(
                    Delivery,
                    sa.and_(Delivery.store_id == DeliveryLine.store_id, Delivery.id == DeliveryLine.delivery_id),
                )
                .where(Delivery.state == "posted")
            )
        )
        booked = member.ask(lambda s: s.scalar(sa.select(sa.func.sum(StockMovement.qty)).where(*by_delivery)))
        assert counted == booked
        assert counted


def test_a_push_is_accepted_by_one_shop_and_declined_by_the_other(walked: Walked) -> None:
    accepting, declining = walked.road.live
    states = {
        member.id: member.ask(lambda s: s.scalars(sa.select(NetworkOffer.state)).all()) for member in walked.road.live
    }
    assert states[accepting.id] == ["received"]
    assert states[declining.id] == ["declined"]


def test_the_shelf_stands_and_is_filled(walked: Walked) -> None:
    for member in walked.road.live:
        assert member.ask(lambda s: s.scalars(sa.select(ShelfPlan.state)).all()) == ["live"]
        moved = member.ask(
            lambda s: s.scalar(sa.select(sa.func.sum(StockMovement.qty)).where(StockMovement.to_place == "shelf"))
        )
        assert moved
        assert walked.road.network.ask(
            lambda s, m=member: s.scalar(sa.select(ShelfPlan.state).where(ShelfPlan.store_id == m.id))
        )


def test_online_orders_are_collected_as_sales_and_forgotten_by_nobody(walked: Walked) -> None:
    for member in walked.road.live:
        orders = member.ask(lambda s: s.scalars(sa.select(PickupOrder)).all())
        assert [order.state for order in orders] == ["collected"] * 2 * DAYS, "one fetched and one brought home a day"
        sales = member.ask(lambda s: set(s.scalars(sa.select(Sale.id).where(Sale.channel == "pickup"))))
        assert {order.sale_id for order in orders} == sales
        seen = walked.road.network.ask(
            lambda s, m=member: s.scalars(sa.select(PickupOrder.state).where(PickupOrder.store_id == m.id)).all()
        )
        assert seen == ["collected"] * 2 * DAYS, "one fetched and one brought home a day"


def test_each_live_shop_s_account_has_weeks_behind_it_and_something_open_on_both_nodes(walked: Walked) -> None:
    for member in walked.road.live:
        kept = member.ask(lambda s, m=member: (ledger.balances(s, m.id), len(ledger.open_invoices(s, m.id))))
        reported = walked.road.network.ask(lambda s, m=member: ledger.balances(s, m.id))
        assert kept[0] == reported
        assert sum(reported.values()) == 0
        assert ledger.owed(reported) > 0
        assert kept[1] >= 1
        days = member.ask(lambda s, m=member: {one.business_day for one in ledger.entries_of(s, m.id)})
        assert min(days) < _day(walked, -21), "the statement of a month shows something on the first day"


def test_closed_shifts_agree_with_their_drawers(walked: Walked) -> None:
    for member in walked.road.stores.values():
        shifts = member.ask(lambda s: s.scalars(sa.select(Shift)).all())
        assert [one.state for one in shifts] == ["closed"] * DAYS
        assert all(one.over_short_minor == 0 and one.z_report for one in shifts)


def _day(walked: Walked, n: int) -> dt.date:
    return walked.road.panel.cut_off + dt.timedelta(days=n)
