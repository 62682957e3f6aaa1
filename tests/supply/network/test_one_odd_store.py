"""One store's odd row, message or bad day stops nothing for the others, and nothing for ever."""

import datetime as dt
import itertools

import pytest
import sqlalchemy as sa

from config.errors import Invalid
from config.ids import NETWORK, new_id
from config.nodes import facts, outbox
from config.nodes.journal import Context
from config.nodes.node import Peer
from config.nodes.outbox import Message
from pos.sold import SaleLine
from supply import isolation
from supply.demand import rollups
from supply.demand.campaign_uplift import CampaignAsk
from supply.demand.history import DailyDemand, StoreDay
from supply.facts import Advised
from supply.membership import attention, credit_review
from supply.membership.level import CountsReported
from supply.money import credit
from supply.money.credit import CreditLine
from supply.network.claims import handling
from supply.network.offers import campaigns, offer_results
from supply.network.offers.campaigns import Campaign
from supply.network.purchasing import purchasing
from supply.network.routes import loads, vehicles
from supply.network.transfers import proposals, sheets, transfers
from supply.network.warehouse import dispatch, returns
from supply.orders import deliveries, purchases
from supply.orders.claims import Claim, ClaimLine
from supply.orders.deliveries import Advice
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.transfers import Transfer
from tests import network_facts
from tests.arriving import apply_once
from tests.supply.network.test_claims import CLAIM, decide, file, states
from tests.supply.network.test_transfers import country as neighbours  # noqa: F401
from tests.supply.road import AT, DAY, OPERATOR, WAREHOUSE, Country, later, make_country
from tests.tampering import unlocked

NUMBERS = itertools.count(1)


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def send(country: Country, store: str, topic: str, body: dict, *, at: dt.datetime = AT) -> str:
    """Let a store tell the network something; returns what became of it: 'taken', or why it is set aside."""
    with country.stores[store].write() as session:
        outgoing = outbox.Outgoing(
            topic=topic,
            version=1,
            body=body,
            id=str(body.get("id") or new_id()),
            subject="test",
            business_day=at.date(),
        )
        outbox.append(session, outgoing, to_node=NETWORK, at=at)
    return carry(country, store, at=at)[-1]


def carry(country: Country, store: str, *, at: dt.datetime = AT) -> list[str]:
    """Carry what a store has to say as the wire does, and return what became of each."""
    with country.stores[store].read() as session:
        rows = [(row.epoch, Message(**outbox.to_wire(row))) for row in outbox.due(session, NETWORK)]
    found = []
    for epoch, message in rows:
        with country.network.write() as session:
            state, why = apply_once(
                session, store, epoch, message,
                lambda inner, fact: facts.apply(inner, fact, store, at), at=at,
            )  # fmt: skip
        found.append(why or state)
    with country.stores[store].write() as session:
        outbox.acknowledge(session, [message.id for _, message in rows], at=at)
    return found


def sale_of(store: str, **changed) -> dict:
    """Return a sale of a store as it travels. changed: of its body; in `line`, of its first line."""
    (fact,) = network_facts.sales(store, 1, first=next(NUMBERS), day=DAY)
    body = fact.to_body()
    body["lines"][0] |= changed.pop("line", {})
    return body | changed


def needs_a_person(country: Country, at: dt.datetime = AT) -> list[tuple[str, str]]:
    with country.network.read() as session:
        return [(one.kind, one.subject) for one in attention.needing_a_person(session, at=at)
                if one.kind in ("parked", "left-out")]  # fmt: skip


def sold(country: Country) -> set[str]:
    with country.network.read() as session:
        return set(session.scalars(sa.select(StoreDay.store_id).where(StoreDay.sales > 0)))


# --- at the door: the message is set aside for that store alone ---


@pytest.mark.parametrize(
    "odd",
    [
        {"line": {"qty": 10**9}}, {"line": {"total_minor": "1"}}, {"line": {"qty": "many"}}, {"total_minor": True},
        {"lines_minor": 1.5}, {"movements": [["m", "P00001", 10**10, "floor", "customer"]]},
        {"cash": [["c", "sale", "much"]]},
    ],
)  # fmt: skip
def test_a_quantity_no_till_can_ring_waits_for_that_shop_and_the_others_are_added_up(country, odd):
    assert send(country, "S1", "sale.completed", sale_of("S1")) == "taken"
    assert "field-odd" in send(country, "S2", "sale.completed", sale_of("S2", **odd))
    with country.network.write() as session:
        assert rollups.roll_fresh(session, at=AT) == 1
    assert sold(country) == {"S1"}
    assert needs_a_person(country) == [("parked", "S2")]


def send_order(country: Country, days: dict[str, dt.date] | None = None, **why) -> str:
    """Let S1 order bread with odd days or reasons; returns what became of it at the network."""
    with country.stores["S1"].write() as session, unlocked(session):
        session.execute(sa.delete(outbox.OutboxMessage))
    country.order("S1", {"bread": 1}, id=new_id(), **why)
    with country.stores["S1"].write() as session:
        (row,) = outbox.due(session, NETWORK)
        body = Message(**outbox.to_wire(row)).body | {name: day.isoformat() for name, day in (days or {}).items()}
        with unlocked(session):
            session.execute(sa.delete(outbox.OutboxMessage))
    return send(country, "S1", "order.sent", body | {"order_id": new_id()})


def test_an_order_for_the_end_of_time_or_with_a_word_for_a_day_waits_and_the_others_are_loaded(country):
    end, soon = dt.date(9999, 12, 31), DAY + dt.timedelta(days=90)
    country.order("S2", {"milk": 1}, id="honest")
    assert carry(country, "S2") == ["taken"]
    for days in ({"order_day": end}, {"delivery_day": end}, {"next_delivery_day": end}, {"order_day": soon}):
        assert "impossible-day" in send_order(country, days)
    assert "bad-reason" in send_order(country, runs_out_day="soon")
    country.fill()
    assert country.load(DAY) == ["honest"]


def test_a_sheet_nobody_can_read_waits_and_the_others_gain_all_the_same(neighbours):  # noqa: F811
    country = neighbours
    for store, database in country.stores.items():
        with database.write() as session:
            sheets.send(session, store, sheets.work_out(session, store, at=AT), at=AT)
        carry(country, store)
    good = {"store_id": "S1", "day": DAY.isoformat(), "spares": [], "wants": []}
    for odd, why in (
        ({"day": "soon"}, "field-odd"),
        ({"spares": [["bread", "soon", [[1, 2]]]]}, "not-a-day"),
        ({"spares": [["bread", None, [[10**10, 2]]]]}, "not-a-number"),
        ({"wants": [["bread", "much", 1, [[1, 2]]]]}, "not-a-number"),
        ({"wants": [["bread"]]}, "bad-sheet"),
    ):
        assert why in send(country, "S1", "transfer.sheet", good | odd)
    with country.network.write() as session:
        assert len(proposals.propose(Context(session, OPERATOR, AT))) == 1
        # one that was kept before sheets were read at the door
        session.get_one(sheets.TransferSheet, "S1").body = good | {"spares": [["bread"]]}
        session.flush()
        assert set(sheets.sheets(session, DAY)) == {"S2"}


def test_counts_that_are_none_wait_and_a_clock_that_ran_ahead_freezes_nothing(country):
    good = {"store_id": "S1", "day": DAY.isoformat(), "sold_products": 10, "counted_products": 9}
    for odd in ({"sold_products": "many"}, {"counted_products": -1}, {"sold_products": True}, {"day": 20310101}):
        assert "field-odd" in send(country, "S1", "standing.counts", good | odd)
    assert "not-a-number" in send(country, "S1", "standing.counts", good | {"counted_products": 11})
    with country.network.write() as session:  # told before days were looked at
        session.add(CountsReported(store_id="S1", day=dt.date(2031, 1, 1), sold_products=100, counted_products=100))
    assert send(country, "S1", "standing.counts", good) == "taken"
    with country.network.read() as session:
        kept = session.get_one(CountsReported, "S1")
    assert (kept.day, kept.counted_products) == (DAY, 9)


@pytest.mark.parametrize("amount", [0, -5, "900", True, 10**13])
def test_credit_asked_for_nothing_or_in_words_waits_for_that_shop(country, amount):
    asked = {"store_id": "S1", "order_id": "none", "order_no": 9, "amount_minor": amount, "state": "asked",
             "asked_at": AT.isoformat(), "why": ""}  # fmt: skip
    assert ("field-odd" if amount else "not-a-number") in send(country, "S1", "credit.asked", asked)
    with country.network.read() as session:
        assert credit.held_draws(session) == []


# --- what is there already ---


def nowhere(session, store: str = "S1") -> None:
    """Let a store lie in a time zone there is none of: its day cannot be told."""
    session.flush()
    session.execute(sa.text("update store set tz = 'Nowhere/Town' where id = :id"), {"id": store})
    session.expire_all()


def add_claim(session, store: str, *, remedy: str) -> None:
    """Write down a claim that was granted."""
    session.add(
        Claim(store_id=store, id="c", claim_no=1, supplier_id="vehicle", delivery_id="d", state="accepted", wish=remedy,
              words="", late=False, filed_at=AT, filed_by="Wei", photos=0, claimed_minor=0, granted_minor=0, round=1,
              remedy=remedy, answer="", answered_by="", contest="", answered_at=AT)
    )  # fmt: skip
    session.flush()


def test_a_shop_that_says_it_sells_without_end_takes_neither_memory_nor_anybodys_goods(country):
    with country.network.write() as session:
        for back, store in itertools.product((1, 2), ("S1", "S2")):
            day, qty = DAY - dt.timedelta(days=back), 10**13 if store == "S2" else 6
            session.add(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=1))
            session.add(DailyDemand(store_id=store, business_day=day, sku="bread", sold_qty=qty, sales=9,
                                    revenue_minor=1))  # fmt: skip
    order = country.order("S1", {"bread": 2})
    country.deliver()
    assert country.fill() == [order]
    assert country.lines(NETWORK, "S1", order)["bread"].packs_acknowledged >= 1


def test_what_came_too_many_is_not_replaced_and_an_old_answer_of_that_kind_stops_no_van(country):
    country.order("S1", {"bread": 2})
    country.send_out()
    delivery = country.take_in("S1", [("bread", 15, "Too many")])
    country.deliver()
    file(country, delivery, ("bread", "over", 3))
    country.deliver()
    with pytest.raises(Invalid, match="be replaced"):
        decide(country, {("bread", "over"): 3}, remedy="replacement")
    with country.network.write() as session:  # as it was answered before that was refused
        claim = session.get_one(Claim, ("S1", CLAIM))
        claim.remedy = "replacement"
        for line in handling.lines_of(session, claim):
            line.granted_qty = line.qty
        session.execute(sa.update(Claim).values(state="accepted"))
    honest = country.order("S2", {"milk": 1})
    country.deliver()
    country.fill()
    assert country.load() == [honest]
    country.deliver()
    assert states(country) == ("compensated", "compensated")


def test_a_shop_whose_order_cannot_be_held_waits_and_the_others_are_filled(country):
    odd, honest = country.order("S1", {"bread": 1}), country.order("S2", {"milk": 1})
    country.deliver()
    with country.network.write() as session:
        credit.set_line(Context(session, OPERATOR, AT), "S1", credit.CreditLimit(0, 0, {}, {}, 0, [], DAY))
        session.get_one(CreditLine, "S1").state = "held"
        nowhere(session)
    assert country.fill() == [honest]
    assert country.state("S1", odd)[1] == "sent"
    assert needs_a_person(country) == [("left-out", "S1")]


def test_one_order_that_cannot_be_loaded_keeps_no_other_waiting_and_is_named(country):
    odd, honest = country.order("S1", {"bread": 1}), country.order("S2", {"milk": 1})
    country.deliver()
    country.fill()
    with country.network.write() as session:
        row = session.get_one(ReplenishmentOrder, ("S1", odd))
        row.order_day = row.delivery_day = dt.date.max
    for hours in (0, 1, 30):
        assert country.load(later(hours=hours).date(), later(hours=hours)) == ([] if hours else [honest])
        assert needs_a_person(country, later(hours=hours)) == [("left-out", "S1")]
    with country.network.read() as session:
        assert len(isolation.lately(session, at=later(hours=30))) == 1
    assert needs_a_person(country, later(hours=60)) == []


def test_an_offer_and_a_replacement_that_cannot_be_loaded_keep_no_others_waiting(country):
    with country.network.write() as session:
        for store in country.stores:
            offer = {
                "store_id": store,
                "id": f"p-{store}",
                "supplier_id": "vehicle",
                "sku": "bread",
                "name": "Rye bread",
            }
            session.add(NetworkOffer(**offer, pack_qty=6, pack_cost_minor=900, packs=2, why="New", state="accepted",
                                  offered_at=AT, answer_by=DAY, terms={"kind": "new"}))  # fmt: skip
            add_claim(session, store, remedy="replacement")
            session.add(ClaimLine(store_id=store, claim_id="c", sku="milk", kind="damaged", name="Milk", qty=3,
                                  granted_qty=3, pack_qty=12, pack_cost_minor=1_100, charged=True))  # fmt: skip
        nowhere(session)
    country.load()
    with country.network.read() as session:
        found = session.execute(sa.select(deliveries.Delivery.store_id, deliveries.DeliveryLine.sku).join(
            deliveries.DeliveryLine, deliveries.DeliveryLine.delivery_id == deliveries.Delivery.id))  # fmt: skip
        assert sorted(found) == [("S2", "bread"), ("S2", "milk")]
    assert needs_a_person(country) == [("left-out", "S1")]


def test_a_word_for_a_day_in_an_order_that_is_here_is_not_urgent_and_the_rounds_are_planned(country):
    order = country.order("S1", {"bread": 1})
    country.deliver()
    country.fill()
    with country.network.write() as session:
        session.execute(sa.update(OrderLine).values(why={"runs_out_day": "soon"}))
        dispatch.dispatch_day(Context(session, OPERATOR, AT), everything=True)
        for here in (WAREHOUSE, "S1"):
            vehicles.place(Context(session, OPERATOR, AT), here, 31_200_000, 121_400_000)
        vehicles.add_vehicle(Context(session, OPERATOR, AT), WAREHOUSE, "Vehicle 1", 40)
        plan = loads.ask(Context(session, OPERATOR, AT), WAREHOUSE, DAY)
        assert [call.urgency for call in loads.load(session, plan, at=AT).day.calls] == [0]
    assert country.state("S1", order)[1] == "dispatched"


def test_a_day_nobody_can_add_up_is_put_off_and_the_others_are_added_up(country):
    assert send(country, "S1", "sale.completed", sale_of("S1")) == "taken"
    for _ in range(2):
        assert send(country, "S2", "sale.completed", sale_of("S2", line={"sku": "odd"})) == "taken"
    # taken in before quantities were looked at
    with country.network.write() as session, unlocked(session):
        session.execute(sa.update(SaleLine).where(SaleLine.sku == "odd").values(qty=2**62))
    with country.network.write() as session:
        assert rollups.roll_fresh(session, at=AT) == 2
        assert rollups.roll_fresh(session, at=AT) == 0, "what failed stands in nobody's way"
    assert sold(country) == {"S1"}
    assert needs_a_person(country) == [("left-out", "S2")]
    with country.network.write() as session:
        assert rollups.roll_up(session, None, DAY, at=later(hours=12)) == [DAY]
        with unlocked(session):
            session.execute(sa.update(SaleLine).where(SaleLine.sku == "odd").values(qty=1))
        assert rollups.roll_fresh(session, at=later(hours=13)) == 0
        assert rollups.roll_fresh(session, at=later(hours=25)) == 1, "it is tried again after a day"
    assert sold(country) == {"S1", "S2"}


def test_one_shops_figures_that_cannot_be_worked_out_leave_the_others_their_lines(country):
    with country.network.write() as session:
        session.add(CountsReported(store_id="S1", day=DAY, sold_products=9, counted_products=9))
        session.flush()
        session.execute(sa.text("update counts_reported set sold_products = 'many'"))
    for day in range(2):
        with country.network.write() as session:
            at = later(days=day + 1)
            done = credit_review.close_day(Context(session, OPERATOR, at), DAY + dt.timedelta(days=day))
        assert done == 1
        assert needs_a_person(country, at) == [("left-out", "S1")]
    with country.network.write() as session:
        assert credit.line_of(session, "S1") is None
        assert credit.line_of(session, "S2").worked_out_on == DAY + dt.timedelta(days=1)
        session.execute(sa.text("update counts_reported set sold_products = 9"))
        assert credit_review.close_day(Context(session, OPERATOR, later(days=3)), DAY) == 2
        assert credit.line_of(session, "S2").worked_out_on == DAY + dt.timedelta(days=1), "it is not set back"


# --- what is done for all stores at night ---


def test_goods_that_stayed_are_paid_for_though_one_shops_day_cannot_be_told(country):
    terms = {"kind": "surplus", "slot_fee_minor": 0, "slow_days": 7, "slow_bp": 2_000}
    with country.network.write() as session:
        for store in country.stores:
            offer = {
                "store_id": store,
                "id": f"p-{store}",
                "supplier_id": "vehicle",
                "sku": "bread",
                "name": "Rye bread",
            }
            session.add(NetworkOffer(**offer, pack_qty=6, pack_cost_minor=900, packs=2, why="New", state="received",
                                  offered_at=AT, answer_by=DAY, terms=terms))  # fmt: skip
            lines = [Advised("bread", "Rye bread", 6, 12)]
            note = deliveries.expect(
                Context(session, OPERATOR, AT),
                store,
                f"d-{store}",
                Advice("vehicle", lines, expected_day=DAY, network_offer_id=f"p-{store}"),
            )
            note.state, note.posted_at, note.posted_by = "posted", AT, "Wei"
            deliveries.lines_of(session, note)[0].counted_qty = 12
            day = DAY + dt.timedelta(days=9)
            session.add(StoreDay(store_id=store, business_day=day, open=True, sales=1, revenue_minor=1))
        nowhere(session)
    with country.network.write() as session:
        assert offer_results.look_after(Context(session, OPERATOR, later(days=9))) == 1
        kept = {one.store_id: one.care_minor for one in session.scalars(sa.select(NetworkOffer))}
        assert kept["S1"] is None
        assert kept["S2"] is not None
    assert needs_a_person(country, later(days=9)) == [("left-out", "S1")]


def test_claims_whose_goods_did_not_come_end_though_one_shop_cannot_be_told(country):
    with country.network.write() as session:
        for store in country.stores:
            add_claim(session, store, remedy="return")
        nowhere(session)
    with country.network.write() as session:
        assert returns.end_overdue(Context(session, OPERATOR, later(days=60))) == 1
        assert [one.state for one in session.scalars(sa.select(Claim).order_by(Claim.store_id))] == [
            "accepted", "forfeited",
        ]  # fmt: skip
    assert needs_a_person(country, later(days=60)) == [("left-out", "S1")]


def test_a_shop_whose_sales_cannot_be_summed_is_left_out_and_the_others_are_bought_for(country):
    with country.network.write() as session:
        for back, store in itertools.product((1, 2), ("S1", "S2")):
            day, qty = DAY - dt.timedelta(days=back), 2**62 if store == "S1" else 20
            session.add(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=1))
            session.add(
                DailyDemand(store_id=store, business_day=day, sku="tea", sold_qty=qty, sales=9, revenue_minor=1)
            )
    with country.network.write() as session:
        (made,) = purchasing.propose(Context(session, OPERATOR, AT), WAREHOUSE)
        (line,) = purchases.lines_of(session, made)
        assert (line.sku, line.why["per_day"]) == ("tea", 20)
    assert needs_a_person(country) == [("left-out", "S1")]


def test_transfers_nobody_answered_lapse_though_one_shops_day_cannot_be_told(country):
    with country.network.write() as session:
        for giver, taker in (("S1", "S2"), ("S2", "S1")):
            session.add(
                Transfer(id=f"t-{giver}", giver_id=giver, taker_id=taker, giver_name=giver, taker_name=taker,
                              metres=300, state="proposed", proposed_at=AT, answer_by=DAY, fetch_by=DAY)
            )  # fmt: skip
        nowhere(session)
        session.get_one(Transfer, "t-S2").taker_id = "S2"  # whoever has to do with S1 waits with it
    with country.network.write() as session:
        assert [one.id for one in transfers.lapse_due(Context(session, OPERATOR, later(days=2)))] == ["t-S2"]
    assert needs_a_person(country, later(days=2)) == [("left-out", "S1")]


def test_a_campaign_pays_who_it_can_and_waits_for_who_it_could_not(country):
    with country.network.write() as session:
        row = {"name": "11/11", "why": "", "from_day": DAY, "until_day": DAY, "answer_by": DAY, "lines": [],
               "fee_minor": 100}  # fmt: skip
        session.add(Campaign(id="c1", hold_out_bp=0, held_out=[], made_at=AT, state="open", **row))
        for store in country.stores:
            session.add(CampaignAsk(store_id=store, campaign_id="c1", state="accepted", answered_why="", **row))
            session.add(Peer(id=store, epoch="", nonce="", heard_at=later(days=4), alarm=None))
        nowhere(session)
    with country.network.write() as session:
        assert [one.id for one in campaigns.settle_due(Context(session, OPERATOR, later(days=5)))] == ["c1"]
        assert [one.state for one in campaigns.asks_of(session, "c1")] == ["accepted", "over"]
    assert needs_a_person(country, later(days=5)) == [("left-out", "S1")]
    with country.network.write() as session:
        session.execute(sa.text("update store set tz = 'UTC'"))
        session.expire_all()
        assert campaigns.settle_due(Context(session, OPERATOR, later(days=6))) == []
        assert [one.state for one in campaigns.asks_of(session, "c1")] == ["over", "over"]
