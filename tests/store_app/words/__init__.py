"""Tests of `store_app.words`."""
