"""Customers by name: consent, tabs, loyalty points of the store and of the network."""
