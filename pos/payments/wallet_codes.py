"""The payment code a customer shows on a phone: whose wallet it is, and that it is no product's barcode.

Rules
-----
1. WeChat Pay: 18 digits that begin with 10 to 15. Alipay: 16 to 24 digits that begin with 25 to 30.
2. Whatever else is scanned is refused in words: a product's barcode (8, 12, 13 or 14 digits with a right check
   digit) pays for nothing, and neither does a code copied by hand with letters in it.
3. A code is worth money for about a minute: it is never written to the books or shown; `masked` is what may be kept.

Source: the wallets' merchant manuals, "auth_code" of a code payment (micropay; barcode pay).
"""

import re
from dataclasses import dataclass

from config.errors import Invalid
from config.words import N_

WECHAT = "wechat"
ALIPAY = "alipay"
NAMES = {WECHAT: N_("WeChat Pay"), ALIPAY: N_("Alipay")}
LONGEST_SCAN = 64

_WECHAT = re.compile(r"1[0-5][0-9]{16}", re.ASCII)
_ALIPAY = re.compile(r"(?:2[5-9]|30)[0-9]{14,22}", re.ASCII)
_GROUPING = str.maketrans("", "", " -\t\r\n")
_TRADE_LENGTHS = (8, 12, 13, 14)


@dataclass(frozen=True)
class WalletCode:
    """A recognised payment code. wallet: wechat | alipay."""

    wallet: str
    code: str

    @property
    def masked(self) -> str:
        """Return what may be kept of the code: its first two and last four digits."""
        return f"{self.code[:2]}…{self.code[-4:]}"

    def __repr__(self) -> str:
        return f"WalletCode({self.wallet!r}, {self.masked!r})"


def recognise(scanned: str) -> WalletCode | None:
    """Return the payment code that was scanned, or None if it is none (rule 1). Spaces and dashes are ignored."""
    if len(scanned) > LONGEST_SCAN:
        return None
    code = scanned.translate(_GROUPING)
    if _WECHAT.fullmatch(code):
        return WalletCode(WECHAT, code)
    if _ALIPAY.fullmatch(code):
        return WalletCode(ALIPAY, code)
    return None


def read(scanned: str) -> WalletCode:
    """Return the payment code that was scanned, or refuse it with what it is instead (rule 2)."""
    if (found := recognise(scanned)) is not None:
        return found
    code = scanned.translate(_GROUPING) if len(scanned) <= LONGEST_SCAN else ""
    if is_trade_number(code):
        raise Invalid("wallet-code-is-product", "That is a product barcode. Scan the code on the customer's phone.")
    raise Invalid(
        "wallet-code-unknown",
        "That is not a WeChat Pay or Alipay code. Ask the customer to open their payment code, then scan again.",
    )


def is_trade_number(code: str) -> bool:
    """Tell whether a code is a product's number: 8, 12, 13 or 14 digits, the last a GS1 check digit."""
    if len(code) not in _TRADE_LENGTHS or not (code.isascii() and code.isdigit()):
        return False
    weighted = sum(int(digit) * (3 if n % 2 == 0 else 1) for n, digit in enumerate(reversed(code[:-1])))
    return (10 - weighted % 10) % 10 == int(code[-1])
