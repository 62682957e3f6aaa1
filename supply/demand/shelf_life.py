"""What stands on the shelves by how long it may still be sold, all products at once. PURE.

Rules
-----
1. What comes on day t may be sold until t + life - 1; what never expires has an infinite life.
2. The oldest is sold first; what is left in the evening of its last day is wasted.

Letters: n products; any further axes, futures for instance, are each a shelf of its own. float64, whole units.
"""

import numpy as np

from forecasting.series.panel import Floats


class Shelves:
    """n products' units. life: (n,) days, 1 or more, or inf; shape: of what is put and taken, (n, ...)."""

    def __init__(self, life: Floats, shape: tuple[int, ...]) -> None:
        mortal = np.isfinite(life)
        self._days = int(life[mortal].max()) if mortal.any() else 0
        self._units = np.zeros((self._days + 1, *shape))
        """By the days left after today; the last row keeps."""
        self._fresh = np.where(mortal, np.where(mortal, life, 1.0) - 1, self._days).astype(np.int64)
        self._rows = np.arange(len(life))

    @property
    def total(self) -> Floats:
        """Units that stand there."""
        return np.asarray(self._units.sum(axis=0)) if self._days else self._units[0].copy()

    def put(self, units: Floats) -> None:
        """Put what has just come."""
        self._units[self._fresh, self._rows] += units

    def put_old(self, row: int, units: float, days_left: int) -> None:
        """Put units of one product that may be sold for so many days after today, 0: today alone; not beyond its life.

        Of what never expires they stand there like any other.
        """
        self._units[min(int(self._fresh[row]), days_left) if self._fresh[row] < self._days else self._days, row] += (
            units
        )

    def sell(self, wanted: Floats) -> Floats:
        """Sell what is wanted as far as it is there (rule 2); returns the units sold."""
        if not self._days:
            sold = np.minimum(self._units[0], wanted)
            self._units[0] -= sold
            return np.asarray(sold)
        rest = np.array(np.broadcast_to(wanted, self._units.shape[1:]))
        for row in self._units:
            taken = np.minimum(row, rest)
            row -= taken
            rest -= taken
        return np.asarray(wanted - rest)

    def end_day(self) -> Floats:
        """End the day: returns the units that are wasted (rule 2)."""
        if not self._days:
            return np.zeros_like(self._units[0])
        wasted = self._units[0].copy()
        self._units[: self._days - 1] = self._units[1 : self._days]
        self._units[self._days - 1] = 0.0
        return np.asarray(wasted)

    def outdating(self, daily: Floats) -> Floats:
        """Return the units that will expire unsold while so much sells a day: daily (n, days), today's first."""
        over = np.zeros_like(self._units[0])
        expiring, sold = np.zeros_like(over), np.zeros((len(self._rows),) + (1,) * (over.ndim - 1))
        for day in range(min(self._days, daily.shape[1])):
            expiring += self._units[day]
            sold = sold + daily[:, day].reshape(sold.shape)
            np.maximum(over, expiring - sold, out=over)
        return np.asarray(over)
