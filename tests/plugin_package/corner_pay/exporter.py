"""A form of file as another package writes it: a JSON list of objects, as `corner_pay.importer` reads it."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from config.plugins import Plugin


class Look(BaseModel):
    """What the shopkeeper enters."""

    spread: bool = Field(default=False, title="One value a line")


class JsonFile:
    """The exporter: see `store_app.files.plugged.Exporter` for what each method promises."""

    suffix, media = "json", "application/json"

    def __init__(self, look: Look, _own: Path) -> None:
        self._look = look

    def write(self, title: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
        """Return the rows as objects; Decimals and days as texts, which lose nothing."""
        del title
        objects = [dict(zip(head, row, strict=True)) for row in rows]
        indent = 1 if self._look.spread else None
        return json.dumps(objects, ensure_ascii=False, default=str, indent=indent).encode()


PLUGIN = Plugin("corner-json", "JSON", Look, JsonFile, api=1)
