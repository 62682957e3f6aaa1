"""The store's own bank account."""
