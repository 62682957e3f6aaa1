"""Whom a store buys from, and its orders: suppliers, price lists, delivery calendars, purchase orders."""
