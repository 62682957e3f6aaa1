"""Every route x every role x both kinds of node: whom the rule lets in is answered, all others turned away (I36).

The matrix is made from the route table: a new route is in it at once, and one without a rule fails.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.routing import Rule

from config.ids import new_id
from config.nodes import outbox, publication
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context
from pos.store import permissions
from pos.store.permissions import AT_FIRST, FIXED, permitted
from pos.store.roles import NETWORK_ROLES
from pos.store.store import Staff, StoreKey, give_key, keys_of, withdraw_key
from store_app.web import staff
from store_app.web.security import rule_of
from tests.network_facts import message, sales
from tests.store_app.conftest import KEY, NOON, STORE, House, add_store, add_team, token
from tests.store_app.office import words

ROLES = {
    "house": ("", "cashier", "supervisor", "shopkeeper"), "settled": ("cashier", "supervisor"),
    "team": ("", *NETWORK_ROLES),
}  # fmt: skip
BEARERS = ("device", "agent", "watcher")
OWN = ("own_sign_in.", "console_more.view")
"""What changes nothing but what is the person's own: the sign-in and saved views."""
ENDS_THE_SESSION = ("/signout", "/lock")


def routes(app: Any) -> Iterator[tuple[Rule, str]]:
    """Yield every route with each method that means something."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def address(app: Any, rule: Rule) -> str:
    """Return an address of a route; its parts name nothing that is there."""
    parts = {
        name: 1 if "int" in str(kind) else "2026-03-02" if "day" in name else "nothing"
        for name, kind in ((name, type(kind).__name__.lower()) for name, kind in rule._converters.items())
    }
    with app.test_request_context():
        return str(rule.build(parts)[1])  # type: ignore[index]


def is_turned_away(answer: Any) -> bool:
    if answer.status_code in (401, 403):
        return True
    there = answer.headers.get("Location", "")
    return answer.status_code == 303 and bool(re.match(r"^(https?://[^/]+)?/signin(\?|/|$)", there))


@pytest.fixture
def settled(house: House) -> House:
    """Give a store that allowed its roles all they had not, and denied them all they had."""
    by = {"actor": staff.Actor.system("test", STORE), "at": NOON}
    with house.doors.write() as session:
        for role in permissions.SETTLED:
            permissions.settle(Context(session, **by), STORE, role, AT_FIRST["shopkeeper"] - AT_FIRST[role] - FIXED)
    return house


@pytest.fixture
def team(network: House) -> House:
    """Give a network where somebody has each role."""
    add_team(network)
    return network


@pytest.mark.parametrize("which", ROLES)
def test_each_role_is_let_in_where_its_rule_says_so_and_nowhere_else(which, request):
    node: House = request.getfixturevalue(which)
    asked = [(rule, method, address(node.app, rule)) for rule, method in routes(node.app)]
    wrong, let_in = [], set()
    for role in ROLES[which]:
        with node.doors.read() as session:
            own = permitted(session, node.doors.settings.node_id, role)
        client = node.signed_in(role) if role else node.visitor()
        csrf = token(client)
        for rule, method, there in asked:
            allowed = rule_of(node.app, rule.endpoint)
            if allowed is None:
                wrong.append(f"{rule.endpoint} has no rule")
            if rule.rule in ENDS_THE_SESSION or rule.endpoint in ("static", "bootstrap.static"):
                continue
            opens = allowed == "public" or allowed in own
            if opens and {(rule.rule, method), (role, allowed)} <= let_in:
                continue  # the page was opened to another role, and another page of this rule to this one
            let_in |= {(rule.rule, method), (role, allowed)} if opens else set()
            answer = client.open(
                there, method=method, headers={"X-CSRF-Token": csrf, "Accept": "application/json"},
                data={"csrf_token": csrf} if method != "GET" else None, buffered=True,
            )  # fmt: skip
            if answer.status_code >= 500 and answer.status_code != 503:
                wrong.append(f"{method} {rule.rule} as {role or 'nobody'}: {answer.status_code}")
            if is_turned_away(answer) is opens:
                wrong.append(f"{method} {rule.rule} ({allowed}) as {role or 'nobody'}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("which", ["house", "network"])
def test_a_key_opens_only_what_is_for_its_kind_and_no_page(which, request):
    node: House = request.getfixturevalue(which)
    client = node.visitor()
    wrong = []
    for rule, method in routes(node.app):
        allowed = rule_of(node.app, rule.endpoint)
        answer = client.open(
            address(node.app, rule), method=method, headers={"Authorization": f"Bearer {KEY}"}, buffered=True
        )
        if allowed != "public" and (allowed != "device" and not is_turned_away(answer) and answer.status_code != 400):
            wrong.append(f"{method} {rule.rule} ({allowed}): {answer.status_code}")
        if allowed == "device" and is_turned_away(answer):
            wrong.append(f"{method} {rule.rule} ({allowed}): {answer.status_code}")
    assert wrong == []


def test_no_store_sees_what_is_another_s_or_speaks_for_it(network):
    with network.doors.write() as session:
        for to_node in (STORE, "S02"):
            fact = outbox.Outgoing(
                topic="noted",
                version=1,
                body={"for": to_node},
                id=f"to-{to_node}",
                subject="x",
                business_day=NOON.date(),
            )
            outbox.append(session, fact, to_node=to_node, at=NOON)
            publication.publish(session, "catalogue", to_node, {"for": to_node}, at=NOON)
    client, mine = network.visitor(), {"Authorization": f"Bearer {KEY}"}
    reported = [
        client.get("/api/sync/messages?mine=S02&store_id=S02&epoch=x&after_n=0", headers=mine).text,
        client.get("/api/sync/publications?store_id=S02", headers=mine | {"X-Store": "S02"}).text,
        client.get("/api/sync/publications/catalogue?scope=S02", headers=mine).text,
    ]
    assert "to-S01" in reported[0]
    assert not any("to-S02" in text or 'for\\":\\"S02' in text for text in reported)
    assert 'for\\":\\"S01' in reported[2]
    foreign = message(next(sales("S02", 1)), 1)
    push = {"speaking": "e" * 8, "epoch": "e" * 8, "from_n": 1, "count": 1, "head": "", "rows": [vars(foreign)]}
    answer = client.post("/api/sync/messages", json=push | {"store_id": "S02"}, headers=mine).json
    assert [one["id"] for one in answer["parked"]] == [foreign.id]
    with network.doors.read() as session:
        kept = session.scalars(sa.select(InboxMessage)).one()
        assert (kept.from_node, kept.state, kept.reason[:12]) == (STORE, "parked", "not-yours-to")


def test_a_withdrawn_key_is_refused_at_the_very_next_call(network):
    with network.doors.write() as session:
        key = give_key(session, "S02", NOON)
    client, headers = network.visitor(), {"Authorization": f"Bearer {key}"}
    assert client.get("/api/sync/publications", headers=headers).status_code == 200
    with network.doors.write() as session:
        (given,) = keys_of(session, "S02")
        withdraw_key(Context(session, staff.Actor.system("test", "network"), NOON), "S02", given.name)
    assert client.get("/api/sync/publications", headers=headers).status_code == 401
    with network.doors.read() as session:
        assert key not in {row.sha256 for row in session.scalars(sa.select(StoreKey))}, "only its hash is kept"


def test_a_person_of_another_node_is_nobody_here(house):
    with house.doors.write() as session:
        add_store(session, "S09")
        staff.add(Context(session, staff.Actor.system("test", STORE), NOON), "S09", "stranger", "shopkeeper", "8642")
    client = house.visitor()
    answer = client.post("/signin/stranger", data={"csrf_token": token(client), "pin": "8642"})
    assert answer.status_code == 404
    with house.doors.read() as session:
        assert session.get(Staff, ("S09", "stranger")) is not None
    with client.session_transaction() as kept:
        assert "staff" not in kept


def test_no_address_of_an_unknown_kind_is_answered(house):
    client = house.signed_in()
    for odd in (f"/nothing/{new_id()}", "/api/nothing", "/till/../settings/x"):
        assert client.get(odd).status_code in (301, 308, 404)


def test_who_only_looks_at_the_network_finds_every_page_and_changes_nothing(team):
    """A reader's pages answer, and each form that changes something there is refused."""
    client, csrf, let_through = team.signed_in("reader"), None, []
    csrf = token(client)
    for rule, method in routes(team.app):
        allowed = rule_of(team.app, rule.endpoint)
        if method == "GET" or allowed in ("public", *BEARERS) or rule.endpoint.startswith(OWN):
            continue
        answer = client.open(address(team.app, rule), method=method, data={"csrf_token": csrf})
        if not is_turned_away(answer):
            let_through.append(f"{method} {rule.rule}")
    assert let_through == []
    for page in ("/console/", "/console/supply/", "/console/prices/", "/console/money/", "/console/stores/"):
        shown = client.get(page)
        assert (shown.status_code in (200, 404), page) == (True, page)
    assert "You can look here, but not change anything" in words(client.get("/console/money/"))
    assert "You can look here" not in words(team.signed_in("finance").get("/console/money/"))
