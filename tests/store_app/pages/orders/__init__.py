"""Tests of `store_app.pages.orders`."""
