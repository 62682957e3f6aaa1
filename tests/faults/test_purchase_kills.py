"""A purchase of the network's, killed at any line as it is ordered or taken in, is wholly there or not at all (I4)."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from pos.messages import OutgoingMessage
from supply.network.purchasing import purchasing
from supply.network.warehouse import lots
from supply.orders import suppliers
from supply.orders.purchases import Purchase
from supply.orders.suppliers import CasePack, Contact
from tests.empty import empty_database, made_once
from tests.faults.sweep import sweep
from tests.store_app.conftest import NOON, furnish
from tests.store_app.house import House, open_house, token
from tests.store_app.operator import furnish as lay_in

BY = {"actor": Actor("op", "Olivia", "operator", NETWORK), "at": NOON}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give a network whose empty warehouse buys milk of a dairy that is written to by e-mail."""
    house = open_house(tmp_path_factory.mktemp("buying"), NOON, role="network", node_id=NETWORK)
    with made_once():
        furnish(empty_database(house.file), "network", NETWORK)
    lay_in(house)
    with house.doors.write() as session:
        dairy = Contact("Dairy", send_by="email", email="orders@dairy.example")
        suppliers.write_contact(Context(session, **BY), NETWORK, "dairy", dairy)
        for sku in ("milk", "bread"):
            suppliers.offer_product(Context(session, **BY), "dairy", sku, CasePack(pack_qty=6, pack_cost_minor=500))
        for sku in ("milk", "bread"):
            lots.count(Context(session, **BY), "WH1", sku, 0, why="All sold", id=f"none-{sku}")
    yield house
    house.doors.database.engine.dispose()


def proposed(network: House) -> Purchase:
    """Propose what is bought of the dairy."""
    with network.doors.write() as session:
        made = purchasing.propose(Context(session, **BY), "WH1")
        return next(one for one in made if one.supplier_id == "dairy")


def ordering(network: House) -> tuple[str, dict[str, str], Callable[[], int]]:
    """Order a purchase, which writes its message."""
    made = proposed(network)
    message = sa.select(sa.func.count()).select_from(OutgoingMessage).where(OutgoingMessage.about == made.id)
    return f"{made.id}/order", {"sku-0": "milk", "packs-0": "3"}, lambda: _count(network, message)


def taking_in(network: House) -> tuple[str, dict[str, str], Callable[[], int]]:
    """Take one in with fewer than ordered and the day on the packs; again it is refused."""
    made = proposed(network)
    with network.doors.write() as session:
        purchasing.order(Context(session, **BY), "WH1", made.id)
    until = (NOON.date() + dt.timedelta(days=9)).isoformat()
    came = sa.select(sa.func.count()).where(Purchase.id == made.id, Purchase.state == "received")
    body = {"sku-0": "milk", "qty-0": "11", "until-0": until}
    return f"{made.id}/receive", body, lambda: _count(network, came)


WAYS = {"order": ordering, "receive": taking_in}


def swept(network: House, way: str, stride: int) -> tuple[int, int]:
    """Sweep a command; returns how many deaths there were and after how many all of it was there."""
    address, body, holds = WAYS[way](network)
    client = network.signed_in("operator")
    form = body | {"csrf_token": token(client), "command_id": "0" * 26}
    found = sweep(network.doors, lambda: _sent(client, address, form), holds, stride=stride)
    assert found.broken == []
    assert len(found.missed) <= max(1, found.points // 50)  # what a clock or a cache decides may run a line less often
    return found.points, found.done


@pytest.mark.parametrize("way", WAYS)
def test_a_purchase_killed_here_and_there_is_whole_or_nothing(network: House, way: str):
    assert swept(network, way, 60)[0] >= 3


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_purchase_killed_at_any_line_is_whole_or_nothing(network: House, way: str):
    deaths, done = swept(network, way, 1)
    print(f"purchase {way}: {deaths} deaths, {done} of them after the commit")
    assert deaths > 100
    assert done > 0


def _sent(client: FlaskClient, address: str, form: dict[str, str]) -> int:
    """Send it; a page that leads on took it, and one that says it came already has it."""
    answer = client.post(f"/console/purchases/WH1/{address}", data=form)
    taken = answer.status_code == 303 or (answer.status_code == 409 and "was already received" in answer.text)
    return 200 if taken else answer.status_code


def _count(network: House, query: sa.Select[tuple[int]]) -> int:
    with network.doors.read() as session:
        return session.scalar(query) or 0
