"""Alipay's gateway on this computer, as far as our adapter uses it; signed both ways by the published algorithm.

Rules
-----
1. A request is refused unsigned unless its signature, app and time (Beijing's, 15 minutes) are right.
2. A code that was made is no trade until a customer scans it. Closing it all the same ends it.
3. A refund that was made is told again with `fund_change` N.
"""

import base64
import datetime as dt
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from tests.simulators import wallet
from tests.simulators.wallet import Answer, No, Trade, key_pair

APP = "2021000000000001"
OUR_KEY, OUR_PEM, _ = key_pair()
KEY, _, KEY_PEM = key_pair()
BEIJING, TIME = ZoneInfo("Asia/Shanghai"), "%Y-%m-%d %H:%M:%S"
STATES = {
    "waits": "WAIT_BUYER_PAY", "paid": "TRADE_SUCCESS", "closed": "TRADE_CLOSED", "revoked": "TRADE_CLOSED",
    "failed": "TRADE_CLOSED",
}  # fmt: skip
CODES = {
    "poor": "ACQ.BUYER_BALANCE_NOT_ENOUGH", "known-paid": "ACQ.TRADE_HAS_SUCCESS",
    "known-waits": "ACQ.CONTEXT_INCONSISTENT", "known-closed": "ACQ.TRADE_HAS_CLOSE",
    "known-revoked": "ACQ.TRADE_HAS_CLOSE", "known-failed": "ACQ.TRADE_HAS_CLOSE",
    "none": "ACQ.TRADE_NOT_EXIST", "differs": "ACQ.CONTEXT_INCONSISTENT", "too-much": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "broken": "ACQ.SYSTEM_ERROR",
}  # fmt: skip


@dataclass
class Service(wallet.Service):
    """Alipay. again: closing is to be asked for again; idle: a refund is taken and not made; mute: what fails."""

    again: bool = False
    idle: bool = False
    mute: str = ""

    def notice(self, payment_id: str, *, age_s: int = 0, **other: str) -> tuple[bytes, dict[str, str]]:
        """Return the body and headers of a notice; other: fields that are said otherwise."""
        trade = self.trade(payment_id)
        sent = dt.datetime.now(BEIJING) - dt.timedelta(seconds=age_s)
        said = {
            "notify_time": f"{sent:{TIME}}", "notify_type": "trade_status_sync", "notify_id": os.urandom(8).hex(),
            "app_id": APP, "charset": "utf-8", "version": "1.0", "out_trade_no": trade.number,
            "trade_status": STATES[trade.state], "total_amount": _written(trade.amount_minor),
        } | other  # fmt: skip
        sign = _signature("&".join(f"{name}={said[name]}" for name in sorted(said)))
        fields = {**said, "sign_type": "RSA2", "sign": sign}
        return "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode(), {}

    # --- the API ---

    def once(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Carry a request out, if its signature is right."""
        given = dict(parse_qsl(path.partition("?")[2]) + parse_qsl(body.decode()))
        name = f"{given['method'].replace('.', '_')}_response"
        try:
            self._check(given)
        except No as no:
            said = {"code": "40002", "msg": "Invalid Arguments", "sub_code": no.code}
            return 200, {}, json.dumps({"error_response": said}).encode()
        wanted = json.loads(given["biz_content"])
        try:
            told = {"code": "10000"} | self._carried_out(given["method"].removeprefix("alipay."), wanted)
        except No as no:
            told = {"code": "40004", "sub_code": CODES.get(no.code, no.code), "sub_msg": no.code}
            if no.code == "waits":
                told = {"code": "10003", "out_trade_no": wanted["out_trade_no"]}
        text = json.dumps(self._lying(told) if self.lies else told, separators=(",", ":"))
        sign = _signature(text + "x" if self.unsigned else text)
        return 200, {}, f'{{"{name}":{text},"sign":"{sign}"}}'.encode()

    def _check(self, given: dict[str, str]) -> None:
        signed = "&".join(f"{name}={given[name]}" for name in sorted(given) if name != "sign")
        if given["app_id"] != APP or given["sign_type"] != "RSA2":
            raise No("isv.invalid-app-id")
        try:
            OUR_KEY.public_key().verify(base64.b64decode(given["sign"]), signed.encode(), PKCS1v15(), hashes.SHA256())
        except InvalidSignature as fault:
            raise No("isv.invalid-signature") from fault
        asked = dt.datetime.strptime(given["timestamp"], TIME).replace(tzinfo=BEIJING)
        if abs(self.now() - asked) > dt.timedelta(minutes=15):
            raise No("isv.invalid-timestamp")

    def _carried_out(self, what: str, said: dict[str, Any]) -> dict[str, Any]:
        number = said["out_trade_no"]
        if what == self.mute:
            raise No("broken")
        if not re.fullmatch(r"[0-9A-Za-z_]{1,64}", number) or re.search(r"[/=&{}]", said.get("subject", "")):
            raise No("ACQ.INVALID_PARAMETER")
        if what == "trade.pay":
            assert said["scene"] == "bar_code"
            trade = self.charge(number, _minor(said["total_amount"]), said["total_amount"])
            if trade.state == "waits":
                raise No("waits")
            return self._told(trade)
        if what == "trade.precreate":
            trade = self.order(number, _minor(said["total_amount"]), said["total_amount"])
            return {"out_trade_no": number, "qr_code": f"https://qr.alipay.com/code/{trade.number}"}
        if what == "trade.cancel":
            return self._stopped(number)
        if number not in self.trades or not self.trades[number].scanned:
            raise No("none")
        trade = self.trades[number]
        if what == "trade.query":
            return self._told(trade) | {"trade_status": STATES[trade.state]}
        key = said["out_request_no"]
        if what == "trade.refund":
            is_new = key not in trade.refunds and not self.idle
            if not self.idle:
                self.refund(number, key, _minor(said["refund_amount"]))
            return {
                "out_trade_no": number, "trade_no": _id(trade), "fund_change": "Y" if is_new else "N",
                "refund_fee": _written(sum(trade.refunds.values())),
            }  # fmt: skip
        assert what == "trade.fastpay.refund.query"
        if key not in trade.refunds:
            return {}
        return {
            "out_trade_no": number, "out_request_no": key, "refund_status": "REFUND_SUCCESS",
            "refund_amount": _written(trade.refunds[key]), "total_amount": _written(trade.amount_minor),
        }  # fmt: skip

    def _stopped(self, number: str) -> dict[str, Any]:
        told = {"out_trade_no": number, "retry_flag": "Y" if self.again else "N"}
        trade = self.trades.get(number)
        if trade is None or self.again:
            return told
        was, trade.state = trade.state, "revoked"
        return told | ({"action": "refund" if was == "paid" else "close"} if trade.scanned else {})

    def _told(self, trade: Trade) -> dict[str, Any]:
        return {"out_trade_no": trade.number, "trade_no": _id(trade), "total_amount": _written(trade.amount_minor)}

    def _lying(self, told: dict[str, Any]) -> dict[str, Any]:
        lies = {
            "out_trade_no": "another_0001", "total_amount": "0.01", "out_request_no": "another",
            "refund_amount": "0.01", "trade_status": "MAGIC",
        }  # fmt: skip
        made: dict[str, Any] = wallet.lying(told, lies, self.lie_about, self._random)
        return made


def _id(trade: Trade) -> str:
    return f"2026{trade.number[-24:]}"


def _signature(text: str) -> str:
    return base64.b64encode(KEY.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()


def _minor(text: str) -> int:
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}", text)
    return int(text.replace(".", ""))


def _written(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"
