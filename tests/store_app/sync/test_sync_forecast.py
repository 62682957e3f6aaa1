"""A store's forecast on its way to the network: told once a run, beside everything else and at nothing's cost."""

import datetime as dt
import json

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import Product, TaxClass
from store_app.sync import sender, wire
from store_app.words import forecast
from supply.demand import reported_forecasts
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, StoreDay
from supply.demand.reported_forecasts import ReportedDemand, ReportedForecast
from tests.store_app.conftest import KEY, NOON, STORE, House
from tests.store_app.sync.test_sync import append, arrived, topic

__all__ = ["topic"]
TODAY = NOON.date()


class Watched(httpx2.HTTPTransport):
    """The line; counts what is told, loses its answers, answers itself, or leads to a network that asks for none."""

    reported = 0

    def __init__(self, *, loses: bool = False, is_old: bool = False, answers: tuple[int, str] | None = None) -> None:
        super().__init__()
        self.loses, self.is_old, self.answers = loses, is_old, answers

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.answers and request.url.path == "/api/sync/forecast":
            self.reported += 1
            return httpx2.Response(self.answers[0], text=self.answers[1])
        answer = super().handle_request(request)
        answer.read()
        self.reported += request.url.path == "/api/sync/forecast"
        if self.loses and request.url.path == "/api/sync/forecast":
            raise httpx2.ReadError("the line dropped", request=request)
        if self.is_old and request.url.path == "/api/sync/publications":
            listed = json.loads(answer.content)
            del listed["forecast"]
            return httpx2.Response(200, json=listed)
        return answer


def contact(house: House, served: str, line: Watched) -> sender.Contact:
    with httpx2.Client(base_url=served, headers={"Authorization": f"Bearer {KEY}"}, transport=line) as client:
        return sender.contact(house.doors.database, house.doors.settings, client, house.clock)


def add_milk(session: Session) -> None:
    session.add(TaxClass(id="std", name="Standard", rate_bp=900, inclusive=True))
    session.flush()
    session.add(Product(sku="milk", name="Milk", category="Food", tax_class_id="std", search_text="milk"))
    session.flush()


@pytest.fixture
def sold(network: House) -> House:
    """Let the network know what the store sold: three a day."""
    with network.doors.write() as session:
        add_milk(session)
        for back in range(1, 8):
            day = TODAY - dt.timedelta(days=back)
            session.add(StoreDay(store_id=STORE, business_day=day, open=True, sales=3, revenue_minor=300))
            session.add(
                DailyDemand(store_id=STORE, sku="milk", business_day=day, sold_qty=3, revenue_minor=300, sales=3)
            )
    return network


def publish(house: House, run_id: str, mean: float) -> None:
    """Publish a run of the last night, of fourteen days alike."""
    with house.doors.write() as session:
        session.execute(sa.update(ForecastRun).values(state="superseded"))
        session.add(ForecastRun(id=run_id, scope_kind="store", scope_id=STORE, state="published", horizon_days=14,
                                origin_day=TODAY - dt.timedelta(days=1), started_at=NOON))  # fmt: skip
        session.flush()
        for n in range(14):
            day = TODAY + dt.timedelta(days=n)
            session.add(ForecastQuantile(run_id=run_id, sku="milk", first_day=day, last_day=day, mean=mean, q50=mean,
                                         q75=mean, q90=mean, q95=mean, q99=mean))  # fmt: skip


def heard(network: House) -> tuple[str | None, list[float]]:
    with network.doors.read() as session:
        run = session.scalar(sa.select(ReportedForecast.run_id).where(ReportedForecast.store_id == STORE))
        return run, list(session.scalars(sa.select(ReportedDemand.per_day)))


def test_a_run_is_told_at_the_next_contact_and_never_again(house, sold, served):
    line = Watched()
    publish(house, "run-1", 2.5)
    for _ in range(3):
        assert contact(house, served, line).fault is None
    assert (line.reported, heard(sold)) == (1, ("run-1", [2.5]))
    publish(house, "run-2", 3.5)
    contact(house, served, line)
    assert (line.reported, heard(sold)) == (2, ("run-2", [3.5]))


def test_a_forecast_whose_answer_was_lost_stands_and_is_not_told_again(house, sold, served):
    publish(house, "run-1", 2.5)
    assert contact(house, served, Watched(loses=True)).fault
    line = Watched()
    assert contact(house, served, line).fault is None
    assert (line.reported, heard(sold)) == (0, ("run-1", [2.5]))


def test_a_network_that_does_not_ask_for_forecasts_is_told_none(house, sold, served):
    line = Watched(is_old=True)
    publish(house, "run-1", 2.5)
    assert contact(house, served, line).fault is None
    assert (line.reported, heard(sold)) == (0, (None, []))


def test_a_refused_forecast_says_why_once_and_costs_nothing_else_of_the_contact(house, sold, served):
    ids, line = append(house, 2), Watched()
    publish(house, "run-1", 9.0)
    done = contact(house, served, line)
    assert (done.delivered, done.fault) == (2, None)
    assert sorted(arrived(sold)) == sorted(ids)
    (why,) = done.refused
    assert why.startswith("The network did not take the forecast: forecast-too-high: ")
    assert contact(house, served, line).refused == []
    assert (line.reported, heard(sold)) == (1, (None, []))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((413, "<h1>Request Entity Too Large</h1>"), "it is too large to send"),
        ((422, '{"error": {"code": "bad-forecast", "message": "Not in a valid format."}}'), "it cannot be read"),
    ],
)
def test_a_forecast_that_cannot_be_read_there_is_told_once_and_the_next_one_again(house, sold, served, answers, said):
    line = Watched(answers=answers)
    publish(house, "run-1", 2.5)
    for _ in range(3):
        assert contact(house, served, line).fault is None
    assert line.reported == 1
    with house.doors.read() as session:
        why = reported_forecasts.refusal(session, STORE)
    for language, words in (("en", said), ("zh", "线路" if answers[0] == 413 else "无法读取")):
        with house.app.test_request_context(f"/?lang={language}"):
            assert words in forecast.not_taken(why)
    line.answers = None
    publish(house, "run-2", 3.5)
    contact(house, served, line)
    assert (line.reported, heard(sold)) == (2, ("run-2", [3.5]))
    with house.doors.read() as session:
        assert reported_forecasts.refusal(session, STORE) is None


def test_a_key_that_is_refused_is_no_word_about_the_forecast(house, sold, served):
    publish(house, "run-1", 2.5)
    body = '{"error": {"code": "bad-key", "message": "This key opens nothing."}}'
    done = contact(house, served, Watched(answers=(401, body)))
    assert (done.paused, done.refused) == (True, [])
    assert contact(house, served, Watched()).fault is None
    assert heard(sold) == ("run-1", [2.5])


@pytest.mark.parametrize("body", [b"", b"[]", b'{"version": 1}', b'{"version": 1, "run_id": "\\u0000"}', b"\xff"])
def test_what_is_no_forecast_is_refused_with_a_sentence(network, body):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = network.app.test_client().post("/api/sync/forecast", data=body, headers=headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad-forecast")


def test_the_first_form_ever_told_is_still_taken(sold):
    days = b"250000,300000,250000,300000,250000,300000,250000,0,0,0,0,0,0,0"
    body = b'{"version":1,"run_id":"01JNB","origin_day":"2026-03-01","products":{"milk":[' + days + b']},"new":1}'
    with sold.doors.write() as session:
        assert reported_forecasts.hear(session, STORE, wire.read_forecast(body).model_dump(), at=NOON) is None
    assert heard(sold) == ("01JNB", [pytest.approx(19 / 7)])
