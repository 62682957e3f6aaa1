"""Tests of `store_app.commands`."""
