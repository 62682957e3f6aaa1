"""What the network offers stores: products, campaigns, and what became of them."""
