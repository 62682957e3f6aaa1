"""The state of a node, sent to the network while the shopkeeper lets it look: the doctor's words, the journal's end."""

from typing import Any

from store_app.runtime.doors import Doors
from supply.membership import support


def of(doors: Doors) -> dict[str, Any]:
    """Return what the doctor found and the journal's last entries."""
    from store_app.node import doctor

    words = doctor.examine(doors, outside=False)
    with doors.read() as session:
        entries = support.last_entries(session, doors.settings.node_id)
    return {
        "at": doors.now().isoformat(timespec="seconds"),
        "words": [{"thing": one.thing, "light": one.light, "said": one.said} for one in words],
        "journal": entries,
    }


def send_again(doors: Doors) -> None:
    """Tell the network again how the node is, where leave is in force."""
    node, at = doors.settings.node_id, doors.now()
    with doors.read() as session:
        if support.in_force(session, node, at) is None:
            return
    state = of(doors)
    with doors.write() as session:
        if (leave := support.in_force(session, node, at)) is not None:
            support.send(session, leave, state, at)
