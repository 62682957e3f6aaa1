"""What kind of demand a series is, for choosing how to forecast it and how to speak of it.

Rules (Syntetos, Boylan and Croston 2005: ADI 1.32, CV2 0.49)
-----
1. none         never observed, or observed and never sold
2. new          fewer than 14 observed days since its first sale
3. dead         no sale for 56 observed days and for four of its usual intervals
4. smooth       sells often, in similar amounts         (ADI < 1.32, CV2 < 0.49)
5. erratic      sells often, in varying amounts         (ADI < 1.32)
6. intermittent sells seldom, in similar amounts        (CV2 < 0.49)
7. lumpy        sells seldom, in varying amounts
"""

from __future__ import annotations

import numpy as np

from forecasting.series.panel import Flags, Floats, Ints

NONE, NEW, DEAD, SMOOTH, ERRATIC, INTERMITTENT, LUMPY = (
    "none", "new", "dead", "smooth", "erratic", "intermittent", "lumpy",
)  # fmt: skip
ADI_LIMIT, CV2_LIMIT = 1.32, 0.49
REGULAR = (SMOOTH, ERRATIC, INTERMITTENT, LUMPY)
NEW_DAYS, DEAD_DAYS, OFF_SALE_DAYS = 14, 56, 28


def intervals_and_spread(y: Floats) -> tuple[Floats, Floats]:
    """Return (n,) ADI, observed days per day with a sale, and (n,) CV2 of the sizes of sale.

    ADI counts from the first sale on; inf without a sale. CV2 is 0 with fewer than two sales.
    """
    seen = ~np.isnan(y)
    sold = seen & (np.nan_to_num(y) > 0)
    adi, sales = _intervals(seen, sold), sold.sum(axis=1)
    sizes = np.where(sold, np.nan_to_num(y), 0.0)
    mean = sizes.sum(axis=1) / np.maximum(sales, 1)
    square = np.where(sold, (sizes - mean[:, None]) ** 2, 0.0).sum(axis=1) / np.maximum(sales, 1)
    cv2 = np.where((sales > 1) & (mean > 0), square / np.maximum(mean, 1e-12) ** 2, 0.0)
    return adi, cv2


def _intervals(seen: Flags, sold: Flags) -> Floats:
    sales = sold.sum(axis=1)
    observed = (seen & (np.cumsum(sold, axis=1) > 0)).sum(axis=1)
    return np.where(sales > 0, observed / np.maximum(sales, 1), np.inf)


def off_sale(y: Floats, least_days: int = OFF_SALE_DAYS) -> Flags:
    """Return (n, T) the zeros that say "not on offer here" rather than "nobody bought".

    A run of days without a sale, before a sale, of at least least_days and so long that chance would bring
    it once in ten thousand times at the series' usual interval. A run that has not ended is never one.
    """
    n, days = y.shape
    if days == 0 or n == 0:
        return np.zeros((n, days), dtype=np.bool_)
    seen = ~np.isnan(y)
    sold = seen & (np.nan_to_num(y) > 0)
    at = np.arange(days)
    before = np.maximum.accumulate(np.where(sold, at, -1), axis=1)
    after = np.minimum.accumulate(np.where(sold, at, days)[:, ::-1], axis=1)[:, ::-1]
    run = np.where(after < days, after - before - 1, 0)
    gap = np.zeros((n, days), dtype=np.bool_)
    for _ in range(2):  # the second time the usual interval no longer holds the gaps themselves
        adi = np.clip(_intervals(seen & ~gap, sold), 1.0001, 1e6)
        longest = np.log(1e-4) / np.log1p(-1.0 / adi)
        gap = ~sold & (run >= np.maximum(longest, least_days)[:, None])
    return gap


def returns(y: Floats) -> tuple[float, int]:
    """Return the sum of 1 / days of silence over the days series (n, T) stood dead, and how many sold on the next.

    Dead (rule 3) by the intervals as they were known on that day.
    """
    seen = ~np.isnan(y)
    sold = seen & (np.nan_to_num(y) > 0)
    count, sales = np.cumsum(seen, axis=1), np.cumsum(sold, axis=1)
    silence = count - np.maximum.accumulate(np.where(sold, count, 0), axis=1)
    interval = np.cumsum(seen & (sales > 0), axis=1) / np.maximum(sales, 1)
    dead = (sales > 0) & (silence >= dead_after(interval))
    days = dead[:, :-1] & seen[:, 1:]
    return float((1.0 / silence[:, :-1][days]).sum()), int((days & sold[:, 1:]).sum())


def silent_days(y: Floats) -> Ints:
    """Return (n,) the days observed since the last sale; all of them where there was none."""
    sold = np.nan_to_num(y) > 0
    return np.asarray((~np.isnan(y) & (np.cumsum(sold[:, ::-1], axis=1)[:, ::-1] == 0)).sum(axis=1))


def dead_after(adi: Floats) -> Floats:
    """Return the days without a sale after which series with these intervals are dead (rule 3)."""
    return np.asarray(np.maximum(DEAD_DAYS, 4 * adi))


def number(kinds: tuple[str, ...]) -> Ints:
    """Return (n,) each kind's number among REGULAR from 1 on, 0 for one of few sales."""
    return np.array([REGULAR.index(kind) + 1 if kind in REGULAR else 0 for kind in kinds], dtype=np.int64)


def classify(y: Floats) -> tuple[str, ...]:
    """Return the kind of each series (n, T); rules 1-7, the first that applies."""
    if y.shape[1] == 0:
        return tuple([NONE] * len(y))
    adi, cv2 = intervals_and_spread(y)
    seen = ~np.isnan(y)
    sold = seen & (np.nan_to_num(y) > 0)
    age = (seen & (np.cumsum(sold, axis=1) > 0)).sum(axis=1)
    after_last = silent_days(y)
    silent = dead_after(adi)
    kinds: list[str] = []
    for row in range(y.shape[0]):
        if age[row] == 0:
            kinds.append(NONE)
        elif after_last[row] >= silent[row]:
            kinds.append(DEAD)
        elif age[row] < NEW_DAYS:
            kinds.append(NEW)
        elif adi[row] < ADI_LIMIT:
            kinds.append(SMOOTH if cv2[row] < CV2_LIMIT else ERRATIC)
        else:
            kinds.append(INTERMITTENT if cv2[row] < CV2_LIMIT else LUMPY)
    return tuple(kinds)
