"""The state of a node, sent to the network while the shopkeeper lets it look: the doctor's words, the journal's end."""

from typing import Any

from store_app.runtime.doors import Doors
from supply.membership import support


def of(doors: Doors) -> support.NodeState:
    """Return what the doctor found and the journal's last entries, as long as the network takes them."""
    from store_app.node import doctor

    words = doctor.examine(doors, outside=False)
    with doors.read() as session:
        entries = support.last_entries(session, doors.settings.node_id)
    said = [support.NodeWord(one.light, [_fitting(*each) for each in one.said[: support.MOST_SAID]]) for one in words]
    return support.NodeState(doors.now(), said, entries)


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


# --- inside ---


def _fitting(code: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    longest = support.LONGEST
    return code, {name: fact if isinstance(fact, int | float) else f"{fact}"[:longest] for name, fact in facts.items()}
