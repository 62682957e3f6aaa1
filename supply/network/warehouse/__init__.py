"""A warehouse of the network: allocation, picking, loading, lots, returns from stores."""
