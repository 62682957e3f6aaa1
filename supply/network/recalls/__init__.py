"""Recalls across the network, and what suppliers owe for recalled goods."""
