"""Tests of `pos.pricing`."""
