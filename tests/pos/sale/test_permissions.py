"""What each role may do: as it is at first, and as the store settled it."""

import json

import pytest
import sqlalchemy as sa

from config.errors import Invalid, Refused
from config.nodes.journal import Context, JournalEntry
from pos.store import approvals, permissions
from pos.store.permissions import AT_FIRST, BY_LIMIT, FIXED, Limit, may, permitted
from pos.store.roles import STAFF_ROLES
from pos.store.store import add_staff
from tests.builders import NOON, STORE


def settled(store, role, names):
    with store.write() as session:
        permissions.settle(Context(session, store.wei, NOON), STORE, role, names)
    return store.read(lambda session: permitted(session, STORE, role))


def test_a_cashier_sells_at_first_and_sets_no_prices_and_an_unknown_role_may_nothing(store):
    assert store.read(lambda session: may(session, STORE, "cashier", "sell"))
    assert not store.read(lambda session: may(session, STORE, "cashier", "catalogue"))
    assert not store.read(lambda session: may(session, STORE, "stranger", "sell"))
    assert set(STAFF_ROLES) <= AT_FIRST.keys()


@pytest.mark.parametrize("role", permissions.SETTLED)
def test_each_permission_is_allowed_and_denied_by_itself_and_back_at_first_nothing_is_kept(store, role):
    first = AT_FIRST[role]
    for name in sorted(AT_FIRST["shopkeeper"] - FIXED - BY_LIMIT):
        assert settled(store, role, first ^ {name}) == first ^ {name}
    assert settled(store, role, first) == first
    row = store.read(lambda session: session.get_one(Limit, (STORE, role)))
    assert (row.allowed, row.denied) == ([], [])


def test_selling_stays_with_everybody_and_what_follows_a_limit_is_no_tick(store):
    assert settled(store, "supervisor", []) == AT_FIRST["supervisor"] & (FIXED | BY_LIMIT)
    assert settled(store, "cashier", ["discount", "pay_out"]) == {"sell"}


@pytest.mark.parametrize(
    ("role", "names", "code"),
    [
        ("shopkeeper", ["sell"], "role-keeps-all"),
        ("operator", ["sell"], "role-keeps-all"),
        ("supervisor", ["staff"], "shopkeepers-alone"),
        ("cashier", ["fly"], "unknown-permission"),
        ("cashier", ["network.money"], "unknown-permission"),
    ],
)
def test_the_shopkeeper_keeps_all_and_nobody_else_gets_the_people_or_what_no_shop_has(store, role, names, code):
    with pytest.raises((Invalid, Refused)) as refusal:
        settled(store, role, names)
    assert refusal.value.code == code
    for each, first in AT_FIRST.items():
        assert store.read(lambda session, each=each: permitted(session, STORE, each)) == first


def test_a_change_is_journalled_with_what_was_allowed_and_denied_and_the_same_again_is_none(store):
    wished = AT_FIRST["cashier"] - {"tab"} | {"void"}
    for _ in range(2):
        settled(store, "cashier", wished)
    entry = store.read(lambda s: s.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "role.settled")).one())
    assert json.loads(entry.body) == {"allowed": ["void"], "denied": ["tab"]}
    assert (entry.subject, entry.actor_id) == ("role:cashier", store.wei.id)


def test_who_agrees_is_who_the_shop_lets_do_it(store):
    def names(permission):
        return store.read(lambda session: [one.id for one in approvals.approvers(session, STORE, permission)])

    with store.write() as session:
        for staff_id, role in (("cas", "cashier"), ("sue", "supervisor")):
            add_staff(session, STORE, staff_id, staff_id, role, "1111")
    assert names("void") == ["sue"]
    settled(store, "cashier", AT_FIRST["cashier"] | {"void"})
    settled(store, "supervisor", AT_FIRST["supervisor"] - {"void"})
    assert names("void") == ["cas"]
    with store.write() as session:
        given = {"permission": "void", "sale_id": "x", "why": "", "covers": [{}], "asked_by": store.ana, "at": NOON}
        cas, sue = (session.get_one(approvals.Staff, (STORE, staff_id)) for staff_id in ("cas", "sue"))
        assert approvals.grant(session, cas, **given)
        with pytest.raises(Refused, match="can’t approve this"):
            approvals.grant(session, sue, **given)


def test_settling_what_a_role_may_do_leaves_its_limits_as_they_are(store):
    settled(store, "supervisor", [])
    assert store.read(lambda session: permissions.rights_of(session, STORE, "supervisor").discount_bp) == 3000
    assert store.read(lambda session: permissions.rights_of(session, STORE, "supervisor").pay_minor("pay_in")) == 20_000
    assert store.read(lambda session: permissions.rights_of(session, STORE, "supervisor").empties) == 1000
