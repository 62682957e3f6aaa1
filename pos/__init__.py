"""The shop and its counter.

Reading order: store, catalogue, pricing, stock (its book: ledger), shift, payments, sale, returns, facts, replica,
checks; then paper: receipt and labels say what stands on it, paper and glyphs how wide it is, drivers and printer put
it there, preview draws the bytes. `stock` is here and not in `supply` because it is *what is in the shop*, and the
counter writes it most.
"""
