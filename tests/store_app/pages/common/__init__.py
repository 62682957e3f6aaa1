"""Tests of `store_app.pages.goods`."""
