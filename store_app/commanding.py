"""What every command works with: the screen, the node the settings name, and who acts when a command is typed."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape

from config import log, settings
from config.errors import ShopError
from config.journal import Actor
from store_app.extensions import Doors, open_doors

screen = Console(soft_wrap=True)
faults = Console(stderr=True, soft_wrap=True)


class Commands(click.Group):
    """A group that says a refusal in one sentence."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; what the shop refuses, or its disk or database cannot do, is said and ends with 1."""
        try:
            return super().invoke(context)
        except ShopError as refusal:
            faults.print(refusal.message, style="red", markup=False, highlight=False)
            context.exit(1)
        except (sa.exc.DBAPIError, sqlite3.Error, OSError) as fault:
            from store_app.refusals import TROUBLES, trouble_of  # the web's words for it, loaded where they are said

            if (trouble := trouble_of(fault)) is None:
                raise
            faults.print(str(TROUBLES[trouble]), style="red", markup=False, highlight=False)
            context.exit(1)


def node() -> Doors:
    """Open the doors of the node the settings name."""
    loaded = settings.load()
    log.set_up(level=loaded.log_level, for_people=sys.stderr.isatty())
    return open_doors(loaded)


@contextmanager
def speaking(doors: Doors) -> Iterator[None]:
    """Speak inside as the node's pages do, refusals too: in the language of its shop, English where it has none."""
    from flask import Flask

    from store_app import presenting
    from store_app.sentences import sentence_of

    app = Flask("store_app")
    app.extensions["cornerstore"] = doors
    presenting.set_up(app, doors.settings)
    with app.test_request_context():
        presenting.language()  # the shop is asked before a transaction is open
        try:
            yield
        except ShopError as refusal:
            raise type(refusal)(refusal.code, sentence_of(refusal), **refusal.facts) from refusal


def plain(cell: str) -> str:
    """Return a file's text as the screen may show it: no marks of ours, no orders to the terminal."""
    return escape("".join(letter if letter.isprintable() else "·" for letter in cell[:60]))


def by_hand(doors: Doors) -> Actor:
    """Return who acts when a command is typed."""
    return Actor.system("command", doors.settings.node_id)


def set_up(doors: Doors) -> None:
    """Bring a node's database up to date, and give it its node row."""
    from config import migrate
    from config.node import found

    migrate.upgrade(doors.database.engine)
    with doors.write() as session:
        found(session, doors.settings.node_id, at=doors.now())
