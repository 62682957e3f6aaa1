"""Pages drawn once for all who see the very same, with what is each visitor's own put in at the end.

Rules
-----
1. A drawing is kept under all that it shows, by value: where anything differs it is another one, so none grows old.
2. Each visitor's form token and this answer's nonce stand in a kept drawing as marks. They are made with the process
   and leave it in no answer, so that nobody can write one.
3. Whoever is told something of their own (a message, a basket) gets a page drawn for them.
"""

import secrets
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from flask import Response, g, make_response, render_template, request
from flask import session as visitor
from flask_wtf.csrf import generate_csrf

from store_app.web.presenting import language, look, page
from store_app.web.security import csp_nonce

_TOKEN, _NONCE = (secrets.token_urlsafe(32) for _ in range(2))


class Drawings:
    """Drawn pages by what they show; emptied when it is full."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Hashable, str] = {}

    def part(self, shows: Hashable, template: str, **context: Any) -> str:
        """Return a part of a page that holds nothing of any visitor's own; its language is in what it shows."""
        drawn = self._kept.get(shows)
        if drawn is None:
            drawn = render_template(template, **context)
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[shows] = drawn
        return drawn

    def page(self, shows: Hashable | None, template: str, **context: Any) -> Response:
        """Answer with a page that shows this in this language, look and address; None: it has their own (rule 3)."""
        if shows is None or "_flashes" in visitor:
            return page(template, **context)
        own = generate_csrf(), csp_nonce()
        g.csrf_token, g.nonce = _TOKEN, _NONCE
        try:
            drawn = self.part((request.full_path, language(), look(), shows), template, **context)
        finally:
            g.csrf_token, g.nonce = own
        return make_response(drawn.replace(_TOKEN, own[0]).replace(_NONCE, own[1]))


class Pictures:
    """Pictures by the fingerprint of what they show: each is drawn once, one at a time, so many new ones a minute.

    The oldest goes when it is full.
    """

    def __init__(self, most: int, a_minute: int) -> None:
        self._most, self._a_minute = most, a_minute
        self._kept: dict[str, bytes] = {}
        self._minute, self._drawn = 0, 0
        self._one = threading.Lock()

    def get(self, fingerprint: str, draw: Callable[[], bytes]) -> bytes | None:
        """Return a picture; None where this minute's are drawn."""
        if (known := self._kept.get(fingerprint)) is not None:
            return known
        with self._one:
            if (known := self._kept.get(fingerprint)) is not None:
                return known
            if (minute := int(time.monotonic() // 60)) != self._minute:
                self._minute, self._drawn = minute, 0
            if self._drawn >= self._a_minute:
                return None
            self._drawn += 1
            if len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            made = self._kept[fingerprint] = draw()
            return made
