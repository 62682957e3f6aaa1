"""One node's web application, put together from what its role opens."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config.clock import Clock
    from config.settings import Settings

PAGE_BYTES = 2_000_000


def create_app(settings: "Settings", clock: "Clock | None" = None) -> "Flask":
    """Put one node's web application together, in order: doors, security, languages, pages.

    The database must have its tables; a node row is made where there is none. The worker, the commands and the tests
    share everything but this: they open `extensions.open_doors()` without any web.
    """
    from config import private
    from store_app import roles
    from store_app.pages.common import refusals
    from store_app.practice import practice
    from store_app.runtime import doors, metrics
    from store_app.web import manual, presenting, routing, security, signed_in

    app = doors.Web(__name__)
    app.url_rule_class = routing.LateRule
    app.config.from_mapping(
        SECRET_KEY=private.node_secret(settings),
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},  # a fault in a log shows nobody's PIN, phone or key
        MAX_CONTENT_LENGTH=PAGE_BYTES,
        MAX_FORM_MEMORY_SIZE=PAGE_BYTES,
        # two nodes may live on one machine, and cookies know no ports; over TLS no other host may set one
        SESSION_COOKIE_NAME=f"{'__Host-' if settings.secure_cookies else ''}cornerstore_{settings.node_id}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=signed_in.SIGNED_IN_FOR,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_HEADERS=["X-CSRF-Token"],
        BOOTSTRAP_SERVE_LOCAL=True,
        BABEL_DEFAULT_LOCALE="en",
    )
    app.json = doors.PlainJson(app)
    doors.set_up(app, settings, clock)
    security.set_up(app, settings)
    presenting.set_up(app, settings)
    manual.set_up(app)
    practice.set_up(app)
    refusals.set_up(app)
    roles.register(app, settings)
    metrics.set_up(app, settings)
    return app
