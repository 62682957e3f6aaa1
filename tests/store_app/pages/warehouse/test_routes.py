"""The vehicles' day on the operator's pages and the driver's phone: planned, sent off, confirmed."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor, Context
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS
from supply.facts import Advised
from supply.network.routes import routes, vehicles
from supply.orders.deliveries import Advice, expect
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.suppliers import Supplier
from tests.store_app.conftest import NOON, House, post, token
from tests.store_app.office import words

BY = {"actor": Actor.system("test", "network"), "at": NOON}
AT = "/console/routes/"


@pytest.fixture
def ramp(network: House) -> House:
    """Give a network whose warehouse has two deliveries on the ramp and whose stores are on the map."""
    with network.doors.write() as session:
        session.add(
            Supplier(
                id="net", name="Cornerstore Supply", kind="network", calendar=DeliveryCalendar(frozenset({0})),
                minimum_minor=0, warehouse_id="WH1",
            )
        )  # fmt: skip
        session.flush()
        for n, store_id in enumerate(("S01", "S02")):
            expect(
                Context(session, **BY),
                store_id,
                f"D{n}",
                Advice("net", [Advised("milk", "Milk", 12, 24)], expected_day=NOON.date()),
            )
            vehicles.place(Context(session, **BY), store_id, 40_700_000 + n * 40_000, -73_900_000 - n * 60_000)
    return network


def planned(house: House) -> tuple[Any, routes.DeliveryRoute]:
    client = house.signed_in("operator")
    assert put_place(client, "WH1", "40.75, -73.95").status_code == 303
    assert (
        post(client, AT + "vehicles", command_id=new_id(), name="Vehicle 1", packs="40", **window()).status_code == 303
    )
    assert post(client, AT + "plan", command_id=new_id()).status_code == 303
    assert 'hx-trigger="every 2s"' in client.get(AT).text, "the page waits for the job"
    desk = Desk(house.doors, compute=lambda function, loaded: function(loaded))
    assert JOBS["plan-routes"].run(desk, NOON.date()) == "1 routes"
    with house.doors.read() as session:
        (row,) = routes.routes_of(session, "WH1")
    return client, row


def put_place(client: Any, id: str, degrees: str, **others: Any) -> Any:
    """Save the page of places with one of them changed."""
    fields = {f"{name}-{id}": text for name, text in (window() | {"degrees": degrees}).items()}
    return post(client, AT + "places", **{"command_id": new_id(), "place": id, **fields, **others})


def window() -> dict[str, str]:
    return {"from": "06:00", "until": "18:00", "service": "5"}


def test_a_day_from_the_ramp_to_the_last_door(ramp):
    client, row = planned(ramp)
    page = client.get(AT)
    assert "Vehicle 1" in words(page)
    assert page.text.count("<circle") == 2
    with ramp.doors.read() as session:
        before = [stop.store_id for stop in routes.stops_of(session, row)]
    assert post(client, f"{AT}{row.id}/move/{before[0]}", by="1").status_code == 303
    sheet = post(client, f"{AT}{row.id}/send-off", driver="Dora")
    key = re.search(r"/drive/([\w-]{22})", sheet.text)[1]
    assert key not in client.get(f"{AT}{row.id}/sheet").text, "the key is shown once"
    phone = ramp.visitor()
    shown = phone.get(f"/drive/{key}")
    assert shown.status_code == 200
    assert words(shown).index(f"Store {before[1]}") < words(shown).index(f"Store {before[0]}")
    said = {"store_id": before[1], "outcome": "delivered", "receiver": "Mo"}
    headers = {"X-CSRF-Token": token(phone)}
    assert phone.post(f"/drive/{key}", json=said, headers=headers).json["outcome"] == "delivered"
    assert phone.post(f"/drive/{key}", json=said, headers=headers).status_code == 200, "sent twice is said once"
    other = phone.post(f"/drive/{key}", json=said | {"receiver": "Li"}, headers=headers)
    assert (other.status_code, other.json["error"]["code"]) == (409, "stop-confirmed")
    assert phone.post(f"/drive/{key}", json=said).status_code == 400, "and not from another site"
    assert phone.get("/drive/" + "x" * 22).status_code == 404
    last = said | {"store_id": before[0], "outcome": "refused", "receiver": "", "note": "closed"}
    assert phone.post(f"/drive/{key}", json=last, headers=headers).status_code == 200
    with ramp.doors.read() as session:
        assert session.get_one(routes.DeliveryRoute, row.id).state == "done"


def test_a_round_that_does_not_go_on_is_ended_by_its_driver_or_the_operator(ramp):
    client, row = planned(ramp)
    assert post(client, f"{AT}{row.id}/end", why="Snow").status_code == 409, "it has not left"
    key = re.search(r"/drive/([\w-]{22})", post(client, f"{AT}{row.id}/send-off", driver="Dora").text)[1]
    with ramp.doors.read() as session:
        first, second = (stop.store_id for stop in routes.stops_of(session, row))
    phone = ramp.visitor()
    phone.get(f"/drive/{key}")
    said = {"store_id": first, "outcome": "not_reached"}
    headers = {"X-CSRF-Token": token(phone)}
    assert phone.post(f"/drive/{key}", json=said, headers=headers).status_code == 409, "without a reason"
    assert phone.post(f"/drive/{key}", json=said | {"note": "A flood"}, headers=headers).status_code == 200
    assert post(client, f"{AT}{row.id}/end", why=" ").status_code == 422
    for _click in range(2):
        assert post(client, f"{AT}{row.id}/end", why="The engine").status_code == 303
    shown = words(client.get(AT))
    assert "not reached: A flood" in shown
    assert "not reached: The engine" in shown
    with ramp.doors.read() as session:
        assert session.get_one(routes.DeliveryRoute, row.id).state == "done"
        assert session.get_one(routes.RouteStop, (row.id, second)).outcome == "not_reached"
    assert post(client, AT + "nothing/end", why="Snow").status_code == 404


def test_what_is_wrong_is_said_beside_what_was_typed(ramp):
    client = ramp.signed_in("operator")
    wrong = put_place(client, "S01", "north of the river")
    assert wrong.status_code == 422
    assert "Enter latitude and longitude, such as 31.2304" in words(wrong)
    assert 'value="north of the river"' in wrong.text
    assert post(client, AT + "vehicles", command_id=new_id(), name="", packs="40", **window()).status_code == 422
    assert "There is no vehicle yet" in words(post(client, AT + "plan", command_id=new_id()))
    assert post(client, AT + "nothing/send-off", driver="Dora").status_code == 404


def test_of_the_page_of_places_only_what_was_changed_is_kept(ramp):
    client = ramp.signed_in("operator")
    with ramp.doors.write() as session:  # while the page was open, somebody else moved store S02
        vehicles.place(Context(session, **BY), "S02", 41_000_000, -74_000_000)
    untouched = {"degrees": "40.740000, -73.960000", "from": "06:00", "until": "18:00", "service": "6"}
    others = {f"{name}-S02": text for name, text in untouched.items()} | {"was-S02": "|".join(untouched.values())}
    both = {"place": ["S01", "S02"]}
    assert put_place(client, "S01", "40.71, -73.91", **others, **both).status_code == 303
    with ramp.doors.read() as session:
        places = vehicles.places_of(session, ["S01", "S02"])
        assert (places["S01"].lat_e6, places["S02"].lat_e6) == (40_710_000, 41_000_000)


def test_a_plan_that_fails_leaves_the_rounds_and_says_so(ramp):
    client, row = planned(ramp)
    with ramp.doors.write() as session:  # of a warehouse that is not on the map any more: it cannot even be read
        session.add(routes.RoutePlan(id="0", warehouse_id="gone", day=NOON.date(), asked_at=NOON, fault="", calls=0,
                                     metres=0, left_out=[]))  # fmt: skip
    post(client, AT + "plan", command_id=new_id())

    def die(_function: Any, _loaded: Any) -> Any:
        raise RuntimeError("the child died")

    assert JOBS["plan-routes"].run(Desk(ramp.doors, compute=die), NOON.date()) == "0 routes"
    with ramp.doors.read() as session:
        assert [one.id for one in routes.routes_of(session, "WH1")] == [row.id]
        assert session.scalars(sa.select(routes.RoutePlan).where(routes.RoutePlan.done_at.is_(None))).all() == []
    assert "could not be planned" in words(client.get(AT))
