"""Tests of `forecasting.experiments`."""
