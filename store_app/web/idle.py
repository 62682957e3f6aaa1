"""A till that nobody touches: since when, as the server knows it.

Rules
-----
1. A store says after how many minutes its pages lock themselves (`Store.lock_minutes`; 0: never). Locked is signed out
   for good: whoever copied the cookie has nothing, and nothing is read or done until a PIN or a badge begins a session.
2. Hands count, not scripts: a page that is opened, a form that is sent, and what a page's script says of them in
   TOUCHED with what it asks by itself. What a script asks without saying so keeps nothing open.
3. The page locks itself at the same moment (static/common/lock.js); this is for a page that could not or was prevented.
4. While orders are on their way home, the page that shows them works on at doors without a line and does not lock: its
   session is left open until it opens another page.
5. A session that is new here, right after the node has started, too, is touched now. The node's web process is one.

Units: seconds.
"""

import datetime as dt

from flask import request

TOUCHED = "X-Touched"
"""The header in which a page's script says how many seconds ago somebody touched the page."""
ROAD = dt.timedelta(hours=12)
MOST_KEPT = 512
_SECONDS_PER_MINUTE = 60


class Hands:
    """When each session was last touched."""

    def __init__(self) -> None:
        self._touched: dict[str, dt.datetime] = {}

    def are_off(self, session_id: str, minutes: int, at: dt.datetime) -> bool:
        """Tell whether nobody has touched a session for so long; notes what this request says of hands (rule 2)."""
        last = self._touched.get(session_id, at)
        if (at - last).total_seconds() >= minutes * _SECONDS_PER_MINUTE:
            self._touched.pop(session_id, None)
            return True
        if len(self._touched) >= MOST_KEPT:
            self._touched.clear()
        self._touched[session_id] = _touched(last, at)
        return False

    def note_road(self, session_id: str, at: dt.datetime) -> None:
        """Leave the session open from whose page orders are brought home (rule 4)."""
        self._touched[session_id] = at + ROAD


# --- inside ---


def _touched(last: dt.datetime, at: dt.datetime) -> dt.datetime:
    """Return when hands were last on the page that asks (rule 2)."""
    said = request.headers.get(TOUCHED, "")
    if said.isascii() and said.isdigit():
        return max(last, at - dt.timedelta(seconds=int(said[:6])))
    by_itself = request.method == "GET" and (request.path.startswith("/api/") or "HX-Request" in request.headers)
    return last if by_itself else at
