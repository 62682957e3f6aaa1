"""The API told to programs: an OpenAPI 3.1 document made from the routes, their rules and the shapes they take.

What a route needs is read from itself: its rule (`store_app.web.security`), its body (`bodies.takes`), what it reads
from the address (`bodies.asks`), its first sentence. A route cannot be left out, and nothing is written down twice.
"""

import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from store_app.web.security import public, rule_of

bp = Blueprint("api_document", __name__, url_prefix="/api")
KEYS = {"device": "storeKey", "agent": "printerKey", "watcher": "metricsKey", "partner": "partnerKey"}
"""Rules that a bearer key opens, and what the key is called; every other rule but public is a person's permission."""
READS, WRITES = ("GET",), ("POST", "PUT", "PATCH", "DELETE")


class Fault(BaseModel):
    """Why something was refused: a code for programs, a sentence for people, the figures of it."""

    code: str
    message: str
    facts: dict[str, Any]


class Refusal(BaseModel):
    """The answer to whatever is refused; nothing was written."""

    error: Fault


@bp.get("/openapi.json")
@public
def document() -> Response:
    """Answer this document."""
    return jsonify(describe(current_app))


def describe(app: Flask, under: str = "/") -> dict[str, Any]:
    """Return the OpenAPI document of the routes this node has. under: of those alone whose address begins so."""
    routes = sorted((rule for rule in api_routes(app) if rule.rule.startswith(under)), key=lambda rule: rule.rule)
    kinds: tuple[tuple[str, JsonSchemaMode], ...] = (("shape", "validation"), ("answer", "serialization"))
    shapes = {(shape, mode) for rule in routes for mark, mode in kinds if (shape := _mark(app, rule, mark))}
    _, schemas = models_json_schema(
        sorted(shapes | {(Refusal, "validation")}, key=lambda one: one[0].__name__),
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Any] = {}
    for rule in routes:
        for method in sorted((rule.methods or set()) & {*READS, *WRITES}):
            paths.setdefault(_path(rule), {})[method.lower()] = _operation(app, rule, method)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cornerstore", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]},
                "token": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
                **{name: {"type": "http", "scheme": "bearer"} for name in KEYS.values()},
            },
        },
    }


def api_routes(app: Flask) -> Iterator[Rule]:
    """Yield the routes that are for programs."""
    return (rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/") or rule.rule == "/health")


# --- inside ---


def _operation(app: Flask, rule: Rule, method: str) -> dict[str, Any]:
    words = (app.view_functions[rule.endpoint].__doc__ or "").strip()
    who = rule_of(app, rule.endpoint)
    reported: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "-"),
        "summary": words.split("\n")[0],
        "parameters": [
            *map(_place, sorted(rule.arguments)),
            *_asked(_mark(app, rule, "asked") or {}),
            *_needed(_mark(app, rule, "needs") or {}),
        ],
        "responses": {
            **_answer(app, rule),
            "4XX": _refusal("Refused, with a sentence that says what to do."),
            "503": _refusal("What this needs cannot be reached now."),
        },
    }
    if rest := " ".join(words.split("\n")[1:]).strip():
        reported["description"] = re.sub(r"\s+", " ", rest)
    if who in KEYS:
        reported["security"] = [{KEYS[who]: []}]
        if scope := _mark(app, rule, "scope"):
            reported["x-scope"] = scope
    elif who != "public":
        reported["security"] = [{"session": [], **({"token": []} if method in WRITES else {})}]
        reported["x-permission"] = who
    if shape := _mark(app, rule, "shape"):
        reported["requestBody"] = {
            "required": any(field.is_required() for field in shape.model_fields.values()),
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}},
        }
    return reported


def _answer(app: Flask, rule: Rule) -> dict[str, Any]:
    if shape := _mark(app, rule, "answer"):
        schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
        return {"200": {"description": "Done.", "content": {"application/json": {"schema": schema}}}}
    return {
        "2XX": {"description": "Done.", "content": {_mark(app, rule, "media") or "application/json": {}}},
        "3XX": {"description": "Nothing new since the ETag that was sent."},
    }


def _mark(app: Flask, rule: Rule, name: str) -> Any:
    return getattr(app.view_functions[rule.endpoint], name, None)


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _place(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _asked(words: dict[str, str]) -> Iterator[dict[str, Any]]:
    return (
        {"name": name, "in": "query", "description": what, "schema": {"type": "string"}} for name, what in words.items()
    )


def _needed(words: dict[str, str]) -> Iterator[dict[str, Any]]:
    schema = {"type": "string", "minLength": 8, "maxLength": 80, "pattern": "^[!-~]+$"}
    return (
        {"name": name, "in": "header", "required": True, "description": what, "schema": schema}
        for name, what in words.items()
    )


def _refusal(words: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return {"description": words, "content": content}
