"""The one door of a computer's first run: the set-up screens, and from the founding on the store itself.

Rules
-----
1. The screens answer this computer alone, and only a browser that was opened with the key that the program made when it
   started and showed in its window: nobody else in the house sets up the store. Everybody on the computer sees what a
   browser is started with, so it is started with a page that only its owner reads; that page leads here with the key,
   and is gone once the store is founded or the program ends.
2. Once the store is founded the screens are gone: the same address is the store's, and they never come back while the
   computer has its store.
3. What a screen was told is kept in a file beside the store's place, except the PIN, and is deleted when the store is
   founded.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from config import private
from config.errors import Refused

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

NOTES, PAGE = "first-run.json", "cornerstore-set-up.html"
_LEADS_ON = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={address}">'


class Entrance:
    """A WSGI application: the screens in a folder without a store, then what `opened` makes of its settings file."""

    def __init__(self, folder: Path, screens: Flask, opened: Callable[[Path], Flask], *, port: int) -> None:
        self.folder, self.port, self.key = folder, port, secrets.token_urlsafe(16)
        self.page = Path.home() / PAGE  # a browser that runs confined reads no hidden folder
        self._opened, self._alone = opened, threading.Lock()
        self._screens = self._app = screens
        screens.extensions["first_run"] = self

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self._app(environ, start_response)

    def page_to(self, address: str) -> str:
        """Write the page that leads to an address with the key, and return where a browser opens it (rule 1)."""
        private.write(self.page, _LEADS_ON.format(address=address))
        return self.page.as_uri()

    def begin(self, found: Callable[[], Path]) -> Flask:
        """Found the store, once, and answer with it from now on (rule 2); refused where it was founded meanwhile."""
        with self._alone:
            if self._app is not self._screens:
                raise Refused("store-founded", "This computer already has a store. Open it and sign in.")
            self._app = self._opened(found())
            for left in (self.folder / NOTES, self.page):
                left.unlink(missing_ok=True)
            return self._app

    # --- what was answered so far ---

    def answers(self) -> dict[str, Any]:
        """Return what the screens were told so far (rule 3)."""
        try:
            found = json.loads((self.folder / NOTES).read_text("utf-8"))
        except (OSError, ValueError):  # none yet, or half of one
            return {}
        return found if isinstance(found, dict) else {}

    def keep(self, **said: Any) -> None:
        """Keep what a screen was told."""
        private.write(self.folder / NOTES, json.dumps(self.answers() | said, ensure_ascii=False))


def entrance() -> Entrance:
    """Return the door that this request came through."""
    found: Entrance = current_app.extensions["first_run"]
    return found
