"""Promotions in one place: all kinds in one list, what to expect before saving, the result or why there is none."""

import datetime as dt
import re

import pytest

from config.ids import new_id
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.catalogue import offers
from pos.pricing.promises import Choice, Offer, Part
from store_app.words import goals
from supply.demand.campaign_uplift import CampaignLine
from supply.demand.history import SellingRate
from supply.network.offers import campaigns
from supply.network.offers.campaigns import Campaign, CampaignTerms
from supply.network.offers.expectation import Power
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, send, send_seen, words
from tests.store_app.operator import furnish

TODAY = NOON.date()
NEW_OFFER = "/console/promotions/offers/new"
GIVEN = {"sku": "milk", "packs": "2", "why": "It sells well next door.", "kind": "new",
         "answer_by": (TODAY + dt.timedelta(days=3)).isoformat(), "store_id": STORE}  # fmt: skip


@pytest.fixture
def desk(network):
    furnish(network)
    with network.doors.write() as session:
        ctx = Context(session, SYSTEM, NOON)
        offer = Offer(new_id(), "Milk week", "percent", (Part(Choice(skus=frozenset({"milk"}))),), percent_bp=1_000)
        offers.make(ctx, EVERYONE, offer, goal="campaign")
        days = [TODAY + dt.timedelta(days=n) for n in (3, 5, 11)]
        line = CampaignLine("milk", "Whole milk", 1_000, slot=False, uplift_bp=3_000)
        terms = CampaignTerms("campaign-1", "Match week", "Beer", from_day=days[1], until_day=days[2],
                              answer_by=days[0], lines=(line,), goal="surplus")  # fmt: skip
        campaigns.plan(ctx, terms, [STORE])
    return network


def test_all_kinds_stand_in_one_list_with_state_period_and_goal(desk):
    client = desk.signed_in("operator")
    page = words(client.get("/console/promotions/"))
    assert "Milk week Customer promotion Sell more active" in page
    assert re.search(
        r"Match week Campaign Clear surplus stock upcoming Sat, Mar 7 – Fri, Mar 13 0 of 1 store accepted", page
    )
    assert re.search(r"Green tea Network offer .* 0 of 1 store accepted", page)
    only = words(client.get("/console/promotions/?kind=campaign&state=coming"))
    assert ("Match week" in only, "Milk week" in only) == (True, False)
    assert "Choose another kind or state." in words(client.get("/console/promotions/?kind=campaign&state=ended"))
    assert client.get("/console/promotions/?kind=nothing&state=such&page=9").status_code == 200


def test_the_former_addresses_lead_here_and_a_new_one_asks_goal_and_kind_first(desk):
    client = desk.signed_in("operator")
    for old, new in (("/console/campaigns/", "kind=campaign"), ("/console/offers/", "kind=offer"),
                     ("/offers/", "kind=customer")):  # fmt: skip
        answer = client.get(old)
        assert (answer.status_code, answer.location.endswith(f"/console/promotions/?{new}")) == (302, True)
    chooser = client.get("/console/promotions/new?goal=surplus")
    assert "What is it for?" in words(chooser)
    for kind, form in (
        ("campaign", "/console/promotions/campaigns/new"),
        ("offer", NEW_OFFER),
        ("customer", "/offers/new"),
    ):
        answer = client.get(f"/console/promotions/new?goal=surplus&kind={kind}")
        assert answer.location.endswith(f"{form}?goal=surplus")
        assert client.get(answer.location).status_code == 200


def test_what_was_typed_over_is_shown_again_before_it_is_sent(desk):
    client = desk.signed_in("operator")
    with desk.doors.write() as session:
        session.merge(SellingRate(store_id=STORE, sku="milk", per_day=4.0))
    shown = send(client, NEW_OFFER, **GIVEN)
    mark = re.search(r'name="seen" value="(\w+)"', shown.text)[1]
    text = words(shown)
    assert "What to expect in" in text
    assert "free in the warehouse" in text
    changed = send(client, NEW_OFFER, seen=mark, **GIVEN | {"packs": "3"})
    assert (changed.status_code, mark in changed.text) == (200, False)
    assert send(client, NEW_OFFER, seen=mark, **GIVEN).status_code == 303
    assert send_seen(client, NEW_OFFER, **GIVEN | {"packs": "3"}).status_code == 303


def test_the_list_says_a_campaign_s_result_with_its_interval_or_why_there_is_none(desk):
    client = desk.signed_in("operator")
    for held_out, effect, sentence in (
        (["S02"], {"effect": 0.12, "low": 0.03, "high": 0.2, "claimed": True, "stores": [9, 3]}, "+12% (+3% … +20%)"),
        ([], {}, "not measured: no hold-out"),
        (["S02"], {}, "not measured: too few stores"),
    ):
        with desk.doors.write() as session:
            row = session.get_one(Campaign, "campaign-1")
            row.state, row.held_out, row.effect = "over", held_out, effect
        assert sentence in words(client.get("/console/promotions/?kind=campaign"))


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        (Power("enough", 12, 4, 0.3, 0.1, 0.18, (12, 4)), "good", "effects from +18% are shown"),
        (Power("few", 2, 0, 0.3, 0.1, None, (9, 3)), "warn", "It takes 12 stores: 9 asked and 3 held out."),
        (Power("blind", 9, 3, 0.1, 0.4, 0.8, (90, 30)), "warn", "only effects from +80% would be shown, and +10%"),
        (Power("blind", 9, 3, 0.0, 0.4, 0.8, None), "warn", "No number of stores would show it."),
        (Power("unknown", 9, 3, 0.3, None, None, None), "warn", "no past sales"),
    ],
)
def test_what_can_be_measured_is_said_in_a_sentence(desk, found, kind, said):
    with desk.app.test_request_context("/"):
        note, words_ = goals.power_words(found)
    assert (note, said in words_) == (kind, True)
