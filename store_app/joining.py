"""A shop's computer joins its network: code in, key and pinned certificate out, both into its settings file.

Rules
-----
1. Where the network's certificate is of an authority of its own, the invitation names that authority's fingerprint.
   The certificate is fetched before anything is trusted, and is believed only when its SHA-256 is the one on the
   invitation; the code is sent over a connection it vouches for, and from then on nothing else is trusted.
2. The key goes into the settings file, which only its owner reads; it is shown nowhere.
"""

import hashlib
import os
import ssl
from pathlib import Path
from typing import Any

import httpx2

from config.errors import Invalid, Refused, Unreachable
from store_app.sync.sender import TIMEOUT, trusted


def fingerprint(pem: str) -> str:
    """Return a certificate's SHA-256 as people compare it: groups of four."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return " ".join(digest[n : n + 4] for n in range(0, len(digest), 4))


def fetch_ca(url: str, wanted: str, path: Path) -> Path:
    """Fetch the network's own certificate and keep it, if it is the one the invitation names (rule 1)."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE  # what comes is compared with the fingerprint before it is believed
    try:
        with httpx2.Client(verify=unchecked, timeout=TIMEOUT, follow_redirects=False) as client:
            answer = client.get(f"{url.rstrip('/')}/api/join/ca.pem")
        answer.raise_for_status()
        found = fingerprint(answer.text)
    except httpx2.HTTPError as fault:
        raise Unreachable("network-fault", f"The network cannot be reached at {url}: {fault}") from fault
    except ValueError as fault:
        raise Invalid("bad-ca", "What the network sent is no certificate.") from fault
    if found.replace(" ", "") != "".join(wanted.split()).upper():
        told = "Somebody may be in between. Do not go on; compare with the operator by telephone."
        raise Refused("other-ca", f"The network's certificate is not the one on the invitation ({found}). {told}")
    path.write_text(answer.text, "ascii")
    return path


def exchange(url: str, code: str, ca: Path | None) -> tuple[str, str, str, dict[str, Any]]:
    """Exchange a code for (store id, key, the network's address for customers, the shop as the network knows it)."""
    try:
        with httpx2.Client(verify=trusted(ca), timeout=TIMEOUT, follow_redirects=False) as client:
            answer = client.post(f"{url.rstrip('/')}/api/join", json={"code": code})
        body: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            raise Refused("not-joined", str(body["error"]["message"])[:300])
        return str(body["store_id"]), str(body["key"]), str(body["public_url"]), dict(body.get("store") or {})
    except httpx2.HTTPError as fault:
        raise Unreachable("network-fault", f"The network cannot be reached at {url}: {fault}") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise Unreachable("network-fault", "What answered is not the network. Check the address.") from fault


def write_settings(path: Path, text: str, changed: dict[str, str]) -> None:
    """Write a settings file with some values changed, readable to its owner alone (rule 2)."""
    kept = [line for line in text.splitlines() if line.partition("=")[0].strip() not in changed]
    lines = [*(f'{name} = "{value}"' for name, value in changed.items() if value), *kept]
    beside = path.with_name(f"{path.name}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    beside.replace(path)
