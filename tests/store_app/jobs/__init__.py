"""Tests of `store_app.jobs`."""
