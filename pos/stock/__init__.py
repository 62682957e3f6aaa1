"""What is in the store: the stock ledger, batches and expiry, counts, waste, recalls.

`ledger` is the only writer of movements; everything else goes through it.
"""
