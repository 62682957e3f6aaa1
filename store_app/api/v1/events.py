"""Events for partners' programs: written from the journal, posted in order, signed as Standard Webhooks says.

Rules
-----
1. What the next entries of the journal touched is written down together with how far it was read: no change is left
   out, and none is written twice. An event carries the row as the lists answer it.
2. Nothing is posted inside a transaction; a program that dies between posting and noting it posts the event twice,
   with the same `webhook-id`. Of one row no event leaves before the one before it was taken.
3. An event goes to public addresses alone: the name is looked up, each address it has is judged, and the very one that
   was judged is asked. A host that `trusted_wires` names may be anywhere, and without TLS.
4. After FAILURES in a row an endpoint's other events wait for the next time.
"""

import ipaddress
import json
import socket
from urllib.parse import urlsplit

import httpx2

from config.errors import Invalid, Refused, cause
from config.nodes.journal import Actor, Context
from config.settings import Settings
from pos.messages import OutgoingMessage
from pos.store import webhooks
from pos.store.webhooks import WebhookEndpoint
from store_app.api.v1 import feed
from store_app.api.v1.resources import RESOURCES
from store_app.runtime import outgoing
from store_app.runtime.doors import Doors

WAIT_S = 10.0
ENTRIES, FAILURES, GONE = 200, 3, 410
_NAT64 = ipaddress.ip_network("64:ff9b::/32")


def write_due(doors: Doors) -> int:
    """Write the events of what changed since the last time (rule 1); returns how many endpoints heard of something."""
    store_id = doors.settings.node_id
    with doors.read() as session:
        behind = [row.id for row in webhooks.endpoints_of(session, store_id) if webhooks.behind(session, row)]
    for endpoint_id in behind:
        while _write_some(doors, endpoint_id):
            pass
    return len(behind)


def send_due(doors: Doors) -> tuple[int, int]:
    """Post what is due (rules 2, 4); returns how many events were taken and how many were not."""
    store_id = doors.settings.node_id
    with doors.read() as session:
        rows = [row.id for row in webhooks.endpoints_of(session, store_id) if row.paused_at is None]
    done = [_send_to(doors, one) for one in rows]
    return sum(sent for sent, _ in done), sum(failed for _, failed in done)


def public_address(url: str, settings: Settings) -> str:
    """Return the numeric address behind a URL's name (rule 3); Refused for one that is not public."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or outgoing.PORTS[parts.scheme]
    is_trusted = settings.names_wire_to(host)
    if parts.scheme != "https" and not is_trusted:
        raise Refused("open-wire", "Events are sent to https:// addresses only.")
    found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not is_trusted and not all(map(_is_public, found)):
        raise Refused(
            "private-address", "This address is inside a private network. Events go to public addresses.", host=host
        )
    return found[0]


# --- inside ---


def _write_some(doors: Doors, id: str) -> bool:
    """Write the events of an endpoint's next entries; tells whether there are more."""
    store_id, at = doors.settings.node_id, doors.now()
    with doors.write() as session:
        row = webhooks.endpoint_of(session, store_id, id)
        head = feed.head_of(session, store_id)
        touched, n = feed.touched_since(session, store_id, row.last_n, head, ENTRIES)
        for resource in (one for one in RESOURCES if one.name in row.resources):
            for one in resource.read(session, store_id, sorted(resource.touched(session, store_id, touched))):
                data = one.model_dump(mode="json")
                body = {"type": f"{resource.name}.changed", "timestamp": at.isoformat(), "data": data}
                webhooks.write_event(session, row, n, f"{resource.name}/{data[resource.key]}", body, at)
        row.last_n = n
        return webhooks.behind(session, row)


def _send_to(doors: Doors, id: str) -> tuple[int, int]:
    store_id, actor = doors.settings.node_id, Actor.system("webhooks", doors.settings.node_id)
    with doors.read() as session:
        row = webhooks.endpoint_of(session, store_id, id)
        secret, events = webhooks.secret(session, row), webhooks.waiting(session, row)
    held, sent, failed, in_a_row = set[str](), 0, 0, 0
    for event_id, about, try_at in events:
        if about in held or try_at > doors.now():
            held.add(about)
            continue
        with doors.read() as session:
            event = session.get(OutgoingMessage, (store_id, event_id))
        if event is None:  # the endpoint was removed meanwhile
            break
        fault, status = _posted(row, secret, event, doors)
        with doors.write() as session:
            ctx = Context(session, actor, doors.now())
            mine, kept = (
                session.get(WebhookEndpoint, (store_id, id)),
                session.get(OutgoingMessage, (store_id, event_id)),
            )
            if mine is None or kept is None:
                break
            if fault:
                webhooks.failed(ctx, mine, kept, fault, is_gone=status == GONE)
            else:
                webhooks.sent(ctx, mine, kept)
            is_paused = mine.paused_at is not None
        if not fault:
            sent, in_a_row = sent + 1, 0
            continue
        held.add(about)
        failed, in_a_row = failed + 1, in_a_row + 1
        if is_paused or in_a_row == FAILURES:
            break
    return sent, failed


def _posted(row: WebhookEndpoint, secret: str, event: OutgoingMessage, doors: Doors) -> tuple[str, int]:
    """Post one event; return why it was not taken, '' where it was, and the status that was answered."""
    second, body = int(doors.now().timestamp()), json.dumps(event.body, ensure_ascii=False).encode()
    parts = urlsplit(row.url)
    headers = {
        "Host": parts.netloc, "Content-Type": "application/json", "webhook-id": event.id,
        "webhook-timestamp": str(second), "webhook-signature": webhooks.signature(secret, event.id, second, body),
    }  # fmt: skip
    try:
        ip = public_address(row.url, doors.settings)
        home = f"{parts.scheme}://{f'[{ip}]' if ':' in ip else ip}:{parts.port or outgoing.PORTS[parts.scheme]}"
        place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with (
            outgoing.client(home, timeout=WAIT_S) as client,
            client.stream(
                "POST", place, content=body, headers=headers, extensions={"sni_hostname": parts.hostname}
            ) as answer,
        ):
            return ("" if answer.is_success else f"HTTP {answer.status_code}"), answer.status_code
    except (Refused, Invalid) as fault:
        return fault.message, 0
    except (OSError, ValueError, httpx2.HTTPError, httpx2.InvalidURL) as fault:
        return cause(fault), 0


def _is_public(text: str) -> bool:
    """Tell whether everybody may reach an address; one that wraps another is judged by that."""
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.sixtofour or found.teredo or found in _NAT64:
            return False
        found = found.ipv4_mapped or found
    return found.is_global and not found.is_multicast
