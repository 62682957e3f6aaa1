"""Tests of `pos.producers`."""
