"""The till's API beyond a plain sale: quotes that explain, practice, parking, leave by PIN, returns, the drawer."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue import catalogue
from pos.catalogue.catalogue import TaxClass
from pos.documents import receipt
from pos.documents.till_report import till_report
from pos.payments.tenders import TENDERS, Tender
from pos.printing import print_worker
from pos.printing.printers import Outlet
from pos.printing.queue import PrintJob
from pos.printing.wires import NetworkPrinter
from pos.sold import Sale
from pos.stock import stock
from pos.store import permissions
from pos.store.approvals import Approval
from pos.till import shift_report
from pos.till.shift_book import Shift
from store_app.web.staff import PRACTICE_PINS
from tests.pos.printing.test_printer import nobody_listens
from tests.readable import as_text
from tests.store_app.conftest import NOON, STORE, post, token
from tests.tampering import unlocked

SALE, BACK, WISH = (f"0190b3a2-7c1e-7b5a-9f3e-00000000000{n}" for n in (1, 2, 3))


@pytest.fixture
def store(house):
    """Give a browser of a cashier at an open till that sells milk, and cola with a deposit."""
    actor = Actor.system("test", STORE)
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        for sku, price_minor, wishes in (
            ("DEP", 25, {"kind": "deposit"}),
            ("MILK", 129, {}),
            ("COLA", 150, {"deposit_sku": "DEP"}),
        ):
            catalogue.add_product(
                Context(session, actor, NOON), sku, sku.title(), category="x", tax_class_id="food", **wishes
            )
            catalogue.set_price(Context(session, actor, NOON), sku, price_minor, dt.date(2026, 3, 1))
            catalogue.list_product(Context(session, actor, NOON), STORE, sku)
        stock.open_stock(Context(session, actor, NOON), STORE, [("MILK", 10), ("COLA", 10)], source_id="opening")
    client = house.signed_in("cashier")
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201
    return client


def body(**other):
    return {
        "id": SALE, "till_id": "1", "lines": [{"sku": "MILK", "qty": 2}],
        "tenders": [{"tender": "cash", "amount_minor": 500}], "shown_total_minor": 258,
    } | other  # fmt: skip


def leave(store, permission, sale_id=SALE, pin=PRACTICE_PINS["supervisor"], staff_id="supervisor", covers=None):
    asked = {"staff_id": staff_id, "pin": pin, "permission": permission, "sale_id": sale_id, "till_id": "1", "why": "x"}
    return store.post("/api/approvals", json=asked | {"covers": [covers or {}]})


def count(house, table):
    with house.doors.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))


def test_a_quote_names_every_line_its_kind_and_whose_leave_it_needs(store):
    lines = [{"sku": "COLA", "qty": 2}, {"sku": "MILK", "qty": 1, "price_minor": 99, "reason": "dented"}]
    quoted = store.post("/api/quote", json={"lines": lines}).json
    rows = [(line["sku"], line["asked"], line["kind"], line["total_minor"]) for line in quoted["lines"]]
    assert rows == [("COLA", 0, "goods", 300), ("DEP", None, "deposit", 50), ("MILK", 1, "goods", 99)]
    assert [(need["permission"], need["line"]) for need in quoted["needs"]] == [("price.override", 1)]
    assert quoted["total_minor"] == 449


def test_practice_answers_like_a_sale_and_books_nothing(store, house):
    answer = store.post("/api/sales", json=body(practice=True))
    assert (answer.status_code, answer.json["practice"], answer.json["receipt_no"]) == (201, True, None)
    assert answer.json["document"]["change_minor"] == 242
    assert (count(house, Sale), count(house, PrintJob)) == (0, 0)
    assert store.post("/api/sales", json=body()).json["receipt_no"] == 1


def test_practice_is_refused_to_a_role_that_may_not(store, house):
    with house.doors.write() as session:
        boss = Actor.system("test", STORE)
        may = permissions.AT_FIRST["cashier"] - {"practice"}
        permissions.settle(Context(session, boss, NOON), STORE, "cashier", may)
    back = {"id": BACK, "till_id": "1", "sale_id": SALE, "lines": [{"n": 1, "qty": 1}], "tender": "cash", "why": "x"}
    assert store.post("/api/sales", json=body()).status_code == 201
    for address, asked in (("/api/sales", body(id=WISH)), ("/api/returns", back)):
        refused = store.post(address, json=asked | {"practice": True})
        assert (refused.status_code, refused.json["error"]["code"]) == (409, "may-not-practise")
    assert practised(house) == (0, 0)


def practised(house):
    """Return how many practised sales the shift counts and the journal tells."""
    with house.doors.read() as session:
        counted = session.scalars(sa.select(Shift.totals)).one()["events"].get("practised", [0])[0]
        reported = session.scalar(sa.select(sa.func.count()).where(JournalEntry.verb == "practice.rung"))
    return counted, reported


def test_what_was_practised_is_counted_on_the_shift_and_journalled_and_nothing_else_of_it_stays(store, house):
    for _ in range(2):
        assert store.post("/api/sales", json=body(practice=True)).status_code == 201
    assert store.post("/api/sales", json=body(shown_total_minor=1, practice=True)).status_code == 409
    assert practised(house) == (2, 2)
    assert store.post("/api/sales", json=body()).json["receipt_no"] == 1
    with house.doors.read() as session:
        report = shift_report.x_report(session, session.scalars(sa.select(Shift)).one())
    assert (report["events"]["practised"], report["sales_count"]) == ([2, 0], 1)
    assert "Practice, not recorded" in "".join(line.text for line in till_report(report, columns=42))


def test_practice_works_at_a_closed_till_and_leaves_it_closed(store, house):
    with house.doors.write() as session:
        session.execute(sa.update(Shift).values(state="closed"))
    assert store.post("/api/sales", json=body(practice=True)).status_code == 201
    assert store.post("/api/sales", json=body()).json["error"]["code"] == "no-open-shift"
    assert count(house, Sale) == 0


def test_a_supervisors_pin_lets_one_sale_through(store):
    asked = body(lines=[{"sku": "MILK", "qty": 2, "price_minor": 100}], shown_total_minor=200)
    refused = store.post("/api/sales", json=asked)
    assert refused.json["error"]["code"] == "needs-approval"
    assert leave(store, "price.override", pin="9999").json["error"]["code"] == "wrong-pin"
    assert leave(store, "price.override", staff_id="cashier", pin="1111").json["error"]["code"] == "may-not-approve"
    covers = {"sku": "MILK", "qty": 2, "price_minor": 100, "list_price_minor": 129}
    assert refused.json["error"]["facts"]["needs"][0]["covers"] == covers
    granted = leave(store, "price.override", covers=covers).json
    assert granted["by"] == "supervisor"
    assert store.post("/api/sales", json=asked | {"approvals": [granted["id"]]}).status_code == 201


def test_a_sale_brings_leave_for_each_line_of_the_largest_one_many_corrections_and_many_parts(store):
    covers = {"sku": "MILK", "qty": 2, "price_minor": 100, "list_price_minor": 129}
    granted = leave(store, "price.override", covers=covers).json["id"]
    asked = body(
        lines=[{"sku": "MILK", "qty": 2, "price_minor": 100}],
        shown_total_minor=200,
        tenders=[{"tender": "cash", "amount_minor": 2}] * 100,
        approvals=[f"long-gone-{n:04}" for n in range(499)] + [granted],
        corrections=[["MILK", 1]] * 600,
    )
    assert store.post("/api/sales", json=asked).status_code == 201
    beyond = store.post("/api/sales", json=asked | {"approvals": [granted] * 501})
    assert (beyond.status_code, beyond.json["error"]["code"]) == (422, "bad-request")


def test_leave_covers_what_the_supervisor_saw_and_nothing_beside_it(store):
    milk = {"sku": "MILK", "qty": 1, "price_minor": 119}
    granted = leave(store, "price.override", covers=milk | {"list_price_minor": 129}).json["id"]
    for lines, total_minor in (
        ([milk, {"sku": "COLA", "qty": 9, "price_minor": 0}], 119 + 225),
        ([milk, milk], 238),
        ([milk | {"price_minor": 118}], 118),
        ([milk | {"qty": 2}], 238),
    ):
        asked = body(lines=lines, shown_total_minor=total_minor, approvals=[granted])
        assert store.post("/api/sales", json=asked).json["error"]["code"] == "needs-approval"
    dearer = body(lines=[milk | {"price_minor": 120}], shown_total_minor=120, approvals=[granted])
    assert store.post("/api/sales", json=dearer).status_code == 201


def test_leave_serves_the_person_who_asked_and_is_used_once(store, house):
    wish = {"id": WISH, "till_id": "1", "why": "change"}
    wish["approvals"] = [leave(store, "no_sale", WISH).json["id"]]
    with house.doors.write() as session, unlocked(session):
        session.execute(sa.update(Approval).values(asked_by="somebody-else"))
    assert store.post("/api/drawer", json=wish).json["error"]["code"] == "needs-approval"
    with house.doors.write() as session, unlocked(session):
        session.execute(sa.update(Approval).values(asked_by="cashier", used_at=NOON))
    assert store.post("/api/drawer", json=wish).json["error"]["code"] == "needs-approval"


def test_a_void_sent_again_after_a_lost_answer_is_the_same_void(store):
    given = {"till_id": "1", "why": "changed their mind", "total_minor": 258}
    granted = leave(store, "void", covers={"total_minor": 257}).json["id"]
    refused = store.post(f"/api/baskets/{SALE}/void", json=given | {"approvals": [granted]})
    assert refused.json["error"]["code"] == "needs-approval"
    granted = leave(store, "void", covers={"total_minor": 258}).json["id"]
    for _ in range(2):
        done = store.post(f"/api/baskets/{SALE}/void", json=given | {"approvals": [granted]})
        assert (done.status_code, done.json["state"]) == (200, "voided")


def test_who_may_allow_a_thing_is_listed_without_the_cashier(store):
    people = store.get("/api/approvers?permission=price.override").json["people"]
    assert [person["id"] for person in people] == ["shopkeeper", "supervisor"]


def test_a_parked_basket_comes_back_as_the_page_wrote_it(store):
    parked = {"till_id": "1", "label": "red hat", "total_minor": 258, "basket": {"lines": [{"sku": "MILK", "qty": 2}]}}
    assert store.post(f"/api/baskets/{SALE}/park", json=parked).status_code == 200
    assert [row["label"] for row in store.get("/api/baskets").json["baskets"]] == ["red hat"]
    taken = store.post(f"/api/baskets/{SALE}/resume", json={"till_id": "1"})
    assert taken.json["basket"] == parked["basket"]
    assert [row["id"] for row in store.get("/api/baskets").json["taken"]] == [SALE]
    again = store.post(f"/api/baskets/{SALE}/resume", json={"till_id": "1"})  # the first answer was lost
    assert (again.status_code, again.json) == (200, taken.json)
    other = store.post(f"/api/baskets/{SALE}/resume", json={"till_id": "2"})
    assert (other.status_code, other.json["error"]["code"]) == (409, "basket-taken")
    wish = {"till_id": "2", "from_till_id": "1"}
    asked = store.post(f"/api/baskets/{SALE}/resume", json=wish)
    assert asked.json["error"]["facts"]["permissions"] == ["baskets.others"]
    wish["approvals"] = [leave(store, "baskets.others").json["id"]]
    assert store.post(f"/api/baskets/{SALE}/resume", json=wish).json["till_id"] == "2"


def test_a_basket_is_set_aside_at_a_till_there_is_and_never_over_another_one_s(store):
    parked = {"till_id": "1", "total_minor": 258, "basket": {"lines": []}}
    address = f"/api/baskets/{SALE}/park"
    given = '{"till_id": "1", "total_minor": 1, "basket": {"x": NaN}}'
    assert store.post(address, data=given, content_type="application/json").status_code == 422
    assert store.post(address, json=parked | {"till_id": "99"}).json["error"]["code"] == "no-such-till"
    assert store.post(address, json=parked).status_code == 200
    assert store.post(address, json=parked | {"till_id": "2"}).json["error"]["code"] == "basket-taken"


def test_a_basket_paid_elsewhere_is_not_taken_up(store):
    parked = {"till_id": "1", "total_minor": 258, "basket": {"lines": []}}
    store.post(f"/api/baskets/{SALE}/park", json=parked)
    store.post("/api/sales", json=body())
    again = store.post(f"/api/baskets/{SALE}/resume", json={"till_id": "1"})
    assert (again.status_code, again.json["error"]["code"]) == (409, "already-sold")


def test_a_parked_basket_keeps_no_name(store):
    customer = {"id": "mei-0001", "name": "Mei Lin", "phone": "555"}
    parked = {"till_id": "1", "total_minor": 1, "basket": {"lines": [], "customer": customer}}
    store.post(f"/api/baskets/{SALE}/park", json=parked)
    taken = store.post(f"/api/baskets/{SALE}/resume", json={"till_id": "1"}).json["basket"]
    assert taken["customer"] == {"id": "mei-0001"}


def test_a_basket_too_large_to_keep_is_refused_in_words(store):
    parked = {"till_id": "1", "total_minor": 1, "basket": {"x": "y" * 100_001}}
    assert store.post(f"/api/baskets/{SALE}/park", json=parked).json["error"]["code"] == "basket-too-large"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_no_json_knows_is_refused_wherever_it_stands(store, number):
    for basket in (f'{{"x": {number}}}', f'{{"lines": [{{"deep": [1, {number}]}}]}}'):
        raw = f'{{"till_id": "1", "total_minor": 1, "basket": {basket}}}'
        answer = store.post(f"/api/baskets/{SALE}/park", data=raw, content_type="application/json")
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad-request")
    raw = f'{{"lines": [{{"sku": "MILK", "qty": {number}}}]}}'
    assert store.post("/api/quote", data=raw, content_type="application/json").status_code == 422
    assert store.get("/api/baskets").json == {"baskets": [], "taken": []}


def test_giving_a_basket_up_needs_a_reason_and_leave(store):
    given = {"till_id": "1", "why": "changed their mind", "total_minor": 258, "lines": [{"sku": "MILK", "qty": 2}]}
    assert store.post(f"/api/baskets/{SALE}/void", json=given).json["error"]["code"] == "needs-approval"
    granted = leave(store, "void", covers={"total_minor": 258}).json["id"]
    done = store.post(f"/api/baskets/{SALE}/void", json=given | {"approvals": [granted]})
    assert done.json["state"] == "voided"


def test_a_receipt_is_found_and_comes_back_line_by_line(store):
    store.post("/api/sales", json=body())
    [found] = store.get("/api/receipts?no=1").json["sales"]
    assert [found["id"]] == [row["id"] for row in store.get("/api/receipts?text=milk").json["sales"]]
    assert store.get("/api/receipts?day=yesterday").json["error"]["code"] == "bad-day"
    assert store.get("/api/receipts?no=1x").json["error"]["code"] == "bad-receipt-no"
    lines = store.get(f"/api/sales/{SALE}/returnable").json["lines"]
    assert [(line["n"], line["left"]) for line in lines] == [(1, 2)]
    asked = {"id": BACK, "till_id": "1", "sale_id": SALE, "lines": [{"n": 1, "qty": 1}], "why": "sour"}
    assert store.post("/api/returns", json=asked).json["error"]["code"] == "needs-approval"
    of_milk = {"sale_id": SALE, "lines": [["1", 1, 0]]}
    asked["approvals"] = [leave(store, "take_back", BACK, covers=of_milk).json["id"]]
    first, second = store.post("/api/returns", json=asked), store.post("/api/returns", json=asked)
    assert (first.status_code, second.status_code, first.json["total_minor"]) == (201, 200, -129)
    assert store.get(f"/api/sales/{SALE}/returnable").json["lines"][0]["left"] == 1


@pytest.mark.parametrize(
    ("goes_back", "said", "left"),
    [
        ("meal", "$1.29 will be refunded the way it was paid.", {"cash": 58, "meal": 71}),
        ("credit", "$1.29 will be refunded as store credit", {"cash": 58, "credit": -129, "meal": 200}),
    ],
)
def test_a_tender_is_one_row_of_the_table(store, house, monkeypatch, goes_back, said, left):
    """A meal voucher, as CONTRIBUTING.md adds a tender: sold with, given back, on paper, in close and report."""
    monkeypatch.setitem(TENDERS, "meal", Tender("meal", "Meal voucher", at=("till",), goes_back=goes_back))
    keeper = house.signed_in()
    assert 'data-tender="meal"' in store.get("/till/").text
    over = store.post("/api/sales", json=body(tenders=[{"tender": "meal", "amount_minor": 300}]))
    assert over.json["error"]["code"] == "too-much-card"  # it gives no change
    parts = [{"tender": "meal", "amount_minor": 200}, {"tender": "cash", "amount_minor": 100}]
    sold = store.post("/api/sales", json=body(tenders=parts)).json["document"]
    assert re.search(r"Meal voucher +2\.00", as_text(receipt.layout(sold, columns=48), 48))
    wanted = {"sale_id": SALE, "lines": [{"n": 1, "qty": 1}], "tender": "cash"}
    planned = store.post("/api/returns/plan", json=wanted | {"id": BACK}).json["ways"]
    assert [(way["tender"], way["amount_minor"], way["how"]) for way in planned] == [(goes_back, 129, "account")]
    back = post(keeper, f"/money/receipts/{SALE}/return", command_id=BACK, tender="cash", **{"back-1": "1"})
    assert said in keeper.get(back.location).text
    shift_id = store.get("/api/shifts/current/1").json["id"]
    closed = store.post(f"/api/shifts/{shift_id}/close", json={"counted_minor": 5058}).json
    assert (closed["over_short_minor"], closed["z_report"]["tenders"]) == (0, left)
    paper = as_text(till_report(closed["z_report"], columns=48), 48)
    assert re.search(rf"Meal voucher +{left['meal'] / 100:.2f}", paper)
    shown = keeper.get("/reports/?kind=tender&period=own&from=2026-03-02&to=2026-03-02").text
    assert "Meal voucher" in shown


def test_an_exchange_is_quoted_and_sold_as_one_amount(store):
    store.post("/api/sales", json=body())
    asked = {"lines": [{"sku": "COLA", "qty": 1}], "brought_back": [{"sale_id": SALE, "n": 1, "qty": 1}]}
    quoted = store.post("/api/quote", json=asked).json
    assert (quoted["total_minor"], quoted["lines"][-1]["back"]) == (175 - 129, {"sale_id": SALE, "n": 1})
    tender = [{"tender": "cash", "amount_minor": 46}]
    assert [need["permission"] for need in quoted["needs"]] == ["take_back"]
    wanted = body(id=BACK, tenders=tender, shown_total_minor=46) | asked
    assert store.post("/api/sales", json=wanted).json["error"]["code"] == "needs-approval"
    granted = leave(store, "take_back", BACK, covers=quoted["needs"][0]["covers"]).json["id"]
    done = store.post("/api/sales", json=wanted | {"approvals": [granted]})
    assert (done.status_code, done.json["document"]["kind"]) == (201, "exchange")


def test_the_drawer_opens_once_by_leave_and_leaves_a_slip(store, house):
    wish = {"id": WISH, "till_id": "1", "why": "change"}
    assert store.post("/api/drawer", json=wish).json["error"]["code"] == "needs-approval"
    wish["approvals"] = [leave(store, "no_sale", WISH).json["id"]]
    assert [store.post("/api/drawer", json=wish).json["repeated"] for _ in range(2)] == [False, True]
    with house.doors.read() as session:
        [job] = session.scalars(sa.select(PrintJob))
    assert (job.kind, job.opens_drawer) == ("drawer", True)


def test_a_printer_that_answers_no_more_stops_neither_sales_nor_the_drawer(store, house):
    assert store.post("/api/sales", json=body()).status_code == 201
    dead = Outlet(NetworkPrinter("127.0.0.1", nobody_listens()))
    assert print_worker.print_due(house.doors.database, STORE, [dead], now=house.doors.now).failed == 1
    assert store.post("/api/sales", json=body(id=BACK)).status_code == 201
    wish = {"id": WISH, "till_id": "1", "why": "change", "approvals": [leave(store, "no_sale", WISH).json["id"]]}
    assert store.post("/api/drawer", json=wish).status_code == 200
    assert count(house, Sale) == 2
    with house.doors.read() as session:
        assert sorted(session.scalars(sa.select(PrintJob.kind))) == ["drawer", "receipt", "receipt"]


def test_a_gift_receipt_is_printed_at_the_till_that_asks_and_once_per_command(store, house):
    assert store.post("/api/sales", json=body()).status_code == 201
    asked = {"id": WISH, "till_id": "1"}
    first, again = (store.post(f"/api/receipts/{SALE}/gift", json=asked) for _ in range(2))
    assert (first.status_code, first.json) == (200, again.json)
    other = store.post(f"/api/receipts/{SALE}/gift", json=asked | {"id": BACK})
    assert (first.json["copy_no"], other.json["copy_no"]) == (0, 1)
    with house.doors.read() as session:
        jobs = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "gift")).all()
    assert {(job.till_id, job.source_id) for job in jobs} == {("1", SALE)}
    assert len(jobs) == 2


@pytest.mark.parametrize(
    ("sale_id", "wrong", "status"),
    [
        ("nothing", {}, 404),
        (SALE, {"till_id": "9"}, 404),
        (SALE, {"id": "../../../etc"}, 422),
        (SALE, {"id": "x"}, 422),
    ],
)
def test_a_gift_receipt_that_cannot_be_is_refused(store, house, sale_id, wrong, status):
    store.post("/api/sales", json=body())
    answer = store.post(f"/api/receipts/{sale_id}/gift", json={"id": WISH, "till_id": "1"} | wrong)
    assert (answer.status_code, bool(answer.json["error"]["message"])) == (status, True)
    with house.doors.read() as session:
        assert session.scalar(sa.select(PrintJob.id).where(PrintJob.kind == "gift")) is None
