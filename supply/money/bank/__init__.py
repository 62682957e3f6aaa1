"""The store's own bank account: its statements read, their entries matched with the transfers that sales were paid by."""
