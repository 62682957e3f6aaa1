"""The shop and its counter.

Reading order: store, catalogue, pricing, stock (its book: ledger), shift, payments, sale, returns, facts, replica,
checks; then paper: receipt, account_paper, goods_paper and labels say what stands on it, slips freezes what is asked
for, paper and glyphs say how wide it is, code_pages and encoding make it bytes, drivers and printer put it there,
preview draws the bytes. `stock` is here and not in `supply` because it is *what is in the shop*, and the counter
writes it most.
"""
