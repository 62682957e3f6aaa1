"""Tests of `store_app.mail`."""
