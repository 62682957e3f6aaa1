"""Tests of `pos.customers`."""
