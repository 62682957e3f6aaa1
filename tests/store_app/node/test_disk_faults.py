"""A disk that is full or breaks, damaged books: who sells reads what to do, nothing is half there, the node goes on."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from config.ids import new_id
from pos.sold import Sale
from pos.sync import checks
from tests.store_app.api.test_counter import body, store
from tests.store_app.conftest import House

__all__ = ["store"]


@contextmanager
def full(house: House) -> Iterator[None]:
    """Let the file of the books grow no further, as on a full disk."""
    engine = house.doors.database.engine

    def bound(line, _record) -> None:
        line.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size

    sa.event.listen(engine, "connect", bound)
    engine.dispose()
    yield
    sa.event.remove(engine, "connect", bound)
    engine.dispose()


@contextmanager
def broken(_house: House) -> Iterator[None]:
    """Let no file be written beyond its first bytes: SQLite is told of an error of the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    writes_no_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # half of it would be written
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_no_bytecode
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def sold(house: House) -> set[str]:
    with house.doors.read() as session:
        return set(session.scalars(sa.select(Sale.id)))


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [(full, "disk-full", "Free some space"), (broken, "disk-fault", "restart the computer")],
)
def test_a_sale_the_disk_does_not_take_is_answered_in_words_and_the_next_one_goes_through(
    store, house, trouble, code, said
):
    taken, answers = set(), []
    with trouble(house):
        for _ in range(60):
            sale = new_id()
            answers.append(store.post("/api/sales", json=body(id=sale)))
            if answers[-1].status_code == 503:
                break
            taken.add(sale)
        last = answers[-1]
        assert (last.status_code, last.json["error"]["code"]) == (503, code)
        assert said in last.json["error"]["message"]
        assert last.headers["Retry-After"]
    assert sold(house) == taken, "what was refused is not there"
    assert store.post("/api/sales", json=body(id=sale)).status_code == 201
    with house.doors.read() as session:
        assert checks.findings(session) == []


def test_damaged_books_stop_the_shop_in_words(store, house):
    house.doors.database.engine.dispose()
    with house.file.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(100)
        file.write(b"\xff" * (size - 100))
    answer = store.post("/api/sales", json=body())
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "books-damaged")
    assert "The database file is damaged. Stop selling on" in answer.json["error"]["message"]
