"""Tests of `store_app.node`."""
