"""How a store's computer is, as it said at its last contact: a light and a sentence that says what to do.

Rules
-----
1. What is unknown here since an hour is amber, since a day red, since a week red with another thing to do: a store that
   is cut off sells on, but everybody else reckons with old figures of it.
2. A catalogue is old where the network has made a newer one since: by its age then, as above.
3. Free disk and clock as the doctor judges them; books that were not checked for two days are looked at.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.nodes.node import Peer
from store_app.node.doctor import BAD, CLOCK_OFF_S, GOOD, LEAST_FREE, LOW_FREE, WARN
from store_app.web.presenting import since
from supply.membership.overview import behind_since

HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(days=7)
UNCHECKED_FOR = dt.timedelta(days=2)
TO_DO = {
    HOUR: _l("Ask whether its line is down. It sells on meanwhile."),
    DAY: _l("Call the store: let it look at its router, and at what cornerstore doctor says there."),
    WEEK: _l("Go there or give it another line: its orders, stock and forecasts stand on old figures by now."),
}


@dataclass(frozen=True)
class Light:
    """One thing of a store's computer."""

    thing: str
    light: str
    sentence: str


def of_age(age: dt.timedelta) -> tuple[str, Any]:
    """Return the light of what is unknown for so long, and what to do; no words where it is good (rule 1)."""
    passed = [limit for limit in TO_DO if age >= limit]
    if not passed:
        return GOOD, ""
    return (WARN if passed[-1] == HOUR else BAD), TO_DO[passed[-1]]


def of_store(peer: Peer, newest_catalogue: dt.datetime | None, now: dt.datetime) -> list[Light]:
    """Return every light of a store's computer; newest_catalogue: when the network made the one meant for it."""
    light, to_do = of_age(now - behind_since(peer))
    if peer.oldest_at is not None and now - peer.oldest_at >= HOUR:
        words = _("The oldest message it has not sent was written %(when)s.", when=since(peer.oldest_at))
    else:
        words = _("At its last contact, %(when)s, nothing waited for long.", when=since(peer.heard_at))
    lights = [Light(_("Messages"), light, f"{words} {to_do}".strip())]
    if peer.free_bytes is None:
        reported = _("Its program does not say yet how its computer is. Bring it up to date.")
        return [*lights, Light(_("Computer"), WARN, reported)]
    return [*lights, _catalogue(peer, newest_catalogue, now), _checked(peer, now), _disk(peer.free_bytes), _clock(peer)]


def _catalogue(peer: Peer, newest: dt.datetime | None, now: dt.datetime) -> Light:
    thing = _("Catalogue")
    if peer.catalogue_at is None:
        return Light(thing, WARN if newest else GOOD, _("It has taken over none yet."))
    words = _("The one it sells by was made %(when)s.", when=since(peer.catalogue_at))
    if newest is None or peer.catalogue_at >= newest:
        return Light(thing, GOOD, words)
    newer = _("A newer one was made %(when)s, and waits for its next contact.", when=since(newest))
    return Light(thing, of_age(now - newest)[0], f"{words} {newer}")


def _checked(peer: Peer, now: dt.datetime) -> Light:
    thing = _("Books")
    if peer.checked_at is None:
        return Light(thing, WARN, _("They were never checked. Its nights are not kept: is the worker running?"))
    words = _("Checked with their chain %(when)s.", when=since(peer.checked_at))
    if now - peer.checked_at < UNCHECKED_FOR:
        return Light(thing, GOOD, words)
    advice = _("Its nights are not kept: is the worker running?")
    return Light(thing, WARN, f"{words} {advice}")


def _disk(free: int) -> Light:
    words = _("%(free)s GB are free.", free=f"{free / 1e9:.1f}")
    light = BAD if free < LEAST_FREE else WARN if free < LOW_FREE else GOOD
    advice = _("Let the store delete what nobody needs: with a full disk nothing more can be sold.")
    return Light(_("Disk"), light, words if light == GOOD else f"{words} {advice}")


def _clock(peer: Peer) -> Light:
    off_s = peer.clock_off_s
    if off_s is None:
        return Light(_("Clock"), WARN, _("It does not say what time it is there."))
    if abs(off_s) <= CLOCK_OFF_S:
        return Light(_("Clock"), GOOD, _("It goes with ours."))
    words = _("It is ahead of ours by %(seconds)s s.", seconds=off_s) if off_s > 0 else ""
    words = words or _("It is behind ours by %(seconds)s s.", seconds=-off_s)
    advice = _("Let the internet set it.")
    return Light(_("Clock"), WARN, f"{words} {advice}")
