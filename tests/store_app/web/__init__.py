"""Tests of `store_app.web`."""
