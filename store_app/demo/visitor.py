"""A person at a node, through the very pages and calls their browser would use."""

from __future__ import annotations

import re
from typing import Any

import httpx2

from config.errors import DomainError, Refused, Unreachable
from config.ids import new_id

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
_COMMAND = re.compile(r'name="command_id" value="([^"]+)"')
_TOO_LITTLE = re.compile(r'value="deliver"[^>]* disabled')
_WINDOW = re.compile(r'id="delivery_window".*?value="([^"]+)"', re.DOTALL)
MORE = 8


def sign_in(client: httpx2.Client, staff_id: str, pin: str) -> str:
    """Sign in by name and PIN; returns the token that the page's calls carry."""
    path = f"/signin/{staff_id}"
    fields = {"csrf_token": token_of(client, path), "pin": pin}
    answer = client.post(path, data=fields, follow_redirects=False)
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
        raise DomainError(
            error.get("code", "no-answer"),
            error.get("message", f"{path}: {answer.status_code}"),
            **error.get("facts", {}),
        )
    return answer.json()


class Customer:
    """A customer at a store's online pages, with a phone's browser."""

    def __init__(self, client: httpx2.Client, slug: str) -> None:
        self._base = f"/shop/{slug}"
        self._client = client
        self.token = ""

    def order(self, name: str, phone: str, *, things: int, home: tuple[str, str] | None = None) -> None:
        """Put the first `things` products that are in the store into the basket and order them.

        home: (a place the store names, street) where they are to be brought; then more of them are put in until the
        store brings so much.
        """
        page = self._get("/")
        skus = re.findall(rf'action="{self._base}/p/([^"]+)"', page)[:things]
        if len(skus) < things:
            raise Refused("nothing-online", f"The online store {self._base} shows only {len(skus)} products to order.")
        for sku in skus:
            self._post(f"/p/{sku}", {})
        form = self._get("/basket")
        for sku in skus * MORE if home else ():
            if _TOO_LITTLE.search(form) is None:
                break
            self._post(f"/p/{sku}", {})
            form = self._get("/basket")
        order_id = _COMMAND.search(form[form.index('name="name"') - 2000 :])
        if order_id is None:
            raise Unreachable("no-page", "The basket has no order form.")
        fields = {"name": name, "phone": phone, "command_id": order_id.group(1)}
        if home is not None:
            place, street = home
            time = _WINDOW.search(form)
            fields |= {"way": "deliver", "place": place, "street": street, "delivery_window": time[1] if time else ""}
        answer = self._post("/order", fields)
        if answer.endswith("/code"):
            code = re.search(r"(?:code is|验证码是) (\d{6})", self._get("/code"))
            answer = self._post("/code", {"code": code.group(1) if code else ""})
        self.token = answer.rsplit("/", 1)[-1]

    def code(self) -> str:
        """Return the collection code the order's page shows."""
        found = re.search(r'class="code-large.*?>\s*([2-9A-Y]{8})\s*<', self._get(f"/order/{self.token}"), re.DOTALL)
        if found is None:
            raise Refused("no-code", "The code is not shown on the order page.")
        return found.group(1)

    @property
    def page(self) -> str:
        """Return the address of the order's page at the network."""
        return f"{self._base}/order/{self.token}"

    def steps_done(self) -> int:
        """Return how many steps of its way the order's page shows as done."""
        return self._get(f"/order/{self.token}").count(" data-done")

    def _get(self, path: str) -> str:
        answer = self._client.get(self._base + path)
        if answer.status_code != 200:
            raise Unreachable("no-page", f"{self._base}{path} answered {answer.status_code}.")
        return answer.text

    def _post(self, path: str, fields: dict[str, str]) -> str:
        token = token_of(self._client, f"{self._base}/")
        body = {"csrf_token": token, "command_id": new_id()} | fields
        answer = self._client.post(self._base + path, data=body, follow_redirects=False)
        if answer.status_code != 303:
            raise Refused("not-taken", f"{self._base}{path} answered {answer.status_code}: {_fault(answer.text)}")
        return str(answer.headers["location"])


def _fault(text: str) -> str:
    found = re.search(r'class="note note-bad[^>]*>(.*?)</p>', text, re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found.group(1)).strip() if found else ""
