"""Every door for plug-ins, through the running program: the examples work, and what is broken costs only itself."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest

from config.errors import DomainError
from config.ids import new_id
from config.plugins import Door, Guard, Stumble
from pos import messages
from pos.messages import OutgoingMessage, Recipient
from pos.printing.wires import PRINTERS, Said, Unconfirmed
from pos.till.scale_drivers import SCALES, Reading, read_plugin
from store_app.files import plugged
from store_app.files.plugged import EXPORTERS, IMPORTERS
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import send_messages
from store_app.mail import envelopes
from store_app.mail.envelopes import CARRIERS
from store_app.node import doctor
from store_app.node.plugins import DOORS, here
from store_app.runtime import plugins
from tests.store_app import office
from tests.store_app.conftest import STORE, House, post
from tests.store_app.office import send, words
from tests.store_app.runtime.test_plugins import install, installed

__all__ = ["installed"]
BAD = """
import threading
from config.plugins import Plugin
from pydantic import BaseModel, Field

class Where(BaseModel):
    way: str = Field(title="Way")

class Bad:
    name, ways, carries = "bad", frozenset({"terminal"}), frozenset({"phone"})
    suffix, media = "bad", "text/bad"
    def __init__(self, settings, folder):
        self._way = settings.way
    def recognizes(self, raw):
        return self._what() if self._way.startswith("early") else True
    def _what(self, *given, **named):
        if "hang" in self._way:
            threading.Event().wait()
        if "exit" in self._way:
            raise SystemExit(3)
        if "raise" in self._way:
            raise RuntimeError("very-secret-key")
        return {"no": "sense"}
    weigh = send = rows = write = begin = query = cancel = reverse = longest_s = _what

def make(settings, folder):
    if settings.way == "make":
        raise OSError("very-secret-key")
    return Bad(settings, folder)

PLUGIN = Plugin("bad", "Bad one", Where, make, api=1)
"""
WAYS = ("raise", "exit", "nonsense", "hang")
PRODUCTS = [{"sku": "J1", "name": "Jam", "category": "Food", "tax": "food", "price": Decimal("2.50")}]


@pytest.fixture
def broken(installed, tmp_path) -> None:
    """Install a plug-in that does wrong what its settings say, at every door."""
    install(tmp_path / "site", "bad", BAD, *(door.group for door in DOORS.values()))


@pytest.fixture
def client(house: House):
    office.fill(house)
    return house.signed_in("shopkeeper")


def set_up(client, door: Door, name: str, **entered: str) -> None:
    answer = send(client, f"/plugins/{door.name}/{name}", **entered)
    assert answer.status_code == 303, words(answer)


def set_wrong(house: House, door: Door, way: str) -> None:
    plugins.drawer(door, house.doors.settings).write("bad", {"way": way})


def upload(client, raw: bytes):
    return post(client, "/products/bring-in/", command_id=new_id(), file=(io.BytesIO(raw), "products.txt"))


# --- the examples ---


def test_the_page_lists_each_door_with_its_plugins(installed, house, network):
    shown = words(house.signed_in("shopkeeper").get("/plugins/"))
    for label in ("Corner Pay", "Print folder", "MT-SICS", "SMS Server Tools", "JSON list"):
        assert label in shown
    assert {door.name for door in here(network.doors.settings)} == {"payments", "carriers", "importers"}


def written(house: House) -> OutgoingMessage:
    with house.doors.write() as session:
        body = {"code_id": "c", "digits": 6}
        to = Recipient(phone="+15551234567", language="en", carrier=messages.ANY)
        return messages.write(session, STORE, "code", to, id=new_id(), body=body, at=house.doors.now())


def state_of(house: House, message: OutgoingMessage) -> OutgoingMessage:
    with house.doors.read() as session:
        row = session.get_one(OutgoingMessage, (STORE, message.id))
        session.expunge(row)
    return row


def test_a_carrier_sends_a_text_once_and_is_asked_again_while_its_folder_is_gone(installed, house, client, tmp_path):
    folder, desk, message = tmp_path / "sms", Desk(house.doors), written(house)
    set_up(client, CARRIERS, "corner-sms", folder=str(folder))
    send_messages(desk, house.doors.now().date())
    row = state_of(house, message)
    assert (row.state, row.tries, row.fault) == ("waiting", 1, "The folder for texts is not there.")
    folder.mkdir()
    house.clock.advance(60)
    for _ in range(2):
        send_messages(desk, house.doors.now().date())
    assert state_of(house, message).state == "sent"
    (text,) = folder.iterdir()
    assert text.name == message.id
    assert text.read_text().startswith("To: 15551234567\n")


def test_a_printer_prints_the_very_bytes_and_says_when_nothing_was_printed(installed, house, client, tmp_path):
    folder = tmp_path / "paper"
    folder.mkdir()
    set_up(client, PRINTERS, "corner-paper", folder=str(folder))
    assert "Print folder" in words(send(client, "/settings/printers/look"))
    entered = {
        "name": "Folder", "way": "plugin", "where": "corner-paper", "columns": "48", "letters": "latin",
        "profile": "default", "drawer_pin": "2", "pulse_ms": "100", "papers": "both",
    }  # fmt: skip
    page = send(client, "/settings/printers/new", **entered).location
    assert send(client, f"{page}/test").status_code == 303
    (printed,) = folder.glob("*.bin")
    assert printed.read_bytes().startswith(b"\x1b@")
    printed.unlink()
    folder.rmdir()
    send(client, f"{page}/test")
    assert "offline" in words(client.get(page))
    send(client, "/plugins/printers/corner-paper/remove")
    send(client, f"{page}/test")
    assert "plug-in does not work" in words(client.get(page))


@pytest.fixture
def sics() -> Iterator[tuple[str, list[bytes]]]:
    door, answers = socket.create_server(("127.0.0.1", 0)), [b""]

    def serve() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            with line:
                assert line.recv(16) == b"SI\r\n"
                line.sendall(answers[0])

    threading.Thread(target=serve, daemon=True).start()
    yield str(door.getsockname()[1]), answers
    door.close()


def test_a_scale_weighs_at_the_till_and_its_faults_are_the_built_in_ones(installed, house, client, sics):
    port, answers = sics
    assert client.get("/api/scale?till_id=1").get_json()["error"]["code"] == "no-scale"
    set_up(client, SCALES, "corner-scale", host="127.0.0.1", port=port)
    assert client.get("/api/catalogue").get_json()["scale"] is True
    answers[0] = b"S S      0.312 kg\r\n"
    assert client.get("/api/scale?till_id=1").get_json()["grams"] == 312
    for said, code in (
        (b"S D 0.3 kg\r\n", "scale-moving"), (b"S +\r\n", "scale-overload"), (b"S -\r\n", "scale-below-zero"),
        (b"S S -1 g\r\n", "scale-below-zero"), (b"S S 2 stone\r\n", "scale-silent"), (b"", "scale-silent"),
        (b"S S 99999 kg\r\n", "scale-overload"), (b"S S 1.2.3 kg\r\n", "scale-silent"),
    ):  # fmt: skip
        answers[0] = said
        assert client.get("/api/scale?till_id=1").get_json()["error"]["code"] == code, said


@pytest.mark.parametrize(
    ("weight", "unit", "code"),
    [
        (float("nan"), "kg", "scale-silent"), (float("inf"), "kg", "scale-overload"),
        (-0.001, "kg", "scale-below-zero"),
        (Decimal("sNaN"), "kg", "scale-silent"), (Decimal("1E5000"), "g", "scale-overload"),
        (True, "kg", "scale-silent"),
        (1, "", "scale-silent"), (1, [], "scale-silent"), ("a lot", "kg", "scale-silent"),
        (1_000, "kg", "scale-overload"),
    ],
)  # fmt: skip
def test_a_reading_that_is_no_weight_is_refused(weight, unit, code):
    with pytest.raises(DomainError) as refused:
        read_plugin(Reading(weight, unit, stable=True))
    assert refused.value.code == code


def test_a_settled_reading_is_rounded_as_the_built_in_ones_are_and_truth_alone_is_settled():
    assert read_plugin(Reading(0.3125, "kg", stable=True)).grams == 313
    assert read_plugin(Reading(Decimal("1E-9999"), "lb", stable=True)).grams == 0
    assert not read_plugin(Reading(1, "lb", stable=1)).stable  # type: ignore[arg-type]


def test_an_importer_s_file_goes_through_preview_and_undo_and_an_exporter_writes_it_back(installed, house, client):
    raw = json.dumps(PRODUCTS, default=str).encode()
    assert upload(client, raw).status_code == 422, "no table of ours"
    set_up(client, IMPORTERS, "corner-list")
    shown = upload(client, raw)
    assert (shown.status_code, "JSON list" in words(shown), "Jam" in words(shown)) == (200, True, True)
    file_id = next(path.name.partition(".")[0] for path in _kept(house))
    assert send(client, f"/products/bring-in/{file_id}").status_code == 303
    assert upload(client, raw[:-3]).status_code == 422
    assert "cut off" in words(upload(client, raw[:-3]))
    set_up(client, EXPORTERS, "corner-json")
    assert ">JSON<" in client.get("/products/").text.replace(" ", "").replace("</svg>", ">")
    answer = client.get("/products/products.corner-json")
    assert answer.headers["Content-Disposition"].endswith('.json"')
    assert {"J1": "2.50"}.items() <= {row["sku"]: row["price"] for row in answer.get_json()}.items()
    for address in ("/products/products.nothing", "/reports/day.nothing"):
        assert client.get(address).status_code == 404
    assert client.get("/reports/day.corner-json").status_code == 200


def _kept(house: House):
    return [one for one in (house.doors.settings.state_folder / "brought").iterdir() if ".faulty" not in one.name]


# --- what is broken ---


@pytest.mark.parametrize("way", WAYS)
def test_a_bad_scale_is_a_silent_one(broken, house, client, way):
    set_wrong(house, SCALES, way)
    for _ in range(2):
        assert client.get("/api/scale?till_id=1").get_json()["error"]["code"] == "scale-silent"


@pytest.mark.parametrize("way", WAYS)
def test_what_a_bad_printer_was_given_may_be_on_paper(broken, house, monkeypatch, way):
    monkeypatch.setattr("pos.printing.wires.PLUGIN_S", (0.1, 0.2))
    set_wrong(house, PRINTERS, way)
    printer = plugins.made(PRINTERS, house.doors.settings)["bad"]
    with pytest.raises(Unconfirmed):
        printer.send(b"paper")
    if way == "hang":
        with pytest.raises(DomainError) as busy:
            printer.send(b"more paper")
        assert not isinstance(busy.value, Unconfirmed), "one that still hangs was not given the next job"


def test_only_true_is_heard_as_true_from_a_printer():
    class Sure:
        def longest_s(self, _paper):
            return float("nan")

        def send(self, _paper):
            return Said(answered="yes", near_end=True)

    assert PRINTERS.fits("sure", Sure()).send(b"") == Said(answered=False, near_end=True)


@pytest.mark.parametrize("way", [*WAYS[:2], "hang", "make"])
def test_a_bad_carrier_loses_no_message(broken, house, client, monkeypatch, way):
    monkeypatch.setattr(envelopes, "LIMIT_S", 0.2)
    set_wrong(house, CARRIERS, way)
    message = written(house)
    send_messages(Desk(house.doors), house.doors.now().date())
    row = state_of(house, message)
    assert (row.state, row.tries, row.fault_code) == ("waiting", 1, "unreachable")
    assert "Bad one did not send it" in row.fault
    assert "very-secret" not in row.fault


@pytest.mark.parametrize("way", ["early raise", "early exit", "early nonsense", "early hang"])
def test_an_importer_that_fails_while_it_is_asked_hinders_no_file(broken, house, client, monkeypatch, way):
    monkeypatch.setattr(plugged, "RECOGNIZE_S", 2.0)
    set_wrong(house, IMPORTERS, way)
    assert upload(client, b"sku,name,category,tax,price\nJ1,Jam,Food,food,2.50\n").status_code == 200


@pytest.mark.parametrize("way", WAYS[:3])
def test_what_a_plugin_cannot_read_or_write_ends_in_a_sentence(broken, house, client, way):
    set_wrong(house, IMPORTERS, way)
    assert "Bad one could not read this file" in words(upload(client, b"anything"))
    set_wrong(house, EXPORTERS, way)
    answer = client.get("/products/products.bad")
    assert (answer.status_code, "Bad one could not write the file" in words(answer)) == (409, True)
    assert client.get("/products/products.csv").status_code == 200


def test_what_could_not_be_made_is_tried_again_and_doctor_names_it_until_then(broken, house, client, monkeypatch):
    set_wrong(house, SCALES, "make")
    assert plugins.made(SCALES, house.doors.settings) == {}
    found = next(one for one in doctor.examine(house.doors, outside=False) if one.thing == "plug-ins")
    assert "Bad one does not work. The settings no longer work." in found.sentence
    assert "very-secret" not in found.sentence
    monkeypatch.setattr("plugin_bad.Bad.__init__", lambda self, *_: setattr(self, "_way", "raise"))
    monkeypatch.setattr("plugin_bad.make.__code__", (lambda settings, folder: Bad(settings, folder)).__code__)  # noqa: F821
    monkeypatch.setattr(plugins, "AGAIN_S", -1.0)
    assert plugins.made(SCALES, house.doors.settings) == {}, "nobody waits for another try"
    for thread in threading.enumerate():
        if thread.name == plugins.AGAIN:
            thread.join()
    assert set(plugins.made(SCALES, house.doors.settings)) == {"bad"}
    assert "Bad one" not in next(one for one in doctor.examine(house.doors) if one.thing == "plug-ins").sentence


def test_a_page_tries_again_at_once(broken, house, client, monkeypatch):
    set_wrong(house, SCALES, "make")
    assert "no longer work" in words(client.get("/plugins/"))
    monkeypatch.setattr("plugin_bad.make.__code__", (lambda settings, folder: Bad(settings, folder)).__code__)  # noqa: F821
    assert "no longer work" not in words(client.get("/plugins/"))
    assert set(plugins.made(SCALES, house.doors.settings)) == {"bad"}


def test_calls_that_hang_take_their_turns_along():
    guard, never = Guard("slow", most=2), threading.Event()
    for began in (True, True, False):
        with pytest.raises(Stumble) as stumble:
            guard.ask(0.05, never.wait)
        assert stumble.value.began is began
    never.set()
