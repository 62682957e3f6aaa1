"""Tests of `supply.money`."""
