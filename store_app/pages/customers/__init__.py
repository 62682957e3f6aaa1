"""Pages of customers: accounts, points, vouchers, messages, pickup and delivery."""
