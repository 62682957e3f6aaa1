"""Tests of `forecasting.uncertainty`."""
