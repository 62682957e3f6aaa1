"""Reads a supplier's file: UBL invoices, credit notes and despatch advices, CII invoices, alone or inside a PDF. PURE.

Rules
-----
1. What a file is, its root element says, not its name. A PDF has its invoice attached as XML (Factur-X, ZUGFeRD); one
   with none, or with two, is refused.
2. An XML document with a document type is refused: nothing is fetched, no entity is expanded.
3. What is read is checked at once (`document.check`); text beyond its longest is cut. A negative invoice is a credit
   memo (`document.turned`).
4. It runs in a child process (`store_app.runtime.child_process`), as every file from outside.
"""

import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from config.errors import Invalid
from config.money import BASIS, exponent
from config.xml_tree import parsed
from supply.receiving.documents import document
from supply.receiving.documents.document import (
    ADVICE,
    CREDIT,
    INVOICE,
    DocumentLine,
    Extra,
    Party,
    SupplierDocument,
    TaxSum,
)

MOST_BYTES, MOST_LINES = 5_000_000, 2_000
LONGEST = {"number": 60, "name": 120, "unit": 8}
_UBL, _CII = "urn:oasis:names:specification:ubl:schema:xsd:", "urn:un:unece:uncefact:data:standard:"
_ROOTS = {f"{_UBL}Invoice-2}}Invoice": INVOICE, f"{_UBL}CreditNote-2}}CreditNote": CREDIT,
          f"{_UBL}DespatchAdvice-2}}DespatchAdvice": ADVICE,
          f"{_CII}CrossIndustryInvoice:100}}CrossIndustryInvoice": "cii"}  # fmt: skip
_CREDIT_CODES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"})
_NOT_TO_PAY = frozenset({"325", "310", "351"})
"""Pro forma invoices, offers, and what an order bills for information (UN/CEFACT 1001)."""
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?")
_GTIN, _GLN = "0160", "0088"
"""The schemes of a product's number; some write a GTIN under that of places."""


def read(raw: bytes) -> Iterator[dict[str, Any]]:
    """Yield the one document of a file as JSON (rules 1 to 3)."""
    if len(raw) > MOST_BYTES:
        raise Invalid("file-too-large", "This file is too large for an invoice.", field="file")
    found = _attached(raw) if raw[:1024].find(b"%PDF-") >= 0 else [one for one in [_known(raw)] if one]
    if not found:
        raise Invalid("no-invoice", "There is no e-invoice in this file. It must be UBL, Factur-X or ZUGFeRD.")
    if len(found) > 1:
        raise Invalid(
            "two-invoices", "There is more than one invoice in this file. Ask the supplier for one file each."
        )
    kind, root = found[0]
    yield document.as_json(document.check(document.turned(_cii(root) if kind == "cii" else _ubl(kind, root))))


# --- inside: files ---


def _known(raw: bytes) -> tuple[str, Element] | None:
    name, root = parsed(raw)
    return (_ROOTS[name], root) if name in _ROOTS else None


def _attached(raw: bytes) -> list[tuple[str, Element]]:
    """Return the invoices attached to a PDF."""
    from pypdf import PdfReader  # large: only who reads papers needs it

    files = (one for name, some in PdfReader(io.BytesIO(raw)).attachments.items()
             if name.lower().endswith(".xml") for one in some)  # fmt: skip
    return [known for one in files if len(one) <= MOST_BYTES and (known := _known(one))]


# --- inside: UBL ---


def _ubl(kind: str, root: Element) -> SupplierDocument:
    if kind == ADVICE:
        return _ubl_advice(root)
    if kind == INVOICE:
        kind = _kind(_text(root, "InvoiceTypeCode"))
    currency = _text(root, "DocumentCurrencyCode")
    is_invoice = root.tag == "Invoice"
    line_tag, qty_tag = ("InvoiceLine" if is_invoice else "CreditNoteLine"), (
        "InvoicedQuantity" if is_invoice else "CreditedQuantity")  # fmt: skip
    taxes = [one for one in root.iterfind("TaxTotal") if _one(one, "TaxAmount").get("currencyID") == currency]
    sums = _one(root, "LegalMonetaryTotal")
    return SupplierDocument(
        kind, _text(root, "ID", "number"), _day(_text(root, "IssueDate")),
        _ubl_party(root, "AccountingSupplierParty"), _ubl_party(root, "AccountingCustomerParty"),
        tuple(_ubl_line(line, qty_tag, currency) for line in _many(root, line_tag)),
        order_ref=_text(root, "OrderReference/ID", "number"), currency=currency,
        invoice_refs=_texts(root, "BillingReference/InvoiceDocumentReference/ID"),
        buyer_ref=_text(root, "BuyerReference", "number"),
        extras=tuple(Extra(_text(one, "TaxCategory/ID"), _rate(one, "TaxCategory/Percent"), _charge(one, currency))
                     for one in root.iterfind("AllowanceCharge")),
        taxes=tuple(TaxSum(_text(one, "TaxCategory/ID"), _rate(one, "TaxCategory/Percent"),
                           _minor(one, "TaxableAmount", currency), _minor(one, "TaxAmount", currency))
                    for total in taxes for one in total.iterfind("TaxSubtotal")),
        net_minor=_minor(sums, "TaxExclusiveAmount", currency),
        tax_minor=_minor(taxes[0], "TaxAmount", currency) if taxes else 0,
        prepaid_minor=_minor(sums, "PrepaidAmount", currency, "0"),
        rounding_minor=_minor(sums, "PayableRoundingAmount", currency, "0"),
        payable_minor=_minor(sums, "PayableAmount", currency),
    )  # fmt: skip


def _ubl_line(line: Element, qty_tag: str, currency: str) -> DocumentLine:
    item = _one(line, "Item")
    return DocumentLine(
        **_ubl_item(line, item, qty_tag),
        price=_decimal(line, "Price/PriceAmount", currency=currency), base=_decimal(line, "Price/BaseQuantity", "1"),
        extra_minor=sum(_charge(one, currency) for one in line.iterfind("AllowanceCharge")),
        tax=_text(item, "ClassifiedTaxCategory/ID"), rate_bp=_rate(item, "ClassifiedTaxCategory/Percent"),
        total_minor=_minor(line, "LineExtensionAmount", currency),
    )  # fmt: skip


def _ubl_item(line: Element, item: Element, qty_tag: str) -> dict[str, Any]:
    qty = _one(line, qty_tag)
    return {
        "id": _text(line, "ID", "number"), "article_no": _text(item, "SellersItemIdentification/ID", "number"),
        "gtin": next((found for scheme in (_GTIN, _GLN) if (found := _text(
            item, f"StandardItemIdentification/ID[@schemeID='{scheme}']", "number"))), ""),
        "name": _text(item, "Name", "name"), "qty": _decimal(line, qty_tag),
        "unit": qty.get("unitCode", "")[: LONGEST["unit"]],
    }  # fmt: skip


def _ubl_advice(root: Element) -> SupplierDocument:
    lines = (DocumentLine(**_ubl_item(line, _one(line, "Item"), "DeliveredQuantity"))
             for line in _many(root, "DespatchLine"))  # fmt: skip
    buyer = next((tag for tag in ("BuyerCustomerParty", "DeliveryCustomerParty") if root.find(tag) is not None), "")
    arrives = next(
        (found for path in ("EstimatedDeliveryPeriod/EndDate", "EstimatedDeliveryPeriod/StartDate",
                            "EstimatedDeliveryDate", "RequestedDeliveryPeriod/EndDate", "RequestedDeliveryDate")
         if (found := _text(root, f"Shipment/Delivery/{path}"))), "",
    )  # fmt: skip
    return SupplierDocument(
        ADVICE, _text(root, "ID", "number"), _day(_text(root, "IssueDate")), _ubl_party(root, "DespatchSupplierParty"),
        _ubl_party(root, buyer), tuple(lines), order_ref=_text(root, "OrderReference/ID", "number"),
        arrives=_day(arrives) if arrives else None,
    )  # fmt: skip


def _ubl_party(root: Element, tag: str) -> Party:
    party = root.find(f"{tag}/Party") if tag else None
    if party is None:
        return Party(())
    names = _texts(party, "PartyLegalEntity/RegistrationName", "PartyName/Name")
    addresses = (*party.iterfind("EndpointID"), *party.iterfind("PartyIdentification/ID"))
    return Party(names, _texts(party, "PartyTaxScheme/CompanyID"), _addresses(addresses))


def _charge(one: Element, currency: str) -> int:
    minor = _minor(one, "Amount", currency)
    return minor if _text(one, "ChargeIndicator") == "true" else -minor


# --- inside: CII ---


def _cii(root: Element) -> SupplierDocument:
    head, trade = _one(root, "ExchangedDocument"), _one(root, "SupplyChainTradeTransaction")
    agreed, settled = _one(trade, "ApplicableHeaderTradeAgreement"), _one(trade, "ApplicableHeaderTradeSettlement")
    currency = _text(settled, "InvoiceCurrencyCode")
    sums = _one(settled, "SpecifiedTradeSettlementHeaderMonetarySummation")
    return SupplierDocument(
        _kind(_text(head, "TypeCode")), _text(head, "ID", "number"),
        _day(_text(head, "IssueDateTime/DateTimeString")), _cii_party(agreed, "SellerTradeParty"),
        _cii_party(agreed, "BuyerTradeParty"),
        tuple(_cii_line(line, currency) for line in _many(trade, "IncludedSupplyChainTradeLineItem")),
        order_ref=_text(agreed, "BuyerOrderReferencedDocument/IssuerAssignedID", "number"), currency=currency,
        invoice_refs=_texts(settled, "InvoiceReferencedDocument/IssuerAssignedID"),
        buyer_ref=_text(agreed, "BuyerReference", "number"),
        extras=tuple(Extra(_text(one, "CategoryTradeTax/CategoryCode"),
                           _rate(one, "CategoryTradeTax/RateApplicablePercent"), _cii_charge(one, currency))
                     for one in settled.iterfind("SpecifiedTradeAllowanceCharge")),
        taxes=tuple(TaxSum(_text(one, "CategoryCode"), _rate(one, "RateApplicablePercent"),
                           _minor(one, "BasisAmount", currency), _minor(one, "CalculatedAmount", currency))
                    for one in settled.iterfind("ApplicableTradeTax")),
        net_minor=_minor(sums, "TaxBasisTotalAmount", currency),
        tax_minor=_minor(_in_currency(sums, "TaxTotalAmount", currency), ".", currency, "0"),
        prepaid_minor=_minor(sums, "TotalPrepaidAmount", currency, "0"),
        rounding_minor=_minor(sums, "RoundingAmount", currency, "0"),
        payable_minor=_minor(sums, "DuePayableAmount", currency),
    )  # fmt: skip


def _cii_line(line: Element, currency: str) -> DocumentLine:
    product, settled = _one(line, "SpecifiedTradeProduct"), _one(line, "SpecifiedLineTradeSettlement")
    price = "SpecifiedLineTradeAgreement/NetPriceProductTradePrice"
    qty = "SpecifiedLineTradeDelivery/BilledQuantity"
    return DocumentLine(
        _text(line, "AssociatedDocumentLineDocument/LineID", "number"), _text(product, "SellerAssignedID", "number"),
        _text(product, f"GlobalID[@schemeID='{_GTIN}']", "number"), _text(product, "Name", "name"), _decimal(line, qty),
        _one(line, qty).get("unitCode", "")[: LONGEST["unit"]], _decimal(line, f"{price}/ChargeAmount"),
        _decimal(line, f"{price}/BasisQuantity", "1"),
        sum(_cii_charge(one, currency) for one in settled.iterfind("SpecifiedTradeAllowanceCharge")),
        _text(settled, "ApplicableTradeTax/CategoryCode"), _rate(settled, "ApplicableTradeTax/RateApplicablePercent"),
        _minor(settled, "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount", currency),
    )  # fmt: skip


def _cii_party(agreed: Element, tag: str) -> Party:
    party = _one(agreed, tag)
    names = _texts(party, "Name", "SpecifiedLegalOrganization/TradingBusinessName")
    addresses = (*party.iterfind("URIUniversalCommunication/URIID"), *party.iterfind("GlobalID"))
    return Party(names, _texts(party, "SpecifiedTaxRegistration/ID"), _addresses(addresses))


def _cii_charge(one: Element, currency: str) -> int:
    minor = _minor(one, "ActualAmount", currency)
    return minor if _text(one, "ChargeIndicator/Indicator") == "true" else -minor


# --- inside: what stands in an element ---


def _one(above: Element, path: str) -> Element:
    found = above.find(path)
    if found is None:
        raise _missing(path)
    return found


def _many(above: Element, tag: str) -> list[Element]:
    found = above.findall(tag)
    if len(found) > MOST_LINES:
        raise Invalid("too-many-lines", "This document has more than %(most)s lines.", most=MOST_LINES)
    return found


def _text(above: Element, path: str, longest: str = "name") -> str:
    return " ".join((above.findtext(path) or "").split())[: LONGEST[longest]]


def _texts(above: Element, *paths: str) -> tuple[str, ...]:
    found = (" ".join((one.text or "").split())[: LONGEST["name"]] for path in paths for one in above.findall(path))
    return tuple(dict.fromkeys(one for one in found if one))


def _addresses(found: Iterable[Element]) -> tuple[str, ...]:
    """Return addresses with their scheme; a number without one may be anybody's."""
    said = ((one.get("schemeID", "").strip(), "".join((one.text or "").split())) for one in found)
    return tuple(dict.fromkeys(f"{scheme}:{number}"[: LONGEST["name"]] for scheme, number in said if scheme and number))


def _kind(code: str) -> str:
    """Return whether a document's type code is an invoice's or a credit memo's (UN/CEFACT 1001)."""
    if code in _NOT_TO_PAY:
        raise Invalid(
            "not-to-pay", "This is a pro forma invoice or an offer, not a bill. Ask the supplier for the invoice."
        )
    return CREDIT if code in _CREDIT_CODES else INVOICE


def _in_currency(above: Element, tag: str, currency: str) -> Element:
    """Return the element of this currency, where a total is said in two; an empty one where there is none."""
    found = above.findall(tag)
    return next((one for one in found if one.get("currencyID", currency) == currency), Element(tag))


def _decimal(above: Element, path: str, otherwise: str = "", *, currency: str = "") -> Decimal:
    """Return a number, of an amount in this currency where one is given."""
    found = above.find(path)
    if found is not None and currency and found.get("currencyID", currency) != currency:
        raise Invalid("two-currencies", "This document mixes %(one)s and %(other)s. Ask the supplier for one in a "
                      "single currency.", one=currency, other=found.get("currencyID", "")[:8])  # fmt: skip
    said = ((found.text if found is not None else "") or otherwise).strip()
    if not _NUMBER.fullmatch(said):
        raise _missing(path)
    return Decimal(said)


def _minor(above: Element, path: str, currency: str, otherwise: str = "") -> int:
    minor = _decimal(above, path, otherwise, currency=currency) * 10 ** exponent(currency)
    if minor != int(minor):
        raise _missing(path)
    return int(minor)


def _rate(above: Element, path: str) -> int:
    """Return a tax rate in basis points; what is not taxed names none."""
    return int(_decimal(above, path, "0") * BASIS / 100)


def _day(said: str) -> dt.date:
    try:
        return dt.date.fromisoformat(said)
    except ValueError as wrong:
        raise _missing("IssueDate") from wrong


def _missing(path: str) -> Invalid:
    """Name the element that is missing or wrong, for the supplier's sake."""
    return Invalid("element-missing", "In this file, %(element)s is missing or wrong. Ask the supplier for a correct "
                   "file.", element=path.split("[")[0])  # fmt: skip
