"""Tests of `store_app`."""
