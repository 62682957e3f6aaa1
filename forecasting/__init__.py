"""Forecasting: arrays in, arrays out. No database, no clock, no web.

`forecasting.run.forecast` makes a store's forecast, `forecasting.fit.regional.fit_region` the network's signal;
`forecasting.uncertainty.paths.draw` draws whole futures from a forecast, for simulations.
Importing this package never imports statsmodels: only `models` does, inside the functions that need it.
"""

from forecasting.fit.signal import RegionalSignal
from forecasting.series.panel import LEVELS, Ahead, DemandPanel, Forecast, PanelFault

__all__ = ["LEVELS", "Ahead", "DemandPanel", "Forecast", "PanelFault", "RegionalSignal"]
