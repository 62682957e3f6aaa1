"""Tests of `store_app.api`."""
