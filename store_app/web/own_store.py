"""A store's node and its own store: nothing is served or done before the store is founded, and every door says how."""

from config.errors import Refused
from config.settings import Settings
from pos.store.store import Store
from store_app.roles import is_network
from store_app.runtime.doors import Doors


def founded(doors: Doors) -> Doors:
    """Return the doors of a node that may begin; a store's node without its store is refused."""
    if not is_network(doors.settings):
        with doors.read() as session:
            if session.get(Store, doors.settings.node_id) is None:
                raise no_store_yet(doors.settings)
    return doors


def no_store_yet(settings: Settings) -> Refused:
    """Return the refusal of a node whose store is not founded yet."""
    command = f"cornerstore store add {settings.node_id} --name … --currency … --tz …"
    return Refused(
        "no-store-yet", "There is no store here yet. Create one with: %(command)s, then start again.", command=command
    )
