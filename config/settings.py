"""The settings of a node: a TOML file and the environment, every fault reported at once.

A value comes from, in this order: arguments, the environment (`CORNERSTORE_…`), the TOML file named by
`CORNERSTORE_SETTINGS` (a command takes the `cornerstore.toml` of its folder where none is named), the default here.
Secrets may lie in files of their own in the folder `CREDENTIALS_DIRECTORY` names, as systemd's and other vaults put
them there; they go before the TOML file.
"""

import functools
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import Invalid, cause
from config.ids import NETWORK, is_store_id

SECRETS = ("database_url", "secret_key", "network_key", "metrics_key", "notify", "notify_key")
"""The settings that are secrets, or hold one."""
CHECKED_BY_POSTGRES = frozenset({"verify-ca", "verify-full"})
"""The modes of libpq in which the server's certificate is checked; `require` encrypts to whoever answers."""
NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ"})
"""What CLDR has among its territories by two letters, and ISO 3166 not as a country."""


class Settings(BaseSettings):
    """What a node must know before it opens. Read once, in `create_app` or at a command's start."""

    model_config = SettingsConfigDict(env_prefix="CORNERSTORE_", extra="forbid")

    role: Literal["store", "network"] = "store"
    node_id: str = Field(default="", description="The store's id; the network node's is always 'network'")
    database_url: str = ""
    state_folder: Path = Field(default=Path("cornerstore-state"), description="Database, sidecar, logs, paper")
    secret_key: str = Field(default="", description="Signs sessions; at least 32 characters outside practice")
    network_url: str = Field(default="", description="Where a store finds the network; empty: on its own")
    network_key: str = Field(default="", description="The store's own key at the network")
    network_ca: Path | None = Field(
        default=None, description="The certificate (PEM) that must have signed the network's; else the system's"
    )
    backup_folder: Path | None = Field(
        default=None, description="Where the nightly copies go, best on another disk; else beside the database"
    )
    metrics_key: str = Field(default="", description="Bearer key that opens /metrics; empty: closed")
    public_url: str = Field(default="", description="The network's address as customers reach it (QR codes)")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    trusted_proxies: str = Field(
        default="127.0.0.1, ::1",
        description="Proxies whose X-Forwarded-For says where a request comes from, by address or network, with commas "
        "between them; everybody else's is ignored",
    )
    threads: int = Field(default=8, ge=2, le=64)
    secure_cookies: bool = False
    practice: bool = Field(default=False, description="A demonstration: known PINs, shared practice clock")
    practice_clock: Path | None = None
    printer: str = Field(
        default="",
        description="The printer while none is set up on the page: '' none, 'paper' preview only, 'net:host:port', "
        "'usb:vendor:product', 'serial:/dev/tty…', 'file:/path', 'cups:queue', 'windows:name'",
    )
    printer_profile: str = Field(
        default="default", description="What that printer can do, by its name in python-escpos, such as TM-T88V"
    )
    printer_columns: Literal[32, 42, 48] = 48
    printer_chinese: bool = Field(default=True, description="The printer has a GB18030 font and Chinese mode")
    printer_search: str = Field(
        default="local",
        description="Where the set-up page looks for network printers when asked: 'local' the computer's own networks, "
        "'' nowhere, or networks such as '192.168.1.0/24'",
    )
    scale: str = Field(
        default="",
        description="'' none, 'practice', 'toledo:/dev/tty…', 'continuous:/dev/tty…', 'lines:/dev/tty…'; "
        "several tills: 'T1=…; T2=…'",
    )
    payment_service: Literal["", "none", "practice", "practice-scripted"] = Field(
        default="",
        description="Who is asked for cards and wallets: 'none' (a slip number is typed); 'practice' moves no money, "
        "'practice-scripted' also fails by the amount's last two digits, both in practice alone; '': practice or none",
    )
    notify: str = Field(
        default="",
        description="Who carries messages to customers, several with ';': 'log' writes them down only, "
        "'smtp://user:password@host:587?from=store@example.com' for e-mail, 'https://…' a service that is posted each "
        "message and sends it to the phone; '': log in practice, else none",
    )
    notify_key: str = Field(default="", description="What messages posted to the service are signed with")
    country: str = Field(
        default="US", description="Whose holidays are kept: ISO 3166 code, with the state where states differ (DE-BW)"
    )
    product_lookup: str = Field(
        default="",
        description="Where to look up barcodes online that the copy doesn't have: 'https://world.openfoodfacts.org', "
        "with the extra openfoodfacts installed; '': nowhere",
    )
    prices_alone: int = Field(
        default=100,
        ge=0,
        description="Most network prices that one person may change in a day; more wait for a "
        "second person, where there is one",
    )
    prices_alone_percent: int = Field(
        default=30,
        ge=0,
        le=1_000,
        description="Most percent by which one person may change a network price, up or down; 1000: any",
    )
    forecast_cluster: str = Field(
        default="",
        description="Where stores' forecasts are computed: 'tcp://host:8786' is a Dask scheduler; '': on this machine",
    )
    trusted_wires: str = Field(
        default="",
        description="Hosts that may be reached without TLS because the wire there is the operator's own, such as a VPN "
        "or a cable in one rack, with commas between them: 10.0.0.5, books.internal",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("country")
    @classmethod
    def _of_a_country(cls, country: str) -> str:
        if country and not is_country(country.partition("-")[0]):
            raise ValueError(f"{country!r} is no country: write it as US, CN or DE, with its part as DE-BW")
        return country

    @field_validator("trusted_proxies")
    @classmethod
    def _of_networks(cls, proxies: str) -> str:
        try:
            networks_of(proxies)
        except ValueError as fault:
            raise ValueError(f"{proxies!r}: {fault}; write addresses or networks, such as 10.0.0.5, fd00::/8") from None
        return proxies

    @field_validator("forecast_cluster")
    @classmethod
    def _reachable(cls, address: str) -> str:
        if address and not re.fullmatch(r"(tcp|tls|ws|wss)://[^\s/:]+:\d+", address):
            raise ValueError(f"{address!r} is no address of a Dask scheduler: write it as tcp://host:8786")
        return address

    @field_validator("printer_profile")
    @classmethod
    def _prints_receipts(cls, profile: str) -> str:
        if profile.upper().startswith("ZPL"):
            raise ValueError(
                f"{profile!r} is a label printer, which prints no receipts: write the receipt printer's name, such as "
                "TM-T88V, or default, and set the label printer up on the page Printers"
            )
        return profile

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        if self.role == "network":
            self.node_id = NETWORK
        if not self.node_id:
            raise ValueError("node_id: a store node needs the store's id")
        if self.role == "store" and not is_store_id(self.node_id):
            raise ValueError(f"node_id: {self.node_id!r} is not a store id. Use up to 20 letters and digits: S01")
        if not self.database_url:
            self.database_url = f"sqlite:///{self.state_folder / (self.node_id + '.db')}"
        if self.network_url and not is_guarded(self.network_url):
            raise ValueError("network_url: facts leave the store over https:// alone; plain http is for one machine")
        if faults := list(self._open_lines()):
            raise ValueError("; ".join(faults))
        if self.product_lookup and not is_guarded(self.product_lookup):
            raise ValueError("product_lookup: barcodes leave the store over https:// alone")
        if self.payment_service.startswith("practice") and not self.practice:
            raise ValueError("payment_service: a practice terminal moves no money, so it stands in practice alone")
        if not self.practice and len(self.secret_key) < 32:
            raise ValueError("secret_key: at least 32 random characters; `cornerstore init` makes one")
        return self

    def trusts_wire_to(self, host: str) -> bool:
        """Tell whether a host may be reached without TLS: it is this computer, or `trusted_wires` names it."""
        return is_here(host) or self.names_wire_to(host)

    def names_wire_to(self, host: str) -> bool:
        """Tell whether `trusted_wires` names a host."""
        return host.lower() in [one.strip().lower() for one in self.trusted_wires.split(",")]

    def _open_lines(self) -> Iterator[str]:
        """Yield a sentence about each setting by which books or messages would leave this computer readable."""
        mode = _query_of(_database(self.database_url), "sslmode") or [os.environ.get("PGSSLMODE", "")]
        hosts = [urlsplit(f"//{host}").hostname or "" for host in hosts_of(self.database_url)]
        if mode[-1] not in CHECKED_BY_POSTGRES and (
            open_to := [host for host in hosts if not self.trusts_wire_to(host)]
        ):
            yield (
                f"database_url: the books go to {open_to[0]} over TLS alone. Add ?sslmode=verify-full (and "
                "&sslrootcert=FILE for an authority of your own), or name the host in trusted_wires"
            )
        for one in self.notify.split(";"):
            if one.strip().startswith("http://") and not self.trusts_wire_to(urlsplit(one.strip()).hostname or ""):
                yield "notify: messages leave over https:// alone, or to a host that trusted_wires names"
        cluster = urlsplit(self.forecast_cluster)
        if cluster.scheme in ("tcp", "ws") and not self.trusts_wire_to(cluster.hostname or ""):
            yield "forecast_cluster: write tls:// (or wss://) for another host, or name it in trusted_wires"

    @property
    def nation(self) -> str:
        """The country alone, without its state."""
        return self.country.partition("-")[0]

    @property
    def sends_mail(self) -> bool:
        """Whether an e-mail leaves this node; in practice it is logged."""
        ways = (self.notify or ("log" if self.practice else "")).split(";")
        return any(way.strip().startswith(("smtp://", "smtps://")) or way.strip() == "log" for way in ways)

    @property
    def signing_key(self) -> Path:
        """Where the node's private signing key lies."""
        return self.state_folder / f"{self.node_id}.signing-key.pem"

    @property
    def sidecar(self) -> Path:
        """Where the sidecar file of the database lies."""
        return self.state_folder / f"{self.node_id}.sidecar.json"


@functools.lru_cache(maxsize=16)
def networks_of(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Return the networks a text names, with commas between them; ValueError where one is none."""
    return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())


def is_country(name: str) -> bool:
    """Tell whether these are the two ISO 3166 letters of a country."""
    from babel import Locale

    return len(name) == 2 and name in Locale("en").territories and name not in NO_COUNTRIES


def is_guarded(url: str) -> bool:
    """Tell whether nobody on the way can read or change what is sent: TLS, or never leaving the machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_here(parts.hostname or "")


def is_here(host: str) -> bool:
    """Tell whether a host is this computer."""
    return host in ("localhost", "127.0.0.1", "::1")


def hosts_of(database_url: str) -> list[str]:
    """Return each host:port by which PostgreSQL is reached; none for a file or a socket."""
    url = _database(database_url)
    if url.get_backend_name() != "postgresql":
        return []
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or ""
    named = ",".join([host, *_query_of(url, "host"), *_query_of(url, "hostaddr")]).strip(",")
    parts = [part.strip() for part in (named or os.environ.get("PGHOST", "")).split(",")]
    bare = [part for part in parts if part and not part.startswith(("/", "@"))]  # a socket is a path, or abstract
    return [part if re.search(r":\d+$", part) else f"{part}:{url.port or 5432}" for part in bare]


def _database(address: str) -> sa.URL:
    try:
        return sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        reported = "write it as postgresql+psycopg://user:password@host/name?sslmode=verify-full"
        raise ValueError(f"database_url: this is no address of a database; {reported}") from None


def _query_of(url: sa.URL, name: str) -> list[str]:
    found = url.query.get(name, ())
    return [found] if isinstance(found, str) else list(found)


def load(**given: Any) -> Settings:
    """Read the settings; raises Invalid with every fault in words."""
    content: dict[str, Any] = {}
    if path := os.environ.get("CORNERSTORE_SETTINGS"):
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:  # not TOML, or not UTF-8
            raise Invalid(
                "settings-file", "The settings file %(path)s cannot be read: %(fault)s.", fault=cause(fault), path=path
            ) from fault
    vault = Path(os.environ.get("CREDENTIALS_DIRECTORY") or os.devnull)
    content |= {name: (vault / name).read_text("utf-8").strip() for name in SECRETS if (vault / name).is_file()}
    named_outside = {name for name in Settings.model_fields if f"CORNERSTORE_{name.upper()}" in os.environ}
    arguments = {name: value for name, value in content.items() if name not in named_outside} | given
    try:
        return Settings(**arguments)
    except ValidationError as fault:
        stands = dict.fromkeys(content, f" in {path}")
        stands |= {name: f" (CORNERSTORE_{name.upper()})" for name in named_outside} | dict.fromkeys(given, "")
        faults = [_said(one["loc"], one["msg"], stands) for one in fault.errors()]
        raise Invalid("settings", "Correct the settings: %(faults)s.", faults=faults) from fault


def _said(place: tuple[int | str, ...], words: str, stands: dict[str, str]) -> str:
    """Return a fault with its key and where that was written."""
    key = ".".join(map(str, place))
    return f"{key or 'settings'}{stands.get(key, '')}: {words.removeprefix('Value error, ')}"
