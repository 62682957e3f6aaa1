"""What a store pulls, which node it is, and the settings it begins with."""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys

import pytest

from config.database import Database
from config.errors import Conflict, Invalid, NotFound
from config.ids import NETWORK
from config.nodes import node, publication
from config.nodes.journal import canonical
from config.settings import load
from tests.builders import NOON, open_database


@pytest.fixture
def database(tmp_path) -> Database:
    """Give an empty database."""
    return open_database(tmp_path / "node.db")


# --- publication ---


def pull(database: Database, version: int, body: dict, *, sha256: str | None = None, effect=None) -> bool:
    text = canonical(body)
    given = sha256 or hashlib.sha256(text.encode()).hexdigest()
    with database.write() as session:
        return publication.take_over(
            session, "catalogue", version, given, NOON, text, effect or (lambda *_: None), at=NOON
        )


def test_the_version_rises_only_when_the_content_changes(database):
    versions = []
    for body in ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 1}):
        with database.write() as session:
            versions.append(publication.publish(session, "catalogue", "*", body, at=NOON).version)
    assert versions == [1, 1, 2, 3]


def test_the_nearest_scope_goes_first(database):
    with database.write() as session:
        for scope in ("*", "north"):
            publication.publish(session, "catalogue", scope, {"for": scope}, at=NOON)
        session.flush()
        found = publication.edition_for(session, "catalogue", ["S01", "north", "*"])
        assert found is not None
        assert found.scope_id == "north"
        assert publication.edition_for(session, "forecast", ["*"]) is None


def test_a_pull_is_applied_once_and_never_goes_back(database):
    seen: list[dict] = []
    assert pull(database, 3, {"n": 3}, effect=lambda _, body: seen.append(body))
    assert not pull(database, 3, {"n": 3}, effect=lambda _, body: seen.append(body))
    with pytest.raises(Conflict) as refusal:
        pull(database, 2, {"n": 2}, effect=lambda _, body: seen.append(body))
    assert (refusal.value.code, refusal.value.facts["ours"]) == ("older-edition", 3)
    assert pull(database, 4, {"n": 4}, effect=lambda _, body: seen.append(body))
    assert seen == [{"n": 3}, {"n": 4}]


def test_a_damaged_or_half_applied_pull_leaves_the_old_edition(database):
    pull(database, 1, {"n": 1})
    with pytest.raises(Invalid, match="arrived damaged"):
        pull(database, 2, {"n": 2}, sha256="0" * 64)

    def half(session, _body) -> None:
        publication.publish(session, "half", "*", {}, at=NOON)
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pull(database, 2, {"n": 2}, effect=half)
    with database.read() as session:
        assert session.get_one(publication.Pulled, "catalogue").version == 1
        assert publication.edition_for(session, "half", ["*"]) is None


# --- node ---


def test_a_database_belongs_to_one_node(database):
    with database.write() as session:
        with pytest.raises(NotFound):
            node.this_node(session)
        epoch = node.found(session, "S01", at=NOON).epoch
        assert node.found(session, "S01", at=NOON).epoch == epoch
        with pytest.raises(NotFound, match="belongs to S01"):
            node.found(session, "S02", at=NOON)
        assert node.new_epoch(session) != epoch


def test_a_sidecar_is_read_back_and_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "S01.sidecar.json"
    assert node.read_sidecar(path) is None
    node.write_sidecar(path, epoch="e", n=7, head="h")
    assert node.read_sidecar(path) == {"epoch": "e", "n": 7, "head": "h"}
    path.write_text('{"epoch": "e", "n"', encoding="utf-8")
    with pytest.raises(Invalid, match="next to the database is damaged"):
        node.read_sidecar(path)
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("sidecar", "n", "head_at", "restored"),
    [
        (None, 7, "h", False),
        ({"epoch": "e", "n": 7, "head": "h"}, 7, "h", False),
        ({"epoch": "e", "n": 7, "head": "h"}, 9, "h", False),  # killed before the sidecar was written
        ({"epoch": "e", "n": 7, "head": "h"}, 5, None, True),  # an older copy was put back
        ({"epoch": "e", "n": 7, "head": "h"}, 9, "other", True),  # an older copy lived on
        ({"epoch": "another", "n": 7, "head": "h"}, 9, "h", True),
    ],
)
def test_a_restored_database_is_noticed_by_its_sidecar(sidecar, n, head_at, restored):
    assert node.was_restored(sidecar, epoch="e", n=n, head_at=head_at) is restored


# --- settings ---


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Take the machine's own settings away."""
    for name in list(os.environ):
        if name.startswith("CORNERSTORE_"):
            monkeypatch.delenv(name)
    return monkeypatch


def test_every_fault_of_the_settings_is_reported_at_once(bare, tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text('role = "warehouse"\nport = 99999\nthreads = 1\ncolour = "red"\n', encoding="utf-8")
    bare.setenv("CORNERSTORE_SETTINGS", str(path))
    bare.setenv("CORNERSTORE_PRINTER_COLUMNS", "40")
    bare.setenv("CORNERSTORE_FORECAST_CLUSTER", "cluster.example")
    with pytest.raises(Invalid) as refusal:
        load(threads=2000)
    reported = refusal.value.facts["faults"]
    assert len(reported) == 6
    written = [f"{name} in {path}: " for name in ("role", "port", "colour")]  # a key is named with where it stands
    for begins in (*written, "threads: ", "printer_columns (CORNERSTORE_PRINTER_COLUMNS): "):
        assert any(fault.startswith(begins) for fault in reported), begins
    assert any(fault.endswith("tcp://host:8786") for fault in reported)


def test_a_label_printer_is_no_receipt_printer_and_the_settings_say_what_to_write_instead(bare, tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text('node_id = "S01"\npractice = true\nprinter_profile = "ZPL-203 62x40"\n', encoding="utf-8")
    bare.setenv("CORNERSTORE_SETTINGS", str(path))
    with pytest.raises(Invalid) as refusal:
        load()
    assert f"printer_profile in {path}: 'ZPL-203 62x40' is a label printer" in str(refusal.value)
    assert "write the receipt printer's name, such as TM-T88V, or default" in str(refusal.value)


@pytest.mark.parametrize(
    ("country", "known"), [("DE-BW", True), ("", True), ("QQ", False), ("EU", False), ("DEU", False), ("utils", False)]
)
def test_a_country_that_is_none_is_refused_with_the_way_to_write_it(bare, country, known):
    if known:
        assert load(node_id="S01", practice=True, country=country).country == country
    else:
        with pytest.raises(Invalid, match=f"country: '{country}' is no country: write it as US, CN or DE"):
            load(node_id="S01", practice=True, country=country)


def test_arguments_go_before_the_environment_and_that_before_the_file(bare, tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text('node_id = "S01"\nport = 8001\nhost = "0.0.0.0"\npractice = true\n', encoding="utf-8")
    bare.setenv("CORNERSTORE_SETTINGS", str(path))
    bare.setenv("CORNERSTORE_PORT", "8002")
    settings = load(host="127.0.0.2")
    assert (settings.node_id, settings.port, settings.host) == ("S01", 8002, "127.0.0.2")
    assert settings.database_url.endswith("S01.db")
    assert settings.sidecar.name == "S01.sidecar.json"


@pytest.mark.parametrize(("given", "missing"), [({"practice": True}, "node_id"), ({"node_id": "S01"}, "secret_key")])
def test_a_node_does_not_begin_without_what_it_needs(bare, given, missing):
    with pytest.raises(Invalid, match=missing):
        load(**given)


@pytest.mark.parametrize("content", [None, "port = ", b"\xff\xfe"])
def test_a_settings_file_that_cannot_be_read_is_named(bare, tmp_path, content):
    path = tmp_path / "shop.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    bare.setenv("CORNERSTORE_SETTINGS", str(path))
    with pytest.raises(Invalid, match=r"settings file .* cannot be read"):
        load(node_id="S01")


def test_the_networks_node_has_one_name(bare):
    assert load(role="network", node_id="whatever", practice=True).node_id == NETWORK


def test_secrets_never_reach_the_log():
    from config.log import hide_secrets

    event = hide_secrets(None, "info", {"event": "x", "pin": "2468", "store_key": "k", "pinned": 1, "at": dt.UTC})
    assert (event["pin"], event["store_key"], event["pinned"]) == ("…", "…", 1)


def test_whatever_somebody_typed_is_one_line_of_the_log_and_no_command_to_a_terminal():
    typed = 'a\n{"event": "signin.good"}\r\u2028\u0085\x1b[31m\x00'
    words = f"from config import log; log.set_up(); log.structlog.get_logger().info('typed', text={typed!a})"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["text"] == typed
    assert line.isprintable()
