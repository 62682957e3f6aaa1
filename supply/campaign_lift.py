"""What campaigns are expected to make of a day's sales, for the shop's forecast.

Rules
-----
1. On the days of a campaign the shop said yes to, its products are expected to sell so many times as much as the
   campaign's lines say; of two campaigns at once the larger counts.
2. It holds for days gone by too: what sold then is read without it, so that an ordinary day stays what it was. Where
   the campaign brings less or more than expected, the level follows and is found again afterwards.
3. The campaign's extra is planned demand until its last day (`campaign_asks`); what a forecast carries of it is not
   spoken for beside that forecast (`planned`, rule 3).
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.money import BASIS
from supply.planned import PlannedDemand

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.panel import DemandPanel, Floats

SOURCE = "campaign:"


def split(
    session: Session, store_id: str, panel: "DemandPanel", horizon_days: int
) -> "tuple[Floats | None, Floats | None]":
    """Return the factors of the panel's days and of those after it (rules 1, 2); None twice without a campaign."""
    import numpy as np

    from supply.campaigns import CampaignAsk, lines_of

    last = panel.next_day + dt.timedelta(days=horizon_days - 1)
    query = sa.select(CampaignAsk).where(
        CampaignAsk.store_id == store_id, CampaignAsk.state.in_(("accepted", "over")),
        CampaignAsk.until_day >= panel.first_day, CampaignAsk.from_day <= last,
    )  # fmt: skip
    place = {sku: row for row, (_, sku) in enumerate(panel.keys)}
    grid = np.ones((panel.n_series, panel.n_days + horizon_days))
    for ask in session.scalars(query):
        first, end = (ask.from_day - panel.first_day).days, (ask.until_day - panel.first_day).days + 1
        for line in lines_of(ask):
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
