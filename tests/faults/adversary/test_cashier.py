"""A hostile cashier: what a signed-in cashier may try against the PINs of others and the disk."""

import hashlib

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.ids import new_id
from config.nodes.journal import Actor, Context, JournalEntry
from pos.store import badges
from pos.store.store import PinTries, Staff
from store_app.files.take_out import SECRET_COLUMNS
from store_app.practice import practice
from store_app.web import staff
from tests.store_app.conftest import NOON, STORE, House, post, token


def ask_leave(client, pin: str, staff_id: str = "shopkeeper"):
    """Ask for somebody's leave as the till does."""
    body = {"staff_id": staff_id, "pin": pin, "permission": "void", "sale_id": new_id(), "till_id": "1"}
    return client.post("/api/approvals", json=body, headers={"X-CSRF-Token": token(client)})


def refused_in_the_books(house: House) -> int:
    with house.doors.read() as look:
        query = sa.select(sa.func.count()).where(JournalEntry.verb == "signin.refused")
        return look.scalar(query)


def test_guesses_from_lesson_to_lesson_meet_no_real_pin_and_the_same_lock_outside(house):
    client = house.signed_in("cashier")
    for guess in ("1000", "1001", staff.PRACTICE_PINS["shopkeeper"], "1002"):
        assert post(client, "/training/ring-up/begin").status_code == 303
        answer = ask_leave(client, guess)
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "practice-pin"), "the true PIN is as wrong"
        post(client, "/training/leave")
    outside = [ask_leave(client, "9999").json["error"]["code"] for _ in range(staff.TRIES + 1)]
    assert outside == ["wrong-pin"] * staff.TRIES + ["locked"]
    assert refused_in_the_books(house) == staff.TRIES
    with house.doors.read() as look:
        assert look.get_one(PinTries, (STORE, "shopkeeper", "cashier")).failed_tries == staff.TRIES


def test_leave_in_a_lesson_takes_the_made_up_pin_and_counts_nowhere_else(house):
    client = house.signed_in("cashier")
    post(client, "/training/ring-up/begin")
    assert staff.LESSON_PIN in client.get("/training/coach").text
    granted = ask_leave(client, staff.LESSON_PIN)
    assert granted.status_code == 200
    post(client, "/training/leave")
    assert ask_leave(client, staff.LESSON_PIN).json["error"]["code"] == "wrong-pin", "it opens nothing outside"


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/signin/shopkeeper", {"pin": "2222"}),
        ("/signin", {"name": "shopkeeper", "pin": "2222"}),
        ("/badge", {"badge": "9870" + "1" * 40}),
        ("/first", {"name": "Me", "pin": "2222"}),
        ("/people/your-pin", {"old": "1111", "pin": "5566", "again": "5566"}),
    ],
)
def test_nobody_signs_in_or_changes_a_pin_from_inside_a_lesson(house, address, fields):
    client = house.signed_in("cashier")
    post(client, "/training/ring-up/begin")
    assert post(client, address, **fields).status_code == 409
    badge = client.post("/api/badge", json={"badge": "9870" + "1" * 40}, headers={"X-CSRF-Token": token(client)})
    assert (badge.status_code, badge.json["error"]["code"]) == (409, "practicing")
    with client.session_transaction() as session:
        assert session["staff"] == "cashier"
    post(client, "/training/leave")
    assert client.get("/people/").status_code == 403, "no session of the shopkeeper came of it"


def test_a_check_against_practice_books_is_refused_whoever_asks(house):
    client = house.signed_in("cashier")
    post(client, "/training/ring-up/begin")
    with client.session_transaction() as session:
        there = house.app.extensions["cornerstore_practice"].doors(session["practice"])
    for check in (
        lambda: staff.check_pin(there, STORE, "shopkeeper", "2222"),
        lambda: staff.check_badge(there, STORE, "9870"),
    ):
        with pytest.raises(Refused, match="This is closed in practice mode"):
            check()


def test_a_practice_store_holds_no_secret_of_the_real_one(house):
    with house.doors.write() as books:
        code = badges.give(Context(books, Actor.system("t", STORE), NOON), books.get_one(Staff, (STORE, "cashier")))
    client = house.signed_in("cashier")
    post(client, "/training/ring-up/begin")
    with house.doors.read() as look:
        secrets = {kept for row in look.scalars(sa.select(Staff)) for kept in (row.pin_hash, row.badge_hash) if kept}
    assert hashlib.sha256(code.encode()).hexdigest() in secrets
    folder = house.doors.settings.state_folder / "practice"
    held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert b"cashier" in held
    assert not [secret for secret in secrets if secret.encode() in held]
    with client.session_transaction() as session:
        there = house.app.extensions["cornerstore_practice"].doors(session["practice"])
    with there.read() as look:
        for table in practice.Base.metadata.sorted_tables:
            if table.name in practice.COPIED and (columns := SECRET_COLUMNS & {*table.c.keys()}):
                for row in look.execute(sa.select(*(table.c[name] for name in columns))):
                    assert not any(row), table.name


def test_a_replayed_cookie_makes_no_practice_stores_without_bound(house, monkeypatch):
    stores = house.app.extensions["cornerstore_practice"]
    client = house.signed_in("cashier")
    csrf = token(client)
    cookie = client.get_cookie("session") or next(iter(client._cookies.values()))
    for _ in range(practice.MOST_EACH + 3):
        client.set_cookie(cookie.key, cookie.value)
        assert client.post("/training/ring-up/begin", data={"csrf_token": csrf}).status_code == 303
    assert len(stores.sweep()) == practice.MOST_EACH
    monkeypatch.setattr(practice, "MOST", practice.MOST_EACH)
    other = house.signed_in("supervisor")
    full = post(other, "/training/ring-up/begin")
    assert full.status_code == 409
    assert "Too many people are practicing" in full.text
    post(client, "/signout")
    assert len(stores.sweep()) == practice.MOST_EACH - 1, "a session that ends takes its practice store along"
    assert post(other, "/training/ring-up/begin").status_code == 303


def test_one_practice_store_cannot_fill_the_disk(house):
    client = house.signed_in("cashier")
    post(client, "/training/ring-up/begin")
    with client.session_transaction() as session:
        there = house.app.extensions["cornerstore_practice"].doors(session["practice"])
    size = practice.MOST_PAGES * 4096
    with there.write() as books:
        books.execute(sa.text("create table much (x)"))
    with pytest.raises(sa.exc.OperationalError, match="full"), there.write() as books:
        books.execute(sa.text(f"insert into much values (zeroblob({size}))"))
