"""Receipts as they are e-mailed: a few words with the receipt as PDF, in the language of its paper.

The receipt is laid out from the sale's frozen document, as its paper is (`pos.reports.receipt_mail` rule 3).
"""

from sqlalchemy.orm import Session

from pos.documents import paper, pdf, receipt
from pos.messages import OutgoingMessage
from pos.payments import vouchers
from pos.sold import Sale, document_of
from store_app.mail.envelopes import Envelope


def written(session: Session, row: OutgoingMessage) -> Envelope:
    """Return a message as it is carried (rule 1)."""
    sale = session.get_one(Sale, (row.store_id, row.about))
    document = vouchers.masked(document_of(session, sale))
    language = paper.language_of(document)
    say = paper.said_in(document, language)
    subject = say("Your receipt from {store}")
    text = say(
        "Thank you for shopping at {store}.\n\nYour receipt {no} of {day} for {total} is attached.\n{online}\n{store}\n"
    )
    address = receipt.e_receipt_address(document)
    said = {
        "store": document["store"]["name"], "no": f"{sale.receipt_no:06d}", "day": say.day(sale.business_day),
        "total": say.money(sale.total_minor, document["store"]["currency"]),
        "online": say("View it online: {address}\n").format(address=address) if address else "",
    }  # fmt: skip
    lines = receipt.layout(document, columns=pdf.COLUMNS, language=language)
    return Envelope(
        id=row.id, kind="receipt", phone="", email=row.email, subject=subject.format(**said),
        text=text.format(**said),
        files=((f"receipt-{said['no']}.pdf", "application/pdf", pdf.document_pages(lines, subject.format(**said))),),
    )  # fmt: skip
