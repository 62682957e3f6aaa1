"""Orders and offers through their pages: propose, read why, change, approve and send, drop; yes and no to offers."""

import datetime as dt
import json
import re

import pytest
import sqlalchemy as sa

from config.errors import Invalid
from config.ids import new_id
from config.nodes.journal import Actor, Context, JournalEntry, record
from config.nodes.outbox import OutboxMessage
from config.nodes.publication import EVERYONE
from pos.catalogue import assortment
from pos.store.store import Store
from store_app.files import network
from store_app.jobs import orders
from store_app.jobs.desk import Desk
from store_app.pages.orders import order_lines
from supply.demand.forecasts import ForecastRun
from supply.demand.history import DailyDemand
from supply.money import credit
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Contact, Supplier, add_supplier
from supply.replenishment import auto_approval, budget
from tests.arriving import hear
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, picture_of, proposal, send, words
from tests.tools.road import proposal as propose
from tests.tools.road import road

P1 = "order-P1"


@pytest.fixture
def office(house):
    fill(house)
    with house.doors.write() as session:
        proposal(session)
    return house


def order(house, order_id=P1):
    with house.doors.read() as session:
        return session.get(ReplenishmentOrder, (STORE, order_id))


def line(house, sku, order_id=P1):
    with house.doors.read() as session:
        return session.get(OrderLine, (STORE, order_id, sku))


def test_a_line_says_in_a_sentence_why_it_is_proposed(office):
    found = words(office.signed_in().get("/orders/"))
    assert "Sells 6.1 a day, 9 left, 2 reserved, 24 on order; you probably have enough without it." in found
    assert "arrives tomorrow · next delivery Wednesday" in found
    assert "Sells 1.83 kg a day, 5 kg left" in found


def test_what_runs_out_first_stands_first(office):
    found = words(office.signed_in().get("/orders/")).split("Order 7", 1)[1]
    assert found.index("Rye bread") < found.index("Whole milk")


def test_lines_are_grouped_by_whether_they_run_out_before_the_vehicle(office):
    with office.app.test_request_context("/orders/"), office.doors.read() as session:
        row = session.get_one(ReplenishmentOrder, (STORE, P1))
        groups = order_lines.order_view(session, row, today=NOON.date(), currency="USD").groups
    assert [(words, [line.sku for line in lines]) for words, lines in groups] == [
        ("Urgent", ["bread"]),
        ("Other products", ["apple", "milk"]),
    ]


def test_without_a_forecast_the_page_says_what_is_used_instead(office):
    assert "four-week average" in words(office.signed_in().get("/orders/"))


@pytest.mark.parametrize(
    ("language", "age", "said", "unsaid"),
    [
        ("en", 3, "The forecast is 3 days old. Check", "four-week average"),
        ("en", 4, "The forecast is 4 days old, too old for ordering. Orders use the four-week average", "Check fast"),
        ("zh", 4, "预测是 4 天前的，太旧，不用来订货：先用最近四周的平均数。", "还没有预测"),
    ],
)
def test_a_forecast_too_old_to_order_by_is_said_to_be_so_once_by_the_page_and_by_the_order_s_own(
    office, language, age, said, unsaid
):
    with office.doors.write() as session:
        session.add(
            ForecastRun(id="old", scope_kind="store", scope_id=STORE, state="published",
                        origin_day=NOON.date() - dt.timedelta(days=age + 1), horizon_days=14,
                        started_at=NOON - dt.timedelta(days=age), series=3)
        )  # fmt: skip
        row = session.get_one(ReplenishmentOrder, (STORE, P1))
        row.proposed_at, row.forecast_age_days = NOON, age if age <= 3 else None
        session.get_one(Store, STORE).language = language
    client = office.signed_in()
    for found in (words(client.get("/orders/")), words(client.get(f"/orders/{P1}"))):
        assert (found.count(said), unsaid in found, "There is no forecast yet" in found) == (1, False, False)


def test_a_changed_number_is_kept_beside_what_was_proposed_and_may_have_a_reason(office):
    client = office.signed_in()
    for reason, said in (("", "changed by shopkeeper"), ("change-event", "An event or holiday")):
        assert send(client, f"/orders/{P1}/lines/milk", packs="3", reason=reason).status_code == 303
        changed = line(office, "milk")
        assert (changed.packs_proposed, changed.packs, changed.changed_why) == (1, 3, reason)
        assert said in words(client.get(f"/orders/{P1}"))
    assert send(client, f"/orders/{P1}/approve").status_code == 303
    assert "Suggested 12; changed by shopkeeper: An event or holiday" in words(client.get(f"/orders/{P1}"))


def test_a_reason_is_asked_for_that_fits_the_way_the_change_went(office):
    client = office.signed_in()
    for packs, fits, does_not in (("0", "Too many", "Not enough"), ("4", "Not enough", "Too many")):
        send(client, f"/orders/{P1}/lines/milk", packs=packs)
        found = words(client.get(f"/orders/{P1}"))
        assert (fits in found, does_not in found, "An event or holiday" in found) == (True, False, True)


def test_a_refused_number_is_said_at_its_line_and_changes_nothing(office):
    refused = send(office.signed_in(), f"/orders/{P1}/lines/milk", packs="1000")
    assert (refused.status_code, line(office, "milk").packs) == (422, 1)
    own = refused.text.split('id="line-milk"')[1].split("</li>")[0]
    assert "note-bad" in own


def test_a_change_is_undone_with_one_press(office):
    client = office.signed_in()
    send(client, f"/orders/{P1}/lines/milk", packs="3", reason="change-too-few")
    assert "Once approved, future suggestions learn half of" in words(client.get(f"/orders/{P1}"))
    assert send(client, f"/orders/{P1}/lines/milk/undo").status_code == 303
    assert (line(office, "milk").packs, line(office, "milk").changed_why) == (1, "")


def test_only_a_reason_about_the_quantity_teaches_and_only_the_way_the_change_went(office):
    client = office.signed_in()
    taught = {"too-many": (True, False), "no-room": (True, False), "too-few": (False, True), "event": (False, False)}
    for reason, (by_less, by_more) in taught.items():
        for packs, teaches in (("0", by_less), ("4", by_more)):
            send(client, f"/orders/{P1}/lines/milk", packs=packs, reason=f"change-{reason}")
            assert line(office, "milk").teaches is teaches, (reason, packs)


def test_a_product_is_added_by_name_or_code(office):
    client = office.signed_in()
    assert send(client, f"/orders/{P1}/add", product="green tea", packs="2").status_code == 303
    assert (line(office, "tea").packs, line(office, "tea").packs_proposed) == (2, 0)
    assert send(client, f"/orders/{P1}/add", product="4006381333931", packs="2").status_code == 409
    assert "Product not found. Search by name" in words(send(client, f"/orders/{P1}/add", product="zzz", packs="1"))


def test_a_product_is_meant_by_the_name_that_is_shown(office):
    client = office.signed_in()
    with office.doors.write() as session:
        ctx = Context(session, SYSTEM, NOON)
        assortment.name_product(ctx, EVERYONE, "tea", {"de": "Tee"})
        assortment.name_product(ctx, EVERYONE, "soap", {"de": "Teeseife"})
        with office.app.test_request_context("/?lang=de"):
            assert network.one_product(session, "tee") == "tea"
            with pytest.raises(Invalid, match="Tee, Teeseife"):
                network.one_product(session, "te")
    asked = {"packs": "2", "reason": "change-event"}
    assert "Mehrere Artikel passen: Teeseife, Tee." in words(
        send(client, f"/orders/{P1}/add?lang=de", product="te", **asked)
    )
    assert send(client, f"/orders/{P1}/add?lang=de", product="tee", **asked).location.endswith("line-tea")


def test_all_proposals_go_with_one_press_and_what_stays_is_said(office):
    with office.doors.write() as session:
        proposal(session, "order-P2", 8)
        session.execute(sa.update(OrderLine).where(OrderLine.order_id == "order-P2").values(packs=0))
    client = office.signed_in()
    assert "Approve and send all" in words(client.get("/orders/"))
    assert send(client, "/orders/approve-all").status_code == 303
    assert (order(office).state, order(office, "order-P2").state) == ("sent", "proposed")
    reported = words(client.get("/orders/"))
    assert "1 order sent" in reported
    assert "1 order was not sent: it is empty or below" in reported


@pytest.mark.parametrize(
    ("language", "why"),
    [("en", "Order 99 was not sent: Farm is paused."), ("zh", "进货单 99 未发出：Farm")],
)
def test_of_all_orders_what_can_be_sent_is_sent_and_why_another_stays_is_said(office, language, why):
    with office.doors.write() as session:
        session.add(
            Supplier(
                id="farm", name="Farm", kind="own", owner_id=STORE, active=False,
            )
        )  # fmt: skip
        session.get_one(Store, STORE).language = language
        proposal(session, "order-P2", 99)
        other = session.get_one(ReplenishmentOrder, (STORE, "order-P2"))
        other.supplier_id, other.delivery_day = "farm", NOON.date()
    client = office.signed_in()
    assert send(client, "/orders/approve-all").status_code == 303
    assert (order(office).state, order(office, "order-P2").state) == ("sent", "proposed")
    reported = words(client.get("/orders/"))
    assert why in reported
    with office.doors.read() as session:
        assert not session.scalar(sa.select(JournalEntry.n).where(
            JournalEntry.subject == "order:order-P2", JournalEntry.verb == "order.approved"
        ))  # fmt: skip


@pytest.mark.parametrize(
    ("language", "within", "beyond"),
    [
        ("en", "$30.00 of the weekly budget left for this order", "above the weekly budget: $30.00 left"),
        ("zh", "本周订货资金还剩 $30.00 可用于这张进货单", "这张进货单还剩 $30.00 可用。批准后仍会发出。"),
    ],
)
def test_a_proposal_says_what_is_left_of_the_week_s_money_and_goes_beyond_it_only_with_a_warning(
    office, language, within, beyond
):
    client = office.signed_in()
    assert "eekly budget" not in words(client.get(f"/orders/{P1}"))
    with office.doors.write() as session:
        session.get_one(Store, STORE).language = language
        proposal(session, "order-P2", 8)
        session.get_one(ReplenishmentOrder, (STORE, "order-P2")).cost_minor = 1_000
        for sku in ("bread", "apple"):
            session.get_one(OrderLine, (STORE, P1, sku)).packs = 0
        budget.set_budget(Context(session, SYSTEM, NOON), STORE, 4_000)
    assert within in words(client.get(f"/orders/{P1}"))
    assert send(client, f"/orders/{P1}/lines/milk", packs="50", reason="change-event").status_code == 303
    assert beyond in words(client.get(f"/orders/{P1}"))
    assert send(client, f"/orders/{P1}/approve").status_code == 303
    assert order(office).state == "sent"


@pytest.mark.parametrize(
    ("language", "account_minor", "says"),
    [
        ("en", 900, ["1 case of 12 more for $9.28 would pay off, but your network credit is used up.",
                     "$9.28 of products exceeded your network credit.",
                     "above your network credit of $60.00.",
                     "above the account limit: needs the network’s approval"]),
        ("zh", 900, ["还值得再订 1 箱", "总部额度不够", "批准后要等总部同意", "超出账期付款的上限：要等总部同意"]),
        ("en", 100_000, ["Credit available from the network: $1,000.00."]),
    ],
)  # fmt: skip
def test_a_proposal_says_what_did_not_fit_the_network_s_line(office, language, account_minor, says):
    with office.doors.write() as session:
        session.get_one(Store, STORE).language = language
        a_line(session, account_minor)
        milk = session.get_one(OrderLine, (STORE, P1, "milk"))
        milk.why = milk.why | {"cut_packs": 1, "cut_by": "line"}
        session.get_one(OrderLine, (STORE, P1, "apple")).packs = 3
    client = office.signed_in()
    page = client.get(f"/orders/{P1}")
    found = words(page)
    assert [reported for reported in says if reported not in found] == []
    assert "checked" in picked(page, "account"), "neither way is enough" if account_minor == 900 else "it is enough"
    send(client, f"/orders/{P1}/lines/apple", packs="0", reason="change-event")
    assert "checked" in picked(client.get(f"/orders/{P1}"), "credit" if account_minor == 900 else "account")
    send(client, f"/orders/{P1}/lines/milk", packs="2", reason="change-event")
    assert "would pay off" not in words(client.get(f"/orders/{P1}")), "it was put on the order"


def a_line(session, account_minor, limit_minor=6_000):
    """Let the network grant the store so much on account, and so much on credit."""
    terms = {"account_most_minor": account_minor, "account_days": 7, "least_days": 7, "most_days": 14}
    hear(session, "credit.reported", {
            "store_id": STORE, "state": "open", "limit_minor": limit_minor, "level": 0, "held_by": "", "held_why": "",
            "facts": {}, "terms": terms, "terms_n": 1, "steps": [], "worked_out_on": NOON.date().isoformat(),
            "advance_most_minor": 0, "step": 1,
        }, at=NOON)  # fmt: skip


def test_all_proposals_go_on_credit_where_that_is_chosen_and_others_suppliers_as_before(office):
    with office.doors.write() as session:
        a_line(session, 900, 6_100)
        add_supplier(Context(session, Actor.system("test", STORE), NOON), STORE, Contact("Farm"), id="farm")
        proposal(session, "order-P2", 99)
        session.get_one(ReplenishmentOrder, (STORE, "order-P2")).supplier_id = "farm"
    client = office.signed_in()
    page = client.get("/orders/").text
    ways = page[page.index("approve-all") : page.index("Approve and send all")]
    assert re.search(r'value="credit"\s+checked', ways), "on account it would wait"
    assert send(client, "/orders/approve-all", pay="credit").status_code == 303
    assert (order(office).state, order(office, "order-P2").state) == ("sent", "sent")
    with office.doors.read() as session:
        drawn = session.execute(sa.select(credit.CreditDraw.order_id, credit.CreditDraw.amount_minor)).all()
    assert drawn == [(P1, order(office).cost_minor)]


def picked(page, way):
    return re.search(rf'<input type="radio" name="pay" value="{way}"[^>]*>', page.text)[0]


@pytest.mark.parametrize(
    ("language", "changed", "dropped", "over"),
    [
        ("en", "Order 7 can no longer be changed", "Order 7 was already sent. Cancel it instead", "Order 8 has lapsed"),
        ("zh", "进货单 7 已不是建议单", "进货单 7 已经发送", "进货单 8 已结束"),
    ],
)
def test_what_comes_too_late_for_an_order_is_refused_with_what_to_do(office, language, changed, dropped, over):
    with office.doors.write() as session:
        session.get_one(Store, STORE).language = language
        proposal(session, "order-P2", 8)
    client = office.signed_in()
    send(client, f"/orders/{P1}/approve")
    assert changed in words(send(client, f"/orders/{P1}/lines/milk", packs="3", reason="change-event"))
    assert dropped in words(send(client, f"/orders/{P1}/drop", why="Too much"))
    send(client, "/orders/order-P2/drop", why="Too much")
    assert over in words(send(client, "/orders/order-P2/approve"))
    assert (order(office).state, order(office, "order-P2").state) == ("sent", "dropped")


def test_a_rule_is_set_with_its_limits_and_ended_with_zero(office):
    client = office.signed_in()
    assert send(client, "/orders/rules/net", most_order="150", most_week="400").status_code == 303
    with office.doors.read() as session:
        assert session.get_one(auto_approval.OrderRule, (STORE, "net")).most_week_minor == 40_000
    assert 'value="150.00"' in client.get("/orders/").text
    assert "The weekly limit must be at least the limit per" in words(
        send(client, "/orders/rules/net", most_order="150", most_week="4")
    )
    send(client, "/orders/rules/net", most_order="0", most_week="0")
    with office.doors.read() as session:
        assert session.get(auto_approval.OrderRule, (STORE, "net")) is None


def test_a_basket_that_waits_for_the_minimum_says_what_is_missing(office):
    with office.doors.write() as session:
        session.get(ReplenishmentOrder, (STORE, P1)).postponed = True
        session.get(Supplier, "net").minimum_minor = 100_000
    reported = words(office.signed_in().get("/orders/"))
    assert "below the supplier’s minimum of $1,000.00" in reported


def test_the_nightly_job_sends_what_a_rule_lets_go(office):
    client = office.signed_in()
    send(client, "/orders/rules/net", most_order="9000", most_week="9000")
    desk = Desk(office.doors)
    said = orders.propose(desk, NOON.date())
    assert said == "1 proposals, 0 sent by rule"  # no forecast yet: it waits for a person


def test_a_script_gets_the_changed_basket_by_the_same_road(office):
    client = office.signed_in()
    client.environ_base["HTTP_HX_REQUEST"] = "true"
    answer = send(client, f"/orders/{P1}/lines/milk", packs="3", reason="change-event")
    assert answer.status_code == 303
    assert f'id="basket-{P1}"' in client.get(answer.location).text


def test_approving_sends_the_order_once_however_often_it_is_pressed(office):
    client, command = office.signed_in(), new_id()
    for _ in range(2):
        assert send(client, f"/orders/{P1}/approve", command_id=command).status_code == 303
    assert order(office).state == "sent"
    with office.doors.read() as session:
        sent = session.query(OutboxMessage).filter_by(topic="order.sent").all()
    assert len(sent) == 1
    assert "History" in words(client.get(f"/orders/{P1}"))


@pytest.mark.parametrize(
    ("language", "reported"),
    [("en", ("Changed", "· the network", "· the rule of Ana")), ("zh", ("已改", "· 总部", "· Ana 设的规则"))],
)
def test_what_happened_to_an_order_is_told_in_the_readers_words_and_names_no_job(office, language, reported):
    client, rule = office.signed_in(), Actor("order-rule", "rule of Ana", "system", STORE)
    send(client, f"/orders/{P1}/lines/milk", packs="3", reason="change-event")
    with office.doors.write() as session:
        for actor, verb in ((rule, "order.approved"), (Actor.system("supply", STORE), "order.acknowledged")):
            record(Context(session, actor, NOON), verb=verb, subject=f"order:{P1}", before="proposed")
        order = session.get(ReplenishmentOrder, (STORE, P1))
        order.state = "acknowledged"
    shown = words(client.get(f"/orders/{P1}?lang={language}"))
    for said in reported:
        assert said in shown
    assert "· supply" not in shown


def test_a_dropped_order_stays_dropped_and_says_why(office):
    client = office.signed_in()
    assert send(client, f"/orders/{P1}/drop").status_code == 422
    for _ in range(2):
        assert send(client, f"/orders/{P1}/drop", why="We close for a week").status_code == 303
    assert order(office).state == "dropped"
    assert "We close for a week" in words(client.get(f"/orders/{P1}"))
    assert send(client, f"/orders/{P1}/approve").status_code == 409
    assert order(office).state == "dropped"


def test_propose_now_makes_proposals_from_what_the_shop_sells(office):
    client = office.signed_in()
    assert send(client, "/orders/propose").status_code == 303
    with office.doors.read() as session:
        made = session.query(ReplenishmentOrder).filter_by(state="proposed").all()
    assert len(made) == 1
    found = words(client.get("/orders/"))
    assert "Rye bread" in found
    assert "a day" in found
    assert send(client, f"/orders/{made[0].id}/approve").status_code == 303


@pytest.mark.parametrize("packs", ["", "-1", "1000", "x", "1.5", "9" * 30, "<b>"])
def test_a_number_of_packs_that_cannot_be_is_a_sentence(office, packs):
    client = office.signed_in()
    before = picture_of(office)
    refused = send(client, f"/orders/{P1}/lines/milk", packs=packs, reason="change-event")
    assert refused.status_code == 422
    assert "Enter a whole number" in words(refused)
    assert picture_of(office) == before


@pytest.mark.parametrize(
    "own", ["<script>alert(1)</script>", "'; drop table product; --", "🍎 多一点", "\x00\x07 bell"]
)
def test_own_words_are_text_and_nothing_else(office, own):
    client = office.signed_in()
    assert send(client, f"/orders/{P1}/lines/milk", packs="2", words=own, reason="other").status_code == 303
    page = client.get(f"/orders/{P1}").text
    assert "<script>alert" not in page
    assert "\x00" not in page


def test_words_without_end_are_refused(office):
    refused = send(office.signed_in(), f"/orders/{P1}/lines/milk", packs="2", words="x" * 5000)
    assert refused.status_code == 422


@pytest.mark.parametrize(
    "address",
    ["/orders/nothing/approve", "/orders/nothing/drop", f"/orders/{P1}/lines/nothing"],
)
def test_what_does_not_exist_is_a_sentence(office, address):
    refused = send(office.signed_in(), address, packs="1", reason="change-event", why="because")
    assert refused.status_code == 404
    assert len(words(refused)) > 40


def test_the_outlook_gives_the_chart_and_the_table_the_same_days(office):
    client = office.signed_in()
    chart = json.loads(client.get("/products/milk/outlook.json").text)
    assert len(chart["days"]) == len(chart["sold"]) == len(chart["high"]) == 56
    assert chart["sold"][-1] == 6
    page = client.get("/products/milk")
    assert "Whole milk" in words(page)
    assert client.get("/products/nothing").status_code == 404
    before, folded = page.text.split('id="sales-title"')[1].split("<details>", 1)
    assert "data-chart" in before, "the picture comes first, its days wait folded up"
    assert "<table" not in before
    assert 'data-label="Sold"' in folded


def test_the_outlook_marks_days_with_an_empty_shelf_and_the_orders_say_what_the_night_found(office):
    client = office.signed_in()
    chart = json.loads(client.get("/products/milk/outlook.json").text)
    last = dt.datetime.fromtimestamp(chart["days"][-1], dt.UTC).date()
    with office.doors.write() as session:
        session.get_one(DailyDemand, (STORE, "milk", last)).out_of_stock_bp = 2_500
        run = ForecastRun(
            id="R9", scope_kind="store", scope_id=STORE, state="published", origin_day=last, horizon_days=14,
            started_at=NOON, reason="fell_back:smooth,drifts:lumpy",
        )  # fmt: skip
        session.add(run)
    chart = json.loads(client.get("/products/milk/outlook.json").text)
    assert chart["empty"][-1] == chart["sold"][-1] == 6
    assert chart["empty"][:-1] == [None] * (len(chart["days"]) - 1)
    assert "shelf empty for 25% of the day" in words(client.get("/products/milk"))
    assert "the four-week average was more accurate last week" in words(client.get("/orders/"))
    assert "Last week, some products sold well above or below forecast" in words(client.get("/orders/"))


def test_an_offer_is_taken_with_one_press(office):
    client = office.signed_in()
    assert "It sells fast in the stores around you." in words(client.get("/orders/"))
    for _ in range(2):
        assert send(client, "/offers/O1/accept").status_code == 303
    with office.doors.read() as session:
        assert session.get(NetworkOffer, (STORE, "O1")).state == "accepted"
    refused = send(client, "/offers/O1/decline", reason="decline-no-room")
    assert refused.status_code == 409


def test_an_offer_is_declined_with_a_reason(office):
    client = office.signed_in()
    assert send(client, "/offers/O1/decline").status_code == 422
    assert send(client, "/offers/O1/decline", reason="decline-no-room").status_code == 303
    with office.doors.read() as session:
        offer = session.get(NetworkOffer, (STORE, "O1"))
    assert (offer.state, offer.answered_why) == ("declined", "decline-no-room")


def test_an_unknown_offer_is_a_sentence(office):
    assert send(office.signed_in(), "/offers/nothing/accept").status_code == 404


def test_the_rail_names_the_place_of_every_room(office):
    places = {
        "/suppliers/": "Orders",
        "/orders/proof": "Orders",
        "/claims/": "Receiving",
        "/stock/network/": "Receiving",
    }
    pages = {path: office.signed_in().get(path).text for path in places}
    marked = {path: page.partition('aria-current="page"')[2].partition("</a>")[0] for path, page in pages.items()}
    assert {path: re.findall(r"<span>(.*?)</span>", here)[0] for path, here in marked.items()} == places


def test_a_cashier_does_not_order(office):
    client = office.signed_in("cashier")
    assert client.get("/orders/").status_code == 403
    assert send(client, f"/orders/{P1}/approve").status_code == 403
    assert order(office).state == "proposed"


def test_an_order_that_did_not_come_is_named_and_called_off_with_one_press(office):
    with office.doors.write() as session:
        row = session.get(ReplenishmentOrder, (STORE, P1))
        row.state, row.sent_at, row.order_day = "sent", NOON - dt.timedelta(days=9), NOON.date() - dt.timedelta(days=9)
        row.delivery_day = NOON.date() - dt.timedelta(days=8)
        proposal(session, "order-P2", 8)
        line = session.get(OrderLine, (STORE, "order-P2", "milk"))
        line.why = line.why | {"missed": [[row.order_no, 12, row.delivery_day.isoformat()]]}
    client = office.signed_in()
    reported = words(client.get("/orders/"))
    assert "Order 7 did not arrive due" in reported
    assert "Order 7 did not arrive (due" in reported
    assert "its 12 are not counted" in reported
    for _click in range(2):
        assert send(client, f"/orders/{P1}/cancel").status_code == 303
    assert order(office).state == "cancelled"
    assert "Suggested orders will no longer include it" not in words(client.get("/orders/"))


def test_goods_that_were_accepted_and_do_not_come_are_named(office):
    with office.doors.write() as session:
        made = session.get(NetworkOffer, (STORE, "O1"))
        made.state = "called_off"
        name = made.name
    reported = words(office.signed_in().get("/orders/"))
    assert f"{name}, which you accepted, is not coming: none left" in reported


def test_the_road_of_a_proposal_goes_forward_from_the_button_over_look_and_decide_to_the_orders(house):
    passed = road(propose(house)).returns()
    names = [place.removeprefix("supply/replenishment/") for place in passed]
    assert names[:3] == ["store_app/pages/orders/ordering.py", "proposals.py", "look.py"]
    assert names.index("look.py") < names.index("decide.py") < names.index("policy.py")
    assert not passed["supply/replenishment/look.py"], "everything is read once"
