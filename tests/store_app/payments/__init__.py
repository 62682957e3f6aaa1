"""Tests of `store_app.payments`."""
