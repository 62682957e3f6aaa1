"""The network's invoice to a store as UBL 2.1, by the European standard (EN 16931). PURE.

Rules
-----
1. It says what the ledger says: the network charges goods at cost and no tax, so that every line is outside its scope
   (category O). A network that owes tax on what it sells must not send this file to a tax office.
2. A line costs what it cost in all: its price is that of the whole quantity, so that no price is rounded.
3. Where part of a delivery stands on another invoice, that part is taken off as a discount with its reason.
"""

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from supply.money.ledger import Invoice
from supply.orders.ubl import CAC, amount, began, party, said, written

_ELSEWHERE, _UNTAXED = "On another invoice", "Not subject to tax"


def invoice(found: Invoice, store: dict[str, Any], seller: str, country: str, words: str) -> bytes:
    """Return an invoice as its file. store: its `snapshot`; seller: the network's name; words: of what has no lines."""
    currency = store["currency"]
    lines: Sequence[Sequence[Any]] = found.lines or [["", words, 1, found.amount_minor]]
    net = sum(int(cost) for *_, cost in lines)
    less = net - found.amount_minor
    root = began("Invoice", {
        "CustomizationID": "urn:cen.eu:en16931:2017", "ID": str(found.no), "IssueDate": found.made_day.isoformat(),
        "DueDate": found.due_day.isoformat(), "InvoiceTypeCode": "380", "DocumentCurrencyCode": currency,
    })  # fmt: skip
    if found.order_id:
        said(SubElement(root, f"{CAC}OrderReference"), {"ID": found.order_id})
    theirs = SubElement(SubElement(root, f"{CAC}AccountingSupplierParty"), f"{CAC}Party")
    party(theirs, seller, id="network", country=country)
    ours = SubElement(SubElement(root, f"{CAC}AccountingCustomerParty"), f"{CAC}Party")
    party(ours, store["name"], id=store["id"], address=store["address"], country=country,
          tax_number=store.get("tax_number", ""), is_taxed=False)  # fmt: skip
    if less:
        one = SubElement(root, f"{CAC}AllowanceCharge")
        said(one, {"ChargeIndicator": "true" if less < 0 else "false", "AllowanceChargeReason": _ELSEWHERE})
        amount(one, "Amount", abs(less), currency)
        _category(one, "TaxCategory")
    taxes = SubElement(root, f"{CAC}TaxTotal")
    amount(taxes, "TaxAmount", 0, currency)
    part = SubElement(taxes, f"{CAC}TaxSubtotal")
    amount(part, "TaxableAmount", found.amount_minor, currency)
    amount(part, "TaxAmount", 0, currency)
    _category(part, "TaxCategory", _UNTAXED)
    _totals(SubElement(root, f"{CAC}LegalMonetaryTotal"), net, less, found.amount_minor, currency)
    for n, (sku, name, qty, cost) in enumerate(lines, 1):
        _line(SubElement(root, f"{CAC}InvoiceLine"), n, (str(sku), str(name), int(qty) or 1, int(cost)), currency)
    return written(root)


# --- inside ---


def _totals(above: Element, net: int, less: int, payable: int, currency: str) -> None:
    amount(above, "LineExtensionAmount", net, currency)
    amount(above, "TaxExclusiveAmount", payable, currency)
    amount(above, "TaxInclusiveAmount", payable, currency)
    if less:
        amount(above, "ChargeTotalAmount" if less < 0 else "AllowanceTotalAmount", abs(less), currency)
    amount(above, "PayableAmount", payable, currency)


def _line(above: Element, n: int, line: tuple[str, str, int, int], currency: str) -> None:
    sku, name, qty, cost = line
    said(above, {"ID": str(n)})
    said(above, {"InvoicedQuantity": str(qty)}, unitCode="C62")
    amount(above, "LineExtensionAmount", cost, currency)
    item = SubElement(above, f"{CAC}Item")
    said(item, {"Name": name})
    if sku:
        said(SubElement(item, f"{CAC}SellersItemIdentification"), {"ID": sku})
    _category(item, "ClassifiedTaxCategory")
    price = SubElement(above, f"{CAC}Price")
    amount(price, "PriceAmount", cost, currency)
    said(price, {"BaseQuantity": str(qty)}, unitCode="C62")


def _category(above: Element, name: str, why: str = "") -> None:
    one = SubElement(above, f"{CAC}{name}")
    said(one, {"ID": "O", "TaxExemptionReason": why})
    said(SubElement(one, f"{CAC}TaxScheme"), {"ID": "VAT"})
