"""Tests of `pos.payments`."""
