"""Who works here: roles and PINs change, nobody is locked out for good, and the store always keeps a shopkeeper."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from config.nodes.journal import JournalEntry
from pos.store import permissions
from pos.store.permissions import AT_FIRST
from pos.store.store import Staff
from store_app.pages.store.role_table import MATRIX
from tests.store_app.conftest import STORE, House, post
from tests.store_app.office import picture_of, send, words


def person(house: House, staff_id: str) -> Staff:
    with house.doors.read() as session:
        return session.get_one(Staff, (STORE, staff_id))


def verbs(house: House, staff_id: str) -> list[str]:
    with house.doors.read() as session:
        query = sa.select(JournalEntry.verb).where(JournalEntry.subject == f"staff:{staff_id}")
        return list(session.scalars(query.order_by(JournalEntry.n)))


def test_a_new_person_can_sign_in(house: House):
    assert send(house.signed_in(), "/people/", name="Bo 波", role="cashier", pin="4711").status_code == 303
    assert post(house.visitor(), "/signin/bo-波", pin="4711").status_code == 303


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "role": "cashier", "pin": "4711"},
        {"name": "Bo", "role": "operator", "pin": "4711"},
        {"name": "Bo", "role": "cashier", "pin": "12"},
        {"name": "Bo", "role": "cashier", "pin": "٤٧١١"},
        {"name": "x" * 61, "role": "cashier", "pin": "4711"},
        {"name": "cashier", "role": "cashier", "pin": "4711"},
        {"name": "\x00\x01", "role": "cashier", "pin": "4711"},
        {},
    ],
)
def test_a_person_who_cannot_be_added_is_a_sentence_beside_the_form(house: House, fields: dict[str, str]):
    client = house.signed_in()
    before = picture_of(house)
    refused = send(client, "/people/", **fields)
    assert refused.status_code in (409, 422)
    assert "<details open>" in refused.text
    assert 'class="field-error' in refused.text
    assert picture_of(house) == before


@pytest.mark.parametrize("address", ["/people/", "/people/supervisor/pin"])
def test_a_pin_that_is_tried_first_is_refused_beside_its_field(house: House, address: str):
    fields = {"pin": "1234", "again": "1234", "name": "Bo", "role": "supervisor"}
    refused = send(house.signed_in(), address, **fields)
    assert (refused.status_code, "This PIN is easy to guess. Avoid repeats" in words(refused)) == (422, True)
    assert post(house.visitor(), "/signin/supervisor", pin="4444").status_code == 303


def test_who_has_a_pin_that_is_tried_first_is_led_to_choose_another(house: House):
    house.doors.settings.practice = False
    supervisor = house.visitor()
    assert post(supervisor, "/signin/supervisor", pin="4444").location == "/people/your-pin"
    assert "easy to guess" in words(supervisor.get("/people/your-pin"))
    assert post(house.visitor(), "/signin/cashier", pin="1111").location == "/till/"
    assert send(supervisor, "/people/your-pin", old="4444", pin="8642", again="8642").status_code == 303
    assert post(house.visitor(), "/signin/supervisor", pin="8642").location == "/till/"


def test_someone_who_left_can_no_longer_sign_in_and_a_second_click_is_no_fault(house: House):
    client = house.signed_in()
    for _ in range(2):
        assert send(client, "/people/cashier/leave").status_code == 303
    assert post(house.visitor(), "/signin/cashier", pin="1111").status_code >= 400
    assert not person(house, "cashier").active
    assert verbs(house, "cashier").count("staff.deactivated") == 1


def test_someone_who_comes_back_begins_as_a_cashier_with_a_new_pin(house: House):
    client = house.signed_in()
    send(client, "/people/supervisor/leave")
    assert "Former staff" in words(client.get("/people/"))
    assert send(client, "/people/supervisor/come-back", pin="8642", again="8642").status_code == 303
    assert person(house, "supervisor").role == "cashier"
    assert post(house.visitor(), "/signin/supervisor", pin="4444").status_code >= 400
    assert post(house.visitor(), "/signin/supervisor", pin="8642").status_code == 303


def test_the_last_shopkeeper_neither_leaves_nor_becomes_less(house: House):
    client = house.signed_in()
    refused = send(client, "/people/shopkeeper/role", role="cashier")
    assert refused.status_code == 409
    assert "last shopkeeper" in words(refused)
    assert send(client, "/people/shopkeeper/leave").status_code == 409
    assert person(house, "shopkeeper").role == "shopkeeper"
    send(client, "/people/supervisor/role", role="shopkeeper")
    assert send(client, "/people/shopkeeper/role", role="cashier").status_code == 303
    assert client.get("/people/").status_code == 403
    assert "staff.role changed" in verbs(house, "shopkeeper")


def test_a_new_pin_ends_the_sessions_of_the_old_one_and_unlocks_the_name(house: House):
    cashier, client = house.signed_in("cashier"), house.signed_in()
    for _ in range(5):
        post(house.visitor(), "/signin/cashier", pin="0000")
    assert "Locked until" in words(client.get("/people/"))
    assert send(client, "/people/cashier/pin", pin="97531", again="97531").status_code == 303
    assert cashier.get("/more/").status_code == 303
    assert post(house.visitor(), "/signin/cashier", pin="97531").status_code == 303


def test_a_locked_name_is_let_try_again_with_its_old_pin(house: House):
    client = house.signed_in()
    for _ in range(5):
        post(house.visitor(), "/signin/cashier", pin="0000")
    assert post(house.visitor(), "/signin/cashier", pin="1111").status_code == 409
    assert send(client, "/people/cashier/unlock").status_code == 303
    assert post(house.visitor(), "/signin/cashier", pin="1111").status_code == 303
    assert "staff.unlocked" in verbs(house, "cashier")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"pin": "12", "again": "12"}, "4 to 12 digits"),
        ({"pin": "2468", "again": "2469"}, "t match. Enter the new one twice"),
        ({}, "4 to 12 digits"),
    ],
)
def test_a_pin_is_typed_twice_and_refused_beside_its_field(house: House, fields: dict[str, str], sentence: str):
    before = person(house, "cashier").pin_hash
    refused = send(house.signed_in(), "/people/cashier/pin", **fields)
    assert refused.status_code == 422
    assert sentence in words(refused)
    assert "field-error" in refused.text
    assert person(house, "cashier").pin_hash == before


def test_a_person_changes_their_own_pin_with_the_old_one_and_stays_signed_in(house: House):
    cashier = house.signed_in("cashier")
    wrong = send(cashier, "/people/your-pin", old="9999", pin="2468", again="2468")
    assert wrong.status_code == 422
    assert "That is not your current PIN. Enter it again" in words(wrong)
    assert person(house, "cashier").failed_tries == 1
    assert send(cashier, "/people/your-pin", old="1111", pin="2468", again="2468").status_code == 303
    assert cashier.get("/more/").status_code == 200
    assert post(house.visitor(), "/signin/cashier", pin="1111").status_code >= 400
    assert post(house.visitor(), "/signin/cashier", pin="2468").status_code == 303


def test_guessing_the_old_pin_locks_the_name(house: House):
    cashier = house.signed_in("cashier")
    for _ in range(5):
        send(cashier, "/people/your-pin", old="9999", pin="2468", again="2468")
    answer = send(cashier, "/people/your-pin", old="1111", pin="2468", again="2468")
    assert answer.status_code == 409
    assert "Too many wrong PINs" in words(answer)
    assert person(house, "cashier").locked_until > house.clock.now() + dt.timedelta(seconds=1)


def test_the_matrix_says_every_permission_of_the_shop_in_words(house: House):
    named = {permission for _title, rows in MATRIX for permission, _words in rows}
    assert named == AT_FIRST["shopkeeper"]


def test_the_limits_of_discounts_are_settled_by_role(house: House):
    client = house.signed_in()
    fields = {"limit-cashier": "7.5", "limit-supervisor": "30", "limit-shopkeeper": "100"}
    assert send(client, "/people/roles", **fields).status_code == 303
    with house.doors.read() as session:
        assert permissions.rights_of(session, STORE, "cashier").discount_bp == 750
    assert 'value="7.5"' in client.get("/people/").text


@pytest.mark.parametrize("kind", ["pay_in", "pay_out", "drop"])
def test_the_limits_of_cash_moved_by_hand_are_settled_by_role(house: House, kind: str):
    client = house.signed_in()
    fields = {"limit-cashier": "5", "limit-supervisor": "30", "limit-shopkeeper": "100"}
    fields |= {f"{kind}-cashier": "7.50", f"{kind}-supervisor": "200"}
    assert send(client, "/people/roles", **fields).status_code == 303
    with house.doors.read() as session:
        limits = {each: permissions.rights_of(session, STORE, "cashier").pay_minor(each) for each in permissions.PAYS}
    assert limits == {"pay_in": 2000, "pay_out": 2000, "drop": 50_000} | {kind: 750}
    assert 'value="7.50"' in client.get("/people/").text
    refused = send(client, "/people/roles", **fields | {f"{kind}-cashier": "-1"})
    assert f'id="{kind}-cashier-fault"' in refused.text


def test_how_many_empties_a_cashier_takes_back_alone_is_settled(house: House):
    client = house.signed_in()
    fields = {"limit-cashier": "5", "limit-supervisor": "30", "limit-shopkeeper": "100", "empties-cashier": "24"}
    assert send(client, "/people/roles", **fields).status_code == 303
    with house.doors.read() as session:
        assert permissions.rights_of(session, STORE, "cashier").empties == 24
    assert 'value="24"' in client.get("/people/").text
    for typed in ("-1", "1001", "many"):
        assert 'id="empties-cashier-fault"' in send(client, "/people/roles", **fields | {"empties-cashier": typed}).text


@pytest.mark.parametrize("typed", ["", "101", "-1", "abc", "1e1", "９９９", "5.555"])
def test_an_impossible_limit_changes_none(house: House, typed: str):
    client = house.signed_in()
    before = picture_of(house)
    fields = {"limit-cashier": "7", "limit-supervisor": typed, "limit-shopkeeper": "100"}
    answer = send(client, "/people/roles", **fields)
    assert answer.status_code == 422
    assert 'id="limit-supervisor-fault"' in answer.text
    assert picture_of(house) == before


LIMITS = {"limit-cashier": "5", "limit-supervisor": "30", "limit-shopkeeper": "100"}


def ticked(page: str, role: str) -> set[str]:
    """Return what is ticked for a role."""
    found = re.findall(rf'name="may-{role}" value="([^"]+)"( checked)?', page)
    return {name for name, checked in found if checked}


def test_the_shopkeeper_ticks_what_each_role_may_do_and_it_holds_at_once_for_who_is_signed_in(house: House):
    client, cashier = house.signed_in(), house.signed_in("cashier")
    before = ticked(client.get("/people/").text, "cashier")
    assert before == AT_FIRST["cashier"] - {"sell"}
    assert (cashier.get("/reports/").status_code, cashier.get("/money/").status_code) == (403, 200)
    wished = {"may-cashier": sorted(before - {"shift"} | {"reports"}), "may-supervisor": ["void"]}
    assert send(client, "/people/roles", ticks="1", **wished, **LIMITS).status_code == 303
    assert (cashier.get("/reports/").status_code, cashier.get("/money/").status_code) == (200, 403)
    page = client.get("/people/").text
    assert ticked(page, "cashier") == before - {"shift"} | {"reports"}
    assert ticked(page, "supervisor") == {"void"}
    assert 'name="may-shopkeeper"' not in page


def test_a_form_that_had_nothing_to_tick_denies_nothing_and_a_refused_one_keeps_its_ticks(house: House):
    client = house.signed_in()
    assert send(client, "/people/roles", **LIMITS).status_code == 303
    assert ticked(client.get("/people/").text, "cashier") == AT_FIRST["cashier"] - {"sell"}
    refused = send(client, "/people/roles", ticks="1", **LIMITS | {"limit-cashier": "101"}, **{"may-cashier": "void"})
    assert (refused.status_code, ticked(refused.text, "cashier")) == (422, {"void"})
    assert ticked(client.get("/people/").text, "cashier") == AT_FIRST["cashier"] - {"sell"}


@pytest.mark.parametrize("name", ["staff", "fly"])
def test_what_cannot_be_allowed_changes_nothing(house: House, name: str):
    client = house.signed_in()
    before = picture_of(house)
    answer = send(client, "/people/roles", ticks="1", **LIMITS, **{"may-cashier": name})
    assert answer.status_code in (409, 422)
    assert picture_of(house) == before


@pytest.mark.parametrize("role", ["cashier", "supervisor"])
def test_only_who_may_changes_people(house: House, role: str):
    client = house.signed_in(role)
    for address in ("/people/", "/people/cashier"):
        assert client.get(address).status_code == 403
    assert send(client, "/people/cashier/role", role="shopkeeper").status_code == 403
    assert send(client, "/people/cashier/pin", pin="2468", again="2468").status_code == 403
    assert client.get("/people/your-pin").status_code == 200


def test_an_unknown_person_is_a_sentence(house: House):
    assert house.signed_in().get("/people/nobody").status_code == 404
