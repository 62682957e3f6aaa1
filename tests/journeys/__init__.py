"""Tests of `journeys`."""
