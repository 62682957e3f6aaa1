"""Tests of `supply.membership`."""
