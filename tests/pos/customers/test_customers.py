"""Customers: a tab nobody can pass, repaid oldest first; points; what is kept of a person, and forgotten."""

import datetime as dt
import json
import random
import threading
from contextlib import suppress

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK, new_id
from config.nodes import outbox
from config.nodes.journal import Context, JournalEntry
from pos.customers import checks as account_checks
from pos.customers import consent, customers, loyalty, points_terms, tab
from pos.customers.customers import Customer, Particulars
from pos.customers.tab import TabEntry, TabMoved
from pos.documents.till_report import till_report
from pos.payments import vouchers
from pos.printing.queue import PrintJob
from pos.reports import statement
from pos.store.store import store_of
from pos.sync import checks
from pos.till import shift, shift_report
from pos.till.shift_book import CashMovement
from tests.builders import FLOAT_MINOR, NOON, STORE, OpenStore, open_store
from tests.readable import readable
from tests.tampering import unlocked

DAY_S = 86_400
EVERYTHING = frozenset({"phone", "tab", "points", "messages"})
CARD = {"active": True, "points": 1, "per_minor": 100, "worth_minor": 5, "least_points": 10}


class Counter:
    """A store's counter with one customer, each verb in a transaction of its own."""

    def __init__(self, store: OpenStore, *, limit_minor: int = 10_000) -> None:
        self.store = store
        self.id = self.add("Rosa Lind", phone="+49 170 555 0123", limit_minor=limit_minor)
        self.set_terms()

    def add(self, name: str, **wishes) -> str:
        given = {"agreed": EVERYTHING} | wishes
        return self.book(customers.add, new_id(), Particulars(name, **given), actor=self.store.wei).id

    def set_terms(self, **wish) -> None:
        self.book(lambda ctx, store: points_terms.set_terms(ctx, points_terms.terms_of(store.id, **CARD | wish)))

    def book(self, verb, *values, actor=None, **wishes):
        with self.store.write() as session:
            store = store_of(session, self.store.store_id)
            return verb(Context(session, actor or self.store.ana, self.store.now), store, *values, **wishes)

    def charge(self, amount_minor: int, *, sale_id: str = "", customer_id: str = "") -> str:
        sale_id = sale_id or new_id()
        self.book(tab.charge, customer_id or self.id, amount_minor, sale_id=sale_id)
        return sale_id

    def repay(self, amount_minor: int, **wishes):
        given = {"id": new_id(), "till_id": self.store.till_id} | wishes
        return self.book(tab.repay, self.id, amount_minor, **given)

    def print(self, done, *, till_id: str):
        with self.store.write() as session:
            store = store_of(session, self.store.store_id)
            return statement.print_repayment(session, store, done, till_id=till_id, at=self.store.now)

    def owed(self) -> int:
        return self.store.read(lambda session: tab.account(session, self.store.store_id, self.id).balance_minor)

    def debts(self, *customer_id: str) -> list[tab.Debt]:
        today = self.store.now.date()
        return self.store.read(lambda session: tab.debts(session, self.store.store_id, today, *customer_id))

    def debt(self) -> tab.Debt:
        (found,) = self.debts()
        return found

    def drawer(self) -> int:
        found = self.store.read(lambda session: shift.current(session, self.store.store_id, self.store.till_id))
        assert found is not None
        return found.expected_minor

    def findings(self):
        return self.store.read(lambda session: account_checks.findings(session, self.store.store_id))


@pytest.fixture
def counter(store: OpenStore) -> Counter:
    return Counter(store)


# --- the tab ---


def test_a_charge_up_to_the_limit_fits_and_a_cent_more_does_not(counter: Counter):
    counter.charge(9_999)
    counter.charge(1)
    with pytest.raises(Refused, match="Take the rest another way") as refused:
        counter.charge(1)
    assert refused.value.code == "tab-limit"
    assert refused.value.facts == {"wanted_minor": 1, "left_minor": 0, "limit_minor": 10_000, "balance_minor": 10_000}
    assert counter.owed() == 10_000
    assert counter.findings() == []


def test_the_rest_of_a_part_payment_is_held_to_the_limit_too(counter: Counter):
    counter.charge(9_500)
    with pytest.raises(Refused) as refused:  # 20.00 bought, 14.99 paid in cash, 5.01 on the tab
        counter.charge(501)
    assert refused.value.facts["left_minor"] == 500
    counter.charge(500)


def test_many_tills_at_once_cannot_pass_the_limit_together(counter: Counter):
    won, lost, gate = [], [], threading.Barrier(8)

    def till() -> None:
        gate.wait()
        try:
            won.append(counter.charge(3_000))
        except Refused as refusal:
            lost.append(refusal.code)

    tills = [threading.Thread(target=till) for _ in range(8)]
    for one in tills:
        one.start()
    for one in tills:
        one.join()
    assert (len(won), lost) == (3, ["tab-limit"] * 5)
    assert counter.owed() == 9_000
    assert counter.findings() == []


@pytest.mark.postgres
def test_every_verb_holds_its_account_on_postgresql_until_it_ends_even_where_it_books_nothing(
    postgres_database, tmp_path
):
    store = open_store(tmp_path, database_url=postgres_database)
    counter = Counter(store)
    verbs = [
        (tab.carry_over, (300, NOON.date()), {"id": "old-0001"}),
        (tab.repay, (100,), {"id": "paid-0001", "till_id": store.till_id}),
        (tab.write_off, (100,), {"id": "lost-0001", "why": "moved away"}),
        (tab.give_back, (), {"tab_minor": 100, "sale_id": "return"}),
    ]
    for verb, values, wishes in verbs:
        counter.book(verb, counter.id, *values, **wishes)
    for verb, values, wishes in verbs:
        with store.write() as session, store.database.engine.connect() as other:
            with suppress(Refused):  # what goes back to a tab has no command's id
                verb(Context(session, store.ana, store.now), store_of(session, STORE), counter.id, *values, **wishes)
            with pytest.raises(sa.exc.OperationalError, match="could not obtain lock"):
                other.execute(sa.text("SELECT 1 FROM tab_account FOR UPDATE NOWAIT"))


def test_a_lower_limit_stops_charges_and_keeps_the_debt(counter: Counter):
    counter.charge(6_000)
    counter.book(customers.change, counter.id, Particulars("Rosa Lind", agreed=EVERYTHING, limit_minor=5_000))
    with pytest.raises(Refused) as refused:
        counter.charge(1)
    assert refused.value.facts["left_minor"] == 0
    assert counter.owed() == 6_000


@pytest.mark.parametrize("amount", [0, -1, 10**13, True, 1.5])
def test_impossible_amounts_are_refused_everywhere(counter: Counter, amount):
    counter.charge(500)
    for verb, more in (
        (tab.charge, {"sale_id": "s"}),
        (tab.repay, {"id": new_id(), "till_id": "T1"}),
        (tab.write_off, {"id": new_id(), "why": "gone"}),
    ):
        with pytest.raises(Invalid):
            counter.book(verb, counter.id, amount, **more)
    with pytest.raises(Invalid):
        counter.book(tab.give_back, counter.id, tab_minor=amount, sale_id="r")
    assert counter.owed() == 500


def test_a_repayment_pays_the_oldest_charge_first_and_says_which(counter: Counter):
    first = counter.charge(1_000)
    counter.store.clock.advance(DAY_S)
    second = counter.charge(2_000)
    counter.store.clock.advance(DAY_S)
    third = counter.charge(500)
    done = counter.repay(2_200)
    assert [(row.sale_id, row.amount_minor, row.left_minor) for row in done.paid] == [
        (first, 1_000, 0),
        (second, 1_200, 800),
    ]
    rest = counter.repay(1_300)
    assert [(row.sale_id, row.amount_minor) for row in rest.paid] == [(second, 800), (third, 500)]
    assert counter.owed() == 0
    assert counter.findings() == []


def test_a_debt_of_the_old_book_is_the_oldest(counter: Counter):
    counter.charge(1_000)
    day = counter.store.now.date() - dt.timedelta(days=100)
    counter.book(tab.carry_over, counter.id, 700, day, id=new_id())
    assert counter.debt() == tab.Debt(counter.id, 1_700, day, (1_000, 0, 0, 700))
    assert next(row.day for row in counter.repay(900).paid) == day
    with pytest.raises(Invalid):
        counter.book(tab.carry_over, counter.id, 700, counter.store.now.date() + dt.timedelta(days=1), id=new_id())


def test_what_is_carried_over_or_given_up_is_so_once_however_often_it_is_sent(counter: Counter):
    counter.charge(1_000)
    today = counter.store.now.date()
    for verb, more, left in ((tab.carry_over, (today,), 1_700), (tab.write_off, (), 1_000)):
        id_ = new_id()
        why = {} if more else {"why": "gone"}
        first, again = (counter.book(verb, counter.id, 700, *more, id=id_, **why) for _ in range(2))
        assert (first.id, again.id, counter.owed()) == (id_, id_, left)
        with pytest.raises(Conflict):
            counter.book(verb, counter.id, 701, *more, id=id_, **why)
    assert counter.findings() == []


def test_what_was_given_up_of_a_sale_is_owed_again_for_its_return_as_far_as_it_was_and_no_further(counter: Counter):
    store, bought, other = counter.store, counter.charge(1_000), counter.charge(50)
    counter.book(tab.write_off, counter.id, 600, id=new_id(), why="gone")

    def given_up() -> tuple[int, int]:
        return store.read(lambda session: tab.given_up_of(session, store.store_id, bought))

    assert given_up() == (400, 600)
    for minor, owed, left in ((700, 50, (0, 300)), (300, 50, (0, 0))):
        counter.book(tab.give_back, counter.id, tab_minor=minor, sale_id=new_id(), of_sale_id=bought)
        assert (counter.owed(), given_up()) == (owed, left)
    with pytest.raises(Refused):
        counter.book(tab.give_back, counter.id, tab_minor=51, sale_id=new_id(), of_sale_id=bought)
    kinds = store.read(lambda session: [one.kind for one in tab.entries(session, store.store_id, counter.id)])
    assert kinds == ["charge", "charge", "written_off", "owed_again", "refund", "owed_again", "refund"]
    assert [row.sale_id for row in counter.repay(50).paid] == [other]
    assert counter.findings() == []


def test_cash_for_the_tab_goes_into_the_drawer_once_however_often_it_is_sent(counter: Counter):
    counter.charge(3_000)
    command = new_id()
    first = counter.repay(1_000, id=command)
    again = counter.repay(1_000, id=command)
    assert (first.repeated, again.repeated, again.entry.id) == (False, True, first.entry.id)
    assert again.paid == first.paid
    assert (counter.owed(), counter.drawer()) == (2_000, FLOAT_MINOR + 1_000)
    with pytest.raises(Conflict):
        counter.repay(1_001, id=command)
    other = counter.add("Jun Sato")
    with pytest.raises(Conflict):
        counter.book(tab.repay, other, 1_000, id=command, till_id="T1")
    moved = counter.store.read(
        lambda session: session.scalars(sa.select(CashMovement).where(CashMovement.kind == "tab_paid")).all()
    )
    assert [(row.amount_minor, row.source_id) for row in moved] == [(1_000, command)]


def test_a_card_repayment_moves_no_cash(counter: Counter):
    counter.charge(3_000)
    counter.repay(1_000, tender="card", reference="A17")
    assert (counter.owed(), counter.drawer()) == (2_000, FLOAT_MINOR)
    with pytest.raises(Invalid) as refusal:
        counter.repay(1_000, tender="tab")
    assert refusal.value.code == "unknown-tender"
    with pytest.raises(Invalid) as refusal:
        counter.repay(1_000, tender="card", reference="4111 1111 1111 1111")
    assert refusal.value.code == "card-number"


def test_what_tabs_were_repaid_stands_by_tender_on_x_and_z_with_all_that_a_tender_brought(counter: Counter):
    store = counter.store
    counter.charge(3_000)
    store.sell([("milk", 1)], tenders=[("card", 129, "A17")])
    counter.repay(1_000, tender="card", reference="A18")
    counter.repay(500)
    report = store.read(
        lambda session: shift_report.x_report(session, shift.current(session, store.store_id, store.till_id))
    )
    assert (report["tenders"], report["apart"]) == ({"card": 129}, {"tabs": {"card": 1_000, "cash": 500}})
    assert report["in_all"] == {"card": 1_129, "cash": 500}
    assert report["typed_in_all"] == {"card": 1_129}, "the terminal was asked for nothing of it"
    assert (report["total_minor"], report["cash"]["tab_paid"]) == (129, 500)
    blind = shift_report.blinded(report)
    assert (blind["apart"], blind["in_all"]) == ({"tabs": {"card": 1_000}}, {"card": 1_129})
    paper = "\n".join(f"{line.text} {line.right}" for line in till_report(report, columns=32))
    assert "Tabs repaid" in paper
    assert "11,29" in paper.split("All payments by tender")[1]
    assert store.read(lambda session: [*checks.findings(session, store.store_id)]) == []
    with store.write() as session:
        row = shift.current(session, store.store_id, store.till_id)
        row.totals = row.totals | {"tabs": {"card": 1}}
    found = store.read(lambda session: [one.code for one in checks.findings(session, store.store_id)])
    assert found == ["K6"]


def test_a_slip_that_paid_for_a_tab_or_a_sale_pays_nothing_else_that_day(counter: Counter):
    counter.charge(3_000)
    counter.repay(129, tender="card", reference="A17")
    for again in (" a17", "A-17", "0a 17"):
        with pytest.raises(Refused) as refusal:
            counter.repay(129, tender="card", reference=again)
        assert refusal.value.code == "slip-used"
    with pytest.raises(Refused) as refusal:
        counter.store.sell([("milk", 1)], tenders=[("card", 129, "A17")])
    assert refusal.value.code == "slip-used"
    counter.store.sell([("milk", 1)], tenders=[("card", 129, "A18")])
    with pytest.raises(Refused):
        counter.repay(129, tender="card", reference="A18")
    assert counter.owed() == 2_871


@pytest.mark.parametrize("into", ["closed again", "not here"])
def test_repayments_that_come_home_without_their_shift_contradict_nothing_and_their_slip_pays_once(counter, into):
    store = counter.store
    counter.charge(3_000)
    counter.repay(500)
    counter.repay(500, tender="card", reference="A17")
    written = store.read(lambda session: [(row.topic, row.body) for row in outbox.due(session, NETWORK)])
    reported = [json.loads(body) for topic, body in written if topic == "tab.moved"]
    store.close_till()
    lost = {"closed again": {}, "not here": {"shift_id": new_id()}}[into]
    with store.write() as session:
        for body in reported:
            reference = "A18" if body["tender"] == "card" else ""
            fact = TabMoved.from_body(body | lost | {"id": new_id(), "reference": reference})
            tab.write_again(Context(session, store.ana, store.now), fact)
    assert counter.owed() == 1_000
    assert store.read(lambda session: [*checks.findings(session, store.store_id)]) == []
    store.open_till()
    with pytest.raises(Refused) as refusal:
        counter.repay(500, tender="card", reference="A18")
    assert refusal.value.code == "slip-used"


@pytest.mark.parametrize(("kind", "amount_minor"), [("repayment", -500), ("carried_over", 500)])
def test_what_comes_home_twice_is_written_once_under_its_own_name(counter: Counter, kind, amount_minor):
    store = counter.store
    counter.charge(3_000)
    fact = TabMoved(
        store_id=store.store_id, id=new_id(), customer_id=counter.id, kind=kind, amount_minor=amount_minor,
        business_day=store.now.date(), at=store.now,
    )  # fmt: skip
    for _ in range(2):
        with store.write() as session:
            tab.write_again(Context(session, store.ana, store.now), fact)
    assert counter.owed() == 3_000 + amount_minor
    kept = store.read(lambda session: session.get_one(TabEntry, (store.store_id, fact.id)))
    assert (kept.kind, kept.amount_minor, kept.balance_minor) == (kind, amount_minor, 3_000 + amount_minor)
    assert counter.findings() == []


def test_no_more_comes_home_off_a_tab_than_is_owed(counter: Counter):
    store = counter.store
    for owed, left in ((0, None), (300, 0)):
        if owed:
            counter.charge(owed)
        fact = TabMoved(
            store_id=store.store_id, id=new_id(), customer_id=counter.id, kind="written_off", amount_minor=-500,
            business_day=store.now.date(), at=store.now,
        )  # fmt: skip
        with store.write() as session:
            if left is None:
                with pytest.raises(Refused) as refusal:
                    tab.write_again(Context(session, store.ana, store.now), fact)
                assert (refusal.value.code, refusal.value.facts) == ("more-than-owed", {"amount_minor": 500})
            else:
                tab.write_again(Context(session, store.ana, store.now), fact)
        assert counter.owed() == 0
    assert counter.findings() == []


def test_nobody_repays_more_than_is_owed_or_at_a_closed_till(counter: Counter):
    counter.charge(300)
    with pytest.raises(Refused) as refused:
        counter.repay(301)
    assert (refused.value.code, refused.value.facts["owed_minor"]) == ("more-than-owed", 300)
    counter.store.close_till()
    with pytest.raises(Refused, match="till is closed"):
        counter.repay(300)
    assert counter.owed() == 300


def test_a_refund_pays_its_own_sale_first(counter: Counter):
    old, new = counter.charge(1_000), counter.charge(400)
    counter.book(tab.give_back, counter.id, tab_minor=400, sale_id=new_id(), of_sale_id=new)
    assert [row.sale_id for row in counter.repay(1_000).paid] == [old]
    counter.charge(100)
    with pytest.raises(Refused) as refused:
        counter.book(tab.give_back, counter.id, tab_minor=101, sale_id=new_id(), of_sale_id=new)
    assert refused.value.facts["owed_minor"] == 100


def test_a_debt_is_as_old_as_its_oldest_unpaid_charge(counter: Counter):
    start = counter.store.now.date()
    for gap in (0, 31, 30, 30):  # charged 91, 60, 30 and 0 days ago
        counter.store.clock.advance(gap * DAY_S)
        counter.charge(100)
    assert counter.debt() == tab.Debt(counter.id, 400, start, (200, 100, 0, 100))
    counter.repay(150)
    debt = tab.Debt(counter.id, 250, start + dt.timedelta(days=31), (200, 50, 0, 0))
    assert counter.debts() == counter.debts(counter.id) == [debt]
    other = counter.add("Cem", limit_minor=400)
    counter.charge(400, customer_id=other)
    assert [one.customer_id for one in counter.debts()] == [other, counter.id], "who owes most first"
    assert counter.debts(counter.id) == [debt]


def test_ages_end_where_they_say():
    today = dt.date(2026, 3, 2)
    ages = {
        n: tab.by_age([(today - dt.timedelta(days=n), 1)], today).index(1) for n in (0, 30, 31, 60, 61, 90, 91, 900)
    }
    assert ages == {0: 0, 30: 0, 31: 1, 60: 1, 61: 2, 90: 2, 91: 3, 900: 3}


def test_a_debt_is_written_off_with_a_reason_only(counter: Counter):
    counter.charge(800)
    with pytest.raises(Invalid) as refused:
        counter.book(tab.write_off, counter.id, 800, id=new_id(), why=" ")
    assert (refused.value.code, refused.value.facts) == ("no-reason", {"field": "why"})
    with pytest.raises(Invalid) as refused:
        counter.book(tab.write_off, counter.id, 800, id="short", why="moved away")
    assert refused.value.code == "no-command-id"
    counter.book(tab.write_off, counter.id, 800, id=new_id(), why="moved away")
    assert counter.owed() == 0
    assert counter.findings() == []


# --- with a real sale ---


def test_a_token_in_cash_does_not_open_the_limit_for_the_rest(counter: Counter):
    counter.charge(9_700)
    with pytest.raises(Refused) as refused:  # 4.50: 1.00 in cash, 3.50 on a tab with 3.00 left
        counter.store.sell([("tea", 1)], tenders=[("cash", 100), ("tab", 350)], customer_id=counter.id)
    assert refused.value.facts["left_minor"] == 300
    assert (counter.owed(), counter.drawer(), counter.store.level("tea").on_hand) == (9_700, FLOAT_MINOR, 20)
    done = counter.store.sell([("tea", 1)], tenders=[("cash", 150), ("tab", 300)], customer_id=counter.id)
    assert done.document["customer"]["tab_balance_minor"] == 10_000
    assert counter.findings() == counter.store.findings() == []


def test_a_sale_on_the_tab_sent_twice_is_charged_once(counter: Counter):
    wishes = {"tenders": [("tab", 450)], "customer_id": counter.id}
    request = counter.store.request([("tea", 1)], **wishes)
    assert [counter.store.complete(request).repeated for _ in range(2)] == [False, True]
    assert counter.owed() == 450


def test_no_fact_that_leaves_the_shop_names_a_person(counter: Counter):
    counter.store.sell([("tea", 1)], tenders=[("tab", 450)], customer_id=counter.id)
    counter.repay(450)
    counter.store.close_till()
    reported = " ".join(str(message.body) for message in counter.store.messages())
    assert counter.id in reported
    assert "Rosa" not in reported
    assert "5550123" not in reported


def test_a_statement_names_the_receipts_it_is_made_of(counter: Counter):
    sold = counter.store.sell([("tea", 1)], tenders=[("tab", 450)], customer_id=counter.id).sale
    done = counter.repay(450)
    with counter.store.write() as session:
        document = statement.repayment_document(session, store_of(session, counter.store.store_id), done)
    assert [row["receipt_no"] for row in document["paid"]] == [sold.receipt_no]


# --- points ---


def test_points_are_earned_rounded_down_and_redeemed_from_the_least_on(counter: Counter):
    assert counter.book(loyalty.earn, counter.id, 999, sale_id=new_id()) == (9, 9)
    with pytest.raises(Refused) as refused:  # nine points: fewer than the store redeems
        counter.book(loyalty.spend, counter.id, 45, sale_id=new_id())
    assert refused.value.code == "too-few-points"
    assert counter.book(loyalty.earn, counter.id, 1_100, sale_id=new_id()) == (11, 20)
    assert counter.book(loyalty.spend, counter.id, 51, sale_id=new_id()) == (11, 9)
    with pytest.raises(Refused) as refused:
        counter.book(loyalty.spend, counter.id, 50, sale_id=new_id())
    assert refused.value.facts == {"points": 9, "needed": 10}
    assert counter.findings() == []


def test_a_return_takes_back_what_its_sale_earned_and_gives_back_what_it_spent(counter: Counter):
    bought = new_id()
    counter.book(loyalty.earn, counter.id, 2_050, sale_id=bought)
    counter.book(loyalty.spend, counter.id, 60, sale_id=bought)
    parts = [
        counter.book(loyalty.take_back, counter.id, part, sale_id=new_id(), of_sale_id=bought)[0]
        for part in (1_025, 1_025)
    ]
    assert parts == [10, 10]
    given = counter.book(loyalty.give_back, counter.id, 60, sale_id=new_id(), of_sale_id=bought)
    assert given == (12, 0)
    assert counter.findings() == []


def test_who_redeems_and_then_returns_owes_the_points(counter: Counter):
    bought = new_id()
    counter.book(loyalty.earn, counter.id, 2_000, sale_id=bought)
    counter.book(loyalty.spend, counter.id, 100, sale_id=new_id())
    assert counter.book(loyalty.take_back, counter.id, 2_000, sale_id=new_id(), of_sale_id=bought) == (20, -20)
    standing = counter.book(lambda ctx, store: customers.standing(ctx.session, store, counter.id, at=ctx.at))
    assert (standing.points, standing.points_worth_minor) == (-20, 0)
    assert counter.book(loyalty.earn, counter.id, 3_000, sale_id=new_id()) == (30, 10)


def test_without_scheme_or_membership_nothing_is_earned(counter: Counter):
    guest = counter.add("Guest", agreed=frozenset())
    assert counter.book(loyalty.earn, guest, 5_000, sale_id=new_id()) == (0, 0)
    with pytest.raises(Refused):
        counter.book(loyalty.spend, guest, 50, sale_id=new_id())
    counter.set_terms(active=False)
    assert counter.book(loyalty.earn, counter.id, 5_000, sale_id=new_id()) == (0, 0)


@pytest.mark.parametrize("wish", [{"points": 0}, {"per_minor": 0}, {"worth_minor": 101}, {"least_points": -1}])
def test_a_scheme_that_makes_no_sense_is_refused(counter: Counter, wish):
    with pytest.raises(Invalid):
        counter.set_terms(**wish)


# --- the person ---


def test_only_what_was_agreed_to_is_kept_with_its_day(counter: Counter):
    for wish in ({"phone": "01705550123"}, {"limit_minor": 100}):
        with pytest.raises(Invalid) as refused:
            counter.add("Jun Sato", agreed=frozenset(), **wish)
        assert refused.value.code == "not-agreed"
    store = counter.store
    since = store.read(lambda session: consent.agreed(session, store.store_id, counter.id))
    assert since == dict.fromkeys(("name", "phone", "tab", "points", "messages"), store.now)
    store.clock.advance(DAY_S)
    counter.book(customers.change, counter.id, Particulars("Rosa Lind", agreed=frozenset({"points"})))
    kept = store.read(lambda session: customers.known(session, store.store_id, counter.id))
    assert kept.phone == ""
    assert set(store.read(lambda session: consent.agreed(session, store.store_id, counter.id))) == {"name", "points"}


def test_a_double_click_adds_one_customer(counter: Counter):
    command = new_id()
    for _ in range(2):
        counter.book(customers.add, command, Particulars("Jun Sato"))
    with pytest.raises(Conflict):
        counter.book(customers.add, command, Particulars("Other"))
    found = counter.store.read(lambda session: customers.search(session, counter.store.store_id, "sato"))
    assert [row.id for row in found] == [command]


@pytest.mark.parametrize(
    ("name", "phone"), [("", ""), ("x" * 81, ""), ("a\x00b", ""), ("Ann", "12"), ("Ann", "call me"), ("Ann", "1" * 21)]
)
def test_names_and_numbers_have_bounds(counter: Counter, name, phone):
    with pytest.raises(Invalid):
        counter.add(name, phone=phone)


def test_a_search_needs_a_word_or_four_last_digits_and_shows_the_end_of_a_number(counter: Counter):
    wang = counter.add("王小明")

    def found(text: str) -> list[str]:
        return [row.id for row in counter.store.read(lambda s: customers.search(s, counter.store.store_id, text))]

    assert found("0123") == found("555 0123") == found("lind ROSA") == [counter.id]
    assert found("王") == found("wangxiao") == found("wxm") == [wang]
    assert found("123") == found("0555") == found("%") == found("r") == found("__") == []
    (row,) = counter.store.read(lambda s: customers.search(s, counter.store.store_id, "0123"))
    assert row.phone_end == "0123"


def test_without_a_text_those_who_bought_last_are_found_the_newest_first_and_nobody_else(counter: Counter):
    first, second = counter.add("Ann"), counter.add("Bob")
    counter.add("Never here")
    for who in (second, first, None, second):
        counter.store.sell([("tea", 1)], customer_id=who)
        counter.store.clock.advance(60)
    found = counter.store.read(lambda session: customers.search(session, counter.store.store_id, " "))
    assert [row.id for row in found] == [second, first]


def test_a_person_is_forgotten_once_the_tab_is_settled_and_the_books_stay(counter: Counter):
    counter.charge(500)
    counter.book(loyalty.earn, counter.id, 2_000, sale_id=new_id())
    with pytest.raises(Refused) as refused:
        counter.book(customers.erase, counter.id)
    assert refused.value.facts == {"owed_minor": 500}
    without_tab = Particulars("Rosa Lind", agreed=EVERYTHING - {"tab"})
    with pytest.raises(Refused):
        counter.book(customers.change, counter.id, without_tab)
    done = counter.repay(500)
    counter.print(done, till_id="T1")
    counter.book(customers.erase, counter.id)
    counter.book(customers.erase, counter.id)
    with pytest.raises(Refused):
        counter.charge(1)
    with pytest.raises(NotFound):
        counter.book(lambda ctx, store: customers.known(ctx.session, store.id, counter.id))
    assert _mentions(counter.store, "Rosa") == _mentions(counter.store, "5550123") == []
    kinds = counter.store.read(lambda session: session.scalars(sa.select(TabEntry.kind).order_by(TabEntry.n)).all())
    assert kinds == ["charge", "repayment"]
    assert counter.findings() == []


def _mentions(store: OpenStore, words: str) -> list[str]:
    """Return the tables in which a text stands."""

    def look(session):
        tables = Customer.metadata.sorted_tables
        return [table.name for table in tables for row in session.execute(table.select()) if words in str(tuple(row))]

    return store.read(look)


def test_no_journal_entry_names_a_person(counter: Counter):
    wished = Particulars("Rosa Lindt", phone="+491705550124", agreed=EVERYTHING, limit_minor=900)
    counter.book(customers.change, counter.id, wished)
    counter.charge(500)
    counter.repay(200)
    bodies = counter.store.read(lambda session: session.scalars(sa.select(JournalEntry.body)).all())
    assert not any(word in readable(body) for body in bodies for word in ("Rosa", "5550"))


def test_a_person_gets_everything_that_is_kept(counter: Counter):
    counter.charge(500)
    counter.repay(200)
    counter.book(loyalty.earn, counter.id, 2_000, sale_id=new_id())
    all_of_it = counter.book(lambda ctx, store: customers.everything_about(ctx.session, store, counter.id))
    assert all_of_it["customer"]["phone"] == "+491705550123"
    assert [row["amount_minor"] for row in all_of_it["tab"]["entries"]] == [500, -200]
    assert all_of_it["points"][0]["points"] == 20
    assert {row["purpose"] for row in all_of_it["agreed"]} == {"name", *EVERYTHING}


# --- the books ---


@pytest.mark.parametrize("seed", range(8))
def test_no_walk_of_verbs_breaks_the_books(counter: Counter, seed: int):
    dice = random.Random(seed)
    owed, points, worth, sales, code = 0, 0, 0, [], ""
    for _ in range(40):
        counter.store.clock.advance(3600 * dice.randint(0, 60))
        amount = dice.choice([1, 99, 1_250, 4_000, 9_999])
        step = dice.choice(["charge", "charge", "repay", "refund", "earn", "spend", "take", "issue", "redeem", "bad"])
        try:
            if step == "charge":
                sales.append(counter.charge(amount))
                owed += amount
            elif step == "repay":
                done = counter.repay(min(amount, owed) if dice.random() < 0.8 else amount)
                assert sum(row.amount_minor for row in done.paid) == -done.entry.amount_minor
                assert all(row.left_minor == 0 for row in done.paid[:-1])
                owed += done.entry.amount_minor
            elif step == "refund" and sales:
                counter.book(tab.give_back, counter.id, tab_minor=amount, sale_id=new_id(), of_sale_id=sales[-1])
                owed -= amount
            elif step == "earn":
                points = counter.book(loyalty.earn, counter.id, amount, sale_id=new_id())[1]
            elif step == "spend":
                points = counter.book(loyalty.spend, counter.id, amount, sale_id=new_id())[1]
                assert points >= 0
            elif step == "take":
                points = counter.book(loyalty.take_back, counter.id, amount, sale_id=new_id())[1]
            elif step == "issue":
                code = counter.book(vouchers.issue, amount, kind="credit", sale_id=new_id()).code
                worth = amount
            elif step == "redeem" and code:
                part = min(amount, 1_000)
                counter.book(vouchers.redeem, code, part, sale_id=new_id())
                worth -= part
                assert worth >= 0
            else:
                counter.repay(10**9)
        except (Refused, Invalid):
            pass
        assert 0 <= owed <= 10_000
        assert counter.owed() == owed
    assert counter.findings() == []
    standing = counter.book(lambda ctx, store: customers.standing(ctx.session, store, counter.id, at=ctx.at))
    assert (standing.tab_balance_minor, standing.tab_left_minor, standing.points) == (owed, 10_000 - owed, points)


@pytest.mark.parametrize(
    ("table", "column", "check"),
    [("tab_account", "balance_minor", "K13"),
     ("tab_settlement", "amount_minor", "K13"), ("points_account", "points", "K14"),
     ("voucher", "balance_minor", "K15"), ("points_entry", "points", "K14"), ("tab_entry", "amount_minor", "K13")],
)  # fmt: skip
def test_a_book_that_was_touched_is_found(counter: Counter, table, column, check):
    counter.charge(500)
    counter.repay(100)
    counter.book(loyalty.earn, counter.id, 2_000, sale_id=new_id())
    counter.book(vouchers.issue, 900, kind="gift", sale_id=new_id())
    assert counter.findings() == []
    with counter.store.write() as session, unlocked(session):
        session.execute(sa.text(f"UPDATE {table} SET {column} = {column} + 1"))
    assert {finding.code for finding in counter.findings()} == {check}


def test_what_a_repayment_prints_is_queued_with_it(counter: Counter):
    counter.charge(500)
    counter.print(counter.repay(200), till_id="T1")
    (job,) = counter.store.read(
        lambda session: session.scalars(sa.select(PrintJob).where(PrintJob.kind == "tab_paid")).all()
    )
    assert (job.opens_drawer, job.document["balance_minor"]) == (True, 300)


@pytest.mark.parametrize(
    ("tz", "one", "other", "are_one"),
    [
        ("Asia/Shanghai", "138 1234 5678", "+86 138-1234-5678", True),
        ("Asia/Shanghai", "138 1234 5678", "158 1234 5678", False),
        ("Europe/Paris", "06 12 34 56 78", "0033 6 12 34 56 78", True),
        ("Europe/Paris", "06 12 34 56 78", "+32 6 12 34 56 78", False),
        ("America/New_York", "(212) 555-0100", "+1 212 555 0100", True),
        ("UTC", "555 0100", "５５５-0100", True),
    ],
)
def test_a_number_makes_one_key_however_it_is_written_and_no_other_number_makes_it(tz, one, other, are_one):
    assert (customers.key_of("S1", tz, one) == customers.key_of("S1", tz, other)) is are_one
    assert customers.key_of("S1", tz, one) != customers.key_of("S2", tz, one)


def test_what_is_given_up_of_a_tab_is_journalled_with_its_reason(counter: Counter):
    counter.charge(500)
    counter.book(tab.write_off, counter.id, 200, id="given-up-0001", why="moved away", actor=counter.store.wei)
    last = counter.store.read(lambda session: session.scalar(sa.select(JournalEntry).order_by(JournalEntry.n.desc())))
    assert (last.verb, last.actor_id, json.loads(last.body)["why"]) == ("tab.written_off", "wei", "moved away")
    assert counter.owed() == 300
