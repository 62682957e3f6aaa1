"""Who a stranger is to the limits on strangers: a browser, and the range of addresses it comes from.

Rules
-----
1. The address is the connection's own. Only from a proxy that the settings trust (`trusted_proxies`) does the header
   X-Forwarded-For count, read from the right, as far as its hops are trusted themselves.
2. A range is what one customer of a provider has or shares with few: IPv4 /24, IPv6 /56.
3. A browser is known by a random mark in its cookie. Whoever drops the cookie is still within the range's limits.
4. A request is from the store's own network where its address is a private one, or this computer's, and nothing that
   stands before the node has hidden another. It hides one where it names itself or whom it asks for in a header, but
   not in an X-Forwarded-For that counts.
"""

import functools
import ipaddress
import re
import secrets
from typing import Any

from flask import request
from flask import session as visitor

from config.settings import networks_of
from store_app.runtime.doors import own_doors
from supply.online.checkout.phone_codes import Asker

WIDTH = {4: 24, 6: 56}
_CONCERNS_OTHERS = re.compile(r"forward|real-ip|client-ip|connecting-ip|^via$|^x-original", re.IGNORECASE)
"""Headers by which a proxy names whom it asks for, or itself."""


def asker() -> Asker:
    """Return who asks now."""
    return Asker(mark(), address_range())


def mark() -> str:
    """Return the browser's mark, which it is given now where it has none (rule 3)."""
    if not isinstance(visitor.get("mark"), str):
        visitor["mark"] = secrets.token_urlsafe(16)
    return str(visitor["mark"])


def address_range() -> str:
    """Return the range the request comes from (rules 1, 2)."""
    address = _address()
    return "" if address is None else _range(address)


def is_near() -> bool:
    """Tell whether the request comes from the store's own network (rule 4)."""
    address = _address()
    if address is None or not (address.is_private or address.is_loopback or address.is_link_local):
        return False
    return not concerns_others() or address != _read(request.remote_addr)


def concerns_others() -> bool:
    """Tell whether something that stands before the node says so in a header."""
    return any(_CONCERNS_OTHERS.search(name) for name, _value in request.headers)


def _address() -> Any:
    """Return the address the request comes from (rule 1), None for none."""
    trusted = networks_of(own_doors().settings.trusted_proxies)
    hops = [hop.strip() for value in request.headers.getlist("X-Forwarded-For") for hop in value.split(",")]
    address = _read(request.remote_addr)
    while address is not None and hops and any(address in network for network in trusted):
        before = _read(hops.pop())
        if before is None:
            break
        address = before
    return address


@functools.lru_cache(maxsize=1024)
def _range(address: Any) -> str:
    return str(ipaddress.ip_network((address, WIDTH[address.version]), strict=False))


def _read(text: str | None) -> Any:
    try:
        address = ipaddress.ip_address((text or "").strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
