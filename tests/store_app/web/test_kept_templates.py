"""Compiled templates: kept beside the books for the next start, and never in the way."""

from flask import Flask

from store_app.app import create_app
from tests.store_app.conftest import House


def opened_anew(house: House) -> Flask:
    """Open the node again, as a machine does that was switched on."""
    return create_app(house.doors.settings, house.clock)


def test_a_page_compiled_before_is_not_compiled_at_the_next_start(house: House, monkeypatch):
    monkeypatch.setattr(Flask, "jinja_options", {})
    opened_anew(house).test_client().get("/signin")
    kept = house.doors.settings.state_folder / "templates"
    written = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    app = opened_anew(house)
    monkeypatch.setattr(app.jinja_env, "_generate", None)
    assert app.test_client().get("/signin").status_code == 200
    assert written
    assert written == {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}


def test_a_page_opens_where_nothing_can_be_kept_and_where_what_was_kept_is_broken(house: House, monkeypatch):
    monkeypatch.setattr(Flask, "jinja_options", {})
    kept = house.doors.settings.state_folder / "templates"
    kept.write_text("no folder")
    assert opened_anew(house).test_client().get("/signin").status_code == 200
    kept.unlink()
    opened_anew(house).test_client().get("/signin")
    for path in kept.iterdir():
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))  # what a power cut leaves
    assert opened_anew(house).test_client().get("/signin").status_code == 200
