"""What the first run settled is changed under *Store*: hours, language, country and time zone, currency."""

import pytest

from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Price, Product, TaxClass
from pos.store.store import store_of
from pos.till import shift
from supply.demand.history import StoreDay
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import send, words

KEEPER = Actor("shopkeeper", "shopkeeper", "shopkeeper", STORE)
HERE = "/settings/country"


def kept(house, name):
    with house.doors.read() as session:
        return getattr(store_of(session, STORE), name)


def test_each_weekday_has_hours_of_its_own_and_a_week_without_any_is_refused_with_what_was_typed(house):
    keeper = house.signed_in()
    said = {f"{what}_{n}": time for n in range(7) for what, time in (("opens", "08:00"), ("closes", "20:30"))}
    assert send(keeper, f"{HERE}/hours", **said | {"closes_4": "23:00", "closed_6": "1"}).status_code == 303
    usual = ["08:00-20:30"] * 4
    assert kept(house, "opening_hours").split() == [*usual, "08:00-23:00", "08:00-20:30", "closed"]
    assert "Mon–Thu 8:00 AM – 8:30 PM, Fri 8:00 AM – 11:00 PM" in words(keeper.get("/settings/")).replace("\u202f", " ")
    never = send(keeper, f"{HERE}/hours", **said | {f"closed_{n}": "1" for n in range(7)})
    assert (never.status_code, "Choose at least one open day." in words(never)) == (422, True)
    half = send(keeper, f"{HERE}/hours", **said | {"opens_2": "09:15", "closes_2": ""})
    assert (half.status_code, 'value="09:15"' in half.text) == (422, True)


def test_a_store_that_closes_at_midday_has_two_openings_a_day_where_it_says_so(house):
    keeper = house.signed_in()
    said = {f"{what}_{n}": [first, again] for n in range(7)
            for what, first, again in (("opens", "09:00", "16:00"), ("closes", "13:00", "20:00"))}  # fmt: skip
    said |= {"opens_5": ["09:00", ""], "closes_5": ["13:00", ""], "closed_6": "1"}
    assert send(keeper, f"{HERE}/hours", **said, breaks="1").status_code == 303
    assert kept(house, "opening_hours").split() == [*["09:00-13:00,16:00-20:00"] * 5, "09:00-13:00", "closed"]
    shown = words(keeper.get("/settings/")).replace("\u202f", " ")
    assert "Mon–Fri 9:00 AM – 1:00 PM and 4:00 PM – 8:00 PM, Sat 9:00 AM – 1:00 PM" in shown
    overlap = send(keeper, f"{HERE}/hours", **said | {"opens_1": ["09:00", "12:30"]}, breaks="1")
    assert (overlap.status_code, 'value="12:30"' in overlap.text) == (422, True)
    assert "Two openings of one day overlap" in words(overlap)
    assert send(keeper, f"{HERE}/hours", **said).status_code == 303
    assert kept(house, "opening_hours").split() == [*["09:00-13:00"] * 6, "closed"]


def test_the_stores_language_is_that_of_whoever_chose_none(house):
    keeper = house.signed_in()
    assert send(keeper, f"{HERE}/language", language="de").status_code == 303
    assert '<html lang="de-' in house.visitor().get("/signin", follow_redirects=True).text
    assert send(keeper, f"{HERE}/language", language="xx").status_code == 422


def test_another_zone_brings_its_countrys_clock_and_says_its_tax_rates(house):
    keeper = house.signed_in()
    answer = send(keeper, f"{HERE}/zone", tz="Europe/Berlin")
    assert answer.status_code == 303
    shown = words(keeper.get(f"{HERE}/"))
    assert "Usual tax rates there: 19%, 7%" in shown.replace("\xa0", "")
    overview = words(keeper.get("/settings/"))
    assert ("Germany" in overview, "07:00 – 22:00" in overview) == (True, True)


def test_the_zone_stays_while_a_till_is_open(house):
    with house.doors.write() as session:
        shift.open_shift(Context(session, KEEPER, NOON), STORE, "1", 10_000)
    refused = send(house.signed_in(), f"{HERE}/zone", tz="Europe/Berlin")
    assert (refused.status_code, kept(house, "tz")) == (409, "America/New_York")
    assert "Till 1 is open. Close it, then change the time zone." in words(refused)


@pytest.mark.parametrize(
    ("tz", "hour", "said"),
    [
        ("Asia/Tokyo", 20, "You can change the time zone from 4:00 AM."),  # Tuesday there; it begins here at 4
        ("Asia/Tokyo", 12, ""),
        ("Pacific/Honolulu", 9, "You can change the time zone from 9:00 AM."),  # there Monday has not begun
        ("No/Where", 12, "No/Where is not a time zone. Use one such as Europe/Berlin."),
    ],
)
def test_no_business_day_is_left_out_or_begins_again_when_the_zone_changes(house, tz, hour, said):
    house.clock.set(NOON.replace(hour=hour))
    answer = send(house.signed_in(), f"{HERE}/zone", tz=tz)
    assert (answer.status_code == 303, kept(house, "tz") == tz) == (not said, not said)
    assert said in words(answer).replace("\u202f", " ")


def test_the_currency_changes_with_its_smallest_coin_until_an_amount_is_on_record(house):
    keeper = house.signed_in()
    assert send(keeper, f"{HERE}/currency", currency="CHF").status_code == 303
    assert (kept(house, "currency"), kept(house, "smallest_coin_minor")) == ("CHF", 5)
    with house.doors.write() as session:
        shift.open_shift(Context(session, KEEPER, NOON), STORE, "1", 10_000)
    refused = send(keeper, f"{HERE}/currency", currency="EUR")
    assert (refused.status_code, kept(house, "currency")) == (409, "CHF")
    assert "Amounts in CHF are already on record" in words(refused)
    assert "set up a new store and import your products there" in words(refused)


def test_past_sales_alone_hold_the_currency_and_the_page_says_so(house):
    with house.doors.write() as session:
        session.add(StoreDay(store_id=STORE, business_day=NOON.date(), open=True, sales=1, revenue_minor=129))
    shown = words(house.signed_in().get(f"{HERE}/"))
    assert "USD. It can’t change: amounts are already on record." in shown


def test_prices_hold_a_currency_with_other_decimals(house):
    with house.doors.write() as session:
        session.add(TaxClass(id="std", name="Standard", rate_bp=900, inclusive=True))
        session.flush()
        session.add(Product(sku="milk", name="Milk", category="Dairy", tax_class_id="std", search_text="milk"))
        session.flush()
        session.add(Price(sku="milk", scope_id="*", from_day=NOON.date(), price_minor=129))
    keeper = house.signed_in()
    refused = send(keeper, f"{HERE}/currency", currency="JPY")
    assert (refused.status_code, kept(house, "currency")) == (409, "USD")
    assert "JPY has a different number of decimals than your USD." in words(refused)
    assert send(keeper, f"{HERE}/currency", currency="EUR").status_code == 303


def test_a_member_keeps_the_currency_of_its_network(build):
    member = build(network_url="https://network.example")
    refused = send(member.signed_in(), f"{HERE}/currency", currency="EUR")
    assert (refused.status_code, kept(member, "currency")) == (409, "USD")
    assert "Your network keeps its records in USD. Ask its operator." in words(refused)
