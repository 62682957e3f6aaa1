"""The words of messages to customers, in English and Chinese. Pure.

One sentence that says what happened, one that says what to do, and the address of the order's page.
"""

from typing import Any

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
        "code": "{shop}: your code is {code}. It is good for ten minutes. Tell it to nobody.",
        "accepted": "{shop} has your order {order_no}. You will be told when it is ready.",
        "ready": "{shop}: order {order_no} is ready. Show the code on your order's page at the counter until {until}.",
        "reminder": "{shop}: order {order_no} still waits for you. It is kept until {until}.",
        "refused": "{shop} cannot fulfil order {order_no}. {why}",
        "cancelled": "{shop}: order {order_no} is cancelled. {why}",
        "expired": "{shop}: order {order_no} was not collected in time, and the goods went back to the shelf.",
        "short": "{shop}: not all of order {order_no} was there: {why}. Look at the new total; you can still cancel.",
        "refunded": "{shop}: {amount} of order {order_no} goes back to you.",
        "return_refused": "{shop} takes nothing of order {order_no} back. {why} You can let the network decide.",
        "group": "{shop}: {name}: {why}",
        "on_the_way": "{shop}: order {order_no} is on the way to you. Show the code on your order's page at the door.",
        "handed_over": "{shop} says that you have order {order_no}. If not, say so on the order's page before {until}.",
        "not_met": "{shop}: nobody took order {order_no}. {why} The shop keeps it and gets in touch.",
        "points_code": "{shop} asks to use your points. If you are there now and agree, tell them this code: {code}. "
        "It is good for ten minutes. If not, ignore this message.",
    },
    "zh": {
        "code": "【{shop}】验证码 {code}，十分钟内有效，请勿告诉他人。",
        "accepted": "【{shop}】已接订单 {order_no}，备好后会通知您。",
        "ready": "【{shop}】订单 {order_no} 已备好，请在 {until} 前到柜台出示订单页上的取货码。",
        "reminder": "【{shop}】订单 {order_no} 还在等您，保留到 {until}。",
        "refused": "【{shop}】无法完成订单 {order_no}。{why}",
        "cancelled": "【{shop}】订单 {order_no} 已取消。{why}",
        "expired": "【{shop}】订单 {order_no} 超时未取，商品已放回货架。",
        "short": "【{shop}】订单 {order_no} 有缺货：{why}。请查看新的金额，现在仍可取消。",
        "refunded": "【{shop}】订单 {order_no} 的 {amount} 将退还给您。",
        "return_refused": "【{shop}】店家未同意订单 {order_no} 的退货。{why} 如不认同，可请总部裁定。",
        "group": "【{shop}】{name}：{why}",
        "on_the_way": "【{shop}】订单 {order_no} 正在送来，请在门口出示订单页上的取货码。",
        "handed_over": "【{shop}】店家称您已收到订单 {order_no}。如未收到，请在 {until} 前到订单页提出。",
        "not_met": "【{shop}】订单 {order_no} 没有人收。{why} 商品留在店里，店家会联系您。",
        "points_code": "【{shop}】申请使用您的积分。如您在店里并同意，请将验证码 {code} 告诉店员，十分钟内有效。"
        "否则请忽略。",
    },
}


def subject_of(kind: str, facts: dict[str, Any], language: str) -> str:
    """Return a message's subject line."""
    return f"{facts.get('shop', '')}: {_SUBJECTS[_known(language)][kind]}"


def text_of(kind: str, facts: dict[str, Any], language: str) -> str:
    """Return a message's text, with the address of the page it is about where there is one."""
    said = {"shop": "", "order_no": "", "why": "", "until": "", "code": "", "amount": "", "name": ""} | facts
    body = _BODIES[_known(language)][kind].format(**said).strip()
    return f"{body} {facts['url']}" if facts.get("url") else body


def _known(language: str) -> str:
    return "zh" if language.startswith("zh") else "en"
