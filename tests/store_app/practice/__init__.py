"""Tests of `store_app.practice`."""
