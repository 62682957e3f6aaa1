"""Tests of `supply.demand`."""
