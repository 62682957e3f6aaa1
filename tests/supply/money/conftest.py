"""A transaction at the network that leaves nothing behind."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy.orm import Session

from tests.supply.road import Country, make_country


class Undone(Exception):
    """Leaves a transaction without a trace."""


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """Give a network with its stores in which nothing has happened, and nothing is to stay."""
    return make_country(tmp_path_factory.mktemp("untouched"))


@pytest.fixture
def session(untouched: Country) -> Iterator[Session]:
    """Give a transaction at the network of which nothing stays."""
    with suppress(Undone), untouched.network.write() as session:
        yield session
        raise Undone
