"""A client made from the document of `/api/v1` by somebody else's program talks to the store with typed answers."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import httpx
import pytest

from store_app.api.document import describe
from tests.store_app.api.test_v1 import key_of, shop
from tests.store_app.conftest import House

__all__ = ["shop"]
PACKAGE = "partner_client"


@pytest.fixture
def made(shop: House, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Give what imports a module of the client, which is made into a folder of its own."""
    document, settings = tmp_path / "v1.json", tmp_path / "settings.json"
    document.write_text(json.dumps(describe(shop.app, "/api/v1")))
    settings.write_text('{"post_hooks": []}')  # nobody reads the code
    words = [
        "generate",
        "--path",
        document,
        "--output-path",
        tmp_path / PACKAGE,
        "--meta",
        "none",
        "--config",
        settings,
    ]
    said = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *words, "--fail-on-warning"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


def connected(made: Callable[[str], ModuleType], shop: House, key: str) -> Any:
    """Return the client, signed in, with the application itself at the other end of its line."""
    client = made("client").AuthenticatedClient(base_url="http://localhost", token=key)
    headers = {"Authorization": f"Bearer {key}"}
    line = httpx.Client(base_url="http://localhost", headers=headers, transport=httpx.WSGITransport(shop.app))
    return client.set_httpx_client(line)


def test_every_list_is_read_to_its_end_and_then_its_changes(made: Callable[[str], ModuleType], shop: House):
    client = connected(made, shop, key_of(shop))
    for name in ("products", "prices", "stock", "sales", "orders", "deliveries", "customers"):
        ask, found, cursor, more = made(f"api.default.api_v1_list_{name}").sync, [], "", True
        while more:
            page = ask(client=client, cursor=cursor, limit="2")
            assert type(page).__name__ == f"{name.title()}Page"
            found, cursor, more = [*found, *page.items], page.cursor, page.more
        assert found != []
    price = made("models.price_in").PriceIn.from_dict({"sku": "milk", "price_minor": 139, "from_day": "2026-03-05"})
    first = made("api.default.api_v1_list_prices")
    before = first.sync(client=client, limit="500")
    answer = made("api.default.api_v1_set_prices").sync(client=client, body=price, idempotency_key="the-first-price")
    assert [(one.price_minor, one.own) for one in answer.prices] == [(139, True), (129, False)]
    (changed,) = first.sync(client=client, cursor=before.cursor).items
    assert changed.to_dict() == answer.to_dict()


def test_a_product_is_written_and_a_refusal_read(made: Callable[[str], ModuleType], shop: House):
    client, add = connected(made, shop, key_of(shop)), made("api.default.api_v1_add_products")
    jam = made("models.new_product_in").NewProductIn(
        name="Plum jam", category="Spreads", tax_class_id="food", price_minor=450
    )
    made_first = add.sync(client=client, body=jam, idempotency_key="the-first-jam")
    assert add.sync(client=client, body=jam, idempotency_key="the-first-jam") == made_first
    reads = connected(made, shop, key_of(shop, "products:read", id="reads-0001"))
    refused = add.sync_detailed(client=reads, body=jam, idempotency_key="the-second-jam")
    assert (refused.status_code, refused.parsed.error.code) == (403, "key-lacks-scope")
