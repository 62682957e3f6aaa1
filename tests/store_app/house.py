"""A node under test: its application, its doors and its clock; kept over the tests of a run.

Putting an application together takes longer than most tests: some hundred routes, some hundred templates. So it stays,
and a test finds it in front of a database of its own.
"""

import datetime as dt
import itertools
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import make_url

from config.clock import FrozenClock, SystemClock
from config.settings import Settings
from store_app.app import create_app
from store_app.runtime.doors import Doors
from store_app.web import staff
from store_app.web.pace import Pace


@dataclass
class House:
    """One node under test."""

    app: Flask
    doors: Doors
    clock: Any

    @property
    def file(self) -> Path:
        """Where its SQLite database lies."""
        return Path(make_url(self.doors.settings.database_url).database or "")

    def visitor(self) -> FlaskClient:
        """Return a browser nobody has signed in with."""
        return self.app.test_client()

    def signed_in(self, role: str = "shopkeeper") -> FlaskClient:
        """Return a browser in which the person of this role has signed in."""
        client = self.app.test_client()
        answer = post(client, f"/signin/{role}", pin=staff.PRACTICE_PINS.get(role, staff.PRACTICE_PINS["operator"]))
        assert answer.status_code == 303, answer.text
        return client


def post(client: FlaskClient, address: str, **fields: Any) -> Any:
    """Send a form as a browser would, with the token of its session."""
    return client.post(address, data={"csrf_token": token(client), **fields})


def token(client: FlaskClient) -> str:
    """Return the CSRF token of this browser's session, as its pages carry it; to ask for one each time takes long."""
    with client.session_transaction() as session:
        own = session.setdefault("csrf_token", secrets.token_hex(20))
    signed: str = URLSafeTimedSerializer(client.application.secret_key or "", salt="wtf-csrf-token").dumps(own)
    return signed


def open_house(folder: Path, at: dt.datetime | None, *, node_id: str, **given: Any) -> House:
    """Put a node's application together; its database need not be there yet. No `at`: its time is ours."""
    settings = Settings(node_id=node_id, state_folder=folder / node_id, practice=True, **given)
    clock: Any = FrozenClock(at) if at else SystemClock()
    app = create_app(settings, clock)
    return House(app, app.extensions["cornerstore"], clock)


@dataclass
class Kept:
    """Applications that stay open: each in a folder of its own, which is empty whenever somebody takes it."""

    folder: Path
    _free: dict[tuple[tuple[str, Any], ...], list[House]] = field(default_factory=dict)
    _taken: dict[int, tuple[tuple[tuple[str, Any], ...], Settings, dict[str, Any]]] = field(default_factory=dict)
    _numbers: itertools.count = field(default_factory=itertools.count)

    def take(self, at: dt.datetime | None, **given: Any) -> House:
        """Return an application with these settings and no database."""
        kind = (("timed", at is not None), *sorted(given.items()))
        free = self._free.setdefault(kind, [])
        house = free.pop() if free else open_house(self.folder / str(next(self._numbers)), at, **given)
        if at:
            house.clock.set(at)
        house.doors.settings.state_folder.mkdir(parents=True, exist_ok=True)
        for name, pace in [*house.app.extensions.items()]:
            if isinstance(pace, Pace):  # nobody has asked for anything yet
                house.app.extensions[name] = Pace(pace.a_minute)
        self._taken[id(house)] = kind, house.doors.settings.model_copy(), dict(house.app.extensions)
        return house

    def give_back(self, house: House) -> None:
        """Close a house; its application stays when it is one of ours and the test left it as it was."""
        house.doors.database.engine.dispose()
        if id(house) not in self._taken:
            return
        kind, settings, extensions = self._taken.pop(id(house))
        practice = house.app.extensions["cornerstore_practice"]
        for name in [*practice._open]:
            practice.close(name)
        house.app.extensions = extensions
        shutil.rmtree(settings.state_folder)
        if house.doors.settings == settings:
            self._free[kind].append(house)
