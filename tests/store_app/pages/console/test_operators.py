"""The network's people: two operators let others in and send them away by passphrase, and the last one stays."""

import pytest
import sqlalchemy as sa

from config.nodes.journal import Actor, Context, JournalEntry
from pos.store.roles import NETWORK_ROLES
from pos.store.store import Staff
from store_app.web import staff
from tests.store_app.conftest import NOON, House, post
from tests.store_app.office import send

OWN, NORAS, FRESH = staff.PRACTICE_PINS["operator"], "three gray herons", "wet lantern pencils"
TWO = {"own": OWN, "other": "nora", "other_pin": NORAS}
NEW = {"pin": FRESH, "again": FRESH, "role": "operator"}


def person(network: House, staff_id: str) -> Staff:
    with network.doors.read() as session:
        return session.get_one(Staff, ("network", staff_id))


def verbs(network: House) -> list[str]:
    with network.doors.read() as session:
        return list(session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.verb.startswith("staff."))))


def let_in(network: House, name: str = "Nora", role: str = "operator") -> str:
    """Let another person in at the server; returns their id."""
    with network.doors.write() as session:
        by_hand = Actor.system("command", "network")
        return staff.add(Context(session, by_hand, NOON), "network", name, role, NORAS).id


def test_two_operators_let_another_in_who_signs_in_and_is_on_the_page_in_both_languages(network):
    let_in(network)
    client = network.signed_in("operator")
    assert send(client, "/console/people/", name="Bo 波", **NEW, **TWO).status_code == 303
    assert post(network.visitor(), "/signin/bo-波", pin=FRESH).status_code == 303
    assert person(network, "bo-波").role == "operator"
    for language in ("en", "zh"):
        page = client.get(f"/console/people/?lang={language}").text
        assert "Bo 波" in page
        assert ("Add a person" in page) == (language == "en")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"own": "9999"}, "own"),
        ({"other_pin": "9999"}, "other_pin"),
        ({"other": "operator", "other_pin": OWN}, "other"),
        ({"pin": "4711", "again": "4711"}, "pin"),
        ({"pin": "cornerstore network", "again": "cornerstore network"}, "pin"),
        ({"again": "wet lantern pencil"}, "again"),
        ({"name": ""}, "name"),
        ({"role": "cashier"}, "role"),
    ],
)
def test_who_cannot_be_let_in_is_a_sentence_beside_the_field_and_nobody_is(network, change, field):
    let_in(network)
    before = verbs(network)
    refused = send(network.signed_in("operator"), "/console/people/", **{"name": "Bo", **NEW, **TWO, **change})
    assert refused.status_code == 422
    assert 'class="field-error' in refused.text
    assert f'name="{field}"' in refused.text
    assert verbs(network) == before


@pytest.mark.parametrize("step", ["pin", "role", "reset-code", "leave", "come-back"])
@pytest.mark.parametrize("without", ["own", "other_pin"])
def test_one_pin_alone_changes_no_other_operator(network, step, without):
    let_in(network)
    third = let_in(network, "Third")
    with network.doors.write() as session:
        session.get_one(Staff, ("network", third)).active = step != "come-back"
    before, said = person(network, third), verbs(network)
    refused = send(network.signed_in("operator"), f"/console/people/{third}/{step}", **NEW, **TWO | {without: "9999"})
    assert refused.status_code == 422
    assert "Wrong passphrase. Enter it again" in refused.text
    after = person(network, third)
    assert (after.seal, verbs(network)) == (before.seal, said)


def test_two_give_a_third_a_new_pin_send_them_away_and_let_them_come_back(network):
    let_in(network)
    third, client = let_in(network, "Third"), network.signed_in("operator")
    where = f"/console/people/{third}"
    assert send(client, f"{where}/pin", **NEW, **TWO).status_code == 303
    theirs = network.visitor()
    assert post(theirs, f"/signin/{third}", pin=FRESH).status_code == 303
    assert send(client, f"{where}/leave", **TWO).status_code == 303
    assert theirs.get("/console/people/").status_code != 200, "wherever they are signed in"
    assert send(client, f"{where}/come-back", **NEW, **TWO).status_code == 303
    assert person(network, third).role == "operator"
    assert verbs(network)[-3:] == ["staff.pin changed", "staff.deactivated", "staff.came back"]


def test_two_operators_give_a_role_and_nobody_gives_one_to_themselves(network):
    let_in(network)
    third, client = let_in(network, "Third"), network.signed_in("operator")
    assert send(client, f"/console/people/{third}/role", role="warehouse", **TWO).status_code == 303
    assert person(network, third).role == "warehouse"
    theirs = network.visitor()
    assert post(theirs, f"/signin/{third}", pin=NORAS).status_code == 303
    assert theirs.get("/console/picking/").status_code == 200
    assert theirs.get("/console/money/").status_code == 403
    assert send(client, "/console/people/operator/role", role="reader", **TWO).status_code == 409
    assert person(network, "operator").role == "operator"


@pytest.mark.parametrize("role", [one for one in NETWORK_ROLES if one != "operator"])
def test_only_an_operator_is_the_second_who_agrees_about_people(network, role):
    let_in(network, role=role)
    client = network.signed_in("operator")
    refused = send(client, "/console/people/", name="Bo", **NEW, **TWO)
    assert (refused.status_code, verbs(network).count("staff.added")) == (409, 2)


def test_one_operator_alone_makes_no_second_one_on_a_page(network):
    client = network.signed_in("operator")
    assert "cornerstore staff" in client.get("/console/people/").text
    refused = send(client, "/console/people/", name="Bo", **NEW, own=OWN, other="operator", other_pin=OWN)
    assert refused.status_code == 409
    assert verbs(network).count("staff.added") == 1


def test_the_last_operator_stays_and_changes_their_own_pin_with_the_old_one(network):
    client = network.signed_in("operator")
    assert "This is the last operator. Add another one first" in client.get("/console/people/operator").text
    assert send(client, "/console/people/operator/leave", **TWO).status_code == 409
    assert send(client, "/console/people/operator/pin", **NEW, **TWO).status_code == 409
    assert send(client, "/console/sign-in/passphrase", **NEW, own="9999").status_code == 422
    assert send(client, "/console/sign-in/passphrase", **NEW, own=OWN).status_code == 303
    assert client.get("/console/people/").status_code == 200, "with the new passphrase they are still signed in"
    assert person(network, "operator").active
