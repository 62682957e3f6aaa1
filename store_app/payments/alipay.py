"""Alipay, in person: a code on the customer's phone is charged, or the customer scans the code we show.

Rules
-----
1. The SDK signs and verifies, with the keys of the application (RSA2). An answer without Alipay's signature is none.
   Times are written as Beijing has them.
2. The payment is `out_trade_no`: our id, its hyphens as underscores, and so known again from a notice.
3. A shown code is no trade until a customer scans it. Until its end (`wallets`, rule 4) the service not knowing it says
   nothing; a payment that never had one was never seen.
4. Canceling closes what is unpaid, and what was paid a moment before goes back at once: both say that no money is here.
   It is asked about first, so that known money goes back as a refund.
5. A refund's number is our key, asked for again with the same one. What moved no money now counts as the service's own
   list of refunds has it.

Tested against a simulator, never against the live service.
"""

import datetime as dt
import re
import time
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator

from config.errors import Unreachable
from config.plugins import Plugin
from config.words import N_
from pos.payments import wallet_codes
from pos.payments.providers import LONGEST_WORDS, NEVER_SEEN, Outcome, Request
from pos.payments.wallet_codes import NAMES
from store_app.payments import wallets
from store_app.payments.wallets import CODE_OVER, CURRENCY, NOT_ALLOWED, NOT_SET_UP, TOO_LITTLE, Wallet, WalletSettings
from store_app.runtime import outgoing
from store_app.sync.wire import Shape

if TYPE_CHECKING:
    from alipay import AliPay

NAME = "alipay"
ADDRESS = "https://openapi.alipay.com"
GATEWAY = "/gateway.do"
BEIJING = ZoneInfo("Asia/Shanghai")
AGE_S = 26 * 3600
"""The service repeats a notice for 25 hours."""
CHARGED_FOR = "5m"
LONGEST_NAME = 40
DONE, WAITS, REFUSED = "10000", "10003", "40004"
UNKNOWN_TRADE = "ACQ.TRADE_NOT_EXIST"
STATES = {
    "WAIT_BUYER_PAY": "requested", "TRADE_SUCCESS": "captured", "TRADE_FINISHED": "captured",
    "TRADE_CLOSED": "cancelled",
}  # fmt: skip
"""The service's state -> our answer. TRADE_CLOSED: never paid, or refunded in full."""
REFUSALS = {
    "ACQ.PAYMENT_AUTH_CODE_INVALID": CODE_OVER, "ACQ.BUYER_BALANCE_NOT_ENOUGH": TOO_LITTLE,
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": TOO_LITTLE, "ACQ.BUYER_SELLER_EQUAL": NOT_ALLOWED,
    "ACQ.BUYER_ENABLE_STATUS_FORBID": NOT_ALLOWED, "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": NOT_ALLOWED,
    "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": NOT_ALLOWED, "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": NOT_ALLOWED,
    "ACQ.PAYMENT_REQUEST_HAS_RISK": NOT_ALLOWED, "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE": NOT_ALLOWED,
    "ACQ.TOTAL_FEE_EXCEED": NOT_ALLOWED, "ACQ.ACCESS_FORBIDDEN": NOT_SET_UP, "ACQ.PARTNER_ERROR": NOT_SET_UP,
    "ACQ.INVALID_PARAMETER": NOT_SET_UP, "ACQ.SELLER_BEEN_BLOCKED": NOT_SET_UP,
}  # fmt: skip
"""The codes by which a charge is refused for good."""

Answer = TypeVar("Answer", bound=Shape)


class AlipaySettings(WalletSettings):
    """An application at Alipay."""

    app: str = Field(
        pattern=r"^[0-9]{16}$", title=N_("App ID"),
        description=N_("16 digits, from Alipay's open platform. In-person payments must be enabled for it."),
    )  # fmt: skip
    public_key: str = Field(
        title=N_("Alipay public key"),
        description=N_("Alipay's own key, from the app's page on the open platform; not your app's public key."),
    )
    notice_address: str = Field(
        default="", title=N_("Notice address"),
        description=N_("This store's public address with /api/notices/alipay. Without it the till asks by itself."),
    )  # fmt: skip
    address: str = Field(
        default=ADDRESS, title=N_("Service address"), description=N_("Leave it as it is unless the service tells you.")
    )

    @field_validator("public_key")
    @classmethod
    def _is_public_key(cls, key: str) -> str:
        return wallets.public_key(key)

    @field_validator("address")
    @classmethod
    def _is_guarded(cls, address: str) -> str:
        return wallets.service_address(address)


class Said(Shape):
    """What every answer has. code: 10000 for done, 10003 for waiting, 40004 for no."""

    code: str
    sub_code: str = ""
    sub_msg: str = ""
    out_trade_no: str = ""


class Trade(Said):
    """What the service knows of a payment."""

    trade_no: str = ""
    trade_status: str = ""
    total_amount: str = ""
    trans_currency: str = CURRENCY


class Code(Said):
    """A code to show."""

    qr_code: str = ""


class Closed(Said):
    """What closing a payment did. retry_flag: Y where it is to be asked for again."""

    retry_flag: str = ""


class Refunded(Said):
    """What a refund did. fund_change: Y where money moved now."""

    fund_change: str = ""
    trade_no: str = ""


class Refund(Said):
    """What the service knows of a refund; nothing but its numbers where there is none."""

    out_request_no: str = ""
    refund_status: str = ""
    refund_amount: str = ""
    total_amount: str = ""


class Alipay(Wallet):
    """Alipay; see `pos.payments.providers.Provider`."""

    name = NAME
    wallet = wallet_codes.ALIPAY

    def __init__(self, settings: AlipaySettings, folder: Path) -> None:
        del folder
        super().__init__()
        self._settings = settings
        self._sdk: AliPay | None = None

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back, once per key (rule 5)."""
        wanted = {"out_trade_no": number_of(request.id), "out_request_no": key}
        said = self._ask(Refunded, "trade.refund", wanted | {"refund_amount": written(amount_minor)}, at)
        if said.code == DONE and said.fund_change == "Y":
            self._check(request, said)
            return Outcome("captured", said.trade_no)
        found = self._ask(Refund, "trade.fastpay.refund.query", wanted, at)
        if found.code == DONE and found.refund_status == "REFUND_SUCCESS":
            self._check(request, found, found.total_amount)
            if found.out_request_no != key or _minor(found.refund_amount) != amount_minor:
                raise _another()
            return Outcome("captured", said.trade_no)
        is_none = found.code == DONE or found.sub_code == UNKNOWN_TRADE
        if said.code == REFUSED and said.sub_code != "ACQ.SYSTEM_ERROR" and is_none:
            return Outcome("declined", reason=(said.sub_msg or said.sub_code)[:LONGEST_WORDS])
        raise _silent()

    def noticed(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Return the id of the payment a notice is about, '' for one that is known; refuse what is not ours."""
        from alipay.exceptions import AliPayException

        try:
            said = dict(parse_qsl(body.decode(), strict_parsing=True))
            kept = dict(said)
            is_signed = self._line().verify(kept, kept.pop("sign", ""))
            sent = dt.datetime.strptime(said.get("notify_time", ""), "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        except (AliPayException, ValueError) as fault:
            raise wallets.forged() from fault
        if not is_signed or abs(time.time() - sent.timestamp()) > AGE_S:
            raise wallets.forged()
        if said.get("app_id") != self._settings.app:
            raise wallets.elsewhere()
        return said.get("out_trade_no", "").replace("_", "-") if self._once(said.get("notify_id", "")) else ""

    # --- inside ---

    def _charge(self, request: Request, at: dt.datetime) -> Outcome:
        assert request.wallet is not None
        wanted = self._order(request) | {
            "scene": "bar_code", "auth_code": request.wallet.code, "timeout_express": CHARGED_FOR,
        }  # fmt: skip
        said = self._ask(Trade, "trade.pay", wanted, at)
        if said.code == DONE:
            self._check(request, said, said.total_amount)
            return Outcome("captured", said.trade_no)
        if said.code == WAITS:
            return Outcome("requested")
        if said.code == REFUSED and said.sub_code in REFUSALS:
            return Outcome("declined", reason=REFUSALS[said.sub_code])
        return self._state(request, at)

    def _show(self, request: Request, at: dt.datetime) -> Outcome:
        end = at + wallets.SHOWN_FOR
        minutes = f"{max(1, -(-(end - at) // dt.timedelta(minutes=1)))}m"
        wanted = self._order(request) | {"timeout_express": minutes, "qr_code_timeout_express": minutes}
        said = self._ask(Code, "trade.precreate", wanted, at)
        if said.code == DONE and said.qr_code:
            self._check(request, said)
            return wallets.shown(said.qr_code, end)
        if said.sub_code in REFUSALS:
            return Outcome("declined", reason=REFUSALS[said.sub_code])
        return self._state(request, at)

    def _state(self, request: Request, at: dt.datetime) -> Outcome:
        said = self._ask(Trade, "trade.query", {"out_trade_no": number_of(request.id)}, at)
        if said.code == REFUSED and said.sub_code == UNKNOWN_TRADE:
            is_shown = request.reference.startswith("until-")
            return Outcome("requested") if is_shown else Outcome("declined", reason=NEVER_SEEN)
        if said.code != DONE:
            raise _silent()
        self._check(request, said, said.total_amount)
        if (state := STATES.get(said.trade_status)) is None or said.trans_currency != CURRENCY:
            raise _another()
        return Outcome(state, said.trade_no if state != "requested" else "")

    def _stop(self, request: Request, at: dt.datetime) -> Outcome:
        said = self._ask(Closed, "trade.cancel", {"out_trade_no": number_of(request.id)}, at)
        if said.code != DONE or said.retry_flag != "N":
            return self._state(request, at)
        self._check(request, said)
        return Outcome("cancelled")

    def _order(self, request: Request) -> dict[str, Any]:
        name = re.sub(r"[^\w .,·-]", "", request.merchant)[:LONGEST_NAME]  # the service takes no special characters
        return {
            "out_trade_no": number_of(request.id), "total_amount": written(request.amount_minor),
            "subject": name or request.till_id, "terminal_id": request.till_id,
        }  # fmt: skip

    def _check(self, request: Request, said: Said, total: str | None = None) -> None:
        if said.out_trade_no != number_of(request.id) or (total is not None and _minor(total) != request.amount_minor):
            raise _another()

    def _ask(self, shape: type[Answer], method: str, wanted: dict[str, Any], at: dt.datetime) -> Answer:
        """Ask the service; returns its signed answer."""
        from alipay.exceptions import AliPayException, AliPayValidationError

        more = {"timestamp": f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"}
        if self._settings.notice_address and method in ("trade.pay", "trade.precreate"):
            more["notify_url"] = self._settings.notice_address
        try:
            said = self._line().server_api(f"alipay.{method}", wanted, **more)
        except AliPayValidationError as fault:
            raise Unreachable("alipay-unsigned", "The response is not signed by Alipay. We will ask again.") from fault
        except AliPayException as fault:  # refused before it was looked at, which the service does not sign
            raise Unreachable(
                "alipay-keys", "Alipay does not accept this store's keys. Check the payment settings."
            ) from fault
        except (ValueError, AttributeError, TypeError) as fault:  # no JSON, or none of its shape
            raise _silent() from fault
        try:
            return shape.model_validate(said)
        except ValidationError as fault:
            raise _another() from fault

    def _line(self) -> "AliPay":
        with self._lock:
            if self._sdk is None:
                self._sdk = _line_of(self._settings)
        return self._sdk


def number_of(id: str) -> str:
    """Return a payment's number at the service (rule 2)."""
    return id.replace("-", "_")


def written(amount_minor: int) -> str:
    """Return an amount as the service writes it."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def make(settings: AlipaySettings, folder: Path) -> Alipay:
    """Make the provider; ModuleNotFoundError without its SDK."""
    import alipay  # noqa: F401

    return Alipay(settings, folder)


PLUGIN = Plugin(NAME, NAMES[wallet_codes.ALIPAY], AlipaySettings, make)


# --- inside ---


def _line_of(settings: AlipaySettings) -> "AliPay":
    """Return the SDK, whose requests leave by `outgoing.client`."""
    import httpx2
    from alipay import AliPay

    class Line(AliPay):  # type: ignore[misc]  # the library has no types
        def verified_sync_response(self, data: dict[str, Any], response_type: str) -> dict[str, Any]:
            parts = self.sign_data(data).split("&")
            body = next(part for part in parts if part.startswith("biz_content="))
            parts.remove(body)  # what is sold and the customer's code stay out of the address
            headers = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
            try:
                with outgoing.client(settings.address, verify=tls, timeout=wallets.TIMEOUT_S) as client:
                    answer = client.post(f"{GATEWAY}?{'&'.join(parts)}", content=body, headers=headers)
            except httpx2.HTTPError as fault:
                raise _silent() from fault
            if answer.status_code != 200:
                raise _silent()
            said: dict[str, Any] = self._verify_and_return_sync_response(answer.text, response_type)
            return said

    tls = outgoing.context()
    return Line(
        settings.app, app_private_key_string=settings.private_key.get_secret_value(),
        alipay_public_key_string=settings.public_key,
    )  # fmt: skip


def _minor(text: str) -> int | None:
    """Return an amount as the service writes it in the smallest unit; None for no such amount."""
    try:
        minor = Decimal(text) * 100
    except InvalidOperation:
        return None
    return int(minor) if minor.is_finite() and minor == int(minor) else None


def _silent() -> Unreachable:
    return Unreachable("alipay-silent", "Alipay is not responding.")


def _another() -> Unreachable:
    return Unreachable("alipay-another", "Alipay’s response was for another payment. We will ask again.")
