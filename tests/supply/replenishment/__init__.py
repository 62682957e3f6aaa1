"""Tests of `supply.replenishment`."""
