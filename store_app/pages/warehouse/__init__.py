"""Pages of the network's warehouses: purchases, stock, picking, routes, recalls, transfers, who supplies whom."""
