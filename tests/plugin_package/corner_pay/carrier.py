"""A carrier as another package adds it: texts for the SMS Server Tools, which send what lies in their folder."""

import datetime as dt
from pathlib import Path

from pydantic import BaseModel, Field

from config.errors import Unreachable
from config.plugins import Plugin
from store_app.mail.envelopes import PHONE, Envelope


class Outgoing(BaseModel):
    """What the shopkeeper enters."""

    folder: str = Field(title="Outgoing folder", min_length=1, description="Such as /var/spool/sms/outgoing.")


class TextFolder:
    """The carrier: see `store_app.mail.envelopes.CarrierPlugin` for what each method promises."""

    carries = frozenset({PHONE})

    def __init__(self, settings: Outgoing, own: Path) -> None:
        self._folder, self._own = Path(settings.folder), own

    def send(self, envelope: Envelope, *, at: dt.datetime) -> None:
        """Lay the text down, once per id: an empty file of its own tells which have been."""
        sent = self._own / envelope.id
        if sent.exists():
            return
        unfinished = self._own / f"{envelope.id}.part"
        words = f"To: {envelope.phone.lstrip('+')}\nAlphabet: UTF-8\n\n{envelope.text}"
        try:
            unfinished.write_text(words, "utf-8")
            unfinished.replace(self._folder / envelope.id)
        except OSError as fault:
            raise Unreachable("sms-folder", "The folder for texts is not there.") from fault
        sent.write_text(at.isoformat())


PLUGIN = Plugin("corner-sms", "SMS Server Tools", Outgoing, TextFolder, api=1)
