"""The assortment's pages: filtered, drilled down, exported; a proposal to stores, and who may send one."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.outbox import OutboxMessage
from pos.catalogue.catalogue import Listing, Product
from pos.stock.ledger import StockLevel
from pos.store.store import Store
from supply.demand.history import DailyDemand, StoreDay
from supply.membership import assortment_review
from supply.orders.network_offers import NetworkOffer
from tests.store_app.conftest import NOON, STORE, House, add_team
from tests.store_app.house import post
from tests.store_app.office import words
from tests.store_app.operator import furnish

TODAY = NOON.date()


@pytest.fixture
def console(network: House) -> House:
    """Give a network where S01 misses milk that its two neighbors sell, and holds jam that it does not sell."""
    furnish(network)
    with network.doors.write() as session:
        region = session.get_one(Store, STORE).region_id
        for n in (7, 8):
            session.add(Store(id=f"N{n}", name=f"Neighbor {n}", slug=f"n{n}", region_id=region, currency="USD",
                              tz="UTC", joined_at=NOON))  # fmt: skip
        session.flush()
        session.execute(sa.delete(StockLevel).where(StockLevel.store_id == STORE))
        session.execute(sa.delete(DailyDemand).where(DailyDemand.store_id == STORE))
        session.execute(sa.delete(Listing).where(Listing.store_id == STORE))
        for store in (STORE, "N7", "N8"):
            for n in range(1, 30):
                day = TODAY - dt.timedelta(days=n)
                session.merge(StoreDay(store_id=store, business_day=day, open=True, sales=1, revenue_minor=100))
                if store != STORE:
                    session.add(DailyDemand(store_id=store, sku="milk", business_day=day, sold_qty=4, revenue_minor=9,
                                            sales=1))  # fmt: skip
        taxed = session.get_one(Product, "milk").tax_class_id
        session.add(Product(sku="jam", name="Plum jam", category="Spreads", tax_class_id=taxed, search_text="plum jam"))
        session.flush()
        session.add(StockLevel(store_id=STORE, sku="jam", place="floor", qty=6))
        session.flush()
        assortment_review.keep(session, region, assortment_review.review(session, region, TODAY))
    return network


def sent(console: House) -> list[NetworkOffer]:
    with console.doors.read() as session:
        return list(session.scalars(sa.select(NetworkOffer).where(NetworkOffer.packs == 0)))


def test_gaps_and_dead_stock_are_listed_filtered_and_exported(console: House):
    client = console.signed_in("operator")
    with console.doors.read() as session:
        milk, jam = (session.get_one(Product, sku) for sku in ("milk", "jam"))
        region = session.get_one(Store, STORE).region_id
    gaps = words(client.get("/console/assortment/?view=gap"))
    assert milk.shown in gaps
    assert jam.shown not in gaps
    dead = words(client.get(f"/console/assortment/?view=dead&store={STORE}&idle=182"))
    assert jam.shown in dead
    assert milk.shown not in words(client.get("/console/assortment/?view=gap&region=south"))
    assert milk.shown not in words(client.get("/console/assortment/?view=gap&category=Nothing"))
    carried = words(client.get(f"/console/assortment/?region={region}"))
    assert "2 of 3" in carried
    for store in (STORE, "N7"):
        assert client.get(f"/console/assortment/?store={store}&q=milk&page=9").status_code == 200
    for view, sku in (("gap", "milk"), ("dead", "jam"), ("carried", "milk")):
        table = client.get(f"/console/assortment/assortment.csv?view={view}").get_data(as_text=True)
        assert sku in table.splitlines()[1], table


def test_a_proposal_reaches_the_ticked_stores_once_and_none_that_is_still_asked(console: House):
    client, command = console.signed_in("operator"), new_id()
    given = {"why": "Neighbors sell it", "answer_by": (TODAY + dt.timedelta(days=9)).isoformat(), "store_id": STORE}
    assert STORE in client.get("/console/assortment/gap/milk").get_data(as_text=True)
    assert (
        post(client, "/console/assortment/gap/milk", command_id=command, **given | {"store_id": ""}).status_code == 422
    )
    for click in (command, command, new_id()):
        assert post(client, "/console/assortment/gap/milk", command_id=click, **given).status_code == 303
    (row,) = sent(console)
    assert (row.store_id, row.sku, row.why, row.state) == (STORE, "milk", "Neighbors sell it", "offered")
    with console.doors.read() as session:
        made = sa.select(sa.func.count()).where(OutboxMessage.topic == "network_offer.made")
        assert session.scalar(made) == 1, "and the store hears of it once"
        assert session.get(Listing, (STORE, "milk")) is None, "nothing is listed by the network"
    assert "Neighbors sell it" in words(client.get("/console/assortment/proposals"))
    for _click in range(2):
        assert post(client, f"/console/assortment/proposals/{STORE}/{row.id}/withdraw").status_code == 303
    assert [one.state for one in sent(console)] == ["withdrawn"]


def test_who_only_looks_sends_no_proposal(console: House):
    add_team(console)
    for role, status in (("reader", 403), ("warehouse", 403), ("buyer", 303)):
        client = console.signed_in(role)
        assert client.get("/console/assortment/dead/jam").status_code == 200
        given = {"why": "Unsold", "answer_by": (TODAY + dt.timedelta(days=9)).isoformat(), "store_id": STORE}
        assert post(client, "/console/assortment/dead/jam", command_id=new_id(), **given).status_code == status
    assert len(sent(console)) == 1
