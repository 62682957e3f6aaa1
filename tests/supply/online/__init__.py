"""Tests of `supply.online`."""
