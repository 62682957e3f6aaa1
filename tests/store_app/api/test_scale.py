"""What an operator's page asks does not grow with the stores: it is asked of all of them at once."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Base
from pos.store.store import Store, found_store
from supply.demand.history import StoreDay
from supply.orders.orders import OrderLine
from tests.store_app.conftest import NOON, STORE
from tests.store_app.house import House
from tests.store_app.operator import furnish

MORE = [f"Z{n:02d}" for n in range(12)]
OF_ONE_STORE = ("stores/<store_id>", "demand/<region_id>", "demand/<region_id>/series", "outlook/<region_id>")


def pages(house: House) -> list[str]:
    """Return every page of the operator's that is of no one thing, and those of one store and region."""
    with house.doors.read() as session:
        region_id = session.get_one(Store, STORE).region_id
    rules = {str(rule) for rule in house.app.url_map.iter_rules() if rule.methods and "GET" in rule.methods}
    found = [rule for rule in rules if rule.startswith("/console/") and "<" not in rule]
    some = [f"/console/{rest}" for rest in OF_ONE_STORE]
    assert set(some) <= rules
    return sorted(found) + [one.replace("<store_id>", STORE).replace("<region_id>", region_id) for one in some]


def questions(house: House, addresses: list[str]) -> dict[str, int]:
    """Return how many statements each page takes once it is warm."""
    client, counts = house.signed_in("operator"), {}
    with house.doors.read() as session:
        engine = session.get_bind().engine
    for address in addresses:
        asked: list[Any] = []

        def note(*row: Any, into: list[Any] = asked) -> None:
            into.append(row[2])

        assert client.get(address).status_code in (200, 302, 303), address
        sa.event.listen(engine, "before_cursor_execute", note)
        client.get(address)
        sa.event.remove(engine, "before_cursor_execute", note)
        counts[address] = len(asked)
    return counts


def copy_store(session: Session, region_id: str) -> None:
    """Found more stores that have all rows of the first one, as far as these may be there twice."""
    for store_id in MORE:
        found_store(
            session, store_id, f"Store {store_id}", region=(region_id, "Region"), currency="USD", tz="UTC", at=NOON,
            slug=store_id.lower(),
        )  # fmt: skip
    session.flush()
    for table in Base.metadata.sorted_tables:
        if "store_id" not in table.primary_key.columns or any(column.unique for column in table.columns):
            continue
        rows = [row._asdict() for row in session.execute(sa.select(table).where(table.c.store_id == STORE))]
        copies = [row | {"store_id": store_id} for store_id in MORE for row in rows]
        if copies:
            session.execute(sa.insert(table).prefix_with("OR IGNORE", dialect="sqlite"), copies)


def test_an_operator_s_page_takes_as_many_questions_for_thirteen_shops_as_for_one(network: House):
    furnish(network)
    addresses = pages(network)
    one = questions(network, addresses)
    with network.doors.write() as session:
        copy_store(session, session.get_one(Store, STORE).region_id)
        for noun in (StoreDay, OrderLine):
            counted = sa.select(noun.store_id, sa.func.count()).where(noun.store_id.in_([STORE, *MORE]))
            assert len(set(dict(session.execute(counted.group_by(noun.store_id)).all()).values())) == 1
    assert questions(network, addresses) == one
    assert len(addresses) > 20
