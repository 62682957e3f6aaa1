"""The network's price list and products at its operator's page: seen, changed from a day on, brought in whole."""

import datetime as dt
import io
import json
import re

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor, Context, JournalEntry
from config.nodes.publication import Publication
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product
from pos.store.store import add_staff
from store_app.jobs import publishing
from store_app.pages.console import prices
from supply.orders import price_list, suppliers, supply_routes
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.price_list import Change, Limits, PriceProposal
from supply.orders.suppliers import CasePack, Contact, SupplierProduct
from tests.store_app.conftest import NOON
from tests.store_app.house import post
from tests.store_app.office import send, words
from tests.store_app.operator import furnish

TODAY = NOON.date()
LATER = TODAY + dt.timedelta(days=9)


@pytest.fixture
def console(network):
    furnish(network)
    return network


def cost(console, sku: str, day: dt.date) -> tuple[int, int] | None:
    """Return the pack and what it costs on a day."""
    with console.doors.read() as session:
        terms = suppliers.terms_of(session, "net", sku, day)
    return None if terms is None else (terms.pack_qty, terms.pack_cost_minor)


def look(client, table: str, **given: str):
    file = (io.BytesIO(table.encode()), "list.csv")
    return send(client, "/console/prices/file", **({"kind": "price-list", "supplier": "net", "file": file} | given))


def test_a_new_list_is_looked_at_and_holds_from_the_day_that_was_chosen(console):
    client = console.signed_in("operator")
    pack, before = cost(console, "milk", TODAY)
    table = f"sku,pack_qty,pack_cost\nmilk,{pack},{(before + 100) / 100:.2f}\n"
    command = new_id()
    seen = words(look(client, table, from_day=LATER.isoformat(), command_id=command))
    assert "increased: 1" in seen
    assert cost(console, "milk", LATER) == (pack, before), "looking writes nothing"
    given = {"kind": "price-list", "supplier": "net", "from_day": LATER.isoformat()}
    assert send(client, f"/console/prices/file/{command}", **given).status_code == 303
    assert send(client, f"/console/prices/file/{command}", **given).status_code == 404, "a second click finds it gone"
    assert (cost(console, "milk", TODAY), cost(console, "milk", LATER)) == ((pack, before), (pack, before + 100))
    assert f"{(before + 100) / 100:.2f}" in words(client.get("/console/prices/?q=milk"))


def test_every_row_that_cannot_be_is_named_and_nothing_is_written(console):
    client = console.signed_in("operator")
    before = cost(console, "milk", TODAY)
    answer = look(client, "sku,pack_qty,pack_cost\nmilk,7,1.00\nnone,6,1.00\ntea,6,1.005\n")
    assert answer.status_code == 422
    seen = words(answer)
    assert "2 errors" in seen
    assert "Product none not found" in seen
    assert "1.005 has more than 2 decimals" in seen
    answer = look(client, "sku,pack_qty,pack_cost\nmilk,0,-1\n")
    assert "is not a whole number" in words(answer)
    assert "is not an amount" in words(answer)
    assert "is missing pack_cost" in words(look(client, "sku,pack_qty\nmilk,6\n"))
    assert cost(console, "milk", TODAY) == before


def test_products_come_in_and_what_they_are_sold_for_is_compared(console):
    client = console.signed_in("operator")
    with console.doors.read() as session:
        milk = session.get_one(Product, "milk")
        tax, price = milk.tax_class_id, catalogue.prices_on(session, "*", TODAY, ["milk"])["milk"]
    table = (
        f"sku,name,category,tax_class,price\nmilk,{milk.name},Dairy,{tax},{(price - 9) / 100:.2f}\n"
        f"oats,Oat drink,Dairy,{tax},2.49\n"
    )
    command = new_id()
    seen = words(look(client, table, kind="products", command_id=command))
    assert "new: 1" in seen
    assert "reduced: 1" in seen
    assert send(client, f"/console/prices/file/{command}", kind="products", supplier="net").status_code == 303
    with console.doors.read() as session:
        assert session.get_one(Product, "oats").name == "Oat drink"
    wrong = "sku,name,category,tax_class,price,cost\noats,Oats,Dairy,none,1,1\n"
    assert "s are in its price list. Leave it out" in words(look(client, wrong, kind="products"))
    rows = (f"{sku},Rye,Bakery,{of},1" for sku, of in (("rye", "none"), ("oats", tax), ("bun", "gone")))
    seen = words(look(client, "\n".join(["sku,name,category,tax_class,price", *rows]), kind="products"))
    assert "Tax class none not found" in seen
    assert "Tax class gone not found" in seen, "every row is told, not the first"


def test_one_cost_begins_on_a_day_and_the_terms_are_changed_after_founding(console):
    client = console.signed_in("operator")
    given = {"sku": "milk", "pack_cost": "9.99", "from_day": LATER.isoformat()}
    assert send(client, "/console/prices/net/cost", **given).status_code == 303
    assert cost(console, "milk", LATER)[1] == 999
    past = given | {"from_day": (TODAY - dt.timedelta(days=1)).isoformat()}
    answer = send(client, "/console/prices/net/cost", **past)
    assert (answer.status_code, "today or later" in words(answer)) == (422, True)
    terms = {"name": "Early vehicle", "lead_days": "2", "order_days": ["mon", "thu"], "minimum": "75.50"}
    answer = send(client, "/console/prices/net/terms", **(terms | {"order_days": []}))
    assert (answer.status_code, "Choose at least one order day" in words(answer)) == (422, True)
    assert send(client, "/console/prices/net/terms", **terms).status_code == 303
    with console.doors.read() as session:
        row = suppliers.supplier_of(session, "net")
        assert (row.name, row.calendar, row.minimum_minor) == (
            "Early vehicle", DeliveryCalendar(frozenset({0, 3}), 2), 7_550,
        )  # fmt: skip
        reported = supply_routes.edition(session, TODAY)["suppliers"]
        assert [one["minimum_minor"] for one in reported if one["id"] == "net"] == [7_550], "stores hear of it"


def second_person(console):
    """Return a browser in which another operator has signed in."""
    with console.doors.write() as session:
        add_staff(session, "network", "otto", "Otto", "operator", "8642")
    client = console.app.test_client()
    assert post(client, "/signin/otto", pin="8642").status_code == 303
    return client


def doubled(console) -> tuple[str, int]:
    """Return a list that doubles what milk costs from LATER on, and what it costs now."""
    pack, before = cost(console, "milk", TODAY)
    return f"sku,pack_qty,pack_cost\nmilk,{pack},{before * 2 / 100:.2f}\n", before


def test_a_list_that_moves_a_price_by_much_waits_until_a_second_person_has_confirmed_it(console):
    client, other = console.signed_in("operator"), second_person(console)
    (table, before), command = doubled(console), new_id()
    for _again in range(2):
        assert "Send for approval" in words(look(client, table, from_day=LATER.isoformat(), command_id=command))
    assert "Send for approval" not in words(
        look(client, table.replace(f"{before * 2 / 100:.2f}", f"{before / 100 + 0.01:.2f}"))
    )
    given = {"kind": "price-list", "supplier": "net", "from_day": LATER.isoformat()}
    answer = send(client, f"/console/prices/file/{command}", **given)
    waits = answer.headers["Location"]
    assert waits.endswith(f"/console/prices/proposals/{command}")
    assert cost(console, "milk", LATER)[1] == before, "nothing goes to a store"
    own = words(client.get(waits))
    assert "largest change 100%" in own
    assert "You proposed this. Someone else with permission" in own
    assert send(client, f"{waits}/confirm").status_code == 409
    assert cost(console, "milk", LATER)[1] == before
    assert "Waiting for a second person" in words(other.get("/console/prices/"))
    assert "1 price list is waiting for a second person" in words(other.get("/console/"))
    assert send(other, f"{waits}/confirm").status_code == 303
    assert cost(console, "milk", LATER)[1] == before * 2
    assert send(other, f"{waits}/confirm").status_code == 409, "once"
    assert "Confirmed" in words(client.get(waits))
    assert "Waiting for a second person" not in words(other.get("/console/prices/"))
    with console.doors.read() as session:
        said = sa.select(JournalEntry.verb, JournalEntry.actor_id).where(JournalEntry.subject == f"prices:{command}")
        assert session.execute(said.order_by(JournalEntry.n)).all() == [
            ("price proposal.proposed", "operator"), ("price proposal.confirmed", "otto"),
        ]  # fmt: skip


def test_a_row_of_another_day_hides_no_price_that_moves_by_much(console):
    client, _other = console.signed_in("operator"), second_person(console)
    (pack, before), command = cost(console, "milk", TODAY), new_id()
    rows = f"milk,{pack},0.01,{TODAY}\nmilk,{pack},{(before + 1) / 100:.2f},{LATER}\n"
    look(client, f"sku,pack_qty,pack_cost,from_day\n{rows}", command_id=command)
    answer = send(client, f"/console/prices/file/{command}", kind="price-list", supplier="net")
    assert "/proposals/" in answer.headers["Location"]
    assert cost(console, "milk", TODAY) == (pack, before)


def test_a_price_of_a_later_day_is_compared_with_that_day_s_too(console):
    client, _other = console.signed_in("operator"), second_person(console)
    before, day = cost(console, "milk", TODAY)[1], {"sku": "milk", "from_day": LATER.isoformat()}
    with console.doors.write() as session:  # what two people agreed on earlier
        by = Context(session, Actor.system("test", "network"), NOON)
        suppliers.set_cost(by, "net", "milk", before * 5, LATER, today=TODAY)
    near = {"sku": "milk", "from_day": TODAY.isoformat(), "pack_cost": f"{(before + 1) / 100:.2f}"}
    assert "/proposals/" not in send(client, "/console/prices/net/cost", **near).headers["Location"]
    answer = send(client, "/console/prices/net/cost", **day, pack_cost=f"{(before + 2) / 100:.2f}", command_id=new_id())
    assert "/proposals/" in answer.headers["Location"]
    assert cost(console, "milk", LATER)[1] == before * 5


def test_a_long_list_shows_the_largest_change_first(console, monkeypatch):
    monkeypatch.setattr(prices, "ROWS_SHOWN", 1)
    client, other, day = console.signed_in("operator"), second_person(console), LATER.isoformat()
    rows = [(sku, *cost(console, sku, TODAY), times) for sku, times in (("bread", 1.01), ("milk", 1.5), ("tea", 1.02))]
    table = "".join(f"{sku},{pack},{round(minor * times) / 100:.2f}\n" for sku, pack, minor, times in rows)
    look(client, f"sku,pack_qty,pack_cost\n{table}", from_day=day, command_id=(command := new_id()))
    given = {"kind": "price-list", "supplier": "net", "from_day": day}
    waits = send(client, f"/console/prices/file/{command}", **given).headers["Location"]
    seen = words(other.get(waits))
    assert "Whole milk" in seen
    assert "Rye bread" not in seen


def test_another_pack_begins_with_its_cost(console):
    client, (pack, before) = console.signed_in("operator"), cost(console, "milk", TODAY)
    row = f"milk,{pack * 20},{before * 20 / 100:.2f}"  # the same for each liter, but not before that day
    seen = words(look(client, f"sku,pack_qty,pack_cost,from_day\n{row},{LATER}\n"))
    assert "Another pack size can’t wait" in seen
    assert cost(console, "milk", TODAY) == (pack, before)
    command = new_id()
    look(client, f"sku,pack_qty,pack_cost\n{row}\n", command_id=command)
    send(client, f"/console/prices/file/{command}", kind="price-list", supplier="net")
    assert cost(console, "milk", TODAY) == (pack * 20, before * 20)


def test_a_list_that_waits_keeps_how_its_numbers_were_said_to_be_written(console):
    client, other, pack = console.signed_in("operator"), second_person(console), cost(console, "milk", TODAY)[0]
    asked = look(client, f"sku;pack_qty;pack_cost\nmilk;{pack};1.234\n")
    assert (asked.status_code, "checked> <span>A price list" in asked.text) == (422, True)
    kept = re.search(r'name="kept" value="(.+?)"', asked.text)[1]
    given = {"kind": "price-list", "supplier": "net"}
    assert "1,234.00" in words(send(client, "/console/prices/file", **given, kept=kept, decimal="comma"))
    waits = send(client, f"/console/prices/file/{kept}", **given).headers["Location"]
    assert "1,234.00" in words(other.get(waits))
    assert send(other, f"{waits}/confirm").status_code == 303
    assert cost(console, "milk", TODAY) == (pack, 123_400)


def test_one_cost_that_moves_by_much_waits_too_and_is_turned_down_or_withdrawn(console):
    client, other = console.signed_in("operator"), second_person(console)
    before = cost(console, "milk", TODAY)[1]
    for decides, state in ((other, "turned_down"), (client, "withdrawn")):
        given = {"sku": "milk", "pack_cost": f"{before * 3 / 100:.2f}", "from_day": LATER.isoformat()}
        waits = send(client, "/console/prices/net/cost", **given, command_id=new_id()).headers["Location"]
        assert "proposals" in waits
        assert send(decides, f"{waits}/drop").status_code == 303
        assert send(other, f"{waits}/confirm").status_code == 409
        with console.doors.read() as session:
            assert session.get(PriceProposal, waits.rpartition("/")[2]).state == state
    assert cost(console, "milk", LATER)[1] == before
    assert other.get("/console/prices/proposals/none").status_code == 404


def test_a_network_whose_prices_one_person_keeps_asks_nobody(console):
    client = console.signed_in("operator")
    (table, before), command = doubled(console), new_id()
    look(client, table, command_id=command)
    assert send(client, f"/console/prices/file/{command}", kind="price-list", supplier="net").status_code == 303
    assert cost(console, "milk", TODAY)[1] == before * 2


def test_what_one_person_changes_on_a_day_is_counted_together_and_what_is_new_counts_for_nothing(console):
    def change(kind: str, *skus: str, before: int = 100, after: int = 101) -> list[Change]:
        return [Change(1, sku, "", "each", kind, (1, before), 1, after, TODAY) for sku in skus]

    ana, ben = Actor("operator", "Ana", "operator", "network"), Actor("ben", "Ben", "operator", "network")
    second_person(console)
    new = [Change(1, sku, "", "each", price_list.NEW, None, 1, 5, TODAY) for sku in "pqrst"]
    dearer, cheaper, tomorrow = price_list.DEARER, price_list.CHEAPER, NOON + dt.timedelta(days=1)
    with console.doors.write() as session:
        for actor, some, of, at, may in (
            (ana, change(dearer, "a", "b"), "net", NOON, True),
            (ana, new, "net", NOON, True),
            (ana, change(cheaper, "c", "d"), "net", NOON, False),
            (ana, change(cheaper, "a", before=101, after=90), "net", NOON, True),
            (ana, change(cheaper, "a", before=90, after=69), "net", NOON, False),
            (ana, change(cheaper, "a"), "", NOON, True),
            (ana, change(dearer, "c"), "net", NOON, False),
            (ben, change(dearer, "c"), "net", NOON, True),
            (ana, change(cheaper, "a", before=90, after=69), "net", tomorrow, True),
        ):  # fmt: skip
            reported = price_list.may_write(Context(session, actor, at), some, Limits(3, 30), of=of)
            assert reported is may, (actor, some, at)
    for after, percent in ((1_200, 0), (1_195, 1), (2_400, 100)):
        moved = [Change(1, "a", "", "each", price_list.REPACKED, (6, 600), 12, after, TODAY)]
        assert price_list.most_percent(moved) == percent


def test_shops_hear_within_the_day_what_suppliers_ask_but_of_no_product_before_its_catalogue(console):
    def reported() -> tuple[str, dict[str, int]]:
        with console.doors.read() as session:
            edition = session.get(Publication, ("suppliers", "*"))
            body = json.loads(edition.body)
            return body["suppliers"][0]["name"], {row[1]: row[3] for row in body["products"]}

    assert not publishing.publish_terms(console.doors), "nothing was published by a night yet"
    publishing.publish_all(console.doors, TODAY - dt.timedelta(days=1))
    name, costs = reported()
    assert not publishing.publish_terms(console.doors)
    with console.doors.write() as session:
        by = {"actor": Actor.system("test", "network"), "at": NOON}
        catalogue.add_product(Context(session, **by), "oats", "Oats", category="Dairy", tax_class_id="food")
        suppliers.offer_product(Context(session, **by), "net", "oats", CasePack(pack_qty=6, pack_cost_minor=600))
        suppliers.offer_product(Context(session, **by), "net", "milk", CasePack(pack_qty=12, pack_cost_minor=777))
        price_list.set_terms(
            Context(session, **by), "net", Contact("Early vehicle", DeliveryCalendar(frozenset({0, 3}), 2))
        )
    assert publishing.publish_terms(console.doors)
    assert reported() == ("Early vehicle", costs | {"milk": 777})
    assert name != "Early vehicle"
    publishing.publish_all(console.doors, TODAY - dt.timedelta(days=1))
    assert reported()[1] == costs | {"milk": 777, "oats": 600}


def test_the_page_of_a_network_without_a_list_says_what_to_bring(console):
    with console.doors.write() as session:
        session.execute(sa.delete(SupplierProduct).where(SupplierProduct.supplier_id == "net"))
    assert "The list is empty" in words(console.signed_in("operator").get("/console/prices/"))


def test_each_line_shows_its_margin_and_last_change_and_the_list_is_filtered_paged_and_exported(console):
    client = console.signed_in("operator")
    with console.doors.write() as session:
        ctx = Context(session, Actor.system("test", "network"), NOON)
        suppliers.set_cost(ctx, "net", "milk", 1_200, TODAY, today=TODAY)
        suppliers.set_cost(ctx, "net", "bread", 99_000, LATER, today=TODAY)
        pack = suppliers.terms_of(session, "net", "milk", TODAY).pack_qty
        price = catalogue.price_on(session, "*", "milk", TODAY)
        product = session.get_one(Product, "milk")
        tax = session.get_one(catalogue.TaxClass, product.tax_class_id)
        (row,) = price_list.rows(session, "net", TODAY, ["milk"])
        listed = price_list.listed("net").order_by(Product.name)
        by_name = list(session.scalars(listed))
        shown = {
            one: list(session.scalars(listed.where(price_list.shows(one, TODAY)))) for one in price_list.SHOWN
        }  # fmt: skip
        every = price_list.rows(session, "net", TODAY, by_name)
    low = [one.sku for one in every if one.margin_bp is not None and one.margin_bp < price_list.LOW_BP]
    net = price / (1 + tax.rate_bp / 10_000) if tax.inclusive else price
    cost = 1_200 * product.price_quantity / pack
    assert row.margin_minor == pytest.approx(net - cost, abs=1)
    assert row.margin_bp == pytest.approx(10_000 * (net - cost) / net, abs=100)
    assert row.changed_on == TODAY
    assert (shown["coming"], shown["low"]) == (["bread"], low)
    assert "milk" in shown["changed"]
    assert shown["unpriced"] == [one.sku for one in every if one.price_minor is None]
    seen = words(client.get("/console/prices/?supplier=net&show=coming"))
    assert "1 product" in seen
    asked = "supplier=net&q=milk&columns=sku&columns=changed_on&file=csv"
    table = client.get(f"/console/prices/?{asked}").get_data(as_text=True).splitlines()
    assert (len(table), table[1].split(",")[1:]) == (2, ["milk", TODAY.isoformat()])
    assert client.get("/console/prices/?supplier=net&page=99").status_code == 200
