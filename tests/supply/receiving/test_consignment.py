"""Goods on sale or return: the network's until they sell, charged as they sell, and back or bought at the end."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, Invalid, Refused
from config.nodes.journal import Context
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock import batches, consignment_stock, stock
from pos.stock.consignment_stock import Consignment
from pos.stock.ledger import Place
from pos.till import shift
from supply.demand.history import StoreDay
from supply.money import consignment, terms
from supply.money.ledger import balances, open_invoices, owed
from supply.network.offers import offer_results
from supply.network.warehouse import returns
from supply.orders import network_offers, supplier_returns
from supply.orders.network_offers import (
    Lot,
    NetworkOffer,
    NetworkOfferTerms,
    NewOffer,
    looked_at_on,
    paid_for,
    terms_from,
)
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, Country, later, make_country

OFFER, UNTIL = "push-0001-S1", DAY + dt.timedelta(days=20)
TERMS = NetworkOfferTerms("surplus", None, 250, 28, 2_000, 5_000, 3_000)


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def bring(country: Country, *, counted: int = 12, until: dt.date | None = UNTIL, own: int = 0, **wishes) -> None:
    """Offer two packs of bread, take them, and take them in; `own` units of the store's stand there already."""
    with country.stores["S1"].write() as session:
        shift.open_shift(Context(session, KEEPER["S1"], AT), "S1", "T1", 5_000)
        if own:
            stock.open_stock(Context(session, KEEPER["S1"], AT), "S1", [("bread", own)], source_id="own")
    given = {"packs": 2, "why": "New", "answer_by": DAY, "return_until": until, "terms": TERMS} | wishes
    with country.network.write() as session:
        network_offers.offer(Context(session, OPERATOR, AT), "S1", NewOffer("bread", **given), id=OFFER)
    country.deliver()
    with country.stores["S1"].write() as session:
        network_offers.accept(Context(session, KEEPER["S1"], AT), "S1", OFFER)
    country.deliver()
    country.load()
    country.deliver()
    country.take_in("S1", [("bread", counted, "" if counted == 12 else "Missing")])
    country.deliver()


def ring_up(session, qty: int, sale_id: str, at: dt.datetime) -> None:
    total = sale.quote(session, "S1", [("bread", qty)], at=at).basket.total_minor
    request = SaleRequest(
        id=sale_id, store_id="S1", till_id="T1", lines=[("bread", qty)], tenders=[("cash", total)],
        shown_total_minor=total,
    )  # fmt: skip
    sale.complete(Context(session, KEEPER["S1"], at), request)


def sell(country: Country, qty: int, sale_id: str, at: dt.datetime = AT) -> None:
    with country.stores["S1"].write() as session:
        ring_up(session, qty, sale_id, at)


def close(country: Country, at: dt.datetime, seed: int | None = None) -> None:
    with country.stores["S1"].write() as session:
        consignment.close_day(Context(session, KEEPER["S1"], at), "S1")
    country.deliver(at=at, seed=seed)


def lots(country: Country) -> list[tuple[int, int, int, int]]:
    """Return (left, sold, back, bought) of the lot at the store and at the network."""
    found = []
    for database in (country.stores["S1"], country.network):
        with database.read() as session:
            lot = session.get(Consignment, ("S1", OFFER))
            found.append((lot.left_qty, lot.sold_qty, lot.back_qty, lot.bought_qty))
    return found


def invoiced(country: Country) -> int:
    found = []
    for database in (country.stores["S1"], country.network):
        with database.read() as session:
            found.append(-balances(session, "S1")["goods"])
    assert found[0] == found[1], "the store's copy is the network's ledger"
    return found[0]


def heard(session, days: int) -> None:
    """Let the network know that S1 was open so many days later."""
    session.add(StoreDay(store_id="S1", business_day=later(days=days).date(), open=True, sales=1, revenue_minor=1))
    session.flush()


def test_nothing_is_charged_until_a_unit_sells_and_then_each_once(country):
    bring(country)
    assert (invoiced(country), country.level("S1", "S1", "bread").on_hand) == (0, 12)
    sell(country, 5, "sale-0001")
    close(country, later(hours=8))
    close(country, later(hours=9))
    assert invoiced(country) == 750
    country.reapply()
    assert invoiced(country) == 750
    assert lots(country) == [(7, 5, 0, 0)] * 2
    with country.stores["S1"].read() as session:
        assert consignment_stock.of_sale(session, "S1", "sale-0001") == [("Rye bread", 5)]
        assert [(one.qty, one.cost_minor) for one in consignment_stock.of_day(session, "S1", DAY)] == [(5, 750)]
    with country.network.read() as session:
        (open_one,) = open_invoices(session, "S1")
        assert open_one.invoice.due_day == DAY + dt.timedelta(days=terms.Terms().account_days)
    assert country.findings() == []


def test_what_came_first_sells_first_whose_ever_it_is(country):
    bring(country, own=4)
    sell(country, 6, "sale-0001")
    assert lots(country)[0] == (10, 2, 0, 0)
    with country.stores["S1"].read() as session:
        assert consignment_stock.of_sale(session, "S1", "sale-0001") == [("Rye bread", 2)]


def test_what_is_charged_and_credited_to_and_fro_is_booked_every_time(country):
    bring(country)
    for sold in (5, 3, 5, 3, 4):
        with country.network.write() as session:
            lot = session.get(Consignment, ("S1", OFFER))
            lot.sold_qty, lot.left_qty = sold, 12 - sold
            consignment.charge(Context(session, OPERATOR, AT), lot)
            found = balances(session, "S1")
            assert -found["goods"] - found["returns"] == 150 * sold, "what came back twice is credited twice"
            assert lot.charged_qty == sold


def test_own_units_that_were_written_off_no_longer_stand_before_the_network_s(country):
    bring(country, own=4)
    with country.stores["S1"].write() as session:
        stock.waste(Context(session, KEEPER["S1"], AT), "S1", "bread", 4)
    close(country, later(hours=2))
    sell(country, 3, "sale-0001", later(hours=3))
    assert lots(country)[0] == (9, 3, 0, 0)


def test_on_its_last_day_the_rest_is_proposed_and_goes_back_without_a_charge(country):
    good_until = DAY + dt.timedelta(days=60)
    with country.network.write() as session:
        lots_there = [batches.Lot("bread", 60, "B1", good_until)]
        batches.lay_in(session, "WH1", lots_there, source_kind="purchase", source_id="p", at=AT)
    bring(country)
    sell(country, 5, "sale-0001")
    close(country, later(days=19))
    with country.stores["S1"].read() as session:
        assert supplier_returns.returns(session, "proposed", store_id="S1") == []
    close(country, later(days=20))
    with country.stores["S1"].write() as session:
        (proposed,) = supplier_returns.returns(session, "proposed", store_id="S1")
        with pytest.raises(Invalid, match="return 0 to 7 units"):
            returns.send(Context(session, KEEPER["S1"], later(days=20)), "S1", proposed.id, {"bread": 8})
        returns.send(Context(session, KEEPER["S1"], later(days=20)), "S1", proposed.id, {})
        with pytest.raises(Conflict, match="already sent"):
            returns.send(Context(session, KEEPER["S1"], later(days=20)), "S1", proposed.id, {})
    country.deliver(seed=3)
    before = country.level("network", "WH1", "bread").on_hand
    with country.network.write() as session:
        with pytest.raises(Invalid, match="7 were sent"):
            returns.receive(Context(session, OPERATOR, AT), "S1", OFFER, {"bread": (8, 8)})
        with pytest.raises(Invalid, match="tell the shopkeeper what is missing"):
            returns.receive(Context(session, OPERATOR, AT), "S1", OFFER, {"bread": (6, 6)})
        returns.receive(Context(session, OPERATOR, AT), "S1", OFFER, {"bread": (7, 6)}, words="One is squashed")
    country.deliver(seed=4)
    assert country.level("network", "WH1", "bread").on_hand == before + 6, "the squashed one is not sold again"
    with country.network.read() as session:
        back = session.scalars(sa.select(batches.Batch).where(batches.Batch.source_kind == "supplier_return")).one()
        assert (back.received_qty, back.batch, back.expires_on) == (6, "B1", good_until), "its day comes back with it"
    assert lots(country) == [(0, 5, 7, 0)] * 2
    assert invoiced(country) == 750
    with country.stores["S1"].read() as session:
        (done,) = supplier_returns.returns(session, "received", store_id="S1")
        assert (done.words, supplier_returns.lines_of(session, done)[0].received_qty) == ("One is squashed", 7)
    assert country.findings() == []


def test_what_is_neither_sent_nor_there_is_bought_and_silence_keeps_the_rest(country):
    bring(country)
    with country.stores["S1"].write() as session:
        stock.waste(Context(session, KEEPER["S1"], AT), "S1", "bread", 2)
    close(country, later(days=20))
    with country.stores["S1"].write() as session, pytest.raises(Refused, match="10"):
        returns.send(Context(session, KEEPER["S1"], later(days=20)), "S1", OFFER, {})
    close(country, later(days=23))
    assert lots(country)[0] == (12, 0, 0, 0), "three days to decide"
    close(country, later(days=24), seed=5)
    assert lots(country) == [(0, 0, 0, 12)] * 2
    assert invoiced(country) == 1_800
    with country.stores["S1"].write() as session:
        assert supplier_returns.return_of(session, "S1", OFFER).state == "kept"
        with pytest.raises(Refused, match="is left to return"):
            consignment.propose_now(Context(session, KEEPER["S1"], later(days=25)), "S1", OFFER)
    assert country.findings() == []


def test_what_a_silent_shop_has_told_nothing_of_is_invoiced_in_the_end_and_credited_where_it_did_not_sell(country):
    bring(country)
    over = (UNTIL - DAY).days + consignment.WORD_ENDS.days

    def look(days: int) -> int:
        with country.network.write() as session:
            returns.end_overdue(Context(session, OPERATOR, later(days=days)))
            found = balances(session, "S1")
        return -found["goods"] - found["returns"]

    assert (look(over), look(over + 1), look(over + 2)) == (0, 1_800, 1_800)
    sell(country, 5, "sale-0001")
    with country.stores["S1"].write() as session:  # it had sent the rest back in time; the line was down
        consignment.propose_now(Context(session, KEEPER["S1"], later(days=2)), "S1", OFFER)
        returns.send(Context(session, KEEPER["S1"], later(days=2)), "S1", OFFER, {"bread": 7})
    country.deliver(at=later(days=over + 3))
    with country.network.write() as session:
        returns.receive(Context(session, OPERATOR, later(days=over + 4)), "S1", OFFER, {"bread": (7, 7)})
    assert look(over + 5) == 750
    country.deliver()
    assert country.findings() == []


def test_a_fee_for_the_place_is_paid_once_and_bought_goods_that_stay_are_looked_at_once(country):
    bring(country, until=None)
    assert invoiced(country) == 1_800
    country.reapply()
    with country.network.write() as session:
        assert balances(session, "S1")["shelf"] == 250
        assert offer_results.look_after(Context(session, OPERATOR, later(days=27))) == 0
        assert offer_results.look_after(Context(session, OPERATOR, later(days=28))) == 0, "its sales are not here yet"
        heard(session, 27)
        assert offer_results.look_after(Context(session, OPERATOR, later(days=28))) == 1
        assert offer_results.look_after(Context(session, OPERATOR, later(days=29))) == 0
        assert balances(session, "S1")["care"] == 360, "a fifth of what all of it cost"
        assert session.get(NetworkOffer, ("S1", OFFER)).care_minor == 360
        (one,) = offer_results.summaries(session)
        pushed = offer_results.push_of(session, one.id)
        assert (pushed.id, pushed.count("accepted"), pushed.came_qty, pushed.sold_qty) == ("push-0001", 1, 12, 0)
    country.deliver()
    assert country.findings() == []


def test_an_offer_that_binds_the_network_to_nonsense_is_refused(country):
    with country.network.write() as session:
        for terms, code in (
            (NetworkOfferTerms("near_expiry"), "bad-day"),
            (NetworkOfferTerms("new", DAY - dt.timedelta(days=1)), "bad-day"),
            (NetworkOfferTerms("gift"), "bad-choice"),
            (NetworkOfferTerms("new", slot_fee_minor=-1), "bad-amount"),
        ):
            with pytest.raises(Invalid) as refusal:
                network_offers.offer(
                    Context(session, OPERATOR, AT),
                    "S1",
                    NewOffer(sku="bread", packs=1, why="x", answer_by=DAY, terms=terms),
                    id="o",
                )
            assert refusal.value.code == code


@given(
    came=st.integers(1, 500), sold=st.integers(0, 600), cost=st.integers(0, 10**6), pack=st.integers(1, 24),
    slow=st.integers(0, 10_000), expiry=st.integers(0, 10_000), cap=st.integers(0, 10_000), near=st.booleans(),
)  # fmt: skip
def test_compensation_is_bounded_and_never_rewards_selling_less_than_nothing(
    came, sold, cost, pack, slow, expiry, cap, near
):
    terms = NetworkOfferTerms("new", UNTIL if near else None, 0, 28, slow, expiry, cap)
    assert terms_from(terms.reported()) == terms
    day = looked_at_on(terms, DAY)
    assert day is None or day > DAY
    paid = paid_for(terms, Lot(DAY, came, min(sold, came), pack, cost))
    whole = -(-came * cost // pack) + 1
    assert 0 <= paid <= whole * cap / 10_000
    assert paid >= paid_for(terms, Lot(DAY, came, min(sold + 1, came), pack, cost)), "who sells more is not paid more"
    if sold >= came:
        assert paid == 0


WALK = st.lists(
    st.tuples(st.sampled_from(["sell", "close", "own", "waste", "send", "keep", "count", "late"]), st.integers(1, 9)),
    min_size=3, max_size=14,
)  # fmt: skip


@settings(max_examples=6)
@given(steps=WALK, seed=st.integers(0, 99))
def test_whatever_happens_to_a_lot_it_adds_up_and_is_charged_by_the_unit(tmp_path_factory, steps, seed):
    country = make_country(tmp_path_factory.mktemp("walk"))
    bring(country, own=3)
    for n, (what, qty) in enumerate(steps):
        at = later(days=2 * n + 1)
        try:
            with country.stores["S1"].write() as session:
                act(session, what, qty, f"step-{n:04d}", at)
        except (Refused, Invalid, Conflict):
            continue
        if what == "late":
            country.deliver(at=at, seed=seed)
    close(country, later(days=60), seed=seed)
    with country.network.write() as session:
        returns.end_overdue(Context(session, OPERATOR, later(days=60)))
    country.deliver(at=later(days=60), seed=seed)
    left, sold, back, bought = lots(country)[1]
    assert (left, left + sold + back + bought) == (0, 12)
    assert lots(country)[0] == lots(country)[1]
    assert invoiced(country) == (sold + bought + back) * 150, "the warehouse has counted nothing yet"
    with country.network.write() as session:
        for sent in supplier_returns.returns(session, "sent"):
            returns.receive(Context(session, OPERATOR, later(days=61)), "S1", sent.id, {"bread": (back, back)})
    country.deliver(at=later(days=61), seed=seed)
    with country.network.read() as session:
        assert balances(session, "S1")["returns"] == back * 150
    with country.network.read() as session:
        slot_minor = 250
        assert owed(balances(session, "S1")) == (sold + bought) * 150 - slot_minor
    assert country.findings() == []
    for database in country.nodes().values():
        database.engine.dispose()


def act(session, what: str, qty: int, step: str, at: dt.datetime) -> None:
    by = {"actor": KEEPER["S1"], "at": at}
    if what == "sell":
        ring_up(session, qty, step, at)
    elif what == "close" or what == "late":
        consignment.close_day(Context(session, **by), "S1")
    elif what == "own":
        stock.receive(Context(session, **by), "S1", [("bread", qty)], source_id=step)
    elif what == "waste":
        stock.waste(Context(session, **by), "S1", "bread", qty, Place.BACKROOM, source_id=step)
    elif what == "count":
        stock.count(Context(session, **by), "S1", "bread", qty, count_id=step)
    elif what == "keep":
        consignment.keep(Context(session, **by), "S1", OFFER)
    else:
        consignment.propose_now(Context(session, **by), "S1", OFFER)
        returns.send(Context(session, **by), "S1", OFFER, {"bread": qty})
