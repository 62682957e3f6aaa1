"""Events for partners: each at least once and in order, signed, to public addresses alone, paused, replayed."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.nodes.journal import Context
from pos.catalogue import assortment
from pos.messages import OutgoingMessage
from pos.store import webhooks
from pos.store.webhooks import GIVE_UP, WebhookEndpoint
from store_app.api.v1 import events
from store_app.api.v1.resources import RESOURCES
from store_app.web.presenting import RAIL_COUNTS
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import SYSTEM, send, words

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """Give a store with products that may send events to this computer."""
    found = build(trusted_wires="127.0.0.1")
    office.fill(found)
    return found


@contextmanager
def receiver(status: Callable[[], int]) -> Iterator[tuple[str, list[tuple[int, dict[str, str], bytes]]]]:
    """Serve a partner's program; gives its address and what it was sent, each with what it answered."""
    heard: list[tuple[int, dict[str, str], bytes]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body, answer = self.rfile.read(int(self.headers["Content-Length"])), status()
            heard.append((answer, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/events?of=store", heard
    server.shutdown()
    server.server_close()
    thread.join()


def ctx(house: House, session: Any) -> Context:
    return Context(session, SYSTEM, house.clock.now())


def listen(house: House, url: str, *resources: str) -> str:
    """Add an address and return its secret."""
    with house.doors.write() as session:
        return webhooks.make(ctx(house, session), STORE, "hook-0001", url, resources or ("prices",))


def change(house: House, sku: str, price_minor: int) -> None:
    with house.doors.write() as session:
        day = NOON.date() + dt.timedelta(days=1)
        assortment.set_price(ctx(house, session), STORE, sku, price_minor, day, today=NOON.date())


def work(house: House) -> tuple[int, int]:
    events.write_due(house.doors)
    return events.send_due(house.doors)


def later(house: House, by: dt.timedelta) -> None:
    house.clock.set(house.clock.now() + by)


def states(house: House) -> list[str]:
    with house.doors.read() as session:
        return list(session.scalars(sa.select(OutgoingMessage.state).order_by(OutgoingMessage.id)))


def row_of(house: House) -> WebhookEndpoint:
    with house.doors.read() as session:
        return webhooks.endpoint_of(session, STORE, "hook-0001")


def price_of(body: bytes) -> tuple[str, int]:
    data = json.loads(body)["data"]
    return data["sku"], data["prices"][0]["price_minor"]


@pytest.mark.parametrize("seed", range(3))
def test_a_receiver_that_fails_half_the_time_gets_every_event_in_order_per_row(house: House, seed: int):
    chosen = random.Random(seed)
    said = {"milk": [], "tea": [], "soap": []}
    with receiver(lambda: chosen.choice([204, 503])) as (url, heard):
        listen(house, url)
        for n in range(1, 31):
            sku = chosen.choice([*said])
            change(house, sku, n)
            said[sku].append(n)
            work(house)
            later(house, MINUTE)
        while "waiting" in states(house):
            later(house, MINUTE)
            work(house)
    taken: dict[str, list[int]] = {sku: [] for sku in said}
    ids = {}
    for status, headers, body in heard:
        sku, price = price_of(body)
        assert ids.setdefault((sku, price), headers["webhook-id"]) == headers["webhook-id"], "sent again by the same id"
        if status == 204:
            taken[sku].append(price)
    assert taken == said
    assert len(heard) > 30, "some failed"


def test_an_event_is_signed_as_standard_webhooks_says(house: House):
    """The figures are the standard's own example."""
    example = webhooks.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert example == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with receiver(lambda: 200) as (url, heard):
        secret = listen(house, url, "prices", "products")
        change(house, "milk", 99)
        assert work(house) == (2, 0)
    for _, headers, body in heard:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{right}"
        assert int(headers["webhook-timestamp"]) == int(NOON.timestamp())
    assert {json.loads(body)["type"] for _, _, body in heard} == {"products.changed", "prices.changed"}


def test_an_event_carries_the_row_as_the_lists_answer_it(house: House):
    resource = next(one for one in RESOURCES if one.name == "prices")
    with receiver(lambda: 200) as (url, heard):
        listen(house, url)
        change(house, "milk", 99)
        work(house)
    with house.doors.read() as session:
        (row,) = resource.read(session, STORE, ["milk"])
    assert json.loads(heard[0][2])["data"] == row.model_dump(mode="json")


def test_what_is_not_asked_for_or_was_before_is_not_sent(house: House):
    change(house, "milk", 98)
    with receiver(lambda: 200) as (url, heard):
        listen(house, url, "deliveries")
        change(house, "milk", 99)
        assert work(house) == (0, 0)
    assert heard == []


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://10.0.0.5/x", "private-address"), ("https://127.0.0.2/x", "private-address"),
        ("https://169.254.169.254/x", "private-address"), ("https://[::1]/x", "private-address"),
        ("https://[::ffff:10.0.0.5]/x", "private-address"), ("https://[fd00::1]/x", "private-address"),
        ("https://[64:ff9b::a00:5]/x", "private-address"), ("https://[2002:a00:5::]/x", "private-address"),
        ("https://0.0.0.0/x", "private-address"), ("https://224.0.0.1/x", "private-address"),
        ("https://localhost/x", "private-address"), ("http://93.184.216.34/x", "open-wire"),
    ],
)  # fmt: skip
def test_no_event_goes_inside_a_private_network_or_over_an_open_wire(house: House, address: str, code: str):
    with pytest.raises(Refused) as refused:
        events.public_address(address, house.doors.settings)
    assert refused.value.code == code
    listen(house, address)
    change(house, "milk", 99)
    assert work(house) == (0, 1)
    assert states(house) == ["waiting"]


def test_the_address_that_was_judged_is_the_one_that_is_asked(house: House, monkeypatch: pytest.MonkeyPatch):
    """A name that is public when it is judged and private when it is asked (DNS rebinding) leads nowhere inside."""
    assert events.public_address("https://93.184.216.34/x", house.doors.settings) == "93.184.216.34"
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    asked: list[str] = []
    monkeypatch.setattr(events.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(events.outgoing, "client", lambda home, **_: asked.append(home) or _away())
    listen(house, "https://rebinding.example/x")
    change(house, "milk", 99)
    assert work(house) == (0, 1)
    assert asked == ["https://93.184.216.34:443"]


def _away() -> Any:
    raise OSError("away")


def test_an_endpoint_that_answers_none_for_days_is_paused_says_so_and_goes_on_when_resumed(house: House):
    answer = 500
    with receiver(lambda: answer) as (url, heard):
        listen(house, url)
        change(house, "milk", 1)
        while row_of(house).paused_at is None:
            work(house)
            later(house, dt.timedelta(hours=1))
        assert house.clock.now() - NOON >= GIVE_UP
        tried = len(heard)
        change(house, "milk", 2)
        work(house)
        assert (len(heard), states(house)) == (tried, ["waiting", "waiting"]), "nothing is sent, nothing is lost"
        client = house.signed_in()
        assert "Paused" in words(client.get("/partners/"))
        with house.doors.read() as session:
            assert RAIL_COUNTS["partners"](session, STORE) == 1
        answer = 200
        assert send(client, "/partners/webhooks/hook-0001/resume").status_code == 303
        assert work(house) == (2, 0)
    assert [price_of(body)[1] for _, _, body in heard[tried:]] == [1, 2]


def test_an_endpoint_that_is_gone_for_good_is_paused_at_once(house: House):
    with receiver(lambda: 410) as (url, _):
        listen(house, url)
        change(house, "milk", 1)
        work(house)
    assert row_of(house).paused_at == NOON


def test_after_some_failures_in_a_row_the_rest_waits(house: House):
    with receiver(lambda: 500) as (url, heard):
        listen(house, url)
        for sku in ("milk", "tea", "soap", "beer", "bread"):
            change(house, sku, 1)
        assert work(house) == (0, events.FAILURES)
    assert len(heard) == events.FAILURES


def test_a_full_queue_loses_nothing(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webhooks, "MOST_WAITING", 1)
    answer = 500
    with receiver(lambda: answer) as (url, heard):
        listen(house, url)
        for n in range(1, 4):
            change(house, "milk", n)
            work(house)
        assert states(house) == ["waiting"]
        answer = 200
        later(house, dt.timedelta(hours=2))
        for _ in range(3):
            work(house)
    assert price_of(heard[-1][2]) == ("milk", 3)


def test_a_replay_sends_again_what_changed_since_a_day(house: House):
    with receiver(lambda: 200) as (url, heard):
        listen(house, url)
        change(house, "milk", 1)
        work(house)
        later(house, dt.timedelta(days=2))
        change(house, "tea", 2)
        work(house)
        client, page = house.signed_in(), "/partners/webhooks/hook-0001"
        assert send(client, f"{page}/replay", since="2026-03-03").status_code == 303
        assert work(house) == (1, 0)
        assert send(client, f"{page}/replay", since="2026-03-01").status_code == 303
        work(house)
        assert "Last events" in words(client.get(page))
        assert send(client, f"{page}/replay", since="").status_code == 422
    told = [price_of(body)[0] for _, _, body in heard]
    assert told[:3] == ["milk", "tea", "tea"]
    assert set(told[3:]) >= {"milk", "tea"}
    assert len({headers["webhook-id"] for _, headers, _ in heard}) == len(heard)


def test_an_address_is_added_with_its_secret_shown_once_and_removed(house: House):
    client = house.signed_in()
    asked = {"url": "https://example.com/events", "resource": ["sales", "stock"], "command_id": "hook-0001"}
    answer = send(client, "/partners/webhooks", **asked)
    secret = "whsec_" + answer.text.split("whsec_")[1].split("<")[0]
    assert secret not in client.get("/partners/").text
    with house.doors.read() as session:
        row = session.scalars(sa.select(WebhookEndpoint)).one()
        assert webhooks.secret(session, row) == secret
        assert secret not in str(vars(row)), "only its salt is kept"
    for wrong in ({"url": "ftp://x"}, {"url": "https://user:word@example.com"}, {"resource": []}, {"resource": ["x"]}):
        assert send(client, "/partners/webhooks", **(asked | {"command_id": "hook-0002"} | wrong)).status_code == 422
    change(house, "milk", 1)
    work(house)
    assert send(client, "/partners/webhooks/hook-0001/remove").status_code == 303
    assert states(house) == []
    assert client.get("/partners/webhooks/hook-0001").status_code == 404


def test_events_that_were_taken_are_deleted_after_a_month(house: House):
    with receiver(lambda: 200) as (url, _):
        listen(house, url)
        change(house, "milk", 1)
        work(house)
    for days, left in ((29, ["sent"]), (31, [])):
        with house.doors.write() as session:
            webhooks.forget(session, at=NOON + dt.timedelta(days=days))
        assert states(house) == left
