"""The code by which a customer lets a store use the network's points, at the till and on the customer's page."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from pos.customers import customers, loyalty, points_terms
from pos.customers.customers import Particulars
from pos.customers.points_terms import PointsTerms
from pos.store.store import StoreKey, found_store, store_of
from supply.money import points_pool
from tests.arriving import hear
from tests.browser.conftest import PHONE, STORE, Node, assert_accessible, assert_well_made, enter, resize
from tests.browser.served import Served
from tests.empty import empty_database

KEY, MARTA = "a-key-of-the-browser-s-store", "customer-marta-01"
BY = Actor.system("test", NETWORK)
WORDS = {
    "en": ("Send code", "Confirm", "Confirmed. 0 Clover points."),
    "zh": ("发送验证码", "确认", "已确认。Clover：0 积分。"),
}


@pytest.fixture
def known(kept, make_node) -> Iterator[Node]:
    """Give a store that takes part in a network's points and knows a customer who has not confirmed the phone."""
    now, house = dt.datetime.now(dt.UTC), kept.take(None, node_id=NETWORK, role="network")
    before = now - dt.timedelta(days=1)  # a business day may be yesterday's still
    with empty_database(house.file).write() as session:
        found(session, NETWORK, at=now)
        found_store(session, STORE, "Maple Street", region=("north", "North"), currency="USD", tz="UTC", at=now)
        session.add(StoreKey(sha256=hashlib.sha256(KEY.encode()).hexdigest(), store_id=STORE, made_at=now))
        scheme = PointsTerms(
            scope=NETWORK, from_day=before.date(), name="Clover", currency="USD", active=True, points=1, per_minor=100,
            worth_minor=1, least_points=10, expiry_months=0, lapsed_to="stores", notice_days=14,
        )  # fmt: skip
        points_pool.found(Context(session, BY, before), scheme)
        part = {"store_id": STORE, "from_day": str(before.date()), "until_day": None, "reported_at": now.isoformat()}
        hear(session, "points.part", part, at=now)
        edition = points_terms.edition(session)
    served = Served(house.app)
    node = make_node(network_url=served.url, network_key=KEY)
    with node.database.write() as session:
        store, given = store_of(session, STORE), {"actor": BY, "at": now}
        points_terms.take_edition(session, edition)
        loyalty.take_part(Context(session, **given), store)
        agreed = frozenset({"phone", "points", "network"})
        customers.add(
            Context(session, **given), store, MARTA, Particulars("Marta Novak", "+12135550199", agreed=agreed)
        )
    yield node
    served.stop()
    kept.give_back(house)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_customer_s_code_is_asked_for_and_typed_at_the_till_once(page: Page, known: Node, faults, language):
    send, confirm, confirmed = WORDS[language]
    enter(page, known, language=language)
    page.locator("#customer-button").click()
    page.keyboard.type("Marta")
    page.locator(".row-button").click()
    page.locator(".attached").click()
    page.get_by_role("button", name=send, exact=True).click()
    code = page.locator("#points-code")
    expect(code).to_be_focused()
    sent = re.search(r"\d{8}", page.locator("#sheet").inner_text())
    assert sent, "in practice the network says which code it sent"
    assert_accessible(page)
    resize(page, PHONE)
    assert_well_made(page)
    code.fill("1")
    code.press("Enter")
    expect(page.locator("#sheet-says .note-bad")).to_be_visible()
    faults.clear()  # the browser notes the refusal
    code.fill(sent[0])
    page.get_by_role("button", name=confirm, exact=True).click()
    expect(page.locator("#sheet")).to_contain_text(confirmed)
    assert [row.linked for row in known.rows(loyalty.PointsAccount, scope=NETWORK)] == [True]


def test_the_customer_s_page_sends_the_code_and_takes_it(page: Page, known: Node, faults):
    enter(page, known, f"/customers/{MARTA}")
    assert_well_made(page)
    page.get_by_role("button", name="Send code").click()
    sent = re.search(r"code is (\d{8})", page.locator("body").inner_text())
    assert sent
    page.get_by_label("Code from the customer’s phone").fill(sent[1])
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.locator("body")).to_contain_text("Points can be redeemed now.")
    expect(page.get_by_role("button", name="Send code")).to_have_count(0)
