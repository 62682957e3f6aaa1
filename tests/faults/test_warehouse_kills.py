"""What is done in a warehouse and with a recall, killed at any line, happened wholly or not at all (I4).

Sent again, each happened once (I2).
"""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from pos.messages import OutgoingMessage
from pos.stock import batches, recall
from pos.stock.batches import Lot
from pos.stock.recall import Recall
from pos.stock.waste import Waste
from pos.store.store import Store
from supply.network.purchasing import purchasing
from supply.network.recalls import recalls, upstream_returns
from supply.network.recalls.upstream_claims import UpstreamClaim
from supply.network.recalls.upstream_returns import UpstreamReturn
from supply.network.warehouse import dispatch, picking
from supply.network.warehouse.pick_lists import PickLine, PickList
from supply.orders import suppliers
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.purchases import Purchase, PurchaseLine
from tests.empty import empty_database, made_once
from tests.faults.sweep import sweep
from tests.store_app.conftest import NOON, STORE, furnish
from tests.store_app.house import House, open_house, token
from tests.store_app.operator import furnish as lay_in

BY = {"actor": Actor("op", "Olivia", "operator", NETWORK), "at": NOON}
AGAIN = (
    "already picked Whole milk",
    "and can no longer be changed",
    "Nothing to pick",
    "was already credited 4",
)
"""What is said to who sends a command that was done."""


@pytest.fixture
def network(tmp_path) -> Iterator[House]:
    """Give a network to which a store has sent an order of three products."""
    house = open_house(tmp_path, NOON, role="network", node_id=NETWORK)
    with made_once():
        furnish(empty_database(house.file), "network", NETWORK)
    lay_in(house)
    yield house
    house.doors.database.engine.dispose()


def filling(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Share out, and confirm."""
    return "/console/supply/fill", {}, _in(ReplenishmentOrder, ReplenishmentOrder.state == "acknowledged")


def listing(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Put what was confirmed on a list."""
    _filled(network)
    return "/console/picking/WH1/make", {}, _in(PickList)


def picking_one(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Pick a product, of which some is missing."""
    made = _listed(network)
    line = f"order.{STORE}.order-0001"
    body = {f"packs-{line}": "0", f"why-{line}": "missing"}
    return f"/console/picking/{made}/products/milk", body, _in(PickLine, PickLine.picked_qty == 0)


def sending_off(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Send a list off of which some is missing: it leaves, the store is told, and the rest is written off."""
    made = _listed(network)
    with network.doors.write() as session:
        picking.pick(Context(session, **BY), made, "milk", {("order", STORE, "order-0001"): (0, "missing")})
        picking.pick_rest(Context(session, **BY), made)
    return f"/console/picking/{made}/send", {}, _in(Delivery)


def loading(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Load everything that was confirmed, without a list."""
    _filled(network)
    return "/console/supply/dispatch", {}, _in(Delivery)


def calling_back(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Call a product back from the warehouse and the store, while a list names its lots."""
    _listed(network)
    body = {"sku": "milk", "why": "Glass", "afterwards": "destroy"}
    return "/console/recalls/", body, _in(Recall, Recall.store_id == STORE)


def looking_through(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Say what there was of it in the warehouse: that is written off, and what was not found."""
    _called_back(network)
    return "/console/recalls/r1/warehouses/WH1", {"qty": "20"}, _in(Waste, Waste.recall_id == "r1")


def claiming(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Claim of the dairy what was written off."""
    _called_back(network)
    with network.doors.write() as session:
        recalls.look_through(Context(session, **BY), "WH1", "r1", 24)
    return "/console/recalls/r1/suppliers/dairy", {}, _in(UpstreamClaim)


def sending_back(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Write the return of what the dairy brought, and its message."""
    _called_back(network)
    holds = (
        sa.select(sa.func.count())
        .select_from(UpstreamReturn)
        .join(OutgoingMessage, OutgoingMessage.id == UpstreamReturn.id)
    )
    return "/console/recalls/r1/send-back/WH1/dairy", {"qty": "20"}, holds


def handing_over(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Hand it over: it leaves the warehouse and its lot."""
    _called_back(network)
    with network.doors.write() as session:
        upstream_returns.propose(Context(session, **BY), "WH1", "r1", "dairy", 20, id="b1")
    return "/console/recalls/r1/returns/WH1/b1", {}, _in(UpstreamReturn, UpstreamReturn.state == "handed_over")


def settling(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Credit the store some of what it took away."""
    _called_back(network)
    with network.doors.write() as session:
        session.get_one(OrderLine, (STORE, "order-0001", "milk")).qty_received = 12
        session.add(
            Delivery(store_id=STORE, id="d", supplier_id="net", order_id="order-0001", state="posted",
                     expected_day=NOON.date(), advised_at=NOON)
        )  # fmt: skip
        session.flush()
        session.add(
            DeliveryLine(store_id=STORE, delivery_id="d", sku="milk", name="Whole milk", pack_qty=12, advised_qty=12,
                         counted_qty=12, batch="L7")
        )  # fmt: skip
        recall.clear(Context(session, **BY), STORE, "r1", 5)
    return f"/console/recalls/r1/stores/{STORE}", {"qty": "4"}, _in(Recall, Recall.settled_qty == 4)


def lifting(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Lift it in every book, and tell the store."""
    _called_back(network)
    lifted = _in(Recall, Recall.store_id == STORE, Recall.state == "lifted")
    return "/console/recalls/r1/lift", {"reason": "lift-all-well"}, lifted


def noting(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Note what a store without a node took away: it leaves the copy of its stock."""
    _called_back(network)
    with network.doors.write() as session:
        session.get_one(Store, STORE).has_node = False
        session.get_one(Recall, (STORE, "r1")).reported_how = "hand"
    return f"/console/recalls/r1/stores/{STORE}/looked", {"qty": "3"}, _in(Recall, Recall.taken_qty == 3)


def calling_off(network: House) -> tuple[str, dict[str, str], sa.Select[tuple[int]]]:
    """Call off a purchase that brings more of it, and its message."""
    _called_back(network)
    with network.doors.write() as session:
        session.add(
            Purchase(store_id="WH1", id="po-2", purchase_no=2, state="proposed", supplier_id="dairy",
                     expected_day=NOON.date(), proposed_at=NOON)
        )  # fmt: skip
        session.flush()
        session.add(
            PurchaseLine(store_id="WH1", purchase_id="po-2", sku="milk", name="Milk", pack_qty=12, pack_cost_minor=600,
                         packs=2, why={})
        )  # fmt: skip
        session.flush()
        purchasing.order(Context(session, **BY), "WH1", "po-2")
    return "/console/recalls/r1/purchases/WH1/po-2", {}, _in(OutgoingMessage, OutgoingMessage.state == "withdrawn")


WAYS = {
    "fill": filling, "list": listing, "pick": picking_one, "send off": sending_off, "load": loading,
    "call back": calling_back, "look through": looking_through, "send back": sending_back, "hand over": handing_over,
    "claim": claiming,
    "settle": settling, "lift": lifting, "note": noting, "call off": calling_off,
}  # fmt: skip
QUICK = {"fill": 250, "list": 120, "pick": 50, "send off": 250, "load": 250}
QUICK |= {"call back": 120, "look through": 120, "claim": 80, "settle": 60, "lift": 60}


def swept(network: House, way: str, stride: int) -> tuple[int, int]:
    """Sweep a command; returns how many deaths there were and after how many all of it was there."""
    address, body, holds = WAYS[way](network)
    client = network.signed_in("operator")
    form = body | {"csrf_token": token(client), "command_id": "0" * 26}
    found = sweep(network.doors, lambda: _sent(client, address, form), lambda: _count(network, holds), stride=stride)
    assert found.broken == []
    assert len(found.missed) <= max(1, found.points // 50)  # what a clock or a cache decides may run a line less often
    return found.points, found.done


@pytest.mark.parametrize("way", QUICK)
def test_a_warehouse_s_work_killed_here_and_there_is_whole_or_nothing(network: House, way: str):
    assert swept(network, way, QUICK[way])[0] >= 3


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_warehouse_s_work_killed_at_any_line_is_whole_or_nothing(network: House, way: str):
    deaths, done = swept(network, way, 1)
    print(f"warehouse {way}: {deaths} deaths, {done} of them after the commit")
    assert deaths > 100
    assert done > 0


def _filled(network: House) -> None:
    with network.doors.write() as session:
        dispatch.fill(Context(session, **BY))


def _listed(network: House) -> str:
    _filled(network)
    with network.doors.write() as session:
        return picking.make(Context(session, **BY), "WH1").id


def _called_back(network: House) -> None:
    """Call milk back of which the warehouse has a dairy's lot and some more."""
    with network.doors.write() as session:
        contact = suppliers.Contact("Dairy")
        suppliers.write_contact(Context(session, **BY), NETWORK, "dairy", contact)
        session.add(
            Purchase(store_id="WH1", id="po-1", purchase_no=1, state="received", supplier_id="dairy",
                     expected_day=NOON.date(), proposed_at=NOON, received_at=NOON)
        )  # fmt: skip
        session.flush()
        session.add(
            PurchaseLine(store_id="WH1", purchase_id="po-1", sku="milk", name="Milk", pack_qty=12, pack_cost_minor=600,
                         packs=2, received_qty=24, why={})
        )  # fmt: skip
        batches.lay_in(session, "WH1", [Lot("milk", 24, "L7")], source_kind="purchase", source_id="po-1", at=NOON)
        said = {"why": "Glass", "called_by": "", "afterwards": "destroy"}
        recalls.call(Context(session, **BY), "milk", "L7", id="r1", **said)


def _sent(client: FlaskClient, address: str, form: dict[str, str]) -> int:
    """Send it; a page that leads on took it, and one that says it was done before already has it."""
    answer = client.post(address, data=form)
    taken = answer.status_code == 303 or (answer.status_code == 409 and any(one in answer.text for one in AGAIN))
    return 200 if taken else answer.status_code


def _in(noun: type, *where: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    return sa.select(sa.func.count()).select_from(noun).where(*where)


def _count(network: House, query: sa.Select[tuple[int]]) -> int:
    with network.doors.read() as session:
        return session.scalar(query) or 0
