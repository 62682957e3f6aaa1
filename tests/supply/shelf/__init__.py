"""Tests of `supply.shelf`."""
