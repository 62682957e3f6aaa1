"""Many prices at once: looked at first, applied once, and taken back while they are coming."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Context, JournalEntry
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Price, Product
from pos.printing.queue import PrintJob
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import SYSTEM, fill, picture_of, send, words

TODAY = NOON.date()
LATER = TODAY + dt.timedelta(days=7)
RULE = {"top_category": "Drinks", "change": "up", "value": "10", "ending": "none"}


@pytest.fixture
def office(build) -> House:
    house = build(printer="paper")
    fill(house)
    with house.doors.write() as session:
        session.execute(sa.update(Listing).where(Listing.sku == "beer").values(cost_minor=100))
    return house


def price_of(house: House, sku: str, day: dt.date = TODAY) -> int | None:
    with house.doors.read() as session:
        return catalogue.price_on(session, STORE, sku, day)


def stamp_of(client, rule=RULE) -> str:
    page = client.get("/prices/", query_string=rule).text
    return page.split('name="stamp" value="')[1].split('"')[0]


def apply(client, *, day: dt.date = LATER, rule=RULE, command_id: str = "", **fields):
    fields = {"stamp": stamp_of(client, rule), **fields}
    return send(client, "/prices/", command_id=command_id, from_day=day.isoformat(), **rule, **fields)


def test_a_preview_shows_old_new_and_both_margins_and_changes_nothing(office: House):
    client = office.signed_in()
    before = picture_of(office)
    page = words(client.get("/prices/", query_string=RULE))
    assert "2 prices will change" in page
    assert "Pale beer 0.5 l $1.80 ↑ $1.98 44.4% 49.5%" in page
    assert "Whole milk" not in page
    assert picture_of(office) == before


def test_of_many_changes_the_first_fifty_are_open_and_the_others_one_touch_away(office: House):
    with office.doors.write() as session:
        beer = session.get_one(Product, "beer")
        for number in range(60):
            session.add(Product(sku=f"beer{number}", name=f"Beer {number}", category=beer.category, search_text="beer",
                                tax_class_id=beer.tax_class_id))  # fmt: skip
            session.flush()
            session.add(Listing(store_id=STORE, sku=f"beer{number}"))
            session.add(Price(sku=f"beer{number}", scope_id="*", from_day=dt.date(2025, 1, 1), price_minor=200))
    page = office.signed_in().get("/prices/", query_string={"q": "beer", "change": "up", "value": "10"}).text
    assert "Show all 61" in page
    shown, rest = page.split('<details class="rest"')
    assert (shown.count('name="leave"'), rest.count('name="leave"')) == (50, 11)
    assert '/prices/#preview"' in shown
    assert shown.count('id="preview"') == 1


def test_a_margin_cannot_be_aimed_at_without_a_cost_and_those_are_named(office: House):
    client, rule = office.signed_in(), RULE | {"change": "margin", "value": "50"}
    page = words(client.get("/prices/", query_string=rule))
    assert "Cost unknown, so these prices stay: 绿茶 Green tea" in page
    assert "1 price will change" in page
    apply(client, rule=rule)
    assert (price_of(office, "beer", LATER), price_of(office, "tea", LATER)) == (200, 395)


def test_an_ending_rounds_to_the_nearest(office: House):
    rule = RULE | {"ending": "99"}
    apply(office.signed_in(), rule=rule)
    assert (price_of(office, "beer", LATER), price_of(office, "tea", LATER)) == (199, 399)


def test_a_double_click_changes_the_prices_once(office: House):
    client, command = office.signed_in(), new_id()
    stamp = stamp_of(client)
    for _ in range(2):
        answer = apply(client, day=TODAY, command_id=command, stamp=stamp)
        assert answer.status_code == 303
    assert price_of(office, "beer") == 198
    with office.doors.read() as session:
        many = sa.select(sa.func.count()).where(JournalEntry.verb == "prices.changed")
        assert session.scalar(many) == 1


def test_what_is_ticked_stays_as_it_is(office: House):
    apply(office.signed_in(), day=TODAY, leave="beer")
    assert (price_of(office, "beer"), price_of(office, "tea")) == (180, 435)


def test_prices_that_moved_since_the_look_are_looked_at_again(office: House):
    client = office.signed_in()
    stamp = stamp_of(client)
    send(client, "/products/beer/price", price="1.99", from_day=TODAY.isoformat())
    answer = apply(client, day=TODAY, stamp=stamp)
    assert answer.status_code == 409
    assert "Check the list again" in words(answer)
    assert "$1.99" in words(answer)
    assert price_of(office, "tea") == 395


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"value": "0"}, "value"),
        ({"value": "-5"}, "value"),
        ({"value": "1e2"}, "value"),
        ({"value": "１０"}, "value"),
        ({"value": "=1"}, "value"),
        ({"change": "margin", "value": "100"}, "value"),
        ({"change": "down", "value": "101"}, "value"),
        ({"change": "double"}, "change"),
        ({"ending": "77"}, "change"),
    ],
)
def test_an_impossible_rule_is_refused_beside_its_field(office: House, changed: dict[str, str], field: str):
    client = office.signed_in()
    before = picture_of(office)
    for answer in (
        client.get("/prices/", query_string=RULE | changed),
        send(client, "/prices/", from_day=LATER.isoformat(), stamp="x", **(RULE | changed)),
    ):
        assert answer.status_code == 422
        assert f'id="{field}-fault"' in answer.text
    assert picture_of(office) == before


@pytest.mark.parametrize("day", ["2026-03-01", "", "soon"])
def test_a_change_begins_today_or_later(office: House, day: str):
    client = office.signed_in()
    before = picture_of(office)
    answer = send(client, "/prices/", from_day=day, stamp=stamp_of(client), **RULE)
    assert answer.status_code == 422
    assert 'id="from_day-fault"' in answer.text
    assert picture_of(office) == before


def test_lowering_never_goes_below_nothing(office: House):
    apply(office.signed_in(), day=TODAY, rule=RULE | {"change": "down-amount", "value": "3"})
    assert (price_of(office, "beer"), price_of(office, "tea")) == (0, 95)


def test_the_labels_of_what_changed_are_printed_at_the_new_price_once(office: House):
    client, command = office.signed_in(), new_id()
    assert apply(client).headers["Location"] == f"/prices/labels?day={LATER.isoformat()}"
    assert "2 prices start on" in words(client.get(f"/prices/labels?day={LATER.isoformat()}"))
    for _ in range(2):
        send(client, "/prices/labels", command_id=command, day=LATER.isoformat(), first="0")
    with office.doors.read() as session:
        jobs = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "label")).all()
    assert sorted(job.document["price_minor"] for job in jobs) == [198, 435]


def test_a_new_price_of_weighed_goods_says_that_it_is_a_kilos(office: House):
    with office.doors.write() as session:
        catalogue.set_price(Context(session, SYSTEM, NOON), "apple", 455, LATER, scope_id=STORE)
    assert "$4.55 per kg" in words(office.signed_in().get(f"/prices/labels?day={LATER.isoformat()}"))


def test_coming_prices_are_listed_and_taken_back_one_by_one_or_by_the_day(office: House):
    client = office.signed_in()
    apply(client)
    assert "$1.98" in words(client.get("/prices/"))
    for _ in range(2):
        assert send(client, "/prices/take-back", day=LATER.isoformat(), sku="beer").status_code == 303
    assert (price_of(office, "beer", LATER), price_of(office, "tea", LATER)) == (180, 435)
    apply(client)
    assert send(client, "/prices/take-back", day=LATER.isoformat()).status_code == 303
    with office.doors.read() as session:
        assert session.scalars(sa.select(Price).where(Price.scope_id == STORE)).all() == []


def test_what_is_in_force_is_not_taken_back(office: House):
    client = office.signed_in()
    apply(client, day=TODAY)
    assert send(client, "/prices/take-back", day=TODAY.isoformat()).status_code == 409
    assert price_of(office, "beer") == 198


@pytest.mark.parametrize("address", ["/prices/", "/prices/?top_category=Drinks&change=up&value=5", "/prices/labels"])
def test_the_pages_are_there_in_both_languages(office: House, address: str):
    client = office.signed_in()
    for language in ("en", "zh"):
        assert client.get(address, headers={"Cookie": ""}).status_code == 200
        joined = "&" if "?" in address else "?"
        assert client.get(f"{address}{joined}lang={language}").status_code == 200
