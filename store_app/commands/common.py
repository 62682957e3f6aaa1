"""What every command works with: the screen, the node the settings name, and who acts when a command is typed.

Rules
-----
1. Exit 0: done. 1: the store's rule, another's haste, the outside or this computer says no, or a check found something.
   2: what was typed or named cannot be meant. The sentence says what to do; nothing is half made.
2. A command without `makes_books` finds books of this version, of the node the settings name, or says what is missing.
"""

import errno
import importlib
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
import sqlalchemy as sa
from werkzeug.local import LocalProxy

from config import log, settings
from config.errors import DomainError, Invalid, NotFound, Refused
from config.nodes import node as nodes
from config.nodes.journal import Actor
from store_app.runtime.doors import Doors, open_doors

if TYPE_CHECKING:
    from rich.console import Console


@cache
def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console  # three megabytes, and a server has one line to print

    return Console(stderr=stderr, soft_wrap=True)


screen = cast("Console", LocalProxy(_console))
faults = cast("Console", LocalProxy(partial(_console, stderr=True)))

LONGEST_WORD = 1000
_NO_FILE = {
    errno.ENOENT: "There is no file or folder {name}.", errno.EISDIR: "{name} is a folder. Name a file.",
    errno.ENOTDIR: "{name} is not in a folder.", errno.EEXIST: "{name} is already there.",
    errno.EACCES: "You may not read or write {name} on this computer.",
    errno.EPERM: "You may not read or write {name} on this computer.",
    errno.ENAMETOOLONG: "The file's name is too long.", errno.ELOOP: "{name} leads back to itself.",
}  # fmt: skip


class Shelf(click.Group):
    """A group with commands in other modules of this folder, loaded when one is asked for: a server needs none."""

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **more: Any) -> None:
        """Add commands that are elsewhere: name -> module."""
        super().__init__(*args, **more)
        self.elsewhere = elsewhere

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*self.commands, *self.elsewhere})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command, loaded from where it is."""
        if name in self.elsewhere:
            module = importlib.import_module(f"store_app.commands.{self.elsewhere[name]}")
            return next(one for one in vars(module).values() if isinstance(one, click.Command) and one.name == name)
        return super().get_command(context, name)


class Commands(Shelf):
    """A group that says what is wrong in one sentence (rule 1)."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Refuse words no keyboard types: control letters, text that turns its direction, broken letters."""
        for word in args:
            if len(word) > LONGEST_WORD:
                raise click.UsageError(f"{plain(word[:20])}… is too long: a word has at most {LONGEST_WORD} letters.")
            if not word.isprintable():
                raise click.UsageError(f"{plain(word)} has letters that cannot be shown. Type it again.")
        return super().parse_args(context, args)

    def invoke(self, context: click.Context) -> Any:
        """Run the command and turn what it raises into a sentence and an exit code (rule 1)."""
        try:
            return super().invoke(context)
        except DomainError as refusal:
            _say(refusal.message)
            context.exit(2 if isinstance(refusal, Invalid | NotFound) else 1)
        except (sa.exc.DBAPIError, sqlite3.Error, OSError) as fault:
            from store_app.pages.common.refusals import (  # the web's words for it, loaded where they are said
                TROUBLES,
                trouble_of,
            )

            if (trouble := trouble_of(fault)) is not None:
                _say(str(TROUBLES[trouble]))
                context.exit(2 if trouble == "books-damaged" else 1)
            if not isinstance(fault, OSError) or fault.errno not in _NO_FILE:
                raise
            _say(_NO_FILE[fault.errno].format(name=fault.filename))
            context.exit(2)


class Word(click.ParamType[str]):
    """A text that is not empty, without blanks around it."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Strip it; an empty one is a usage error."""
        return str(value).strip() or self.fail("It is empty. Type a value.", param, ctx)


WORD = Word()
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
"""A file to read."""


class NewFile(click.Path):
    """A file to write, in a folder that is there."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Refuse a file whose folder is missing, before any work is done for it."""
        path = super().convert(value, param, ctx)
        assert isinstance(path, Path), "path_type says so"
        return path if path.parent.is_dir() else self.fail(f"There is no folder {path.parent}.", param, ctx)


NEW_FILE = NewFile(path_type=Path, dir_okay=False)


def _with_a_calendar(_context: click.Context, _option: click.Parameter, country: str | None) -> str | None:
    from forecasting.series.calendar import has_calendar

    if country and not has_calendar(country):
        raise click.BadParameter(
            f"no holidays are known of {country}. Name a country by its two letters, as US, CN or DE, with its part as "
            "DE-BW; or leave it out."
        )
    return country


country_option = click.option(
    "--country", callback=_with_a_calendar, help="Country of the public holidays: US, DE, DE-BW, CN ..."
)


def node(*, makes_books: bool = False) -> Doors:
    """Open the doors of the node the settings name, with its books inside (rule 2)."""
    loaded = settings.load()
    log.set_up(level=loaded.log_level, for_people=sys.stderr.isatty())
    if not makes_books:
        _refuse_strange_books(loaded)
    return open_doors(loaded)


def _refuse_strange_books(loaded: settings.Settings) -> None:
    from config import migrate

    url = sa.make_url(loaded.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    place = url.render_as_string()
    if is_file and not Path(url.database or "").exists():
        founded = False
    else:
        doors = open_doors(loaded)
        founded = sa.inspect(doors.database.engine).has_table("node")
    if not founded:
        raise NotFound(
            "no-books",
            "There is no database at %(place)s. Run `cornerstore init`, or choose the right settings file with "
            "--settings.",
            place=place,
        )
    found = migrate.current(doors.database.engine)
    if found not in (None, migrate.newest()):
        if not migrate.knows(found):
            raise Refused("newer-books", migrate.NEWER, found=found)
        raise Refused("older-books", "An older version created this database. Run `cornerstore migrate` first.")
    with doors.read() as session:
        owner = session.scalar(sa.select(nodes.Node.id))
    if owner is not None and owner != loaded.node_id:
        raise Invalid(
            "other-node",
            "The database at %(place)s belongs to %(owner)s, but the settings say %(node_id)s. Correct node_id.",
            place=place, node_id=loaded.node_id, owner=owner,
        )  # fmt: skip


def _say(sentence: str) -> None:
    faults.print(sentence, style="red", markup=False, highlight=False)


@contextmanager
def speaking(doors: Doors) -> Iterator[None]:
    """Speak inside as the node's pages do, refusals too: in the language of its store, English where it has none."""
    from flask import Flask

    from store_app.web import presenting
    from store_app.words.refusals import sentence_of

    app = Flask("store_app")
    app.extensions["cornerstore"] = doors
    presenting.set_up(app, doors.settings)
    with app.test_request_context():
        presenting.language()  # the store is asked before a transaction is open
        try:
            yield
        except DomainError as refusal:
            raise type(refusal)(refusal.code, sentence_of(refusal), **refusal.facts) from refusal


def plain(cell: str) -> str:
    """Return a file's text as the screen may show it: no marks of ours, no orders to the terminal."""
    from rich.markup import escape

    return escape("".join(letter if letter.isprintable() else "·" for letter in cell[:60]))


def by_hand(doors: Doors) -> Actor:
    """Return who acts when a command is typed."""
    return Actor.system("command", doors.settings.node_id)
