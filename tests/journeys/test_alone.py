"""A store on its own: from `cornerstore init` to the first sale, by what the commands and the pages say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from config import settings
from store_app.app import create_app
from store_app.commands.cli import main
from tests.store_app.conftest import post, token
from tests.store_app.office import send, words

SALE = "0190b3a2-7c1e-7b5a-9f3e-000000000001"
MILK = {"name": "Milk", "category": "Dairy", "tax_class_id": "S01-food", "stock_unit": "each", "kind": "goods",
        "price": "1.29", "cost": "", "code": "4006381333931"}  # fmt: skip


def run(*typed: str) -> tuple[int, str]:
    """Type a command; gives how it ended and what it said."""
    ended = CliRunner().invoke(main, list(typed))
    return ended.exit_code, ended.output


@pytest.fixture
def visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """Give a browser before the node of a store that `init` made and nobody founded."""
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(tmp_path / "cornerstore.toml"))
    status, said = run("init", "--node-id", "S01", "--folder", str(tmp_path / "state"))
    assert (status, "cornerstore store add S01 --name … --currency … --tz …" in said) == (0, True)
    app = create_app(settings.load())
    yield app.test_client()
    app.extensions["cornerstore"].database.engine.dispose()


def test_each_command_finds_the_settings_the_one_before_it_made_in_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for typed in (
        ("init", "--node-id", "S01"),
        ("store", "add", "S01", "--name", "Corner", "--currency", "EUR", "--tz", "Europe/Berlin"),
        ("staff", "add", "--name", "Wei", "--role", "shopkeeper", "--pin", "8642"),
        ("doctor", "--json"),
    ):
        monkeypatch.setenv("CORNERSTORE_SETTINGS", "")
        monkeypatch.delenv("CORNERSTORE_SETTINGS")  # each is typed again, into a program that knows nothing yet
        _status, said = run(*typed)
        assert "Correct the settings" not in said, (typed, said)
    assert (tmp_path / "cornerstore-state" / "S01.db").is_file()


@pytest.mark.parametrize("command", ["serve", "work"])
def test_nothing_begins_before_the_shop_is_founded_and_every_door_says_how(visitor: FlaskClient, command: str):
    status, said = run(command)
    assert (status, "cornerstore store add S01" in said, "Traceback" in said) == (1, True, False)
    for address in ("/", "/signin", "/till/"):
        answer = visitor.get(address, follow_redirects=True)
        assert (answer.status_code, "cornerstore store add S01" in words(answer)) == (409, True)


def test_the_steps_lead_a_shop_on_its_own_to_its_first_sale(visitor: FlaskClient):
    status, said = run("store", "add", "S01", "--name", "Corner", "--currency", "EUR", "--tz", "Europe/Berlin")
    assert (status, "cornerstore serve" in said) == (0, True)
    assert post(visitor, "/first", name="Wei", pin="8642").headers["Location"] == "/first-steps/"
    steps = words(visitor.get("/first-steps/"))
    assert "Add your products" in steps
    assert "online" not in steps  # which a network serves, and there is none
    for address in ("/products/", "/stock/", "/orders/"):
        first = visitor.get(address)
        assert "No products yet" in words(first)
        assert 'href="/products/new"' in first.text
        assert "Nothing found" not in words(first)
    assert "Online stores need a network. This store runs" in words(visitor.get("/settings/online-shop/"))
    assert "Nothing found" in words(visitor.get("/products/?q=milk"))  # a search somebody made

    assert 'href="/taxes/"' in visitor.get("/products/new").text
    first = send(visitor, "/taxes/", name="Food", rate="7", prices="inclusive")
    assert first.headers["Location"] == "/products/new"
    made: Any = send(visitor, "/products/new", **MILK)
    assert made.status_code == 303, words(made)
    assert "shelf by shelf with Stock take" in words(visitor.get("/first-steps/"))
    assert "Stock take" in words(visitor.get("/stock/"))  # where that step leads
    asked = words(visitor.get("/orders/"))
    assert "No suppliers yet" in asked
    assert "forecast" not in asked
    send(visitor, "/orders/propose")
    assert "Nothing to order now. Stock lasts beyond the" not in words(visitor.get("/orders/"))

    visitor.environ_base["HTTP_X_CSRF_TOKEN"] = token(visitor)
    assert visitor.post("/api/shifts", json={"till_id": "T1", "float_minor": 5000}).status_code == 201
    sale = {
        "id": SALE, "till_id": "T1", "lines": [{"sku": visitor.get("/api/scan/4006381333931").json["product"]["sku"],
                                                "qty": 2}],
        "tenders": [{"tender": "cash", "amount_minor": 500}], "shown_total_minor": 258,
    }  # fmt: skip
    assert visitor.post("/api/sales", json=sale).status_code == 201
    assert visitor.get("/first-steps/").text.count("lesson-tile done") == 3  # goods, till, sale
