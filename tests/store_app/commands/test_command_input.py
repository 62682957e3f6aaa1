"""Bad input to every command: a plain sentence, exit 2, nothing written. Made from the table of commands."""

import gc
import hashlib
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from store_app.commands.cli import main

GOOD = {
    "store_id": "S01", "warehouse_id": "W1", "tax_class_id": "food", "name": "Corner", "week": "2025-01-06",
    "kind": "products", "file": "list.csv", "--sales": "list.csv", "--key-file": "key", "--server": "https://127.0.0.1:1",
    "--printer": "file:paper", "url": "https://127.0.0.1:1", "code": "ABCD-EFGH", "--percent": "7", "--name": "Corner",
    "--role": "cashier", "--pin": "4321", "fingerprint": "0123 4567",
}  # fmt: skip
"""A value of every argument and needed option that is right as far as the command's own table can tell."""
SETTINGS = {"store": "store.toml", "network": "network.toml"}
MAKE_BOOKS = (("init",), ("join",))
NETWORK_ALONE = (
    ("warehouse", "add"),
    ("tax", "add"),
    ("archive",),
    ("store", "key"),
    ("store", "invite"),
    ("store", "signing-key"),
)
UNREADABLE = ("a\x1b[2Jb", "a\u202eb", "a\udcffb", "x" * 5000)
"""A letter that drives the terminal, one that turns the text, half a letter, and no end."""
OUR_WORDS = re.compile(r"Traceback|Errno|\bsqlite3?\.|sqlalchemy|pydantic|NoneType|KeyError|\(Background on")


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, one in sorted(group.commands.items()):
        if isinstance(one, click.Group):
            yield from commands(one, (*path, name))
        else:
            yield (*path, name), one


def called(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else str(parameter.name)


def line(path: tuple[str, ...], command: click.Command, /, **instead: str) -> list[str]:
    """Write a command as a person types it right, but for `instead`: parameter name -> value."""
    words = list(path)
    for parameter in command.params:
        if parameter.name in instead:
            value = instead[parameter.name]
        elif parameter.required or getattr(parameter, "prompt", None):
            value = GOOD[called(parameter)]
        else:
            continue
        words += [value] if isinstance(parameter, click.Argument) else [called(parameter), value]
    return words


def wrong(parameter: click.Parameter) -> tuple[str, ...]:
    """Return what no value of this parameter can be."""
    match parameter.type:
        case click.Path():
            return ("list.csv",) if parameter.name in ("folder", "state") else ("nowhere/list.csv", "folder")
        case click.Choice():
            return ("nonsense", "")
        case click.DateTime():
            return ("tomorrow", "2025-02-30", "")
        case click.types.IntParamType() | click.types.FloatParamType():
            return ("many", "-1", "9" * 30, "")
    return ("", "   ") if parameter.required or getattr(parameter, "prompt", None) else ()


def bad_lines(path: tuple[str, ...], command: click.Command) -> Iterator[list[str]]:
    """Yield what a person may type wrong: each value in turn, a word too many, an option that is none, too little."""
    for parameter in command.params:
        if not getattr(parameter, "is_flag", False) and not getattr(parameter, "hidden", False):
            for value in wrong(parameter):
                yield line(path, command, **{str(parameter.name): value})
    yield from ([*line(path, command), word] for word in ("--nonsense", "nonsense", *UNREADABLE))
    if any(parameter.required for parameter in command.params):
        yield list(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with an initialised store's books, a readable list and a folder, for a run of every command."""
    here = tmp_path_factory.mktemp("input")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.delenv("CORNERSTORE_SETTINGS", raising=False)
        runner = CliRunner()
        for role, settings in SETTINGS.items():
            patch.setenv("CORNERSTORE_SETTINGS", settings)
            assert runner.invoke(main, ["init", "--role", role, "--node-id", "S01"]).exit_code == 0
            patch.setenv("CORNERSTORE_SETTINGS", settings)
            assert runner.invoke(main, ["store", "add", "S01", "--name", "Corner"]).exit_code == 0
    gc.collect()  # the commands' last connections close, and SQLite moves its log into the books
    (here / "folder").mkdir()
    (here / "key").write_text("key")
    (here / "list.csv").write_text("sku,name,category,tax_class,price\n")
    return here


def content(folder: Path) -> dict[str, str]:
    """Return every file with its content's hash; what SQLite shares between readers is none of the content."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith((".db-shm", ".lock")) and file.stat().st_size
    }


@pytest.fixture(autouse=True)
def _ends():
    """End a command that takes the bad input and goes to work."""
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.mark.parametrize(("path", "command"), [pytest.param(*one, id=" ".join(one[0])) for one in commands()])
def test_bad_input_gets_a_sentence_and_exit_2_and_writes_nothing(folder, monkeypatch, path, command):
    monkeypatch.chdir(folder)
    settings = "new.toml" if path in MAKE_BOOKS else SETTINGS["network" if path in NETWORK_ALONE else "store"]
    before = content(folder)
    for words in bad_lines(path, command):
        monkeypatch.setenv("CORNERSTORE_SETTINGS", settings)
        answer = CliRunner().invoke(main, words)
        assert isinstance(answer.exception, SystemExit), (words, answer.output, answer.exception)
        assert answer.exit_code == 2, (words, answer.output)
        assert re.search(r"[A-Za-z]{3,} .*[.?]", answer.output), words
        assert not OUR_WORDS.search(answer.output), (words, answer.output)
        assert content(folder) == before, words


@pytest.mark.parametrize(
    ("changed", "words", "sentence"),
    [
        ({"node_id": "S99"}, ["forecast"], "belongs to S01, but the settings say S99. Correct node_id."),
        ({"node_id": "S 01!"}, ["check"], "'S 01!' is not a store id."),
        ({"database_url": "sqlite:///elsewhere.db"}, ["propose"], "There is no database at sqlite:///elsewhere.db."),
        ({"database_url": "sqlite:///nowhere/at/all.db"}, ["status"], "There is no database at"),
    ],
)
def test_books_that_are_missing_or_another_nodes_are_named(folder, monkeypatch, changed, words, sentence):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CORNERSTORE_SETTINGS", "store.toml")
    for name, value in ({"database_url": f"sqlite:///{folder}/cornerstore-state/S01.db"} | changed).items():
        monkeypatch.setenv(f"CORNERSTORE_{name.upper()}", value)
    before = content(folder)
    answer = CliRunner().invoke(main, words)
    assert (answer.exit_code, sentence in answer.output) == (2, True), answer.output
    assert content(folder) == before


def test_a_settings_file_that_is_missing_is_named_without_a_number(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CORNERSTORE_SETTINGS", "nowhere.toml")
    answer = CliRunner().invoke(main, ["status"])
    reported = "The settings file nowhere.toml cannot be read: No such file or directory.\n"
    assert (answer.exit_code, answer.output) == (2, reported)


@pytest.mark.parametrize(
    "words", [["S 02!", "--name", "Hill"], ["network", "--name", "Hill"], ["S02", "--name", "Hill"]]
)
def test_a_store_that_is_none_or_not_this_computers_is_not_founded(folder, monkeypatch, words):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CORNERSTORE_SETTINGS", "store.toml")
    before = content(folder)
    answer = CliRunner().invoke(main, ["store", "add", *words])
    assert answer.exit_code in (1, 2)
    assert content(folder) == before
