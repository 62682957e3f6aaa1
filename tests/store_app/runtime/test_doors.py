"""The doors: `db.session` is the session of whoever opened one, on the books it was opened on, and of nobody else."""

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import pytest

from pos.messages import Recipient
from pos.messages import write as write_message
from store_app.runtime.doors import db, open_doors, write
from tests.builders import NOON, STORE
from tests.store_app.conftest import House


@pytest.mark.parametrize("is_web", [True, False])
def test_an_open_door_s_session_is_db_session_and_before_and_after_it_there_is_none(house: House, is_web: bool):
    scope: AbstractContextManager[Any] = house.app.app_context() if is_web else nullcontext()
    with scope:
        for open_door in (house.doors.read, house.doors.write, house.doors.read):
            with open_door() as session:
                assert db.session() is session
                with house.app.app_context(), pytest.raises(RuntimeError, match="no transaction is open"):
                    db.session()  # another context's is its own
                assert db.session() is session
            with pytest.raises(RuntimeError, match="no transaction is open"):
                db.session()


def test_all_of_it_is_asked_of_the_books_the_door_was_opened_on(house: House):
    others = open_doors(house.doors.settings)
    with house.app.app_context(), others.read():
        assert db.session.connection().engine is others.database.engine


@pytest.mark.parametrize(
    ("leaves", "fails", "rings"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_a_request_rings_once_it_is_committed_where_it_left_work(house: House, leaves: bool, fails: bool, rings: bool):
    with house.app.test_request_context("/"), suppress(KeyError), write() as session:
        if leaves:
            write_message(session, STORE, "receipt", Recipient(), id="m1", body={}, at=NOON)
        assert not house.doors.bell.file.exists(), "not before the commit"
        if fails:
            raise KeyError
    assert house.doors.bell.file.exists() == rings
