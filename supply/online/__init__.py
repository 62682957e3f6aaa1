"""The online store: its orders and home deliveries, the sessions of its customers, erasing a person's data."""
