"""Tests of `supply.orders`."""
