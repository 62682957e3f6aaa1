"""What a carrier of messages is given and promises, the door for those of plug-ins, and whether a node sends mail.

Rules
-----
1. A plug-in says whom it carries to, by e-mail address or phone, once and for all.
2. The envelope's id is the message's: the same id again is the same message, and is not delivered twice.
3. An address that is refused for good is Refused. What a plug-in raises besides, or keeps silent about for LIMIT_S, is
   Unreachable, with its own words where it has some: the message waits and is tried again.
4. One that is set up and cannot be made is asked all the same, and is Unreachable: no message ends for its sake.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from config.errors import DomainError, Refused, Unreachable
from config.plugins import Door, Guard, Stumble, label
from config.settings import Settings
from config.words import N_
from store_app.runtime import plugins

EMAIL, PHONE = "email", "phone"
LIMIT_S = 30.0


@dataclass(frozen=True)
class Envelope:
    """A message as it is carried."""

    id: str
    kind: str
    phone: str
    email: str
    subject: str
    text: str
    files: tuple[tuple[str, str, bytes], ...] = ()
    """(name, kind of content, content) of what is attached."""


class Carrier(Protocol):
    """Something that carries messages (rule 1)."""

    def reaches(self, envelope: Envelope) -> bool:
        """Tell whether it can reach whom the message is for."""
        ...

    def send(self, envelope: Envelope, *, at: dt.datetime) -> None:
        """Hand the message over."""
        ...


class CarrierPlugin(Protocol):
    """What a plug-in for carriers makes."""

    @property
    def carries(self) -> frozenset[str]:
        """Return whom it carries to (rule 1): EMAIL, PHONE or both."""
        ...

    def send(self, envelope: Envelope, *, at: dt.datetime) -> None:
        """Hand the message over, once per id (rules 2, 3)."""
        ...


class GuardedCarrier:
    """A plug-in's carrier (rules 1, 3). made: None where it cannot be made (rule 4)."""

    def __init__(self, name: str, made: CarrierPlugin | None = None) -> None:
        self.carries = frozenset(made.carries) if made else frozenset((EMAIL, PHONE))
        if not self.carries <= {EMAIL, PHONE} or (made and not callable(made.send)):
            raise TypeError("no carrier")
        self._made, self._guard = made, Guard(name)

    def reaches(self, envelope: Envelope) -> bool:
        """Tell whether it can reach whom the message is for."""
        return any(getattr(envelope, way) for way in self.carries)

    def send(self, envelope: Envelope, *, at: dt.datetime) -> None:
        """Hand the message over."""
        if self._made is None:
            raise _failed(self._guard.name, Stumble(self._guard.name, "not made", began=False))
        try:
            self._guard.ask(LIMIT_S, self._made.send, envelope, at=at)
        except (Refused, Unreachable):
            raise
        except (DomainError, Stumble) as fault:
            raise _failed(self._guard.name, fault) from None


def plugged(settings: Settings) -> list[GuardedCarrier]:
    """Return the carriers of the plug-ins that were set up here (rule 4)."""
    made = plugins.made(CARRIERS, settings)
    return [made.get(name) or GuardedCarrier(name) for name in plugins.taking_part(CARRIERS, settings).entered]


def sends_mail(settings: Settings) -> bool:
    """Tell whether an e-mail leaves this node; in practice it is logged."""
    return settings.sends_mail or any(EMAIL in one.carries for one in plugins.made(CARRIERS, settings).values())


# --- inside ---


def _failed(name: str, fault: DomainError | Stumble) -> Unreachable:
    words = fault.message if isinstance(fault, DomainError) else fault.args[1]
    return Unreachable(
        "carrier-plugin", "%(plugin)s did not send it: %(words)s", plugin=label(CARRIERS, name), words=words
    )


CARRIERS = Door("carriers", N_("Messages"), GuardedCarrier)
