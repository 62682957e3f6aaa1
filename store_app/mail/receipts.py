"""Sending receipts by e-mail: a few words with the receipt as PDF, in the language of its paper.

Rules
-----
1. The receipt is laid out from the sale's frozen document, as its paper is (`pos.reports.receipt_mail` rule 4).
2. Nothing is sent inside a transaction; a program that dies between sending and noting it sends the letter twice, with
   the same message id.
"""

from sqlalchemy.orm import Session

from pos.documents import paper, pdf, receipt
from pos.payments import vouchers
from pos.reports import receipt_mail
from pos.reports.receipt_mail import ReceiptMail
from pos.sold import Sale, document_of
from store_app.mail.carriers import Carrier, Letter
from store_app.mail.letters import carried
from store_app.runtime.doors import Doors

_WORDS = {
    "en": (
        "Your receipt from {store}",
        "Thank you for shopping at {store}.\n\nReceipt {no} of {day}: {total}. It is attached.\n{online}\n{store}\n",
        "It also stands here: {address}\n",
    ),
    "zh": (
        "您在 {store} 的小票",
        "感谢您在 {store} 购物。\n\n小票 {no}，{day}：{total}，见附件。\n{online}\n{store}\n",
        "也可在此查看：{address}\n",
    ),
}


def send_due(doors: Doors, store_id: str, among: list[Carrier]) -> tuple[int, int]:
    """Send the receipts that are due (rule 2); returns how many left and how many did not."""
    with doors.read() as session:
        letters = [written(session, row) for row in receipt_mail.due(session, store_id, doors.now())]
    sent = failed = 0
    for letter in letters:
        code, _fault = carried(letter, among, doors)
        with doors.write() as session:
            if code:
                receipt_mail.failed(session, store_id, letter.id, code, at=doors.now())
                failed += 1
            else:
                receipt_mail.left(session, store_id, letter.id, at=doors.now())
                sent += 1
    return sent, failed


def written(session: Session, row: ReceiptMail) -> Letter:
    """Return a letter as it is carried (rule 1)."""
    sale = session.get_one(Sale, (row.store_id, row.sale_id))
    document = vouchers.masked(document_of(session, sale))
    language = paper.language_of(document)
    subject, text, online = _WORDS[language]
    address = receipt.e_receipt_address(document)
    said = {
        "store": document["store"]["name"], "no": f"{sale.receipt_no:06d}", "day": sale.business_day.isoformat(),
        "total": paper.price(sale.total_minor, document["store"]["currency"]),
        "online": online.format(address=address) if address else "",
    }  # fmt: skip
    lines = receipt.layout(document, columns=pdf.COLUMNS, language=language)
    return Letter(
        id=row.id, kind="receipt", phone="", email=row.address, subject=subject.format(**said),
        text=text.format(**said),
        files=((f"receipt-{said['no']}.pdf", "application/pdf", pdf.document_pages([lines], subject.format(**said))),),
    )  # fmt: skip
