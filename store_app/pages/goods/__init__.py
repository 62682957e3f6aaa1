"""Pages of products and stock: prices, counts, expiry, waste, promotions, the shelf."""
