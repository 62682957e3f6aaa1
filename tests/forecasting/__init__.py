"""Tests of `forecasting`."""
