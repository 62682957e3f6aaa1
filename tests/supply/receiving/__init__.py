"""Tests of `supply.receiving`."""
