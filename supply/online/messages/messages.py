"""What a customer is told about an order: written here with the order's move, sent by whoever carries it.

One sentence that says what happened, one that says what to do, and the address of the order's page.

Rules
-----
1. A message is written in the transaction of what it tells of, and once: its id is made of the order and the event.
2. Sending is asked for outside of any transaction. What fails is tried again, later each time, at most TRIES times;
   then it is given up and shown. A message that is too old to help is given up too.
3. Phone, e-mail and words are forgotten KEEP after it was sent or given up.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.journal import Actor
from config.states import StateTable

STATES = StateTable("customer message", "waiting", {"waiting": ["sent", "given_up"]})
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
TRIES = 8
KEEP = dt.timedelta(days=30)
WORTH = dict.fromkeys(("code", "points_code"), dt.timedelta(minutes=10))
"""How long a message is worth sending; two days where nothing is said."""
HAS_PERSON = sa.text("phone <> ''")
_SYSTEM = Actor.system("notify", NETWORK)


class CustomerMessage(Base):
    """Words to a customer. facts: what the words are made of (`messages.words`)."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "customer_message"
    __table_args__ = (
        sa.Index("ix_customer_message_due", "state", "try_at"),
        sa.Index("ix_customer_message_people", "ended_at", sqlite_where=HAS_PERSON),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    kind: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    language: Mapped[str]
    facts: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]
    try_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[dt.datetime | None]


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


# --- verbs ---


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
) -> CustomerMessage | None:
    """Write a message down, once per id (rule 1); nobody to be told is no message."""
    assert kind in KINDS, kind
    if not (phone or email) or session.get(CustomerMessage, id) is not None:
        return None
    row = CustomerMessage(
        id=id, store_id=store_id, kind=kind, phone=phone, email=email, language=language, facts=facts,
        state=STATES.first, made_at=at, try_at=at, tries=0, fault="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def sent(session: Session, id: str, *, at: dt.datetime) -> None:
    """Note that a message was taken over by what carries it."""
    row = session.get_one(CustomerMessage, id)
    if row.state == "waiting":
        _end(session, row, "sent", at)


def failed(session: Session, id: str, fault: str, *, at: dt.datetime) -> None:
    """Note that a message could not be sent, and when it is tried again (rule 2)."""
    row = session.get_one(CustomerMessage, id)
    if row.state != "waiting":
        return
    row.tries, row.fault = row.tries + 1, fault[:200]
    row.try_at = at + min(dt.timedelta(hours=1), dt.timedelta(seconds=10) * 2**row.tries)
    if row.tries >= TRIES or row.try_at > row.made_at + WORTH.get(row.kind, dt.timedelta(days=2)):
        _end(session, row, "given_up", at)


def forget(session: Session, *, at: dt.datetime) -> int:
    """Empty what is no longer needed (rule 3); returns how many."""
    update = (
        sa.update(CustomerMessage)
        .where(CustomerMessage.ended_at <= at - KEEP, HAS_PERSON)
        .values(phone="", email="", facts={})
        .returning(CustomerMessage.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(update).all())


# --- questions ---


def due(session: Session, at: dt.datetime, limit: int = 50) -> list[CustomerMessage]:
    """Return what is to be sent now, the oldest first."""
    query = sa.select(CustomerMessage).where(CustomerMessage.state == "waiting", CustomerMessage.try_at <= at)
    return list(session.scalars(query.order_by(CustomerMessage.try_at, CustomerMessage.id).limit(limit)))


def given_up(session: Session, limit: int = 50) -> list[CustomerMessage]:
    """Return what could not be sent, the newest first."""
    query = sa.select(CustomerMessage).where(CustomerMessage.state == "given_up")
    return list(session.scalars(query.order_by(CustomerMessage.made_at.desc()).limit(limit)))


def _end(session: Session, row: CustomerMessage, state: str, at: dt.datetime) -> None:
    journal.move(session, row, state, actor=_SYSTEM, at=at, subject=f"message:{row.id}")
    row.ended_at = at


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
