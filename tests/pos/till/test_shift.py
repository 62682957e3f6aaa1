"""One spell at a till: the drawer is a ledger, counting is blind, Z is frozen."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue.catalogue import Product
from pos.documents import till_report
from pos.facts import SaleCompleted
from pos.printing.queue import PrintJob
from pos.sale import basket, sale
from pos.sale.basket import Parking
from pos.sold import write_rows
from pos.store import approvals
from pos.store.store import ReceiptCounter, Staff, add_staff
from pos.till import hand_cash, shift, shift_book, shift_report, totals
from pos.till.shift_book import CashMovement, Shift
from tests.builders import NOON, STORE, OpenStore, open_store
from tests.recount import recount


def current(store: OpenStore) -> Shift:
    found = store.read(lambda session: shift.current(session, STORE, "T1"))
    assert found is not None
    return found


def test_one_shift_is_open_at_a_till(store):
    with pytest.raises(Conflict) as refusal:
        store.open_till()
    assert refusal.value.code == "shift-open"


def test_the_database_itself_refuses_a_second_open_shift(store):
    row = {"store_id": STORE, "till_id": "T1", "opened_by": "x", "opened_by_name": "X", "business_day": NOON.date()}
    with pytest.raises(sa.exc.IntegrityError), store.write() as session:
        session.add(Shift(id="second-shift", state="open", opened_at=NOON, expected_minor=0, **row))


def test_a_till_nobody_knows_is_not_opened(tmp_path):
    store = open_store(tmp_path, till_open=False)
    store.till_id = "T9"
    with pytest.raises(NotFound):
        store.open_till()


@pytest.mark.parametrize("amount", [-1, 1.5, True, 10**13])
def test_an_odd_float_is_refused(tmp_path, amount):
    with pytest.raises(Invalid):
        open_store(tmp_path, till_open=False).open_till(amount)


def test_counting_is_blind_until_the_shift_is_closed(store):
    store.sell([("milk", 1)])
    report = store.read(lambda s: shift_report.x_report(s, current_in(s)))
    assert report["sales_count"] == 1
    assert (report["expected_minor"], report["counted_minor"], report["z_no"]) == (None, None, None)
    closed = store.close_till(10_100)
    assert closed.z_report["expected_minor"] == 10_129
    assert closed.z_report["over_short_minor"] == closed.over_short_minor == -29


def current_in(session):
    return shift.current(session, STORE, "T1")


def test_z_says_what_was_sold_returned_and_paid_and_goes_to_paper(store):
    sold = store.sell([("milk", 3), ("wine", 1)])
    store.sell([("bread", 1)], tenders=[("card", 349)])
    store.take_back(sold.sale.id, [(1, 1)])
    closed = store.close_till()
    report = closed.z_report
    assert (report["sales_count"], report["sales_minor"]) == (2, 387 + 699 + 349)
    assert (report["returns_count"], report["returns_minor"]) == (1, -129)
    assert report["tenders"] == {"card": 349, "cash": 387 + 699 - 129}
    assert sum(row["gross_minor"] for row in report["taxes"]) == report["total_minor"]
    assert (report["first_receipt_no"], report["last_receipt_no"], report["z_no"]) == (1, 3, 1)
    with store.database.read() as session:
        job = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "z")).one()
        assert (job.document, job.opens_drawer) == (report, False)
    assert store.messages()[-1].topic == "shift.closed"
    assert store.findings() == []


def test_a_closed_shift_never_changes_and_the_next_z_has_the_next_number(store):
    with store.write() as session:
        first = shift.close(Context(session, store.wei, NOON), current_in(session), 9_000, why="a note was missing")
    store.open_till(5_000)
    store.sell([("milk", 1)])
    assert store.close_till().z_no == 2
    kept = store.read(lambda s: s.get_one(Shift, (STORE, first.id)))
    assert (kept.state, kept.expected_minor, kept.counted_minor, kept.over_short_minor) == (
        "closed",
        10_000,
        9_000,
        -1_000,
    )
    with pytest.raises(Conflict), store.write() as session:
        shift.close(Context(session, store.wei, NOON), session.get_one(Shift, (STORE, first.id)), 10_000)
    assert store.findings() == []


def test_a_count_can_be_put_off(store):
    with store.write() as session:
        found = shift.current(session, STORE, "T1")
        for verb in (shift.begin_count, shift.go_back):
            for _press in range(2):  # a double click changes nothing more
                verb(Context(session, store.wei, NOON), found)
        reported = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.subject == f"shift:{found.id}"))
        assert list(reported)[-2:] == ["shift.counting", "shift.open"]
    assert store.sell([("milk", 1)]).sale.receipt_no == 1


def test_a_sale_after_midnight_belongs_to_the_evening_before(store):
    store.clock.set(dt.datetime(2026, 3, 3, 0, 30, tzinfo=dt.UTC))
    assert store.sell([("milk", 1)]).sale.business_day == "2026-03-02"
    store.clock.set(dt.datetime(2026, 3, 3, 3, 0, tzinfo=dt.UTC))
    assert store.sell([("milk", 1)]).sale.business_day == "2026-03-03"


def test_every_cash_movement_names_its_source(store):
    done = store.sell([("milk", 1)], cash_minor=500)
    rows = store.read(lambda s: s.scalars(sa.select(CashMovement).where(CashMovement.source_id == done.sale.id)).all())
    assert sorted((row.kind, row.amount_minor) for row in rows) == [("change", -371), ("sale", 500)]


# --- the count ---


def counted(store: OpenStore, amount, *, who=None, **wishes):
    with store.write() as session:
        return shift.count(Context(session, who or store.ana, NOON), current_in(session), amount, **wishes)


def settled(store: OpenStore) -> int:
    with store.write() as session:
        return shift.settle(Context(session, store.ana, NOON), current_in(session))


def closed(store: OpenStore, amount=None, *, who=None, **wishes) -> Shift:
    with store.write() as session:
        return shift.close(Context(session, who or store.ana, NOON), current_in(session), amount, **wishes)


def test_a_drawer_counted_in_pieces_is_kept_piece_by_piece_and_stands_on_z(store):
    counted(store, {"note-5000": 2, "coin-50": 0, "coin-1": 0})
    settled(store)
    done = closed(store)
    assert (done.counted_minor, done.over_short_minor) == (10_000, 0)
    assert done.z_report["pieces"] == {"note-5000": 2}
    entry = store.read(
        lambda s: s.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "shift.drawer_counted")).one()
    )
    assert '"counted_minor":10000,"pieces":{"note-5000":2},"time":1' in entry.body
    assert store.findings() == []


def test_a_drawer_is_counted_twice_and_the_second_count_counts(store):
    counted(store, 9_990)
    counted(store, 9_995)
    with pytest.raises(Refused) as refusal:
        counted(store, 10_000)
    assert refusal.value.code == "counted-twice"
    assert settled(store) == -5


def test_a_drawer_that_is_even_settles_at_nothing(store):
    counted(store, 10_000)
    assert (settled(store), settled(store)) == (0, 0)


def test_a_shift_is_locked_as_it_stands_whatever_was_read_of_it_before(store):
    with store.write() as session:
        read = current_in(session)
        another_till_s = sa.update(Shift).values(expected_minor=5).execution_options(synchronize_session=False)
        session.execute(another_till_s)
        shift.locked(session, STORE, "T1")
        assert read.expected_minor == 5


def test_a_count_begins_on_the_drawer_as_it_stands_whatever_was_read_of_it_before(store):
    with store.write() as session:
        read = current_in(session)
        begun = sa.update(Shift).values(state="counting").execution_options(synchronize_session=False)
        session.execute(begun)
        shift.begin_count(Context(session, store.ana, NOON), read)
        entries = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.subject == f"shift:{read.id}"))
        assert "shift.counting" not in list(entries)


def test_the_same_count_sent_twice_is_one_count(store):
    counted(store, 9_990, id="count-of-the-page")
    assert counted(store, 9_990, id="count-of-the-page").total_minor == 9_990
    assert current(store).counted_times == 1


def test_putting_the_count_off_begins_it_anew_but_a_settled_one_stands(store):
    counted(store, 9_990)
    with store.write() as session:
        shift.go_back(Context(session, store.ana, NOON), current_in(session))
    store.sell([("milk", 1)])
    counted(store, 10_000)
    counted(store, 10_129)
    settled(store)
    for again in (
        lambda session: shift.go_back(Context(session, store.ana, NOON), current_in(session)),
        lambda session: shift.count(Context(session, store.ana, NOON), current_in(session), 1),
        lambda session: shift.close(Context(session, store.ana, NOON), current_in(session), 1),
    ):
        with pytest.raises((Refused, Conflict)) as refusal, store.write() as session:
            again(session)
        assert refusal.value.code == "count-settled"
    assert closed(store).over_short_minor == 0


def test_nothing_is_settled_that_nobody_counted(store):
    with pytest.raises(Refused) as refusal:
        settled(store)
    assert refusal.value.code == "not-counted"


@pytest.mark.parametrize("off", [-501, 501])
def test_beyond_the_tolerance_a_cashier_needs_a_reason_and_leave(store, off):
    with pytest.raises(Invalid) as refusal:
        closed(store, 10_000 + off)
    assert refusal.value.code == "no-reason"
    with pytest.raises(Refused) as refusal:
        closed(store, 10_000 + off, why="no idea")
    assert refusal.value.code == "needs-approval"
    assert current(store).state == "open", "and nothing was written"
    assert closed(store, 10_000 + off, why="no idea", who=store.wei).z_report["why"] == "no idea"


@pytest.mark.parametrize("off", [-500, -1, 0, 1, 500])
def test_within_the_tolerance_nobody_is_asked(store, off):
    assert closed(store, 10_000 + off).over_short_minor == off


def test_leave_for_one_shift_does_not_serve_another(store):
    with store.write() as session:
        add_staff(session, STORE, "sue", "Sue", "supervisor", "4711")
        sue = session.get_one(Staff, (STORE, "sue"))
        given = {"permission": shift.OVER_SHORT, "why": "torn", "asked_by": store.ana, "at": NOON}
        given["covers"] = [{"short_minor": 10_000}]
        other = approvals.grant(session, sue, sale_id="another-shift", **given)
        mine = approvals.grant(session, sue, sale_id=current_in(session).id, **given)
        others, granted = [other.id], [mine.id]
    with pytest.raises(Refused):
        closed(store, 0, why="gone", approvals=others)
    assert closed(store, 0, why="gone", approvals=granted).over_short_minor == -10_000


def test_the_shop_settles_its_tolerance(store):
    with store.write() as session:
        shift.set_tolerance(Context(session, store.wei, NOON), STORE, 20)
    with pytest.raises(Invalid):
        closed(store, 10_021)
    assert closed(store, 10_020).over_short_minor == 20


def test_where_nothing_may_be_off_an_even_drawer_still_asks_nobody(store):
    with store.write() as session:
        shift.set_tolerance(Context(session, store.wei, NOON), STORE, 0)
    with pytest.raises(Invalid):
        closed(store, 10_001)
    assert closed(store, 10_000).over_short_minor == 0


# --- X, Z and the totals ---


def test_x_reads_the_running_totals_and_they_are_the_sums_of_the_books(store):
    sold = store.sell([("milk", 3), ("wine", 1)], cash_minor=2000)
    store.sell([("bread", 2)], tenders=[("card", 698)])
    store.take_back(sold.sale.id, [(1, 2)])
    with store.write() as session:
        hand_cash.drop(Context(session, store.ana, NOON), current_in(session), 1000)
    report = store.read(lambda s: shift_report.x_report(s, current_in(s)))
    again = store.read(lambda s: totals.figures(recount(s, current_in(s))))
    assert {name: report[name] for name in again} == again
    assert report["cash"] == {"float": 10_000, "sale": 2000, "change": -914, "refund": -258, "drop": -1000}
    assert store.findings() == []


def test_a_running_total_that_drifts_from_the_books_is_found(store):
    store.sell([("milk", 1)])
    with store.write() as session:
        found = current_in(session)
        found.totals = found.totals | {"kinds": {"sale": [1, 1]}}
    (finding,) = store.findings()
    assert (finding.code, finding.subject) == ("K6", f"shift:{current(store).id}")
    assert "kinds" in finding.expected


def test_closing_does_not_read_the_sales(store):
    for _ in range(3):
        store.sell([("milk", 1)])
    asked: list[str] = []
    with store.write() as session:
        found = current_in(session)
        sa.event.listen(store.database.engine, "before_cursor_execute", lambda *row: asked.append(row[2]))
        shift.close(Context(session, store.wei, NOON), found, found.expected_minor)
    assert asked
    assert not [query for query in asked if "sale_line" in query or "FROM sale" in query or "JOIN sale" in query]


def test_z_carries_the_journals_end_its_own_hash_and_the_one_before(store):
    store.sell([("milk", 1)])
    first = store.close_till().z_report
    store.open_till()
    store.sell([("bread", 1)])
    second = store.close_till().z_report
    assert first["hash"] == shift_report.z_hash(first)
    assert (second["z_before"], first["z_before"]) == (first["hash"], None)
    assert (first["perpetual_minor"], second["perpetual_minor"]) == (129, 478)
    assert shift_report.z_hash(second | {"total_minor": 1}) != second["hash"]
    entry = store.read(lambda s: s.get_one(JournalEntry, (STORE, second["journal"]["n"])))
    assert (entry.hash, entry.verb) == (second["journal"]["hash"], "shift.settled")


def test_every_x_that_was_printed_is_counted_and_goes_to_paper(store):
    printed = []
    for _ in range(2):
        with store.write() as session:
            printed.append(shift.print_x(Context(session, store.ana, NOON), current_in(session)))
    assert store.read(lambda s: s.scalars(sa.select(PrintJob.document).where(PrintJob.kind == "x")).all()) == printed
    assert store.close_till().z_report["events"] == {"x_report": [2, 0]}


# --- handing over ---


def test_a_drawer_signed_over_goes_on_under_both_names(store):
    store.sell([("milk", 1)])
    with store.write() as session:
        shift.sign_over(Context(session, store.ana, NOON), current_in(session), store.wei)
    for giver in (store.ana, store.wei):
        with pytest.raises(Refused) as refusal, store.write() as session:
            shift.sign_over(Context(session, giver, NOON), current_in(session), store.wei)
        assert refusal.value.code == "same-person"
    found = current(store)
    assert (found.opened_by, found.held_by, found.holder) == ("ana", "wei", "Wei")
    entry = store.read(
        lambda s: s.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "shift.signed_over")).one()
    )
    assert '"from_name":"Ana"' in entry.body
    assert '"to_name":"Wei"' in entry.body
    report = store.close_till().z_report
    assert (report["opened_by"], report["held_by"]) == ("Ana", "Wei")


@pytest.mark.parametrize("verb", ["begin_count", "count", "settle", "close", "sign_over"])
def test_a_drawer_is_handled_by_its_holder_alone_or_by_leave(store, verb):
    bo = Actor("bo", "Bo", "cashier", STORE)
    if verb == "settle":
        counted(store, 10_000)

    def handle(actor=bo):
        with store.write() as session:
            found, ctx = current_in(session), Context(session, actor, NOON)
            more = {"count": (10_000,), "close": (10_000,), "sign_over": (actor,)}.get(verb, ())
            return getattr(shift, verb)(ctx, found, *more)

    with pytest.raises(Refused) as refusal:
        handle()
    assert (refusal.value.code, refusal.value.facts["by"]) == ("not-your-drawer", "Ana")
    with store.write() as session:
        boss = add_staff(session, STORE, "boss", "Boss", "supervisor", "4444")
        shift_id = current_in(session).id
        approvals.grant(
            session, boss, permission=shift.OTHERS, sale_id=shift_id, why="", covers=[{}], asked_by=bo, at=NOON
        )
    handle()


def test_closing_a_shift_asks_as_often_with_sixty_sales_as_with_three(tmp_path):
    asked = []
    for many in (3, 60):
        store = open_store(tmp_path / str(many))
        for _ in range(many):
            store.sell([("milk", 1)])
        engine, said = store.database.engine, []
        note = lambda *row, into=said: into.append(row[2])  # noqa: E731
        sa.event.listen(engine, "before_cursor_execute", note)
        assert store.close_till().z_report["sales_count"] == many
        sa.event.remove(engine, "before_cursor_execute", note)
        asked.append(said)
    assert len(asked[0]) == len(asked[1]) > 0


@pytest.mark.parametrize("giver", ["ana", "wei"])
def test_a_drawer_signed_over_shows_its_cash_only_where_both_may_see_it(store, giver):
    receiver = {"ana": store.wei, "wei": store.ana}[giver]  # Ana counts blind, Wei does not
    if giver == "wei":
        with store.write() as session:
            shift.sign_over(Context(session, store.ana, NOON), current_in(session), store.wei)
    with store.write() as session:
        shift.sign_over(Context(session, getattr(store, giver), NOON), current_in(session), receiver)
        printed = session.scalars(sa.select(PrintJob.document).where(PrintJob.kind == "x")).all()
        assert printed[-1] == shift_report.blinded(printed[-1])
    with store.write() as session:
        whole = shift.print_x(Context(session, store.wei, NOON), current_in(session))
    assert whole != shift_report.blinded(whole)


def test_who_sells_on_anothers_drawer_is_named_on_x_and_z_and_who_held_it_is_not(store):
    store.sell([("milk", 1)])
    cleo, dee = (Actor(name.lower(), name, "cashier", STORE) for name in ("Cleo", "Dee"))
    for actor, qty in ((cleo, 2), (dee, 3)):
        request = store.request([("milk", qty)])
        with store.write() as session:
            sale.complete(Context(session, actor, NOON), request)
    with store.write() as session:
        shift.sign_over(Context(session, store.ana, NOON), current_in(session), cleo)
        shift.sign_over(Context(session, cleo, NOON), current_in(session), store.wei)
    assert store.read(lambda s: shift_report.x_report(s, current_in(s)))["also_sold"] == [["Dee", 1, 387]]
    report = store.close_till().z_report
    assert report["also_sold"] == [["Dee", 1, 387]]
    assert "Other sales" in paper(report)


def paper(document):
    return "\n".join(line.text for line in till_report.till_report(document, columns=42))


def test_no_figure_that_cash_can_be_worked_out_from_is_seen_before_the_count(store):
    store.sell([("milk", 3)])
    store.sell([("bread", 1)], tenders=[("card", 349)])
    with store.write() as session:
        hand_cash.drop(Context(session, store.ana, NOON), current_in(session), 1000)
        shown = shift.print_x(Context(session, store.ana, NOON), current_in(session))
        whole = shift.print_x(Context(session, store.wei, NOON), current_in(session))
    assert (shown["sales_count"], shown["tenders"], shown["cash"], shown["taxes"]) == (2, {"card": 349}, {}, [])
    assert {name: minor for name, minor in shown.items() if name.endswith("_minor") and minor is not None} == {}
    assert shown["cashiers"] == [["Ana", 2, None]]
    assert "Cash is shown after the count." in paper(shown)
    for figure in ("3.87", "7.36", "10.00", "93.87"):
        assert figure not in paper(shown)
    assert (whole["total_minor"], whole["cash"]["sale"]) == (736, 387)
    seen = [store.read(lambda s, who=who: shift.x_seen_by(s, current_in(s), who)) for who in (store.ana, store.wei)]
    assert [one["cash"] for one in seen] == [{}, whole["cash"]]
    assert "Cash is shown" not in paper(whole)


def test_z_says_who_agreed_to_a_drawer_that_is_off_and_how_many_baskets_wait(store):
    with store.write() as session:
        for name in ("basket-1", "basket-2"):
            basket.park(Context(session, store.ana, NOON), Parking(name, STORE, "T1", 1, {}))
    store.sell([("milk", 1)], id="basket-2")
    report = store.close_till(1_000).z_report
    assert (report["agreed_by"], report["parked_count"]) == ("Wei", 1)
    assert report["events"]["parked"] == [2, 0]
    assert "Approved by" in paper(report)
    assert "Still on hold" in paper(report)
    store.open_till()
    assert store.close_till().z_report["agreed_by"] == ""


def test_a_drawer_is_closed_and_opened_for_the_next_person_in_one_transaction(store):
    counted(store, 10_000)
    with store.write() as session:
        found = current_in(session)
        fresh = shift.relieve(Context(session, store.ana, NOON), found, store.wei, {"note-2000": 1})
    assert (found.state, found.z_no) == ("closed", 1)
    assert (fresh.state, fresh.opened_by, fresh.expected_minor) == ("open", "wei", 2000)
    assert store.findings() == []


# --- late sales ---


def test_a_sale_that_comes_too_late_for_its_z_stands_on_the_next_one(store):
    done = store.sell([("milk", 1)])
    first = store.close_till()
    late = SaleCompleted.from_body(done.document | {"id": "late-sale-1", "receipt_no": 2})
    late = replace(late, payments=(replace(late.payments[0], id="late-pay"),), cash=(("late-cash", "sale", 129),))
    with store.write() as session:
        write_rows(session, late)
        session.execute(sa.update(ReceiptCounter).values(last_no=2))
        assert shift.keep_late(session, late, at=NOON) is not None
        assert shift.keep_late(session, SaleCompleted.from_body(done.document), at=NOON) is None
    store.open_till()
    store.sell([("bread", 1)])
    second = store.close_till().z_report
    assert (second["late_count"], second["late_minor"], second["late"]) == (1, 129, [[2, 129]])
    assert (second["sales_count"], second["total_minor"]) == (1, 349)
    kept = store.read(lambda s: s.get_one(Shift, (STORE, first.id)))
    assert kept.z_report == first.z_report
    assert [row.code for row in store.findings() if row.code == "K6"] == []
    store.open_till()
    assert store.close_till().z_report["late_count"] == 0


def x_of(store):
    now_open = current(store)
    return store.read(lambda session: shift_report.x_report(session, now_open))


def test_x_and_z_say_what_each_aisle_took_and_the_aisles_sum_to_the_takings(store):
    with store.write() as session:
        for sku, department in (("milk", "Dairy"), ("bread", "Bakery")):
            session.get_one(Product, sku).department = department
    sold = store.sell([("milk", 2), ("bread", 1), ("tea", 1)])
    store.sell([("milk", 1)])
    store.take_back(sold.sale.id, [(2, 1)])
    with store.write() as session:  # what was sold stays where it was sold
        session.get_one(Product, "milk").department = "Cold room"
    report = x_of(store)
    assert report["top_categories"] == [["Groceries", 450], ["Dairy", 387], ["Bakery", 0]]
    assert sum(minor for _, minor in report["top_categories"]) == report["total_minor"] - report["rounding_minor"]
    assert "Dairy" in paper(report)
    assert shift_report.blinded(report)["top_categories"] == []
    assert store.findings() == []
    closed = store.close_till()
    assert closed.z_report["top_categories"] == report["top_categories"]


def test_takings_by_aisle_that_are_not_the_books_are_found(store):
    store.sell([("milk", 2)])
    with store.write() as session:
        row = session.scalars(sa.select(shift_book.Shift)).one()
        row.totals = row.totals | {"top_categories": {"Groceries": 1}}
    assert [finding.code for finding in store.findings()] == ["K6"]


def test_a_shift_opened_before_aisles_were_summed_has_none_and_is_no_fault(store):
    with store.write() as session:
        row = session.scalars(sa.select(shift_book.Shift)).one()
        row.totals = {key: value for key, value in row.totals.items() if key != "top_categories"}
    store.sell([("milk", 2)])
    report = x_of(store)
    assert report["top_categories"] == []
    assert store.findings() == []
