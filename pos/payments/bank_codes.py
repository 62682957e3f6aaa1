"""The code by which a customer's bank fills in a transfer to the store: EPC, UPI and Pix. PURE.

Rules
-----
1. The currency says which code: euros EPC, rupees UPI, reais Pix. No service is asked, and none answers: whether the
   money came, a person sees in the banking app (`tell`), and the bank's statement proves (`supply.money.bank`).
2. Each payment has a reference of its own, hashed from its id: two letters and ten of 32 characters, so nobody can
   guess another's. It fits each scheme's field, and is found in a statement whatever blanks and breaks a bank puts in.
3. Who says that the money was seen, or was not, is named in the payment and in the journal; the first word counts.

Sources: EPC069-12 version 3.1 (quick response code, level M, version 13 at most); NPCI's UPI linking specification
1.6; Banco Central do Brasil, Manual do BR Code 2.0.
"""

import hashlib
import re
from urllib.parse import quote

from config.errors import Invalid, Refused
from config.ids import id_of
from config.money import exponent
from config.nodes.journal import Context
from pos.payments import merchant_qr, requests
from pos.payments.merchant_qr import MerchantQr, plain
from pos.payments.payments import Payment
from pos.payments.providers import BANK_CODE, Outcome, Request
from pos.payments.requests import OPEN

PREFIX = "CS"
_REFERENCE = re.compile(rf"(?=({PREFIX}[0-9A-HJKMNP-TV-Z]{{10}}))")
_EPC_NAME, _PIX_NAME, _PIX_CITY, _UPI_NAME = 70, 25, 15, 50
_EPC_MOST_MINOR = 99_999_999_999


def reference_of(payment_id: str) -> str:
    """Return the reference of a payment (rule 2)."""
    return PREFIX + id_of(hashlib.sha256(f"bank transfer {payment_id}".encode()).digest())[-10:]


def references_in(text: str) -> set[str]:
    """Return whatever could be a reference in a statement's text."""
    return set(_REFERENCE.findall(re.sub(r"[^0-9A-Z]", "", text.upper())))


def epc(request: Request, *, holder: str, iban: str, bic: str = "") -> str:
    """Return the text of an EPC code."""
    if not 0 < request.amount_minor <= _EPC_MOST_MINOR:
        raise Invalid("bad-amount", "A payment code needs an amount above zero.", amount_minor=request.amount_minor)
    amount = f"EUR{_amount(request)}"
    name = " ".join(holder.split())[:_EPC_NAME].strip()
    return "\n".join(["BCD", "002", "1", "SCT", bic, name, iban, amount, "", "", reference_of(request.id)])


def upi(request: Request, *, holder: str, upi_id: str) -> str:
    """Return the link of a UPI code."""
    reference = reference_of(request.id)
    said = {"pa": upi_id, "pn": plain(holder, _UPI_NAME), "tr": reference, "tn": reference, "am": _amount(request),
            "cu": "INR"}  # fmt: skip
    return "upi://pay?" + "&".join(f"{name}={quote(value, safe='@')}" for name, value in said.items())


def pix(request: Request, *, holder: str, key: str) -> str:
    """Return the text of a Pix code."""
    return merchant_qr.build(MerchantQr(
        plain(holder, _PIX_NAME), plain(request.city, _PIX_CITY), "BR", "BRL",
        {"26": {"00": "br.gov.bcb.pix", "01": key}}, request.amount_minor,
        additional={"05": reference_of(request.id)},
    ))  # fmt: skip


def tell(ctx: Context, store_id: str, payment_id: str, *, paid: bool) -> Payment:
    """Say that a transfer was seen in the banking app, or was not (rule 3); the same word again changes nothing."""
    payment = requests.locked(ctx.session, store_id, payment_id)
    if payment.way != BANK_CODE:
        raise Refused("not-a-transfer", "Only a bank transfer is confirmed by hand.")
    state = "captured" if paid else "declined"
    if payment.state in OPEN and payment.unwanted_since is None:
        why = "transfer-seen" if paid else "transfer-unseen"
        return requests.settle_outcome(ctx, store_id, payment_id, Outcome(state, reason=f"{why}: {ctx.actor.name}"))
    if payment.state != state:
        raise Refused("transfer-settled", "This transfer is already settled. Check the payment again.")
    return payment


# --- inside ---


def _amount(request: Request) -> str:
    places = exponent(request.currency)
    whole, part = divmod(request.amount_minor, 10**places)
    return f"{whole}.{part:0{places}d}"
