"""Tests of `forecasting.accuracy`."""
