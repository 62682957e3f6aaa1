"""How far off a forecast may be: quantiles of a day and of a sum of days, error measures, censored demand."""
