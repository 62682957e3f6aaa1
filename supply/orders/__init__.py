"""Whom a store buys from, and what is on its way: suppliers, price lists, delivery calendars, orders, deliveries.

The nouns that several rooms share lie here too: claims, transfers between stores, the network's offers, purchases.
"""
