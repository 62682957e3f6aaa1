"""Tests of `forecasting.fit`."""
