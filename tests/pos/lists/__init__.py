"""Tests of `pos.catalogue`."""
