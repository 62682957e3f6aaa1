"""A thief of the disk: what a copy of the books, an export or a kept print tells of codes that are money."""

import zipfile

import pytest
import sqlalchemy as sa

from config.database import Base
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue
from pos.payments import vouchers
from pos.printing import print_worker
from pos.printing.printers import Outlet
from pos.printing.queue import PrintJob
from pos.printing.wires import AgentPrinter, FilePrinter
from store_app.files import take_out
from store_app.runtime import tables
from tests.store_app.api.test_counter import BACK, SALE, body, leave, store
from tests.store_app.conftest import NOON, STORE, House, post, token

__all__ = ["store"]
PAID = "0190b3a2-7c1e-7b5a-9f3e-000000000009"
IN_PLAIN = {
    "barcode.code": "stands on the product",
    "coupon.code": "the cashier and the shopkeeper read it out, and it opens a discount within its limits alone",
    "coupon_use.code": "a coupon that was used",
    "escrow.shown_code": "the payment service's square, shown until it is paid",
    "group_offer.leader_token": "128 bits that open figures to read; the store shows the address again",
    "offer_edition.token": "tells one edition from another",
    "online_coupon.code": "as coupon.code, at the network",
    "outgoing_message.fault_code": "what a message failed by",
    "outreach_recipient.code": "a coupon's, for one person",
    "referral_reward.code": "a coupon's, for one person",
    "payment.shown_code": "the payment service's square, shown until it is paid",
    "producer_lot.code": "stands on the produce",
    "refused_edition.code": "why an edition was refused",
    "storefront.promotions_token": "tells whether a store's offers changed",
    "reported_story.lot_code": "stands on the produce",
}
"""Column -> why its code or token may rest as it is read."""


@pytest.fixture
def paper(house: House, tmp_path):
    """Give what prints all that waits, and returns the bytes that ever left for the printer."""
    with house.doors.write() as session:
        by = {"actor": Actor.system("t", STORE), "at": NOON}
        wishes = {"category": "x", "tax_class_id": "food", "kind": "voucher", "price_typed": True}
        catalogue.add_product(Context(session, **by), "GIFT", "Gift", **wishes)
        catalogue.list_product(Context(session, **by), STORE, "GIFT")
    lp0 = tmp_path / "lp0"

    def work_off() -> bytes:
        house.clock.advance(1)
        print_worker.print_due(house.doors.database, STORE, [Outlet(FilePrinter(path=str(lp0)))], now=house.clock.now)
        return lp0.read_bytes()

    return work_off


def stolen(house: House, tmp_path) -> str:
    """Return all there is to take: every cell of every table, the files of the books, what the store takes along."""
    found = []
    with house.doors.read() as session:
        for table in Base.metadata.sorted_tables:
            found += [repr(tuple(row)) for row in session.execute(sa.select(table))]
    folders = {house.doors.settings.state_folder, house.file.parent}
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files), "the log of the books, too"
    found += [path.read_bytes().decode("latin-1") for path in files if path.name != "lp0"]
    take_out.write(house.doors, tmp_path / "ours.zip", actor=Actor.system("t", STORE))
    with zipfile.ZipFile(tmp_path / "ours.zip") as packed:
        found += [packed.read(name).decode() for name in packed.namelist()]
    return "\n".join(found)


def reported(code: str, text: str) -> bool:
    """Tell whether a text gives a code away: whole or all but its end, however it is written."""
    text = text.upper()
    return any(form[:-4].strip("-") in text for form in (code, vouchers.spoken(code), vouchers.spoken(code)[:-1]))


def test_every_column_of_codes_or_tokens_that_rests_as_it_is_read_says_why_it_may():
    tables.known()
    columns = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns}
    assert {one for one in columns if one.endswith(("code", "token"))} == IN_PLAIN.keys()


def test_no_book_fact_export_or_kept_print_tells_a_voucher_s_code(store, house, paper, tmp_path):
    gift = {"sku": "GIFT", "qty": 1, "price_minor": 5000}
    cash = [{"tender": "cash", "amount_minor": 5000}]
    sold = store.post("/api/sales", json=body(lines=[gift], tenders=cash, shown_total_minor=5000)).json
    code = sold["document"]["vouchers"][0]["code"]
    assert reported(code, paper().decode("latin-1")), "printed once, whole"
    part = {"tender": "voucher", "amount_minor": 258, "reference": vouchers.spoken(code).lower()}
    parked = {"till_id": "1", "total_minor": 258, "basket": {"lines": [{"sku": "MILK", "qty": 2}], "parts": [part]}}
    assert store.post(f"/api/baskets/{BACK}/park", json=parked).status_code == 200
    too_much = body(id=BACK, tenders=[part | {"amount_minor": 9_000}])
    assert store.post("/api/sales", json=too_much).status_code >= 400
    for _ in range(2):
        assert store.post("/api/sales", json=body(id=BACK, tenders=[part])).status_code in (200, 201)
    assert store.get(f"/api/vouchers/{code}").json["balance_minor"] == 4_742
    back = {"id": PAID, "till_id": "1", "sale_id": BACK, "lines": [{"n": 1, "qty": 1}], "tender": "credit"}
    boss = house.signed_in("supervisor")
    boss.environ_base["HTTP_X_CSRF_TOKEN"] = token(boss)
    credit = boss.post("/api/returns", json=back).json["document"]["vouchers"][0]["code"]
    before = len(paper())
    store.post(f"/api/receipts/{SALE}/reprint", json={})
    assert not reported(code, paper()[before:].decode("latin-1")), "a copy shows the end"
    granted = leave(store, "voucher.code").json["id"]
    assert store.post(f"/api/receipts/{SALE}/reprint", json={"whole": True, "approvals": [granted]}).status_code == 200
    assert post(store, "/vouchers/print", code=code).status_code == 303
    assert paper()[before:].decode("latin-1").count(code) >= 2, "by leave, and as a slip"
    taken = stolen(house, tmp_path)
    assert [one for one in (code, credit) if reported(one, taken)] == []
    assert all(one[-4:] in taken for one in (code, credit)), "people know it by its end"
    with house.doors.read() as session:
        kept = session.scalars(sa.select(PrintJob).where(PrintJob.paper.is_not(None))).all()
    assert len(kept) >= 5


def test_a_print_agent_gets_the_same_paper_twice_and_the_job_keeps_none_of_the_code(store, house, paper, tmp_path):
    gift = {"sku": "GIFT", "qty": 1, "price_minor": 5000}
    cash = [{"tender": "cash", "amount_minor": 5000}]
    sold = store.post("/api/sales", json=body(lines=[gift], tenders=cash, shown_total_minor=5000)).json
    code, outlet = sold["document"]["vouchers"][0]["code"], Outlet(AgentPrinter(), "agent")
    for _ in range(2):
        given = print_worker.hand_over(house.doors.database, STORE, outlet, [outlet], "claim-0001", now=house.clock.now)
        assert reported(code, given[0].paper.decode("latin-1"))
    assert not reported(code, stolen(house, tmp_path))
