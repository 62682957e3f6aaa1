"""A person at a node, through the very pages and calls their browser would use."""

from __future__ import annotations

import re
from typing import Any

import httpx2

from config.errors import Refused, ShopError, Unreachable

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


def sign_in(client: httpx2.Client, staff_id: str, pin: str) -> str:
    """Sign in by name and PIN; returns the token that the page's calls carry."""
    token = token_of(client, "/signin")
    answer = client.post(
        "/signin", data={"csrf_token": token, "staff_id": staff_id, "pin": pin}, follow_redirects=False
    )
    if answer.status_code != 303:
        raise Refused("not-signed-in", f"{staff_id} could not sign in ({answer.status_code}).")
    return token_of(client, answer.headers["location"])


def token_of(client: httpx2.Client, path: str) -> str:
    """Return the CSRF token of a page."""
    answer = client.get(path, follow_redirects=True)
    found = _TOKEN.search(answer.text)
    if answer.status_code != 200 or found is None:
        raise Unreachable("no-page", f"The page {path} did not open ({answer.status_code}).")
    return found.group(1)


def call(client: httpx2.Client, path: str, body: Any, token: str) -> Any:
    """Send one command of the JSON API; a refusal is raised with its code and sentence."""
    answer = client.post(path, json=body, headers={"X-CSRF-Token": token})
    if answer.status_code >= 400:
        error = answer.json().get("error", {}) if "json" in answer.headers.get("content-type", "") else {}
        raise ShopError(
            error.get("code", "no-answer"),
            error.get("message", f"{path}: {answer.status_code}"),
            **error.get("facts", {}),
        )
    return answer.json()
