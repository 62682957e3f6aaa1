"""A scale as another package adds it: one in the network that speaks MT-SICS (`SI` is answered `S S      0.312 kg`)."""

import re
import socket
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, Field

from config.plugins import Plugin
from pos.till.scale_drivers import Reading, refusal


class Address(BaseModel):
    """What the shopkeeper enters."""

    host: str = Field(title="Address of the scale", min_length=1)
    port: int = Field(default=4305, title="Port", gt=0, lt=65536)


class SicsScale:
    """The scale: see `pos.till.scale_drivers.PluginScale` for what it promises."""

    def __init__(self, address: Address, _own: Path) -> None:
        self._at = address.host, address.port

    def weigh(self) -> Reading:
        """Ask for the weight now, settled or not."""
        try:
            with socket.create_connection(self._at, timeout=0.5) as line, line.makefile("rwb") as wire:
                wire.write(b"SI\r\n")
                wire.flush()
                said = wire.readline(64).decode("ascii", "replace").strip()
        except OSError as fault:
            raise refusal("scale-silent") from fault
        if said in ("S +", "S -"):
            raise refusal("scale-overload" if said == "S +" else "scale-below-zero")
        match = re.fullmatch(r"S ([SD]) +(-?[\d.]+) (\w+)", said)
        if match is None:
            raise refusal("scale-silent")
        state, weight, unit = match.groups()
        return Reading(Decimal(weight), unit, stable=state == "S")


PLUGIN = Plugin("corner-scale", "Scale in the network (MT-SICS)", Address, SicsScale, api=1)
