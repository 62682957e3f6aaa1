"""Tests of `pos.sale`."""
