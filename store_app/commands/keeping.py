"""The commands that keep a node: copies and putting them back, how it is, what it owns."""

import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from config.nodes.journal import Context
from store_app.commands.common import FILE, NEW_FILE, WORD, by_hand, node, screen
from store_app.node import founding

if TYPE_CHECKING:
    from config.nodes.signing_keys import SigningKey

COLOURS = {"good": "green", "warn": "yellow", "bad": "red"}


@click.command("backup")
@click.option("--list", "only_list", is_flag=True, help="Only list the backups.")
def back_up(only_list: bool) -> None:
    """Back up the books while the store sells, and test the backup by restoring it."""
    from store_app.node import backup

    doors = node()
    notes = backup.copies(doors) if only_list else [backup.make(doors)]
    for note in notes:
        reported = (
            f"{note.file}: {note.size / 1e6:.1f} MB, journal until {note.journal_n}, made {note.at:%Y-%m-%d %H:%M} UTC"
        )
        screen.print(reported, markup=False, highlight=False)
    if only_list:
        screen.print(f"{len(notes)} copies in {backup.folder_of(doors)}.", markup=False, highlight=False)
    else:
        screen.print(f"Proved. It lies in {backup.folder_of(doors)}.", markup=False, highlight=False)


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
def put_back(file: Path, yes: bool) -> None:
    """Restore a backup; the current books are moved aside."""
    from store_app.node import backup

    doors = node(makes_books=True)
    note = backup.read_note(file)
    asked = f"Put back the books of {note.at:%Y-%m-%d %H:%M} UTC (journal until {note.journal_n})?"
    if not yes and not click.confirm(asked):
        sys.exit(1)
    aside = backup.put_back(doors, file)
    reported = f" The books that were here lie in {aside}." if aside else ""
    screen.print(f"Put back, and a new epoch has begun.{reported} Start the node again.", markup=False, highlight=False)


@click.command("doctor")
@click.option("--alone", is_flag=True, help="Do not ask the network.")
def report_health(alone: bool) -> None:
    """Report this node's condition and what to do; exit 1 on a problem."""
    from store_app.node import doctor

    words = doctor.examine(node(), outside=not alone)
    table = Table(show_header=False, box=None)
    for word in words:
        table.add_row(f"[{COLOURS[word.light]}]{word.light}[/]", word.thing, word.sentence.replace("[", "\\["))
    screen.print(table)
    sys.exit(1 if any(word.light == doctor.BAD for word in words) else 0)


@click.command("export")
@click.argument("file", type=NEW_FILE)
def take_along(file: Path) -> None:
    """Export all of the store's data as one ZIP file of tables, without secrets."""
    from store_app.files import take_out

    doors = node()
    counts = take_out.write(doors, file, actor=by_hand(doors))
    screen.print(f"{sum(counts.values())} rows of {len(counts)} tables are in {file}.", markup=False, highlight=False)


@click.command("join")
@click.argument("url", type=WORD)
@click.argument("code", type=WORD)
@click.option(
    "--fingerprint", default="", help="Fingerprint of the network's own certificate, if the invitation has one."
)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("cornerstore-state"), show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True)
def join(url: str, code: str, fingerprint: str, folder: Path, port: int) -> None:
    """Join a network with the operator's code; creates or completes settings file and database."""
    path = Path(os.environ.get("CORNERSTORE_SETTINGS", founding.SETTINGS_NAME))
    os.environ["CORNERSTORE_SETTINGS"] = str(path)
    store_id = founding.join_network(path, folder, url, code, fingerprint, port=port)
    said = f"This is {store_id} now; its key is in {path}. Next: cornerstore serve, then open this computer's browser"
    screen.print(said, markup=False, highlight=False)


@click.command("invite")
@click.argument("store_id", type=WORD)
def invite(store_id: str) -> None:
    """Create a store's joining code: works once, within a day."""
    from pos.store import joining as store_joining
    from store_app.node import joining

    doors = node()
    with doors.write() as session:
        code = store_joining.invite(Context(session, by_hand(doors), doors.now()), store_id)
    ca = doors.settings.network_ca
    pinned = f' --fingerprint "{joining.fingerprint(ca.read_text("ascii"))}"' if ca else ""
    url = doors.settings.public_url or "https://…"
    screen.print(f"cornerstore join {url} {code}{pinned}", markup=False, highlight=False)
    screen.print("Good once, until tomorrow. Tell it to the store alone.", markup=False, highlight=False)


@click.group("key")
def own_key() -> None:
    """Manage this store's signing key; the network accepts only signed messages."""


@own_key.command("show")
def show_key() -> None:
    """Show this store's key, earlier keys and keys to recognize."""
    from config.nodes import signing_keys

    doors = node()
    with doors.read() as session:
        screen.print(_listed(signing_keys.of(session, doors.settings.node_id)), markup=False, highlight=False)


@own_key.command("change")
def change_key() -> None:
    """Create a new key, vouched for by the current one; the network gets it at the next sync."""
    from config.nodes import signing
    from store_app.sync import signing_key

    doors = node()
    made = signing_key.change(doors, actor=by_hand(doors))
    reported = f"New key: {signing.fingerprint(made.public)}. If the network asks, read this to its operator."
    screen.print(reported, markup=False, highlight=False)


@own_key.command("trust")
@click.argument("fingerprint", type=WORD)
def trust_key(fingerprint: str) -> None:
    """Recognize an earlier key as this store's own; its messages return at the next sync."""
    from store_app.sync import signing_key

    doors = node()
    with doors.write() as session:
        key = signing_key.trust(session, doors, fingerprint, actor=by_hand(doors))
        reported = f"Recognized: {key.fingerprint}. What it signed comes home with the next contact."
    screen.print(reported, markup=False, highlight=False)


@click.command("signing-key")
@click.argument("store_id", type=WORD)
@click.option("--allow", default="", metavar="FINGERPRINT", help="Approve this key; compare it by phone first.")
@click.option("--refuse", default="", metavar="FINGERPRINT", help="Reject this key permanently.")
@click.option("--withdraw", default="", metavar="FINGERPRINT", help="Revoke this key.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%d"]),
    help="With --withdraw: since when it was stolen (UTC). Messages signed since then are not returned to anyone.",
)  # fmt: skip
def settle_key(store_id: str, allow: str, refuse: str, withdraw: str, since: dt.datetime | None) -> None:
    """List a store's signing keys at the network; approve, reject or revoke one."""
    from config.nodes import signing_keys
    from pos.store.store import store_of
    from store_app.sync import receiver

    if sum(map(bool, (allow, refuse, withdraw))) > 1 or (since and not withdraw):
        raise click.UsageError("Name one of --allow, --refuse and --withdraw; --since belongs to --withdraw.")
    doors = node()
    who, at = by_hand(doors), doors.now()
    with doors.write() as session:
        store_of(session, store_id)
        if named := allow or refuse or withdraw:
            key = signing_keys.named(session, store_id, named)
            ctx = Context(session, who, at)
            if allow:
                signing_keys.allow(ctx, key)
            elif refuse:
                signing_keys.refuse(ctx, key)
            else:
                moment = since.replace(tzinfo=dt.UTC) if since else None
                signing_keys.withdraw(ctx, key, since=moment)
            receiver.settle_key(session, store_id)
        reported = _listed(signing_keys.of(session, store_id))
    screen.print(reported, markup=False, highlight=False)


def _listed(keys: "list[SigningKey]") -> str:
    reported = [
        f"{key.fingerprint}  {key.state.replace('_', ' ')}, first seen {key.made_at:%Y-%m-%d %H:%M} UTC"
        + (f", ended {key.ended_at:%Y-%m-%d %H:%M} UTC" if key.ended_at else "")
        for key in keys
    ]
    return "\n".join(reported) or "There is no signing key yet; the first contact makes one."
