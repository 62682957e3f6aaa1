"""What the operator runs: warehouses, routes, purchasing, promotions, recalls, claims, transfers."""
