"""The commands about who may sign in at this node: the first person, and what no page lets one do alone."""

from typing import Any

import click
from rich.table import Table

from config.nodes.journal import Context
from pos.store.roles import NETWORK_ROLES, STAFF_ROLES
from store_app.commands.common import WORD, by_hand, node, screen

PIN = click.option(
    "--pin", "--passphrase", "pin", type=WORD, prompt="PIN (4 to 12 digits), or an operator's passphrase (12 or more)",
    hide_input=True, confirmation_prompt=True,
)  # fmt: skip


@click.group("staff")
def staff() -> None:
    """Manage the people who may sign in here."""


@staff.command("add")
@click.option("--name", type=WORD, prompt=True)
@click.option("--role", prompt=True, type=click.Choice(STAFF_ROLES))
@PIN
def add(name: str, role: str, pin: str) -> None:
    """Add a person."""
    from config.errors import Refused
    from store_app.web import staff as people

    doors = node()
    if (role in NETWORK_ROLES) != (doors.settings.role == "network"):
        raise Refused("another-node", "%(role)s signs in at the other kind of node: a store or the network.", role=role)
    with doors.write() as session:
        person = people.add(Context(session, by_hand(doors), doors.now()), doors.settings.node_id, name, role, pin)
    screen.print(f"{person.name} may sign in now.", markup=False)


@staff.command("list")
def listed() -> None:
    """List who may sign in and who is locked out."""
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
    """Set a new PIN or passphrase; the person has to sign in again."""
    _change("change_pin", name, pin, said="signs in with the new PIN from now on.")


@staff.command("reset-code")
@click.argument("name", type=WORD)
def reset_code(name: str) -> None:
    """Reset the authenticator app of an operator who lost phone and recovery codes."""
    _change("reset_code", name, said="connects an app at the next sign-in.")


@staff.command("device")
def device() -> None:
    """Create a one-time code for a device outside the store; valid for ten minutes."""
    from pos.store import device_codes

    doors = node()
    with doors.write() as session:
        code = device_codes.make(Context(session, by_hand(doors), doors.now()), doors.settings.node_id)
    screen.print(f"Device code: {code}", markup=False)


@staff.command("unlock")
@click.argument("name", type=WORD)
def unlock(name: str) -> None:
    """Unlock a person after too many wrong PINs."""
    _change("unlock", name, said="can try again.")


@staff.command("remove")
@click.argument("name", type=WORD)
def remove(name: str) -> None:
    """Remove a person and sign them out everywhere; the last one stays."""
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
