"""What a store's history came to, kept between the nights, so that a night looks only at the days since.

Rules
-----
1. A store is measured whole on its own night of the week, which its id decides, so that a network's nights are even;
   and whenever it has nothing kept that is younger than a week, that very night is asked again, or the way of measuring
   is another (`forecasting.fit.state.VERSION`).
2. Other nights read the days since and their context, and write no state: any night can be worked out again from the
   state and the days, to the last digit.
3. History that is laid in afterwards (`rollups.import_history`) lets the state go.
"""

import datetime as dt
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from supply.demand import history

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.fit.state import State
    from forecasting.series.panel import DemandPanel

WEEK_DAYS = 7


class ForecastState(Base):
    """One store's newest state; measured_day is the first day it has not seen."""

    __tablename__ = "forecast_state"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    measured_day: Mapped[dt.date]
    version: Mapped[int]
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)
    """`forecasting.fit.state.to_bytes`."""


@dataclass(frozen=True)
class Remembered:
    """A store's days as a night reads them: all its history to measure (state: None), or a state and the days since."""

    panel: "DemandPanel"
    state: "State | None"


def remember(session: Session, store_id: str, day: dt.date, *, again: bool = False) -> Remembered:
    """Read what the night after `day` needs: the state if it will do (rule 1), and the days it has not seen.

    again: to say again what that night was told, from its state; any that is younger than a week will do.
    """
    from forecasting.fit.state import CONTEXT_DAYS, from_bytes

    kept = session.get(ForecastState, store_id)
    if kept is not None and not _is_due(store_id, kept.measured_day, day, again):
        state = from_bytes(kept.body)
        if state is not None:
            lived = {key[1] for key, observed in zip(state.keys, state.observed, strict=True) if observed}
            days = (day - kept.measured_day).days + 1 + CONTEXT_DAYS
            return Remembered(history.panel(session, store_id, day, days, lived=frozenset(lived)), state)
    return Remembered(history.panel(session, store_id, day), None)


def keep(session: Session, store_id: str, measured_day: dt.date, body: bytes) -> None:
    """Keep what was measured (`forecasting.fit.state.to_bytes`); an older measure never replaces a newer one."""
    from forecasting.fit.state import VERSION

    kept = session.get(ForecastState, store_id)
    if kept is None:
        session.add(ForecastState(store_id=store_id, measured_day=measured_day, version=VERSION, body=body))
    elif kept.version != VERSION or kept.measured_day <= measured_day:
        kept.measured_day, kept.version, kept.body = measured_day, VERSION, body
    session.flush()


def forget(session: Session, store_ids: Collection[str]) -> None:
    """Let the states of these stores go: their history is another now (rule 3)."""
    session.execute(sa.delete(ForecastState).where(ForecastState.store_id.in_(store_ids)))


def _is_due(store_id: str, measured_day: dt.date, day: dt.date, again: bool) -> bool:
    age = (day - measured_day).days + 1
    if again and 0 <= age < WEEK_DAYS:
        return False
    own_night = zlib.crc32(store_id.encode()) % WEEK_DAYS == day.toordinal() % WEEK_DAYS
    return own_night or not 0 < age < WEEK_DAYS
