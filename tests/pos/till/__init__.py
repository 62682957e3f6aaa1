"""Tests of `pos.till`."""
