"""Tests of `pos.stock`."""
