"""The commands about who may sign in at this node: the first person, and what no page lets one do alone."""

from typing import Any

import click
from rich.table import Table

from config.nodes.journal import Context
from store_app.commands.common import WORD, by_hand, node, screen

ROLES = ("cashier", "supervisor", "shopkeeper", "operator")
PIN = click.option(
    "--pin", "--passphrase", "pin", type=WORD, prompt="PIN (4 to 12 digits), or an operator's passphrase (12 or more)",
    hide_input=True, confirmation_prompt=True,
)  # fmt: skip


@click.group("staff")
def staff() -> None:
    """The people who may sign in here."""


@staff.command("add")
@click.option("--name", type=WORD, prompt=True)
@click.option("--role", prompt=True, type=click.Choice(ROLES))
@PIN
def add(name: str, role: str, pin: str) -> None:
    """Let a person sign in."""
    from config.errors import Refused
    from store_app.web import staff as people

    doors = node()
    if (role == "operator") != (doors.settings.role == "network"):
        raise Refused("another-node", "Operators sign in at the network, everybody else at a store.")
    with doors.write() as session:
        person = people.add(Context(session, by_hand(doors), doors.now()), doors.settings.node_id, name, role, pin)
    screen.print(f"{person.name} may sign in now.", markup=False)


@staff.command("list")
def listed() -> None:
    """Say who may sign in, and whose name is locked by wrong PINs."""
    from pos.store.store import staff_of
    from store_app.web import staff as people

    doors, table = node(), Table("Name", "Role", "Wrong PINs")
    with doors.read() as session:
        for person in staff_of(session, doors.settings.node_id):
            locked = people.locked_until(person, doors.now())
            tries = f"locked until {locked:%Y-%m-%d %H:%M} UTC" if locked else str(person.failed_tries or "")
            table.add_row(person.name, person.role, tries)
    screen.print(table)


@staff.command("pin")
@click.argument("name", type=WORD)
@PIN
def give_pin(name: str, pin: str) -> None:
    """Give a person another PIN or passphrase; who is signed in with the old one has to sign in again."""
    _change("change_pin", name, pin, said="signs in with the new PIN from now on.")


@staff.command("reset-code")
@click.argument("name", type=WORD)
def reset_code(name: str) -> None:
    """Let an operator who lost phone and recovery codes connect an authenticator app again at the next sign-in."""
    _change("reset_code", name, said="connects an app at the next sign-in.")


@staff.command("device")
def device() -> None:
    """Make a code that lets a device outside the store's own network in; it counts once, within ten minutes."""
    from pos.store import device_codes

    doors = node()
    with doors.write() as session:
        code = device_codes.make(Context(session, by_hand(doors), doors.now()), doors.settings.node_id)
    screen.print(f"Device code: {code}", markup=False)


@staff.command("unlock")
@click.argument("name", type=WORD)
def unlock(name: str) -> None:
    """Let a person try again at once after too many wrong PINs."""
    _change("unlock", name, said="can try again.")


@staff.command("remove")
@click.argument("name", type=WORD)
def remove(name: str) -> None:
    """End a person's right to sign in, here and wherever they are signed in; the last one stays."""
    _change("leave", name, said="can no longer sign in.")


def _change(verb: str, name: str, *given: Any, said: str) -> None:
    from store_app.web import staff as people

    doors = node()
    with doors.write() as session:
        change = getattr(people, verb)
        person = change(
            Context(session, by_hand(doors), doors.now()), doors.settings.node_id, people.id_of(name), *given
        )
    screen.print(f"{person.name} {said}", markup=False)
