"""A store's computer joins its network: code in, key and pinned certificate out, both into its settings file.

Rules
-----
1. Where the network's certificate is of an authority of its own, the invitation names that authority's fingerprint.
   The certificate is fetched before anything is trusted, and is believed only when its SHA-256 is the one on the
   invitation; the code is sent over a connection it vouches for, and from then on nothing else is trusted. What is kept
   is the one certificate that was compared, whatever else stood around it.
2. The key goes into the settings file, which only its owner reads (`founding`); it is shown nowhere.
3. The computer's signing key is made before it joins, and the code vouches for it. The answer names the keys that
   signed for the store before: they are believed as the address and the code are, and only at that moment.
4. Neither code nor key goes over a line that somebody on the way could read.
"""

import base64
import datetime as dt
import hashlib
import json
import re
import ssl
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx2

from config.errors import Invalid, Refused, Unreachable, cause
from config.nodes.signing import KEY_PATTERN, Signer, load
from config.settings import is_guarded
from store_app.runtime import outgoing
from store_app.sync import signed
from store_app.sync.sender import TIMEOUT, trusted


def refuse_open_line(url: str) -> None:
    """Refuse an address on the way to which others could read along (rule 4)."""
    if not is_guarded(url):
        raise Invalid(
            "open-line",
            "Enter the network's address as https://…; plain http works only on this computer. Nothing was sent.",
        )


def fingerprint(pem: str) -> str:
    """Return the SHA-256 of the one certificate in a text as people compare it: groups of four."""
    return _compared(_only_certificate(pem))


def fetch_ca(url: str, wanted: str, path: Path) -> Path:
    """Fetch the network's own certificate and keep it, if it is the one the invitation names (rule 1)."""
    unchecked = outgoing.context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE  # what comes is compared with the fingerprint before it is believed
    try:
        with outgoing.client(url, verify=unchecked, timeout=TIMEOUT) as client:
            answer = client.get(f"{url.rstrip('/')}/api/join/ca.pem")
        answer.raise_for_status()
        certificate = _only_certificate(answer.text)
    except httpx2.HTTPError as fault:
        raise Unreachable(
            "network-fault", "The network cannot be reached at %(url)s: %(fault)s.", url=url, fault=cause(fault)
        ) from fault
    found = _compared(certificate)
    if found.replace(" ", "") != "".join(wanted.split()).upper():
        reported = "Somebody may be in between. Do not go on; compare with the operator by telephone."
        raise Refused(
            "other-ca", "The network's certificate differs from the one on the invitation (%(found)s). %(reported)s",
            found=found, reported=reported,
        )  # fmt: skip
    path.write_text(ssl.DER_cert_to_PEM_cert(certificate), "ascii")
    return path


@dataclass(frozen=True)
class Joined:
    """What the network answered to a code. store: as it knows it; keys: those that signed for it, with since when."""

    store_id: str
    key: str
    public_url: str
    store: dict[str, Any]
    keys: list[tuple[str, dt.datetime]]


def exchange(url: str, code: str, ca: Path | None, signer: Signer) -> Joined:
    """Exchange a code for the store's id and key; the network is told the key this computer signs with (rule 3)."""
    try:
        with outgoing.client(url, verify=trusted(ca), timeout=TIMEOUT) as client:
            said = json.dumps({"code": code}).encode()
            headers = signed.headers_for(signer, "POST", "/api/join", said) | {"Content-Type": "application/json"}
            answer = client.post(f"{url.rstrip('/')}/api/join", content=said, headers=headers)
        body: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            raise Refused("not-joined", str(body["error"]["message"])[:300])
        keys = [(str(one["key"]), dt.datetime.fromisoformat(one["since"])) for one in body.get("signing_keys") or []]
        keys = [(key, since) for key, since in keys if re.fullmatch(KEY_PATTERN, key)]
        store = dict(body.get("store") or {})
        return Joined(str(body["store_id"]), str(body["key"]), str(body["public_url"]), store, keys)
    except httpx2.HTTPError as fault:
        raise Unreachable(
            "network-fault", "The network cannot be reached at %(url)s: %(fault)s.", url=url, fault=cause(fault)
        ) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise Unreachable(
            "network-fault", "The server at this address is not the network. Check the address."
        ) from fault


def key_here(settings_file: Path, folder: Path) -> Signer:
    """Return the signing key of a computer that joins: the one it has, or a new one."""
    said = tomllib.loads(settings_file.read_text("utf-8")) if settings_file.exists() else {}
    place, node_id = Path(said.get("state_folder", folder)), said.get("node_id", "")
    there = load(place / f"{node_id}.signing-key.pem") if node_id else None
    return there or Signer.make()


def link(url: str, code: str, fingerprint: str = "") -> str:
    """Return an invitation as one link: what follows the '#' never leaves a browser."""
    said = {"code": code} | ({"fingerprint": fingerprint.replace(" ", "")} if fingerprint else {})
    return f"{url.rstrip('/')}/join#{urlencode(said)}"


def of_link(said: str) -> tuple[str, str, str] | None:
    """Return address, code and fingerprint of an invitation's link; None for any other address."""
    address, _, rest = said.strip().partition("#")
    given = parse_qs(rest)
    if not address.rstrip("/").endswith("/join") or "code" not in given:
        return None
    return address.rstrip("/").removesuffix("/join"), given["code"][0], given.get("fingerprint", [""])[0]


# --- inside ---


def _compared(certificate: bytes) -> str:
    digest = hashlib.sha256(certificate).hexdigest().upper()
    return " ".join(digest[n : n + 4] for n in range(0, len(digest), 4))


def _only_certificate(pem: str) -> bytes:
    """Return the certificate (DER) of a text that holds exactly one, and nothing beside it that a reader could take."""
    found = _CERTIFICATE.findall(pem)
    try:
        if len(found) == pem.count("-----BEGIN") == 1:
            return base64.b64decode("".join(found[0].split()), validate=True)
    except ValueError:
        pass
    raise Invalid("bad-ca", "Provide exactly one certificate (PEM): ask the operator for the network's ca.pem.")


_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", re.ASCII)
