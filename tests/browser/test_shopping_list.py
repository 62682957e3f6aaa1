"""A customer pastes a list on the phone, chooses where asked, and finds it in the basket; with and without script."""

import pytest
from playwright.sync_api import Browser, expect

from pos.catalogue.catalogue import Product
from supply.online.storefront.availability import OnlineListing
from tests.browser.conftest import DESK, PHONE, assert_well_made
from tests.browser.served import serve
from tests.store_app.town import ONLINE, Market
from tests.supply.online_store import AT, STORE

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("has_script", [True, False])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_list_becomes_a_basket(market: Market, browser: Browser, size, has_script) -> None:
    with market.town.network.write() as session:
        tax_class_id = session.get_one(Product, "milk").tax_class_id
        session.get_one(OnlineListing, (STORE, "tea")).available_qty = 0
        for sku, name in (("oat", "Oat drink"), ("soy", "Soy drink")):
            session.add(Product(sku=sku, name=name, category="Drinks", tax_class_id=tax_class_id, pack_text="1 l"))
            session.flush()
            session.add(
                OnlineListing(
                    store_id=STORE, sku=sku, price_minor=199, available_qty=9, shelf_rank=None, published_at=AT
                )
            )
    with serve(market.house) as url:
        context = browser.new_context(viewport=size, java_script_enabled=has_script)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.goto(f"{url}{ONLINE}/?lang=en")
        page.get_by_role("link", name="Paste your shopping list").click()
        page.fill("#list", "Hello!\n2 rye bread\ndrink x3\ngreen tea\nunicorn\nThanks")
        page.get_by_role("button", name="Find products").click()
        expect(page.locator("[data-line]")).to_have_count(6)
        assert page.input_value("#list").startswith("Hello!")
        if has_script:
            assert_well_made(page)
        page.get_by_label("Soy drink").check()
        page.get_by_role("button", name="Add to basket").click()
        page.wait_for_url(f"**{ONLINE}/basket")
        lines = page.locator(".cart-lines li")
        expect(lines).to_have_count(2)
        expect(lines.filter(has_text="Rye bread").locator("input[name='steps']").first).to_have_value("2")
        expect(lines.filter(has_text="Soy drink").locator("input[name='steps']").first).to_have_value("3")
        assert said == []
        context.close()


def test_too_long_a_list_is_said_before_it_is_sent_and_stays(market: Market, browser: Browser) -> None:
    with serve(market.house) as url:
        page = browser.new_page(viewport=PHONE)
        page.goto(f"{url}{ONLINE}/list?lang=en")
        page.fill("#list", "x" * 5_000)
        page.get_by_role("button", name="Find products").click()
        expect(page.get_by_text("Split it in two.")).to_be_visible()
        assert len(page.input_value("#list")) == 5_000
        page.close()
