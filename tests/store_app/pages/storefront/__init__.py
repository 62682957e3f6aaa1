"""Tests of `store_app.pages.storefront`."""
