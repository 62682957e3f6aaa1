"""Tests of `store_app.pages.till`."""
