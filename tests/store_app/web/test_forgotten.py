"""A forgotten PIN of the only shopkeeper: replaced by who can read the computer's files, and no one else."""

import datetime as dt

import sqlalchemy as sa
from werkzeug.test import TestResponse

from config.nodes.journal import Actor, Context, JournalEntry
from pos.store.store import Till
from pos.till import shift
from store_app.web import forgotten, staff
from tests.store_app.conftest import STORE, House, post


def written(house: House) -> str:
    return forgotten.place_of(house.doors).read_text().split()[0]


def new_pin(house: House, code: str, pin: str = "8642") -> TestResponse:
    answer: TestResponse = post(house.visitor(), "/signin/shopkeeper/new-pin", code=code, pin=pin)
    return answer


def test_the_code_in_the_file_sets_a_new_pin_once_and_the_journal_says_how(house: House):
    before = house.signed_in()
    assert "Forgot your PIN?" in house.visitor().get("/signin/shopkeeper").text
    assert post(house.visitor(), "/signin/shopkeeper/forgotten").status_code == 303
    page = house.visitor().get("/signin/shopkeeper").text
    code = written(house)
    assert str(forgotten.place_of(house.doors)) in page
    assert code not in page, "the page tells where it is, never what it is"
    assert forgotten.place_of(house.doors).stat().st_mode & 0o077 == 0
    assert new_pin(house, code.lower()).status_code == 303
    assert post(house.visitor(), "/signin/shopkeeper", pin="8642").status_code == 303
    assert before.get("/settings/").status_code == 303, "who was signed in with the old PIN is signed out"
    assert new_pin(house, code).status_code == 409
    with house.doors.read() as session:
        said = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "staff.pin changed")).one()
    assert (said.actor_id, said.subject) == ("job:forgotten PIN", "staff:shopkeeper")


def test_a_wrong_code_uses_the_file_up_and_a_weak_pin_does_not(house: House):
    post(house.visitor(), "/signin/shopkeeper/forgotten")
    code = written(house)
    assert new_pin(house, code, pin="1234").status_code == 422
    assert forgotten.is_written(house.doors)
    assert new_pin(house, "ABCDEFGH").status_code == 409
    assert not forgotten.is_written(house.doors)
    assert new_pin(house, code).status_code == 409


def test_while_a_till_is_open_no_code_is_written(house: House):
    with house.doors.write() as session:
        ctx = Context(session, Actor.system("test", STORE), house.clock.now())
        till = session.scalars(sa.select(Till.id)).first() or ""
        opened = shift.open_shift(ctx, STORE, till, 0)
    assert post(house.visitor(), "/signin/shopkeeper/forgotten").status_code == 409
    assert not forgotten.is_written(house.doors)
    with house.doors.write() as session:
        ctx = Context(session, Actor.system("test", STORE), house.clock.now())
        shift.close(ctx, session.merge(opened), 0)
    assert post(house.visitor(), "/signin/shopkeeper/forgotten").status_code == 303
    with house.doors.read() as session:
        said = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "staff.code written")).all()
    assert [one.subject for one in said] == ["staff:shopkeeper"]


def test_an_old_code_opens_nothing(house: House):
    post(house.visitor(), "/signin/shopkeeper/forgotten")
    code = written(house)
    house.clock.advance(forgotten.HOLDS / dt.timedelta(seconds=1) + 1)
    assert new_pin(house, code).status_code == 409


def test_it_is_offered_on_the_store_s_own_computer_and_for_the_last_keeper_alone(house: House):
    phone = house.visitor()
    phone.environ_base["REMOTE_ADDR"] = "192.168.1.20"
    assert "Forgot your PIN?" not in phone.get("/signin/shopkeeper").text
    assert post(phone, "/signin/shopkeeper/forgotten").status_code == 409
    assert "Forgot your PIN?" not in house.visitor().get("/signin/cashier").text
    assert post(house.visitor(), "/signin/cashier/forgotten").status_code == 409
    with house.doors.write() as session:
        system = Actor.system("test", STORE)
        staff.add(Context(session, system, house.clock.now()), STORE, "Lin", "shopkeeper", "2580")
    assert post(house.visitor(), "/signin/shopkeeper/forgotten").status_code == 409
    assert not forgotten.is_written(house.doors)
