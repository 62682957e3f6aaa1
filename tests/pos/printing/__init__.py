"""Tests of `pos.printing`."""
