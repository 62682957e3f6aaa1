"""A payment service as another package adds it: the smallest that is whole. It keeps what it was asked in a file."""

import datetime as dt
import json
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from config.plugins import Plugin
from pos.payments.providers import NEVER_SEEN, Outcome, Request


class Account(BaseModel):
    """What the shopkeeper enters."""

    merchant: str = Field(title="Merchant number", min_length=4, description="It is on your contract.")
    key: SecretStr = Field(title="Secret key")
    fast: bool = Field(default=True, title="Answer at once")

    @field_validator("merchant")
    @classmethod
    def _is_number(cls, merchant: str) -> str:
        if not merchant.isdigit():
            raise ValueError("The merchant number has digits only.")
        return merchant


class CornerPay:
    """The provider: see `pos.payments.providers.Provider` for what each method promises."""

    name = "corner-pay"
    ways = frozenset({"terminal"})

    def __init__(self, account: Account, folder: Path) -> None:
        self._account, self._file = account, folder / "asked.json"

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Take the money; the same id again takes none."""
        del at
        asked = self._asked() | {request.id: request.amount_minor}
        self._file.write_text(json.dumps(asked))
        return Outcome("captured", reference=f"{self._account.merchant}-{len(asked)}")

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Say what became of it."""
        del at
        return Outcome("captured") if request.id in self._asked() else Outcome("declined", reason=NEVER_SEEN)

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """It is too late for what was taken."""
        return self.query(request, at=at) if request.id in self._asked() else Outcome("cancelled")

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back, once per key."""
        del at
        asked = self._asked()
        back = {one: amount for one, amount in asked.items() if one.startswith(f"{request.id}:back:")}
        name = f"{request.id}:back:{key}"
        if name not in back and sum(back.values()) + amount_minor > asked.get(request.id, 0):
            return Outcome("declined", reason="more than was taken")
        self._file.write_text(json.dumps(asked | {name: amount_minor}))
        return Outcome("captured")

    def _asked(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return found


PLUGIN = Plugin("corner-pay", "Corner Pay", Account, CornerPay, api=1)
