"""Tests of `supply.sync`."""
