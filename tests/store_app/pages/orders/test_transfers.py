"""Goods between stores through the shopkeeper's and the operator's pages."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from config.ids import pickup_code_of
from config.nodes.journal import Context
from pos.stock import stock
from pos.store.store import Store
from supply.network.routes import vehicles
from supply.network.transfers import transfers
from supply.online.checkout import order_keys
from supply.orders import transfers as store_transfers
from tests.arriving import hear
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import SYSTEM, send, words
from tests.store_app.operator import furnish

CODE = pickup_code_of(b"0123456789abcdef")
BY = {"actor": SYSTEM, "at": NOON}


def reported(id: str, *, gives: bool, state: str = "proposed", code: str = "", **wishes: Any) -> dict[str, Any]:
    """Return what the network says of a transfer between this store and its neighbour."""
    day = NOON.date()
    own, other = (STORE, "Corner 1"), ("S09", "Harbour Corner")
    giver, taker = (own, other) if gives else (other, own)
    return {
        "id": id, "store_id": STORE, "giver_id": giver[0], "taker_id": taker[0], "giver_name": giver[1],
        "taker_name": taker[1], "metres": 840, "state": state, "proposed_at": NOON.isoformat(),
        "answer_by": (day + dt.timedelta(days=1)).isoformat(), "fetch_by": (day + dt.timedelta(days=3)).isoformat(),
        "giver_minor": 420 if gives else None, "taker_minor": None if gives else 615, "giver_yes": False,
        "taker_yes": False, "why": "", "declined_by": "", "cost_minor": 540,
        "code_hash": order_keys.code_hash(id, code) if code else "",
        "lines": [
            ["milk", "Whole milk", "each", 1, 6, 12, 960, (day + dt.timedelta(days=4)).isoformat(), None, None],
            ["apple", "Apples, red", "gram", 1000, 2000, 10_000, 3000, None, None, None],
        ],
    } | wishes  # fmt: skip


def send_sheet(session: Session, body: dict[str, Any]) -> None:
    hear(session, "transfer.reported", body, at=BY["at"])


def fill(house: House) -> None:
    """Lay in one transfer of every kind this store can see."""
    with house.doors.write() as session:
        office.goods(session)
        send_sheet(session, reported("transfer-1", gives=True))
        send_sheet(session, reported("transfer-2", gives=False))
        send_sheet(
            session, reported("transfer-3", gives=True, state="agreed", code=CODE, giver_yes=True, taker_yes=True)
        )
        code = transfers.code_of(session, "transfer-4")
        send_sheet(
            session, reported("transfer-4", gives=False, state="agreed", code=code, giver_yes=True, taker_yes=True)
        )
        send_sheet(
            session, reported("transfer-5", gives=False, state="declined", why="transfer-no-room", declined_by="S09")
        )


def state(house: House, id: str) -> str:
    with house.doors.read() as session:
        return session.get_one(store_transfers.Transfer, id).state


@pytest.fixture
def store(house: House) -> House:
    fill(house)
    return house


def test_a_shopkeeper_answers_hands_over_against_the_code_and_takes_in(store: House):
    client = store.signed_in("shopkeeper")
    page = words(client.get("/transfers/"))
    assert "Give to Harbour Corner" in page
    assert "Collect from Harbour Corner" in page
    assert "2 neighbors ask for" in words(client.get("/orders/"))
    assert send(client, "/transfers/transfer-1/agree").status_code == 303
    assert send(client, "/transfers/transfer-2/decline").status_code == 422
    assert send(client, "/transfers/transfer-2/decline", reason="transfer-no-room").status_code == 303
    assert state(store, "transfer-2") == "declined"
    with store.doors.read() as session:
        before = stock.levels(session, STORE, ["milk"])["milk"].on_hand
    counts = {"sku-0": "milk", "qty-0": "5", "sku-1": "apple", "qty-1": "0"}
    refused = send(client, "/transfers/transfer-3/hand-over", code="2222 2222", **counts)
    assert refused.status_code == 409
    assert "s code for this transfer. Check it again" in words(refused)
    assert send(client, "/transfers/transfer-3/hand-over", code=CODE, **counts).status_code == 303
    counts["qty-0"], counts["qty-1"] = "6", "2000"
    assert send(client, "/transfers/transfer-4/receive", **counts).status_code == 303
    with store.doors.read() as session:
        assert stock.levels(session, STORE, ["milk"])["milk"].on_hand == before - 5 + 6
    assert (state(store, "transfer-3"), state(store, "transfer-4")) == ("handed_over", "received")


def test_goods_that_did_not_come_are_said_so_and_found_again_by_who_gave_them(store: House):
    client = store.signed_in("shopkeeper")
    given = [["milk", "Whole milk", "each", 1, 6, 12, 960, None, 6, None]]
    with store.doors.write() as session:
        send_sheet(session, reported("transfer-6", gives=False, state="handed_over", lines=given))
        lost = [[*given[0][:9], 0]]
        send_sheet(session, reported("transfer-7", gives=True, state="received", lines=lost, why="lost-on-the-way"))
        session.get_one(store_transfers.Transfer, "transfer-7").handed_over_at = NOON
        before = stock.levels(session, STORE, ["milk"])["milk"].on_hand
    page = words(client.get("/transfers/"))
    assert "These products were signed for with your code. Your account stays" in page
    assert page.count("Show this code at") == 1, "what was handed over asks for no code any more"
    assert "Harbour Corner says: Lost on the way." in page
    assert send(client, "/transfers/transfer-6/did-not-come").status_code == 422
    assert send(client, "/transfers/transfer-6/did-not-come", reason="lost-on-the-way").status_code == 303
    counts = {"sku-0": "milk", "qty-0": "7"}
    assert send(client, "/transfers/transfer-7/take-back", **counts).status_code == 422
    assert send(client, "/transfers/transfer-7/take-back", **(counts | {"qty-0": "6"})).status_code == 303
    assert (state(store, "transfer-6"), state(store, "transfer-7")) == ("received", "taken_back")
    with store.doors.read() as session:
        assert stock.levels(session, STORE, ["milk"])["milk"].on_hand == before + 6
    assert "Did not arrive" not in words(client.get("/transfers/"))


def test_the_code_is_shown_to_who_fetches_and_only_the_own_gain_to_anybody(store: House):
    page = words(store.signed_in("shopkeeper").get("/transfers/"))
    with store.doors.write() as session:
        code = transfers.code_of(session, "transfer-4")
        found = session.get_one(store_transfers.Transfer, "transfer-4")
        found.code_hash = order_keys.code_hash(found.id, CODE)  # as another computer signed it
    assert page.count(f"{code[:4]} {code[4:]}") == 1
    lost = words(store.signed_in("shopkeeper").get("/transfers/"))
    assert f"{code[:4]} {code[4:]}" not in lost
    assert "This transfer has no code" in lost
    assert "4.20" in page
    assert "6.15" in page
    assert "No room for it" in page


def add_transfers(network: House) -> None:
    """Lay in two neighbours' transfers at the network: one asked, one that changed hands."""
    furnish(network)
    with network.doors.write() as session:
        names = {store.id: store.name for store in session.query(Store).order_by(Store.id).limit(2)}
        first, second = names
        for n, store_id in enumerate(names):
            vehicles.place(Context(session, **BY), store_id, 40_700_000 + 4_000 * n, -73_990_000 + 6_000 * n)
        for name, status in (("transfer-1", "proposed"), ("transfer-2", "received")):
            row = store_transfers.Transfer(
                id=name, giver_id=first, taker_id=second, giver_name=names[first], taker_name=names[second], metres=840,
                state="proposed", proposed_at=NOON, answer_by=NOON.date(), fetch_by=NOON.date(), giver_minor=420,
                taker_minor=615, giver_yes=True, taker_yes=status != "proposed", why="", declined_by="",
                code_hash=order_keys.code_hash(name, "AB2CD3EF"), cost_minor=0,
            )  # fmt: skip
            line = store_transfers.TransferLine(
                transfer_id=name, sku="milk", name="Whole milk", stock_unit="each", price_quantity=1, qty=6,
                pack_qty=12, pack_cost_minor=960, last_day=None,
            )  # fmt: skip
            transfers.write_proposal(Context(session, **BY), row, [line])
            if status == "received":
                given = {"store_id": first, "id": name, "counts": {"milk": 6}, "code": "AB2CD3EF"}
                hear(session, "transfer.given", given, at=BY["at"])
                hear(session, "transfer.taken", {"store_id": second, "id": name, "counts": {"milk": 5}}, at=BY["at"])


def test_the_operator_sees_who_gives_to_whom_what_it_brought_and_what_did_not_arrive(network: House):
    add_transfers(network)
    page = words(network.signed_in("operator").get("/console/transfers/"))
    assert "Giver and receiver" in page
    assert "5 arrived" in page
    assert "10.35" in page, "the gain of both"
    assert "4.80" in page, "at cost"
