"""Pages of ordering and receiving: proposals, suppliers, deliveries, claims, transfers."""
