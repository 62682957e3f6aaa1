"""Requests of a page that a test keeps back from the server until it lets them go: the page hears nothing of them."""

import re
import time

from playwright.sync_api import Page, Route

_PATIENT = "AbortSignal.timeout = () => new AbortController().signal;"


class Held:
    """What a page sends to addresses of a pattern from now on, oldest first, `most` at most: the rest goes through.

    The page waits for every answer as long as it takes: on a busy machine it would give up what is held here.
    """

    def __init__(self, page: Page, pattern: str | re.Pattern[str], *, most: int = 1_000) -> None:
        self._page = page
        self._room = most
        self._routes: list[Route] = []
        page.add_init_script(_PATIENT)
        page.evaluate(f"() => {{ {_PATIENT} }}")
        page.route(pattern, self._hear)

    def _hear(self, route: Route) -> None:
        if self._room:
            self._room -= 1
            self._routes.append(route)
        else:
            route.continue_()

    def take(self) -> Route:
        """Return the oldest one not yet taken; waits until one is here, a minute at most."""
        until = time.monotonic() + 60
        while not self._routes:
            assert time.monotonic() < until, "the page sent nothing that is held"
            self._page.evaluate("() => 0")  # what the browser said before its answer is heard before it
        return self._routes.pop(0)

    def let_go(self) -> None:
        """Hold nothing from now on, and send on what is held and not taken."""
        self._room = 0
        for route in self._routes:
            route.continue_()
