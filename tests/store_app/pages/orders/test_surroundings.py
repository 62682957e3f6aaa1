"""School holidays and weather on their page: a store's own, and at the network's node those of a region."""

import datetime as dt
import io
import re

import pytest
import sqlalchemy as sa

from pos.store.store import Region
from supply.demand import surroundings
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import fill, send, words

HERE = "/settings/surroundings/"


@pytest.fixture
def office(house):
    fill(house)
    return house


def on(n):
    return (NOON.date() + dt.timedelta(days=n)).isoformat()


def bring(client, text, **more):
    return send(client, f"{HERE}file", file=(io.BytesIO(text.encode()), "days.csv"), **more)


def test_holidays_are_told_shown_and_taken_back(office):
    client = office.signed_in()
    assert "None upcoming. Add past ones too, so" in words(client.get(HERE))
    assert f'href="{HERE}"' in client.get("/settings/").text
    assert send(client, HERE, name="Easter", **{"from": on(3), "to": on(9)}).status_code == 303
    assert send(client, HERE, name="Winter", **{"from": on(-9), "to": on(-3)}).status_code == 303
    page = words(client.get(HERE))
    assert "Easter Thu, Mar 5 – Wed, Mar 11" in page
    assert page.index("Easter Thu") < page.index("Past") < page.rindex("Winter")
    assert send(client, f"{HERE}take-back", from_day=on(3), until_day=on(9)).status_code == 303
    assert "None upcoming. Add past ones too, so" in words(client.get(HERE))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "", "from": on(1), "to": on(2)}, "Name the holidays."),
        ({"name": "Easter", "from": on(1)}, "Choose the first and last day"),
        ({"name": "Easter", "from": on(2), "to": on(1)}, "is before the first"),
        ({"name": "Easter", "from": on(1), "to": on(400)}, "up to 120 days"),
    ],
)
def test_holidays_that_cannot_be_are_said_beside_their_field(office, given, said):
    refused = send(office.signed_in(), HERE, **given)
    assert refused.status_code == 422
    assert said in words(refused)


def test_a_file_is_taken_whole_or_every_bad_line_is_said(office):
    client = office.signed_in()
    bad = f"day,temperature,rain\n{on(0)},12.5,0\n{on(1)},99,0\n{on(90)},9,1\nsoon,1,1\n{on(2)},,\n"
    refused = bring(client, bad)
    assert refused.status_code == 422
    found = words(refused)
    for said in ("4 errors", "3 temperature Enter temperatures in degrees Celsius", "4 day Weather can be entered",
                 "is not a day such as", "6 temperature Enter a temperature"):  # fmt: skip
        assert said in found
    assert "No weather entered. The forecast assumes usual weather." in found
    assert bring(client, f"Day;Temperature\n{on(-1)};-2,5\n{on(0)};3,4\n").status_code == 303
    assert "Data available for 2 days, Sun, Mar 1 to Mon, Mar 2." in words(client.get(HERE))
    with office.doors.read() as session:
        assert session.get(surroundings.WeatherDay, (STORE, NOON.date())).temperature_tenths == 34
    assert send(client, f"{HERE}weather/forget").status_code == 303
    assert "No weather entered. The forecast assumes usual weather." in words(client.get(HERE))
    assert "Columns for school holidays: name, from, to" in words(bring(client, "a,b\n1,2\n"))
    refused = words(bring(client, f"name,from,to,region\nEaster,{on(1)},{on(2)},East\n"))
    assert "A store reports only its own data. Leave out the" in refused


def test_of_a_calendar_the_names_are_shown_and_those_that_are_ticked_are_taken(office):
    client = office.signed_in()
    reported = "".join(
        f"BEGIN:VEVENT\r\nSUMMARY:{name}\r\nDTSTART;VALUE=DATE:{on(n).replace('-', '')}\r\n"
        f"DTEND;VALUE=DATE:{on(n + 7).replace('-', '')}\r\nEND:VEVENT\r\n"
        for name, n in (("Easter", 3), ("Winter", -20), ("Project <b>week", 40), ("Easter", 368))
    )
    shown = bring(client, f"BEGIN:VCALENDAR\r\n{reported}END:VCALENDAR\r\n")
    assert "Read from the file: a calendar." in words(shown)
    assert "Project &lt;b&gt;week" in shown.text
    assert re.search(r"Easter Thu, Mar 5 – Wed, Mar 11; .*Mar 5, 2027", words(shown))
    file_id = re.search(r'name="file_id" value="(\w+)"', shown.text)[1]
    assert "None upcoming. Add past ones too, so" in words(client.get(HERE))
    empty = send(client, f"{HERE}calendar", file_id=file_id)
    assert (empty.status_code, "Select at least one name" in words(empty)) == (422, True)
    odd = send(client, f"{HERE}calendar", file_id=file_id, name="Autumn")
    assert "The file has no Autumn. Available: " in words(odd)
    assert send(client, f"{HERE}calendar", file_id=file_id, name=["Easter", "Winter"]).status_code == 303
    page = words(client.get(HERE))
    assert "Easter Thu, Mar 5 – Wed, Mar 11" in page
    assert "Winter" in page
    assert "Project" not in page
    assert "This file is no longer here: it was imported or" in words(
        send(client, f"{HERE}calendar", file_id=file_id, name="Easter")
    )


def test_taking_all_weather_back_is_asked_before_it_is_done(office):
    client = office.signed_in()
    bring(client, f"day,temperature\n{on(0)},9\n")
    asked = re.search(r"<details>(?:(?!</details>).)*weather/forget.*?</details>", client.get(HERE).text, re.DOTALL)
    assert asked[0].index("</summary>") < asked[0].index("All weather data entered here will be deleted. To restore")


def test_an_operator_tells_them_of_the_region_that_was_chosen_or_named(network):
    client = network.signed_in("operator")
    with network.doors.write() as session:
        for name in ("North", "South"):
            session.merge(Region(id=name.lower(), name=name))
    first, second = "north", "south"
    rows = f"name,from,to,region\nEaster,{on(1)},{on(2)},\nFair,{on(4)},{on(4)},North\n"
    assert bring(client, rows, region=second).status_code == 303
    with network.doors.read() as session:
        assert [one[0] for one in surroundings.school_holiday_spells(session, second, NOON.date())] == ["Easter"]
        assert [one[0] for one in surroundings.school_holiday_spells(session, first, NOON.date())] == ["Fair"]
    assert "Easter" in words(client.get(f"{HERE}?region={second}"))
    assert "Easter" not in words(client.get(f"{HERE}?region={first}"))
    refused = words(bring(client, f"name,from,to,region\nFair,{on(4)},{on(4)},Atlantis\n", region=second))
    assert "Region not found. Available" in refused


def test_what_is_told_of_a_region_that_is_not_there_is_noted_of_no_other(network):
    client = network.signed_in("operator")
    for answer in (client.get(f"{HERE}?region=gone"),
                   send(client, HERE, name="Easter", region="gone", **{"from": on(3), "to": on(9)})):  # fmt: skip
        assert answer.status_code == 404
        assert "Region not found." in words(answer)
    with network.doors.read() as session:
        assert session.scalars(sa.select(surroundings.SchoolHoliday)).all() == []


def test_a_file_of_weather_asks_the_database_no_more_for_being_long(office):
    asked = []
    client, engine = office.signed_in(), office.doors.database.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *reported: asked.append(reported[2]))
    counts = []
    for days in (2, 200):
        asked.clear()
        rows = "".join(f"{on(-n)},{n % 30},1\n" for n in range(days))
        assert bring(client, f"day,temperature,rain\n{rows}").status_code == 303
        counts.append(len(asked))
    assert counts[1] <= counts[0]
