"""Goods the network offers a shop unasked; nothing comes without the shopkeeper's yes.

Rules
-----
1. An offer is one product to one shop with packs, cost, a reason in words and a last day to answer.
2. Accepted, it arrives as a delivery and sells like anything else; declined or unanswered, nothing comes.
3. Sale or return: until return_until the shop may send back what did not sell at the cost it paid.
"""

import datetime as dt
from typing import ClassVar

from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "push offer",
    "offered",
    {
        "offered": ["accepted", "declined", "expired", "withdrawn"],
        "accepted": ["dispatched"],
        "dispatched": ["received"],
    },
)


class PushOffer(Base):
    """One product offered to one shop."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "push_offer"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    supplier_id: Mapped[str]
    sku: Mapped[str]
    name: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    packs: Mapped[int]
    why: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    offered_at: Mapped[dt.datetime]
    answer_by: Mapped[dt.date]
    return_until: Mapped[dt.date | None]
    answered_why: Mapped[str] = mapped_column(default="")
