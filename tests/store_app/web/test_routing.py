"""Addresses whose builders are made late are those werkzeug makes early; what is loaded late stays out till then."""

import subprocess
import sys

import pytest
from werkzeug.routing import Map, Rule

from config import migrate
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


def test_a_shops_web_process_begins_without_the_libraries_it_seldom_needs(tmp_path):
    """Each costs every store's computer a second at the start and memory all day."""
    words = (
        "import sys, pathlib; from store_app.commands import cli, serve;"
        "from config.settings import Settings; from store_app.app import create_app;"
        "from store_app.node.founding import set_up; from store_app.runtime.doors import open_doors;"
        "settings = Settings(node_id='S01', state_folder=pathlib.Path(sys.argv[1]), database_url=sys.argv[2],"
        " secret_key='x' * 40); set_up(open_doors(settings));"
        "create_app(settings).test_client().get('/signin');"
        "seldom = {'numpy', 'scipy', 'pandas', 'statsmodels', 'alembic', 'cryptography', 'httpx2', 'markdown_it',"
        " 'prometheus_client', 'pygments', 'reportlab', 'rich', 'schwifty', 'sqlalchemy.dialects.postgresql',"
        " 'uharfbuzz'};"
        "print(sorted(seldom & set(sys.modules)))"
    )
    address = f"sqlite:///{tmp_path / 'S01.db'}"
    migrate.upgrade(address)
    command = [sys.executable, "-c", words, str(tmp_path), address]
    reported = subprocess.run(command, capture_output=True, text=True, check=True)
    assert reported.stdout.strip() == "[]"
