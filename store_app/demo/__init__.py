"""The demonstration network: real baskets, pooled into twenty stores."""
