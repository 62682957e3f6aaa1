"""Structured logs: one JSON object a line on standard error, secrets never in it."""

import logging
import re
import sys
from typing import Any

if "rich" not in sys.modules:  # structlog would load it for tracebacks in color, which are never written: 3 MiB
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog

    del sys.modules["rich"]
import structlog

SECRET_WORDS = ("pin", "key", "token", "secret", "password", "code", "phone")


BADGES = re.compile(r"\d{40,}")
"""No number of the house is as long as a badge's: it goes wherever it stands, in a scanned address too."""


def set_up(*, level: str = "INFO", for_people: bool = False) -> None:
    """Set up structlog for this process; `for_people` writes coloured text instead of JSON."""
    renderer: Any = structlog.processors.JSONRenderer()
    if for_people:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a long job that is not run beside itself is no warning


def hide_secrets(_logger: Any, _method: str, event: Any) -> Any:
    """Blank every value whose name says it is a secret, and every badge within a text."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = BADGES.sub("…", value)
        if any(word == part for part in name.lower().split("_") for word in SECRET_WORDS):
            event[name] = "…"
    return event
