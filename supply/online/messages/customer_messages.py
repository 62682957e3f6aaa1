"""What a customer is told about an order: written here with the order's move, an outgoing message like any other.

One sentence that says what happened, one that says what to do, and the address of the order's page.
"""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from pos import messages
from pos.messages import OutgoingMessage

KINDS = (
    "code",
    "accepted",
    "ready",
    "reminder",
    "refused",
    "cancelled",
    "expired",
    "short",
    "return_refused",
    "refunded",
    "group",
    "on_the_way",
    "not_met",
    "handed_over",
    "points_code",
)
_SUBJECTS = {
    "en": {
        "code": "Your code", "accepted": "Your order", "ready": "Ready to collect", "reminder": "Still waiting for you",
        "refused": "Your order was refused", "cancelled": "Your order is cancelled", "expired": "Not collected",
        "short": "Something is missing", "refunded": "Your money goes back",
        "return_refused": "About what you wanted to bring back", "group": "Your group buy",
        "on_the_way": "On the way to you", "not_met": "Nobody was there", "handed_over": "Did you get your order?",
        "points_code": "Your points",
    },
    "zh": {
        "code": "验证码", "accepted": "您的订单", "ready": "可以取货了", "reminder": "商品还在等您",
        "refused": "订单被拒绝", "cancelled": "订单已取消", "expired": "超时未取", "short": "有商品缺货",
        "refunded": "退款通知", "return_refused": "退货申请", "group": "您的拼团",
        "on_the_way": "正在送货", "not_met": "送货时没有人在", "handed_over": "您收到商品了吗？",
        "points_code": "您的积分",
    },
}  # fmt: skip
_BODIES = {
    "en": {
        "code": "{store}: your code is {code}. It is good for ten minutes. Tell it to nobody.",
        "accepted": "{store} has your order {order_no}. You will be told when it is ready.",
        "ready": "{store}: order {order_no} is ready. Show the code on your order's page at the counter until {until}.",
        "reminder": "{store}: order {order_no} still waits for you. It is kept until {until}.",
        "refused": "{store} cannot fulfil order {order_no}. {why}",
        "cancelled": "{store}: order {order_no} is cancelled. {why}",
        "expired": "{store}: order {order_no} was not collected in time, and the goods went back to the shelf.",
        "short": "{store}: not all of order {order_no} was there: {why}. Look at the new total; you can still cancel.",
        "refunded": "{store}: {amount} of order {order_no} goes back to you.",
        "return_refused": "{store} takes nothing of order {order_no} back. {why} You can let the network decide.",
        "group": "{store}: {name}: {why}",
        "on_the_way": "{store}: order {order_no} is on the way to you. Show the code on your order's page at the door.",
        "handed_over": "{store} says that you have order {order_no}. If not, say so on the order's page before "
        "{until}.",
        "not_met": "{store}: nobody took order {order_no}. {why} The store keeps it and gets in touch.",
        "points_code": "{store} asks to use your points. If you are there now and agree, tell them this code: {code}. "
        "It is good for ten minutes. If not, ignore this message.",
    },
    "zh": {
        "code": "【{store}】验证码 {code}，十分钟内有效，请勿告诉他人。",
        "accepted": "【{store}】已接订单 {order_no}，备好后会通知您。",
        "ready": "【{store}】订单 {order_no} 已备好，请在 {until} 前到柜台出示订单页上的取货码。",
        "reminder": "【{store}】订单 {order_no} 还在等您，保留到 {until}。",
        "refused": "【{store}】无法完成订单 {order_no}。{why}",
        "cancelled": "【{store}】订单 {order_no} 已取消。{why}",
        "expired": "【{store}】订单 {order_no} 超时未取，商品已放回货架。",
        "short": "【{store}】订单 {order_no} 有缺货：{why}。请查看新的金额，现在仍可取消。",
        "refunded": "【{store}】订单 {order_no} 的 {amount} 将退还给您。",
        "return_refused": "【{store}】店家未同意订单 {order_no} 的退货。{why} 如不认同，可请总部裁定。",
        "group": "【{store}】{name}：{why}",
        "on_the_way": "【{store}】订单 {order_no} 正在送来，请在门口出示订单页上的取货码。",
        "handed_over": "【{store}】店家称您已收到订单 {order_no}。如未收到，请在 {until} 前到订单页提出。",
        "not_met": "【{store}】订单 {order_no} 没有人收。{why} 商品留在店里，店家会联系您。",
        "points_code": "【{store}】申请使用您的积分。如您在店里并同意，请将验证码 {code} 告诉店员，十分钟内有效。"
        "否则请忽略。",
    },
}


def send(
    session: Session,
    store_id: str,
    kind: str,
    *,
    id: str,
    phone: str,
    email: str = "",
    language: str = "",
    facts: dict[str, Any],
    at: dt.datetime,
) -> OutgoingMessage | None:
    """Write a message down, made of these facts, once per id; nobody to be told, or told before, is no message."""
    assert kind in KINDS, kind
    if not (phone or email) or session.get(OutgoingMessage, (store_id, id)) is not None:
        return None
    return messages.write(
        session, store_id, kind, id=id, about=facts.get("order_id", facts.get("member_id", "")), carrier=messages.ANY,
        phone=phone, email=email, language=language, body=facts, at=at,
    )  # fmt: skip


def subject_of(kind: str, facts: dict[str, Any], language: str) -> str:
    """Return a message's subject line."""
    return f"{facts.get('store', '')}: {_SUBJECTS[_known(language)][kind]}"


def text_of(kind: str, facts: dict[str, Any], language: str) -> str:
    """Return a message's text, with the address of the page it is about where there is one."""
    said = {"store": "", "order_no": "", "why": "", "until": "", "code": "", "amount": "", "name": ""} | facts
    body = _BODIES[_known(language)][kind].format(**said).strip()
    return f"{body} {facts['url']}" if facts.get("url") else body


def _known(language: str) -> str:
    return "zh" if language.startswith("zh") else "en"
