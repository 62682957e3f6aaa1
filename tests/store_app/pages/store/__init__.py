"""Tests of `store_app.pages.store`."""
