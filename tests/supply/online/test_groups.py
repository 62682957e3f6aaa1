"""Group buys: steps, threshold, cases, fair shares, and money that always ends where it belongs."""

import datetime as dt
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, DomainError, NotFound, Refused
from config.ids import new_id
from config.nodes.journal import Actor, Context
from pos import messages
from pos.catalogue.catalogue import Listing, Price, Product, TaxClass
from pos.payments.providers import Outcome
from pos.stock import stock
from supply.demand import known_events
from supply.facts import Advised
from supply.money import escrow, ledger, payment_runs, terms
from supply.money.held_payments import Escrow
from supply.online.checkout.order_keys import code_hash, code_of, new_token, token_hash
from supply.online.groups import groups, holding, leaders
from supply.online.groups.groups import GroupMember, GroupOffer, GroupTerms
from supply.online.groups.price import Demand, commission, deal, fill, price_at
from supply.online.orders import PickupOrder
from supply.online.pickup import escrow_release, pickup
from supply.orders import suppliers
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.suppliers import Contact
from supply.receiving import receiving
from supply.sync import checks
from supply.sync import groups as group_facts
from tests.arriving import expect, hear
from tests.supply.online_store import ANA, AT, OTHER, STORE, later, make_town

ME = Actor("customer", "customer", "customer", "network")
CLOSES = later(hours=2)
TERMS = GroupTerms(
    id="group-00001", store_id=STORE, owner=STORE, sku="milk", name="Milk by the case", steps=((1, 120), (12, 100)),
    threshold_qty=6, case_qty=6, minimum_cases=1, closes_at=CLOSES, vehicle_day=dt.date(2026, 3, 4),
    pickup_until=dt.date(2026, 3, 6), store_takes=2, commission_bp=500, leader="Auntie Chen",
    leader_token="leader-link",
)  # fmt: skip


# --- arithmetic ---

demands = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 6)), min_size=1, max_size=9).map(
    lambda rows: [Demand(f"m{n}", want, want + more) for n, (want, more) in enumerate(rows)]
)


@given(demands, st.integers(1, 12), st.integers(0, 5))
def test_cases_are_full_and_nobody_gets_more_than_they_said(members, case, takes):
    filled = fill(members, case, takes)
    assert sum(filled.gets.values()) + filled.store_qty == filled.cases * case
    assert 0 <= filled.store_qty <= takes
    assert all(0 <= filled.gets[one.id] <= one.upto for one in members)
    if filled.cases * case >= sum(one.want for one in members):
        assert all(filled.gets[one.id] >= one.want for one in members)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 60))
def test_what_arrived_is_dealt_out_in_rounds(wanted, arrived):
    rows = [(f"m{n}", qty) for n, qty in enumerate(wanted)]
    gets = deal(rows, arrived)
    assert sum(gets.values()) == min(arrived, sum(wanted))
    assert all(gets[one] <= qty for one, qty in rows)
    hungry = [gets[one] for one, qty in rows if gets[one] < qty]
    assert not hungry or max(gets.values()) - min(hungry) <= 1


def test_the_price_is_the_one_the_whole_group_reaches():
    assert [price_at(((1, 120), (12, 100)), qty) for qty in (0, 1, 11, 12, 99)] == [120, 120, 120, 100, 100]


@given(
    st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 2_000), st.integers(0, 10**6)
)
def test_a_commission_is_of_the_goods_alone_to_the_cent(goods, tax, deposit, bp, back):
    total = goods + tax + deposit
    left = max(0, total - back)
    assert commission(goods, total, total, bp) == goods * bp // 10_000, "whatever tax and deposit are"
    part = commission(goods, total, left, bp)
    assert 0 <= part <= left
    assert part == (int(Fraction(goods * bp, 10_000) * Fraction(left, total)) if total else 0)


# --- the road ---


@pytest.fixture
def town(tmp_path):
    found = make_town(tmp_path)
    found.open_till()
    with found.store.write() as session:
        group_facts.open_at_store(Context(session, ANA, AT), TERMS)
    found.deliver()
    return found


TOKENS: dict[str, str] = {}
"""Member -> the token on its phone, of the last who joined by that id."""


def join(town, id, want, upto=None, *, state="captured", at=AT):
    token = TOKENS[id] = new_token()
    member = GroupMember(
        id=id, name="Li", phone="555 0100", email="", language="en", token_hash=token_hash(token),
        code_hash=code_hash(id, code_of(id, token)), want_qty=want, maximum_qty=upto or want,
    )  # fmt: skip
    with town.network.write() as session:
        groups.join(Context(session, ME, at), TERMS.id, member, provider="practice")
        if escrow.settle_outcome(Context(session, ME, at), id, Outcome(state, "P")) == "held":
            groups.paid(session, id, at=at)
    return code_of(id, token)


def close(town, at=CLOSES):
    with town.network.write() as session:
        group_facts.close_due(session, at=at)
    town.deliver(at=at)


def come(town, qty, at=None, *, posted=False):
    """Bring the goods in and say so; posted: as a delivery that a group's goods are held from."""
    at = at or later(days=2)
    with town.store.write() as session:
        stock.receive(Context(session, ANA, at), STORE, [("milk", qty)], source_kind="delivery", source_id="vehicle")
        if posted:
            holding.goods_received(Context(session, ANA, at), STORE, [("milk", qty)])
        group_facts.say_arrived(Context(session, ANA, at), STORE, TERMS.id, qty)
    town.deliver(at=at)


def state_of(town):
    with town.network.read() as session:
        return session.get(GroupOffer, TERMS.id).state


def where(town, ids, account):
    with town.network.read() as session:
        assert escrow.findings(session) == []
        return escrow.total_of(session, ids, account)


def test_a_group_from_opening_to_the_leaders_commission(town):
    for one in ("m1", "m2"):
        join(town, one, 6)
    close(town)
    assert state_of(town) == "ordered"
    with town.store.read() as session:
        assert known_events.until(session, STORE, dt.date(2026, 3, 4)) == {"milk": 12}
    come(town, 12)
    assert where(town, ["m1", "m2"], "due") == 2 * 6 * 20  # the lower step was reached
    with town.store.read() as session:
        assert known_events.until(session, STORE, dt.date(2026, 3, 9)) == {}
    for one in ("m1", "m2"):
        town.make_ready(one, at=later(days=2))
        town.collect(TOKENS[one], new_id(), 600, at=later(days=2, hours=1))
    town.deliver(at=later(days=2, hours=1))
    town.hear(at=later(days=12))
    with town.network.write() as session:
        for row in escrow.to_release(session, later(days=12)):
            groups.release(Context(session, ME, later(days=12)), row.id)
        groups.settle_done(session, at=later(days=12))
    assert where(town, ["m1", "m2"], "leader") == 54  # 5 % of what was collected, without tax
    assert where(town, ["m1", "m2"], "store") == 1146
    assert state_of(town) == "settled"
    assert town.faults() == []
    for days, forgotten in ((33, 0), (34, 2), (34, 0)):
        with town.network.write() as session:
            assert groups.forget(session, at=later(days=days)) == forgotten
    with town.network.read() as session:
        assert {(one.name, one.phone) for one in session.query(GroupMember)} == {("", "")}


def test_what_the_leader_earned_is_paid_out_to_the_leader_and_follows_what_comes_back_to_the_cent(town):
    reported = {"store_id": STORE, "name": "Auntie Chen", "account": "DE89370400440532013000", "bic": ""}
    with town.network.write() as session:
        hear(session, "agent.reported", reported | {"reported_at": AT.isoformat()}, at=AT)
    code = join(town, "m1", 6)
    close(town)
    come(town, 6)
    town.make_ready("m1", at=later(days=2))
    town.collect(code, new_id(), 720, at=later(days=2))
    town.deliver(at=later(days=2))
    with town.network.write() as session:
        escrow.dispute(Context(session, ME, later(days=3)), "m1", why="Sour.")
        escrow_release.decide(Context(session, ME, later(days=4)), "m1", 120, why="a little")
        entries = {row.kind: row.amount_minor for row in ledger.entries_of(session, STORE)}
        assert checks.findings(session, STORE) == []
    # 5 % of 661 net, of which five sixths stay
    assert (where(town, ["m1"], "leader"), where(town, ["m1"], "store")) == (27, 573)
    assert entries == {"leader": 27, "escrow": 573, "commission": 17}

    def stands():
        with town.network.read() as session:
            assert checks.findings(session, STORE) == []
            found = leaders.status_of(session, session.get(GroupOffer, TERMS.id))
            funds = -ledger.balances(session, STORE)["funds"]
            return found.earned_minor, found.paid_minor, found.due_minor, funds

    assert stands() == (27, 0, 27, 556)
    with town.network.write() as session:
        terms.set_terms(Context(session, ME, AT), replace(terms.in_force(session)[1], payout_least_minor=1))
        paid = payment_runs.make_run(Context(session, ME, later(days=5)), id="run-1")
    assert [(one.agent, one.payee, one.amount_minor) for one in paid.payouts] == [("Auntie Chen", "Auntie Chen", 27)]
    assert paid.unknown == [STORE]  # the store's own money waits for its account
    assert stands() == (27, 27, 0, 556)
    with town.network.write() as session:  # a cut-off store took half of it back in time
        by = {"actor": ME, "at": later(days=6)}
        escrow.take_back(Context(session, **by), "m1", 300, is_covered=lambda: True, why="returned", words="S07-1")
    assert where(town, ["m1"], "due") == 120 + 300
    assert stands() == (14, 27, -13, 277)  # 287 of the store's, less half of the commission


@pytest.mark.parametrize(
    ("kind", "total", "back", "earned"),
    [
        ("deposit", 3 * 120 + 3 * 25, 0, 16),  # 5 % of 330, which is 360 without the 9 % in it
        ("tax", 3 * 120 + 32, 0, 18),
        ("risen", 3 * 120, 0, 13),  # the deposit is inside what was paid
    ],
)
def test_a_share_costs_what_the_till_rings_with_its_deposit_and_tax_and_never_more_than_was_paid(
    tmp_path, kind, total, back, earned
):
    town = make_town(tmp_path)
    town.open_till()

    def change(do):
        for database in (town.network, town.store):
            with database.write() as session:
                do(session)

    def bottle(session):
        session.add(Product(sku="dep", name="Bottle", category="x", stock_unit="each", price_quantity=1,
                            tax_class_id="std", search_text="b", kind="deposit"))  # fmt: skip
        session.flush()
        session.get(Product, "milk").deposit_sku = "dep"
        session.add(Price(sku="dep", scope_id="*", from_day=dt.date(2026, 1, 1), price_minor=25))
        session.add(Listing(store_id=STORE, sku="dep"))

    if kind == "deposit":
        change(bottle)
    if kind == "tax":
        change(lambda session: setattr(session.get(TaxClass, "std"), "inclusive", False))
    town.publish()
    with town.store.write() as session:
        group_facts.open_at_store(Context(session, ANA, AT), TERMS)
    town.deliver()
    codes = [join(town, one, 3) for one in ("m1", "m2")]
    assert where(town, ["m1"], "escrow") == total
    if kind == "risen":
        change(bottle)
    close(town)
    come(town, 6)
    town.make_ready("m1", at=later(days=2))
    handed = town.collect(codes[0], new_id(), total, at=later(days=2))
    assert (handed.completed.sale.total_minor, where(town, ["m1"], "due")) == (total, back)
    assert town.faults() == []
    town.deliver(at=later(days=2))
    with town.network.write() as session:
        coming = leaders.status_of(session, session.get(GroupOffer, TERMS.id)).coming_minor
        groups.release(Context(session, ME, later(days=12)), "m1")
    assert (coming, where(town, ["m1"], "leader")) == (earned, earned)


def test_whom_no_unit_is_left_for_gets_the_money_back_when_the_group_is_ordered(town):
    for one, want in (("m1", 6), ("m2", 6), ("m3", 1)):
        join(town, one, want)
    close(town, at=CLOSES + groups.FILL)
    close(town, at=CLOSES + groups.FILL)
    assert state_of(town) == "ordered"
    assert (where(town, ["m3"], "escrow"), where(town, ["m3"], "due")) == (0, 120)
    with town.network.read() as session:
        assert [one.id for one in groups.members_of(session, session.get(GroupOffer, TERMS.id))] == ["m1", "m2"]
        reported = {row.id: row.body["why"] for row in messages.due(session, later(days=1)) if row.id.startswith("m3")}
    assert reported == {"m3-none": "Nothing was left for you. You get a refund."}
    come(town, 12)
    assert where(town, ["m1", "m2"], "escrow") == 1200


def test_no_other_shop_ends_a_group_or_opens_it_again(town):
    join(town, "m1", 6)
    close(town)
    with town.network.write() as session:
        arrived = {"group_id": TERMS.id, "store_id": OTHER, "qty": 0}
        with pytest.raises(Refused, match="only S07 can send"):
            hear(session, "group.arrived", arrived, at=AT)
        opened = group_facts.GroupOpened(replace(TERMS, store_id=OTHER, owner=OTHER)).to_body()
        with pytest.raises(Refused, match="only S07 can send"):
            hear(session, "group.opened", opened, at=AT)
    assert (state_of(town), where(town, ["m1"], "escrow")) == ("ordered", 720)


def test_the_shop_and_the_leaders_page_show_what_is_earned_and_what_is_to_come(town):
    code = join(town, "m1", 6)
    close(town)
    come(town, 6)
    town.make_ready("m1", at=later(days=2))
    town.collect(code, new_id(), 720, at=later(days=2))
    town.deliver(at=later(days=2))
    with town.network.read() as session:
        group = leaders.by_token(session, STORE, "leader-link")
        found = leaders.status_of(session, group)
        assert (found.earned_minor, found.coming_minor, found.account_end) == (0, 33, "")
        for wrong in ("", "other"):
            with pytest.raises(NotFound):
                leaders.by_token(session, STORE, wrong)


def test_a_group_whose_goods_nobody_tells_of_fails_after_its_last_day(town):
    join(town, "m1", 6)
    close(town)
    close(town, at=later(days=6))
    assert state_of(town) == "ordered"
    close(town, at=later(days=7))
    assert state_of(town) == "failed"
    assert (where(town, ["m1"], "escrow"), where(town, ["m1"], "due")) == (0, 720)
    with town.store.read() as session:
        assert session.get(GroupOffer, TERMS.id).state == "failed"


def test_a_group_below_its_threshold_gives_everybody_everything_back_at_once(town):
    join(town, "m1", 5)
    close(town)
    assert state_of(town) == "failed"
    assert (where(town, ["m1"], "escrow"), where(town, ["m1"], "due")) == (0, 600)


def test_the_last_case_is_filled_by_who_joins_late_or_takes_more(town):
    join(town, "m1", 8, 10)
    close(town)  # 4 are missing, tolerance 2 and the store 2: full
    assert state_of(town) == "ordered"
    with town.network.read() as session:
        assert session.get(GroupOffer, TERMS.id).cases == 2


def test_a_case_nobody_fills_stays_open_a_while_and_takes_no_more_than_fits(town):
    join(town, "m1", 8)
    close(town)
    assert state_of(town) == "filling"
    with pytest.raises(DomainError, match="Only 4 more fit"):
        join(town, "m2", 5, at=later(hours=3))
    join(town, "m3", 4, at=later(hours=3))
    close(town, at=later(hours=9))
    with town.network.read() as session:
        assert session.get(GroupOffer, TERMS.id).cases == 2


def test_who_leaves_gets_everything_back_and_counts_no_more(town):
    join(town, "m1", 6)
    with town.network.write() as session:
        for _ in range(2):
            groups.leave(Context(session, ME, later(minutes=5)), "m1")
        assert groups.status(session, session.get(GroupOffer, TERMS.id), AT).taken_qty == 0
    assert where(town, ["m1"], "due") == 720


def test_one_id_is_an_order_or_a_share_never_both(town):
    town.place("order-00001", [("milk", 1)])
    with pytest.raises(Conflict, match="This page has expired"):
        join(town, "order-00001", 1)
    join(town, "member-01", 1)
    with pytest.raises(Conflict, match="This page has expired"):
        town.place("member-01", [("milk", 1)])


def test_money_that_comes_after_the_closing_goes_back(town):
    join(town, "m1", 6)
    join(town, "m2", 6, state="requested")
    close(town)
    with town.network.write() as session:
        assert escrow.settle_outcome(Context(session, ME, later(hours=3)), "m2", Outcome("captured", "P")) == "held"
        groups.paid(session, "m2", at=later(hours=3))
        assert [one.id for one in groups.members_of(session, session.get(GroupOffer, TERMS.id))] == ["m1"]
    assert where(town, ["m2"], "due") == 720


@pytest.mark.parametrize("known", [True, False])
def test_who_paid_too_late_and_got_it_back_is_dealt_nothing(town, known):
    join(town, "m1", 6)
    join(town, "late", 6, state="requested")
    with town.network.write() as session:
        if known:
            groups.unpaid(Context(session, ME, later(minutes=16)), "late")
        else:  # an escrow that lapsed without its membership
            escrow.lapse(Context(session, ME, later(minutes=16)), "late")
        came = escrow.settle_outcome(Context(session, ME, later(minutes=17)), "late", Outcome("captured", "P9"))
        assert came == "settled"
        assert (session.get(GroupMember, "late").left_at is not None) == known
    assert where(town, ["late"], "due") == 720
    close(town)
    come(town, 6)
    with town.network.read() as session:
        shares = {row.id: row.paid_minor for row in session.query(PickupOrder)}
        assert shares == {"m1": 720}
        assert escrow.balance(session, "m1") == 720


def test_money_held_for_nobodys_share_is_a_finding_and_the_job_sends_it_back(town):
    join(town, "member-001", 6)
    with town.network.write() as session:
        member = GroupMember(
            id="member-002", name="Li", phone="555 0100", email="", language="en", token_hash="t" * 64,
            code_hash="c" * 64, want_qty=6, maximum_qty=6,
        )  # fmt: skip
        groups.join(Context(session, ME, AT), TERMS.id, member, provider="practice")
        # a payment service that gives no reference: the money is there, and nobody counts the member
        assert escrow.settle_outcome(Context(session, ME, AT), member.id, Outcome("captured", "")) == "held"
    close(town)
    with town.network.write() as session:
        groups.fail(Context(session, ME, CLOSES), TERMS.id, why="The vehicle broke down.")
        (finding,) = [one for one in checks.findings(session) if one.subject == "escrow:member-002"]
        assert finding.code == "K13"
    close(town, later(hours=3))
    with town.network.read() as session:
        assert escrow.balance(session, "member-002") == 0
        assert escrow.total_of(session, ["member-002"], "due") == 720
        assert not [one for one in checks.findings(session) if one.subject == "escrow:member-002"]


def test_when_fewer_arrive_everybody_gets_one_before_anybody_gets_two(town):
    for one in ("m1", "m2", "m3"):
        join(town, one, 2)
    close(town)
    come(town, 4)
    with town.network.read() as session:
        orders = {
            row.id: row.total_minor for row in session.query(PickupOrder).filter(PickupOrder.group_id.is_not(None))
        }
    assert orders == {"m1": 240, "m2": 120, "m3": 120}
    assert where(town, ["m1", "m2", "m3"], "due") == 240


def test_a_share_nobody_collects_goes_back_to_the_shelf_and_its_money_to_the_member(town):
    join(town, "m1", 6)
    close(town)
    come(town, 6)
    town.make_ready("m1", at=later(days=2))
    with town.store.write() as session:
        pickup.expire_due(Context(session, ANA, later(days=9)), STORE)
    town.deliver(at=later(days=9))
    assert (where(town, ["m1"], "escrow"), where(town, ["m1"], "due")) == (0, 720)
    with town.network.write() as session:
        groups.settle_done(session, at=later(days=9))
    assert state_of(town) == "settled"
    assert town.faults() == []


# --- its goods in the store ---


def post_vehicle(town, qty, at):
    """Post a delivery of milk as the vehicle brings it."""
    with town.store.write() as session:
        suppliers.add_supplier(
            Context(session, ANA, at), "*", Contact("Depot", DeliveryCalendar(frozenset({0}))), id="depot"
        )
        line = [Advised("milk", "Milk", 1, qty)]
        expect(session, STORE, "van-00001", "depot", line, at=at)
        receiving.begin_count(Context(session, ANA, at), STORE, "van-00001")
        receiving.post(Context(session, ANA, at), STORE, "van-00001")


def sell_out(town):
    with town.store.write() as session:
        left = stock.levels(session, STORE, ["milk"])["milk"].available
        stock.waste(Context(session, ANA, AT), STORE, "milk", left, why="sold out")
    town.publish(later(hours=1))


def say(town, qty, at):
    with town.store.write() as session:
        group_facts.say_arrived(Context(session, ANA, at), STORE, TERMS.id, qty)


def held(town):
    """Return what is held under the group's own id, and what nobody is promised."""
    with town.store.read() as session:
        assert checks.findings(session, STORE) == []
        group = session.get(GroupOffer, TERMS.id)
        return holding.held_qty(session, group), stock.levels(session, STORE, ["milk"])["milk"].available


def test_a_share_waits_for_no_answer_and_is_kept_through_the_last_pickup_day(town):
    for one in ("m1", "m2"):
        join(town, one, 6)
    close(town)
    come(town, 12)
    assert town.state("m1") == town.state("m2") == ("accepted", "accepted")
    town.make_ready("m1", at=later(days=2))
    last = dt.datetime(2026, 3, 6, 20, 0, tzinfo=dt.UTC)  # 4 in the morning in Shanghai: the 6th is over
    for at, gone in ((last - dt.timedelta(minutes=1), []), (last, ["m1", "m2"])):
        with town.store.write() as session:
            assert [one.id for one in pickup.expire_due(Context(session, ANA, at), STORE)] == gone
    town.deliver(at=last)
    assert (town.state("m1"), town.state("m2")) == (("expired",) * 2, ("cancelled",) * 2)
    assert (where(town, ["m1", "m2"], "escrow"), where(town, ["m1", "m2"], "due")) == (0, 1440)
    assert town.faults() == []


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_what_is_posted_for_a_group_is_held_until_each_share_has_its_own(town, seed):
    join(town, "m1", 8, 10)
    sell_out(town)
    close(town)
    at = later(days=2)
    post_vehicle(town, 12, at)
    assert held(town) == (12, 0)
    with town.store.read() as session:
        assert known_events.until(session, STORE, dt.date(2026, 3, 9)) == {}
    town.publish(at)
    assert town.left("milk") == 0
    say(town, 12, at)
    town.deliver(seed=seed, at=at)
    assert town.state("m1") == ("accepted", "accepted")
    assert held(town) == (0, 2)  # the store's own part of the last case
    town.publish(at)
    assert town.left("milk") > 0
    assert town.faults() == []


def test_goods_the_records_lack_have_not_come_and_what_was_said_is_said_once(town):
    join(town, "m1", 6)
    join(town, "m2", 6)
    sell_out(town)
    close(town)
    at = later(days=2)
    with pytest.raises(Refused, match="Only 0 of Milk by the case"):
        say(town, 12, at)
    post_vehicle(town, 12, at)
    say(town, 9, at)
    assert held(town) == (9, 3)
    say(town, 9, at)  # the second click
    with pytest.raises(Refused, match="that 9 arrived"):
        say(town, 12, at)
    town.deliver(at=at)
    assert [town.state(one)[0] for one in ("m1", "m2")] == ["accepted", "accepted"]
    assert held(town) == (0, 3)
    with pytest.raises(Refused, match="that 9 arrived"):
        say(town, 12, at)
    assert town.faults() == []


def test_a_group_that_fails_on_the_way_frees_its_goods(town):
    join(town, "m1", 6)
    close(town)
    come_at = later(days=2)
    post_vehicle(town, 6, come_at)
    say(town, 6, come_at)
    assert held(town)[0] == 6
    with town.network.write() as session:
        group = groups.fail(Context(session, ME, come_at), TERMS.id, why="Canceled. The stores have been notified")
        group_facts.send(session, group, come_at)
    town.deliver(at=come_at)
    assert held(town)[0] == 0
    assert town.faults() == []


# --- any walk ---

STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "pay", "decline", "leave", "close", "come", "ready", "collect", "expire"]),
              st.integers(0, 4), st.integers(1, 7)),
    min_size=4, max_size=22,
)  # fmt: skip


@settings(max_examples=12)
@given(steps=STEPS)
def test_whatever_happens_the_escrow_is_empty_at_the_end(steps, tmp_path_factory):
    town = make_town(tmp_path_factory.mktemp("walk"))
    town.open_till()
    with town.store.write() as session:
        group_facts.open_at_store(Context(session, ANA, AT), TERMS)
    town.deliver()
    codes, at = {}, AT
    for what, who, qty in steps:
        one, at = f"m{who}", at + dt.timedelta(minutes=20)
        try:
            _do(town, what, one, qty, codes, at)
        except DomainError:
            continue
        finally:
            town.deliver(at=at)
    _end(town, codes)
    with town.network.read() as session:
        assert escrow.findings(session) == []
        rows = session.query(Escrow).all()
        assert {row.state for row in rows} <= {"settled", "lapsed"}
        assert escrow.total_of(session, [row.id for row in rows], "escrow") == 0
        assert session.get(GroupOffer, TERMS.id).state in ("settled", "failed")
    assert held(town)[0] == 0
    assert town.faults() == []


def _do(town, what, id, qty, codes, at):
    if what == "join":
        codes.setdefault(id, join(town, id, qty, qty + 2, state="requested", at=at))
    elif what in ("pay", "decline"):
        with town.network.write() as session:
            state = "captured" if what == "pay" else "declined"
            if escrow.settle_outcome(Context(session, ME, at), id, Outcome(state, "P")) == "held":
                groups.paid(session, id, at=at)
    elif what == "leave":
        with town.network.write() as session:
            if session.get(GroupMember, id) is not None:
                groups.leave(Context(session, ME, at), id)
    elif what == "close":
        close(town, at=max(at, CLOSES + groups.FILL))
    elif what == "come":
        with town.store.read() as session:
            group = session.get(GroupOffer, TERMS.id)
            most = group.cases * group.case_qty
        come(town, max(0, most - qty % 3) if group.state == "ordered" else qty, at=at, posted=qty % 2 == 0)
    elif what == "ready":
        town.make_ready(id, at=at)
    elif what == "collect":
        with town.store.read() as session:
            total = session.get(PickupOrder, (STORE, id)).total_minor if session.get(PickupOrder, (STORE, id)) else 0
        town.collect(codes.get(id, "none"), new_id(), total, at=at)
    elif what == "expire":
        with town.store.write() as session:
            pickup.expire_due(Context(session, ANA, at + dt.timedelta(hours=5)), STORE)


def _end(town, codes):
    """Let time pass until nothing is open any more."""
    after = later(days=40)
    with town.network.write() as session:
        for one in codes:
            escrow.lapse(Context(session, ME, after), one)
    close(town, at=after)
    with town.store.read() as session:
        group = session.get(GroupOffer, TERMS.id)
        waiting, most = group.state == "ordered", group.cases * group.case_qty
    if waiting:
        come(town, most, at=after)
    with town.store.write() as session:
        pickup.expire_due(Context(session, ANA, after + dt.timedelta(days=9)), STORE)
    town.deliver(at=after)
    with town.network.write() as session:
        for row in escrow.to_release(session, after + dt.timedelta(days=30)):
            groups.release(Context(session, ME, after), row.id)
        groups.settle_done(session, at=after)
    town.deliver(at=after)
