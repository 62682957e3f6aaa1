"""Tests of the store and its counter."""
