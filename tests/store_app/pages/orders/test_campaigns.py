"""A campaign through its pages: planned, answered, called off; and what sells elsewhere made orderable."""

import datetime as dt

import pytest

from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from store_app.files import importing
from supply.demand.campaign_uplift import CampaignAsk, CampaignLine
from supply.network.offers import campaigns
from supply.online.storefront import order_in
from supply.shelf import external_rankings
from supply.shelf.external_rankings import ExternalRank
from tests.arriving import hear
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, picture_of, send, send_seen, words
from tests.store_app.operator import furnish

NEW_CAMPAIGN = "/console/promotions/campaigns/new"
FIRST = NOON.date() + dt.timedelta(days=7)
BODY = {
    "store_id": STORE, "campaign_id": "campaign-0001", "name": "11/11", "why": "The week of the match.",
    "from_day": FIRST.isoformat(), "until_day": (FIRST + dt.timedelta(days=6)).isoformat(),
    "answer_by": (FIRST - dt.timedelta(days=2)).isoformat(), "fee_minor": 4_000, "state": "asked", "paid_minor": None,
    "effect": {}, "lines": [vars(CampaignLine("milk", "Whole milk", 1_500, slot=True, uplift_bp=5_000))],
}  # fmt: skip


@pytest.fixture
def office(house):
    fill(house)
    with house.doors.write() as session:
        hear(session, "campaign.reported", BODY, at=NOON)
    return house


@pytest.fixture
def console(build):
    house = build(role="network", node_id="network")
    furnish(house)
    return house


def state(house):
    with house.doors.read() as session:
        return session.get_one(CampaignAsk, (STORE, "campaign-0001")).state


def test_the_shopkeeper_sees_what_a_yes_does_and_says_it_once(office):
    client = office.signed_in()
    found = words(client.get("/campaigns/"))
    for said in ("11/11", "−15%", "Shelf space", "more expected", "$40.00", "no fee"):
        assert said in found, said
    for _ in range(2):
        assert send(client, "/campaigns/campaign-0001/accept").status_code == 303
    assert state(office) == "accepted"
    assert "11/11" in words(client.get("/offers/"))


def test_a_no_needs_its_reason(office):
    client, before = office.signed_in(), picture_of(office)
    assert send(client, "/campaigns/campaign-0001/decline").status_code == 422
    assert picture_of(office) == before
    assert send(client, "/campaigns/campaign-0001/decline", reason="decline-no-room").status_code == 303
    assert state(office) == "declined"
    assert send(client, "/campaigns/campaign-0001/accept").status_code == 409


def test_the_operator_plans_one_for_the_shops_ticked_and_calls_it_off(console):
    client, command = console.signed_in("operator"), new_id()
    asked = {
        "name": "11/11", "why": "The week of the match.", "answer_by": "2026-03-08", "from_day": "2026-03-10",
        "until_day": "2026-03-16", "sku-1": "milk", "percent-1": "15", "uplift-1": "30", "slot-1": "yes", "fee": "40",
        "hold_out": "25", "store_id": STORE,
    }  # fmt: skip
    for wrong, status in (({"sku-1": "nothing"}, 422), ({"store_id": "X"}, 422), ({"until_day": "2026-03-01"}, 422)):
        assert send(client, NEW_CAMPAIGN, **(asked | wrong)).status_code == status
    before = picture_of(console)
    shown = words(send(client, NEW_CAMPAIGN, command_id=command, **asked))
    assert "What to expect in 7 days" in shown
    assert "Nothing can be measured: 1 asked and 0 held out, and each group needs three stores." in shown
    assert picture_of(console) == before, "nothing is saved before its figures were seen"
    for _ in range(2):
        assert send_seen(client, NEW_CAMPAIGN, command_id=command, **asked).status_code == 303
    reported = words(client.get(f"/console/promotions/campaigns/{command}"))
    assert "1 awaiting your response" in reported
    assert "No store is held out, so the effect of this campaign can’t be measured." in reported, "25% of one store"
    assert "Not measured: no store is held out." in reported
    assert "11/11" in words(client.get("/console/promotions/?kind=campaign&state=coming"))
    assert send(client, f"/console/promotions/campaigns/{command}/call-off").status_code == 303
    with console.doors.read() as session:
        [row] = session.query(campaigns.Campaign).all()
        assert (row.state, row.lines[0]["percent_bp"], row.fee_minor) == ("called_off", 1_500, 4_000)


def test_what_sells_elsewhere_becomes_a_product_every_shop_can_order_in(console):
    head = f"source,day,place,name,gtin\nmall,{NOON.date()},1,Dancing robot,4012345678901\n"
    lists = (f"mall,{NOON.date()},2,Fresh milk drink,\n", "")  # the later file is the whole list
    sheets = [importing.read("bestsellers", (head + more).encode(), "list.csv") for more in lists]
    with console.doors.write() as session:
        for sheet in sheets:
            importing.write(Context(session, SYSTEM, NOON), sheet, "network")
        external_rankings.add(Context(session, SYSTEM, NOON), "mall", NOON.date(), 3, "Fresh milk", "")
        assert [row.place for row in external_rankings.unmatched(session, NOON.date())] == [1, 3]
        tax = session.get_one(Product, "milk").tax_class_id
    client = console.signed_in("operator")
    assert "Possible matches" in words(client.get("/console/customers/"))
    assert send(client, "/console/customers/outside", source="mall", name="Fresh milk", sku="milk").status_code == 303
    given = {
        "source": "mall", "name": "Dancing robot", "category": "Toys", "tax_class_id": tax, "supplier_id": "net",
        "price": "19.90", "pack_qty": "6", "pack_cost": "60",
    }  # fmt: skip
    for wrong in ({"tax_class_id": "nothing"}, {"price": "x"}, {"name": "Unheard of"}, {"category": ""}):
        assert send(client, "/console/customers/outside/carry", **(given | wrong)).status_code in (404, 422)
    for _ in range(2):
        assert send(client, "/console/customers/outside/carry", **given).status_code == 303
    with console.doors.read() as session:
        assert session.get_one(Product, "4012345678901").name == "Dancing robot"
        assert external_rankings.unmatched(session, NOON.date()) == []
        assert order_in.days_of(session, STORE, NOON.date())["4012345678901"] > 0


def test_a_match_by_hand_outlives_the_same_list_brought_in_again(console):
    head = f"source,day,place,name,gtin\nmall,{NOON.date()},1,Dancing robot,\n"
    both = head + f"mall,{NOON.date()},2,Fresh milk drink,\n"

    def bring_in(text: str) -> None:
        sheet = importing.read("bestsellers", text.encode(), "list.csv")
        with console.doors.write() as session:
            importing.write(Context(session, SYSTEM, NOON), sheet, "network")

    bring_in(both)
    with console.doors.write() as session:
        external_rankings.match(Context(session, SYSTEM, NOON), "mall", "Fresh milk drink", "milk")
    bring_in(both)
    with console.doors.read() as session:
        places = session.query(ExternalRank).order_by(ExternalRank.place).all()
        assert [(row.place, row.sku, row.by_hand) for row in places] == [(1, None, False), (2, "milk", True)]
    bring_in(head)
    with console.doors.read() as session:
        assert [row.place for row in session.query(ExternalRank)] == [1], "what fell off the list is not on it"
