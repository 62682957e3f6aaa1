"""A store's node after it has left its network: no key, no address, and nothing of the network in its settings.

Rules
-----
1. Once the network has the store's last word (`supply.membership.leaving`), or no longer takes its key because it has,
   the node is on its own. What could not be confirmed before then stays in the books.
2. The settings file forgets the network, and the signing key is deleted. A setting that stands in the environment is
   ignored as long as the store is on its own: the books say that it has left.
"""

import os
from pathlib import Path

from config.nodes.journal import Actor, Context
from config.nodes.node import this_node
from config.settings import Settings
from store_app.runtime.doors import Doors
from store_app.sync import wire
from supply.membership import leaving

FORGOTTEN = ("network_url", "network_key", "network_ca", "public_url")


def finish(doors: Doors, fault: str | None) -> bool:
    """Be on its own where the network has let the store go (rule 1), also after a crash; tells whether it is now.

    fault: why the last contact failed.
    """
    store_id = doors.settings.node_id
    with doors.read() as session:
        row = leaving.last(session, store_id)
        if row is None or row.state not in ("granted", "left") or not doors.settings.network_url:
            return False
        if row.state == "granted" and not leaving.is_heard(session, row) and fault != wire.PAUSES["unauthorized"]:
            return False
    with doors.write() as session:
        leaving.go(Context(session, Actor.system("leave", store_id), doors.now()), store_id)
        this_node(session).last_fault = None
    _forget_file(doors.settings)
    doors.settings.signing_key.unlink(missing_ok=True)
    return follow(doors)


def follow(doors: Doors) -> bool:
    """Let a running program forget the network its store has left (rule 2); tells whether it did."""
    if not doors.settings.network_url:
        return False
    with doors.read() as session:
        if not leaving.has_left(session, doors.settings.node_id):
            return False
    for name in FORGOTTEN:
        setattr(doors.settings, name, Settings.model_fields[name].default)
    return True


# --- inside ---


def _forget_file(settings: Settings) -> None:
    from store_app.node import founding

    if settings.network_ca is not None:
        settings.network_ca.unlink(missing_ok=True)
    if name := os.environ.get("CORNERSTORE_SETTINGS"):
        file = Path(name)
        founding.write_settings(file, file.read_text("utf-8"), dict.fromkeys(FORGOTTEN, ""))
