"""Pages of the online store, as its customers see them."""
