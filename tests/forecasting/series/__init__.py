"""Tests of `forecasting.series`."""
