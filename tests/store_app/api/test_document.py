"""The API's document: it names every route with its body and its rule, and what it promises is kept for everybody."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import openapi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from store_app.api.document import KEYS, api_routes, describe
from store_app.web.security import rule_of
from tests.store_app.api.test_hostile import Attack, attack, corpus
from tests.store_app.conftest import House

__all__ = ["attack", "corpus"]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FEW, MANY = 2, 100


@pytest.fixture(params=["house", "network"])
def node(request: pytest.FixtureRequest) -> House:
    """Give a node of each role."""
    found: House = request.getfixturevalue(request.param)
    return found


def test_every_route_for_programs_is_told_with_its_rule_and_its_body(node: House):
    reported = node.visitor().get("/api/openapi.json").json
    assert reported == describe(node.app)
    unreported = []
    for rule in api_routes(node.app):
        path = rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation, who = reported["paths"][path][method.lower()], rule_of(node.app, rule.endpoint)
            opened = [list(one) for one in operation.get("security", [])]
            expected = {"public": []}.get(str(who), [["session", "token"] if method == "POST" else ["session"]])
            assert opened == ([[KEYS[who]]] if who in KEYS else expected)
            if method == "POST" and "requestBody" not in operation:
                unreported.append(f"{method} {path}")
    assert unreported == []


def broken_promises(attack: Attack, examples: int, part: int = 0, parts: int = 1) -> Iterator[str]:
    """Ask everything as everybody who has a key with what the document allows; yields each promise that is broken.

    part, parts: every so many operations alone, counted from there.
    """
    schema = openapi.from_dict(describe(attack.house.app))
    schema.app = attack.house.app
    people = attack.people()
    del people["stranger"]  # what is shut to a stranger the matrix of routes tells
    for operation in [result.ok() for result in schema.get_all_operations()][part::parts]:
        cases = operation.as_strategy()  # what may be sent is worked out once for all of them
        for who, client in people.items():
            try:
                ask_often(cases, attack.real, signs_of(client), examples)
            except (AssertionError, BaseExceptionGroup) as broken:
                faults = broken.exceptions if isinstance(broken, BaseExceptionGroup) else [broken]
                yield f"{who} {operation.label}: {'; '.join(map(str, faults))}"


def ask_often(
    cases: st.SearchStrategy[Any], real: dict[str, str], signs: dict[str, dict[str, str]], examples: int
) -> None:
    """Ask one operation with so many bodies, at invented places and at those that are there."""

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, at_home=st.booleans())
    def ask(case: Any, at_home: bool) -> None:
        if at_home:
            case.path_parameters.update({name: real[name] for name in case.path_parameters if name in real})
        if isinstance(case.body, dict) and "wait_s" in case.body:
            case.body["wait_s"] = 0  # an agent's long wait for paper tells nothing more
        case.validate_response(case.call(**signs), checks=CHECKS)

    ask()


def signs_of(client: FlaskClient) -> dict[str, dict[str, str]]:
    """Return by what this browser or device is known."""
    headers = {"X-CSRF-Token": client.environ_base["HTTP_X_CSRF_TOKEN"]}
    if key := client.environ_base.get("HTTP_AUTHORIZATION"):
        headers["Authorization"] = key
    return {"headers": headers, "cookies": {cookie.key: cookie.value for cookie in client._cookies.values()}}


def test_what_the_document_promises_is_kept_for_everybody(attack: Attack):
    assert list(broken_promises(attack, FEW)) == []


@pytest.mark.faults
def test_what_the_document_promises_is_kept_for_everybody_at_large(attack: Attack):
    part, parts = os.environ.get("FAULT_PART", "0/1").split("/")
    assert list(broken_promises(attack, MANY, int(part), int(parts))) == []
