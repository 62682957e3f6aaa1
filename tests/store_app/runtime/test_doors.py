"""The doors: `db.session` is the session of whoever opened one, on the books it was opened on, and of nobody else."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import pytest
from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.nodes import outbox
from config.nodes.outbox import Outgoing
from pos import messages
from pos.printing import queue
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


def leave_message(session: Session) -> None:
    messages.write(session, STORE, "receipt", messages.Recipient(), id="m1", body={}, at=NOON)


def leave_fact(session: Session) -> None:
    outbox.append(session, Outgoing("f1", "topic", 1, NOON.date(), "subject", {}), to_node=NETWORK, at=NOON)


def leave_paper(session: Session) -> None:
    queue.queue(session, STORE, "T1", queue.Printout("label", "p1", {}), at=NOON)


def leave_nothing(_session: Session) -> None:
    pass


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("leave", [leave_message, leave_fact, leave_paper, leave_nothing])
def test_a_request_rings_once_it_is_committed_where_it_left_work(
    house: House, leave: Callable[[Session], None], fails: bool
):
    with house.app.test_request_context("/"), suppress(KeyError), write() as session:
        leave(session)
        assert not house.doors.bell.file.exists(), "not before the commit"
        if fails:
            raise KeyError
    assert house.doors.bell.file.exists() == (leave is not leave_nothing and not fails)
