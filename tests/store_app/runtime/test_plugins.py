"""Payment services as plug-ins: installed, entered, used in a sale, sealed; what is broken stops nobody."""

import json
import sys
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from hatchling.builders.wheel import WheelBuilder

from config.nodes.journal import JournalEntry
from config.plugins import Drawer, Plugin, forget
from pos.payments.providers import PAYMENTS, Provider
from pos.payments.requests import OPEN
from store_app.node import backup
from store_app.payments.providers import providers
from store_app.runtime import plugins
from tests.store_app import office
from tests.store_app.api.test_payments import browser, stock_milk, take
from tests.store_app.conftest import House
from tests.store_app.office import send, words
from tests.store_app.pages.console.test_operators import OWN, TWO, let_in

PACKAGE = Path(__file__).parents[2] / "plugin_package"
ENTERED = {"merchant": "4711", "key": "very-secret-key", "fast": "yes"}


def install(folder: Path, name: str, text: str, *groups: str) -> None:
    """Install a module as a package with a plug-in of this name at each of the doors."""
    (folder / f"plugin_{name}.py").write_text(text)
    note = folder / f"{name}-1.dist-info"
    note.mkdir()
    (note / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    points = "".join(f"[{group}]\n{name} = plugin_{name}:PLUGIN\n" for group in groups)
    (note / "entry_points.txt").write_text(points)
    unload()


def unload() -> None:
    """Forget the plug-ins and their modules: the next ones lie in another folder."""
    forget()
    for module in [one for one in sys.modules if one.startswith(("plugin_", "corner_pay"))]:
        del sys.modules[module]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install the package of `tests/plugin_package` as its wheel, beside others that are broken."""
    folder = tmp_path / "site"
    wheel = next(WheelBuilder(str(PACKAGE)).build(directory=str(tmp_path), versions=["standard"]))
    zipfile.ZipFile(wheel).extractall(folder)
    broken = {
        "raises": "raise OSError('no driver')", "none": "PLUGIN = 7",
        "old": "from config.plugins import Plugin\nfrom corner_pay import Account, CornerPay\n"
               "PLUGIN = Plugin('old', 'Old', Account, CornerPay, api=0)",
    }  # fmt: skip
    for name, text in broken.items():
        install(folder, name, text, PAYMENTS.group)
    for n in "12":
        note = folder / f"twice{n}-1.dist-info"
        note.mkdir()
        (note / "METADATA").write_text(f"Metadata-Version: 2.1\nName: twice{n}\nVersion: 1\n")
        (note / "entry_points.txt").write_text(f"[cornerstore.payments]\ntwice = twice{n}:PLUGIN\n")
    monkeypatch.syspath_prepend(str(folder))
    unload()
    yield
    unload()


def entered(house: House):
    client = browser(house, "shopkeeper")
    assert send(client, "/plugins/payments/corner-pay", **ENTERED).status_code == 303
    return client


def test_an_installed_service_takes_the_money_of_a_real_sale_and_gives_it_back(installed, house):
    stock_milk(house)
    client = entered(house)
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201
    paid = take(client, 100)
    assert (paid["state"], paid["reference"]) == ("captured", "4711-1")
    assert providers(house.doors.settings).named("corner-pay").ways == {"terminal"}
    stopped = client.post(f"/api/payments/{paid['id']}/cancel").get_json()
    assert stopped["state"] in ("captured", "reversed")
    asked = json.loads(
        (plugins.drawer(PAYMENTS, house.doors.settings).own_folder("corner-pay") / "asked.json").read_text()
    )
    assert sorted(asked.values()) == [100, 100], "taken once, given back once"


def test_a_secret_is_sealed_never_shown_kept_when_left_empty_and_in_no_copy(installed, house):
    client = entered(house)
    backup.make(house.doors)
    told = [path.read_bytes() for path in house.doors.settings.state_folder.rglob("*") if path.is_file()]
    assert not any(b"very-secret-key" in one for one in told)
    assert "very-secret-key" not in client.get("/plugins/payments/corner-pay").text
    assert send(client, "/plugins/payments/corner-pay", merchant="4712", key="").status_code == 303
    kept = plugins.drawer(PAYMENTS, house.doors.settings).read("corner-pay")
    assert kept == {"merchant": "4712", "key": "very-secret-key", "fast": False}
    query = sa.select(JournalEntry.body).where(JournalEntry.verb == "plugin.set_up")
    with house.doors.read() as session:
        said = [json.loads(body)["fields"] for body in session.scalars(query.order_by(JournalEntry.n))]
    assert said == [["fast", "key", "merchant"], ["fast", "merchant"]]


def test_a_secret_nobody_typed_is_sent_to_no_other_address(house):
    client, door = browser(house, "shopkeeper"), "/plugins/payments/stripe-terminal"
    given = {"secret_key": "sk_test_abc", "address": "https://api.stripe.com", "readers": "tmr_F2"}
    assert send(client, door, **given).status_code == 303
    elsewhere = given | {"secret_key": "", "address": "https://stripe.example"}
    answer = send(client, door, **elsewhere)
    assert (answer.status_code, "address has changed" in words(answer)) == (422, True)
    kept = plugins.drawer(PAYMENTS, house.doors.settings)
    assert kept.read("stripe-terminal") == given
    assert send(client, door, **given | {"secret_key": ""}).status_code == 303, "the same address keeps it"
    assert send(client, door, **elsewhere | {"secret_key": "sk_test_other"}).status_code == 303


def test_another_nodes_secret_opens_nothing_and_the_page_says_to_enter_it_again(installed, house):
    client = entered(house)
    settings = house.doors.settings
    other = Drawer(PAYMENTS.name, settings.state_folder, "another secret")
    other.write("corner-pay", {"merchant": "4711", "key": "stolen"})
    assert "Enter them again" in words(client.get("/plugins/payments/"))
    assert plugins.made(PAYMENTS, settings) == {}
    assert send(client, "/plugins/payments/corner-pay", **ENTERED).status_code == 303
    assert set(plugins.made(PAYMENTS, settings)) == {"corner-pay"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"merchant": "abcde"}, "has digits only"), ({"merchant": "1"}, "Fill in this field"),
        ({"merchant": ""}, "Fill in this field"), ({"key": ""}, "Fill in this field"),
        ({"key": "x" * 9_000}, "too long"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_said_beside_it_and_nothing_is_kept(installed, house, wrong, said):
    client = browser(house, "shopkeeper")
    answer = send(client, "/plugins/payments/corner-pay", **(ENTERED | wrong))
    assert answer.status_code == 422
    assert said in words(answer)
    assert "very-secret-key" not in answer.text
    assert plugins.drawer(PAYMENTS, house.doors.settings).names() == ()


def test_broken_services_are_said_on_the_page_and_stop_no_other(installed, house):
    client = entered(house)
    for name in ("raises", "none", "old", "twice", "gone"):
        plugins.drawer(PAYMENTS, house.doors.settings).write(name, {"merchant": "4711", "key": "k"})
    shown = words(client.get("/plugins/payments/"))
    for sentence in ("can’t be loaded", "another version", "Two packages", "no longer installed"):
        assert sentence in shown
    assert set(plugins.made(PAYMENTS, house.doors.settings)) == {"corner-pay"}
    for name in ("raises", "none", "old", "twice"):
        assert send(client, f"/plugins/payments/{name}", **ENTERED).status_code == 409
    assert client.get("/plugins/payments/gone").status_code == 404
    assert shown.count("Delete settings") == 5
    assert send(client, "/plugins/payments/gone/remove").status_code == 303
    assert "gone" not in plugins.drawer(PAYMENTS, house.doors.settings).names()


def test_a_service_that_needs_a_package_or_fails_when_made_is_not_kept(installed, house, monkeypatch):
    client = browser(house, "shopkeeper")
    found = plugins.plugin(PAYMENTS, "corner-pay")

    def lacking(settings: object, folder: Path) -> Provider:
        raise ModuleNotFoundError("No module named 'sdk'", name="sdk")

    def failing(settings: object, folder: Path) -> Provider:
        raise RuntimeError("very-secret-key")

    def leaving(settings: object, folder: Path) -> Provider:
        raise SystemExit(1)

    unusable = "can’t be used with these settings"
    for make, said in ((lacking, "needs the package sdk"), (failing, unusable), (leaving, unusable)):
        bad = Plugin(found.name, found.label, found.settings, make)
        monkeypatch.setattr(plugins, "load", lambda group, name, bad=bad: bad)
        answer = send(client, "/plugins/payments/corner-pay", **ENTERED)
        assert (answer.status_code, said in words(answer)) == (409, True)
        assert "very-secret-key" not in answer.text
    assert plugins.drawer(PAYMENTS, house.doors.settings).names() == ()


@pytest.mark.parametrize("fault", [ArithmeticError("very-secret-key"), SystemExit(1), None])
def test_a_service_that_raises_or_answers_nonsense_leaves_the_payment_open(installed, house, monkeypatch, fault):
    stock_milk(house)
    client = entered(house)
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201

    def broken(self: object, request: object, *, at: object) -> object:
        if fault:
            raise fault
        return "captured"

    monkeypatch.setattr("corner_pay.CornerPay.begin", broken)
    plugins.drawer(PAYMENTS, house.doors.settings).write("corner-pay", ENTERED | {"fast": True})
    paid = take(client, 100)
    assert paid["state"] in OPEN
    assert "very-secret-key" not in str(paid)


def test_deleted_settings_take_the_service_away(installed, house):
    client = entered(house)
    assert send(client, "/plugins/payments/corner-pay/remove").status_code == 303
    assert "corner-pay" not in providers(house.doors.settings).names()
    assert plugins.drawer(PAYMENTS, house.doors.settings).names() == ()


def test_each_node_lists_the_services_that_are_for_it(house, network):
    here, there = ({one.name for one in plugins.standings(PAYMENTS, node.doors.settings)} for node in (house, network))
    assert (here - there, there - here) == ({"amount-qr", "stripe-terminal", "zvt"}, {"stripe-checkout"})


def test_two_operators_say_whose_account_takes_the_network_s_money(network):
    door, kept = "/plugins/payments/stripe-checkout", plugins.drawer(PAYMENTS, network.doors.settings)
    given = {"secret_key": "sk_test_a", "address": "https://api.stripe.com", "notice_secret": "whsec_abcdefgh"}
    client = network.signed_in("operator")
    assert send(client, door, **given).status_code == 303, "who is alone has nobody to ask"
    let_in(network)
    assert "so two operators agree" in words(client.get(door))
    mine = given | {"secret_key": "sk_test_mine"}
    for odd in ({}, {"own": OWN}, TWO | {"other": "operator", "other_pin": OWN}, TWO | {"other_pin": "wrong"}):
        answer = send(client, door, **mine | odd)
        assert answer.status_code == 422, words(answer)
        assert kept.read("stripe-checkout")["secret_key"] == "sk_test_a"
    assert send(client, door, **mine | TWO).status_code == 303
    assert kept.read("stripe-checkout")["secret_key"] == "sk_test_mine"


def test_only_who_may_change_settings_sets_up_a_service(installed, house):
    client = browser(house, "cashier")
    assert client.get("/plugins/payments/corner-pay").status_code in (302, 303, 403)
    send(client, "/plugins/payments/corner-pay", **ENTERED)
    assert plugins.drawer(PAYMENTS, house.doors.settings).names() == ()


def test_a_name_that_leaves_the_folder_is_none(house):
    office.fill(house)
    client = browser(house, "shopkeeper")
    for name in ("..%2Fx", "A", "x" * 60):
        assert client.get(f"/plugins/payments/{name}").status_code == 404
