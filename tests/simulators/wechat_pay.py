"""WeChat Pay's API v3 on this computer, as far as our adapter uses it; signed both ways by the published algorithm.

Rules
-----
1. A request is refused unless its signature, number of merchant and certificate, and time (five minutes) are right.
2. An answer is signed by the key of the platform's certificate, or by the public key's where the merchant names that.
   `renew` makes another certificate; the list of them is encrypted with the APIv3 key.
3. `notice` gives what the service would send to the merchant's address.
"""

import base64
import datetime as dt
import json
import os
import re
import time
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from wechatpayv3.utils import rsa_sign

from tests.simulators import wallet
from tests.simulators.wallet import Answer, No, Trade, key_pair

MERCHANT, APP, SERIAL, SECRET, KEY_ID = "1900000109", "wx0123456789abcdef", "5F" * 20, "k" * 32, "PUB_KEY_ID_0119000001"
OUR_KEY, OUR_PEM, _ = key_pair()
KEY, _, KEY_PEM = key_pair()
STATES = {"waits": "NOTPAY", "paid": "SUCCESS", "closed": "CLOSED", "revoked": "REVOKED", "failed": "PAYERROR"}
CODES = {
    "poor": "NOT_ENOUGH", "known-paid": "ORDER_PAID", "known-waits": "USERPAYING", "known-closed": "ORDER_CLOSED",
    "known-revoked": "ORDER_CLOSED", "known-failed": "TRADE_ERROR", "none": "ORDER_NOT_EXIST",
    "differs": "OUT_TRADE_NO_USED", "too-much": "INVALID_REQUEST", "broken": "SYSTEM_ERROR",
}  # fmt: skip


@dataclass
class Service(wallet.Service):
    """WeChat Pay. slow, stuck: how refunds go; age_s: how old answers are."""

    slow: bool = False
    stuck: bool = False
    age_s: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.certificates: list[tuple[Any, x509.Certificate]] = []
        self.renew()

    def renew(self, days: int = 365) -> None:
        """Sign with another certificate from now on."""
        key, now = key_pair()[0], dt.datetime.now(dt.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=400))
            .not_valid_after(now + dt.timedelta(days=days)).sign(key, hashes.SHA256())
        )  # fmt: skip
        self.certificates.append((key, made))

    def notice(
        self, payment_id: str, *, kind: str = "TRANSACTION.SUCCESS", age_s: int = 0, secret: str = SECRET, **other: Any
    ) -> tuple[bytes, dict[str, str]]:
        """Return the body and headers of a notice; other: fields that are said otherwise."""
        trade = self.trade(payment_id)
        resource = {
            "algorithm": "AEAD_AES_256_GCM", "original_type": "transaction",
            **_sealed(json.dumps(self._told(trade) | other), "transaction", secret),
        }  # fmt: skip
        body = json.dumps({
            "id": f"notice-{os.urandom(4).hex()}", "event_type": kind, "resource_type": "encrypt-resource",
            "resource": resource,
        })  # fmt: skip
        return body.encode(), self._signed(body, age_s=age_s)

    # --- the API ---

    def once(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        """Carry a request out, if its signature is right."""
        by_key = headers.get("Wechatpay-Serial") == KEY_ID
        try:
            self._check(method, path, headers, body.decode())
            status, said = self._carried_out(method, path.partition("?")[0], json.loads(body or b"{}"))
        except No as no:
            status, said = no.status, {"code": CODES.get(no.code, no.code), "message": f"refused: {no.code}"}
        text = "" if status == 204 else json.dumps(self._lying(said) if self.lies else said)
        signed = self._signed(text, by_key=by_key, age_s=self.age_s)
        return status, signed | {"Content-Type": "application/json"}, text.encode()

    def _check(self, method: str, path: str, headers: Any, body: str) -> None:
        kind, _, given = headers.get("Authorization", "").partition(" ")
        said = dict(re.findall(r'(\w+)="([^"]*)"', given))
        if kind != "WECHATPAY2-SHA256-RSA2048" or (said["mchid"], said["serial_no"]) != (MERCHANT, SERIAL):
            raise No("SIGN_ERROR", 401)
        if abs(time.time() - int(said["timestamp"])) > 300:
            raise No("SIGN_ERROR", 401)
        message = "\n".join([method, path, said["timestamp"], said["nonce_str"], body, ""])
        try:
            OUR_KEY.public_key().verify(
                base64.b64decode(said["signature"]), message.encode(), PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature as fault:
            raise No("SIGN_ERROR", 401) from fault

    def _signed(self, body: str, *, by_key: bool = False, age_s: int = 0) -> dict[str, str]:
        key, certificate = (KEY, None) if by_key else self.certificates[-1]
        stamp, nonce = str(int(time.time()) - age_s), os.urandom(8).hex()
        signed = body + "x" if self.unsigned else body
        return {
            "Wechatpay-Timestamp": stamp, "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": f"{certificate.serial_number:X}" if certificate is not None else KEY_ID,
            "Wechatpay-Signature": rsa_sign(key, f"{stamp}\n{nonce}\n{signed}\n"),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }  # fmt: skip

    def _carried_out(self, method: str, path: str, said: Any) -> tuple[int, Any]:
        match (method, *path.strip("/").split("/")):
            case ("GET", "v3", "certificates"):
                return 200, {"data": [self._listed(one) for _, one in self.certificates]}
            case ("POST", "v3", "pay", "transactions", "codepay"):
                assert said["scene_info"]["store_info"]
                assert re.fullmatch(r"1[0-5][0-9]{16}", said["payer"]["auth_code"])
                trade = self.charge(*self._wanted(said))
                if trade.state == "waits":
                    raise No("USERPAYING")
                return 200, self._told(trade)
            case ("POST", "v3", "pay", "transactions", "native"):
                assert said["notify_url"].startswith("https://")
                trade = self.order(*self._wanted(said))
                return 200, {"code_url": f"weixin://wxpay/code/{trade.number}"}
            case ("GET", "v3", "pay", "transactions", "out-trade-no", number):
                return 200, self._told(self._known(number))
            case ("POST", "v3", "pay", "transactions", "out-trade-no", number, how):
                assert said["mchid"] == MERCHANT
                return self._stopped(self._known(number), how)
            case ("POST", "v3", "refund", "domestic", "refunds"):
                amount = said["amount"]
                trade = self.trades.get(said["out_trade_no"])
                if trade is not None and amount["total"] != trade.amount_minor:
                    raise No("too-much")
                trade = self.refund(said["out_trade_no"], said["out_refund_no"], amount["refund"])
                return 200, self._returned(trade, said["out_refund_no"], "PROCESSING" if self.slow else "SUCCESS")
            case ("GET", "v3", "refund", "domestic", "refunds", number):
                found = next((one for one in self.trades.values() if number in one.refunds), None)
                if found is None:
                    raise No("RESOURCE_NOT_EXISTS", 404)
                return 200, self._returned(found, number, "ABNORMAL" if self.stuck else "SUCCESS")
            case _:
                raise No("NOT_FOUND", 404)

    def _wanted(self, said: Any) -> tuple[str, int, object]:
        if (said["appid"], said["mchid"]) != (APP, MERCHANT):
            raise No("APPID_MCHID_NOT_MATCH")
        number, amount = said["out_trade_no"], said["amount"]
        if not re.fullmatch(r"[0-9A-Za-z_|*-]{6,32}", number) or amount["currency"] != "CNY" or amount["total"] < 1:
            raise No("PARAM_ERROR")
        return number, amount["total"], {"attach": said["attach"], "amount": amount}

    def _known(self, number: str) -> Trade:
        if number not in self.trades:
            raise No("none", 404)
        return self.trades[number]

    def _stopped(self, trade: Trade, how: str) -> tuple[int, Any]:
        if how == "close":
            if trade.state == "paid":
                raise No("ORDER_PAID")
            trade.state = "closed" if trade.state == "waits" else trade.state
            return 204, None
        trade.state = "revoked"  # what was paid goes back to the customer
        return 200, {"appid": APP, "mchid": MERCHANT, "out_trade_no": trade.number}

    def _told(self, trade: Trade) -> dict[str, Any]:
        content: Any = trade.content
        state = "REFUND" if trade.state == "paid" and trade.refunds else STATES[trade.state]
        told = {
            "appid": APP, "mchid": MERCHANT, "out_trade_no": trade.number, "trade_state": state,
            "trade_state_desc": state.lower(), "amount": {"total": trade.amount_minor, "currency": "CNY"},
        }  # fmt: skip
        if trade.state == "waits" and trade.scanned:
            told["trade_state"] = "USERPAYING"
        if trade.state == "paid":
            told |= {"transaction_id": f"42000{trade.number[-20:]}", "attach": content["attach"]}
        return told

    def _returned(self, trade: Trade, number: str, status: str) -> dict[str, Any]:
        return {
            "refund_id": f"50000{number[-20:]}", "out_refund_no": number, "out_trade_no": trade.number,
            "status": status,
            "amount": {"refund": trade.refunds[number], "total": trade.amount_minor, "currency": "CNY"},
        }  # fmt: skip

    def _listed(self, certificate: x509.Certificate) -> dict[str, Any]:
        return {
            "serial_no": f"{certificate.serial_number:X}",
            "effective_time": certificate.not_valid_before_utc.isoformat(),
            "expire_time": certificate.not_valid_after_utc.isoformat(),
            "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM",
                **_sealed(certificate.public_bytes(Encoding.PEM).decode(), "certificate", SECRET),
            },
        }

    def _lying(self, said: Any) -> Any:
        lies: dict[str, Any] = {
            "mchid": "1900000999", "appid": "wxffffffffffffffff", "out_trade_no": "another", "attach": "another-0001",
            "amount": {"total": 1, "refund": 1, "currency": "CNY"}, "out_refund_no": "another", "trade_state": "MAGIC",
        }  # fmt: skip
        return wallet.lying(said, lies, self.lie_about, self._random)


def _sealed(text: str, about: str, secret: str) -> dict[str, str]:
    nonce = os.urandom(6).hex()
    sealed = AESGCM(secret.encode()).encrypt(nonce.encode(), text.encode(), about.encode())
    return {"nonce": nonce, "associated_data": about, "ciphertext": base64.b64encode(sealed).decode()}
