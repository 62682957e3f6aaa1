"""A badge stands for a name, and for some roles for the PIN; never for a PIN that is asked on the spot."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from config.errors import Refused
from config.log import hide_secrets
from config.nodes.journal import Actor, Context, JournalEntry
from pos.printing.queue import PrintJob
from pos.store import badges
from pos.store.badges import BadgeReader
from pos.store.store import Staff
from store_app.web import staff
from tests.store_app.conftest import STORE, House, post, token
from tests.store_app.office import picture_of, send, words

BOSS = Actor("shopkeeper", "shopkeeper", "shopkeeper", STORE)
STRANGE = "9870" + "5" * 40


def given(house: House, staff_id: str = "cashier") -> str:
    with house.doors.write() as session:
        person = staff.working(session, STORE, staff_id)
        return badges.give(Context(session, BOSS, house.clock.now()), person)


def person(house: House, staff_id: str) -> Staff:
    with house.doors.read() as session:
        return session.get_one(Staff, (STORE, staff_id))


def journal(house: House) -> list[JournalEntry]:
    with house.doors.read() as session:
        return list(session.scalars(sa.select(JournalEntry).order_by(JournalEntry.n)))


def scan(client: FlaskClient, code: str, next: str = "") -> Any:
    return post(client, "/badge", badge=code, next=next)


def at_till(client: FlaskClient, code: str) -> Any:
    return client.post("/api/badge", json={"badge": code}, headers={"X-CSRF-Token": token(client)})


def rule(house: House, role: str, asks_pin: bool) -> None:
    with house.doors.write() as session:
        badges.set_rule(Context(session, BOSS, house.clock.now()), STORE, role, asks_pin)


# --- the noun ---


def test_a_badge_has_128_random_bits_and_only_its_hash_is_kept(house: House):
    codes = {given(house) for _ in range(20)}
    assert len(codes) == 20
    assert all(badges.is_badge(code) for code in codes)
    assert 10**badges.DIGITS >= 2**128
    everything = json.dumps(picture_of(house), default=str)
    assert not any(code in everything for code in codes)


def test_a_person_has_one_badge_and_the_old_one_opens_nothing(house: House):
    old = given(house)
    new = given(house)
    with house.doors.read() as session:
        assert badges.whose(session, STORE, old) is None
        assert badges.whose(session, STORE, new).id == "cashier"
        assert badges.whose(session, "S99", new) is None


def test_who_leaves_leaves_the_badge(house: House):
    code = given(house)
    with house.doors.write() as session:
        staff.leave(Context(session, BOSS, house.clock.now()), STORE, "cashier")
        staff.come_back(Context(session, BOSS, house.clock.now()), STORE, "cashier", "8642")
    with pytest.raises(Refused):
        staff.check_badge(house.doors, STORE, code)


def test_a_cashiers_badge_is_enough_and_everybody_else_types_the_pin_unless_the_shop_says_otherwise(house: House):
    with house.doors.read() as session:
        asked = {role: badges.asks(session, STORE, role) for role in staff.STORE_ROLES}
    assert asked == {"cashier": False, "supervisor": True, "shopkeeper": True}
    code = given(house, "shopkeeper")
    assert staff.check_badge(house.doors, STORE, code)[1]
    rule(house, "shopkeeper", False)
    assert not staff.check_badge(house.doors, STORE, code)[1]


def test_giving_taking_reading_and_refusing_are_journalled_without_the_code(house: House):
    code = given(house)
    staff.check_badge(house.doors, STORE, code)
    with pytest.raises(Refused):
        staff.check_badge(house.doors, STORE, STRANGE)
    with house.doors.write() as session:
        assert badges.withdraw(Context(session, BOSS, house.clock.now()), session.get_one(Staff, (STORE, "cashier")))
        assert not badges.withdraw(
            Context(session, BOSS, house.clock.now()), session.get_one(Staff, (STORE, "cashier"))
        )
    entries = [entry for entry in journal(house) if entry.verb.startswith(("badge", "signin"))]
    assert [entry.verb for entry in entries] == ["badge.given", "signin.good", "signin.refused", "badge.withdrawn"]
    reported = json.dumps([[entry.subject, entry.body] for entry in entries], default=str)
    assert code not in reported
    assert STRANGE not in reported


# --- wrong badges and wrong PINs ---


def test_unknown_badges_lock_the_reading_of_badges_as_wrong_pins_lock_a_name(house: House):
    code = given(house)
    for _ in range(staff.TRIES):
        with pytest.raises(Refused, match="Unknown badge"):
            staff.check_badge(house.doors, STORE, STRANGE)
    with pytest.raises(Refused, match="Too many unknown badges"):
        staff.check_badge(house.doors, STORE, code)
    assert house.signed_in("cashier")  # name and PIN work on
    house.clock.advance(staff.LOCK_S + 1)
    assert staff.check_badge(house.doors, STORE, code)[0].id == "cashier"
    with house.doors.read() as session:
        assert session.get_one(BadgeReader, STORE).failed_tries == 0


def test_who_is_locked_out_stays_locked_out_and_a_badge_forgets_no_wrong_pin(house: House):
    code, visitor = given(house), house.visitor()
    for _ in range(staff.TRIES - 1):
        post(visitor, "/signin/cashier", pin="0000")
    staff.check_badge(house.doors, STORE, code)
    assert person(house, "cashier").failed_tries == staff.TRIES - 1
    post(visitor, "/signin/cashier", pin="0000")
    with pytest.raises(Refused, match="Too many wrong PINs"):
        staff.check_badge(house.doors, STORE, code)
    assert scan(house.visitor(), code).status_code == 409


@pytest.mark.parametrize("code", ["", "1", STRANGE, "9870" + "٥" * 40, "x" * 5000])
def test_what_is_no_badge_is_a_sentence_on_the_sign_in_page(house: House, code: str):
    given(house)
    answer = scan(house.visitor(), code)
    assert answer.status_code == 409
    assert "Unknown badge. Sign in with name and PIN" in words(answer)


# --- signing in ---


def test_a_cashier_is_signed_in_by_the_badge_and_goes_where_the_page_was_asked(house: House):
    code, client = given(house), house.visitor()
    assert "Or scan your badge" in words(client.get("/signin"))
    answer = scan(client, code, next="/stock/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/stock/")
    assert client.get("/till/").status_code == 200
    assert scan(house.visitor(), code, next="//elsewhere.example/").headers["Location"] == "/till/"


def test_a_shopkeepers_badge_leads_to_the_number_pad_and_signs_nobody_in_before_the_pin(house: House):
    code, client = given(house, "shopkeeper"), house.visitor()
    answer = scan(client, code, next="/stock/")
    assert answer.headers["Location"] == "/signin/shopkeeper?next=/stock/"
    assert client.get("/till/").status_code == 303
    assert post(client, "/signin/shopkeeper", pin="2222").status_code == 303
    assert client.get("/people/").status_code == 200


def test_a_badge_alone_opens_neither_people_nor_settings_before_the_pin(house: House):
    rule(house, "shopkeeper", False)
    client = house.visitor()
    scan(client, given(house, "shopkeeper"))
    before = picture_of(house)
    for address in ("/people/", "/settings/"):
        assert client.get(address).headers["Location"] == f"/signin/shopkeeper?next={address}"
    assert send(client, "/people/cashier/pin", pin="8642", again="8642").status_code == 303
    assert picture_of(house) == before
    assert client.get("/stock/").status_code == 200
    post(client, "/signin/shopkeeper", pin="2222")
    assert client.get("/people/").status_code == 200


def test_a_badge_that_is_taken_away_closes_what_it_opened_and_leaves_what_the_pin_opened(house: House):
    client, by_pin = house.visitor(), house.signed_in("cashier")
    scan(client, given(house))
    assert client.get("/till/").status_code == 200
    assert send(house.signed_in(), "/people/cashier/badge/withdraw").status_code == 303
    assert client.get("/till/").status_code == 303
    assert by_pin.get("/till/").status_code == 200


def test_at_the_till_the_badge_says_where_the_page_goes_on_and_the_browser_stays_at_its_till(house: House):
    client = house.signed_in("supervisor")
    with client.session_transaction() as kept:
        kept["till_id"] = "1"
    answer = at_till(client, given(house))
    assert answer.json == {"to": "/till/"}
    with client.session_transaction() as kept:
        assert (kept["staff"], kept["by"], kept["till_id"]) == ("cashier", "badge", "1")
    boss = given(house, "shopkeeper")
    assert at_till(client, boss).json == {"to": "/signin/shopkeeper?next=/till/"}
    with client.session_transaction() as kept:
        assert kept["staff"] == "cashier"
    refused = at_till(client, STRANGE)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "unknown-badge")


def test_an_approval_takes_a_pin_and_no_badge(house: House):
    code = given(house, "supervisor")
    client = house.signed_in("cashier")
    body = {"staff_id": "supervisor", "pin": code[:12], "permission": "void", "sale_id": "s", "till_id": "1", "why": ""}
    answer = client.post("/api/approvals", json=body, headers={"X-CSRF-Token": token(client)})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "wrong-pin")


# --- the pages of people ---


def test_a_badge_is_shown_once_and_printed_without_being_kept(build, tmp_path: Path):
    paper = tmp_path / "paper"
    house = build(printer=f"file:{paper}")
    client = house.signed_in()
    shown = send(client, "/people/cashier/badge")
    code = re.search(r'name="badge" value="(\d+)"', shown.text)[1]
    assert badges.is_badge(code)
    assert code not in client.get("/people/cashier").text
    again = send(client, "/people/cashier/badge/print", badge=code)
    assert "The badge is printing" in words(again)
    assert code in again.text
    assert paper.read_bytes().count(code.encode()) == 1
    with house.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PrintJob)) == 0
    assert code not in json.dumps(picture_of(house), default=str)
    newer = send(client, "/people/cashier/badge")
    assert newer.status_code == 200
    assert send(client, "/people/cashier/badge/print", badge=code).status_code == 409
    assert paper.read_bytes().count(code.encode()) == 1


def test_a_printer_that_is_off_leaves_the_badge_on_the_screen(build):
    house = build(printer="net:127.0.0.1:1")
    client = house.signed_in()
    code = re.search(r'name="badge" value="(\d+)"', send(client, "/people/cashier/badge").text)[1]
    answer = send(client, "/people/cashier/badge/print", badge=code)
    assert answer.status_code == 409
    assert code in answer.text


def test_only_who_changes_people_gives_badges_and_settles_how_they_count(house: House):
    client = house.signed_in("supervisor")
    before = picture_of(house)
    for address in ("cashier/badge", "cashier/badge/print", "cashier/badge/withdraw", "badges"):
        assert send(client, f"/people/{address}").status_code == 403
    assert picture_of(house) == before


def test_the_shop_settles_how_badges_count_and_a_second_save_changes_nothing(house: House):
    client = house.signed_in()
    wished = {"badge-cashier": "pin", "badge-supervisor": "alone", "badge-shopkeeper": "pin"}
    for _ in range(2):
        assert send(client, "/people/badges", **wished).status_code == 303
    with house.doors.read() as session:
        asked = {role: badges.asks(session, STORE, role) for role in staff.STORE_ROLES}
    assert asked == {"cashier": True, "supervisor": False, "shopkeeper": True}
    assert [entry.verb for entry in journal(house)].count("badge.rule set") == 2
    assert "The PIN is still needed." in words(client.get("/people/cashier"))


# --- the logs ---


def test_a_badge_is_blanked_wherever_it_stands_in_a_log():
    reported = hide_secrets(None, "error", {"event": f"path /api/scan/{STRANGE}", "exception": f"at {STRANGE}", "n": 1})
    assert STRANGE not in json.dumps(reported)
    assert reported["n"] == 1


def test_signing_in_with_a_badge_writes_it_to_no_log(house: House, caplog: pytest.LogCaptureFixture, capfd):
    code = given(house)
    caplog.set_level("DEBUG")
    client = house.visitor()
    scan(client, code)
    scan(client, STRANGE)
    at_till(client, code)
    house.signed_in().get(f"/api/scan/{code}")
    said = capfd.readouterr()
    for text in (caplog.text, said.out, said.err):
        assert code not in text
        assert STRANGE not in text
