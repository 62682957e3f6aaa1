"""A node is founded: its settings file, its books, and what a new store begins with.

Rules
-----
1. `cornerstore init` and the first run in the browser make a node by `make_node`, and nothing else does.
2. A first run's node is made beside its place and moved there whole (`found_store_node`): a computer that is switched
   off meanwhile has no store, never half of one.
3. A new store begins with the tax classes of its country beside one without tax, and with one person, who may do
   everything.
"""

import json
import os
import secrets
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import private, settings
from config.errors import Conflict
from config.nodes.journal import Actor, Context
from config.words import N_, language
from store_app.runtime.doors import Doors, open_doors

FIRST_STORE = "S01"
SETTINGS_NAME = "cornerstore.toml"
FINISHED, UNFINISHED, CA_NAME = "store", "store.part", "network-ca.pem"
CLASSES = (("standard", N_("Standard rate")), ("reduced", N_("Reduced rate")), ("reduced-2", N_("Second reduced rate")))
NO_TAX = "none", N_("No tax")


@dataclass(frozen=True)
class NewStore:
    """What a shopkeeper says of a new store; rates_bp: the usual one first."""

    name: str
    country: str
    language: str
    currency: str
    tz: str
    address: str = ""
    tax_number: str = ""
    rates_bp: tuple[int, ...] = ()
    inclusive: bool = True
    smallest_coin_minor: int = 1


def home() -> Path:
    """Return the folder in which a person's own store is kept where nobody names another, as the system has it."""
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "cornerstore"


def settings_in(folder: Path) -> Path:
    """Return where the settings of a store founded in a folder lie."""
    return folder / FINISHED / SETTINGS_NAME


def make_node(path: Path, values: dict[str, str], *, port: int, now_in: Path | None = None) -> Doors:
    """Make a node's settings file and its empty database (rule 1).

    now_in: the folder its state lies in until it is moved to the one that `values` names.
    """
    values = {**values, "secret_key": secrets.token_hex(32)}
    placed = {"state_folder": str(now_in)} if now_in else {}
    doors = open_doors(settings.load(**values | placed, port=port))
    write_settings(path, f"port = {port}", values)
    set_up(doors)
    return doors


def write_settings(path: Path, text: str, changed: dict[str, str]) -> None:
    """Write a settings file with some values changed, readable to its owner alone."""
    kept = [line for line in text.splitlines() if line.partition("=")[0].strip() not in changed]
    lines = [*(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in changed.items() if value), *kept]
    private.write(path, "\n".join(lines) + "\n")


def set_up(doors: Doors) -> None:
    """Bring a node's database up to date, and give it its node row."""
    from config import migrate
    from config.nodes.node import found

    migrate.upgrade(doors.database.engine)
    with doors.write() as session:
        found(session, doors.settings.node_id, at=doors.now())


def found_store_node(folder: Path, new: NewStore, person: str, pin: str, *, port: int) -> Path:
    """Make a store's node with its store and its first person, or nothing (rules 2, 3); returns its settings file."""
    partly, whole = _begun(folder)
    values = {"role": "store", "node_id": FIRST_STORE, "state_folder": str(whole), "country": new.country}
    doors = make_node(partly / SETTINGS_NAME, values, port=port, now_in=partly)
    try:
        with doors.write() as session:
            begin_store(Context(session, Actor.system("first", FIRST_STORE), doors.now()), new, person, pin)
    finally:
        doors.database.engine.dispose()
    return _in_its_place(folder)


def move_store_node(folder: Path, *, copy: Path | None, url: str, code: str, fingerprint: str, port: int) -> Path:
    """Make the node of a store that is there already: as its network tells it, or from a copy, or both; or nothing."""
    from store_app.node import backup

    partly, whole = _begun(folder)
    note = backup.checked(copy) if copy else None
    file = partly / SETTINGS_NAME
    if url:
        join_network(file, whole, url, code, fingerprint, port=port, now_in=partly)
    elif note is not None:
        values = {"role": "store", "node_id": note.node_id, "state_folder": str(whole)}
        make_node(file, values, port=port, now_in=partly).database.engine.dispose()
    if copy:
        said = tomllib.loads(file.read_text("utf-8")) | {"state_folder": partly}
        if (aside := backup.put_back(open_doors(settings.load(**said)), copy)) is not None:
            aside.unlink()  # the empty books that it took the place of
    return _in_its_place(folder)


def join_network(
    path: Path, folder: Path, url: str, code: str, fingerprint: str, *, port: int, now_in: Path | None = None
) -> str:
    """Join a network with the operator's code: make or complete settings and books; returns the store's id.

    now_in: as in `make_node`.
    """
    from config.nodes import signing_keys
    from pos.store.store import found_as_reported
    from store_app.node import joining
    from supply.membership import leaving

    joining.refuse_open_line(url)
    lies_in = private.folder(now_in or folder)
    ca = joining.fetch_ca(url, fingerprint, (lies_in / CA_NAME).resolve()) if fingerprint else None
    there = path.read_text("utf-8") if path.exists() else ""
    signer = joining.key_here(path, folder)
    reported = joining.exchange(url, code, ca, signer)
    changed = {"node_id": reported.store_id, "network_url": url, "network_key": reported.key}
    changed["public_url"] = reported.public_url
    if ca:
        changed["network_ca"] = (folder / CA_NAME).resolve().as_posix()
    if not there:
        there = f'state_folder = "{folder.resolve().as_posix()}"\nport = {port}\n'
        changed |= {"role": "store", "secret_key": secrets.token_hex(32)}
    write_settings(path, there, changed)
    placed = tomllib.loads(path.read_text("utf-8")) | {"state_folder": now_in} if now_in else {}
    doors = open_doors(settings.load(**placed))
    set_up(doors)
    signer.keep(doors.settings.signing_key)
    ctx_of = Actor.system("command", reported.store_id)
    with doors.write() as session:
        signing_keys.own(Context(session, ctx_of, doors.now()), reported.store_id, signer)
        signing_keys.name_earlier(session, reported.store_id, reported.keys, actor=ctx_of)
        leaving.come_back(Context(session, ctx_of, doors.now()), reported.store_id)
        if reported.store:
            found_as_reported(session, reported.store, at=doors.now())
    doors.database.engine.dispose()
    return reported.store_id


def begin_store(ctx: Context, new: NewStore, person: str, pin: str) -> None:
    """Found a store in a node's empty books, with its tax classes and its first person (rule 3)."""
    from pos.catalogue import assortment
    from pos.store.store import found_store
    from store_app.web import staff

    said: dict[str, Any] = {name: getattr(new, name) for name in ("address", "tax_number", "smallest_coin_minor")}
    say = language(new.language, new.tz)
    found_store(
        ctx.session, FIRST_STORE, new.name, region=new.country, currency=new.currency, tz=new.tz,
        language=new.language, at=ctx.at, **said,
    )  # fmt: skip
    rates = [*zip(CLASSES, new.rates_bp, strict=False), (NO_TAX, 0)]
    for (key, name), rate_bp in rates:
        class_id = f"{FIRST_STORE}-{key}"
        assortment.set_tax_class(ctx, class_id, say(name), rate_bp, inclusive=new.inclusive, owner_id=FIRST_STORE)
    staff.add(ctx, FIRST_STORE, person, "shopkeeper", pin)


def _begun(folder: Path) -> tuple[Path, Path]:
    """Return where a store is made and where it goes then, the former empty; Conflict where one is there."""
    partly, whole = folder / UNFINISHED, folder / FINISHED
    if whole.exists():
        raise Conflict("store-founded", "This computer already has a store. Open it and sign in.")
    shutil.rmtree(partly, ignore_errors=True)
    private.folder(partly)
    return partly, whole


def _in_its_place(folder: Path) -> Path:
    """Move what was made beside its place there, whole; returns its settings file (rule 2)."""
    private.settle(folder / UNFINISHED)
    (folder / UNFINISHED).rename(folder / FINISHED)
    private.settle(folder)
    return settings_in(folder)
