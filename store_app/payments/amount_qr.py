"""Bank transfers without a service: the till shows the code, a person says whether the money came.

The provider asks nobody (`pos.payments.bank_codes`): what it was asked stays open until the cashier answers or stops
it, and it gives nothing back, for only the store's bank can.
"""

import datetime as dt
import re
from pathlib import Path

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from config.errors import Invalid
from config.plugins import Plugin
from config.settings import Settings
from config.words import N_
from pos.payments import bank_codes
from pos.payments.providers import BANK_CODE, PAYMENTS, Outcome, Request
from store_app.runtime import plugins
from supply.money.pain001 import is_iban, tidy_account

NAME = "amount-qr"
BY_HAND = N_("Only your bank can send a transfer back. Refund it in cash, or by a transfer of your own.")
OTHER_CURRENCY = N_("No account is set up for this currency. Add it to the payment settings.")
_UPI_ID = re.compile(r"[A-Za-z0-9._-]{2,64}@[A-Za-z][A-Za-z0-9.-]{1,64}", re.ASCII)
_PIX_KEY = re.compile(
    r"\d{11}|\d{14}|\+55\d{10,11}|[^@\s]{1,60}@[^@\s]{3,60}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII
)


class AccountSettings(BaseModel):
    """The store's account; which code is shown follows the store's currency."""

    holder: str = Field(
        min_length=1, max_length=70, title=N_("Account holder"), description=N_("The name the bank knows.")
    )
    account: str = Field(
        max_length=42, title=N_("Account number"),
        description=N_("The IBAN, or the number as your bank statement writes it."),
    )  # fmt: skip
    bic: str = Field(default="", max_length=11, title=N_("BIC"), description=N_("Optional."))
    upi_id: str = Field(default="", max_length=130, title=N_("UPI ID"), description=N_("For a store in India."))
    pix_key: str = Field(default="", max_length=77, title=N_("Pix key"), description=N_("For a store in Brazil."))

    @field_validator("account")
    @classmethod
    def _is_account(cls, account: str) -> str:
        try:
            return tidy_account(account, "")[0]
        except Invalid as fault:
            raise ValueError(fault.sentence) from None

    @field_validator("bic")
    @classmethod
    def _is_bic(cls, bic: str) -> str:
        try:
            return tidy_account("0000", bic)[1]
        except Invalid as fault:
            raise ValueError(fault.sentence) from None

    @field_validator("upi_id", "pix_key")
    @classmethod
    def _is_key(cls, key: str, info: ValidationInfo) -> str:
        if key and info.field_name == "upi_id" and not _UPI_ID.fullmatch(key):
            raise ValueError(N_("A UPI ID looks like name@bank."))
        if key and info.field_name == "pix_key" and not _PIX_KEY.fullmatch(key):
            raise ValueError(
                N_("A Pix key is a CPF or CNPJ (digits only), a phone (+55…), an email address or a random key.")
            )
        return key

    @model_validator(mode="after")
    def _has_code(self) -> "AccountSettings":
        if not self.currencies:
            raise ValueError(N_("Enter an IBAN, a UPI ID or a Pix key."))
        return self

    @property
    def currencies(self) -> frozenset[str]:
        """Return the currencies there is a code for."""
        shown = {"EUR": is_iban(self.account), "INR": bool(self.upi_id), "BRL": bool(self.pix_key)}
        return frozenset(currency for currency, is_shown in shown.items() if is_shown)


class AmountQr:
    """The store's own bank account; see `pos.payments.providers.Provider`."""

    name = NAME
    ways = frozenset({BANK_CODE})

    def __init__(self, settings: AccountSettings, folder: Path) -> None:
        del folder
        self._settings, self.currencies = settings, settings.currencies

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Return the code to show; the same for the same payment."""
        del at
        if request.currency not in self.currencies:
            return Outcome("declined", reason=OTHER_CURRENCY)
        known, holder = self._settings, self._settings.holder
        if request.currency == "EUR":
            code = bank_codes.epc(request, holder=holder, iban=known.account, bic=known.bic)
        elif request.currency == "INR":
            code = bank_codes.upi(request, holder=holder, upi_id=known.upi_id)
        else:
            code = bank_codes.pix(request, holder=holder, key=known.pix_key)
        return Outcome("requested", reference=bank_codes.reference_of(request.id), shown_code=code)

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Know nothing more: a person says what became of it. One whose code was never made is begun again."""
        return Outcome("requested") if request.reference else self.begin(request, at=at)

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Stop waiting; a transfer that comes all the same stands on the page of bank statements."""
        del request, at
        return Outcome("cancelled")

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Decline: the store's bank alone sends money back."""
        del request, amount_minor, key, at
        return Outcome("declined", reason=BY_HAND)


def account_of(settings: Settings) -> str:
    """Return the store's account as its statements name it, '' where none was entered."""
    return str(plugins.values(PAYMENTS, settings, NAME).get("account", ""))


PLUGIN = Plugin(NAME, N_("Bank transfer (EPC, UPI, Pix code)"), AccountSettings, AmountQr, at=("store",))
