"""Our own papers as UBL 2.1, for the other side's program: an order (Peppol BIS Order 3). PURE.

Rules
-----
1. A paper says what its frozen document says. Quantities are packs (XPK) where a pack holds several, else the unit.
2. A party has an address in the Peppol network (EndpointID) where its tax number is one: with a country that has a
   scheme for it (`_SCHEMES`). Where we know none, none is claimed: the file then goes by e-mail or by hand.
3. The country of a store is the one its clock lies in.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from config.money import exponent
from pos.store.countries import country_of

_SPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
CBC, CAC = f"{{{_SPACE}CommonBasicComponents-2}}", f"{{{_SPACE}CommonAggregateComponents-2}}"
UNITS = {"each": "C62", "gram": "GRM", "millilitre": "MLT"}
_PACK = "XPK"
_SCHEMES = {
    "AT": "9914", "BE": "9925", "BG": "9926", "CY": "9928", "CZ": "9929", "DE": "9930", "EE": "9931", "ES": "9920",
    "FR": "9957", "GB": "9932", "EL": "9933", "HR": "9934", "HU": "9910", "IE": "9935", "IT": "0211", "LI": "9936",
    "LT": "9937", "LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947",
    "SI": "9949", "SK": "9950",
}  # fmt: skip


def order(document: dict[str, Any]) -> bytes:
    """Return an order as its message froze it (`supplier_messages`), as UBL."""
    store = document["store"]
    currency = store["currency"]
    root = began("Order", {
        "CustomizationID": "urn:fdc:peppol.eu:poacc:trns:order:3",
        "ProfileID": "urn:fdc:peppol.eu:poacc:bis:order_only:3",
        "ID": str(document["order_no"]), "IssueDate": document["order_day"], "OrderTypeCode": "220",
        "DocumentCurrencyCode": currency, "CustomerReference": document["customer_no"],
    })  # fmt: skip
    buyer = SubElement(SubElement(root, f"{CAC}BuyerCustomerParty"), f"{CAC}Party")
    party(buyer, store["name"], address=store["address"], country=country_of(store["tz"]),
          tax_number=store.get("tax_number", ""))  # fmt: skip
    seller = SubElement(SubElement(root, f"{CAC}SellerSupplierParty"), f"{CAC}Party")
    party(seller, document["supplier_name"])
    period = SubElement(SubElement(root, f"{CAC}Delivery"), f"{CAC}RequestedDeliveryPeriod")
    said(period, {"StartDate": document["delivery_day"], "EndDate": document["delivery_day"]})
    total = SubElement(root, f"{CAC}AnticipatedMonetaryTotal")
    net = sum(line["packs"] * line["pack_cost_minor"] for line in document["lines"])
    for name in ("LineExtensionAmount", "PayableAmount"):
        amount(total, name, net, currency)
    for n, line in enumerate(document["lines"], 1):
        _order_line(SubElement(SubElement(root, f"{CAC}OrderLine"), f"{CAC}LineItem"), n, line, currency)
    return written(root)


# --- what other papers use ---


def began(name: str, fields: dict[str, str]) -> Element:
    """Return the root of a document with its first fields."""
    root = Element(f"{{{_SPACE}{name}-2}}{name}")
    said(root, fields)
    return root


def said(above: Element, fields: dict[str, str], **attributes: str) -> None:
    """Add plain fields, in order; empty ones are left out."""
    for name, text in fields.items():
        if text:
            SubElement(above, f"{CBC}{name}", attributes).text = text


def amount(above: Element, name: str, minor: int, currency: str) -> None:
    """Add an amount."""
    said(above, {name: str(Decimal(minor).scaleb(-exponent(currency)))}, currencyID=currency)


def party(
    above: Element, name: str, *, id: str = "", address: str = "", country: str = "", tax_number: str = "",
    is_taxed: bool = True,
) -> None:  # fmt: skip
    """Fill a party in. is_taxed: its tax number is said as such, too."""
    number = "".join(mark for mark in tax_number.upper() if mark.isalnum())
    if (scheme := _SCHEMES.get(number[:2])) and len(number) > 2:
        said(above, {"EndpointID": number}, schemeID=scheme)
    if id:
        said(SubElement(above, f"{CAC}PartyIdentification"), {"ID": id})
    said(SubElement(above, f"{CAC}PartyName"), {"Name": name})
    if country:
        place = SubElement(above, f"{CAC}PostalAddress")
        said(place, {"StreetName": " ".join(address.split())})
        said(SubElement(place, f"{CAC}Country"), {"IdentificationCode": country})
    if is_taxed and number:
        scheme_of = SubElement(above, f"{CAC}PartyTaxScheme")
        said(scheme_of, {"CompanyID": number})
        said(SubElement(scheme_of, f"{CAC}TaxScheme"), {"ID": "VAT"})
    said(SubElement(above, f"{CAC}PartyLegalEntity"), {"RegistrationName": name})


def written(root: Element) -> bytes:
    """Return a document as its file."""
    for prefix, space in (("", root.tag[1:].partition("}")[0]), ("cbc", CBC[1:-1]), ("cac", CAC[1:-1])):
        ElementTree.register_namespace(prefix, space)
    ElementTree.indent(root)
    made: bytes = ElementTree.tostring(root, "UTF-8", xml_declaration=True)
    return made


# --- inside ---


def _order_line(above: Element, n: int, line: dict[str, Any], currency: str) -> None:
    units = UNITS.get(line["stock_unit"], "C62")
    is_pack = line["pack_qty"] > 1
    said(above, {"ID": str(n)})
    said(above, {"Quantity": str(line["packs"])}, unitCode=_PACK if is_pack else units)
    amount(above, "LineExtensionAmount", line["packs"] * line["pack_cost_minor"], currency)
    price = SubElement(above, f"{CAC}Price")
    amount(price, "PriceAmount", line["pack_cost_minor"], currency)
    item = SubElement(above, f"{CAC}Item")
    said(item, {"Name": line["name"]})
    for name, number in _numbers(line):
        said(SubElement(item, f"{CAC}{name}ItemIdentification"), {"ID": number},
             **({"schemeID": "0160"} if name == "Standard" else {}))  # fmt: skip
    if is_pack:
        more = SubElement(item, f"{CAC}AdditionalItemProperty")
        said(more, {"Name": "Units per pack", "Value": f"{line['pack_qty']} {units}"})


def _numbers(line: dict[str, Any]) -> Iterable[tuple[str, str]]:
    yield "Buyers", line["sku"]
    if line["article_no"]:
        yield "Sellers", line["article_no"]
    if line["barcode"]:
        yield "Standard", line["barcode"]
