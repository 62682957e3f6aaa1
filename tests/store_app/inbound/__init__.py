"""Tests of `store_app.inbound`."""
