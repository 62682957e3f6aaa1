"""Suppliers' documents as other programs write them: UBL, CII, and a PDF with CII inside."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from xml.sax.saxutils import escape

from pypdf import PdfWriter

UBL = "urn:oasis:names:specification:ubl:schema:xsd"
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """A line as billed: price net, rate in percent, extra a charge or below zero a discount."""

    article_no: str
    qty: Decimal | int
    price: Decimal | str
    unit: str = "XBX"
    rate: int = 20
    gtin: str = ""
    name: str = "Tea & biscuits"
    extra: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return rounded(Decimal(self.qty) * Decimal(self.price)) + self.extra


@dataclass(frozen=True)
class Paper:
    """What a made document says; forged: how much more it asks for than it comes to."""

    lines: Sequence[Line]
    number: str = "4711"
    seller: str = "Mill Farm"
    seller_tax: str = "DE123456789"
    buyer: str = "Store S01"
    buyer_tax: str = ""
    order: str = ""
    currency: str = "USD"
    day: str = "2026-03-02"
    refs: Sequence[str] = ()
    buyer_ref: str = ""
    forged: Decimal = Decimal(0)
    taxes: dict[int, Decimal] = field(init=False)

    def __post_init__(self) -> None:
        nets: dict[int, Decimal] = {}
        for line in self.lines:
            nets[line.rate] = nets.get(line.rate, Decimal(0)) + line.total
        object.__setattr__(self, "taxes", nets)

    @property
    def net(self) -> Decimal:
        return sum(self.taxes.values(), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return sum((tax(net, rate) for rate, net in self.taxes.items()), Decimal(0))


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def tax(net: Decimal, rate: int) -> Decimal:
    return rounded(net * rate / 100)


def ubl(paper: Paper, kind: str = "Invoice") -> bytes:
    """Write an Invoice or CreditNote of UBL 2.1."""
    line_tag, qty_tag = (
        ("InvoiceLine", "InvoicedQuantity") if kind == "Invoice" else ("CreditNoteLine", "CreditedQuantity")
    )
    money = lambda tag, amount: f'<cbc:{tag} currencyID="{paper.currency}">{amount}</cbc:{tag}>'  # noqa: E731
    lines = "".join(
        f"<cac:{line_tag}><cbc:ID>{n}</cbc:ID><cbc:{qty_tag} unitCode='{line.unit}'>{line.qty}</cbc:{qty_tag}>"
        f"{money('LineExtensionAmount', line.total)}{_extra(line, money)}{_item(line)}"
        f"<cac:Price>{money('PriceAmount', line.price)}</cac:Price></cac:{line_tag}>"
        for n, line in enumerate(paper.lines, 1)
    )
    parts = "".join(
        f"<cac:TaxSubtotal>{money('TaxableAmount', net)}{money('TaxAmount', tax(net, rate))}"
        f"{_category('TaxCategory', rate)}</cac:TaxSubtotal>" for rate, net in paper.taxes.items()
    )  # fmt: skip
    return _document(kind, paper, f"<cbc:DocumentCurrencyCode>{paper.currency}</cbc:DocumentCurrencyCode>"
        f"<cbc:BuyerReference>{paper.buyer_ref}</cbc:BuyerReference>{_order(paper)}{_refs(paper)}"
        f"{_party('AccountingSupplierParty', paper.seller, paper.seller_tax)}"
        f"{_party('AccountingCustomerParty', paper.buyer, paper.buyer_tax)}"
        f"<cac:TaxTotal>{money('TaxAmount', paper.tax)}{parts}</cac:TaxTotal><cac:LegalMonetaryTotal>"
        f"{money('LineExtensionAmount', paper.net)}{money('TaxExclusiveAmount', paper.net)}"
        f"{money('TaxInclusiveAmount', paper.net + paper.tax)}"
        f"{money('PayableAmount', paper.net + paper.tax + paper.forged)}"
        f"</cac:LegalMonetaryTotal>{lines}")  # fmt: skip


def advice(paper: Paper, arrives: str = "2026-03-05") -> bytes:
    """Write a DespatchAdvice of UBL 2.1."""
    lines = "".join(
        f"<cac:DespatchLine><cbc:ID>{n}</cbc:ID><cbc:DeliveredQuantity unitCode='{line.unit}'>{line.qty}"
        f"</cbc:DeliveredQuantity>{_item(line)}</cac:DespatchLine>" for n, line in enumerate(paper.lines, 1)
    )  # fmt: skip
    return _document("DespatchAdvice", paper, f"{_order(paper)}"
        f"{_party('DespatchSupplierParty', paper.seller, paper.seller_tax)}"
        f"{_party('DeliveryCustomerParty', paper.buyer, paper.buyer_tax)}<cac:Shipment><cac:Delivery>"
        f"<cac:EstimatedDeliveryPeriod><cbc:StartDate>{arrives}</cbc:StartDate></cac:EstimatedDeliveryPeriod>"
        f"</cac:Delivery></cac:Shipment>{lines}")  # fmt: skip


def cii(paper: Paper, code: str = "380") -> bytes:
    """Write a CrossIndustryInvoice, as Factur-X and ZUGFeRD have it."""
    lines = "".join(
        f"<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>{n}</ram:LineID>"
        "</ram:AssociatedDocumentLineDocument><ram:SpecifiedTradeProduct>"
        f"<ram:GlobalID schemeID='0160'>{line.gtin}</ram:GlobalID><ram:SellerAssignedID>{line.article_no}"
        f"</ram:SellerAssignedID><ram:Name>{escape(line.name)}</ram:Name></ram:SpecifiedTradeProduct>"
        f"<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>{line.price}</ram:ChargeAmount>"
        "</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement><ram:SpecifiedLineTradeDelivery>"
        f"<ram:BilledQuantity unitCode='{line.unit}'>{line.qty}</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>"
        f"<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:CategoryCode>S</ram:CategoryCode>"
        f"<ram:RateApplicablePercent>{line.rate}.00</ram:RateApplicablePercent></ram:ApplicableTradeTax>"
        f"<ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>{line.total}</ram:LineTotalAmount>"
        "</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>"
        "</ram:IncludedSupplyChainTradeLineItem>" for n, line in enumerate(paper.lines, 1)
    )  # fmt: skip
    taxes = "".join(
        f"<ram:ApplicableTradeTax><ram:CalculatedAmount>{tax(net, rate)}</ram:CalculatedAmount><ram:BasisAmount>{net}"
        f"</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>{rate}"
        "</ram:RateApplicablePercent></ram:ApplicableTradeTax>" for rate, net in paper.taxes.items()
    )  # fmt: skip
    total = paper.net + paper.tax
    refs = "".join(
        f"<ram:InvoiceReferencedDocument><ram:IssuerAssignedID>{one}</ram:IssuerAssignedID>"
        "</ram:InvoiceReferencedDocument>" for one in paper.refs
    )  # fmt: skip
    return (
        "<rsm:CrossIndustryInvoice xmlns:rsm='urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100' "
        "xmlns:ram='urn:ram' xmlns:udt='urn:udt'><rsm:ExchangedDocument>"
        f"<ram:ID>{paper.number}</ram:ID><ram:TypeCode>{code}</ram:TypeCode><ram:IssueDateTime>"
        f"<udt:DateTimeString format='102'>{paper.day.replace('-', '')}</udt:DateTimeString></ram:IssueDateTime>"
        f"</rsm:ExchangedDocument><rsm:SupplyChainTradeTransaction>{lines}<ram:ApplicableHeaderTradeAgreement>"
        f"<ram:BuyerReference>{paper.buyer_ref}</ram:BuyerReference>"
        f"{_trader('SellerTradeParty', paper.seller, paper.seller_tax)}"
        f"{_trader('BuyerTradeParty', paper.buyer, paper.buyer_tax)}"
        f"<ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>{paper.order}</ram:IssuerAssignedID>"
        "</ram:BuyerOrderReferencedDocument></ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeSettlement>"
        f"<ram:InvoiceCurrencyCode>{paper.currency}</ram:InvoiceCurrencyCode>{taxes}"
        f"<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:TaxBasisTotalAmount>{paper.net}"
        f"</ram:TaxBasisTotalAmount><ram:TaxTotalAmount>{paper.tax}</ram:TaxTotalAmount><ram:DuePayableAmount>"
        f"{total + paper.forged}</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>{refs}"
        "</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"
    ).encode()  # fmt: skip


def pdf(**attached: bytes) -> bytes:
    """Write a PDF of one empty page with files attached, by name without their ending."""
    writer, page = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    for name, content in attached.items():
        writer.add_attachment(f"{name}.xml", content)
    writer.write(page)
    return page.getvalue()


def _document(kind: str, paper: Paper, content: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{kind} xmlns="{UBL}:{kind}-2" '
        f'xmlns:cac="{UBL}:CommonAggregateComponents-2" '
        f'xmlns:cbc="{UBL}:CommonBasicComponents-2"><cbc:ID>{paper.number}</cbc:ID><cbc:IssueDate>{paper.day}'
        f"</cbc:IssueDate>{content}</{kind}>"
    ).encode()  # fmt: skip


def _order(paper: Paper) -> str:
    return f"<cac:OrderReference><cbc:ID>{paper.order}</cbc:ID></cac:OrderReference>" if paper.order else ""


def _refs(paper: Paper) -> str:
    return "".join(
        f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{one}</cbc:ID></cac:InvoiceDocumentReference>"
        "</cac:BillingReference>" for one in paper.refs
    )  # fmt: skip


def _party(tag: str, name: str, number: str) -> str:
    scheme = f"<cac:PartyTaxScheme><cbc:CompanyID>{number}</cbc:CompanyID></cac:PartyTaxScheme>" if number else ""
    legal = f"<cac:PartyLegalEntity><cbc:RegistrationName>{escape(name)}</cbc:RegistrationName></cac:PartyLegalEntity>"
    return f"<cac:{tag}><cac:Party>{scheme}{legal}</cac:Party></cac:{tag}>"


def _trader(tag: str, name: str, number: str) -> str:
    return (
        f"<ram:{tag}><ram:Name>{escape(name)}</ram:Name><ram:SpecifiedTaxRegistration><ram:ID schemeID='VA'>{number}"
        f"</ram:ID></ram:SpecifiedTaxRegistration></ram:{tag}>"
    )  # fmt: skip


def _item(line: Line) -> str:
    return (
        f"<cac:Item><cbc:Name>{escape(line.name)}</cbc:Name><cac:SellersItemIdentification><cbc:ID>{line.article_no}"
        f"</cbc:ID></cac:SellersItemIdentification><cac:StandardItemIdentification><cbc:ID schemeID='0160'>{line.gtin}"
        f"</cbc:ID></cac:StandardItemIdentification>{_category('ClassifiedTaxCategory', line.rate)}</cac:Item>"
    )  # fmt: skip


def _category(tag: str, rate: int) -> str:
    return f"<cac:{tag}><cbc:ID>S</cbc:ID><cbc:Percent>{rate}</cbc:Percent></cac:{tag}>"


def _extra(line: Line, money) -> str:
    if not line.extra:
        return ""
    indicator = "true" if line.extra > 0 else "false"
    return (
        f"<cac:AllowanceCharge><cbc:ChargeIndicator>{indicator}</cbc:ChargeIndicator>{money('Amount', abs(line.extra))}"
        "</cac:AllowanceCharge>"
    )  # fmt: skip
