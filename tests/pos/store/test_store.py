"""The store itself: founding it, its keys at the network, its people."""

import pytest

from config.errors import Conflict, Invalid, NotFound
from config.nodes.journal import Actor, Context
from pos.store.store import (
    StoreKey,
    Till,
    add_staff,
    found_store,
    give_key,
    keys_of,
    staff_of,
    store_for_key,
    store_of,
    withdraw_key,
)
from tests.builders import NOON, STORE, OpenStore
from tests.readable import readable


def test_a_key_opens_its_own_store_until_it_is_withdrawn(store):
    actor = Actor.system("test", STORE)
    with store.write() as session:
        key = give_key(session, STORE, NOON)
        session.flush()
        assert store_for_key(session, key) == STORE
        assert store_for_key(session, key + "x") is None
        assert key not in {row.sha256 for row in session.query(StoreKey)}
        (first,) = keys_of(session, STORE)
        other = give_key(session, STORE, NOON)
        session.flush()
        for _ in range(2):
            withdraw_key(Context(session, actor, NOON), STORE, first.name)
        with pytest.raises(NotFound, match="has no key nonsense"):
            withdraw_key(Context(session, actor, NOON), STORE, "nonsense")
        session.flush()
        assert store_for_key(session, key) is None
        assert store_for_key(session, other) == STORE, "the others stay"
        assert len(keys_of(session, STORE)) == 2, "and none is made"


def test_no_key_is_made_for_a_store_nobody_knows(store):
    with store.write() as session, pytest.raises(NotFound):
        give_key(session, "S99", NOON)


def test_a_pin_is_kept_as_a_hash_only(store):
    with store.write() as session:
        person = add_staff(session, STORE, "ana", "Ana", "cashier", "2468")
        assert "2468" not in readable(person.pin_hash)
        assert person.pin_hash.startswith("$argon2id$")
        session.flush()
        assert [row.id for row in staff_of(session, STORE)] == ["ana"]


@pytest.mark.parametrize(
    ("role", "pin"), [("cashier", "123"), ("cashier", "12a4"), ("owner", "1234"), ("system", "1234")]
)
def test_an_odd_role_or_pin_is_refused(store, role, pin):
    with store.write() as session, pytest.raises(Invalid):
        add_staff(session, STORE, "eve", "Eve", role, pin)


def test_a_name_works_here_once(store):
    with store.write() as session:
        add_staff(session, STORE, "ana", "Ana", "cashier", "2468")
        with pytest.raises(Conflict):
            add_staff(session, STORE, "ana", "Ana", "cashier", "1357")


def test_a_store_is_founded_with_its_tills(store: OpenStore):
    where = {"region": ("south", "South"), "currency": "USD", "tz": "America/Chicago", "at": NOON}
    with store.write() as session:
        founded = found_store(session, "S02", "Café Müller 24", tills=(("A", "Front"), ("B", "Back")), **where)
        assert founded.slug == "café-müller-24"
        assert session.get_one(Till, ("S02", "B")).name == "Back"
        with pytest.raises(Conflict):
            found_store(session, "S02", "Again", **where)
        with pytest.raises(Invalid):
            found_store(session, "S03", "Nowhere", **where | {"tz": "Mars/Olympus"})
        with pytest.raises(Invalid):
            found_store(session, "S03", "Odd", **where | {"currency": "dollars"})
        with pytest.raises(NotFound):
            store_of(session, "S09")
