"""What campaigns are expected to make of a day's sales, for the store's forecast.

Rules
-----
1. On the days of a campaign the store said yes to, its products are expected to sell so many times as much as the
   campaign's lines say; of two campaigns at once the larger counts.
2. It holds for days gone by too: what sold then is read without it, so that an ordinary day stays what it was. Where
   the campaign brings less or more than expected, the level follows and is found again afterwards.
3. The campaign's extra is planned demand until its last day (`campaign_requests`); what a forecast carries of it is not
   spoken for beside that forecast (`known_events`, rule 3).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.money import BASIS
from config.states import StateTable
from supply.demand.known_events import PlannedDemand

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.series.panel import DemandPanel, Floats

ASKS = StateTable(
    "campaign ask",
    "asked",
    {
        "asked": ["accepted", "declined", "expired", "withdrawn"],
        "accepted": ["over", "withdrawn"],
        "withdrawn": ["accepted", "over"],
    },
    resting=["withdrawn"],
)
SOURCE = "campaign:"


@dataclass(frozen=True)
class CampaignLine:
    """A product of a campaign. percent_bp: off its price, 0 for none; uplift_bp: so much more is expected to sell."""

    sku: str
    name: str
    percent_bp: int
    slot: bool
    uplift_bp: int


class CampaignAsk(Base):
    """What a campaign asks of one store, at both nodes."""

    STATES: ClassVar[StateTable] = ASKS
    __tablename__ = "campaign_ask"
    __table_args__ = (sa.Index("ix_campaign_ask_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    why: Mapped[str]
    from_day: Mapped[dt.date]
    until_day: Mapped[dt.date]
    answer_by: Mapped[dt.date]
    lines: Mapped[list[Any]]
    fee_minor: Mapped[int]
    state: Mapped[str] = mapped_column(default=ASKS.first)
    answered_why: Mapped[str] = mapped_column(default="")
    placed_on: Mapped[dt.date | None]
    """At the store: since when its slots stand."""
    paid_minor: Mapped[int | None]
    """The shelf fee as it was settled."""
    effect: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What it brought at all stores that took part, of `forecasting.experiments.uplift.Uplift`; empty without a
    control."""


def split(
    session: Session, store_id: str, panel: "DemandPanel", horizon_days: int
) -> "tuple[Floats | None, Floats | None]":
    """Return the factors of the panel's days and of those after it (rules 1, 2); None twice without a campaign."""
    import numpy as np

    last = panel.next_day + dt.timedelta(days=horizon_days - 1)
    place = {sku: row for row, (_, sku) in enumerate(panel.keys)}
    grid = np.ones((panel.n_series, panel.n_days + horizon_days))
    for ask in _answered(session, store_id, panel.first_day, last):
        first, end = (ask.from_day - panel.first_day).days, (ask.until_day - panel.first_day).days + 1
        for line in lines_of(ask.lines):
            if line.sku in place:
                days = grid[place[line.sku], max(0, first) : end]
                np.maximum(days, 1.0 + line.uplift_bp / BASIS, out=days)
    if (grid == 1.0).all():
        return None, None
    return grid[:, : panel.n_days], grid[:, panel.n_days :]


def carried(session: Session, store_id: str, run_id: str, skus: Sequence[str], last: dt.date) -> None:
    """Note which planned demand of campaigns a forecast run carries, up to a day (rule 3)."""
    rows = session.scalars(
        sa.select(PlannedDemand).where(
            PlannedDemand.store_id == store_id,
            PlannedDemand.source.startswith(SOURCE, autoescape=True),
            PlannedDemand.day <= last,
        )
    )
    known = set(skus)
    for row in rows.all():
        if row.sku in known:
            row.carried_by = run_id
    session.flush()


def reported(
    session: Session, store_id: str, run_id: str, sku: str, first: dt.date, last: dt.date
) -> list[tuple[str, dt.date, dt.date, float]]:
    """Return the campaigns a run reckons with for a product between two days: name, its days, the factor expected."""
    query = sa.select(PlannedDemand.source).where(
        PlannedDemand.store_id == store_id, PlannedDemand.sku == sku, PlannedDemand.carried_by == run_id
    )
    carried_ones = {source.removeprefix(SOURCE).split("/", 1)[0] for source in session.scalars(query)}
    return [
        (ask.name, max(first, ask.from_day), min(last, ask.until_day), 1.0 + line.uplift_bp / BASIS)
        for ask in _answered(session, store_id, first, last)
        if ask.campaign_id in carried_ones
        for line in lines_of(ask.lines)
        if line.sku == sku
    ]


def lines_of(kept: Sequence[Any]) -> list[CampaignLine]:
    """Return the products of a campaign."""
    return [CampaignLine(**line) for line in kept]


# --- inside ---


def _answered(session: Session, store_id: str, first: dt.date, last: dt.date) -> list[CampaignAsk]:
    """Return the campaigns a store said yes to that have a day between these, in the order they begin."""
    query = sa.select(CampaignAsk).where(
        CampaignAsk.store_id == store_id, CampaignAsk.state.in_(("accepted", "over")),
        CampaignAsk.until_day >= first, CampaignAsk.from_day <= last,
    )  # fmt: skip
    return list(session.scalars(query.order_by(CampaignAsk.from_day, CampaignAsk.campaign_id)))
