"""A store that wants the money its customers paid online before they have what they paid for."""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import itertools

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from config.errors import DomainError, Invalid, Refused
from config.ids import NETWORK, new_id
from config.nodes import facts
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message
from pos.messages import OutgoingMessage
from pos.payments.providers import Outcome
from supply.money import advances, credit, escrow, ledger, terms
from supply.money.held_payments import Escrow
from supply.money.ledger import balances
from supply.online.checkout import order_keys, placing
from supply.online.checkout.order_keys import code_hash, new_token, token_hash
from supply.online.orders import PickupOrder, order_for_update, text_of
from supply.online.pickup import escrow_release, order_copy
from supply.online.storefront import availability
from supply.online_facts import PickupMoved
from supply.sync import checks
from tests.supply.online_store import AT, STORE, Town, later, make_town

ONE, PAID = "order-00001", 387
SYSTEM = Actor.system("escrow", NETWORK)
FULL_TERM = dt.timedelta(days=14)


@pytest.fixture
def town(tmp_path) -> Town:
    made = make_town(tmp_path)
    made.open_till()
    return made


def order(town: Town) -> placing.Placed:
    """Place an order, pay it online, and let its store have it."""
    with town.network.write() as session:
        asked = placing.OrderRequest(id=ONE, name="Li Wei", phone="555 0100", lines=[("milk", 3)], pay_with="practice")
        placed = placing.place(session, STORE, asked, at=AT)
        escrow.settle_outcome(Context(session, SYSTEM, AT), ONE, Outcome("captured", "P1"))
        placing.paid(session, order_for_update(session, STORE, ONE), at=AT)
    town.deliver()
    return placed


def lie(town: Town, **said) -> PickupMoved:
    """Make up a fact that says the order was handed over the second it was placed."""
    with town.store.read() as session:
        row = session.get_one(PickupOrder, (STORE, ONE))
        at = text_of(row.placed_at + dt.timedelta(seconds=1))
        reported = {
            "store_id": STORE, "order_id": ONE, "step": 50, "state": "collected", "why": "", "number": row.number,
            "order_no": row.order_no, "code_hash": row.code_hash, "token_hash": row.token_hash, "currency": "CNY",
            "total_minor": PAID, "placed_at": at, "moved_at": at, "ready_by": None, "ready_at": at, "hold_until": at,
            "collected_at": at, "collected_by": "Ana", "sale_id": "sale-1", "lines": (), "return_until": at,
            "paid_minor": PAID,
        }  # fmt: skip
    return PickupMoved(**reported | said)


def push(town: Town, fact: PickupMoved, at: dt.datetime, topic: str = "pickup.moved") -> None:
    message = Message(new_id(), 1, topic, 1, "", "", fact.to_body(), "")
    with town.network.write() as session:
        facts.apply(session, message, STORE, at)


def release(town: Town, at: dt.datetime) -> int:
    """Let the network pass on what may be, the store heard from just now; returns how many."""
    town.hear(at=at)
    with town.network.write() as session:
        rows = escrow.to_release(session, at)
        for row in rows:
            escrow_release.pass_on(Context(session, SYSTEM, at), row.id, why="collected")
    return len(rows)


def row_of(town: Town) -> Escrow:
    with town.network.read() as session:
        return session.get_one(Escrow, ONE)


def test_a_made_up_hand_over_waits_the_full_term_and_its_customer_is_told_and_can_object(town):
    placed = order(town)
    push(town, lie(town), later(minutes=1))
    assert release(town, later(days=13, hours=23)) == 0
    with town.network.read() as session:
        reported = session.query(OutgoingMessage).filter_by(kind="handed_over").one()
    assert reported.phone == placed.order.customer_phone
    with town.network.write() as session:
        order_copy.dispute(session, STORE, placed.token, "I was never there.", at=later(days=13))
    assert (release(town, later(days=400)), row_of(town).state) == (0, "disputed")


def test_without_an_objection_the_full_term_ends(town):
    order(town)
    push(town, lie(town), later(minutes=1))
    with town.network.read() as session:
        ends = session.get_one(PickupOrder, (STORE, ONE)).window_until
    assert release(town, ends + FULL_TERM - dt.timedelta(seconds=1)) == 0
    assert release(town, ends + FULL_TERM) == 1


@pytest.mark.parametrize("field", ["sale_id", "ready_at", "collected_at", "return_until"])
def test_a_hand_over_of_what_was_never_ready_or_never_sold_is_set_aside(town, field):
    order(town)
    with pytest.raises(Invalid, match="was reported as handed over, but was never"):
        push(town, lie(town, **{field: None}), AT)
    with pytest.raises(Invalid, match="An order cannot be"):
        push(town, lie(town, state="settled"), AT)
    assert row_of(town).release_at is None


def test_the_customers_token_ends_the_wait_and_neither_the_code_nor_another_token_does(town):
    placed = order(town)
    for proof in (placed.code, new_token()):
        with pytest.raises(Refused, match="This is not the customer"):
            push(town, lie(town, proof=proof), AT)
    push(town, lie(town), AT)
    push(town, lie(town, step=49, proof=placed.token), later(days=1))  # later, and of an older step
    assert (release(town, later(days=7)), release(town, later(days=8))) == (0, 1)


def test_the_customers_own_word_ends_the_wait(town):
    placed = order(town)
    with town.network.write() as session, pytest.raises(Refused, match="has not confirmed your pickup yet"):
        order_copy.confirm(session, STORE, placed.token, at=AT)
    push(town, lie(town), AT)
    with town.network.write() as session:
        order_copy.confirm(session, STORE, placed.token, at=later(days=2))
    assert (release(town, later(days=8, hours=23)), release(town, later(days=9))) == (0, 1)


def test_terms_a_store_shortens_after_the_order_change_nothing_for_it(town):
    placed = order(town)
    with town.network.write() as session:
        rules = availability.rules_of(session, STORE).to_body() | {"return_days": 0}
        body = {
            "store_id": STORE, "edition": 10**13, "taking_orders": True, "published_at": text_of(AT), "seen_through": 1,
            "seen_also": [], "offers": [], "rules": rules,
        }  # fmt: skip
        facts.apply(session, Message(new_id(), 1, "storefront.published", 1, "", "", body, ""), STORE, AT)
        assert availability.rules_of(session, STORE).return_days == 0
    push(town, lie(town, proof=placed.token), AT)
    assert (release(town, later(days=6, hours=23)), release(town, later(days=7))) == (0, 1)


def test_what_the_store_has_of_the_code_cannot_be_searched_for_it(town):
    placed = order(town)
    with town.store.read() as session:
        kept = session.get_one(PickupOrder, (STORE, ONE)).code_hash
    salt, _, hashed = kept.partition("$")
    quick = [hashlib.new(name, f"{mixed}{placed.code}".encode()).hexdigest() for name in ("sha256", "sha1", "md5")
             for mixed in ("", ONE, f"{ONE}:", salt, f"{salt}$", f"{STORE}:")]  # fmt: skip
    assert hashed not in quick
    assert code_hash(salt, placed.code) == kept
    assert order_keys.pins._NOBODYS.startswith("$argon2id$v=19$m=19456,t=2,p=1$"), "as slow as a PIN's"


def test_an_order_the_network_knows_from_the_store_alone_is_proved_by_nothing_it_tells(town):
    order(town)
    mine = new_token()
    made_up = dataclasses.replace(
        lie(town), order_id="made-up-01", order_no="S07-0900", number=900, token_hash=token_hash(mine), proof=mine
    )
    push(town, made_up, AT)
    with town.network.write() as session:
        found = session.get_one(PickupOrder, (STORE, "made-up-01"))
        order_copy.confirm(session, STORE, mine, at=AT)
        assert (found.reported_by_store, found.proved_at) == (True, None)
        escrow.settle_outcome(Context(session, SYSTEM, later(days=31)), "made-up-01", Outcome("declined"))
        assert [one for one in checks.findings(session) if "made-up-01" in one.subject] == [], "it turns no check red"


def test_a_store_cannot_reroute_what_its_customer_is_told(town):
    placed = order(town)
    with town.store.read() as session:
        row = session.get_one(PickupOrder, (STORE, ONE))
        fact = dataclasses.replace(
            placing.as_placed(session, row), customer_phone="555 6666", customer_name="Nobody", placed_at=text_of(AT)
        )
    push(town, fact, AT, "pickup.taken")
    with town.network.read() as session:
        assert session.get_one(PickupOrder, (STORE, ONE)).customer_phone == placed.order.customer_phone


def test_a_store_that_holds_an_order_for_ever_keeps_no_customer_from_disputing_it(town):
    placed = order(town)
    for_ever = text_of(later(days=9_000))
    push(town, lie(town, state="ready", sale_id=None, collected_at=None, hold_until=for_ever, answer_by=for_ever), AT)
    with town.network.write() as session:
        order_copy.dispute(session, STORE, placed.token, "They never hand it over.", at=later(days=16))
    assert row_of(town).state == "disputed"


def test_no_advance_is_given_for_a_hand_over_only_the_store_has_seen(town):
    placed = order(town)
    push(town, lie(town), AT)
    with town.network.write() as session:
        share_bp = terms.in_force(session)[1].advance_bp
        assert advances.most(session, STORE, share_bp) == 0
    push(town, lie(town, step=51, proof=placed.token), AT)
    with town.network.write() as session:
        assert advances.most(session, STORE, share_bp) == PAID * share_bp // 10_000 > 0


def test_a_dispute_after_the_money_was_passed_on_charges_the_store_at_once_and_only_once(town):
    placed = order(town)
    push(town, lie(town), AT)
    passed = later(days=15)
    assert release(town, passed) == 1

    def standing() -> tuple[int, int, int]:
        with town.network.read() as session:
            assert checks.findings(session, STORE) == []
            kept = balances(session, STORE)
            return -kept["funds"], kept["invoiced"], escrow.balance(session, ONE)

    assert standing() == (PAID - PAID * 3 // 100, 0, 0)
    with town.network.write() as session, pytest.raises(Refused, match="This payment is no longer held, so there is"):
        order_copy.dispute(session, STORE, placed.token, "Late.", at=passed + dt.timedelta(days=30, seconds=1))
    with town.network.write() as session:
        order_copy.dispute(session, STORE, placed.token, "I never got it.", at=passed + dt.timedelta(days=2))
    assert standing() == (0, 0, PAID)
    with town.network.write() as session:
        escrow_release.decide(Context(session, SYSTEM, passed + dt.timedelta(days=3)), ONE, 200, why="Half each.")
    assert standing() == (187 - 187 * 3 // 100, 0, 0)
    assert row_of(town).state == "settled"
    with town.network.write() as session, pytest.raises(Refused, match="has decided"):
        order_copy.dispute(session, STORE, placed.token, "Again.", at=passed + dt.timedelta(days=4))


@pytest.mark.parametrize(("limit_minor", "goes_back"), [(0, False), (375, False), (376, True)])
def test_a_late_return_that_the_store_is_not_good_for_waits_for_the_operator_whatever_it_says_next(
    town, limit_minor, goes_back
):
    placed = order(town)
    push(town, lie(town, proof=placed.token), AT)
    assert release(town, later(days=15)) == 1
    with town.network.write() as session:
        ledger.Booking(Context(session, SYSTEM, later(days=16)), STORE).enter(
            "payout", "bank", "funds", 376, source_id="run"
        )
        day = later(days=16).date()
        session.add(credit.CreditLine(store_id=STORE, limit_minor=limit_minor, level=0, facts={}, terms={}, terms_n=1,
                                      steps=[], worked_out_on=day))  # fmt: skip
    for step in (60, 61):
        push(town, lie(town, step=step, state="returned", returned_minor=PAID), later(days=17))
        with town.network.read() as session:
            assert escrow.total_of(session, [ONE], "due") == (PAID if goes_back else 0)
            assert escrow.balance(session, ONE) == (0 if goes_back else PAID)
            assert balances(session, STORE)["invoiced"] == 376
            assert session.query(OutgoingMessage).filter_by(kind="refunded").count() == goes_back
            assert checks.findings(session, STORE) == []
    assert row_of(town).state == ("settled" if goes_back else "disputed")
    if not goes_back:
        with town.network.write() as session:
            escrow_release.decide(Context(session, SYSTEM, later(days=18)), ONE, PAID, why="We pay it.")
            assert escrow.total_of(session, [ONE], "due") == PAID


STATES = st.sampled_from(
    ["placed", "accepted", "picking", "short", "ready", "collected", "return_asked", "returned", "return_refused",
     "refused", "cancelled", "expired"]
)  # fmt: skip
MOMENT = st.one_of(st.none(), st.integers(-400, 400))
MOMENTS = ("ready_at", "collected_at", "return_until", "hold_until", "answer_by", "window_from", "window_until",
           "moved_at")  # fmt: skip
LIE = st.fixed_dictionaries(
    {
        **dict.fromkeys(MOMENTS, MOMENT), "state": STATES, "step": st.integers(1, 60),
        "sale_id": st.sampled_from([None, "sale-1"]), "total_minor": st.sampled_from([0, 1, PAID, 10_000_000]),
        "returned_minor": st.sampled_from([0, 1, PAID]), "paid_minor": st.sampled_from([0, PAID, 10_000_000]),
        "proof": st.sampled_from(["", "AAAAAAAA", "x" * 22]),
    }
)  # fmt: skip


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(lies=st.lists(st.tuples(LIE, st.integers(0, 200)), min_size=1, max_size=12), shown=st.booleans())
def test_no_sequence_of_a_stores_facts_releases_money_early(tmp_path_factory, lies, shown):
    town = make_town(tmp_path_factory.mktemp("liar"))
    placed, now, first_heard, proved = order(town), AT, None, None
    for said, hours in lies:
        now += dt.timedelta(hours=hours)
        reported = {key: text_of(later(hours=hour)) for key in MOMENTS if (hour := said[key]) is not None}
        reported = {**said, **dict.fromkeys(MOMENTS), **reported}
        reported["moved_at"] = reported["moved_at"] or text_of(now)
        release(town, now)
        check_not_early(town, first_heard, proved, now)
        if shown and reported["state"] == "collected" and not reported["proof"]:
            reported["proof"] = placed.token  # the customer came, and showed the code
        with contextlib.suppress(DomainError):
            push(town, lie(town, **reported), now)
            is_over = reported["state"] in order_copy.AFTER_COLLECTION
            first_heard = first_heard or (now if is_over else None)
            proved = proved or (now if is_over and reported["proof"] == placed.token else None)
        check_not_early(town, first_heard, proved, now)
    for days in itertools.chain(range(1, 15), (100,)):
        release(town, now + dt.timedelta(days=days))
        check_not_early(town, first_heard, proved, now + dt.timedelta(days=days))
    for database in (town.network, town.store):
        database.engine.dispose()


def check_not_early(town: Town, first_heard: dt.datetime | None, proved: dt.datetime | None, now: dt.datetime) -> None:
    """Assert that the store has nothing, or that its customer's token or the full term is long enough ago."""
    with town.network.read() as session:
        has = escrow.total_of(session, [ONE], "store")
        order = session.get_one(PickupOrder, (STORE, ONE))
        assert has <= PAID
        assert escrow.findings(session) == []
        assert not has or checks.findings(session, STORE) == []
    if has:
        assert first_heard is not None
        by_token = proved is not None and now >= proved + dt.timedelta(days=7)
        assert by_token or now >= max(first_heard, order.window_until) + FULL_TERM
        assert now >= order.window_from
