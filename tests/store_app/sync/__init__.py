"""Tests of `store_app.sync`."""
