"""What is due is paid from what is here, what is owed is asked for, and nobody gets more than came in."""

import datetime as dt

import pytest

from config.errors import Invalid, Refused
from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from supply.demand.history import StoreDay
from supply.membership import credit_review
from supply.money import advances, credit, escrow, escrow_ledger, ledger, payment_runs, payouts
from supply.money import terms as money_terms
from supply.money.credit_limit import repaid_of
from supply.money.ledger import Booking, Wanted, balances, open_invoices
from supply.money.terms import Terms
from supply.orders import orders
from supply.shelf.plan import ShelfPlan
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, Country, later, make_country

NIGHT = Actor.system("credit", NETWORK)
ASKED = {"given_minor": 0, "state": "asked"}


@pytest.fixture
def country(tmp_path):
    return make_country(tmp_path)


def set_terms(country: Country, **terms: int) -> None:
    with country.network.write() as session:
        money_terms.set_terms(Context(session, OPERATOR, AT), Terms(**terms))


def invoice(country: Country, id: str, minor: int, due_days: int, *, on_credit: bool = True, store: str = "S1") -> None:
    with country.network.write() as session:
        book = Booking(Context(session, OPERATOR, AT), store)
        book.invoice(Wanted(id, minor, DAY + dt.timedelta(days=due_days), on_credit, None, None, []))
        book.close("invoiced")


def nights(country: Country, first: int, last: int) -> None:
    """Close the days from DAY + first to DAY + last, each in the night after it."""
    for day in range(first, last + 1):
        with country.network.write() as session:
            credit_review.close_day(Context(session, NIGHT, later(days=day + 1)), DAY + dt.timedelta(days=day))


def pay_in(country: Country, minor: int, id: str, at: dt.datetime) -> None:
    with country.network.write() as session:
        ledger.money_in(Context(session, OPERATOR, at), "S1", minor, reference="RF18", id=id)


def run(country: Country, id: str, at: dt.datetime) -> list[tuple[str, int]]:
    with country.network.write() as session:
        run = payment_runs.make_run(Context(session, OPERATOR, at), id=id)
        return [(one.agent, one.amount_minor) for one in run.payouts]


def book_of(country: Country, store: str = "S1") -> dict[str, int]:
    """Return what stands on a store's accounts, the same at both nodes."""
    country.deliver(at=later(days=60))
    found = []
    for database in (country.network, country.stores[store]):
        with database.read() as session:
            found.append({name: minor for name, minor in balances(session, store).items() if minor})
    assert found[0] == found[1], "the store's copy is the network's ledger"
    return found[0]


def line_of(country: Country, store: str = "S1") -> tuple[str, str]:
    with country.network.read() as session:
        line = session.get_one(credit.CreditLine, store)
        return line.state, line.held_why


def test_what_the_network_keeps_pays_what_falls_due_in_time_and_without_a_fee(country):
    invoice(country, "goods", 100_000, 10)
    with country.network.write() as session:
        escrow_ledger.passed_on(session, "S1", "n", 100_000, 0, at=later(days=3))
    nights(country, 1, 9)
    assert book_of(country)["funds"] == -100_000, "what is not due yet costs nothing, and is not paid before"
    nights(country, 10, 15)
    assert book_of(country) == {"goods": -100_000, "escrow": 100_000}
    assert line_of(country) == ("open", "")
    with country.network.read() as session:
        assert repaid_of(session, "S1", DAY + dt.timedelta(days=15)) == (100_000, 100_000), "paid on its due day"
    assert country.findings() == []


def know_bank(country: Country) -> None:
    with country.network.write() as session:
        reported = {"payee": "Wei", "bank_account": "DE89370400440532013000", "bic": "", "reported_at": AT.isoformat()}
        hear(session, "account.bank_reported", {"store_id": "S1", **reported}, at=AT)


def test_nobody_is_paid_out_for_goods_that_are_not_paid(country):
    know_bank(country)
    invoice(country, "goods", 10_000, 7, on_credit=False)
    with country.network.write() as session:
        ledger.credit_note(Context(session, OPERATOR, later(days=1)), "S1", 6_000, why="Broken", id="n1")
        ledger.given(Context(session, OPERATOR, later(days=1)), "S1", "goodwill", 1_000, why="Late", id="g1")
    assert run(country, "r1", later(days=1)) == [], "not due yet, but no cash for it either"
    assert book_of(country) == {"invoiced": 3_000, "goods": -10_000, "returns": 6_000, "care": 1_000}
    pay_in(country, 3_000, "m1", later(days=2))
    with country.network.write() as session:
        ledger.credit_note(Context(session, OPERATOR, later(days=3)), "S1", 2_000, why="Broken too", id="n2")
    assert run(country, "r2", later(days=3)) == [("", 2_000)], "what was paid comes back"
    assert country.findings() == []


def test_what_was_given_up_of_goods_is_not_credited_when_they_come_back(country):
    know_bank(country)
    invoice(country, "paid", 4_000, 1)
    pay_in(country, 4_000, "m1", later(hours=1))
    invoice(country, "lost", 10_000, 1)
    with country.network.write() as session:
        ledger.write_off(Context(session, OPERATOR, later(days=2)), "S1", "lost", why="Gone")
        assert ledger.left_to_credit(session, "S1") == 4_000
    with country.network.write() as session, pytest.raises(Refused) as refused:
        ledger.credit_note(Context(session, OPERATOR, later(days=3)), "S1", 4_001, why="Back", id="n1")
    assert refused.value.code == "more-than-delivered"


def test_money_that_came_after_the_due_day_does_not_pay_it_in_time_however_late_the_night_runs(country):
    invoice(country, "goods", 10_000, 2)
    with country.network.write() as session:
        ledger.given(Context(session, OPERATOR, AT), "S1", "slot", 4_000, why="A place", id="g1")
        book = Booking(Context(session, OPERATOR, later(days=4)), "S1")
        book.enter("slot", "funds", "shelf", 9_000, source_id="g2")
        book.close("slot")
    with country.network.write() as session:  # the night of the second day is made up for on the fifth
        credit_review.close_day(Context(session, NIGHT, later(days=5)), DAY + dt.timedelta(days=2))
        assert repaid_of(session, "S1", DAY + dt.timedelta(days=5)) == (10_000, 4_000)
        credit_review.close_day(Context(session, NIGHT, later(days=5)), DAY + dt.timedelta(days=4))
        assert repaid_of(session, "S1", DAY + dt.timedelta(days=5)) == (10_000, 4_000)
    assert book_of(country)["funds"] == -3_000
    assert "credit" not in book_of(country)
    assert country.findings() == []


def advance_on(country: Country, held_minor: int, asked_minor: int) -> None:
    """Hold a customer's payment for collected goods, and advance some of it to the store."""
    know_bank(country)
    with country.network.write() as session:
        escrow.open_for(
            Context(session, OPERATOR, AT), "e1", "S1", "pickup", held_minor, currency="EUR", provider="practice"
        )
        row = escrow.escrow_of(session, "e1")
        escrow.settle_outcome(Context(session, OPERATOR, AT), "e1", escrow.Outcome("captured"))
        row.release_at, row.proved = later(days=15), True
        wish = {"store_id": "S1", "id": "a1", "asked_minor": asked_minor, "asked_at": AT.isoformat(), **ASKED}
        hear(session, "advance.asked", wish, at=AT)


def send_back(country: Country, minor: int, at: dt.datetime) -> None:
    with country.network.write() as session:
        escrow.refund(Context(session, OPERATOR, at), "e1", minor, why="Returned")


def test_an_advance_whose_money_went_back_to_the_customer_is_repaid_by_what_the_shop_pays(country):
    advance_on(country, 10_000, 8_000)
    assert run(country, "r1", later(hours=1)) == [("", 8_000)]
    send_back(country, 10_000, later(days=2))
    pay_in(country, 8_000, "m1", later(days=3))
    assert book_of(country) == {}, "the bank has back what it paid out"
    assert run(country, "r2", later(days=4)) == [], "and does not pay it out again"
    assert country.findings() == []


def test_an_advance_is_called_in_as_far_as_too_little_is_held_for_it_and_no_run_pays_that_out(country):
    advance_on(country, 10_000, 8_000)
    send_back(country, 5_000, later(hours=1))  # what is left holds 4,000 of the advance
    assert run(country, "r1", later(hours=2)) == [("", 4_000)], "the other half never leaves"
    assert book_of(country) == {"advance": 4_000, "bank": -4_000}
    with country.network.write() as session:
        assert advances.most(session, "S1", 8_000) == 0
        escrow.release(Context(session, OPERATOR, later(days=15)), "e1", why="collected")
    assert book_of(country) == {"bank": -4_000, "escrow": 5_000, "commission": -150, "funds": -850}
    assert country.findings() == []


def test_an_advance_called_in_takes_from_the_credit_left_and_late_holds_the_line(country):
    set_terms(country, account_days=7, grace_days=2)
    advance_on(country, 10_000, 8_000)
    run(country, "r1", later(hours=1))
    send_back(country, 10_000, later(days=1))
    nights(country, 1, 1)
    with country.network.write() as session:
        (called,) = open_invoices(session, "S1")
        assert (called.left_minor, called.invoice.due_day) == (8_000, DAY + dt.timedelta(days=8))
        credit.line_of(session, "S1").limit_minor = 50_000
        assert credit.available(session, "S1") == 42_000
        assert advances.most(session, "S1", 8_000) == 0
    nights(country, 2, 10)
    assert line_of(country) == ("open", "")
    nights(country, 11, 11)
    assert line_of(country) == ("held", "late")
    assert (book_of(country)["invoiced"], book_of(country).get("late", 0)) == (8_000, 0), "only credit costs a fee"
    pay_in(country, 8_000, "m1", later(days=12))
    nights(country, 12, 12)
    assert line_of(country) == ("open", "")
    assert country.findings() == []


def test_the_last_word_where_money_goes_counts_though_the_shop_s_clock_was_set_back(country):
    for account, at in (("11112222", later(days=400)), ("33334444", later(days=1)), ("55556666", later(days=2))):
        with country.stores["S1"].write() as session:
            payouts.set_account(Context(session, KEEPER["S1"], at), "S1", payee="Wei", account=account, bic="")
    country.deliver(seed=5)
    for database in (country.stores["S1"], country.network):
        with database.read() as session:
            assert session.get_one(ledger.Account, "S1").bank_account == "55556666"


def bring(country: Country, packs: dict[str, int]) -> None:
    """Order on account, and take the goods in."""
    country.order("S1", packs)
    country.send_out()
    country.take_in("S1")
    country.deliver()


def waiting(country: Country) -> list[tuple[str, str, int]]:
    with country.network.read() as session:
        return [(draw.order_id, draw.why, draw.amount_minor) for draw in credit.held_draws(session)]


def order_at(country: Country, packs: dict[str, int], days: int, store: str = "S1") -> tuple[str, list[str]]:
    """Order on account after some days; returns the order and what the warehouse then fills."""
    order_id = country.order(store, packs, at=later(days=days))
    country.deliver(at=later(days=days))
    return order_id, country.fill(later(days=days))


def test_who_owes_on_account_for_too_long_gets_nothing_more_on_account_until_it_is_paid(country):
    set_terms(country, account_days=7, grace_days=3)
    bring(country, {"milk": 10})
    nights(country, 1, 10)
    first, filled = order_at(country, {"milk": 1}, 11)
    assert filled == [first], "within the grace days nothing is held"
    nights(country, 11, 11)
    assert line_of(country) == ("held", "late")
    second, filled = order_at(country, {"milk": 9}, 12)
    other, _ = order_at(country, {"milk": 1}, 12, store="S2")
    assert filled == []
    assert country.state("S2", other)[1] == "acknowledged", "another store's order does not wait"
    assert waiting(country) == [(second, "held", 0)]
    country.deliver(seed=8, at=later(days=12))
    with country.stores["S1"].read() as session:
        assert credit.draw_of(session, "S1", second).state == "held", "the store reads that it waits"
    pay_in(country, 11_000, "m1", later(days=12))
    nights(country, 12, 12)
    assert country.fill(later(days=13)) == [second], "and goes by itself"
    assert waiting(country) == []
    country.deliver(seed=9, at=later(days=13))
    with country.stores["S1"].read() as session:
        assert credit.draw_of(session, "S1", second).state == "granted"
    assert country.findings() == []


def test_on_account_no_more_is_owed_than_the_terms_say_unless_the_operator_lets_it_go(country):
    set_terms(country, account_most_minor=10_000)
    bring(country, {"milk": 4})  # 4,400 owed
    under_way, filled = order_at(country, {"milk": 4}, 1)
    assert filled == [under_way]
    too_much, filled = order_at(country, {"milk": 2}, 1)  # 8,800 are owed or on their way
    small, _ = order_at(country, {"milk": 1}, 1)
    assert filled == []
    assert country.state("S1", small)[1] == "acknowledged", "what still fits goes"
    assert waiting(country) == [(too_much, "account", 0)]
    with country.network.write() as session:
        credit.let_go(Context(session, OPERATOR, later(days=1)), "S1", too_much)
    assert country.fill(later(days=1)) == [too_much]
    country.load(at=later(days=1))
    country.deliver(at=later(days=1))
    with country.network.read() as session:
        assert credit.pending(session, "S1") == 0, "let go on account, it draws no credit"
    refused, _ = order_at(country, {"milk": 2}, 1)
    with country.network.write() as session:
        credit.refuse(Context(session, OPERATOR, later(days=1)), "S1", refused, why="Pay the first one")
    country.deliver(seed=6, at=later(days=1))
    assert country.state("S1", refused) == ("rejected", "rejected")
    with country.stores["S1"].read() as session:
        assert credit.draw_of(session, "S1", refused).why == "Pay the first one"


def test_what_is_given_up_as_lost_is_not_forgiven(country):
    set_terms(country, account_days=7, grace_days=3)
    bring(country, {"milk": 10})
    nights(country, 1, 11)
    assert line_of(country) == ("held", "late")
    with country.network.write() as session:
        (left,) = open_invoices(session, "S1")
        credit.give_up(Context(session, OPERATOR, later(days=12)), "S1", left.invoice.id, why="We gave it up")
    nights(country, 12, 13)
    assert line_of(country) == ("held", "We gave it up"), "nothing is late any more, and yet"
    order_id, filled = order_at(country, {"milk": 1}, 14)
    assert (filled, waiting(country)) == ([], [(order_id, "held", 0)])
    with country.network.write() as session:
        credit.release(Context(session, OPERATOR, later(days=14)), "S1")
    assert country.fill(later(days=14)) == [order_id], "the operator's word ends it"


def test_a_week_of_the_shelf_is_paid_once_where_it_stood_and_the_shop_traded(country):
    with country.network.write() as session:
        plan = {"drafted_at": AT, "based_on_day": DAY, "store_id": "S1"}
        session.add(ShelfPlan(id="p1", state="live", from_day=DAY + dt.timedelta(days=7), **plan))
        for days in (2, 8, 16):  # a Wednesday, a Tuesday, a Wednesday
            session.add(
                StoreDay(store_id="S1", business_day=DAY + dt.timedelta(days=days), open=True, sales=3, revenue_minor=9)
            )
    nights(country, 6, 13)
    assert book_of(country) == {"funds": -500, "shelf": 500}, "before it stood nothing is paid"
    nights(country, 14, 41)
    assert book_of(country) == {"funds": -1_000, "shelf": 1_000}, "nor for weeks without a sale"
    with country.network.write() as session:  # the word of the week before comes late
        late = DAY + dt.timedelta(days=24)
        session.add(StoreDay(store_id="S1", business_day=late, open=True, sales=1, revenue_minor=1))
    nights(country, 42, 42)
    assert book_of(country) == {"funds": -1_500, "shelf": 1_500}


def ask_draw(country: Country, order_id: str, minor: object, at: dt.datetime = AT) -> None:
    """Ask for a draw as a store's own program, or another that has its key, writes it."""
    reported = {"store_id": "S1", "order_id": order_id, "order_no": 1, "asked_at": at.isoformat(), "state": "asked"}
    with country.network.write() as session:
        body = reported | {"amount_minor": minor, "why": ""}
        hear(session, "credit.asked", body, at=at)


def test_what_an_order_costs_beyond_its_draw_is_on_account_and_has_its_most(country):
    set_terms(country, account_most_minor=1_000)
    with country.network.write() as session:
        credit.set_line(Context(session, NIGHT, AT), "S1", credit.CreditLimit(50_000, 0, {}, {}, 1, [], DAY))
    for n, (drawn, filled) in enumerate([(1, False), (1_200, True), (1_200, False)]):  # an order of 2,200 each
        ask_draw(country, f"o{n}", drawn)
        country.order("S1", {"milk": 2}, id=f"o{n}")
        country.deliver()
        assert (country.fill() == [f"o{n}"]) is filled
    assert [country.state("S1", f"o{n}")[1] for n in range(3)] == ["rejected", "acknowledged", "rejected"]
    assert waiting(country) == []


@pytest.mark.parametrize("minor", [0, -5, 1.5, True, "9", None, 10**20])
def test_a_draw_or_an_advance_of_nothing_is_refused(country, minor):
    with pytest.raises(Invalid):
        ask_draw(country, "o1", minor)
    wish = {"store_id": "S1", "id": "a1", "asked_minor": minor, "asked_at": AT.isoformat(), **ASKED}
    with country.network.write() as session, pytest.raises(Invalid):
        hear(session, "advance.asked", wish, at=AT)


def test_a_draw_whose_order_never_came_can_be_refused_and_the_order_comes_to_nothing(country):
    ask_draw(country, "o1", 500)
    with country.network.write() as session:
        credit.refuse(Context(session, OPERATOR, AT), "S1", "o1", why="We know no such order")
        assert (credit.held_draws(session), credit.pending(session, "S1")) == ([], 0)
    country.order("S1", {"milk": 1}, id="o1")
    country.deliver()
    assert country.fill() == []
    assert country.state("S1", "o1")[1] == "rejected"


def test_a_draw_that_comes_after_its_order_is_looked_at_though_the_order_waits_on_account(country):
    set_terms(country, account_most_minor=0)
    nights(country, 0, 0)
    with country.network.write() as session:
        credit.line_of(session, "S1").limit_minor = 5_000
    order_id, _ = order_at(country, {"milk": 1}, 1)
    asked = {"store_id": "S1", "order_id": order_id, "order_no": 1, "amount_minor": 1_100, "state": "asked"}
    with country.network.write() as session:
        assert [draw.order_id for draw in credit.held_draws(session)] == [order_id]
        for _ in range(2):
            hear(session, "credit.asked", asked | {"asked_at": AT.isoformat(), "why": ""}, at=AT)
        draw = credit.draw_of(session, "S1", order_id)
        assert (draw.state, draw.amount_minor, credit.pending(session, "S1")) == ("granted", 1_100, 1_100)
    assert country.fill(later(days=1)) == [order_id]


@pytest.mark.parametrize("filled", [False, True])
def test_a_draw_that_comes_after_its_order_went_on_account_takes_no_credit(country, filled):
    set_terms(country, account_most_minor=10_000 if filled else 0)
    nights(country, 0, 0)
    with country.network.write() as session:
        credit.line_of(session, "S1").limit_minor = 1_000
    order_id, went = order_at(country, {"milk": 1}, 1)
    assert went == ([order_id] if filled else [])
    asked = {"store_id": "S1", "order_id": order_id, "order_no": 1, "amount_minor": 1_100, "state": "asked"}
    with country.network.write() as session:
        if not filled:
            credit.let_go(Context(session, OPERATOR, AT), "S1", order_id)
        hear(session, "credit.asked", asked | {"asked_at": AT.isoformat(), "why": ""}, at=AT)
        draw = credit.draw_of(session, "S1", order_id)
        assert (draw.state, draw.amount_minor, credit.pending(session, "S1")) == ("granted", 0, 0)
    assert waiting(country) == []
    with country.stores["S1"].write() as session:  # the store has its own draw, which asked for credit
        session.merge(credit.CreditDraw(**asked, asked_at=AT, why=""))
    country.deliver(at=later(days=1))
    with country.stores["S1"].read() as session:
        draw = credit.draw_of(session, "S1", order_id)
        assert (draw.state, draw.amount_minor) == ("granted", 0), "the store reads that it owes it on account"


@pytest.mark.parametrize("order_first", [True, False])
def test_the_draw_of_an_order_the_shop_calls_off_waits_for_nobody(country, order_first):
    asked = {"store_id": "S1", "order_id": "ox", "order_no": 1, "amount_minor": 900, "state": "asked"}
    asked |= {"asked_at": AT.isoformat(), "why": ""}

    def ask() -> None:
        with country.network.write() as session:
            hear(session, "credit.asked", asked, at=AT)

    country.order("S1", {"bread": 1}, id="ox")
    country.deliver()
    if order_first:
        ask()
        assert waiting(country) == [("ox", "beyond", 900)]
    with country.stores["S1"].write() as session:
        orders.cancel(Context(session, KEEPER["S1"], later(days=1)), "S1", "ox", why="Gone")
    country.deliver(seed=2)
    if not order_first:
        ask()
    assert waiting(country) == []
    with country.network.read() as session:
        assert credit.draw_of(session, "S1", "ox").state == "called_off"
        assert credit.pending(session, "S1") == 0
