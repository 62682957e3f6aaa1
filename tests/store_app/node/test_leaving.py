"""A store leaves its network from its page, over a real line, and sells on; the network's pages say so."""

import csv
import io
import tomllib
import zipfile

import pytest
import sqlalchemy as sa

from config import migrate
from config.nodes import signing_keys
from config.nodes.journal import Actor, Context
from config.settings import load
from pos.store import joining
from pos.store.store import Store, keys_of
from store_app.files.take_out import SECRET_TABLES
from store_app.jobs import forecast, jobs, publishing
from store_app.jobs.desk import Desk
from store_app.node import founding, leaving
from store_app.web import staff
from supply.membership import leaving as departures
from supply.money.held_payments import Escrow
from tests.builders import OpenStore
from tests.store_app.conftest import KEY, NOON, STORE, House
from tests.store_app.office import fill, send, words

PIN = staff.PRACTICE_PINS["shopkeeper"]
ADDRESS = "/settings/network"


@pytest.fixture
def member(build, served, tmp_path, monkeypatch) -> House:
    """Give a member store with its settings file."""
    file = tmp_path / "store.toml"
    founding.write_settings(file, "port = 0", {"node_id": STORE, "network_url": served, "network_key": KEY})
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(file))
    return build(network_url=served, network_key=KEY)


def sync(house: House, times: int = 1) -> str:
    desk = Desk(house.doors)
    return [jobs.send(desk, NOON.date()) for _ in range(times)][-1]


def state(house: House) -> str:
    with house.doors.read() as session:
        row = departures.last(session, STORE)
        return row.state if row else ""


def leave(house: House) -> None:
    assert send(house.signed_in(), f"{ADDRESS}/ask", pin=PIN).status_code == 303


def test_a_store_leaves_forgets_the_network_and_sells_on(member, network, tmp_path):
    sync(member)
    key = member.doors.settings.signing_key
    assert key.exists()
    keeper = member.signed_in()
    assert f'href="{ADDRESS}/"' in keeper.get("/settings/").text
    page = words(keeper.get(f"{ADDRESS}/"))
    assert "Your online store will close." in page
    assert "Nothing is open here." in page
    leave(member)
    assert "The network has not answered yet." in words(keeper.get(f"{ADDRESS}/"))
    assert sync(member, 2) == "left the network"
    assert state(member) == "left"
    settings = member.doors.settings
    assert (settings.network_url, settings.network_key, settings.public_url, key.exists()) == ("", "", "", False)
    said = tomllib.loads((tmp_path / "store.toml").read_text())
    assert said == {"node_id": STORE, "port": 0}
    assert sync(member) == "on its own"
    assert "This store works on its own" in words(keeper.get("/settings/"))
    assert "This store has left the network" in words(keeper.get(f"{ADDRESS}/"))
    assert f'href="{ADDRESS}/"' not in keeper.get("/settings/").text
    with network.doors.read() as session:
        assert [one.revoked_at for one in keys_of(session, STORE)] != [None]
        assert {one.state for one in signing_keys.of(session, STORE)} == {"withdrawn"}


def test_the_network_s_pages_say_that_it_left_and_nothing_is_worked_out_for_it(member, network):
    sync(member)
    leave(member)
    sync(member, 2)
    operator = network.signed_in("operator")
    page = words(operator.get(f"/console/stores/{STORE}"))
    assert "This store left the network on Mon, Mar 2." in page
    assert "create a joining code" in page
    assert "left on Mon, Mar 2" in words(operator.get("/console/stores/"))
    assert publishing.publish_all(network.doors, NOON.date()) == 1, "the other store alone"
    with network.doors.write() as session:
        session.execute(sa.update(Store).where(Store.id == "S02").values(has_node=False))
    desk = Desk(network.doors, compute=lambda _function, loaded, *_far: [])
    with pytest.raises(
        RuntimeError, match="none of 1 stores could be forecast"
    ):  # without sales; the other store alone
        forecast.forecast_stores(desk, NOON.date())


@pytest.mark.parametrize(("role", "pin", "status"), [("supervisor", PIN, 403), ("shopkeeper", "0000", 422)])
def test_only_a_shopkeeper_leaves_and_only_with_the_pin(member, role, pin, status):
    answer = send(member.signed_in(role), f"{ADDRESS}/ask", pin=pin)
    assert answer.status_code == status
    assert state(member) == ""


def test_what_is_open_leads_to_where_it_is_settled_and_keeps_the_store(member):
    fill(member)
    keeper = member.signed_in()
    page = keeper.get(f"{ADDRESS}/").text
    for href in ("/deliveries/", "/pickup/"):
        assert f'<a href="{href}">' in page
    assert f'action="{ADDRESS}/ask"' not in page
    refused = send(keeper, f"{ADDRESS}/ask", pin=PIN)
    assert refused.status_code == 409
    assert "Settle what is still open first." in words(refused)


def test_what_the_network_says_is_open_is_shown_until_it_is_asked_again(member, network):
    sync(member)
    with network.doors.write() as session:
        held = Escrow(
            id="e1", store_id=STORE, purpose="pickup", amount_minor=5, currency="USD", provider="practice",
            state="held", opened_at=NOON, pay_by=NOON,
        )  # fmt: skip
        session.add(held)
    leave(member)
    sync(member, 2)
    page = words(member.signed_in().get(f"{ADDRESS}/"))
    assert "Still open at the network" in page
    assert "Online payments on hold" in page
    assert member.doors.settings.network_url


def test_without_a_line_the_request_waits_and_is_called_off(member, network):
    sync(member)
    leave(member)
    keeper = member.signed_in()
    assert send(keeper, f"{ADDRESS}/stay").status_code == 303
    sync(member, 2)
    assert state(member) == "called_off"
    assert member.doors.settings.network_url
    with network.doors.read() as session:
        assert session.get_one(Store, STORE).left_on is None
    assert f'action="{ADDRESS}/ask"' in keeper.get(f"{ADDRESS}/").text


def test_a_lost_last_answer_leaves_no_store_between_two_chairs(member, network):
    """The network has taken the store's last word, and with it the keys; the store never heard so."""
    sync(member)
    leave(member)
    sync(member)
    assert state(member) == "granted"
    with network.doors.write() as session:
        ctx = Context(session, Actor.system("test", "network"), NOON)
        row = departures.last(session, STORE)
        departures.take_word(ctx, departures.LeaveSaid(STORE, row.id, "heard", row.asked_by, row.asked_at))
    assert sync(member) == "left the network"
    assert state(member) == "left"


def test_killed_before_the_settings_forgot_the_network_the_next_start_lets_them(member, tmp_path):
    sync(member)
    leave(member)
    sync(member)
    with member.doors.write() as session:
        departures.go(Context(session, Actor.system("leave", STORE), NOON), STORE)
    assert "network_key" in (tmp_path / "store.toml").read_text()
    assert sync(member) == "on its own"
    assert "network_key" not in (tmp_path / "store.toml").read_text()
    assert not member.doors.settings.signing_key.exists()


def test_a_running_server_and_a_setting_outside_the_file_follow_the_books(member):
    sync(member)
    assert not leaving.follow(member.doors)
    leave(member)
    sync(member)
    assert not leaving.follow(member.doors), "it was let go, and has a word to send"
    url = member.doors.settings.network_url
    sync(member)
    member.doors.settings.network_url = url
    assert leaving.follow(member.doors)
    assert member.doors.settings.network_url == ""


def test_a_store_that_left_joins_again_with_a_new_code(member, network, served, tmp_path):
    sync(member)
    leave(member)
    sync(member, 2)
    with network.doors.write() as session:
        code = joining.invite(Context(session, Actor.system("test", "network"), NOON), STORE)
    with member.doors.write() as session:
        session.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": migrate.newest()})
    folder = member.doors.settings.state_folder
    file = tmp_path / "store.toml"
    founding.write_settings(
        file, "port = 0", {"node_id": STORE, "state_folder": folder.as_posix(), "secret_key": "k" * 32}
    )
    founding.join_network(file, folder, served, code, "", port=0)
    assert load().network_url == served
    assert state(member) == "returned"
    with network.doors.read() as session:
        store = session.get_one(Store, STORE)
        assert (store.has_node, store.left_on) == (True, None)


def test_one_s_data_comes_as_a_zip_file_and_nothing_is_left_behind(member):
    OpenStore(member.doors.database, member.clock, STORE)
    answer = send(member.signed_in(), f"{ADDRESS}/data")
    assert answer.status_code == 200
    assert f"{STORE}-2026-03-02.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        stores = list(csv.DictReader(io.StringIO(packed.read("store.csv").decode())))
        assert not {f"{name}.csv" for name in SECRET_TABLES} & set(packed.namelist())
    assert [one["id"] for one in stores] == [STORE]
    answer.close()
    assert list(member.doors.settings.state_folder.glob("*.zip")) == []
