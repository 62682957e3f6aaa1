"""Tests of `pos.sync`."""
