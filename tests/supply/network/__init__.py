"""Tests of `supply.network`."""
