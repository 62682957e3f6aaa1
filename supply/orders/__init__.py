"""Whom a store buys from, and its orders: suppliers, price lists, delivery calendars, orders, deliveries, claims."""
