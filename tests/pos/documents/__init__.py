"""Tests of `pos.documents`."""
