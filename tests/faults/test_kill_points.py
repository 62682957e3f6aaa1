"""A command killed at any line it runs has happened wholly or not at all (I4), and sent again it happened once (I2).

Commands run through the whole application. The quick sweeps look at every so many lines; those marked `faults` at all.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from config.clock import FrozenClock
from config.database import Database, make_engine
from config.nodes.journal import Actor, Context
from config.settings import Settings
from pos.customers.tab import TabEntry
from pos.sold import Sale
from pos.stock import recall
from pos.stock.waste import Waste
from pos.till.parked import Basket
from pos.till.shift import current
from pos.till.shift_book import CashMovement, Shift
from store_app.app import create_app
from store_app.runtime.doors import Doors
from supply.facts import Advised
from supply.money import consignment
from supply.orders.claims import Claim
from supply.orders.deliveries import Delivery
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.network_offers import NetworkOffer
from supply.orders.supplier_returns import SupplierReturn
from supply.orders.suppliers import Supplier
from supply.receiving import receiving
from tests.arriving import expect
from tests.benchmarks._node import fill
from tests.faults import counter
from tests.faults.counter import CUSTOMER, PIN, STORE
from tests.faults.sweep import Swept, sweep

KEY = "faults" * 8


@dataclass
class Till:
    """A founded counter: its doors, the cashier's and the shopkeeper's browser, and a voucher that is worth much."""

    doors: Doors
    ben: FlaskClient
    ana: FlaskClient
    voucher: str

    def sold(self, sale_id: str, kind: str) -> str:
        """Sell a basket; returns its id."""
        assert self.ben.post("/api/sales", json=self.basket(sale_id, kind)).status_code == 201
        return sale_id

    def basket(self, sale_id: str, kind: str) -> dict[str, Any]:
        """Return the body of a sale, with the shopkeeper's leave where it wants one."""
        body = counter.basket(sale_id, self.voucher, kind) | {"till_id": "T1"}
        if kind == "override":
            asked = {"staff_id": "ana", "pin": PIN, "permission": "price.override", "sale_id": sale_id, "till_id": "T1"}
            asked |= {"covers": counter.COVERS}
            body["approvals"] = [self.ben.post("/api/approvals", json=asked).json["id"]]
        return body

    def count(self, noun: Any, *where: Any) -> int:
        """Count rows."""
        with self.doors.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(noun).where(*where)) or 0


@dataclass(frozen=True)
class Command:
    """What is swept: the browser, the address, the body, and how to count what it brings about."""

    client: FlaskClient
    address: str
    body: dict[str, Any]
    holds: Callable[[], int]

    form: bool = False

    def send(self) -> int:
        """Send it; a form that leads on was taken."""
        if self.form:
            status = self.client.post(self.address, data=self.body).status_code
            return 200 if status == 303 else status
        return self.client.post(self.address, json=self.body).status_code


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """Give a counter with four open tills; every sweep leaves it as it was."""
    folder = tmp_path_factory.mktemp("counter")
    url = f"sqlite:///{folder}/{STORE}.db"
    fill(url, 20)
    now = dt.datetime.now(dt.UTC)
    database = Database(make_engine(url))
    code = counter.stock_up(database, now)
    database.engine.dispose()
    settings = Settings(role="store", node_id=STORE, state_folder=folder, database_url=url, secret_key=KEY)
    app = create_app(settings, FrozenClock(now))
    ben, ana = (_signed_in(app.test_client(), name) for name in ("ben", "ana"))
    doors = app.extensions["cornerstore"]
    yield Till(doors, ben, ana, code)
    doors.database.engine.dispose()


def _signed_in(client: FlaskClient, name: str) -> FlaskClient:
    def token(address: str) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(address).text)
        assert found
        return found[1]

    form = {"csrf_token": token("/signin"), "pin": PIN}
    assert client.post(f"/signin/{name}", data=form).status_code == 303
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token("/till/")
    return client


# --- the commands ---


def _sale(till: Till, kind: str) -> Command:
    body = till.basket("swept-sale-0001", kind)
    return Command(till.ben, "/api/sales", body, lambda: till.count(Sale, Sale.id == body["id"]))


def _gift(till: Till) -> Command:
    lines = [{"sku": "GIFT", "qty": 1, "price_minor": 2500}]
    paid = [{"tender": "card", "amount_minor": 2500, "reference": "slip-7"}]
    body = {
        "id": "swept-gift-0001", "till_id": "T1", "lines": lines, "tenders": paid, "shown_total_minor": 2500,
        "customer_id": CUSTOMER,
    }  # fmt: skip
    return Command(till.ben, "/api/sales", body, lambda: till.count(Sale, Sale.id == body["id"]))


def _exchange(till: Till) -> Command:
    body = till.basket("swept-exchange-1", "account") | {
        "brought_back": [{"sale_id": till.sold("sold-before-1", "plain"), "n": 1, "qty": 1, "restock": False}],
        "shown_total_minor": 82, "tenders": [{"tender": "tab", "amount_minor": 82, "reference": ""}],
    }  # fmt: skip
    return Command(till.ana, "/api/sales", body, lambda: till.count(Sale, Sale.id == body["id"]))


def _take_back(till: Till) -> Command:
    sold = till.sold("sold-before-2", "account")
    body = {
        "id": "swept-return-001", "till_id": "T1", "sale_id": sold, "why": "spoilt",
        "lines": [{"n": 1, "qty": 1, "restock": False}, {"n": 2, "qty": 1}],
    }  # fmt: skip
    return Command(till.ana, "/api/returns", body, lambda: till.count(Sale, Sale.id == body["id"]))


def _deposit_back(till: Till) -> Command:
    body = {
        "id": "swept-return-002", "till_id": "T1", "sale_id": till.sold("sold-before-3", "deposit"),
        "lines": [{"n": 1, "qty": 1}],
    }  # fmt: skip
    return Command(till.ana, "/api/returns", body, lambda: till.count(Sale, Sale.id == body["id"]))


def _blind(till: Till) -> Command:
    lines = [{"sku": "P00001", "qty": 2, "price_minor": 90}, {"sku": "WINE", "qty": 1, "price_minor": 1}]
    body = {"id": "swept-blind-0001", "till_id": "T1", "lines": lines, "why": "no receipt", "tender": "credit"}
    return Command(till.ana, "/api/returns/blind", body, lambda: till.count(Sale, Sale.id == body["id"]))


def _close(till: Till) -> Command:
    till.sold("sold-before-4", "plain")
    till.sold("sold-before-5", "account")
    with till.doors.read() as session:
        found = current(session, STORE, "T1")
        assert found is not None
    mine = (Shift.id == found.id, Shift.state == "closed")
    body = {"id": "swept-count-0001", "counted_minor": found.expected_minor}
    return Command(till.ana, f"/api/shifts/{found.id}/close", body, lambda: till.count(Shift, *mine))


def _pay_in(till: Till) -> Command:
    body = {"pay_in": "20", "why": "change from the bank", "command_id": "0" * 25 + "3"}
    mine = (CashMovement.source_id == body["command_id"],)
    return Command(till.ana, "/money/pay-in", body, lambda: till.count(CashMovement, *mine), form=True)


def _drop(till: Till) -> Command:
    """Put more in the safe than the books have, as who counts blind."""
    body = {"drop": "499", "command_id": "0" * 25 + "4"}
    mine = (CashMovement.source_id == body["command_id"],)
    return Command(till.ben, "/money/drop", body, lambda: till.count(CashMovement, *mine), form=True)


def _void(till: Till) -> Command:
    body = {"till_id": "T1", "why": "the customer left", "total_minor": 201, "lines": [{"sku": "P00001", "qty": 1}]}
    mine = (Basket.id == "swept-basket-001", Basket.state == "voided")
    return Command(till.ana, "/api/baskets/swept-basket-001/void", body, lambda: till.count(Basket, *mine))


def _repay(till: Till) -> Command:
    till.sold("sold-before-6", "account")
    body = {"id": "swept-repay-0001", "till_id": "T1", "amount_minor": 100, "tender": "card", "reference": "slip-9"}
    mine = (TabEntry.id == body["id"],)
    return Command(till.ben, f"/api/customers/{CUSTOMER}/repayments", body, lambda: till.count(TabEntry, *mine))


def _posting(till: Till) -> Command:
    """Take a delivery of two lines in, one of them counted short."""
    by: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": till.doors.now()}
    with till.doors.write() as session:
        lines = [Advised("P00001", "P00001", 12, 24), Advised("COLA", "Cola 0.33 l", 6, 12)]
        expect(session, STORE, "swept-delivery", "farm", lines, at=by["at"])
        receiving.begin_count(Context(session, **by), STORE, "swept-delivery")
    body = {
        "sku-0": "P00001", "qty-0": "24", "why-0": "", "until-0": "", "sku-1": "COLA", "qty-1": "11",
        "why-1": "difference-broken", "until-1": "", "then": "post", "command_id": "0" * 26,
    }  # fmt: skip
    mine = (Delivery.id == "swept-delivery", Delivery.state == "posted")
    return Command(till.ana, "/deliveries/swept-delivery/count", body, lambda: till.count(Delivery, *mine), form=True)


def _claim(till: Till) -> Command:
    """Claim a broken unit of a delivery."""
    by: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": till.doors.now()}
    with till.doors.write() as session:
        session.merge(Supplier(id="farm", name="Farm", kind="network", calendar=DeliveryCalendar(frozenset({0}))))
        lines = [Advised("COLA", "Cola 0.33 l", 6, 12)]
        expect(session, STORE, "swept-claimed", "farm", lines, at=by["at"])
        receiving.begin_count(Context(session, **by), STORE, "swept-claimed")
        receiving.post(Context(session, **by), STORE, "swept-claimed")
    body = {
        "sku-0": "COLA", "kind-0": "damaged", "qty-0": "3", "wish": "money", "words": "", "command_id": "0" * 25 + "1",
    }  # fmt: skip
    mine = (Claim.id == body["command_id"],)
    return Command(till.ana, "/claims/new/swept-claimed", body, lambda: till.count(Claim, *mine), form=True)


def _send_back(till: Till) -> Command:
    """Hand a lot on sale or return over, of which some was sold and some stays."""
    by: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": till.doors.now()}
    today = by["at"].date()
    with till.doors.write() as session:
        session.add(
            NetworkOffer(store_id=STORE, id="swept-push", supplier_id="farm", sku="COLA", name="Cola", pack_qty=6,
                      pack_cost_minor=300, packs=2, why="New", state="accepted", offered_at=by["at"], answer_by=today,
                      return_until=today, answered_why="")
        )  # fmt: skip
        session.flush()
        lines = [Advised("COLA", "Cola 0.33 l", 6, 12)]
        expect(session, STORE, "swept-lot", "farm", lines, at=by["at"], network_offer_id="swept-push")
        receiving.begin_count(Context(session, **by), STORE, "swept-lot")
        receiving.post(Context(session, **by), STORE, "swept-lot")
        consignment.propose_now(Context(session, **by), STORE, "swept-push")
    mine = (SupplierReturn.id == "swept-push", SupplierReturn.state == "sent")
    body = {"qty-0": "9", "command_id": "0" * 25 + "2"}
    address = "/stock/network/returns/swept-push/send"
    return Command(till.ana, address, body, lambda: till.count(SupplierReturn, *mine), form=True)


def _recall(till: Till) -> Command:
    """Say how many of what the network recalls were taken away: they are written off, and it is told."""
    by: dict[str, Any] = {"actor": Actor("ana", "Ana", "shopkeeper", STORE), "at": till.doors.now()}
    with till.doors.write() as session:
        recall.call(Context(session, **by), STORE, "COLA", id="swept-recall", why="Glass", afterwards="destroy")
    body = {"qty": "2", "command_id": "0" * 25 + "5"}
    mine = (Waste.id == body["command_id"], Waste.reason == "recall")
    return Command(till.ana, "/stock/recalls/swept-recall/clear", body, lambda: till.count(Waste, *mine), form=True)


COMMANDS: dict[str, Callable[[Till], Command]] = {
    "plain": lambda till: _sale(till, "plain"),
    "deposit": lambda till: _sale(till, "deposit"),
    "override": lambda till: _sale(till, "override"),
    "account": lambda till: _sale(till, "account"),
    "age": lambda till: _sale(till, "age"),
    "gift": _gift,
    "exchange": _exchange,
    "take-back": _take_back,
    "deposit-back": _deposit_back,
    "blind": _blind,
    "close": _close,
    "pay-in": _pay_in,
    "drop": _drop,
    "void": _void,
    "repay": _repay,
    "posting": _posting,
    "claim": _claim,
    "send-back": _send_back,
    "recall": _recall,
}
QUICK = {
    "account": 80,
    "take-back": 80,
    "close": 60,
    "pay-in": 40,
    "posting": 30,
    "claim": 40,
    "send-back": 40,
    "recall": 40,
}


def swept(till: Till, name: str, stride: int) -> Swept:
    """Sweep a command and hold what was found against the rule."""
    command = COMMANDS[name](till)
    found = sweep(till.doors, command.send, command.holds, stride=stride)
    assert found.broken == []
    assert len(found.missed) <= max(1, found.points // 50)  # what a clock or a cache decides may run a line less often
    return found


@pytest.mark.parametrize("name", QUICK)
def test_a_command_killed_here_and_there_is_whole_or_nothing(till: Till, name: str):
    assert swept(till, name, QUICK[name]).points >= 3


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_killed_at_any_line_is_whole_or_nothing(till: Till, name: str):
    found = swept(till, name, 1)
    print(f"{name}: {found.points} deaths on {len(found.lines)} lines, {found.done} of them after the commit")
    assert found.points > 100
    assert found.done > 0
