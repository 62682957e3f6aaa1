"""WeChat Pay, API v3: a code on the customer's phone is charged, or the customer scans the code we show.

Rules
-----
1. The SDK signs, verifies, decrypts and fetches the platform's certificates. Every answer of success and every notice
   is signed, at most AGE_S old, and by the key of the settings or a certificate that is valid today. The service does
   not sign every refusal; no refusal says that money moved.
2. Certificates are fetched at the first question and for a serial number nobody knows, but at most once a minute: a
   forged notice cannot keep the node asking. New ones that cannot be had leave the old ones in place.
3. The payment is `out_trade_no`, of at most 32 letters and digits: our id, or a hash of one that is longer. Our id
   rides in `attach`.
4. A refund's number is our key, asked for again with the same one. A refusal of it counts once the service has no
   refund of that number. One that is stuck at the bank is unknown until a person finished it in the merchant portal.

Tested against a simulator, never against the live service.
"""

import datetime as dt
import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from config.errors import DomainError, Unreachable
from config.ids import is_id
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
    from wechatpayv3.core import Core

NAME = "wechat-pay"
ADDRESS = "https://api.mch.weixin.qq.com"
AGE_S = 300
RENEWED_S = 60.0
LONGEST_NAME = 40
STATES = {
    "SUCCESS": "captured", "REFUND": "captured", "NOTPAY": "requested", "USERPAYING": "requested",
    "ACCEPT": "requested", "CLOSED": "cancelled", "REVOKED": "cancelled", "PAYERROR": "declined",
}  # fmt: skip
"""The service's state -> our answer. REFUND: it was paid, and something of it went back."""
REFUNDS = {"SUCCESS": "captured", "PROCESSING": "requested", "CLOSED": "declined", "ABNORMAL": "unknown"}
REFUSALS = {
    "AUTH_CODE_EXPIRED": CODE_OVER, "AUTH_CODE_INVALID": CODE_OVER, "AUTH_CODE_ERROR": CODE_OVER,
    "AUTHCODEEXPIRE": CODE_OVER, "NOT_ENOUGH": TOO_LITTLE, "NOTENOUGH": TOO_LITTLE, "RULE_LIMIT": NOT_ALLOWED,
    "RULELIMIT": NOT_ALLOWED, "USER_ACCOUNT_ABNORMAL": NOT_ALLOWED, "ACCOUNT_ERROR": NOT_ALLOWED,
    "NO_AUTH": NOT_SET_UP, "NOAUTH": NOT_SET_UP, "APPID_MCHID_NOT_MATCH": NOT_SET_UP, "MCH_NOT_EXISTS": NOT_SET_UP,
    "PARAM_ERROR": NOT_SET_UP,
}  # fmt: skip
"""The codes by which a charge is refused for good."""
STUCK = N_("This refund is stuck at the customer's bank. Finish it in WeChat Pay's merchant portal.")
PAY, REFUND = "/v3/pay/transactions", "/v3/refund/domestic/refunds"

Answer = TypeVar("Answer", bound=Shape)


class WechatPaySettings(WalletSettings):
    """A merchant's account at WeChat Pay."""

    merchant: str = Field(
        pattern=r"^[0-9]{8,12}$", title=N_("Merchant number"),
        description=N_("8 to 12 digits, from WeChat Pay's merchant portal."),
    )  # fmt: skip
    app: str = Field(
        pattern=r"^wx[0-9a-f]{16}$", title=N_("App ID"),
        description=N_("The app or official account linked to the merchant number. It begins with wx."),
    )  # fmt: skip
    certificate: str = Field(
        pattern=r"^[0-9A-Fa-f]{16,40}$", title=N_("Certificate serial number"),
        description=N_("The serial number of the merchant certificate that belongs to the private key."),
    )  # fmt: skip
    secret_key: SecretStr = Field(
        title=N_("APIv3 key"), description=N_("32 characters that you chose in the merchant portal.")
    )
    public_key: str = Field(
        default="", title=N_("WeChat Pay public key"),
        description=N_("With its ID, from the merchant portal. Leave both empty for platform certificates."),
    )  # fmt: skip
    public_key_id: str = Field(
        default="", pattern=r"^(PUB_KEY_ID_[0-9]+)?$", title=N_("Public key ID"),
        description=N_("It begins with PUB_KEY_ID_."),
    )  # fmt: skip
    notice_address: str = Field(
        default="", title=N_("Notice address"),
        description=N_(
            "This store's public address with /api/notices/wechat-pay. Codes that the store shows need it, even if "
            "WeChat Pay cannot reach it."
        ),
    )  # fmt: skip
    address: str = Field(
        default=ADDRESS, title=N_("Service address"), description=N_("Leave it as it is unless the service tells you.")
    )

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value().encode()) != 32:
            raise ValueError(N_("The APIv3 key has 32 characters."))
        return key

    @field_validator("public_key")
    @classmethod
    def _is_public_key(cls, key: str) -> str:
        return wallets.public_key(key) if key.strip() else ""

    @field_validator("address")
    @classmethod
    def _is_guarded(cls, address: str) -> str:
        return wallets.service_address(address)

    @model_validator(mode="after")
    def _belong_together(self) -> "WechatPaySettings":
        if bool(self.public_key) != bool(self.public_key_id):
            raise ValueError(N_("Enter the public key and its ID, or neither."))
        return self


class Amount(Shape):
    """Money in the service's smallest unit."""

    total: int
    currency: str = CURRENCY


class Transaction(Shape):
    """What the service knows of a payment."""

    appid: str
    mchid: str
    out_trade_no: str
    trade_state: str
    transaction_id: str = ""
    trade_state_desc: str = ""
    attach: str = ""
    amount: Amount | None = None


class Code(Shape):
    """A code to show."""

    code_url: str


class Refunded(Shape):
    """What the service knows of a refund."""

    class Parts(Shape):
        """What goes back of how much."""

        refund: int
        total: int
        currency: str = CURRENCY

    refund_id: str
    out_refund_no: str
    out_trade_no: str
    status: str
    amount: Parts


class No(Shape):
    """A refusal."""

    code: str = ""
    message: str = ""


class WechatPay(Wallet):
    """WeChat Pay; see `pos.payments.providers.Provider`."""

    name = NAME
    wallet = wallet_codes.WECHAT

    def __init__(self, settings: WechatPaySettings, folder: Path) -> None:
        del folder
        super().__init__()
        self._settings = settings
        self._core: Core | None = None
        if not settings.notice_address:
            self.ways = frozenset({"customer_code"})  # a code to show needs an address of notices

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back, once per key (rule 4)."""
        number = key.replace(":", "_")
        parts = {"refund": amount_minor, "total": request.amount_minor, "currency": CURRENCY}
        wanted = {"out_trade_no": number_of(request.id), "out_refund_no": number, "amount": parts}
        no, said = self._ask(REFUND, wanted)
        if no is not None or said.get("status") == "PROCESSING":
            none, said = self._ask(f"{REFUND}/{number}")
            if none is not None:
                if no is None:
                    raise _another()
                return Outcome("declined", reason=(no.message or no.code)[:LONGEST_WORDS])
        refund = _read(Refunded, said)
        mine = (number, number_of(request.id), amount_minor, request.amount_minor, CURRENCY)
        about = (refund.out_refund_no, refund.out_trade_no, refund.amount.refund, refund.amount.total)
        if (*about, refund.amount.currency) != mine or refund.status not in REFUNDS:
            raise _another()
        return Outcome(REFUNDS[refund.status], refund.refund_id, STUCK if refund.status == "ABNORMAL" else "")

    def noticed(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Return the id of the payment a notice is about, '' for one that is known; refuse what is not ours."""
        try:
            said = self._line().callback(headers, body)
        except DomainError:
            raise
        except Exception as fault:
            raise wallets.forged() from fault
        if not said:
            raise wallets.forged()
        if said.get("event_type") != "TRANSACTION.SUCCESS":
            return ""
        paid = _read(Transaction, said["resource"])
        if (paid.appid, paid.mchid) != (self._settings.app, self._settings.merchant):
            raise wallets.elsewhere()
        is_ours = is_id(paid.attach) and number_of(paid.attach) == paid.out_trade_no
        return paid.attach if is_ours and self._once(str(said.get("id"))) else ""

    # --- inside ---

    def _charge(self, request: Request, at: dt.datetime) -> Outcome:
        assert request.wallet is not None
        wanted = self._order(request) | {
            "payer": {"auth_code": request.wallet.code},
            "scene_info": {"device_id": request.till_id, "store_info": {"out_id": request.till_id}},
        }
        no, said = self._ask(f"{PAY}/codepay", wanted)
        if no is None and "trade_state" in said:
            return self._outcome(request, _read(Transaction, said))
        if no is not None and no.code in REFUSALS:
            return Outcome("declined", reason=REFUSALS[no.code])
        return Outcome("requested") if no is not None and no.code == "USERPAYING" else self._state(request, at)

    def _show(self, request: Request, at: dt.datetime) -> Outcome:
        # no end is named: the same order with another end is refused
        no, said = self._ask(f"{PAY}/native", self._order(request) | {"notify_url": self._settings.notice_address})
        if no is None:
            return wallets.shown(_read(Code, said).code_url, at + wallets.SHOWN_FOR)
        if no.code in REFUSALS:
            return Outcome("declined", reason=REFUSALS[no.code])
        return self._state(request, at)

    def _state(self, request: Request, at: dt.datetime) -> Outcome:
        no, said = self._ask(f"{PAY}/out-trade-no/{number_of(request.id)}?mchid={self._settings.merchant}")
        if no is None:
            return self._outcome(request, _read(Transaction, said))
        if no.code in ("ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"):
            return Outcome("declined", reason=NEVER_SEEN)
        raise _silent()

    def _stop(self, request: Request, at: dt.datetime) -> Outcome:
        mine, how = {"mchid": self._settings.merchant}, "close"
        if request.way == "customer_code":
            mine, how = mine | {"appid": self._settings.app}, "reverse"
        self._ask(f"{PAY}/out-trade-no/{number_of(request.id)}/{how}", mine)
        return self._state(request, at)  # refused or not: it may have been paid just before

    def _order(self, request: Request) -> dict[str, Any]:
        return {
            "appid": self._settings.app, "mchid": self._settings.merchant, "out_trade_no": number_of(request.id),
            "description": request.merchant[:LONGEST_NAME] or request.till_id, "attach": request.id,
            "amount": {"total": request.amount_minor, "currency": CURRENCY},
        }  # fmt: skip

    def _outcome(self, request: Request, found: Transaction) -> Outcome:
        state = STATES.get(found.trade_state)
        mine = (self._settings.app, self._settings.merchant, number_of(request.id))
        is_mine = (found.appid, found.mchid, found.out_trade_no) == mine and found.attach in ("", request.id)
        amount = found.amount
        is_other = amount is not None and (amount.total, amount.currency) != (request.amount_minor, CURRENCY)
        if state is None or not is_mine or is_other or (state == "captured" and amount is None):
            raise _another()
        return Outcome(
            state, found.transaction_id, found.trade_state_desc[:LONGEST_WORDS] if state == "declined" else ""
        )

    def _ask(self, path: str, wanted: dict[str, Any] | None = None) -> tuple[No | None, dict[str, Any]]:
        """Ask the service; returns its refusal or None, and what it said."""
        from wechatpayv3.type import RequestType

        method = RequestType.GET if wanted is None else RequestType.POST
        status, text = self._line().request(path, method=method, data=wanted)
        try:
            said = json.loads(text or "{}")
        except ValueError as fault:
            raise _silent() from fault
        if status in (401, 429) or status >= 500 or not isinstance(said, dict):
            raise _wrong_keys() if status == 401 else _silent()
        return (None if status < 300 else _read(No, said)), said

    def _line(self) -> "Core":
        with self._lock:
            if self._core is None:
                try:
                    self._core = _line_of(self._settings)
                except DomainError:
                    raise
                except Exception as fault:  # the SDK's own: no certificate came, or none that the APIv3 key opens
                    raise _wrong_keys() from fault
        return self._core


def number_of(id: str) -> str:
    """Return a payment's number at the service (rule 3)."""
    return id if len(id) <= 32 and id.isalnum() else hashlib.blake2s(id.encode(), digest_size=16).hexdigest()


def make(settings: WechatPaySettings, folder: Path) -> WechatPay:
    """Make the provider; ModuleNotFoundError without its SDK."""
    import wechatpayv3.core  # noqa: F401

    return WechatPay(settings, folder)


PLUGIN = Plugin(NAME, NAMES[wallet_codes.WECHAT], WechatPaySettings, make)


# --- inside ---


def _line_of(settings: WechatPaySettings) -> "Core":
    """Return the SDK's line to the service, whose requests leave by `outgoing.client` (rules 1, 2)."""
    import httpx2
    from wechatpayv3.core import Core
    from wechatpayv3.type import RequestType
    from wechatpayv3.utils import build_authorization

    class Line(Core):  # type: ignore[misc]  # the library has no types
        renewed = -RENEWED_S
        _certificates: list[Any]

        def request(
            self, path: str, method: RequestType = RequestType.GET, data: dict[str, Any] | None = None,
            skip_verify: bool = False, **_more: object,
        ) -> tuple[int, str]:  # fmt: skip
            body = "" if data is None else json.dumps(data)
            proof = build_authorization(
                path, method.value, self._mchid, self._cert_serial_no, self._private_key, data=body
            )
            headers = {"Authorization": proof, "Accept": "application/json", "Content-Type": "application/json"}
            if self._public_key_id:
                headers["Wechatpay-Serial"] = self._public_key_id
            try:
                with outgoing.client(settings.address, verify=tls, timeout=wallets.TIMEOUT_S) as client:
                    answer = client.request(method.value, path, content=body, headers=headers)
            except httpx2.HTTPError as fault:
                raise _silent() from fault
            if answer.is_success and not skip_verify and not self._verify_signature(answer.headers, answer.text):
                raise Unreachable("wechat-unsigned", "The response is not signed by WeChat Pay. We will ask again.")
            return answer.status_code, answer.text

        def _verify_signature(self, headers: Mapping[str, str], body: str) -> bool:
            said = {name.title(): value for name, value in headers.items()}
            signed_at = said.get("Wechatpay-Timestamp", "")
            if not re.fullmatch(r"[0-9]{1,12}", signed_at) or abs(time.time() - int(signed_at)) > AGE_S:
                return False
            now = dt.datetime.now(dt.UTC)
            with lock:
                self._certificates = [one for one in self._certificates if one.not_valid_after_utc > now]
                try:
                    return bool(super()._verify_signature(said, body))
                except DomainError:
                    raise
                except Exception:  # the SDK's own for another algorithm, ValueError for a serial number that is none
                    return False

        def _update_certificates(self) -> None:
            if time.monotonic() - self.renewed < RENEWED_S:
                return
            before, self._certificates = self._certificates, []
            try:
                super()._update_certificates()
                self.renewed = time.monotonic()
            finally:
                self._certificates = self._certificates or before

    lock, tls = threading.Lock(), outgoing.context()
    return Line(
        settings.merchant, settings.certificate, settings.private_key.get_secret_value(),
        settings.secret_key.get_secret_value(), public_key=settings.public_key or None,
        public_key_id=settings.public_key_id or None,
    )  # fmt: skip


def _read(shape: type[Answer], said: object) -> Answer:
    try:
        return shape.model_validate(said)
    except ValidationError as fault:
        raise _another() from fault


def _silent() -> Unreachable:
    return Unreachable("wechat-silent", "WeChat Pay is not responding.")


def _another() -> Unreachable:
    return Unreachable("wechat-another", "WeChat Pay’s response was for another payment. We will ask again.")


def _wrong_keys() -> Unreachable:
    return Unreachable("wechat-keys", "WeChat Pay does not accept this store's keys. Check the payment settings.")
