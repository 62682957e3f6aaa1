"""Money between a store and the network through the pages: on credit in the order, statements, payouts, objections."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.ids import NETWORK
from config.nodes.journal import Context
from supply.membership import benchmarks, credit_review, level, objections, suggestions
from supply.money import credit, ledger, lost_entries, payouts
from supply.money import terms as money_terms
from supply.money.pain001 import SPACE
from supply.money.terms import Terms
from tests.arriving import hear
from tests.store_app import money
from tests.store_app.conftest import STORE
from tests.store_app.office import fill, proposal, send, words

SCRIPT = Path(__file__).parents[3] / "supply" / "independent" / "credit_limit.py"
P1 = "order-P1"


@pytest.fixture
def pair(network, house):
    """Give a network that lends and the store that knows its line, with an order to decide."""
    money.lend(network, first_bp=10_000)
    fill(house)
    with house.doors.write() as session:
        proposal(session)
    money.carry(network, house, NETWORK)
    return network, house


def test_an_order_is_approved_on_credit_where_it_is_approved_and_nowhere_else(pair):
    network, house = pair
    client = house.signed_in()
    page = words(client.get(f"/orders/{P1}"))
    assert "On credit, $630.00 left" in page
    assert "interest-free, due about" in page
    assert send(client, f"/orders/{P1}/approve", pay="credit").status_code == 303
    assert "On credit: due as the products sell, about" in words(client.get(f"/orders/{P1}"))
    money.carry(house, network, STORE)
    with network.doors.read() as session:
        assert credit.draw_of(session, STORE, P1).state == "granted"


def test_what_the_line_does_not_hold_is_said_and_nothing_is_sent(pair):
    network, house = pair
    with network.doors.write() as session:
        money_terms.set_terms(Context(session, money.OPERATOR, money.NOON), Terms(cap_minor=100))
        money.work_out(session)
    money.carry(network, house, NETWORK)
    client = house.signed_in()
    assert "too little for this order" in words(client.get(f"/orders/{P1}"))
    answer = send(client, f"/orders/{P1}/approve", pay="credit")
    assert answer.status_code == 409
    assert "The order exceeds your available credit. Order" in words(answer)
    assert send(client, f"/orders/{P1}/approve", pay="account").status_code == 303


def test_the_shop_sees_why_takes_its_figures_along_and_objects(pair, tmp_path):
    network, house = pair
    client = house.signed_in()
    page = words(client.get("/finance/"))
    assert "Sales in a typical week are $630.00" in page
    file = tmp_path / "credit.json"
    file.write_bytes(client.get("/finance/everything.json").data)
    reported = subprocess.run([sys.executable, str(SCRIPT), str(file)], capture_output=True, text=True, check=True)
    assert int(reported.stdout) == json.loads(file.read_text())["line"]["limit_minor"] == 63_000
    assert send(client, "/finance/objections", about="limit", words="We were closed a week").status_code == 303
    money.carry(house, network, STORE)
    operator = network.signed_in("operator")
    assert "Store S01 · Disputes the credit limit · We were closed a week" in words(operator.get("/console/money/"))
    assert "Disputes awaiting a response: Store S01" in words(operator.get("/console/"))
    with network.doors.read() as session:
        (one,) = objections.waiting(session)
    address = f"/console/money/objections/{STORE}/{one.id}"
    assert send(operator, address, upheld="yes").status_code == 422
    assert send(operator, address, upheld="yes", words="True, it is lifted").status_code == 303
    money.carry(network, house, NETWORK)
    assert "True, it is lifted" in words(client.get("/finance/"))


def test_a_payment_is_booked_once_and_the_statement_says_what_is_owed_after_each_line(pair):
    network, house = pair
    money.owe(network)
    operator = network.signed_in("operator")
    fields = {"store": STORE, "way": "paid", "amount": "20.00", "words": "RF18"}
    for _ in range(2):
        answer = send(operator, "/console/money/payments", command_id="01J00000000000000000000001", **fields)
        assert answer.status_code == 303
    money.carry(network, house, NETWORK)
    client = house.signed_in()
    page = words(client.get("/finance/statement"))
    assert page.index("Products delivered") < page.index("Online orders collected") < page.index("Payment received")
    with house.doors.read() as session:
        owed = ledger.owed(ledger.balances(session, STORE))
    assert owed == 12_000 + 4_500 - 30_000 + 900 - 2_000
    rows = client.get("/finance/statement.csv").text.strip().splitlines()
    assert rows[0].lstrip("\ufeff").startswith("n,day,kind,from,to,amount")
    assert [row.split(",")[0] for row in rows[1:]] == [str(n + 1) for n in range(len(rows) - 1)]
    assert "Rye bread" in words(client.get("/finance/invoices/invoice-0"))
    assert client.get("/finance/invoices/nothing").status_code == 404


def test_a_payment_of_another_shop_is_taken_back_and_the_shop_reads_why(pair):
    network, house = pair
    money.owe(network)
    operator, once = network.signed_in("operator"), "01J00000000000000000000001"
    fields = {"store": STORE, "way": "paid", "amount": "20.00", "words": "RF18"}
    assert send(operator, "/console/money/payments", command_id=once, **fields).status_code == 303
    store, back = f"/console/money/stores/{STORE}", f"/console/money/stores/{STORE}/payments/{once}/back"
    assert "RF18" in words(operator.get(store))
    assert "Enter a reason" in words(send(operator, back, payer="S02"))
    assert send(operator, back, why="Sent by store 2", payer="S02").status_code == 303
    assert "already reversed" in words(send(operator, back, why="Sent by store 2", payer="S02"))
    assert "RF18" in words(operator.get("/console/money/stores/S02"))
    money.carry(network, house, NETWORK)
    page = words(house.signed_in().get("/finance/statement"))
    assert "Payment reversed Sent by store 2" in page
    with house.doors.read() as session:
        assert ledger.owed(ledger.balances(session, STORE)) == 12_000 + 4_500 - 30_000 + 900


def test_a_run_pays_out_by_a_file_whose_sums_are_those_of_its_transfers(pair):
    network, house = pair
    money.owe(network)
    client, operator = house.signed_in(), network.signed_in("operator")
    refused = send(client, "/finance/bank", payee="Wei", account="DE89 3704 0044 0532 0130 01")
    assert refused.status_code == 422
    assert "has a typo" in words(refused)
    assert send(client, "/finance/bank", payee="Wei & Söhne", account="DE89370400440532013000").status_code == 303
    money.carry(house, network, STORE)
    assert send(operator, "/console/money/payouts").status_code == 409, "nobody has said who pays"
    send(operator, "/console/money/payer", payee="The network", account="GB82WEST12345698765432", bic="NWBKGB2L")
    assert send(operator, "/console/money/payouts").status_code == 303
    with network.doors.read() as session:
        (one,) = payouts.latest(session)
    assert one.amount_minor == 30_000 - 900 - 12_000, "what is due is paid first"
    tree = ET.fromstring(operator.get(f"/console/money/payouts/{one.run_id}.xml").data)

    def texts(name: str) -> list[str | None]:
        return [found.text for found in tree.iter(f"{{{SPACE}}}{name}")]

    assert texts("NbOfTxs") == ["1", "1"]
    assert texts("CtrlSum") == texts("InstdAmt") * 2 == ["171.00"] * 2
    assert texts("IBAN") == ["GB82WEST12345698765432", "DE89370400440532013000"]
    assert texts("Nm")[-1] == "Wei & Söhne"
    assert "171.00,USD" in operator.get(f"/console/money/payouts/{one.run_id}.csv").text
    assert send(operator, f"/console/money/payouts/{one.run_id}/paid").status_code == 303
    address = f"/console/money/payouts/{STORE}/{one.id}/returned"
    assert send(operator, address, why="Account closed").status_code == 303
    assert send(operator, address, why="Account closed").status_code == 409


def test_the_operator_sees_who_is_late_holds_and_lets_go_and_gives_up(pair):
    network, house = pair
    with network.doors.write() as session:
        book = ledger.Booking(Context(session, money.OPERATOR, money.NOON), STORE)
        due = money.DAY - money.dt.timedelta(days=40)
        book.invoice(ledger.Wanted("old", 5_000, due, True, None, None, []))
        book.close("invoiced")
        money.work_out(session)
    operator = network.signed_in("operator")
    page = words(operator.get("/console/money/"))
    assert "held" in page
    assert "Invoices overdue: Store S01" in words(operator.get("/console/"))
    assert "31–60 days late" in operator.get("/console/money/").text
    assert "An invoice is overdue. Pay it to reopen your" in words(operator.get(f"/console/money/stores/{STORE}"))
    hold = f"/console/money/stores/{STORE}/hold"
    assert send(operator, hold, release="yes").status_code == 303
    assert send(operator, hold).status_code == 422
    assert send(operator, hold, why="Papers are missing").status_code == 303
    address = f"/console/money/stores/{STORE}/invoices/old/loss"
    assert send(operator, address, why="The store is gone").status_code == 303
    assert send(operator, address, why="The store is gone").status_code == 409
    money.carry(network, house, NETWORK)
    assert "Papers are missing" in words(house.signed_in().get("/finance/"))
    assert "written off in 12 months" in words(operator.get("/console/money/"))


def test_terms_are_typed_as_people_say_them_and_refused_out_of_bounds(pair):
    network, _ = pair
    operator = network.signed_in("operator")
    with network.doors.read() as session:
        before = money_terms.in_force(session)
    typed = {
        "weeks_bp": "1.5", "first_bp": "50", "cap_minor": "20000", "least_days": "7", "free_days": "21",
        "level_days": "7", "level_bp": "25", "grace_days": "3", "late_ppm": "0.03", "account_days": "7",
        "account_most_minor": "20000", "first_most_minor": "2000",
        "advance_bp": "80", "commission_bp": "2.5", "shelf_week_minor": "5", "payout_least_minor": "10",
        "slow_days": "28", "slow_bp": "20", "expiry_bp": "50", "care_cap_bp": "30", "claim_days": "3",
    }  # fmt: skip
    refused = send(operator, "/console/money/terms", **typed | {"commission_bp": "90"})
    assert refused.status_code == 422
    assert "Commission on online orders: enter a number from 0 to 30" in words(refused)
    assert send(operator, "/console/money/terms", **typed).status_code == 303
    with network.doors.read() as session:
        n, terms = money_terms.in_force(session)
    assert n == before[0] + 1
    assert (terms.weeks_bp, terms.commission_bp, terms.late_ppm, terms.shelf_week_minor) == (15_000, 250, 300, 500)


def test_the_shop_sees_its_standing_beside_its_thresholds_and_appeals(pair):
    network, house = pair
    client = house.signed_in()
    page = words(client.get("/standing/"))
    assert "Based on what the store did, reviewed weekly" in page
    assert "no data yet" in page
    assert client.get("/standing/evidence.json").json["collected"] == []
    assert send(client, "/standing/appeal", words="The shelf came late").status_code == 303
    money.carry(house, network, STORE)
    assert "Disputes the membership level" in words(network.signed_in("operator").get("/console/money/"))
    assert "Level: Starting out" in words(network.signed_in("operator").get(f"/console/money/stores/{STORE}"))


def test_a_suggestion_is_answered_on_the_page_and_the_next_one_follows(house):
    fill(house)
    client = house.signed_in()
    assert "Nothing to compare yet" in words(client.get("/compare/"))
    day = money.DAY.isoformat()
    body = {"scope": "north", "figures": [
        ["price", "milk", 180, day], ["rate", "soap", 900, day], ["price", "soap", 199, day], ["waste", "", 240, day],
    ]}  # fmt: skip
    with house.doors.write() as session:
        benchmarks.take_edition(session, body)
        suggestions.renew(Context(session, money.OPERATOR, money.NOON), STORE, money.DAY)
    page = words(client.get("/compare/"))
    assert "2.4%" in page
    assert page.count("Soap") == 1, "it is missing here; its price differs from nobody's"
    with house.doors.read() as session:
        (first,) = suggestions.of_store(session, STORE)
    assert first.name in page
    assert send(client, f"/compare/suggestions/{first.id}").status_code == 422
    assert send(client, f"/compare/suggestions/{first.id}", reason="decline-no-room").status_code == 303
    page = words(client.get("/compare/"))
    assert "No room for it" in page
    with house.doors.read() as session:
        second = next(one for one in suggestions.of_store(session, STORE) if one.state == "open")
    assert second.sku != first.sku
    assert send(client, f"/compare/suggestions/{second.id}", accept="yes").status_code == 303
    assert send(client, f"/compare/suggestions/{second.id}", accept="yes").status_code == 409


def test_the_shop_that_needs_somebody_stands_first_and_says_why(pair):
    network, _ = pair
    operator = network.signed_in("operator")
    page = words(operator.get("/console/stores/"))
    assert page.index("Store S01") < page.index("Store S02")
    with network.doors.write() as session:
        book = ledger.Booking(Context(session, money.OPERATOR, money.NOON), "S02")
        due = money.DAY - money.dt.timedelta(days=1)
        book.invoice(ledger.Wanted("i-2", 7_700, due, True, None, None, []))
        book.close("invoiced")
        hear(
            session,
            "standing.counts",
            {"store_id": STORE, "day": "2026-03-01", "sold_products": 50, "counted_products": 49},
            at=money.NOON,
        )
    page = words(operator.get("/console/stores/"))
    assert page.index("Store S02") < page.index("Store S01")
    assert "late $77.00" in page
    assert "98%" in page


def test_an_odd_draw_takes_no_page_away_and_a_shop_that_was_left_out_is_named(network):
    with network.doors.write() as session:  # asked before amounts were looked at, of an order that never came
        session.add(credit.CreditDraw(store_id=STORE, order_id="none", order_no=9, amount_minor=0, state="held",
                                      asked_at=money.NOON, why="beyond"))  # fmt: skip
        session.add(level.CountsReported(store_id=STORE, day=money.DAY, sold_products=9, counted_products=9))
        session.flush()
        session.execute(sa.text("update counts_reported set sold_products = 'many'"))
        assert credit_review.close_day(Context(session, money.OPERATOR, money.NOON), money.DAY) == 1
    operator = network.signed_in("operator")
    assert "Store S01 · Order 9" in words(operator.get("/console/money/"))
    assert "Orders are on hold until you release them: Store S01" in words(operator.get("/console/"))
    assert send(operator, f"/console/money/draws/{STORE}/none", go="no", why="No such order").status_code == 303
    assert "Order 9" not in words(operator.get("/console/money/"))
    assert "The accounts of Store S01 could not be updated" in words(operator.get("/console/"))
    assert "Store S01 的账款无法计算" in words(operator.get("/console/?lang=zh"))


def test_the_operator_takes_over_what_the_network_lost_when_it_was_put_back(pair):
    network, house = pair
    row = {"n": 9, "kind": "paid_in", "from_account": "funds", "to_account": "bank", "amount_minor": 5_000,
           "invoice_id": None, "source_id": "pay", "words": "Bank 17", "day": money.DAY.isoformat()}  # fmt: skip
    with network.doors.write() as session:
        lost_entries.ask_all(session, at=money.NOON)
    assert "stores have not yet sent their newer entries" in words(network.signed_in("operator").get("/console/money/"))
    assert "Payouts are on hold until these stores report" in words(network.signed_in("operator").get("/console/"))
    with network.doors.write() as session:
        reported = {
            "store_id": STORE,
            "reported_at": money.NOON.isoformat(),
            "entries": [row | {"id": "a"}, row | {"id": "b"}],
        }
        hear(session, "account.lost", reported)
    client = network.signed_in("operator")
    page = words(client.get("/console/money/"))
    assert "Store S01 · 2 entries were lost" in page
    assert "is missing 2 entries in Store S01’s account" in words(client.get("/console/"))
    assert "Payment received Bank 17" in page
    assert send(client, f"/console/money/lost/{STORE}", entry="b", leave="yes", why="Twice").status_code == 303
    assert send(client, f"/console/money/lost/{STORE}").status_code == 303
    with network.doors.read() as session:
        assert ledger.balances(session, STORE)["funds"] == -5_000
        assert STORE not in lost_entries.unsettled(session)
    money.carry(network, house, NETWORK)
    assert "entry in your account. It is recovering the entry; you" not in words(house.signed_in().get("/finance/"))
