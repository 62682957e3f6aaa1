"""The operator's pages and the demonstration's own, on a network that has something to show on each of them."""

import datetime as dt
import json
import re

import pytest
import sqlalchemy as sa

from config.database import Base
from config.ids import new_id
from config.nodes.journal import Context
from config.nodes.node import Peer
from config.settings import Settings
from pos.catalogue.catalogue import Product
from pos.store.store import Region, Store
from store_app.app import create_app
from store_app.pages.console import demand
from store_app.pages.store.demo import put_up, wish
from store_app.runtime import tables
from supply.demand.forecasts import ForecastRun
from supply.demand.history import SellingRate, StoreDay
from supply.demand.reported_forecasts import ReportedForecast
from supply.money import credit, terms
from supply.money.terms import Terms
from supply.network.offers import offer_results
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import ReplenishmentOrder
from tests.store_app import money
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import send as send_form
from tests.store_app.office import send_seen, words
from tests.store_app.operator import furnish
from tests.tools import hostile

NEW_OFFER = "/console/promotions/offers/new"
PAGES = ["/console/", "/console/demand/north", "/console/supply/", "/console/promotions/", "/console/stores/"]


@pytest.fixture
def node(network):
    furnish(network)
    return network


@pytest.fixture
def operator(node):
    return node.signed_in("operator")


def rows(node, table, **wanted):
    with node.doors.read() as session:
        return list(session.scalars(sa.select(table).filter_by(**wanted)))


def test_a_shop_s_page_answers_how_it_is(node, operator):
    """Sales beside its region's, what runs out, the order under way, and what needs somebody, with where to go."""
    with node.doors.write() as session:
        neighbour = Store(
            id="S09", name="Next door", slug="next-door", region_id="north", currency="USD", tz="UTC", joined_at=NOON
        )
        newest = session.scalar(sa.select(sa.func.max(StoreDay.business_day)).where(StoreDay.store_id == STORE))
        session.add(neighbour)
        session.add(StoreDay(store_id="S09", business_day=newest, open=True, sales=9, revenue_minor=12_345))
    answer = operator.get(f"/console/stores/{STORE}")
    page = words(answer)
    assert "$630.00 sales in seven days" in page
    assert "$123.45" in page, "what an average store in the region took"
    assert re.search(r"Rye bread .*left, 0\.7 days", page)
    assert "Order 1 sent arrives Tue, Mar 3 $20.00" in page
    assert "1 order is waiting to be confirmed" in page
    assert 'href="/console/supply/"' in answer.text
    assert "No sales have arrived yet" in words(operator.get("/console/stores/S02"))


def offer(client, *, command_id="", **fields):
    given = {
        "sku": "tea",
        "packs": "2",
        "why": "It sells well next door.",
        "answer_by": "2026-03-05",
        "store_id": STORE,
    }
    return send_seen(client, NEW_OFFER, command_id=command_id, **{**given, **fields})


def page_of(client, made):
    return client.get(f"/console/promotions/offers/{offer_results.push_id_of(made.store_id, made.id)}")


# --- who may look ---


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in_and_a_shops_staff_cannot_be_here(node, path):
    answer = node.visitor().get(path)
    assert answer.status_code == 303
    assert "/signin" in answer.location


@pytest.mark.parametrize("path", [*PAGES, "/console/demand/", "/console/?lang=zh", "/console/promotions/?lang=zh"])
def test_an_empty_network_says_what_will_be_here(network, path):
    answer = network.signed_in("operator").get(path, follow_redirects=True)
    assert answer.status_code == 200


def test_a_network_without_a_region_says_so(network):
    with network.doors.write() as session:
        for table in ("store_key", "till", "store", "region"):
            session.execute(sa.text(f"DELETE FROM {table}"))
    answer = network.signed_in("operator").get("/console/demand/")
    assert answer.status_code == 404
    assert "no region yet" in answer.text


# --- today ---


def test_what_needs_a_person_is_said_with_the_shops_names_and_one_sentence_for_all(node, operator):
    with node.doors.write() as session:
        for store_id in ("S01", "S02"):
            session.merge(Peer(id=store_id, epoch="e", nonce="n", heard_at=NOON - dt.timedelta(hours=3)))
    reported = words(operator.get("/console/"))
    assert "No contact for over an hour: Store S01, Store S02." in reported
    assert "1 order is waiting to be confirmed: Store S01." in reported
    assert "Store S01 has not responded to the offer of 绿茶 Green tea (until Thu, Mar 5)" in reported
    assert "The forecast for North is missing" in reported


def test_a_shop_without_a_node_is_not_called_silent(node, operator):
    with node.doors.write() as session:
        session.merge(Peer(id="S02", epoch="e", nonce="n", heard_at=NOON - dt.timedelta(hours=3)))
        session.get_one(Store, "S02").has_node = False
    assert "No contact for over an hour" not in words(operator.get("/console/"))
    assert "not connected yet" in words(operator.get("/console/stores/"))


def test_the_regions_tell_their_week_beside_the_one_before(operator):
    reported = words(operator.get("/console/"))
    assert "North $630.00 0% vs. the previous week" in reported


# --- demand ---


def test_a_new_network_has_no_heading_without_its_category(network):
    assert "expected from" not in words(network.signed_in("operator").get("/console/demand/north"))


def test_a_store_never_heard_is_not_connected_in_the_list_and_on_its_own_page(node, operator):
    with node.doors.write() as session:
        session.add(Store(id="S08", name="Never Heard", slug="never", region_id="north", currency="USD", tz="UTC",
                          joined_at=NOON))  # fmt: skip
    row = re.search(r"Never Heard S08.*?(not connected yet|in order)", words(operator.get("/console/stores/?find=S08")))
    assert row is not None
    assert row[1] == "not connected yet"
    assert "Never connected." in words(operator.get("/console/stores/S08"))


def test_a_region_shows_its_aisles_and_what_sells_most(operator):
    reported = words(operator.get("/console/demand/north?top_category=Dairy"))
    assert "Dairy: units a day" in reported
    assert "Whole milk" in reported
    answer = operator.get("/console/demand/north?top_category=Fruit, gram")
    assert 'href="/console/demand/north?top_category=Fruit,+gram"' in answer.text, "another region is of the same "
    "category"
    weighed = words(answer)
    assert "Fruit, by weight: kilograms a day" in weighed
    assert "7.2 kg" in weighed


def test_the_charts_series_is_in_kilos_for_weighed_goods(operator):
    found = json.loads(operator.get("/console/demand/north/series?top_category=Fruit, gram").text)
    assert len(found["days"]) == len(found["sold"]) == len(found["expected"])
    assert {qty for qty in found["sold"] if qty is not None} == {7.2, 7.204}


def test_what_is_expected_of_regions_is_said_shop_by_shop_and_adds_up(node, operator):
    with node.doors.write() as session:
        newest = session.scalar(sa.select(sa.func.max(StoreDay.business_day)))
        session.add_all(Region(id=one, name=one.title()) for one in ("east", "west"))
        session.flush()
        session.add(Store(id="S08", name="Down there", slug="down-there", region_id="east", currency="USD", tz="UTC",
                          joined_at=NOON))  # fmt: skip
        for region, a_day in (("north", 2.5), ("east", 1.2)):
            signal = {"first_day": (newest + dt.timedelta(days=1)).isoformat(), "keys": [[region, "Dairy"]],
                      "mean": [[a_day] * 14], "slopes": {"on_offer": [0.47]} if region == "north" else {}}  # fmt: skip
            session.add(ForecastRun(id=f"run-{region}", scope_kind="region", scope_id=region, state="published",
                                    origin_day=newest, horizon_days=14, started_at=NOON, signal=signal))  # fmt: skip
        stores = session.scalars(sa.select(Store.name).where(Store.region_id == "north")).all()
        every = session.scalar(sa.select(sa.func.count()).select_from(Store))
    page = words(operator.get("/console/demand/north?top_category=Dairy"))
    assert "All stores in North 17.5" in page
    assert "Stores report that it sells about 1.6 times as much on promotion" in page
    assert "times as much on promotion" not in words(operator.get("/console/demand/east?top_category=Dairy")), (
        "nobody told"
    )
    reported = [float(re.search(rf"{name} ([\d.]+) its share of the region’s forecast", page)[1]) for name in stores]
    assert sum(reported) == pytest.approx(17.5)
    everywhere = words(operator.get("/console/demand/regions/all?top_category=Dairy"))
    for said in (f"North {len(stores)} 17.5", "East 1 8.4", "West 0 0", f"All regions {every} 25.9"):
        assert said in everywhere


def test_a_shop_whose_forecast_is_old_or_not_believed_is_named_with_why(node, operator, monkeypatch):
    with node.doors.write() as session:
        newest = session.scalar(sa.select(sa.func.max(StoreDay.business_day)))
        session.add_all(
            Store(
                id=one,
                name=f"Store {one}",
                slug=one.lower(),
                region_id="north",
                currency="USD",
                tz="UTC",
                joined_at=NOON,
            )
            for one in ("S08", "S09")
        )
        session.flush()
        first, second, third = session.scalars(
            sa.select(Store.id).where(Store.region_id == "north").order_by(Store.id)
        ).all()
        sku, name = session.execute(sa.select(Product.sku, Product.name).where(Product.category == "Dairy")).first()
        reported = {"reported_at": NOON, "run_id": "run-1", "horizon_days": 14}
        fresh = {"origin_day": newest, "top_categories": {"Dairy": [250_000] * 14}, "unlikely": [sku]}
        session.add(ReportedForecast(store_id=first, **reported, **fresh))
        session.add(
            ReportedForecast(store_id=second, **reported, origin_day=newest - dt.timedelta(days=4), top_categories={})
        )
        session.add(
            ReportedForecast(
                store_id=third, top_categories={}, refused_run_id="run-1", refused="forecast-too-high: All of it."
            )
        )
        stores = dict(session.execute(sa.select(Store.id, Store.name)).all())
        session.execute(sa.delete(SellingRate).where(SellingRate.store_id == first))
    page = words(operator.get("/console/demand/north?top_category=Dairy"))
    assert f"{stores[first]} 17.5 its own forecast 1 product based on recent sales" in page
    assert re.search(rf"{stores[second]} [\d.]+ its recent sales its own is too old: based on sales up to", page)
    reported = f"{stores[third]} its last forecast was rejected: it expects more than twice what was sold"
    assert reported in page
    assert f"{stores[first]} {name}" in page.partition("Partly used forecasts")[2]
    monkeypatch.setattr(demand, "DOUBTED_SHOWN", 1)
    assert f"{stores[first]} {name} and 1 more store" in words(operator.get("/console/demand/north?top_category=Dairy"))


@pytest.mark.parametrize("path", ["/console/demand/nowhere", "/console/demand/nowhere/series"])
def test_an_unknown_region_is_a_sentence(operator, path):
    answer = operator.get(path)
    assert answer.status_code == 404
    assert "Region nowhere not found" in answer.text


def test_the_operator_settles_closed_days_of_a_shop_without_a_node_and_of_no_other(node, operator):
    def later(days):
        return (NOON.date() + dt.timedelta(days=days)).isoformat()

    at, days = "/console/stores/S02", {"first_day": later(3), "last_day": later(4)}
    assert send_form(operator, f"{at}/closed-days", **days).status_code == 409, "its own computer settles them"
    assert "Set closed days" not in words(operator.get(at))
    with node.doors.write() as session:
        session.get_one(Store, "S02").has_node = False
    refused = send_form(operator, f"{at}/closed-days", first_day=later(-1))
    assert (refused.status_code, "be in the past. Choose today or later" in words(refused)) == (422, True)
    assert send_form(operator, f"{at}/closed-days", **days).status_code == 303
    assert "Closed: Thu, Mar 5 – Fri, Mar 6." in words(operator.get(at))
    back = {"from_day": later(3), "until_day": later(4)}
    assert send_form(operator, f"{at}/closed-days/take-back", **back).status_code == 303
    assert "No closed days set." in words(operator.get(at))


def test_the_operator_says_the_takings_of_a_shop_without_a_node_and_of_no_other(node, operator):
    at = "/console/stores/S02"
    with node.doors.write() as session:
        session.execute(sa.delete(StoreDay).where(StoreDay.store_id == "S02"))
    refused = send_form(operator, f"{at}/usual-sales", sales_amount="1200")
    assert (refused.status_code, "This store enters its usual sales on its own" in words(refused)) == (409, True)
    assert 'name="sales_amount"' not in operator.get(at).text
    with node.doors.write() as session:
        session.get_one(Store, "S02").has_node = False
    refused = send_form(operator, f"{at}/usual-sales", sales_amount="many")
    assert (refused.status_code, "Enter an amount such as" in words(refused)) == (422, True)
    assert send_form(operator, f"{at}/usual-sales", sales_amount="1200,50").status_code == 303
    page = operator.get(at)
    assert "It reports sales of $1,200.50 on a usual day." in words(page)
    assert 'value="1200.50"' in page.text
    assert send_form(operator, f"{at}/usual-sales").status_code == 303
    assert "It reports sales of" not in words(operator.get(at))


def test_an_unknown_aisle_shows_the_first_one(operator):
    assert "Bakery: units a day" in operator.get("/console/demand/north?top_category=Nothing").text
    assert set(json.loads(operator.get("/console/demand/north/series?top_category=Nothing").text)["sold"]) == {None}


def test_the_rail_names_the_place_of_every_room(operator):
    places = {"picking/": "Supply", "supplied/": "Supply", "outlook/north": "Demand", "proof/north": "Demand"}
    pages = {path: operator.get(f"/console/{path}").text for path in places}
    marked = {path: page.partition('aria-current="page"')[2].partition("</a>")[0] for path, page in pages.items()}
    assert {path: re.findall(r"<span>(.*?)</span>", here)[0] for path, here in marked.items()} == places


# --- supply ---


def test_sharing_out_and_loading_twice_moves_an_order_once(node, operator):
    assert "Allocate and confirm" in operator.get("/console/supply/").text
    fill, load = new_id(), new_id()
    for _ in range(2):
        assert send_form(operator, "/console/supply/fill", command_id=fill).status_code == 303
    assert [order.state for order in rows(node, ReplenishmentOrder)] == ["acknowledged"]
    for _ in range(2):
        assert send_form(operator, "/console/supply/dispatch", command_id=load).status_code == 303
    assert [order.state for order in rows(node, ReplenishmentOrder)] == ["dispatched"]
    assert len(rows(node, Delivery)) == 1
    assert "on the way" in words(operator.get("/console/supply/"))


def test_sharing_out_says_what_waits_for_its_shop_s_credit(node, operator):
    with node.doors.write() as session:
        terms.set_terms(Context(session, money.OPERATOR, NOON), Terms())
        money.work_out(session)
        credit.hold(Context(session, money.OPERATOR, NOON), STORE, why="Late")
    send_form(operator, "/console/supply/fill")
    page = words(operator.get("/console/supply/"))
    assert ("1 order is on credit hold" in page, "0 orders confirmed" in page) == (True, False)


def test_with_nothing_to_do_the_buttons_do_nothing(network):
    operator = network.signed_in("operator")
    for path in ("/console/supply/fill", "/console/supply/dispatch"):
        assert send_form(operator, path).status_code == 303
    assert "0 orders" in words(operator.get("/console/supply/"))


# --- offers ---


def test_an_offer_goes_to_each_chosen_shop_once_however_often_it_is_sent(node, operator):
    command = new_id()
    for _ in range(2):
        assert offer(operator, command_id=command, store_id=["S01", "S02", "S01"]).status_code == 303
    made = [(one.store_id, one.packs) for one in rows(node, NetworkOffer, why="It sells well next door.")]
    assert sorted(made) == [("S01", 2), ("S02", 2)]
    assert "Store S02" in words(operator.get(f"/console/promotions/offers/{command}"))
    assert "0 of 2 stores accepted" in words(operator.get("/console/promotions/?kind=offer"))


def test_an_offer_nobody_answered_is_withdrawn_and_an_answered_one_is_not(node, operator):
    offer(operator, why="To be withdrawn.")
    (made,) = rows(node, NetworkOffer, why="To be withdrawn.")
    address = f"/console/promotions/offers/{made.store_id}/{made.id}/withdraw"
    assert f'action="{address}"' in page_of(operator, made).text
    for _click in range(2):
        assert send_form(operator, address).status_code == 303
    page = page_of(operator, made)
    assert "1 withdrawn" in words(page), "the word stands beside the colour"
    assert f'action="{address}"' not in page.text
    with node.doors.write() as session:
        session.get(NetworkOffer, (made.store_id, made.id)).state = "declined"
    assert send_form(operator, address).status_code == 409


def test_goods_a_shop_accepted_are_called_off_with_a_reason(node, operator):
    offer(operator, why="To be called off.")
    (made,) = rows(node, NetworkOffer, why="To be called off.")
    with node.doors.write() as session:
        session.get(NetworkOffer, (made.store_id, made.id)).state = "accepted"
    address = f"/console/promotions/offers/{made.store_id}/{made.id}/call-off"
    assert f'action="{address}"' in page_of(operator, made).text
    assert send_form(operator, address, why=" ").status_code == 422
    for _click in range(2):
        assert send_form(operator, address, why="It leaks.").status_code == 303
    (found,) = rows(node, NetworkOffer, why="To be called off.")
    assert (found.state, found.answered_why) == ("called_off", "It leaks.")
    assert "It leaks." in words(page_of(operator, made))


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"sku": ""}, 422, "Choose a product"),
        ({"sku": "caviar"}, 422, "Product caviar not found"),
        ({"packs": "0"}, 422, "from 1 to 99"),
        ({"packs": "100"}, 422, "from 1 to 99"),
        ({"packs": "many"}, 422, "from 1 to 99"),
        ({"why": " "}, 422, "Enter a short reason. The shopkeeper will see it"),
        ({"why": "x" * 201}, 422, "Up to 200 characters"),
        ({"answer_by": "2026-03-01"}, 422, "The response date has passed. Choose today or"),
        ({"answer_by": "2026-02-30"}, 422, "Choose a day"),
        ({"answer_by": "9999-12-31"}, 422, "within the next 60 days"),
        ({"store_id": []}, 422, "Choose at least one store"),
        ({"store_id": ["S01", "S99"]}, 422, "One of these stores cannot receive offers"),
    ],
)
def test_an_offer_that_cannot_be_is_refused_whole_and_what_was_typed_stays(node, operator, fields, status, sentence):
    before = len(rows(node, NetworkOffer))
    answer = offer(operator, **fields)
    assert answer.status_code == status
    assert sentence in answer.text
    assert "It sells well next door." in answer.text or "why" in fields
    assert len(rows(node, NetworkOffer)) == before


def test_one_id_for_two_different_offers_is_refused(node, operator):
    command = new_id()
    offer(operator, command_id=command)
    answer = offer(operator, command_id=command, packs="3")
    assert answer.status_code == 409
    assert command not in words(answer), "an id is no word for people"


def test_a_shop_without_a_node_is_offered_nothing(node, operator):
    with node.doors.write() as session:
        session.get_one(Store, "S02").has_node = False
    assert 'value="S02"' not in operator.get(NEW_OFFER).text
    assert offer(operator, store_id="S02").status_code == 422


def test_hostile_words_and_numbers_make_no_offer(node, operator):
    before = len(rows(node, NetworkOffer))
    for name, text in {**hostile.strings(), **hostile.numbers()}.items():
        sent = text.encode("utf-8", "replace").decode()
        answers = [
            offer(operator, sku=sent or "-"),
            offer(operator, store_id=sent or "-"),
            offer(operator, answer_by=sent),
            offer(operator, packs=sent, sku="caviar"),
            offer(operator, why=sent, sku="caviar"),
            send_form(operator, NEW_OFFER, command_id=sent or "-"),
            operator.get("/console/demand/north", query_string={"top_category": sent[:2000]}),
            operator.get("/console/demand/north/series", query_string={"top_category": sent[:2000]}),
        ]
        assert all(answer.status_code in (200, 400, 409, 413, 422) for answer in answers), name
        assert not any("<script>alert(1)" in answer.text for answer in answers), name
    assert len(rows(node, NetworkOffer)) == before


@pytest.mark.parametrize("path", [NEW_OFFER, "/console/supply/fill", "/console/supply/dispatch"])
def test_a_form_without_its_token_is_refused(operator, path):
    assert operator.post(path, data={"sku": "tea"}).status_code == 400


def test_without_a_command_id_nothing_is_offered(operator):
    assert offer(operator, command_id="x").status_code == 422


# --- stores ---


def test_the_shops_tell_region_and_week_and_lead_to_their_online_shop(operator):
    reported = operator.get("/console/stores/")
    assert "Store S01" in reported.text
    assert "$630.00" in reported.text
    assert 'href="/shop/s01/"' in reported.text


# --- the demonstration ---


@pytest.fixture
def demo(tmp_path):
    clock = tmp_path / "clock.json"
    settings = Settings(role="network", node_id="network", state_folder=tmp_path, practice=True, practice_clock=clock)
    app = create_app(settings)
    doors = app.extensions["cornerstore"]
    tables.known()
    Base.metadata.create_all(doors.database.engine)
    return House(app, doors, None)


def board(demo, **notices):
    folder = demo.doors.settings.practice_clock.parent
    put_up(folder, **notices)
    return folder


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_demonstrations_page_shows_its_places_and_says_what_is_made_up(demo, language):
    places = {"names": {"S01": "Anchor Street"}, "slugs": {"S01": "anchor"}, "urls": {"S01": "http://127.0.0.1:8301"}}
    figures = {"stores_used": 457, "share_of_goods_lines": 0.938, "tax_bp": 700}
    waits = {"to_bring": "/shop/anchor/order/x7"}
    board(demo, day="2017-11-16", last_day="2017-12-31", figures=figures, **places, **waits)
    shown = demo.visitor().get(f"/demo/?lang={language}")
    assert shown.status_code == 200
    assert 'href="http://127.0.0.1:8301/"' in shown.text
    assert 'href="/shop/anchor/"' in shown.text
    assert 'href="/shop/anchor/order/x7"' in shown.text
    assert 'href="http://127.0.0.1:8301/home-deliveries/"' in shown.text
    assert "457" in shown.text
    assert "93.8" in shown.text
    assert "7%" in shown.text


def test_the_next_day_is_asked_for_once_however_often_it_is_clicked(demo):
    folder = board(demo, day="2017-11-16", last_day="2017-12-31")
    visitor = demo.visitor()
    for _ in range(2):
        assert send_form(visitor, "/demo/next-day").status_code == 303
    assert wish(folder).exists()
    shown = visitor.get("/demo/")
    assert "Opening the stores" in shown.text
    assert "Trade the next day" not in shown.text
    part = visitor.get("/demo/", headers={"HX-Request": "true"})
    assert "<progress" in part.text
    assert "<html" not in part.text


def test_after_the_last_real_day_nothing_more_is_traded(demo):
    folder = board(demo, day="2017-12-31", last_day="2017-12-31")
    visitor = demo.visitor()
    assert "The real baskets end here" in visitor.get("/demo/").text
    assert send_form(visitor, "/demo/next-day").status_code == 303
    assert not wish(folder).exists()


def test_a_board_with_little_on_it_is_still_a_page(demo):
    assert demo.visitor().get("/demo/").status_code == 200
    board(demo, names={"S01": "Anchor Street"}, fault="The last day stopped half way.")
    shown = demo.visitor().get("/demo/")
    assert shown.status_code == 200
    assert "The last day stopped half way." in shown.text


@pytest.mark.parametrize("path", ["/demo/", "/demo/next-day"])
def test_elsewhere_there_is_no_demonstration(network, path):
    visitor = network.visitor()
    answer = send_form(visitor, path) if path.endswith("day") else visitor.get(path)
    assert answer.status_code == 404
