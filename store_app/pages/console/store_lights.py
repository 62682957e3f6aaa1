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
from store_app.web.presenting import number, since
from supply.membership.overview import behind_since

HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(days=7)
UNCHECKED_FOR = dt.timedelta(days=2)
TO_DO = {
    HOUR: _l("Ask whether its internet is down. It can still sell."),
    DAY: _l("Call the store: check the router and run cornerstore doctor there."),
    WEEK: _l("Visit the store or get it online: its orders, stock and forecasts are out of date."),
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
        words = _("Its oldest unsent message is from %(when)s.", when=since(peer.oldest_at))
    else:
        words = _("At the last sync, %(when)s, nothing was overdue.", when=since(peer.heard_at))
    lights = [Light(_("Messages"), light, f"{words} {to_do}".strip())]
    if peer.free_bytes is None:
        reported = _("It does not report its computer’s condition yet. Update its software.")
        return [*lights, Light(_("Computer"), WARN, reported)]
    return [*lights, _catalogue(peer, newest_catalogue, now), _checked(peer, now), _disk(peer.free_bytes), _clock(peer)]


def _catalogue(peer: Peer, newest: dt.datetime | None, now: dt.datetime) -> Light:
    thing = _("Catalog")
    if peer.catalogue_at is None:
        return Light(thing, WARN if newest else GOOD, _("Not received yet."))
    words = _("Current version: %(when)s.", when=since(peer.catalogue_at))
    if newest is None or peer.catalogue_at >= newest:
        return Light(thing, GOOD, words)
    newer = _("A newer one from %(when)s will be sent at the next sync.", when=since(newest))
    return Light(thing, of_age(now - newest)[0], f"{words} {newer}")


def _checked(peer: Peer, now: dt.datetime) -> Light:
    thing = _("Books")
    if peer.checked_at is None:
        return Light(thing, WARN, _("Never verified. Nightly jobs aren’t running: is the worker up?"))
    words = _("Verified %(when)s.", when=since(peer.checked_at))
    if now - peer.checked_at < UNCHECKED_FOR:
        return Light(thing, GOOD, words)
    advice = _("Nightly jobs aren’t running: is the worker up?")
    return Light(thing, WARN, f"{words} {advice}")


def _disk(free: int) -> Light:
    words = _("%(free)s GB free.", free=number(free / 1e9, 1))
    light = BAD if free < LEAST_FREE else WARN if free < LOW_FREE else GOOD
    advice = _("Ask the store to free up space. A full disk stops sales.")
    return Light(_("Disk"), light, words if light == GOOD else f"{words} {advice}")


def _clock(peer: Peer) -> Light:
    off_s = peer.clock_off_s
    if off_s is None:
        return Light(_("Clock"), WARN, _("It does not report its time."))
    if abs(off_s) <= CLOCK_OFF_S:
        return Light(_("Clock"), GOOD, _("In sync."))
    words = _("%(seconds)s s ahead.", seconds=off_s) if off_s > 0 else ""
    words = words or _("%(seconds)s s behind.", seconds=-off_s)
    advice = _("Turn on “Set time automatically.”")
    return Light(_("Clock"), WARN, f"{words} {advice}")
