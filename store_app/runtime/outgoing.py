"""What a node connects to, and the one way its requests leave.

Rules
-----
1. A node connects to what its own settings, its pages *Printers*, *Partner access*, *Payment services* and *Incoming
   documents*, and its command line name, and to nothing else. `WAYS` is the whole list;
   docs/manual/en/system/connections.md prints it, and a test finds every other way out.
2. A request leaves by a client of `client`, which asks the address it was made for and no other, follows no redirect,
   and trusts no certificate that is not checked.
3. TLS is 1.2 or newer, with forward secrecy and authenticated encryption alone (`CIPHERS`).
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from config.errors import Refused
from config.settings import Settings, hosts_of

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""The suites of TLS 1.2; those of TLS 1.3 are all of this kind. The web server before a node has the same."""
PORTS = {"https": 443, "http": 80, "smtps": 465, "smtp": 587, "postgresql+psycopg": 5432, "postgresql": 5432}


@dataclass(frozen=True)
class Way:
    """Something a node connects to. named_by: the setting, page or option; files: where in the code."""

    to: str
    named_by: str
    port: str
    why: str
    files: tuple[str, ...]


_HTTP = "store_app/runtime/outgoing.py"
WAYS = (
    Way("the network", "`network_url`", "443", "facts, editions, points and joining, from a store", (_HTTP,)),
    Way("the message service", "`notify`, https", "443", "messages to customers' phones", (_HTTP,)),
    Way(
        "the mail server", "`notify`, smtp or smtps", "587, 465", "receipts, messages", ("store_app/mail/carriers.py",)
    ),
    Way(
        "a mailbox", "the page *Incoming documents*", "993", "suppliers' documents, by IMAP over TLS",
        ("store_app/inbound/mailbox.py",),
    ),
    Way(
        "a partner's program", "the page *Partner access*", "443", "events, to public addresses",
        ("store_app/api/v1/events.py",),
    ),
    Way("WeChat Pay and Alipay", "the page *Payment services*", "443", "wallets: charges, answers, refunds", (_HTTP,)),
    Way("Stripe", "the page *Payment services*", "443", "cards at the till and online", (_HTTP,)),
    Way(
        "PostgreSQL", "`database_url`", "5432", "the network's books; `pg_dump` and `pg_restore` ask it too",
        ("config/database.py", "store_app/node/backup.py"),
    ),
    Way(
        "Open Food Facts", "`product_lookup`", "443", "barcodes the store does not know",
        ("store_app/files/open_food_facts.py",),
    ),
    Way("the Dask scheduler", "`forecast_cluster`", "8786", "forecasts on a cluster", ("forecasting/many.py",)),
    Way("a printer", "`printer`, or the page *Printers*", "9100", "paper", ("pos/printing/lines.py",)),
    Way(
        "a card terminal", "the page *Payment services*", "20007", "card payments", ("store_app/payments/zvt_talk.py",)
    ),
    Way(
        "every address of the store's own networks", "the page *Printers*", "9100",
        "when someone presses *Search* there", ("pos/printing/discovery.py",),
    ),
    Way("the store node", "`print-agent --server`", "443", "paper, from a print agent", (_HTTP,)),
)  # fmt: skip


def context(ca: Path | None = None) -> ssl.SSLContext:
    """Return how TLS is spoken (rule 3), checked against one authority alone or the system's; OSError for no file."""
    made = ssl.create_default_context(cafile=str(ca) if ca else None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(CIPHERS)
    return made


def client(address: str, *, verify: ssl.SSLContext | None = None, **more: Any) -> httpx2.Client:
    """Return a client that asks one address alone (rule 2)."""
    home = _origin(httpx2.URL(address))

    def stay(request: httpx2.Request) -> None:
        if _origin(request.url) != home:
            raise Refused(
                "other-address", "This request may go only to %(home)s, not to %(host)s.", home=home[1],
                host=request.url.host,
            )  # fmt: skip

    return httpx2.Client(
        base_url=address, verify=verify or context(), follow_redirects=False, event_hooks={"request": [stay]}, **more
    )


def reached(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield (setting, host:port) of everything the settings of a node make it connect to, for a firewall's list."""
    reported = [("network_url", settings.network_url), ("forecast_cluster", settings.forecast_cluster)]
    reported.append(("product_lookup", settings.product_lookup))
    reported += [("notify", one.strip()) for one in settings.notify.split(";")]
    for name, address in reported:
        parts = urlsplit(address)
        if parts.hostname:
            yield name, f"{parts.hostname}:{parts.port or PORTS.get(parts.scheme, '')}"
    yield from (("database_url", host) for host in hosts_of(settings.database_url))
    kind, _, place = settings.printer.partition(":")
    if kind == "net":
        yield "printer", place


# --- inside ---


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or PORTS.get(url.scheme)
