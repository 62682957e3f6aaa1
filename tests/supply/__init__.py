"""Tests of `supply`."""
