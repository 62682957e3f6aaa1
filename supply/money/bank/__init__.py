"""The store's own bank account: statements read, their entries matched with the transfers that paid for sales."""
