"""Addresses whose builders are made late are those that werkzeug makes early."""

import pytest
from werkzeug.routing import Map, Rule

from tests.store_app.conftest import House

WORDS = {"slot": 7, "receipt_no": 7}


@pytest.mark.parametrize("role", ["store", "network"])
def test_every_route_has_the_address_it_would_have_had(build, role: str):
    house: House = build(role=role, node_id="S01" if role == "store" else "network")
    for route in house.app.url_map.iter_rules():
        values = {name: WORDS.get(name, "a b/ü") for name in route.arguments}
        early = Rule(route.rule, endpoint=route.endpoint, methods=route.methods)
        Map([early])
        for append_unknown in (True, False):
            asked = values | {"more": "1 &"}
            assert route.build(asked, append_unknown) == early.build(asked, append_unknown)
