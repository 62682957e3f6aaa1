"""Tests of `pos.reports`."""
