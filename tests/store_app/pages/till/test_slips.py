"""The buttons that print: each slip is queued once, from the facts of its page, and laid out from them alone."""

import datetime as dt
import html
import io
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from config.nodes.journal import Context
from config.words import language
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.payments.payments import Payment
from pos.printing import queue
from pos.printing.queue import PrintJob
from pos.sold import Sale
from pos.stock import stocktake
from pos.store.store import Store, Till, store_of
from pos.till import shift
from store_app.words import words as general_words
from supply.online.pickup import pickup
from supply.orders.deliveries import DeliveryLine
from tests.pos.printing.test_logo import picture
from tests.readable import as_text
from tests.store_app.conftest import NOON, STORE, House, token
from tests.store_app.office import SYSTEM, arrive, delivery, fill, send, words


@pytest.fixture
def office(build) -> House:
    house = build(printer="paper")
    fill(house)
    with house.doors.write() as session:
        till_id = session.scalar(sa.select(Till.id).where(Till.store_id == STORE))
        if shift.current(session, STORE, till_id) is None:
            shift.open_shift(Context(session, SYSTEM, NOON), STORE, till_id, 10_000)
    return house


def jobs(house: House, kind: str) -> list[PrintJob]:
    with house.doors.read() as session:
        return list(session.scalars(sa.select(PrintJob).where(PrintJob.kind == kind).order_by(PrintJob.id)))


def text(job: PrintJob) -> str:
    return as_text(queue.lay_out(job.kind, job.document, columns=48, copy_no=job.copy_no), 48)


def sold(house: House, client, parts: Sequence[tuple[str, int]] = (("card", 0),), **wishes: str) -> str:
    """Sell two milks, the last of the parts paying what the others leave, and return the sale's id."""
    with house.doors.read() as session:
        till_id = session.scalar(sa.select(Till.id).where(Till.store_id == STORE))
    basket = {"id": "sale-for-a-gift-1", "till_id": till_id, "lines": [{"sku": "milk", "qty": 2}]}
    quote = client.post("/api/quote", json={"lines": basket["lines"]}, headers={"X-CSRF-Token": token(client)}).json
    basket |= {"shown_total_minor": quote["total_minor"]}
    *first, (last, _) = parts
    rest_minor = quote["total_minor"] - sum(minor for _, minor in first)
    basket |= {
        "tenders": [
            {"tender": name, "amount_minor": minor, "reference": "slip 1" if name == "card" else ""}
            for name, minor in (*first, (last, rest_minor))
        ]
    } | wishes
    answer = client.post("/api/sales", json=basket, headers={"X-CSRF-Token": token(client)})
    assert answer.status_code == 201, answer.text
    return str(basket["id"])


def test_the_receipt_of_what_was_put_on_the_tab_asks_not_how_the_money_goes_back(office: House):
    client = office.signed_in()
    with office.doors.write() as session:
        agreed = Particulars("Marta", "5550123456", "en", frozenset({"phone", "tab"}), 5000)
        customers.add(Context(session, SYSTEM, NOON), store_of(session, STORE), "customer-marta", agreed)
    sale_id = sold(office, client, [("tab", 0)], customer_id="customer-marta")
    here = f"/money/receipts/{sale_id}"
    assert "The refund will go to the account it was paid" in words(client.get(here))
    assert 'type="radio" name="tender"' not in client.get(here).text
    assert send(client, f"{here}/return", **{"back-1": "2", "tender": "cash"}).status_code == 303
    assert "will be deducted from the customer" in html.unescape(words(client.get(here)))
    assert "The refund will go to the account it was paid" not in words(client.get(here)), "nothing of it is left"


def test_goods_taken_back_on_the_money_page_say_where_each_part_of_their_money_goes(office: House):
    client = office.signed_in()
    with office.doors.write() as session:
        store = store_of(session, STORE)
        agreed = Particulars("Marta", "5550123456", "en", frozenset({"phone", "tab"}), 5000)
        customers.add(Context(session, SYSTEM, NOON), store, "customer-marta", agreed)
    sale_id = sold(office, client, [("tab", 100), ("cash", 0)], customer_id="customer-marta")
    assert send(client, f"/money/receipts/{sale_id}/return", **{"back-1": "2", "tender": "cash"}).status_code == 303
    with office.doors.read() as session:
        (back,) = session.scalars(sa.select(Sale).where(Sale.kind == "return"))
        paid = {
            row.tender: -row.amount_minor
            for row in session.scalars(sa.select(Payment).where(Payment.sale_id == back.id))
        }
    assert set(paid) == {"tab", "cash"}
    said = html.unescape(words(client.get(f"/money/receipts/{sale_id}")))
    assert f"${paid['tab'] / 100:.2f} will be deducted from the customer’s tab." in said
    assert f"Give the customer ${paid['cash'] / 100:.2f} in cash." in said


def test_a_gift_receipt_has_no_price_and_the_code_that_finds_the_sale(office: House):
    client = office.signed_in()
    sale_id = sold(office, client)
    assert "Gift receipt" in words(client.get(f"/money/receipts/{sale_id}"))
    assert send(client, f"/slips/gift/{sale_id}", command_id="gift-command-1").status_code == 303
    send(client, f"/slips/gift/{sale_id}", command_id="gift-command-1")
    (job,) = jobs(office, "gift")
    shown = text(job)
    assert f"[qr {sale_id}]" in shown
    assert "$" not in shown
    assert "TOTAL" not in shown
    found = client.get(f"/api/receipts?text={sale_id}").json["sales"]
    assert [row["id"] for row in found] == [sale_id]


def test_a_second_gift_receipt_is_marked_as_a_copy(office: House):
    client = office.signed_in()
    sale_id = sold(office, client)
    for _ in range(2):
        send(client, f"/slips/gift/{sale_id}")
    assert [job.copy_no for job in jobs(office, "gift")] == [0, 1]
    assert "COPY 1" in text(jobs(office, "gift")[1])


@pytest.mark.parametrize(("kind", "title"), [("drop", "TO THE SAFE"), ("pay_in", "PAID IN"), ("pay_out", "PAID OUT")])
def test_cash_that_people_move_leaves_a_slip_to_sign_once(office: House, kind, title):
    client = office.signed_in()
    address = f"/money/{kind.replace('_', '-')}"
    for _ in range(2):
        send(client, address, command_id="one-command", why="Window cleaner", **{kind: "20"})
    (job,) = jobs(office, "cash")
    assert title in text(job)
    assert "$20.00" in text(job)
    assert "Received ...." in text(job)


def test_the_pick_list_gathers_all_accepted_orders_by_place_with_boxes(office: House):
    with office.doors.write() as session:
        for order, number, lines in (("order-aa01", 71, [("milk", 2)]), ("order-aa02", 72, [("milk", 1)])):
            arrive(session, order, number, lines)
            pickup.accept(Context(session, SYSTEM, NOON), STORE, order)
    client = office.signed_in()
    assert "Print the pick list" in words(client.get("/pickup/"))
    assert send(client, "/slips/pick-list").status_code == 303
    shown = text(jobs(office, "pick_list")[0])
    assert "[ ] 3 x" in shown
    assert "Wei" not in shown
    assert f"{STORE}-0071: 2   {STORE}-0072: 1" in shown


def test_the_slip_of_an_order_opens_it_at_the_counter_and_hands_nothing_over(office: House):
    with office.doors.write() as session:
        arrive(session, "order-bb01", 81, [("milk", 2)])
        pickup.accept(Context(session, SYSTEM, NOON), STORE, "order-bb01")
    client = office.signed_in()
    send(client, "/slips/orders/order-bb01")
    (job,) = jobs(office, "pickup")
    assert "[qr order:order-bb01]" in text(job)
    answer = send(client, "/pickup/find", code="order:order-bb01")
    assert answer.location.endswith("/pickup/order-bb01")


def test_names_on_slips_are_forgotten_with_the_order(office: House):
    with office.doors.write() as session:
        arrive(session, "order-cc01", 91, [("milk", 2)])
        pickup.accept(Context(session, SYSTEM, NOON), STORE, "order-cc01")
    client = office.signed_in()
    send(client, "/slips/orders/order-cc01")
    send(client, "/slips/pick-list")
    with office.doors.write() as session:
        for job in session.scalars(sa.select(PrintJob)):
            job.paper = b"printed"
        pickup.cancel(Context(session, SYSTEM, NOON), STORE, "order-cc01", why="no")
        pickup.forget_people(session, STORE, at=NOON + dt.timedelta(days=31))
    assert jobs(office, "pickup")[0].document["customer_name"] == ""
    assert {one["customer_name"] for one in jobs(office, "pick_list")[0].document["orders"]} == {""}
    assert jobs(office, "pickup")[0].paper is None


def posted(house: House, client, **counts: str):
    with house.doors.write() as session:
        delivery(session, "D9", [("milk", 24, 12), ("bread", 10, 1)])
    send(client, "/deliveries/D9/begin")
    fields = {"then": "post", "sku-0": "bread", "qty-0": "10", "sku-1": "milk", "qty-1": "24"} | counts
    assert send(client, "/deliveries/D9/count", **fields).status_code == 303


def test_a_delivery_is_compared_and_its_differences_are_claimed(office: House):
    client = office.signed_in()
    posted(office, client, **{"qty-1": "22", "why-1": next(iter(general_words.DIFFERENCE_REASONS))})
    assert "Print claim" in words(client.get("/deliveries/D9"))
    for kind in ("delivery", "claim"):
        assert send(client, f"/slips/deliveries/D9/{kind}").status_code == 303
    compared, claimed = text(jobs(office, "delivery")[0]), text(jobs(office, "claim")[0])
    assert "-2" in compared
    assert "-2" in claimed
    assert "10" in compared
    assert "read" not in claimed


def test_a_line_of_several_lots_names_the_day_of_each_on_the_slip(office: House):
    client, until = office.signed_in(), [NOON.date() + dt.timedelta(days=days) for days in (2, 9)]
    with office.doors.write() as session:
        delivery(session, "D9", [("milk", 24, 12)])
        session.get_one(DeliveryLine, (STORE, "D9", "milk")).lots = [
            [12, "L1", until[0].isoformat()], [12, "L2", until[1].isoformat()],
        ]  # fmt: skip
    send(client, "/deliveries/D9/begin")
    why = next(iter(general_words.DIFFERENCE_REASONS))
    fields = {"then": "post", "sku-0": "milk", "qty-0": "22", "why-0": why}
    assert send(client, "/deliveries/D9/count", **fields).status_code == 303
    assert send(client, "/slips/deliveries/D9/delivery").status_code == 303
    shown = text(jobs(office, "delivery")[0])
    assert f"12  best before {language('en').day(until[0])}" in shown
    assert f"10  best before {language('en').day(until[1])}" in shown


def test_nothing_is_claimed_of_a_delivery_that_came_as_ordered(office: House):
    client = office.signed_in()
    posted(office, client)
    assert "Print claim" not in words(client.get("/deliveries/D9"))
    assert send(client, "/slips/deliveries/D9/claim").status_code in (403, 409, 422)
    assert jobs(office, "claim") == []


def test_a_count_sheet_is_blind(office: House):
    with office.doors.write() as session:
        take = stocktake.start(Context(session, SYSTEM, NOON), STORE, name="May", sections=["Cold room"])
    client = office.signed_in()
    assert "Print count sheet" in words(client.get(f"/stock/takes/{take.id}/1"))
    assert send(client, f"/slips/takes/{take.id}/1").status_code == 303
    (job,) = jobs(office, "count_sheet")
    assert "Cold room" in text(job)
    assert {frozenset(line) for line in job.document["lines"]} == {frozenset({"name", "sku", "stock_unit"})}
    assert text(job).count("[______]") == len(job.document["lines"]) + 3


def test_a_day_without_a_new_price_has_no_list(office: House):
    answer = send(office.signed_in(), "/slips/prices", day="2031-01-01")
    assert answer.status_code == 404
    assert jobs(office, "price_batch") == []


def test_a_logo_is_uploaded_shown_and_taken_away(office: House):
    client = office.signed_in()
    for png, status in ((b"nothing", 422), (picture(), 303)):
        fields = {"csrf_token": token(client), "command_id": "logo", "file": (io.BytesIO(png), "logo.png")}
        answer = client.post("/settings/paper/logo", data=fields, content_type="multipart/form-data")
        assert answer.status_code in ((status, 400) if status == 422 else (303,))
    plain = client.get("/settings/paper/48.png").data
    with office.doors.read() as session:
        assert session.get_one(Store, STORE).logo_id
    send(client, "/settings/paper/logo/away")
    without = client.get("/settings/paper/48.png").data
    assert plain.startswith(b"\x89PNG")
    assert len(without) < len(plain)
