"""Group buys: leaders, products, falling prices, money."""
