"""Letters to suppliers as they are carried: words, the page as PDF, of an order a CSV, of a claim its photos.

The words are in the supplier's language; the attachments are made of the letter's frozen document alone.
"""

from typing import Any

from sqlalchemy.orm import Session

from pos.messages import OutgoingMessage
from store_app.mail.carriers import Envelope
from supply.network.claims import photos as claim_photos
from supply.network.purchasing import letter_pages
from supply.orders import letters as supplier_letters

_WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "order": ("Order {no} from {store}", "Dear {supplier},\n\nplease deliver the attached order {no} on {day}.\n"),
        "cancellation": (
            "Order {no} from {store} is called off",
            "Dear {supplier},\n\nplease do not deliver order {no} for {day}: {why}\n",
        ),
        "return": (
            "Return {no} from {store}",
            "Dear {supplier},\n\nthe goods of the attached note {no} go back to you: {why}\n\n{please}\n",
        ),
        "return_off": (
            "Return {no} from {store} is called off",
            "Dear {supplier},\n\nthe goods of note {no} do not come back to you: {why}\n",
        ),
        "claim": (
            "Claim {no} of {store} about the delivery of {day}",
            "Dear {supplier},\n\nof your delivery of {day} this was not as it should be:\n\n{lines}\n\n{words}{wish}\n",
        ),
        "kinds": {
            "short": "missing",
            "over": "too many",
            "damaged": "damaged",
            "wrong": "another product",
            "expired": "too old",
        },
        "wishes": {
            "money": "We ask for the money back.",
            "replacement": "Please send it again.",
            "return": "Please take it back.",
        },
        "please": "Please take them with your next delivery, or tell us how they come to you.",
        "greeting": "\n{by}\n{store}\n{address}\n{phone}",
        "number": "Our customer number with you: {customer_no}\n",
    },
    "zh": {
        "order": ("{store} 订货单 {no}", "{supplier}：\n\n请于 {day} 送达附件中的订单 {no}。\n"),
        "cancellation": ("{store} 取消订货单 {no}", "{supplier}：\n\n请勿送 {day} 的订单 {no}：{why}\n"),
        "return": (
            "{store} 退货单 {no}",
            "{supplier}：\n\n附件退货单 {no} 中的货物退还贵方：{why}\n\n{please}\n",
        ),
        "return_off": ("{store} 取消退货单 {no}", "{supplier}：\n\n退货单 {no} 中的货物不再退还：{why}\n"),
        "claim": (
            "{store} 对 {day} 到货的索赔 {no}",
            "{supplier}：\n\n{day} 的到货有以下问题：\n\n{lines}\n\n{words}{wish}\n",
        ),
        "kinds": {"short": "缺少", "over": "多送", "damaged": "损坏", "wrong": "错货", "expired": "过期"},
        "wishes": {"money": "请退款。", "replacement": "请补发。", "return": "请收回。"},
        "please": "请在下次送货时带回，或告知如何送还。",
        "greeting": "\n{by}\n{store}\n{address}\n{phone}",
        "number": "我方客户号：{customer_no}\n",
    },
}


def written(row: OutgoingMessage) -> Envelope:
    """Return a letter as it is carried, with its attachments (rule 1)."""
    document = row.body
    words = _WORDS["zh" if str(document["language"]).startswith("zh") else "en"]
    said: dict[str, Any] = {
        "no": document["order_no"], "store": document["store"]["name"], "supplier": document["supplier_name"],
        "day": document.get("delivery_day", ""), "why": document.get("called_off", document.get("why", "")),
        "by": document["by"], "address": document["store"]["address"] or "", "phone": document["store"]["phone"] or "",
        "customer_no": document["customer_no"], "please": words["please"],
    }  # fmt: skip
    subject, text = words[row.kind]
    number = words["number"] if document["customer_no"] else ""
    is_order = row.kind in ("order", "cancellation")
    name = f"{'order' if is_order else 'return'}-{document['order_no']}"
    table = [(f"{name}.csv", "text/csv", supplier_letters.as_csv(document))] if is_order else []
    return Envelope(
        id=row.id, kind=row.kind, phone="", email=row.email, subject=str(subject).format(**said),
        text=f"{text}{number}{words['greeting']}".format(**said).rstrip() + "\n",
        files=((f"{name}.pdf", "application/pdf", letter_pages.pages(document)), *table),
    )  # fmt: skip


def complaint(session: Session, row: OutgoingMessage) -> Envelope:
    """Return the letter of a claim, with its photos (rule 1)."""
    document = row.body
    words: dict[str, Any] = _WORDS["zh" if str(document["language"]).startswith("zh") else "en"]
    said = {
        "no": document["order_no"], "store": document["store"]["name"], "supplier": document["supplier_name"],
        "day": document["delivery_day"], "by": document["by"], "address": document["store"]["address"] or "",
        "phone": document["store"]["phone"] or "", "customer_no": document["customer_no"],
        "lines": "\n".join(
            f"- {line['qty']} {line['name']} ({line['sku']}): {words['kinds'][line['kind']]}"
            for line in document["lines"]
        ),
        "words": f"{document['words']}\n" if document["words"] else "", "wish": words["wishes"][document["wish"]],
    }  # fmt: skip
    subject, text = words["claim"]
    number = words["number"] if document["customer_no"] else ""
    photos = claim_photos.photos_of(session, row.store_id, row.id)
    return Envelope(
        id=row.id, kind=row.kind, phone="", email=row.email, subject=subject.format(**said),
        text=f"{text}{number}{words['greeting']}".format(**said).rstrip() + "\n",
        files=tuple((f"photo-{one.n + 1}.jpg", "image/jpeg", one.data) for one in photos if one.data),
    )  # fmt: skip
