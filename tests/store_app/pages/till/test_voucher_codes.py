"""A voucher's code is money: whole once, when it is made; afterwards by its end alone, or by leave."""

import pytest
import sqlalchemy as sa

from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue
from pos.payments import vouchers
from pos.payments.vouchers import Voucher
from pos.printing import queue
from pos.printing.queue import PrintJob
from tests.readable import as_text
from tests.store_app.api.test_counter import BACK, SALE, body, leave, store
from tests.store_app.conftest import NOON, STORE, post

__all__ = ["store"]


@pytest.fixture(autouse=True)
def gifts(store, house):
    """Let the store sell gift vouchers."""
    by = {"actor": Actor.system("t", STORE), "at": NOON}
    with house.doors.write() as session:
        wishes = {"category": "x", "tax_class_id": "food", "kind": "voucher", "price_typed": True}
        catalogue.add_product(Context(session, **by), "GIFT", "Gift", **wishes)
        catalogue.list_product(Context(session, **by), STORE, "GIFT")


@pytest.fixture
def code(store, house):
    """Give the code of a gift voucher that was sold just now."""
    done = sold(store)
    assert done.status_code == 201
    code = done.json["document"]["vouchers"][0]["code"]
    with house.doors.read() as session:
        assert vouchers.find(session, STORE, code).mark == session.scalars(sa.select(Voucher.mark)).one()
    return code


def sold(store, **wishes):
    gift = {"sku": "GIFT", "qty": 1, "price_minor": 5000}
    return store.post("/api/sales", json=body(lines=[gift], tenders=[{"tender": "cash", "amount_minor": 5000}],
                                             shown_total_minor=5000, **wishes))  # fmt: skip


def papers(house):
    with house.doors.read() as session:
        jobs = session.scalars(sa.select(PrintJob).where(PrintJob.source_id == SALE).order_by(PrintJob.copy_no))
        shown = ((job, vouchers.revealed(session, job.document)) for job in jobs)
        return [as_text(queue.lay_out(job.kind, seen, columns=42, copy_no=job.copy_no), 42) for job, seen in shown]


def test_the_code_is_whole_in_the_answer_to_the_sale_and_on_its_first_print_alone(store, house, code):
    assert sold(store).json["document"]["vouchers"][0]["code"] == code, "the completing request, sent again"
    asked = store.get(f"/api/sales/{SALE}")
    assert code not in asked.text
    assert asked.json["document"]["vouchers"][0]["code"] == f"... {code[-4:]}"
    store.post(f"/api/receipts/{SALE}/reprint", json={})
    post(store, f"/money/receipts/{SALE}/reprint")
    first, *copies = papers(house)
    assert code in first
    for copy in copies:
        assert code not in copy
        assert code[-4:] in copy


def test_a_copy_with_the_whole_code_wants_leave(store, house, code):
    address = f"/api/receipts/{SALE}/reprint"
    assert store.post(address, json={"whole": True}).json["error"]["code"] == "needs-approval"
    granted = leave(store, "voucher.code").json["id"]
    assert store.post(address, json={"whole": True, "approvals": [granted]}).status_code == 200
    store.post(address, json={})
    assert [code in paper for paper in papers(house)] == [True, True, False], "the copy after it is masked again"


def test_the_code_that_paid_is_masked_too(store, code):
    paid = [{"tender": "voucher", "amount_minor": 258, "reference": code}]
    assert store.post("/api/sales", json=body(id=BACK, tenders=paid)).status_code == 201
    assert code not in store.get(f"/api/sales/{BACK}").text


def test_a_code_practised_is_not_shown_for_a_real_sale_may_get_it(store):
    practised = sold(store, practice=True).json["document"]["vouchers"][0]
    real = sold(store).json["document"]["vouchers"][0]
    assert practised["masked"]
    assert practised["code"] == f"... {real['code'][-4:]}"


def test_who_may_not_see_the_code_sees_no_picture_of_it(store, house, code):
    with house.doors.write() as session:
        job = session.scalars(sa.select(PrintJob).where(PrintJob.source_id == SALE)).one()
        job.paper, job.printed_at = code.encode() + b"\n", NOON
    boss = house.signed_in("supervisor")
    for kind in ("png", "pdf"):
        address = f"/till/paper/{job.id}.{kind}"
        seen, whole = store.get(address), boss.get(address)
        assert (seen.status_code, whole.status_code) == (200, 200)
        assert seen.data != whole.data
        assert "no-store" in seen.headers["Cache-Control"], "the next person at this browser may not see it either"
    assert "Print with the full code" in boss.get(f"/money/receipts/{SALE}").text
    assert "Print with the full code" not in store.get(f"/money/receipts/{SALE}").text
