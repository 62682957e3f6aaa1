"""Tests of `store_app.demo`."""
