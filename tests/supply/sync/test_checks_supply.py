"""Each invariant of supply is found when it is broken, at the noun it belongs to."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.stock import stock
from pos.stock.ledger import Reservation
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.orders.deliveries import DeliveryLine
from supply.orders.orders import OrderLine
from supply.sync import checks
from tests.supply.road import AT, DAY, KEEPER, Country, make_country
from tests.tampering import unlocked


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_ordered_and_taken_in)


def _ordered_and_taken_in(country: Country) -> None:
    country.order("S1", {"bread": 2, "milk": 1}, id="order-1")
    country.send_out()
    country.take_in("S1")
    country.deliver()
    assert country.findings() == []


def broken(country, statement, store_id=None) -> list[str]:
    """Run a statement at the store behind the verbs' back; return what the checks say."""
    with country.stores["S1"].write() as session, unlocked(session):
        session.execute(statement)
    with country.stores["S1"].read() as session:
        return [f"{one.code} {one.subject}" for one in checks.findings(session, store_id)]


def test_k10_finds_a_line_whose_received_units_are_not_its_deliveries(country):
    wrong = sa.update(OrderLine).where(OrderLine.sku == "bread").values(qty_received=13)
    assert broken(country, wrong) == ["K10 order:order-1/bread"]


def test_k10_finds_a_delivery_that_was_counted_otherwise_than_it_was_booked(country):
    found = broken(country, sa.update(DeliveryLine).where(DeliveryLine.sku == "milk").values(counted_qty=11))
    assert any(one.startswith("K10 delivery:") and one.endswith("/milk") for one in found)


def test_k8_finds_a_posted_delivery_that_was_never_told(country):
    found = broken(country, sa.delete(OutboxMessage).where(OutboxMessage.topic == "delivery.posted"))
    assert [one.split(":")[0] for one in found] == ["K8 delivery"]


def test_k11_finds_packs_below_the_minimum_that_nobody_asked_for(country):
    wrong = {"minimum_packs": 3, "changed_by": ""}
    found = broken(country, sa.update(OrderLine).where(OrderLine.sku == "bread").values(**wrong))
    assert found == ["K11 order:order-1/bread"]
    by_name = sa.update(OrderLine).where(OrderLine.sku == "bread").values(changed_by="Wei")
    assert broken(country, by_name) == []


def test_k11_finds_a_change_without_a_name(country):
    wrong = sa.update(OrderLine).where(OrderLine.sku == "milk").values(packs_proposed=9, changed_by="")
    assert broken(country, wrong) == ["K11 order:order-1/milk"]


@pytest.mark.parametrize(
    "wrong",
    [{"q50": -0.1}, {"q90": 1.0}, {"q99": float("inf")}, {"mean": -1.0}, {"mean": float("inf")}, {"q50": 9.0}],
)
def test_k12_finds_quantiles_that_fall_are_negative_or_not_finite(country, wrong):
    with country.stores["S1"].write() as session:
        session.add(
            ForecastRun(id="run", scope_kind="store", scope_id="S1", state="published", origin_day=DAY, horizon_days=1,
                        started_at=AT)
        )  # fmt: skip
        session.flush()
        good = {"mean": 2.5, "q50": 2.0, "q75": 3.0, "q90": 4.0, "q95": 5.0, "q99": 7.0}
        for sku, values in (("bread", good), ("milk", good | wrong)):
            session.add(ForecastQuantile(run_id="run", sku=sku, first_day=DAY, last_day=DAY, **values))
    with country.stores["S1"].read() as session:
        assert [f"{one.code} {one.subject}" for one in checks.findings(session)] == ["K12 forecast:S1/milk"]
        assert checks.findings(session, "S2") == []


def test_k5_finds_units_held_for_an_order_that_is_not_open(country):
    with country.stores["S1"].write() as session:
        stock.reserve(Context(session, KEEPER["S1"], AT + dt.timedelta(hours=1)), "S1", "gone", [("bread", 2)])
    with country.stores["S1"].read() as session:
        assert [f"{one.code} {one.subject}" for one in checks.findings(session)] == ["K5 order:gone/bread"]
    assert broken(country, sa.delete(Reservation)) == []
