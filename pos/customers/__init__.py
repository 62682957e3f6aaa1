"""Customers by name: consent, tabs, loyalty points, vouchers, points shared in the network."""
