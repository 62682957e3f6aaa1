"""Messages to suppliers as they are carried: words, the page as PDF, of an order a CSV and UBL, of a claim its photos.

The words are in the supplier's language; the attachments are made of the message's frozen document alone.
"""

from typing import Any

from sqlalchemy.orm import Session

from config.words import N_
from pos.documents.paper import said_in
from pos.documents.words import code_word
from pos.messages import OutgoingMessage
from pos.reasons import reason_word
from store_app.mail.envelopes import Envelope
from supply.network.claims import photos as claim_photos
from supply.network.purchasing import message_pages
from supply.orders import supplier_messages, ubl

_TEXTS = {
    "order": (
        N_("Order {no} from {store}"),
        N_("Dear {supplier},\n\nPlease deliver the attached order {no} on {day}.\n"),
    ),
    "cancellation": (
        N_("Order {no} from {store} is canceled"),
        N_("Dear {supplier},\n\nPlease do not deliver order {no} for {day}: {why}\n"),
    ),
    "return": (
        N_("Return {no} from {store}"),
        N_("Dear {supplier},\n\nWe are returning the products on the attached return slip {no}: {why}\n\n{please}\n"),
    ),
    "return_off": (
        N_("Return {no} from {store} is canceled"),
        N_("Dear {supplier},\n\nThe products on return slip {no} will not be returned: {why}\n"),
    ),
    "claim": (
        N_("Claim {no} from {store} for the delivery on {day}"),
        N_("Dear {supplier},\n\nWe have a claim for your delivery on {day}:\n\n{lines}\n\n{words}{wish}\n"),
    ),
}
"""Kind -> subject and text."""
_PLEASE = N_("Please collect them with your next delivery, or tell us how to send them.")
_NUMBER = N_("Our customer number: {customer_no}\n")
_GREETING = "\n{by}\n{store}\n{address}\n{phone}"
_CLAIMED = {
    "short": N_("missing"), "over": N_("too many"), "damaged": N_("damaged"), "wrong": N_("another product"),
    "expired": N_("too old"), "billed": N_("billed too much"),
}  # fmt: skip
_WISHES = {
    "money": N_("Please refund us."),
    "replacement": N_("Please send it again."),
    "return": N_("Please take it back."),
}


def written(row: OutgoingMessage) -> Envelope:
    """Return a message as it is carried, with its attachments (rule 1)."""
    document = row.body
    say = said_in(document)
    said: dict[str, Any] = {
        "no": document["order_no"], "store": document["store"]["name"], "supplier": document["supplier_name"],
        "day": say.moment(document.get("delivery_day", "")),
        "why": reason_word(document.get("called_off", document.get("why")), say),
        "by": document["by"], "address": document["store"]["address"] or "", "phone": document["store"]["phone"] or "",
        "customer_no": document["customer_no"], "please": say(_PLEASE),
    }  # fmt: skip
    subject, text = map(say, _TEXTS[row.kind])
    number = say(_NUMBER) if document["customer_no"] else ""
    is_order = row.kind in ("order", "cancellation")
    name = f"{'order' if is_order else 'return'}-{document['order_no']}"
    table = [(f"{name}.csv", "text/csv", supplier_messages.as_csv(document))] if is_order else []
    if row.kind == "order":
        table.append((f"{name}.xml", "application/xml", ubl.order(document)))
    return Envelope(
        id=row.id, kind=row.kind, phone="", email=row.email, subject=subject.format(**said),
        text=f"{text}{number}{_GREETING}".format(**said).rstrip() + "\n",
        files=((f"{name}.pdf", "application/pdf", message_pages.pages(document)), *table),
    )  # fmt: skip


def complaint(session: Session, row: OutgoingMessage) -> Envelope:
    """Return the message of a claim, with its photos (rule 1)."""
    document = row.body
    say = said_in(document)
    said = {
        "no": document["order_no"], "store": document["store"]["name"], "supplier": document["supplier_name"],
        "day": say.moment(document["delivery_day"]), "by": document["by"],
        "address": document["store"]["address"] or "",
        "phone": document["store"]["phone"] or "", "customer_no": document["customer_no"],
        "lines": "\n".join(
            f"- {line['qty']} {line['name']} ({line['sku']}): {code_word(_CLAIMED, line['kind'], say)}"
            for line in document["lines"]
        ),
        "words": f"{document['words']}\n" if document["words"] else "",
        "wish": code_word(_WISHES, document["wish"], say),
    }  # fmt: skip
    subject, text = map(say, _TEXTS["claim"])
    number = say(_NUMBER) if document["customer_no"] else ""
    photos = claim_photos.photos_of(session, row.store_id, row.id)
    return Envelope(
        id=row.id, kind=row.kind, phone="", email=row.email, subject=subject.format(**said),
        text=f"{text}{number}{_GREETING}".format(**said).rstrip() + "\n",
        files=tuple((f"photo-{one.n + 1}.jpg", "image/jpeg", one.data) for one in photos if one.data),
    )  # fmt: skip
