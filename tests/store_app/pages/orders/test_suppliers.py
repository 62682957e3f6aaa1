"""Suppliers through their pages: added, priced, brought in as a file; orders that reach them by e-mail or on paper."""

import datetime as dt
import email
import io
import re
from email import policy

import pytest
import sqlalchemy as sa

from config.ids import new_id
from pos.messages import OutgoingMessage
from pos.printing.queue import PrintJob
from store_app.mail import sending
from supply.orders import supplier_messages, suppliers, supply_routes
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.replenishment import service_targets
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import fill, picture_of, proposal, send, words

FARM = {
    "name": "Mill Farm", "send_by": "email", "email": "orders@farm.example", "language": "en", "customer_no": "C-7",
    "lead_days": "2", "minimum": "20", "order_days": ["mon", "thu"],
}  # fmt: skip
P1 = "order-P1"


@pytest.fixture
def office(house):
    fill(house)
    with house.doors.write() as session:
        proposal(session)
    return house


def added(office, **other) -> str:
    """Add a supplier that sells milk, and let the proposal be theirs; returns its id."""
    command = new_id()
    answer = send(office.signed_in(), "/suppliers/new", command_id=command, **FARM | other)
    assert answer.status_code == 303, words(answer)
    with office.doors.write() as session:
        for sku in ("milk", "bread", "apple"):
            session.add(SupplierProduct(supplier_id=command, sku=sku, pack_qty=12, pack_cost_minor=928))
        session.get_one(ReplenishmentOrder, (STORE, P1)).supplier_id = command
    return command


def the_message(office) -> OutgoingMessage:
    with office.doors.read() as session:
        return session.scalars(sa.select(OutgoingMessage)).one()


def test_a_supplier_is_added_once_however_often_the_button_is_pressed(office):
    client, command = office.signed_in(), new_id()
    for _ in range(2):
        assert send(client, "/suppliers/new", command_id=command, **FARM).status_code == 303
    client.get("/suppliers/")  # says twice that it is added
    shown = words(client.get("/suppliers/"))
    assert shown.count("Mill Farm") == 1
    assert "Promised: 2 days. Nothing measured yet." in shown
    assert "By email, with PDF and spreadsheet · orders@farm.example" in shown
    assert "Mon, Thu" in shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "farm"}, "Enter the email address for orders, such as"),
        ({"email": ""}, "Enter the email address for orders, such as"),
        ({"order_days": []}, "Choose at least one order day"),
        ({"lead_days": "99"}, "0 to 60 days from"),
        ({"every_weeks": "2"}, "Choose a date in a week with order days."),
        ({"minimum": "-5"}, "Enter an amount such as"),
        ({"name": " "}, "Enter the supplier’s name."),
        ({"send_by": "network"}, "Choose how orders reach this supplier."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_written(office, wrong, said):
    client, before = office.signed_in(), picture_of(office)
    answer = send(client, "/suppliers/new", **FARM | wrong)
    assert answer.status_code == 422
    assert said in words(answer)
    assert picture_of(office) == before


def test_a_number_beyond_all_days_is_shown_again_with_the_fault_and_breaks_nothing(office):
    wrong = {"order_days": ["mon", "9" * 5_000, "²"], "lead_days": "²", "minimum": "9" * 5_000}
    answer = send(office.signed_in(), "/suppliers/new", **FARM | wrong)
    assert answer.status_code == 422


def test_the_network_s_supplier_is_looked_at_and_not_changed(office):
    client = office.signed_in()
    assert "Whole milk" in words(client.get("/suppliers/net"))
    assert "Whole milk" in words(client.get("/suppliers/net?q=milk"))
    assert "No results for “caviar”" in words(client.get("/suppliers/net?q=caviar"))
    answer = send(client, "/suppliers/net/prices", product="milk", pack_qty="6", pack_cost="5", minimum_packs="1")
    assert answer.status_code == 409
    assert "belongs to the network" in words(answer)


def upload(client, supplier_id: str, text: str):
    file = (io.BytesIO(text.encode()), "prices.csv")
    return send(client, f"/suppliers/{supplier_id}/price-list", file=file)


def test_a_price_list_comes_in_whole(office):
    farm = added(office)
    answer = upload(office.signed_in(), farm, "sku;pack_qty;pack_cost;article_no\ntea;6;12,50;T-1\nsoap;10;8;\n")
    assert answer.status_code == 303
    with office.doors.read() as session:
        tea = session.get_one(SupplierProduct, (farm, "tea"))
        assert (tea.pack_qty, tea.pack_cost_minor, tea.article_no) == (6, 1250, "T-1")


def test_what_a_price_list_does_not_name_stays_as_it_is(office):
    client, farm = office.signed_in(), added(office)
    upload(client, farm, "sku;pack_qty;pack_cost;article_no;minimum_packs\ntea;6;12,50;T-1;3\n")
    assert upload(client, farm, "sku;pack_qty;pack_cost\ntea;6;13,50\n").status_code == 303
    with office.doors.read() as session:
        tea = session.get_one(SupplierProduct, (farm, "tea"))
        assert (tea.pack_cost_minor, tea.article_no, tea.minimum_packs) == (1350, "T-1", 3)


@pytest.mark.parametrize("way", ["file", "page"])
def test_a_cost_of_today_counts_though_another_began_by_its_day(office, way):
    client, farm = office.signed_in(), added(office)
    send(client, f"/suppliers/{farm}/prices/milk/coming", pack_cost="10", from_day=str(NOON.date()))
    if way == "file":
        answer = upload(client, farm, "sku;pack_qty;pack_cost\nmilk;12;8,00\n")
    else:
        answer = send(client, f"/suppliers/{farm}/prices", product="milk", pack_qty="12", pack_cost="8",
                      minimum_packs="1")  # fmt: skip
    assert answer.status_code == 303
    with office.doors.read() as session:
        assert suppliers.terms_of(session, farm, "milk", NOON.date()).pack_cost_minor == 800


def test_a_price_list_that_waited_for_its_decimal_mark_is_gone_once_it_is_in(office):
    client, farm = office.signed_in(), added(office)
    kept = re.search(r'name="kept" value="(.+?)"', upload(client, farm, "sku;pack_qty;pack_cost\ntea;6;1,234\n").text)[
        1
    ]
    answers = [send(client, f"/suppliers/{farm}/price-list", kept=kept, decimal="point") for _twice in range(2)]
    assert [one.status_code for one in answers] == [303, 404]
    with office.doors.read() as session:
        assert session.get_one(SupplierProduct, (farm, "tea")).pack_cost_minor == 123_400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sku,pack_cost\nmilk,5\n", "The file is missing pack_qty."),
        ("sku,pack_qty,pack_cost\n", "The file has column names but no rows. Choose"),
        ("sku,pack_qty,pack_cost\nmilk,,5\ntea,6,4\n", "is empty"),
        ("sku,pack_qty,pack_cost\nmilk,6,-5\ntea,6,4\n", "is not an amount of money"),
        ("sku,pack_qty,pack_cost\nmilk,0,5\ntea,6,4\n", "is not a whole number from 1"),
        ("sku,pack_qty,pack_cost\nmilk,6,5\nnothing,6,4\n", "Product nothing not found"),
        ("sku,pack_qty,pack_cost\nmilk,6,5\nmilk,6,4\n", "2"),
    ],
)
def test_a_price_list_with_a_fault_says_it_and_writes_nothing(office, text, said):
    farm, client = added(office), office.signed_in()
    before = picture_of(office)
    answer = upload(client, farm, text)
    assert answer.status_code >= 400
    assert said in words(answer)
    assert picture_of(office) == before


def test_every_row_s_fault_is_said_at_once_and_in_the_reader_s_language(office):
    farm, client = added(office), office.signed_in()
    client.get(f"/suppliers/{farm}?lang=zh")
    typed = "sku,pack_qty,pack_cost\nnothing,6,4\nmilk,6,5.0011\nother,6,4\n"
    seen = words(upload(client, farm, typed))
    assert "没有商品 nothing" in seen
    assert "没有商品 other" in seen
    assert "5.0011 的小数超过 2 位" in seen
    seen = words(upload(client, farm, "sku,pack_qty,pack_cost\nmilk,,5\ntea,many,4\ntea,2,4\n"))
    assert "未填写" in seen
    assert "不对，应为1 到 1000000 的整数" in seen
    assert "第 3 行已有" in seen


def test_a_coming_cost_is_shown_beside_today_s(office):
    farm = added(office)
    answer = send(office.signed_in(), f"/suppliers/{farm}/prices/milk/coming", pack_cost="10", from_day="2026-03-09")
    assert answer.status_code == 303
    assert re.search(r"\$9\.28\s+from .*9.*: \$10\.00", words(office.signed_in().get(f"/suppliers/{farm}")))


def test_an_order_goes_by_e_mail_with_page_and_table_and_says_when(office, mail_server):
    carrier, kept, _ = mail_server
    added(office)
    send(office.signed_in(), f"/orders/{P1}/approve")
    assert sending.send_due(office.doors, [carrier]) == (1, 0)
    assert sending.send_due(office.doors, [carrier]) == (0, 0)
    (raw,) = kept
    mail = email.message_from_bytes(raw, policy=policy.default)
    assert mail["To"] == "orders@farm.example"
    assert "Order 7" in mail["Subject"]
    assert "customer number: C-7" in mail.get_body().get_content()
    files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert files["order-7.pdf"].startswith(b"%PDF-")
    table = files["order-7.csv"]
    assert "Whole milk" in (table if isinstance(table, str) else table.decode())
    assert "Sent to orders@farm.example" in words(office.signed_in().get(f"/orders/{P1}"))


def test_a_refused_address_is_a_sentence_the_order_stays_and_goes_again_to_another(office, mail_server):
    carrier, kept, state = mail_server
    added(office)
    client = office.signed_in()
    send(client, f"/orders/{P1}/approve")
    state["answer"] = b"550 no such person"
    assert sending.send_due(office.doors, [carrier]) == (0, 1)
    shown = words(client.get(f"/orders/{P1}"))
    assert "orders@farm.example was rejected" in shown
    assert "no such person" in shown
    assert "not yet with the supplier" in words(client.get("/orders/"))
    assert send(client, f"/orders/messages/{P1}/again", email="nobody").status_code == 422
    state["answer"] = b"250 fine"
    assert send(client, f"/orders/messages/{P1}/again", email="ann@farm.example").status_code == 303
    assert sending.send_due(office.doors, [carrier]) == (1, 0)
    assert len(kept) == 1
    assert "Sent to ann@farm.example" in words(client.get(f"/orders/{P1}"))


def test_without_a_mail_server_the_order_says_to_print_it(office):
    added(office)
    client = office.signed_in()
    send(client, f"/orders/{P1}/approve")
    assert sending.send_due(office.doors, []) == (0, 1)
    assert "This store has no mail server. Print it" in words(client.get(f"/orders/{P1}"))


def test_on_paper_it_waits_to_be_printed_and_can_be_seen_again(office):
    added(office, send_by="paper", email="")
    client = office.signed_in()
    send(client, f"/orders/{P1}/approve")
    assert "Not sent: print it and hand it to the supplier" in words(client.get(f"/orders/{P1}"))
    command = new_id()
    for _ in range(2):
        assert send(client, f"/orders/messages/{P1}/print", command_id=command).status_code == 303
    with office.doors.read() as session:
        jobs = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "supplier_order")).all()
        assert len(jobs) == 1
    assert the_message(office).state == "sent"
    assert client.get(f"/orders/messages/{P1}.pdf").data.startswith(b"%PDF-")
    assert "Whole milk" in client.get(f"/orders/messages/{P1}.csv").data.decode()
    assert client.get(f"/orders/messages/{P1}.exe").status_code == 404


def test_the_week_s_money_is_set_and_lifted(office):
    client = office.signed_in()
    assert send(client, "/suppliers/budget", week_budget="minus").status_code == 422
    assert send(client, "/suppliers/budget", week_budget="500").status_code == 303
    assert "$500.00 of $500.00 left" in words(client.get("/suppliers/"))
    assert 'name="network_too" value="yes">' in client.get("/suppliers/").text, "paid later, bound by the line alone"
    assert send(client, "/suppliers/budget", week_budget="500", network_too="yes").status_code == 303
    assert 'name="network_too" value="yes" checked>' in client.get("/suppliers/").text
    assert send(client, "/suppliers/budget", week_budget="").status_code == 303
    assert "No limit. With one, suggestions start with what" in words(client.get("/suppliers/"))


def test_a_preference_for_a_product_is_kept_and_refused_with_its_field(office):
    client = office.signed_in()
    assert send(client, "/products/milk/preference", room="24", show="2", service="97,5").status_code == 303
    with office.doors.read() as session:
        preference = service_targets.preferences(session, STORE)["milk"]
        assert (preference.room_qty, preference.show_qty, preference.service_bp) == (24, 2, 9750)
    for wrong in ({"room": "0"}, {"show": "-1"}, {"service": "many"}, {"service": "20"}, {"room": "3", "show": "9"}):
        assert send(client, "/products/milk/preference", **wrong).status_code == 422


def test_a_supplier_put_aside_says_so_and_is_offered_nothing(office):
    farm = added(office)
    client = office.signed_in()
    assert send(client, f"/suppliers/{farm}/change", **FARM).status_code == 303
    assert "paused" in words(client.get("/suppliers/"))
    with office.doors.read() as session:
        assert farm not in supply_routes.offered(session, STORE, office.clock.now().date())
        assert session.get_one(Supplier, farm).active is False
        assert supplier_messages.unsent(session, STORE) == set()


def test_closed_days_and_the_hour_of_orders_are_kept_said_and_bind_the_proposal(office):
    client = office.signed_in()
    command = added(office)
    at, ahead = f"/suppliers/{command}/change", (NOON.date() + dt.timedelta(days=9)).isoformat()
    over = (NOON.date() - dt.timedelta(days=9)).isoformat()
    wrong = send(client, at, **FARM, active="yes", order_by="14:00", closed_days="Christmas")
    assert wrong.status_code == 422
    assert "Christmas is not a date. Enter closed days such as 2026-12-25, one per line." in words(wrong)
    assert send(client, at, **FARM, active="yes", order_by="24:00").status_code == 422
    assert send(client, at, **FARM, active="yes", order_by="14:00", closed_days=f"{over}\n{ahead}").status_code == 303
    page = words(client.get(f"/suppliers/{command}"))
    assert "Order days: Mon, Thu until 2:00 PM" in page
    assert "Closed on: Wed, Mar 11" in page
    assert ahead in client.get(at).text
    assert over not in client.get(at).text, "a closed day that is over is forgotten"
    proposal_page = words(client.get(f"/orders/{P1}"))
    assert proposal_page.count("order by 2:00 PM") == 2, "at the order's head and at its sums"
    office.clock.advance(9 * 3600)
    answer = send(client, f"/orders/{P1}/approve")
    assert answer.status_code == 409
    assert "The order date was Mar 2, 2026. Suggest again" in words(answer)


def test_a_supplier_that_delivers_on_even_weeks_is_typed_in_and_the_proposal_lasts_until_the_week_after_next(office):
    """Monday, March 2nd, is in week 10: Mondays' and Thursdays' orders are taken, the next ones in week 12."""
    client, command = office.signed_in(), added(office)
    at = f"/suppliers/{command}/change"
    even = FARM | {"minimum": "", "active": "yes", "every_weeks": "2", "first_week": "2026-03-19"}
    assert send(client, at, **even).status_code == 303
    assert 'value="2026-03-16"' in client.get(at).text, "the week is kept by its Monday"
    with office.doors.write() as session:
        session.get_one(Supplier, "net").active = False
    office.clock.advance(4 * 86_400)
    assert send(client, "/orders/propose").status_code == 303
    with office.doors.read() as session:
        query = sa.select(ReplenishmentOrder).filter_by(supplier_id=command, state="proposed")
        order = session.scalars(query).one()
        days = (order.order_day, order.delivery_day, order.next_delivery_day)
        milk = session.get_one(OrderLine, (STORE, order.id, "milk")).why
    assert [day.isoformat() for day in days] == ["2026-03-16", "2026-03-18", "2026-03-21"]
    assert len(milk["daily_milli"]) == 15, "what is wanted from Friday until that delivery's next"
    assert "Mon, Thu every 2 weeks, next Mon, Mar 16" in words(client.get(f"/suppliers/{command}"))


def test_public_holidays_of_the_shop_s_country_are_closed_days_on_a_tick(office):
    command = added(office)
    send(office.signed_in(), f"/suppliers/{command}/change", **FARM, active="yes", holidays="yes")
    with office.doors.read() as session:
        closed = session.get_one(Supplier, command).calendar.closed
    assert {dt.date(2026, 7, 4), dt.date(2026, 12, 25)} <= closed
    assert NOON.date() <= min(closed)
