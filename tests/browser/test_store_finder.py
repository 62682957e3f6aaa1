"""A stranger finds a store that has a product, by distance without telling where they are, and opens its page."""

import re

import pytest
from playwright.sync_api import Browser, expect

from config.nodes.journal import Context
from pos.store.store import Store
from supply.network.routes import vehicles
from supply.online.storefront.availability import OnlineListing, Storefront
from tests.browser.conftest import DESK, PHONE, assert_well_made
from tests.browser.served import serve
from tests.store_app.town import ONLINE, OTHER_ONLINE, Market
from tests.supply.online_store import ANA, AT, OTHER, STORE

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_who_has_it_near_me(market: Market, browser: Browser, size, language) -> None:
    with market.town.network.write() as session:
        session.merge(Storefront(store_id=OTHER, taking_orders=True, edition=1))
        for sku in ("milk", "bread"):
            session.add(
                OnlineListing(
                    store_id=OTHER, sku=sku, price_minor=139, available_qty=9, shelf_rank=None, published_at=AT
                )
            )
        session.get_one(Store, STORE).address = "7 Harbor Road, Easton"
        ctx = Context(session, ANA, AT)
        vehicles.place(ctx, STORE, 40_000_000, -74_000_000)
        vehicles.place(ctx, OTHER, 41_000_000, -74_000_000)
    with serve(market.house) as url:
        context = browser.new_context(
            viewport=size, geolocation={"latitude": 41.01, "longitude": -74.0}, permissions=["geolocation"]
        )
        page = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
        page.goto(f"{url}/shop/?lang={language}")
        assert_well_made(page)
        page.fill("#q", "mlik")
        page.press("#q", "Enter")
        names = page.locator(".found-stores h2 a")
        expect(names).to_have_count(2)
        before = len(asked)
        page.locator("[data-nearest] button").click()
        expect(page.locator("[data-away]").first).to_have_text(re.compile(r"\d"))
        assert [names.nth(n).get_attribute("href") for n in range(2)] == [f"{OTHER_ONLINE}/", f"{ONLINE}/"]
        assert len(asked) == before
        assert not [one for one in asked if "41.01" in one]
        assert_well_made(page)
        page.locator(f"a[href='{ONLINE}/p/milk']").click()
        assert_well_made(page)
        picture = page.locator("meta[property='og:image']").get_attribute("content")
        assert page.request.get(picture or "").status == 200
        page.goto(f"{url}{ONLINE}/")
        assert_well_made(page)
        assert said == []
        context.close()
