"""A form of file as another package reads it: a JSON list of objects, whose keys are the columns."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel

from config.errors import Invalid
from config.plugins import Plugin


class NoSettings(BaseModel):
    """Nothing has to be entered."""


class JsonList:
    """The importer: see `store_app.files.plugged.Importer` for what each method promises."""

    def __init__(self, _settings: NoSettings, _own: Path) -> None:
        pass

    def recognizes(self, raw: bytes) -> bool:
        """A list of objects begins so, and no other table does."""
        return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"[" and b"{" in raw[:200]

    def rows(self, raw: bytes) -> Iterator[list[str | int | Decimal]]:
        """Yield the keys, then the values in their order."""
        try:
            objects = json.loads(raw, parse_float=Decimal)
        except ValueError as fault:
            raise Invalid("json", "The JSON file is cut off. Save it again.") from fault
        keys = list(dict.fromkeys(key for one in objects for key in one))
        yield list(keys)
        for one in objects:
            yield ["" if one.get(key) is None else one[key] for key in keys]


PLUGIN = Plugin("corner-list", "JSON list", NoSettings, JsonList, api=1)
