"""Tests of `store_app.pages.customers`."""
