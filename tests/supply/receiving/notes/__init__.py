"""Tests of `supply.receiving.documents`."""
