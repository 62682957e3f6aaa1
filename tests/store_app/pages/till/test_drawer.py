"""The drawer's pages and API: counted blind in coins and notes, settled in the open, closed or handed over by name."""

import html
import json
import re

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor, Context, JournalEntry
from pos.printing.queue import PrintJob
from pos.reports import slips
from pos.till import shift
from pos.till.drawer_cash import add_cash
from pos.till.shift import CashCount
from pos.till.shift_book import Shift
from tests.readable import readable
from tests.store_app.conftest import NOON, STORE, House, post, token

HERE = "/money/drawer"


def words(answer) -> str:
    """Return what a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def send(client, address: str, **fields: object):
    return post(client, address, command_id=new_id(), **fields)


def now(house: House) -> Shift:
    with house.doors.read() as session:
        return session.scalars(sa.select(Shift).order_by(Shift.id.desc())).first()


@pytest.fixture
def opened(house: House) -> House:
    """Give a store whose till the cashier has opened with 50.00."""
    with house.doors.write() as session:
        actor = Actor("cashier", "Cashier", "cashier", STORE)
        shift.open_shift(Context(session, actor, NOON), STORE, "1", 5000)
    return house


def test_a_till_is_opened_with_a_float_counted_in_pieces(house: House):
    cashier = house.signed_in("cashier")
    page = cashier.get(f"{HERE}/open")
    assert 'name="note-2000"' in page.text
    assert 'name="coin-25"' in page.text
    assert send(cashier, f"{HERE}/open", **{"note-2000": "2", "coin-25": "4", "note-500": ""}).status_code == 303
    found = now(house)
    assert (found.state, found.expected_minor) == ("open", 4100)
    with house.doors.read() as session:
        kept = session.scalars(sa.select(CashCount)).one()
        assert (kept.kind, kept.pieces) == ("float", {"coin-25": 4, "note-2000": 2})


@pytest.mark.parametrize("many", ["-1", "1.5", "x", "10000", "9" * 40])
def test_a_number_of_pieces_that_cannot_be_is_said_on_the_page_and_nothing_is_written(opened: House, many):
    cashier = opened.signed_in("cashier")
    send(cashier, "/money/count")
    refused = send(cashier, f"{HERE}/count", **{"note-2000": many, "coin-5": "3"})
    assert refused.status_code == 422
    assert 'value="3"' in refused.text, "what was typed is still there"
    assert now(opened).counted_times == 0


def test_nothing_of_what_should_be_there_is_shown_before_the_count_stands(opened: House):
    cashier = opened.signed_in("cashier")
    with opened.doors.write() as session:
        found = shift.current(session, STORE, "1")
        add_cash(Context(session, Actor("c", "C", "cashier", STORE), NOON), found, "tab_paid", 310, "t1")
    send(cashier, "/money/count")
    before = cashier.get(f"{HERE}/count")
    send(cashier, f"{HERE}/count", **{"note-2000": "2"})
    counted = cashier.get(f"{HERE}/count")
    assert "Counted: $40.00" in words(counted)
    for page in (before, counted, cashier.get("/money/"), cashier.get(f"{HERE}/x")):
        assert not {"53.10", "5310"} & set(re.findall(r"[\d.]+", readable(page.text)))
    answer = cashier.get("/api/shifts/current/1").json
    assert "expected_minor" not in answer
    assert answer["over_short_minor"] is None


def test_the_drawer_is_counted_twice_at_most(opened: House):
    cashier = opened.signed_in("cashier")
    send(cashier, f"{HERE}/count", sum="40")
    assert "Recount" in words(cashier.get(f"{HERE}/count"))
    send(cashier, f"{HERE}/count", sum="49.00")
    assert "Recount" not in words(cashier.get(f"{HERE}/count"))
    assert send(cashier, f"{HERE}/count", sum="50").status_code == 409
    assert send(cashier, f"{HERE}/close").status_code == 303
    found = now(opened)
    assert (found.state, found.counted_minor, found.over_short_minor) == ("closed", 4900, -100)


def test_a_double_click_counts_once(opened: House):
    cashier = opened.signed_in("cashier")
    command = new_id()
    for _ in range(2):
        assert post(cashier, f"{HERE}/count", command_id=command, sum="50").status_code == 303
    assert now(opened).counted_times == 1


def test_a_cashier_whose_drawer_is_off_needs_a_reason_and_somebody_who_agrees(opened: House):
    cashier = opened.signed_in("cashier")
    send(cashier, f"{HERE}/count", sum="40")
    send(cashier, f"{HERE}/close")
    assert now(opened).state == "counting"
    page = words(cashier.get(f"{HERE}/count"))
    assert "$10.00 too little" in page
    assert "Expected in the drawer $50.00" in page
    assert send(cashier, "/money/go-on").status_code == 409, "the count stands"
    assert send(cashier, f"{HERE}/count", sum="50").status_code == 409, "no third look after the truth"
    assert send(cashier, f"{HERE}/close", why="").status_code == 422
    assert send(cashier, f"{HERE}/close", why="no idea").status_code == 409
    wrong = send(cashier, f"{HERE}/close", why="no idea", approver="shopkeeper", pin="9999")
    assert wrong.status_code == 409
    assert now(opened).state == "counting"
    done = send(cashier, f"{HERE}/close", why="a note was torn", approver="shopkeeper", pin="2222")
    assert done.status_code == 303
    found = now(opened)
    assert (found.state, found.over_short_minor, found.z_report["why"]) == ("closed", -1000, "a note was torn")
    with opened.doors.read() as session:
        verbs = session.scalars(sa.select(JournalEntry.verb).order_by(JournalEntry.n)).all()
    assert [verb for verb in verbs if verb.startswith(("shift.", "approval."))][-5:] == [
        "shift.drawer_counted", "shift.settled", "approval.granted", "approval.used", "shift.closed",
    ]  # fmt: skip


def test_who_may_settle_a_drawer_needs_only_the_reason(opened: House):
    keeper = opened.signed_in()
    send(keeper, f"{HERE}/count", sum="60")
    send(keeper, f"{HERE}/close")
    assert "$10.00 too much" in words(keeper.get(f"{HERE}/count"))
    assert "Approved by" not in words(keeper.get(f"{HERE}/count"))
    send(keeper, f"{HERE}/close", why="the neighbour's change")
    assert now(opened).state == "closed"


def test_the_shop_settles_what_may_pass(opened: House):
    keeper = opened.signed_in()
    assert send(keeper, f"{HERE}/tolerance", tolerance="15").status_code == 303
    assert send(opened.signed_in("cashier"), f"{HERE}/tolerance", tolerance="99").status_code == 403
    cashier = opened.signed_in("cashier")
    send(cashier, f"{HERE}/count", sum="40")
    send(cashier, f"{HERE}/close")
    assert now(opened).state == "closed"


def test_a_drawer_is_signed_over_to_who_proves_who_they_are(opened: House):
    cashier = opened.signed_in("cashier")
    assert "shopkeeper" in words(cashier.get(f"{HERE}/hand-over"))
    assert send(cashier, f"{HERE}/hand-over", to="shopkeeper", to_pin="0000").status_code == 409
    assert now(opened).held_by is None
    assert send(cashier, f"{HERE}/hand-over", to="shopkeeper", to_pin="2222").status_code == 303
    found = now(opened)
    assert (found.state, found.held_by, found.opened_by) == ("open", "shopkeeper", "cashier")
    with opened.doors.read() as session:
        job = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "x")).one()
    assert job.document["held_by"] == "shopkeeper"
    assert job.document["expected_minor"] is None
    assert job.document["events"] == {"hand_over": [1, 0], "x_report": [1, 0]}


def test_a_drawer_is_counted_closed_and_opened_for_the_next_in_one_go(opened: House):
    cashier = opened.signed_in("cashier")
    send(cashier, f"{HERE}/count", sum="50")
    wrong = send(cashier, f"{HERE}/close", to="shopkeeper", to_pin="1", keep="30", away="safe")
    assert wrong.status_code == 409
    assert now(opened).state == "counting"
    assert send(cashier, f"{HERE}/close", to="shopkeeper", to_pin="2222", keep="30", away="safe").status_code == 303
    with opened.doors.read() as session:
        first, second = session.scalars(sa.select(Shift).order_by(Shift.id)).all()
    assert (first.state, first.z_no, first.over_short_minor) == ("closed", 1, 0)
    assert (second.state, second.opened_by, second.expected_minor) == ("open", "shopkeeper", 3000)


def test_x_is_shown_and_every_print_of_it_is_counted(opened: House):
    keeper = opened.signed_in("supervisor")
    for _ in range(2):
        send(keeper, "/money/x")
    send(keeper, f"{HERE}/count", sum="50")
    send(keeper, f"{HERE}/close")
    assert now(opened).z_report["events"] == {"x_report": [2, 0]}


def test_a_cashier_empties_no_drawer_by_a_reason_alone(opened: House):
    cashier = opened.signed_in("cashier")
    assert send(cashier, "/money/pay-out", pay_out="20.00", why="stamps").status_code == 303
    refused = send(cashier, "/money/pay-out", pay_out="30.00", why="sweets")
    assert refused.status_code == 409
    assert "Approved by" in words(refused)
    assert 'value="30.00"' in refused.text, "what was typed is still there"
    own = send(cashier, "/money/pay-out", pay_out="30.00", why="sweets", approver="cashier", pin="1111")
    assert own.status_code == 409
    assert now(opened).expected_minor == 3000
    asked = {"pay_out": "30.00", "why": "sweets", "approver": "supervisor"}
    assert send(cashier, "/money/pay-out", **asked, pin="0000").status_code == 409
    assert send(cashier, "/money/pay-out", **asked, pin="4444").status_code == 303
    boss = opened.signed_in("supervisor")
    assert send(boss, "/money/drop", drop="0.01").status_code == 409, "no more than should be there"
    assert now(opened).expected_minor == 0


def test_a_cashier_sees_no_cash_before_the_count_and_who_may_settle_sees_it(opened: House):
    cashier, boss = opened.signed_in("cashier"), opened.signed_in("supervisor")
    with opened.doors.write() as session:
        found = shift.current(session, STORE, "1")
        found.totals = found.totals | {"tenders": {"cash": 685, "card": 350}, "kinds": {"sale": [2, 1035]}}
        found.totals["cash"] |= {"sale": 1000, "change": -315}
    here = f"/api/shifts/{now(opened).id}/x"
    for answer in (cashier.get("/money/"), cashier.get(f"{HERE}/x"), cashier.get(here), ask(cashier, here)):
        for figure in ("6.85", "685", "10.35", "1035", "50.00", "5000"):
            assert figure not in words(answer)
    assert "$3.50" in words(cashier.get("/money/")), "what the terminal took is no secret"
    for answer in (boss.get("/money/"), boss.get(f"{HERE}/x")):
        assert "$6.85" in words(answer)
    assert boss.get(here).json["cash"] == {"float": 5000, "sale": 1000, "change": -315}


@pytest.mark.parametrize(("taker", "pin"), [("supervisor", "4444"), ("cashier", "1111")])
def test_the_x_of_a_drawer_that_is_signed_over_keeps_its_cash_from_who_counts_blind(opened, taker, pin):
    giver = opened.signed_in("cashier" if taker == "supervisor" else "supervisor")
    if taker == "cashier":
        with opened.doors.write() as session:
            shift.current(session, STORE, "1").opened_by = "supervisor"
    assert send(giver, f"{HERE}/hand-over", to=taker, to_pin=pin).status_code == 303
    with opened.doors.write() as session:
        job = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "x")).one()
        assert (job.document["blind"], job.document["cash"]) == (True, {})


def test_an_x_that_a_supervisor_printed_is_drawn_without_its_cash_for_a_cashier(opened: House):
    send(opened.signed_in("supervisor"), "/money/x")
    with opened.doors.write() as session:
        job = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "x")).one()
        assert job.document["cash"] == {"float": 5000}
        cashier = Actor("cashier", "Cashier", "cashier", STORE)
        assert slips.seen_by(session, job, cashier)["cash"] == {}
        shift.count(Context(session, cashier, NOON), shift.current(session, STORE, "1"), 5000)
        shift.settle(Context(session, cashier, NOON), shift.current(session, STORE, "1"))
        assert slips.seen_by(session, job, cashier)["cash"] == {"float": 5000}


def test_another_cashiers_drawer_is_counted_with_leave_alone(opened: House):
    with opened.doors.write() as session:
        shift.current(session, STORE, "1").opened_by = "somebody"
    cashier = opened.signed_in("cashier")
    assert "has this drawer. Someone must approve before" in words(cashier.get("/money/"))
    here = f"/api/shifts/{now(opened).id}"
    for address in (f"{here}/count", f"{here}/close"):
        assert ask(cashier, address, counted_minor=5000).json["error"]["code"] == "not-your-drawer"
    assert send(cashier, "/money/count").status_code == 409
    assert send(cashier, f"{HERE}/hand-over", to="cashier", to_pin="1111").status_code == 409
    assert now(opened).state == "open"
    assert send(cashier, "/money/count", approver="supervisor", pin="0000").status_code == 409
    assert send(cashier, "/money/count", approver="supervisor", pin="4444").status_code == 303
    assert "Approved by" not in words(cashier.get(f"{HERE}/count")), "one PIN for the whole count"
    assert send(cashier, f"{HERE}/count", sum="50").status_code == 303
    assert send(cashier, f"{HERE}/close").status_code == 303
    assert now(opened).state == "closed"


def test_every_z_is_listed_with_over_and_short_drawn(opened: House):
    keeper = opened.signed_in()
    for counted in ("50", "53", "48"):
        send(keeper, f"{HERE}/count", sum=counted)
        send(keeper, f"{HERE}/close")
        with opened.doors.write() as session:
            shift.open_shift(Context(session, Actor("c", "C", "cashier", STORE), NOON), STORE, "1", 5000)
    page = keeper.get(f"{HERE}/reports")
    chart = json.loads(html.unescape(re.search("data-drawing='([^']+)'", page.text)[1]))
    values = chart["lines"][0]["values"]
    assert sorted(values) == [-2, 0, 3]
    assert "$3.00 over" in words(keeper.get(chart["hrefs"][values.index(3)]))
    for said in ("Z 1", "Z 3", "balanced", "$3.00 over", "$2.00 short"):
        assert said in words(page)
    first = closed_ids(opened)[0]
    report = words(keeper.get(f"/money/shifts/{first}"))
    assert "Z report check code" in report
    assert "Perpetual total" in report
    assert send(keeper, f"/money/shifts/{first}/reprint").status_code == 303
    with opened.doors.read() as session:
        of_first = sa.select(PrintJob.copy_no).where(PrintJob.kind == "z", PrintJob.source_id == first)
        assert sorted(session.scalars(of_first)) == [0, 1]


def closed_ids(house: House) -> list[str]:
    with house.doors.read() as session:
        return list(session.scalars(sa.select(Shift.id).where(Shift.state == "closed").order_by(Shift.z_no)))


@pytest.mark.parametrize("address", ["/open", "/count", "/hand-over", "/x", "/reports"])
def test_a_page_of_a_drawer_that_is_not_there_leads_back_instead_of_failing(house: House, address):
    assert house.signed_in("supervisor").get(HERE + address).status_code in (200, 303)


# --- the till's page ---


def ask(client, address: str, **body: object):
    return client.post(address, json=body, headers={"X-CSRF-Token": token(client)})


def test_the_till_page_counts_settles_and_closes(opened: House):
    cashier = opened.signed_in("cashier")
    here = f"/api/shifts/{now(opened).id}"
    begun = ask(cashier, f"{here}/count").json
    assert (begun["state"], begun["counted_times"]) == ("counting", 0)
    assert "expected_minor" not in begun
    assert ask(cashier, f"{here}/count", pieces={"note-2000": 1}).json["counted_times"] == 1
    assert ask(cashier, f"{here}/count", pieces={"note-3": 1}).status_code == 422
    off = ask(cashier, f"{here}/close")
    assert off.status_code == 202
    assert (off.json["over_short_minor"], off.json["expected_minor"]) == (-3000, 5000)
    assert [(need["permission"], need["covers"]) for need in off.json["needs"]] == [
        ("over_short", {"short_minor": 3000})
    ]
    assert ask(cashier, f"{here}/close", counted_minor=5000, why="x").status_code == 409, "the count stands"
    assert ask(cashier, f"{here}/close", why="stolen").json["error"]["code"] == "needs-approval"
    closed = ask(opened.signed_in(), f"{here}/close", why="stolen").json
    assert (closed["state"], closed["z_no"], closed["over_short_minor"]) == ("closed", 1, -3000)


def test_the_till_page_hands_over_and_prints_x(opened: House):
    keeper = opened.signed_in("supervisor")
    here = f"/api/shifts/{now(opened).id}"
    assert keeper.get(f"{here}/x").json["sales_count"] == 0
    assert ask(keeper, f"{here}/x").json["events"] == {"x_report": [1, 0]}
    assert ask(keeper, f"{here}/sign-over", to="shopkeeper", pin="2222").json["held_by"] == "shopkeeper"
    assert ask(keeper, f"{here}/sign-over", to="shopkeeper", pin="2222").json["error"]["code"] == "same-person"
    assert ask(keeper, f"{here}/go-on").json["state"] == "open", "a second press changes nothing"


# --- what a cashier counts blind, and does not pay out alone ---


def test_who_counts_blind_sees_no_cash_until_the_count_is_settled(opened: House):
    cashier = opened.signed_in("cashier")
    for refused in (cashier.get(f"{HERE}/x"), cashier.get(f"/api/shifts/{now(opened).id}/x")):
        assert refused.status_code == 403
    assert "sales total" not in words(cashier.get("/money/"))
    assert "sales total" in words(opened.signed_in("supervisor").get("/money/"))


def test_much_is_paid_out_of_the_drawer_only_with_leave(opened: House):
    cashier = opened.signed_in("cashier")
    assert send(cashier, "/money/pay-out", pay_out="15", why="stamps").status_code == 303
    refused = send(cashier, "/money/pay-out", pay_out="15", why="more stamps")
    assert refused.status_code == 403 or "PIN" in words(refused)
    assert now(opened).totals["cash"].get("pay_out") == -1500
    wrong = send(cashier, "/money/pay-out", pay_out="15", why="more", approver="supervisor", pin="0000")
    assert now(opened).totals["cash"].get("pay_out") == -1500, words(wrong)
    agreed = {"approver": "supervisor", "pin": "4444"}
    assert send(cashier, "/money/pay-out", pay_out="15", why="more stamps", **agreed).status_code == 303
    assert send(opened.signed_in("supervisor"), "/money/pay-out", pay_out="19", why="rent").status_code == 303
    assert now(opened).totals["cash"].get("pay_out") == -4900


def test_cash_is_put_into_the_drawer_once_however_often_the_button_is_pressed(opened: House):
    cashier, command = opened.signed_in("cashier"), new_id()
    assert "Put cash in the drawer" in words(cashier.get("/money/"))
    for _ in range(2):
        sent = post(cashier, "/money/pay-in", command_id=command, pay_in="12.50", why="change from the bank")
        assert sent.status_code == 303
    assert "Paid in: $12.50." in words(cashier.get("/money/"))
    found = now(opened)
    assert (found.expected_minor, found.totals["cash"]["pay_in"]) == (6250, 1250)
    send(cashier, f"{HERE}/count", sum="62.50")
    send(cashier, f"{HERE}/close")
    assert "Paid in $12.50" in words(cashier.get(f"/money/shifts/{found.id}"))


def test_a_pay_in_beyond_the_limit_asks_beside_its_own_field_for_somebody_who_agrees(opened: House):
    cashier = opened.signed_in("cashier")
    unsaid = send(cashier, "/money/pay-in", pay_in="100", why="")
    assert 'id="why-pay_in-fault"' in unsaid.text
    assert 'id="why-pay_out-fault"' not in unsaid.text
    refused = send(cashier, "/money/pay-in", pay_in="100", why="change from the bank")
    assert refused.status_code == 409
    assert refused.text.count('name="approver"') == 1
    assert 'value="change from the bank"' in refused.text
    agreed = {"approver": "supervisor", "pin": "4444"}
    assert send(cashier, "/money/pay-in", pay_in="100", why="change from the bank", **agreed).status_code == 303
    assert now(opened).totals["cash"]["pay_in"] == 10_000


def test_a_wish_for_more_than_the_drawer_should_hold_stands_in_the_journal_with_who_and_how_much(opened):
    cashier, boss = opened.signed_in("cashier"), opened.signed_in("supervisor")
    assert send(boss, "/money/drop", drop="50.01").status_code == 409
    assert send(cashier, "/money/pay-out", pay_out="60", why="x").status_code == 409  # wants leave: nothing was learnt
    with opened.doors.read() as session:
        found = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "shift.not_in_drawer")).all()
        assert [(one.actor_id, json.loads(one.body)) for one in found] == [
            ("supervisor", {"kind": "drop", "amount_minor": 5001})
        ]
        assert session.scalars(sa.select(Shift.expected_minor)).one() == 5000


def test_a_drop_beyond_the_limit_asks_for_somebody_who_agrees_and_one_within_it_tells_nothing_of_the_drawer(opened):
    cashier = opened.signed_in("cashier")
    refused = send(cashier, "/money/drop", drop="500.01")
    assert refused.status_code == 409
    assert refused.text.count('name="approver"') == 1
    assert 'id="why-drop"' not in refused.text
    agreed = {"approver": "supervisor", "pin": "4444"}
    assert send(cashier, "/money/drop", drop="500.01", **agreed).status_code == 409, "who agrees sees the drawer"
    assert send(cashier, "/money/drop", drop="50.01").status_code == 303
    said = words(cashier.get("/money/"))
    assert "Moved to the safe: $50.01." in said
    assert "Cash out above drawer total" not in said
    send(cashier, f"{HERE}/count", sum="0")
    send(cashier, f"{HERE}/close")
    shown = words(cashier.get(f"/money/shifts/{now(opened).id}"))
    assert "Cash out above drawer total" in shown


def test_what_stays_and_what_leaves_is_said_when_the_till_is_closed(opened: House):
    cashier = opened.signed_in("cashier")
    send(cashier, f"{HERE}/count", sum="50")
    page = cashier.get(f"{HERE}/count").text
    assert 'name="keep"' in page
    assert 'value="50.00"' in page  # as much as it began with
    assert send(cashier, f"{HERE}/close", keep="50.01", away="safe").status_code == 422
    assert send(cashier, f"{HERE}/close", keep="20", away="my pocket").status_code == 422
    assert now(opened).state == "counting"
    assert send(cashier, f"{HERE}/close", keep="20", away="bank").status_code == 303
    report = now(opened).z_report
    assert (report["kept_minor"], report["put_away_minor"], report["put_away_to"]) == (2000, 3000, "bank")
    assert "To the bank $30.00" in words(cashier.get(f"/money/shifts/{now(opened).id}"))
    with opened.doors.read() as session:
        assert (
            session.scalars(sa.select(PrintJob).where(PrintJob.kind == "cash")).one().document["amount_minor"] == 3000
        )
    assert 'name="float" inputmode="decimal" autocomplete="off" required value="20.00"' in cashier.get("/money/").text
    assert "Left at the last close: $20.00." in words(cashier.get(f"{HERE}/open"))


def test_what_was_typed_stays_while_an_uneven_drawer_is_settled(opened: House):
    keeper = opened.signed_in()
    send(keeper, f"{HERE}/count", sum="40")
    asked = send(keeper, f"{HERE}/close", keep="12.34", away="bank").location
    page = keeper.get(asked).text
    assert 'value="12.34"' in page
    assert re.search('value="bank" checked', page)


def test_a_drawer_a_few_cents_off_is_no_alarm(opened: House):
    cashier = opened.signed_in("cashier")
    send(cashier, f"{HERE}/count", sum="49.97")
    send(cashier, f"{HERE}/close", keep="49.97", away="safe")
    page = cashier.get(f"/money/shifts/{now(opened).id}")
    assert "$0.03 short, within the tolerance." in words(page)
    assert "note-bad" not in page.text
    assert "tag-bad" not in cashier.get("/money/").text
    opened.doors.clock.advance(60)
    with opened.doors.write() as session:
        actor = Actor("shopkeeper", "Shopkeeper", "shopkeeper", STORE)
        ctx = Context(session, actor, opened.doors.now())
        found = shift.open_shift(ctx, STORE, "1", 5000)
        shift.close(ctx, found, 4000, why="stolen")
    assert "note-bad" in opened.signed_in().get(f"/money/shifts/{now(opened).id}").text
