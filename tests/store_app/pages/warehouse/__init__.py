"""Tests of `store_app.pages.warehouse`."""
