"""A store is added and invited in the browser, and followed from invitation to its first order."""

import html
import re

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.nodes.journal import JournalEntry
from pos.store import joining as store_joining
from pos.store.store import Region, Store
from store_app.node import joining
from tests.store_app.conftest import NOON, STORE, House, add_team
from tests.store_app.office import send, words

NEW = {
    "name": "Corner 7", "store_id": "S07", "region": "  NORTH ", "language": "en", "currency": "USD",
    "tz": "America/New_York",
}  # fmt: skip


def regions(network: House) -> list[str]:
    with network.doors.read() as session:
        return list(session.scalars(sa.select(Region.id).order_by(Region.id)))


def test_a_store_is_added_in_the_region_that_is_there_however_it_is_typed(network):
    client, before = network.signed_in("operator"), regions(network)
    assert 'value="S03"' in client.get("/console/stores/new").text, "the next free id"
    assert send(client, "/console/stores/new", **NEW).headers["Location"].endswith("/console/stores/S07/joining")
    with network.doors.read() as session:
        store = session.get_one(Store, "S07")
        assert (store.name, store.region_id) == ("Corner 7", "north")
        said = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.subject == "store:S07")).all()
    assert said == ["store.added"]
    assert regions(network) == before
    assert "Not invited yet" in words(client.get("/console/stores/S07/joining"))


@pytest.mark.parametrize(
    "change",
    [
        {"store_id": STORE}, {"store_id": "no good"}, {"store_id": ""}, {"name": ""}, {"region": ""}, {"tz": "Nowhere"},
        {"currency": "dollars"}, {"currency": "??"}, {"language": "xx"}, {"name": "S01"},
    ],
)  # fmt: skip
def test_what_is_no_store_is_a_sentence_and_none_is_added(network, change):
    client = network.signed_in("operator")
    answer = send(client, "/console/stores/new", **NEW | change)
    with network.doors.read() as session:
        made = session.get(Store, "S07")
    if change == {"name": "S01"}:  # another store has the name: only its page's address differs
        assert (answer.status_code, made.slug) == (303, "s01-s07")
    else:
        assert (answer.status_code in (409, 422), made) == (True, None)
        assert "Corner 7" in answer.text or change == {"name": ""}, "what was typed is still there"


def test_an_invitation_s_link_is_shown_once_joins_the_store_and_its_way_is_followed(network):
    client = network.signed_in("operator")
    send(client, "/console/stores/new", **NEW)
    invited = send(client, "/console/stores/S07/joining")
    link = html.unescape(re.search(r'id="link" readonly value="(.+?)"', invited.text)[1])
    assert "<svg" in invited.text
    url, code, fingerprint = joining.of_link(link)
    assert (url.startswith("http://localhost"), fingerprint) == (True, "")
    assert code not in client.get("/console/stores/S07/joining").text
    assert "One is open until" in words(client.get("/console/stores/S07/joining"))
    again = send(client, "/console/stores/S07/joining")
    newer = joining.of_link(html.unescape(re.search(r'id="link" readonly value="(.+?)"', again.text)[1]))[1]

    with network.doors.write() as session:
        assert isinstance(store_joining.join(session, code, at=NOON), Refused), "the older one is useless"
        assert store_joining.join(session, newer, at=NOON)[0] == "S07"
    page = words(client.get("/console/stores/S07/joining"))
    assert "has not used the invitation yet" not in page
    assert "Never connected" in page
    assert "No sale yet" in page
    opened = network.visitor().get("/join")
    assert (opened.status_code, "whole address" in words(opened)) == (200, True)


@pytest.mark.parametrize(
    "said",
    ["https://net.example", "https://net.example/join", "https://net.example/#code=A", "", "code=A", "/join#x=1"],
)
def test_what_is_no_invitation_is_taken_for_none(said):
    assert joining.of_link(said) is None


def test_a_link_holds_address_code_and_fingerprint():
    link = joining.link("https://net.example/", "ABCD-EFGH", "AB12 CD34")
    assert joining.of_link(f" {link}\n") == ("https://net.example", "ABCD-EFGH", "AB12CD34")
    assert "ABCD" not in link.partition("#")[0], "no server is sent the code"


@pytest.mark.parametrize("role", ["buyer", "finance", "support", "reader"])
def test_who_only_looks_follows_a_store_and_invites_none(network, role):
    add_team(network)
    client = network.signed_in(role)
    assert client.get(f"/console/stores/{STORE}/joining").status_code == 200
    assert send(client, f"/console/stores/{STORE}/joining").status_code == 403
    assert client.get("/console/stores/new").status_code == 403
    assert "Add a store" not in words(client.get("/console/stores/"))
