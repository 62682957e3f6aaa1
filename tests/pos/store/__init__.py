"""Tests of `pos.store`."""
