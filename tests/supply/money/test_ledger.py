"""One ledger per store: what goes in comes out, at the network and in the store's copy, whatever happens."""

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, Invalid, Refused
from config.ids import NETWORK, new_id
from config.nodes import facts
from config.nodes.journal import Actor, Context
from supply.demand.history import StoreDay
from supply.membership import credit_review
from supply.money import advances, agent_commissions, credit, escrow, escrow_ledger, ledger, payment_runs, payouts
from supply.money import terms as money_terms
from supply.money.credit_limit import LimitFacts, LimitTerms, counted_days, counted_weeks, limit_of
from supply.money.held_payments import Escrow
from supply.money.ledger import (
    Booking,
    Invoice,
    Standing,
    Stocked,
    Wanted,
    ages,
    balances,
    day_fee,
    open_invoices,
    owed,
    sell_through_days,
    share_payment,
)
from supply.money.terms import Terms
from supply.orders import orders, suppliers
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import CasePack
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, Country, later, make_country, write_order

SCRIPTS = Path(__file__).parents[1] / "independent"
NIGHT = Actor.system("credit", NETWORK)
WEEK_MINOR = (70_000, 100_000, 110_000, 100_000, 120_000, 95_000)


@pytest.fixture
def country(tmp_path):
    return make_country(tmp_path)


def lend(country: Country, store: str = "S1", *, day: dt.date = DAY, at: dt.datetime = AT, **terms: int) -> None:
    """Lay in six weeks of sales at both nodes, and let the network work the line out."""
    sunday = DAY - dt.timedelta(days=DAY.weekday() + 1)
    for database in (country.network, country.stores[store]):
        with database.write() as session:
            if session.get(StoreDay, (store, sunday)) is None:
                for n, minor in enumerate(reversed(WEEK_MINOR)):
                    at_day = sunday - dt.timedelta(days=7 * n)
                    session.add(StoreDay(store_id=store, business_day=at_day, open=True, sales=9, revenue_minor=minor))
    with country.network.write() as session:
        money_terms.set_terms(Context(session, OPERATOR, at), Terms(**{"first_bp": 10_000, **terms}))
        credit_review.close_day(Context(session, NIGHT, at), day)
    country.deliver(at=at)


def order_on_credit(country: Country, packs: dict[str, int], store: str = "S1", *, at: dt.datetime = AT) -> str:
    with country.stores[store].write() as session:
        order_id = new_id()
        write_order(session, store, order_id, packs, "vehicle", at, {"per_day": 3.0})
        credit.draw(Context(session, KEEPER[store], at), store, order_id)
        orders.send(Context(session, KEEPER[store], at), store, order_id)
    return order_id


def bring(country: Country, *, at: dt.datetime = AT, counts=(), store: str = "S1") -> None:
    country.deliver(at=at)
    country.fill(at)
    country.load(at=at)
    country.deliver(at=at)
    country.take_in(store, counts, at=at)
    country.deliver(at=at)


def books(country: Country, store: str = "S1") -> list[dict[str, int]]:
    found = []
    for database in (country.network, country.stores[store]):
        with database.read() as session:
            found.append(balances(session, store))
    return found


def at_both(country: Country, name: str, store: str = "S1") -> int:
    here, there = books(country, store)
    assert here == there, "the store's copy is the network's ledger"
    return here[name]


def test_what_was_counted_is_invoiced_at_the_order_s_cost_whatever_the_list_says_now(country):
    country.order("S1", {"bread": 2, "milk": 1})
    with country.network.write() as session:
        for cost in (900, 9_999):
            suppliers.offer_product(
                Context(session, OPERATOR, AT), "vehicle", "bread", CasePack(pack_qty=6, pack_cost_minor=cost)
            )
    bring(country, counts=[("bread", 9, "Three were squashed")])
    assert at_both(country, "invoiced") == 900 * 9 // 6 + 1100
    with country.stores["S1"].read() as session:
        (found,) = open_invoices(session, "S1")
    assert not found.invoice.on_credit
    assert found.invoice.due_day == DAY + dt.timedelta(days=Terms().account_days)
    assert sorted(line[0] for line in found.invoice.lines) == ["bread", "milk"]
    assert country.findings() == []


def test_an_order_is_paid_on_credit_and_falls_due_as_it_sells(country):
    lend(country, least_days=2)
    with country.stores["S1"].read() as session:
        before = credit.available(session, "S1")
    order_on_credit(country, {"bread": 1, "milk": 1})  # 6 bread at 3 a day, 12 milk at 3 a day
    with country.stores["S1"].read() as session:
        assert credit.available(session, "S1") == before - 2_000, "what is ordered is spoken for"
    bring(country)
    assert at_both(country, "credit") == 2_000
    assert at_both(country, "invoiced") == 0
    with country.network.read() as session:
        (found,) = open_invoices(session, "S1")
        assert credit.available(session, "S1") == before - 2_000, "and is counted once"
    assert found.invoice.due_day == DAY + dt.timedelta(days=4)


def test_what_came_beyond_the_draw_is_invoiced_on_account_and_a_cancelled_order_frees_its_draw(country):
    lend(country)
    order_on_credit(country, {"bread": 1})
    bring(country, counts=[("bread", 8, "Two more in the box")])
    assert (at_both(country, "credit"), at_both(country, "invoiced")) == (900, 300)
    order_id = order_on_credit(country, {"milk": 2})
    country.deliver()
    with country.stores["S1"].write() as session:
        taken = credit.pending(session, "S1")
        orders.cancel(Context(session, KEEPER["S1"], AT), "S1", order_id, why="A party is off")
        assert (taken, credit.pending(session, "S1")) == (2_200, 0)


def test_beyond_the_line_the_shop_is_refused_and_the_network_holds_what_slipped_through(country):
    lend(country, cap_minor=3_000)
    with pytest.raises(Refused) as refused:
        order_on_credit(country, {"bread": 4})
    assert refused.value.code == "beyond-credit"
    first = order_on_credit(country, {"bread": 3})
    with country.network.write() as session:  # the line is cut while the order is on its way
        money_terms.set_terms(Context(session, OPERATOR, AT), Terms(first_bp=10_000, cap_minor=1_000))
        credit_review.close_day(Context(session, NIGHT, AT), DAY)
    country.deliver()
    assert country.fill() == [], "an order on hold is not filled"
    with country.network.write() as session:
        (held,) = credit.held_draws(session)
        assert (held.order_id, held.state, held.why) == (first, "held", "beyond")
        credit.let_go(Context(session, OPERATOR, AT), "S1", first)
    assert country.fill() == [first]


def test_a_refused_draw_is_answered_with_nothing_and_says_why(country):
    lend(country, cap_minor=3_000)
    order_id = order_on_credit(country, {"bread": 3})
    with country.network.write() as session:
        credit.hold(Context(session, OPERATOR, AT), "S1", why="We have to talk")
    country.deliver()
    with country.network.write() as session:
        credit.refuse(Context(session, OPERATOR, AT), "S1", order_id, why="Pay the old one first")
    country.deliver(seed=4)
    assert country.state("S1", order_id) == ("rejected", "rejected")
    with country.stores["S1"].read() as session:
        draw = credit.draw_of(session, "S1", order_id)
        assert (draw.state, draw.why) == ("refused", "Pay the old one first")
        assert credit.available(session, "S1") == 0, "a held line draws nothing"
    with pytest.raises(Refused) as refused:
        order_on_credit(country, {"bread": 1})
    assert refused.value.code == "credit-held"


def test_late_credit_costs_its_days_once_holds_the_line_and_paying_releases_it(country):
    lend(country, least_days=7, free_days=7, grace_days=2, late_ppm=1_000)
    order_on_credit(country, {"bread": 10})
    bring(country)
    for day in (7, 8, 9, 10, 10):  # due on day 7; the tenth night runs twice
        with country.network.write() as session:
            credit_review.close_day(Context(session, NIGHT, later(days=day)), DAY + dt.timedelta(days=day))
    country.deliver(at=later(days=10))
    assert at_both(country, "late") == -(9 + 9 + 9)
    with country.stores["S1"].read() as session:
        line = credit.line_of(session, "S1")
        assert (line.state, line.held_by, line.held_why) == ("held", "rule", "late")
    with country.network.write() as session:
        ledger.money_in(Context(session, OPERATOR, later(days=10)), "S1", 9_027, reference="RF18", id="bank-1")
        ledger.money_in(Context(session, OPERATOR, later(days=10)), "S1", 9_027, reference="RF18", id="bank-1")
        credit_review.close_day(Context(session, NIGHT, later(days=10)), DAY + dt.timedelta(days=10))
    country.deliver(at=later(days=10))
    assert at_both(country, "credit") == at_both(country, "funds") == 0
    with country.stores["S1"].read() as session:
        assert credit.line_of(session, "S1").state == "open"
    assert country.findings() == []


def test_what_the_operator_holds_no_rule_lets_go(country):
    lend(country)
    with country.network.write() as session:
        credit.hold(Context(session, OPERATOR, AT), "S1", why="Papers are missing")
        credit_review.close_day(Context(session, NIGHT, AT), DAY)
        assert credit.line_of(session, "S1").state == "held"
        credit.release(Context(session, OPERATOR, AT), "S1")
        assert credit.line_of(session, "S1").state == "open"


def hold_money(country: Country, order_id: str, amount_minor: int, *, collected: bool = True) -> None:
    with country.network.write() as session:
        row = escrow.open_for(
            Context(session, OPERATOR, AT), order_id, "S1", "pickup", amount_minor, currency="EUR", provider="practice"
        )
        escrow.settle_outcome(Context(session, OPERATOR, AT), order_id, escrow.Outcome("captured"))
        row.release_at, row.proved = later(days=15) if collected else None, collected


def test_an_advance_is_a_share_of_what_is_collected_and_the_release_repays_it_first(country):
    lend(country, advance_bp=8_000, commission_bp=300)
    hold_money(country, "o1", 10_000)
    hold_money(country, "o2", 5_000, collected=False)
    with country.stores["S1"].write() as session:
        advances.ask(Context(session, KEEPER["S1"], AT), "S1", 50_000, id="wish-1")
    country.deliver(seed=2)
    assert (at_both(country, "advance"), at_both(country, "funds")) == (8_000, -8_000)
    with country.stores["S1"].read() as session:
        wish = advances.latest(session, "S1")
        assert (wish.state, wish.given_minor) == ("given", 8_000)
    with country.network.write() as session:
        escrow.release(Context(session, OPERATOR, AT), "o1", why="collected")
    country.deliver()
    assert (at_both(country, "advance"), at_both(country, "funds")) == (0, -(10_000 - 300))
    assert (at_both(country, "escrow"), at_both(country, "commission")) == (10_000, -300)


def test_a_payout_leaves_the_funds_once_and_comes_back_if_the_bank_returns_it(country):
    hold_money(country, "o1", 10_000)
    with country.network.write() as session:
        escrow.release(Context(session, OPERATOR, AT), "o1", why="collected")
        assert payment_runs.make_run(Context(session, OPERATOR, AT), id="run-0").unknown == ["S1"]
    with country.stores["S1"].write() as session:
        with pytest.raises(Invalid):
            payouts.set_account(
                Context(session, KEEPER["S1"], AT), "S1", payee="Wei", account="DE89370400440532013001", bic=""
            )
        payouts.set_account(
            Context(session, KEEPER["S1"], AT), "S1", payee="Wei", account="DE89 3704 0044 0532 0130 00", bic=""
        )
    country.deliver()
    with country.network.write() as session:
        (one,) = payment_runs.make_run(Context(session, OPERATOR, AT), id="run-1").payouts
        assert payment_runs.make_run(Context(session, OPERATOR, AT), id="run-1").payouts == [one]
        assert one.amount_minor == 9_700
        assert payment_runs.confirm(Context(session, OPERATOR, AT), "run-1") == 1
    country.deliver()
    assert at_both(country, "funds") == 0
    with country.network.write() as session:
        payouts.returned(Context(session, OPERATOR, AT), "S1", one.id, why="Account closed")
        with pytest.raises(Conflict):
            payouts.returned(Context(session, OPERATOR, AT), "S1", one.id, why="Account closed")
    country.deliver()
    assert at_both(country, "funds") == -9_700
    assert country.findings() == []


def test_a_limit_is_recomputed_to_the_cent_from_what_the_shop_exports(country, tmp_path):
    lend(country, first_bp=4_000)
    assert recomputed(country, tmp_path) == limit(country) > 0
    for n, (packs, paid_on) in enumerate([(3, 5), (2, 9)]):  # one is paid in time, the other late
        order_on_credit(country, {"bread": packs, "milk": 1})
        bring(country, at=later(minutes=n))
        with country.network.write() as session:
            ledger.money_in(
                Context(session, OPERATOR, later(days=paid_on)), "S1", 900 * packs + 1_000, reference="RF18", id=f"b{n}"
            )
    lend(country, day=DAY + dt.timedelta(days=12), at=later(days=12), first_bp=4_000)
    assert recomputed(country, tmp_path) == limit(country) > 0


def limit(country: Country) -> int:
    with country.network.read() as session:
        return credit.line_of(session, "S1").limit_minor


def recomputed(country: Country, folder: Path) -> int:
    with country.stores["S1"].read() as session:
        export = credit.export(session, "S1")
    file = folder / "export.json"
    file.write_text(json.dumps(export), encoding="utf-8")
    reported = subprocess.run(
        [sys.executable, str(SCRIPTS / "credit_limit.py"), str(file)], capture_output=True, text=True, check=True
    )
    return int(reported.stdout)


STEP = st.tuples(
    st.sampled_from(
        [
            "goods",
            "credit",
            "pay",
            "note",
            "escrow",
            "advance",
            "payout",
            "back",
            "late",
            "shelf",
            "loss",
            "part",
            "part-back",
            "online",
            "undone",
            "night",
        ]
    ),
    st.integers(1, 30_000),
)


@settings(max_examples=8)
@given(steps=st.lists(STEP, min_size=5, max_size=25), seed=st.integers(0, 999))
def test_no_walk_of_verbs_unbalances_a_ledger(tmp_path_factory, steps, seed):
    country = make_country(tmp_path_factory.mktemp("walk"))
    expected = 0
    for n, (what, minor) in enumerate(steps):
        at = later(hours=7 * n)
        with country.network.write() as session:
            expected += act(session, what, minor, f"{n}", at)
            known = balances(session, "S1")
            assert owed(known) + known["overpaid"] == expected, what
            left = open_invoices(session, "S1")
            assert payment_runs.owed_stores(session) == [] or balances(session, "S1")["funds"] < 0
            if what == "pay" and balances(session, "S1")["funds"] < 0:
                assert left == [], "no money lies idle while an invoice is open"
            if what == "night" and balances(session, "S1")["funds"] < 0:
                late = [one.invoice.id for one in left if one.invoice.due_day <= at.date()]
                assert late == [], "nothing falls due while its money is here"
    country.deliver(seed=seed)
    assert at_both(country, "funds") <= 0
    assert country.findings() == []
    with country.network.read() as session:
        reported = {"part": 1, "part-back": -1}
        stated = sum(reported.get(what, 0) * minor for what, minor in steps)
        gone = sa.select(sa.func.sum(payouts.Payout.amount_minor)).where(payouts.Payout.agent == "Mei")
        paid = session.scalar(gone.where(payouts.Payout.state != "returned")) or 0
        left = sum(one.due_minor + one.waiting_minor for one in agent_commissions.parts_of(session))
        lost = sa.select(sa.func.sum(ledger.LedgerEntry.amount_minor)).where(
            ledger.LedgerEntry.kind == "loss", ledger.LedgerEntry.invoice_id.startswith("agent-")
        )
        given_up = session.scalar(lost) or 0
        assert paid + left + given_up == stated == -balances(session, "S1")["agents"] + paid, (
            "an agent's part, to the cent"
        )
    for database in country.nodes().values():
        database.engine.dispose()


def act(session, what: str, minor: int, n: str, at: dt.datetime) -> int:
    """Do one thing of a walk; returns by how much the store must owe more (a reckoning of its own)."""
    book = Booking(Context(session, OPERATOR, at), "S1")
    if what in ("goods", "credit"):
        due = book.day + dt.timedelta(days=minor % 9)
        book.invoice(Wanted(n, minor, due, what == "credit", n, None, []))
        book.close("invoiced")
        return minor
    if what == "pay":
        ledger.money_in(Context(session, OPERATOR, at), "S1", minor, reference="RF", id=n)
        return -minor
    if what == "note":
        minor = min(minor, ledger.left_to_credit(session, "S1"))
        if minor > 0:
            ledger.credit_note(Context(session, OPERATOR, at), "S1", minor, why="Broken", id=n)
        return -max(0, minor)
    if what == "escrow":
        escrow_ledger.passed_on(session, "S1", n, minor, 300, at=at)
        return minor * 300 // 10_000 - minor
    if what == "advance":
        book.enter("advance", "funds", "advance", minor, source_id=n)
        book.close("advanced")
        return 0
    if what == "shelf":
        return -minor if ledger.shelf_paid(Context(session, OPERATOR, at), "S1", minor, week=n) else 0
    if what in ("online", "undone", "night"):
        return online_or_night(session, what, minor, n, at)
    if what == "late":
        found = [one for one in open_invoices(session, "S1") if one.invoice.on_credit]
        for one in found[:1]:
            book.enter("late", "late", "credit", minor, source_id=one.invoice.id, invoice=one.invoice)
            book.close("late")
        return minor if found else 0
    if what == "loss":
        found = open_invoices(session, "S1")
        return -ledger.write_off(Context(session, OPERATOR, at), "S1", found[0].invoice.id, why="Gone") if found else 0
    return pay_out_or_back(session, what, minor, n, at)


def online_or_night(session, what: str, minor: int, n: str, at: dt.datetime) -> int:
    """Advance what the rule allows on a collected online order, send a part of its money back, or close the day."""
    if what == "night":
        before = balances(session, "S1")
        credit_review.close_day(Context(session, NIGHT, at), at.date())
        after = balances(session, "S1")
        return sum(before[name] - after[name] for name in ("late", "shelf"))
    if what == "online":
        row = escrow.open_for(
            Context(session, OPERATOR, at), n, "S1", "pickup", minor, currency="EUR", provider="practice"
        )
        escrow.settle_outcome(Context(session, OPERATOR, at), n, escrow.Outcome("captured"))
        row.release_at, row.proved = at + dt.timedelta(days=15), True
        wish = {
            "store_id": "S1",
            "id": n,
            "asked_minor": minor,
            "asked_at": at.isoformat(),
            "given_minor": 0,
            "state": "asked",
        }
        hear(session, "advance.asked", wish, at=at)
    elif (row := session.scalars(sa.select(Escrow).where(Escrow.state == "held")).first()) is not None:
        escrow.refund(Context(session, OPERATOR, at), row.id, min(minor, escrow.balance(session, row.id)), why="Back")
    return 0


def pay_out_or_back(session, what: str, minor: int, n: str, at: dt.datetime) -> int:
    if what.startswith("part"):
        minor = minor if what == "part" else -minor
        said = {
            "store_id": "S1",
            "name": "Mei",
            "account": "6222021234567890",
            "bic": "",
            "reported_at": AT.isoformat(),
        }
        hear(session, "agent.reported", said, at=AT)
        for _ in range(2):  # a second copy changes nothing
            reported = {"store_id": "S1", "statement_id": n, "parts": [["Mei", minor]]}
            hear(session, "agent.parts", reported, at=at)
        return minor
    if what == "payout":
        account = ledger.account_of(session, "S1")
        account.payee, account.bank_account = "Wei", "12345678"
        run = payment_runs.make_run(Context(session, OPERATOR, at), id=n)
        return sum(one.amount_minor for one in run.payouts if not one.agent)
    made = session.scalars(sa.select(payouts.Payout).where(payouts.Payout.state == "made")).first()
    if made is None:
        return 0
    payouts.returned(Context(session, OPERATOR, at), "S1", made.id, why="Closed")
    return 0 if made.agent else -made.amount_minor


def test_another_shop_is_not_spoken_for(country):
    from config.nodes.outbox import Message

    asked = credit.DrawAsked("S2", "o1", 1, 500, AT, "asked", "")
    message = Message("m", 1, "credit.asked", 1, AT.isoformat(), DAY.isoformat(), asked.to_body(), "")
    with country.network.write() as session, pytest.raises(Refused) as refused:
        facts.apply(session, message, "S1", AT)
    assert refused.value.code == "not-yours-to-say"
    with country.network.read() as session:
        assert session.scalars(sa.select(ReplenishmentOrder)).all() == []


def test_an_escrow_of_the_same_id_has_the_same_amount(country):
    hold_money(country, "o1", 10_000)
    by, asked = {"actor": OPERATOR, "at": AT}, {"currency": "EUR", "provider": "practice"}
    with country.network.write() as session:
        assert escrow.open_for(Context(session, **by), "o1", "S1", "pickup", 10_000, **asked).state == "held"
        with pytest.raises(Conflict, match="amount to pay has changed"):
            escrow.open_for(Context(session, **by), "o1", "S1", "pickup", 9_999, **asked)


def test_a_shop_keeps_the_newest_form_of_an_invoice_however_they_arrive(country):
    country.order("S1", {"bread": 1})
    bring(country)
    with country.stores["S1"].write() as session:
        (found,) = open_invoices(session, "S1")
        (known,), due = ledger.invoices_reported([found.invoice]), found.invoice.due_day
        for later_by, n in ((9, 2), (5, 1), (7, 0)):
            changed = replace(known, due_day=due + dt.timedelta(days=later_by), changed_n=known.changed_n + n)
            hear(session, "account.booked", ledger.AccountBooked("S1", (), (changed,)).to_body(), at=AT)
        assert ledger.invoice_of(session, "S1", found.invoice.id).invoice.due_day == due + dt.timedelta(days=9)


def test_entries_and_balances_of_some_days_have_both_ends_in_them(country):
    with country.network.write() as session:
        for n in range(3):
            ledger.money_in(
                Context(session, OPERATOR, later(days=n)), "S1", 1_000 + n, reference=f"bank {n}", id=f"paid-{n}"
            )
        days = [entry.business_day for entry in ledger.entries_of(session, "S1")]
        assert len(set(days)) == 3
        assert [one.amount_minor for one in ledger.entries_of(session, "S1", days[1], days[1])] == [1_001]
        assert [one.amount_minor for one in ledger.entries_of(session, "S1", last=days[1])] == [1_000, 1_001]
        assert [one.amount_minor for one in ledger.entries_of(session, "S1", days[1])] == [1_001, 1_002]
        assert balances(session, "S1", until=days[1])["bank"] == 2_001


def test_what_was_given_for_goods_lowers_what_may_still_be_credited(country):
    country.order("S1", {"bread": 1})
    bring(country)
    with country.network.write() as session:
        whole = ledger.left_to_credit(session, "S1")
        assert ledger.given(Context(session, OPERATOR, AT), "S1", "care", 300, why="slow", id="care-1")
        assert ledger.left_to_credit(session, "S1") == whole - 300
        ledger.credit_note(Context(session, OPERATOR, AT), "S1", 100, why="squashed", id="back-1")
        assert ledger.left_to_credit(session, "S1") == whole - 400
        with pytest.raises(Refused):
            ledger.credit_note(Context(session, OPERATOR, AT), "S1", whole - 399, why="more", id="back-2")


def standing(no: int, due_day: dt.date, left_minor: int) -> Standing:
    return Standing(Invoice(id=f"i{no}", no=no, due_day=due_day), left_minor)


TODAY = dt.date(2026, 3, 2)
TERMS = LimitTerms(weeks_bp=10_000, first_bp=5_000, cap_minor=1_000_000, whole_minor=100, first_most_minor=10**9)
INVOICES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10_000)), max_size=8).map(
    lambda rows: [standing(n, TODAY + dt.timedelta(days=due), left) for n, (due, left) in enumerate(rows)]
)


@given(st.integers(0, 50_000), INVOICES)
def test_a_payment_pays_what_is_due_first_and_leaves_at_most_one_in_part(amount, invoices):
    paid = dict(share_payment(amount, invoices))
    assert sum(paid.values()) == min(amount, sum(one.left_minor for one in invoices))
    ranked = sorted(invoices, key=lambda one: (one.invoice.due_day, one.invoice.no))
    whole = [paid.get(one.invoice.id, 0) == one.left_minor for one in ranked]
    assert whole == sorted(whole, reverse=True), "a later one is paid only after every earlier one"
    assert sum(0 < paid.get(one.invoice.id, 0) < one.left_minor for one in ranked) <= 1


def test_credit_falls_due_when_four_fifths_of_the_cost_have_left_the_shelf():
    quick = Stocked(cost_minor=8_000, qty=12, before_milli=0, per_day_milli=1_500)  # 8 days
    slow = Stocked(cost_minor=2_000, qty=10, before_milli=10_000, per_day_milli=1_000)  # 20 days
    assert sell_through_days([quick, slow], least_days=3, most_days=28) == 8
    assert sell_through_days([slow], least_days=3, most_days=28) == 20
    assert sell_through_days([slow], least_days=3, most_days=14) == 14
    assert sell_through_days([quick], least_days=10, most_days=14) == 10
    unsold = Stocked(cost_minor=5_000, qty=1, before_milli=0, per_day_milli=0)
    assert sell_through_days([quick, unsold], least_days=3, most_days=28) == 28
    assert sell_through_days([], least_days=3, most_days=28) == 28


def test_ages_count_from_the_due_day():
    days = (1, 0, -1, -7, -8, -30, -31, -60, -61)
    rows = [standing(n, TODAY + dt.timedelta(days=late), 10**n) for n, late in enumerate(days)]
    assert ages(rows, TODAY) == [11, 1_100, 110_000, 11_000_000, 100_000_000]
    assert day_fee(12_345, 300) == 4
    assert day_fee(12_345, 0) == 0


@pytest.mark.parametrize(
    ("due", "on_time", "expected"),
    [(0, 0, 45_000), (10_000, 10_000, 90_000), (10_000, 7_500, 45_000), (10_000, 5_000, 0), (10_000, 0, 0)],
)
def test_a_limit_falls_with_what_was_paid_late(due, on_time, expected):
    weeks = (90_000, 100_000, 100_000, 110_000, 120_000)  # the lower quartile equals the median but for the first
    found, steps = limit_of(LimitFacts(tuple(sorted(weeks)), due, on_time, 9_000), TERMS)
    assert found == expected
    assert [step.name for step in steps] == ["typical-week", "weeks", "steady", "repaid", "standing", "limit"]


def test_a_new_shop_has_no_credit_and_the_cap_is_said():
    assert limit_of(LimitFacts((5_000, 6_000, 7_000), 0, 0, 10_000), TERMS)[0] == 0
    found, steps = limit_of(LimitFacts((90_000_000,) * 13, 100, 100, 10_000), TERMS)
    assert found == 1_000_000
    assert steps[-2].name == "cap"


def test_what_a_shop_says_it_sold_lifts_its_limit_by_little():
    honest, terms = (100_000,) * 6, replace(TERMS, first_most_minor=200_000)
    _, steps = limit_of(LimitFacts((*honest, *(10**9,) * 7), 0, 0, 10_000), TERMS)
    assert steps[0].after_minor == 150_000, "half as much again as what it always sold, after seven weeks"
    assert counted_weeks((0, 50_000, 0, 50_000, 0, 0, 60_000)) == [0, 50_000, 0, 50_000, 0, 0, 60_000]
    assert counted_days((9_000, 10_000, 0, 11_000, 10**9)) == [9_000, 10_000, 0, 11_000, 31_500]
    found, steps = limit_of(LimitFacts((10**9,) * 13, 0, 0, 10_000), replace(terms, first_bp=10_000))
    assert (found, steps[-2].name) == (200_000, "proved"), "weeks invented from the first on are worth the first sum"
    assert limit_of(LimitFacts((10**9,) * 13, 300_000, 300_000, 10_000), terms)[0] == 800_000, "and what was paid back"


@given(st.lists(st.integers(0, 10**7), min_size=4, max_size=13), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_sales_or_better_repayment_never_lower_a_limit(weeks, due, on_time):
    on_time = min(due, on_time)
    base = limit_of(LimitFacts(tuple(weeks), due, on_time, 10_000), TERMS)[0]
    assert 0 <= base <= TERMS.cap_minor
    if due:
        assert limit_of(LimitFacts(tuple(weeks), due, due, 10_000), TERMS)[0] >= base
    assert limit_of(LimitFacts(tuple(2 * one for one in weeks), due, on_time, 10_000), TERMS)[0] >= base
