"""The shop and its counter: catalogue, stock, shifts, sales, receipts."""
