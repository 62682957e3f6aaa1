"""Tests of the shop and its counter."""
