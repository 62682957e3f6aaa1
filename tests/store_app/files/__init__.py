"""Tests of `store_app.files`."""
