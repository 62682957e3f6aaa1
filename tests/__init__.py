"""Tests mirror the packages; journeys, browser and faults stand beside them."""
